# SPDX-License-Identifier: GPL-2.0-only
"""Races and guards: what may be read and written without a lock, and what is said of it."""

from __future__ import annotations

import pytest

from kvmcheck.semantics.program import (
    Bound,
    Check,
    GuardBoth,
    GuardHeld,
    GuardMarked,
    GuardOwner,
    GuardRule,
    HeldMode,
    OldValue,
    Op,
    Order,
    PointerPlace,
    Read,
    Root,
)
from kvmcheck.semantics.sorts import BOOL, LockFlavour, PlacePointerSort
from kvmcheck.semantics.verdict import Verdict
from tests.support.build import SMALL, Builder, apply, const, equal, following, ids, plus
from tests.support.reference import agree, verdict

VCPU = ids("Vcpu", 2)


@pytest.mark.parametrize(
    ("reading", "writing", "races"),
    [
        (Order.PLAIN, Order.PLAIN, True),
        (Order.PLAIN, Order.ONCE, True),
        (Order.ONCE, Order.ONCE, False),
        (Order.RACE, Order.ONCE, False),
        (Order.ACQUIRE, Order.RELEASE, False),
    ],
)
def test_two_accesses_race_if_one_is_unmarked(reading: Order, writing: Order, races: bool) -> None:
    b = Builder()
    x = b.shared("x")
    p, q = b.process("p"), b.process("q")
    p.load(p.local("a"), x, reading)
    q.store(x, const(1), writing)
    result = agree(b.program(["p", "q"], checks=[Check.NO_DATA_RACE]))
    assert (verdict(result, "no_data_race") is Verdict.VIOLATED) == races


def test_a_race_names_both_statements_and_the_element() -> None:
    b = Builder()
    x = b.shared("x", SMALL, [VCPU])
    p = b.process("p", ("v", VCPU))
    a = p.local("a", VCPU)
    p.choose(a)
    p.store(x.at(a), const(1), Order.PLAIN)
    result = agree(b.program([("p", (0,)), ("p", (1,))], checks=[Check.NO_DATA_RACE]))
    broken = result.properties[0].traces[0].violation
    assert broken is not None
    assert "`x[0]`" in broken.text
    assert broken.text.count("writes it without a mark (made/by/hand.kvm:") == 2


def test_threads_that_touch_their_own_elements_do_not_race() -> None:
    b = Builder()
    x = b.shared("x", SMALL, [VCPU])
    p = b.process("p", ("v", VCPU))
    p.store(x.at(p.parameter()), const(1), Order.PLAIN)
    result = agree(b.program([("p", (0,)), ("p", (1,))], checks=[Check.NO_DATA_RACE]))
    assert verdict(result, "no_data_race") is Verdict.HOLDS


def test_hardware_does_not_race() -> None:
    b = Builder()
    x = b.shared("x")
    p, q = b.process("p"), b.process("q", hardware=True)
    p.store(x, const(1), Order.PLAIN)
    q.store(x, const(2), Order.PLAIN)
    result = agree(b.program(["p", "q"], checks=[Check.NO_DATA_RACE]))
    assert verdict(result, "no_data_race") is Verdict.HOLDS


def test_an_atomic_block_counts_as_marked() -> None:
    b = Builder()
    x = b.shared("x")
    p = b.process("p")
    p.atomic(lambda: p.store(x, const(1), Order.PLAIN))
    assert verdict(agree(b.program(["p", "p"], checks=[Check.NO_DATA_RACE])), "no_data_race") is Verdict.HOLDS


def written_under(order: Order, *, strict: bool, locked: bool) -> Builder:
    """A guarded variable, written under its lock, and read with or without."""
    b = Builder()
    lock = b.lock("lock")
    held = GuardHeld(lock.at(), HeldMode.ANY)
    x = b.shared("x", guard=GuardRule(held, held, strict, (), "written under lock"))
    p, q = b.process("p"), b.process("q")
    p.lock(lock)
    p.store(x, const(1), Order.PLAIN)
    p.unlock(lock)
    if locked:
        q.lock(lock)
    q.load(q.local("a"), x, order)
    if locked:
        q.unlock(lock)
    return b


def test_a_plain_read_outside_a_written_under_guard_is_a_race() -> None:
    program = written_under(Order.PLAIN, strict=False, locked=False).program(
        ["p", "q"], checks=[Check.NO_DATA_RACE]
    )
    assert verdict(agree(program), "no_data_race") is Verdict.VIOLATED


def test_a_known_race_is_listed_and_no_violation() -> None:
    program = written_under(Order.RACE, strict=False, locked=False).program(
        ["p", "q"], checks=[Check.NO_DATA_RACE]
    )
    result = agree(program)
    assert verdict(result, "no_data_race") is Verdict.HOLDS
    assert len(result.coverage.races) == 1


def test_a_guarded_variable_may_not_even_be_read_with_a_mark() -> None:
    program = written_under(Order.ONCE, strict=True, locked=False).program(["p", "q"])
    assert verdict(agree(program), "no_unguarded_access") is Verdict.VIOLATED


def test_the_lock_is_all_that_a_guard_asks() -> None:
    program = written_under(Order.PLAIN, strict=True, locked=True).program(
        ["p", "q"], checks=[Check.NO_DATA_RACE]
    )
    result = agree(program)
    assert [(r.property, r.verdict) for r in result.properties] == [("no_data_race", Verdict.HOLDS)]


@pytest.mark.parametrize("bare", [False, True])
def test_guards_of_owners_marks_and_locks_of_the_element(bare: bool) -> None:
    b = Builder()
    locks = b.lock("locks", LockFlavour.RWLOCK, [VCPU])
    v = Bound("v", VCPU)
    owner = GuardOwner(v)
    either = GuardBoth(
        (owner, GuardBoth((GuardHeld(locks.at(v), HeldMode.READ), GuardMarked()), every=True)), every=False
    )
    x = b.shared("x", SMALL, [VCPU], guard=GuardRule(either, either, True, ("v",), "owner(v)"))
    p = b.process("p", ("v", VCPU))
    a, other = p.local("a"), p.local("other", VCPU)
    p.store(x.at(p.parameter()), const(1), Order.PLAIN)
    p.choose(other)
    p.lock(locks.at(other), shared=True)
    p.load(a, x.at(other), Order.ONCE)
    p.unlock(locks.at(other), shared=True)
    if bare:
        p.store(x.at(other), const(2), Order.PLAIN)
    result = agree(b.program([("p", (0,)), ("p", (1,))]))
    assert [r.property for r in result.properties] == (["no_unguarded_access"] if bare else [])


def test_waiting_for_a_strictly_guarded_variable_needs_the_guard() -> None:
    b = Builder()
    lock = b.lock("lock")
    held = GuardHeld(lock.at(), HeldMode.ANY)
    x = b.shared("x", guard=GuardRule(held, held, True, (), "guarded by lock"))
    p = b.process("p")
    p.wait(equal(x.read(), const(0)))
    assert verdict(agree(b.program(["p"])), "no_unguarded_access") is Verdict.VIOLATED


def test_an_increment_that_comes_between_is_a_lost_update() -> None:
    b = Builder()
    s = b.home("s")
    p = b.process("p")
    copy = p.local("copy", s.sort)
    p.load(copy, s)
    p.store(s, following(copy))
    assert verdict(agree(b.program(["p", "p"])), "seq_lost_update") is Verdict.VIOLATED
    assert agree(b.program(["p"])).properties == ()


def test_atomics_of_two_threads_lose_nothing() -> None:
    b = Builder()
    x = b.shared("x")
    p = b.process("p")
    got = p.local("got")
    p.update(x, plus(OldValue(SMALL), 1), got, plus(OldValue(SMALL), 1))
    p.branch(equal(got, const(2)), lambda: p.cover("second"))
    b.cover("second")
    b.invariant("at_most_two", plus(x.read(), 1))
    result = agree(b.program(["p", "p"]))
    assert result.covers[0].depth == 2


@pytest.mark.parametrize("locked", [False, True])
def test_waiting_through_a_pointer_needs_the_guard_of_what_it_points_to(locked: bool) -> None:
    place = PlacePointerSort("int")
    b = Builder()
    lock = b.lock("lock")
    held = GuardHeld(lock.at(), HeldMode.ANY)
    rule = GuardRule(held, held, True, ("v",), "guarded by lock")
    x, y = b.shared("x"), b.shared("y", SMALL, [VCPU], guard=rule)
    b.roots["int"] = (Root("x", {"": x.number}, ()), Root("y", {"": y.number}, (False,)))
    p = b.process("p", ("v", VCPU))
    pointer, way = p.local("pointer", place), p.local("way", BOOL)
    p.choose(way)
    p.branch(
        way,
        lambda: p.set(pointer, apply(Op.POINT, sort=place)),
        lambda: p.set(pointer, apply(Op.POINT, p.parameter(), sort=place, data=1)),
    )
    if locked:
        p.lock(lock)
    p.wait(equal(Read(PointerPlace(pointer, "int", "", ()), SMALL), const(0)))
    if locked:
        p.unlock(lock)
    result = agree(b.program([("p", (0,)), ("p", (1,))]))
    assert [r.property for r in result.properties] == ([] if locked else ["no_unguarded_access"])
