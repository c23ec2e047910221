# SPDX-License-Identifier: GPL-2.0-only
"""JUnit XML in the form that Jenkins and GitLab read: a suite for each file, a test case for each check.

UNKNOWN is an `<error>`, never `<skipped>`, which most readers show green.  A failure that a baseline knows passes, and
says so in its `<system-out>`.  Without `timings` the same specs give the same bytes.
"""

from __future__ import annotations

from itertools import groupby
from xml.etree import ElementTree

from kvmcheck.explain.report import CaseReport, Report
from kvmcheck.render.machines.checks import Check, Status, checks, telling_of
from kvmcheck.render.plain import visible


def as_junit(report: Report, *, timings: bool = False) -> str:
    """The report as JUnit XML; ends in a newline."""
    found = checks(report)
    root = ElementTree.Element("testsuites", {"name": "kvmcheck", **_counts(found)})
    cases = {(file.path, case.name): case for file in report.files for case in file.cases}
    for path, group in groupby(found, lambda check: check.file):
        inside = tuple(group)
        suite = ElementTree.SubElement(
            root, "testsuite", {"name": _text(path or "kvmcheck"), **_counts(inside)}
        )
        suite.set("skipped", "0")
        for check in inside:
            _test_case(suite, check, cases.get((path, check.case)), timings)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _test_case(suite: ElementTree.Element, check: Check, case: CaseReport | None, timings: bool) -> None:
    element = ElementTree.SubElement(
        suite, "testcase", {"classname": _class_name(check.file), "name": _text(check.title)}
    )
    if timings and case is not None and case.account is not None:
        element.set("time", f"{case.account.seconds:.3f}")
    if check.status is Status.PASSED:
        return
    said = "; ".join(check.reasons)
    where = f"{check.spot.text}: " if check.spot.path else ""
    text = where + "\n".join(check.reasons) + "\n"
    if case is not None and not check.status.is_green:
        text += "\n" + telling_of(check, case)
    if check.status is Status.KNOWN:
        ElementTree.SubElement(element, "system-out").text = _lines(f"known failure: {text}")
        return
    kind = "failure" if check.status is Status.FAILED else "error"
    body = ElementTree.SubElement(element, kind, {"type": check.status.value.upper(), "message": _text(said)})
    body.text = _lines(text)


def _counts(found: tuple[Check, ...]) -> dict[str, str]:
    failures = sum(check.status is Status.FAILED for check in found)
    errors = sum(check.status in (Status.UNKNOWN, Status.ERROR) for check in found)
    return {"tests": str(len(found)), "failures": str(failures), "errors": str(errors)}


def _class_name(path: str) -> str:
    """`specs.races.zap`: readers take what stands before the last dot for a package."""
    return _text(path.removesuffix(".kvm").lstrip("./").replace("/", ".") or "kvmcheck")


def _text(text: str) -> str:
    """XML has no way to write most control characters, not even as references."""
    return visible(text)


def _lines(text: str) -> str:
    return "\n".join(visible(line) for line in text.split("\n"))
