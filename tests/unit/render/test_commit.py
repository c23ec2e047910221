# SPDX-License-Identifier: GPL-2.0-only
"""The diagram fits a changelog: 75 columns, ASCII, and as few rows as a reviewer would draw."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmcheck.explain.changes import Change, ChangeKind
from kvmcheck.explain.story import Call, Named, Row, Spot, Story, tell
from kvmcheck.render.commit import COLUMNS, diagram
from tests.support.told import program, trace

FOLDED = """\
     begins with pte[gfn0] = pfn0

     CPU0 (vcpu)                   CPU1 (reclaim)

  1  tdp_page_fault():
       mmu_seq = data_race(mmu_notifier_seq); pfn = gfn_to_pfn(gfn)
           mmu_seq = 0, pfn = pfn0
  2                                invalidate_page():
                                     WRITE_ONCE(pte[gfn], none);
                                     spin_lock(&mmu_lock);
                                     mmu_notifier_seq++;
                                     spin_unlock(&mmu_lock)
                                         pte[gfn0]: pfn0 -> none,
                                         gfn = gfn0,
                                         mmu_notifier_seq: 0 -> 1
  3    spin_lock(&mmu_lock);
       spte[gfn] = (Spte){ .present = true, .pfn = pfn }   <--
           spte[gfn0].present: false -> true, spte[gfn0].pfn: none -> pfn0

 =>  no_stale_spte: a present spte maps a page that the host does not
       with g = gfn0, p = pfn0
       spte[gfn0].present = true (since row 3)
       spte[gfn0].pfn = pfn0 (since row 3)
       pte[gfn0] = none (since row 2)
"""


def story() -> Story:
    """The story of the hand-made trace."""
    return tell(program(), trace(), "")


def many_lanes(count: int, text: str = "x = y") -> Story:
    """A story in which each of many threads takes one step."""
    spot = Spot("a.kvm", 1, 1)
    change = Change(ChangeKind.SHARED, "x" * 40, "0", "1")
    rows = tuple(
        Row(
            number=n + 1,
            lane=n,
            thread=f"thread#{n}",
            handler=n % 2 == 1,
            calls=(Call("", text, spot, "", "", "", 0), Call(f"function_{n}" * 9, text, spot, "", "", "", 1)),
            still_open=2,
            access="",
            changes=(change,),
            held=(),
            breaks=n + 1 == count,
        )
        for n in range(count)
    )
    return Story("", "", tuple(f"thread#{n}" for n in range(count)), (), rows, None)


def test_the_diagram_is_what_a_changelog_shows() -> None:
    assert diagram(story()) == FOLDED


def test_unfolded_every_step_has_its_row() -> None:
    lines = diagram(story(), unfold=True).splitlines()

    assert [int(line[:3]) for line in lines if line[:3].strip().isdigit()] == list(range(1, 10))
    assert "return READ_ONCE(pte[gfn])" in diagram(story(), unfold=True)


@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 7, 20])
@pytest.mark.parametrize("unfold", [False, True])
def test_no_line_is_wider_than_a_changelog_allows(lanes: int, unfold: bool) -> None:
    text = "very_long_name_of_a_function(with_many, arguments, and_more, " + "z" * 90 + ")"
    for line in diagram(many_lanes(lanes, text), unfold=unfold).splitlines():
        assert len(line) <= COLUMNS


def test_hostile_text_stays_plain() -> None:
    text = diagram(many_lanes(2, "a\x1b[31m\u202e\t\r大")).replace("\n", "")

    assert text.isascii()
    assert text.isprintable()


def test_there_is_one_mark_and_one_conclusion() -> None:
    text = diagram(story())

    assert text.count("<--") == 1
    assert text.count("=>") == 1


def test_a_lock_that_is_taken_and_dropped_in_one_row_is_no_change() -> None:
    assert "mmu_lock: " not in diagram(story())


def test_a_call_that_another_thread_interrupts_is_looked_into() -> None:
    rows = list(story().rows)
    # The reclaimer's first step comes between the snapshot and the lookup's own step.
    split = [rows[0], replace(rows[2], number=2), replace(rows[1], number=3, still_open=3), *rows[3:]]

    assert "return READ_ONCE(pte[gfn])" in diagram(replace(story(), rows=tuple(split)))


def test_a_story_without_steps_is_drawn() -> None:
    empty = replace(story(), rows=(), lanes=(), broken=None, start=())

    assert diagram(empty).strip() == ""


def test_a_named_statement_on_locals_is_among_those_of_its_row() -> None:
    rows = list(story().rows)
    frame = rows[8].calls[1].frame
    call = replace(rows[8].calls[1], statement="idx = gfn_offset / HPAGE", label="index")
    change = Change(ChangeKind.LOCAL, "idx", "", "1", "tdp_page_fault", frame)
    rows[7] = replace(rows[7], named=(Named(call, change, early=False, depth=1),))
    text = diagram(replace(story(), rows=tuple(rows)))

    assert "spin_lock(&mmu_lock); idx = gfn_offset / HPAGE;" in text
    assert "idx = 1" in text


def test_a_call_with_a_named_statement_on_locals_is_not_folded() -> None:
    rows = list(story().rows)
    call = replace(rows[1].calls[2], statement="idx = gfn / HPAGE", label="index")
    change = Change(ChangeKind.LOCAL, "idx", "", "0", "gfn_to_pfn", call.frame)
    rows[1] = replace(rows[1], named=(Named(call, change, early=True, depth=2),))
    text = diagram(replace(story(), rows=tuple(rows)))

    assert "gfn_to_pfn():\n       idx = gfn / HPAGE; return READ_ONCE(pte[gfn])" in text


def test_locals_of_every_function_that_is_shown_are_told() -> None:
    rows = list(story().rows)
    # A value that the function's first statement will use is given to it at the end of its caller's last step.
    outer = replace(rows[0].calls[1], function="vcpu_fault", frame=7, statement="down_read(&slots_lock)")
    first = replace(rows[0], calls=(rows[0].calls[0], outer), still_open=1)
    given = Change(ChangeKind.LOCAL, "gfn", "", "gfn1", "tdp_page_fault", rows[0].calls[1].frame)
    rows[0] = replace(first, changes=(given,))

    assert "gfn = gfn1" in diagram(replace(story(), rows=tuple(rows)))
