# SPDX-License-Identifier: GPL-2.0-only
"""What an expression may refer to, as terms: variables, locals, threads; and whom it tells of a mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kvmcheck.prove.encode.circuit import Literal
from kvmcheck.prove.encode.terms import Term
from kvmcheck.prove.encode.vectors import Vector
from kvmcheck.semantics.program import Check, LiveCall
from kvmcheck.source.text import Span

#: Told that where a literal is true a built-in check fails there; the last one: a bound was too small instead.
OnFault = Callable[[Literal, Check, Span | None, bool], None]
#: Told of a read of an element (variable, element) where a literal is true.
OnRead = Callable[[int, int, Literal], None]
#: The local of a body: whether it holds a value, and that.
LocalValue = tuple[Literal, Term]


@dataclass(frozen=True, slots=True)
class View:
    """One state: `slot` is its bits, by number; `at` whether a thread's (handler's) location is among some nodes.

    `local`: what a local of a thread (of its handler's body, if so) holds between two steps.
    """

    slot: Callable[[int], Vector]
    at: Callable[[int, bool, frozenset[int]], Literal]
    local: Callable[[int, bool, int], LocalValue]


@dataclass(frozen=True, slots=True)
class Scene:
    """What names mean: see `semantics.expressions.Scope`, of which this is the symbolic counterpart."""

    view: View
    fault: OnFault
    span: Span | None = None
    local: Callable[[int], LocalValue] | None = None
    parameters: tuple[Term, ...] = ()
    thread: int | None = None
    bound: Mapping[str, Term] = field(default_factory=dict)
    calls: Mapping[str, tuple[LiveCall, int]] = field(default_factory=dict)
    old_value: Term | None = None
    before: Scene | None = None
    on_read: OnRead | None = None
