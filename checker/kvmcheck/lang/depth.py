# SPDX-License-Identifier: GPL-2.0-only
"""A bound on how deep a tree may be, so that every later stage may walk it by recursion."""

from __future__ import annotations

from kvmcheck.lang.syntax import File
from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.text import Span

#: Deeper than this nobody can read, and Python's recursion (1000 calls) has room for the walks.
MAX_DEPTH = 100

#: A node this short can't be deep, as every level takes a character at least; it is not looked into.
_SHORT = 24


def too_deep(file: File, collector: Collector) -> bool:
    """Whether the tree is deeper than `MAX_DEPTH`; reported at the first place where it is."""
    waiting: list[tuple[object, int]] = [(item, 1) for item in reversed(file.items)]
    while waiting:
        node, depth = waiting.pop()
        if isinstance(node, tuple):
            waiting.extend((part, depth) for part in reversed(node))
            continue
        span = getattr(node, "span", None)
        if not isinstance(span, Span) or span.end - span.start < _SHORT:
            continue
        if depth > MAX_DEPTH:
            collector.error(
                "KVM110",
                f"this stands more than {MAX_DEPTH} levels deep",
                Span(span.source, span.start, span.start + 1),
                help="use a variable or a function for the inner part",
            )
            return True
        parts: list[object] = [getattr(node, name) for name in getattr(type(node), "__slots__", ())]
        waiting.extend((part, depth + 1) for part in reversed(parts))
    return False
