# SPDX-License-Identifier: GPL-2.0-only
"""What a search found, and what it looked at."""

from __future__ import annotations

from dataclasses import dataclass

from kvmcheck.semantics.program import Program
from kvmcheck.semantics.verdict import PropertyResult
from kvmcheck.semantics.witness import Trace
from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class CoverResult:
    """Whether a cover was reached, and in how many steps at least (None: not reached)."""

    name: str
    depth: int | None
    trace: Trace | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was examined.

    `states`, `transitions`: how many; `depth`: steps to the farthest state; `seconds`: spent searching.
    `complete`: every reachable state was expanded; else `stopped` says which limit ended it.
    `unreached`: statements (of functions and processes) that no thread ever ran.
    `races`: marked `data_race` accesses that did race, as their statements' spans.
    `empty_choices`: choices that were always empty.  `native`: the native tier searched.  `live_states`: so many
    states, unreduced, were searched for runs without an end (0: the program claims nothing of them).
    """

    states: int
    transitions: int
    depth: int
    seconds: float
    complete: bool
    stopped: str
    unreached: tuple[Span, ...]
    races: tuple[Span, ...]
    empty_choices: tuple[Span, ...]
    native: bool = False
    live_states: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """One scenario or mutant, checked."""

    program: Program
    properties: tuple[PropertyResult, ...]
    covers: tuple[CoverResult, ...]
    coverage: Coverage
