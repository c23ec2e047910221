# SPDX-License-Identifier: GPL-2.0-only
"""`--stats` says which sections are one step, where they are cut and why, and what each reduction is worth."""

from __future__ import annotations

import json

import pytest

from kvmcheck.cli.main import main
from kvmcheck.engine.budget import Budget
from kvmcheck.engine.comparison import compared
from kvmcheck.engine.effects import effects_of
from kvmcheck.engine.reductions import reductions_with
from kvmcheck.explain.reductions import Reduced, reduced
from tests.support.compare import program_of, unit_of

SPEC = """
spinlock lock;
shared seq version written under lock;
shared bool mapped = true written under lock;
shared bool spte guarded by lock;
shared bool dirty guarded by lock;
void fault() {
    seq before = READ_ONCE(version);
    bool found = READ_ONCE(mapped);
    spin_lock(&lock);
    if (version == before) { spte = found; dirty = true; }
    spin_unlock(&lock);
}
void invalidate() { spin_lock(&lock); version++; mapped = false; spin_unlock(&lock); }
scenario s { process vcpu { fault(); } process host { invalidate(); } check no_data_race; }
"""
ALL = ("seq", "dead", "symmetry", "merge")


def told(on: tuple[str, ...] = ALL) -> Reduced:
    """What the reductions did with the spec."""
    return reduced(effects_of(program_of(unit_of(SPEC), "s"), reductions_with(on)), on)


def test_a_section_of_what_nobody_sees_is_one_step() -> None:
    section = next(section for section in told().sections if section.function == "fault")

    assert (section.statement, section.cuts, section.first) == ("spin_lock(&lock)", (), section.operations)
    assert section.operations == 5  # lock, version, spte, dirty, unlock


def test_a_section_is_cut_between_two_stores_that_are_read_without_the_lock() -> None:
    section = next(section for section in told().sections if section.function == "invalidate")

    assert [cut.statement for cut in section.cuts] == ["mapped = false"]
    (cut,) = section.cuts
    assert "reads it without a common lock" in cut.reason
    assert cut.behind == "version++"
    assert "READ_ONCE(version)" in cut.behind_reason


def test_what_is_off_is_said_to_be_off() -> None:
    reduced_less = told(("seq", "dead"))

    assert reduced_less.sections == ()
    assert reduced_less.exchanged == ()


def test_each_reduction_is_compared_with_as_few_others_as_end() -> None:
    runs = compared(program_of(unit_of(SPEC), "s"), Budget(states=100_000))

    assert [run.on for run in runs] == [(), ("seq",), ("dead",), ("symmetry",), ("merge",), ALL]
    assert all(run.complete for run in runs)
    assert runs[-1].states < runs[0].states


def test_stats_in_front_of_a_path_is_not_followed_by_its_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stats", "--no-trace", "--jobs", "1", "specs/basics/02_lock.kvm"]) == 0

    assert "reductions: seq, dead" in capsys.readouterr().out


def test_a_comparison_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--stats=compare", "--no-trace", "--only", "two_threads", "specs/basics/01_counter.kvm"])

    lines = capsys.readouterr().out.splitlines()
    head = next(number for number, line in enumerate(lines) if line.split()[:2] == ["reductions", "states"])
    assert lines[head + 1].split()[:2] == ["none", "4"]
    assert "seq, dead, symmetry, merge" in lines[head + 6]


def test_no_line_is_wider_than_the_paper(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--stats=compare", "--no-trace", "specs/basics/04_guards_and_races.kvm"])

    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_json_has_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--stats=compare", "--format", "json", "--only", "two_threads", "specs/basics/01_counter.kvm"])

    case = json.loads(capsys.readouterr().out)["files"][0]["cases"][0]
    assert case["reductions"]["runs"][0] == {"on": [], "states": 4, "transitions": 4, "complete": True}
    assert set(case["reductions"]) == {"on", "seq", "exchanged", "not_exchanged", "sections", "runs"}
