# SPDX-License-Identifier: GPL-2.0-only
"""A mutant's edits, made on the syntax of functions, so that the result is checked as if hand-written.

A label is found in its function as it is when the edit's turn comes.  What is moved or dropped keeps
its label: dropped, it labels nothing, so a property that names it still means something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from kvmcheck.lang import syntax as s
from kvmcheck.lang.walk import Change, nodes, spliced, with_calls
from kvmcheck.source.diagnostic import Collector, Label
from kvmcheck.source.nearest import nearest
from kvmcheck.source.text import Span

Functions = Mapping[str, s.FunctionDecl]

#: What takes a lock, and what gives it back.
RELEASES: Mapping[str, str] = {
    **{
        f"{kind}_{verb}": f"{kind}_unlock"
        for kind in ("spin", "read", "write", "mutex")
        for verb in ("lock", "trylock")
    },
    **{f"down_{mode}{attempt}": f"up_{mode}" for mode in ("read", "write") for attempt in ("", "_trylock")},
}

_ENTRY, _RETURN = "entry", "return"


class _Refused(Exception):
    """The edit can't be made; why is in the collector."""


def apply_edits(functions: Functions, edits: tuple[s.Edit, ...], collector: Collector) -> Functions:
    """The functions after the edits, in order; an edit that can't be made is reported and left out.

    Keys are the names that a `LabelRef` spells, joined by dots.  `set` and `replace module` are left to the caller.
    """
    for edit in edits:
        if isinstance(edit, s.SetParam | s.ReplaceModule):
            continue
        try:
            after = _Edit(functions, collector).made(edit)
        except _Refused:
            continue
        if after == functions:
            collector.error("KVM453", "this edit changes nothing", edit.span)
        functions = after
    return functions


class _Edit:
    """One edit of the functions as they are."""

    def __init__(self, functions: Functions, collector: Collector) -> None:
        self._functions = dict(functions)
        self._collector = collector

    def made(self, edit: s.StatementEdit) -> Functions:
        """The functions after it."""
        match edit:
            case s.Drop(label=label):
                target = self._found(label)
                self._may_go(label, target)
                nothing = replace(target, body=s.Empty(target.body.span))
                self._put(label, target, (nothing,))
            case s.Move(label=label, anchor=anchor, after=after):
                self._move(label, anchor, after=after)
            case s.Swap(first=first, second=second):
                self._swap(first, second)
            case s.Replace(label=label, body=body):
                target = self._found(label)
                self._may_go(label, target)
                self._put(label, target, (replace(target, body=body),))
            case s.Insert(body=body, label=label, after=after):
                self._insert(label, body, after=after)
            case s.ReplaceLock(label=label, function=name):
                self._replace_lock(label, name)
            case _:
                assert_never(edit)
        return self._functions

    # ---- what an edit names

    def _function(self, label: s.LabelRef) -> s.FunctionDecl:
        name = ".".join(label.function)
        function = self._functions.get(name)
        if function is not None:
            return function
        if not label.function:
            raise self._refused(
                "KVM450", f"`@{label.label}` does not say in which function", label.span, "write `F@A`"
            )
        close = nearest(name, self._functions)
        mend = f"write `{close}@{label.label}`" if close else ""
        raise self._refused("KVM450", f"there is no function `{name}`", label.span, mend)

    def _found(self, label: s.LabelRef) -> s.Labelled:
        """The statement with that label."""
        function = self._function(label)
        labelled = [node for node in nodes(function.body) if isinstance(node, s.Labelled)]
        found = [node for node in labelled if node.label.text == label.label]
        if len(found) > 1:
            place = Label(found[1].label.span, "and here"), Label(found[0].label.span, "here")
            raise self._refused(
                "KVM452", f"the label `@{label.label}` stands twice in its function", label.span, "", *place
            )
        if found:
            return found[0]
        name = ".".join(label.function)
        if label.label in (_ENTRY, _RETURN):
            raise self._refused(
                "KVM455",
                f"`@{label.label}` is a place between statements",
                label.span,
                f"put something there: `insert {{ … }} before {name}@{label.label};`",
            )
        close = nearest(label.label, (node.label.text for node in labelled))
        mend = f"write `{name}@{close}`" if close else ""
        if not labelled:
            mend = f"begin the statement in `{name}` with `@{label.label}`"
        here = Label(function.name.span, "this function")
        raise self._refused("KVM451", f"`{name}` has no label `@{label.label}`", label.span, mend, here)

    def _may_go(self, label: s.LabelRef, target: s.Labelled) -> None:
        """Refuse if the statement declares what is used elsewhere in its function."""
        inner: s.Stmt = target
        while isinstance(inner, s.Labelled):
            inner = inner.body
        if not isinstance(inner, s.LocalDecl | s.Choose) or inner.name is None:
            return
        name, inside = inner.name.text, {id(node) for node in nodes(target)}
        for node in nodes(self._function(label).body):
            if isinstance(node, s.Name) and node.text == name and id(node) not in inside:
                mend = f"declare `{name}` above it, and label the assignment"
                if isinstance(inner, s.Choose):
                    mend = ""
                places = Label(inner.name.span, "declared here"), Label(node.span, "used here")
                raise self._refused(
                    "KVM454",
                    f"`@{label.label}` declares `{name}`, which is used elsewhere",
                    label.span,
                    mend,
                    *places,
                )

    # ---- the edits

    def _put(self, label: s.LabelRef, target: s.Labelled, instead: tuple[s.Stmt, ...]) -> None:
        """Put statements in the place of a labelled one."""
        self._change(label, lambda statement: instead if statement is target else None)

    def _change(self, label: s.LabelRef, change: Change) -> None:
        function = self._function(label)
        body = replace(function.body, body=spliced(function.body.body, change))
        self._functions[".".join(label.function)] = replace(function, body=body)

    def _move(self, label: s.LabelRef, anchor: s.LabelRef, *, after: bool) -> None:
        target = self._found(label)
        self._may_go(label, target)
        if anchor.label not in (_ENTRY, _RETURN):
            self._apart(label, target, anchor)
        self._put(label, target, ())
        self._insert(anchor, target, after=after, once=True)

    def _swap(self, first: s.LabelRef, second: s.LabelRef) -> None:
        one, other = self._found(first), self._found(second)
        self._apart(first, one, second)
        self._apart(second, other, first)
        self._may_go(first, one)
        self._may_go(second, other)
        if first.function != second.function:
            self._put(first, one, (other,))
            self._put(second, other, (one,))
            return
        exchanged: dict[int, tuple[s.Stmt, ...]] = {id(one): (other,), id(other): (one,)}
        self._change(first, lambda statement: exchanged.get(id(statement)))

    def _apart(self, label: s.LabelRef, target: s.Labelled, anchor: s.LabelRef) -> None:
        """Refuse if the anchor is the statement itself, or inside it."""
        if any(node is self._found(anchor) for node in nodes(target)):
            raise self._refused("KVM455", f"`@{anchor.label}` is a part of `@{label.label}`", anchor.span, "")

    def _insert(self, anchor: s.LabelRef, new: s.Stmt, *, after: bool, once: bool = False) -> None:
        """Put a statement before or after a label; `once`: it must not be put in two places."""
        function = self._function(anchor)
        key = ".".join(anchor.function)
        if anchor.label == _ENTRY:
            body = (new, *function.body.body)
            self._functions[key] = replace(function, body=replace(function.body, body=body))
            return
        if anchor.label != _RETURN:
            target = self._found(anchor)
            both = (target, new) if after else (new, target)
            self._put(anchor, target, both)
            return
        if after:
            mend = f"write `before {key}@return`"
            raise self._refused("KVM455", "nothing comes after a return", anchor.span, mend)
        returns = [node for node in nodes(function.body) if isinstance(node, s.Return)]
        falls_off = not function.body.body or not _leaves(function.body.body[-1])
        if once and len(returns) + falls_off != 1:
            raise self._refused(
                "KVM455",
                f"`{key}` returns at {len(returns) + falls_off} places, and one statement can be at one only",
                anchor.span,
                "move it to a label",
                *(Label(node.span, "returns here") for node in returns[:4]),
            )

        def change(statement: s.Stmt) -> tuple[s.Stmt, ...] | None:
            return (new, statement) if isinstance(statement, s.Return) else None

        self._change(anchor, change)
        if falls_off:
            function = self._function(anchor)
            body = (*function.body.body, new)
            self._functions[key] = replace(function, body=replace(function.body, body=body))

    def _replace_lock(self, label: s.LabelRef, name: s.Name) -> None:
        target = self._found(label)
        if name.text not in RELEASES:
            close = nearest(name.text, RELEASES)
            mend = f"write `{close}`" if close else f"one of {', '.join(sorted(RELEASES))}"
            raise self._refused("KVM456", f"`{name.text}` takes no lock", name.span, mend)
        taken = [
            node
            for node in nodes(target.body)
            if isinstance(node, s.Call) and _called(node) in RELEASES and node.arguments
        ]
        if len(taken) != 1:
            count = f"{len(taken)} locks" if taken else "no lock"
            raise self._refused(
                "KVM456",
                f"`@{label.label}` takes {count}, and the edit replaces one",
                label.span,
                "",
                *(Label(node.span, "a lock is taken here") for node in taken[:4]),
            )
        lock, old = taken[0].arguments[0], _called(taken[0])
        give_back, instead = RELEASES[old], RELEASES[name.text]

        def renamed(call: s.Call) -> s.Call:
            if call is taken[0]:
                return replace(call, function=replace(name, span=call.function.span))
            if _called(call) == give_back and call.arguments[:1] == (lock,):
                return replace(call, function=s.Name(instead, call.function.span))
            return call

        self._functions[".".join(label.function)] = with_calls(self._function(label), renamed)

    def _refused(self, code: str, message: str, span: Span, mend: str, *places: Label) -> _Refused:
        self._collector.error(code, message, span, help=mend, secondary=places)
        return _Refused()


def _called(call: s.Call) -> str:
    """The name of a plainly named function that is called, or nothing."""
    return call.function.text if isinstance(call.function, s.Name) else ""


def _leaves(statement: s.Stmt) -> bool:
    """Whether control never comes behind the statement, as far as its form tells."""
    match statement:
        case s.Return() | s.Goto() | s.Forever():
            return True
        case s.Labelled(body=body):
            return _leaves(body)
        case s.Block(body=body):
            return bool(body) and _leaves(body[-1])
        case s.If(then=then, otherwise=otherwise):
            return otherwise is not None and _leaves(then) and _leaves(otherwise)
        case _:
            return False
