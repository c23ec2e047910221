# SPDX-License-Identifier: GPL-2.0-only
"""A command line is understood or refused in one line; nothing in it is ignored."""

from __future__ import annotations

import pytest

from kvmcheck.cli.arguments import (
    DEFAULT_MEMORY,
    PLANNED_OPTIONS,
    PLANNED_VERBS,
    BadArguments,
    Memory,
    check_parser,
    parsed,
    reductions_off,
    settings,
)
from kvmcheck.cli.main import main


def test_there_are_limits_when_nobody_asks_for_them() -> None:
    arguments = parsed(check_parser(), ["a.kvm"])

    assert (arguments.states, arguments.memory) == (None, DEFAULT_MEMORY)
    assert (arguments.engine, arguments.threads, arguments.compact) == ("auto", 1, False)


@pytest.mark.parametrize(
    ("text", "memory"),
    [
        ("4G", Memory(None, 4 << 30)),
        ("1.5g", Memory(None, 3 << 29)),
        ("500M", Memory(None, 500 << 20)),
        ("2GiB", Memory(None, 2 << 30)),
        ("50%", Memory(0.5, None)),
        ("1000", Memory(None, 1000)),
    ],
)
def test_a_size_may_be_written_in_any_usual_way(text: str, memory: Memory) -> None:
    assert parsed(check_parser(), ["--memory", text]).memory == memory


@pytest.mark.parametrize(
    "argv",
    [
        ["--memory", "lots"],
        ["--memory", "-1G"],
        ["--memory", "0"],
        ["--memory", "101%"],
        ["--memory", "nan"],
        ["--states", "many"],
        ["--states", "-1"],
        ["--seconds", "-1"],
        ["--seconds", "inf"],
        ["--jobs", "0"],
        ["--format", "xml"],
        ["--stat", "3"],
        ["--no-such-option"],
        ["--only"],
        *([option] for option in PLANNED_OPTIONS),
    ],
)
def test_what_is_not_understood_is_refused(argv: list[str]) -> None:
    with pytest.raises(BadArguments):
        parsed(check_parser(), [*argv, "a.kvm"] if argv[-1] != "--only" else argv)


def test_settings_are_pairs() -> None:
    assert settings(["Vcpu=3", "REFS = 4"]) == {"Vcpu": "3", "REFS": "4"}


@pytest.mark.parametrize("pairs", [["Vcpu"], ["=3"], ["Vcpu="], ["Vcpu=1", "Vcpu=2"]])
def test_a_setting_that_is_no_pair_is_refused(pairs: list[str]) -> None:
    with pytest.raises(BadArguments):
        settings(pairs)


def test_reductions_are_named() -> None:
    assert reductions_off([]) == frozenset()
    assert reductions_off(["seq,dead", "merge"]) == {"seq", "dead", "merge"}
    with pytest.raises(BadArguments):
        reductions_off(["sequence"])


@pytest.mark.parametrize(
    "argv",
    [
        *([verb] for verb in PLANNED_VERBS),
        *([option, "a.kvm"] for option in PLANNED_OPTIONS),
    ],
)
def test_what_is_planned_says_so(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    said = capsys.readouterr()
    assert "not supported yet" in said.err
    assert said.out == ""


def test_a_mistake_is_one_line_without_a_usage_dump(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--no-such-option", "a.kvm"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("--stats=foo", "write --stats or --stats=compare"),
        ("--no-reduce=foo", "there are seq, dead, symmetry, merge"),
    ],
)
def test_a_wrong_word_is_answered_with_the_right_ones(
    given: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([given, "a.kvm"]) == 2
    assert said in capsys.readouterr().err
