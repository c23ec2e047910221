# SPDX-License-Identifier: GPL-2.0-only
"""A story says who did what, where it stands, and what changed; hidden things stay hidden."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

from kvmcheck.engine.result import Coverage
from kvmcheck.explain.story import account, scope_sentence, tell
from kvmcheck.pipeline import check
from kvmcheck.semantics.sorts import UNSET
from kvmcheck.semantics.witness import Trace
from tests.support.told import MAYBE, program, result, trace


def test_each_step_has_its_statement_its_place_and_the_function_it_models() -> None:
    row = tell(program(), trace(), "").rows[8]

    assert (row.number, row.thread, row.innermost.function) == (9, "vcpu", "tdp_page_fault")
    assert row.innermost.statement == "spte[gfn] = (Spte){ .present = true, .pfn = pfn }"
    assert row.innermost.spot.text == "specs/made_by_hand.kvm:8"
    assert row.innermost.kernel == "arch/x86/kvm/mmu.c v2.6.27"
    assert row.innermost.label == "install"
    assert row.breaks


def test_a_step_in_a_callee_knows_the_statement_that_called_it() -> None:
    row = tell(program(), trace(), "").rows[1]

    assert [(call.function, call.statement) for call in row.calls[1:]] == [
        ("tdp_page_fault", "pfn = gfn_to_pfn(gfn)"),
        ("gfn_to_pfn", "return READ_ONCE(pte[gfn])"),
    ]


def test_only_what_changed_is_told() -> None:
    story = tell(program(), trace(), "")

    assert [[change.text for change in row.changes] for row in story.rows] == [
        ["mmu_seq = 0"],
        ["pfn = pfn0"],
        ["pte[gfn0]: pfn0 -> none", "gfn = gfn0"],
        ["mmu_lock: free -> reclaim"],
        [],
        ["mmu_notifier_seq: 0 -> 1"],
        ["mmu_lock: reclaim -> free"],
        ["mmu_lock: free -> vcpu"],
        ["spte[gfn0].present: false -> true", "spte[gfn0].pfn: none -> pfn0"],
    ]


def test_a_parameter_that_repeats_its_caller_is_not_told() -> None:
    first = tell(program(), trace(), "").rows[0]

    assert "gfn" not in [change.name for change in first.changes]


def test_the_locks_that_each_thread_holds_are_told() -> None:
    rows = tell(program(), trace(), "").rows

    assert [(h.thread, h.locks) for h in rows[4].held] == [("reclaim", ("mmu_lock",))]
    assert rows[6].held == ()


def test_what_init_chose_is_told() -> None:
    assert tell(program(), trace(), "").start == ("pte[gfn0] = pfn0",)


def test_what_a_free_parameter_is_is_told_even_if_it_is_the_default(tmp_path: Path) -> None:
    spec = tmp_path / "free.kvm"
    spec.write_text(
        "param bool EARLY;\nshared int 0..1 x;\ninvariant one { x == 1 }\n"
        'scenario s "a parameter is free" {\n    EARLY = any;\n'
        "    process p { if (EARLY) x = 1; }\n    check one;\n}\n",
        encoding="utf-8",
    )
    told = check(spec).cases[0].account

    assert told is not None
    assert told.findings[0].stories[0].start == ("EARLY = false",)


def test_a_thread_that_takes_no_step_has_no_lane() -> None:
    alone = Trace(trace().initial, trace().steps[:2], None)

    assert tell(program(), alone, "").lanes == ("vcpu",)


def test_a_trace_without_steps_is_told() -> None:
    story = tell(program(), replace(trace(), steps=()), "")

    assert story.rows == ()
    assert story.broken is not None
    assert story.broken.reason.lines() == []


def test_the_claim_is_quoted_without_its_comments() -> None:
    broken = tell(program(), trace(), "").broken

    assert broken is not None
    assert broken.claim == (
        "forall (Gfn g, Pfn p) : spte[g].present and spte[g].pfn == p implies pte[g] == p"
    )


def test_a_local_without_a_value_is_not_told() -> None:
    assert UNSET not in str(tell(program(), trace(), "").rows)


def test_the_scope_says_what_was_not_looked_at() -> None:
    partly = Coverage(10, 20, 3, 0.1, False, "10 states", (), (), ())

    assert scope_sentence(program(), partly) == "10 states, to depth 3, not all there are; 2 Gfn, 2 Pfn"


def test_an_account_can_be_handed_to_another_process() -> None:
    told = account(result())

    assert pickle.loads(pickle.dumps(told)) == told  # noqa: S301  # our own bytes
    assert str(MAYBE) not in str(told)


DEADLOCK = """\
spinlock a;
spinlock b;
scenario crossed "two locks are taken in either order" {
    process p { spin_lock(&a); spin_lock(&b); spin_unlock(&b); spin_unlock(&a); }
    process q { spin_lock(&b); spin_lock(&a); spin_unlock(&a); spin_unlock(&b); }
    check no_deadlock;
}
"""


def test_a_deadlock_says_who_waits_where_and_holds_what(tmp_path: Path) -> None:
    path = tmp_path / "crossed.kvm"
    path.write_text(DEADLOCK, encoding="utf-8")
    told = check(path).cases[0].account

    assert told is not None
    broken = told.findings[0].stories[0].broken
    assert broken is not None
    assert broken.reason.lines() == [
        f"p waits at spin_lock(&b) ({path}:4), holding a",
        f"q waits at spin_lock(&a) ({path}:5), holding b",
    ]


CONDITIONS = """\
shared bool flag = true;
shared int 0..3 seen;
invariant never { seen == 0 }
scenario conditions "what an `if` came to" {
    process p { if (flag) seen = 1; }
    check never;
}
"""


def test_a_condition_says_what_it_came_to_where_that_is_plain(tmp_path: Path) -> None:
    path = tmp_path / "conditions.kvm"
    for written, said in (
        ("if (flag)", "if (flag) seen = 1 /* true */"),
        ("if (!flag) seen = 2; if (flag)", "if (!flag) seen = 2"),
    ):
        path.write_text(CONDITIONS.replace("if (flag)", written), encoding="utf-8")
        told = check(path).cases[0].account

        assert told is not None
        assert told.findings[0].stories[0].rows[0].innermost.text == said


def test_an_index_stands_behind_the_part_of_the_name_that_it_belongs_to(tmp_path: Path) -> None:
    spec = tmp_path / "spec.kvm"
    spec.write_text("""
struct Lpage { int 0..3 count[2]; }
struct Slot { Lpage info[2]; }
shared Slot slots[2];
shared int 0..3 *place;
scenario s "an array of structs with arrays" {
    process p {
        place = &slots[0].info[1].count[1];
        *place = 1;
    }
    check never;
}
invariant never { slots[0].info[1].count[1] == 0 }
""")
    told = check(spec).cases[0].account

    assert told is not None
    assert [change.text for row in told.findings[0].stories[0].rows for change in row.changes] == [
        "place: NULL -> &slots[0].info[1].count[1]",
        "slots[0].info[1].count[1]: 0 -> 1",
    ]
