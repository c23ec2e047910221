# SPDX-License-Identifier: GPL-2.0-only
"""The verdicts on a program's liveness properties.

A property is violated by a run that comes to a state where something is due, and then to a fair cycle, on whose way
and on which it does not come about.  Small graphs are judged here, large ones by live.c, as soon as it is built.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import islice, pairwise
from time import monotonic

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import INTERRUPTED, SATISFIED
from kvmcheck.engine.live.claims import Due, Failed, allowed, dues
from kvmcheck.engine.live.components import Component, Cycles
from kvmcheck.engine.live.fairness import Fair
from kvmcheck.engine.live.graph import StateGraph, explored
from kvmcheck.engine.live.lasso import Around
from kvmcheck.engine.live.telling import Run, trace_of
from kvmcheck.engine.result import Result
from kvmcheck.semantics.program import Live, Program
from kvmcheck.semantics.verdict import PropertyResult, Verdict

#: Who computes the verdicts on a program's liveness properties within a budget: they, and over how many states.
Judge = Callable[[Program, Budget], tuple[tuple[PropertyResult, ...], int]]

#: Of so many fair components the one that is reached soonest is told.
MOST_COMPONENTS = 64

#: Why a property is UNKNOWN whose condition has no value in some state.
FAILED = "its condition reads what is not there in some state"


def with_lives(result: Result, budget: Budget, judge: Judge | None) -> Result:
    """The result with the verdicts on the program's liveness properties, if it has any.

    They have the budget's states for themselves, and what is left of its time.  A search that was ended before it saw
    everything leaves them UNKNOWN: it found what was looked for, or had no time left.  So does one without a judge.
    """
    program, coverage = result.program, result.coverage
    if not program.lives:
        return result
    why = ""
    if coverage.stopped in (SATISFIED, INTERRUPTED):
        why = coverage.stopped
    elif budget.depth is not None:
        why = f"runs without an end are not looked for within {budget.depth} steps"
    elif judge is None:
        why = "runs without an end are not looked for with --compact"
    if why or judge is None:
        unknown = tuple(PropertyResult(live.name, Verdict.UNKNOWN, reason=why) for live in program.lives)
        return replace(result, properties=(*result.properties, *unknown))
    if budget.seconds is not None:
        budget = replace(budget, seconds=max(0.001, budget.seconds - coverage.seconds))
    began = monotonic()
    lives, states = judge(program, budget)
    coverage = replace(coverage, seconds=coverage.seconds + monotonic() - began, live_states=states)
    return replace(result, properties=(*result.properties, *lives), coverage=coverage)


def judged(program: Program, budget: Budget) -> tuple[tuple[PropertyResult, ...], int]:
    """The verdicts on the liveness properties, and over how many states."""
    graph = explored(program, budget)
    return tuple(_judged(graph, number) for number in range(len(program.lives))), len(graph.order)


def _judged(graph: StateGraph, number: int) -> PropertyResult:
    live = graph.layout.program.lives[number]
    cycles = Cycles(graph, Fair(graph.layout, live.fairness), allowed(graph, live))
    due_somewhere = False
    try:
        for due in dues(graph, number):
            pending = Pending(graph, due)
            due_somewhere = due_somewhere or bool(pending.states)
            run = _run(graph, pending, cycles)
            if run is not None:
                return PropertyResult(
                    live.name, Verdict.VIOLATED, (trace_of(graph.layout, live, due.thread, run),)
                )
    except Failed:
        return PropertyResult(live.name, Verdict.UNKNOWN, reason=FAILED)
    return without_run(live, graph.stopped, due_somewhere=due_somewhere)


def without_run(live: Live, stopped: str, *, due_somewhere: bool) -> PropertyResult:
    """The verdict where no run breaks the property; `stopped`: why the graph is not whole."""
    if stopped:
        return PropertyResult(live.name, Verdict.UNKNOWN, reason=stopped)
    return PropertyResult(live.name, Verdict.HOLDS, vacuous=() if due_somewhere else (_never_due(live),))


def _never_due(live: Live) -> str:
    """What never happened, as the subject of `… is never true`."""
    if live.function:
        return f"that a call of {live.function} is under way"
    if live.trigger is not None:
        return "that it begins while its goal is still to come"
    return "that its goal is still to come"


class Pending:
    """The states in which something is due and has not come about, each with how a run comes to it."""

    def __init__(self, graph: StateGraph, due: Due) -> None:
        self.graph = graph
        self.open = bytearray(len(graph.order))
        #: How each pending state is reached from where it began to be due; -1: there.
        self.states: dict[int, int] = {}
        is_open = bytearray(bool(due.open(state)) for state in graph.order)
        waiting: deque[int] = deque()
        for number, packed in enumerate(graph.order):
            if is_open[number] and due.begins(packed):
                self.states[number] = -1
                waiting.append(number)
        while waiting:
            state = waiting.popleft()
            # Of a state that was not expanded nobody knows who can go on.
            self.open[state] = state < graph.expanded
            for edge in graph.edges(state):
                target = graph.targets[edge]
                if is_open[target] and target not in self.states:
                    self.states[target] = state
                    waiting.append(target)

    def path_to(self, state: int) -> list[int]:
        """The states of a run to a pending state, on which it is due from some state on."""
        path = [state]
        while self.states[path[-1]] >= 0:
            path.append(self.states[path[-1]])
        path.reverse()
        return self.graph.path_to(path[0])[:-1] + path

    def begin_of(self, path: list[int]) -> int:
        """From which state of a path on it is due all the way."""
        position = len(path) - 1
        while position > 0 and self.open[path[position - 1]]:
            position -= 1
        return position


def _run(graph: StateGraph, pending: Pending, cycles: Cycles) -> Run | None:
    """A run that stays pending for ever; the one whose loop is reached soonest, among the first few."""
    best: tuple[list[int], Component] | None = None
    for component in islice(cycles.fair_components(pending.open), MOST_COMPONENTS):
        start = min(component.states)  # numbered level by level: the first one is reached soonest
        path = pending.path_to(start)
        if best is None or len(path) < len(best[0]):
            best = (path, component)
    if best is None:
        return None
    path, component = best
    loop = Around(cycles, component).loop_from(path[-1])
    way = [_edge_between(graph, a, b) for a, b in pairwise(path)]
    return Run(
        tuple(graph.order[state] for state in (*path, *(graph.targets[edge] for edge in loop[:-1]))),
        tuple(graph.actors[edge] for edge in (*way, *loop)),
        len(path) - 1,
        pending.begin_of(path),
    )


def _edge_between(graph: StateGraph, state: int, target: int) -> int:
    return next(edge for edge in graph.edges(state) if graph.targets[edge] == target)
