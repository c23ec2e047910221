# SPDX-License-Identifier: GPL-2.0-only
"""Whether a case came out as its spec says.

| case | as expected when |
| --- | --- |
| scenario without `expect` | every property HOLDS, none vacuously, and every cover is reached |
| `expect P holds` | P HOLDS, and not vacuously |
| `expect P violated` | P is VIOLATED; other properties may break too, and are listed |
| `expect only P violated` | P is VIOLATED, and no property that is not named so is |
| `expect P unknown` | P is UNKNOWN |

A scenario's property of which nothing is expected must hold, unless the scenario expects some violation: then
the search may stop as soon as that is found, and nobody knows about the rest.  What else a mutant breaks is listed.
UNKNOWN is never rounded up to an answer.
"""

from __future__ import annotations

from typing import assert_never

from kvmcheck.explain.outcomes import Outcome, gravest
from kvmcheck.explain.report import CaseKind, Expectation, Judgement, Miss
from kvmcheck.explain.story import Account, Finding
from kvmcheck.semantics.verdict import Verdict

_VERB = {Verdict.HOLDS: "holds", Verdict.VIOLATED: "violated", Verdict.UNKNOWN: "unknown"}


def to_tell(account: Account, expectations: tuple[Expectation, ...], judgement: Judgement) -> list[Finding]:
    """The findings whose traces are shown: of a case that came out as expected those that it expects, if any."""
    broken = [finding for finding in account.findings if finding.stories]
    wanted = {expectation.property for expectation in expectations}
    first = [finding for finding in broken if finding.property in wanted]
    return first if first and judgement.outcome is Outcome.AS_EXPECTED else broken


def judge(account: Account, kind: CaseKind, expectations: tuple[Expectation, ...]) -> Judgement:
    """The judgement; its outcome is UNKNOWN where nothing is wrong but something was not answered."""
    if not account.findings:
        return Judgement(Outcome.UNKNOWN, ("nothing is checked",))
    found = {finding.property: finding for finding in account.findings}
    named = {expectation.property for expectation in expectations}
    breaks = any(expectation.verdict is Verdict.VIOLATED for expectation in expectations)
    only = any(expectation.only for expectation in expectations)
    tolerant = breaks or kind is CaseKind.MUTANT
    misses = [_as_said(found.get(e.property) or _silent(e.property, account), e) for e in expectations]
    also: list[str] = []
    for finding in account.findings:
        if finding.property in named:
            continue
        if not tolerant:
            misses.append(_as_said(finding, None))
        elif finding.verdict is Verdict.VIOLATED:
            if only:
                text = f"{finding.property} is violated too"
                misses.append(Miss(finding.property, Outcome.NOT_AS_EXPECTED, text))
            else:
                also.append(finding.property)
    if not tolerant:
        misses += _covers(account, expectations)
    elif only and not account.complete:
        text = f"the rest is unknown: {account.stopped or 'not all was examined'}"
        misses.append(Miss("", Outcome.UNKNOWN, text))
    outcome = gravest([miss.outcome for miss in misses])
    misses = [miss for miss in misses if miss.text]
    return Judgement(outcome, tuple(miss.text for miss in misses), tuple(also), tuple(misses))


def _silent(name: str, account: Account) -> Finding:
    """What is known of a check that is always on, and listed only when it breaks."""
    return Finding(name, Verdict.HOLDS if account.complete else Verdict.UNKNOWN, account.stopped, (), ())


def _as_said(finding: Finding, expectation: Expectation | None) -> Miss:
    """The outcome for one property, with a sentence if it is not as expected; no expectation: it must hold."""
    wanted = expectation.verdict if expectation else Verdict.HOLDS
    name, said = finding.property, f"expect {finding.property} {_VERB[wanted]}" if expectation else ""
    if finding.verdict is not wanted:
        text = f"{said}, but it is {finding.verdict.value}" if said else f"{name} is {finding.verdict.value}"
        unknown = finding.verdict is Verdict.UNKNOWN
        return Miss(name, Outcome.UNKNOWN if unknown else Outcome.NOT_AS_EXPECTED, text)
    match wanted:
        case Verdict.HOLDS:
            if finding.vacuous:
                text = f"{name} holds vacuously: it never had a chance to fail"
                return Miss(name, Outcome.NOT_AS_EXPECTED, text)
            return Miss(name, Outcome.AS_EXPECTED, "")
        case Verdict.VIOLATED | Verdict.UNKNOWN:
            return Miss(name, Outcome.AS_EXPECTED, "")
        case _:
            assert_never(wanted)


def _covers(account: Account, expectations: tuple[Expectation, ...]) -> list[Miss]:
    missed = [goal.name for goal in account.goals if goal.depth is None]
    if account.complete:
        return [Miss(name, Outcome.NOT_AS_EXPECTED, f"cover {name} is never reached") for name in missed]
    if any(expectation.verdict is Verdict.UNKNOWN for expectation in expectations):
        return []  # a limit is what this scenario is about
    why = "is not reached, and not all was examined"
    return [Miss(name, Outcome.UNKNOWN, f"cover {name} {why}") for name in missed]
