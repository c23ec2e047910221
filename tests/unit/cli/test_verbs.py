# SPDX-License-Identifier: GPL-2.0-only
"""`explain`, `fmt` and `new`."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from kvmcheck.cli.main import main
from kvmcheck.source.catalogue import CATALOGUE


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_code_is_explained(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", code]) == 0
    assert capsys.readouterr().out.startswith(f"# {code}")


@pytest.mark.parametrize("code", ["KVM000", "321x", "", "../../../../etc/passwd", "KVM3211"])
def test_what_is_no_code_is_refused(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", code]) == 2
    assert capsys.readouterr().out == ""


def test_a_code_may_be_written_carelessly(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "kvm321"]) == 0
    assert capsys.readouterr().out.startswith("# KVM321")


def test_fmt_lays_a_file_out_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.kvm"
    path.write_text("shared   bool  x ;\n", encoding="utf-8")
    path.chmod(0o640)

    assert main(["fmt", "--check", str(path)]) == 1
    assert path.read_text(encoding="utf-8") == "shared   bool  x ;\n"
    assert main(["fmt", str(path)]) == 0
    assert path.read_text(encoding="utf-8") == "shared bool x;\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert main(["fmt", "--check", str(path)]) == 0
    assert "a.kvm" in capsys.readouterr().out


def test_fmt_leaves_a_file_with_mistakes_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.kvm"
    path.write_text("shared bool x", encoding="utf-8")

    assert main(["fmt", str(path)]) == 2
    assert path.read_text(encoding="utf-8") == "shared bool x"
    assert "error[KVM" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"\xff\xfe", b"shared\x00"])
def test_fmt_refuses_what_is_no_text(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.kvm"
    path.write_bytes(content)

    assert main(["fmt", str(path)]) == 2
    assert path.read_bytes() == content


def test_fmt_without_files_reads_stdin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"shared  bool x ;")))

    assert main(["fmt"]) == 0
    assert capsys.readouterr().out == "shared bool x;\n"


def test_new_writes_a_spec_that_holds_and_one_that_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", str(tmp_path / "mine")]) == 0
    good, broken = tmp_path / "mine.kvm", tmp_path / "mine_broken.kvm"

    assert main(["fmt", "--check", str(good), str(broken)]) == 0
    assert main([str(good)]) == 0
    assert main([str(broken)]) == 1
    assert "no_stale_spte does not hold" in capsys.readouterr().out


def test_new_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine_broken.kvm").write_text("precious", encoding="utf-8")

    assert main(["new", str(tmp_path / "mine")]) == 2
    assert (tmp_path / "mine_broken.kvm").read_text(encoding="utf-8") == "precious"
    assert not (tmp_path / "mine.kvm").exists()


@pytest.mark.parametrize("name", ["", "9lives", "a b", "x\x1b", "..", "no/such/folder/mine"])
def test_new_refuses_what_is_no_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["new", name]) == 2
    assert list(tmp_path.iterdir()) == []
    assert "\x1b" not in capsys.readouterr().err
