# SPDX-License-Identifier: GPL-2.0-only
"""Places in files, as stories have them: flat, without the text."""

from __future__ import annotations

from dataclasses import dataclass

from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a file; line and column count from 1, an empty path is nowhere."""

    path: str
    line: int
    column: int

    @property
    def text(self) -> str:
        """`path:line`."""
        return f"{self.path}:{self.line}" if self.path else ""


def spot_of(span: Span) -> Spot:
    """Where a span begins; nowhere for what no user wrote."""
    if not span.source.text:
        return Spot("", 0, 0)
    return Spot(span.source.path, span.line, span.column)
