# SPDX-License-Identifier: GPL-2.0-only
"""Generated source under construction: its lines, the sites where it may fail, the objects that it names.

Nothing that a user wrote reaches it: `literal` writes numbers, None and tuples of them, and names are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from kvmcheck.engine.layout import Layout
from kvmcheck.engine.walking import bodies_of
from kvmcheck.semantics.program import Check, Free
from kvmcheck.semantics.sorts import Value
from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the generated code where a check may fail."""

    check: Check
    span: Span
    overflow: bool = False


@dataclass
class Unit:
    """One piece of generated source under construction: its lines, its sites, the objects it names."""

    layout: Layout
    lines: list[str] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    names: dict[str, object] = field(default_factory=dict)
    known: dict[object, str] = field(default_factory=dict)
    temporaries: int = 0

    def site(self, check: Check, span: Span, *, overflow: bool = False) -> int:
        """The number of a new site."""
        self.sites.append(Site(check, span, overflow))
        return len(self.sites) - 1

    def name(self, key: object, make: Callable[[], object], prefix: str = "k") -> str:
        """The name under which the generated code finds an object; made once per key."""
        if key not in self.known:
            self.known[key] = f"{prefix}_{len(self.names)}"
            self.names[self.known[key]] = make()
        return self.known[key]

    def temporary(self) -> str:
        """A fresh Python variable."""
        self.temporaries += 1
        return f"t{self.temporaries}"

    def frees(self) -> bool:
        """Whether anything is ever freed: else no pointer is ever stale."""
        return any(
            isinstance(node.operation, Free) for body in bodies_of(self.layout.program) for node in body.nodes
        )


def literal(value: Value) -> str:
    """A constant as Python text: numbers, None and tuples of them only."""
    match value:
        case None:
            return "None"
        case bool() | int():
            return repr(int(value))
        case tuple():
            return "(" + "".join(f"{literal(item)}, " for item in value) + ")"
        case _:
            return "U"
