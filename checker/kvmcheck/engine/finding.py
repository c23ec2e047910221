# SPDX-License-Identifier: GPL-2.0-only
"""What the explorer claims to have found, by number of state: believed once `replay` has rebuilt it."""

from __future__ import annotations

from dataclasses import dataclass

from kvmcheck.engine.layout import Packed
from kvmcheck.semantics.program import Check
from kvmcheck.semantics.witness import Trace
from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class BrokenInit:
    """A built-in check fails in the `init` block: there the evaluator itself was at work."""

    property: str
    trace: Trace


@dataclass(frozen=True, slots=True)
class BrokenState:
    """An invariant is false in a state."""

    property: str
    state: int


@dataclass(frozen=True, slots=True)
class BrokenTransition:
    """A step property is false of a step from a state to another (packed) one."""

    property: str
    state: int
    thread: int
    after: Packed


@dataclass(frozen=True, slots=True)
class BrokenStep:
    """A built-in check fails within a step from a state."""

    check: Check
    state: int
    thread: int
    handler: bool
    span: Span
    overflow: bool

    @property
    def property(self) -> str:
        """The check's name."""
        return self.check.value


@dataclass(frozen=True, slots=True)
class Deadlock:
    """Nobody can go on."""

    state: int

    @property
    def property(self) -> str:
        """The check's name."""
        return Check.NO_DEADLOCK.value


@dataclass(frozen=True, slots=True)
class Race:
    """Two threads' next accesses conflict."""

    state: int
    threads: tuple[int, int]
    slot: int

    @property
    def property(self) -> str:
        """The check's name."""
        return Check.NO_DATA_RACE.value


@dataclass(frozen=True, slots=True)
class LockCycle:
    """A step takes a lock and closes a cycle; the edges (held slot, taken slot, where), in order."""

    state: int
    thread: int
    edges: tuple[tuple[int, int, Span], ...]

    @property
    def property(self) -> str:
        """The check's name."""
        return Check.LOCK_ORDER.value


Finding = BrokenState | BrokenTransition | BrokenStep | Deadlock | Race | LockCycle
