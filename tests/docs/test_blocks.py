# SPDX-License-Identifier: GPL-2.0-only
"""What the pages show is true: `kvm` blocks parse, `console` blocks print what the page says, links lead somewhere.

The word behind `kvm` says what a block is a part of:

| fence | the block is |
| --- | --- |
| ```kvm | a file, or some items of one |
| ```kvm statements | statements of a function |
| ```kvm expression | one expression |
| ```kvm scenario | items of a scenario |
| ```kvm edits | edits of a mutant |
| ```kvm file mine.kvm | a file that the page's later `console` blocks find in their folder |
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kvmcheck.lang.parse import parse
from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.text import SourceText
from tests.support.console import fits, prepared, run_page
from tests.support.markdown import Fenced, fenced

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
WRAPPED = {
    "statements": "void f() {{\n{}\n}}\n",
    "expression": "invariant i {{\n{}\n}}\n",
    "scenario": 'scenario s "s" {{\n{}\n}}\n',
    "edits": 'mutant m of s "m" {{\n{}\n}}\n',
}


def kvm_blocks() -> list[Fenced]:
    """The `kvm` blocks of all pages; those of error pages have a test of their own."""
    return [
        block
        for page in PAGES
        for block in fenced(page)
        if block.info[:1] == ("kvm",) and page.parent.name != "errors"
    ]


@pytest.mark.parametrize("block", kvm_blocks(), ids=lambda block: block.place)
def test_a_kvm_block_parses(block: Fenced) -> None:
    kind = block.info[1] if len(block.info) > 1 else "items"
    text = WRAPPED[kind].format(block.text) if kind in WRAPPED else block.text

    assert kind in {*WRAPPED, "items", "file"}, f"{block.place}: what is `kvm {kind}`?"
    collector = Collector()
    parse(SourceText(block.place, text), collector)
    assert [found.message for found in collector.all()] == []


def pages_with_commands() -> list[Path]:
    """The pages that have a console block."""
    return [page for page in PAGES if any(block.info == ("console",) for block in fenced(page))]


@pytest.mark.parametrize("page", pages_with_commands(), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_print_what_it_shows(page: Path, tmp_path: Path) -> None:
    prepared(tmp_path)
    for ran in run_page(page, tmp_path):
        assert ran.as_shown, (
            f"{ran.block.place}: $ {ran.command}\n--- shown\n{ran.shown}\n--- printed\n{ran.printed}"
            "\n`make pages` puts the printed text into the page"
        )


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


def test_every_link_to_a_file_leads_somewhere() -> None:
    dead = []
    for page in [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "tests" / "README.md"]:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            if "://" not in target and not (page.parent / target).exists():
                dead.append(f"{page.relative_to(ROOT)}: {target}")

    assert dead == []
