# SPDX-License-Identifier: GPL-2.0-only
"""A diagnostic: what is wrong with an input, where, and what to type instead. Data, no formatting."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kvmcheck.source.text import Span


class Severity(Enum):
    """How bad it is: an error stops the run, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Label:
    """A place in a source text with a few words about it."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake: its code (see `source.catalogue`), a message, where to edit, and the other half.

    The message is lower case, without a full stop, with the user's names in backticks.
    """

    code: str
    message: str
    primary: Label
    secondary: tuple[Label, ...] = ()
    why: str = ""
    help: str = ""
    severity: Severity = Severity.ERROR


class Collector:
    """Diagnostics as they are found: deduplicated, sorted by place, capped."""

    #: More than this in one run tells nobody anything new.
    CAP = 20

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, int], Diagnostic] = {}

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep it, unless the same code already stands at the same place."""
        span = diagnostic.primary.span
        self._found.setdefault((diagnostic.code, span.source.path, span.start), diagnostic)

    def error(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        label: str = "",
        help: str = "",
        why: str = "",
        secondary: tuple[Label, ...] = (),
    ) -> None:
        """Add an error at a place."""
        self.add(Diagnostic(code, message, Label(span, label), secondary, why, help))

    def warn(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        label: str = "",
        help: str = "",
        why: str = "",
        secondary: tuple[Label, ...] = (),
    ) -> None:
        """Add a warning at a place."""
        self.add(Diagnostic(code, message, Label(span, label), secondary, why, help, Severity.WARNING))

    @property
    def has_errors(self) -> bool:
        """Whether any of them is an error."""
        return any(d.severity is Severity.ERROR for d in self._found.values())

    def all(self) -> tuple[Diagnostic, ...]:
        """All of them in source order, errors and warnings mixed, at most `CAP`."""
        ordered = sorted(
            self._found.values(),
            key=lambda d: (d.primary.span.source.path, d.primary.span.start, d.code),
        )
        return tuple(ordered[: self.CAP])

    def found(self) -> tuple[Diagnostic, ...]:
        """All of them as they were found, however many."""
        return tuple(self._found.values())


class BadInput(Exception):
    """The input can't be checked: carries the diagnostics that say why (at least one error)."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("; ".join(f"{d.code}: {d.message}" for d in diagnostics))
        self.diagnostics = diagnostics
