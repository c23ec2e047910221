# SPDX-License-Identifier: GPL-2.0-only
"""Small things are instant: what a quick command must not import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

REPORT = """
import contextlib, sys
from kvmcheck.cli.main import main
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(sys.stderr):
    main({arguments})
print(*sorted(set(sys.modules) & {{"lark", "networkx", "rich", "z3"}}))
"""


def python(code: str) -> list[str]:
    """The words that some code prints in a fresh interpreter."""
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "checker")},
    )
    return run.stdout.split()


def imported_by(*arguments: str) -> list[str]:
    """The heavy packages that a kvmcheck command has imported when it ends."""
    return python(REPORT.format(arguments=list(arguments)))


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(option: str) -> None:
    assert imported_by(option) == []


def test_checking_a_spec_imports_neither_z3_nor_networkx() -> None:
    first_spec = str(min((ROOT / "specs" / "basics").glob("*.kvm")))

    assert not {"networkx", "z3"} & set(imported_by(first_spec))


def test_importing_the_package_imports_no_module_of_it() -> None:
    code = "import sys, kvmcheck; print(*(name for name in sys.modules if name.startswith('kvmcheck.')))"

    assert python(code) == []


def test_every_public_name_can_be_imported() -> None:
    code = "import kvmcheck; print(*(name for name in kvmcheck.__all__ if hasattr(kvmcheck, name)))"

    assert sorted(python(code)) == ["KvmcheckError", "Result", "Verdict", "__version__", "check"]
