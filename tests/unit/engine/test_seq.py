# SPDX-License-Identifier: GPL-2.0-only
"""Seqs: numbers to the evaluator, classes to the engine, the same verdicts and only as many states as differ."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import explore
from kvmcheck.engine.reductions import UNREDUCED, Reductions
from kvmcheck.semantics.program import OldValue, Op
from kvmcheck.semantics.sorts import BOOL, SeqSort, WordSort
from kvmcheck.semantics.verdict import Verdict
from tests.support.build import SEQ, Builder, apply, both, const, differ, equal, following, no
from tests.support.reference import agree, verdict

NUMBERS = replace(UNREDUCED, seq=False)


def snapshots(*, rounds: bool, check: bool) -> Builder:
    """A fault that looks a page up under a snapshot, and a notifier that invalidates it."""
    b = Builder()
    s = b.home("seq")
    mapped, present = b.shared("mapped", BOOL, initial=1), b.shared("present", BOOL)
    lock = b.lock("lock")
    fault, notifier = b.process("fault"), b.process("notifier")
    copy, page, now = fault.local("copy", SEQ), fault.local("page", BOOL), fault.local("now", SEQ)
    fault.load(copy, s)
    fault.load(page, mapped)
    fault.lock(lock)
    fault.load(now, s)
    if check:
        fault.branch(
            equal(copy, now), lambda: fault.branch(page, lambda: fault.store(present, const(1, BOOL)))
        )
    else:
        fault.branch(page, lambda: fault.store(present, const(1, BOOL)))
    fault.unlock(lock)

    def invalidate() -> None:
        notifier.store(mapped, const(0, BOOL))
        notifier.lock(lock)
        notifier.update(s, following(OldValue(SEQ)))
        notifier.store(present, const(0, BOOL))
        notifier.unlock(lock)

    if rounds:
        notifier.forever(invalidate)
    else:
        invalidate()
    b.cover("stale", no(equal(s.read(), s.read())))
    b.invariant("present_is_mapped", no(both(present.read(), no(mapped.read()), no(lock.held()))))
    return b


def test_classes_and_numbers_have_the_same_verdict() -> None:
    for check in (True, False):
        program = snapshots(rounds=False, check=check).program(["fault", "fault", "notifier"])
        classes, numbers = agree(program), agree(program, NUMBERS)
        assert classes.coverage.states <= numbers.coverage.states
        assert [r.verdict for r in classes.properties] == [r.verdict for r in numbers.properties]


def test_any_number_of_increments_is_finitely_many_states() -> None:
    program = snapshots(rounds=True, check=True).program(["fault", "notifier"])
    assert explore(program, budget=Budget()).coverage.complete
    endless = explore(program, budget=Budget(states=2000), reductions=NUMBERS)
    assert not endless.coverage.complete


def test_stale_copies_that_are_never_compared_are_one_class() -> None:
    def states(compared: bool) -> int:
        b = Builder()
        s = b.home("s")
        p, q = b.process("p"), b.process("q")
        one, two, three = p.local("one", SEQ), p.local("two", SEQ), p.local("three", SEQ)
        for copy in (one, two, three):
            p.load(copy, s)
        p.pause()
        p.claim(equal(equal(one, two), equal(one, two)))
        p.claim(equal(three, three))
        q.forever(lambda: q.update(s, following(OldValue(SEQ))))
        return explore(b.program(["p", "q"], seq_compared=compared), budget=Budget()).coverage.states

    assert states(False) < states(True)


def test_comparing_stale_copies_is_exact() -> None:
    b = Builder()
    s = b.home("s")
    p, q = b.process("p"), b.process("q")
    one, two = p.local("one", SEQ), p.local("two", SEQ)
    p.load(one, s)
    p.load(two, s)
    p.pause()
    p.branch(
        equal(one, two),
        lambda: p.cover("equal"),
        lambda: p.cover("different"),
    )
    b.cover("equal")
    b.cover("different")
    for _ in range(3):
        q.update(s, following(OldValue(SEQ)))
    program = b.program(["p", "q"], seq_compared=True)
    for reductions in (UNREDUCED, NUMBERS):
        assert [cover.depth for cover in agree(program, reductions).covers] == [3, 4]


def test_a_seq_in_a_word_is_followed() -> None:
    word = WordSort("W", (("seq", SEQ, 0), ("valid", BOOL, 0)))
    b = Builder()
    s, w = b.home("s"), b.shared("w", word)
    p, q = b.process("p"), b.process("q")
    copy, got, now = p.local("copy", SEQ), p.local("got", word), p.local("now", SEQ)
    p.load(copy, s)
    p.store(w, apply(Op.MAKE, copy, const(1, BOOL), sort=word))
    p.load(got, w)
    p.load(now, s)
    p.branch(differ(apply(Op.FIELD, got, sort=SEQ), now), lambda: p.cover("changed"))
    b.cover("changed")
    q.forever(lambda: q.update(s, following(OldValue(SEQ))))
    assert agree(b.program(["p", "q"])).covers[0].depth == 5


def two_homes() -> Builder:
    """Copies of one home stored, by choice, beside another's."""
    b = Builder()
    one, two = b.home("one"), b.home("two")
    p = b.process("p")
    x, y = p.local("x", SEQ), p.local("y", SEQ)
    p.load(x, one)
    p.load(y, two)
    p.update(one, following(OldValue(SEQ)))
    p.update(two, following(OldValue(SEQ)))
    p.pause()
    p.claim(equal(x, y))
    return b


@pytest.mark.parametrize("reductions", [UNREDUCED, NUMBERS])
def test_copies_of_different_seqs_may_not_be_compared(reductions: Reductions) -> None:
    program = two_homes().program(["p", "p"], seq_compared=True)
    assert verdict(agree(program, reductions), "seq_lost_update") is Verdict.VIOLATED


def test_a_literal_zero_is_the_start_and_not_the_newest() -> None:
    b = Builder()
    s = b.home("s")
    p = b.process("p")
    now = p.local("now", SEQ)
    p.update(s, following(OldValue(SEQ)))
    p.load(now, s)
    p.claim(differ(now, const(0, SEQ)))
    assert agree(b.program(["p"])).properties == ()


def test_a_wrapping_seq_is_a_counter() -> None:
    sort = SeqSort(wrap=2)
    b = Builder()
    s = b.shared("s", sort)
    p, q = b.process("p"), b.process("q")
    copy, now = p.local("copy", sort), p.local("now", sort)
    p.load(copy, s)
    for _ in range(2):
        q.update(s, apply(Op.NEXT, OldValue(sort), sort=sort))
    p.load(now, s)
    p.branch(equal(copy, now), lambda: p.cover("aliased"))
    b.cover("aliased")
    assert agree(b.program(["p", "q"])).covers[0].depth == 2
