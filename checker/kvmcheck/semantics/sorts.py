# SPDX-License-Identifier: GPL-2.0-only
"""The sorts of values, and how a value of each is represented.

| sort | representation |
| --- | --- |
| bool | 0, 1 |
| int | the number |
| enum, scalarset, index, Thread | the member's position, 0..n-1 |
| seq | n, or n * (H + 1) + home; see docs/development/semantics.md, 4 |
| T? | `None` for none, else the T |
| word struct | a tuple, one value a field |
| word union | (arm,) or (arm, value) |
| object pointer | `None` for NULL; object i is i while it lives, ~i (negative) once this pointer is stale |
| place pointer | `None` for NULL; (root, index, …); an index that is an object is ~i once stale |
| list<T, n> | a tuple, first element first |
| set<T> | a bit mask over the member positions of T |
| spinlock, mutex | `None`, or the Thread that holds it |
| rwlock, rwsem | (writer or `None`, bit mask of readers) |

A local that holds no value, or a dead one, is `UNSET`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import product
from typing import Final

Value = int | str | None | tuple["Value", ...]

#: The one string among values: what a local holds before it is assigned, and after it is dead.
UNSET: Final = "unset"


@dataclass(frozen=True, slots=True)
class BoolSort:
    """Truth values."""


@dataclass(frozen=True, slots=True)
class IntSort:
    """Integers low..high; assigning another is an error, or wraps around."""

    low: int
    high: int
    wrap: bool = False


@dataclass(frozen=True, slots=True)
class EnumSort:
    """Named constants."""

    name: str
    constants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdSort:
    """Members 0..size-1 of a scalarset (identities only) or an index (`ordered`: arithmetic too).

    `names` are the members that `distinct` fixed, from 0 on.
    """

    name: str
    size: int
    ordered: bool
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadSort:
    """The threads of the scenario, in order of declaration."""

    size: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeqSort:
    """A sequence count; `wrap`: a plain counter modulo that."""

    wrap: int | None = None


@dataclass(frozen=True, slots=True)
class OptionalSort:
    """An inner value or none."""

    inner: Sort


@dataclass(frozen=True, slots=True)
class WordSort:
    """A word struct: read and written in one access."""

    name: str
    fields: tuple[tuple[str, Sort, Value], ...]

    def position(self, field: str) -> int:
        """The position of a field; raises `ValueError` if there is none."""
        return [name for name, _, _ in self.fields].index(field)


@dataclass(frozen=True, slots=True)
class UnionSort:
    """A tagged word: one arm at a time; an arm may carry no value."""

    name: str
    arms: tuple[tuple[str, Sort | None], ...]

    def position(self, arm: str) -> int:
        """The position of an arm; raises `ValueError` if there is none."""
        return [name for name, _ in self.arms].index(arm)


@dataclass(frozen=True, slots=True)
class ObjectPointerSort:
    """A pointer to an object of a pool of `size` objects."""

    object: str
    size: int


@dataclass(frozen=True, slots=True)
class PlacePointerSort:
    """A pointer to a place that holds a T; `target` is T's name, a key of `Program.roots`."""

    target: str


@dataclass(frozen=True, slots=True)
class ListSort:
    """At most `capacity` elements; `scenario_sized`: the bound is the scenario's, not the program's."""

    element: Sort
    capacity: int
    scenario_sized: bool


@dataclass(frozen=True, slots=True)
class SetSort:
    """A set of members of a finite sort."""

    element: Sort


class LockFlavour(Enum):
    """What kind of lock: who waits how, and whether readers share it."""

    SPINLOCK = "spinlock"
    RWLOCK = "rwlock"
    MUTEX = "mutex"
    RWSEM = "rwsem"

    @property
    def shared(self) -> bool:
        """Whether readers may share it."""
        return self in (LockFlavour.RWLOCK, LockFlavour.RWSEM)

    @property
    def sleeps(self) -> bool:
        """Whether taking it may sleep."""
        return self in (LockFlavour.MUTEX, LockFlavour.RWSEM)


@dataclass(frozen=True, slots=True)
class LockSort:
    """A lock."""

    flavour: LockFlavour


@dataclass(frozen=True, slots=True)
class UnknownSort:
    """The sort of an expression that is already known to be wrong: fits everything, says nothing."""


Sort = (
    BoolSort
    | IntSort
    | EnumSort
    | IdSort
    | ThreadSort
    | SeqSort
    | OptionalSort
    | WordSort
    | UnionSort
    | ObjectPointerSort
    | PlacePointerSort
    | ListSort
    | SetSort
    | LockSort
    | UnknownSort
)

BOOL: Final = BoolSort()
DEFAULT_INT: Final = IntSort(-128, 127)


def default_value(sort: Sort) -> Value:
    """What a shared variable of this sort holds at the start; raises `ValueError` for identities."""
    match sort:
        case BoolSort() | SeqSort() | SetSort() | EnumSort():
            return 0
        case IntSort(low=low, high=high):
            return 0 if low <= 0 <= high else low
        case IdSort(ordered=True):
            return 0
        case IdSort() | ThreadSort():
            raise ValueError("an identity has no default")
        case OptionalSort() | ObjectPointerSort() | PlacePointerSort():
            return None
        case WordSort(fields=fields):
            return tuple(default for _, _, default in fields)
        case UnionSort(arms=arms):
            arm = arms[0][1]
            return (0,) if arm is None else (0, default_value(arm))
        case ListSort():
            return ()
        case LockSort(flavour=flavour):
            return (None, 0) if flavour.shared else None
        case UnknownSort():
            return 0


def member_count(sort: Sort) -> int:
    """How many members a finite identity sort has; raises `ValueError` for other sorts."""
    match sort:
        case BoolSort():
            return 2
        case IntSort(low=low, high=high):
            return high - low + 1
        case EnumSort(constants=constants):
            return len(constants)
        case IdSort(size=size) | ThreadSort(size=size) | ObjectPointerSort(size=size):
            return size
        case _:
            raise ValueError(f"not a finite sort: {sort}")


def members(sort: Sort) -> Iterator[Value]:
    """The values of a finite sort, in order (of T?: none first); raises `ValueError` for other sorts."""
    match sort:
        case IntSort(low=low, high=high):
            yield from range(low, high + 1)
        case OptionalSort(inner=inner):
            yield None
            yield from members(inner)
        case SetSort(element=element):
            yield from range(1 << member_count(element))
        case WordSort(fields=fields):
            yield from product(*(tuple(members(part)) for _, part, _ in fields))
        case _:
            yield from range(member_count(sort))


def sort_name(sort: Sort) -> str:
    """The sort as a person writes it."""
    match sort:
        case BoolSort():
            return "bool"
        case IntSort(low=low, high=high, wrap=wrap):
            return f"int {low}..{high}" + (" wrap" if wrap else "")
        case EnumSort(name=name) | IdSort(name=name) | WordSort(name=name) | UnionSort(name=name):
            return name
        case ThreadSort():
            return "Thread"
        case SeqSort(wrap=wrap):
            return "seq" if wrap is None else f"seq wrap {wrap}"
        case OptionalSort(inner=inner):
            return f"{sort_name(inner)}?"
        case ObjectPointerSort(object=target) | PlacePointerSort(target=target):
            return f"{target} *"
        case ListSort(element=element, capacity=capacity):
            return f"list<{sort_name(element)}, {capacity}>"
        case SetSort(element=element):
            return f"set<{sort_name(element)}>"
        case LockSort(flavour=flavour):
            return flavour.value
        case UnknownSort():
            return "?"


def show(value: Value, sort: Sort) -> str:
    """The value as a person writes it: `gfn0` style members, `{ .present = true }` words."""
    if value == UNSET and isinstance(value, str):
        return "unset"
    match sort:
        case BoolSort():
            return "true" if value else "false"
        case EnumSort(constants=constants):
            return constants[_int(value)]
        case IdSort(name=name, names=names, ordered=ordered):
            position = _int(value)
            if position < len(names):
                return names[position]
            return str(position) if ordered else f"{name.lower()}{position}"
        case ThreadSort(names=names):
            return names[_int(value)]
        case OptionalSort(inner=inner):
            return "none" if value is None else show(value, inner)
        case WordSort(fields=fields):
            parts = _tuple(value)
            shown = [
                f".{name} = {show(part, field)}"
                for part, (name, field, default) in zip(parts, fields, strict=True)
                if part != default
            ]
            return "{ " + ", ".join(shown) + " }" if shown else "{}"
        case UnionSort(arms=arms):
            parts = _tuple(value)
            name, arm = arms[_int(parts[0])]
            return name if arm is None else f"{name} {show(parts[1], arm)}"
        case ObjectPointerSort(object=target):
            if value is None:
                return "NULL"
            number = _int(value)
            return f"&{target}#{number}" if number >= 0 else f"&{target}#{~number} (freed)"
        case PlacePointerSort():
            return "NULL" if value is None else f"&place{value}"
        case ListSort(element=element):
            return "[" + ", ".join(show(v, element) for v in _tuple(value)) + "]"
        case SetSort(element=element):
            mask = _int(value)
            inside = [v for i, v in enumerate(members(element)) if mask >> i & 1]
            return "{" + ", ".join(show(v, element) for v in inside) + "}"
        case LockSort(flavour=flavour):
            if not flavour.shared:
                return "free" if value is None else f"held by {value}"
            writer, readers = _tuple(value)
            if writer is not None:
                return f"written by {writer}"
            return f"read by {_int(readers):b}" if readers else "free"
        case IntSort() | SeqSort() | UnknownSort():
            return str(value)


def _int(value: Value) -> int:
    assert isinstance(value, int)
    return value


def _tuple(value: Value) -> tuple[Value, ...]:
    assert isinstance(value, tuple)
    return value
