# SPDX-License-Identifier: GPL-2.0-only
"""Fenced blocks and sections of a Markdown page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(?P<marks>#{1,4}) +(?P<title>.+?) *$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Fenced:
    """A fenced block: the words behind the fence, the text, and the line of the text's first line."""

    page: Path
    info: tuple[str, ...]
    text: str
    line: int

    @property
    def place(self) -> str:
        """`page.md:12`, for a test's name and an editor."""
        return f"{self.page.name}:{self.line}"


def fenced(page: Path, text: str | None = None) -> Iterator[Fenced]:
    """Every fenced block of a page, in order."""
    source = page.read_text(encoding="utf-8") if text is None else text
    for found in FENCE.finditer(source):
        line = source.count("\n", 0, found.start("text")) + 1
        yield Fenced(page, tuple(found["info"].split()), found["text"], line)


def sections(text: str) -> dict[str, str]:
    """The text below each second-level heading, by the heading's title; fenced text is no heading."""
    blank = FENCE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    headings = [found for found in HEADING.finditer(blank) if len(found["marks"]) == 2]
    ends = [found.start() for found in headings[1:]] + [len(text)]
    return {found["title"]: text[found.end() : end] for found, end in zip(headings, ends, strict=True)}
