# SPDX-License-Identifier: GPL-2.0-only
"""An order with the fewest context switches keeps what happens before what, and is exact where it says so."""

from __future__ import annotations

from itertools import permutations

import pytest

from kvmcheck.semantics.state import State
from kvmcheck.semantics.witness import Step, Touch, Trace
from kvmcheck.why.events import events_of
from kvmcheck.why.linear import fewest_switches, switches

NOWHERE = State((), ())

#: Traces as (thread, variable, written).
TRACES: list[list[tuple[int, int, bool]]] = [
    [(0, 0, True), (1, 1, True), (0, 2, True), (1, 3, True)],
    [(0, 0, True), (1, 0, True), (0, 0, False), (1, 4, True)],
    [(0, 0, True), (1, 1, True), (2, 2, True), (0, 1, False), (1, 2, False), (2, 0, False)],
    [(0, 0, False), (1, 0, False), (0, 1, True), (1, 1, False), (2, 0, True), (0, 5, True)],
]


def trace_of(touches: list[tuple[int, int, bool]]) -> Trace:
    """A trace whose steps touch one variable each."""
    steps = []
    for number, (thread, variable, write) in enumerate(touches):
        footprint: tuple[Touch, ...] = ((variable, 0, write),)
        steps.append(Step(thread, False, (number,), number, NOWHERE, footprint=footprint))
    return Trace(NOWHERE, tuple(steps), None)


@pytest.mark.parametrize("touches", TRACES)
def test_no_order_that_keeps_the_conflicts_has_fewer_switches(touches: list[tuple[int, int, bool]]) -> None:
    events = events_of(trace_of(touches))
    count = len(touches)
    fewest = min(
        switches([touches[e][0] for e in order])
        for order in permutations(range(count))
        if order[-1] == count - 1
        and all(
            order.index(a) < order.index(b) for b in range(count) for a in range(b) if events.ordered(a, b)
        )
    )
    order = fewest_switches(events)

    assert order.exact
    assert switches([touches[e][0] for e in order.positions]) == fewest
    assert sorted(order.positions) == list(range(count))
    assert order.positions[-1] == count - 1


def test_a_conflict_that_others_imply_is_no_candidate() -> None:
    # 0 writes x, then y; 1 reads y, then x: the order on x follows from that on y.
    events = events_of(trace_of([(0, 0, True), (0, 1, True), (1, 1, False), (1, 0, False)]))

    assert [(pair.first, pair.second) for pair in events.candidates()] == [(1, 2)]
