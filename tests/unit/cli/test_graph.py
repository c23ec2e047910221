# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck graph`: the form follows the file's name, and what can't be drawn is one line with advice."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kvmcheck.cli.main import main

ROOT = Path(__file__).parents[3]
FAULT = str(ROOT / "specs" / "basics" / "06_fault_in_miniature.kvm")
COUNTER = str(ROOT / "specs" / "basics" / "01_counter.kvm")


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a.svg", b"<svg"),
        ("a.png", b"\x89PNG"),
        ("a.dot", b"digraph"),
        ("a.gv", b"digraph"),
        ("a.mmd", b"flowchart"),
        ("a.graphml", b"<graphml"),
    ],
)
def test_the_form_follows_the_files_name(name: str, begins: bytes, tmp_path: Path) -> None:
    assert main(["graph", COUNTER, "--of", "states", "-o", str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_without_a_file_it_is_dot(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "--scenario", "no_retry", FAULT]) == 0
    assert capsys.readouterr().out.startswith("digraph kvmcheck {\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["graph", FAULT, "--of", "states"], "--fold location or --fold lock"),
        (["graph", FAULT, "--of", "states"], "a smaller size with --set"),
        (["graph", FAULT, "--scenario", "no_retry", "--most", "3"], "17 nodes, and 3 can be read"),
        (["graph", FAULT, "--property", "nothing"], "there is no trace of `nothing`"),
        (["graph", FAULT, "--to", "png"], "needs a file"),
        (["graph", FAULT, "-o", "a.bmp"], "name the form with --to"),
        (["graph", FAULT, "-o", "/no/such/a.svg"], "there is no folder"),
        (["graph", FAULT, "--of", "nothing"], "invalid choice"),
    ],
)
def test_what_can_not_be_drawn_is_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    err = capsys.readouterr().err

    assert said in err
    assert err.count("\n") == 1


def test_a_spec_with_an_error_says_it_as_ever(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.kvm").write_text("shared int\n", encoding="utf-8")

    assert main(["graph", str(tmp_path / "a.kvm")]) == 2
    assert "error[KVM100]" in capsys.readouterr().err


def test_png_without_pillow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)

    assert main(["graph", COUNTER, "--of", "states", "-o", str(tmp_path / "a.png")]) == 2
    assert "pip install 'kvmcheck[png]'" in capsys.readouterr().err
