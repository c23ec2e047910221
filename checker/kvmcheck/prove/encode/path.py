# SPDX-License-Identifier: GPL-2.0-only
"""A thread's run under way, for all states in which it goes this way; and what a thread's steps come to."""

from __future__ import annotations

from dataclasses import dataclass, field

from kvmcheck.prove.encode.circuit import FALSE, Circuit, Literal
from kvmcheck.prove.encode.scene import LocalValue
from kvmcheck.prove.encode.terms import Term
from kvmcheck.prove.encode.vectors import Vector, Vectors
from kvmcheck.semantics.program import Check
from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class Bad:
    """A built-in check that fails in a step: where `literal` is true.  `overflow`: a bound was too small instead."""

    check: Check
    span: Span
    overflow: bool
    thread: int
    handler: bool
    literal: Literal


@dataclass(frozen=True, slots=True)
class Access:
    """An access that a step may make, for races: a slot, and where it is made."""

    slot: int
    write: bool
    marked: bool
    literal: Literal


@dataclass(slots=True)
class Path:
    """A run up to a node.  `guard`: where it comes there; `slots`: the cells' values that it changed."""

    guard: Literal
    locals: dict[int, LocalValue]
    slots: dict[int, Vector] = field(default_factory=dict)
    choices: int = 0
    names: int = 0

    def fork(self, guard: Literal) -> Path:
        """A copy that goes on elsewhere."""
        return Path(guard, dict(self.locals), dict(self.slots), self.choices, self.names)


@dataclass(slots=True)
class Stepped:
    """What a thread's steps come to, over all places where it may be.

    `guard`: where it takes a step that has a next state, `slots` being that; `began`: where a step began at all;
    `able`: where it can step, whatever is chosen; `waits`: where a way is blocked, whatever is chosen.
    """

    guard: Literal = FALSE
    slots: dict[int, Vector] = field(default_factory=dict)
    bads: list[Bad] = field(default_factory=list)
    accesses: list[Access] = field(default_factory=list)
    covers: list[tuple[str, Literal]] = field(default_factory=list)
    able: Literal = FALSE
    waits: Literal = FALSE


def merged(circuit: Circuit, vectors: Vectors, a: Path, b: Path, base: list[Vector]) -> Path:
    """Two runs that came to one node; their guards exclude each other."""
    here = a.guard
    slots: dict[int, Vector] = {}
    for slot in a.slots.keys() | b.slots.keys():
        slots[slot] = vectors.mux(here, a.slots.get(slot, base[slot]), b.slots.get(slot, base[slot]))
    locals_: dict[int, LocalValue] = {}
    for local in a.locals.keys() | b.locals.keys():
        left, right = a.locals.get(local), b.locals.get(local)
        if left is None or right is None:
            known = left or right
            assert known is not None
            only = here if right is None else here ^ 1
            locals_[local] = (circuit.both(known[0], only), known[1])
        else:
            term = Term(left[1].sort, vectors.mux(here, left[1].bits, right[1].bits))
            locals_[local] = (circuit.choice(here, left[0], right[0]), term)
    guard = circuit.either(a.guard, b.guard)
    return Path(guard, locals_, slots, max(a.choices, b.choices), max(a.names, b.names))
