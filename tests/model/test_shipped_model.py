# SPDX-License-Identifier: GPL-2.0-only
"""The shipped model and specs hang together: nothing in them is unused, and their pages list all of them.

What the specs claim is checked by `kvmcheck specs/` itself; here are the claims about the whole set.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kvmcheck.elaborate.requests import statements
from kvmcheck.lang import syntax
from kvmcheck.lang.parse import parse
from kvmcheck.pipeline import Options, check
from kvmcheck.semantics.verdict import Verdict
from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.text import SourceText
from tests.support.markdown import sections

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "model").rglob("*.kvm"))
SPECS = sorted((ROOT / "specs").rglob("*.kvm"))
#: The specs that are about the model, and not about the language or the tool.
RACES = sorted(p for p in SPECS if p.parent.name not in ("basics", "limits"))


def parsed(path: Path) -> syntax.File:
    """A file's syntax tree."""
    file = parse(SourceText(str(path), path.read_text(encoding="utf-8")), Collector())
    assert file is not None, path
    return file


def functions_of_the_model() -> list[syntax.FunctionDecl]:
    """Every function of every module."""
    return [i for m in MODULES for i in parsed(m).items if isinstance(i, syntax.FunctionDecl)]


def scenarios_of(paths: list[Path]) -> list[syntax.ScenarioDecl]:
    """Every scenario of the specs."""
    return [i for p in paths for i in parsed(p).items if isinstance(i, syntax.ScenarioDecl)]


def broken_by_some_mutant() -> set[str]:
    """The properties that some mutant or scenario expects to be violated."""
    found: set[str] = set()
    for path in RACES:
        for item in parsed(path).items:
            match item:
                case syntax.MutantDecl(expects=expects):
                    pass
                case syntax.ScenarioDecl(items=items):
                    expects = tuple(i for i in items if isinstance(i, syntax.Expect))
                case _:
                    continue
            for expect in expects:
                if expect.outcome is syntax.Expected.VIOLATED:
                    found |= {name.text for name in expect.properties}
    return found


def test_each_kernel_function_of_the_model_is_in_its_table() -> None:
    table = sections((ROOT / "model" / "README.md").read_text(encoding="utf-8"))["What stands for what"]
    missing = [
        f.name.text
        for f in functions_of_the_model()
        if f.source is not None and not re.search(rf"\b_*{f.name.text}\b", table)
    ]

    assert missing == []


def test_each_module_and_each_spec_is_linked_from_its_readme() -> None:
    for folder, files in (("model", MODULES), ("specs", SPECS)):
        page = (ROOT / folder / "README.md").read_text(encoding="utf-8")
        linked = set(re.findall(r"\]\(([^)]+\.kvm)\)", page))

        assert linked == {str(f.relative_to(ROOT / folder)) for f in files}


def test_each_property_of_the_model_is_checked_and_can_fail() -> None:
    # What a proof rests on is tried by proofs: tests/unit/prove/parametric/test_refutations.py.
    declared = {
        i.name.text
        for m in MODULES
        for i in parsed(m).items
        if isinstance(i, syntax.InvariantDecl) and not i.inductive
    }
    checked = {
        name.text
        for scenario in scenarios_of(RACES)
        for item in scenario.items
        if isinstance(item, syntax.Check)
        for name in item.names
    }

    assert declared - checked == set()
    assert declared - broken_by_some_mutant() == set()


def test_each_cover_of_the_model_is_asked_for() -> None:
    in_functions = {
        stmt.name.text
        for function in functions_of_the_model()
        for stmt in statements(function.body)
        if isinstance(stmt, syntax.CoverStmt)
    }
    asked = {
        name.text
        for scenario in scenarios_of(RACES)
        for item in scenario.items
        if isinstance(item, syntax.CoverList)
        for name in item.names
    }

    assert in_functions - asked == set()


@pytest.mark.parametrize("path", RACES, ids=lambda path: path.stem)
def test_each_race_has_a_mutant(path: Path) -> None:
    items = parsed(path).items

    assert any(isinstance(i, syntax.MutantDecl) for i in items)


def test_too_few_large_pages_are_called_so() -> None:
    spec = ROOT / "specs" / "first_commit" / "large_page_index.kvm"
    told = check(spec, Options(only=("large_page_index",), settings=(("HPAGE", "1"),))).cases[0].account

    assert told is not None
    broken = next(f for f in told.findings if f.verdict is Verdict.VIOLATED)
    assert broken.stories[0].broken is not None
    assert broken.stories[0].broken.text == "assert(large_pages_of(slot) <= SLOT_HPAGES)"
