# SPDX-License-Identifier: GPL-2.0-only
"""The sizes that are measured: vcpus x pages x notifiers, pages being frames of the guest and pages of the host."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class Protocol(Enum):
    """What the notifiers do: take single pages, or ranges as well; the scenarios of protocol.kvm by name."""

    PAGES = "pages"
    RANGES = "ranges"


@dataclass(frozen=True, slots=True, order=True)
class Size:
    """So many of each; `2x2x1` in text."""

    vcpus: int
    pages: int
    notifiers: int

    def __str__(self) -> str:
        return f"{self.vcpus}x{self.pages}x{self.notifiers}"

    @staticmethod
    def of(text: str) -> Size:
        """The size that a text such as `2x2x1` names; raises `ValueError`."""
        vcpus, pages, notifiers = (int(part) for part in text.split("x"))
        return Size(vcpus, pages, notifiers)


#: Of the table.
SIZES = tuple(Size.of(text) for text in ("1x1x1", "2x1x1", "2x2x1", "2x2x2", "3x2x2"))

_MIDDLE = Size(2, 2, 1)
#: What grows alone, and its sizes.
GROWTH = {
    "vcpus": tuple(replace(_MIDDLE, vcpus=number) for number in range(1, 6)),
    "pages": tuple(replace(_MIDDLE, pages=number) for number in range(1, 5)),
    "notifiers": tuple(replace(_MIDDLE, notifiers=number) for number in range(1, 4)),
}
