# SPDX-License-Identifier: GPL-2.0-only
"""Skeletons from the model: the same words, drawn from a function's syntax tree.

What belongs to the proof and not to the code is passed over: labels of steps, covers, ghosts, `assert`.
`stores` names variables of which stores are events too: where the kernel calls a function to store something, the model
may just store it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import assert_never

from kvmcheck.lang import syntax as s
from kvmcheck.lang.parse import parse
from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.text import SourceText, Span
from tests.support.skeleton.vocabulary import COUNTERS, LOCKING, TRANSPARENT, Event


def functions_of(module: Path) -> dict[str, s.FunctionDecl]:
    """The functions that a module declares, by name."""
    file = parse(SourceText(str(module), module.read_text(encoding="utf-8")), Collector())
    assert file is not None, f"{module} can't be parsed"
    return {item.name.text: item for item in file.items if isinstance(item, s.FunctionDecl)}


def drawn(function: s.FunctionDecl, passed: frozenset[str], stores: frozenset[str]) -> tuple[Event, ...]:
    """The events of a function.  `passed`: the functions that count when they are handed over."""
    return tuple(Event(text) for text in Drawing(passed, stores).statement(function.body))


class Drawing:
    """Events of statements and expressions, in the order in which they are done."""

    def __init__(self, passed: frozenset[str], stores: frozenset[str]) -> None:
        self._passed = passed
        self._stores = stores | COUNTERS

    def statement(self, statement: s.Stmt | None) -> Iterator[str]:
        """The events of a statement and of those inside it."""
        match statement:
            case s.Block(body=body):
                yield from self._all(body)
            case s.LocalDecl(initial=initial):
                yield from self.expression(initial)
            case s.Assign(place=place, op=op, value=value):
                yield from self.expression(value)
                yield from self._place(place)
                yield from self._access(place, *(("write",) if op is None else ("read", "write")))
            case s.ExprStmt(expression=expression):
                yield from self.expression(expression)
            case s.If(condition=condition, then=then, otherwise=otherwise):
                yield from self.expression(condition)
                yield from self._all((then, otherwise))
            case s.While(condition=condition, body=loop):
                yield from self._loop(condition, loop)
            case s.DoWhile(body=loop, condition=condition):
                yield from self._loop(loop, condition)
            case s.For(initial=first, condition=condition, step=step, body=loop):
                yield from self.statement(first)
                yield from self._loop(condition, loop, step)
            case s.ForEach(domain=domain, body=loop):
                yield from self.expression(domain)
                yield from self._loop(loop)
            case s.Forever(body=loop) | s.Repeat(body=loop):
                yield from self._loop(loop)
            case s.Switch(subject=subject, cases=cases):
                yield from self.expression(subject)
                for case in cases:
                    yield from self._all(case.body)
            case s.Atomic(body=inner) | s.Labelled(body=inner):
                yield from self.statement(inner)
            case s.Goto(target=target):
                yield f"goto {target.text}"
            case s.CLabel(name=name):
                yield f"label {name.text}"
            case s.Return(value=result):
                yield from self.expression(result)
                yield " ".join(["return", *_literal(result)])
            case s.Break():
                yield "break"
            case s.Continue():
                yield "continue"
            case s.Await(condition=condition):
                yield from self.expression(condition)
                yield "await"
            case s.Choose(condition=condition):
                yield from self.expression(condition)
                yield "choose"
            case s.Assert(kind=s.AssertKind.BUG_ON | s.AssertKind.WARN_ON as kind, condition=condition):
                yield from self.expression(condition)
                yield f"call {kind.value}"
            case s.Assert() | s.CoverStmt() | s.GhostStmt() | s.Empty() | None:
                return
            case _:
                assert_never(statement)

    def _all(self, statements: tuple[s.Stmt | None, ...]) -> Iterator[str]:
        for statement in statements:
            yield from self.statement(statement)

    def _loop(self, *parts: s.Stmt | s.Expr | None) -> Iterator[str]:
        yield "loop"
        for part in parts:
            if isinstance(part, s.Stmt):
                yield from self.statement(part)
            else:
                yield from self.expression(part)
        yield "end loop"

    def expression(self, node: object) -> Iterator[str]:
        """The events of an expression; of any other part of the tree, those of the expressions in it."""
        match node:
            case s.Call(function=function, arguments=arguments):
                yield from self._call(function, arguments)
            case s.IncDec(place=place):
                yield from self._place(place)
                yield from self._access(place, "read", "write")
            case s.AddressOf(place=place):
                yield from self._place(place)
            case s.Alloc():
                yield "alloc"
            case s.Name(text=text) if text in COUNTERS:
                yield f"read {text}"
            case tuple():
                for part in node:
                    yield from self.expression(part)
            case _ if is_dataclass(node) and not isinstance(node, Span):
                for field in fields(node):
                    yield from self.expression(getattr(node, field.name))
            case _:
                return

    def _call(self, function: s.Expr, arguments: tuple[s.Expr, ...]) -> Iterator[str]:
        name = _last_name(function)
        if name in LOCKING:
            yield f"{name} {_last_name(arguments[0])}"
            return
        if name == "WRITE_ONCE":
            yield from self.expression(arguments[1:])
            yield from self._place(arguments[0])
            yield from self._access(arguments[0], "write")
            return
        for argument in arguments:
            if isinstance(argument, s.Name) and argument.text in self._passed:
                yield f"pass {argument.text}"
            else:
                yield from self.expression(argument)
        if name not in TRANSPARENT:
            yield f"call {name}"

    def _place(self, place: s.Expr) -> Iterator[str]:
        """What is done on the way to a place: its indexes, not the place itself."""
        match place:
            case s.Index(base=base, index=index):
                yield from self._place(base)
                yield from self.expression(index)
            case s.Field(base=base) | s.Arrow(base=base) | s.Dereference(pointer=base):
                yield from self._place(base)
            case _:
                return

    def _access(self, place: s.Expr, *ways: str) -> Iterator[str]:
        name = _root(place)
        for way in ways:
            if name in COUNTERS or (way == "write" and name in self._stores):
                yield f"{way} {name}"


def _literal(value: s.Expr | None) -> list[str]:
    """A result that is a literal number, as C writes it."""
    match value:
        case s.IntLiteral(value=number):
            return [str(number)]
        case s.BoolLiteral(value=truth):
            return [str(int(truth))]
        case _:
            return []


def _root(place: s.Expr) -> str:
    """The variable that a place is in; `*p` for what p points to."""
    match place:
        case s.Name(text=text):
            return text
        case s.Index(base=base) | s.Field(base=base):
            return _root(base)
        case s.Arrow(base=base) | s.Dereference(pointer=base):
            return f"*{_root(base)}"
        case _:
            return ""


def _last_name(place: s.Expr) -> str:
    """`mmu_lock` of `&kvm.mmu_lock`, `f` of `m.f`."""
    match place:
        case s.Name(text=text):
            return text
        case s.Field(name=name) | s.Arrow(name=name):
            return name.text
        case s.AddressOf(place=inner) | s.Index(base=inner) | s.Dereference(pointer=inner):
            return _last_name(inner)
        case _:
            return "?"
