# SPDX-License-Identifier: GPL-2.0-only
"""Which lock instance was held while which was taken: a graph that should have no cycle."""

from __future__ import annotations

from kvmcheck.source.text import Span

Edge = tuple[int, int, Span]


class LockGraph:
    """The edges (held slot, taken slot), each with the first statement that made it."""

    def __init__(self) -> None:
        self._edges: dict[int, dict[int, Span]] = {}

    def add(self, held: int, taken: int, span: Span) -> tuple[Edge, ...] | None:
        """Add an edge; the cycle that it closes, itself last, or None.  Known edges close nothing anew."""
        beside = self._edges.setdefault(held, {})
        if taken in beside:
            return None
        beside[taken] = span
        back = self._way(taken, held)
        return None if back is None else (*back, (held, taken, span))

    def _way(self, start: int, goal: int) -> tuple[Edge, ...] | None:
        """The shortest way along the edges."""
        ways: dict[int, tuple[Edge, ...]] = {start: ()}
        waiting = [start]
        for slot in waiting:
            if slot == goal:
                return ways[slot]
            for taken, span in self._edges.get(slot, {}).items():
                if taken not in ways:
                    ways[taken] = (*ways[slot], (slot, taken, span))
                    waiting.append(taken)
        return None
