# SPDX-License-Identifier: GPL-2.0-only
"""What is kept of a result, as packed JSON with a type for every field: a file that does not fit is no result.

A diagnostic points into a text, which is not kept: it is the text of the spec that is being asked about.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from kvmcheck.explain.report import CaseKind, CaseReport, Expectation
from kvmcheck.lang.imports import ModulePath
from kvmcheck.pipeline import Case
from kvmcheck.source.diagnostic import Diagnostic, Label, Severity
from kvmcheck.source.text import SourceText, Span

_T = TypeVar("_T")

#: The texts of a spec, by the paths that they are shown under.
Texts = Mapping[str, SourceText]


@dataclass(frozen=True, slots=True)
class StoredSpan:
    """A place: the path of the text, and where in it."""

    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class StoredLabel:
    """A `Label`."""

    span: StoredSpan
    text: str


@dataclass(frozen=True, slots=True)
class StoredDiagnostic:
    """A `Diagnostic`."""

    code: str
    message: str
    primary: StoredLabel
    secondary: tuple[StoredLabel, ...]
    why: str
    help: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A `pipeline.Case`."""

    name: str
    title: str
    kind: CaseKind
    base: str
    span: StoredSpan
    expectations: tuple[Expectation, ...]
    checks: frozenset[str]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What a spec without errors declares, and the warnings about it."""

    cases: tuple[StoredCase, ...]
    diagnostics: tuple[StoredDiagnostic, ...]


@dataclass(frozen=True, slots=True)
class StoredReport:
    """The report of a case; its diagnostics are apart."""

    report: CaseReport
    diagnostics: tuple[StoredDiagnostic, ...]


@dataclass(frozen=True, slots=True)
class StoredUses:
    """The modules that a text uses."""

    modules: tuple[ModulePath, ...]


class NotThisSpec(Exception):
    """What was kept points to a text that the spec does not have."""


_ENCODER = msgspec.json.Encoder(order="deterministic")
#: No result is larger, unpacked; one that is was not written by us.
MOST_BYTES = 50_000_000


def encoded(value: StoredFile | StoredReport | StoredUses) -> bytes:
    """The value as packed JSON: stories say much again and again, and shrink to a twentieth."""
    return zlib.compress(_ENCODER.encode(value), 1)


def decoded(kind: type[_T], packed: bytes) -> _T | None:
    """The value in packed JSON; None if it does not fit, in whatever way."""
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(packed, MOST_BYTES)
        if not unpacking.eof:
            return None
        return msgspec.json.decode(text, type=kind)
    except (zlib.error, msgspec.MsgspecError, ValueError, RecursionError, TypeError):
        return None


def store_file(cases: tuple[Case, ...], diagnostics: tuple[Diagnostic, ...]) -> StoredFile:
    """What is kept of a file."""
    kept = tuple(
        StoredCase(c.name, c.title, c.kind, c.base, _span(c.span), c.expectations, c.checks) for c in cases
    )
    return StoredFile(kept, tuple(map(_diagnostic, diagnostics)))


def restored_cases(stored: StoredFile, texts: Texts) -> tuple[Case, ...]:
    """The cases of a file; raises `NotThisSpec`."""
    return tuple(
        Case(c.name, c.title, c.kind, c.base, _restored_span(c.span, texts), c.expectations, c.checks)
        for c in stored.cases
    )


def store_report(report: CaseReport) -> StoredReport:
    """What is kept of a report."""
    return StoredReport(replace(report, diagnostics=()), tuple(map(_diagnostic, report.diagnostics)))


def restored_report(stored: StoredReport, texts: Texts) -> CaseReport:
    """The report; raises `NotThisSpec`."""
    return replace(stored.report, diagnostics=restored_diagnostics(stored.diagnostics, texts))


def restored_diagnostics(stored: tuple[StoredDiagnostic, ...], texts: Texts) -> tuple[Diagnostic, ...]:
    """The diagnostics; raises `NotThisSpec`."""
    return tuple(
        Diagnostic(
            d.code,
            d.message,
            _restored_label(d.primary, texts),
            tuple(_restored_label(label, texts) for label in d.secondary),
            d.why,
            d.help,
            d.severity,
        )
        for d in stored
    )


def _diagnostic(d: Diagnostic) -> StoredDiagnostic:
    secondary = tuple(map(_label, d.secondary))
    return StoredDiagnostic(d.code, d.message, _label(d.primary), secondary, d.why, d.help, d.severity)


def _label(label: Label) -> StoredLabel:
    return StoredLabel(_span(label.span), label.text)


def _span(span: Span) -> StoredSpan:
    return StoredSpan(span.source.path, span.start, span.end)


def _restored_label(label: StoredLabel, texts: Texts) -> Label:
    return Label(_restored_span(label.span, texts), label.text)


def _restored_span(span: StoredSpan, texts: Texts) -> Span:
    source = texts.get(span.path)
    if source is None or not 0 <= span.start <= span.end <= len(source.text):
        raise NotThisSpec(span.path)
    return Span(source, span.start, span.end)
