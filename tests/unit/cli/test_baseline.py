# SPDX-License-Identifier: GPL-2.0-only
"""A baseline lets the failures pass that it names, with a reason, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kvmcheck.cli.main import main
from tests.support.ktap import everything, parse
from tests.support.reports import SPEC

LOST = {"file": "race.kvm", "case": "race", "property": "none_lost", "reason": "bug 12"}
NEVER = {"file": "race.kvm", "case": "race", "property": "never", "reason": "to be written"}
SURVIVOR = {
    "file": "race.kvm",
    "case": "survivor",
    "property": "none_lost",
    "reason": "it is a needless line",
}
Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The exit status of a run over the spec, with these known failures."""
    (tmp_path / "race.kvm").write_text(SPEC, encoding="utf-8")

    def checked(*known: dict[str, str], options: tuple[str, ...] = ()) -> int:
        tables = ["[[known]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in e.items()) for e in known]
        (tmp_path / "baseline.toml").write_text("\n".join(tables), encoding="utf-8")
        return main(["--baseline", str(tmp_path / "baseline.toml"), *options, str(tmp_path / "race.kvm")])

    return checked


def test_a_run_whose_every_failure_is_known_passes(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(LOST, NEVER, SURVIVOR) == 0
    out = capsys.readouterr().out

    assert "known to fail: none_lost is VIOLATED: bug 12" in out
    assert "all as expected but 2 known to fail (exit status 0)" in " ".join(out.split())


def test_a_failure_that_is_not_named_is_as_red_as_ever(run: Run) -> None:
    assert run(LOST, NEVER) == 1
    assert run() == 1


def test_one_that_does_not_fail_any_more_is_told(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(LOST, NEVER, SURVIVOR, {**LOST, "property": "few"}) == 1
    assert "KVM546" in capsys.readouterr().err


def test_one_of_a_case_that_is_gone_is_told(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(LOST, NEVER, SURVIVOR, {**LOST, "case": "gone"}) == 1
    assert "number 4" in capsys.readouterr().err


def test_one_of_a_file_that_was_not_checked_is_left_alone(run: Run) -> None:
    assert run(LOST, NEVER, SURVIVOR, {**LOST, "file": "other.kvm"}) == 0
    assert run(LOST, options=("--only", "fine")) == 0


def test_a_known_violation_does_not_cover_an_unknown(run: Run) -> None:
    assert run(LOST, NEVER, SURVIVOR, options=("--states", "2")) != 0


def test_an_unknown_can_be_known(run: Run) -> None:
    limited = ("--only", "none_lost", "--states", "2")
    unknown = {**LOST, "outcome": "unknown"}
    fine = {
        "file": "race.kvm",
        "case": "fine",
        "property": "none_lost",
        "outcome": "unknown",
        "reason": "a limit",
    }

    assert run(options=limited) == 3
    assert run(unknown, fine, SURVIVOR, options=limited) in (0, 3)


def test_ktap_and_json_tell_the_reason(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run(LOST, NEVER, SURVIVOR, options=("--format", "ktap"))
    tests = list(everything(parse(capsys.readouterr().out)))
    run(LOST, NEVER, SURVIVOR, options=("--format", "json"))
    whole = json.loads(capsys.readouterr().out)

    assert [test.directive for test in tests].count("XFAIL") == 3
    assert whole["files"][0]["cases"][0]["known"][0]["reason"] == "bug 12"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[known]]\nfile = 'a'\ncase = 'b'\n", "lacks `reason`"),
        ("[[known]]\nfile = 'a'\ncase = 'b'\nreason = ' '\n", "`reason` is a text that is not empty"),
        ("[[known]]\nfile = 'a'\ncase = 'b'\nreasn = 'c'\n", "did you mean `reason`?"),
        ("[[known]]\nfile = 'a'\ncase = 'b'\nreason = 'c'\noutcome = 'fine'\n", '`outcome` is "failed"'),
        ("[[knwon]]\n", "`knwon` is none of its keys"),
        ("known = 3\n", "`known` is none of its keys"),
        ("known = [3]\n", "is no table"),
        ("[[known]\n", "--baseline"),
    ],
)
def test_a_baseline_with_a_mistake_is_one_line(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b.toml").write_text(text, encoding="utf-8")
    (tmp_path / "race.kvm").write_text(SPEC, encoding="utf-8")

    assert main(["--baseline", str(tmp_path / "b.toml"), str(tmp_path / "race.kvm")]) == 2
    err = capsys.readouterr().err
    assert (err.count("\n"), said in err) == (1, True)


def test_a_baseline_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--baseline", str(tmp_path / "no.toml"), str(tmp_path)]) == 2
    assert "No such file" in capsys.readouterr().err
