# SPDX-License-Identifier: GPL-2.0-only
"""What the generated code calls: the checked operations on values that are no single Python operator."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from kvmcheck.semantics.expressions import Broken, arithmetic, fitted, members_of_mask, same
from kvmcheck.semantics.numbering import SeqNumbering
from kvmcheck.semantics.pointers import address
from kvmcheck.semantics.program import Op
from kvmcheck.semantics.sorts import Sort, Value


class Fail(Exception):
    """A check fails in the generated code, at a site (a position in the table of sites)."""

    def __init__(self, site: int) -> None:
        super().__init__(site)
        self.site = site


def fail(site: int) -> Value:
    """Never comes back: an expression that ends the run."""
    raise Fail(site)


@lru_cache(maxsize=65536)
def bits(mask: int) -> tuple[int, ...]:
    """The positions of the members of a set."""
    return tuple(position for position in range(mask.bit_length()) if mask >> position & 1)


def members_function(sort: Sort) -> Callable[[int], tuple[Value, ...]]:
    """A function from a set's mask to its members."""

    @lru_cache(maxsize=65536)
    def of(mask: int) -> tuple[Value, ...]:
        return tuple(members_of_mask(sort, mask))

    return of


@lru_cache(maxsize=65536)
def unallocated(mask: int, size: int) -> tuple[int, ...]:
    """The objects that an allocation may return."""
    return tuple(number for number in range(size) if not mask >> number & 1)


def bare_function(sort: Sort) -> Callable[[Value], Value]:
    """A function that takes the stale marks off a value."""
    return lambda value: address(sort, value)


def same_function(left: Sort, right: Sort, numbering: SeqNumbering) -> Callable[[Value, Value, int], bool]:
    """A function that compares two values with seqs of several homes in them; different homes fail at the site."""

    def compare(a: Value, b: Value, site: int) -> bool:
        try:
            return same(left, a, right, b, numbering, None)
        except Broken:
            raise Fail(site) from None

    return compare


def object_position(value: int | None, site: int) -> int:
    """The position of an object that must live."""
    if value is None or value < 0:
        raise Fail(site)
    return value


def object_address(value: int | None, site: int) -> int:
    """The position of an object, living or not; NULL fails."""
    if value is None:
        raise Fail(site)
    return value if value >= 0 else ~value


def fit_function(sort: Sort) -> Callable[[Value, int], Value]:
    """A function that fits a number into a sort."""

    def fit(value: Value, site: int) -> Value:
        try:
            return fitted(sort, value, None)
        except Broken:
            raise Fail(site) from None

    return fit


def division(quotient: bool) -> Callable[[int, int, int], int]:
    """C's division or remainder."""
    op = Op.DIVIDE if quotient else Op.MODULO

    def divide(a: int, b: int, site: int) -> int:
        if b == 0:
            raise Fail(site)
        return arithmetic(op, [a, b], None)

    return divide


def shift(a: int, b: int, site: int, left: bool) -> int:
    """A shift by a sensible number of bits."""
    if not 0 <= b < 64:
        raise Fail(site)
    return a << b if left else a >> b


def push(held: tuple[Value, ...], item: Value, capacity: int, site: int) -> tuple[Value, ...]:
    """The list with one element more."""
    if len(held) >= capacity:
        raise Fail(site)
    return (*held, item)


def pop(held: tuple[Value, ...], site: int) -> tuple[Value, ...]:
    """The list with one element less."""
    if not held:
        raise Fail(site)
    return held[:-1]


def last(held: tuple[Value, ...], site: int) -> Value:
    """The last element."""
    if not held:
        raise Fail(site)
    return held[-1]


def item_at(held: tuple[Value, ...], index: int | None, site: int) -> Value:
    """An element of a list."""
    if index is None or not 0 <= index < len(held):
        raise Fail(site)
    return held[index]


def arm(union: tuple[Value, ...], wanted: int, site: int) -> Value:
    """The value of an arm that must be there."""
    if union[0] != wanted or len(union) < 2:
        raise Fail(site)
    return union[1]


def with_field(word: tuple[Value, ...], position: int, value: Value) -> tuple[Value, ...]:
    """The word with one field replaced."""
    return (*word[:position], value, *word[position + 1 :])


def the(members: Iterable[Value], fits: Callable[[Value], bool], site: int) -> Value:
    """The one member that fits."""
    found = [member for member in members if fits(member)]
    if len(found) != 1:
        raise Fail(site)
    return found[0]


def for_all(members: Iterable[Value], body: Callable[[Value], bool]) -> bool:
    """Whether the body holds of all."""
    return all(body(member) for member in members)


def there_is(members: Iterable[Value], body: Callable[[Value], bool]) -> bool:
    """Whether the body holds of one."""
    return any(body(member) for member in members)


def how_many(members: Iterable[Value], body: Callable[[Value], bool]) -> int:
    """Of how many the body holds."""
    return sum(1 for member in members if body(member))


def pointed(
    roots: tuple[tuple[int, tuple[int, ...], tuple[int, ...], tuple[bool, ...]], ...],
) -> Callable[..., int]:
    """A function from a place pointer and further indices to the slot it means.

    `roots`: for each, the first slot, strides and sizes of its dimensions, and which indices are objects.
    """

    def slot(pointer: tuple[int, ...] | None, null_site: int, range_site: int, *further: int | None) -> int:
        if pointer is None:
            raise Fail(null_site)
        position, strides, sizes, objects = roots[pointer[0]]
        given = pointer[1:]
        for is_object, object_index in zip(objects, given, strict=True):
            if is_object and object_index < 0:
                raise Fail(null_site)
        indices: tuple[int | None, ...] = (*given, *further)
        for index, stride, size in zip(indices, strides, sizes, strict=True):
            if index is None or not 0 <= index < size:
                raise Fail(range_site)
            position += index * stride
        return position

    return slot
