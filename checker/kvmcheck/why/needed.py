# SPDX-License-Identifier: GPL-2.0-only
"""A failing run in its simplest order, and which orderings it needs: `explained`."""

from __future__ import annotations

from kvmcheck.explain.orderings import Why
from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.program import Check, Program
from kvmcheck.semantics.witness import Trace
from kvmcheck.why.events import Events, events_of
from kvmcheck.why.linear import fewest_switches, rearranged, switches
from kvmcheck.why.naming import ordering
from kvmcheck.why.turned import FURTHER, MOST_STEPS, Need, Steps, Turned, Turning

#: What these say is about the steps that could come next, or about several runs: no single run breaks it.
_NOT_OF_A_RUN = frozenset({Check.NO_DATA_RACE.value, Check.LOCK_ORDER.value})
#: More orderings than this are not tried, the later ones first.
_MOST_ORDERINGS = 40


def explained(program: Program, trace: Trace, *, dead_locals: bool) -> tuple[Trace, Why | None]:
    """The trace with the fewest context switches, and why it fails; None where that is not about orderings."""
    if trace.violation is None or trace.violation.overflow or not trace.steps or trace.loop is not None:
        return trace, None
    evaluator = Evaluator(program, dead_locals=dead_locals)
    events = events_of(trace)
    order = fewest_switches(events)
    count = switches([step.thread for step in trace.steps])
    exact = order.exact
    if switches([trace.steps[position].thread for position in order.positions]) < count:
        better = rearranged(program, trace, events, order, evaluator)
        exact = exact and better is not None
        if better is not None:
            trace, events = better, events_of(better)
            count = switches([step.thread for step in trace.steps])
    if trace.violation is None or trace.violation.property in _NOT_OF_A_RUN:
        return trace, None
    known = _turned(program, trace, events, Steps(evaluator))
    told = tuple(ordering(program, events, turned) for turned in known)
    return trace, Why(told, FURTHER, MOST_STEPS, count, exact)


def _turned(program: Program, trace: Trace, events: Events, steps: Steps) -> list[Turned]:
    """What is known of each ordering, in the order of the trace."""
    candidates = events.candidates()
    turning = Turning(program, trace, events, steps)
    return [
        turning.turned(candidates, pair) if n < _MOST_ORDERINGS else Turned(pair, Need.UNDECIDED)
        for n, pair in enumerate(candidates)
    ]
