# SPDX-License-Identifier: GPL-2.0-only
"""The grammar and the manual say the same: each grammar rule has its section in docs/reference/language.md.

A section names the rules that it explains in a comment, `<!-- grammar: if_statement while_statement -->`,
which no reader of the rendered page sees.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from kvmcheck.elaborate.primitives import PRIMITIVES
from kvmcheck.semantics.program import Check

ROOT = Path(__file__).parents[2]
GRAMMAR = ROOT / "checker" / "kvmcheck" / "lang" / "grammar.lark"
MANUAL = ROOT / "docs" / "reference" / "language.md"


def rules_of_the_grammar(text: str) -> set[str]:
    """The rules and the aliases (`-> name`) of a lark grammar."""
    plain = re.sub(r"//[^\n]*", "", text)
    rules = re.findall(r"^[?!]*([a-z_]\w*)(?:\.\d+)?:", plain, flags=re.MULTILINE)
    return set(rules) | set(re.findall(r"->\s*([a-z_]\w*)", plain))


def rules_of_the_manual(text: str) -> Counter[str]:
    """How often each rule is named in a grammar comment."""
    comments = re.findall(r"<!-- grammar:(.*?)-->", text, flags=re.DOTALL)
    return Counter(word for comment in comments for word in comment.split())


def keywords_of_the_grammar(text: str) -> set[str]:
    """The words in quotes."""
    plain = re.sub(r"//[^\n]*", "", text)
    return set(re.findall(r'"([A-Za-z_]+)"', plain)) | set(re.findall(r": /([a-z]+)\(\?=", plain))


def test_each_grammar_rule_is_explained_in_one_section() -> None:
    rules = rules_of_the_grammar(GRAMMAR.read_text(encoding="utf-8"))
    named = rules_of_the_manual(MANUAL.read_text(encoding="utf-8"))

    assert rules - set(named) == set(), "no section of the manual names these rules"
    assert set(named) - rules == set(), "the manual names rules that are gone"
    assert [rule for rule, times in named.items() if times > 1] == []


def test_each_keyword_is_in_the_manual() -> None:
    words = keywords_of_the_grammar(GRAMMAR.read_text(encoding="utf-8"))
    manual = set(re.findall(r"[A-Za-z_]+", MANUAL.read_text(encoding="utf-8")))

    assert words - manual == set()


def test_each_built_in_function_is_in_the_manual() -> None:
    manual = set(re.findall(r"[A-Za-z_]+", MANUAL.read_text(encoding="utf-8")))

    assert set(PRIMITIVES) - manual == set()


def test_the_manual_names_no_built_in_function_that_is_not_there() -> None:
    part = MANUAL.read_text(encoding="utf-8").split("## Built-in functions")[1].split("\n## ")[0]
    called = set(re.findall(r"`(?:[^`]*\b)?([a-zA-Z_]+)\(&", part))

    assert called - set(PRIMITIVES) == set()


def test_each_built_in_check_is_in_the_manual() -> None:
    part = MANUAL.read_text(encoding="utf-8").split("## Built-in checks")[1]

    assert [check.value for check in Check if f"| `{check.value}` |" not in part] == []


def test_each_section_that_the_contents_name_exists() -> None:
    text = MANUAL.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    }

    assert set(re.findall(r"\]\(#([a-z0-9-]+)\)", text)) - headings == set()


def test_rules_and_aliases_are_found_in_a_grammar() -> None:
    grammar = '// a: comment\n?start: "x" a\na.2: "y" -> first\n | "z" -> second\nX.2: /x(?=y)/\n'

    assert rules_of_the_grammar(grammar) == {"start", "a", "first", "second"}
