# SPDX-License-Identifier: GPL-2.0-only
"""What each reduction is worth: the same program explored with one of them at a time, with all, and with none."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import explore
from kvmcheck.engine.reductions import SWITCHES, reductions_with
from kvmcheck.semantics.program import Program

#: Without any reduction no more states than this are looked at: with a seq that counts there may be no end.
MOST_WITHOUT = 200_000


@dataclass(frozen=True, slots=True)
class Measure:
    """One run: which reductions were on, and what it came to."""

    on: tuple[str, ...]
    states: int
    transitions: int
    seconds: float
    complete: bool


def compared(program: Program, budget: Budget, off: Collection[str] = ()) -> tuple[Measure, ...]:
    """The runs with none, with each one alone and with all together, in this order, whatever is violated.

    Where a run without any finds no end for want of `seq`, the others all have `seq`.
    """
    names = [name for name in SWITCHES if name not in off]
    limit = MOST_WITHOUT if budget.states is None else min(budget.states, MOST_WITHOUT)
    without = _measured(program, (), replace(budget, states=limit))
    least: tuple[str, ...] = ()
    if not without.complete and "seq" in names and program.seq_homes:
        least = ("seq",)
    sets = [tuple(name for name in SWITCHES if name in (*least, chosen)) for chosen in names]
    sets.append(tuple(names))
    return (without, *(_measured(program, on, budget) for on in dict.fromkeys(sets) if on))


def _measured(program: Program, on: tuple[str, ...], budget: Budget) -> Measure:
    coverage = explore(program, budget=budget, reductions=reductions_with(on)).coverage
    return Measure(on, coverage.states, coverage.transitions, coverage.seconds, coverage.complete)
