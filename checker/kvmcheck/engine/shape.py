# SPDX-License-Identifier: GPL-2.0-only
"""Where the steps of a body begin and end: the graph of its operations, cut as semantics.md and the movers say.

Without movers a step is one visible operation; with them it is right movers, then at most one operation that does
not commute, then left movers, for the code and for each claim by itself (`engine.movers`).
"""

from __future__ import annotations

from typing import assert_never

from kvmcheck.engine.movers import CODE, BodyMovers, Mover
from kvmcheck.semantics.liveness import is_stop
from kvmcheck.semantics.program import (
    VISIBLE,
    Acquire,
    AtomicEnter,
    Await,
    Body,
    End,
    Load,
    Release,
    Store,
    Update,
)

#: A node, how far the step is (see `Shape.phase_behind`), and the atomic block that it is in.
Context = tuple[int, int, int | None]

#: The step has done nothing visible; or something that does not commute, or a left mover.  Any other phase is that
#: of right movers and operations that commute: `RIGHT_ONLY` and the claims that have seen one of them, as one int.
FRESH, COMMITTED, RIGHT_ONLY = 0, -1, CODE


class Shape:
    """The steps of one body; `stops`: the nodes at which a thread may be between two steps, its end left out."""

    def __init__(self, body: Body, movers: BodyMovers | None) -> None:
        self.body = body
        self.movers = movers
        self._waiting_groups = {
            node.group for node in body.nodes if isinstance(node.operation, (Await, Acquire))
        }
        self.stops = self._reachable_stops()

    def settled(self, number: int, phase: int, group: int | None) -> tuple[int | None, bool]:
        """The group at a node, and whether a step stops before it."""
        node = self.body.nodes[number]
        if group is not None and (node.group != group or isinstance(node.operation, AtomicEnter)):
            group = None
        stops = isinstance(node.operation, End) or (
            phase != FRESH and group is None and is_stop(node.operation) and not self._merges(number, phase)
        )
        return group, stops

    def _merges(self, number: int, phase: int) -> bool:
        """Whether a visible operation or choice belongs to a step that has done something already."""
        if self.movers is None or number in self.movers.stops:
            return False
        match self.movers.movers[number]:
            case Mover.BOTH | Mover.LEFT:
                # A claim that has seen something of this step must not see anything more.
                return not self.movers.seen[number] & phase
            case Mover.RIGHT:
                return False  # it may wait, and a step waits at its beginning only
            case Mover.NONE:
                return phase == RIGHT_ONLY and self._never_waits(number)
            case mover:
                assert_never(mover)

    def _never_waits(self, number: int) -> bool:
        """Whether an operation that does not commute is one that can always be done."""
        match self.body.nodes[number].operation:
            case Load() | Store() | Update() | Release():
                return True
            case AtomicEnter(group=group):
                return group not in self._waiting_groups
            case _:
                return False

    def phase_behind(self, number: int, phase: int) -> int:
        """How far the step is behind a visible operation."""
        if self.movers is None:
            return COMMITTED
        if phase == FRESH:
            phase = RIGHT_ONLY
            before = self.movers.seen_before.get(number, 0)
            if before & CODE:
                return COMMITTED
            phase |= before
        match self.movers.movers[number]:
            case Mover.BOTH | Mover.RIGHT:
                return phase | self.movers.seen[number]
            case Mover.LEFT | Mover.NONE:
                return COMMITTED
            case mover:
                assert_never(mover)

    def following(self, context: Context) -> list[Context]:
        """Where a step goes on behind a node; nowhere if it ends before it."""
        number, phase, group = context
        group, stops = self.settled(number, phase, group)
        if stops:
            return []
        node = self.body.nodes[number]
        if group is None and isinstance(node.operation, VISIBLE):
            phase = self.phase_behind(number, phase)
        if isinstance(node.operation, AtomicEnter):
            group = node.operation.group
        return [(successor, phase, group) for successor in node.successors]

    def _reachable_stops(self) -> list[int]:
        if isinstance(self.body.nodes[0].operation, End):
            return []
        found = {0}
        waiting = [0]
        while waiting:
            seen: set[Context] = set()
            todo: list[Context] = [(waiting.pop(), FRESH, None)]
            while todo:
                context = todo.pop()
                if context in seen:
                    continue
                seen.add(context)
                number, phase, group = context
                if self.settled(number, phase, group)[1]:
                    if number not in found and not isinstance(self.body.nodes[number].operation, End):
                        found.add(number)
                        waiting.append(number)
                else:
                    todo += self.following(context)
        return sorted(found)
