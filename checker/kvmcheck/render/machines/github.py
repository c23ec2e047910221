# SPDX-License-Identifier: GPL-2.0-only
"""GitHub's workflow commands: an annotation on the diff for whatever is not green.

A command ends at the end of its line, and its parameters at `:` and `,`: what a spec calls its things is escaped, so
it can neither end one nor begin another.  UNKNOWN is an error.  What a baseline knows is a notice.
"""

from __future__ import annotations

import os

from kvmcheck.explain.report import Report
from kvmcheck.explain.story import Spot
from kvmcheck.render.machines.checks import Check, Status, checks
from kvmcheck.render.plain import visible
from kvmcheck.source.diagnostic import Diagnostic, Severity


def as_github(report: Report) -> str:
    """The report as workflow commands, one a line; empty where there is nothing to say."""
    lines = [_annotation(check) for check in checks(report) if check.status is not Status.PASSED]
    warnings = [d for d in report.diagnostics if d.severity is Severity.WARNING]
    for file in report.files:
        inside = (*file.diagnostics, *(d for case in file.cases for d in case.diagnostics))
        warnings += [d for d in inside if d.severity is Severity.WARNING]
    lines += [_warning(diagnostic) for diagnostic in warnings]
    return "".join(line + "\n" for line in dict.fromkeys(lines))


def inert(line: str) -> str:
    """The line as it may be printed in a job: a runner obeys what begins with `::`, and `##[` anywhere.

    >>> inert("  ::error::x ##[group]y")
    '  \\\\x3a:error::x ##\\\\x5bgroup]y'
    """
    rest = line.lstrip()
    if rest.startswith("::"):
        line = line[: len(line) - len(rest)] + r"\x3a" + rest[1:]
    return line.replace("##[", r"##\x5b")


def _annotation(check: Check) -> str:
    kind = "notice" if check.status is Status.KNOWN else "error"
    parts = list(check.reasons)
    if check.story is not None and check.story.broken is not None:
        parts += [check.story.broken.claim, *check.story.broken.reason.lines()]
    if check.story is not None and check.story.why is not None:
        parts += check.story.why.lines()
    text = "\n".join(visible(part) for part in dict.fromkeys(parts) if part)
    title = f"{check.status.value.upper()} {check.title}"
    return _command(kind, check.spot if check.spot.path else Spot(check.file, 1, 1), title, text)


def _warning(diagnostic: Diagnostic) -> str:
    span = diagnostic.primary.span
    spot = Spot(span.source.path, span.line, span.column) if span.source.text else Spot("", 0, 0)
    text = "\n".join(visible(part) for part in (diagnostic.message, diagnostic.why, diagnostic.help) if part)
    return _command("warning", spot, diagnostic.code, text)


def _command(kind: str, spot: Spot, title: str, text: str) -> str:
    """`::error file=a.kvm,line=3,col=1,title=…::text`."""
    parameters = {"title": visible(title)}
    if spot.path:
        path = visible(os.path.normpath(spot.path))
        parameters = {
            "file": path,
            "line": str(max(1, spot.line)),
            "col": str(max(1, spot.column)),
            **parameters,
        }
    said = ",".join(f"{name}={_parameter(value)}" for name, value in parameters.items())
    return f"::{kind} {said}::{_data(text) or 'see the log'}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _parameter(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
