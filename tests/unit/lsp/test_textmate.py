# SPDX-License-Identifier: GPL-2.0-only
"""The TextMate grammar knows the language of grammar.lark, and the VS Code extension is whole."""

from __future__ import annotations

import json
import re
from pathlib import Path

from kvmcheck.elaborate.primitives import PRIMITIVES
from kvmcheck.lsp.completing import keywords

VSCODE = Path(__file__).parents[3] / "editors" / "vscode"


def test_every_keyword_and_built_in_function_is_coloured() -> None:
    rules = json.loads((VSCODE / "syntaxes" / "kvm.tmLanguage.json").read_text(encoding="utf-8"))[
        "repository"
    ]
    colours = [
        re.compile(rules[name]["match"])
        for name in ("type", "constant", "property", "control", "modifier", "word")
    ]
    builtin = re.compile(rules["builtin"]["match"])

    assert [word for word in keywords() if not any(rule.fullmatch(word) for rule in colours)] == []
    assert [name for name in PRIMITIVES if not builtin.match(f"{name}(")] == []


def test_every_rule_of_the_grammar_is_used_and_can_be_read() -> None:
    grammar = json.loads((VSCODE / "syntaxes" / "kvm.tmLanguage.json").read_text(encoding="utf-8"))
    used = {rule["include"].removeprefix("#") for rule in grammar["patterns"]}

    assert used == set(grammar["repository"])
    for pattern in re.findall(r'"(?:match|begin|end)": ("(?:[^"\\]|\\.)*")', json.dumps(grammar)):
        re.compile(json.loads(pattern))


def test_every_file_that_the_extension_names_is_there() -> None:
    package = json.loads((VSCODE / "package.json").read_text(encoding="utf-8"))
    told = package["contributes"]
    named = [package["main"], told["languages"][0]["configuration"], told["grammars"][0]["path"]]

    assert [name for name in named if not (VSCODE / name).is_file()] == []
    json.loads((VSCODE / "language-configuration.json").read_text(encoding="utf-8"))
    assert told["configuration"]["properties"]["kvmcheck.command"]["default"] == ["kvmcheck", "lsp"]
