# SPDX-License-Identifier: GPL-2.0-only
"""Going through a syntax tree: every node of it, and its statements made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar, assert_never

from kvmcheck.lang import syntax as s
from kvmcheck.source.text import Span

_Node = TypeVar("_Node")

#: Statements in place of one; None: look inside it.
Change = Callable[[s.Stmt], tuple[s.Stmt, ...] | None]


def nodes(root: object) -> Iterator[object]:
    """The node and everything below it, in source order."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            waiting.extend(reversed(node))
        elif is_dataclass(node) and not isinstance(node, Span):
            yield node
            waiting.extend(getattr(node, part.name) for part in reversed(fields(node)))


def with_calls(root: _Node, change: Callable[[s.Call], s.Call]) -> _Node:
    """The tree with every call changed, inner ones first; parts without calls are the same objects."""
    if isinstance(root, Span) or not is_dataclass(root) or isinstance(root, type):
        return root
    changed: dict[str, object] = {}
    for part in fields(root):
        before: object = getattr(root, part.name)
        after: object
        if isinstance(before, tuple):
            after = tuple(with_calls(inner, change) for inner in before)
            if all(a is b for a, b in zip(after, before, strict=True)):
                after = before
        else:
            after = with_calls(before, change)
        if after is not before:
            changed[part.name] = after
    result = replace(root, **changed) if changed else root
    if isinstance(result, s.Call):
        called = change(result)
        assert isinstance(called, type(root))
        return called
    return result


def spliced(body: tuple[s.Stmt, ...], change: Change) -> tuple[s.Stmt, ...]:
    """The statements, each changed, or with the statements inside it changed."""
    return tuple(after for statement in body for after in _changed(statement, change))


def _changed(statement: s.Stmt, change: Change) -> tuple[s.Stmt, ...]:
    instead = change(statement)
    return (_inside(statement, change),) if instead is None else instead


def _one(statement: s.Stmt, change: Change) -> s.Stmt:
    """The same where a single statement must stand."""
    changed = _changed(statement, change)
    if len(changed) == 1:
        return changed[0]
    return s.Block(changed, statement.span) if changed else s.Empty(statement.span)


def _block(block: s.Block, change: Change) -> s.Block:
    return replace(block, body=spliced(block.body, change))


def _inside(statement: s.Stmt, change: Change) -> s.Stmt:
    """The statement with the statements inside it changed."""
    match statement:
        case s.Block():
            return _block(statement, change)
        case s.If(then=then, otherwise=otherwise):
            other = _one(otherwise, change) if otherwise is not None else None
            return replace(statement, then=_one(then, change), otherwise=other)
        case s.While() | s.DoWhile() | s.For() | s.ForEach() | s.Forever() | s.Repeat():
            return replace(statement, body=_one(statement.body, change))
        case s.Labelled() | s.GhostStmt():
            return replace(statement, body=_one(statement.body, change))
        case s.Atomic(body=body):
            return replace(statement, body=_block(body, change))
        case s.Switch(cases=cases):
            changed = tuple(replace(case, body=spliced(case.body, change)) for case in cases)
            return replace(statement, cases=changed)
        case (
            s.LocalDecl()
            | s.Assign()
            | s.ExprStmt()
            | s.Goto()
            | s.CLabel()
            | s.Return()
            | s.Break()
            | s.Continue()
            | s.Await()
            | s.Choose()
            | s.Assert()
            | s.CoverStmt()
            | s.Empty()
        ):
            return statement
        case _:
            assert_never(statement)
