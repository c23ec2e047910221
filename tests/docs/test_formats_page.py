# SPDX-License-Identifier: GPL-2.0-only
"""docs/reference/formats.md describes every key of the JSON format."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kvmcheck.cli.main import main

ROOT = Path(__file__).parents[2]

#: Keys of which the values are names of the model, not of the format.
BY_NAME = frozenset({"held", "sizes"})


def keys(value: object) -> Iterator[str]:
    """Every key in a JSON value."""
    if isinstance(value, list):
        for part in value:
            yield from keys(part)
    if isinstance(value, dict):
        for key, part in value.items():
            yield key
            if key not in BY_NAME:
                yield from keys(part)


@pytest.fixture
def broken_spec(tmp_path: Path) -> Path:
    """A file with a mistake, for the keys of diagnostics."""
    path = tmp_path / "broken.kvm"
    path.write_text("shared int 0..3 count\n", encoding="utf-8")
    return path


def test_every_key_of_the_json_format_is_on_the_page(
    capsys: pytest.CaptureFixture[str], broken_spec: Path
) -> None:
    spec = min((ROOT / "specs" / "basics").glob("*.kvm"))
    main(["--format", "json", "--jobs", "1", str(spec), str(broken_spec)])
    found = set(keys(json.loads(capsys.readouterr().out)))
    page = (ROOT / "docs" / "reference" / "formats.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)`", page))

    assert len(found) > 40
    assert found - named == set()
