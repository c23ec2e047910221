# SPDX-License-Identifier: GPL-2.0-only
"""What an earlier run found is told again, word for word, and only while nothing that it depends on has changed."""

from __future__ import annotations

import stat
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from kvmcheck.cli import running
from kvmcheck.cli.main import main
from kvmcheck.pipeline import check_case
from kvmcheck.remember import keys
from kvmcheck.remember.stored import MOST_BYTES
from tests.support.reports import SPEC

MODULE = "module counter;\n{uses}\nshared int 0..3 count;\nvoid up() {{ @add count++; }}\n"
OTHER = "module other;\nshared int 0..3 count;\nvoid up() { @add count++; count++; }\n"
USER = """\
use counter;
invariant small { count < 3 }
scenario two "two threads" {
    process thread[2] { up(); }
    check small;
}
"""
REPLACED = USER + (
    'mutant swapped of two "the other one" { replace module counter with other; expect small holds; }\n'
)
ROOT = Path(__file__).parents[3]
Counted = Callable[..., int]


@pytest.fixture
def searches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Counted:
    """Runs kvmcheck with a cache of its own, and says how many cases it searched; see `told` for what it printed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KVMCHECK_NO_CACHE", raising=False)
    done: list[str] = []

    def counting(*arguments: object, **named: object) -> object:
        done.append("case")
        return check_case(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(running, "check_case", counting)

    def run(*arguments: str) -> int:
        done.clear()
        main(["--jobs", "1", *arguments])
        return len(done)

    return run


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A spec with two scenarios and two mutants, not all as expected."""
    path = tmp_path / "race.kvm"
    path.write_text(SPEC, encoding="utf-8")
    return path


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """A spec that uses a module, and one more that a mutant puts in its place."""
    (tmp_path / "counter.kvm").write_text(MODULE.format(uses=""), encoding="utf-8")
    (tmp_path / "other.kvm").write_text(OTHER, encoding="utf-8")
    path = tmp_path / "user.kvm"
    path.write_text(USER, encoding="utf-8")
    return path


def kept(folder: Path) -> list[Path]:
    """The files of the cache."""
    return sorted((folder / "cache" / "kvmcheck" / "results").iterdir())


@pytest.mark.parametrize("form", ["text", "json", "sarif", "junit", "commit"])
def test_the_second_run_searches_nothing_and_says_the_same(
    form: str, spec: Path, searches: Counted, capsys: pytest.CaptureFixture[str]
) -> None:
    assert searches("--format", form, str(spec)) == 4
    first = capsys.readouterr()
    assert searches("--format", form, str(spec)) == 0

    assert capsys.readouterr() == first


def test_warnings_are_told_again(searches: Counted, capsys: pytest.CaptureFixture[str]) -> None:
    path = ROOT / "tests" / "cases" / "steps" / "unordered_reads_warn.kvm"
    searches(str(path))
    first = capsys.readouterr()
    assert searches(str(path)) == 0

    assert "warning[KVM" in first.err
    assert capsys.readouterr() == first


def test_every_other_option_is_another_question(spec: Path, searches: Counted) -> None:
    searches(str(spec))

    assert searches("--states", "100", str(spec)) == 4
    assert searches("--no-reduce", str(spec)) == 4
    assert searches("--trace-all", "3", str(spec)) == 4
    assert searches("--only", "fine", str(spec)) == 1
    assert searches("--seconds", "100", "--memory", "1G", "--quiet", str(spec)) == 0
    assert searches("--no-cache", str(spec)) == 4
    assert searches("--stats", str(spec)) == 4


def test_a_changed_module_is_noticed(tmp_path: Path, user: Path, searches: Counted) -> None:
    assert searches(str(user)) == 1
    assert searches(str(user)) == 0
    (tmp_path / "counter.kvm").write_text(MODULE.format(uses="// changed"), encoding="utf-8")

    assert searches(str(user)) == 1


def test_a_module_that_only_a_mutant_puts_in_is_noticed(
    tmp_path: Path, user: Path, searches: Counted
) -> None:
    user.write_text(REPLACED, encoding="utf-8")
    assert searches(str(user)) == 2
    assert searches(str(user)) == 0
    (tmp_path / "other.kvm").write_text(OTHER + "// changed\n", encoding="utf-8")

    assert searches(str(user)) == 2


def test_a_module_of_a_module_is_noticed(tmp_path: Path, user: Path, searches: Counted) -> None:
    (tmp_path / "deep.kvm").write_text("module deep;\n", encoding="utf-8")
    (tmp_path / "counter.kvm").write_text(MODULE.format(uses="use deep;"), encoding="utf-8")
    searches(str(user))
    assert searches(str(user)) == 0
    (tmp_path / "deep.kvm").write_text("module deep;\n// changed\n", encoding="utf-8")

    assert searches(str(user)) == 1


def test_another_kvmcheck_asks_again(spec: Path, searches: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    searches(str(spec))
    monkeypatch.setattr(keys, "tool_key", lambda: "another")

    assert searches(str(spec)) == 4


def test_what_a_time_limit_ended_is_not_kept(spec: Path, searches: Counted) -> None:
    searches("--seconds", "0", str(spec))

    assert searches("--seconds", "0", str(spec)) > 0


def test_a_file_with_an_error_is_read_again(
    spec: Path, searches: Counted, capsys: pytest.CaptureFixture[str]
) -> None:
    searches(str(spec))
    spec.write_text(SPEC + "oops\n", encoding="utf-8")
    capsys.readouterr()

    assert searches(str(spec)) == 0
    assert "KVM" in capsys.readouterr().err


BOMB = zlib.compress(b" " * (MOST_BYTES + 1), 1)
#: What a file may have become.
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda packed: b"",
    "cut": lambda packed: packed[: len(packed) // 2],
    "not packed": zlib.decompress,
    "pickled": lambda packed: b"\x80\x04N.",
    "cut JSON": lambda packed: zlib.compress(zlib.decompress(packed)[:-2]),
    "nested": lambda packed: zlib.compress(b"[" * 100_000),
    "another word": lambda packed: zlib.compress(zlib.decompress(packed).replace(b"HOLDS", b"MAYBE")),
    "nothing in it": lambda packed: zlib.compress(b"{}"),
    "a bomb": lambda packed: BOMB,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_as_good_as_none(
    damage: str, tmp_path: Path, spec: Path, searches: Counted, capsys: pytest.CaptureFixture[str]
) -> None:
    searches(str(spec))
    first = capsys.readouterr()
    for path in kept(tmp_path):
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
    searches(str(spec))

    assert capsys.readouterr() == first
    assert searches(str(spec)) == 0


def test_a_file_of_another_case_is_not_taken_for_it(tmp_path: Path, spec: Path, searches: Counted) -> None:
    searches(str(spec))
    reports = [path for path in kept(tmp_path) if b'"judgement"' in zlib.decompress(path.read_bytes())]
    for path in reports:
        path.write_bytes(reports[0].read_bytes())

    assert searches(str(spec)) >= 3


def test_the_folder_is_the_users_own(tmp_path: Path, spec: Path, searches: Counted) -> None:
    searches(str(spec))
    folder = kept(tmp_path)[0].parent

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in kept(tmp_path))


def test_what_others_may_have_written_is_not_believed(tmp_path: Path, spec: Path, searches: Counted) -> None:
    searches(str(spec))
    kept(tmp_path)[0].parent.chmod(0o777)

    assert searches(str(spec)) == 4
    assert stat.S_IMODE(kept(tmp_path)[0].parent.stat().st_mode) == 0o700


def test_without_a_place_to_keep_anything_it_checks_as_ever(
    spec: Path, searches: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")

    assert searches(str(spec)) == 4
    assert searches(str(spec)) == 4
