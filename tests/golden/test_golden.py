# SPDX-License-Identifier: GPL-2.0-only
"""One trace of 40 steps and 4 threads in every format, as it was.

`KVMCHECK_UPDATE_GOLDEN=1` writes the files anew: read the diff.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from kvmcheck import __version__
from kvmcheck.cli.arguments import FORMATS
from kvmcheck.cli.main import main

ROOT = Path(__file__).parents[2]
SPEC = "tests/golden/baton.kvm"
SUFFIX = {
    "text": "txt",
    "commit": "commit.txt",
    "json": "json",
    "junit": "xml",
    "sarif": "sarif",
    "github": "github.txt",
    "gitlab": "gitlab.json",
    "ktap": "ktap",
    "markdown": "summary",
    "itf": "itf.json",
    "html": "html",
}


def without_program(page: str) -> str:
    """The page without what is the same in each: its style, its script and their hashes."""
    page = re.sub(r"(<style>|<script>).*?(?=</style>|</script>)", r"\1", page, flags=re.DOTALL)
    page = re.sub(r"&#x27;sha256-[^&]*&#x27;", "HASH", page).replace(
        f"kvmcheck {__version__}", "kvmcheck VERSION"
    )
    return page.replace("],", "],\n").replace("</tr>", "</tr>\n")


@pytest.mark.parametrize("name", FORMATS)
def test_the_trace_is_told_as_it_was(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["--format", name, "--jobs", "1", SPEC]) == 1
    text = capsys.readouterr().out.replace(f'"version": "{__version__}"', '"version": "VERSION"')
    if name == "html":
        text = without_program(text)
    golden = Path(__file__).parent / f"baton.{SUFFIX[name]}"
    if os.environ.get("KVMCHECK_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")

    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("form", ["dot", "graphml", "mermaid", "svg"])
def test_the_trace_is_drawn_as_it_was(
    form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["graph", "--to", form, SPEC]) == 0
    text = capsys.readouterr().out
    golden = Path(__file__).parent / f"baton.{form}"
    if os.environ.get("KVMCHECK_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")

    assert text == golden.read_text(encoding="utf-8")


def test_the_trace_is_as_large_as_it_should_be() -> None:
    whole = json.loads((Path(__file__).parent / "baton.json").read_text(encoding="utf-8"))
    trace = whole["files"][0]["cases"][0]["properties"][0]["traces"][0]

    assert len(trace["steps"]) == 40
    assert len(trace["threads"]) == 4
