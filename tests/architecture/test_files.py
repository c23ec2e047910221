# SPDX-License-Identifier: GPL-2.0-only
"""What every file of the project must be like."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TAG = "SPDX-License-Identifier: GPL-2.0-only"

#: The pages of errors are left out: `kvmcheck explain` prints them as they stand, and LICENSE covers them.
UNTAGGED = ROOT / "docs" / "reference" / "errors"
TAGGED_SUFFIXES = frozenset(
    {".md", ".py", ".kvm", ".lark", ".toml", ".c", ".h", ".sh", ".yml", ".yaml", ".js", ".css"}
)
TAGGED_NAMES = frozenset({"Makefile", "run", "constraints.txt"})

#: A name that says nothing collects everything.
EMPTY_NAMES = frozenset({"utils", "util", "helpers", "common", "misc", "base", "core"})


def project_files() -> list[Path]:
    """The files of the project that carry the tag."""
    places = ("checker", "docs", "editors", "model", "specs", "tests", ".ci", ".github", "bench")
    inside = [path for place in places for path in (ROOT / place).rglob("*")]
    return sorted(
        path
        for path in [*inside, *ROOT.iterdir()]
        if path.is_file()
        and not {"__pycache__", "node_modules"} & set(path.parts)
        and UNTAGGED not in path.parents
        and (path.suffix in TAGGED_SUFFIXES or path.name in TAGGED_NAMES)
    )


@pytest.mark.parametrize("path", project_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_begins_with_its_licence(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    first = lines[1] if lines[0].startswith("#!") else lines[0]

    assert first.lstrip("#/<!*- ").removesuffix("-->").removesuffix("*/").rstrip() == TAG


@pytest.mark.parametrize("path", project_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_a_name_that_says_something(path: Path) -> None:
    assert path.stem not in EMPTY_NAMES


def test_the_licence_is_the_gpl_version_2() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")

    assert "GNU GENERAL PUBLIC LICENSE" in text
    assert "Version 2, June 1991" in text
