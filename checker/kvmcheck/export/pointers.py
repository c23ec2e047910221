# SPDX-License-Identifier: GPL-2.0-only
"""Pointers to objects: where in a value they are, and how they become stale when their object is freed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from kvmcheck.export.expressions import CannotCarry, spread
from kvmcheck.export.scalars import (
    Cell,
    Number,
    Operator,
    Scalar,
    arithmetic,
    conjunction,
    disjunction,
    either,
    equal,
    is_unset,
    negation,
)
from kvmcheck.export.shapes import Shapes
from kvmcheck.semantics.sorts import (
    ListSort,
    ObjectPointerSort,
    OptionalSort,
    PlacePointerSort,
    Sort,
    UnionSort,
    WordSort,
)

Pointer = ObjectPointerSort | PlacePointerSort


def pointers_in(shapes: Shapes, sort: Sort, first: int = 0) -> Iterator[tuple[int, Pointer]]:
    """The scalars of a sort's values that are pointers, by their position."""
    match sort:
        case ObjectPointerSort() | PlacePointerSort():
            yield first, sort
            return
        case OptionalSort(inner=inner) if not shapes.is_scalar_optional(inner):
            yield from pointers_in(shapes, inner, first + 1)
            return
        case WordSort(fields=fields):
            parts: list[Sort | None] = [part for _, part, _ in fields]
        case UnionSort(arms=arms):
            parts, first = [arm for _, arm in arms], first + 1
        case ListSort(element=element, capacity=capacity):
            parts, first = [element] * capacity, first + 1
        case _:
            return
    for part in parts:
        if part is not None:
            yield from pointers_in(shapes, part, first)
            first += len(shapes.leaves(part))


def staled(shapes: Shapes, cell: Cell, sort: Pointer, pool: str, freed: Scalar) -> Scalar:
    """What a pointer is when the object `freed` is gone: the same, or stale."""
    match sort:
        case ObjectPointerSort(object=name, size=size):
            if name != pool:
                return cell
            hit = equal(cell, freed)
            moved = arithmetic(Operator.ADD, cell, Number(size))
        case PlacePointerSort(target=target):
            hit = _points_into(shapes, cell, target, pool, freed)
            moved = arithmetic(Operator.ADD, cell, Number(shapes.places(target)))
        case _:
            assert_never(sort)
    return either(conjunction((negation(is_unset(cell)), hit)), moved, cell)


def _points_into(shapes: Shapes, cell: Cell, target: str, pool: str, freed: Scalar) -> Scalar:
    found: list[Scalar] = []
    for number, root in enumerate(shapes.program.roots[target]):
        dimensions = shapes.root_dimensions(target, number)
        if sum(root.objects) > 1:
            raise CannotCarry("a pointer to a place in two objects at once")
        first, size = shapes.root_first(target, number), shapes.root_size(target, number)
        where = spread(arithmetic(Operator.SUBTRACT, cell, Number(first)), dimensions)
        for is_object, dimension, index in zip(root.objects, dimensions, where, strict=True):
            if is_object and isinstance(dimension, ObjectPointerSort) and dimension.object == pool:
                above = arithmetic(Operator.LESS_EQUAL, Number(first), cell)
                below = arithmetic(Operator.LESS, cell, Number(first + size))
                found.append(conjunction((above, below, equal(index, freed))))
    return disjunction(found)
