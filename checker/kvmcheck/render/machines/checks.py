# SPDX-License-Identifier: GPL-2.0-only
"""A report as a flat list of checks, each of which passed or not: what every machine format is made of.

A scenario gives one check for each property and cover that it is judged by, a mutant one check as a whole.  What can't
be laid at the door of a property is a check of its own, so that a case that is not as expected is green in no format.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from kvmcheck.explain.outcomes import Outcome
from kvmcheck.explain.report import CaseKind, CaseReport, FileReport, Report
from kvmcheck.explain.story import Account, Spot, Story
from kvmcheck.render.paint import Paint
from kvmcheck.render.text import told
from kvmcheck.render.verdicts import Detail, case_lines
from kvmcheck.semantics.verdict import Verdict
from kvmcheck.source.diagnostic import Diagnostic, Severity

#: The check that stands for a file that could not be read.
READING = "reading"
#: The check that stands for what a case as a whole lacks.
EXPECTATIONS = "expectations"
#: The check that stands for what belongs to no file.
RUN = "kvmcheck"

_NOWHERE = Spot("", 0, 0)


class Status(Enum):
    """How a check ended.  KNOWN: it failed as a baseline says, with a reason."""

    PASSED = "passed"
    KNOWN = "known"
    FAILED = "failed"
    UNKNOWN = "unknown"
    ERROR = "error"

    @property
    def is_green(self) -> bool:
        """Whether a gate lets it pass."""
        return self in (Status.PASSED, Status.KNOWN)


@dataclass(frozen=True, slots=True)
class Check:
    """One check.  `case` and `kind` are empty for a file or the run; `name`: the property, the cover, or the mutant.

    `reasons`: why it did not pass, a sentence each; of a KNOWN one, the reasons of the baseline.  `spot`: the place of
    what is violated, else of the case.  `story`: the shortest trace.  `case_spot`: where the case is declared.
    """

    file: str
    case: str
    kind: CaseKind | None
    name: str
    status: Status
    reasons: tuple[str, ...]
    spot: Spot
    story: Story | None = None
    case_spot: Spot = _NOWHERE

    @property
    def title(self) -> str:
        """`two_threads: none_is_lost`, `mutant no_retry`, `reading`."""
        match self.kind:
            case None:
                return self.name
            case CaseKind.SCENARIO:
                return f"{self.case}: {self.name}"
            case CaseKind.MUTANT:
                return f"mutant {self.case}"
            case _:
                assert_never(self.kind)


def checks(report: Report) -> tuple[Check, ...]:
    """Every check of the run, in its order; at least one that is not green unless the run is as expected."""
    found = [check for file in report.files for check in checks_of(file)]
    errors = tuple(_said(d) for d in report.diagnostics if d.severity is Severity.ERROR)
    if errors:
        found.append(Check("", "", None, RUN, Status.ERROR, errors, _NOWHERE))
    if report.outcome is not Outcome.AS_EXPECTED and all(check.status.is_green for check in found):
        why = "nothing was checked" if not found else f"the run is {report.outcome.value}"
        found.append(Check("", "", None, RUN, _status(report.outcome), (why,), _NOWHERE))
    return tuple(found)


def checks_of(file: FileReport) -> tuple[Check, ...]:
    """The checks of a file."""
    found = [check for case in file.cases for check in case_checks(case, file.path)]
    if file.outcome is not Outcome.AS_EXPECTED and all(check.status.is_green for check in found):
        spot = Spot(file.path, 1, 1)
        reasons = tuple(_said(d) for d in file.diagnostics) or (f"the file is {file.outcome.value}",)
        found.append(Check(file.path, "", None, READING, _status(file.outcome), reasons, spot))
    return tuple(found)


def case_checks(case: CaseReport, file: str) -> tuple[Check, ...]:
    """The checks of a scenario, or the one of a mutant."""
    if case.account is None or case.kind is CaseKind.MUTANT:
        return (_whole(case, file),)
    found = [*_properties(case, case.account, file), *_covers(case, case.account, file)]
    left = tuple(
        miss.text for miss in case.judgement.misses if not any(check.name == miss.subject for check in found)
    )
    silent = case.judgement.outcome is not Outcome.AS_EXPECTED and all(c.status.is_green for c in found)
    if left or silent or not found:
        status = _status(case.judgement.outcome)
        reasons = left or case.judgement.unmet
        found.append(
            Check(file, case.name, case.kind, EXPECTATIONS, status, reasons, case.spot, None, case.spot)
        )
    return tuple(found)


def telling(case: CaseReport) -> str:
    """What a terminal would show of the case, in ASCII without colour; ends in a newline."""
    return "\n".join(case_lines(case, Detail(alone=True), Paint())) + "\n"


def telling_of(check: Check, case: CaseReport) -> str:
    """The check's own trace; where it has none, the verdicts of its case.  Ends in a newline."""
    if check.story is not None:
        return "\n".join(told(check.story, Paint())) + "\n"
    return "\n".join(case_lines(case, Detail(alone=True, traces=False), Paint())) + "\n"


def _whole(case: CaseReport, file: str) -> Check:
    """The check of a mutant, and of whatever could not be checked."""
    name = case.name if case.kind is CaseKind.MUTANT else EXPECTATIONS
    status = _status(case.judgement.outcome)
    known = [text for known in case.judgement.known for text in (known.miss.text, known.reason)]
    if status is Status.PASSED:
        status = Status.KNOWN if known else status
        return Check(file, case.name, case.kind, name, status, tuple(known), case.spot, None, case.spot)
    reasons = [*case.judgement.unmet]
    reasons += [f"internal error: {case.failure}"] if case.failure else []
    if case.account is None:
        reasons += [_said(d) for d in case.diagnostics if d.severity is Severity.ERROR]
    stories = [f.stories[0] for f in case.account.findings if f.stories] if case.account else []
    story = stories[0] if stories else None
    return Check(file, case.name, case.kind, name, status, tuple(reasons), case.spot, story, case.spot)


def _properties(case: CaseReport, account: Account, file: str) -> Iterator[Check]:
    """The properties that the scenario is judged by: an UNKNOWN that nobody asked about is no check that passed."""
    named = {expectation.property for expectation in case.expectations}
    for finding in account.findings:
        status, reasons = _judged(case, finding.property)
        if finding.verdict is not Verdict.HOLDS and status is Status.PASSED and finding.property not in named:
            continue
        story, spot = None, case.spot
        if status is not Status.PASSED and finding.stories:
            story = finding.stories[0]
            if story.broken is not None:
                spot = story.broken.spot if story.broken.spot.path else spot
                reasons += (story.broken.text,) if story.broken.text else ()
        elif status is Status.UNKNOWN and finding.reason:
            reasons += (finding.reason,)
        yield Check(file, case.name, case.kind, finding.property, status, reasons, spot, story, case.spot)


def _covers(case: CaseReport, account: Account, file: str) -> Iterator[Check]:
    for goal in account.goals:
        status, reasons = _judged(case, goal.name)
        if status is not Status.PASSED or goal.depth is not None:  # else nobody asked for it to be reached
            yield Check(file, case.name, case.kind, goal.name, status, reasons, case.spot, None, case.spot)


def _judged(case: CaseReport, subject: str) -> tuple[Status, tuple[str, ...]]:
    """What the judgement says of a property or cover, and why."""
    for miss in case.judgement.misses:
        if miss.subject == subject:
            return _status(miss.outcome), (miss.text,)
    for known in case.judgement.known:
        if known.miss.subject == subject:
            return Status.KNOWN, (known.miss.text, known.reason)
    return Status.PASSED, ()


def _status(outcome: Outcome) -> Status:
    match outcome:
        case Outcome.AS_EXPECTED:
            return Status.PASSED
        case Outcome.NOT_AS_EXPECTED:
            return Status.FAILED
        case Outcome.UNKNOWN:
            return Status.UNKNOWN
        case Outcome.BAD_INPUT | Outcome.OUR_BUG:
            return Status.ERROR
        case _:
            assert_never(outcome)


def _said(diagnostic: Diagnostic) -> str:
    span = diagnostic.primary.span
    where = f" ({span.source.path}:{span.line})" if span.source.text else ""
    return f"{diagnostic.code}: {diagnostic.message}{where}"
