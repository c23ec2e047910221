# SPDX-License-Identifier: GPL-2.0-only
"""Who searches: Python what is small, the native tier what is large, and Python again where that can't."""

from __future__ import annotations

import pytest

from kvmcheck.engine import tiers
from kvmcheck.engine.budget import Budget
from kvmcheck.engine.native import search as native_search
from kvmcheck.engine.native.build import compiler
from kvmcheck.engine.native.coding import Unsupported
from kvmcheck.engine.native.search import NativeSearch
from kvmcheck.engine.reductions import UNREDUCED
from kvmcheck.engine.result import Result
from kvmcheck.engine.tiers import Engine, Explored, NativeRefused, Tiers, explore_in_tiers
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.verdict import Verdict
from tests.support.compare import program_of, unit_of
from tests.support.native import answer

SMALL = 'shared int 0..2 x;\nscenario s "s" { process p[2] { WRITE_ONCE(x, 1); } check no_deadlock; }\n'
LARGE = """
shared int 0..13 a;
shared int 0..13 b;
shared int 0..13 c;
scenario s "s" {
    process pa { forever { atomic_set(&a, (a + 1) % 14); } }
    process pb { forever { atomic_set(&b, (b + 1) % 14); } }
    process pc { forever { atomic_set(&c, (c + 1) % 14); } }
    check no_deadlock;
}
"""


def program(text: str) -> Program:
    return program_of(unit_of(text), "s")


def explored(text: str, engine: Engine, **more: bool) -> Explored:
    return explore_in_tiers(program(text), tiers=Tiers(engine, **more), budget=Budget(), reductions=UNREDUCED)


@pytest.fixture
def early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs are built from a few states on."""
    monkeypatch.setattr(tiers, "BUILD_FROM", 300)
    monkeypatch.setattr("kvmcheck.engine.explicit.LOOK_EVERY", 16)


def test_what_is_small_is_done_in_python() -> None:
    assert not explored(SMALL, Engine.AUTO).result.coverage.native


@pytest.mark.usefixtures("early")
def test_what_is_large_is_handed_over_and_says_the_same() -> None:
    in_python = explored(LARGE, Engine.PYTHON).result
    explored(LARGE, Engine.NATIVE)  # now it is built
    handed_over = explored(LARGE, Engine.AUTO).result

    assert handed_over.coverage.native
    assert not in_python.coverage.native
    assert answer(handed_over) == answer(in_python)


@pytest.mark.usefixtures("early")
def test_without_a_compiler_python_goes_on_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "/no/such/compiler")
    compiler.cache_clear()

    found = explored(LARGE, Engine.AUTO)

    assert "no C compiler was found" in found.no_compiler
    assert {p.verdict for p in found.result.properties} == {Verdict.HOLDS}
    assert explored(SMALL, Engine.AUTO).no_compiler == ""


def test_the_native_tier_that_was_asked_for_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "/no/such/compiler")
    compiler.cache_clear()

    with pytest.raises(NativeRefused, match="no C compiler was found"):
        explored(SMALL, Engine.NATIVE)


@pytest.mark.usefixtures("early")
def test_a_program_that_can_not_be_emitted_stays_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Unsupported("a value that needs 99 bits")

    monkeypatch.setattr(native_search, "Native", refuse)

    found = explored(LARGE, Engine.AUTO)

    assert (found.result.coverage.native, found.no_compiler) == (False, "")
    with pytest.raises(NativeRefused, match="99 bits"):
        explored(LARGE, Engine.NATIVE)


@pytest.mark.usefixtures("early")
def test_a_native_search_that_gives_up_is_done_again_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    explored(LARGE, Engine.NATIVE)

    def give_up(_: NativeSearch) -> Result:
        raise Unsupported("a number of more than 60 bits")

    monkeypatch.setattr(NativeSearch, "run", give_up)

    found = explored(LARGE, Engine.AUTO)

    assert not found.result.coverage.native
    assert answer(found.result) == answer(explored(LARGE, Engine.PYTHON).result)


def test_hashes_are_native_from_the_start() -> None:
    found = explored(SMALL, Engine.AUTO, compact=True).result

    assert found.coverage.native
    assert {p.verdict for p in found.properties} == {Verdict.UNKNOWN}
