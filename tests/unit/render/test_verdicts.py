# SPDX-License-Identifier: GPL-2.0-only
"""The report for people: verdicts with their scope, nothing rounded up, a last line that sums up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmcheck.explain.expectations import judge
from kvmcheck.explain.outcomes import Outcome
from kvmcheck.explain.report import CaseKind, CaseReport, Expectation, FileReport, Judgement, Report
from kvmcheck.explain.story import Account, Finding, Goal, Spot, account
from kvmcheck.render.paint import Paint
from kvmcheck.render.plain import width
from kvmcheck.render.verdicts import Detail, case_lines, summary, terse_lines
from kvmcheck.semantics.verdict import Verdict
from tests.support.told import result

SPOT = Spot("specs/a.kvm", 3, 1)
VERDICTS = """\
scenario one "a title"
  every one of 4,751 states, to depth 31; 2 Gfn, 2 Pfn; nothing is said of other
    sizes
  VIOLATED  no_stale_spte                 in 9 steps
  HOLDS     no_deadlock
  reached   installed (9 steps)
  known races that do happen (data_race):
    specs/made_by_hand.kvm:5: mmu_seq = data_race(mmu_notifier_seq)
"""


def case(
    told: Account | None = None, kind: CaseKind = CaseKind.SCENARIO, *expected: Expectation
) -> CaseReport:
    """A case that came out like the hand-made result."""
    told = told or account(result())
    return CaseReport("one", "a title", kind, "", SPOT, expected, told, judge(told, kind, expected))


def lines(report: CaseReport, **detail: bool) -> str:
    """What is printed of a case."""
    return "\n".join(case_lines(report, Detail(**detail), Paint())) + "\n"


def violated(*names: str) -> tuple[Expectation, ...]:
    """`expect NAME violated;`."""
    return tuple(Expectation(name, Verdict.VIOLATED, False, SPOT) for name in names)


def test_a_case_shows_its_scope_and_every_verdict() -> None:
    assert lines(case(), traces=False) == VERDICTS


def test_an_unexpected_violation_is_told_even_in_a_folder() -> None:
    assert "=> no_stale_spte" in lines(case(), alone=False)
    assert "=> no_stale_spte" not in lines(
        case(None, CaseKind.SCENARIO, *violated("no_stale_spte")), alone=False
    )


def test_a_killed_mutant_is_one_line_in_a_folder() -> None:
    mutant = case(None, CaseKind.MUTANT, *violated("no_stale_spte"))

    assert lines(mutant, alone=False) == "killed one: no_stale_spte VIOLATED in 9 steps\n"


def test_a_surviving_mutant_says_what_was_expected() -> None:
    mutant = case(None, CaseKind.MUTANT, *violated("no_deadlock"))

    assert "not as expected: expect no_deadlock violated, but it is HOLDS" in lines(mutant, alone=False)


def test_what_broke_besides_is_listed() -> None:
    told = account(result())
    also = Finding("another", Verdict.VIOLATED, "", (), ())
    mutant = case(replace(told, findings=(*told.findings, also)), CaseKind.MUTANT, *violated("no_stale_spte"))

    assert "broken as well: another" in lines(mutant)


def test_where_runs_end_is_said_when_the_rest_was_looked_at() -> None:
    told = account(result())
    broken = Finding("no_lock_misuse", Verdict.VIOLATED, "", (), ())
    whole = replace(told, complete=True, findings=(*told.findings, broken))

    assert "a run ends where no_lock_misuse breaks" in lines(case(whole))
    assert "a run ends where" not in lines(case(replace(whole, complete=False)))
    assert "a run ends where" not in lines(case(replace(whole, findings=told.findings)))


def test_a_vacuous_property_is_called_vacuous() -> None:
    told = account(result())
    empty = Finding("sane", Verdict.HOLDS, "", ("held(mmu_lock)",), ())

    printed = lines(case(replace(told, findings=(empty,))))

    assert "vacuous: held(mmu_lock) is never true" in printed
    assert "not as expected: sane holds vacuously" in printed


def test_a_cover_that_is_missed_stands_out() -> None:
    told = replace(account(result()), goals=(Goal("retry", None, None),))

    assert "NOT REACHED retry" in lines(case(told))


def test_an_unknown_says_why() -> None:
    told = account(result())
    stopped = Finding("sane", Verdict.UNKNOWN, "the limit of 10 states was reached", (), ())

    assert "UNKNOWN   sane                          the limit of 10 states was reached" in lines(
        case(replace(told, findings=(stopped,), complete=False))
    )


def test_quiet_leaves_out_what_is_as_expected() -> None:
    assert lines(case(None, CaseKind.MUTANT, *violated("no_stale_spte")), quiet=True) == "\n"
    assert "VIOLATED" in lines(case(), quiet=True)


def test_a_bug_of_ours_is_said() -> None:
    failed = replace(case(), account=None, judgement=Judgement(Outcome.OUR_BUG), failure="(KVM900) oh")

    assert "internal error: (KVM900) oh" in lines(failed)
    assert terse_lines(failed, Paint()) == ["specs/a.kvm:3: ERROR:KVM900: one: internal error: (KVM900) oh"]


@pytest.mark.parametrize(
    ("outcomes", "text"),
    [
        ([Outcome.AS_EXPECTED], "1 scenario: all as expected (exit status 0)"),
        (
            [Outcome.AS_EXPECTED, Outcome.UNKNOWN, Outcome.UNKNOWN],
            "3 scenarios: 2 unknown: s1, s2 (exit status 0)",
        ),
        (
            [Outcome.NOT_AS_EXPECTED, Outcome.OUR_BUG],
            "2 scenarios: 1 not as expected, 1 ended by an internal error: s0, s1 (exit\n  status 0)",
        ),
        ([], "nothing was checked (exit status 0)"),
    ],
)
def test_the_last_line_counts(outcomes: list[Outcome], text: str) -> None:
    cases = tuple(
        replace(case(), name=f"s{n}", judgement=Judgement(outcome)) for n, outcome in enumerate(outcomes)
    )
    whole = outcomes[0] if len(outcomes) == 1 else Outcome.UNKNOWN
    report = Report((FileReport("a.kvm", cases, (), whole),), whole, ())

    assert "\n".join(summary(report, 0, Paint())) == text


@pytest.mark.parametrize("columns", [40, 80])
def test_no_line_is_too_wide(columns: int) -> None:
    long = replace(case(), name="n" * 90, title="大" * 90, base="b" * 30)
    told = account(result())
    wide = replace(told, findings=(replace(told.findings[0], property="p" * 99), *told.findings))
    for report in (long, replace(long, account=wide, judgement=judge(wide, CaseKind.SCENARIO, ()))):
        for line in case_lines(report, Detail(), Paint(columns, unicode=True)):
            assert width(line) <= columns


def test_what_was_not_looked_at_comes_last() -> None:
    told = account(result())
    unknown = Finding("sane", Verdict.UNKNOWN, "a limit", (), ())
    printed = lines(case(replace(told, findings=(unknown, *told.findings), complete=False)), traces=False)

    assert printed.index("HOLDS") < printed.index("UNKNOWN")
