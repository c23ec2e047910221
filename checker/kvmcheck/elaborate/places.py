# SPDX-License-Identifier: GPL-2.0-only
"""What an expression that names something stands for, before it is read or written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kvmcheck.elaborate.coercion import Typed
from kvmcheck.elaborate.scopes import LeafShape, Shape, StructSymbol
from kvmcheck.semantics.program import Apply, Expr, Op, Place, PointerPlace, VariablePlace
from kvmcheck.semantics.sorts import Sort, UnknownSort, WordSort


@dataclass(frozen=True, slots=True)
class StoredPlace:
    """A variable, or an element, struct or array of it.  `objects`: which indices are objects."""

    name: str
    shape: Shape
    indices: tuple[Expr, ...]
    objects: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class PointedPlace:
    """What a place pointer points to, or a component of it with `dimensions` still to be indexed."""

    pointer: Expr
    target: str
    component: str
    indices: tuple[Expr, ...]
    type: Sort | StructSymbol
    dimensions: tuple[Sort, ...]


@dataclass(frozen=True, slots=True)
class LocalPlace:
    """A local."""

    local: int
    sort: Sort


@dataclass(frozen=True, slots=True)
class LocalRecord:
    """A local plain struct: a place a field."""

    struct: str
    fields: Mapping[str, LocalPlace | LocalRecord]


@dataclass(frozen=True, slots=True)
class PartPlace:
    """A field of a word (`path`: positions, outermost first) that is kept in a place."""

    whole: StoredPlace | PointedPlace | LocalPlace
    path: tuple[tuple[int, Sort], ...]
    sort: Sort


@dataclass(frozen=True, slots=True)
class ValuePlace:
    """Not a place: a value that was computed."""

    value: Typed


Named = StoredPlace | PointedPlace | LocalPlace | LocalRecord | PartPlace | ValuePlace


def element(place: StoredPlace | PointedPlace) -> tuple[Place, Sort] | None:
    """The single element that a place is, with its sort; None for a struct or a whole array."""
    match place:
        case StoredPlace(shape=LeafShape(variable=variable, sort=sort), indices=indices):
            return VariablePlace(variable, indices), sort
        case PointedPlace(
            pointer=pointer,
            target=target,
            component=component,
            indices=indices,
            type=sort,
            dimensions=(),
        ) if not isinstance(sort, StructSymbol):
            return PointerPlace(pointer, target, component, indices), sort
        case _:
            return None


def word_behind(place: Named, part: Typed) -> Expr | None:
    """The shared word that was loaded when its part was read; None if the place is no part of one."""
    if not isinstance(place, PartPlace) or isinstance(place.whole, LocalPlace):
        return None
    word = part.expr
    for _ in place.path:
        if not (isinstance(word, Apply) and word.op is Op.FIELD):
            return None
        word = word.arguments[0]
    return word


def sort_of(place: Named) -> Sort:
    """The sort of what is there; unknown for structs and arrays."""
    match place:
        case LocalPlace(sort=sort) | PartPlace(sort=sort):
            return sort
        case ValuePlace(value=value):
            return value.sort
        case StoredPlace() | PointedPlace():
            found = element(place)
            return found[1] if found else UnknownSort()
        case LocalRecord():
            return UnknownSort()


def with_part(word: Expr, sort: WordSort, path: tuple[tuple[int, Sort], ...], part: Expr) -> Expr:
    """A word with one (nested) field replaced."""
    (position, inner), rest = path[0], path[1:]
    if rest:
        assert isinstance(inner, WordSort)
        part = with_part(Apply(Op.FIELD, (word,), inner, position), inner, rest, part)
    return Apply(Op.WITH, (word, part), sort, position)
