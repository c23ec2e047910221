# SPDX-License-Identifier: GPL-2.0-only
"""When a search may stop before it has seen everything, and what it says while it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StopPolicy:
    """Stop as soon as `first` anything is violated, or all of the `wanted` properties are (none wanted: never)."""

    wanted: frozenset[str] = frozenset()
    first: bool = False

    def satisfied_by(self, violated: frozenset[str]) -> bool:
        """Whether a search that found these violated may stop."""
        return (self.first and bool(violated)) or (bool(self.wanted) and self.wanted <= violated)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search is.

    `rate` in states per second, `depth` of the states being expanded, `queue` of states left to expand.
    """

    states: int
    transitions: int
    rate: float
    depth: int
    queue: int
    seconds: float
