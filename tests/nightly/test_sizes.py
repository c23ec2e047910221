# SPDX-License-Identifier: GPL-2.0-only
"""The list of `make nightly` can be run, and what comes out wrong is seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kvmcheck.lang import syntax
from kvmcheck.semantics.verdict import Verdict
from tests.model.test_shipped_model import parsed
from tests.support.nightly import SIZES, Run, carried_out, runs

ROOT = Path(__file__).parents[2]
SMALL = Run(
    "specs/basics/06_fault_in_miniature.kvm", "fault_in_miniature", (("Pfn", "3"),), Verdict.HOLDS, 60
)


def listed() -> list[Run]:
    """The runs of the list."""
    return runs(SIZES.read_text(encoding="utf-8"))


def own_sizes(run: Run) -> set[tuple[str, str]]:
    """The sizes of the scenario that a run's case is, or is a mutant of."""
    items = parsed(ROOT / run.spec).items
    bases = {item.name.text: item.base.text for item in items if isinstance(item, syntax.MutantDecl)}
    name = run.case
    while name in bases:
        name = bases[name]
    (scenario,) = (i for i in items if isinstance(i, syntax.ScenarioDecl) and i.name.text == name)
    return {
        (".".join(item.name), str(item.value.value))
        for item in scenario.items
        if isinstance(item, syntax.Setting) and isinstance(item.value, syntax.IntLiteral)
    }


@pytest.mark.parametrize("run", listed(), ids=str)
def test_each_run_is_a_case_at_another_size(run: Run) -> None:
    assert run.sizes
    assert set(run.sizes) & own_sizes(run) == set()


def test_no_run_is_there_twice() -> None:
    keys = [(run.spec, run.case, run.sizes) for run in listed()]

    assert len(set(keys)) == len(keys)


def test_a_run_gives_its_verdict() -> None:
    outcome = carried_out(SMALL)

    assert outcome.fits(SMALL)
    assert outcome.states > 100
    assert not outcome.fits(replace(SMALL, verdict=Verdict.VIOLATED))


@pytest.mark.parametrize(
    "wrong",
    [
        replace(SMALL, case="no_such_scenario"),
        replace(SMALL, sizes=(("Frog", "3"),)),
        replace(SMALL, spec="specs/basics/no_such_file.kvm"),
        replace(SMALL, seconds=0),
    ],
    ids=["scenario", "size", "file", "limit"],
)
def test_what_can_not_be_run_is_unknown_and_wrong(wrong: Run) -> None:
    outcome = carried_out(wrong)

    assert outcome.verdict is Verdict.UNKNOWN
    assert not outcome.fits(wrong)
