# SPDX-License-Identifier: GPL-2.0-only
"""What fits where, what a sort is called, and what arithmetic can give."""

from __future__ import annotations

import pytest

from kvmcheck.elaborate.coercion import Typed, arithmetic, coerce, comparable, constant, described
from kvmcheck.semantics.program import Apply, Const, Expr, Local, Op
from kvmcheck.semantics.sorts import BOOL, DEFAULT_INT, IdSort, IntSort, OptionalSort, SeqSort, SetSort, Sort
from kvmcheck.source.text import nowhere

GFN, SLOT = IdSort("Gfn", 2, False), IdSort("Slot", 3, True)


def of(sort: Sort) -> Typed:
    """A local of that sort."""
    return Typed(Local(0, sort), sort)


@pytest.mark.parametrize(
    ("have", "wanted", "op"),
    [
        (IntSort(0, 3), IntSort(0, 7), None),
        (IntSort(0, 9), IntSort(0, 7), Op.FIT),
        (GFN, OptionalSort(GFN), None),
        (OptionalSort(GFN), GFN, Op.UNWRAP),
        (IntSort(0, 1), BOOL, None),
        (IntSort(0, 3), SLOT, Op.FIT),
        (SLOT, IntSort(0, 2), None),
    ],
)
def test_a_value_is_converted_where_the_language_does_so(have: Sort, wanted: Sort, op: Op | None) -> None:
    fitted = coerce(of(have), wanted, nowhere())

    assert (fitted.op if isinstance(fitted, Apply) else None) is op
    assert isinstance(fitted, Apply | Local)


@pytest.mark.parametrize(
    ("have", "wanted"),
    [(GFN, SLOT), (IntSort(0, 3), BOOL), (IntSort(0, 1), GFN), (SeqSort(), IntSort(0, 3))],
)
def test_a_value_that_does_not_fit_is_refused(have: Sort, wanted: Sort) -> None:
    assert coerce(of(have), wanted, nowhere()) is None


def test_only_like_things_are_compared() -> None:
    assert comparable(GFN, OptionalSort(GFN))
    assert comparable(SLOT, IntSort(0, 9))
    assert not comparable(GFN, IntSort(0, 9))
    assert not comparable(SetSort(GFN), GFN)


@pytest.mark.parametrize(
    ("op", "low", "high"),
    [(Op.ADD, -1, 9), (Op.SUBTRACT, -3, 7), (Op.MULTIPLY, -6, 18), (Op.DIVIDE, -6, 6), (Op.MODULO, 0, 3)],
)
def test_arithmetic_knows_how_far_its_result_can_reach(op: Op, low: int, high: int) -> None:
    left, right = of(IntSort(0, 6)), of(IntSort(-1, 3))

    assert arithmetic(op, left, right, nowhere()).sort == IntSort(low, high)


@pytest.mark.parametrize(("a", "b", "quotient", "rest"), [(-7, 2, -3, -1), (7, -2, -3, 1), (-7, -2, 3, -1)])
def test_constants_are_divided_as_in_c(a: int, b: int, quotient: int, rest: int) -> None:
    left, right = (Typed(Const(n, IntSort(n, n)), IntSort(n, n)) for n in (a, b))

    assert constant(arithmetic(Op.DIVIDE, left, right, nowhere()).expr) == quotient
    assert constant(arithmetic(Op.MODULO, left, right, nowhere()).expr) == rest


def test_an_expression_with_a_variable_is_no_constant() -> None:
    made: Expr = Apply(Op.ADD, (Const(1, DEFAULT_INT), Local(0, DEFAULT_INT)), DEFAULT_INT)

    assert constant(made) is None


@pytest.mark.parametrize(
    ("sort", "words"),
    [
        (GFN, "a Gfn"),
        (DEFAULT_INT, "an int"),
        (IntSort(3, 3), "the number 3"),
        (IntSort(0, 3), "an int 0..3"),
    ],
)
def test_a_sort_is_spoken_of_with_its_article(sort: Sort, words: str) -> None:
    assert described(sort) == words
