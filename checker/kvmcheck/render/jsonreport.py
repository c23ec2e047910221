# SPDX-License-Identifier: GPL-2.0-only
"""A report as JSON: the same bytes for the same specs, every time.  docs/reference/formats.md describes it.

`schema` goes up when a key changes its meaning or goes away; new keys may appear without.
"""

from __future__ import annotations

import json

from kvmcheck.explain.orderings import Guard, Moment, Ordering, Why
from kvmcheck.explain.reductions import Measure, Reduced, ToldCut, ToldSection
from kvmcheck.explain.report import CaseReport, Expectation, FileReport, Report
from kvmcheck.explain.story import Account, Broken, Call, Finding, Goal, Named, Note, Row, Spot, Story
from kvmcheck.source.diagnostic import Diagnostic
from kvmcheck.source.text import Span

SCHEMA = 1

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


def as_json(report: Report, *, version: str, exit_status: int, timings: bool = False) -> str:
    """The report as JSON text; ends in a newline.  `timings`: with seconds, and so not the same every time."""
    whole: Json = {
        "schema": SCHEMA,
        "tool": {"name": "kvmcheck", "version": version},
        "outcome": report.outcome.value,
        "exit_code": exit_status,
        "not_examined": list(report.not_examined),
        "diagnostics": [_diagnostic(d) for d in report.diagnostics],
        "files": [_file(file, timings) for file in report.files],
    }
    return json.dumps(whole, indent=2, ensure_ascii=True) + "\n"


def _file(file: FileReport, timings: bool) -> Json:
    return {
        "path": file.path,
        "outcome": file.outcome.value,
        "skipped": file.skipped,
        "diagnostics": [_diagnostic(d) for d in file.diagnostics],
        "cases": [_case(case, timings) for case in file.cases],
    }


def _case(case: CaseReport, timings: bool) -> Json:
    found: dict[str, Json] = {
        "name": case.name,
        "kind": case.kind.value,
        "title": case.title,
        "base": case.base,
        "place": _spot(case.spot),
        "outcome": case.judgement.outcome.value,
        "unmet": list(case.judgement.unmet),
        "also_violated": list(case.judgement.also),
        "known": [
            {"property": known.miss.subject, "text": known.miss.text, "reason": known.reason}
            for known in case.judgement.known
        ],
        "expect": [_expectation(e) for e in case.expectations],
        "failure": case.failure,
        "diagnostics": [_diagnostic(d) for d in case.diagnostics],
    }
    if case.account is not None:
        found |= _account(case.account, timings)
    if case.proof is not None:
        found["proof"] = {
            "method": case.proof.method,
            "scope": case.proof.scope,
            "assumed": list(case.proof.assumed),
            "notes": list(case.proof.notes),
            "every_size": case.proof.every_size,
        }
    if case.reduced is not None:
        found["reductions"] = _reduced(case.reduced, timings)
    return found


def _account(account: Account, timings: bool) -> dict[str, Json]:
    coverage: dict[str, Json] = {
        "states": account.states,
        "transitions": account.transitions,
        "depth": account.depth,
        "complete": account.complete,
        "stopped": account.stopped,
        "unreached": [_note(note) for note in account.unreached],
        "races": [_note(note) for note in account.races],
        "empty_choices": [_note(note) for note in account.empty_choices],
    }
    if timings:
        coverage["seconds"] = round(account.seconds, 3)
    return {
        "sizes": dict(account.sizes),
        "scope": account.looked,
        "coverage": coverage,
        "properties": [_finding(finding) for finding in account.findings],
        "covers": [_goal(goal) for goal in account.goals],
    }


def _reduced(reduced: Reduced, timings: bool) -> Json:
    return {
        "on": list(reduced.on),
        "seq": reduced.seq,
        "exchanged": dict(reduced.exchanged),
        "not_exchanged": [{"name": k.name, "why": k.reason, "place": _spot(k.spot)} for k in reduced.kept],
        "sections": [_section(section) for section in reduced.sections],
        "runs": [_measure(measure, timings) for measure in reduced.measures],
    }


def _section(section: ToldSection) -> Json:
    return {
        "process": section.process,
        "function": section.function,
        "statement": section.statement,
        "place": _spot(section.spot),
        "operations": section.operations,
        "first_step": section.first,
        "cuts": [_cut(cut) for cut in section.cuts],
    }


def _cut(cut: ToldCut) -> Json:
    behind: Json = None
    if cut.behind:
        behind = {"statement": cut.behind, "place": _spot(cut.behind_spot), "why": cut.behind_reason}
    return {
        "statement": cut.statement,
        "place": _spot(cut.spot),
        "why": cut.reason,
        "operations": cut.operations,
        "behind": behind,
    }


def _measure(measure: Measure, timings: bool) -> Json:
    found: dict[str, Json] = {
        "on": list(measure.on),
        "states": measure.states,
        "transitions": measure.transitions,
        "complete": measure.complete,
    }
    if timings:
        found["seconds"] = round(measure.seconds, 3)
    return found


def _finding(finding: Finding) -> Json:
    return {
        "name": finding.property,
        "verdict": finding.verdict.value,
        "reason": finding.reason,
        "vacuous": list(finding.vacuous),
        "traces": [_story(story) for story in finding.stories],
    }


def _goal(goal: Goal) -> Json:
    return {
        "name": goal.name,
        "reached": goal.depth is not None,
        "depth": goal.depth,
        "trace": _story(goal.story) if goal.story else None,
    }


def _story(story: Story) -> Json:
    return {
        "threads": list(story.lanes),
        "start": list(story.start),
        "watched": list(story.watched),
        "steps": [_row(row) for row in story.rows],
        "loop": story.loop,
        "broken": _broken(story.broken) if story.broken else None,
        "why": _why(story.why) if story.why else None,
        "guard": _guard(story.guard) if story.guard else None,
        "near_miss": _story(story.near) if story.near else None,
    }


def _row(row: Row) -> Json:
    return {
        "step": row.number,
        "thread": row.thread,
        "handler": row.handler,
        "statement": row.innermost.statement,
        "place": _spot(row.innermost.spot),
        "stack": [_call(call) for call in row.calls],
        "changes": [
            {"kind": c.kind.value, "name": c.name, "before": c.before or None, "after": c.after}
            for c in row.changes
        ],
        "named": [_named(named) for named in row.named],
        "watched": list(row.watched),
        "held": {holding.thread: list(holding.locks) for holding in row.held},
    }


def _named(named: Named) -> Json:
    return {
        "function": named.call.function,
        "label": named.call.label,
        "statement": named.call.statement,
        "place": _spot(named.call.spot),
        "name": named.change.name,
        "after": named.change.after,
    }


def _call(call: Call) -> Json:
    return {
        "function": call.function,
        "label": call.label,
        "kernel": call.kernel,
        "statement": call.statement,
        "place": _spot(call.spot),
    }


def _broken(broken: Broken) -> Json:
    return {
        "property": broken.property,
        "text": broken.text,
        "claim": broken.claim,
        "place": _spot(broken.spot),
        "bindings": list(broken.reason.bindings),
        "facts": [{"text": fact.text, "since_step": fact.since} for fact in broken.reason.facts],
    }


def _why(why: Why) -> Json:
    return {
        "orderings": [_ordering(ordering) for ordering in why.orderings],
        "further_steps": why.further,
        "limit": why.limit,
        "switches": why.switches,
        "fewest_switches": why.fewest,
    }


def _guard(guard: Guard) -> Json:
    return {
        "thread": guard.thread,
        "function": guard.function,
        "label": guard.label,
        "statement": guard.statement,
        "place": _spot(guard.spot),
        "fitted_steps": guard.fitted,
        "fits_whole": guard.whole,
        "waits": guard.waits,
    }


def _ordering(ordering: Ordering) -> Json:
    return {
        "before": _moment(ordering.first),
        "after": _moment(ordering.second),
        "about": list(ordering.about),
        "under": ordering.under,
        "need": ordering.need,
        "schedule": [_moment(moment) for moment in ordering.schedule],
    }


def _moment(moment: Moment) -> Json:
    return {
        "step": moment.step,
        "thread": moment.thread,
        "name": moment.name,
        "place": _spot(moment.spot),
    }


def _note(note: Note) -> Json:
    return {"statement": note.statement, "place": _spot(note.spot)}


def _expectation(expectation: Expectation) -> Json:
    return {
        "property": expectation.property,
        "verdict": expectation.verdict.value,
        "only": expectation.only,
    }


def _diagnostic(diagnostic: Diagnostic) -> Json:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "place": _span(diagnostic.primary.span),
        "labels": [
            {"text": label.text, "place": _span(label.span)}
            for label in (diagnostic.primary, *diagnostic.secondary)
        ],
        "why": diagnostic.why,
        "help": diagnostic.help,
    }


def _span(span: Span) -> Json:
    return {"file": span.source.path, "line": span.line, "column": span.column}


def _spot(spot: Spot) -> Json:
    if not spot.path:
        return None
    return {"file": spot.path, "line": spot.line, "column": spot.column}
