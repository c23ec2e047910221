# SPDX-License-Identifier: GPL-2.0-only
"""How a report looks on this terminal: its width, whether it has colour, and which characters it can show."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TextIO

#: What a report is drawn for when nobody says how wide it may be.
DEFAULT_COLUMNS = 80
#: Wider lines are hard to read, however wide the terminal.
WIDEST = 120

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


@dataclass(frozen=True, slots=True)
class Paint:
    """Colour is never the only mark: without it the words say the same."""

    columns: int = DEFAULT_COLUMNS
    colour: bool = False
    unicode: bool = False

    def __call__(self, text: str, style: str) -> str:
        """The text in that style, or as it is; blanks around it keep their place."""
        if not self.colour or not text.strip():
            return text
        codes = ";".join(_STYLES[part] for part in style.split())
        return f"\x1b[{codes}m{text}\x1b[0m"


def paint_for(stream: TextIO, *, colour: bool | None = None) -> Paint:
    """What suits the stream; `colour` None: on a terminal, unless NO_COLOR is set or it is dumb."""
    terminal = stream.isatty()
    if colour is None:
        colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    columns = shutil.get_terminal_size((DEFAULT_COLUMNS, 24)).columns if terminal else DEFAULT_COLUMNS
    return Paint(max(40, min(columns, WIDEST)), colour, _shows_unicode(stream))


def _shows_unicode(stream: TextIO) -> bool:
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
    return encoding in ("utf8", "utf16", "utf32")
