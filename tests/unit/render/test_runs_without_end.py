# SPDX-License-Identifier: GPL-2.0-only
"""A run without an end: every format for people says where the loop begins, and how it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmcheck.explain.story import Story
from kvmcheck.pipeline import Options, check
from kvmcheck.render.commit import diagram
from kvmcheck.render.paint import Paint
from kvmcheck.render.text import told

SPEC = """// SPDX-License-Identifier: GPL-2.0-only
shared bool flag;
void poll() { await (READ_ONCE(flag)); }
live polled { poll completes }
live set_in_the_end { always eventually flag }
scenario s "one waits, another sets and clears" {
    process waiter { poll(); }
    process other { forever { WRITE_ONCE(flag, true); WRITE_ONCE(flag, false); } }
    check polled;
    expect polled violated;
}
scenario t "nobody sets it" {
    process waiter { poll(); }
    check set_in_the_end;
    expect set_in_the_end violated;
}
"""


@pytest.fixture
def stories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Story]:
    (tmp_path / "spec.kvm").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    accounts = [case.account for case in check("spec.kvm", Options()).cases]
    return [story for account in accounts if account for found in account.findings for story in found.stories]


def test_the_loop_stands_behind_a_rule_and_is_counted(stories: list[Story]) -> None:
    assert told(stories[0], Paint(72, unicode=False)) == [
        "     waiter                 other",
        "     poll:",
        "   1 poll() /* begins */                                      spec.kvm:7",
        "",
        "-- from here on for ever -----------------------------------------------",
        "   2                        WRITE_ONCE(flag, true)            spec.kvm:8",
        "                                flag: false -> true",
        "   3                        WRITE_ONCE(flag, false)           spec.kvm:8",
        "                                flag: true -> false",
        "",
        "     steps 2 to 3 again, and so on for ever",
        "",
        "  => polled: `poll` of `waiter` never returns: the last 2 steps repeat",
        "     for ever",
        "       live polled { poll completes }",
        "       other goes on for ever",
        "       waiter waits at await (READ_ONCE(flag)) (spec.kvm:3)",
        "                                                              spec.kvm:4",
    ]


def test_a_run_that_stops_says_that_nothing_happens_any_more(stories: list[Story]) -> None:
    lines = told(stories[1], Paint(72, unicode=False))
    assert "     nothing happens any more" in lines
    assert any("waiter waits at await (READ_ONCE(flag))" in line for line in lines)


def test_the_commit_format_says_which_rows_are_repeated(stories: list[Story]) -> None:
    text = diagram(stories[0])
    assert "     row 2 again, and so on for ever\n" in text
    assert "nothing happens any more" in diagram(stories[1])
