# SPDX-License-Identifier: GPL-2.0-only
"""What is measured comes out as medians, with what did not come to an end."""

from __future__ import annotations

import csv
import io
import itertools
import json

import pytest

from bench.contender import Cell, Contender, Run
from bench.measuring import LimitReached, Limits
from bench.rounds import Row, measure, medians
from bench.sizes import GROWTH, Protocol, Size
from bench.table import as_csv, as_json, as_markdown, ratios

CELL = Cell(Protocol.PAGES, Size(2, 1, 1))


def taken(seconds: float, states: int = 100) -> Run:
    return Run(states=states, seconds=seconds, cpu=seconds, search=seconds / 2, peak=2**20, table=states * 16)


def rows() -> tuple[Row, ...]:
    slow, quick = itertools.cycle([4.0, 9.0, 2.0]), itertools.cycle([1.0, 0.5, 2.0])

    def never(cell: Cell, limits: Limits) -> Run:
        raise LimitReached(f"> {limits.seconds:g} s")

    contenders = [
        Contender("kvmcheck", "as it comes", False, lambda _cell, _limits: taken(next(quick))),
        Contender("kvmcheck", "plain", True, lambda _cell, _limits: taken(1.0)),
        Contender("SPIN", "plain", True, lambda _cell, _limits: taken(next(slow))),
        Contender("Rumur", "plain", True, never),
    ]
    return measure([CELL], contenders, Limits(seconds=70), 3).rows


def test_the_middle_one_of_three_runs_counts() -> None:
    found = {(row.name, row.settings): row.median for row in rows()}

    assert [run.seconds if run else None for run in found.values()] == [1.0, 1.0, 4.0, None]


def test_who_does_not_come_to_an_end_is_asked_once_and_named() -> None:
    last = rows()[-1]

    assert (last.runs, last.ended) == (0, "> 70 s")
    assert "| Rumur | plain | > 70 s |" in as_markdown(rows())


def test_the_ratio_is_that_of_the_best_peer() -> None:
    assert "| pages 2x1x1 | SPIN, plain | 4.00 | 4.00 | 1.00 | 1.00 |" in ratios(rows())


def test_csv_and_json_have_the_same_figures() -> None:
    lines = list(csv.DictReader(io.StringIO(as_csv(rows()))))
    objects = json.loads(as_json(rows(), {}))["rows"]

    assert [line["seconds"] for line in lines] == [str(one["seconds"] or "") for one in objects]
    assert lines[0]["states_per_cpu_second"] == "200"


def test_runs_that_saw_different_states_are_no_runs_of_one_model() -> None:
    with pytest.raises(AssertionError):
        medians([taken(1.0, 10), taken(1.0, 11)])


def test_only_one_number_grows_at_a_time() -> None:
    for grows, sizes in GROWTH.items():
        for name in ("vcpus", "pages", "notifiers"):
            assert (len({getattr(size, name) for size in sizes}) > 1) == (name == grows)
