# SPDX-License-Identifier: GPL-2.0-only
"""The seqs and pointers inside values, wherever they stand: an increment and a `free` touch them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kvmcheck.prove.encode.circuit import Circuit, Literal
from kvmcheck.prove.encode.values import Coder
from kvmcheck.prove.encode.vectors import Vector, Vectors, width_of
from kvmcheck.semantics.pointers import contains, index_pools, is_pointer, is_seq
from kvmcheck.semantics.sorts import (
    ListSort,
    ObjectPointerSort,
    OptionalSort,
    PlacePointerSort,
    Sort,
    UnionSort,
    WordSort,
)

#: From the bits of a part to what they become.
Change = Callable[[Sort, Vector], Vector]


class Parts:
    """Changes every seq, or every pointer, in some bits."""

    def __init__(self, circuit: Circuit, coder: Coder) -> None:
        self.circuit = circuit
        self.coder = coder
        self.vectors = Vectors(circuit)

    def has_seq(self, sort: Sort) -> bool:
        """Whether a value of a sort may hold a seq."""
        return contains(sort, is_seq)

    def has_pointer(self, sort: Sort) -> bool:
        """Whether a value of a sort may hold a pointer."""
        return contains(sort, is_pointer)

    def changed(self, sort: Sort, bits: Sequence[Literal], change: Change) -> Vector:
        """The bits with every part that is no compound changed."""
        match sort:
            case OptionalSort(inner=inner):
                return (bits[0], *self.changed(inner, bits[1:], change))
            case WordSort(fields=fields):
                return self._beside([part for _, part, _ in fields], bits, change)
            case UnionSort(arms=arms):
                tag = width_of(len(arms))
                rest = self._beside([arm for _, arm in arms if arm is not None], bits[tag:], change)
                return (*bits[:tag], *rest)
            case ListSort(element=element, capacity=capacity):
                length = width_of(capacity + 1)
                return (*bits[:length], *self._beside([element] * capacity, bits[length:], change))
            case _:
                return change(sort, tuple(bits))

    def _beside(self, sorts: Sequence[Sort], bits: Sequence[Literal], change: Change) -> Vector:
        found: list[Literal] = []
        first = 0
        for sort in sorts:
            width = self.coder.width(sort)
            found += self.changed(sort, bits[first : first + width], change)
            first += width
        return tuple(found)

    def of_home(self, bits: Vector, home: int) -> Literal:
        """Whether a seq is of a home."""
        width = self.coder.seq.home
        return self.vectors.is_number(bits[:width], home) if width else 0

    def outdated(self, home: int, where: Literal) -> Change:
        """Where a literal is true a home has a newer value: its copies are no longer the newest."""

        def change(sort: Sort, bits: Vector) -> Vector:
            if not is_seq(sort):
                return bits
            older = self.circuit.both(where, self.of_home(bits, home))
            return (*bits[:-1], self.circuit.both(bits[-1], older ^ 1))

        return change

    def stale(self, name: str, number: Vector, where: Literal) -> Change:
        """Where a literal is true an object of a pool was freed: pointers to it are stale."""
        circuit = self.circuit

        def change(sort: Sort, bits: Vector) -> Vector:
            match sort:
                case ObjectPointerSort(object=pointed) if pointed == name:
                    hit = circuit.every((where, bits[0], self.vectors.equal(bits[2:], number)))
                    return (bits[0], circuit.either(bits[1], hit), *bits[2:])
                case PlacePointerSort(target=target):
                    return self._stale_place(target, bits, name, number, where)
                case _:
                    return bits

        return change

    def _stale_place(self, target: str, bits: Vector, name: str, number: Vector, where: Literal) -> Vector:
        program, circuit = self.coder.program, self.circuit
        out = list(bits)
        roots = program.roots.get(target, ())
        first = 1 + self.coder.root_width(target)
        start = first
        for nth, sort in enumerate(self.coder.indices(target)):
            width = 1 + self.coder.width(sort)
            of_pool = circuit.some(
                self.vectors.is_number(bits[1:first], which)
                for which, root in enumerate(roots)
                if nth < len(root.objects) and index_pools(root, program.variables)[nth] == name
            )
            same = self.vectors.equal(bits[start + 1 : start + width], number)
            out[start] = circuit.either(bits[start], circuit.every((where, bits[0], of_pool, same)))
            start += width
        return tuple(out)
