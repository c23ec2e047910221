# SPDX-License-Identifier: GPL-2.0-only
"""Breadth first through all reachable states: shortest counterexamples, and HOLDS only for what was all seen.

`explore` is the entry.  The states come from the compiled program; whatever it finds is run again by the
evaluator before it is told (see NOTE(replay) in engine/replay.py).
"""

from __future__ import annotations

import gc
import sys
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.compiled import Callbacks, Compiled, StateTest, StepTest, ThreadCode
from kvmcheck.engine.coverage import empty_choices, unreached_statements
from kvmcheck.engine.finding import (
    BrokenInit,
    BrokenState,
    BrokenStep,
    BrokenTransition,
    Deadlock,
    Finding,
    LockCycle,
    Race,
)
from kvmcheck.engine.layout import Layout, Packed
from kvmcheck.engine.lockgraph import LockGraph
from kvmcheck.engine.memory import resident_bytes
from kvmcheck.engine.reductions import ALL, Reductions
from kvmcheck.engine.replay import Replay
from kvmcheck.engine.result import Coverage, CoverResult, Result
from kvmcheck.engine.runtime import Fail
from kvmcheck.engine.stopping import Progress, StopPolicy
from kvmcheck.engine.symmetry import Symmetry
from kvmcheck.semantics.outcome import Ending
from kvmcheck.semantics.program import Check, Program, PropertyKind
from kvmcheck.semantics.sorts import Value
from kvmcheck.semantics.verdict import PropertyResult, Verdict
from kvmcheck.semantics.witness import Trace
from kvmcheck.source.text import Span

#: With several counterexamples wanted, so many candidates are kept for each one, to choose distinct ones from.
CANDIDATES = 16
#: Limits and the clock are looked at every so many expanded states.
LOOK_EVERY = 256
#: Near the limit on states it looks more often: a state expanded adds few new ones, seldom more than this.
STATES_A_LOOK = 8
#: At most five reports of progress in a second.
REPORT_EVERY = 0.2
#: A step that nests deeper than this never ends; see semantics.evaluate.LONGEST_STEP.
DEEPEST_STEP = 9_000

NEVER = StopPolicy()

OnProgress = Callable[[Progress], None]
#: Asked now and then, with the number of states: whether somebody faster takes over.
HandOver = Callable[[int], bool]

#: A thread, and the (slot, race site) of each access that it can make next.
Noted = tuple[int, list[tuple[int, int]]]


def explore(
    program: Program,
    *,
    budget: Budget,
    reductions: Reductions = ALL,
    stop: StopPolicy = NEVER,
    traces: int = 1,
    progress: OnProgress | None = None,
) -> Result:
    """The verdicts on a program: of every property, check and cover, from all states that the budget allows.

    `stop` may end the search early; `traces`: so many counterexamples that differ in their last statement or
    their threads.  Ctrl-C ends the search with what is known so far.  `InternalError` if engine and evaluator
    disagree.
    """
    search = Search(
        program, budget=budget, reductions=reductions, stop=stop, traces=traces, progress=progress
    )
    with prepared():
        try:
            search.run()
        except KeyboardInterrupt:
            search.stopped = INTERRUPTED
    return search.result()


@contextmanager
def prepared() -> Iterator[None]:
    """Python as a search wants it: room for deep steps, and no looking for garbage in cycles."""
    limit = sys.getrecursionlimit()
    collects = gc.isenabled()
    sys.setrecursionlimit(max(limit, DEEPEST_STEP + limit))
    # A search makes millions of tuples and no cycles: looking for cycles among them is wasted.
    gc.disable()
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        if collects:
            gc.enable()


def never(state: Packed) -> bool:  # noqa: ARG001 (where a step is asked for)
    """No state."""
    return False


def never_step(before: Packed, after: list[Value] | Packed, thread: int) -> bool:  # noqa: ARG001 (as above)
    """No step."""
    return False


@dataclass(slots=True)
class Watch:
    """A condition that has to be true once: a probe or a cover; `found`: the state (or step's start) and depth."""

    name: str
    text: str = ""
    test: StateTest = never
    step_test: StepTest = never_step
    found: tuple[int, int] | None = None


@dataclass(slots=True)
class Claim:
    """A property under examination."""

    name: str
    test: StateTest = never
    step_test: StepTest = never_step
    probes: list[Watch] = field(default_factory=list)


def _ignore(*_: object) -> None:
    """Whoever tells this has been told already."""


def _ignore_note(slot: int, site: int, value: Value = None) -> Value:  # noqa: ARG001 (as `Search._note`)
    """An access that has been noted already."""
    return value


#: Why a search ended before it began: each way through `init` ends at an `assume` or an empty choice.
NO_INITIAL_STATE = "there is no initial state"
#: Why it ended early: Ctrl-C; nothing left to look for; a step without an end; a faster search that takes over.
INTERRUPTED = "interrupted"
SATISFIED = "everything that was looked for is violated"
ENDLESS = "a step never ends: a loop without an access"
HANDED_OVER = "handed over"


def limit_reached(which: str, budget: Budget) -> str:
    """That a limit of the budget ended the search; `which` is its field."""
    match which:
        case "states":
            return f"the limit of {budget.states or 0:,} states was reached"
        case "seconds":
            return f"the time limit of {budget.seconds or 0:g} seconds was reached"
        case "memory":
            return f"the memory limit of {(budget.memory or 0) // 2**20:,} MB was reached"
        case "depth":
            return f"the depth limit of {budget.depth or 0} steps was reached"
        case _:
            raise ValueError(which)


class Stop(Exception):
    """The search ends here; why is in `Search.stopped`."""


class Search:
    """One search: its states in the order of their discovery, and what it has found so far."""

    def __init__(
        self,
        program: Program,
        *,
        budget: Budget,
        reductions: Reductions,
        stop: StopPolicy,
        traces: int,
        progress: OnProgress | None,
        hand_over: HandOver | None = None,
    ) -> None:
        self.program = program
        self.budget = budget
        self.policy = stop
        self.traces = traces
        self.progress = progress
        self.hand_over = hand_over
        self.started = monotonic()
        self.reported = self.started
        self.layout = Layout(program, reductions)
        self.compiled = Compiled(self.layout)
        symmetry = Symmetry(self.layout) if reductions.symmetry else None
        self.symmetry = None if symmetry is None or symmetry.trivial else symmetry
        self.reset()

    def reset(self) -> None:
        """Forget all states, and what was found in them."""
        self.order: list[Packed] = []
        self.parents: array[int] = array("q")
        self.seen: dict[Packed, int] = {}
        self.findings: dict[str, list[tuple[int, Finding | BrokenInit]]] = {}
        self.overflows: dict[Span, BrokenStep] = {}
        self.stopped = ""
        self.complete = False
        self.transitions = 0
        self.depth = 0
        self.now = 0
        self.broken_here = 0
        self.out: list[Packed] = []
        self.between: list[Packed] = []
        self.code: list[ThreadCode] = []
        self.fine: list[ThreadCode] = []
        self.accesses: list[tuple[int, int]] = []
        self.race_spans: set[Span] = set()
        self.races_refuted: set[tuple[int, int, int]] = set()
        self.locks = LockGraph()
        self.covered: dict[str, tuple[int, int]] = {}
        self.replay = Replay(self.layout, self.order, self.parents, self.symmetry)
        self._watch_claims()

    def _watch_claims(self) -> None:
        compiled = self.compiled
        self.invariants: list[Claim] = []
        self.step_claims: list[Claim] = []
        self.probes: list[Watch] = []
        self.step_probes: list[Watch] = []
        self.claims: list[Claim] = []
        for claim, name, probe_names in zip(
            self.program.properties, compiled.claims, compiled.probes, strict=True
        ):
            if claim.kind is PropertyKind.STEP:
                made = Claim(claim.name, step_test=compiled.step_test(name))
                made.probes = [
                    Watch(probe_name, probe.text, step_test=compiled.step_test(probe_name))
                    for probe_name, probe in zip(probe_names, claim.probes, strict=True)
                ]
                self.step_claims.append(made)
                self.step_probes += made.probes
            else:
                made = Claim(claim.name, compiled.state_test(name))
                made.probes = [
                    Watch(probe_name, probe.text, compiled.state_test(probe_name))
                    for probe_name, probe in zip(probe_names, claim.probes, strict=True)
                ]
                self.invariants.append(made)
                self.probes += made.probes
            self.claims.append(made)
        self.cover_watches = [
            Watch(cover.name, test=never if name is None else compiled.state_test(name))
            for cover, name in zip(self.program.covers, compiled.covers, strict=True)
        ]
        self.probes += [watch for watch in self.cover_watches if watch.test is not never]
        self.tests = [claim.test for claim in self.invariants]

    # ------------------------------------------------------------------ what the generated code tells

    def _bad(self, site_number: int, thread: int, handler: bool) -> None:
        site = self.compiled.sites[site_number]
        self.broken_here += 1
        finding = BrokenStep(site.check, self.now, thread, handler, site.span, site.overflow)
        if site.overflow:
            self.overflows.setdefault(site.span, finding)
        else:
            self._found(finding, self.depth + 1)

    def _note(self, slot: int, site: int, value: Value = None) -> Value:
        self.accesses.append((slot, site))
        return value

    def _edge(self, held: int, taken: int, site: int, thread: int) -> None:
        span = self.compiled.tables.edges[site]
        images = {(held, taken)} if self.symmetry is None else self.symmetry.edge_images(held, taken)
        cycle = self.locks.add(held, taken, span, images)
        if cycle is not None:
            self._found(LockCycle(self.now, thread, cycle), self.depth + 1)

    def _covered(self, number: int) -> None:
        self.covered.setdefault(self.compiled.tables.covers[number], (self.now, self.depth + 1))

    def _on_step(self, before: Packed, after: list[Value], thread: int) -> None:
        for watch in self.step_probes:
            if watch.found is None:
                try:
                    if watch.step_test(before, after, thread):
                        watch.found = (self.now, self.depth + 1)
                except Fail:
                    pass
        for claim in self.step_claims:
            try:
                holds = claim.step_test(before, after, thread)
            except Fail:
                holds = False
            if not holds:
                packed = list(after)
                self.layout.canonical(packed)
                self._found(BrokenTransition(claim.name, self.now, thread, tuple(packed)), self.depth + 1)

    def _torn(self, before: Packed, thread: int) -> None:
        """The states between the operations of a merged step that failed: reachable, and seen by nobody else."""
        fine = self._fine_code()[thread]
        waiting, seen = [before], {before}
        while waiting:
            fine.run(waiting.pop())
            for between in self.between:
                if between not in seen:
                    seen.add(between)
                    # Where steps begin as well, the search goes on from there by itself.
                    if self.code[thread].is_between(between):
                        waiting.append(between)
            self.between.clear()
        self.out += seen - {before}

    def _fine_code(self) -> list[ThreadCode]:
        """The threads' functions for single, unmerged steps; compiled when first needed."""
        if not self.fine:
            quiet = Callbacks(
                self.between.append, _ignore, _ignore_note, _ignore, _ignore, self._on_step, _ignore
            )
            self.fine = Compiled(self.layout, merge=False).threads(quiet)
        return self.fine

    # ------------------------------------------------------------------ findings

    def _found(self, finding: Finding | BrokenInit, length: int) -> None:
        """Keep a finding, if it is among the shortest few of its property."""
        kept = self.findings.setdefault(finding.property, [])
        if self.traces == 1 and kept and length < kept[0][0]:
            kept[0] = (length, finding)
        elif len(kept) < (1 if self.traces == 1 else CANDIDATES * self.traces):
            kept.append((length, finding))

    def _may_stop(self) -> bool:
        return self.policy.satisfied_by(frozenset(self.findings))

    def _saturated(self, name: str) -> bool:
        return len(self.findings.get(name, ())) >= (1 if self.traces == 1 else CANDIDATES * self.traces)

    # ------------------------------------------------------------------ the search

    def run(self) -> None:
        """Expand states until there are none left, or something says stop."""
        self.prepare()
        try:
            self.begin()
            self._search(self.code)
        except Stop:
            return
        self.complete = not self.overflows
        if self.overflows:
            self.stopped = self.overflow_reason()

    def prepare(self) -> None:
        """Make the threads' functions, told whom to tell."""
        callbacks = Callbacks(
            self.out.append,
            self._bad,
            self._note,
            self._edge,
            self._covered,
            self._on_step,
            self._torn,
        )
        self.code = self.compiled.threads(callbacks)

    def begin(self) -> None:
        """Keep the initial states; raises `Stop` if there is nothing to go on from."""
        self.depth = -1
        for outcome in self.replay.evaluator.initial_states():
            if outcome.ending is Ending.BROKEN and outcome.violation is not None:
                if outcome.violation.overflow:
                    self.stopped = outcome.violation.text
                    continue
                broken = Trace(outcome.after, (), outcome.violation)
                self._found(BrokenInit(outcome.violation.property, broken), 0)
            elif outcome.ending is Ending.DONE:
                self._add(self.layout.pack(outcome.after), -1)
        self.depth = 0
        if not self.order:
            why = "every way through the init block breaks a check" if self.findings else ""
            self.stopped = self.stopped or why or NO_INITIAL_STATE
            raise Stop
        if self.stopped:
            raise Stop

    def _add(self, packed: Packed, parent: int) -> None:
        """A state, if it is new: kept, and examined."""
        number = len(self.order)
        if self.symmetry is not None:
            packed = self.symmetry.representative(packed)
        if self.seen.setdefault(packed, number) != number:
            return
        self.order.append(packed)
        self.parents.append(parent)
        self._examine(packed, number)
        self._probe(packed, number)

    def _examine(self, packed: Packed, number: int) -> None:
        """Evaluate every invariant that is still open in a state."""
        for claim in self.invariants:
            try:
                if claim.test(packed):
                    continue
            except Fail:
                pass
            self._found(BrokenState(claim.name, number), self.depth + 1)
            if self._saturated(claim.name):
                self.invariants = [other for other in self.invariants if other is not claim]
                self.tests = [other.test for other in self.invariants]

    def _probe(self, packed: Packed, number: int) -> None:
        for watch in self.probes:
            try:
                if watch.test(packed):
                    watch.found = (number, self.depth + 1)
            except Fail:
                pass
        if any(watch.found is not None for watch in self.probes):
            self.probes = [watch for watch in self.probes if watch.found is None]

    def _search(self, threads: list[ThreadCode]) -> None:
        processes = self.program.processes
        soft = [
            (number, code)
            for number, code in enumerate(threads)
            if not processes[self.program.threads[number].process].hardware
        ]
        # Threads without a handler are called without a detour: this is where the time goes.
        plain = [(number, code.pc, code.by_pc) for number, code in soft if code.handler_pc is None]
        handled = [(number, code.run) for number, code in soft if code.handler_pc is not None]
        softly = {number for number, _ in soft}
        hard = [code.run for number, code in enumerate(threads) if number not in softly]
        wants_deadlock = Check.NO_DEADLOCK in self.program.checks
        out, order, accesses = self.out, self.order, self.accesses
        noted: list[Noted] = []
        keep, append_state, append_parent = self.seen.setdefault, order.append, self.parents.append
        level_end = len(order)
        position = 0
        looked = 0
        while position < len(order):
            if position == level_end:
                self.depth += 1
                level_end = len(order)
            if self.budget.depth is not None and self.depth >= self.budget.depth:
                self._end(limit_reached("depth", self.budget))
            if looked == 0:
                self._look(position)
                looked = LOOK_EVERY
                if self.budget.states is not None:
                    looked = max(1, min(looked, (self.budget.states - len(order)) // STATES_A_LOOK))
            looked -= 1
            self.now = position
            state = order[position]
            self.broken_here = 0
            try:
                for thread, pc, table in plain:
                    function = table[state[pc]]
                    if function is not None:
                        function(state)
                        if accesses:
                            noted.append((thread, accesses[:]))
                            accesses.clear()
                for thread, run in handled:
                    run(state)
                    if accesses:
                        noted.append((thread, accesses[:]))
                        accesses.clear()
                if noted:
                    self._compare_all(noted)
                    noted.clear()
                if wants_deadlock and not out and not self.broken_here:
                    self._check_deadlock(state)
                for run in hard:
                    run(state)
            except RecursionError:
                self._end(ENDLESS)
            self.transitions += len(out) + self.broken_here
            if self.symmetry is not None:
                # Whatever was seen is a representative already.
                out[:] = [s if s in self.seen else self.symmetry.representative(s) for s in out]
            for packed in out:
                # One hash of the state for both questions: is it new, and keep it.
                number = len(order)
                if keep(packed, number) == number:
                    append_state(packed)
                    append_parent(position)
                    try:
                        for test in self.tests:
                            if not test(packed):
                                self._examine(packed, number)
                                break
                    except Fail:
                        self._examine(packed, number)
                    if self.probes:
                        self._probe(packed, number)
            out.clear()
            position += 1
            if self.findings and self._may_stop():
                self._end(SATISFIED)

    def look_again(self, position: int, depth: int) -> None:
        """Find what there is to find in a state of this depth and in its steps; what these lead to is not kept."""
        state = self.order[position]
        self.now, self.broken_here = position, 0
        self.depth = depth - 1
        self._examine(state, position)
        self._probe(state, position)
        self.depth = depth
        noted: list[Noted] = []
        processes = [self.program.processes[thread.process] for thread in self.program.threads]
        for thread, code in enumerate(self.code):
            if not processes[thread].hardware:
                code.run(state)
                if self.accesses:
                    noted.append((thread, self.accesses[:]))
                    self.accesses.clear()
        self._compare_all(noted)
        if Check.NO_DEADLOCK in self.program.checks and not self.out and not self.broken_here:
            self._check_deadlock(state)
        for thread, code in enumerate(self.code):
            if processes[thread].hardware:
                code.run(state)
        self.out.clear()

    def _end(self, why: str) -> None:
        self.out.clear()
        self.stopped = why
        raise Stop

    def _look(self, position: int) -> None:
        """Look at the limits and the clock."""
        budget = self.budget
        if budget.states is not None and len(self.order) >= budget.states:
            self._end(limit_reached("states", budget))
        now = monotonic()
        if budget.seconds is not None and now - self.started >= budget.seconds:
            self._end(limit_reached("seconds", budget))
        if budget.memory is not None and resident_bytes() >= budget.memory:
            self._end(limit_reached("memory", budget))
        if self.hand_over is not None and self.hand_over(len(self.order)):
            self._end(HANDED_OVER)
        if self.progress is not None and now - self.reported >= REPORT_EVERY:
            self.reported = now
            elapsed = now - self.started
            self.progress(
                Progress(
                    len(self.order),
                    self.transitions,
                    len(self.order) / elapsed,
                    self.depth,
                    len(self.order) - position,
                    elapsed,
                )
            )

    def _check_deadlock(self, state: Packed) -> None:
        if self._saturated(Check.NO_DEADLOCK.value):
            return
        if self.replay.evaluator.is_deadlock(self.layout.unpack(state)):
            self._found(Deadlock(self.now), self.depth)

    # ------------------------------------------------------------------ races

    def _compare_all(self, noted: list[Noted]) -> None:
        """Look for conflicts between the accesses that different threads can make from one state."""
        for nth, (first, accesses) in enumerate(noted):
            for second, others in noted[nth + 1 :]:
                self._compare(first, accesses, second, others)

    def _compare(
        self, first: int, accesses: list[tuple[int, int]], second: int, others: list[tuple[int, int]]
    ) -> None:
        races = self.compiled.tables.races
        for slot, site in accesses:
            for other_slot, other_site in others:
                if slot != other_slot:
                    continue
                a, b = races[site], races[other_site]
                if not (a.write or b.write):
                    continue
                self.race_spans |= {side.span for side in (a, b) if side.race}
                if not (a.marked and b.marked) and not self._is_guarded(slot):
                    self._race(first, second, slot)

    def _is_guarded(self, slot: int) -> bool:
        for variable, first in zip(
            reversed(self.program.variables), reversed(self.layout.first), strict=True
        ):
            if first <= slot:
                return variable.guard is not None
        return False

    def _race(self, first: int, second: int, slot: int) -> None:
        """Keep a race, if the evaluator sees it too: an access before a lock that is taken is none."""
        if self._saturated(Check.NO_DATA_RACE.value) and not (
            self.traces == 1 and self.findings[Check.NO_DATA_RACE.value][0][0] > self.depth
        ):
            return
        state = self.layout.unpack(self.order[self.now])
        if self.replay.race_between(state, (first, second), slot) is not None:
            self._found(Race(self.now, (first, second), slot), self.depth)

    # ------------------------------------------------------------------ the result

    def overflow_reason(self) -> str:
        """Which bound was too small, in the evaluator's words."""
        first = next(iter(self.overflows.values()))
        broken = self.replay.trace(first).violation
        return "a bound was too small" if broken is None else broken.text

    def result(self) -> Result:
        """What is known, every trace replayed."""
        seconds = monotonic() - self.started
        results = [self._property_result(claim.name, claim.probes) for claim in self.claims]
        listed = {claim.name for claim in self.claims}
        for check in (*self.program.checks, *Check):
            if check.value in listed or (
                check not in self.program.checks and check.value not in self.findings
            ):
                continue
            listed.add(check.value)
            results.append(self._property_result(check.value, []))
        covers = tuple(self._cover_result(watch) for watch in self.cover_watches)
        hit = self.compiled.hit
        tables = self.compiled.tables
        coverage = Coverage(
            states=len(self.order),
            transitions=self.transitions,
            depth=max(self.depth, 0),
            seconds=seconds,
            complete=self.complete,
            stopped=self.stopped,
            unreached=unreached_statements(self.program, tables, hit),
            races=tuple(sorted(self.race_spans, key=lambda span: (span.source.path, span.start))),
            empty_choices=empty_choices(tables, hit),
        )
        return Result(self.program, tuple(results), covers, coverage)

    def _property_result(self, name: str, probes: list[Watch]) -> PropertyResult:
        if name in self.findings:
            return PropertyResult(name, Verdict.VIOLATED, self._traces(name))
        if not self.complete:
            return PropertyResult(name, Verdict.UNKNOWN, reason=self.stopped)
        vacuous = tuple(probe.text for probe in probes if probe.found is None)
        return PropertyResult(name, Verdict.HOLDS, vacuous=vacuous)

    def _traces(self, name: str) -> tuple[Trace, ...]:
        """The shortest counterexamples, distinct in their last statement or their threads."""
        chosen: dict[tuple[object, ...], Trace] = {}
        for _, finding in sorted(self.findings[name], key=lambda found: found[0]):
            trace = finding.trace if isinstance(finding, BrokenInit) else self.replay.trace(finding)
            threads = frozenset(step.thread for step in trace.steps)
            last = trace.steps[-1] if trace.steps else None
            key = (threads, None if last is None else (last.thread, last.handler, last.node))
            chosen.setdefault(key, trace)
            if len(chosen) == self.traces:
                break
        return tuple(chosen.values())

    def _cover_result(self, watch: Watch) -> CoverResult:
        if watch.test is never:
            found = self.covered.get(watch.name)
            if found is None:
                return CoverResult(watch.name, None, None)
            return CoverResult(watch.name, found[1], self.replay.witness_of_cover(found[0], watch.name))
        if watch.found is None:
            return CoverResult(watch.name, None, None)
        return CoverResult(watch.name, watch.found[1], self.replay.witness(watch.found[0]))
