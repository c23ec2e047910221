# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck prove --parametric` on one page: a proof for every number of vcpus, frames, pages and threads.

The claims and the clauses that are to prove them are first looked at by the explorer, at small sizes: what is wrong is
wrong there mostly, and has a run to show it.  Then every obligation is discharged.  Nothing here prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.engine.budget import Budget
from kvmcheck.engine.result import Coverage, Result
from kvmcheck.engine.tiers import Tiers, explore_in_tiers
from kvmcheck.explain.outcomes import Outcome
from kvmcheck.explain.report import CaseKind, CaseReport, Judgement
from kvmcheck.explain.story import Story, tell
from kvmcheck.lang.imports import Unit
from kvmcheck.lang.syntax import InvariantDecl
from kvmcheck.pipeline import Case, LoadedFile, asked_in, case_report
from kvmcheck.prove.method import Proved
from kvmcheck.prove.parametric.certificate import Claim, digest_of, write
from kvmcheck.prove.parametric.discharge import Discharged, counterexample, discharge, solver_version
from kvmcheck.prove.parametric.finite import Sizes
from kvmcheck.prove.parametric.fragment import Circle, circles
from kvmcheck.prove.parametric.induction import Induction, replayed
from kvmcheck.prove.parametric.obligations import Help, Kind, Obligation, Proof
from kvmcheck.prove.parametric.refusing import CannotCarry
from kvmcheck.proving import Request, told
from kvmcheck.semantics.program import Check, Program
from kvmcheck.semantics.sorts import IdSort, IntSort
from kvmcheck.semantics.verdict import PropertyResult, Verdict
from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.text import Span, nowhere

#: How much the explorer looks at before a proof is tried, at each of the small sizes.
_LOOK = Budget(states=20_000, seconds=20.0)
#: How many obligations that fail are told, and how many of them with a counterexample.
_MOST_FAILED, _MOST_TOLD = 8, 1

_NOTHING = "a parametric proof says nothing of it"


@dataclass(frozen=True, slots=True)
class FailedObligation:
    """An obligation that was not shown; `story`: its counterexample to induction, if one was found."""

    name: str
    kind: str
    story: Story | None


@dataclass(frozen=True, slots=True)
class Parametric:
    """A case, and what there is to say of its proof.

    `circles`: the clauses that leave the fragment which is surely decided.  `refuted`: the explorer has a run.
    `proof`, `discharged`: for a certificate, if every obligation is shown.  `clauses`: how many a person wrote, and how
    many the code implied.
    """

    report: CaseReport
    failed: tuple[FailedObligation, ...] = ()
    obligations: int = 0
    clauses: tuple[int, int] = (0, 0)
    proof: Proof | None = None
    todo: tuple[Obligation, ...] = ()
    discharged: Discharged | None = None
    assumed: tuple[str, ...] = ()
    circles: tuple[Circle, ...] = ()
    refuted: bool = False


def inductive_invariants(unit: Unit) -> dict[str, Span]:
    """The inductive invariants that a spec and its modules declare."""
    found: dict[str, Span] = {}
    for file in (*unit.modules.values(), unit.entry):
        for item in file.items:
            if isinstance(item, InvariantDecl) and item.inductive:
                found[item.name.text] = item.name.span
    return found


def proof_of(
    unit: Unit, case: str, settings: Mapping[str, str], collector: Collector
) -> tuple[Program, Proof] | None:
    """The program of a case with all its invariants, and what must be shown of it; None after diagnostics."""
    also = inductive_invariants(unit)
    program = elaborate(unit, case, settings, collector, also=also)
    if program is None or collector.has_errors:
        return None
    singles = {name: "2" for name, size in _scalarsets(program) if size < 2}
    if singles:  # with one member a set is full as soon as it is not empty
        program = elaborate(unit, case, {**settings, **singles}, collector, also=also)
        if program is None or collector.has_errors:
            return None
    try:
        return program, Proof.of(program, frozenset(also))
    except CannotCarry as error:
        collector.error(
            "KVM550",
            f"a parametric proof does not carry {error.what}",
            error.span or nowhere("--parametric"),
            help="leave out --parametric, for a proof at the scenario's sizes",
        )
        return None


def prove_for_every_size(file: LoadedFile, case: Case, request: Request) -> Parametric:
    """What can be proved of one case of a file that was loaded without errors."""
    assert file.unit is not None
    started = monotonic()
    asked = asked_in(request.options.only, file)
    report = case_report(case, Judgement(Outcome.BAD_INPUT), asked)
    collector = Collector()
    settings = dict(request.options.settings)
    plain = elaborate(file.unit, case.name, settings, collector)
    made = None if plain is None else proof_of(file.unit, case.name, settings, collector)
    report = replace(report, diagnostics=collector.all())
    if plain is None or made is None:
        return Parametric(report)
    program, proof = made
    listed = tuple(p.name for p in plain.properties)
    seen = _explored(file.unit, case, program, settings)
    broken = seen.broken
    found = {p.property: p for p in broken.properties if p.verdict is Verdict.VIOLATED} if broken else {}
    if found and case.kind is CaseKind.SCENARIO and broken is not None:
        return Parametric(
            told(
                report,
                _proved(broken, listed, found, "an inductive invariant or claim is wrong"),
                asked,
            )
        )
    todo = tuple(proof.obligations())
    limits = request.limits
    most = 1 if found else _MOST_FAILED
    discharged = discharge(proof, todo, seconds=limits.seconds, memory=limits.memory, most_failures=most)
    failed = [todo[a.position] for a in discharged.answers if a.shown_from is None]
    shown = {a.position for a in discharged.answers if a.shown_from is not None}
    left = tuple(o for position, o in enumerate(todo) if position not in shown)
    # Where there is a run that breaks a claim, that is what is told; else the first that fails at a small size.
    most_told = 0 if found else _MOST_TOLD
    stories = tuple(_told(file.unit, case, proof, o, request, n < most_told) for n, o in enumerate(failed))
    result = Result(program, (), (), _nothing_seen(started))
    proved = (
        *(
            replace(result, vacuous=seen.vacuous.get(result.property, ()))
            if result.verdict is Verdict.HOLDS
            else result
            for result in _verdicts(proof, program, listed, left, tuple(failed), discharged.stopped, found)
        ),
        *(PropertyResult(live.name, Verdict.UNKNOWN, reason=_NOTHING) for live in plain.lives),
    )
    result = replace(result if broken is None or not found else broken, properties=proved)
    written = sum(clause.span is not None for clause in proof.clauses)
    return Parametric(
        told(report, _answer(proof, result, bool(found)), asked),
        stories,
        len(todo),
        (written, len(proof.clauses) - written),
        proof,
        todo,
        discharged,
        axioms(proof),
        circles(proof),
        bool(found),
    )


# ------------------------------------------------------------------------------ certificates


@dataclass(frozen=True, slots=True)
class Certificate:
    """A proof that is whole, ready to be written."""

    claim: Claim
    proof: Proof
    shown: tuple[tuple[Obligation, Help], ...]

    def write(self, folder: Path) -> int:
        """Write it; returns how many obligations it has.  `OSError` if that can't be done."""
        return write(folder, self.claim, self.proof, self.shown)


def certificate(
    file: LoadedFile, case: Case, request: Request, found: Parametric, tool: str
) -> Certificate | None:
    """The certificate of a case; None unless every obligation is shown."""
    if found.proof is None or found.discharged is None or file.unit is None:
        return None
    shown = [(found.todo[a.position], a.shown_from) for a in found.discharged.answers]
    whole = [(obligation, help_) for obligation, help_ in shown if help_ is not None]
    if len(whole) != len(found.todo):
        return None
    claim = Claim(
        spec=file.path,
        digest=digest(file.unit),
        case=case.name,
        settings=request.options.settings,
        properties=tuple(clause.name for clause in found.proof.claims),
        sizes=every_size(found.proof),
        axioms=found.assumed,
        tool=f"kvmcheck {tool}",
        solver=solver_version(),
    )
    return Certificate(claim, found.proof, tuple(whole))


def digest(unit: Unit) -> str:
    """SHA-256 of a spec and its modules."""
    texts = [file.span.source.text for file in (*unit.modules.values(), unit.entry)]
    return digest_of("\0".join(texts))


# ------------------------------------------------------------------------------ the explorer first


def _scalarsets(program: Program) -> list[tuple[str, int]]:
    """The scalarsets whose size the scenario sets."""
    sizes = dict(program.sizes)
    found: dict[str, int] = {}
    sorts = [s for v in program.variables for s in (*v.dimensions, v.sort)]
    sorts += [s for p in program.processes for _, s in p.parameters]
    sorts += [local.sort for p in program.processes for local in p.body.locals]
    for sort in sorts:
        if isinstance(sort, IdSort) and not sort.ordered and sort.name in sizes:
            found[sort.name] = sort.size
    return sorted(found.items())


def _plans(program: Program, settings: Mapping[str, str]) -> list[dict[str, str]]:
    """The sizes that are looked at, the smallest first: one of each, and as the scenario says."""
    fixed = set(settings)
    smallest = {name: "1" for name, _ in _scalarsets(program) if name not in fixed}
    return [{**settings, **smallest}, dict(settings)]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the explorer saw: a result with something wrong in it, or what had no chance to go wrong."""

    broken: Result | None
    vacuous: Mapping[str, tuple[str, ...]]


def _explored(unit: Unit, case: Case, program: Program, settings: Mapping[str, str]) -> _Seen:
    """What the explorer finds wrong with the claims and the clauses at small sizes, first of all."""
    also = inductive_invariants(unit)
    vacuous: dict[str, tuple[str, ...]] = {}
    for plan in _plans(program, settings):
        small = elaborate(unit, case.name, plan, Collector(), also=also)
        if small is None:
            continue
        small = replace(small, covers=())
        result = explore_in_tiers(small, tiers=Tiers(), budget=_LOOK).result
        if any(found.verdict is Verdict.VIOLATED for found in result.properties):
            return _Seen(result, {})
        # The scenario's own sizes come last: what is vacuous there, where all was looked at, is told.
        whole = result.coverage.complete
        vacuous = {p.property: p.vacuous for p in result.properties if p.vacuous} if whole else {}
    return _Seen(None, vacuous)


# ------------------------------------------------------------------------------ what comes out


def _verdicts(
    proof: Proof,
    program: Program,
    listed: tuple[str, ...],
    left: tuple[Obligation, ...],
    failed: tuple[Obligation, ...],
    stopped: str,
    found: Mapping[str, PropertyResult],
) -> tuple[PropertyResult, ...]:
    """A verdict for every claim: it holds if nothing that it rests on is left."""
    common = [o for o in left if o.kind in (Kind.INITIATION, Kind.CONSECUTION, Kind.COUNTING)]
    claims = {clause.name for clause in proof.claims}
    results: list[PropertyResult] = []
    names = (*listed, *(name for name in found if name not in listed))
    for name in names:
        own = [o for o in left if o.kind is Kind.SAFETY and o.clause == name] if name in claims else []
        results.append(found.get(name) or _result(name, (*common, *own), stopped))
    for check in Check:
        own = [o for o in left if o.kind is Kind.CHECK and o.clause == check.value]
        if check.value in found:
            continue
        if check in program.checks and check is not Check.NO_SLEEP_IN_ATOMIC:
            results.append(PropertyResult(check.value, Verdict.UNKNOWN, reason=_NOTHING))
        elif check in program.checks or any(o in failed for o in own):
            results.append(_result(check.value, (*common, *own), stopped))
    return tuple(results)


def _result(name: str, left: tuple[Obligation, ...], stopped: str) -> PropertyResult:
    if not left:
        return PropertyResult(name, Verdict.HOLDS)
    what = f"`{left[0].name}` is not shown"
    more = f", nor {len(left) - 1} more" if len(left) > 1 else ""
    why = f": {stopped}; try a longer --seconds" if stopped else ""
    return PropertyResult(name, Verdict.UNKNOWN, reason=f"{what}{more}{why}")


def _answer(proof: Proof, result: Result, seen: bool) -> Proved:
    """What a method found out; `seen`: the explorer has a run that breaks a claim."""
    if seen:
        return Proved(result, "the explorer", "runs at small sizes")
    return Proved(
        result, "parametric induction", "any number of steps", sized=every_size(proof), assumed=axioms(proof)
    )


def _proved(broken: Result, listed: tuple[str, ...], found: Mapping[str, PropertyResult], why: str) -> Proved:
    """The verdicts where the explorer has found something wrong."""
    unknown = (
        PropertyResult(name, Verdict.UNKNOWN, reason=f"no proof was tried: {why}")
        for name in listed
        if name not in found
    )
    result = replace(broken, properties=(*found.values(), *unknown), covers=())
    return Proved(result, "the explorer", "runs at small sizes")


def every_size(proof: Proof) -> str:
    """`every number of Gfn, Pfn and Vcpu, and of reclaim and zapper threads`."""
    names = sorted(proof.world.scalarsets.values())
    threads = sorted(t.name for t in proof.world.threads if t.own)
    text = f"every number of {_listed(names)}" if names else "the scenario's sizes"
    return f"{text}, and of {_listed(threads)} threads" if threads else text


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def axioms(proof: Proof) -> tuple[str, ...]:
    """What a proof rests on besides the program."""
    program = proof.world.program
    numbers = [v.name for v in program.variables if isinstance(v.sort, IntSort)]
    counted = sorted({c.variable.sort.rstrip(".") for c in proof.counts.known.values()})
    found = []
    if numbers:
        found.append(f"no number leaves its range at any size ({_listed(numbers)})")
    if counted:
        found.append(f"there are finitely many {_listed(counted)}: a count is a number")
    return tuple(found)


def _nothing_seen(started: float) -> Coverage:
    return Coverage(0, 0, 0, monotonic() - started, True, "", (), (), ())


def _told(
    unit: Unit, case: Case, proof: Proof, obligation: Obligation, request: Request, tell_it: bool
) -> FailedObligation:
    """A failed obligation, with a counterexample at the smallest size that has one if it is to be told."""
    if not tell_it:
        return FailedObligation(obligation.name, obligation.kind.value, None)
    also = inductive_invariants(unit)
    for plan in _plans(proof.world.program, dict(request.options.settings)):
        small = elaborate(unit, case.name, plan, Collector(), also=also)
        if small is None:
            continue
        structure = counterexample(
            proof,
            obligation,
            Sizes.of(proof.world, small),
            seconds=request.limits.seconds,
            memory=request.limits.memory,
        )
        if structure is not None:
            found = replayed(small, obligation, structure)
            return FailedObligation(obligation.name, obligation.kind.value, _story(found))
    return FailedObligation(obligation.name, obligation.kind.value, None)


def _story(found: Induction) -> Story:
    return tell(found.program, found.trace, "a state in which the whole invariant holds, reached or not")
