# SPDX-License-Identifier: GPL-2.0-only
"""Expressions that somebody wants to see at each step of a trace, as claims of a file.

An expression `e` is read as the claim `e == e`: so it is typed as in a property, and an engine that keeps what claims
read keeps what it reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kvmcheck.lang.imports import Unit
from kvmcheck.lang.parse import parse
from kvmcheck.lang.syntax import Binary, BinaryOp, InvariantDecl, Name
from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.text import SourceText, Span

#: What diagnostics call the place of such an expression.
PLACE = "--explain-with"
_HEAD = "invariant watched { "


def with_expressions(unit: Unit, texts: Sequence[str], collector: Collector) -> tuple[Unit, dict[str, Span]]:
    """The unit with a claim for each expression, and their names with where they stand; mistakes are collected."""
    added: list[InvariantDecl] = []
    places: dict[str, Span] = {}
    for number, text in enumerate(texts, start=1):
        source = SourceText(PLACE, f"{_HEAD}{text} }}\n")
        file = parse(source, collector)
        items = () if file is None else file.items
        if len(items) != 1 or not isinstance(items[0], InvariantDecl):
            if not collector.has_errors:
                collector.error(
                    "KVM100", "this is not one expression", Span(source, len(_HEAD), len(source.text))
                )
            continue
        body = items[0].body
        name = f"explain_with_{number}"
        claim = Binary(BinaryOp.EQUAL, body, body, body.span)
        added.append(replace(items[0], name=Name(name, body.span), body=claim, unless=None))
        places[name] = body.span
    entry = replace(unit.entry, items=(*unit.entry.items, *added))
    return replace(unit, entry=entry), places
