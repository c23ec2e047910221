# SPDX-License-Identifier: GPL-2.0-only
"""Which statements no thread ever ran, and which choices never had anything to choose from."""

from __future__ import annotations

from kvmcheck.engine.generate_steps import Tables, counts
from kvmcheck.engine.walking import bodies_of
from kvmcheck.semantics.program import Program
from kvmcheck.source.text import Span

Key = tuple[str, int, int]


def key(span: Span) -> Key:
    """What tells one place from another."""
    return span.source.path, span.start, span.end


def unreached_statements(program: Program, tables: Tables, hit: bytearray) -> tuple[Span, ...]:
    """The outermost places that were never run, in order."""
    ran = {key(span) for leaf, spans in enumerate(tables.leaves) if hit[leaf] for span in spans}
    missed: dict[Key, Span] = {}
    for body in bodies_of(program):
        for node in body.nodes:
            if counts(node) and key(node.span) not in ran:
                missed[key(node.span)] = node.span
    outermost: list[Span] = []
    for path, start, end in sorted(missed, key=lambda place: (place[0], place[1], -place[2])):
        if outermost and outermost[-1].source.path == path and end <= outermost[-1].end:
            continue
        outermost.append(missed[path, start, end])
    return tuple(outermost)


def empty_choices(tables: Tables, hit: bytearray) -> tuple[Span, ...]:
    """The choices that were met, but never had a member."""
    filled = {key(span) for span, _, some in tables.choices if hit[some]}
    empty = {key(span): span for span, tried, _ in tables.choices if hit[tried] and key(span) not in filled}
    return tuple(empty[place] for place in sorted(empty))
