# SPDX-License-Identifier: GPL-2.0-only
"""A broken claim is explained by the members that break it and the values of its parts."""

from __future__ import annotations

from dataclasses import replace

from kvmcheck.explain.blame import reason
from kvmcheck.semantics.program import (
    Apply,
    Bound,
    Const,
    Expr,
    Held,
    HeldMode,
    Op,
    Property,
    Quantified,
    Quantifier,
    VariablePlace,
)
from kvmcheck.semantics.sorts import BOOL, IntSort
from tests.support.told import GFN, LOCK_, MAYBE, PTE_, SPTE, SPTE_, claim, element, program, trace


def broken(condition: Expr) -> Property:
    """The claim with another condition."""
    return replace(claim(), condition=condition)


def test_the_members_that_break_the_claim_are_named() -> None:
    assert reason(program(), trace(), claim()).bindings == ("g = gfn0", "p = pfn0")


def test_each_part_is_shown_with_its_value_and_the_step_that_made_it_so() -> None:
    facts = reason(program(), trace(), claim()).facts

    assert [(fact.text, fact.since) for fact in facts] == [
        ("spte[gfn0].present = true", 9),
        ("spte[gfn0].pfn = pfn0", 9),
        ("pte[gfn0] = none", 3),
    ]


def test_only_the_false_part_of_a_conjunction_is_blamed() -> None:
    g = Const(0, GFN)
    present = Apply(Op.FIELD, (element(SPTE_, g, SPTE),), BOOL, 0)
    absent = Apply(Op.EQUAL, (element(PTE_, g, MAYBE), Const(0, MAYBE)), BOOL)

    found = reason(program(), trace(), broken(Apply(Op.AND, (present, absent), BOOL)))

    assert [fact.text for fact in found.facts] == ["pte[gfn0] = none"]


def test_a_member_that_should_not_be_there_is_found_under_not_exists() -> None:
    g = Bound("g", GFN)
    present = Apply(Op.FIELD, (element(SPTE_, g, SPTE),), BOOL, 0)
    none = Apply(Op.NOT, (Quantified(Quantifier.EXISTS, g, None, present),), BOOL)

    assert [f.text for f in reason(program(), trace(), broken(none)).facts] == ["spte[gfn0].present = true"]


def test_a_count_is_shown_with_what_is_counted() -> None:
    g = Bound("g", GFN)
    present = Apply(Op.FIELD, (element(SPTE_, g, SPTE),), BOOL, 0)
    count = Quantified(Quantifier.COUNT, g, None, present)
    none = Apply(Op.EQUAL, (count, Const(0, IntSort(0, 9))), BOOL)

    assert [f.text for f in reason(program(), trace(), broken(none)).facts] == [
        "the count is 1",
        "spte[gfn0].present = true",
    ]


def test_a_lock_is_shown_with_its_holder() -> None:
    held = Held(VariablePlace(LOCK_, ()), HeldMode.ANY, None)

    found = reason(program(), trace(), broken(Apply(Op.NOT, (held,), BOOL)))

    assert [(fact.text, fact.since) for fact in found.facts] == [("mmu_lock is held by vcpu", 8)]


def test_a_claim_that_has_no_value_says_why() -> None:
    unwrapped = Apply(Op.UNWRAP, (element(PTE_, Const(0, GFN), MAYBE),), MAYBE.inner)
    same = Apply(Op.EQUAL, (unwrapped, Const(0, MAYBE.inner)), BOOL)

    texts = [fact.text for fact in reason(program(), trace(), broken(same)).facts]

    assert any("none" in text for text in texts)


def test_a_claim_that_is_true_is_not_explained() -> None:
    assert reason(program(), trace(), broken(Const(1, BOOL))).lines() == []
