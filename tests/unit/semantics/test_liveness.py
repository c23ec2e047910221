# SPDX-License-Identifier: GPL-2.0-only
"""Which locals are live, and which surely hold a value."""

from __future__ import annotations

from kvmcheck.semantics.liveness import Liveness, live_locals, surely_assigned
from kvmcheck.semantics.sorts import BOOL
from tests.support.build import Builder, const, no, plus


def test_a_local_is_live_from_its_value_to_its_last_reader() -> None:
    b = Builder()
    x = b.shared("x")
    p = b.process("p")
    a = p.local("a")
    p.load(a, x)
    p.store(x, plus(a, 1))
    p.store(x, const(0))
    live = live_locals(p.body())
    assert [a.local in at for at in live] == [False, True, False, False]


def test_a_loop_keeps_alive_what_its_next_round_reads() -> None:
    b = Builder()
    x = b.shared("x")
    p = b.process("p")
    a, c = p.local("a"), p.local("c", BOOL)
    p.load(a, x)

    def again() -> None:
        p.store(x, a)
        p.choose(c)

    p.set(c, const(1, BOOL))
    p.loop(c, again)
    live = live_locals(p.body())
    assert all(a.local in live[number] for number in range(1, 5))
    assert a.local not in live[5]


def test_a_choice_reads_its_target_only_as_the_candidate() -> None:
    b = Builder()
    x = b.shared("x", BOOL)
    p = b.process("p")
    c, d = p.local("c", BOOL), p.local("d", BOOL)
    p.choose(c, None, no(c))
    p.choose(d, None, c)
    p.store(x, d)
    assert [sorted(at) for at in live_locals(p.body())] == [[], [c.local], [d.local], []]


def test_what_a_property_watches_is_kept_up_to_there_but_not_at_the_end() -> None:
    b = Builder()
    x = b.shared("x")
    p = b.process("p")
    a = p.local("a")
    p.load(a, x)
    p.store(x, const(1))
    p.store(x, const(2))
    p.watched[a.local] = frozenset({2, 3})
    kept = Liveness(p.body()).kept
    assert [a.local in at for at in kept] == [False, True, True, False]


def test_a_value_given_on_one_way_only_is_not_sure() -> None:
    b = Builder()
    x = b.shared("x")
    p = b.process("p")
    a, c = p.local("a"), p.local("c", BOOL)
    p.choose(c)
    p.branch(c, lambda: p.set(a, const(1)))
    store = p.store(x, const(1))
    p.set(a, const(1))
    sure = p.store(x, a)
    p.set(a, None)
    gone = p.store(x, const(2))
    assigned = surely_assigned(p.body())
    assert a.local not in assigned[store]
    assert a.local in assigned[sure]
    assert a.local not in assigned[gone]
    assert c.local in assigned[store]
