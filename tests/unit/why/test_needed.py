# SPDX-License-Identifier: GPL-2.0-only
"""The orderings that a run needs are found by turning each round; what is said of them is run, not guessed."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from kvmcheck.explain.orderings import Why
from kvmcheck.explain.story import Story
from kvmcheck.pipeline import Options, check
from kvmcheck.render.commit import diagram

#: A lookup and an install with an invalidation between them, in miniature; `late` does nothing for the failure.
SPEC = """\
spinlock lock;
shared bool page = true;
shared bool spte;
shared int 0..2 late;
invariant no_stale { held(lock) or not spte or page }

scenario s "a lookup, an invalidation, an install" {
    process fault {
        bool found;
        @lookup found = READ_ONCE(page);
        WRITE_ONCE(late, 1);
        if (found) {
            spin_lock(&lock);
            @install spte = true;
            spin_unlock(&lock);
        }
    }
    process reclaim {
        @clear WRITE_ONCE(page, false);
        WRITE_ONCE(late, 2);
        spin_lock(&lock);
        @unmap spte = false;
        spin_unlock(&lock);
    }
    check no_stale;
    expect no_stale violated;
}
"""


def story_of(folder: Path, text: str) -> Story:
    """The first violated property's story."""
    path = folder / "spec.kvm"
    path.write_text(text, encoding="utf-8")
    account = check(path, Options(why=True)).cases[0].account
    assert account is not None
    return next(finding for finding in account.findings if finding.stories).stories[0]


def why_of(story: Story) -> Why:
    """Its reasons."""
    assert story.why is not None
    return story.why


def named(why: Why, need: str) -> set[tuple[str, str]]:
    """The orderings of a kind, by name."""
    return {(o.first.name, o.second.name) for o in why.orderings if o.need == need}


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """The story of the spec in which what is unmapped first is mapped again."""
    return story_of(
        tmp_path,
        SPEC.replace("not spte or page }", "not (spte and done) }")
        .replace("shared int 0..2 late;", "shared int 0..2 late;\nghost bool done;")
        .replace("@unmap spte = false;", "@unmap spte = false;\n        ghost done = true;"),
    )


def test_what_the_failure_needs_is_named_and_the_rest_is_not(story: Story) -> None:
    needed = named(why_of(story), "needed")

    assert needed == {("lookup", "clear"), ("unmap", "install")}


def test_every_needed_ordering_has_a_run_the_other_way_round(story: Story) -> None:
    for ordering in why_of(story).orderings:
        if ordering.need != "needed":
            assert ordering.schedule == ()
            continue
        order = [(moment.thread, moment.name) for moment in ordering.schedule]
        second = order.index((ordering.second.thread, ordering.second.name))
        first = (ordering.first.thread, ordering.first.name)
        assert first not in order[:second]


def test_an_order_that_the_program_dictates_is_forced(tmp_path: Path) -> None:
    text = """\
spinlock lock;
shared int 0..3 n;
invariant small { n < 2 }
scenario s "one waits for the other" {
    process a { spin_lock(&lock); @first WRITE_ONCE(n, 1); spin_unlock(&lock); }
    process b { await (n == 1); spin_lock(&lock); @second WRITE_ONCE(n, 2); spin_unlock(&lock); }
    check small;
    expect small violated;
}
"""
    why = why_of(story_of(tmp_path, text))

    assert {ordering.need for ordering in why.orderings} == {"forced"}
    assert why.lines() == ["needs no single ordering: each can be turned round by itself, or not at all"]


def test_a_failure_that_comes_either_way_needs_nothing(tmp_path: Path) -> None:
    text = """\
shared int 0..3 n;
shared bool x;
shared bool y;
invariant never { not (x and y) }
scenario s "the order does not matter" {
    process a { WRITE_ONCE(n, 1); WRITE_ONCE(x, true); }
    process b { WRITE_ONCE(n, 2); WRITE_ONCE(y, true); }
    check never;
    expect never violated;
}
"""
    why = why_of(story_of(tmp_path, text))

    assert [ordering.need for ordering in why.orderings] == ["free"]


def test_the_run_has_as_few_context_switches_as_can_be(tmp_path: Path) -> None:
    text = """\
shared bool a1;
shared bool a2;
shared bool b1;
shared bool b2;
invariant never { not (a2 and b2) }
scenario s "two that have nothing to do with each other" {
    process p { WRITE_ONCE(a1, true); WRITE_ONCE(a2, true); }
    process q { WRITE_ONCE(b1, true); WRITE_ONCE(b2, true); }
    check never;
    expect never violated;
}
"""
    story = story_of(tmp_path, text)

    assert sum(one.lane != other.lane for one, other in pairwise(story.rows)) == 1
    assert (why_of(story).switches, why_of(story).fewest) == (1, True)


def test_a_race_is_not_about_orderings_of_one_run(tmp_path: Path) -> None:
    text = """\
shared bool x;
scenario s "a race" {
    process p { x = true; }
    process q { x = false; }
    check no_data_race;
    expect no_data_race violated;
}
"""
    assert story_of(tmp_path, text).why is None


def test_the_reasons_are_in_the_changelog_diagram_by_row(story: Story) -> None:
    text = " ".join(diagram(story).split())

    assert "needs: lookup (fault, row 1) before clear (reclaim, row 2): page" in text


def test_what_was_not_decided_is_said_to_be_open(story: Story) -> None:
    why = why_of(story)
    lines = replace(
        why, orderings=tuple(replace(o, need="undecided", schedule=()) for o in why.orderings)
    ).lines()

    assert lines[0].startswith("may need: ")
    assert lines[-1] == f"(not decided within {why.limit:,} steps)"
