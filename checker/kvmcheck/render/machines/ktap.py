# SPDX-License-Identifier: GPL-2.0-only
"""KTAP version 1, as the kernel's own tests print it: a test for each file, a subtest for each check in it.

What was not decided is `not ok … # TIMEOUT`, what could not be checked `not ok … # ERROR`; a failure that a baseline
knows is `ok … # XFAIL`, as kselftest writes it.
"""

from __future__ import annotations

from itertools import groupby
from typing import assert_never

from kvmcheck.explain.report import CaseReport, Report
from kvmcheck.render.machines.checks import Check, Status, checks, telling_of
from kvmcheck.render.plain import visible

_GRAVEST_FIRST = (Status.ERROR, Status.FAILED, Status.UNKNOWN, Status.KNOWN, Status.PASSED)


def as_ktap(report: Report) -> str:
    """The report as KTAP; ends in a newline."""
    cases = {(file.path, case.name): case for file in report.files for case in file.cases}
    files = [(path, tuple(group)) for path, group in groupby(checks(report), lambda check: check.file)]
    lines = ["KTAP version 1", f"1..{len(files)}"]
    for number, (path, inside) in enumerate(files, start=1):
        lines += ["  KTAP version 1", f"  1..{len(inside)}"]
        for position, check in enumerate(inside, start=1):
            case = cases.get((path, check.case))
            lines += [f"  # {text}".rstrip() for text in _diagnostics(check, case)]
            lines.append("  " + _result(position, check.title, check.status, "; ".join(check.reasons)))
        worst = min((check.status for check in inside), key=_GRAVEST_FIRST.index)
        # A known failure makes no file fail, and a file has no reason of its own.
        status = Status.PASSED if worst.is_green else worst
        lines.append(_result(number, path or "kvmcheck", status, ""))
    return "\n".join(lines) + "\n"


def _result(number: int, name: str, status: Status, reason: str) -> str:
    """`not ok 2 two_threads: none_is_lost # TIMEOUT the search ended at 100 states`."""
    name, why = _name(name), _name(reason)
    match status:
        case Status.PASSED:
            return f"ok {number} {name}"
        case Status.KNOWN:
            return f"ok {number} {name} # XFAIL {why}".rstrip()
        case Status.FAILED:
            return f"not ok {number} {name}"
        case Status.UNKNOWN:
            return f"not ok {number} {name} # TIMEOUT {why}".rstrip()
        case Status.ERROR:
            return f"not ok {number} {name} # ERROR {why}".rstrip()
        case _:
            assert_never(status)


def _diagnostics(check: Check, case: CaseReport | None) -> list[str]:
    """Why it is not green, and the trace."""
    if check.status.is_green:
        return []
    lines = [visible(text, ascii_only=True) for text in check.reasons]
    if case is not None:
        lines += telling_of(check, case).rstrip("\n").split("\n")
    return lines


def _name(text: str) -> str:
    """A `#` would begin a directive."""
    return visible(text, ascii_only=True).replace("#", r"\x23")
