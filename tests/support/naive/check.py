# SPDX-License-Identifier: GPL-2.0-only
"""Breadth-first search over all states of a case, with nothing clever in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Protocol

from kvmcheck.lang import syntax as s
from tests.support.naive import values as v
from tests.support.naive.build import Built, Property, build
from tests.support.naive.context import Context
from tests.support.naive.names import World
from tests.support.naive.run import Edge, Outcome, State


class UnitLike(Protocol):
    """A loaded file with the modules that it uses."""

    @property
    def entry(self) -> s.File:
        """The file itself."""

    @property
    def modules(self) -> Mapping[tuple[str, ...], s.File]:
        """Every module that it uses, directly or not."""


@dataclass
class NaiveResult:
    """What was found: `violated` and `covers` give the least number of steps; `states` how many there are."""

    states: int = 0
    complete: bool = True
    overflow: bool = False
    violated: dict[str, int] = field(default_factory=dict)
    covers: dict[str, int | None] = field(default_factory=dict)
    initial: int = 0


def check(unit: UnitLike, case: str, *, max_states: int = 200_000, abstract_seq: bool = False) -> NaiveResult:
    """The whole truth about one scenario or mutant, as far as `max_states` allows.

    `abstract_seq`: counts are kept as "the newest, or which stale one", so endless increments are no endless states.
    """
    result = NaiveResult()
    first = World(unit.entry, unit.modules, case)
    params = dict(first.any_params())
    first.chosen_params = {name: v.members(kind)[0] for name, kind in params.items()}
    build(first)
    used = {name: kind for name, kind in params.items() if name in first.used_params}  # others are no state
    for values in product(*(v.members(kind) for kind in used.values())):
        world = World(unit.entry, unit.modules, case)
        world.chosen_params = {**first.chosen_params, **dict(zip(used, values, strict=True))}
        Search(build(world, abstract=abstract_seq), result, max_states).run()
    return result


class Search:
    """One breadth-first search; adds to a result."""

    def __init__(self, built: Built, result: NaiveResult, max_states: int) -> None:
        self.built, self.result, self.max_states = built, result, max_states
        self.edges: set[Edge] = set()

    def violated(self, name: str, depth: int) -> None:
        """Note a violation."""
        found = self.result.violated
        found[name] = min(depth, found.get(name, depth))

    def covered(self, name: str, depth: int) -> None:
        """Note that a cover was reached."""
        before = self.result.covers.get(name)
        self.result.covers[name] = depth if before is None else min(before, depth)

    def run(self) -> None:
        """Level by level."""
        built = self.built
        for name in built.covers:
            self.result.covers.setdefault(name, None)
        seen: set[State] = set(built.initial)
        self.result.initial += len(seen)
        level = list(seen)
        depth = 0
        while level:
            further: list[State] = []
            for state in level:
                self.look_at(state, depth)
                outcomes = [list(built.stepper.outcomes(state, i)) for i in range(len(built.model.threads))]
                self.look_around(outcomes, depth)
                for outcome in (o for each in outcomes for o in each):
                    after = self.step(state, outcome, depth)
                    if after is not None and after not in seen:
                        seen.add(after)
                        further.append(after)
            if "lock_order" in built.model.checks and cyclic(self.edges):
                self.violated("lock_order", depth + 1)
            level, depth = further, depth + 1
            if self.result.states + len(seen) > self.max_states:
                self.result.complete = False
                break
        self.result.states += len(seen)

    def look_at(self, state: State, depth: int) -> None:
        """Invariants and cover predicates of one state."""
        context = self.built.context(state)
        for claim in self.built.properties:
            if not claim.step and not holds(claim, context):
                self.violated(claim.name, depth)
        for name, goal in self.built.covers.items():
            if goal is not None and self.result.covers[name] is None and met(goal, context):
                self.covered(name, depth)

    def look_around(self, outcomes: list[list[Outcome]], depth: int) -> None:
        """Deadlock and data races: what is possible in one state."""
        model = self.built.model
        soft = [
            (thread, o)
            for thread, each in zip(model.threads, outcomes, strict=True)
            for o in each
            if not thread.hardware
        ]
        if "no_deadlock" in model.checks:
            can_step = any(o.how in ("ok", "fault", "overflow") for _, o in soft)
            waits = any(o.how == "blocked" and not o.entry and not t.daemon for t, o in soft)
            if waits and not can_step:
                self.violated("no_deadlock", depth)
        if "no_data_race" in model.checks:
            seen: dict[object, list[tuple[int, bool, bool]]] = {}
            for _, outcome in soft:
                if outcome.how in ("ok", "fault", "overflow"):
                    for access in outcome.run.accesses:
                        if access.path in model.racy:
                            mine = (outcome.thread, access.write, access.marked)
                            seen.setdefault(access.path, []).append(mine)
            for accesses in seen.values():
                for one in accesses:
                    for other in accesses:
                        if one[0] != other[0] and (one[1] or other[1]) and not (one[2] and other[2]):
                            self.violated("no_data_race", depth)

    def step(self, state: State, outcome: Outcome, depth: int) -> State | None:
        """What one step shows; the state behind it."""
        if outcome.how in ("blocked", "empty"):
            return None
        for name in outcome.run.covers:
            if name in self.result.covers:
                self.covered(name, depth + 1)
        self.edges.update(outcome.run.edges)
        if outcome.how == "overflow":
            self.result.overflow = True
        elif outcome.how == "fault":
            self.violated(outcome.check, depth + 1)
        if outcome.after is None:
            return None
        steps = [p for p in self.built.properties if p.step]
        if steps:
            context = self.built.context(outcome.after)
            context.old = self.built.context(state)
            context.actor = outcome.thread
            context.old.actor = outcome.thread
            for claim in steps:
                if not holds(claim, context):
                    self.violated(claim.name, depth + 1)
        return outcome.after


def holds(claim: Property, context: Context) -> bool:
    """Whether a property holds; one that can't be evaluated does not."""
    try:
        return bool(claim.condition.get(context))
    except v.Fault:
        return False


def met(goal: Property, context: Context) -> bool:
    """Whether a cover's predicate is true; one that can't be evaluated is not."""
    try:
        return bool(goal.condition.get(context))
    except v.Fault:
        return False


def cyclic(edges: set[Edge]) -> bool:
    """Whether "held while taking" has a cycle."""
    after: dict[v.Path, set[v.Path]] = {}
    for a, b in edges:
        after.setdefault(a, set()).add(b)
    for start in after:
        seen: set[v.Path] = set()
        waiting = list(after[start])
        while waiting:
            node = waiting.pop()
            if node == start:
                return True
            if node not in seen:
                seen.add(node)
                waiting.extend(after.get(node, ()))
    return False
