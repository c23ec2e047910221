# SPDX-License-Identifier: GPL-2.0-only
"""The name that was meant."""

from __future__ import annotations

import pytest

from kvmcheck.source.nearest import nearest


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("dirtty", ["dirty", "clean"], "dirty"),
        ("mmu_lokc", ["mmu_lock", "mmap_sem"], "mmu_lock"),
        ("gnf", ["gfn", "pfn"], "gfn"),
        ("MMU_LOCK", ["mmu_lock", "mmap_sem"], "mmu_lock"),
        ("gpn", ["gfn", "pfn_t"], "gfn"),
        ("gxx", ["gfn"], None),
        ("a", ["b"], None),
        ("vcpu", [], None),
        ("vcpu", ["vcpu"], None),
        ("fault_xyz", ["fault_abc"], None),
        ("slot", ["slots", "slat"], None),
    ],
)
def test_a_name_close_to_one_other_is_taken_for_it(word: str, known: list[str], meant: str | None) -> None:
    assert nearest(word, known) == meant
