# SPDX-License-Identifier: GPL-2.0-only
"""How a value of each sort is taken apart into scalars.

| sort | scalars |
| --- | --- |
| bool | one truth value |
| int, enum, identity, Thread, seq | one number |
| T? of those | one number; `none` is one that no T has |
| T? of others | `some`, then those of T |
| word struct | those of its fields |
| word union | `arm`, then those of each arm |
| list | `length`, then those of each place |
| set | one set |
| object pointer | i; n + i when it is stale; NULL is `none` |
| place pointer | the places of all roots numbered in a row; as far behind them when stale; NULL is `none` |
| lock | the thread that holds it, or `none`; with readers: `writer`, and `readers`, a set |

Scalars that mean nothing now (another arm's, those of `none`, beyond the end of a list) hold their first value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from kvmcheck.export.scalars import (
    FALSE,
    TRUE,
    Kind,
    Members,
    Number,
    Operator,
    Scalar,
    Truth,
    arithmetic,
    as_number,
    as_truth,
    conjunction,
    either,
    equal,
)
from kvmcheck.semantics.numbering import element_count
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.sorts import (
    BoolSort,
    EnumSort,
    IdSort,
    IntSort,
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
    UnknownSort,
    Value,
    WordSort,
    member_count,
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One scalar of a value: its path in it, and what it may be (`high` None: any number from `low` on).

    `size`: of a set, its members.  `live`: of a pointer, how many values point to what lives; the same again are
    stale.  `names`: what its numbers are called, from 0 on.  `type`: the declared type that it is of.
    """

    path: str
    kind: Kind
    low: int
    high: int | None
    size: int = 0
    live: int = 0
    optional: bool = False
    names: tuple[str, ...] = ()
    type: str = ""

    @property
    def filler(self) -> Scalar:
        """What it holds while it means nothing."""
        if self.kind is Kind.BOOL:
            return FALSE
        return Members(0, self.size) if self.kind is Kind.SET else Number(self.low)


def set_size(element: Sort) -> int:
    """How many members a set can have."""
    return 1 + set_size(element.inner) if isinstance(element, OptionalSort) else member_count(element)


def _lows(sort: Sort, *, optional: bool = False) -> Iterator[int]:
    """The least numbers in a sort's values; or only of those that may be `none`."""
    match sort:
        case IntSort(low=low):
            yield from () if optional else (low,)
        case OptionalSort(inner=inner):
            yield from _lows(inner)
        case ListSort(element=element):
            yield from _lows(element, optional=optional)
        case WordSort(fields=fields):
            for _, part, _ in fields:
                yield from _lows(part, optional=optional)
        case UnionSort(arms=arms):
            for _, arm in arms:
                if arm is not None:
                    yield from _lows(arm, optional=optional)
        case _:
            return


class Shapes:
    """The scalars of every sort of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        sorts = [variable.sort for variable in program.variables]
        for process in program.processes:
            for body in (process.body, process.interrupt):
                sorts += [] if body is None else [local.sort for local in body.locals]
        #: A number that nothing is which may be `none`.
        self.none = min([0, *(low for sort in sorts for low in _lows(sort, optional=True))]) - 1
        #: A number that nothing is at all.
        self.unset = min([self.none, *(low for sort in sorts for low in _lows(sort))]) - 1

    def nothing(self, name: str) -> Number:
        """`none`, `NULL`."""
        return Number(self.none, name)

    def leaves(self, sort: Sort) -> tuple[Leaf, ...]:
        """The scalars of a sort, in order."""
        match sort:
            case BoolSort():
                return (Leaf("", Kind.BOOL, 0, 1),)
            case IntSort(low=low, high=high):
                return (Leaf("", Kind.INT, low, high),)
            case EnumSort(name=name, constants=constants):
                return (Leaf("", Kind.INT, 0, len(constants) - 1, names=constants, type=name),)
            case IdSort(name=name, size=size, names=names):
                return (Leaf("", Kind.INT, 0, size - 1, names=names, type=name),)
            case ThreadSort(size=size, names=names):
                return (Leaf("", Kind.INT, 0, size - 1, names=names, type="Thread"),)
            case SeqSort(wrap=wrap):
                return (Leaf("", Kind.INT, 0, None if wrap is None else wrap - 1),)
            case OptionalSort(inner=inner):
                return self._optional(inner)
            case WordSort(fields=fields):
                return tuple(leaf for name, part, _ in fields for leaf in self._under(name, part))
            case UnionSort(arms=arms):
                found = [Leaf("arm", Kind.INT, 0, len(arms) - 1)]
                for name, arm in arms:
                    found += [] if arm is None else self._under(name, arm)
                return tuple(found)
            case ObjectPointerSort(size=size):
                return (Leaf("", Kind.INT, self.none, 2 * size - 1, live=size, optional=True),)
            case PlacePointerSort(target=target):
                places = self.places(target)
                return (Leaf("", Kind.INT, self.none, 2 * places - 1, live=places, optional=True),)
            case ListSort(element=element, capacity=capacity):
                items = [leaf for n in range(capacity) for leaf in self._under(f"item{n}", element)]
                return (Leaf("length", Kind.INT, 0, capacity), *items)
            case SetSort(element=element):
                return (Leaf("", Kind.SET, 0, None, size=set_size(element)),)
            case LockSort(flavour=flavour):
                threads = len(self.program.threads)
                if not flavour.shared:
                    return (Leaf("", Kind.INT, self.none, threads - 1, optional=True),)
                writer = Leaf("writer", Kind.INT, self.none, threads - 1, optional=True)
                return (writer, Leaf("readers", Kind.SET, 0, None, size=threads))
            case UnknownSort():
                return (Leaf("", Kind.INT, 0, 0),)
            case _:
                assert_never(sort)

    def _under(self, name: str, sort: Sort) -> list[Leaf]:
        return [replace(leaf, path=f"{name}.{leaf.path}".rstrip(".")) for leaf in self.leaves(sort)]

    def _optional(self, inner: Sort) -> tuple[Leaf, ...]:
        if self.is_scalar_optional(inner):
            (leaf,) = self.leaves(inner)
            return (replace(leaf, kind=Kind.INT, low=self.none, optional=True),)
        return (Leaf("some", Kind.BOOL, 0, 1), *self._under("value", inner))

    def is_scalar_optional(self, inner: Sort) -> bool:
        """Whether `none` of `T?` is one more number."""
        return isinstance(inner, (BoolSort, IntSort, EnumSort, IdSort, ThreadSort, SeqSort))

    # -------------------------------------------------------------------------- places

    def places(self, target: str) -> int:
        """How many places a pointer can point to."""
        return sum(self.root_size(target, root) for root in range(len(self.program.roots[target])))

    def root_size(self, target: str, root: int) -> int:
        """How many places a root has that have an address: those that the pointer's indices tell apart."""
        total = 1
        for dimension in self.root_dimensions(target, root):
            total *= member_count(dimension)
        return total

    def root_dimensions(self, target: str, root: int) -> tuple[Sort, ...]:
        """What the indices of a pointer to a root range over."""
        found = self.program.roots[target][root]
        variable = self.program.variables[next(iter(found.components.values()))]
        return variable.dimensions[: len(found.objects)]

    def root_first(self, target: str, root: int) -> int:
        """The number of a root's first place."""
        return sum(self.root_size(target, before) for before in range(root))

    # -------------------------------------------------------------------------- values

    def constant(self, value: Value, sort: Sort) -> tuple[Scalar, ...]:
        """The scalars of a value."""
        leaves = self.leaves(sort)
        fillers = [leaf.filler for leaf in leaves]
        match sort:
            case OptionalSort(inner=inner) if not self.is_scalar_optional(inner):
                return tuple(fillers) if value is None else (TRUE, *self.constant(value, inner))
            case OptionalSort(inner=inner):
                if value is None:
                    return (self.nothing("none"),)
                return tuple(as_number(part) for part in self.constant(value, inner))
            case WordSort(fields=fields):
                assert isinstance(value, tuple)
                parts = zip(value, fields, strict=True)
                return tuple(s for item, (_, part, _) in parts for s in self.constant(item, part))
            case UnionSort(arms=arms):
                assert isinstance(value, tuple)
                return self.union(arms, _number(value[0]), value[1:])
            case ListSort(element=element):
                assert isinstance(value, tuple)
                parts_ = [s for item in value for s in self.constant(item, element)]
                return (Number(len(value)), *parts_, *fillers[1 + len(parts_) :])
            case SetSort(element=element):
                return (Members(_number(value), set_size(element)),)
            case LockSort(flavour=flavour):
                if not flavour.shared:
                    return (self.nothing("none") if value is None else Number(_number(value)),)
                assert isinstance(value, tuple)
                writer = self.nothing("none") if value[0] is None else Number(_number(value[0]))
                return (writer, Members(_number(value[1]), len(self.program.threads)))
            case ObjectPointerSort() | PlacePointerSort() if value is None:
                return (self.nothing("NULL"),)
            case BoolSort():
                return (Truth(bool(value)),)
            case EnumSort(constants=constants):
                return (Number(_number(value), constants[_number(value)]),)
            case IdSort(names=names) | ThreadSort(names=names):
                number = _number(value)
                return (Number(number, names[number] if 0 <= number < len(names) else ""),)
            case _:
                return (Number(_number(value)),)

    def union(
        self, arms: tuple[tuple[str, Sort | None], ...], arm: int, held: Sequence[Value]
    ) -> tuple[Scalar, ...]:
        """The scalars of a union that holds a constant in an arm."""
        found: list[Scalar] = [Number(arm)]
        for number, (_, sort) in enumerate(arms):
            if sort is not None:
                here = number == arm and held
                found += self.constant(held[0], sort) if here else [x.filler for x in self.leaves(sort)]
        return tuple(found)

    def same(self, sort: Sort, a: Sequence[Scalar], b: Sequence[Scalar]) -> Scalar:
        """Whether two values of a sort are equal: pointers by what they point to, stale or not."""
        leaves = self.leaves(sort)
        return conjunction(
            equal(self.address(leaf, x), self.address(leaf, y))
            for leaf, x, y in zip(leaves, a, b, strict=True)
        )

    def address(self, leaf: Leaf, scalar: Scalar) -> Scalar:
        """A pointer without its mark "stale"; other scalars as they are."""
        if not leaf.live or (isinstance(scalar, Number) and scalar.value < leaf.live):
            return scalar
        alive = arithmetic(Operator.LESS, scalar, Number(leaf.live))
        return either(alive, scalar, arithmetic(Operator.SUBTRACT, scalar, Number(leaf.live)))

    def is_none(self, sort: Sort, parts: Sequence[Scalar]) -> Scalar:
        """Whether a value of a sort is `none`, or NULL."""
        match sort:
            case OptionalSort(inner=inner) if not self.is_scalar_optional(inner):
                return either(as_truth(parts[0]), FALSE, TRUE)
            case OptionalSort() | ObjectPointerSort() | PlacePointerSort():
                name = "none" if isinstance(sort, OptionalSort) else "NULL"
                return equal(parts[0], self.nothing(name))
            case _:
                return FALSE

    def element_count(self, variable: int) -> int:
        """How many elements a variable has."""
        return element_count(self.program.variables[variable])


def _number(value: Value) -> int:
    assert isinstance(value, int)
    return value
