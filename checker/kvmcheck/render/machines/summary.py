# SPDX-License-Identifier: GPL-2.0-only
"""A Markdown page for people: a table of the files, then each case that is not green with its trace.

GitHub shows it as the summary of a job.  Whatever comes from a spec stands in code: none of it is Markdown or HTML.
"""

from __future__ import annotations

import re

from kvmcheck.explain.report import CaseReport, FileReport, Report
from kvmcheck.render.machines.checks import RUN, Status, checks, checks_of, telling
from kvmcheck.render.plain import visible

#: GitHub takes a mebibyte for a step; traces that would not fit are left out.
MOST_BYTES = 1_000_000

_WORD = {
    Status.ERROR: "could not be checked",
    Status.FAILED: "failed",
    Status.UNKNOWN: "unknown",
    Status.KNOWN: "known to fail",
    Status.PASSED: "passed",
}


def as_markdown(report: Report, *, exit_status: int) -> str:
    """The report as Markdown; ends in a newline."""
    found = checks(report)
    said = [f"{_count(found_of, word)}" for word, found_of in _tally([c.status for c in found]) if found_of]
    lines = [f"## kvmcheck: {', '.join(said) or 'nothing was checked'} (exit status {exit_status})", ""]
    if report.files:
        lines += ["| spec | " + " | ".join(_WORD.values()) + " |", "|" + " --- |" * (1 + len(_WORD))]
        lines += [_row(file) for file in report.files] + [""]
    for check in found:
        if check.name == RUN and check.kind is None:
            lines += [f"- {_code(reason)}" for reason in check.reasons] + [""]
    if report.not_examined:
        lines += ["Not examined:", "", *(f"- {_code(text)}" for text in report.not_examined), ""]
    text = "\n".join(lines)
    left_out = 0
    for file in report.files:
        for part in _parts(file):
            if len((text + part).encode()) > MOST_BYTES:
                left_out += 1
            else:
                text += "\n" + part
    if left_out:
        text += f"\n{left_out} more are left out: the page would be too large.\n"
    return text.rstrip("\n") + "\n"


def _tally(statuses: list[Status]) -> list[tuple[str, int]]:
    return [(word, sum(other is status for other in statuses)) for status, word in _WORD.items()]


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}"


def _row(file: FileReport) -> str:
    numbers = [str(number or "") for _, number in _tally([check.status for check in checks_of(file)])]
    path = _code(file.path) + (f" ({_code(file.skipped)})" if file.skipped else "")
    path = path.replace("|", r"\|")  # in a table it ends a cell, in code too
    return f"| {path} | " + " | ".join(numbers) + " |"


def _parts(file: FileReport) -> list[str]:
    """What there is to say of a file that is not green, in pieces."""
    cases: dict[str, CaseReport] = {case.name: case for case in file.cases}
    parts: dict[str, str] = {}
    for check in checks_of(file):
        if check.status is Status.PASSED:
            continue
        head = (
            f"- {check.status.value.upper()} {_code(check.title)} at {_code(check.spot.text or file.path)}\n"
        )
        head += "".join(f"  - {_code(reason)}\n" for reason in check.reasons)
        parts[check.case] = (
            parts.get(check.case, f"### {_code(f'{file.path} {check.case}'.rstrip())}\n\n") + head
        )
    for name, part in parts.items():
        if name in cases and any(c.case == name and not c.status.is_green for c in checks_of(file)):
            parts[name] = part + "\n" + _block(telling(cases[name]))
    return list(parts.values())


def _code(text: str) -> str:
    """The text as inline code."""
    plain = visible(text) or " "
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", plain)), default=0))
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def _block(text: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}text\n{text.rstrip(chr(10))}\n{fence}\n"
