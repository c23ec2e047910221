# SPDX-License-Identifier: GPL-2.0-only
"""A lasso as a trace: run by the plain evaluator, with what is said of it.

NOTE(replay) in engine/replay.py holds here too: if the evaluator can't follow, nothing is told.
"""

from __future__ import annotations

from dataclasses import dataclass

from kvmcheck.engine.layout import Layout, Packed
from kvmcheck.errors import InternalError
from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.outcome import Ending, Outcome
from kvmcheck.semantics.program import Live
from kvmcheck.semantics.state import State
from kvmcheck.semantics.witness import Step, Trace, Violation


@dataclass(frozen=True, slots=True)
class Run:
    """A run without an end: its states, an initial one first, and who makes each step.

    `loop`: the position of the state to which the last step leads back; the run `stays` there if there is no such step.
    `pending`: from which state on something is due.
    """

    states: tuple[Packed, ...]
    actors: tuple[int, ...]
    loop: int
    pending: int

    @property
    def stays(self) -> bool:
        """Whether it ends in a state that it never leaves."""
        return len(self.states) == self.loop + 1 and len(self.actors) == self.loop


def trace_of(layout: Layout, live: Live, thread: int | None, run: Run) -> Trace:
    """The trace of a run; `thread`: whose call does not return; `InternalError` if the evaluator can't follow."""
    evaluator = Evaluator(layout.program)
    initial = _initial(layout, evaluator, run.states[0])
    state = initial
    steps: list[Step] = []
    for actor, target in zip(run.actors, (*run.states[1:], run.states[run.loop]), strict=False):
        outcome = _outcome(layout, evaluator, state, actor, target)
        steps.append(outcome.as_step())
        state = outcome.after
    broken = Violation(live.name, _said(layout, live, thread, run), live.span)
    return Trace(initial, tuple(steps), broken, loop=run.loop, pending=run.pending)


def _initial(layout: Layout, evaluator: Evaluator, packed: Packed) -> State:
    for outcome in evaluator.initial_states():
        if outcome.ending is Ending.DONE and layout.pack(outcome.after) == packed:
            return outcome.after
    raise InternalError("a run without an end begins in a state that is no initial state")


def _outcome(layout: Layout, evaluator: Evaluator, state: State, actor: int, target: Packed) -> Outcome:
    thread, handler = divmod(actor, 2)
    for outcome in evaluator.ways(state, thread):
        fits = outcome.ending is Ending.DONE and outcome.handler == bool(handler)
        if fits and layout.pack(outcome.after) == target:
            return outcome
    raise InternalError("the evaluator knows nothing of a step in a run without an end")


def _said(layout: Layout, live: Live, thread: int | None, run: Run) -> str:
    """What does not come about."""
    program = layout.program
    if thread is not None:
        what = f"`{live.function}` of `{program.threads[thread].name}` never returns"
    elif live.trigger is not None:
        what = "what it leads to never comes"
    else:
        what = "from some point on it is never true again"
    if run.stays:
        return f"{what}: nobody who must go on can take a step"
    length = len(run.actors) - run.loop
    times = "step repeats" if length == 1 else f"{length} steps repeat"
    return f"{what}: the last {times} for ever"
