# SPDX-License-Identifier: GPL-2.0-only
"""`replace module A with B;`: which unit comes out, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmcheck.lang.imports import Unit, load
from kvmcheck.lang.replacing import with_modules_replaced
from kvmcheck.lang.syntax import File, MutantDecl, UseDecl
from kvmcheck.source.diagnostic import Collector


@pytest.fixture
def collector() -> Collector:
    return Collector()


def unit_of(folder: Path, collector: Collector, spec: str, **modules: str) -> Unit:
    """The unit of a spec with a mutant and modules, each given by what is in it."""
    for name, text in modules.items():
        (folder / f"{name}.kvm").write_text(f"module {name}; {text}")
    path = folder / "spec.kvm"
    path.write_text(spec)
    unit = load(path, (), collector)
    assert unit is not None, collector.found()
    return unit


def replaced(unit: Unit, collector: Collector) -> Unit:
    mutants = [item for item in unit.entry.items if isinstance(item, MutantDecl)]
    return with_modules_replaced(unit, mutants, collector)


def used_by(file: File) -> list[str]:
    return [item.module[-1] for item in file.items if isinstance(item, UseDecl)]


def codes(collector: Collector) -> list[str]:
    return [diagnostic.code for diagnostic in collector.found()]


def test_every_use_in_the_unit_means_the_other_module(tmp_path: Path, collector: Collector) -> None:
    unit = unit_of(
        tmp_path,
        collector,
        "use a; use top; mutant m of s { replace module a with b; }",
        a="",
        b="",
        top="use a;",
    )

    after = replaced(unit, collector)

    assert used_by(after.entry) == ["b", "top"]
    assert used_by(after.modules[("top",)]) == ["b"]


def test_what_takes_the_place_may_build_on_what_it_replaces(tmp_path: Path, collector: Collector) -> None:
    unit = unit_of(tmp_path, collector, "use a; mutant m of s { replace module a with b; }", a="", b="use a;")

    after = replaced(unit, collector)

    assert used_by(after.entry) == ["b"]
    assert used_by(after.modules[("b",)]) == ["a"]
    assert codes(collector) == []


def test_a_use_line_replaces_in_the_whole_unit(tmp_path: Path, collector: Collector) -> None:
    unit = unit_of(
        tmp_path, collector, "use top with { replace module a with b; }; use a;", a="", b="", top="use a;"
    )

    after = replaced(unit, collector)

    assert used_by(after.entry) == ["top", "b"]
    assert used_by(after.modules[("top",)]) == ["b"]


def test_a_circle_that_comes_of_it_is_refused(tmp_path: Path, collector: Collector) -> None:
    unit = unit_of(
        tmp_path, collector, "use a; mutant m of s { replace module a with b; }", a="", b="use c;", c="use a;"
    )

    assert replaced(unit, collector) == unit
    assert codes(collector) == ["KVM011"]
    assert "b -> c -> b" in collector.found()[0].message


def test_a_module_that_nothing_uses_is_not_replaced(tmp_path: Path, collector: Collector) -> None:
    unit = unit_of(tmp_path, collector, "use b; mutant m of s { replace module a with b; }", a="", b="")

    assert replaced(unit, collector) == unit
    assert codes(collector) == ["KVM453"]


def test_replacements_are_made_in_order(tmp_path: Path, collector: Collector) -> None:
    unit = unit_of(
        tmp_path,
        collector,
        "use a; mutant m of s { replace module a with b; replace module b with c; }",
        a="",
        b="",
        c="",
    )

    assert used_by(replaced(unit, collector).entry) == ["c"]
