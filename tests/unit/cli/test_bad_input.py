# SPDX-License-Identifier: GPL-2.0-only
"""Whatever a file holds: a diagnostic and status 2, never a traceback."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from kvmcheck.cli.main import main

HEAD = "shared bool dirty;\n"
TAIL = 'scenario s "a title" { process p { dirty = true; } check ok; }\n'

BAD = {
    "a misspelt name": (HEAD + "invariant ok { not dirtty }\n" + TAIL, "did you mean `dirty`?"),
    "a missing brace": (HEAD + "invariant ok { not dirty\n" + TAIL, "`}` is missing"),
    "a missing semicolon": ("shared bool dirty\ninvariant ok { not dirty }\n" + TAIL, "`;` is missing"),
    "a wrong type": (
        HEAD + "shared seq s;\ninvariant ok { s < s }\n" + TAIL,
        "error[KVM3",
    ),
    "an empty file": ("", "error[KVM543]"),
    "a comment only": ("// nothing\n", "error[KVM543]"),
    "no scenario": (HEAD, "error[KVM543]"),
    "deep nesting": (
        HEAD + "invariant ok { " + "(" * 5000 + "dirty" + ")" * 5000 + " }\n" + TAIL,
        "error[KVM110]",
    ),
    "a long sum": (
        HEAD + "invariant ok { not dirty }\n" + TAIL.replace("dirty = true", "dirty = " + "1+" * 20000 + "1"),
        "error[",
    ),
    "a module that is not there": ("use nowhere;\n" + HEAD, "error[KVM010]"),
    "a path out of the folders": ("use ../../etc/passwd;\n", "error["),
    "a control character": (HEAD + "\x1b[2J", "\\x1b"),
    "a direction mark": (HEAD + "\u202e", "\\u202e"),
    "a NUL byte": (HEAD + "\x00", "error[KVM005]"),
    "a process without end of title": ('scenario s "x { }', "error["),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_gets_a_diagnostic(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, expected = BAD[what]
    path = tmp_path / "bad.kvm"
    path.write_text(text, encoding="utf-8")

    assert main([str(path)]) == 2
    said = capsys.readouterr()
    assert expected in said.err
    assert "Traceback" not in said.err + said.out
    assert "\x1b" not in said.err + said.out


def test_200_kilobytes_of_noise_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "noise.kvm"
    path.write_bytes(random.Random(1).randbytes(200_000))

    assert main([str(path)]) == 2
    assert "error[KVM004]" in capsys.readouterr().err


def test_printable_noise_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "noise.kvm"
    noise = random.Random(2)
    path.write_text("".join(chr(noise.randrange(32, 127)) for _ in range(20_000)), encoding="utf-8")

    assert main([str(path)]) == 2


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "large.kvm"
    path.write_text("// \n" * 300_000, encoding="utf-8")

    assert main([str(path)]) == 2
    assert "error[KVM003]" in capsys.readouterr().err


def test_modules_in_a_circle_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, used in (("a", "b"), ("b", "c"), ("c", "b")):
        (tmp_path / f"{name}.kvm").write_text(f"module {name};\nuse {used};\n", encoding="utf-8")

    assert main([str(tmp_path / "a.kvm")]) == 2
    assert "b -> c -> b" in capsys.readouterr().err


def test_a_module_that_links_out_of_the_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "secret.kvm").write_text("module secret;\nshared bool top;\n", encoding="utf-8")
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "secret.kvm").symlink_to(tmp_path / "secret.kvm")
    (folder / "a.kvm").write_text("use secret;\n", encoding="utf-8")

    assert main([str(folder / "a.kvm")]) == 2
    assert "error[KVM012]" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["missing.kvm", "missing/", "missing"])
def test_what_is_not_there_is_said(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / name)]) == 2
    assert "error[KVM001]" in capsys.readouterr().err


def test_a_folder_without_specs_is_not_green(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "error[KVM007]" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "locked.kvm"
    path.write_text(HEAD, encoding="utf-8")
    path.chmod(0)

    assert main([str(path)]) == 2
    assert "error[KVM002]" in capsys.readouterr().err


def test_one_bad_file_does_not_hide_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.kvm").write_text("shared", encoding="utf-8")
    (tmp_path / "good.kvm").write_text(
        HEAD + "invariant ok { dirty or not dirty }\n" + TAIL, encoding="utf-8"
    )

    assert main([str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert "HOLDS     ok" in said.out
    assert "bad.kvm" in said.err
