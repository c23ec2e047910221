# SPDX-License-Identifier: GPL-2.0-only
"""All single edits of a function, each as the text that a mutant would have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from kvmcheck.lang import syntax as s
from kvmcheck.lang.edits import RELEASES
from kvmcheck.lang.walk import nodes
from kvmcheck.mutate.running import Running
from kvmcheck.source.text import Span


class Operator(Enum):
    """What is done to a statement; the value says it."""

    DROP = "drop"
    SWAP = "swap with the next"
    PAST_LOCK = "move past a lock"
    WEAKEN_LOCK = "take the lock for reading"
    PLAIN = "make the access plain"
    NEGATE = "negate the condition"
    ALWAYS = "drop the condition"


@dataclass(frozen=True, slots=True)
class NewLabel:
    """A label that a statement has to be given before an edit can name it."""

    statement: s.Stmt
    label: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """One edit.  `edit`: its text; `labels`: those that the model lacks for it."""

    operator: Operator
    function: str
    span: Span
    edit: str
    labels: tuple[NewLabel, ...]
    declaration: s.FunctionDecl


@dataclass(frozen=True, slots=True)
class _Place:
    """A statement in a row of statements, without its labels, and the label that an edit may call it by."""

    whole: s.Stmt
    core: s.Stmt
    label: str
    new: tuple[NewLabel, ...]


#: What is not code: it is for the proof, or declares.
_NOT_CODE = (s.GhostStmt, s.CoverStmt, s.Assert, s.Empty, s.CLabel)
#: Where control goes elsewhere, so that no neighbour may change places with it.
_JUMPS = (s.Return, s.Goto, s.Break, s.Continue)

_WEAKER_LOCK = {"write_lock": "read_lock", "down_write": "down_read"}
_LOCKS = frozenset({*RELEASES, *RELEASES.values()})


def candidates(function: Running) -> Iterator[Candidate]:
    """The edits of a function, in the order of its text."""
    taken = {node.label.text for node in nodes(function.declaration.body) if isinstance(node, s.Labelled)}
    for row in _rows(function.declaration.body):
        places = [_place(statement, taken) for statement in row if _is_code(statement)]
        for position, place in enumerate(places):
            yield from _of_one(function, place)
            if position + 1 < len(places):
                yield from _of_two(function, place, places[position + 1])


def _rows(body: s.Block) -> Iterator[tuple[s.Stmt, ...]]:
    """Statements that stand behind each other, outer rows first; those of ghost code are left out."""
    ghosts = {id(inner) for node in nodes(body) if isinstance(node, s.GhostStmt) for inner in nodes(node)}
    for node in nodes(body):
        if id(node) in ghosts:
            continue
        match node:
            case s.Block(body=row) | s.Case(body=row):
                yield row
            case s.If(then=then, otherwise=otherwise):
                for branch in (then, otherwise):
                    if branch is not None and not isinstance(branch, s.Block | s.If):
                        yield (branch,)
            case (
                s.While(body=inner)
                | s.DoWhile(body=inner)
                | s.For(body=inner)
                | s.ForEach(body=inner)
                | s.Forever(body=inner)
                | s.Repeat(body=inner)
            ) if not isinstance(inner, s.Block):
                yield (inner,)
            case _:
                pass


def _core(statement: s.Stmt) -> s.Stmt:
    while isinstance(statement, s.Labelled):
        statement = statement.body
    return statement


def _is_code(statement: s.Stmt) -> bool:
    core = _core(statement)
    if isinstance(core, s.LocalDecl):
        return core.initial is not None
    return not isinstance(core, _NOT_CODE)


def _place(statement: s.Stmt, taken: set[str]) -> _Place:
    """The statement with a label: its own, or a new one that says the line."""
    if isinstance(statement, s.Labelled):
        return _Place(statement, _core(statement), statement.label.text, ())
    plain = name = f"line{statement.span.line}"
    number = 1
    while name in taken:
        number += 1
        name = f"{plain}_{number}"
    taken.add(name)
    return _Place(statement, statement, name, (NewLabel(statement, name),))


def _of_one(function: Running, place: _Place) -> Iterator[Candidate]:
    core, at = place.core, f"{function.name}@{place.label}"

    def made(operator: Operator, edit: str) -> Candidate:
        return Candidate(operator, function.name, core.span, edit, place.new, function.declaration)

    if not isinstance(core, s.LocalDecl):
        yield made(Operator.DROP, f"drop {at};")
    name = _call(core)
    if name in _WEAKER_LOCK:
        yield made(Operator.WEAKEN_LOCK, f"replace lock {at} with {_WEAKER_LOCK[name]};")
    if isinstance(core, s.If):
        condition = core.condition.span
        yield made(
            Operator.NEGATE, f"replace {at} with {{ {_with(core, condition, f'!({condition.text})')} }}"
        )
        if core.otherwise is None:
            yield made(Operator.ALWAYS, f"replace {at} with {{ {core.then.span.text} }}")
    if isinstance(core, s.Assign | s.ExprStmt | s.If):
        inside = core.condition if isinstance(core, s.If) else core
        for call in nodes(inside):
            plain = _plain(call) if isinstance(call, s.Call) else ""
            if plain and isinstance(call, s.Call):
                yield made(Operator.PLAIN, f"replace {at} with {{ {_with(core, call.span, plain)} }}")


def _of_two(function: Running, first: _Place, second: _Place) -> Iterator[Candidate]:
    """Neighbours in the other order: of two at most one may declare something, and that one stays."""
    if isinstance(first.core, _JUMPS) or isinstance(second.core, _JUMPS):
        return
    if isinstance(second.core, s.LocalDecl):
        edit = f"move {function.name}@{first.label} after {function.name}@{second.label};"
    else:
        edit = f"move {function.name}@{second.label} before {function.name}@{first.label};"
    if isinstance(first.core, s.LocalDecl) and isinstance(second.core, s.LocalDecl):
        return
    locks = {_call(first.core), _call(second.core)} & _LOCKS
    operator = Operator.PAST_LOCK if locks else Operator.SWAP
    labels = (*first.new, *second.new)
    yield Candidate(operator, function.name, first.core.span, edit, labels, function.declaration)


def _call(statement: s.Stmt) -> str:
    """The name of the function that a statement calls and does nothing else."""
    match statement:
        case s.ExprStmt(expression=s.Call(function=s.Name(text=text))):
            return text
        case _:
            return ""


def _plain(call: s.Call) -> str:
    """A marked access without its mark, or with the next weaker one; empty: it is none."""
    name = call.function.text if isinstance(call.function, s.Name) else ""
    given = [argument.span.text for argument in call.arguments]
    match name, given:
        case "READ_ONCE", [place]:
            return place
        case "WRITE_ONCE", [place, value]:
            return f"{place} = {value}"
        case "smp_load_acquire", [address]:
            return f"READ_ONCE({_pointed(call.arguments[0], address)})"
        case "smp_store_release", [address, value]:
            return f"WRITE_ONCE({_pointed(call.arguments[0], address)}, {value})"
        case _:
            return ""


def _pointed(argument: s.Expr, text: str) -> str:
    return argument.place.span.text if isinstance(argument, s.AddressOf) else f"*({text})"


def _with(statement: s.Stmt, part: Span, instead: str) -> str:
    """The statement's text with a part of it changed."""
    whole = statement.span
    text = whole.source.text
    return text[whole.start : part.start] + instead + text[part.end : whole.end]
