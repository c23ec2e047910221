# SPDX-License-Identifier: GPL-2.0-only
"""The files for GitHub, GitLab and pre-commit are YAML, name options that exist, and the action's script works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kvmcheck.cli.arguments import REPORTS, check_parser, fmt_parser
from tests.support.reports import HOSTILE, SPEC

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "kvmcheck" / "action.yml"
GITLAB = ROOT / "docs" / "ci" / "gitlab.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"


def loaded(path: Path) -> object:
    """What a YAML file says."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def script() -> str:
    """The script of the action's last step."""
    action = loaded(ACTION)
    assert isinstance(action, dict)
    return str(action["runs"]["steps"][-1]["run"])


def test_each_file_is_yaml_of_its_kind() -> None:
    action, gitlab, hooks = loaded(ACTION), loaded(GITLAB), loaded(HOOKS)

    assert isinstance(action, dict)
    assert action["runs"]["using"] == "composite"
    assert (ACTION.parent / "../../..").resolve() == ROOT  # it installs from there
    assert all("shell" in step for step in action["runs"]["steps"] if "run" in step)
    assert isinstance(gitlab, dict)
    assert set(gitlab[".kvmcheck"]["artifacts"]["reports"]) == {"junit", "codequality"}
    assert isinstance(hooks, list)
    assert all({"id", "name", "entry", "language"} <= set(hook) for hook in hooks)
    assert all(re.compile(hook["files"]).search("specs/a.kvm") for hook in hooks)


@pytest.mark.parametrize("path", [ACTION, GITLAB, HOOKS], ids=lambda path: path.name)
def test_every_option_and_report_in_a_file_exists(path: Path) -> None:
    text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
    text = re.sub(r".*pip install.*", "", text)
    known = {
        o for parser in (check_parser(), fmt_parser()) for a in parser._actions for o in a.option_strings
    }

    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) <= known
    assert set(re.findall(r"--report \"?([a-z]+)=", text)) <= set(REPORTS)
    assert "kvmcheck" in text


def test_no_input_of_the_action_becomes_a_part_of_a_script() -> None:
    action = loaded(ACTION)
    assert isinstance(action, dict)

    assert not any("${{" in step.get("run", "") for step in action["runs"]["steps"])


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_action_annotates_and_fails_with_the_status(tmp_path: Path) -> None:
    kvmcheck = tmp_path / "bin" / "kvmcheck"
    kvmcheck.parent.mkdir()
    kvmcheck.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kvmcheck "$@"\n', encoding="utf-8")
    kvmcheck.chmod(0o755)
    (tmp_path / "specs").mkdir()
    title = HOSTILE.replace('"', "'").replace("\\", "/") + " ::stop-commands::x ::set-env name=A::b"
    (tmp_path / "specs" / "race.kvm").write_text(SPEC.replace("TITLE", title), encoding="utf-8")
    done = subprocess.run(
        ["bash", "-c", script()],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=60,
        env={
            **os.environ,
            "PATH": f"{kvmcheck.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "checker"),
            "PATHS": "specs",
            "OPTIONS": "--states 1000 --no-cache",
            "BASELINE": "",
            "SINCE": "",
            "SARIF": "out.sarif",
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        },
    )
    lines = done.stdout.splitlines()
    end = lines.index(lines[0].replace("::stop-commands::", "::") + "::")

    assert done.returncode == 1, done.stderr
    assert lines[0].startswith("::stop-commands::")
    assert all(line.startswith("::error file=specs/race.kvm") for line in lines[end + 1 :])
    assert len(lines) > end + 3
    assert (tmp_path / "output").read_text(encoding="utf-8") == "status=1\n"
    assert (tmp_path / "summary").read_text(encoding="utf-8").startswith("## kvmcheck: 3 failed")
    assert (tmp_path / "out.sarif").exists()
