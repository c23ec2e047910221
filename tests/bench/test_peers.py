# SPDX-License-Identifier: GPL-2.0-only
"""The models that kvmcheck is measured beside are about the same protocol: they hold, and lose with the retry check."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench import rumur, spin
from bench.contender import Cell
from bench.measuring import Limits, run
from bench.ours import Kvmcheck
from bench.sizes import Protocol, Size
from tests.support.peers import missing

with_rumur = pytest.mark.skipif(bool(missing("rumur", "cc")), reason=missing("rumur", "cc"))
with_spin = pytest.mark.skipif(bool(missing("spin", "cc")), reason=missing("spin", "cc"))

SMALLEST = Size(1, 1, 1)
QUICK = Limits(seconds=60, memory=4 << 30)
BOTH = pytest.mark.parametrize("protocol", list(Protocol), ids=lambda one: one.value)


@with_spin
@BOTH
@pytest.mark.parametrize("sections", [False, True], ids=["statements", "sections"])
@pytest.mark.parametrize("retry", [True, False], ids=["retry", "no_retry"])
def test_the_model_for_spin_holds_only_with_the_retry_check(
    tmp_path: Path, protocol: Protocol, sections: bool, retry: bool
) -> None:
    shutil.copy(spin.MODEL, tmp_path)
    options = ["-DRANGES"] if protocol is Protocol.RANGES else []
    options += ["-DSECTIONS"] if sections else []
    options += [] if retry else ["-DNO_RETRY"]
    run(["spin", *options, "-a", spin.MODEL.name], tmp_path, QUICK)
    run(["cc", "-O0", "-w", "-DSAFETY", "-o", "pan", "pan.c"], tmp_path, QUICK)
    said = run(["./pan", "-n"], tmp_path, QUICK).said

    assert ("assertion violated" in said and "spte[i_]" in said) == (not retry)
    assert ("errors: 0" in said) == retry


@with_rumur
@BOTH
@pytest.mark.parametrize("retry", [True, False], ids=["retry", "no_retry"])
def test_the_model_for_rumur_holds_only_with_the_retry_check(
    tmp_path: Path, protocol: Protocol, retry: bool
) -> None:
    (tmp_path / "model.m").write_text(rumur.text_of(Cell(protocol, SMALLEST), retry=retry), encoding="utf-8")
    run(["rumur", "--threads", "1", "--colour", "off", "-o", "model.c", "model.m"], tmp_path, QUICK)
    run(["cc", "-O0", "-w", "-mcx16", "-o", "model", "model.c", "-lpthread"], tmp_path, QUICK)
    said = run(["./model"], tmp_path, QUICK).said

    assert ('invariant "no_stale_spte" failed' in said) == (not retry)
    assert ("No error found" in said) == retry


@BOTH
def test_a_run_of_ours_says_what_it_took(protocol: Protocol) -> None:
    found = Kvmcheck()(Cell(protocol, SMALLEST), QUICK)

    assert found.holds
    assert found.states > 50
    assert found.cpu > 0
    assert found.peak > 1 << 20
