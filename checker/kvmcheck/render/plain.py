# SPDX-License-Identifier: GPL-2.0-only
"""Plain text that is safe to print: control characters shown, widths counted, lines wrapped."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

#: Characters that turn the direction of text or hide in it: a spec must not rearrange its own report.
_HIDDEN = frozenset(
    [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x061C, 0x00AD, 0xFEFF]
)


#: What paints a text.
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
#: Behind these a word may be broken rather than anywhere.
_BREAKS = "([{,;"


def visible(text: str, *, ascii_only: bool = False) -> str:
    """The text with everything that a terminal may obey, or not show, written as an escape.

    >>> visible("a\\x1b[31m\\u202eb")
    'a\\\\x1b[31m\\\\u202eb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character, ascii_only) for character in text)


def _shown(character: str, ascii_only: bool) -> str:
    code = ord(character)
    if character == "\t":
        return " "
    safe = character.isprintable() and code not in _HIDDEN
    if safe and (code < 0x80 or not ascii_only):
        return character
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def width(text: str) -> int:
    """How many columns a terminal gives the text."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def wrapped(text: str, columns: int, hanging: int = 2) -> list[str]:
    """The text in lines of at most `columns` columns, broken at blanks where there are any.

    Lines after the first are indented by `hanging`.

    >>> wrapped("spin_lock(&mmu_lock); mmu_notifier_seq++", 24)
    ['spin_lock(&mmu_lock);', '  mmu_notifier_seq++']
    """
    columns = max(columns, hanging + 2)
    lines: list[str] = []
    line, empty = "", True
    for word in text.split(" "):
        joined = word if empty else f"{line} {word}"
        if empty and lines:
            joined = " " * hanging + word
        if width(joined) <= columns:
            line, empty = joined, False
            continue
        if not empty:
            lines.append(line)
            joined = " " * hanging + word
        while width(joined) > columns:
            head = _broken(_fitting(joined, columns), hanging)
            lines.append(head)
            joined = " " * hanging + joined[len(head) :]
        line, empty = joined, False
    lines.append(line)
    return lines


def packed(parts: Sequence[str], columns: int, between: str, hanging: int = 2) -> list[str]:
    """The parts in lines, broken between parts; only a part that is too wide by itself is broken inside.

    >>> packed(["lock", "seq++", "unlock"], 12, ";")
    ['lock; seq++;', 'unlock']
    """
    lines: list[str] = []
    line = ""
    for number, part in enumerate(parts):
        piece = part + (between if number + 1 < len(parts) else "")
        if line and width(line) + 1 + width(piece) <= columns:
            line += " " + piece
            continue
        if line:
            lines.append(line)
        *full, line = wrapped(piece, columns, hanging)
        lines += full
    return [*lines, line] if line else lines


def cut(text: str, columns: int) -> str:
    """The text, or its beginning and `...` if it is wider."""
    if width(text) <= columns:
        return text
    return _fitting(text, max(columns - 3, 1)).rstrip() + "..."


def padded(text: str, columns: int) -> str:
    """The text with blanks behind it up to that width."""
    return text + " " * max(0, columns - width(text))


def with_bar(line: str, column: int, bar: str) -> str:
    """The line with a bar in a column, unless something stands there or close to its left.

    Colours (escape sequences) take no column.

    >>> with_bar("  4 lock", 3, "|")
    '  4|lock'
    """
    bare = _ESCAPE.sub("", line)
    if not bare.replace(bar, "").isascii() or len(bare) <= column or bare[column] != " ":
        return line
    if bare[:column].strip(f" {bar}0123456789") and bare[column - 1] != " ":
        return line
    at = seen = 0
    while at < len(line):
        escape = _ESCAPE.match(line, at)
        if escape:
            at = escape.end()
            continue
        if seen == column:
            return line[:at] + bar + line[at + 1 :]
        seen, at = seen + 1, at + 1
    return line


def _broken(head: str, hanging: int) -> str:
    """The beginning of a word that is too wide, up to its last bracket or comma if that is far enough in."""
    at = max(head.rfind(sign) for sign in _BREAKS) + 1
    return head[:at] if at > hanging + len(head) // 3 else head


def _fitting(text: str, columns: int) -> str:
    used = 0
    for number, character in enumerate(text):
        used += _columns(character)
        if used > columns:
            return text[: max(number, 1)]
    return text


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
