# SPDX-License-Identifier: GPL-2.0-only
"""Which runs are fair: who has to go on, and where being free again and again is enough.

The actors are each thread's main body and its interrupt handler.  An actor is treated weakly fairly if it does not stay
enabled for ever without a step, strongly if it is not enabled again and again without one.  Daemons and hardware may
stop at any time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kvmcheck.engine.layout import BodyLayout, Layout, Packed
from kvmcheck.engine.live.graph import actor_of
from kvmcheck.semantics.program import VISIBLE, Acquire, Body, End, Fairness


@dataclass(frozen=True, slots=True)
class Actor:
    """An actor that has to go on: its bit, its body, the slot of its location, and where it is treated strongly fairly.

    A handler that does not run has no location.
    """

    bit: int
    part: BodyLayout
    slot: int
    strong: frozenset[int]
    strong_at_rest: bool


class Fair:
    """The fairness that a liveness property asks for; `all`: the bits of the actors that have to go on."""

    def __init__(self, layout: Layout, fairness: Fairness) -> None:
        self.actors = tuple(_actors(layout, fairness))
        self.all = sum(actor.bit for actor in self.actors)

    def strongly(self, state: Packed) -> int:
        """The bits of the actors that stand in a state where being enabled again and again is enough."""
        bits = 0
        for actor in self.actors:
            position = state[actor.slot]
            strong = position in actor.strong if isinstance(position, int) else actor.strong_at_rest
            bits |= actor.bit if strong else 0
        return bits


def _actors(layout: Layout, fairness: Fairness) -> Iterator[Actor]:
    for number, thread in enumerate(layout.program.threads):
        process = layout.program.processes[thread.process]
        if process.daemon or process.hardware:
            continue
        slots = layout.processes[thread.process]
        parts: tuple[tuple[BodyLayout | None, bool], ...] = ((slots.main, False), (slots.handler, True))
        for part, handler in parts:
            if part is not None:
                yield Actor(
                    1 << actor_of(number, handler=handler),
                    part,
                    layout.base[number] + part.pc,
                    _strong_locations(part.body, fairness),
                    handler and fairness is Fairness.STRONG,
                )


def _strong_locations(body: Body, fairness: Fairness) -> frozenset[int]:
    """The locations of a body at which it is treated strongly fairly."""
    match fairness:
        case Fairness.WEAK:
            return frozenset()
        case Fairness.STRONG:
            return frozenset(range(len(body.nodes)))
        case Fairness.USUAL:
            return frozenset(number for number in range(len(body.nodes)) if _waits_for_a_lock(body, number))


def _waits_for_a_lock(body: Body, number: int) -> bool:
    """Whether every step that begins at a location takes a lock, and waits until it can."""
    waiting, seen, locks = [number], {number}, False
    while waiting:
        node = body.nodes[waiting.pop()]
        operation = node.operation
        if isinstance(operation, (*VISIBLE, End)):
            if not isinstance(operation, Acquire) or operation.target is not None:
                return False
            locks = True
            continue
        new = [following for following in node.successors if following not in seen]
        seen.update(new)
        waiting += new
    return locks
