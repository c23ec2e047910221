# SPDX-License-Identifier: GPL-2.0-only
"""The traces in a JSON report, as far as they are needed to run them again.

What does not fit is no report of ours: `NoReport`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

#: The version of the format that is read.
SCHEMA = 1


class NoReport(Exception):
    """The text is no JSON report; its text says why, in one line."""


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A function on the stack of a step."""

    function: str
    label: str


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """What a step changed."""

    kind: str
    name: str
    after: str


@dataclass(frozen=True, slots=True)
class RecordedStep:
    """One step: whose, which statement, and what it changed."""

    step: int
    thread: str
    handler: bool
    statement: str
    stack: tuple[RecordedCall, ...]
    changes: tuple[RecordedChange, ...]

    @property
    def function(self) -> str:
        """The function that the statement stands in."""
        return self.stack[-1].function if self.stack else ""


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A trace: what it begins with, its steps, and whether it goes on for ever."""

    start: tuple[str, ...]
    steps: tuple[RecordedStep, ...]
    loop: int | None = None


@dataclass(frozen=True, slots=True)
class RecordedProperty:
    """A property, or a cover, with its traces."""

    name: str
    traces: tuple[RecordedRun, ...] = ()
    trace: RecordedRun | None = None


@dataclass(frozen=True, slots=True)
class RecordedCase:
    """A scenario or mutant."""

    name: str
    sizes: dict[str, str] = field(default_factory=dict)
    properties: tuple[RecordedProperty, ...] = ()
    covers: tuple[RecordedProperty, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A spec."""

    path: str
    cases: tuple[RecordedCase, ...]


@dataclass(frozen=True, slots=True)
class RecordedReport:
    """A whole report."""

    schema: int
    files: tuple[RecordedFile, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """One trace of a report, and of what it is."""

    path: str
    case: str
    property: str
    sizes: dict[str, str]
    cover: bool
    run: RecordedRun


def recordings(text: bytes) -> list[Recording]:
    """Every trace in a report, violations before covers in each case; raises `NoReport`."""
    try:
        report = msgspec.json.decode(text, type=RecordedReport)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NoReport(f"this is no JSON report of kvmcheck: {' '.join(str(error).split())}") from None
    if report.schema != SCHEMA:
        raise NoReport(f"the report's schema is {report.schema}; only {SCHEMA} is known")
    found: list[Recording] = []
    for file in report.files:
        for case in file.cases:
            for known in case.properties:
                found += [
                    Recording(file.path, case.name, known.name, case.sizes, False, r) for r in known.traces
                ]
            for goal in case.covers:
                if goal.trace is not None:
                    found.append(Recording(file.path, case.name, goal.name, case.sizes, True, goal.trace))
    return found
