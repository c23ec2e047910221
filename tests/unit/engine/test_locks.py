# SPDX-License-Identifier: GPL-2.0-only
"""Locks: exclusion, deadlock, order, misuse, sleeping, as evaluator and engine both have it."""

from __future__ import annotations

from functools import partial

import pytest

from kvmcheck.semantics.program import Check, HeldMode
from kvmcheck.semantics.sorts import BOOL, LockFlavour
from kvmcheck.semantics.verdict import Verdict
from tests.support.build import Builder, Code, both, const, equal, ids, no, plus
from tests.support.reference import agree, verdict


def increments(*, locked: bool) -> Builder:
    """Two threads that each read, add one and write."""
    b = Builder()
    x, done, lock = b.shared("x"), b.ghost("done"), b.lock("lock")
    p = b.process("p")
    a = p.local("a")
    if locked:
        p.lock(lock)
    p.load(a, x)
    p.store(x, plus(a, 1))
    p.ghost(done, plus(done.read(), 1))
    if locked:
        p.unlock(lock)
    b.invariant("nothing_lost", equal(x.read(), done.read()))
    return b


def test_an_unlocked_increment_is_lost() -> None:
    result = agree(increments(locked=False).program(["p", "p"]))
    assert verdict(result, "nothing_lost") is Verdict.VIOLATED
    assert len(result.properties[0].traces[0].steps) == 4


def test_a_locked_increment_is_not_lost() -> None:
    result = agree(increments(locked=True).program(["p", "p", "p"]))
    assert verdict(result, "nothing_lost") is Verdict.HOLDS
    assert result.coverage.unreached == ()


def crossed(*, tries: bool = False) -> Builder:
    """Two threads that take two locks in opposite orders."""
    b = Builder()
    first, second = b.lock("first"), b.lock("second")
    for name, one, other in (("p", first, second), ("q", second, first)):
        p = b.process(name)
        got = p.local("got", BOOL)
        p.lock(one)
        if tries:
            p.lock(other, target=got)
            p.branch(got, partial(p.unlock, other))
        else:
            p.lock(other)
            p.unlock(other)
        p.unlock(one)
    return b


def test_crossed_locks_deadlock_and_their_order_is_a_cycle() -> None:
    result = agree(crossed().program(["p", "q"], checks=[Check.NO_DEADLOCK, Check.LOCK_ORDER]))
    assert verdict(result, "no_deadlock") is Verdict.VIOLATED
    assert verdict(result, "lock_order") is Verdict.VIOLATED
    cycle = next(r for r in result.properties if r.property == "lock_order").traces[0].violation
    assert cycle is not None
    assert cycle.text.count("is held while") == 2
    assert "made/by/hand.kvm:" in cycle.text


def test_a_trylock_neither_waits_nor_orders() -> None:
    result = agree(crossed(tries=True).program(["p", "q"], checks=[Check.NO_DEADLOCK, Check.LOCK_ORDER]))
    assert verdict(result, "no_deadlock") is Verdict.HOLDS
    assert verdict(result, "lock_order") is Verdict.HOLDS


def test_taking_a_lock_twice_is_misuse() -> None:
    b = Builder()
    lock = b.lock("lock")
    p = b.process("p")
    p.lock(lock)
    p.lock(lock)
    assert verdict(agree(b.program(["p"])), "no_lock_misuse") is Verdict.VIOLATED


def test_dropping_a_lock_that_another_holds_is_misuse() -> None:
    b = Builder()
    lock = b.lock("lock")
    p, q = b.process("p"), b.process("q")
    p.lock(lock)
    p.unlock(lock)
    q.unlock(lock)
    assert verdict(agree(b.program(["p", "q"])), "no_lock_misuse") is Verdict.VIOLATED


def test_a_process_may_not_end_holding_a_lock() -> None:
    b = Builder()
    locks = b.lock("lock", LockFlavour.RWSEM, [ids("Vcpu", 2)])
    p = b.process("p", ("v", ids("Vcpu", 2)))
    p.lock(locks.at(p.parameter()), shared=True)
    result = agree(b.program([("p", (0,)), ("p", (1,))]))
    assert verdict(result, "no_lock_misuse") is Verdict.VIOLATED


@pytest.mark.parametrize("flavour", [LockFlavour.RWLOCK, LockFlavour.RWSEM])
def test_readers_share_and_writers_do_not(flavour: LockFlavour) -> None:
    b = Builder()
    lock, inside = b.lock("lock", flavour), b.ghost("inside")
    reader, writer = b.process("reader"), b.process("writer")
    for p, shared in ((reader, True), (writer, False)):
        p.lock(lock, shared=shared)
        p.ghost(inside, plus(inside.read(), 1))
        p.unlock(lock, shared=shared)
        p.ghost(inside, plus(inside.read(), -1))
    b.invariant("one_at_a_time", no(equal(inside.read(), const(2))))
    b.invariant(
        "not_beside_a_writer", no(both(lock.held(mode=HeldMode.WRITE), lock.held(mode=HeldMode.READ)))
    )
    program = b.program(["reader", "reader", "writer"], checks=[Check.NO_DEADLOCK])
    result = agree(program)
    assert verdict(result, "one_at_a_time") is Verdict.VIOLATED
    assert verdict(result, "not_beside_a_writer") is Verdict.HOLDS
    assert verdict(result, "no_deadlock") is Verdict.HOLDS


@pytest.mark.parametrize(("flavour", "expected"), [(LockFlavour.MUTEX, True), (LockFlavour.SPINLOCK, False)])
def test_a_mutex_under_a_spinlock_may_sleep(flavour: LockFlavour, expected: bool) -> None:
    b = Builder()
    outer, inner = b.lock("outer"), b.lock("inner", flavour)
    p = b.process("p")
    p.lock(outer)
    p.lock(inner)
    p.unlock(inner)
    p.unlock(outer)
    result = agree(b.program(["p", "p"], checks=[Check.NO_SLEEP_IN_ATOMIC]))
    assert (verdict(result, "no_sleep_in_atomic") is Verdict.VIOLATED) == expected


def handled(*, masked: bool, sleeps: bool = False) -> Builder:
    """A process that holds a lock, and a handler that takes it too."""
    b = Builder()
    lock, pending = b.lock("lock"), b.shared("pending", BOOL)
    p, q = b.process("p"), b.process("q")
    if masked:
        p.irq(disable=True)
    p.lock(lock)
    p.unlock(lock)
    if masked:
        p.irq(disable=False)
    handler: Code = p.interrupt(equal(pending.read(), const(1, BOOL)))
    handler.store(pending, const(0, BOOL))
    if sleeps:
        handler.might_sleep()
    handler.lock(lock)
    handler.unlock(lock)
    q.store(pending, const(1, BOOL))
    return b


def test_an_interrupt_under_its_own_lock_is_found() -> None:
    result = agree(handled(masked=False).program(["p", "q"], checks=[Check.NO_DEADLOCK]))
    assert verdict(result, "no_lock_misuse") is Verdict.VIOLATED


def test_disabled_interrupts_protect_the_lock() -> None:
    result = agree(handled(masked=True).program(["p", "q"], checks=[Check.NO_DEADLOCK]))
    assert [r.property for r in result.properties] == ["no_deadlock"]
    assert verdict(result, "no_deadlock") is Verdict.HOLDS


def test_a_handler_may_not_sleep() -> None:
    program = handled(masked=True, sleeps=True).program(["p", "q"], checks=[Check.NO_SLEEP_IN_ATOMIC])
    assert verdict(agree(program), "no_sleep_in_atomic") is Verdict.VIOLATED
