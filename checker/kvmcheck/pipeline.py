# SPDX-License-Identifier: GPL-2.0-only
"""The whole tool on one page: text -> syntax -> program -> result -> account -> judgement.

`load_file` reads a spec and lists its cases (scenarios and mutants), `check_case` checks one of them, `check`
does both for a whole file.  Nothing here prints, and nothing raises for what a user may have written: mistakes
come back as diagnostics, limits as UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import assert_never

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.engine.budget import Budget
from kvmcheck.engine.comparison import compared
from kvmcheck.engine.effects import effects_of
from kvmcheck.engine.explicit import NO_INITIAL_STATE
from kvmcheck.engine.reductions import names_of, reductions_without
from kvmcheck.engine.result import Result
from kvmcheck.engine.stopping import Progress as Progress
from kvmcheck.engine.stopping import StopPolicy
from kvmcheck.engine.tiers import Engine as Engine
from kvmcheck.engine.tiers import Explored, NativeRefused, Tiers, explore_in_tiers
from kvmcheck.explain.expectations import judge, to_tell
from kvmcheck.explain.outcomes import Outcome, gravest
from kvmcheck.explain.reductions import Reduced, reduced
from kvmcheck.explain.report import CaseKind, CaseReport, Expectation, FileReport, Judgement
from kvmcheck.explain.snapshots import with_snapshots
from kvmcheck.explain.story import Account, account, spot_of
from kvmcheck.explain.watched import Expression, parted, with_watched
from kvmcheck.lang.imports import Unit, load
from kvmcheck.lang.syntax import Check as ScenarioCheck
from kvmcheck.lang.syntax import Expect, Expected, Move, MutantDecl, ScenarioDecl
from kvmcheck.lang.watching import with_expressions
from kvmcheck.library import model_folder
from kvmcheck.semantics.program import CHOSEN_CHECKS, Check, Program
from kvmcheck.semantics.verdict import Verdict
from kvmcheck.source.diagnostic import Collector, Diagnostic, Label, Severity
from kvmcheck.source.nearest import nearest
from kvmcheck.source.text import Span, nowhere
from kvmcheck.why.order import with_orders
from kvmcheck.why.results import Whys
from kvmcheck.why.saved import Base

#: Checked in every scenario, named or not.
_ALWAYS_CHECKED = {check.value for check in Check} - {check.value for check in CHOSEN_CHECKS}

#: What `Account.stopped` says after Ctrl-C.
INTERRUPTED = "interrupted"

OnProgress = Callable[[Progress], None]


class Statistics(Enum):
    """What to tell of the reductions: nothing, what they did, or also what each of them is worth."""

    NONE = ""
    TELL = "tell"
    COMPARE = "compare"


@dataclass(frozen=True, slots=True)
class Options:
    """What to check, and how much work it may cost.  `only`: scenarios, mutants, properties; empty: all.

    `engine`, `threads`, `compact` and `usual_limits` are those of `engine.tiers.Tiers`.
    `snapshots`: stories have the whole state at each step, and what orders their threads.
    `why`: work out which orderings the traces that are told need; None: of cases that are not as expected.
    `explain_with`: expressions, in a property's words, whose values stories tell.
    `near_miss`: stories of mutants have what the unmodified model does with the same schedule.
    """

    only: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    states: int | None = None
    depth: int | None = None
    seconds: float | None = None
    memory: int | None = None
    traces: int = 1
    reductions_off: frozenset[str] = frozenset()
    statistics: Statistics = Statistics.NONE
    engine: Engine = Engine.AUTO
    threads: int = 1
    compact: bool = False
    usual_limits: bool = False
    snapshots: bool = False
    why: bool | None = None
    near_miss: bool = False
    explain_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario or mutant that a file declares, and what it expects."""

    name: str
    title: str
    kind: CaseKind
    base: str
    span: Span
    expectations: tuple[Expectation, ...]
    checks: frozenset[str]  # the properties that its scenario names


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """A file that was read: its cases, unless there are errors in it.

    `left_out`: cases not asked for.  `names`: of all cases, and of the properties that they check.  `declared`: all
    cases.  `remembered`: they were read in an earlier run, so there is no unit.
    """

    path: str
    unit: Unit | None
    cases: tuple[Case, ...]
    diagnostics: tuple[Diagnostic, ...]
    left_out: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    declared: tuple[Case, ...] = ()
    remembered: bool = False

    @property
    def has_errors(self) -> bool:
        """Whether the file can't be checked."""
        return self.unit is None and not self.remembered


def check(path: str | Path, options: Options = Options()) -> FileReport:
    """What is known of a spec: every scenario and mutant in it, checked."""
    file = load_file(str(path), options)
    return file_report(file, tuple(check_case(file, case, options) for case in file.cases))


def load_file(path: str, options: Options = Options()) -> LoadedFile:
    """The file's cases, or the diagnostics that say why there are none to check."""
    collector = Collector()
    try:
        unit = load(Path(path), (model_folder(),), collector)
    except RecursionError:
        collector.error("KVM110", "this is nested too deeply to be read", nowhere(path))
        unit = None
    if unit is None or collector.has_errors:
        return LoadedFile(path, None, (), collector.all())
    return chosen_file(path, unit, _declared_cases(unit), collector.all(), options)


def chosen_file(
    path: str,
    unit: Unit | None,
    cases: tuple[Case, ...],
    diagnostics: tuple[Diagnostic, ...],
    options: Options,
) -> LoadedFile:
    """A file that declares these cases, with those that are asked for; no unit: it was read in an earlier run."""
    chosen = tuple(case for case in cases if _is_chosen(case, options.only, cases))
    left_out = tuple(case.name for case in cases if case not in chosen)
    names = {case.name for case in cases}.union(*(case.checks for case in cases))
    return LoadedFile(path, unit, chosen, diagnostics, left_out, frozenset(names), cases, unit is None)


def nothing_to_check(file: LoadedFile) -> Diagnostic:
    """Why a file that declares no scenario can't be checked."""
    span = Span(file.unit.entry.span.source, 0, 0) if file.unit is not None else nowhere(file.path)
    empty = file.unit is None or not file.unit.entry.items
    return Diagnostic(
        "KVM543",
        "the file declares nothing"
        if empty
        else "the file declares no scenario, so there is nothing to check",
        Label(span),
        help="`kvmcheck new NAME` writes a first spec" if empty else 'write `scenario NAME "title" { … }`',
    )


def check_case(
    file: LoadedFile, case: Case, options: Options = Options(), on_progress: OnProgress | None = None
) -> CaseReport:
    """What is known of one case of a file that was loaded without errors."""
    assert file.unit is not None
    asked = asked_in(options.only, file)
    report = case_report(case, Judgement(Outcome.BAD_INPUT), asked)
    collector = Collector()
    _need_expectation(case, collector)
    unit, places = with_expressions(file.unit, options.explain_with, collector)
    program = elaborate(unit, case.name, dict(options.settings), collector, also=places)
    expressions: tuple[Expression, ...] = ()
    if program is not None:
        program, expressions = parted(program, places)
        program = only_asked(program, asked)
    report = replace(report, diagnostics=collector.all())
    if program is None or collector.has_errors:
        return report
    try:
        explored = _explored(program, report, options, on_progress)
        result = explored.result
        if result.coverage.stopped == NO_INITIAL_STATE:
            no_initial_state(case, collector)
            return replace(report, diagnostics=collector.all())
        told, judgement = _told(result, file.unit, report, options, asked, expressions)
        report = replace(report, reduced=_reduced(program, options))
    except MemoryError:
        return replace(report, judgement=Judgement(Outcome.UNKNOWN, ("the memory did not suffice",)))
    except NativeRefused as error:
        return replace(report, judgement=Judgement(Outcome.UNKNOWN, (str(error),)))
    if explored.no_compiler:
        report = replace(report, diagnostics=(*report.diagnostics, _without_compiler(explored.no_compiler)))
    return replace(report, account=told, judgement=judgement)


def _told(
    result: Result,
    unit: Unit,
    report: CaseReport,
    options: Options,
    asked: frozenset[str],
    expressions: tuple[Expression, ...],
) -> tuple[Account, Judgement]:
    """The result in words, and whether it is as expected; with the reasons of what is told, if they are wanted."""
    whole = account(result)
    told, judgement = _judged(whole, report, asked)
    unexpected = judgement.outcome is Outcome.NOT_AS_EXPECTED
    if options.why or (options.why is None and unexpected):
        shown = [finding.property for finding in to_tell(told, report.expectations, judgement)]
        dead_locals = "dead" not in options.reductions_off
        base = _unmodified(unit, report.name, options) if shown and report.base else None
        whys = Whys(result, shown, dead_locals=dead_locals, base=base, near=options.near_miss)
        result = whys.result
        whole = whys.attached(account(result))
    if expressions:
        whole = with_watched(whole, result, expressions)
    if options.snapshots:
        whole = with_orders(with_snapshots(whole, result), result)
    return _judged(whole, report, asked)


def _unmodified(unit: Unit, name: str, options: Options) -> Base | None:
    """The scenario that a mutant (of a mutant …) changes; None if it can't be elaborated by itself."""
    mutants = {item.name.text: item for item in unit.entry.items if isinstance(item, MutantDecl)}
    moved: set[str] = set()
    seen: set[str] = set()
    while name in mutants and name not in seen:
        seen.add(name)
        for edit in mutants[name].edits:
            if isinstance(edit, Move):
                moved.add(f"{'.'.join(edit.label.function)}@{edit.label.label}")
        name = mutants[name].base.text
    program = _elaborated(_Same(unit), name, options.settings)
    return None if program is None else Base(program, frozenset(moved))


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """A unit, compared by identity: comparing its syntax takes longer than anything that is kept."""

    unit: Unit

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.unit is self.unit

    def __hash__(self) -> int:
        return id(self.unit)


@lru_cache(maxsize=1)
def _elaborated(same: _Same, name: str, settings: tuple[tuple[str, str], ...]) -> Program | None:
    """A scenario of a unit, elaborated once for all of its mutants."""
    collector = Collector()
    program = elaborate(same.unit, name, dict(settings), collector)
    return None if collector.has_errors else program


def _judged(told: Account, report: CaseReport, asked: frozenset[str]) -> tuple[Account, Judgement]:
    if asked:
        told = replace(told, findings=tuple(f for f in told.findings if f.property in asked))
    return told, judge(told, report.kind, report.expectations)


def no_initial_state(case: Case, collector: Collector) -> None:
    """Report that nothing would be checked."""
    collector.error(
        "KVM506",
        f"`{case.name}` has no initial state: what its `init` assumes can't all be true",
        case.span,
        help="nothing would be checked; relax an `assume` or a `where` in `init`",
    )


def case_report(case: Case, judgement: Judgement, asked: frozenset[str] = frozenset()) -> CaseReport:
    """The report of a case of which nothing is known yet; `asked`: only these properties matter."""
    return CaseReport(
        name=case.name,
        title=case.title,
        kind=case.kind,
        base=case.base,
        spot=spot_of(case.span),
        expectations=tuple(e for e in case.expectations if not asked or e.property in asked),
        account=None,
        judgement=judgement,
    )


def _explored(
    program: Program, report: CaseReport, options: Options, on_progress: OnProgress | None
) -> Explored:
    """The result of the search, which ends early where nothing more is asked."""
    return explore_in_tiers(
        program,
        tiers=Tiers(options.engine, options.threads, options.compact, options.usual_limits),
        budget=_budget(options),
        reductions=reductions_without(options.reductions_off),
        stop=_stop_policy(report.expectations),
        traces=options.traces,
        progress=on_progress,
    )


def _without_compiler(why: str) -> Diagnostic:
    """That a large search went on in Python."""
    return Diagnostic(
        "KVM545",
        f"a large search went on in Python: {why}",
        Label(nowhere("--engine")),
        help="install gcc or clang, or `pip install 'kvmcheck[native]'`, which brings one; "
        "`--engine python` says that it is meant so",
        severity=Severity.WARNING,
    )


def _budget(options: Options) -> Budget:
    return Budget(options.states, options.depth, options.seconds, options.memory)


def _reduced(program: Program, options: Options) -> Reduced | None:
    """What the reductions did, if that was asked."""
    if options.statistics is Statistics.NONE:
        return None
    on = reductions_without(options.reductions_off)
    measures = (
        compared(program, _budget(options), options.reductions_off)
        if options.statistics is Statistics.COMPARE
        else ()
    )
    return reduced(effects_of(program, on), names_of(on), measures)


def _stop_policy(expectations: tuple[Expectation, ...]) -> StopPolicy:
    """Where all that is expected is violations, the search is over when it has them."""
    if any(e.only or e.verdict is not Verdict.VIOLATED for e in expectations):
        return StopPolicy()
    return StopPolicy(wanted=frozenset(e.property for e in expectations))


def unknown_names(files: list[LoadedFile], options: Options, collector: Collector) -> None:
    """Report each `--only` that is no scenario, mutant or property of any file: checking nothing is no success."""
    if any(file.has_errors for file in files):
        return
    known = _ALWAYS_CHECKED.union(*(file.names for file in files))
    for name in options.only:
        if name not in known:
            near = nearest(name, known)
            collector.error(
                "KVM542",
                f"no scenario, mutant or checked property is called `{name}`",
                nowhere("--only"),
                help=f"did you mean `{near}`?" if near else "",
            )


def file_report(file: LoadedFile, cases: tuple[CaseReport, ...], skipped: str = "") -> FileReport:
    """The file with its cases; without any, it is bad input unless it was skipped for a reason."""
    if file.has_errors:
        return FileReport(file.path, cases, file.diagnostics, Outcome.BAD_INPUT)
    if skipped:
        return FileReport(file.path, cases, file.diagnostics, Outcome.AS_EXPECTED, skipped)
    if not file.cases:
        said = (*file.diagnostics, nothing_to_check(file))
        return FileReport(file.path, cases, said, Outcome.BAD_INPUT)
    outcome = gravest(case.judgement.outcome for case in cases)
    return FileReport(file.path, cases, file.diagnostics, outcome)


def _verdict(outcome: Expected) -> Verdict:
    match outcome:
        case Expected.HOLDS:
            return Verdict.HOLDS
        case Expected.VIOLATED:
            return Verdict.VIOLATED
        case Expected.UNKNOWN:
            return Verdict.UNKNOWN
        case _:
            assert_never(outcome)


def _declared_cases(unit: Unit) -> tuple[Case, ...]:
    """The scenarios and mutants of the file itself, in order; those of the modules that it uses are theirs."""
    cases: dict[str, Case] = {}
    for item in unit.entry.items:
        match item:
            case ScenarioDecl(name=name, title=title, items=items, span=span):
                wanted = _expectations(tuple(part for part in items if isinstance(part, Expect)))
                checks = [n.text for part in items if isinstance(part, ScenarioCheck) for n in part.names]
                case = Case(name.text, title, CaseKind.SCENARIO, "", span, wanted, frozenset(checks))
                cases.setdefault(case.name, case)
            case MutantDecl(name=name, base=base, title=title, expects=expects, span=span):
                wanted = _expectations(expects)
                known = cases[base.text].checks if base.text in cases else frozenset()
                case = Case(name.text, title, CaseKind.MUTANT, base.text, span, wanted, known)
                cases.setdefault(case.name, case)
            case _:
                pass
    return tuple(cases.values())


def _expectations(expects: tuple[Expect, ...]) -> tuple[Expectation, ...]:
    return tuple(
        Expectation(name.text, _verdict(expect.outcome), expect.only, spot_of(name.span))
        for expect in expects
        for name in expect.properties
    )


def _is_chosen(case: Case, only: tuple[str, ...], cases: tuple[Case, ...]) -> bool:
    """Whether `--only` asks for the case, by its name or by that of a property that it is about."""
    named = {other.name for other in cases}.intersection(only)
    if not only or named:
        return not only or case.name in named
    about = {expectation.property for expectation in case.expectations}
    if case.kind is CaseKind.SCENARIO:
        about |= case.checks | _ALWAYS_CHECKED
    return not about.isdisjoint(only)


def asked_in(only: tuple[str, ...], file: LoadedFile) -> frozenset[str]:
    """The properties that `--only` names; empty: all."""
    return frozenset(only) - {case.name for case in file.cases} - set(file.left_out)


def only_asked(program: Program, asked: frozenset[str]) -> Program:
    """The program with the asked properties alone, if any were asked for."""
    if not asked:
        return program
    return replace(
        program,
        properties=tuple(p for p in program.properties if p.name in asked),
        checks=tuple(c for c in program.checks if c.value in asked),
        covers=(),
    )


def _need_expectation(case: Case, collector: Collector) -> None:
    if case.kind is CaseKind.MUTANT and not case.expectations:
        collector.error(
            "KVM540",
            f"mutant `{case.name}` does not say what it breaks",
            case.span,
            help="write `expect PROPERTY violated;`",
        )
