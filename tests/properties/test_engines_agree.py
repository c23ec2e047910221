# SPDX-License-Identifier: GPL-2.0-only
"""Three ways to run a program (naive, evaluator, engine) give the same verdicts, depths and state counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings

from kvmcheck.lang.imports import Unit
from kvmcheck.semantics.program import Program
from tests.support import compare
from tests.support.generate import generate, programs


def disagreements(seeds: range, most: int) -> tuple[int, list[str]]:
    """How many cases of the seeds' programs were compared, and what differs."""
    compared, found = 0, []
    for seed in seeds:
        number, differences = compare.compare_text(generate(seed), most=most)
        compared += number
        found += [f"seed {seed}: {difference}" for difference in differences]
    return compared, found


@pytest.mark.parametrize("first", [1, 101, 201])
def test_random_programs_get_the_same_answers_from_all_checkers(first: int) -> None:
    compared, found = disagreements(range(first, first + 100), most=200)
    assert found == []
    assert compared > 50


@pytest.mark.slow
def test_many_random_programs_get_the_same_answers_from_all_checkers() -> None:
    compared, found = disagreements(range(10_000, 10_300), most=600)
    assert found == []
    assert compared > 150


@settings(max_examples=10, phases=(Phase.explicit, Phase.reuse, Phase.generate))  # compare.shrunk does better
@given(programs())
def test_programs_that_hypothesis_draws_get_the_same_answers_too(text: str) -> None:
    assert compare.compare_text(text, most=200)[1] == []


def test_a_seed_always_gives_the_same_program() -> None:
    assert [generate(seed) for seed in range(30)] == [generate(seed) for seed in range(30)]
    assert len({generate(seed) for seed in range(30)}) == 30


LOST = """
shared int 0..2 x;
shared int 0..2 y;
void f() { int 0..2 kept = 1; y = 1; @late x = 1; }
invariant seen { forall (f c) : c at @late implies c.kept == 1 }
scenario base { process p { f(); } check seen; }
"""


def test_a_local_that_a_property_reads_later_is_not_cleared_on_the_way_there() -> None:
    unit = compare.unit_of(LOST)
    program = compare.program_of(unit, "base")
    assert compare.by_naive(unit, "base").violated == {}
    assert compare.by_evaluator(program).violated == {}
    assert compare.by_engine(program).violated == {}


def test_a_difference_is_told_with_a_small_program() -> None:
    long = generate(3)
    assert compare.shrunk(long, lambda text: "scenario" in text).count("\n") == 1


def test_the_language_s_cases_get_the_same_answers_from_all_checkers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = sorted((Path(__file__).parents[1] / "cases").rglob("*.kvm"))
    assert compare.compare_files(files, (files[0].parents[1],), 1500) == 0
    assert capsys.readouterr().out.count(": agree") > 150


def test_an_engine_that_forgets_guards_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(unit: Unit, case: str) -> Program:
        program = whole(unit, case)
        return replace(program, variables=tuple(replace(x, guard=None) for x in program.variables))

    whole = compare.program_of
    monkeypatch.setattr(compare, "program_of", forgetful)
    assert disagreements(range(40, 62), most=200)[1] != []
