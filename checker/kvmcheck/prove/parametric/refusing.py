# SPDX-License-Identifier: GPL-2.0-only
"""What a parametric proof can't carry, said by name: never a wrong answer instead."""

from __future__ import annotations

from kvmcheck.source.text import Span


class CannotCarry(Exception):
    """The program has something that is not encoded for every size: `what`, and where."""

    def __init__(self, what: str, span: Span | None) -> None:
        super().__init__(what)
        self.what = what
        self.span = span
