# SPDX-License-Identifier: GPL-2.0-only
"""Building: once for each text, for nobody but us, and never half."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from kvmcheck.engine.native.build import Build, BuildError, cache_folder, compiler

HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "kvmcheck" / "native"


def test_a_text_is_built_once(folder: Path) -> None:
    first = Build(HELLO)
    program = first.wait()
    second = Build(HELLO)

    assert subprocess.run([program], capture_output=True, check=True).stdout == b"hello\n"
    assert second.is_cached
    assert second.wait() == program
    assert [path.name for path in folder.iterdir()] == [program.name]


def test_another_text_is_another_program() -> None:
    assert Build(HELLO).wait() != Build(HELLO.replace("hello", "goodbye")).wait()


def test_nobody_else_may_read_or_write_the_cache(folder: Path) -> None:
    program = Build(HELLO).wait()

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(program.stat().st_mode) == 0o700


def test_a_cache_that_others_may_write_is_closed_to_them(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o777)

    cache_folder()

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_the_compiler_does_not_take_leaves_nothing_behind(folder: Path) -> None:
    with pytest.raises(BuildError, match="error"):
        Build("int main(void) { return nothing; }\n").wait()

    assert list(folder.iterdir()) == []


def test_a_build_that_is_cancelled_leaves_nothing_behind(folder: Path) -> None:
    build = Build(HELLO)
    build.cancel()

    assert list(folder.iterdir()) == []


def test_what_a_killed_build_left_is_removed_when_it_is_old(folder: Path) -> None:
    old, young = folder / "build-old", folder / "build-young"
    for scratch in (old, young):
        scratch.mkdir(parents=True)
        (scratch / "program.c").write_text(HELLO)
    os.utime(old, (0, 0))

    Build(HELLO).wait()

    assert not old.exists()
    assert young.exists()


def test_the_programs_that_were_not_used_for_longest_go(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kvmcheck.engine.native.build.MOST_KEPT", 1)
    first = Build(HELLO).wait()
    os.utime(first, (0, 0))
    second = Build(HELLO.replace("hello", "two")).wait()

    Build(HELLO.replace("hello", "three")).wait()

    assert not first.exists()
    assert second.exists()


def test_the_users_compiler_is_taken_and_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "gcc -m64")
    compiler.cache_clear()
    assert compiler() == ("gcc", "-m64")

    monkeypatch.setenv("CC", "/no/such/compiler")
    compiler.cache_clear()
    with pytest.raises(BuildError, match="no C compiler was found"):
        Build(HELLO)


def test_without_a_folder_there_is_no_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.getuid() == 0:
        (tmp_path / "kvmcheck").write_text("in the way")
    else:
        tmp_path.chmod(0o500)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    with pytest.raises(BuildError, match="no folder"):
        Build(HELLO)
