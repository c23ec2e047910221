# SPDX-License-Identifier: GPL-2.0-only
"""GitLab's code quality report: a list of findings, each with a place and a fingerprint.

It has no word for "nobody knows", so an UNKNOWN is a finding of severity `major`.  What a baseline knows is `info`.
"""

from __future__ import annotations

import json
import os
from typing import assert_never

from kvmcheck.explain.report import Report
from kvmcheck.render.jsonreport import Json
from kvmcheck.render.machines.addresses import fingerprint
from kvmcheck.render.machines.checks import Check, Status, checks
from kvmcheck.render.plain import visible


def as_gitlab(report: Report) -> str:
    """The report as JSON text; ends in a newline."""
    found: Json = [_finding(check) for check in checks(report) if check.status is not Status.PASSED]
    return json.dumps(found, indent=2, ensure_ascii=True) + "\n"


def _finding(check: Check) -> Json:
    said = "; ".join((check.title, *check.reasons))
    path = check.spot.path or check.file or "."
    return {
        "description": visible(f"{check.status.value.upper()} {said}"),
        "check_name": visible(check.name),
        "fingerprint": fingerprint(check),
        "severity": _severity(check.status),
        "location": {"path": visible(os.path.normpath(path)), "lines": {"begin": max(1, check.spot.line)}},
    }


def _severity(status: Status) -> str:
    match status:
        case Status.PASSED | Status.KNOWN:
            return "info"
        case Status.UNKNOWN:
            return "major"
        case Status.FAILED:
            return "critical"
        case Status.ERROR:
            return "blocker"
        case _:
            assert_never(status)
