# SPDX-License-Identifier: GPL-2.0-only
"""A parser of KTAP version 1 after the kernel's description of it, strict where that is strict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_RESULT = re.compile(
    r"(ok|not ok) (\d+)(?: (?:- )?([^#\n]*))?(?:# (SKIP|TODO|XFAIL|TIMEOUT|ERROR)\b ?(.*))?\Z"
)
_PLAN = re.compile(r"1\.\.(\d+)\Z")


@dataclass(slots=True)
class Test:
    """A result line, what stood in front of it, and the tests inside it."""

    name: str
    passed: bool
    directive: str
    remark: str
    diagnostics: list[str] = field(default_factory=list)
    inside: list[Test] = field(default_factory=list)


def parse(text: str) -> list[Test]:
    """The tests of a KTAP text; raises `ValueError` where it is not one."""
    lines = text.split("\n")
    if lines.pop() != "":
        raise ValueError("the last line has no end")
    found, rest = _level(lines, 0, "")
    if rest != len(lines):
        raise ValueError(f"line {rest + 1} belongs to nothing: {lines[rest]!r}")
    return found


def _level(lines: list[str], at: int, indent: str) -> tuple[list[Test], int]:
    if lines[at] != f"{indent}KTAP version 1":
        raise ValueError(f"line {at + 1} is no version line: {lines[at]!r}")
    plan = _PLAN.match(lines[at + 1].removeprefix(indent))
    if plan is None:
        raise ValueError(f"line {at + 2} is no plan: {lines[at + 1]!r}")
    at += 2
    found: list[Test] = []
    diagnostics: list[str] = []
    inside: list[Test] = []
    while at < len(lines) and lines[at].startswith(indent) and len(found) < int(plan[1]):
        line = lines[at].removeprefix(indent)
        if line == "  KTAP version 1":
            inside, at = _level(lines, at, indent + "  ")
            continue
        if line.startswith("#"):
            diagnostics.append(line)
            at += 1
            continue
        result = _RESULT.match(line)
        if result is None or int(result[2]) != len(found) + 1:
            raise ValueError(f"line {at + 1} is no result line: {lines[at]!r}")
        name, directive, remark = (result[3] or "").strip(), result[4] or "", result[5] or ""
        found.append(Test(name, result[1] == "ok", directive, remark, diagnostics, inside))
        diagnostics, inside, at = [], [], at + 1
    if len(found) != int(plan[1]):
        raise ValueError(f"{plan[1]} tests were planned, and {len(found)} came")
    return found, at


def everything(tests: list[Test]) -> Iterator[Test]:
    """The tests, and those inside them."""
    for test in tests:
        yield test
        yield from everything(test.inside)
