# SPDX-License-Identifier: GPL-2.0-only
"""Runs in which one ordering of a trace is turned round and the others kept: whether one breaks the claim too.

The search is bounded.  The threads of the trace run, and no others; each takes at most so many steps as in the trace
and `FURTHER` more; a choice comes to what it came to in the trace, and what the trace never chose is chosen freely,
but no process begins another round of its own loop.  An ordering `a before b` is kept by not letting b happen before
a has; turned round by not letting a happen before b has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.outcome import Ending, Outcome
from kvmcheck.semantics.program import Check, Program, Property, PropertyKind
from kvmcheck.semantics.sorts import Value
from kvmcheck.semantics.state import State
from kvmcheck.semantics.witness import Step, Trace
from kvmcheck.why.events import EventName, Events, Pair

#: So many steps may a thread take beyond those of the trace.
FURTHER = 12
#: So many times is a thread asked for its next steps, for all orderings of a trace together.
MOST_STEPS = 12_000


class Need(Enum):
    """What is known of an ordering."""

    NEEDED = "needed"  # turned round there are runs, and none breaks the claim
    FORCED = "forced"  # it can't be turned round
    FREE = "free"  # turned round the claim breaks as well
    UNDECIDED = "undecided"  # the limit was reached first


@dataclass(frozen=True, slots=True)
class Turned:
    """An ordering, what is known of it, and (of a needed one) a run the other way round that breaks nothing."""

    pair: Pair
    need: Need
    run: tuple[Step, ...] = ()


@dataclass(slots=True)
class Steps:
    """The steps of threads from states, each worked out once; `left`: how many more may be."""

    evaluator: Evaluator
    left: int = MOST_STEPS
    known: dict[tuple[State, int], tuple[Outcome, ...]] = field(default_factory=dict)

    def of(self, state: State, thread: int) -> tuple[Outcome, ...] | None:
        """A thread's steps from a state; None when the limit is reached."""
        key = (state, thread)
        found = self.known.get(key)
        if found is None:
            if self.left <= 0:
                return None
            self.left -= 1
            found = tuple(o for o in self.evaluator.ways(state, thread) if o.is_step)
            self.known[key] = found
        return found


#: How often each thread has done what stands at a node that matters.
_Counts = tuple[int, ...]
_Slot = tuple[int, bool, int]


@dataclass(frozen=True, slots=True)
class _Point:
    """A state on the way, with how far each thread is."""

    state: State
    taken: tuple[int, ...]  # steps, by lane
    counts: _Counts  # by slot


class Turning:
    """The search for one trace and its claim."""

    def __init__(self, program: Program, trace: Trace, events: Events, steps: Steps) -> None:
        assert trace.violation is not None
        self.program, self.trace, self.events, self.steps = program, trace, events, steps
        self.evaluator = steps.evaluator
        self.property = trace.violation.property
        claims: dict[str, Property] = {claim.name: claim for claim in program.properties}
        self.claim = claims.get(self.property)
        self.threads = list(dict.fromkeys(step.thread for step in events.steps))
        taken = [sum(step.thread == thread for step in events.steps) for thread in self.threads]
        self.most = [count + FURTHER for count in taken]
        self.choices: dict[_Slot, list[Value]] = {}
        for step in events.steps:
            for node, member in step.chosen:
                self.choices.setdefault((step.thread, step.handler, node), []).append(member)
        slots = dict.fromkeys((name.thread, name.handler, name.node) for name in events.names)
        self.slots = {
            slot: nth for nth, slot in enumerate([*slots, *(s for s in self.choices if s not in slots)])
        }

    def turned(self, kept: Sequence[Pair], pair: Pair) -> Turned:
        """What happens if one ordering is turned round."""
        names = self.events.names
        after: dict[EventName, list[EventName]] = {}
        for other in kept:
            if other != pair:
                after.setdefault(names[other.second], []).append(names[other.first])
        after.setdefault(names[pair.first], []).append(names[pair.second])
        start = _Point(self.trace.initial, (0,) * len(self.threads), (0,) * len(self.slots))
        seen = {start}
        stack: list[tuple[_Point, Iterator[tuple[Outcome, _Point]] | None]] = [(start, None)]
        path: list[Outcome] = []
        realised: tuple[Step, ...] | None = None
        while stack:
            point, further = stack[-1]
            if further is None:
                found = self._further(point, after)
                if found is None:
                    return Turned(pair, Need.UNDECIDED)
                if not found and realised is None and self._has(point, names[pair.first]):
                    realised = tuple(outcome.as_step() for outcome in path)
                further = iter(found)
                stack[-1] = (point, further)
            step = next(further, None)
            if step is None:
                stack.pop()
                if path:
                    path.pop()
                continue
            outcome, reached = step
            if self._breaks(point.state, outcome):
                return Turned(pair, Need.FREE)
            if outcome.ending is Ending.DONE and reached not in seen:
                seen.add(reached)
                stack.append((reached, None))
                path.append(outcome)
        if realised is None:
            return Turned(pair, Need.FORCED)
        return Turned(pair, Need.NEEDED, realised)

    def _further(
        self, point: _Point, after: dict[EventName, list[EventName]]
    ) -> list[tuple[Outcome, _Point]] | None:
        """The steps that may come next, with what they lead to; None when the limit is reached."""
        found: list[tuple[Outcome, _Point]] = []
        for lane, thread in enumerate(self.threads):
            if point.taken[lane] >= self.most[lane]:
                continue
            outcomes = self.steps.of(point.state, thread)
            if outcomes is None:
                return None
            for outcome in outcomes:
                if not self._chooses_alike(point, outcome):
                    continue
                slot = self.slots.get((thread, outcome.handler, outcome.node))
                if slot is not None:
                    name = EventName(thread, outcome.handler, outcome.node, point.counts[slot])
                    if not all(self._has(point, earlier) for earlier in after.get(name, ())):
                        continue
                taken = tuple(n + (k == lane) for k, n in enumerate(point.taken))
                found.append((outcome, _Point(outcome.after, taken, self._counted(point, outcome))))
        return found

    def _counted(self, point: _Point, outcome: Outcome) -> _Counts:
        counts = list(point.counts)
        for node in dict.fromkeys((outcome.node, *(node for node, _ in outcome.chosen))):
            slot = self.slots.get((outcome.thread, outcome.handler, node))
            if slot is not None:
                chosen = sum(at == node for at, _ in outcome.chosen)
                counts[slot] += max(chosen, node == outcome.node)
        return tuple(counts)

    def _has(self, point: _Point, name: EventName) -> bool:
        """Whether an event has happened."""
        return point.counts[self.slots[name.thread, name.handler, name.node]] > name.occurrence

    def _chooses_alike(self, point: _Point, outcome: Outcome) -> bool:
        """Whether a step's choices are those of the trace, or ones that the trace never came to."""
        seen: dict[int, int] = {}
        for node, member in outcome.chosen:
            slot = (outcome.thread, outcome.handler, node)
            wanted = self.choices.get(slot)
            if wanted is None:
                if self._is_own_round(outcome, node):
                    return False
                continue
            nth = point.counts[self.slots[slot]] + seen.get(node, 0)
            seen[node] = seen.get(node, 0) + 1
            if nth < len(wanted):
                if wanted[nth] != member:
                    return False
            elif self._is_own_round(outcome, node):
                return False
        return True

    def _is_own_round(self, outcome: Outcome, node: int) -> bool:
        """Whether a choice stands in the process's own text, and so begins something that the trace has not."""
        process = self.program.processes[self.program.threads[outcome.thread].process]
        body = process.interrupt if outcome.handler and process.interrupt is not None else process.body
        return body.nodes[node].frame == 0

    def _breaks(self, before: State, outcome: Outcome) -> bool:
        """Whether a step breaks what the trace breaks."""
        if outcome.violation is not None:
            return outcome.violation.property == self.property and not outcome.violation.overflow
        if self.claim is not None:
            old = before if self.claim.kind is PropertyKind.STEP else None
            actor = outcome.thread if self.claim.kind is PropertyKind.STEP else None
            return self.evaluator.broken_by(self.claim, old, outcome.after, actor) is not None
        return self.property == Check.NO_DEADLOCK.value and self.evaluator.is_deadlock(outcome.after)
