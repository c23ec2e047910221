# SPDX-License-Identifier: GPL-2.0-only
"""A command gets so many CPU seconds, and not for ever on the clock."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.measuring import LimitReached, Limits, run


def test_a_command_that_computes_too_long_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(LimitReached, match="> 1 s"):
        run([sys.executable, "-c", "while True: pass"], tmp_path, Limits(seconds=1, patience=60))


def test_a_command_that_only_waits_is_stopped_too(tmp_path: Path) -> None:
    with pytest.raises(LimitReached, match=r"> 0\.2 s"):
        run(["sleep", "20"], tmp_path, Limits(seconds=0.2, patience=1))


def test_a_command_that_ends_says_what_it_used(tmp_path: Path) -> None:
    used = run([sys.executable, "-c", "print(sum(range(10**6)))"], tmp_path, Limits(seconds=20))

    assert (used.status, used.said) == (0, "499999500000\n")
    assert 0 < used.cpu <= 20
    assert used.peak > 1 << 20
