# SPDX-License-Identifier: GPL-2.0-only
"""The terminal's form: a column per thread, only what changed, the place of every statement."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest

from kvmcheck.explain.story import Story, tell
from kvmcheck.render.paint import Paint, paint_for
from kvmcheck.render.plain import width
from kvmcheck.render.text import told
from tests.support.told import program, trace
from tests.unit.render.test_commit import many_lanes

TOLD = """\
     begins with pte[gfn0] = pfn0

                                                       in specs/made_by_hand.kvm
     vcpu                           reclaim
     tdp_page_fault: arch/x86/kvm/mmu.c v2.6.27
   1 @snapshot mmu_seq = data_race(mmu_notifier_seq)                          :5
         mmu_seq = 0
     gfn_to_pfn:
   2 return READ_ONCE(pte[gfn])                                              :12
         pfn = pfn0
                                    invalidate_page:
   3                                WRITE_ONCE(pte[gfn], none)               :14
                                        pte[gfn0]: pfn0 -> none
                                        gfn = gfn0
   4                               |spin_lock(&mmu_lock)                     :15
                                   |    mmu_lock: free -> reclaim
   5                               |mmu_notifier_seq++                       :16
                                   |    reads mmu_notifier_seq
   6                               |mmu_notifier_seq++                       :16
                                   |    writes mmu_notifier_seq
                                   |    mmu_notifier_seq: 0 -> 1
   7                                spin_unlock(&mmu_lock)                   :17
                                        mmu_lock: reclaim -> free
     tdp_page_fault: arch/x86/kvm/mmu.c v2.6.27
   8|spin_lock(&mmu_lock)                                                     :7
    |    mmu_lock: free -> vcpu
   9|@install spte[gfn] = (Spte){ .present = true, .pfn = pfn }               :8
    |    spte[gfn0].present: false -> true
    |    spte[gfn0].pfn: none -> pfn0

  => no_stale_spte: a present spte maps a page that the host does not
       forall (Gfn g, Pfn p) : spte[g].present and spte[g].pfn == p implies
           pte[g] == p
       with g = gfn0, p = pfn0
       spte[gfn0].present = true (since step 9)
       spte[gfn0].pfn = pfn0 (since step 9)
       pte[gfn0] = none (since step 3)
                                                       specs/made_by_hand.kvm:19
"""


def story() -> Story:
    """The story of the hand-made trace."""
    return tell(program(), trace(), "")


def test_the_story_reads_from_top_to_bottom() -> None:
    assert "\n".join(told(story(), Paint())) + "\n" == TOLD


def test_on_a_wide_terminal_places_are_written_in_full() -> None:
    assert any("specs/made_by_hand.kvm:15" in line for line in told(story(), Paint(120)))


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 120])
@pytest.mark.parametrize("lanes", [1, 2, 3, 5, 12])
def test_no_line_is_wider_than_the_terminal(columns: int, lanes: int) -> None:
    for text in ("x = y", "f(" + ", ".join(["argument"] * 30) + ")", "w" * 200, "大" * 70):
        for line in told(many_lanes(lanes, text), Paint(columns, unicode=True)):
            assert width(line) <= columns, line


def test_colour_changes_no_word() -> None:
    coloured = "\n".join(told(story(), Paint(colour=True)))
    plain = "\n".join(told(story(), Paint())).split("\n")
    for code in ("0", "1", "2", "31", "33", "36", "1;31"):
        coloured = coloured.replace(f"\x1b[{code}m", "")

    assert "\x1b" not in coloured
    assert [line.rstrip() for line in coloured.split("\n")] == plain


def test_hostile_text_can_not_reach_the_terminal() -> None:
    hostile = replace(many_lanes(2, "\x1b[2J\u202eevil\x07"), lanes=("\x1b]0;title\x07", "b"))
    text = "".join(told(hostile, Paint(unicode=True)))

    assert text.isprintable()
    assert "\u202e" not in text


def test_without_unicode_everything_is_ascii() -> None:
    assert "".join(told(many_lanes(1, "größer"), Paint())).isascii()


def test_a_pipe_gets_no_colour_and_80_columns() -> None:
    paint = paint_for(io.StringIO())

    assert (paint.columns, paint.colour) == (80, False)


def test_no_color_and_a_dumb_terminal_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert paint_for(Terminal()).colour
    monkeypatch.setenv("NO_COLOR", "1")
    assert not paint_for(Terminal()).colour
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not paint_for(Terminal()).colour


def test_who_holds_a_lock_has_a_bar_in_the_margin() -> None:
    lines = told(story(), Paint())
    held = [line for line in lines if line.startswith("                                   |")]

    assert any("mmu_notifier_seq++" in line for line in lines if line[35:36] == "|")
    assert held and all(line[35] == "|" for line in held)
    assert not any(line[35:36] == "|" for line in lines if "@snapshot" in line)


def test_a_bar_leaves_colours_and_columns_as_they_are() -> None:
    plain, painted = (told(story(), Paint(colour=colour)) for colour in (False, True))

    assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in painted] == plain
