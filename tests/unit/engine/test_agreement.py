# SPDX-License-Identifier: GPL-2.0-only
"""The compiled engine and the evaluator agree on programs that nobody thought of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmcheck.engine.reductions import UNREDUCED
from tests.support.random_program import random_program
from tests.support.reference import agree


@pytest.mark.parametrize("seed", range(60))
def test_engine_and_evaluator_agree_on_random_programs(seed: int) -> None:
    program = random_program(seed)
    agree(program, limit=3_000)
    agree(program, replace(UNREDUCED, dead_locals=False), limit=6_000)
