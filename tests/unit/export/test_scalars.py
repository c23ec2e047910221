# SPDX-License-Identifier: GPL-2.0-only
"""Scalar expressions say the same when they are simplified."""

from __future__ import annotations

import pytest

from kvmcheck.export.scalars import (
    FALSE,
    TRUE,
    Apply,
    Cell,
    Kind,
    Members,
    Number,
    Operator,
    Symbol,
    Unset,
    arithmetic,
    as_number,
    as_truth,
    conjunction,
    disjunction,
    either,
    equal,
    facts_in,
    has,
    is_unset,
    negation,
    quantified,
    size_of,
    substituted,
    with_member,
    without_member,
)

X = Cell("x", "", (), Kind.INT)
B = Cell("b", "", (), Kind.BOOL)
S = Cell("s", "", (), Kind.SET)
G = Symbol("g", Kind.INT, 0, 1)


def test_what_is_known_does_not_reach_the_text() -> None:
    assert conjunction((TRUE, B)) == B
    assert conjunction((B, FALSE)) == FALSE
    assert conjunction((B, negation(B))) == FALSE
    assert disjunction((B, negation(B))) == TRUE
    assert negation(negation(B)) == B
    assert either(TRUE, X, Number(1)) == X
    assert either(B, TRUE, FALSE) == B
    assert either(B, FALSE, TRUE) == negation(B)
    assert equal(X, X) == TRUE
    assert equal(Number(1, "one"), Number(1)) == TRUE
    assert equal(G, Number(5)) == FALSE
    assert as_truth(as_number(B)) == B
    assert equal(as_number(B), Number(1)) == B


def test_what_holds_nothing_equals_nothing_by_accident() -> None:
    assert is_unset(Unset(Kind.INT)) == TRUE
    assert is_unset(Number(3)) == FALSE
    assert is_unset(either(B, Unset(Kind.INT), X)) == disjunction((B, is_unset(X)))


@pytest.mark.parametrize(
    ("a", "b", "quotient", "remainder"), [(7, 2, 3, 1), (-7, 2, -3, -1), (7, -2, -3, 1), (-7, -2, 3, -1)]
)
def test_division_is_towards_zero(a: int, b: int, quotient: int, remainder: int) -> None:
    assert arithmetic(Operator.DIVIDE, Number(a), Number(b)) == Number(quotient)
    assert arithmetic(Operator.MODULO, Number(a), Number(b)) == Number(remainder)


def test_division_by_zero_is_left_to_the_check_before_it() -> None:
    assert arithmetic(Operator.DIVIDE, Number(1), Number(0)) == Apply(
        Operator.DIVIDE, (Number(1), Number(0)), Kind.INT
    )


def test_a_set_knows_what_was_put_in_and_taken_out() -> None:
    assert has(with_member(S, G), G) == TRUE
    assert has(without_member(S, G), G) == FALSE
    assert has(without_member(S, Number(1)), Number(0)) == has(S, Number(0))
    assert has(Members(3, 2), G) == TRUE
    assert has(Members(1, 2), G) != TRUE
    assert size_of(Members(5, 3), 3) == Number(2)


def test_a_symbol_is_replaced_wherever_it_stands() -> None:
    element = Cell("a", "", (G,), Kind.INT)
    condition = quantified(True, Symbol("h", Kind.INT, 0, 2), equal(element, Symbol("h", Kind.INT, 0, 2)))

    assert substituted(equal(element, G), {G: Number(1)}) == equal(
        Cell("a", "", (Number(1),), Kind.INT), Number(1)
    )
    assert substituted(condition, {G: Number(0)}) != condition


def test_a_quantifier_over_one_value_is_its_body() -> None:
    only = Symbol("only", Kind.INT, 0, 0)
    assert quantified(False, only, equal(X, only)) == equal(X, Number(0))


def test_the_parts_of_a_fact_are_facts() -> None:
    assert set(facts_in(conjunction((B, equal(X, Number(1)))))) >= {B, equal(X, Number(1))}
    assert negation(B) in facts_in(negation(disjunction((B, equal(X, Number(1))))))
    assert B not in facts_in(disjunction((B, equal(X, Number(1)))))
