# SPDX-License-Identifier: GPL-2.0-only
"""Everybody in turn, round after round: so whatever else the machine does falls on all alike, and a median is left."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.contender import Cell, Contender, Run
from bench.measuring import LimitReached, Limits


@dataclass(frozen=True, slots=True)
class Row:
    """The medians of one contender on one cell; `ended` says why there are none."""

    cell: Cell
    name: str
    settings: str
    plain: bool
    runs: int
    median: Run | None
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """All rows, and the load averages (of one minute) while they were measured."""

    rows: tuple[Row, ...]
    loads: tuple[float, ...]


def medians(runs: Sequence[Run]) -> Run:
    """One run with the median of every number; all have to have seen the same states."""
    assert len({run.states for run in runs}) == 1, {run.states for run in runs}
    tables = [run.table for run in runs if run.table is not None]
    return Run(
        states=runs[0].states,
        seconds=median(run.seconds for run in runs),
        cpu=median(run.cpu for run in runs),
        search=median(run.search for run in runs),
        peak=int(median(run.peak for run in runs)),
        table=int(median(tables)) if tables else None,
        holds=all(run.holds for run in runs),
    )


def measure(cells: Sequence[Cell], contenders: Sequence[Contender], limits: Limits, rounds: int) -> Measured:
    """So many rounds over all cells.

    Who does not come to an end once is not asked again; nor is who took a third of the limit, since so long a run has
    its mean in itself.
    """
    runs: dict[tuple[Cell, int], list[Run]] = {}
    ended: dict[tuple[Cell, int], str] = {}
    loads = []
    for number in range(rounds):
        for cell in cells:
            for at, contender in enumerate(contenders):
                so_far = runs.get((cell, at), [])
                if (cell, at) in ended or any(run.cpu > limits.seconds / 3 for run in so_far):
                    continue
                loads.append(os.getloadavg()[0])
                try:
                    runs.setdefault((cell, at), []).append(contender.run(cell, limits))
                except LimitReached as reached:
                    ended[cell, at] = str(reached)
                told = f"{cell.protocol.value} {cell.size} {contender.name}, {contender.settings}"
                said = ended.get((cell, at)) or f"{runs[cell, at][-1].seconds:.2f} s"
                print(f"round {number + 1}: {told}: {said}", file=sys.stderr, flush=True)
    rows = []
    for cell in cells:
        for at, contender in enumerate(contenders):
            of = runs.get((cell, at), [])
            stopped = ended.get((cell, at), "")
            whole = None if stopped or not of else medians(of)
            rows.append(
                Row(cell, contender.name, contender.settings, contender.plain, len(of), whole, stopped)
            )
    return Measured(tuple(rows), tuple(loads))
