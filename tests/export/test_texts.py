# SPDX-License-Identifier: GPL-2.0-only
"""What exported texts look like: examples held word by word.

KVMCHECK_UPDATE_GOLDEN=1 writes them anew; read the diff.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kvmcheck.export.write import Target
from kvmcheck.exporting import Request, export

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
SUFFIX = {Target.MURPHI: "m", Target.PROMELA: "pml", Target.TLA: "tla"}
EXAMPLES = [
    ("basics/01_counter", "two_threads", Target.MURPHI),
    ("basics/01_counter", "two_threads", Target.PROMELA),
    ("basics/01_counter", "two_threads", Target.TLA),
    ("basics/05_interrupts", "one_interrupt", Target.MURPHI),
    ("basics/05_interrupts", "one_interrupt", Target.PROMELA),
    ("basics/05_interrupts", "one_interrupt", Target.TLA),
    ("basics/06_fault_in_miniature", "fault_in_miniature", Target.TLA),
    ("limits/pool_too_small", "pool_too_small", Target.TLA),
]


def text_of(spec: str, case: str, target: Target) -> str:
    """The exported text; comments do not depend on where the tests run."""
    request = Request(str(ROOT / "specs" / f"{spec}.kvm"), target, case)
    found = export(request)
    assert found.text is not None, [d.message for d in found.diagnostics]
    return found.text.replace(f"{ROOT}/", "")


@pytest.mark.parametrize(("spec", "case", "target"), EXAMPLES, ids=str)
def test_an_exported_text_is_as_it_was(spec: str, case: str, target: Target) -> None:
    golden = GOLDEN / f"{case}.{SUFFIX[target]}"
    text = text_of(spec, case, target)
    if os.environ.get("KVMCHECK_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")

    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize(("spec", "case", "target"), EXAMPLES, ids=str)
def test_an_export_is_the_same_each_time(spec: str, case: str, target: Target) -> None:
    assert text_of(spec, case, target) == text_of(spec, case, target)


@pytest.mark.skipif(shutil.which("tlc") is None, reason="not installed: tlc")
@pytest.mark.parametrize(("case", "states"), [("two_threads", 4), ("one_interrupt", 42)])
def test_tlc_counts_what_we_count(case: str, states: int, tmp_path: Path) -> None:
    text = (GOLDEN / f"{case}.tla").read_text(encoding="utf-8")
    (tmp_path / f"{case}.tla").write_text(text, encoding="utf-8")
    (tmp_path / f"{case}.cfg").write_text(text[text.index("SPECIFICATION") :], encoding="utf-8")
    done = subprocess.run(
        ["tlc", "-deadlock", case], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )

    assert f"{states} distinct states found" in done.stdout
