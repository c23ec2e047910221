# SPDX-License-Identifier: GPL-2.0-only
"""The steps of a trace as events, and which of them happen before which.

Two steps conflict if they touch the same element, of locks and ghosts too, and one of them writes it.  A step happens
before another if it is the earlier one of the same thread, or of a conflicting pair, or by way of others.  Every
linearisation of that order is a run of the program that ends in the same state: neighbours that do not conflict
commute.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from kvmcheck.semantics.witness import Step, Touch, Trace


@dataclass(frozen=True, slots=True)
class EventName:
    """Which event it is in any run: the `occurrence`th time (from 0) that a thread does what stands at a node."""

    thread: int
    handler: bool
    node: int
    occurrence: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two events by position, the earlier one first, of different threads."""

    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Events:
    """The events of a trace.  `before[e]`: those that happen before event e, as a mask of positions."""

    steps: tuple[Step, ...]
    names: tuple[EventName, ...]
    before: tuple[int, ...]

    def ordered(self, first: int, second: int) -> bool:
        """Whether one happens before the other."""
        return bool(self.before[second] >> first & 1)

    def conflict(self, first: int, second: int) -> list[tuple[int, int]]:
        """The elements on which two events conflict."""
        return conflicts(self.steps[first].footprint, self.steps[second].footprint)

    def candidates(self) -> list[Pair]:
        """The conflicts between threads that no others imply: the transitive reduction, without program order."""
        found: list[Pair] = []
        for second, step in enumerate(self.steps):
            for first in range(second):
                if self.steps[first].thread == step.thread or not self.conflict(first, second):
                    continue
                between = self.before[second] & ~((1 << (first + 1)) - 1)
                if not any(between >> k & 1 and self.ordered(first, k) for k in range(first + 1, second)):
                    found.append(Pair(first, second))
        return found


def conflicts(one: tuple[Touch, ...], other: tuple[Touch, ...]) -> list[tuple[int, int]]:
    """The elements that both touch and one of them writes."""
    touched = {(variable, element): write for variable, element, write in one}
    return [
        (variable, element)
        for variable, element, write in other
        if (variable, element) in touched and (write or touched[variable, element])
    ]


def events_of(trace: Trace) -> Events:
    """The events of a trace, with what happens before each."""
    names: list[EventName] = []
    seen: Counter[tuple[int, bool, int]] = Counter()
    before: list[int] = []
    for position, step in enumerate(trace.steps):
        key = (step.thread, step.handler, step.node)
        names.append(EventName(*key, seen[key]))
        seen[key] += 1
        mask = 0
        for earlier in range(position):
            other = trace.steps[earlier]
            if other.thread == step.thread or conflicts(other.footprint, step.footprint):
                mask |= before[earlier] | 1 << earlier
        before.append(mask)
    return Events(trace.steps, tuple(names), tuple(before))
