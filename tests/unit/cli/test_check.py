# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck` on whole files: the status, what is printed where, and that nothing is rounded up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kvmcheck.cli.main import main

ROOT = Path(__file__).parents[3]

GOOD = """\
shared int 0..3 count;
spinlock lock;
ghost int 0..3 done;
void count_up() { @lock spin_lock(&lock); count++; ghost done++; @unlock spin_unlock(&lock); }
invariant none_lost unless held(lock) { count == done }
invariant never_two { count < 2 }
cover both { done == 2 }
scenario two "two threads count" {
    process thread[2] { count_up(); }
    check none_lost, no_deadlock;
    cover both;
}
"""
KILLED = """\
mutant unlocked of two "nobody takes the lock" {
    drop count_up@lock; drop count_up@unlock;
    expect none_lost violated;
}
"""
SURVIVES = """\
mutant harmless of two "nothing that matters" {
    insert { skip_nothing(); } after count_up@lock;
    expect none_lost violated;
}
void skip_nothing() { cover passed; }
"""


def spec(folder: Path, text: str, name: str = "spec.kvm") -> str:
    """A spec with that text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def run(*arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """A kvmcheck process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "kvmcheck", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        env={**os.environ, "PYTHONPATH": str(ROOT / "checker")},
    )


def changed(old: str, new: str) -> str:
    """The good spec with one thing changed."""
    assert old in GOOD
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (GOOD, 0),
        (GOOD + KILLED, 0),
        (changed("check none_lost", "check never_two, none_lost"), 1),
        (changed("cover both;", 'cover both, passed;\n}\nvoid f() { cover passed; }\nscenario x "" {'), 2),
        (GOOD + KILLED.replace("none_lost violated", "none_lost holds"), 1),
        (changed("done == 2", "done == 3"), 1),
        (changed("check none_lost, no_deadlock;", ""), 3),
        (changed("count == done", "done > 5 implies count == 1"), 1),
        (GOOD + KILLED.replace("    expect none_lost violated;\n", ""), 2),
        (GOOD + "scenario", 2),
        ("", 2),
    ],
)
def test_the_exit_status_is_the_one_of_the_table(
    text: str, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([spec(tmp_path, text)]) == status, capsys.readouterr()


def test_a_limit_makes_it_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([spec(tmp_path, GOOD), "--states", "1"]) == 3
    printed = capsys.readouterr().out
    assert "UNKNOWN" in printed
    assert "HOLDS" not in printed


@pytest.mark.parametrize("option", [["--depth", "1"], ["--seconds", "0"], ["--memory", "1K"]])
def test_every_limit_is_an_answer(option: list[str], tmp_path: Path) -> None:
    assert main([spec(tmp_path, GOOD), *option]) == 3


def test_an_expected_violation_of_a_single_file_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([spec(tmp_path, GOOD + KILLED)])
    printed = capsys.readouterr().out

    assert "VIOLATED  none_lost" in printed
    assert "=> none_lost does not hold" in printed
    assert printed.endswith("1 scenario, 1 mutant: all as expected (exit status 0)\n")


def test_in_a_folder_a_killed_mutant_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec(tmp_path, GOOD + KILLED)
    assert main([str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert [line for line in lines if "unlocked" in line] == [
        line for line in lines if line.startswith("killed unlocked: none_lost VIOLATED in ")
    ]


def test_in_a_folder_modules_are_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spec(tmp_path, "module m;\nshared bool b;\n", "m.kvm")
    spec(tmp_path, GOOD)

    assert main(["."]) == 0
    assert "m.kvm: a module, without scenarios" in capsys.readouterr().out


def test_only_checks_what_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = spec(tmp_path, GOOD + KILLED)
    assert main([path, "--only", "unlocked", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)

    assert [case["name"] for file in report["files"] for case in file["cases"]] == ["unlocked"]
    assert report["not_examined"] == [f"{path}: two"]


def test_only_may_name_a_property(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([spec(tmp_path, GOOD + KILLED), "--only", "no_deadlock", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    cases = [case for file in report["files"] for case in file["cases"]]

    assert [(case["name"], [p["name"] for p in case["properties"]]) for case in cases] == [
        ("two", ["no_deadlock"])
    ]


def test_only_that_names_nothing_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([spec(tmp_path, GOOD), "--only", "none_lst"]) == 2
    assert "did you mean `none_lost`?" in capsys.readouterr().err


def test_json_is_the_same_every_time_and_in_every_number_of_processes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = spec(tmp_path, GOOD + KILLED)
    texts = []
    for jobs in ("1", "1", "2"):
        main([path, "--format", "json", "--jobs", jobs])
        texts.append(capsys.readouterr().out)

    assert texts[0] == texts[1] == texts[2]
    assert "seconds" not in texts[0]


def test_terse_is_one_line_for_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = spec(tmp_path, changed("check none_lost", "check never_two, none_lost"))
    main([path, "--terse"])
    lines = capsys.readouterr().out.splitlines()

    assert lines == [
        f"{path}:8: ERROR:two: never_two is VIOLATED",
        f"{path}:8: VIOLATED:two: never_two: in 7 steps",
    ]


def test_quiet_says_only_what_is_not_as_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([spec(tmp_path, GOOD + KILLED), "--quiet"]) == 0
    assert capsys.readouterr().out.splitlines() == ["1 scenario, 1 mutant: all as expected (exit status 0)"]


def test_every_line_fits_80_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD.replace('"two threads count"', f'"{"a long title " * 20}"') + KILLED
    main([spec(tmp_path, text, "a_file_with_quite_a_long_name_for_a_file.kvm")])

    assert all(len(line) <= 80 for line in capsys.readouterr().out.splitlines())


def test_a_hostile_title_is_shown_not_obeyed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([spec(tmp_path, GOOD.replace("two threads count", "\u202eevil\u2066"))])
    printed = capsys.readouterr().out

    assert "\u202e" not in printed


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m kvmcheck {spec(tmp_path, GOOD + KILLED)} | true"
    ended = subprocess.run(
        ["/bin/sh", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "checker")},
    )

    assert ended.stderr == ""


def test_an_ascii_terminal_gets_no_exception(tmp_path: Path) -> None:
    path = spec(tmp_path, GOOD.replace("two threads count", "zwei F\u00e4den"))
    ended = subprocess.run(
        [sys.executable, "-m", "kvmcheck", path],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "checker"), "PYTHONIOENCODING": "ascii"},
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "F\\xe4den" in ended.stdout


ENDLESS = """\
shared int 0..1000000 a;
shared int 0..1000000 b;
invariant small { a < 1000000 }
scenario endless "a search that takes long" {
    process p { forever { if (a < 1000000) a++; } }
    process q { forever { if (b < 1000000) b++; } }
    check small;
}
"""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_says_what_is_known_and_exits_3(jobs: str, tmp_path: Path) -> None:
    path = spec(tmp_path, ENDLESS + ENDLESS.split("\n", 3)[3].replace("endless", "again"))
    process = subprocess.Popen(
        [sys.executable, "-m", "kvmcheck", path, "--jobs", jobs],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "checker")},
        start_new_session=True,
    )
    time.sleep(2)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert process.returncode == 3, err
    assert "Traceback" not in err
    assert out.endswith("(exit status 3)\n")


def test_our_bug_is_one_line_and_status_4(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the table\nis upside down")

    monkeypatch.setattr("kvmcheck.pipeline.explore_in_tiers", broken)
    assert main([spec(tmp_path, GOOD), "--jobs", "1"]) == 4
    said = capsys.readouterr()
    assert "KVM900" in said.out
    assert "Traceback" not in said.out + said.err
    with pytest.raises(RuntimeError):
        main([spec(tmp_path, GOOD), "--jobs", "1", "--debug"])


def test_no_memory_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hungry(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("kvmcheck.pipeline.explore_in_tiers", hungry)

    assert main([spec(tmp_path, GOOD), "--jobs", "1"]) == 3


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["fmt", "--help"]])
def test_help_answers_at_once(arguments: list[str]) -> None:
    best = 9.0
    for _ in range(3):
        begun = time.perf_counter()
        assert run(*arguments).returncode == 0
        best = min(best, time.perf_counter() - begun)

    # The budget is 0.2 s; a loaded machine gets three times that.
    assert best < 0.6
