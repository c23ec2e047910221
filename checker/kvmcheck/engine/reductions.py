# SPDX-License-Identifier: GPL-2.0-only
"""What the explorer leaves out of the state space without losing a verdict; each has its switch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reductions:
    """Which reductions are on.

    `seq`: a seq's number is replaced by "the newest, or which of the stale ones" (exact, for any number of
    increments; without it, a program that increments for ever has infinitely many states).
    `dead_locals`: a local that nobody reads any more is cleared.
    `merge`: operations that commute with what other threads do belong to their neighbours' step (`engine.movers`).
    """

    seq: bool = True
    dead_locals: bool = True
    symmetry: bool = False
    merge: bool = False


ALL = Reductions()
NONE = Reductions(seq=False, dead_locals=False, symmetry=False)
