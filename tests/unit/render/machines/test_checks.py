# SPDX-License-Identifier: GPL-2.0-only
"""A report as checks: each property where it belongs, and nothing green that is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kvmcheck.explain.outcomes import Outcome
from kvmcheck.explain.report import Judgement, Known, Report
from kvmcheck.render.machines.checks import Status, checks
from tests.support.reports import report


def statuses(found: Report) -> dict[str, Status]:
    """The status of each check, by its title."""
    return {check.title: check.status for check in checks(found)}


def test_each_property_cover_and_mutant_is_a_check(tmp_path: Path) -> None:
    assert statuses(report(tmp_path)) == {
        "race: none_lost": Status.FAILED,
        "race: few": Status.PASSED,
        "race: no_deadlock": Status.PASSED,
        "race: both": Status.PASSED,
        "race: never": Status.FAILED,
        "fine: none_lost": Status.PASSED,
        "mutant survivor": Status.FAILED,
        "mutant killed": Status.PASSED,
        "reading": Status.ERROR,
    }


def test_a_violation_stands_where_the_property_does_and_has_its_trace(tmp_path: Path) -> None:
    check = checks(report(tmp_path))[0]

    assert (check.spot.line, check.case_spot.line) == (9, 13)
    assert check.story is not None
    assert check.story.rows[-1].breaks


def test_nothing_that_a_limit_left_open_is_green(tmp_path: Path) -> None:
    found = statuses(report(tmp_path, states=2, broken=False))

    assert found["race: none_lost"] is Status.UNKNOWN
    assert Status.PASSED not in {status for title, status in found.items() if title.startswith("race")}


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.AS_EXPECTED])
def test_a_run_that_is_not_as_expected_has_a_check_that_is_not_green(outcome: Outcome) -> None:
    found = checks(Report((), outcome, ()))

    assert [check.status.is_green for check in found] == [False]


def test_a_case_that_could_not_be_checked_is_one_check_that_is_not_green(tmp_path: Path) -> None:
    file = report(tmp_path).files[0]
    lost = replace(
        file.cases[0], account=None, judgement=Judgement(Outcome.UNKNOWN, ("the memory did not suffice",))
    )
    found = checks(Report((replace(file, cases=(lost,)),), Outcome.UNKNOWN, ()))

    assert [(check.title, check.status) for check in found] == [("race: expectations", Status.UNKNOWN)]


def test_what_a_baseline_knows_is_green_and_says_why(tmp_path: Path) -> None:
    file = report(tmp_path, broken=False).files[0]
    case = file.cases[0]
    lost, never = case.judgement.misses
    judgement = Judgement(case.judgement.outcome, (never.text,), (), (never,), (Known(lost, "bug 12"),))
    found = checks(
        Report((replace(file, cases=(replace(case, judgement=judgement),)),), judgement.outcome, ())
    )

    assert found[0].status is Status.KNOWN
    assert "bug 12" in found[0].reasons
    assert found[-1].status is Status.FAILED
