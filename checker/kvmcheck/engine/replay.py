# SPDX-License-Identifier: GPL-2.0-only
"""Traces, rebuilt by the plain evaluator.

NOTE(replay): every trace that is shown, and every VIOLATED, was run again by semantics.evaluate, from an initial
state, on plain numbers.  The explorer only says which packed states the run goes through.  If the evaluator can't
follow, one of the two is wrong about the language, and neither is to be believed: InternalError.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import assert_never

from kvmcheck.engine.finding import (
    BrokenState,
    BrokenStep,
    BrokenTransition,
    Deadlock,
    Finding,
    LockCycle,
    Race,
)
from kvmcheck.engine.layout import Layout, Packed
from kvmcheck.engine.symmetry import Symmetry, concrete
from kvmcheck.errors import InternalError
from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.outcome import Access, Ending, Outcome
from kvmcheck.semantics.program import Check, Property
from kvmcheck.semantics.state import State
from kvmcheck.semantics.witness import Step, Trace, Violation
from kvmcheck.source.text import Span

#: A merged step of more operations than this does not happen: each loop in it ends a step.
LONGEST_MERGED = 200


class Replay:
    """Rebuilds traces over the explorer's states: `order` and, for each, its `parents`' position (-1: initial)."""

    def __init__(
        self,
        layout: Layout,
        order: Sequence[Packed],
        parents: Sequence[int],
        symmetry: Symmetry | None = None,
    ) -> None:
        self.layout = layout
        self.symmetry = symmetry
        self.program = layout.program
        self.evaluator = Evaluator(layout.program, dead_locals=layout.reductions.dead_locals)
        self.merging = layout.reductions.merge
        self.order = order
        self.parents = parents

    def run_to(self, position: int) -> tuple[State, list[Step], State]:
        """The initial state, the steps to the state at a position, and that state."""
        path = [position]
        while self.parents[path[-1]] >= 0:
            path.append(self.parents[path[-1]])
        path.reverse()
        initial = self._initial(self.order[path[0]])
        state = initial
        steps: list[Step] = []
        for target in path[1:]:
            run = self._run_between(state, self.order[target])
            steps += [outcome.as_step() for outcome in run]
            state = run[-1].after
        return initial, steps, state

    def _pack(self, state: State) -> Packed:
        """What the explorer keeps of a state: the representative of its orbit."""
        packed = self.layout.pack(state)
        return packed if self.symmetry is None else self.symmetry.representative(packed)

    def _initial(self, packed: Packed) -> State:
        for outcome in self.evaluator.initial_states():
            if outcome.ending is Ending.DONE and self._pack(outcome.after) == packed:
                return outcome.after
        raise InternalError("the explorer began in a state that is no initial state")

    def _run_between(self, state: State, packed: Packed) -> list[Outcome]:
        """The evaluator's steps of one thread that make up the explorer's step to a packed state."""
        for candidate in range(len(self.program.threads)):
            for run in self._runs(state, candidate):
                last = run[-1]
                if last.ending is Ending.DONE and self._pack(last.after) == packed:
                    return run
        raise InternalError("the explorer took a step that the evaluator knows nothing of")

    def _runs(self, state: State, thread: int) -> Iterator[list[Outcome]]:
        """Every run of steps of one thread from a state that may be one (merged) step, shortest first."""
        seen = {state}
        waiting: deque[list[Outcome]] = deque([[]])
        while waiting:
            run = waiting.popleft()
            here = run[-1].after if run else state
            for outcome in self.evaluator.ways(here, thread):
                if not outcome.is_step:
                    continue
                longer = [*run, outcome]
                yield longer
                further = self.merging and outcome.ending is Ending.DONE and len(longer) < LONGEST_MERGED
                if further and outcome.after not in seen:
                    seen.add(outcome.after)
                    waiting.append(longer)

    # ------------------------------------------------------------------ findings

    def trace(self, finding: Finding) -> Trace:
        """The trace of a finding; `InternalError` if it does not show what the explorer claims."""
        initial, steps, state = self.run_to(finding.state)
        if self.symmetry is not None:
            finding = concrete(finding, self.symmetry, self.layout.pack(state))
        match finding:
            case BrokenState(property=name):
                return self._first_break(self._claim(name), initial, steps)
            case BrokenTransition(property=name, thread=thread, after=after):
                claim = self._claim(name)
                for run in self._runs(state, thread):
                    last = run[-1]
                    if last.ending is not Ending.DONE or self.layout.pack(last.after) != after:
                        continue
                    states = [state, *(outcome.after for outcome in run)]
                    for number, (old, new) in enumerate(pairwise(states)):
                        text = self.evaluator.broken_by(claim, old, new, thread)
                        if text is not None:
                            taken = [outcome.as_step() for outcome in run[: number + 1]]
                            broken = self._confirmed(name, text, claim.span)
                            return Trace(initial, (*steps, *taken), broken)
                raise InternalError(f"the evaluator finds no step that breaks `{name}`")
            case BrokenStep():
                run = self._broken(finding, state)
                taken = [outcome.as_step() for outcome in run]
                return Trace(initial, (*steps, *taken), run[-1].violation)
            case Deadlock():
                if not self.evaluator.is_deadlock(state):
                    raise InternalError("the evaluator finds no deadlock where the explorer did")
                return Trace(initial, tuple(steps), self._deadlock(state))
            case Race(threads=threads, slot=slot):
                pair = self.race_between(state, threads, slot)
                if pair is None:
                    raise InternalError("the evaluator finds no race where the explorer did")
                return Trace(initial, tuple(steps), self._race(threads, slot, pair))
            case LockCycle(thread=thread):
                return self._cycle(finding, (initial, steps, state), thread)
            case _:
                assert_never(finding)

    def _first_break(self, claim: Property, initial: State, steps: list[Step]) -> Trace:
        """The steps up to the first state that breaks an invariant: a merged step goes on behind it."""
        for number, state in enumerate((initial, *(step.after for step in steps))):
            text = self.evaluator.broken_by(claim, None, state, None)
            if text is not None:
                return Trace(initial, tuple(steps[:number]), Violation(claim.name, text, claim.span))
        raise InternalError(
            f"the evaluator finds that `{claim.name}` holds where the explorer found it broken"
        )

    def _claim(self, name: str) -> Property:
        return next(claim for claim in self.program.properties if claim.name == name)

    def _confirmed(self, name: str, text: str | None, span: Span) -> Violation:
        if text is None:
            raise InternalError(f"the evaluator finds that `{name}` holds where the explorer found it broken")
        return Violation(name, text, span)

    def _broken(self, finding: BrokenStep, state: State) -> list[Outcome]:
        fitting: list[list[Outcome]] = []
        for run in self._runs(state, finding.thread):
            outcome = run[-1]
            broken = outcome.violation
            if broken is None or outcome.handler != finding.handler:
                continue
            if broken.property == finding.check.value and broken.overflow == finding.overflow:
                if broken.span == finding.span:
                    return run
                fitting.append(run)
        if not fitting:
            raise InternalError(f"the evaluator finds no step that breaks `{finding.check.value}`")
        return fitting[0]

    def _deadlock(self, state: State) -> Violation:
        waiting: list[str] = []
        span = self.program.span
        for number, thread in enumerate(self.program.threads):
            process = self.program.processes[thread.process]
            if process.hardware or process.daemon:
                continue
            for outcome in self.evaluator.ways(state, number):
                if outcome.ending is Ending.BLOCKED:
                    body = process.interrupt if outcome.handler and process.interrupt else process.body
                    span = body.nodes[outcome.nodes[-1]].span if not waiting else span
                    waiting.append(f"`{thread.name}`")
                    break
        verb = "waits" if len(waiting) == 1 else "wait"
        return Violation(
            Check.NO_DEADLOCK.value, f"{' and '.join(waiting)} {verb} for ever: nobody can take a step", span
        )

    # ------------------------------------------------------------------ races

    def race_between(self, state: State, threads: tuple[int, int], slot: int) -> tuple[Access, Access] | None:
        """Two conflicting accesses of the threads' next steps to a slot, one of them unmarked."""
        first, second = (self._accesses(state, thread, slot) for thread in threads)
        for a in first:
            for b in second:
                if (a.write or b.write) and not (a.marked and b.marked):
                    return a, b
        return None

    def _accesses(self, state: State, thread: int, slot: int) -> list[Access]:
        return [
            access
            for outcome in self.evaluator.ways(state, thread)
            if outcome.is_step
            for access in outcome.accesses
            if self.layout.first[access.variable] + access.element == slot
        ]

    def _race(self, threads: tuple[int, int], slot: int, pair: tuple[Access, Access]) -> Violation:
        told: list[str] = []
        spans: list[Span] = []
        for thread, access in zip(threads, pair, strict=True):
            instance = self.program.threads[thread]
            process = self.program.processes[instance.process]
            bodies = [process.body] if process.interrupt is None else [process.body, process.interrupt]
            span = next(
                (body.nodes[access.node].span for body in bodies if access.node < len(body.nodes)),
                process.span,
            )
            spans.append(span)
            verb = "writes" if access.write else "reads"
            plain = "" if access.marked else " without a mark"
            told.append(f"`{instance.name}` {verb} it{plain} ({span.source.path}:{span.line})")
        text = f"data race on `{self.layout.name(slot)}`: {' while '.join(told)}"
        unmarked = next(nth for nth, access in enumerate(pair) if not access.marked)
        return Violation(Check.NO_DATA_RACE.value, text, spans[unmarked])

    # ------------------------------------------------------------------ lock order

    def _cycle(self, finding: LockCycle, run: tuple[State, list[Step], State], thread: int) -> Trace:
        initial, steps, state = run
        held, taken, span = finding.edges[-1]
        for outcome in self.evaluator.ways(state, thread):
            for edge in outcome.edges:
                pair = (
                    self.layout.first[edge.held[0]] + edge.held[1],
                    self.layout.first[edge.taken[0]] + edge.taken[1],
                )
                if pair == (held, taken) and outcome.is_step:
                    told = "; ".join(
                        f"`{self.layout.name(a)}` is held while `{self.layout.name(b)}` is taken "
                        f"({where.source.path}:{where.line})"
                        for a, b, where in finding.edges
                    )
                    broken = Violation(Check.LOCK_ORDER.value, f"locks are taken in a cycle: {told}", span)
                    return Trace(initial, (*steps, outcome.as_step()), broken)
        raise InternalError("the evaluator finds no lock taken where the explorer did")

    # ------------------------------------------------------------------ covers

    def witness(self, position: int) -> Trace:
        """The run to a state."""
        initial, steps, _ = self.run_to(position)
        return Trace(initial, tuple(steps), None)

    def witness_of_cover(self, position: int, name: str) -> Trace:
        """The run to a state and the step from there that reaches a cover."""
        initial, steps, state = self.run_to(position)
        for thread in range(len(self.program.threads)):
            for run in self._runs(state, thread):
                if name in run[-1].covers:
                    return Trace(initial, (*steps, *(outcome.as_step() for outcome in run)), None)
        raise InternalError(f"the evaluator does not reach the cover `{name}` where the explorer did")
