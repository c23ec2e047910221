# SPDX-License-Identifier: GPL-2.0-only
"""Who may import whom.  `MAY_IMPORT` is the architecture: text -> syntax -> program -> result -> story -> picture."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "checker" / "kvmcheck"

#: A stage (a folder or a module of the package) and the stages that it may import, besides itself.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "source": frozenset(),
    "errors": frozenset(),
    "library": frozenset({"source"}),
    "privatefolder": frozenset(),
    "lang": frozenset({"source", "errors"}),
    "semantics": frozenset({"source", "errors"}),
    "elaborate": frozenset({"source", "lang", "semantics", "errors"}),
    "engine": frozenset({"privatefolder", "source", "semantics", "errors"}),
    "export": frozenset({"source", "semantics", "errors"}),
    "prove": frozenset({"source", "semantics", "engine", "explain", "errors"}),
    "explain": frozenset({"source", "semantics", "engine", "errors"}),
    "why": frozenset({"source", "semantics", "engine", "explain", "errors"}),
    "render": frozenset({"source", "semantics", "engine", "explain", "errors"}),
    "pipeline": frozenset(
        {
            "source",
            "lang",
            "semantics",
            "elaborate",
            "engine",
            "explain",
            "why",
            "render",
            "library",
            "errors",
        }
    ),
    "remember": frozenset({"source", "lang", "semantics", "explain", "pipeline", "library", "privatefolder"}),
    "graphs": frozenset({"source", "semantics", "engine", "explain", "why", "render", "errors"}),
    "graphing": frozenset(
        {
            "source",
            "lang",
            "semantics",
            "elaborate",
            "engine",
            "explain",
            "why",
            "graphs",
            "library",
            "errors",
        }
    ),
    "recorded": frozenset({"source", "semantics", "explain"}),
    "replaying": frozenset(
        {"source", "lang", "semantics", "elaborate", "explain", "recorded", "library", "errors"}
    ),
    "exporting": frozenset({"source", "lang", "semantics", "elaborate", "export", "library", "errors"}),
    "proving": frozenset(
        {
            "source",
            "lang",
            "semantics",
            "elaborate",
            "engine",
            "explain",
            "pipeline",
            "prove",
            "library",
            "errors",
        }
    ),
    "mutate": frozenset({"source", "lang", "semantics", "elaborate", "engine"}),
    "mutating": frozenset(
        {"source", "lang", "semantics", "elaborate", "engine", "explain", "mutate", "pipeline"}
    ),
    "lsp": frozenset({"source", "lang", "elaborate", "render", "library"}),
    "parametric": frozenset(
        {
            "source",
            "lang",
            "semantics",
            "elaborate",
            "engine",
            "explain",
            "pipeline",
            "prove",
            "proving",
            "errors",
        }
    ),
    "rechecking": frozenset({"source", "semantics", "pipeline", "prove", "parametric"}),
    "cli": frozenset(
        {
            "parametric",
            "rechecking",
            "lsp",
            "mutating",
            "exporting",
            "recorded",
            "replaying",
            "graphing",
            "graphs",
            "proving",
            "export",
            "source",
            "lang",
            "semantics",
            "explain",
            "render",
            "pipeline",
            "prove",
            "remember",
            "library",
            "errors",
        }
    ),
    "pytest_plugin": frozenset({"explain", "render", "pipeline", "remember", "cli"}),
    "__main__": frozenset({"cli"}),
    "__init__": frozenset({"engine", "errors", "pipeline", "semantics"}),
}

#: Third-party packages, and the stages that may name them.
THIRD_PARTY: dict[str, frozenset[str]] = {
    "lark": frozenset({"lang"}),
    "lsprotocol": frozenset({"lsp"}),
    "msgspec": frozenset({"recorded", "remember"}),
    "networkx": frozenset({"elaborate", "engine", "explain", "graphs", "render"}),
    "pygls": frozenset({"lsp"}),
    "pytest": frozenset({"pytest_plugin"}),
    "PIL": frozenset({"graphs"}),
    "rich": frozenset({"render", "cli"}),
    "cvc5": frozenset({"prove"}),
    "z3": frozenset({"prove"}),
}

#: Slow to import, so only inside the function that needs it.
NEVER_AT_THE_TOP = frozenset({"PIL", "cvc5", "networkx", "rich", "z3"})


@dataclass(frozen=True, slots=True)
class Import:
    """One import: the module's dotted name, its line, and whether it runs when the file is imported."""

    module: str
    line: int
    at_the_top: bool


def imports(text: str) -> Iterator[Import]:
    """Every import in a Python text, in functions and `if TYPE_CHECKING` too."""
    tree = ast.parse(text)
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        at_the_top = id(node) not in inside
        match node:
            case ast.Import(names=names):
                yield from (Import(name.name, node.lineno, at_the_top) for name in names)
            case ast.ImportFrom(module="kvmcheck", names=names):
                yield from (Import(f"kvmcheck.{name.name}", node.lineno, at_the_top) for name in names)
            case ast.ImportFrom(module=str(module)):
                yield Import(module, node.lineno, at_the_top)
            case _:
                pass


def stage_of(path: Path) -> str:
    """The stage that a file of the package belongs to."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def complaints(stage: str, text: str) -> list[str]:
    """What the table says against the imports of a text that belongs to a stage."""
    found = []
    for entry in imports(text):
        parts = entry.module.split(".")
        if parts[0] == "kvmcheck":
            target = parts[1] if len(parts) > 1 else "__init__"
            if target in ("__version__", stage):
                continue
            if target not in MAY_IMPORT[stage]:
                found.append(f"line {entry.line}: {stage} may not import {target}")
        elif parts[0] in THIRD_PARTY:
            if stage not in THIRD_PARTY[parts[0]]:
                found.append(f"line {entry.line}: {stage} may not import {parts[0]}")
            if parts[0] in NEVER_AT_THE_TOP and entry.at_the_top:
                found.append(f"line {entry.line}: {parts[0]} is imported before it is needed")
        elif parts[0] not in sys.stdlib_module_names:
            found.append(f"line {entry.line}: {parts[0]} is not a dependency")
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_what_its_stage_may(path: Path) -> None:
    stage = stage_of(path)

    assert stage in MAY_IMPORT, f"{stage} is not in the table: give it a line"
    assert complaints(stage, path.read_text(encoding="utf-8")) == []


def test_every_stage_of_the_table_exists() -> None:
    optional = {"errors"}

    assert set(MAY_IMPORT) - optional <= {stage_of(path) for path in FILES}


@pytest.mark.parametrize(
    ("stage", "text", "said"),
    [
        ("engine", "from kvmcheck.lang.syntax import File", "line 1: engine may not import lang"),
        ("lang", "from kvmcheck import semantics", "line 1: lang may not import semantics"),
        ("source", "def f():\n    import kvmcheck.cli.main", "line 2: source may not import cli"),
        ("explain", "import lark", "line 1: explain may not import lark"),
        ("render", "import rich.text", "line 1: rich is imported before it is needed"),
        ("cli", "import requests", "line 1: requests is not a dependency"),
        ("cli", "if TYPE_CHECKING:\n    import kvmcheck.engine.result", "line 2: cli may not import engine"),
    ],
)
def test_a_forbidden_import_is_noticed(stage: str, text: str, said: str) -> None:
    assert complaints(stage, text) == [said]


def test_the_table_has_no_cycle() -> None:
    placed: set[str] = set()
    while len(placed) < len(MAY_IMPORT):
        free = {stage for stage, below in MAY_IMPORT.items() if below <= placed} - placed
        assert free, f"these import each other: {sorted(set(MAY_IMPORT) - placed)}"
        placed |= free
