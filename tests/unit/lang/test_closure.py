# SPDX-License-Identifier: GPL-2.0-only
"""The closure of a spec is what `load` reads, for every spec that we ship."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmcheck.lang.closure import closure, parts_of, uses_by_parsing
from kvmcheck.lang.imports import load
from kvmcheck.library import model_folder
from kvmcheck.source.diagnostic import Collector

ROOT = Path(__file__).parents[3]
SPECS = sorted((ROOT / "specs").rglob("*.kvm"))[::9]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_closure_is_what_is_read(path: Path) -> None:
    unit = load(path, (model_folder(),), Collector())
    parts = closure(path, (model_folder(),), uses_by_parsing)

    assert unit is not None
    assert parts is not None
    assert sorted(((p.module, p.source) for p in parts), key=lambda part: part[0]) == sorted(
        parts_of(unit), key=lambda part: part[0]
    )


@pytest.mark.parametrize("text", ["use no_such_module;\n", "shared int 0..3\n"])
def test_a_spec_with_a_mistake_has_none(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.kvm"
    path.write_text(text, encoding="utf-8")

    assert closure(path, (model_folder(),), uses_by_parsing) is None


def test_it_says_where_a_module_was_looked_for_before(tmp_path: Path) -> None:
    path = tmp_path / "a.kvm"
    path.write_text("use mmu_lock;\n", encoding="utf-8")
    parts = closure(path, (model_folder(),), uses_by_parsing)

    assert parts is not None
    assert parts[1].passed == (tmp_path / "mmu_lock.kvm",)
