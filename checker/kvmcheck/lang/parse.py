# SPDX-License-Identifier: GPL-2.0-only
"""Text to syntax tree."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from kvmcheck.lang.build import Builder
from kvmcheck.lang.syntax import File
from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.text import SourceText, Span


@cache
def _grammar() -> str:
    return (Path(__file__).parent / "grammar.lark").read_text(encoding="utf-8")


def parse(source: SourceText, collector: Collector) -> File | None:
    """The syntax tree of a source text, or None if it has errors (which the collector then holds)."""
    builder = Builder(source, collector)
    lark = Lark(
        _grammar(), parser="lalr", keep_all_tokens=True, maybe_placeholders=True, transformer=builder
    )
    try:
        file = lark.parse(source.text)
    except UnexpectedToken as error:
        start = error.token.start_pos or 0
        span = Span(source, start, start + len(error.token))
        collector.error("KVM100", f"`{error.token}` can't stand here", span)
        return None
    except UnexpectedCharacters as error:
        span = Span(source, error.pos_in_stream, error.pos_in_stream + 1)
        collector.error("KVM100", "this can't stand here", span)
        return None
    if collector.has_errors:
        return None
    assert isinstance(file, File)
    return file
