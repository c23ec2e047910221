# SPDX-License-Identifier: GPL-2.0-only
"""A program that is there at once, and a fast one for a search that goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.native.build import Build, BuildError
from kvmcheck.engine.native.builds import AT_ONCE, Builds
from kvmcheck.engine.reductions import UNREDUCED
from kvmcheck.engine.tiers import Engine, Tiers, explore_in_tiers
from tests.support.compare import program_of, unit_of
from tests.support.native import answer

HELLO = "int main(void) { return 0; }\n"
SPEC = """
shared int 0..9 a;
shared int 0..9 b;
scenario s "s" {
    process pa { forever { atomic_set(&a, (a + 1) % 10); } }
    process pb { forever { atomic_set(&b, (b + 1) % 10); } }
    check no_deadlock;
}
"""


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is built yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_the_fast_program_follows_the_first_when_it_is_asked_for() -> None:
    builds = Builds(HELLO)
    first = builds.wait()
    assert not Build.is_built(HELLO)

    while not builds.better():
        pass
    second = builds.wait()

    assert (first, second) == (Build(HELLO, AT_ONCE).wait(), Build(HELLO).wait())
    assert first != second
    assert not builds.better()


def test_the_fast_program_is_the_only_one_where_it_is_there_already() -> None:
    fast = Build(HELLO).wait()

    assert Builds(HELLO).wait() == fast
    assert not Build.is_built(HELLO, AT_ONCE)


def test_a_fast_program_that_can_not_be_built_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    builds = Builds(HELLO)
    first = builds.wait()

    def refuse(*_: object) -> None:
        raise BuildError("no room")

    monkeypatch.setattr("kvmcheck.engine.native.builds.Build", refuse)

    assert not builds.better()
    assert builds.wait() == first


def test_a_search_that_begins_anew_in_between_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first line that the first program says ends it."""
    asked: list[bool] = []

    def better(builds: Builds) -> bool:
        asked.append(True)
        return len(asked) == 1

    monkeypatch.setattr(Builds, "better", better)
    # Every line counts as progress here: a search this small makes none.
    monkeypatch.setattr("kvmcheck.engine.native.search.NativeSearch.said_progress", lambda _, __: True)
    program = program_of(unit_of(SPEC), "s")
    found = {
        engine: explore_in_tiers(program, tiers=Tiers(engine), budget=Budget(), reductions=UNREDUCED).result
        for engine in (Engine.PYTHON, Engine.NATIVE)
    }

    assert len(asked) > 1
    assert answer(found[Engine.NATIVE]) == answer(found[Engine.PYTHON])
