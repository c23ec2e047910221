# SPDX-License-Identifier: GPL-2.0-only
"""Choices, atomic blocks, pauses, covers, coverage, initial states, interrupts."""

from __future__ import annotations

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import explore
from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.outcome import Ending
from kvmcheck.semantics.program import Check, Op
from kvmcheck.semantics.sorts import BOOL, IntSort, SetSort
from kvmcheck.semantics.verdict import Verdict
from tests.support.build import SMALL, Builder, apply, both, const, differ, equal, ids, no, plus
from tests.support.reference import agree, verdict

GFN = ids("Gfn", 3)


def test_a_choice_belongs_to_the_step_of_the_access_behind_it() -> None:
    b = Builder()
    x = b.shared("x", SMALL, [GFN])
    p = b.process("p")
    g = p.local("g", GFN)
    p.choose(g)
    p.store(x.at(g), const(1))
    program = b.program(["p"])
    evaluator = Evaluator(program)
    (start,) = evaluator.initial_states()
    steps = list(evaluator.steps(start.after))
    assert [step.nodes for step in steps] == [(0, 1)] * 3
    assert [step.node for step in steps] == [1] * 3
    assert agree(program).coverage.states == 4


def test_an_empty_choice_ends_the_run_and_is_no_deadlock() -> None:
    b = Builder()
    x, members = b.shared("x", SMALL, [GFN]), b.shared("members", SetSort(GFN))
    p = b.process("p")
    g, mask = p.local("g", GFN), p.local("mask", SetSort(GFN))
    p.load(mask, members)
    p.choose(g, mask)
    p.store(x.at(g), const(1))
    result = agree(b.program(["p"], checks=[Check.NO_DEADLOCK]))
    assert verdict(result, "no_deadlock") is Verdict.HOLDS
    assert len(result.coverage.empty_choices) == 1
    assert len(result.coverage.unreached) == 1


def test_a_choice_that_is_filled_once_is_not_called_empty() -> None:
    b = Builder()
    x = b.shared("x", BOOL, [GFN])
    p, q = b.process("p"), b.process("q")
    g = p.local("g", GFN)
    p.choose(g, None, x.read(g))
    p.store(x.at(g), const(0, BOOL))
    q.store(x.at(const(1, GFN)), const(1, BOOL))
    result = agree(b.program(["p", "q"]))
    assert result.coverage.empty_choices == ()
    assert result.coverage.unreached == ()


def test_an_atomic_block_is_one_step() -> None:
    b = Builder()
    x, y = b.shared("x"), b.shared("y")
    p = b.process("p")
    a = p.local("a")

    def exchange() -> None:
        p.load(a, x)
        p.store(x, plus(a, 1))
        p.store(y, plus(a, 1))

    p.atomic(exchange)
    p.atomic(exchange)
    b.invariant("together", equal(x.read(), y.read()))
    b.cover("twice", equal(x.read(), const(2)))
    result = agree(b.program(["p"]))
    assert verdict(result, "together") is Verdict.HOLDS
    assert result.coverage.states == 3
    assert result.covers[0].depth == 2


def test_an_atomic_block_waits_at_its_await() -> None:
    b = Builder()
    free = b.shared("free", BOOL, initial=1)
    p = b.process("p")

    def take() -> None:
        p.wait(free.read())
        p.store(free, const(0, BOOL))

    p.atomic(take)
    p.cover("taken")
    b.cover("taken")
    result = agree(b.program(["p", "p"], checks=[Check.NO_DEADLOCK]))
    assert verdict(result, "no_deadlock") is Verdict.VIOLATED
    broken = next(r for r in result.properties if r.property == "no_deadlock").traces[0].violation
    assert broken is not None
    assert "waits for ever" in broken.text


def test_spinning_is_no_deadlock_and_daemons_need_not_end() -> None:
    b = Builder()
    flag = b.shared("flag", BOOL)
    p, q = b.process("p"), b.process("q", daemon=True)
    a = p.local("a", BOOL)
    p.label("again")
    p.load(a, flag)
    p.branch(no(a), lambda: p.goto("again"))
    q.wait(flag.read())
    result = agree(b.program(["p", "q"], checks=[Check.NO_DEADLOCK]))
    assert verdict(result, "no_deadlock") is Verdict.HOLDS
    result = agree(b.program(["q"], checks=[Check.NO_DEADLOCK]))
    assert verdict(result, "no_deadlock") is Verdict.HOLDS


def test_each_way_through_init_is_an_initial_state() -> None:
    b = Builder()
    x, y = b.shared("x", GFN, initial=0), b.shared("y", GFN, initial=0)
    init = b.initially()
    g, h = init.local("g", GFN), init.local("h", GFN)
    init.choose(g)
    init.choose(h)
    init.assume(differ(g, h))
    init.store(x, g)
    init.store(y, h)
    p = b.process("p")
    p.load(p.local("a", GFN), x)
    b.invariant("different", differ(x.read(), y.read()))
    b.invariant("not_two", differ(x.read(), const(2, GFN)))
    result = agree(b.program(["p"]))
    assert result.coverage.states == 12
    assert verdict(result, "different") is Verdict.HOLDS
    assert result.properties[1].traces[0].steps == ()


def test_contradicting_assumptions_leave_nothing_to_check() -> None:
    b = Builder()
    init = b.initially()
    init.assume(const(0, BOOL))
    b.process("p").pause()
    b.invariant("anything", const(1, BOOL))
    result = explore(b.program(["p"]), budget=Budget())
    assert verdict(result, "anything") is Verdict.UNKNOWN
    assert result.coverage.stopped == "there is no initial state"


def test_an_init_block_that_breaks_a_check_is_a_violation_of_no_steps() -> None:
    b = Builder()
    x = b.shared("x")
    init = b.initially()
    a = init.local("a", IntSort(0, 4))
    init.choose(a)
    init.store(x, apply(Op.FIT, a, sort=SMALL))
    b.process("p").pause()
    b.invariant("anything", const(1, BOOL))
    result = explore(b.program(["p"]), budget=Budget())
    broken = next(r for r in result.properties if r.property == "no_out_of_bounds")
    assert broken.verdict is Verdict.VIOLATED
    assert broken.traces[0].steps == ()
    assert broken.traces[0].violation is not None


def test_a_cover_before_a_lock_that_is_never_free_is_not_reached() -> None:
    b = Builder()
    flag = b.shared("flag", BOOL)
    p = b.process("p")
    p.cover("before")
    p.wait(flag.read())
    p.cover("behind")
    b.cover("before")
    b.cover("behind")
    assert [cover.depth for cover in agree(b.program(["p"])).covers] == [None, None]


def test_the_trace_of_a_cover_ends_with_the_step_that_reaches_it() -> None:
    b = Builder()
    x = b.shared("x")
    p = b.process("p")
    a = p.local("a")
    p.store(x, const(2))
    p.load(a, x)
    p.branch(equal(a, const(1)), lambda: p.cover("seen"))
    q = b.process("q")
    q.store(x, const(1))
    b.cover("seen")
    (cover,) = agree(b.program(["p", "q"])).covers
    assert cover.depth == 3
    assert cover.trace is not None
    assert [step.thread for step in cover.trace.steps] == [0, 1, 0]
    assert cover.trace.violation is None


def test_a_handler_runs_between_any_two_steps_and_keeps_the_locals_of_the_body() -> None:
    b = Builder()
    pending, count = b.shared("pending", BOOL, initial=1), b.shared("count")
    x = b.shared("x")
    p = b.process("p")
    a, c = p.local("a"), p.local("c")
    p.load(a, x)
    p.load(c, count)
    p.store(x, plus(a, 1))
    handler = p.interrupt(pending.read())
    h = handler.local("h")
    handler.store(pending, const(0, BOOL))
    handler.load(h, count)
    handler.store(count, plus(h, 1))
    b.cover("late", both(equal(x.read(), const(1)), equal(count.read(), const(0))))
    b.cover("early", both(equal(x.read(), const(0)), equal(count.read(), const(1))))
    result = agree(b.program(["p"], checks=[Check.NO_DEADLOCK]))
    assert all(cover.depth is not None for cover in result.covers)
    assert verdict(result, "no_deadlock") is Verdict.HOLDS


def test_two_ways_that_join_meet_in_one_statement() -> None:
    b = Builder()
    x, y = b.shared("x"), b.shared("y")
    p = b.process("p")
    a, flag = p.local("a"), p.local("flag", BOOL)
    p.choose(flag)
    p.branch(flag, lambda: p.set(a, const(1)), lambda: p.set(a, const(2)))
    for _ in range(9):
        p.branch(equal(a, const(1)), lambda: p.ghost(y, const(1)), lambda: p.ghost(y, const(2)))
    p.store(x, a)
    b.invariant("same", equal(x.read(), y.read()))
    result = agree(b.program(["p"]))
    assert verdict(result, "same") is Verdict.HOLDS
    assert result.coverage.states == 3


def test_a_loop_over_a_set_visits_its_members_in_every_order() -> None:
    b = Builder()
    sort = SetSort(GFN)
    first = b.shared("first", GFN, initial=0)
    p = b.process("p")
    left, g, begun = p.local("left", sort), p.local("g", GFN), p.local("begun", BOOL)
    p.set(left, const(7, sort))
    p.set(begun, const(0, BOOL))

    def visit() -> None:
        p.choose(g, left)
        p.set(left, apply(Op.SET_REMOVE, left, g, sort=sort))
        p.branch(no(begun), lambda: p.store(first, g))
        p.set(begun, const(1, BOOL))

    p.loop(differ(left, const(0, sort)), visit)
    b.cover("two_first", equal(first.read(), const(2, GFN)))
    assert agree(b.program(["p"])).covers[0].depth == 1


def test_a_step_that_never_ends_is_unknown() -> None:
    b = Builder()
    p = b.process("p")
    a = p.local("a", BOOL)
    p.set(a, const(0, BOOL))
    p.forever(lambda: p.set(a, no(a)))
    b.invariant("anything", const(1, BOOL))
    program = b.program(["p"])
    result = explore(program, budget=Budget())
    assert verdict(result, "anything") is Verdict.UNKNOWN
    assert "never ends" in result.coverage.stopped
    evaluator = Evaluator(program)
    (start,) = evaluator.initial_states()
    (outcome,) = evaluator.ways(start.after, 0)
    assert outcome.ending is Ending.BROKEN
    assert outcome.violation is not None
    assert outcome.violation.overflow
