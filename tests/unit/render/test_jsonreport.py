# SPDX-License-Identifier: GPL-2.0-only
"""The JSON report: everything that the text says, the same bytes every time, plain ASCII."""

from __future__ import annotations

import json
from dataclasses import replace

from kvmcheck.explain.expectations import judge
from kvmcheck.explain.outcomes import Outcome
from kvmcheck.explain.report import CaseKind, CaseReport, FileReport, Report
from kvmcheck.explain.story import Spot, account
from kvmcheck.render.jsonreport import as_json
from kvmcheck.source.diagnostic import Diagnostic, Label
from tests.support.told import at, result


def report(title: str = "a title") -> Report:
    """A report of one file with one scenario that is violated."""
    told = account(result())
    judgement = judge(told, CaseKind.SCENARIO, ())
    spot = Spot("specs/a.kvm", 3, 1)
    case = CaseReport("one", title, CaseKind.SCENARIO, "", spot, (), told, judgement)
    said = Diagnostic("KVM201", "`x` is not declared", Label(at("mmu_lock"), "here"), help="declare it")
    file = FileReport("specs/a.kvm", (case,), (said,), judgement.outcome)
    return Report((file,), judgement.outcome, ("specs/a.kvm: two",))


def drawn(timings: bool = False) -> str:
    """The report as text."""
    return as_json(report(), version="1.2.3", exit_status=1, timings=timings)


def test_the_frame_says_what_made_it_and_how_it_ended() -> None:
    whole = json.loads(drawn())

    assert whole["schema"] == 1
    assert whole["tool"] == {"name": "kvmcheck", "version": "1.2.3"}
    assert (whole["outcome"], whole["exit_code"]) == ("not as expected", 1)
    assert whole["not_examined"] == ["specs/a.kvm: two"]


def test_every_change_of_every_step_is_in_it() -> None:
    case = json.loads(drawn())["files"][0]["cases"][0]
    steps = case["properties"][0]["traces"][0]["steps"]

    assert [step["step"] for step in steps] == list(range(1, 10))
    assert steps[8]["changes"] == [
        {"kind": "shared", "name": "spte[gfn0].present", "before": "false", "after": "true"},
        {"kind": "shared", "name": "spte[gfn0].pfn", "before": "none", "after": "pfn0"},
    ]
    assert steps[4]["held"] == {"reclaim": ["mmu_lock"]}
    assert steps[1]["stack"][-1]["function"] == "gfn_to_pfn"
    assert steps[1]["place"] == {"file": "specs/made_by_hand.kvm", "line": 12, "column": 35}


def test_the_violation_has_its_values() -> None:
    broken = json.loads(drawn())["files"][0]["cases"][0]["properties"][0]["traces"][0]["broken"]

    assert broken["bindings"] == ["g = gfn0", "p = pfn0"]
    assert {"text": "pte[gfn0] = none", "since_step": 3} in broken["facts"]


def test_diagnostics_have_code_and_place() -> None:
    said = json.loads(drawn())["files"][0]["diagnostics"][0]

    assert (said["code"], said["severity"], said["place"]["line"]) == ("KVM201", "error", 7)


def test_it_is_the_same_every_time_and_has_no_times() -> None:
    assert drawn() == drawn()
    assert "seconds" not in drawn()
    assert '"seconds": 0.25' in drawn(timings=True)


def test_hostile_text_is_escaped() -> None:
    text = as_json(replace(report("\x1b[2J\u202e"), outcome=Outcome.OUR_BUG), version="1", exit_status=4)

    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text)["files"][0]["cases"][0]["title"] == "\x1b[2J\u202e"
