# SPDX-License-Identifier: GPL-2.0-only
"""What the manual describes can be run: tests/docs/everything has one of each."""

from __future__ import annotations

import re
from pathlib import Path

from kvmcheck.elaborate.primitives import PRIMITIVES
from kvmcheck.explain.outcomes import Outcome
from kvmcheck.pipeline import check

SPEC = Path(__file__).parent / "everything" / "everything.kvm"


def test_one_of_everything_can_be_checked() -> None:
    report = check(SPEC)

    assert [(case.name, case.judgement.unmet) for case in report.cases if case.judgement.unmet] == []
    assert report.outcome is Outcome.AS_EXPECTED


def test_every_built_in_function_is_called() -> None:
    called = set(re.findall(r"(\w+)\(", SPEC.read_text(encoding="utf-8")))

    assert set(PRIMITIVES) - called == set()
