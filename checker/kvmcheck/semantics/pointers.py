# SPDX-License-Identifier: GPL-2.0-only
"""Values that contain pointers and seqs: their addresses, how they become stale, how they start.

A pointer is an address and a hidden mark "stale": comparing sees the address only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kvmcheck.semantics.program import Root, Variable
from kvmcheck.semantics.sorts import (
    ListSort,
    ObjectPointerSort,
    OptionalSort,
    PlacePointerSort,
    SeqSort,
    Sort,
    UnionSort,
    Value,
    WordSort,
)

Roots = Mapping[str, tuple[Root, ...]]


def contains(sort: Sort, wanted: Callable[[Sort], bool]) -> bool:
    """Whether the sort, or a part of its values, is a wanted one."""
    if wanted(sort):
        return True
    match sort:
        case OptionalSort(inner=inner):
            return contains(inner, wanted)
        case WordSort(fields=fields):
            return any(contains(part, wanted) for _, part, _ in fields)
        case UnionSort(arms=arms):
            return any(arm is not None and contains(arm, wanted) for _, arm in arms)
        case ListSort(element=element):
            return contains(element, wanted)
        case _:
            return False


def is_pointer(sort: Sort) -> bool:
    """Whether it is a pointer sort."""
    return isinstance(sort, (ObjectPointerSort, PlacePointerSort))


def is_seq(sort: Sort) -> bool:
    """Whether it is an unbounded seq."""
    return isinstance(sort, SeqSort) and sort.wrap is None


def replace_parts(sort: Sort, value: Value, replace: Callable[[Sort, Value], Value]) -> Value:
    """The value with every part that is no compound replaced; `unset` and `none` stay as they are."""
    if value is None or isinstance(value, str):
        return value
    match sort:
        case OptionalSort(inner=inner):
            return replace_parts(inner, value, replace)
        case WordSort(fields=fields) if isinstance(value, tuple):
            return tuple(
                replace_parts(part, item, replace) for (_, part, _), item in zip(fields, value, strict=True)
            )
        case UnionSort(arms=arms) if isinstance(value, tuple):
            position = value[0]
            arm = arms[position][1] if isinstance(position, int) else None
            return value if arm is None else (position, replace_parts(arm, value[1], replace))
        case ListSort(element=element) if isinstance(value, tuple):
            return tuple(replace_parts(element, item, replace) for item in value)
        case _:
            return replace(sort, value)


def address(sort: Sort, value: Value) -> Value:
    """What comparing sees of a value: pointers without their stale marks."""

    def bare(part: Sort, item: Value) -> Value:
        match part:
            case ObjectPointerSort() if isinstance(item, int):
                return item if item >= 0 else ~item
            case PlacePointerSort() if isinstance(item, tuple):
                return tuple(~i if isinstance(i, int) and i < 0 else i for i in item)
            case _:
                return item

    return replace_parts(sort, value, bare)


def index_pools(root: Root, variables: tuple[Variable, ...]) -> tuple[str | None, ...]:
    """For each index of a pointer to this root: the object type it names, or None."""
    variable = variables[next(iter(root.components.values()))]
    pools: list[str | None] = []
    for position, is_object in enumerate(root.objects):
        dimension = variable.dimensions[position]
        named = dimension.object if isinstance(dimension, ObjectPointerSort) else None
        pools.append(named if is_object else None)
    return tuple(pools)


def staled(
    sort: Sort, value: Value, freed: tuple[str, int], roots: Roots, variables: tuple[Variable, ...]
) -> Value:
    """The value after the object (type, number) was freed: pointers to it are stale."""
    name, number = freed

    def mark(part: Sort, item: Value) -> Value:
        match part:
            case ObjectPointerSort(object=pointed) if pointed == name and item == number:
                return ~number
            case PlacePointerSort(target=target) if isinstance(item, tuple):
                position = item[0]
                if not isinstance(position, int):
                    return item
                pools = index_pools(roots[target][position], variables)
                return (
                    position,
                    *(
                        ~number if pool == name and index == number else index
                        for pool, index in zip(pools, item[1:], strict=True)
                    ),
                )
            case _:
                return item

    return replace_parts(sort, value, mark)
