# SPDX-License-Identifier: GPL-2.0-only
"""What is taken for one node where a graph is too large to read."""

from __future__ import annotations

from enum import Enum


class Fold(Enum):
    """Nothing; what happens at the same place of the program; or what happens under the same locks."""

    NONE = "none"
    LOCATION = "location"
    LOCK = "lock"
