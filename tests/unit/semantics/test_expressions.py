# SPDX-License-Identifier: GPL-2.0-only
"""Operators: what each gives, and what each refuses."""

from __future__ import annotations

import pytest

from kvmcheck.semantics.expressions import Broken, Scope, value_of
from kvmcheck.semantics.numbering import SeqNumbering
from kvmcheck.semantics.program import Apply, Check, Const, Expr, Local, Op
from kvmcheck.semantics.sorts import (
    BOOL,
    UNSET,
    EnumSort,
    IdSort,
    IntSort,
    ListSort,
    ObjectPointerSort,
    OptionalSort,
    SeqSort,
    SetSort,
    Sort,
    UnionSort,
    Value,
    WordSort,
)
from tests.support.build import Builder

NUMBER = IntSort(-20, 20)
GFN = IdSort("Gfn", 3, ordered=False)
POINTER = ObjectPointerSort("Desc", 2)
LIST = ListSort(NUMBER, 2, scenario_sized=False)
GFNS, NUMBERS = SetSort(GFN), SetSort(IntSort(-1, 3))
MAYBE = OptionalSort(GFN)
WORD = WordSort("W", (("flag", BOOL, 0), ("gfn", MAYBE, None)))
UNION = UnionSort("U", (("empty", None), ("one", GFN)))


def evaluated(expression: Expr, locals_: tuple[Value, ...] = ()) -> Value:
    """The value of an expression in an empty program."""
    b = Builder()
    b.process("p").pause()
    program = b.program(["p"])
    return value_of(expression, Scope(program, SeqNumbering(program), (), locals=locals_))


def applied(op: Op, *operands: tuple[Value, Sort], sort: Sort = NUMBER, data: int = 0) -> Value:
    """The value of an operator's application to constants."""
    return evaluated(Apply(op, tuple(Const(value, kind) for value, kind in operands), sort, data))


@pytest.mark.parametrize(
    ("op", "a", "b", "expected"),
    [
        (Op.ADD, 2, 3, 5),
        (Op.SUBTRACT, 2, 3, -1),
        (Op.MULTIPLY, -2, 3, -6),
        (Op.DIVIDE, 7, 2, 3),
        (Op.DIVIDE, -7, 2, -3),
        (Op.DIVIDE, 7, -2, -3),
        (Op.MODULO, -7, 2, -1),
        (Op.MODULO, 7, -2, 1),
        (Op.LESS, 2, 3, 1),
        (Op.LESS, 3, 3, 0),
        (Op.LESS_EQUAL, 3, 3, 1),
        (Op.BIT_AND, 6, 3, 2),
        (Op.BIT_OR, 6, 3, 7),
        (Op.BIT_XOR, 6, 3, 5),
        (Op.SHIFT_LEFT, 3, 2, 12),
        (Op.SHIFT_RIGHT, 12, 2, 3),
    ],
)
def test_arithmetic_is_that_of_c(op: Op, a: int, b: int, expected: int) -> None:
    assert applied(op, (a, NUMBER), (b, NUMBER)) == expected


def test_words_unions_lists_and_sets() -> None:
    word, empty, one = ((1, 2), WORD), ((0,), UNION), ((1, 2), UNION)
    assert applied(Op.FIELD, word, data=1) == 2
    assert applied(Op.WITH, word, (None, MAYBE), data=1, sort=WORD) == (1, None)
    assert applied(Op.MAKE, (0, BOOL), (1, MAYBE), sort=WORD) == (0, 1)
    assert applied(Op.ARM_IS, one, data=1) == 1
    assert applied(Op.ARM_IS, empty, data=1) == 0
    assert applied(Op.ARM_GET, one, data=1) == 2
    assert applied(Op.ARM_MAKE, data=0, sort=UNION) == (0,)
    assert applied(Op.LIST_PUSH, ((1,), LIST), (2, NUMBER), sort=LIST) == (1, 2)
    assert applied(Op.LIST_POP, ((1, 2), LIST), sort=LIST) == (1,)
    assert applied(Op.LIST_LAST, ((1, 2), LIST)) == 2
    assert applied(Op.LIST_AT, ((1, 2), LIST), (0, NUMBER)) == 1
    assert applied(Op.IN, (2, NUMBER), ((1, 2), LIST)) == 1
    assert applied(Op.DISTINCT, ((1, 1), LIST)) == 0
    assert applied(Op.SET_MAKE, (0, GFN), (2, GFN), sort=GFNS) == 0b101
    assert applied(Op.SET_ADD, (0b001, GFNS), (2, GFN)) == 0b101
    assert applied(Op.SET_REMOVE, (0b101, GFNS), (2, GFN)) == 0b001
    assert applied(Op.SET_MINUS, (0b111, GFNS), (0b101, GFNS)) == 0b010
    assert applied(Op.SET_UNION, (0b001, GFNS), (0b100, GFNS)) == 0b101
    assert applied(Op.SET_INTERSECT, (0b011, GFNS), (0b110, GFNS)) == 0b010
    assert applied(Op.SIZE, (0b101, GFNS)) == 2
    assert applied(Op.SIZE, ((1, 1), LIST)) == 2
    assert applied(Op.IN, (1, GFN), (0b010, GFNS)) == 1


def test_a_set_of_numbers_counts_from_the_least() -> None:
    assert applied(Op.SET_ADD, (0, NUMBERS), (-1, NUMBER)) == 1
    assert applied(Op.IN, (-1, NUMBER), (1, NUMBERS)) == 1
    assert applied(Op.IN, (-5, NUMBER), (1, NUMBERS)) == 0


def test_equality_sees_addresses_and_not_stale_marks() -> None:
    assert applied(Op.EQUAL, (~1, POINTER), (1, POINTER)) == 1
    assert applied(Op.EQUAL, (~1, POINTER), (0, POINTER)) == 0
    assert applied(Op.NOT_EQUAL, (None, POINTER), (0, POINTER)) == 1
    assert applied(Op.EQUAL, (None, MAYBE), (None, MAYBE)) == 1
    assert applied(Op.EQUAL, (1, MAYBE), (1, GFN)) == 1
    assert applied(Op.IN, (~1, POINTER), (0b10, SetSort(POINTER))) == 1


def test_short_circuits_do_not_look_further() -> None:
    unset = Local(0, BOOL)
    yes, no = Const(1, BOOL), Const(0, BOOL)
    for op, parts, expected in (
        (Op.AND, (no, unset), 0),
        (Op.OR, (yes, unset), 1),
        (Op.IMPLIES, (no, unset), 1),
        (Op.IF, (yes, no, unset), 0),
    ):
        assert evaluated(Apply(op, parts, BOOL), (UNSET,)) == expected


def test_a_number_fits_wraps_or_is_refused() -> None:
    small, wraps = IntSort(0, 3), IntSort(0, 3, wrap=True)
    assert applied(Op.FIT, (3, NUMBER), sort=small) == 3
    assert applied(Op.FIT, (4, NUMBER), sort=wraps) == 0
    assert applied(Op.FIT, (-1, NUMBER), sort=wraps) == 3
    assert applied(Op.FIT, (2, NUMBER), sort=IdSort("Slot", 3, ordered=True)) == 2


@pytest.mark.parametrize(
    ("op", "operands", "sort", "check"),
    [
        (Op.FIT, [(4, NUMBER)], IntSort(0, 3), Check.NO_OUT_OF_BOUNDS),
        (Op.FIT, [(3, NUMBER)], IdSort("Slot", 3, ordered=True), Check.NO_OUT_OF_BOUNDS),
        (Op.DIVIDE, [(1, NUMBER), (0, NUMBER)], NUMBER, Check.NO_OUT_OF_BOUNDS),
        (Op.MODULO, [(1, NUMBER), (0, NUMBER)], NUMBER, Check.NO_OUT_OF_BOUNDS),
        (Op.SHIFT_LEFT, [(1, NUMBER), (-1, NUMBER)], NUMBER, Check.NO_OUT_OF_BOUNDS),
        (Op.UNWRAP, [(None, MAYBE)], GFN, Check.NO_OUT_OF_BOUNDS),
        (Op.LESS, [(None, OptionalSort(NUMBER)), (1, NUMBER)], BOOL, Check.NO_OUT_OF_BOUNDS),
        (Op.IN, [(None, MAYBE), (1, GFNS)], BOOL, Check.NO_OUT_OF_BOUNDS),
        (Op.ARM_GET, [((1, 2), UNION)], GFN, Check.NO_OUT_OF_BOUNDS),
        (Op.LIST_POP, [((), LIST)], LIST, Check.NO_OUT_OF_BOUNDS),
        (Op.LIST_LAST, [((), LIST)], NUMBER, Check.NO_OUT_OF_BOUNDS),
        (Op.LIST_AT, [((1,), LIST), (1, NUMBER)], NUMBER, Check.NO_OUT_OF_BOUNDS),
        (Op.LIST_PUSH, [((1, 2), LIST), (3, NUMBER)], LIST, Check.NO_OUT_OF_BOUNDS),
        (Op.OBJECT, [(None, POINTER)], POINTER, Check.NO_USE_AFTER_FREE),
        (Op.OBJECT, [(~0, POINTER)], POINTER, Check.NO_USE_AFTER_FREE),
    ],
)
def test_what_can_go_wrong_is_a_named_check(
    op: Op, operands: list[tuple[Value, Sort]], sort: Sort, check: Check
) -> None:
    with pytest.raises(Broken) as caught:
        applied(op, *operands, sort=sort)
    assert caught.value.check is check
    assert not caught.value.overflow


def test_a_list_that_the_scenario_sized_overflows_without_blame() -> None:
    with pytest.raises(Broken) as caught:
        applied(Op.LIST_PUSH, ((1, 2), LIST), (3, NUMBER), sort=LIST, data=1)
    assert caught.value.overflow


def test_a_local_that_holds_nothing_is_named() -> None:
    with pytest.raises(Broken, match="holds nothing yet") as caught:
        evaluated(Local(0, BOOL), (UNSET,))
    assert caught.value.check is Check.NO_UNSET_READ


def test_an_enum_is_a_number() -> None:
    access = EnumSort("Access", ("READ", "WRITE"))
    assert applied(Op.EQUAL, (1, access), (1, access)) == 1


def test_the_successor_of_a_wrapping_seq_wraps() -> None:
    assert applied(Op.NEXT, (2, SeqSort(3)), sort=SeqSort(3)) == 0
    assert applied(Op.NEXT, (2, SeqSort()), sort=SeqSort()) == 3
