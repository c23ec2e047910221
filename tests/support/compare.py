# SPDX-License-Identifier: GPL-2.0-only
"""The naive checker, the plain evaluator and the engine run the same programs, and their answers are compared.

    python -m tests.support.compare --programs 20000 --seed 1

prints the seed, how many cases were compared and each difference, with a program made as small as line
removal can; exit status 1 if there is any.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from itertools import combinations
from pathlib import Path

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import explore
from kvmcheck.engine.reductions import ALL, UNREDUCED, Reductions
from kvmcheck.engine.result import Result
from kvmcheck.lang import syntax
from kvmcheck.lang.imports import Unit, load
from kvmcheck.lang.parse import parse
from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.outcome import Ending, Outcome
from kvmcheck.semantics.program import VISIBLE, Check, Choose, Program, PropertyKind, VariableKind
from kvmcheck.semantics.state import State
from kvmcheck.semantics.verdict import Verdict
from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.text import SourceText
from tests.support.generate import generate
from tests.support.naive import check

#: Programs with more states are left out of a comparison: they take too long here.
MOST_STATES = 2500


@dataclass
class Summary:
    """What one checker says of one case."""

    states: int = 0
    complete: bool = True
    overflow: bool = False
    violated: dict[str, int] = field(default_factory=dict)
    covers: dict[str, int | None] = field(default_factory=dict)

    def worse(self, name: str, depth: int) -> None:
        """Note a violation."""
        self.violated[name] = min(depth, self.violated.get(name, depth))


@dataclass(frozen=True)
class Difference:
    """Where two checkers part."""

    case: str
    left: str
    right: str
    what: str

    def __str__(self) -> str:
        return f"{self.case}: {self.left} and {self.right} differ in {self.what}"


# ------------------------------------------------------------------------------ the checkers


def by_naive(unit: Unit, case: str, *, most: int = MOST_STATES, abstract_seq: bool = False) -> Summary:
    """The second checker."""
    found = check(unit, case, max_states=most, abstract_seq=abstract_seq)
    return Summary(found.states, found.complete, found.overflow, found.violated, found.covers)


def by_evaluator(program: Program, *, most_states: int = 4 * MOST_STATES) -> Summary:
    """A plain search over the evaluator's steps."""
    return _Search(program, most_states).run()


class _Search:
    """Level by level, with the evaluator's own idea of a step."""

    def __init__(self, program: Program, most_states: int) -> None:
        self.program, self.most_states = program, most_states
        self.evaluator = Evaluator(program)
        self.summary = Summary(covers={cover.name: None for cover in program.covers})
        self.edges: set[tuple[tuple[int, int], tuple[int, int]]] = set()
        self.checks = set(program.checks)

    def run(self) -> Summary:
        """The summary."""
        seen: set[State] = set()
        level: list[State] = []
        for outcome in self.evaluator.initial_states():
            if outcome.ending is Ending.DONE and outcome.after not in seen:
                seen.add(outcome.after)
                level.append(outcome.after)
        depth = 0
        while level:
            further: list[State] = []
            for state in level:
                for after in self._expand(state, depth):
                    if after not in seen:
                        seen.add(after)
                        further.append(after)
            if Check.LOCK_ORDER in self.checks and _cyclic(self.edges):
                self.summary.worse("lock_order", depth + 1)
            level, depth = further, depth + 1
            if len(seen) > self.most_states:
                self.summary.complete = False
                break
        self.summary.states = len(seen)
        return self.summary

    def _expand(self, state: State, depth: int) -> Iterator[State]:
        evaluator, program = self.evaluator, self.program
        for claim in program.properties:
            if claim.kind is PropertyKind.INVARIANT and evaluator.broken_by(claim, None, state, None):
                self.summary.worse(claim.name, depth)
        for cover in program.covers:
            if cover.condition is not None and evaluator.condition_met(cover.condition, None, state, None):
                self._covered(cover.name, depth)
        if Check.NO_DEADLOCK in self.checks and evaluator.is_deadlock(state):
            self.summary.worse("no_deadlock", depth)
        outcomes = list(evaluator.steps(state))
        if Check.NO_DATA_RACE in self.checks and self._races(outcomes):
            self.summary.worse("no_data_race", depth)
        for outcome in outcomes:
            for name in outcome.covers:
                self._covered(name, depth + 1)
            self.edges.update((edge.held, edge.taken) for edge in outcome.edges)
            if outcome.violation is not None:
                if outcome.violation.overflow:
                    self.summary.overflow = True
                else:
                    self.summary.worse(outcome.violation.property, depth + 1)
                continue
            for claim in program.properties:
                if claim.kind is PropertyKind.STEP:
                    if evaluator.broken_by(claim, state, outcome.after, outcome.thread):
                        self.summary.worse(claim.name, depth + 1)
            yield outcome.after

    def _covered(self, name: str, depth: int) -> None:
        before = self.summary.covers.get(name)
        self.summary.covers[name] = depth if before is None else min(before, depth)

    def _races(self, outcomes: list[Outcome]) -> bool:
        accesses = [
            (outcome.thread, access)
            for outcome in outcomes
            if not self.program.processes[self.program.threads[outcome.thread].process].hardware
            for access in outcome.accesses
            if self.program.variables[access.variable].guard is None
            and self.program.variables[access.variable].kind is VariableKind.SHARED
        ]
        return any(
            one != other
            and (a.variable, a.element) == (b.variable, b.element)
            and (a.write or b.write)
            and not (a.marked and b.marked)
            for one, a in accesses
            for other, b in accesses
        )


def _cyclic(edges: set[tuple[tuple[int, int], tuple[int, int]]]) -> bool:
    nodes = {n for edge in edges for n in edge}
    while True:
        leaves = nodes - {a for a, b in edges if b in nodes}
        if not leaves & nodes:
            return bool(nodes)
        nodes -= leaves


#: No reduction but the clearing of dead locals, which is part of what a state is: a seq is a number.
NUMBERED = replace(UNREDUCED, seq=False)

#: Each of the others that is on unless somebody says no is tried by itself.
REDUCTIONS = tuple((f.name,) for f in fields(Reductions) if f.name != "dead_locals" and getattr(ALL, f.name))

#: With every reduction that is on by default.
AS_IT_COMES = "engine as it comes, with merge" if ALL.merge else "engine as it comes"

#: Every subset of the others.
EVERY_SUBSET = tuple(
    subset
    for names in [[f.name for f in fields(Reductions) if f.name != "dead_locals"]]
    for length in range(1, len(names) + 1)
    for subset in combinations(names, length)
)


def by_engine(program: Program, reductions: Reductions = ALL, *, most: int = 4 * MOST_STATES) -> Summary:
    """The real one."""
    return summary_of(explore(program, reductions=reductions, budget=Budget(states=most)))


def summary_of(result: Result) -> Summary:
    """The engine's answer in the form of the others."""
    coverage = result.coverage
    overflow = "too small" in coverage.stopped or "never ends" in coverage.stopped
    summary = Summary(coverage.states, coverage.complete or overflow, overflow)
    for found in result.properties:
        if found.verdict is Verdict.VIOLATED:
            summary.violated[found.property] = len(found.traces[0].steps)
    for cover in result.covers:
        summary.covers[cover.name] = cover.depth
    return summary


# ------------------------------------------------------------------------------ comparing


class Refused(Exception):
    """The parser or the elaborator does not want the program."""


def unit_of(text: str, name: str = "random.kvm") -> Unit:
    """The parsed program; raises `Refused`."""
    collector = Collector()
    file = parse(SourceText(name, text), collector)
    if file is None:
        raise Refused(
            "; ".join(f"{d.code} {d.message} (line {d.primary.span.line})" for d in collector.all())
        )
    return Unit(file, {})


def cases_of(unit: Unit) -> list[str]:
    """The scenarios and mutants of a unit."""
    kinds = (syntax.ScenarioDecl, syntax.MutantDecl)
    return [item.name.text for item in unit.entry.items if isinstance(item, kinds)]


def program_of(unit: Unit, case: str) -> Program:
    """The elaborated case; raises `Refused`."""
    collector = Collector()
    program = elaborate(unit, case, {}, collector)
    if program is None:
        raise Refused(
            "; ".join(f"{d.code} {d.message} (line {d.primary.span.line})" for d in collector.all())
        )
    return program


def differences(
    unit: Unit, case: str, *, most: int = MOST_STATES, tried: tuple[tuple[str, ...], ...] = REDUCTIONS
) -> list[Difference] | None:
    """What the checkers disagree about in one case, the engine with each of the sets of reductions that are tried.

    None if it is too large to say.
    """
    program = program_of(unit, case)
    naive = by_naive(unit, case, most=most)
    if not naive.complete:
        return None
    # The naive checker runs each value of an `any` parameter by itself, and so knows more about which local is dead.
    # It also lets a thread step to its end that has nothing to do but pass arguments on.
    same_states = all(value != "any" for _, value in program.sizes) and all(
        any(isinstance(node.operation, (*VISIBLE, Choose)) for node in process.body.nodes)
        for process in program.processes
    )
    found = _parts(case, "naive", naive, "evaluator", by_evaluator(program), states=same_states)
    found += _parts(case, "naive", naive, "engine", by_engine(program, NUMBERED), states=same_states)
    if tried != EVERY_SUBSET:  # which has it
        found += _parts(case, "naive", naive, AS_IT_COMES, by_engine(program), states=False)
    for names in tried:
        reduced = by_engine(program, replace(NUMBERED, **dict.fromkeys(names, True)))
        found += _parts(case, "naive", naive, f"engine with {'+'.join(names)}", reduced, states=False)
    return found


def _parts(case: str, left: str, a: Summary, right: str, b: Summary, *, states: bool) -> list[Difference]:
    found = []
    if "merge" in right:  # steps are longer then, so traces are shorter
        a, b = _without_lengths(a), _without_lengths(b)
    if a.violated != b.violated:
        names = sorted(
            n for n in a.violated.keys() | b.violated.keys() if a.violated.get(n) != b.violated.get(n)
        )
        what = ", ".join(f"{n} {a.violated.get(n)} / {b.violated.get(n)}" for n in names)
        found.append(Difference(case, left, right, f"verdicts: {what}"))
    for name in a.covers.keys() & b.covers.keys():
        if a.covers[name] != b.covers[name]:
            found.append(Difference(case, left, right, f"cover {name}: {a.covers[name]} / {b.covers[name]}"))
    if a.overflow != b.overflow:
        found.append(Difference(case, left, right, f"overflow: {a.overflow} / {b.overflow}"))
    if a.complete != b.complete:
        found.append(Difference(case, left, right, f"completeness: {a.complete} / {b.complete}"))
    elif states and a.states != b.states:
        found.append(Difference(case, left, right, f"states: {a.states} / {b.states}"))
    return found


def _without_lengths(summary: Summary) -> Summary:
    covers = {name: None if depth is None else 0 for name, depth in summary.covers.items()}
    return replace(summary, violated=dict.fromkeys(summary.violated, 0), covers=covers)


def shrunk(text: str, still: Callable[[str], bool]) -> str:
    """The text with as many lines and statements taken out as leave `still` true."""
    lines = text.splitlines()
    changed = True
    while changed:
        changed = False
        for size in (8, 4, 2, 1):
            position = 0
            while position < len(lines):
                fewer = lines[:position] + lines[position + size :]
                if still("\n".join(fewer) + "\n"):
                    lines, changed = fewer, True
                else:
                    position += 1
        for position in range(len(lines)):
            for plainer in _plainer(lines[position]):
                simpler = [*lines[:position], plainer, *lines[position + 1 :]]
                if still("\n".join(simpler) + "\n"):
                    lines, changed = simpler, True
                    break
        for first in range(len(lines)):
            for last in range(first + 1, len(lines)):
                if lines[first].rstrip().endswith("{") and lines[last].strip() == "}":
                    fewer = lines[:first] + lines[first + 1 : last] + lines[last + 1 :]
                    if still("\n".join(fewer) + "\n"):
                        lines, changed = fewer, True
                        break
    return "\n".join(lines) + "\n"


def _plainer(line: str) -> Iterator[str]:
    for old, new in (("READ_ONCE", ""), ("data_race", ""), (" daemon", ""), ("hardware ", ""), ("[2]", "")):
        if old in line:
            yield line.replace(old, new)
    stripped = line.strip()
    if stripped.startswith("@"):
        yield line.replace(stripped.split()[0] + " ", "", 1)
    if stripped.startswith("check ") and "," in stripped:
        names = stripped[len("check ") : -1].split(", ")
        for name in names:
            yield f"    check {', '.join(n for n in names if n != name)};"


def _fails(text: str, case: str, wanted: str, tried: tuple[tuple[str, ...], ...]) -> bool:
    """Whether a program still shows a difference of this kind."""
    try:
        found = differences(unit_of(text), case, tried=tried)
    except Refused:
        return False
    except Exception as error:  # noqa: BLE001  # a crash is a difference as well, and is to stay the same one
        return type(error).__name__ == wanted
    return any(kind_of(d) == wanted for d in found or ())


def kind_of(difference: Difference) -> str:
    """Differences of one kind have the same cause, more or less."""
    return difference.right + " " + difference.what.split(":")[0]


def compare_text(text: str, *, most: int = MOST_STATES) -> tuple[int, list[Difference | str]]:
    """All cases of one program: how many were compared, and what differs (or crashed, as text)."""
    unit = unit_of(text)
    compared = 0
    found: list[Difference | str] = []
    for case in cases_of(unit):
        try:
            here = differences(unit, case, most=most)
        except Refused:
            continue
        if here is not None:
            compared += 1
            found += here
    return compared, found


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=5, help="how many differences to make small and show")
    parser.add_argument("--files", nargs="*", type=Path, default=[], help="compare these specs instead")
    parser.add_argument("--search", nargs="*", type=Path, default=[Path("model"), Path("specs")])
    parser.add_argument("--reductions", action="store_true", help="every subset of them, not each alone")
    parser.add_argument("--brief", action="store_true", help="the engine unreduced and as it comes only")
    parser.add_argument("--states", type=int, default=MOST_STATES, help="cases with more are left out")
    options = parser.parse_args(arguments)
    if options.files:
        return compare_files(options.files, tuple(options.search), options.states)
    tried = EVERY_SUBSET if options.reductions else () if options.brief else REDUCTIONS
    started, compared, refused, large, shown = time.monotonic(), 0, 0, 0, 0
    differing: dict[str, list[int]] = {}
    reasons: dict[str, int] = {}
    for seed in range(options.seed, options.seed + options.programs):
        text = generate(seed)
        try:
            unit = unit_of(text)
        except Refused as error:
            print(f"seed {seed}: the parser refuses it: {error}")
            return 1
        for case in cases_of(unit):
            try:
                found = differences(unit, case, most=options.states, tried=tried)
            except Refused as error:
                refused += 1
                reason = str(error)
                reasons.setdefault(reason[:100], seed)
                continue
            except Exception as error:  # noqa: BLE001  # counted like a difference, and shown
                found = None
                kinds = {type(error).__name__: repr(error)}
            else:
                if found is None:
                    large += 1
                    continue
                compared += 1
                kinds = {kind_of(d): str(d) for d in found}
            for kind, said in kinds.items():
                differing.setdefault(kind, []).append(seed)
                if len(differing[kind]) == 1 and shown < options.show:
                    shown += 1
                    print(f"seed {seed}, {case}: {said}")
                    print(shrunk(text, lambda t, c=case, k=kind: _fails(t, c, k, tried)), flush=True)  # type: ignore[misc]
    seconds = time.monotonic() - started
    print(
        f"seeds {options.seed}..{options.seed + options.programs - 1}: {compared} cases compared, "
        f"{sum(map(len, differing.values()))} differences, {large} too large, {refused} refused, {seconds:.0f} s"
    )
    for kind, seeds in differing.items():
        print(f"  {kind}: {len(seeds)}, seeds {seeds[:8]}")
    for reason, seed in list(reasons.items())[:8]:
        print(f"  refused: {reason} (seed {seed})")
    return 1 if differing else 0


def _of_spec(unit: Unit, case: str, most: int) -> list[Difference] | None:
    """A spec's processes may increment for ever, so counts are abstracted on both sides."""
    program = program_of(unit, case)
    naive = by_naive(unit, case, most=most, abstract_seq=True)
    if not naive.complete:
        return None
    engine = by_engine(program, UNREDUCED, most=10 * most)
    return _parts(case, "naive", naive, "engine with seq", engine, states=program.seq_compared) + _parts(
        case, "naive", naive, AS_IT_COMES, by_engine(program, most=10 * most), states=False
    )


def compare_files(files: list[Path], search: tuple[Path, ...], most: int) -> int:
    """Compare on specs; print each case; 1 if there is any difference or crash."""
    bad = 0
    for path in files:
        collector = Collector()
        unit = load(path, search, collector)
        if unit is None:
            print(f"{path}: not loaded: {[d.message for d in collector.all()][:3]}")
            continue
        for case in cases_of(unit):
            try:
                found = _of_spec(unit, case, most)
            except Refused as error:
                print(f"{path}: {case}: refused: {error}")
                continue
            except Exception as error:  # noqa: BLE001  # whoever crashed: it is to be looked at
                print(f"{path}: {case}: {error!r}")
                bad = 1
                continue
            said = "too large" if found is None else "; ".join(map(str, found)) or "agree"
            print(f"{path}: {case}: {said}", flush=True)
            bad |= bool(found)
    return bad


if __name__ == "__main__":
    sys.exit(main())
