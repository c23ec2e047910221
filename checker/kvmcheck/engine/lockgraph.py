# SPDX-License-Identifier: GPL-2.0-only
"""Which lock instance was held while which was taken: a graph that should have no cycle."""

from __future__ import annotations

from collections.abc import Iterable

from kvmcheck.source.text import Span

Edge = tuple[int, int, Span]


class LockGraph:
    """The edges (held slot, taken slot), each with the first statement that made it."""

    def __init__(self) -> None:
        self._edges: dict[int, dict[int, Span]] = {}

    def add(
        self, held: int, taken: int, span: Span, images: Iterable[tuple[int, int]]
    ) -> tuple[Edge, ...] | None:
        """Add an edge; the cycle that it closes, itself last, or None.  Known edges close nothing anew.

        `images`: the edges that symmetry makes of it, itself among them: they are in some state, so all are added.
        """
        if taken in self._edges.get(held, ()):
            return None
        for a, b in images:
            self._edges.setdefault(a, {})[b] = span
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
