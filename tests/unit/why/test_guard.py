# SPDX-License-Identifier: GPL-2.0-only
"""What stops a mutant's trace in the unmodified model is found by running its schedule there."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmcheck.explain.orderings import Guard
from kvmcheck.explain.story import Story
from kvmcheck.pipeline import Options, check

SPEC = """\
spinlock lock;
shared bool page = true;
shared bool spte;
shared int 0..2 version;
ghost bool told;
invariant no_stale { held(lock) or not spte or page or not told }

bool look()
{
    if (!READ_ONCE(page))
        return false;
    return READ_ONCE(page);
}

void fault()
{
    int seen;
    bool found;

    @snapshot seen = READ_ONCE(version);
    @lookup   found = look();
    spin_lock(&lock);
    if (found) {
        @retry if (READ_ONCE(version) != seen)
            goto out;
        @install WRITE_ONCE(spte, true);
    }
out:
    spin_unlock(&lock);
}

void reclaim()
{
    @clear WRITE_ONCE(page, false);
    @lock  spin_lock(&lock);
    @seq   WRITE_ONCE(version, 1);
    @unmap WRITE_ONCE(spte, false);
    ghost told = true;
    @unlock spin_unlock(&lock);
}

scenario s "a lookup, an invalidation, an install" {
    process vcpu { fault(); }
    process host { reclaim(); }
    check no_stale;
}
mutant no_retry of s "the check is dropped" {
    drop fault@retry;
    expect no_stale violated;
}
mutant late_snapshot of s "the snapshot comes after the lookup" {
    move fault@snapshot after fault@lookup;
    expect no_stale violated;
}
mutant no_unmap of s "nothing is unmapped" {
    drop reclaim@unmap;
    expect no_stale violated;
}
mutant again of no_retry "a mutant of a mutant" {
    drop reclaim@unmap;
    expect no_stale violated;
}
"""


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Story]:
    """The story of each mutant."""
    path = tmp_path_factory.mktemp("guard") / "spec.kvm"
    path.write_text(SPEC, encoding="utf-8")
    found: dict[str, Story] = {}
    for case in check(path, Options(why=True, near_miss=True)).cases[1:]:
        assert case.account is not None, case.diagnostics
        found[case.name] = next(f for f in case.account.findings if f.stories).stories[0]
    return found


def guard_of(story: Story) -> Guard:
    """Its guard."""
    assert story.guard is not None
    return story.guard


def test_the_statement_that_was_dropped_is_named_where_it_acts(stories: dict[str, Story]) -> None:
    story = stories["no_retry"]
    guard = guard_of(story)

    assert (guard.thread, guard.label, guard.whole, guard.waits) == ("vcpu", "retry", False, False)
    assert guard.statement == "if (READ_ONCE(version) != seen) goto out /* true */"
    assert story.rows[guard.fitted].innermost.label == "install"
    assert guard.text.startswith(f"the unmodified model can't take step {guard.fitted + 1}: it has @retry ")


def test_of_a_moved_statement_the_check_is_named_that_comes_out_otherwise(stories: dict[str, Story]) -> None:
    guard = guard_of(stories["late_snapshot"])

    assert (guard.label, guard.statement.rpartition(" /* ")[2]) == ("retry", "true */")


def test_where_all_fits_the_missing_statement_is_named(stories: dict[str, Story]) -> None:
    guard = guard_of(stories["no_unmap"])

    assert (guard.label, guard.whole) == ("unmap", True)
    assert guard.text.endswith("and nothing breaks")


def test_a_mutant_of_a_mutant_is_held_against_the_scenario(stories: dict[str, Story]) -> None:
    assert guard_of(stories["again"]).label in ("retry", "unmap")


def test_the_near_miss_goes_as_the_mutant_until_the_guard_acts(stories: dict[str, Story]) -> None:
    story = stories["no_retry"]
    assert story.near is not None
    theirs = [(row.thread, row.innermost.statement) for row in story.rows[: guard_of(story).fitted]]
    own = [(row.thread, row.innermost.statement) for row in story.near.rows]

    assert own[: len(theirs)] == theirs
    assert "spte: false -> true" not in [c.text for row in story.near.rows for c in row.changes]


def test_a_thread_that_has_to_wait_is_said_to_wait(tmp_path: Path) -> None:
    path = tmp_path / "wait.kvm"
    path.write_text(
        """\
spinlock lock;
shared int 0..2 n;
invariant one { n < 2 }
void add() { @lock spin_lock(&lock); WRITE_ONCE(n, READ_ONCE(n) + 1); WRITE_ONCE(n, READ_ONCE(n) - 1);
    @unlock spin_unlock(&lock); }
scenario s "one at a time" { process p[2] { add(); } check one; }
mutant m of s "nobody waits" { drop add@lock; drop add@unlock; expect one violated; }
""",
        encoding="utf-8",
    )
    account = check(path, Options(why=True)).cases[1].account
    assert account is not None
    guard = guard_of(account.findings[0].stories[0])

    assert (guard.waits, guard.statement) == (True, "spin_lock(&lock)")
    assert " wait at @lock spin_lock(&lock)" in guard.text
