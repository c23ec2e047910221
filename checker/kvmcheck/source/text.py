# SPDX-License-Identifier: GPL-2.0-only
"""The text of one file, and places in it.

All arithmetic on lines, columns and tabs is here; everybody else passes a `Span` along.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

#: A spec larger than this is refused before it is parsed: the largest spec we ship is under 40 KB.
MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class SourceText:
    """A file's name, as the user wrote it, and what stands in it."""

    path: str
    text: str = field(repr=False)

    def line(self, number: int) -> str:
        """Line `number`, counted from 1, without its end; empty past the last line."""
        lines = self.text.split("\n")
        return lines[number - 1] if 1 <= number <= len(lines) else ""

    def line_and_column(self, offset: int) -> tuple[int, int]:
        """The line and column, both counted from 1, of a character offset."""
        before = self.text[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


@dataclass(frozen=True, slots=True)
class Span:
    """The characters from `start` up to, not including, `end` of a source text."""

    source: SourceText
    start: int
    end: int

    @property
    def line(self) -> int:
        """The line of the first character, counted from 1."""
        return self.source.line_and_column(self.start)[0]

    @property
    def column(self) -> int:
        """The column of the first character, counted from 1."""
        return self.source.line_and_column(self.start)[1]

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of the other one."""
        return Span(self.source, self.start, other.end)


def nowhere(path: str = "<built in>") -> Span:
    """A span for what no user wrote."""
    return Span(SourceText(path, ""), 0, 0)


def read(path: Path, shown_as: str | None = None) -> SourceText:
    """The text of a file; raises `OSError`, `UnicodeDecodeError` or `ValueError` (too large)."""
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    return SourceText(shown_as or str(path), path.read_bytes().decode("utf-8"))
