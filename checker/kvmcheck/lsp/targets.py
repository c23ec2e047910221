# SPDX-License-Identifier: GPL-2.0-only
"""What a name in a text means, and where it says so.  Data only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kvmcheck.lang import syntax
from kvmcheck.source.text import Span


class Kind(Enum):
    """What kind of thing a name stands for; the value is the word for it."""

    MODULE = "module"
    INSTANCE = "instance of a module"
    TYPE = "type"
    CONSTANT = "constant"
    FIELD = "field"
    VARIABLE = "variable"
    PARAMETER = "parameter of the model"
    FUNCTION = "function"
    LABEL = "label"
    LOCAL = "local"
    PROPERTY = "property"
    GOAL = "cover goal"
    CASE = "scenario or mutant"
    PROCESS = "process"


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that has a name.  `declared`: the name itself; `whole`: all of its declaration."""

    kind: Kind
    name: str
    declared: Span
    whole: Span
    source: syntax.KernelSource | None = None

    @property
    def key(self) -> tuple[str, int]:
        """The same for all targets that are one thing."""
        return self.declared.source.path, self.declared.start


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A place where a name stands, and what it means there."""

    span: Span
    target: Target

    @property
    def declares(self) -> bool:
        """Whether the name is declared here."""
        return self.span == self.target.declared


@dataclass(frozen=True, slots=True)
class Names:
    """All names of one text: those with a meaning, in order, and those that nobody knows (built-ins too)."""

    occurrences: tuple[Occurrence, ...]
    unknown: tuple[Span, ...]

    def at(self, offset: int) -> Occurrence | None:
        """The name that stands at, or ends at, a character."""
        found = [o for o in self.occurrences if o.span.start <= offset <= o.span.end]
        return min(found, key=lambda o: (offset == o.span.end, o.span.end - o.span.start), default=None)
