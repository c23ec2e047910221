# SPDX-License-Identifier: GPL-2.0-only
"""What a step does, in terms of the state before it; assignments one after the other; names."""

from __future__ import annotations

from kvmcheck.export.model import in_order
from kvmcheck.export.names import Names
from kvmcheck.export.scalars import (
    FALSE,
    TRUE,
    Cell,
    Kind,
    Number,
    Operator,
    Symbol,
    arithmetic,
    either,
    equal,
    negation,
)
from kvmcheck.export.trees import (
    Assign,
    Assignment,
    Blocked,
    Done,
    Empty,
    Fail,
    Fork,
    fails,
    goes,
    resolved,
    waits,
    writing,
)
from kvmcheck.semantics.program import Check
from kvmcheck.source.text import nowhere

X = Cell("x", "", (), Kind.INT)
Y = Cell("y", "", (), Kind.INT)
FREE = equal(X, Number(0))


def test_an_element_that_was_written_is_read_back_whichever_it_is() -> None:
    i, j = Symbol("i", Kind.INT, 0, 1), Symbol("j", Kind.INT, 0, 1)
    at_i, at_j = Cell("a", "", (i,), Kind.INT), Cell("a", "", (j,), Kind.INT)
    written = writing({}, (Assignment(at_i, Number(7)),))

    assert resolved(at_i, written) == Number(7)
    assert resolved(at_j, written) == either(equal(i, j), Number(7), at_j)
    assert resolved(Cell("a", "other", (i,), Kind.INT), written) == Cell("a", "other", (i,), Kind.INT)


def test_the_newest_of_two_writes_counts() -> None:
    written = writing(writing({}, (Assignment(X, Number(1)),)), (Assignment(X, Number(2)),))
    assert resolved(arithmetic(Operator.ADD, X, Number(1)), written) == Number(3)


def test_a_step_that_is_blocked_waits_and_one_without_a_choice_does_not() -> None:
    blocked = Fork(FREE, FREE, Assign((), (), Done()), Blocked())
    assert goes(blocked) == FREE
    assert waits(blocked) == negation(FREE)
    empty = Fork(FREE, FREE, Done(), Empty())
    assert goes(empty) == FREE
    assert waits(empty) == FALSE


def test_a_step_that_fails_is_a_step() -> None:
    fail = Fork(FREE, FREE, Done(), Fail(Check.NO_ASSERTION_FAILURE, "", nowhere()))
    assert goes(fail) == TRUE
    assert fails(fail) == negation(FREE)


def test_assignments_at_once_are_put_in_order_and_an_exchange_keeps_a_value() -> None:
    ordered, kept = in_order([Assignment(X, Number(1)), Assignment(Y, X)])
    assert [a.cell for a in ordered] == [Y, X]
    assert kept == []

    ordered, kept = in_order([Assignment(X, Y), Assignment(Y, X)])
    assert [(symbol.name, a) for symbol, a in kept] == [("kept_1", Assignment(X, Y))]
    assert [a.cell for a in ordered] == [Y, X]
    assert ordered[-1].value == kept[0][0]


def test_no_two_names_become_one() -> None:
    names = Names({"end"}, capitals=False)
    assert [names.take(text) for text in ("a.b", "a b", "end", "END", "9", "int", "")] == [
        "a_b",
        "a_b_2",
        "end_",
        "END_",
        "x9",
        "int_",
        "x",
    ]
    assert names.take_variable("SYNC") == "SYNC_v"
    assert names.inner().take("a_b") == "a_b_3"
    assert names.take("a_b_3") == "a_b_3_2"
