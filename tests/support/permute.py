# SPDX-License-Identifier: GPL-2.0-only
"""A second, slow idea of what exchanging members does: to a decoded state, without any of the engine's tables."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from random import Random

from kvmcheck.semantics.numbering import SeqNumbering
from kvmcheck.semantics.program import Body, Program
from kvmcheck.semantics.sorts import (
    IdSort,
    ListSort,
    LockSort,
    ObjectPointerSort,
    OptionalSort,
    PlacePointerSort,
    SeqSort,
    SetSort,
    Sort,
    ThreadSort,
    UnionSort,
    Value,
    WordSort,
    member_count,
)
from kvmcheck.semantics.state import State, ThreadState


class Exchange:
    """Where each member of some sorts goes, and each thread."""

    def __init__(self, program: Program, members: Mapping[Sort, tuple[int, ...]], threads: list[int]) -> None:
        self.program, self.members = program, members
        self.threads = self._follow_parameters(threads)
        self.numbering = SeqNumbering(program)

    def _follow_parameters(self, alike: list[int]) -> list[int]:
        """The threads go where their parameters go, and before that like threads are exchanged."""
        found: list[int] = []
        for number, thread in enumerate(self.program.threads):
            process = self.program.processes[thread.process]
            wanted = tuple(
                self.members[sort][value] if sort in self.members else value  # type: ignore[index]
                for (_, sort), value in zip(process.parameters, thread.parameters, strict=True)
            )
            same = [
                n
                for n, other in enumerate(self.program.threads)
                if (other.process, other.parameters) == (thread.process, thread.parameters)
            ]
            place = sorted(same).index(alike[number])
            there = [
                n
                for n, other in enumerate(self.program.threads)
                if (other.process, other.parameters) == (thread.process, wanted)
            ]
            found.append(there[place])
        return found

    def state(self, state: State) -> State:
        """The state with everything exchanged."""
        values = []
        for number, variable in enumerate(self.program.variables):
            counts = [range(member_count(dimension)) for dimension in variable.dimensions]
            fresh = {}
            for indices, value in zip(product(*counts), state.values[number], strict=True):
                there = tuple(
                    self.index(dimension, index)
                    for dimension, index in zip(variable.dimensions, indices, strict=True)
                )
                fresh[there] = self.value(variable.sort, value)
            values.append(tuple(fresh[indices] for indices in product(*counts)))
        threads: list[ThreadState] = list(state.threads)
        for number, own in enumerate(state.threads):
            process = self.program.processes[self.program.threads[number].process]
            threads[self.threads[number]] = ThreadState(
                own.pc,
                self._locals(process.body, own.locals),
                own.handler_pc,
                () if process.interrupt is None else self._locals(process.interrupt, own.handler_locals),
                own.irq_depth,
            )
        return State(tuple(values), tuple(threads))

    def _locals(self, body: Body, values: tuple[Value, ...]) -> tuple[Value, ...]:
        return tuple(self.value(local.sort, value) for local, value in zip(body.locals, values, strict=False))

    def index(self, dimension: Sort, index: int) -> int:
        """Where an index goes."""
        moved = self.value(dimension, index)
        assert isinstance(moved, int)
        return moved

    def value(self, sort: Sort, value: Value) -> Value:
        """What a value becomes."""
        if value is None or isinstance(value, str):
            return value
        if isinstance(sort, (IdSort, ObjectPointerSort)) and sort in self.members:
            assert isinstance(value, int)
            return self.members[sort][value] if value >= 0 else ~self.members[sort][~value]
        if isinstance(sort, ThreadSort):
            assert isinstance(value, int)
            return self.threads[value]
        if isinstance(sort, OptionalSort):
            return self.value(sort.inner, value)
        if isinstance(sort, WordSort):
            assert isinstance(value, tuple)
            return tuple(self.value(part, v) for (_, part, _), v in zip(sort.fields, value, strict=True))
        if isinstance(sort, UnionSort):
            assert isinstance(value, tuple)
            assert isinstance(value[0], int)
            arm = sort.arms[value[0]][1]
            return value if arm is None else (value[0], self.value(arm, value[1]))
        if isinstance(sort, ListSort):
            assert isinstance(value, tuple)
            return tuple(self.value(sort.element, v) for v in value)
        if isinstance(sort, SetSort):
            assert isinstance(value, int)
            optional = isinstance(sort.element, OptionalSort)
            inner = sort.element.inner if isinstance(sort.element, OptionalSort) else sort.element
            mask = value & 1 if optional else 0
            for bit in range(optional, value.bit_length()):
                if value >> bit & 1:
                    plain = isinstance(inner, (IdSort, ThreadSort, ObjectPointerSort))
                    mask |= 1 << ((self.index(inner, bit - optional) if plain else bit - optional) + optional)
            return mask
        if isinstance(sort, LockSort):
            if isinstance(value, tuple):
                assert isinstance(value[1], int)
                readers = [bit for bit in range(len(self.threads)) if value[1] >> bit & 1]
                writer = None if value[0] is None else self.threads[value[0]]  # type: ignore[index]
                return (writer, sum(1 << self.threads[bit] for bit in readers))
            return self.threads[value]
        if isinstance(sort, PlacePointerSort):
            assert isinstance(value, tuple)
            root = self.program.roots[sort.target][value[0]]  # type: ignore[index]
            dimensions = self.program.variables[next(iter(root.components.values()))].dimensions
            return (value[0], *(self.value(d, v) for d, v in zip(dimensions, value[1:], strict=False)))
        if isinstance(sort, SeqSort) and sort.wrap is None and self.numbering.stride > 1:
            assert isinstance(value, int)
            home = value % self.numbering.stride
            return value - home + self._home(home)
        return value

    def _home(self, home: int) -> int:
        """Where a home of a seq goes."""
        for number, first in self.numbering.first_home.items():
            dimensions = self.program.variables[number].dimensions
            every = list(product(*(range(member_count(dimension)) for dimension in dimensions)))
            if first <= home < first + len(every):
                moved = tuple(self.index(d, i) for d, i in zip(dimensions, every[home - first], strict=True))
                return first + every.index(moved)
        return home


def random_exchange(program: Program, sorts: list[IdSort | ObjectPointerSort], random: Random) -> Exchange:
    """Members of these sorts, and like threads, exchanged at random; `distinct` members stay."""
    members: dict[Sort, tuple[int, ...]] = {}
    for sort in sorts:
        kept = len(sort.names) if isinstance(sort, IdSort) else 0
        images = list(range(kept, sort.size))
        random.shuffle(images)
        members[sort] = (*range(kept), *images)
    threads = list(range(len(program.threads)))
    alike: dict[object, list[int]] = {}
    for number, thread in enumerate(program.threads):
        alike.setdefault((thread.process, thread.parameters), []).append(number)
    for same in alike.values():
        # Threads that a sort moves too are left to it.
        process = program.processes[program.threads[same[0]].process]
        if not any(sort in members for _, sort in process.parameters):
            images = same[:]
            random.shuffle(images)
            for number, image in zip(same, images, strict=True):
                threads[number] = image
    return Exchange(program, members, threads)
