# SPDX-License-Identifier: GPL-2.0-only
"""What the tutorial and the README show of a spec or the model are its own lines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.markdown import fenced

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "tutorial").glob("*.md"))
SPECS = sorted((ROOT / "specs" / "basics").glob("*.kvm"))


def plain(line: str) -> str:
    """A line without its comment and with single blanks."""
    return " ".join(line.split("//")[0].split())


def test_each_basic_spec_has_its_page() -> None:
    assert [path.stem[:2] for path in PAGES] == [path.stem[:2] for path in SPECS]


@pytest.mark.parametrize(("page", "spec"), list(zip(PAGES, SPECS, strict=False)), ids=lambda path: path.stem)
def test_a_page_shows_lines_of_its_spec(page: Path, spec: Path) -> None:
    own = {plain(line) for line in spec.read_text(encoding="utf-8").splitlines()}
    shown = {
        plain(line)
        for block in fenced(page)
        if block.info[:1] == ("kvm",)
        for line in block.text.splitlines()
    }

    assert spec.name in page.read_text(encoding="utf-8")
    assert shown - own == set()


def test_the_readme_shows_lines_of_the_model() -> None:
    sources = [*(ROOT / "model").rglob("*.kvm"), *(ROOT / "specs").rglob("*.kvm")]
    own = {plain(line) for path in sources for line in path.read_text(encoding="utf-8").splitlines()}
    blocks = [block for block in fenced(ROOT / "README.md") if block.info == ("kvm",)]

    assert len(blocks) == 2
    assert {plain(line) for block in blocks for line in block.text.splitlines()} - own == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page_has_something_to_run_and_something_to_break(page: Path) -> None:
    headings = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)

    assert {"Run it", "Break it yourself"} <= set(headings)
