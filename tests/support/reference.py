# SPDX-License-Identifier: GPL-2.0-only
"""Breadth first on the evaluator alone: what the compiled engine must agree with, slowly and without tricks.

States are told apart as `Layout.pack` packs them, so that the seq abstraction is compared too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import explore
from kvmcheck.engine.layout import Layout, Packed
from kvmcheck.engine.reductions import UNREDUCED, Reductions
from kvmcheck.engine.result import Result
from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.outcome import Ending, Outcome
from kvmcheck.semantics.program import Check, Program, PropertyKind
from kvmcheck.semantics.state import State
from kvmcheck.semantics.verdict import Verdict


@dataclass
class Facts:
    """What a search found: how many states, and for each broken property the shortest length."""

    states: int = 0
    transitions: int = 0
    broken: dict[str, int] = field(default_factory=dict)
    covers: dict[str, int] = field(default_factory=dict)
    overflow: bool = False

    def note(self, name: str, length: int) -> None:
        """A property is broken by a run of this length."""
        self.broken[name] = min(length, self.broken.get(name, length))


def reference(program: Program, reductions: Reductions = UNREDUCED, limit: int = 20_000) -> Facts:
    """All reachable states, by the evaluator."""
    evaluator = Evaluator(program, dead_locals=reductions.dead_locals)
    layout = Layout(program, reductions)
    facts = Facts()
    edges: set[tuple[object, object]] = set()
    seen: set[Packed] = set()
    level: list[State] = []

    def arrive(state: State, length: int, following: list[State]) -> None:
        packed = layout.pack(state)
        if packed in seen:
            return
        seen.add(packed)
        following.append(state)
        for claim in program.properties:
            if claim.kind is PropertyKind.INVARIANT and evaluator.broken_by(claim, None, state, None):
                facts.note(claim.name, length)
        for cover in program.covers:
            if cover.condition is not None and evaluator.condition_met(cover.condition, None, state, None):
                facts.covers.setdefault(cover.name, length)

    for outcome in evaluator.initial_states():
        if outcome.ending is Ending.DONE:
            arrive(outcome.after, 0, level)
    depth = 0
    while level:
        following: list[State] = []
        for state in level:
            assert len(seen) <= limit
            outcomes = [list(evaluator.ways(state, n)) for n in range(len(program.threads))]
            if Check.NO_DEADLOCK in program.checks and evaluator.is_deadlock(state):
                facts.note(Check.NO_DEADLOCK.value, depth)
            if Check.NO_DATA_RACE in program.checks and races(program, outcomes):
                facts.note(Check.NO_DATA_RACE.value, depth)
            for outcome in (step for ways in outcomes for step in ways if step.is_step):
                facts.transitions += 1
                edges |= {(edge.held, edge.taken) for edge in outcome.edges}
                for cover_name in outcome.covers:
                    facts.covers.setdefault(cover_name, depth + 1)
                if Check.LOCK_ORDER in program.checks and cyclic(edges):
                    facts.note(Check.LOCK_ORDER.value, depth + 1)
                if outcome.violation is not None and outcome.violation.overflow:
                    facts.overflow = True
                elif outcome.violation is not None:
                    facts.note(outcome.violation.property, depth + 1)
                else:
                    for claim in program.properties:
                        if claim.kind is PropertyKind.STEP and evaluator.broken_by(
                            claim, state, outcome.after, outcome.thread
                        ):
                            facts.note(claim.name, depth + 1)
                    arrive(outcome.after, depth + 1, following)
        level, depth = following, depth + 1
    facts.states = len(seen)
    return facts


def races(program: Program, outcomes: list[list[Outcome]]) -> bool:
    """Whether two threads' next accesses conflict, one of them unmarked."""
    for n, ways in enumerate(outcomes):
        for others in outcomes[n + 1 :]:
            for a in (x for step in ways if step.is_step for x in step.accesses):
                for b in (x for step in others if step.is_step for x in step.accesses):
                    same = (a.variable, a.element) == (b.variable, b.element)
                    guarded = program.variables[a.variable].guard is not None
                    if same and (a.write or b.write) and not (a.marked and b.marked) and not guarded:
                        return True
    return False


def cyclic(edges: set[tuple[object, object]]) -> bool:
    """Whether the graph has a cycle: whether taking away the nodes without predecessors leaves any."""
    left = set(edges)
    while left:
        kept = {edge for edge in left if any(other[1] == edge[0] for other in left)}
        if kept == left:
            return True
        left = kept
    return False


def agree(program: Program, reductions: Reductions = UNREDUCED, limit: int = 20_000) -> Result:
    """The engine's result, after comparing it with the reference in everything that both know."""
    facts = reference(program, reductions, limit)
    result = explore(program, budget=Budget(), reductions=reductions)
    broken = {
        found.property: len(found.traces[0].steps)
        for found in result.properties
        if found.verdict is Verdict.VIOLATED
    }
    reached = {cover.name: cover.depth for cover in result.covers if cover.depth is not None}
    declared = {cover.name for cover in program.covers}
    assert (result.coverage.states, broken) == (facts.states, facts.broken)
    assert result.coverage.transitions == facts.transitions
    assert reached == {name: depth for name, depth in facts.covers.items() if name in declared}
    assert result.coverage.complete == (not facts.overflow)
    for cover in result.covers:
        assert cover.depth is None or (cover.trace is not None and len(cover.trace.steps) == cover.depth)
    return result


def verdict(result: Result, name: str) -> Verdict:
    """The verdict on a property."""
    return next(found.verdict for found in result.properties if found.property == name)
