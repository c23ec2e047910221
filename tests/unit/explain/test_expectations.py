# SPDX-License-Identifier: GPL-2.0-only
"""The table of `explain.expectations`, row by row: nothing is rounded up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmcheck.explain.expectations import judge
from kvmcheck.explain.outcomes import Outcome
from kvmcheck.explain.report import CaseKind, Expectation
from kvmcheck.explain.story import Account, Finding, Goal, Spot, account
from kvmcheck.semantics.verdict import Verdict
from tests.support.told import result

HOLDS, VIOLATED, UNKNOWN = Verdict.HOLDS, Verdict.VIOLATED, Verdict.UNKNOWN
MET, UNMET, OPEN = Outcome.AS_EXPECTED, Outcome.NOT_AS_EXPECTED, Outcome.UNKNOWN
SCENARIO, MUTANT = CaseKind.SCENARIO, CaseKind.MUTANT


def found(*verdicts: Verdict, complete: bool = True, **covers: int | None) -> Account:
    """An account with properties p0, p1 … and covers."""
    findings = tuple(Finding(f"p{n}", verdict, "", (), ()) for n, verdict in enumerate(verdicts))
    goals = tuple(Goal(name, depth, None) for name, depth in covers.items())
    return replace(account(result()), findings=findings, goals=goals, complete=complete)


def expect(name: str, verdict: Verdict, *, only: bool = False) -> Expectation:
    """`expect [only] NAME VERDICT;`."""
    return Expectation(name, verdict, only, Spot("", 0, 0))


@pytest.mark.parametrize(
    ("kind", "verdicts", "expected", "outcome"),
    [
        (SCENARIO, (), (), OPEN),
        (SCENARIO, (HOLDS, HOLDS), (), MET),
        (SCENARIO, (HOLDS, VIOLATED), (), UNMET),
        (SCENARIO, (HOLDS, UNKNOWN), (), OPEN),
        (SCENARIO, (VIOLATED, UNKNOWN), (), UNMET),
        (SCENARIO, (VIOLATED, HOLDS), (expect("p0", VIOLATED),), MET),
        (SCENARIO, (VIOLATED, VIOLATED), (expect("p0", VIOLATED),), MET),
        (SCENARIO, (VIOLATED, VIOLATED), (expect("p0", VIOLATED, only=True),), UNMET),
        (SCENARIO, (HOLDS, HOLDS), (expect("p0", VIOLATED),), UNMET),
        (SCENARIO, (UNKNOWN, HOLDS), (expect("p0", VIOLATED),), OPEN),
        (SCENARIO, (UNKNOWN,), (expect("p0", UNKNOWN),), MET),
        (SCENARIO, (HOLDS,), (expect("p0", UNKNOWN),), UNMET),
        (SCENARIO, (VIOLATED,), (expect("p0", UNKNOWN),), UNMET),
        (SCENARIO, (HOLDS, VIOLATED), (expect("p0", HOLDS),), UNMET),
        (SCENARIO, (UNKNOWN,), (expect("p0", HOLDS),), OPEN),
        (MUTANT, (VIOLATED, HOLDS), (expect("p0", VIOLATED),), MET),
        (MUTANT, (HOLDS, VIOLATED), (expect("p0", VIOLATED),), UNMET),
        (MUTANT, (UNKNOWN, VIOLATED), (expect("p0", VIOLATED),), OPEN),
        (MUTANT, (VIOLATED, VIOLATED), (expect("p0", VIOLATED, only=True),), UNMET),
        (MUTANT, (VIOLATED, HOLDS), (expect("p0", VIOLATED, only=True),), MET),
        (MUTANT, (HOLDS, VIOLATED), (expect("p0", HOLDS),), MET),
    ],
)
def test_a_case_is_judged_as_the_table_says(
    kind: CaseKind, verdicts: tuple[Verdict, ...], expected: tuple[Expectation, ...], outcome: Outcome
) -> None:
    judgement = judge(found(*verdicts), kind, expected)

    assert judgement.outcome is outcome
    assert bool(judgement.unmet) is (outcome is not MET)


def test_a_vacuous_property_is_not_as_expected() -> None:
    told = found(HOLDS)
    vacuous = replace(told, findings=(replace(told.findings[0], vacuous=("held(l)",)),))

    assert judge(vacuous, SCENARIO, ()).outcome is UNMET
    assert judge(vacuous, SCENARIO, (expect("p0", HOLDS),)).outcome is UNMET


def test_a_cover_that_is_never_reached_is_not_as_expected() -> None:
    assert judge(found(HOLDS, install=None), SCENARIO, ()).outcome is UNMET
    assert judge(found(HOLDS, install=0), SCENARIO, ()).outcome is MET


def test_a_cover_that_a_limited_search_did_not_reach_is_unknown() -> None:
    assert judge(found(HOLDS, complete=False, install=None), SCENARIO, ()).outcome is OPEN


def test_a_mutant_need_not_reach_the_covers() -> None:
    told = found(VIOLATED, install=None)

    assert judge(told, MUTANT, (expect("p0", VIOLATED),)).outcome is MET


def test_expect_only_is_unknown_if_not_all_was_examined() -> None:
    told = found(VIOLATED, complete=False)

    assert judge(told, MUTANT, (expect("p0", VIOLATED, only=True),)).outcome is OPEN


def test_what_a_mutant_breaks_besides_is_listed() -> None:
    assert judge(found(VIOLATED, VIOLATED), MUTANT, (expect("p0", VIOLATED),)).also == ("p1",)
