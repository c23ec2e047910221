# SPDX-License-Identifier: GPL-2.0-only
"""Values and places as a person writes them, with what only the program knows: threads, roots, seq homes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kvmcheck.semantics import sorts
from kvmcheck.semantics.numbering import SeqNumbering
from kvmcheck.semantics.program import Program, Variable
from kvmcheck.semantics.sorts import (
    UNSET,
    ListSort,
    LockSort,
    ObjectPointerSort,
    OptionalSort,
    PlacePointerSort,
    SeqSort,
    SetSort,
    Sort,
    UnionSort,
    Value,
    WordSort,
)


def shown(program: Program, value: Value, sort: Sort) -> str:
    """The value as a person writes it."""
    if value == UNSET and isinstance(value, str):
        return "unset"
    match sort:
        case SeqSort(wrap=None) if isinstance(value, int):
            return str(value // SeqNumbering(program).stride)
        case OptionalSort(inner=inner):
            return "none" if value is None else shown(program, value, inner)
        case WordSort(fields=fields) if isinstance(value, tuple):
            parts = [
                f".{name} = {shown(program, part, field)}"
                for part, (name, field, default) in zip(value, fields, strict=True)
                if part != default
            ]
            return "{ " + ", ".join(parts) + " }" if parts else "{}"
        case UnionSort(arms=arms) if isinstance(value, tuple) and isinstance(value[0], int):
            name, arm = arms[value[0]]
            return name if arm is None or len(value) < 2 else f"{name} {shown(program, value[1], arm)}"
        case ObjectPointerSort(object=target) if isinstance(value, int):
            return f"&{target}#{value}" if value >= 0 else f"&{target}#{~value} (freed)"
        case PlacePointerSort(target=target) if isinstance(value, tuple):
            return _shown_pointer(program, value, target)
        case ListSort(element=element) if isinstance(value, tuple):
            return "[" + ", ".join(shown(program, part, element) for part in value) + "]"
        case SetSort(element=element) if isinstance(value, int):
            inside = [m for i, m in enumerate(sorts.members(element)) if value >> i & 1]
            return "{" + ", ".join(shown(program, member, element) for member in inside) + "}"
        case LockSort():
            return _shown_lock(program, value)
        case _:
            return sorts.show(value, sort)


def element_name(program: Program, variable: Variable, element: int) -> str:
    """Element number `element` (row-major) of a variable, as in `spte[gfn0]`, `Desc#1.more`."""
    return place_name(program, variable, _indices(variable, element))


def place_name(program: Program, variable: Variable, indices: Sequence[int]) -> str:
    """The element at these positions among the dimensions' members, named as in the source."""
    texts = _shown_indices(program, variable, indices)
    if variable.pool is None:
        return _indexed(variable, texts)
    pool, _, field = _indexed(variable, ["", *texts[1:]]).replace("[]", "", 1).partition(".")
    return f"{pool}#{indices[0]}.{field or 'value'}"


def _indexed(variable: Variable, texts: Sequence[str], name: str | None = None) -> str:
    """The variable's name, each index behind the part that it belongs to; no more parts than make up `name`."""
    plain = written = ""
    rest = list(texts)
    for part, count in variable.parts or ((variable.name, len(variable.dimensions)),):
        plain += part
        written += part + "".join(f"[{text}]" for text in rest[:count])
        del rest[:count]
        if plain == name:
            break
    return written


def holders(value: Value) -> Iterator[tuple[int, bool]]:
    """The threads that hold a lock of this value, and whether for writing (exclusively)."""
    match value:
        case int(thread):
            yield thread, True
        case (writer, int(readers)):
            if isinstance(writer, int):
                yield writer, True
            yield from ((i, False) for i in range(readers.bit_length()) if readers >> i & 1)
        case _:
            return


def _shown_lock(program: Program, value: Value) -> str:
    held = [
        program.threads[thread].name + ("" if exclusive or not isinstance(value, tuple) else " (read)")
        for thread, exclusive in holders(value)
    ]
    if not held:
        return "free"
    if isinstance(value, tuple) and value[0] is not None:
        return f"{held[0]} (write)"
    return ", ".join(held)


def _shown_pointer(program: Program, value: tuple[Value, ...], target: str) -> str:
    number = value[0]
    if not isinstance(number, int):
        return str(value)
    root = program.roots[target][number]
    variable = program.variables[next(iter(root.components.values()))]
    parts: list[str] = []
    freed = ""
    for index, (part, sort) in enumerate(zip(value[1:], variable.dimensions, strict=False)):
        if isinstance(part, int) and part < 0 and root.objects[index]:
            part, freed = ~part, " (freed)"
        parts.append(sorts.show(part, sort))
    return f"&{_indexed(variable, parts, root.name)}{freed}"


def _size(sort: Sort) -> int:
    try:
        return sorts.member_count(sort)
    except ValueError:
        return len(list(sorts.members(sort)))


def _indices(variable: Variable, element: int) -> list[int]:
    positions: list[int] = []
    for dimension in reversed(variable.dimensions):
        element, position = divmod(element, _size(dimension))
        positions.append(position)
    return positions[::-1]


def _shown_indices(program: Program, variable: Variable, indices: Sequence[int]) -> list[str]:
    return [
        shown(program, list(sorts.members(dimension))[position], dimension)
        for dimension, position in zip(variable.dimensions, indices, strict=True)
    ]
