# SPDX-License-Identifier: GPL-2.0-only
"""Spans of texts to places in an editor, and the name under a cursor."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lsprotocol.types import Location, Position, PositionEncodingKind, Range

from kvmcheck.lsp.positions import Lines, Shift
from kvmcheck.lsp.session import Analysis, Session, resolved
from kvmcheck.lsp.targets import Occurrence
from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class Cursor:
    """The name under a cursor: what it was when the text could last be read, and where it is now."""

    analysis: Analysis
    occurrence: Occurrence
    range: Range


class Places:
    """A session seen through an editor's columns."""

    def __init__(self, session: Session, encoding: str = PositionEncodingKind.Utf16) -> None:
        self.session = session
        self._encoding = encoding

    def lines(self, text: str) -> Lines:
        """The lines of a text."""
        return Lines(text, self._encoding)

    def range(self, span: Span) -> Range | None:
        """Where a span is in its file now; None: it was changed since it was read."""
        path = resolved(span.source.path)
        now = self.session.text(path)
        if now is None or now == span.source.text:
            return self.lines(span.source.text).range(span.start, span.end)
        shift = Shift(span.source.text, now)
        start, end = shift.forward(span.start), shift.forward(span.end)
        if start is None or end is None or start > end:
            return None
        return self.lines(now).range(start, end)

    def location(self, span: Span) -> Location | None:
        """The same with the file."""
        found = self.range(span)
        return Location(self.session.uri(resolved(span.source.path)), found) if found is not None else None

    def offset(self, path: Path, position: Position) -> int:
        """The character at a place of the file as it is now."""
        return self.lines(self.session.text(path) or "").offset(position)

    def cursor(self, path: Path, position: Position) -> Cursor | None:
        """The name at a place, though the text may just be broken somewhere else."""
        analysis = self.session.last_good(path)
        text = self.session.text(path) or ""
        before = Shift(analysis.text, text).back(self.offset(path, position))
        if analysis.unit is None or before is None:
            return None
        occurrence = analysis.names.at(before)
        where = self.range(occurrence.span) if occurrence is not None else None
        return Cursor(analysis, occurrence, where) if occurrence is not None and where is not None else None
