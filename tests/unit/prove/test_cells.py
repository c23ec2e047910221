# SPDX-License-Identifier: GPL-2.0-only
"""A state of the explorer and the bits of the formulas are two ways to write the same thing."""

from __future__ import annotations

import pytest

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import NEVER, Search, prepared
from kvmcheck.engine.reductions import UNREDUCED
from kvmcheck.prove.encode.circuit import FALSE, TRUE
from kvmcheck.prove.encode.system import Encoder
from kvmcheck.prove.encode.values import CannotCarry
from kvmcheck.semantics.program import Program
from tests.support.random_program import random_program
from tests.unit.prove.programs import of_spec, program

SPECS = {
    "basics/02_lock.kvm": "crossed",
    "basics/03_snapshot.kvm": "snapshot_and_retry",
    "basics/05_interrupts.kvm": "one_interrupt",
    "races/fault_vs_reclaim.kvm": "fault_vs_reclaim",
    "rmap/core_on_chains.kvm": "reclaim_on_chains",
}


@pytest.mark.parametrize("spec", SPECS)
def test_a_state_of_a_spec_comes_back_from_its_bits(spec: str) -> None:
    come_back(of_spec(spec, SPECS[spec]))


@pytest.mark.parametrize("seed", range(20, 26))
def test_a_state_of_a_random_program_comes_back_from_its_bits(seed: int) -> None:
    come_back(random_program(seed))


def come_back(found: Program) -> None:
    """Write some states as bits, and read them again."""
    encoder = Encoder(found, merge=False)
    budget = Budget(states=300)
    search = Search(found, budget=budget, reductions=UNREDUCED, stop=NEVER, traces=1, progress=None)
    with prepared():
        search.run()

    for packed in search.order:
        assert encoder.cells.decode(encoder.cells.encode(packed)) == packed


def test_only_bits_that_can_change_are_inputs() -> None:
    encoder = Encoder(of_spec("basics/03_snapshot.kvm", "snapshot_and_retry"), merge=True)
    home = encoder.layout.homes[0]

    assert set(encoder.cells.state[home]) <= {TRUE, FALSE}
    assert sum(cell.size for cell in encoder.cells.cells) == 11


def test_a_number_without_end_is_not_carried() -> None:
    shifts = program("""
    shared int 0..63 by = 1;
    scenario s "shifts" {
        process p { int 0..63 n = by;  assert((1 << n << n << n) != 0); }
        check no_deadlock;
    }
    """)

    with pytest.raises(CannotCarry, match="bits"):
        Encoder(shifts, merge=True).system()
