# SPDX-License-Identifier: GPL-2.0-only
"""Diagnostics while a person types: a moment after the last change, case by case, so that nobody waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from lsprotocol.types import Diagnostic

from kvmcheck.lsp.complaints import by_file
from kvmcheck.lsp.places import Places
from kvmcheck.source.diagnostic import Diagnostic as Found

#: Seconds without a change before the texts are looked at.
DELAY = 0.25

_Told = Mapping[Path, tuple[Diagnostic, ...]]


class Checking:
    """What is wrong with the open documents.  A new change begins it anew."""

    def __init__(
        self, publish: Callable[[Path, list[Diagnostic]], None], failed: Callable[[str], None]
    ) -> None:
        self._publish = publish
        self._failed = failed
        self._told: dict[Path, _Told] = {}  # of each open document: what it says of which files
        self._task: asyncio.Task[None] | None = None

    def soon(self, places: Places, first: Path | None = None, delay: float = DELAY) -> None:
        """Look at all open documents after the delay, this one first."""
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.get_running_loop().create_task(self._run(places, first, delay))
        self._task.add_done_callback(self._ended)

    def forget(self, path: Path) -> None:
        """Take back what was said because of a document that is closed."""
        for about in self._told.pop(path, {}):
            self._show(about)

    async def _run(self, places: Places, first: Path | None, delay: float) -> None:
        await asyncio.sleep(delay)
        documents = sorted(places.session.documents, key=lambda path: (path != first, path))
        for path in documents:
            found: list[Found] = []
            for part in places.session.mistakes(path):
                found += part
                await asyncio.sleep(0)  # a question or a change goes before the next case
            told = by_file(found, path, places)
            before = self._told.get(path, {})
            self._told[path] = told
            for about in {*before, *told, path}:
                self._show(about)

    def _show(self, about: Path) -> None:
        """Publish what all open documents together say of a file."""
        found = {repr(item): item for told in self._told.values() for item in told.get(about, ())}
        ordered = sorted(found.values(), key=lambda item: (item.range.start.line, item.range.start.character))
        self._publish(about, ordered)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failed(f"{type(error).__name__}: {error}")
