# SPDX-License-Identifier: GPL-2.0-only
"""A unified diff, taken apart into functions, as they are after the patch.

A function may be shown whole, or in pieces: the hunks say where each begins, not what is between them.
A patch that is cut off in a hunk is read as far as it goes; libraries for diffs refuse one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

HUNK = re.compile(r"@@ -\d+(?:,(?P<before>\d+))? \+(?P<start>\d+)(?:,(?P<after>\d+))? @@")
FILE = re.compile(r"\+\+\+ b/(?P<path>\S+)")
NAME = re.compile(r"(?P<name>\w+)\s*\(")


class UnreadablePatch(ValueError):
    """A patch of which we would have to guess something; the message says what."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file after the patch: its number there, and whether the patch adds it."""

    number: int
    text: str
    added: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive lines of one function.  `begins` and `ends`: whether its first and its last line are among them."""

    function: str
    file: str
    lines: tuple[Line, ...]
    begins: bool
    ends: bool


def pieces(patch: str, names: Mapping[int, str]) -> Iterator[Piece]:
    """The pieces of functions to which a patch adds something, in order.

    `names`: the function in which a hunk begins, by the hunk's first line after the patch.
    Raises `UnreadablePatch` where it is not known.
    """
    for file, hunk in _hunks(patch):
        yield from _pieces_of(file, hunk, names.get(hunk[0].number))


def _hunks(patch: str) -> Iterator[tuple[str, list[Line]]]:
    """Each hunk: its file, and the lines after the patch, as many as its head says or as there are."""
    file = ""
    lines: list[Line] = []
    number = before = after = 0
    for text in patch.splitlines():
        mark = text[:1] or " "  # mail programs take away the blank of an empty line
        if lines and (before + after == 0 or mark not in "+- \\"):
            yield file, lines
            lines, before, after = [], 0, 0
        if before + after > 0:
            if mark in "+ ":
                lines.append(Line(number, text[1:], mark == "+"))
                number, after = number + 1, after - 1
            if mark in "- ":
                before -= 1
        elif named := FILE.match(text):
            file = named["path"]
        elif begin := HUNK.match(text):
            number = int(begin["start"])
            before, after = int(begin["before"] or 1), int(begin["after"] or 1)
    if lines:
        yield file, lines


def _pieces_of(file: str, hunk: list[Line], name: str | None) -> Iterator[Piece]:
    """The pieces of one hunk.  In the kernel a function's body is enclosed in braces in the first column."""
    inside = next((line.text[0] for line in hunk if line.text[:1] in ("{", "}")), "}") == "}"
    begins = False
    current: list[Line] = []
    for line in hunk:
        current.append(line)
        if line.text.startswith("{"):
            name, inside, begins = _declared(current), True, True
        elif line.text.startswith("}"):
            if not inside:
                raise UnreadablePatch(f"line {line.number}: a function ends that has not begun")
            yield from _piece(name, file, current, begins, ends=True)
            name, inside, begins, current = None, False, False, []
    if inside:
        yield from _piece(name, file, current, begins, ends=False)


def _piece(name: str | None, file: str, lines: list[Line], begins: bool, ends: bool) -> Iterator[Piece]:
    if not any(line.added and line.text.strip() for line in lines):
        return
    if name is None:
        raise UnreadablePatch(f"line {lines[0].number}: in which function is this?")
    yield Piece(name, file, tuple(lines), begins, ends)


def _declared(head: list[Line]) -> str:
    """The name of the function whose head ends with these lines."""
    declaration = " ".join(line.text for line in head if not line.text.startswith("#"))
    found = NAME.search(declaration)
    if found is None:
        raise UnreadablePatch(f"line {head[-1].number}: whose body is this?")
    return found["name"]
