# SPDX-License-Identifier: GPL-2.0-only
"""Both tiers on everything that there is: the language's cases, the specs and their mutants, random programs.

The slow ones compile a C program for each comparison; the same under ASan and UBSan for a few.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.engine.native.coding import Unsupported
from kvmcheck.lang.imports import load
from kvmcheck.library import model_folder
from kvmcheck.semantics.program import Program
from kvmcheck.source.diagnostic import Collector
from tests.support.compare import cases_of
from tests.support.native import QUICK, SANITIZED, SETS, differences, main

ROOT = Path(__file__).parents[4]
CASES = sorted((ROOT / "tests" / "cases").rglob("*.kvm"))
SPECS = sorted((ROOT / "specs").rglob("*.kvm"))
#: Searches go no farther: who compares that many states and agrees does so on more.
MOST = 20_000


def programs(path: Path, every: int = 1) -> list[tuple[str, Program]]:
    """The scenarios and mutants of a file without errors; of many cases, the first and each so manieth."""
    unit = load(path, (model_folder(), path.parent), Collector())
    found: list[tuple[str, Program]] = []
    for case in () if unit is None else cases_of(unit)[::every]:
        collector = Collector()
        program = elaborate(unit, case, {}, collector) if unit is not None else None
        if program is not None and not collector.has_errors:
            found.append((case, program))
    return found


def disagreements(
    path: Path, sets: tuple[str, ...], options: tuple[str, ...] = QUICK, every: int = 1
) -> list[str]:
    found: list[str] = []
    for number, (case, program) in enumerate(programs(path, every)):
        # The first case under all of them; the others, which differ from it in a line, under the last.
        for name in sets if number == 0 else sets[-1:]:
            try:
                different = differences(program, SETS[name], most=MOST, options=options, threads=2)
            except Unsupported as error:
                different = [f"not taken natively: {error}"]
            found += [f"{case}, {name}: {what}" for what in different or ()]
    return found


def test_both_tiers_agree_on_a_few_random_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--programs", "3", "--seed", "7", "--sets", "all"]) == 0
    assert " 0 differ" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_both_tiers_agree_on_the_languages_cases(path: Path) -> None:
    assert disagreements(path, ("none", "all")) == []


@pytest.mark.slow
@pytest.mark.parametrize("path", SPECS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_both_tiers_agree_on_each_spec_and_every_other_mutant(path: Path) -> None:
    assert disagreements(path, ("seq", "all"), every=2) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20_000, 20_100, 25))
def test_both_tiers_agree_on_random_programs(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--programs", "25", "--seed", str(seed)]) == 0, capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        ROOT / "specs" / "basics" / "06_fault_in_miniature.kvm",
        ROOT / "specs" / "limits" / "pool_too_small.kvm",
        ROOT / "tests" / "cases" / "objects" / "alloc_and_free.kvm",
    ],
    ids=lambda path: path.stem,
)
def test_the_table_and_the_steps_are_clean_under_sanitizers(path: Path) -> None:
    assert disagreements(path, ("all",), SANITIZED) == []
