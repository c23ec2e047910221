# SPDX-License-Identifier: GPL-2.0-only
"""Steps as docs/development/semantics.md has them."""

from __future__ import annotations

from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.outcome import Ending
from kvmcheck.semantics.program import OldValue
from kvmcheck.semantics.sorts import BOOL, UNSET
from tests.support.build import SEQ, SMALL, Builder, const, equal, following, no, plus


def test_a_step_ends_just_before_the_next_access() -> None:
    b = Builder()
    x, g = b.shared("x"), b.ghost("g")
    p = b.process("p")
    a = p.local("a")
    p.skip()
    p.load(a, x)
    p.ghost(g, plus(a, 1))
    p.fence()
    p.store(x, a)
    evaluator = Evaluator(b.program(["p"]))
    (start,) = evaluator.initial_states()
    assert start.after.threads[0].pc == 0
    (first,) = evaluator.steps(start.after)
    assert (first.nodes, first.node) == ((0, 1, 2, 3), 1)
    assert first.after.values == ((0,), (1,))
    assert (first.after.threads[0].pc, first.after.threads[0].locals) == (4, (0,))
    (second,) = evaluator.steps(first.after)
    assert second.after.threads[0].locals == (UNSET,)
    assert evaluator.has_ended(second.after, 0)
    assert list(evaluator.ways(second.after, 0)) == []


def test_a_violation_shows_what_was_done_before_it() -> None:
    b = Builder()
    x, g = b.shared("x"), b.ghost("g")
    p = b.process("p")
    a = p.local("a")
    p.load(a, x)
    p.ghost(g, const(3))
    broken = p.claim(equal(a, const(1)), "a is not 1")
    p.store(x, const(2))
    evaluator = Evaluator(b.program(["p"]))
    (start,) = evaluator.initial_states()
    (step,) = evaluator.steps(start.after)
    assert step.ending is Ending.BROKEN
    assert step.violation is not None
    assert (step.violation.property, step.violation.text) == ("no_assertion_failure", "a is not 1")
    assert (step.node, step.nodes[-1]) == (0, broken)
    assert step.after.values == ((0,), (3,))
    assert step.after.threads[0].locals == (0,)


def test_a_seq_is_a_number_that_never_wraps() -> None:
    b = Builder()
    s = b.home("s")
    p = b.process("p")
    p.forever(lambda: p.update(s, following(OldValue(SEQ))))
    evaluator = Evaluator(b.program(["p"]))
    (start,) = evaluator.initial_states()
    state = start.after
    for number in range(1, 300):
        (step,) = evaluator.steps(state)
        state = step.after
        assert state.values == ((number,),)


def test_with_two_homes_a_number_knows_its_home() -> None:
    b = Builder()
    one, two, copy = b.home("one"), b.home("two"), b.shared("copy", SEQ)
    p = b.process("p")
    p.update(two, following(OldValue(SEQ)))
    evaluator = Evaluator(b.program(["p"]))
    (start,) = evaluator.initial_states()
    assert (start.after.values[one.number], start.after.values[two.number]) == ((0,), (1,))
    assert start.after.values[copy.number] == (2,)
    (step,) = evaluator.steps(start.after)
    assert step.after.values[two.number] == (4,)


def test_the_handler_runs_instead_and_its_locals_go_with_it() -> None:
    b = Builder()
    x = b.shared("x")
    p = b.process("p")
    a = p.local("a")
    p.load(a, x)
    p.store(x, a)
    handler = p.interrupt(const(1, BOOL))
    h = handler.local("h", SMALL)
    handler.load(h, x)
    handler.store(x, plus(h, 1))
    evaluator = Evaluator(b.program(["p"]))
    (start,) = evaluator.initial_states()
    main, entry = evaluator.steps(start.after)
    assert (main.handler, entry.handler) == (False, True)
    (loaded,) = evaluator.steps(entry.after)
    assert loaded.after.threads[0].handler_locals == (0,)
    (returned,) = evaluator.steps(loaded.after)
    assert (returned.after.threads[0].handler_pc, returned.after.threads[0].handler_locals) == (None, ())
    assert returned.after.threads[0].pc == 0
    assert returned.after.values == ((1,),)


def test_a_blocked_way_is_no_step() -> None:
    b = Builder()
    lock, flag = b.lock("lock"), b.shared("flag", BOOL)
    p, q = b.process("p"), b.process("q")
    p.lock(lock)
    p.unlock(lock)
    q.wait(flag.read())
    evaluator = Evaluator(b.program(["p", "p", "q"]))
    (start,) = evaluator.initial_states()
    held, _ = evaluator.steps(start.after)
    assert [way.ending for way in evaluator.ways(held.after, 1)] == [Ending.BLOCKED]
    assert [way.ending for way in evaluator.ways(held.after, 2)] == [Ending.BLOCKED]
    assert not evaluator.is_deadlock(held.after)


def test_an_assumption_that_fails_leaves_no_initial_state_that_way() -> None:
    b = Builder()
    x = b.shared("x", BOOL)
    init = b.initially()
    c = init.local("c", BOOL)
    init.choose(c)
    init.assume(no(c))
    init.store(x, c)
    b.process("p").pause()
    outcomes = list(Evaluator(b.program(["p"])).initial_states())
    assert [outcome.ending for outcome in outcomes] == [Ending.DONE, Ending.EMPTY]
