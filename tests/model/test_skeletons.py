# SPDX-License-Identifier: GPL-2.0-only
"""Skeletons are drawn from kernel C and from the model in the same words, and compared without loss."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.skeleton.compare import Difference, differences
from tests.support.skeleton.facts import as_toml, from_toml
from tests.support.skeleton.kernel_c import skeletons
from tests.support.skeleton.model import drawn
from tests.support.skeleton.patch import UnreadablePatch, pieces
from tests.support.skeleton.vocabulary import Event, Skeleton
from tests.support.syntax import functions_of

PATCHES = Path(__file__).parent / "patches"
WHOLE = (PATCHES / "whole.patch").read_text(encoding="utf-8")
CUT = (PATCHES / "cut.patch").read_text(encoding="utf-8")


def drawn_from(patch: str, names: dict[int, str]) -> list[Skeleton]:
    """The skeletons of a patch."""
    return skeletons(list(pieces(patch, names)))


def drawn_from_model(body: str, stores: frozenset[str] = frozenset()) -> list[str]:
    """The events of a function of the model."""
    function = functions_of(f"int f() {{ {body} }}")["f"]
    return [event.text for event in drawn(function, frozenset({"drain"}), stores)]


def test_a_whole_function_is_drawn_in_the_order_of_c() -> None:
    (only,) = drawn_from(WHOLE, {})

    assert (only.function, only.file, only.whole) == ("drain", "pond.c", True)
    assert [event.text for event in only.parts[0].events] == [
        "call first",
        "loop",
        "call last",
        "continue",
        "read mmu_notifier_seq",
        "write mmu_notifier_seq",
        "pass drain",
        "call each",
        "call sort",
        "end loop",
        "read mmu_notifier_seq",
        "write mmu_notifier_count",
        "return",
    ]
    assert all(event.added for event in only.parts[0].events)


def test_the_model_is_drawn_in_the_same_words() -> None:
    assert drawn_from_model("""
        for (int i = first(pond); i < last(pond); i++) {
            if (!fish[i])
                continue;
            @seq mmu_notifier_seq++;
            left |= sort(pond, drain, each(i));
        }
        ghost drained = true;
        cover drained_once;
        mmu_notifier_count = 1 + data_race(mmu_notifier_seq);
        return left;
    """) == [event.text for event in drawn_from(WHOLE, {})[0].parts[0].events]


def test_locks_and_jumps_have_the_same_words_too() -> None:
    patch = CUT.replace(" \twhile (\n", "")
    (only,) = drawn_from(patch, {20: "cast_net", 31: "cast_net", 43: "cast_net"})

    assert (only.begins, only.ends) == (False, True)
    assert [[("+ " if e.added else "") + e.text for e in part.events] for part in only.parts] == [
        ["+ read mmu_notifier_seq", "call cast"],
        ["spin_lock mmu_lock", "+ call gone", "+ goto out"],
        ["up_read mmap_sem", "+ label out", "+ spin_unlock mmu_lock", "+ return 0"],
    ]
    assert drawn_from_model("""
        spin_lock(&mmu_lock);
        @check if (gone(mmu_seq)) goto out;
        up_read(&mmap_sem);
        out: spin_unlock(&mmu_lock);
        return 0;
    """) == [event.text for part in only.parts[1:] for event in part.events]


def test_what_only_the_model_has_is_drawn_where_it_matters() -> None:
    assert drawn_from_model("""
        do { await (ready); } while (busy());
        BUG_ON(odd());
        WRITE_ONCE(mmu_notifier_count, more());
        mmu_notifier_count += 1;
        spte[at()] = none;
        fish[at()] = none;
        return true;
    """, stores=frozenset({"spte"})) == [
        "loop", "await", "call busy", "end loop",
        "call odd", "call BUG_ON",
        "call more", "write mmu_notifier_count",
        "read mmu_notifier_count", "write mmu_notifier_count",
        "call at", "write spte",
        "call at",
        "return 1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("patch", "names", "said"),
    [
        (CUT, {}, "line 20: in which function is this?"),
        (CUT, {20: "f", 31: "f", 43: "f"}, "f, line 34: can't be read as C: while ("),
        ("+++ b/pond.c\n@@ -1 +1,3 @@\n x\n+}\n+}\n", {1: "f"}, "line 3: a function ends that has not begun"),
        ("+++ b/pond.c\n@@ -1 +1,3 @@\n x\n+{\n+}\n", {}, "line 2: whose body is this?"),
    ],
)
def test_what_can_not_be_read_is_refused(patch: str, names: dict[int, str], said: str) -> None:
    with pytest.raises(UnreadablePatch) as refused:
        drawn_from(patch, names)

    assert str(refused.value) == said


def test_a_patch_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    shorter = CUT[: CUT.index(" \twhile (")]
    (only,) = drawn_from(shorter, {20: "cast_net", 31: "cast_net"})

    assert [len(part.events) for part in only.parts] == [2, 3]
    assert not only.ends


def test_facts_can_be_written_and_read() -> None:
    patch = CUT.replace(" \twhile (\n", "")
    facts = drawn_from(patch, {20: "cast_net", 31: "cast_net", 43: "cast_net"}) + drawn_from(WHOLE, {})

    assert from_toml(as_toml(facts)) == facts


EVENTS = st.lists(st.sampled_from([Event("a"), Event("b"), Event("call __c"), Event("call c")]), max_size=7)


def changed(patch: list[str], table: list[Difference]) -> list[str]:
    """The patch with the differences made in it."""
    result: list[str] = []
    done = 0
    for difference in table:
        assert tuple(patch[difference.at : difference.at + len(difference.patch)]) == difference.patch
        result += [*patch[done : difference.at], *difference.model]
        done = difference.at + len(difference.patch)
    return result + patch[done:]


def plain(texts: list[str]) -> list[str]:
    """Names without leading underscores."""
    return [text.replace("__", "") for text in texts]


@given(EVENTS, EVENTS)
def test_the_patch_and_the_differences_give_the_model(patch: list[Event], model: list[Event]) -> None:
    table = differences(patch, model)

    assert plain(changed([e.text for e in patch], table)) == plain([e.text for e in model])


@given(EVENTS, EVENTS)
def test_no_fewer_differences_would_do(patch: list[Event], model: list[Event]) -> None:
    left, right = plain([e.text for e in patch]), plain([e.text for e in model])
    common = max(
        size
        for size in range(len(left) + 1)
        if {tuple(c) for c in combinations(left, size)} & {tuple(c) for c in combinations(right, size)}
    )
    table = differences(patch, model)

    assert sum(len(d.patch) for d in table) == len(left) - common
    assert sum(len(d.model) for d in table) == len(right) - common
