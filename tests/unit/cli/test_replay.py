# SPDX-License-Identifier: GPL-2.0-only
"""A recorded run is run again on the spec as it is now, and where it no longer fits is said."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kvmcheck.cli.keys import moved
from kvmcheck.cli.main import main

SPEC = """\
shared int 0..3 n;
invariant none_lost { n != 1 or not both }
ghost bool both;
ghost int 0..2 done;
cover first { n == 1 }
void add()
{
    @load int old = READ_ONCE(n);
    @store WRITE_ONCE(n, old + 1);
    ghost done = done + 1;
    ghost both = done == 2;
}
scenario s "an increment is lost" {
    process p[2] { add(); }
    check none_lost, no_data_race;
    cover first;
    expect none_lost violated;
}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """The spec."""
    path = tmp_path / "lost.kvm"
    path.write_text(SPEC, encoding="utf-8")
    return path


@pytest.fixture
def report(spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Its report."""
    main(["--format", "json", "--no-cache", str(spec)])
    path = tmp_path / "trace.json"
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    return path


def last_line(out: str) -> str:
    """The sentence that sums up, on one line."""
    return " ".join(out.rpartition("\n\n")[2].split())


def test_a_run_on_the_same_spec_fits_and_breaks_it(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(report)]) == 0
    out = capsys.readouterr().out

    assert "=> none_lost does not hold" in out
    assert last_line(out) == "s, none_lost: all 4 steps fit, and it breaks as recorded (exit status 0)"


def test_lines_that_moved_do_not_matter(report: Path, spec: Path) -> None:
    spec.write_text("\n\n// more\n" + SPEC, encoding="utf-8")

    assert main(["replay", str(report)]) == 0


def test_where_a_run_no_longer_fits_is_said(
    report: Path, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    atomic = SPEC.replace("@load int old = READ_ONCE(n);", "").replace(
        "@store WRITE_ONCE(n, old + 1);", "atomic_inc(&n);"
    )
    spec.write_text(atomic, encoding="utf-8")

    assert main(["replay", str(report)]) == 1
    assert "stops fitting at step 1 of 4: p#1 does add: atomic_inc(&n)" in last_line(capsys.readouterr().out)


def test_another_effect_of_the_same_statement_is_told(
    report: Path, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec.write_text(SPEC.replace("shared int 0..3 n;", "shared int 0..3 n = 1;"), encoding="utf-8")

    assert main(["replay", str(report)]) == 1
    said = last_line(capsys.readouterr().out)
    assert "stops fitting at step 1 of 4: add: int old = READ_ONCE(n) has another effect" in said
    assert "old = 0 then, old = 1 now" in said


def test_a_run_that_fits_but_breaks_nothing_is_no_success(
    report: Path, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec.write_text(SPEC.replace("n != 1 or not both", "n != 3"), encoding="utf-8")

    assert main(["replay", str(report)]) == 1
    assert last_line(capsys.readouterr().out) == (
        "s, none_lost: all 4 steps fit, but it does not break (exit status 1)"
    )


def test_a_cover_can_be_run_again(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--property", "first", str(report)]) == 0
    assert "steps fit (exit status 0)" in last_line(capsys.readouterr().out)


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"schema": 99, "files": []}', "\x00", '{"schema": 1, "files": 3}']
)
def test_what_is_no_report_is_refused(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "no.json"
    path.write_text(text, encoding="utf-8")

    assert main(["replay", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_trace_that_is_not_there_is_refused(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--property", "other", str(report)]) == 2
    assert "it has s/none_lost, s/first" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "at"), [("n", 3), (" ", 3), ("p", 1), ("g", 0), ("G", 9), ("\x1b[C", 3), ("x", 2), ("\x1b[D", 1)]
)
def test_keys_move(key: str, at: int) -> None:
    assert moved(key, 2, 9) == at


def test_on_a_terminal_the_steps_are_gone_through_with_keys(report: Path) -> None:
    us, them = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "80", "LINES": "24"}
    with subprocess.Popen(
        [sys.executable, "-m", "kvmcheck", "replay", str(report)],
        stdin=them,
        stdout=them,
        stderr=them,
        env=environment,
    ) as process:
        os.close(them)
        shown = b""
        while b"the beginning, of 4 steps" not in shown:
            shown += os.read(us, 4096)
        for key, wanted in (("n", "step 1 of 4"), ("G", "=> none_lost does not hold"), ("p", "step 3 of 4")):
            os.write(us, key.encode())
            while wanted.encode() not in shown.rpartition(b"\x1b[H\x1b[2J")[2]:
                shown += os.read(us, 4096)
        os.write(us, b"q")
        while True:
            try:
                more = os.read(us, 4096)
            except OSError:  # the other end is closed
                break
            if not more:
                break
            shown += more
        status = process.wait(timeout=20)
    os.close(us)
    screens = re.split(rb"\x1b\[H\x1b\[2J", shown)

    assert status == 0
    assert any(b"* n" in screen and b"(was" in screen for screen in screens)
    assert b"breaks as recorded" in shown
