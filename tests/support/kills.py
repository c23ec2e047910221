# SPDX-License-Identifier: GPL-2.0-only
"""Which mutants break which property, as the specs' `expect` lines say (and `kvmcheck specs/` checks).

`python -m tests.support.kills` writes the tables of docs/reference/properties.md anew.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kvmcheck.lang import syntax
from kvmcheck.lang.parse import parse
from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.text import SourceText

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "properties.md"

#: Folders of specs that are about the language or the tool, and not about the model.
NOT_ABOUT_THE_MODEL = ("basics", "limits")

#: The folder whose mutants are mends of what its scenarios show.
MENDS = "first_commit"

#: Where a generated table stands in the page.
TABLE = re.compile(r"(?<=<!-- table: )(\w+)( -->\n).*?(?=\n<!-- end -->)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario or mutant; `path` is the spec that it stands in, `sees` the files whose properties it may name."""

    path: Path
    sees: frozenset[Path]
    name: str
    title: str
    why: str
    mutant: bool
    violated: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Property:
    """A property of the model or of a spec, with what its comment says first."""

    name: str
    path: Path
    says: str


def modules() -> list[Path]:
    """The modules of the model."""
    return sorted((ROOT / "model").rglob("*.kvm"))


def specs() -> list[Path]:
    """The specs that are about the model."""
    return sorted(p for p in (ROOT / "specs").rglob("*.kvm") if p.parent.name not in NOT_ABOUT_THE_MODEL)


@cache
def parsed(path: Path) -> syntax.File:
    """A file's syntax tree."""
    file = parse(SourceText(str(path), path.read_text(encoding="utf-8")), Collector())
    assert file is not None, path
    return file


@cache
def _reached(path: Path) -> frozenset[Path]:
    """A file and all that it uses, those that an edit puts in a module's place too."""
    names: set[tuple[str, ...]] = set()
    for item in parsed(path).items:
        match item:
            case syntax.UseDecl(module=module, edits=edits):
                names.add(module)
            case syntax.MutantDecl(edits=edits):
                pass
            case _:
                continue
        names |= {edit.by for edit in edits if isinstance(edit, syntax.ReplaceModule)}
    found = {path}
    for parts in names:
        for folder in (path.parent, ROOT / "model"):
            file = folder.joinpath(*parts).with_suffix(".kvm")
            if file.exists():
                found |= _reached(file)
                break
    return frozenset(found)


@cache
def cases() -> tuple[Case, ...]:
    """Every scenario and mutant of the specs."""
    return tuple(_cases())


def _cases() -> Iterator[Case]:
    for path in specs():
        sees = _reached(path)
        for item in parsed(path).items:
            match item:
                case syntax.MutantDecl():
                    expects = item.expects
                case syntax.ScenarioDecl():
                    expects = tuple(i for i in item.items if isinstance(i, syntax.Expect))
                case _:
                    continue
            yield Case(
                path=path,
                sees=sees,
                name=item.name.text,
                title=item.title,
                why=_comment(path, item.span.line),
                mutant=isinstance(item, syntax.MutantDecl),
                violated=tuple(
                    name.text
                    for expect in expects
                    if expect.outcome is syntax.Expected.VIOLATED
                    for name in expect.properties
                ),
            )


def _comment(path: Path, line: int) -> str:
    """The comment above a line (counted from 1), as one line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    first = line - 1
    while first > 0 and lines[first - 1].startswith("// ") and not lines[first - 1].startswith("// ---"):
        first -= 1
    return " ".join(part.removeprefix("// ").strip() for part in lines[first : line - 1])


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.:]) +(?=[A-Z])", text)[0].rstrip(":")


def properties() -> Iterator[Property]:
    """Every property of the model, and every one that a spec declares for itself."""
    for path in (*modules(), *specs()):
        for item in parsed(path).items:
            if isinstance(item, syntax.InvariantDecl) and item.inductive:
                continue  # a means of a proof, not a claim: tests/unit/prove/parametric breaks these
            if isinstance(item, syntax.InvariantDecl | syntax.StepDecl):
                yield Property(item.name.text, path, _first_sentence(_comment(path, item.span.line)))


def _broken_by(prop: Property) -> str:
    """The cases that break a property, grouped by spec: `spec (a, b), other (c)`; scenarios in italics."""
    by_spec: dict[str, list[str]] = {}
    for case in cases():
        if prop.name in case.violated and prop.path in case.sees:
            by_spec.setdefault(case.path.stem, []).append(case.name if case.mutant else f"*{case.name}*")
    return ", ".join(f"{spec} ({', '.join(names)})" for spec, names in by_spec.items()) or "**nothing**"


def _rows(folder: str) -> str:
    found = [p for p in properties() if p.path.is_relative_to(ROOT / folder)]
    return "| property | in | says | broken by |\n|---|---|---|---|\n" + "\n".join(
        f"| {p.name} | [{p.path.stem}](../../{p.path.relative_to(ROOT)}) | {p.says} | {_broken_by(p)} |"
        for p in found
    )


def _built_in() -> str:
    declared = {p.name for p in properties()}
    names = sorted({name for case in cases() for name in case.violated} - declared)
    rows = []
    for name in names:
        found = [f"{case.path.stem} ({case.name})" for case in cases() if name in case.violated]
        rows.append(f"| {name} | {', '.join(found)} |")
    return "| check | broken by |\n|---|---|\n" + "\n".join(rows)


def _survivors() -> str:
    rows = [
        f"| {case.path.stem} | {case.name} | {case.title} | {case.why or '**not said**'} |"
        for case in cases()
        if case.mutant and not case.violated and case.path.parent.name != MENDS
    ]
    return "| spec | mutant | what it changes | why it is harmless |\n|---|---|---|---|\n" + "\n".join(rows)


def unbroken() -> list[str]:
    """The properties that no case breaks, as `module.name`."""
    return [f"{p.path.stem}.{p.name}" for p in properties() if _broken_by(p) == "**nothing**"]


def table(name: str) -> str:
    """One of the page's tables: `model`, `specs`, `built_in` or `survivors`."""
    match name:
        case "model" | "specs":
            return _rows(name)
        case "built_in":
            return _built_in()
        case "survivors":
            return _survivors()
        case _:
            raise ValueError(f"no table {name}")


def page() -> str:
    """The page as it should be."""
    return TABLE.sub(lambda m: f"{m[1]}{m[2]}{table(m[1])}", PAGE.read_text(encoding="utf-8"))


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
