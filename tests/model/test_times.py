# SPDX-License-Identifier: GPL-2.0-only
"""Each spec is checked in a few seconds, so that `make check` stays something that one just does.

What is counted is the time that a processor works for it, not the clock: other work on the machine must not
fail a test.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").rglob("*.kvm"))

#: Seconds of a processor, for one spec with all its mutants: ten seconds of the clock on two cores.
LIMIT = 20.0


@pytest.mark.slow
@pytest.mark.parametrize("spec", SPECS, ids=lambda path: str(path.relative_to(ROOT / "specs")))
def test_a_spec_is_checked_within_ten_seconds(spec: Path) -> None:
    command = [sys.executable, "-m", "kvmcheck", "--jobs", "1", "--quiet", "--no-trace", str(spec)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)

    assert process.returncode == 0
    assert used.ru_utime + used.ru_stime < LIMIT
