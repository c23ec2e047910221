# SPDX-License-Identifier: GPL-2.0-only
"""Diagnostics in an editor's words, sorted by the files that they are about."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lsprotocol import types

from kvmcheck.lsp.places import Places
from kvmcheck.lsp.session import resolved
from kvmcheck.render.plain import visible
from kvmcheck.source.diagnostic import Diagnostic, Severity


def by_file(
    found: Iterable[Diagnostic], asked: Path, places: Places
) -> dict[Path, tuple[types.Diagnostic, ...]]:
    """The diagnostics of each file, each once; those of no file are told at the beginning of the one asked for."""
    sorted_out: dict[Path, dict[str, types.Diagnostic]] = {}
    for diagnostic in found:
        path = resolved(diagnostic.primary.span.source.path)
        if places.session.text(path) is None:
            path = asked
        told = _told(diagnostic, places, path)
        if told is not None:
            sorted_out.setdefault(path, {}).setdefault(repr((told.range, told.code, told.message)), told)
    return {path: tuple(told.values()) for path, told in sorted_out.items()}


def _told(diagnostic: Diagnostic, places: Places, path: Path) -> types.Diagnostic | None:
    span = diagnostic.primary.span
    where: types.Range | None = types.Range(types.Position(0, 0), types.Position(0, 0))
    if resolved(span.source.path) == path:
        where = places.range(span)
    if where is None:
        return None
    said = [diagnostic.message, diagnostic.primary.text]
    said += [f"{word}: {text}" for word, text in (("why", diagnostic.why), ("help", diagnostic.help)) if text]
    related = [
        types.DiagnosticRelatedInformation(location, visible(label.text or "here"))
        for label in diagnostic.secondary
        if (location := places.location(label.span)) is not None
    ]
    return types.Diagnostic(
        range=where,
        message="\n".join(visible(text) for text in said if text),
        severity=types.DiagnosticSeverity.Error
        if diagnostic.severity is Severity.ERROR
        else types.DiagnosticSeverity.Warning,
        code=diagnostic.code,
        source="kvmcheck",
        related_information=related or None,
    )
