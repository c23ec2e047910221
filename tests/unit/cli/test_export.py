# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck export`: what is written where, and the exit status."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmcheck.cli.main import main

SPECS = Path(__file__).parents[3] / "specs"
COUNTER = str(SPECS / "basics" / "01_counter.kvm")
SNAPSHOT = str(SPECS / "basics" / "03_snapshot.kvm")
TWO = """
shared bool x;
invariant i { x or not x }
scenario one "one" { process p { x = true; } check i; }
scenario two "two" { process p { x = true; x = false; } check i; }
"""


@pytest.mark.parametrize(
    ("target", "begins"), [("murphi", "-- "), ("promela", "// "), ("tla", "---- MODULE two_threads ----")]
)
def test_a_text_goes_to_stdout(target: str, begins: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--to", target, COUNTER]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(begins)
    assert said.err == ""


def test_a_text_goes_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--to", "tla", COUNTER, "-o", str(tmp_path / "two_threads.tla")]) == 0
    assert capsys.readouterr().out == ""
    assert "MODULE two_threads" in (tmp_path / "two_threads.tla").read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--to", "tla", COUNTER, "-o", str(tmp_path)]) == 2
    assert "error" in capsys.readouterr().err


def test_a_mutant_can_be_exported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--to", "murphi", COUNTER, "--scenario", "plain_increment"]) == 0
    assert capsys.readouterr().out.startswith("-- plain_increment: ")


def test_a_size_can_be_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "sized.kvm"
    spec.write_text(
        "scalarset Vcpu; shared bool x[Vcpu]; invariant i { forall (Vcpu v) : x[v] or not x[v] }\n"
        'scenario s "s" { Vcpu = 2; process p[Vcpu v] { x[v] = true; } check i; }\n',
        encoding="utf-8",
    )
    assert main(["export", "--to", "murphi", str(spec), "--set", "Vcpu=3"]) == 0
    assert "Vcpu: 0..2;" in capsys.readouterr().out


def test_a_seq_without_end_needs_a_modulus(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--to", "promela", SNAPSHOT]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "error[KVM520]: Promela can't carry `version`" in said.err

    assert main(["export", "--to", "promela", SNAPSHOT, "--seq-wrap", "4"]) == 0
    said = capsys.readouterr()
    assert "byte version;" in said.out
    assert "warning[KVM521]: `no_data_race` is left out" in said.err
    assert "// Left out: no_data_race" in said.out


def test_one_of_several_scenarios_must_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "two.kvm"
    spec.write_text(TWO, encoding="utf-8")

    assert main(["export", "--to", "tla", str(spec)]) == 2
    assert "KVM522" in capsys.readouterr().err
    assert main(["export", "--to", "tla", str(spec), "--scenario", "tow"]) == 2
    assert "did you mean `two`?" in capsys.readouterr().err
    assert main(["export", "--to", "tla", str(spec), "--scenario", "two"]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([COUNTER], "--to"),
        (["--to", "uppaal", COUNTER], "uppaal"),
        (["--to", "tla"], "SPEC"),
        (["--to", "murphi", "--seq-wrap", "1", COUNTER], "--seq-wrap needs at least 2"),
        (["--to", "murphi", "--set", "Vcpu", COUNTER], "NAME=VALUE"),
        (["--to", "murphi", "nowhere.kvm"], "KVM001"),
        (["--to", "murphi", str(SPECS / ".." / "model" / "host.kvm")], "KVM543"),
    ],
)
def test_bad_input_is_said_and_ends_with_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", *arguments]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert said in found.err
