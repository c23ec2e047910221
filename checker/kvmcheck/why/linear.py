# SPDX-License-Identifier: GPL-2.0-only
"""The linearisation of a trace with the fewest context switches.

Exact up to `MOST_CUTS` sets of events that can come first; beyond that each thread runs as long as it can.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.program import Program, Property, PropertyKind
from kvmcheck.semantics.witness import Step, Trace
from kvmcheck.why.events import Events

#: So many sets of events that can come first are looked at.
MOST_CUTS = 50_000


@dataclass(frozen=True, slots=True)
class Order:
    """Events in an order, by position; `exact`: no other order that is possible has fewer context switches."""

    positions: tuple[int, ...]
    exact: bool


def switches(threads: list[int]) -> int:
    """How often another thread goes on."""
    return sum(one != other for one, other in pairwise(threads))


def fewest_switches(events: Events) -> Order:
    """The order of all events, the last one last, with the fewest context switches; of several the first found."""
    count = len(events.steps)
    if count == 0:
        return Order((), True)
    threads = list(dict.fromkeys(step.thread for step in events.steps))
    own = [[e for e, step in enumerate(events.steps) if step.thread == thread] for thread in threads]
    masks = [_mask(part) for part in own]
    last = count - 1
    before = [*events.before[:last], (1 << last) - 1]
    needs = [[(before[e] & mask).bit_count() for mask in masks] for e in range(count)]

    def may(cut: tuple[int, ...], lane: int) -> bool:
        if cut[lane] == len(own[lane]):
            return False
        return all(done >= need for done, need in zip(cut, needs[own[lane][cut[lane]]], strict=True))

    start = (0,) * len(threads)
    whole = tuple(len(part) for part in own)
    came: dict[tuple[tuple[int, ...], int], tuple[tuple[int, ...], int] | None] = {(start, -1): None}
    cost = {(start, -1): 0}
    waiting = deque([(start, -1)])
    done: set[tuple[tuple[int, ...], int]] = set()
    while waiting:
        here = waiting.popleft()
        if here in done:
            continue
        done.add(here)
        cut, running = here
        if cut == whole:
            return Order(_path(here, came, own), True)
        if len(done) > MOST_CUTS:
            break
        lanes = sorted(
            (lane for lane in range(len(threads)) if may(cut, lane)), key=lambda lane: own[lane][cut[lane]]
        )
        same = [lane for lane in lanes if lane == running]
        for lane in [*same, *(lane for lane in lanes if lane != running)]:
            further = (tuple(n + (k == lane) for k, n in enumerate(cut)), lane)
            extra = 0 if lane == running or running < 0 else 1
            if cost[here] + extra < cost.get(further, 1 << 30):
                cost[further] = cost[here] + extra
                came[further] = here
                (waiting.append if extra else waiting.appendleft)(further)
    return Order(_greedy(events, before), False)


def _mask(positions: list[int]) -> int:
    return sum(1 << position for position in positions)


def _path(
    end: tuple[tuple[int, ...], int],
    came: dict[tuple[tuple[int, ...], int], tuple[tuple[int, ...], int] | None],
    own: list[list[int]],
) -> tuple[int, ...]:
    positions: list[int] = []
    here = end
    while (previous := came[here]) is not None:
        lane = here[1]
        positions.append(own[lane][previous[0][lane]])
        here = previous
    return tuple(reversed(positions))


def _greedy(events: Events, before: list[int]) -> tuple[int, ...]:
    """Each thread runs on until something has to happen before."""
    left = list(range(len(events.steps)))
    done = 0
    order: list[int] = []
    running = -1
    while left:
        free = [e for e in left if not before[e] & ~done]
        mine = [e for e in free if events.steps[e].thread == running]
        chosen = (mine or free)[0]
        running = events.steps[chosen].thread
        order.append(chosen)
        done |= 1 << chosen
        left.remove(chosen)
    return tuple(order)


def rearranged(
    program: Program, trace: Trace, events: Events, order: Order, evaluator: Evaluator
) -> Trace | None:
    """The trace in another order, run again by the evaluator; None if it does not come to the same end.

    An invariant may be false earlier in that order: then the trace ends there.
    """
    claim = None
    if trace.violation is not None:
        claims = {claim.name: claim for claim in program.properties}
        claim = claims.get(trace.violation.property)
    state = trace.initial
    steps: list[Step] = []
    for position in order.positions:
        wanted = events.steps[position]
        outcome = next(
            (
                found
                for found in evaluator.ways(state, wanted.thread)
                if found.is_step
                and (found.nodes, found.chosen, found.handler)
                == (wanted.nodes, wanted.chosen, wanted.handler)
            ),
            None,
        )
        if outcome is None:
            return None
        steps.append(outcome.as_step())
        state = outcome.after
        if len(steps) < len(order.positions) and _is_false(claim, evaluator, steps[-1]):
            return Trace(trace.initial, tuple(steps), trace.violation)
    if steps and state != trace.steps[-1].after:
        return None
    return Trace(trace.initial, tuple(steps), trace.violation)


def _is_false(claim: Property | None, evaluator: Evaluator, step: Step) -> bool:
    if claim is None or claim.kind is not PropertyKind.INVARIANT:
        return False
    return evaluator.broken_by(claim, None, step.after, None) is not None
