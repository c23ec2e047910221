# SPDX-License-Identifier: GPL-2.0-only
"""No two engines give different answers: the explorer, bounded search, induction and Spacer on the same programs."""

from __future__ import annotations

from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import pytest

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.lang.imports import load
from kvmcheck.library import model_folder
from kvmcheck.prove.auto import prove
from kvmcheck.prove.method import Limits, Method, Wanted
from kvmcheck.semantics.verdict import Verdict
from kvmcheck.source.diagnostic import Collector
from tests.support.bounded import differences, programs
from tests.support.compare import cases_of
from tests.support.provers import cases, committed, compared
from tests.unit.prove.programs import SPECS, of_spec

LESSONS = sorted((Path(__file__).parents[2] / "cases").rglob("*.kvm"))

#: Mutants of the core, a quick one for each claim; docs/reference/performance.md has more of them.
CORE = {
    "no_retry": "no_stale_spte",
    "seq_outside": "no_data_race",
    "leak_on_retry": "pins_balanced",
    "not_linked": "rmap_matches_sptes",
}


@pytest.mark.parametrize("seed", range(1, 4))
def test_a_random_program_breaks_the_same_claims_in_as_many_steps(seed: int) -> None:
    for name, program in programs(seed):
        for merge in (False, True):
            assert not differences(program, 3, merge=merge, most=2_000), (name, merge)


@pytest.mark.parametrize("case", ["no_retry", "fault_in_miniature"])
def test_bounded_search_and_explorer_agree_on_a_spec(case: str) -> None:
    program = of_spec("basics/06_fault_in_miniature.kvm", case)

    assert differences(program, 8, merge=True, most=5_000) == []


@pytest.mark.slow
@pytest.mark.parametrize("folder", sorted({path.parent for path in LESSONS}), ids=lambda path: path.name)
def test_bounded_search_and_explorer_agree_on_every_lesson_about_the_language(folder: Path) -> None:
    for path in sorted(folder.glob("*.kvm")):
        collector = Collector()
        unit = load(path, (model_folder(),), collector)
        if unit is None or collector.has_errors:
            continue
        for case in cases_of(unit):
            program = elaborate(unit, case, {}, Collector())
            if program is not None:
                assert not differences(program, 5, merge=True, most=1_000), (path.name, case)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", sorted(CORE))
def test_bounded_search_finds_a_mutant_of_the_core_in_twenty_seconds(mutant: str) -> None:
    claim = CORE[mutant]
    program = of_spec("races/fault_vs_reclaim.kvm", mutant)
    before = getrusage(RUSAGE_CHILDREN)
    result = prove(program, Method.BMC, Limits(seconds=120.0), Wanted(frozenset({claim}))).result
    after = getrusage(RUSAGE_CHILDREN)

    # A processor's time and not the clock's: other work on the machine must not fail a test.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 20
    assert next(found for found in result.properties if found.property == claim).verdict is Verdict.VIOLATED


@pytest.mark.slow
def test_no_prover_contradicts_the_explorer_and_none_leaves_more_open_than_it_did() -> None:
    table = committed()
    for case in cases([SPECS / "basics" / "06_fault_in_miniature.kvm"]):
        row = compared(case.program, 6.0)
        assert row is not None
        assert row.contradictions == (), case.name
        assert all(row.unknown[engine] <= known for engine, known in table[case.name].items()), case.name
