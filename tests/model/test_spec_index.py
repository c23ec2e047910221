# SPDX-License-Identifier: GPL-2.0-only
"""specs/README.md lists each file once, in the section of its folder, with a word on what is new in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.markdown import sections

SPECS = Path(__file__).parents[2] / "specs"
FILES = sorted(str(path.relative_to(SPECS)) for path in SPECS.rglob("*.kvm"))
LINK = re.compile(r"\[[^]]+\]\((?P<file>[^)]+\.kvm)\)")


def rows() -> list[tuple[str, list[str]]]:
    """Every row of a table: the folder that its section is about, and its cells."""
    text = (SPECS / "README.md").read_text(encoding="utf-8")
    return [
        (title.split("/")[0], [cell.strip() for cell in line.strip("|").split("|")])
        for title, section in sections(text).items()
        for line in section.splitlines()
        if line.startswith("|") and LINK.search(line)
    ]


def listed() -> list[str]:
    """The files, in the order of the page."""
    return [found["file"] for _, cells in rows() for cell in cells for found in LINK.finditer(cell)]


@pytest.mark.parametrize("file", FILES)
def test_a_spec_is_listed_once(file: str) -> None:
    assert listed().count(file) == 1


def test_a_spec_is_listed_with_its_folder_and_something_is_said_of_it() -> None:
    for folder, cells in rows():
        files = [found["file"] for cell in cells for found in LINK.finditer(cell)]

        assert [file.split("/")[0] for file in files] == [folder]
        assert len(" ".join(cells[-2:])) > 20, cells
