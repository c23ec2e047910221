# SPDX-License-Identifier: GPL-2.0-only
"""`pytest specs/`: a test for each scenario and mutant, the diagram where one fails, and no harm to other suites."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.reports import SPEC

ROOT = Path(__file__).parents[2]
BASELINE = """\
[[known]]
file = "race.kvm"
case = "race"
property = "none_lost"
reason = "bug 12"
[[known]]
file = "race.kvm"
case = "race"
property = "never"
reason = "to be written"
"""

pytestmark = pytest.mark.skipif(
    not any(point.value == "kvmcheck.pytest_plugin" for point in entry_points(group="pytest11")),
    reason="kvmcheck is not installed here",
)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A pytest of its own, in the folder."""
    environment = {**os.environ, "KVMCHECK_NO_CACHE": "1", "COLUMNS": "80"}
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=folder,
        env=environment,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A suite of its own: a spec, a module, and a test in Python."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "race.kvm").write_text(SPEC, encoding="utf-8")
    (tmp_path / "module.kvm").write_text("module module;\nshared int 0..3 count;\n", encoding="utf-8")
    (tmp_path / "test_plain.py").write_text("def test_plain():\n    assert True\n", encoding="utf-8")
    return tmp_path


def test_each_scenario_and_mutant_is_a_test(folder: Path) -> None:
    done = run(folder, "-q", "--junit-xml", "out.xml", "-rA")
    root = ElementTree.parse(folder / "out.xml").getroot()
    cases = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}

    assert done.returncode == 1
    assert cases == {
        "race": ["properties", "failure"],
        "fine": ["properties"],
        "survivor": ["properties", "failure"],
        "killed": ["properties"],
        "test_plain": [],
    }
    assert "PASSED race.kvm::fine" in done.stdout


def test_a_failure_shows_the_diagram_and_how_to_see_it_again(folder: Path) -> None:
    done = run(folder, "race.kvm::race")

    assert "=> none_lost does not hold" in done.stdout
    assert "thread#0                       thread#1" in done.stdout
    assert "again: kvmcheck --only race race.kvm" in done.stdout
    assert "Traceback" not in done.stdout


def test_an_unknown_fails(folder: Path) -> None:
    done = run(folder, "--kvmcheck-states", "1", "race.kvm::fine")

    assert done.returncode == 1
    assert "the limit of 1 states was reached" in done.stdout


def test_a_known_failure_is_an_expected_one(folder: Path) -> None:
    (folder / "known.toml").write_text(BASELINE, encoding="utf-8")
    done = run(folder, "--kvmcheck-baseline", "known.toml", "-rx", "race.kvm::race")

    assert done.returncode == 0
    assert "bug 12" in done.stdout


def test_a_spec_that_can_not_be_read_is_an_error_with_its_place(folder: Path) -> None:
    (folder / "wrong.kvm").write_text("shared int 0..3 count\n", encoding="utf-8")
    done = run(folder, "wrong.kvm")

    assert done.returncode == 2
    assert "error[KVM101]" in done.stdout
    assert "--> wrong.kvm:1" in done.stdout


def test_it_can_be_told_to_leave_the_files_alone(folder: Path) -> None:
    assert "1 passed" in run(folder, "-o", "kvmcheck_collect=false").stdout
    assert "1 passed" in run(folder, "-p", "no:kvmcheck").stdout


def test_only_the_mutants_can_be_chosen(folder: Path) -> None:
    assert "1 failed, 1 passed, 3 deselected" in run(folder, "-m", "kvmcheck_mutant").stdout


def test_a_bad_option_is_one_line(folder: Path) -> None:
    done = run(folder, "--kvmcheck-states", "many", "race.kvm")

    assert done.returncode != 0
    assert "--kvmcheck-states: 'many' is no number of states" in done.stdout + done.stderr


def test_it_works_in_several_processes(folder: Path) -> None:
    done = run(folder, "-n", "2", "-q")

    assert "2 failed, 3 passed" in done.stdout


def test_the_plugin_imports_nothing_before_there_is_a_spec(folder: Path) -> None:
    check = "import sys; assert not {'z3', 'networkx', 'lark', 'rich.console', 'kvmcheck.pipeline'} & set(sys.modules)"
    (folder / "test_plain.py").write_text(f"def test_plain():\n    {check}\n", encoding="utf-8")

    assert run(folder, "test_plain.py").returncode == 0


def test_this_suite_has_no_specs_in_it() -> None:
    done = run(ROOT, "--collect-only", "-q", "tests/cases", "-p", "no:xdist")

    assert ".kvm::" not in done.stdout


def test_the_shipped_basics_pass() -> None:
    done = run(ROOT, "specs/basics/01_counter.kvm", "specs/basics/02_lock.kvm", "-q", "-p", "no:xdist")

    assert done.returncode == 0
    assert "5 passed" in done.stdout
