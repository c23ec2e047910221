# SPDX-License-Identifier: GPL-2.0-only
"""What the explorer leaves out of the state space without losing a verdict; each has its switch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Reductions:
    """Which reductions are on.

    `seq`: a seq's number is replaced by "the newest, or which of the stale ones" (exact, for any number of
    increments; without it, a program that increments for ever has infinitely many states).
    `dead_locals`: a local that nobody reads any more is cleared.
    `symmetry`: of states that differ only in which member of a scalarset, which object or which like thread is
    which, one is looked at (`engine.symmetry`).
    `merge`: operations that commute with what other threads do belong to their neighbours' step (`engine.movers`).
    """

    seq: bool = True
    dead_locals: bool = True
    symmetry: bool = True
    merge: bool = True


ALL = Reductions()

#: The state graph as docs/development/semantics.md defines it: a step is one visible operation, a state is one state.
UNREDUCED = Reductions(symmetry=False, merge=False)

#: Not even what belongs to the meaning: a seq is a number, and a dead local keeps its value.
NONE = Reductions(seq=False, dead_locals=False, symmetry=False, merge=False)

#: The reductions by the names that users switch them off by.
SWITCHES = {"seq": "seq", "dead": "dead_locals", "symmetry": "symmetry", "merge": "merge"}


def reductions_without(names: Iterable[str]) -> Reductions:
    """All reductions but those of these names."""
    return replace(ALL, **{SWITCHES[name]: False for name in names})


def reductions_with(names: Iterable[str]) -> Reductions:
    """The reductions of these names and no others."""
    return replace(NONE, **{SWITCHES[name]: True for name in names})


def names_of(reductions: Reductions) -> tuple[str, ...]:
    """What users call the reductions that are on."""
    return tuple(name for name, attribute in SWITCHES.items() if getattr(reductions, attribute))
