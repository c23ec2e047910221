# SPDX-License-Identifier: GPL-2.0-only
"""One way that a thread can go on from a state: what it did, what it met, how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kvmcheck.semantics.sorts import Value
from kvmcheck.semantics.state import State
from kvmcheck.semantics.witness import Step, Touch, Violation


class Ending(Enum):
    """How a run of operations ended.  Only DONE and BROKEN are steps; only DONE has a successor."""

    DONE = "done"
    BROKEN = "broken"
    BLOCKED = "blocked"  # by a lock or an `await`
    EMPTY = "empty"  # by a choice without a member, or in `init` by an assumption


@dataclass(frozen=True, slots=True)
class Access:
    """An access to an element (row-major position) of a shared variable, for races."""

    variable: int
    element: int
    write: bool
    marked: bool
    race: bool
    node: int


@dataclass(frozen=True, slots=True)
class LockEdge:
    """A lock instance held while another is taken, at a node."""

    held: tuple[int, int]
    taken: tuple[int, int]
    node: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run from a state: see `witness.Step` for `nodes`, `node`, `after`, `chosen` and `footprint`.

    `empty`: the choices that had no member.  `named`: see `witness.Step`.
    """

    thread: int
    handler: bool
    ending: Ending
    nodes: tuple[int, ...]
    node: int
    after: State
    violation: Violation | None = None
    accesses: tuple[Access, ...] = ()
    edges: tuple[LockEdge, ...] = ()
    covers: tuple[str, ...] = ()
    empty: tuple[int, ...] = ()
    named: tuple[tuple[int, Value], ...] = ()
    chosen: tuple[tuple[int, Value], ...] = ()
    footprint: tuple[Touch, ...] = ()

    @property
    def is_step(self) -> bool:
        """Whether this is a step at all."""
        return self.ending in (Ending.DONE, Ending.BROKEN)

    def as_step(self) -> Step:
        """The same as a step of a trace."""
        touched = next(((a.variable, a.element) for a in self.accesses if a.node == self.node), None)
        return Step(
            self.thread,
            self.handler,
            self.nodes,
            self.node,
            self.after,
            touched,
            self.named,
            self.chosen,
            self.footprint,
        )
