# SPDX-License-Identifier: GPL-2.0-only
"""Random small programs: the engine's verdicts on liveness are those of a second way of computing them."""

from __future__ import annotations

import pytest

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import ENDLESS
from kvmcheck.engine.live.judge import judged
from kvmcheck.engine.native.build import compiler
from kvmcheck.engine.native.lives import judged_natively
from kvmcheck.semantics.verdict import Verdict
from tests.support.compare import Refused, program_of, unit_of
from tests.support.fair_runs import FairRuns, live_program
from tests.support.native import SANITIZED

SEEDS = range(1, 241)
#: Programs with more states are left out.
MOST_STATES = 150


def compared(seed: int) -> int:
    """How many properties of a random program were compared."""
    text = live_program(seed)
    try:
        program = program_of(unit_of(text), "s")
    except Refused:
        return 0
    results, states = judged(program, Budget(states=MOST_STATES))
    if states >= MOST_STATES or any(result.reason == ENDLESS for result in results):
        return 0
    runs = FairRuns(program)
    told = {result.property: result.verdict for result in results}
    for live in program.lives:
        broken = runs.breaks(live)
        wanted = Verdict.VIOLATED if broken else Verdict.UNKNOWN if runs.cut else Verdict.HOLDS
        assert told[live.name] is wanted, f"seed {seed}: {live.name}\n{text}"
    return len(program.lives)


@pytest.mark.parametrize("part", range(8))
def test_two_ways_of_computing_liveness_agree(part: int) -> None:
    seeds = [seed for seed in SEEDS if seed % 8 == part]
    print("seeds", seeds)
    assert sum(compared(seed) for seed in seeds) > len(seeds)


def agreed(seed: int, options: tuple[str, ...] = ()) -> int:
    """How many properties both tiers judged alike."""
    text = live_program(seed)
    try:
        program = program_of(unit_of(text), "s")
    except Refused:
        return 0
    results, states = judged(program, Budget(states=20_000))
    if any(result.reason == ENDLESS for result in results):
        return 0
    natively, found = judged_natively(program, Budget(states=20_000), options)
    told = [(r.property, r.verdict, r.vacuous, [t.loop for t in r.traces]) for r in results]
    assert told == [(r.property, r.verdict, r.vacuous, [t.loop for t in r.traces]) for r in natively], (
        f"seed {seed}\n{text}"
    )
    assert states == found
    return len(program.lives)


@pytest.mark.skipif(compiler() is None, reason="there is no C compiler")
def test_both_tiers_agree_on_liveness() -> None:
    assert sum(agreed(seed) for seed in range(2000, 2008)) >= 12


@pytest.mark.slow
@pytest.mark.skipif(compiler() is None, reason="there is no C compiler")
def test_both_tiers_agree_on_liveness_of_many_programs() -> None:
    assert sum(agreed(seed) for seed in range(3000, 3060)) >= 90


@pytest.mark.slow
@pytest.mark.skipif(compiler() is None, reason="there is no C compiler")
def test_the_search_for_cycles_is_clean_under_sanitizers() -> None:
    assert sum(agreed(seed, SANITIZED) for seed in range(5000, 5006)) >= 8
