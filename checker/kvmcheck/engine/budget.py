# SPDX-License-Identifier: GPL-2.0-only
"""How much work a search may do.  A limit that is hit is an answer (UNKNOWN), never an exception."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits; None: none.  `memory` is the process's resident size in bytes."""

    states: int | None = None
    depth: int | None = None
    seconds: float | None = None
    memory: int | None = None
