# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck prove` as users meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kvmcheck.cli.main import main

BASICS = Path(__file__).parents[3] / "specs" / "basics"
MINIATURE = str(BASICS / "06_fault_in_miniature.kvm")


def test_a_scenario_is_proved_and_its_mutant_refuted(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["prove", "--no-color", "--no-trace", "--seconds", "10", MINIATURE])
    said = capsys.readouterr().out

    assert status == 0
    assert "any number of steps, by k-induction" in said
    assert "VIOLATED  no_stale_spte" in said


def test_a_depth_that_is_too_small_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["prove", "--no-color", "--method", "bmc", "--depth", "2", "--only", "no_retry", MINIATURE]

    assert main(arguments) == 3
    assert "no run of up to 2 steps breaks it" in " ".join(capsys.readouterr().out.split())


def test_json_says_how_it_was_proved(capsys: pytest.CaptureFixture[str]) -> None:
    main(["prove", "--format", "json", "--seconds", "10", "--only", "fault_in_miniature", MINIATURE])
    (case,) = json.loads(capsys.readouterr().out)["files"][0]["cases"]

    assert case["proof"]["method"] == "bounded model checking, k-induction"
    assert case["proof"]["every_size"] is False
    assert {found["verdict"] for found in case["properties"]} == {"HOLDS"}


def test_seqs_of_so_many_bits_are_an_assumption_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    spec = str(BASICS / "03_snapshot.kvm")
    main(["prove", "--no-color", "--seq-wrap", "4", "--method", "bmc", "--depth", "1", spec])

    assert "assumed: every seq counts modulo 4" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["--seq-wrap", "1"], ["--memory", "50%"], ["--method", "guess"], ["--certificate", "x"]]
)
def test_what_makes_no_sense_is_bad_input(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", *arguments, MINIATURE]) == 2
    assert "error" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_bad_input() -> None:
    assert main(["prove", "nowhere.kvm"]) == 2


def test_help_names_the_methods(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "--help"]) == 0
    assert "induction, spacer" in " ".join(capsys.readouterr().out.split())


def test_what_the_formulas_cannot_carry_is_unknown_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "wide.kvm"
    spec.write_text(
        "shared int 0..3 x = 0;\n"
        "invariant small { x < 4 }\n"
        'scenario wide "shifts" {\n'
        "    process p { int 0..63 n = x;  assert((1 << (n + 60) << (n + 60) << (n + 60)) != 0); }\n"
        "    check small;\n"
        "}\n",
        encoding="utf-8",
    )

    assert main(["prove", "--terse", "--seconds", "5", str(spec)]) == 3
    said = capsys.readouterr()
    assert "wide.kvm:4" in said.err
    assert "KVM551" in said.err
    assert "UNKNOWN" in said.out
