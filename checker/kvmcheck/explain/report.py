# SPDX-License-Identifier: GPL-2.0-only
"""What a whole run comes to: per file, per case (scenario or mutant), what was found and whether it was expected."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kvmcheck.explain.outcomes import Outcome
from kvmcheck.explain.proofs import ToldProof
from kvmcheck.explain.reductions import Reduced
from kvmcheck.explain.story import Account, Spot
from kvmcheck.semantics.verdict import Verdict
from kvmcheck.source.diagnostic import Diagnostic
from kvmcheck.source.text import SourceText


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
class Miss:
    """One thing that is not as expected: the property or cover, what it makes of the case, and a sentence.

    `subject` is empty where it is about the case as a whole.
    """

    subject: str
    outcome: Outcome
    text: str


@dataclass(frozen=True, slots=True)
class Known:
    """A miss that a baseline lets pass, and the reason that it gives."""

    miss: Miss
    reason: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a case came out as its spec says.

    `unmet`: each thing that did not, in a sentence.  `also`: properties that broke besides the expected ones,
    which is allowed and worth knowing.  `misses`: what `unmet` says, one by one, where the case was judged.
    `known`: the misses that a baseline lets pass; they are in neither.
    """

    outcome: Outcome
    unmet: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    misses: tuple[Miss, ...] = ()
    known: tuple[Known, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseReport:
    """One scenario or mutant.  `account` is None when it could not be checked: see `diagnostics` or `failure`.

    `reduced`: what the reductions did, where somebody asked.  `proof`: how it was proved, where it was not explored.
    `remembered`: an earlier run found all this.
    """

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
    reduced: Reduced | None = None
    proof: ToldProof | None = None
    remembered: bool = False


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
    """A run: its files in the order they were named; `not_examined` lists what a limit or the user left out.

    `sources`: the texts that were checked, by the names that places have.
    """

    files: tuple[FileReport, ...]
    outcome: Outcome
    not_examined: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    sources: tuple[SourceText, ...] = ()

    @property
    def cases(self) -> tuple[CaseReport, ...]:
        """Every case of every file."""
        return tuple(case for file in self.files for case in file.cases)
