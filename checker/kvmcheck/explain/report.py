# SPDX-License-Identifier: GPL-2.0-only
"""What a whole run comes to: per file, per case (scenario or mutant), what was found and whether it was expected."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kvmcheck.explain.story import Account, Spot
from kvmcheck.semantics.verdict import Verdict
from kvmcheck.source.diagnostic import Diagnostic


class Outcome(Enum):
    """How a case, a file or a run ended; the exit status of each is in `cli.exits`."""

    AS_EXPECTED = "as expected"
    NOT_AS_EXPECTED = "not as expected"
    BAD_INPUT = "bad input"
    UNKNOWN = "unknown"
    OUR_BUG = "internal error"


#: Of several outcomes the first of these is the whole's: a bug of ours spoils every other answer, and so on.
GRAVEST_FIRST = (
    Outcome.OUR_BUG,
    Outcome.BAD_INPUT,
    Outcome.NOT_AS_EXPECTED,
    Outcome.UNKNOWN,
    Outcome.AS_EXPECTED,
)


def gravest(outcomes: list[Outcome]) -> Outcome:
    """The outcome of the whole; of nothing at all it is UNKNOWN, for nothing was looked at.

    >>> gravest([])
    <Outcome.UNKNOWN: 'unknown'>
    """
    return min(outcomes, key=GRAVEST_FIRST.index, default=Outcome.UNKNOWN)


class CaseKind(Enum):
    """A scenario must hold; a mutant must break."""

    SCENARIO = "scenario"
    MUTANT = "mutant"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One `expect`: what a property's verdict should be; `only`: nothing else may break."""

    property: str
    verdict: Verdict
    only: bool
    spot: Spot


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a case came out as its spec says.

    `unmet`: each thing that did not, in a sentence.  `also`: properties that broke besides the expected ones,
    which is allowed and worth knowing.
    """

    outcome: Outcome
    unmet: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseReport:
    """One scenario or mutant.  `account` is None when it could not be checked: see `diagnostics` or `failure`."""

    name: str
    title: str
    kind: CaseKind
    base: str
    spot: Spot
    expectations: tuple[Expectation, ...]
    account: Account | None
    judgement: Judgement
    diagnostics: tuple[Diagnostic, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file; `skipped` says why it has no cases and need not have any."""

    path: str
    cases: tuple[CaseReport, ...]
    diagnostics: tuple[Diagnostic, ...]
    outcome: Outcome
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A run: its files in the order they were named; `not_examined` lists what a limit or the user left out."""

    files: tuple[FileReport, ...]
    outcome: Outcome
    not_examined: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def cases(self) -> tuple[CaseReport, ...]:
        """Every case of every file."""
        return tuple(case for file in self.files for case in file.cases)
