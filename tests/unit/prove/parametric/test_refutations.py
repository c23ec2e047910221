# SPDX-License-Identifier: GPL-2.0-only
"""Every line that the protocol needs has an obligation that fails without it, with a step of the evaluator to show."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.parametric import inductive_invariants, proof_of
from kvmcheck.pipeline import load_file
from kvmcheck.prove.parametric.discharge import counterexample
from kvmcheck.prove.parametric.finite import Sizes
from kvmcheck.prove.parametric.induction import replayed
from kvmcheck.source.diagnostic import Collector

SPEC = "specs/proofs/protocol_2008.kvm"

REFUTED = [
    ("seq_not_compared", "mmu_notifier_retry@count preserves safe_to_install"),
    ("count_not_checked", "mmu_notifier_retry@seq preserves safe_to_install"),
    ("late_snapshot", "tdp_page_fault@snapshot preserves snapshot_guards_page"),
    ("no_seq", "try_to_unmap@notify preserves snapshot_guards_page"),
    ("late_seq", "try_to_unmap@notify preserves snapshot_guards_page"),
    ("no_seq_at_end", "zap_page_range@end preserves snapshot_guards_page"),
    ("no_count", "zap_page_range@start preserves count_is_exact"),
    ("count_is_a_flag", "kvm_mmu_notifier_invalidate_range_end@count preserves count_is_exact"),
    ("early_end", "zap_pte_range@clear preserves snapshot_guards_page"),
    ("late_start", "zap_pte_range@clear preserves snapshot_guards_page"),
    ("early_callback", "try_to_unmap@clear preserves snapshot_guards_page"),
    ("leak_on_retry", "tdp_page_fault:* preserves every_reference_has_an_owner"),
    ("double_put", "tdp_page_fault@release preserves every_reference_has_an_owner"),
    ("spte_keeps_reference", "mmu_set_spte@remove preserves every_reference_has_an_owner"),
    ("not_linked", "mmu_set_spte@store preserves chain_has_all"),
    ("not_unlinked", "rmap_remove@put preserves chain_has_no_others"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("mutant", "name"), REFUTED)
def test_a_mutant_of_the_protocol_is_refuted_at_a_named_obligation(mutant: str, name: str) -> None:
    file = load_file(SPEC)
    assert file.unit is not None
    made = proof_of(file.unit, mutant, {}, Collector())
    assert made is not None
    _, proof = made
    small = elaborate(file.unit, mutant, {}, Collector(), also=inductive_invariants(file.unit))
    assert small is not None
    sizes = Sizes.of(proof.world, small)
    ways = [o for o in proof.obligations() if fnmatchcase(o.name.partition(" (")[0], name)]
    assert ways

    for obligation in ways:
        structure = counterexample(proof, obligation, sizes, seconds=60, memory=None)
        if structure is not None:
            assert len(replayed(small, obligation, structure).trace.steps) == 1
            return
    pytest.fail("no counterexample to induction")
