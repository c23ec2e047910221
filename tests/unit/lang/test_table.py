# SPDX-License-Identifier: GPL-2.0-only
"""The stored table is the grammar's, and every rule of it has a builder that takes its parts."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from kvmcheck.lang import table as tables
from kvmcheck.lang.build import Builder
from kvmcheck.lang.table import GRAMMAR, TABLE, Rule, made_by_lark, table

#: Rules that only choose between others: a single part is the result.
RULES = [rule for rule in table().rules if rule.method and not (rule.transparent and rule.size == 1)]


def test_the_stored_table_is_what_lark_makes_of_the_grammar() -> None:
    assert TABLE.read_text(encoding="ascii") == made_by_lark(), "run: python -m kvmcheck.lang.table"


def test_a_table_of_another_grammar_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    changed = tmp_path / "grammar.lark"
    text = GRAMMAR.read_text(encoding="utf-8")
    changed.write_text(text.replace('"goto" NAME', '"go" "to" NAME'), encoding="utf-8")
    monkeypatch.setattr(tables, "GRAMMAR", changed)

    fresh = tables.table.__wrapped__()
    assert "go" in {terminal.pattern for terminal in fresh.terminals}


def test_without_a_stored_table_lark_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tables, "TABLE", tmp_path / "none.json")

    assert tables.table.__wrapped__() == table()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.method}-{rule.size}")
def test_a_rule_has_a_builder_that_takes_its_parts(rule: Rule) -> None:
    assert rule.method is not None
    build = getattr(Builder, rule.method, None)
    assert build is not None, f"build.py has no method {rule.method}"

    parameters = list(inspect.signature(build).parameters.values())[1:]
    least = sum(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)
    any_number = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    given = rule.size + sum(rule.absent) - len(rule.inlined)
    assert given >= least if any_number else given == least


def test_every_builder_belongs_to_a_rule() -> None:
    methods = {name for name in vars(Builder) if not name.startswith("_")}

    assert methods == {rule.method for rule in RULES}
