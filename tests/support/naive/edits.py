# SPDX-License-Identifier: GPL-2.0-only
"""Mutants' edits on a function's body, as plain tree surgery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

from kvmcheck.lang import syntax as s

Node = TypeVar("Node")

_UNLOCK = {
    "spin_lock": "spin_unlock",
    "spin_trylock": "spin_unlock",
    "mutex_lock": "mutex_unlock",
    "mutex_trylock": "mutex_unlock",
    "read_lock": "read_unlock",
    "read_trylock": "read_unlock",
    "write_lock": "write_unlock",
    "write_trylock": "write_unlock",
    "down_read": "up_read",
    "down_read_trylock": "up_read",
    "down_write": "up_write",
    "down_write_trylock": "up_write",
}


def rebuilt(node: Node, change: Callable[[object], object | None]) -> Node:
    """The tree with each node for which `change` gives something replaced by that, outermost first."""
    if isinstance(node, tuple):
        parts = tuple(rebuilt(part, change) for part in node)
        return parts  # type: ignore[return-value]  # a tuple of the same make
    if not is_dataclass(node) or isinstance(node, type):
        return node
    new = change(node)
    if new is not None:
        return new  # type: ignore[return-value]  # the caller knows what it puts where
    parts_by_name = {f.name: rebuilt(getattr(node, f.name), change) for f in fields(node) if f.name != "span"}
    return replace(node, **parts_by_name)


def found(body: s.Block, label: str) -> s.Labelled:
    """The statement with a label."""
    hits: list[s.Labelled] = []

    def look(node: object) -> None:
        if isinstance(node, s.Labelled) and node.label.text == label:
            hits.append(node)

    rebuilt(body, look)
    assert hits, f"no label {label}"
    return hits[0]


def _around(body: s.Block, label: str, make: Callable[[s.Labelled], tuple[s.Stmt, ...]]) -> s.Block:
    """The body with other statements in place of a labelled one."""

    def spliced(statements: tuple[s.Stmt, ...]) -> tuple[s.Stmt, ...]:
        result: list[s.Stmt] = []
        for statement in statements:
            if isinstance(statement, s.Labelled) and statement.label.text == label:
                result.extend(make(statement))
            else:
                result.append(rebuilt(statement, change))
        return tuple(result)

    def change(node: object) -> object | None:
        match node:
            case s.Block(statements, span):
                return s.Block(spliced(statements), span)
            case s.Case(values, statements, span):
                return s.Case(values, spliced(statements), span)
            case s.Labelled(name, _, span) if name.text == label:
                return s.Block(make(node), span)
            case _:
                return None

    return s.Block(spliced(body.body), body.span)


def _before_returns(body: s.Block, statement: s.Stmt) -> s.Block:
    """`insert { } before F@return`: in front of each return, and at the end."""

    def change(node: object) -> object | None:
        if isinstance(node, s.Return):
            return s.Block((statement, node), node.span)
        return None

    new = rebuilt(body, change)
    last = new.body[-1] if new.body else None
    ended = isinstance(last, s.Block) and isinstance(last.body[-1] if last.body else None, s.Return)
    return new if ended else s.Block((*new.body, statement), body.span)


def edited(body: s.Block, edit: s.Edit) -> s.Block:
    """The body after the edit."""
    match edit:
        case s.Drop(label, span):
            return _around(body, label.label, lambda old: (s.Labelled(old.label, s.Empty(span), span),))
        case s.Replace(label, new):
            return _around(body, label.label, lambda old: (s.Labelled(old.label, new, old.span),))
        case s.Swap(first, second):
            one, two = found(body, first.label), found(body, second.label)

            def change(node: object) -> object | None:
                return two if node is one else one if node is two else None

            return rebuilt(body, change)
        case s.Move(label, after, anchor):
            moved = found(body, label.label)
            without = _around(body, label.label, lambda _: ())
            return _around(without, anchor.label, lambda old: (old, moved) if after else (moved, old))
        case s.Insert(new, after, label):
            if label.label == "entry":
                return s.Block((new, *body.body), body.span)
            if label.label == "return":
                return _before_returns(body, new)
            return _around(body, label.label, lambda old: (old, new) if after else (new, old))
        case s.ReplaceLock(label, function):
            return _other_lock(body, found(body, label.label), function)
        case s.SetParam() | s.ReplaceModule():
            raise ValueError("not an edit of a body")


def _other_lock(body: s.Block, labelled: s.Labelled, function: s.Name) -> s.Block:
    calls: list[s.Call] = []

    def look(node: object) -> None:
        if isinstance(node, s.Call) and isinstance(node.function, s.Name) and node.function.text in _UNLOCK:
            calls.append(node)

    rebuilt(labelled, look)
    old = calls[0]
    assert isinstance(old.function, s.Name)
    unlock, lock = _UNLOCK[old.function.text], old.arguments

    def change(node: object) -> object | None:
        if node is old:
            return s.Call(function, lock, old.span)
        if isinstance(node, s.Call) and isinstance(node.function, s.Name):
            if node.function.text == unlock and node.arguments == lock:
                return s.Call(s.Name(_UNLOCK[function.text], node.span), lock, node.span)
        return None

    return rebuilt(body, change)
