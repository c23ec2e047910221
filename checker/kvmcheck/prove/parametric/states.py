# SPDX-License-Identifier: GPL-2.0-only
"""A state as formulas look at it: the one before a step, or that one with what a step has written over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from kvmcheck.prove.parametric.terms import FALSE, TRUE, Term, Var, both, choice, equal, substitute
from kvmcheck.prove.parametric.values import (
    Leaf,
    Members,
    Symbolic,
    built,
    chosen,
    fitted,
    leaf_call,
    parts,
    plain_part,
    smt_sort,
)
from kvmcheck.prove.parametric.world import World


class State(Protocol):
    """What a formula may ask of a state."""

    def read(self, number: int, indices: tuple[Term, ...]) -> Symbolic:
        """An element of a variable."""

    def local(self, process: int, local: int, thread: tuple[Term, ...]) -> Symbolic:
        """A local of a thread."""

    def at(self, process: int, nodes: frozenset[int], thread: tuple[Term, ...]) -> Term:
        """Whether a thread is at one of these places."""


@dataclass(frozen=True, slots=True)
class Write:
    """A part of a variable is written: `value` for all indices that satisfy the condition (both over `indices`)."""

    indices: tuple[Var, ...]
    condition: Term
    value: Term | Members

    def given(self, indices: tuple[Term, ...]) -> tuple[Term, Term | Members]:
        """The condition and the value for certain indices."""
        values: Mapping[Var, Term] = dict(zip(self.indices, indices, strict=True))
        value = self.value
        if isinstance(value, Members):
            return substitute(self.condition, values), Members(value.variable, substitute(value.body, values))
        return substitute(self.condition, values), substitute(value, values)


@dataclass(slots=True)
class Memory:
    """The variables while a step is under way: what they held before, and what has been written, in order."""

    world: World
    writes: dict[tuple[int, int], tuple[Write, ...]] = field(default_factory=dict)

    def copy(self) -> Memory:
        """A memory that can go another way."""
        return Memory(self.world, dict(self.writes))

    def read(self, number: int, indices: tuple[Term, ...]) -> Symbolic:
        """An element as it is now."""
        symbol = self.world.variable_symbol(number)
        position = -1

        def part(leaf: Leaf) -> Term | Members:
            nonlocal position
            position += 1
            value: Term | Members = leaf_call(symbol, leaf, indices)
            for write in self.writes.get((number, position), ()):
                condition, new = write.given(indices)
                value = plain_part(chosen(condition, new, value))
            return value

        return built(self.world.program.variables[number].sort, part)

    def store(self, number: int, indices: tuple[Term, ...], value: Symbolic) -> None:
        """Write an element.  A part that holds this already is not written."""
        variable = self.world.program.variables[number]
        formal = self.formal(number)
        condition = both(*(equal(f, i) for f, i in zip(formal, indices, strict=True)))
        old = parts(self.read(number, indices))
        for position, part in enumerate(parts(fitted(value, variable.sort))):
            if part != old[position]:
                self.add(number, position, Write(formal, condition, part))

    def add(self, number: int, position: int, write: Write) -> None:
        """Write a part of a variable, for many indices at once maybe."""
        key = (number, position)
        self.writes[key] = (*self.writes.get(key, ()), write)

    def formal(self, number: int) -> tuple[Var, ...]:
        """The variables that stand for the indices of a write."""
        dimensions = self.world.program.variables[number].dimensions
        return tuple(Var(f"index.{n}", smt_sort(sort)) for n, sort in enumerate(dimensions))


@dataclass(frozen=True, slots=True)
class After:
    """The state behind a step of one thread."""

    world: World
    memory: Memory
    process: int
    thread: tuple[Term, ...]
    start: int
    end: int
    locals: Mapping[int, Symbolic]

    def read(self, number: int, indices: tuple[Term, ...]) -> Symbolic:
        """An element of a variable."""
        return self.memory.read(number, indices)

    def local(self, process: int, local: int, thread: tuple[Term, ...]) -> Symbolic:
        """A local of a thread; what a step has cleared nobody looks at, so it may keep its value."""
        before = self.world.local(process, local, thread)
        if process != self.process or local not in self.locals:
            return before
        return chosen(self.same(thread), self.locals[local], before)

    def at(self, process: int, nodes: frozenset[int], thread: tuple[Term, ...]) -> Term:
        """Whether a thread is at one of these places."""
        before = self.world.at(process, nodes, thread)
        if process != self.process or (self.start in nodes) == (self.end in nodes):
            return before
        return choice(self.same(thread), TRUE if self.end in nodes else FALSE, before)

    def same(self, thread: tuple[Term, ...]) -> Term:
        """Whether this is the thread that stepped."""
        return both(*(equal(a, b) for a, b in zip(thread, self.thread, strict=True)))
