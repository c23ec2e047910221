# SPDX-License-Identifier: GPL-2.0-only
"""Characters to an editor's lines and columns, and back.

An editor counts columns in the units of an encoding: UTF-16 unless both sides agreed on another.  Its lines end at
`\\n`, `\\r\\n` and `\\r` and nowhere else, so `str.splitlines` won't do.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from lsprotocol.types import Position, PositionEncodingKind, Range

_LINE_END = re.compile(r"\r\n|\n|\r")


class Lines:
    """The lines of one text."""

    def __init__(self, text: str, encoding: str = PositionEncodingKind.Utf16) -> None:
        self._text = text
        self._starts = [0, *(end.end() for end in _LINE_END.finditer(text))]
        self._ends = [*(end.start() for end in _LINE_END.finditer(text)), len(text)]
        self._encoding = encoding

    def position(self, offset: int) -> Position:
        """The place of a character."""
        offset = max(0, min(offset, len(self._text)))
        line = bisect_right(self._starts, offset) - 1
        return Position(line, self._units(self._text[self._starts[line] : offset]))

    def offset(self, position: Position) -> int:
        """The character at a place; a place behind a line's end is its end, one behind the text the text's."""
        if position.line >= len(self._starts):
            return len(self._text)
        start, end = self._starts[position.line], self._ends[position.line]
        left = position.character
        for offset in range(start, end):
            left -= self._units(self._text[offset])
            if left < 0:
                return offset
        return end

    def range(self, start: int, end: int) -> Range:
        """The places of two characters."""
        return Range(self.position(start), self.position(end))

    @property
    def whole(self) -> Range:
        """All of the text."""
        return self.range(0, len(self._text))

    def _units(self, text: str) -> int:
        match self._encoding:
            case PositionEncodingKind.Utf32:
                return len(text)
            case PositionEncodingKind.Utf8:
                return len(text.encode("utf-8", "surrogatepass"))
            case _:
                return len(text) + sum(ord(character) > 0xFFFF for character in text)


class Shift:
    """From the characters of a text to those of a later one: what stands before and behind the change is kept."""

    def __init__(self, old: str, new: str) -> None:
        most = min(len(old), len(new))
        self._head = next((n for n in range(most) if old[n] != new[n]), most)
        most -= self._head
        self._tail = next((n for n in range(most) if old[-1 - n] != new[-1 - n]), most)
        self._old, self._new = len(old), len(new)

    def forward(self, offset: int) -> int | None:
        """Where a character of the old text is; None: it was changed."""
        return self._moved(offset, self._old, self._new)

    def back(self, offset: int) -> int | None:
        """Where a character of the new text was."""
        return self._moved(offset, self._new, self._old)

    def _moved(self, offset: int, here: int, there: int) -> int | None:
        if offset <= self._head:
            return offset
        return offset - here + there if here - offset <= self._tail else None
