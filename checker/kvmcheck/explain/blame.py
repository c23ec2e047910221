# SPDX-License-Identifier: GPL-2.0-only
"""Why a property is false: the members for which it is, the parts that are, and the values of their parts.

The property is evaluated by the plain evaluator, in the last state of the trace; each value is followed back to
the step that made it so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from kvmcheck.explain.statements import own_text
from kvmcheck.explain.values import place_name, shown
from kvmcheck.semantics.expressions import (
    Broken,
    Scope,
    domain_of,
    is_true,
    live_calls,
    read,
    resolve,
    sort_of,
    value_of,
)
from kvmcheck.semantics.numbering import SeqNumbering
from kvmcheck.semantics.program import (
    Apply,
    CallAt,
    CallIn,
    CallLocal,
    CallThread,
    Const,
    Expr,
    Held,
    HeldMode,
    LiveQuantified,
    Old,
    Op,
    Place,
    PointerPlace,
    Program,
    Property,
    Quantified,
    Quantifier,
    Read,
    The,
    VariableKind,
    VariablePlace,
)
from kvmcheck.semantics.sorts import OptionalSort, UnionSort, Value, WordSort, members
from kvmcheck.semantics.witness import Trace

#: More facts than this explain nothing.
MOST_FACTS = 8


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is so in the last state; `since`: the step that made it so, None: it was so from the start."""

    text: str
    since: int | None


@dataclass(frozen=True, slots=True)
class Reason:
    """`bindings`: for which members the claim is false (`g = gfn0`); `facts`: what makes it false."""

    bindings: tuple[str, ...]
    facts: tuple[Fact, ...]

    def lines(self, rows: Mapping[int, int] | None = None) -> list[str]:
        """The reason in sentences, one a line; `rows`: the number to say in place of a step's own."""
        lines = ["with " + ", ".join(self.bindings)] if self.bindings else []
        for fact in self.facts:
            if fact.since is None:
                lines.append(fact.text)
            else:
                number = fact.since if rows is None else rows[fact.since]
                lines.append(f"{fact.text} (since {'step' if rows is None else 'row'} {number})")
        return lines


@dataclass(frozen=True, slots=True)
class _Because:
    """A part of the claim that decides it, in a scope; `truth` is the part's value there."""

    expression: Expr
    scope: Scope
    truth: bool


def reason(program: Program, trace: Trace, claim: Property) -> Reason:
    """Why the claim is false at the end of the trace; empty where that can't be said."""
    scopes = _scopes(program, trace)
    last = scopes[-1]
    bindings: list[str] = []
    condition, last = _outer(claim.condition, last, bindings)
    facts: dict[str, Fact] = {}
    try:
        if is_true(condition, last):
            return Reason((), ())
        for because in _decisive(condition, last, False):
            for text, looked in _facts(because):
                facts.setdefault(text, Fact(text, _since(looked, because.scope, scopes)))
    except Broken as broken:
        facts.setdefault(broken.text, Fact(broken.text, None))
    return Reason(tuple(bindings), tuple(facts.values())[:MOST_FACTS])


def _scopes(program: Program, trace: Trace) -> list[Scope]:
    """The scope of each state of the trace, each with the one before it."""
    numbering = SeqNumbering(program)
    plain = [Scope(program, numbering, trace.initial.values, threads=trace.initial.threads)]
    for step in trace.steps:
        state = step.after
        plain.append(Scope(program, numbering, state.values, threads=state.threads, thread=step.thread))
    return [plain[0], *(replace(after, before=before) for before, after in pairwise(plain))]


def _outer(condition: Expr, scope: Scope, bindings: list[str]) -> tuple[Expr, Scope]:
    """The claim with its outer `forall`s (and `unless`s) opened at the first members that break it."""
    while True:
        opened = _opened(condition, scope, bindings)
        if opened is None:
            return condition, scope
        condition, scope = opened


def _opened(condition: Expr, scope: Scope, bindings: list[str]) -> tuple[Expr, Scope] | None:
    match condition:
        case Quantified(kind=Quantifier.FORALL, body=body):
            for inner in _members(condition, scope):
                if _is_false(body, inner):
                    name, value = condition.bound.name, inner.bound[condition.bound.name]
                    bindings.append(f"{_plain(name)} = {shown(scope.program, value, condition.bound.sort)}")
                    return body, inner
        case LiveQuantified(kind=Quantifier.FORALL, body=body, name=name):
            for inner in _members(condition, scope):
                if _is_false(body, inner):
                    thread = scope.program.threads[inner.calls[name][1]].name
                    bindings.append(f"{_plain(name)} = the {condition.function} of {thread}")
                    return body, inner
        case _:
            pass
    return None


def _members(quantified: Quantified | LiveQuantified, scope: Scope) -> Iterator[Scope]:
    match quantified:
        case Quantified(bound=bound, domain=domain):
            for member in domain_of(bound.sort, domain, scope):
                yield replace(scope, bound={**scope.bound, bound.name: member})
        case LiveQuantified(name=name, function=function):
            for call in live_calls(function, scope):
                yield replace(scope, calls={**scope.calls, name: call})


def _is_false(expression: Expr, scope: Scope) -> bool:
    """Whether it is false, or can't be evaluated, which breaks a claim as well."""
    try:
        return not is_true(expression, scope)
    except Broken:
        return True


def _decisive(expression: Expr, scope: Scope, truth: bool) -> Iterator[_Because]:
    """The smallest parts whose values make the expression what it is (`truth`)."""
    match expression:
        case Apply(op=Op.NOT, arguments=(inner,)):
            yield from _decisive(inner, scope, not truth)
        case Apply(op=Op.AND, arguments=arguments) if truth:
            for argument in arguments:
                yield from _decisive(argument, scope, True)
        case Apply(op=Op.AND, arguments=arguments):
            for argument in arguments:
                if _is_false(argument, scope):
                    yield from _decisive(argument, scope, False)
                    return  # the later ones may not have a value
        case Apply(op=Op.OR, arguments=arguments) if truth:
            for argument in arguments:
                if not _is_false(argument, scope):
                    yield from _decisive(argument, scope, True)
                    return
        case Apply(op=Op.OR, arguments=arguments):
            for argument in arguments:
                yield from _decisive(argument, scope, False)
        case Apply(op=Op.IMPLIES, arguments=(left, right)):
            if not truth:
                yield from _decisive(left, scope, True)
                yield from _decisive(right, scope, False)
            elif _is_false(left, scope):
                yield from _decisive(left, scope, False)
            else:
                yield from _decisive(right, scope, True)
        case Apply(op=Op.IF, arguments=(condition, then, otherwise)):
            chosen = not _is_false(condition, scope)
            yield from _decisive(condition, scope, chosen)
            yield from _decisive(then if chosen else otherwise, scope, truth)
        case Quantified(kind=Quantifier.FORALL, body=body) if not truth:
            yield from _first(expression, body, scope, False)
        case LiveQuantified(kind=Quantifier.FORALL, body=body) if not truth:
            yield from _first(expression, body, scope, False)
        case Quantified(kind=Quantifier.EXISTS, body=body) if truth:
            yield from _first(expression, body, scope, True)
        case LiveQuantified(kind=Quantifier.EXISTS, body=body) if truth:
            yield from _first(expression, body, scope, True)
        case _:
            yield _Because(expression, scope, truth)


def _first(
    quantified: Quantified | LiveQuantified, body: Expr, scope: Scope, truth: bool
) -> Iterator[_Because]:
    for inner in _members(quantified, scope):
        if _is_false(body, inner) is not truth:
            yield from _decisive(body, inner, truth)
            return


def _facts(because: _Because) -> Iterator[tuple[str, Expr]]:
    """What to say of a decisive part: the value of everything that it reads."""
    found = False
    for text, part in _looks(because.expression, because.scope):
        found = True
        yield text, part
    if not found and not isinstance(because.expression, Const):
        text = _text(because.expression)
        if text:
            yield f"{text} is {'true' if because.truth else 'false'}", because.expression


def _looks(expression: Expr, scope: Scope) -> Iterator[tuple[str, Expr]]:
    """Each thing that an expression reads, with its value, as the narrowest path that it reads."""
    program = scope.program
    match expression:
        case Read(place=place) if _is_monitor(place, scope):
            if is_true(expression, scope):
                yield _monitor(place, scope), expression
        case Read() | CallLocal() | CallThread() | CallAt() | CallIn() | Held():
            yield _said(expression, scope), expression
            if isinstance(expression, Read):
                yield from _index_looks(expression.place, scope)
        case Apply(op=Op.FIELD | Op.ARM_GET | Op.ARM_IS | Op.UNWRAP) if _path(expression, scope):
            yield _said(expression, scope), expression
        case Apply(op=Op.AND | Op.OR | Op.IMPLIES):
            for because in _decisive(expression, scope, not _is_false(expression, scope)):
                yield from _looks(because.expression, because.scope)
        case Apply(arguments=arguments):
            for argument in arguments:
                yield from _looks(argument, scope)
        case Old(inner=inner) if scope.before is not None:
            before = replace(scope.before, bound=scope.bound, calls=scope.calls)
            for text, part in _looks(inner, before):
                yield f"before the step, {text}", Old(part, sort_of(part))
        case Quantified(domain=domain, body=body, kind=kind):
            if kind is Quantifier.COUNT:
                yield (
                    f"the count is {shown(program, value_of(expression, scope), sort_of(expression))}",
                    expression,
                )
            if domain is not None:
                yield from _looks(domain, scope)
            for member in _members(expression, scope):
                if kind is not Quantifier.COUNT or not _is_false(body, member):
                    yield from _looks(body, member)
        case LiveQuantified(body=body):
            for member in _members(expression, scope):
                yield from _looks(body, member)
        case The(bound=bound):
            value = value_of(expression, scope)
            yield f"the {_plain(bound.name)} = {shown(program, value, bound.sort)}", expression
        case _:
            return


def _index_looks(place: Place, scope: Scope) -> Iterator[tuple[str, Expr]]:
    match place:
        case VariablePlace(indices=indices):
            for index in indices:
                yield from _looks(index, scope)
        case PointerPlace(pointer=pointer, indices=indices):
            for index in (pointer, *indices):
                yield from _looks(index, scope)


def _said(expression: Expr, scope: Scope) -> str:
    """`spte[gfn0].present = true`."""
    program = scope.program
    match expression:
        case Held(lock=lock, thread=thread, mode=mode):
            name = _place(lock, scope)
            number, indices = resolve(lock, scope)
            value = shown(program, read(number, indices, scope), program.variables[number].sort)
            held = is_true(expression, scope)
            if thread is None and mode is HeldMode.ANY:
                return f"{name} is held by {value}" if held else f"{name} is free"
            how = "" if mode is HeldMode.ANY else f" for {'reading' if mode is HeldMode.READ else 'writing'}"
            who = "" if thread is None else f" by {shown(program, value_of(thread, scope), sort_of(thread))}"
            return f"{name} is {'' if held else 'not '}held{how}{who} ({value})"
        case CallAt(call=call, label=label):
            truth = "at" if is_true(expression, scope) else "not at"
            return f"{_call_name(call, scope)} is {truth} @{label.rpartition('@')[2]}"
        case CallIn(call=call, start=start, end=end):
            truth = "in" if is_true(expression, scope) else "not in"
            return (
                f"{_call_name(call, scope)} is {truth} @{start.rpartition('@')[2]}..@{end.rpartition('@')[2]}"
            )
        case _:
            value = shown(program, value_of(expression, scope), sort_of(expression))
            return f"{_path(expression, scope)} = {value}"


def _path(expression: Expr, scope: Scope) -> str:
    """`spte[gfn0].present`; empty if the expression is no path."""
    match expression:
        case Read(place=place):
            return _place(place, scope)
        case CallLocal(call=call, local=local):
            return f"{_plain(call)}.{local}"
        case CallThread(call=call):
            return f"{_plain(call)}.thread"
        case Apply(op=Op.FIELD, arguments=(inner,), data=data):
            path, sort = _path(inner, scope), _bare(sort_of(inner))
            return f"{path}.{sort.fields[data][0]}" if path and isinstance(sort, WordSort) else ""
        case Apply(op=Op.ARM_GET, arguments=(inner,), data=data):
            path, sort = _path(inner, scope), _bare(sort_of(inner))
            return f"{path}.{sort.arms[data][0]}" if path and isinstance(sort, UnionSort) else ""
        case Apply(op=Op.ARM_IS, arguments=(inner,), data=data):
            path, sort = _path(inner, scope), _bare(sort_of(inner))
            return f"{path}.is({sort.arms[data][0]})" if path and isinstance(sort, UnionSort) else ""
        case Apply(op=Op.UNWRAP, arguments=(inner,)):
            return _path(inner, scope)
        case _:
            return ""


def _bare(sort: object) -> object:
    return sort.inner if isinstance(sort, OptionalSort) else sort


def _place(place: Place, scope: Scope) -> str:
    program = scope.program
    number, indices = resolve(place, scope)
    return place_name(program, program.variables[number], indices)


def _is_monitor(place: Place, scope: Scope) -> bool:
    return (
        isinstance(place, VariablePlace)
        and scope.program.variables[place.variable].kind is VariableKind.MONITOR
    )


def _monitor(place: Place, scope: Scope) -> str:
    """What an `after … until` waits for has happened: the elaborator names the monitor by its text."""
    number, indices = resolve(place, scope)
    variable = scope.program.variables[number]
    happened_for = ", ".join(
        shown(scope.program, list(members(dimension))[index], dimension)
        for dimension, index in zip(variable.dimensions, indices, strict=True)
    )
    return f"{variable.name}, for {happened_for}" if happened_for else variable.name


def _text(expression: Expr) -> str:
    return own_text(expression.span) if isinstance(expression, Apply) and expression.span else ""


def _since(expression: Expr, scope: Scope, scopes: list[Scope]) -> int | None:
    """The last step that changed the value of an expression; None if none did, or that can't be said."""
    latest: int | None = None
    previous: Value = None
    for number, state in enumerate(scopes):
        looked = replace(state, bound=scope.bound, calls=scope.calls)
        try:
            value = value_of(expression, looked)
        except (Broken, AssertionError, IndexError, KeyError):
            value = "unknown"
        if number and value != previous:
            latest = number
        previous = value
    return latest


def _call_name(call: str, scope: Scope) -> str:
    """`f (of vcpu0)`: which call a bound name stands for."""
    return f"{_plain(call)} (of {scope.program.threads[scope.calls[call][1]].name})"


def _plain(name: str) -> str:
    """A bound name without what made it unique."""
    return name.partition("#")[0].partition("'")[0]
