# SPDX-License-Identifier: GPL-2.0-only
"""docs/reference/cli.md names every option, verb and exit status, and no others."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from pathlib import Path

from kvmcheck.cli.arguments import (
    FORMATS,
    VERBS,
    check_parser,
    explain_parser,
    export_parser,
    fmt_parser,
    graph_parser,
    lsp_parser,
    mutate_parser,
    new_parser,
    prove_parser,
    replay_parser,
)
from kvmcheck.cli.exits import EXIT_STATUS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")


def options_of(parser: ArgumentParser) -> set[str]:
    """The long options that a parser knows; one spelling of each will do."""
    return {
        max(action.option_strings, key=lambda text: (text.startswith("--"), text == "--no-color", len(text)))
        for action in parser._actions  # argparse has no public list of them
        if action.option_strings
    }


def test_every_option_is_on_the_page() -> None:
    parsers = (
        check_parser(),
        explain_parser(),
        export_parser(),
        fmt_parser(),
        graph_parser(),
        lsp_parser(),
        mutate_parser(),
        new_parser(),
        prove_parser(),
        replay_parser(),
    )
    known = set().union(*(options_of(parser) for parser in parsers))

    assert known - set(re.findall(r"--[a-z-]+", PAGE)) == set()


def test_the_page_names_no_option_that_is_not_there() -> None:
    parsers = (
        check_parser(),
        explain_parser(),
        export_parser(),
        fmt_parser(),
        graph_parser(),
        lsp_parser(),
        mutate_parser(),
        new_parser(),
        prove_parser(),
        replay_parser(),
    )
    known = {
        text
        for parser in parsers
        for action in parser._actions  # argparse has no public list of them
        for text in action.option_strings
    }

    assert set(re.findall(r"`(--[a-z-]+)", PAGE)) - known == set()


def test_every_verb_and_format_is_on_the_page() -> None:
    assert [verb for verb in VERBS if f"## {verb}" not in PAGE] == []
    assert [name for name in FORMATS if f"`{name}`" not in PAGE] == []


def test_the_exit_statuses_are_on_the_page_and_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for page in (PAGE, readme):
        assert sorted(EXIT_STATUS.values()) == [
            int(n) for n in re.findall(r"^\| (\d) \|", page, re.MULTILINE)
        ]
