# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck mutate` on one page: a scenario, every single edit of the functions that it runs, and who notices each.

Nothing here prints.  An edit counts as killed where `kvmcheck check` would no longer find the scenario as expected.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.engine.budget import Budget
from kvmcheck.engine.stopping import StopPolicy
from kvmcheck.engine.tiers import Engine, NativeRefused, Tiers, explore_in_tiers
from kvmcheck.explain.expectations import judge
from kvmcheck.explain.outcomes import Outcome
from kvmcheck.explain.report import CaseKind, CaseReport, Expectation, Judgement
from kvmcheck.explain.story import Account, account
from kvmcheck.lang.cases import chosen_case
from kvmcheck.lang.imports import Unit
from kvmcheck.lang.syntax import ScenarioDecl
from kvmcheck.mutate.candidates import Candidate, candidates
from kvmcheck.mutate.running import running
from kvmcheck.mutate.sameness import bisimilar, same_program
from kvmcheck.mutate.writing import NAME, mutant_text, with_labels, with_mutant
from kvmcheck.pipeline import Case, LoadedFile, Options, case_report, load_file
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.verdict import Verdict
from kvmcheck.source.diagnostic import Collector, Diagnostic, Severity

#: Where nobody says otherwise, a mutant may cost so much.
USUAL_STATES = 200_000
USUAL_SECONDS = 20.0


class Fate(Enum):
    """What became of an edit; the value is the word for it."""

    KILLED = "killed"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What is known of one edit: its fate, by which property or why, and the steps of the shortest trace if any."""

    fate: Fate
    by: str
    steps: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to mutate: functions by name (empty: all that run), within limits for each mutant."""

    path: str
    scenario: str = ""
    only: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    states: int = USUAL_STATES
    seconds: float = USUAL_SECONDS


class Mutation:
    """A scenario with its edits, numbered from 1 in the order of the text."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._options = Options(settings=wanted.settings)
        self._file = load_file(wanted.path, self._options)
        self._collector = Collector()
        for diagnostic in self._file.diagnostics:
            self._collector.add(diagnostic)
        self.scenario = ""
        self.edits: tuple[Candidate, ...] = ()
        self.functions: tuple[str, ...] = ()
        if self._file.unit is not None:
            self._prepare(self._file.unit)

    def _prepare(self, unit: Unit) -> None:
        scenario = chosen_case(unit, self.wanted.scenario, "to mutate", self._collector)
        declared = next(
            (
                item
                for item in unit.entry.items
                if isinstance(item, ScenarioDecl) and item.name.text == scenario
            ),
            None,
        )
        if declared is None or scenario is None:
            if scenario is not None:
                self._collector.error(
                    "KVM542", f"`{scenario}` is a mutant: name the scenario that it is of", unit.entry.span
                )
            return
        self.scenario = scenario
        if elaborate(unit, scenario, dict(self.wanted.settings), self._collector) is None:
            return
        functions = running(unit, declared)
        self.functions = tuple(function.name for function in functions)
        self.edits = tuple(
            edit
            for function in functions
            if not self.wanted.only or function.name in self.wanted.only
            for edit in candidates(function)
        )

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What is wrong with the spec; with an error there are no edits."""
        return self._collector.all()

    @property
    def has_errors(self) -> bool:
        """Whether there is nothing to mutate."""
        return any(found.severity is Severity.ERROR for found in self.diagnostics)

    @cached_property
    def base(self) -> Verdicts:
        """What is known of the scenario as it is: only what it passes can be said to kill."""
        assert self._file.unit is not None
        program = elaborate(self._file.unit, self.scenario, dict(self.wanted.settings), Collector())
        assert program is not None
        return self._judged(program)

    def text(self, number: int) -> str:
        """The edit as a mutant, to be pasted into the spec."""
        edit = self.edits[number - 1]
        return mutant_text(edit, self.scenario, f"mutant_{number}")

    def verdicts(self, number: int) -> Verdicts:
        """What becomes of an edit."""
        assert self._file.unit is not None
        edit, settings = self.edits[number - 1], dict(self.wanted.settings)
        collector = Collector()
        unit = with_mutant(self._file.unit, self.scenario, edit, collector)
        program = None
        if unit is not None:
            try:
                program = elaborate(unit, NAME, settings, collector)
            except RecursionError:
                return Verdicts(Fate.INVALID, "it is nested too deeply")
        if program is None:
            errors = [found for found in collector.all() if found.severity is Severity.ERROR]
            if errors and errors[0].code == "KVM453":
                return Verdicts(Fate.EQUIVALENT, "the edit changes no step")
            return Verdicts(Fate.INVALID, f"{errors[0].code}: {errors[0].message}" if errors else "")
        before = elaborate(with_labels(self._file.unit, edit), self.scenario, settings, Collector())
        if before is not None and same_program(before, program):
            return Verdicts(Fate.EQUIVALENT, "the program is the same")
        found = self._judged(program)
        if found.fate is Fate.SURVIVED and before is not None and bisimilar(before, program):
            return Verdicts(Fate.EQUIVALENT, "its state graph is bisimilar")
        return found

    def report(self, number: int) -> CaseReport:
        """The edit as a case with its traces."""
        assert self._file.unit is not None
        collector = Collector()
        unit = with_mutant(self._file.unit, self.scenario, self.edits[number - 1], collector)
        program = None if unit is None else elaborate(unit, NAME, dict(self.wanted.settings), collector)
        case = replace(self._case, name=f"mutant_{number}", title=self.edits[number - 1].operator.value)
        blank = case_report(case, Judgement(Outcome.UNKNOWN))
        if program is None:
            return replace(blank, diagnostics=collector.all())
        told = self._account(program)
        if told is None:
            return blank
        return replace(blank, account=told, judgement=judge(told, CaseKind.SCENARIO, self._expectations))

    @property
    def _case(self) -> Case:
        file: LoadedFile = self._file
        return next(case for case in file.declared if case.name == self.scenario)

    @property
    def _expectations(self) -> tuple[Expectation, ...]:
        return self._case.expectations

    def _account(self, program: Program) -> Account | None:
        """What a search finds, up to the first violation where none is expected; None: it can't be made."""
        first = not any(e.verdict is Verdict.VIOLATED for e in self._expectations)
        try:
            explored = explore_in_tiers(
                program,
                tiers=Tiers(Engine.AUTO, 1, False, True),
                budget=Budget(self.wanted.states, None, self.wanted.seconds, None),
                stop=StopPolicy(first=first),
            )
        except (NativeRefused, MemoryError):
            return None
        return account(explored.result)

    def _judged(self, program: Program) -> Verdicts:
        told = self._account(program)
        if told is None:
            return Verdicts(Fate.UNKNOWN, "the memory did not suffice")
        judgement = judge(told, CaseKind.SCENARIO, self._expectations)
        match judgement.outcome:
            case Outcome.AS_EXPECTED:
                return Verdicts(Fate.SURVIVED, "")
            case Outcome.UNKNOWN:
                return Verdicts(Fate.UNKNOWN, told.stopped or "not all was examined")
            case _:
                broken = next((f for f in told.findings if f.verdict is Verdict.VIOLATED and f.stories), None)
                if broken is not None:
                    return Verdicts(Fate.KILLED, broken.property, len(broken.stories[0].rows))
                misses = [m.text for m in judgement.misses if m.outcome is Outcome.NOT_AS_EXPECTED]
                return Verdicts(Fate.KILLED, misses[0] if misses else "it has no initial state")
