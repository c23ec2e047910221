# SPDX-License-Identifier: GPL-2.0-only
"""SARIF 2.1.0: a result for whatever is not green, at the place of the violated property, with one thread flow per CPU.

The steps of all threads count in one `executionOrder`.  An UNKNOWN is a result of level `error`: a reader that knows
only levels must not take it for a success.  What a baseline knows is a result with a suppression and its reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from kvmcheck.explain.report import CaseKind, Report
from kvmcheck.explain.story import Row, Spot, Story
from kvmcheck.render.jsonreport import Json
from kvmcheck.render.machines.addresses import fingerprint, uri
from kvmcheck.render.machines.checks import Check, Status, checks
from kvmcheck.render.plain import visible
from kvmcheck.source.catalogue import CATALOGUE
from kvmcheck.source.diagnostic import Diagnostic, Severity

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

#: The rules of results that are about no property.
_RULES = {
    "kvmcheck.unknown": "a limit was reached, so nobody knows",
    "kvmcheck.mutant": "a mutant does not break what its spec says it breaks",
    "kvmcheck.expectation": "a scenario is not as its spec expects",
    "kvmcheck.error": "a spec could not be checked",
}
_PLACEHOLDER = re.compile(r"\{(\d+)\}")


def as_sarif(report: Report, *, version: str, exit_status: int) -> str:
    """The report as SARIF text; ends in a newline."""
    said = tuple(_diagnostics(report))
    wrong_files = {path for path, d in said if d.severity is Severity.ERROR}
    bugs = {(file.path, case.name) for file in report.files for case in file.cases if case.failure}
    shown = [
        check
        for check in checks(report)
        if check.status is not Status.PASSED
        # What diagnostics say already is not said twice.
        and (
            check.status is not Status.ERROR
            or check.file not in wrong_files
            or (check.file, check.case) in bugs
        )
    ]
    rules = _rules(shown, [diagnostic for _, diagnostic in said])
    positions: dict[str, int] = {name: number for number, name in enumerate(rules)}
    results: list[Json] = [_result(check, positions) for check in shown]
    results += [_remark(path, diagnostic, positions) for path, diagnostic in said]
    driver: Json = {
        "name": "kvmcheck",
        "version": version,
        "rules": [_rule(name, text) for name, text in rules.items()],
    }
    invocation: Json = {
        "executionSuccessful": exit_status in (0, 1),
        "exitCode": exit_status,
        "toolExecutionNotifications": [
            {"level": "warning", "message": _message(f"not examined: {text}")} for text in report.not_examined
        ],
    }
    run: Json = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    whole: Json = {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}
    return json.dumps(whole, indent=2, ensure_ascii=True) + "\n"


def _diagnostics(report: Report) -> Iterator[tuple[str, Diagnostic]]:
    """Every diagnostic once, with the file that it is told of."""
    seen: set[tuple[str, str, int, str]] = set()
    found = [("", d) for d in report.diagnostics]
    for file in report.files:
        found += [
            (file.path, d) for d in (*file.diagnostics, *(d for c in file.cases for d in c.diagnostics))
        ]
    for path, diagnostic in found:
        span = diagnostic.primary.span
        key = (diagnostic.code, span.source.path, span.start, diagnostic.message)
        if key not in seen:
            seen.add(key)
            yield path, diagnostic


def _rules(shown: list[Check], said: list[Diagnostic]) -> dict[str, str]:
    rules: dict[str, str] = {}
    for check in shown:
        name = _rule_of(check)
        claim = check.story.broken.claim if check.story and check.story.broken else ""
        rules.setdefault(name, _RULES.get(name, "") or claim or f"{check.name} must hold")
    for diagnostic in said:
        rules.setdefault(diagnostic.code, CATALOGUE[diagnostic.code].title)
    return rules


def _rule_of(check: Check) -> str:
    """The rule of a result: the property where one is violated."""
    if check.status is Status.UNKNOWN:
        return "kvmcheck.unknown"
    if check.status is Status.ERROR:
        return "kvmcheck.error"
    if check.kind is CaseKind.MUTANT:
        return "kvmcheck.mutant"
    return check.name if check.story is not None else "kvmcheck.expectation"


def _rule(name: str, text: str) -> Json:
    return {
        "id": name,
        "shortDescription": _message(text),
        "defaultConfiguration": {"level": "error"},
    }


def _result(check: Check, positions: dict[str, int]) -> Json:
    rule = _rule_of(check)
    parts = [check.title, *check.reasons]
    if check.story is not None and check.story.broken is not None:
        parts += check.story.broken.reason.lines()
    if check.story is not None and check.story.why is not None:
        parts += check.story.why.lines()
    found: dict[str, Json] = {
        "ruleId": rule,
        "ruleIndex": positions[rule],
        "kind": "fail",
        "level": "error",
        "message": _message("; ".join(dict.fromkeys(parts))),
        "locations": [_location(check.spot if check.spot.path else Spot(check.file or ".", 1, 1))],
        "partialFingerprints": {"kvmcheck/v1": fingerprint(check)},
    }
    if check.case_spot.path and check.case_spot != check.spot:
        found["relatedLocations"] = [
            {"id": 0, **_location(check.case_spot, f"{check.title} is declared here")}
        ]
    if check.story is not None and check.story.rows:
        found["codeFlows"] = [_code_flow(check.story)]
    if check.status is Status.KNOWN:
        found["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": visible("; ".join(check.reasons))}
        ]
    return found


def _remark(path: str, diagnostic: Diagnostic, positions: dict[str, int]) -> Json:
    """A diagnostic as a result."""
    span = diagnostic.primary.span
    spot = Spot(span.source.path, span.line, span.column) if span.source.text else Spot(path or ".", 1, 1)
    parts = [diagnostic.message, diagnostic.primary.text, diagnostic.why, diagnostic.help]
    key = Check(spot.path, "", None, f"{diagnostic.code} {diagnostic.message}", Status.ERROR, (), spot)
    return {
        "ruleId": diagnostic.code,
        "ruleIndex": positions[diagnostic.code],
        "kind": "fail",
        "level": "error" if diagnostic.severity is Severity.ERROR else "warning",
        "message": _message("; ".join(part for part in parts if part)),
        "locations": [_location(spot)],
        "partialFingerprints": {"kvmcheck/v1": fingerprint(key)},
    }


def _code_flow(story: Story) -> Json:
    """The trace: a flow for each thread, the steps numbered through all of them."""
    flows: list[Json] = []
    for lane, name in enumerate(story.lanes):
        steps: list[Json] = [_step(row) for row in story.rows if row.lane == lane]
        if steps:
            flows.append({"id": visible(name), "message": _message(name), "locations": steps})
    said = story.broken.said if story.broken is not None else "how it is reached"
    return {"message": _message(said), "threadFlows": flows}


def _step(row: Row) -> Json:
    call = row.innermost
    text = f"{row.number}: {call.text}"
    if row.changes:
        text += " => " + ", ".join(change.text for change in row.changes)
    found: dict[str, Json] = {
        "location": _location(call.spot if call.spot.path else Spot(".", 1, 1), text),
        "executionOrder": row.number,
        "nestingLevel": len(row.calls) - 1,
        "importance": "essential" if row.breaks or row.changes else "important",
    }
    if row.changes:
        found["state"] = {visible(change.name): _message(change.after) for change in row.changes}
    return found


def _location(spot: Spot, text: str = "") -> dict[str, Json]:
    place: Json = {
        "artifactLocation": {"uri": uri(spot.path)},
        "region": {"startLine": max(1, spot.line), "startColumn": max(1, spot.column)},
    }
    found: dict[str, Json] = {"physicalLocation": place}
    if text:
        found["message"] = _message(text)
    return found


def _message(text: str) -> Json:
    """A message in which nothing is a placeholder or a link, whatever a spec calls its things."""
    plain = _PLACEHOLDER.sub(r"{{\1}}", visible(text))
    return {"text": plain.replace("](", r"\](")}
