# SPDX-License-Identifier: GPL-2.0-only
"""Programs to prove something of, from texts and from the specs."""

from __future__ import annotations

from pathlib import Path

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.lang.imports import load
from kvmcheck.library import model_folder
from kvmcheck.semantics.program import Program
from kvmcheck.source.diagnostic import Collector
from tests.support.compare import cases_of, program_of, unit_of

SPECS = Path(__file__).parents[3] / "specs"


def program(text: str, case: str = "") -> Program:
    """A case of a spec's text; the first one."""
    unit = unit_of(text)
    return program_of(unit, case or cases_of(unit)[0])


def of_spec(path: str, case: str, **sizes: str) -> Program:
    """A case of a shipped spec."""
    collector = Collector()
    unit = load(SPECS / path, (model_folder(),), collector)
    assert unit is not None
    found = elaborate(unit, case, sizes, collector)
    assert found is not None, [diagnostic.message for diagnostic in collector.all()]
    return found
