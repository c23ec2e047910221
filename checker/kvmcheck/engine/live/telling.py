# SPDX-License-Identifier: GPL-2.0-only
"""A lasso as a trace: run by the plain evaluator, with what is said of it.

NOTE(replay) in engine/replay.py holds here too: if the evaluator can't follow, nothing is told.
"""

from __future__ import annotations

from kvmcheck.engine.layout import Packed
from kvmcheck.engine.live.graph import StateGraph
from kvmcheck.engine.live.lasso import Lasso
from kvmcheck.errors import InternalError
from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.outcome import Ending, Outcome
from kvmcheck.semantics.program import Live
from kvmcheck.semantics.state import State
from kvmcheck.semantics.witness import Step, Trace, Violation


def trace_of(graph: StateGraph, live: Live, thread: int | None, lasso: Lasso, pending: int) -> Trace:
    """The trace of a lasso; `thread`: whose call does not return; `InternalError` if the evaluator can't follow."""
    evaluator = Evaluator(graph.layout.program)
    initial = _initial(graph, evaluator, graph.order[lasso.states[0]])
    state, steps = initial, []
    for edge in lasso.edges:
        outcome = _outcome(graph, evaluator, state, edge)
        steps.append(outcome)
        state = outcome.after
    taken: list[Step] = [outcome.as_step() for outcome in steps]
    return Trace(
        initial,
        tuple(taken),
        Violation(live.name, _said(graph, live, thread, lasso), live.span),
        loop=lasso.loop,
        pending=pending,
    )


def _initial(graph: StateGraph, evaluator: Evaluator, packed: Packed) -> State:
    for outcome in evaluator.initial_states():
        if outcome.ending is Ending.DONE and graph.layout.pack(outcome.after) == packed:
            return outcome.after
    raise InternalError("a run without an end begins in a state that is no initial state")


def _outcome(graph: StateGraph, evaluator: Evaluator, state: State, edge: int) -> Outcome:
    target = graph.order[graph.targets[edge]]
    thread, handler = divmod(graph.actors[edge], 2)
    for outcome in evaluator.ways(state, thread):
        fits = outcome.ending is Ending.DONE and outcome.handler == bool(handler)
        if fits and graph.layout.pack(outcome.after) == target:
            return outcome
    raise InternalError("the evaluator knows nothing of a step in a run without an end")


def _said(graph: StateGraph, live: Live, thread: int | None, lasso: Lasso) -> str:
    """What does not come about."""
    program = graph.layout.program
    if thread is not None:
        what = f"`{live.function}` of `{program.threads[thread].name}` never returns"
    elif live.trigger is not None:
        what = "what it leads to never comes"
    else:
        what = "from some point on it is never true again"
    if lasso.stays:
        return f"{what}: nobody who must go on can take a step"
    length = len(lasso.states) - lasso.loop
    times = "step repeats" if length == 1 else f"{length} steps repeat"
    return f"{what}: the last {times} for ever"
