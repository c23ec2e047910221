# SPDX-License-Identifier: GPL-2.0-only
"""From where each function of the model is known: model/README.md has it in one row of its table of evidence."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from tests.model.test_shipped_model import functions_of_the_model
from tests.support.markdown import sections
from tests.support.skeleton.compare import read_facts

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "model" / "README.md"
ROW = re.compile(r"^\| \*\*(?P<tag>[PSM])\*\* [^|]*\|(?P<functions>[^|]*)\|$", re.MULTILINE)


def evidence() -> list[tuple[str, list[str]]]:
    """The rows of the table: the tag, and the functions that are known from there."""
    table = sections(PAGE.read_text(encoding="utf-8"))["From where we know it"]
    return [(row["tag"], re.findall(r"`(\w+)`", row["functions"])) for row in ROW.finditer(table)]


def test_each_kernel_function_of_the_model_is_known_from_one_place() -> None:
    listed = Counter(name for _, names in evidence() for name in names)
    in_model = {function.name.text for function in functions_of_the_model() if function.source is not None}

    assert {name for name, rows in listed.items() if rows > 1} == set()
    assert in_model - set(listed) == set()
    assert set(listed) - in_model == set()


def test_what_is_known_from_the_patch_is_held_against_it() -> None:
    from_patch = {name for tag, names in evidence() if tag == "P" for name in names}

    assert from_patch == {skeleton.function for skeleton in read_facts()}
