# SPDX-License-Identifier: GPL-2.0-only
"""Stepping through screens with keys, on a terminal that can do that."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable

_FORTH = frozenset({"n", " ", "\r", "\n", "\x1b[C", "\x1b[B"})
_BACK = frozenset({"p", "b", "\x7f", "\x1b[D", "\x1b[A"})
_FIRST = frozenset({"g", "\x1b[H"})
_LAST = frozenset({"G", "\x1b[F"})
_ENDS = frozenset({"q", "\x1b", "\x03", "\x04", ""})


def can_step() -> bool:
    """Whether both ends are a terminal that understands more than lines."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def moved(key: str, at: int, last: int) -> int:
    """The screen that a key leads to."""
    if key in _FORTH:
        return min(at + 1, last)
    if key in _BACK:
        return max(at - 1, 0)
    if key in _FIRST:
        return 0
    return last if key in _LAST else at


def step_through(screens: int, drawn: Callable[[int, int], list[str]]) -> None:
    """Show the screens 0 to `screens` - 1, each `drawn` for a height, until somebody ends it."""
    import termios
    import tty

    stream = sys.stdin.fileno()
    before = termios.tcgetattr(stream)
    sys.stdout.write("\x1b[?1049h\x1b[?25l")
    try:
        tty.setcbreak(stream)
        at = 0
        while True:
            height = shutil.get_terminal_size((80, 24)).lines
            lines = drawn(at, height)[:height]
            sys.stdout.write("\x1b[H\x1b[2J" + "\r\n".join(lines))
            sys.stdout.flush()
            key = os.read(stream, 8).decode("utf-8", errors="replace")
            if key in _ENDS:
                return
            at = moved(key, at, screens - 1)
    finally:
        termios.tcsetattr(stream, termios.TCSADRAIN, before)
        sys.stdout.write("\x1b[?25h\x1b[?1049l")
        sys.stdout.flush()
