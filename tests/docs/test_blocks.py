# SPDX-License-Identifier: GPL-2.0-only
"""What the pages show is true: `kvm` blocks parse, `console` blocks run and print what the page says.

The word behind `kvm` says what a block is a part of:

| fence | the block is |
| --- | --- |
| ```kvm | a file, or some items of one |
| ```kvm statements | statements of a function |
| ```kvm expression | one expression |
| ```kvm scenario | items of a scenario |
| ```kvm edits | edits of a mutant |
| ```kvm file mine.kvm | a file that the page's later `console` blocks find in their folder |

A `console` block holds commands (`$ kvmcheck …`) and their output.  They run one after the other in a folder that
has `specs` and `model` in it.  A line `…` stands for any lines; times are not compared.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kvmcheck.lang.parse import parse

from kvmcheck.source.text import SourceText
from tests.support.markdown import Fenced, fenced

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
WRAPPED = {
    "statements": "void f() {{\n{}\n}}\n",
    "expression": "invariant i {{\n{}\n}}\n",
    "scenario": 'scenario s "s" {{\n{}\n}}\n',
    "edits": 'mutant m of s "m" {{\n{}\n}}\n',
}
#: A number of seconds, or a rate: what differs from run to run.
TIMES = re.compile(r"\d[\d,.]* ?(?:ms|µs|s|seconds|states/s)\b")


def kvm_blocks() -> list[Fenced]:
    """The `kvm` blocks of all pages, but for what an error page shows as broken."""
    return [
        block
        for page in PAGES
        for block in fenced(page)
        if block.info[:1] == ("kvm",) and page.parent.name != "errors"
    ]


@pytest.mark.parametrize("block", kvm_blocks(), ids=lambda block: block.place)
def test_a_kvm_block_parses(block: Fenced) -> None:
    kind = block.info[1] if len(block.info) > 1 else "items"
    text = WRAPPED.get(kind, "{}").format(block.text) if kind in WRAPPED else block.text

    assert kind in {*WRAPPED, "items", "file"}, f"{block.place}: what is `kvm {kind}`?"
    parse(SourceText(block.place, text))


# ------------------------------------------------------------------------------ console blocks


def commands(block: Fenced) -> Iterator[tuple[str, str]]:
    """Each command of a console block with the output that the page shows."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def comparable(text: str) -> list[str]:
    """Output as it is compared: no times, no blanks at line ends, no empty lines at the ends."""
    return [TIMES.sub("TIME", line).rstrip() for line in text.strip("\n").split("\n")]


def fits(shown: list[str], printed: list[str]) -> bool:
    """Whether the printed lines are those shown; a line `…` fits any lines, also none."""
    if not shown:
        return not printed
    if shown[0].strip() == "…":
        return any(fits(shown[1:], printed[i:]) for i in range(len(printed) + 1))
    return bool(printed) and shown[0] == printed[0] and fits(shown[1:], printed[1:])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as the reader of a page has it: `specs`, `model`, and a `kvmcheck` command."""
    for name in ("specs", "model"):
        (tmp_path / name).symlink_to(ROOT / name)
    command = tmp_path / ".bin" / "kvmcheck"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kvmcheck "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return tmp_path


def pages_with_commands() -> list[Path]:
    """The pages that have a console block."""
    return [page for page in PAGES if any(block.info == ("console",) for block in fenced(page))]


@pytest.mark.parametrize("page", pages_with_commands(), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_print_what_it_shows(page: Path, folder: Path) -> None:
    environment = {
        "PATH": f"{folder / '.bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "checker"),
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "100",
    }
    status = 0
    for block in fenced(page):
        if block.info[:2] == ("kvm", "file"):
            (folder / block.info[2]).write_text(block.text, encoding="utf-8")
        if block.info != ("console",):
            continue
        for command, shown in commands(block):
            done = subprocess.run(
                ["bash", "-c", f"(exit {status}); {command}"],
                cwd=folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=120,
                check=False,
            )
            status = done.returncode

            assert fits(comparable(shown), comparable(done.stdout)), (
                f"{block.place}: $ {command}\n--- shown\n{shown}\n--- printed\n{done.stdout}"
            )


# ------------------------------------------------------------------------------ links


def test_every_link_to_a_file_leads_somewhere() -> None:
    dead = []
    for page in [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "tests" / "README.md"]:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            if "://" not in target and not (page.parent / target).exists():
                dead.append(f"{page.relative_to(ROOT)}: {target}")

    assert dead == []


@pytest.mark.parametrize(
    ("shown", "printed", "fit"),
    [
        (["a", "…", "c"], ["a", "b", "b", "c"], True),
        (["a", "…"], ["a"], True),
        (["a"], ["a", "b"], False),
        (["HOLDS TIME"], ["UNKNOWN TIME"], False),
    ],
)
def test_output_is_compared_line_by_line(shown: list[str], printed: list[str], fit: bool) -> None:
    assert fits(shown, printed) is fit
