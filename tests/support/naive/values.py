# SPDX-License-Identifier: GPL-2.0-only
"""The naive checker's types and values: as plain as Python allows, and nothing shared with the engine.

Numbers, enum constants, identities and threads are ints, booleans too (0 and 1).  A word struct is a `Record`,
a union an `Arm`, pointers are `Obj` and `Ptr`, sets are frozensets, lists are `Seqn`s, a count is a `Count`.
A place is a path: a variable's name, then indexes and field names; shared memory is a dict from paths to values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

Value = object
Path = tuple[object, ...]


class Fault(Exception):
    """A built-in check breaks here."""

    def __init__(self, check: str, text: str = "") -> None:
        super().__init__(f"{check}: {text}")
        self.check = check


class Overflow(Exception):
    """A size of the scenario was too small."""


def out_of_bounds(text: str) -> Fault:
    """The fault of a value that is not where it must be."""
    return Fault("no_out_of_bounds", text)


class Record(NamedTuple):
    """A word struct."""

    parts: tuple[tuple[str, Value], ...]

    def get(self, name: str) -> Value:
        """A field."""
        return dict(self.parts)[name]

    def put(self, name: str, value: Value) -> Record:
        """The record with one field changed."""
        return Record(tuple((n, value if n == name else v) for n, v in self.parts))


class Arm(NamedTuple):
    """A union: which arm, and what it holds."""

    arm: str
    value: Value


class Obj(NamedTuple):
    """A pointer to an object of a pool."""

    pool: str
    number: int
    stale: bool


class Ptr(NamedTuple):
    """A pointer to a place."""

    path: Path
    stale: bool


class Items(NamedTuple):
    """A list."""

    items: tuple[Value, ...]


class Brace(NamedTuple):
    """`{a, b}` before it is known what it is."""

    items: tuple[Value, ...]


class Count(NamedTuple):
    """A seq: how often its home was incremented, and which home (None: never assigned)."""

    n: int
    home: Path | None


class Rw(NamedTuple):
    """A lock that readers may share."""

    writer: int | None
    readers: frozenset[int]


# ------------------------------------------------------------------------------ types


@dataclass(frozen=True, slots=True)
class Bool:
    """Truth."""


@dataclass(frozen=True, slots=True)
class Int:
    """A range."""

    low: int
    high: int
    wrap: bool = False


@dataclass(frozen=True, slots=True)
class Ident:
    """An enum, scalarset, index or Thread: `size` members; ordered: an index."""

    name: str
    size: int
    ordered: bool = False
    scalarset: bool = False


@dataclass(frozen=True, slots=True)
class Seq:
    """A sequence count."""

    wrap: int | None


@dataclass(frozen=True, slots=True)
class Opt:
    """Or none."""

    inner: Type


@dataclass(frozen=True, slots=True)
class Struct:
    """A struct; `word`: read and written at once."""

    name: str
    word: bool
    fields: tuple[tuple[str, Type, Value], ...]

    def field(self, name: str) -> Type:
        """The type of a field."""
        return {n: t for n, t, _ in self.fields}[name]


@dataclass(frozen=True, slots=True)
class Union:
    """One arm of several."""

    name: str
    arms: tuple[tuple[str, Type | None], ...]


@dataclass(frozen=True, slots=True)
class ObjPtr:
    """A pointer to an object of a pool."""

    pool: str


@dataclass(frozen=True, slots=True)
class PlacePtr:
    """A pointer to a place that holds a T."""

    name: str
    target: Callable[[], Type] = field(compare=False)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; `scenario`: overflow is the scenario's size's fault."""

    element: Type
    capacity: int
    scenario: bool


@dataclass(frozen=True, slots=True)
class SetOf:
    """A set."""

    element: Type


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock."""

    kind: str

    @property
    def shared(self) -> bool:
        """Whether readers may share it."""
        return self.kind in ("rwlock", "rwsem")

    @property
    def sleeps(self) -> bool:
        """Whether waiting for it sleeps."""
        return self.kind in ("mutex", "rwsem")


@dataclass(frozen=True, slots=True)
class Array:
    """Elements 0..size-1."""

    size: int
    element: Type


@dataclass(frozen=True, slots=True)
class Void:
    """Nothing."""


Type = (
    Bool | Int | Ident | Seq | Opt | Struct | Union | ObjPtr | PlacePtr | ListOf | SetOf | Lock | Array | Void
)


def is_whole(kind: Type) -> bool:
    """Whether a place of this type is read in several accesses."""
    return isinstance(kind, Array) or (isinstance(kind, Struct) and not kind.word)


def default(kind: Type) -> Value:
    """What a place of a one-access type holds at the start."""
    match kind:
        case Bool() | Void():
            return 0
        case Int(low, high):
            return 0 if low <= 0 <= high else low
        case Ident():
            return 0
        case Seq(wrap):
            return Count(0, None) if wrap is None else 0
        case Opt() | ObjPtr() | PlacePtr():
            return None
        case Struct(_, _, fields):
            return Record(tuple((name, value) for name, _, value in fields))
        case Union(_, arms):
            name, inner = arms[0]
            return Arm(name, None if inner is None else default(inner))
        case ListOf():
            return Items(())
        case SetOf():
            return frozenset()
        case Lock():
            return Rw(None, frozenset()) if kind.shared else None
        case Array():
            raise ValueError("an array has no default of its own")


def members(kind: Type) -> list[Value]:
    """Every value of a finite type."""
    match kind:
        case Bool():
            return [0, 1]
        case Int(low, high):
            return list(range(low, high + 1))
        case Ident(_, size):
            return list(range(size))
        case Opt(inner):
            return [None, *members(inner)]
        case SetOf(element):
            each = members(element)
            return [frozenset(c) for n in range(len(each) + 1) for c in combinations(each, n)]
        case _:
            raise ValueError(f"{kind} has no members to go through")


def fit(value: Value, kind: Type) -> Value:
    """The value as a place of this type keeps it; a fault if it can't."""
    match kind:
        case Bool():
            return int(bool(value))
        case Int(low, high, wrap):
            number = as_int(value)
            if wrap:
                return low + (number - low) % (high - low + 1)
            if not low <= number <= high:
                raise out_of_bounds(f"{number} is outside {low}..{high}")
            return number
        case Ident(name, size):
            if not 0 <= as_int(value) < size:
                raise out_of_bounds(f"{value} is no {name}")
            return value
        case Opt(inner):
            return None if value is None else fit(value, inner)
        case SetOf(element):
            if isinstance(value, Brace):
                return frozenset(fit(v, element) for v in value.items)
            return value
        case ListOf(element):
            if isinstance(value, Brace):
                return Items(tuple(fit(v, element) for v in value.items))
            return value
        case Seq(wrap):
            return value if wrap is None else as_int(value) % wrap
        case _:
            return value


def as_int(value: Value) -> int:
    """A number; `none` is used as a T otherwise."""
    if value is None:
        raise out_of_bounds("none is used as a value")
    assert isinstance(value, int), value
    return int(value)


def same(left: Value, right: Value) -> bool:
    """`==` of the language."""
    match left, right:
        case Obj(), Obj():
            return left[:2] == right[:2]
        case Ptr(), Ptr():
            return left.path == right.path
        case Brace(), frozenset():
            return frozenset(left.items) == right
        case frozenset(), Brace():
            return left == frozenset(right.items)
        case Brace(), Items():
            return left.items == right.items
        case Items(), Brace():
            return left.items == right.items
        case Items(), Items():
            return len(left.items) == len(right.items) and all(map(same, left.items, right.items))
        case Record(), Record():
            return all(same(a, b) for (_, a), (_, b) in zip(left.parts, right.parts, strict=True))
        case Arm(), Arm():
            return left.arm == right.arm and same(left.value, right.value)
        case Count(), Count():
            if left.home != right.home:
                raise Fault("seq_lost_update", "compares copies of different seqs")
            return left.n == right.n
        case _:
            return left == right


def made_stale(value: Value, pool: str, number: int) -> Value:
    """The value after that object was freed: pointers to it, or into it, are stale from now on."""
    match value:
        case Obj():
            return value._replace(stale=True) if (value.pool, value.number) == (pool, number) else value
        case Ptr():
            return value._replace(stale=True) if value.path[:2] == (pool, number) else value
        case Record():
            return Record(tuple((n, made_stale(v, pool, number)) for n, v in value.parts))
        case Arm():
            return Arm(value.arm, made_stale(value.value, pool, number))
        case Items():
            return Items(tuple(made_stale(v, pool, number) for v in value.items))
        case _:
            return value
