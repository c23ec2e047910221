# SPDX-License-Identifier: GPL-2.0-only
"""What each reduction is worth: the same program explored with one of them at a time, with all, and with none."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import explore
from kvmcheck.engine.reductions import SWITCHES, reductions_with
from kvmcheck.semantics.program import Program

#: Runs without `seq` or without `dead` look at no more states than this: they may have no end, or none within reach.
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

    Where there are too many states without `seq` or `dead`, the others are tried beside these two.
    """
    names = [name for name in SWITCHES if name not in off]
    limit = MOST_WITHOUT if budget.states is None else min(budget.states, MOST_WITHOUT)
    least: tuple[str, ...] = ()
    runs = [_measured(program, least, replace(budget, states=limit))]
    for name in ("seq", "dead"):
        if name in names and not runs[-1].complete:
            least = (*least, name)
            # With both of them there is nothing left to leave out: the run has the limits that were asked for.
            allowed = budget if name == "dead" else replace(budget, states=limit)
            runs.append(_measured(program, least, allowed))
    sets = [tuple(name for name in SWITCHES if name in (*least, chosen)) for chosen in names]
    sets.append(tuple(names))
    done = {run.on for run in runs}
    return (*runs, *(_measured(program, on, budget) for on in dict.fromkeys(sets) if on not in done))


def _measured(program: Program, on: tuple[str, ...], budget: Budget) -> Measure:
    coverage = explore(program, budget=budget, reductions=reductions_with(on)).coverage
    return Measure(on, coverage.states, coverage.transitions, coverage.seconds, coverage.complete)
