# SPDX-License-Identifier: GPL-2.0-only
"""`--report FORMAT=FILE`: several at once, whole or not at all, and a bad path is told before the search."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kvmcheck.cli.main import main
from tests.support.reports import SPEC


@pytest.fixture
def spec(tmp_path: Path) -> str:
    """A spec that is not as expected."""
    path = tmp_path / "race.kvm"
    path.write_text(SPEC, encoding="utf-8")
    return str(path)


def test_several_reports_are_written_in_one_run(
    spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = tmp_path / "one.xml", tmp_path / "two.sarif"
    status = main(
        ["--quiet", "--report", f"junit={one}", "--report", f"sarif={two}", "--report", "ktap=-", spec]
    )

    assert status == 1
    assert ElementTree.parse(one).getroot().get("tests") == "8"
    assert json.loads(two.read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert "KTAP version 1" in capsys.readouterr().out


def test_a_report_replaces_the_old_one_and_leaves_nothing_else(spec: str, tmp_path: Path) -> None:
    old = tmp_path / "out" / "report.json"
    old.parent.mkdir()
    old.write_text("old", encoding="utf-8")
    main(["--quiet", "--report", f"json={old}", spec])

    assert json.loads(old.read_text(encoding="utf-8"))["exit_code"] == 1
    assert [path.name for path in old.parent.iterdir()] == ["report.json"]
    assert stat.S_IMODE(old.stat().st_mode) & 0o400


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("junit=/no/such/folder/a.xml", "there is no folder /no/such/folder"),
        ("junit={folder}", "is a folder"),
        ("junit=", "write FORMAT=FILE"),
        ("junit", "write FORMAT=FILE"),
        ("juint=a.xml", "no report is called `juint`"),
        ("junit=a\x00b", "can't be written"),
    ],
)
def test_a_bad_report_is_one_line_and_nothing_is_searched(
    given: str, said: str, spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["--report", given.format(folder=tmp_path), spec])
    printed = capsys.readouterr()

    assert (status, printed.out, printed.err.count("\n")) == (2, "", 1)
    assert said in printed.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_told(
    spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)

    assert main(["--report", f"junit={folder / 'a.xml'}", spec]) == 2
    assert "can't be written" in capsys.readouterr().err


def test_two_reports_can_not_share_a_file(
    spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a"

    assert main(["--report", f"junit={path}", "--report", f"ktap={tmp_path}/./a", spec]) == 2
    assert "two reports" in capsys.readouterr().err


def test_the_summary_of_a_github_job_is_added_to(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    main(["--format", "github", spec])

    assert summary.read_text(encoding="utf-8").startswith("before\n## kvmcheck: 3 failed")
    assert capsys.readouterr().out.startswith("::error file=")


def test_a_limit_that_is_reached_is_green_in_no_format(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("junit", "sarif", "github", "gitlab", "ktap", "markdown"):
        assert main(["--format", name, "--only", "fine", "--states", "1", spec]) == 3
        out = capsys.readouterr().out
        assert any(word in out for word in ("<error", '"error"', "::error", "major", "not ok", "unknown")), (
            name
        )


def test_no_trace_is_no_itf_and_no_error(
    spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.itf.json"

    assert main(["--quiet", "--only", "fine", "--report", f"itf={path}", spec]) == 0
    assert "no trace was found" in capsys.readouterr().err
    assert not path.exists()


def test_in_a_github_job_nothing_that_is_printed_is_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "race.kvm"
    title = (
        "a title so long that it is wrapped, and the next line begins so: ::stop-commands::x ##[group]y " * 3
    )
    path.write_text(SPEC.replace("TITLE", title), encoding="utf-8")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    main(["--no-trace", str(path)])
    lines = capsys.readouterr().out.splitlines()

    assert any("stop-commands" in line for line in lines)
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in lines)
