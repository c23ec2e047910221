# SPDX-License-Identifier: GPL-2.0-only
"""`seq wrap N;` in every scenario of a file: for checkers that know no counter without end."""

from __future__ import annotations

from dataclasses import replace

from kvmcheck.lang.imports import Unit
from kvmcheck.lang.syntax import IntLiteral, Item, ScenarioDecl, SeqWrap


def with_seq_wrap(unit: Unit, modulus: int) -> Unit:
    """The unit with all seqs modulo a number, unless a scenario says so itself."""
    items = tuple(_wrapped(item, modulus) for item in unit.entry.items)
    return replace(unit, entry=replace(unit.entry, items=items))


def _wrapped(item: Item, modulus: int) -> Item:
    if not isinstance(item, ScenarioDecl) or any(isinstance(part, SeqWrap) for part in item.items):
        return item
    wrap = SeqWrap(IntLiteral(modulus, item.span), item.span)
    return replace(item, items=(*item.items, wrap))
