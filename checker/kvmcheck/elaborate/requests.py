# SPDX-License-Identifier: GPL-2.0-only
"""What the properties of a scenario ask of its code: noted before the code is lowered, answered there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kvmcheck.lang import syntax
from kvmcheck.semantics.program import Expr


@dataclass(frozen=True, slots=True)
class EventRequest:
    """At an event of a function, set or clear a monitor.

    `arguments`: what each argument of the call must be: a `Bound` of `dimensions` (its value is the index), another
    expression (equal to it), or None (anything).  `label` "" for the call or return itself.
    """

    kind: syntax.EventKind
    label: str
    arguments: tuple[Expr | None, ...]
    monitor: int
    dimensions: tuple[str, ...]
    begins: bool


#: Where a property may read a local: between two labels, about to do one (end ""), or anywhere (None).
Where = tuple[str, str] | None


@dataclass(eq=False, slots=True)
class Requests:
    """By qualified function name: which live calls, locals, regions and events properties name."""

    live: set[str] = field(default_factory=set)
    locals: dict[str, dict[str, set[Where]]] = field(default_factory=dict)
    at: dict[str, set[str]] = field(default_factory=dict)
    regions: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    events: dict[str, list[EventRequest]] = field(default_factory=dict)
    #: Functions that liveness properties name: a pause stands at their calls' beginnings and ends.  Of the counted ones
    #: the calls are assumed to be finitely many.
    counted: set[str] = field(default_factory=set)
    completing: set[str] = field(default_factory=set)

    def events_of(self, function: str, kind: syntax.EventKind, label: str = "") -> list[EventRequest]:
        """The requests for one event."""
        return [e for e in self.events.get(function, ()) if e.kind is kind and e.label == label]


def statements(stmt: syntax.Stmt) -> Iterator[syntax.Stmt]:
    """A statement and every statement inside it, in source order."""
    yield stmt
    inner: tuple[syntax.Stmt | None, ...]
    match stmt:
        case syntax.Block(body=body):
            inner = body
        case syntax.If(then=then, otherwise=otherwise):
            inner = (then, otherwise)
        case syntax.For(initial=initial, step=step, body=loop):
            inner = (initial, step, loop)
        case (
            syntax.While(body=loop)
            | syntax.DoWhile(body=loop)
            | syntax.ForEach(body=loop)
            | syntax.Forever(body=loop)
            | syntax.Repeat(body=loop)
            | syntax.Labelled(body=loop)
            | syntax.GhostStmt(body=loop)
        ):
            inner = (loop,)
        case syntax.Atomic(body=block):
            inner = (block,)
        case syntax.Switch(cases=cases):
            inner = tuple(s for case in cases for s in case.body)
        case _:
            inner = ()
    for part in inner:
        if part is not None:
            yield from statements(part)


def labels_of(function: syntax.FunctionDecl) -> dict[str, syntax.Labelled]:
    """The labels of a function, by name."""
    return {s.label.text: s for s in statements(function.body) if isinstance(s, syntax.Labelled)}


def left_of(name: str) -> str:
    """What properties call the members that `for (T name)` has not visited yet: `f.name.left`."""
    return f"{name}.left"


def loop_variables(function: syntax.FunctionDecl) -> dict[str, syntax.TypeExpr]:
    """The type of each variable of a `for (T x)`, by name (the first one of a name)."""
    found: dict[str, syntax.TypeExpr] = {}
    for stmt in statements(function.body):
        if isinstance(stmt, syntax.ForEach):
            found.setdefault(stmt.name.text, stmt.type)
    return found


def declared_types(function: syntax.FunctionDecl) -> dict[str, syntax.TypeExpr]:
    """The type of each parameter and local of a function, by name (the first one of a name)."""
    found = {p.name.text: p.type for p in function.parameters if p.signature is None}
    for stmt in statements(function.body):
        match stmt:
            case syntax.LocalDecl(type=type, name=name) | syntax.ForEach(type=type, name=name):
                found.setdefault(name.text, type)
            case syntax.Choose(type=chosen, name=chosen_name) if chosen and chosen_name:
                found.setdefault(chosen_name.text, chosen)
    return found
