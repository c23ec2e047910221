# SPDX-License-Identifier: GPL-2.0-only
"""Properties and covers of a scenario, and the conditions under which one is vacuous."""

from __future__ import annotations

from collections.abc import Mapping

from kvmcheck.elaborate.coercion import conjunction
from kvmcheck.elaborate.requests import Requests, Where
from kvmcheck.elaborate.scopes import PropertySymbol
from kvmcheck.elaborate.states import StateExpressions, rebuilt
from kvmcheck.elaborate.world import World
from kvmcheck.lang import syntax
from kvmcheck.semantics.program import (
    Apply,
    CallAt,
    CallIn,
    CallLocal,
    Const,
    Cover,
    Expr,
    LiveQuantified,
    Op,
    Probe,
    Property,
    PropertyKind,
    Quantified,
    Quantifier,
)
from kvmcheck.semantics.sorts import BOOL


def property_of(
    symbol: PropertySymbol,
    world: World,
    requests: Requests,
    functions: Mapping[str, syntax.FunctionDecl],
) -> Property | None:
    """The property of an invariant or step declaration; None after a diagnostic; others have no such property."""
    declaration = symbol.declaration
    match declaration:
        case syntax.InvariantDecl(unless=unless):
            states = StateExpressions(
                world,
                symbol.scope,
                f"invariant `{declaration.name.text}`",
                requests=requests,
                functions=functions,
            )
            body = states.condition(declaration.body)
            note_locals(body, requests)
            probes = vacuity_probes(body)
            if unless is not None:
                body = Apply(Op.OR, (states.condition(unless), body), BOOL)
            return Property(
                declaration.name.text, PropertyKind.INVARIANT, body, probes, declaration.body.span
            )
        case syntax.StepDecl():
            states = StateExpressions(
                world,
                symbol.scope,
                f"step `{declaration.name.text}`",
                requests=requests,
                functions=functions,
                two_states=True,
            )
            body = states.condition(declaration.body)
            note_locals(body, requests)
            return Property(
                declaration.name.text,
                PropertyKind.STEP,
                body,
                vacuity_probes(body),
                declaration.body.span,
            )
        case syntax.LiveDecl():
            return None
        case syntax.CoverDecl(span=span):
            world.collector.error(
                "KVM208",
                f"`{declaration.name.text}` is a cover, not a property",
                span,
                help=f"write `cover {declaration.name.text};` in the scenario",
            )
            return None


def cover_of(
    symbol: PropertySymbol,
    world: World,
    requests: Requests,
    functions: Mapping[str, syntax.FunctionDecl],
) -> Cover | None:
    """The cover of a `cover NAME { predicate }` declaration; None if it is something else."""
    declaration = symbol.declaration
    if not isinstance(declaration, syntax.CoverDecl):
        return None
    states = StateExpressions(
        world,
        symbol.scope,
        f"cover `{declaration.name.text}`",
        requests=requests,
        functions=functions,
    )
    condition = states.condition(declaration.body)
    note_locals(condition, requests)
    return Cover(declaration.name.text, condition, declaration.body.span)


def note_locals(expr: Expr, requests: Requests) -> None:
    """Note which locals of live calls a claim reads, and between which labels at most.

    What stands behind `f in @A..@B implies` or `f at @A and` is only looked at there.
    """
    _note(expr, requests, {}, {})


def _note(
    expr: Expr,
    requests: Requests,
    functions: Mapping[str, str],
    inside: Mapping[str, Where],
) -> None:
    match expr:
        case LiveQuantified(name=name, function=function, body=body):
            _note(body, requests, {**functions, name: function}, {**inside, name: None})
        case CallLocal(call=call, local=local):
            asked = requests.locals.setdefault(functions[call], {})
            asked.setdefault(local, set()).add(inside[call])
        case Apply(op=Op.AND | Op.IMPLIES, arguments=arguments):
            known = dict(inside)
            for argument in arguments:
                _note(argument, requests, functions, known)
                known.update(_regions(argument))
        case _:

            def walk(inner: Expr) -> Expr:
                _note(inner, requests, functions, inside)
                return inner

            rebuilt(expr, walk)


def _regions(expr: Expr) -> dict[str, Where]:
    """Where a live call must be for the condition to be true."""
    match expr:
        case CallIn(call=call, start=start, end=end):
            return {call: (start, end)}
        case CallAt(call=call, label=label):
            return {call: (label, "")}
        case Apply(op=Op.AND, arguments=arguments):
            found: dict[str, Where] = {}
            for argument in arguments:
                found.update(_regions(argument))
            return found
        case _:
            return {}


def vacuity_probes(expr: Expr) -> tuple[Probe, ...]:
    """What must be true in some state for the claim to have had a chance to fail."""
    found: list[Probe] = []
    for condition, text in _probes(expr):
        found.append(Probe(condition, text))
    return tuple(found)


def _probes(expr: Expr) -> list[tuple[Expr, str]]:
    match expr:
        case Quantified(kind=Quantifier.FORALL, bound=bound, domain=domain, body=body):
            inner = _probes(body)
            if not inner and domain is not None:
                inner = [(Const(1, BOOL), f"a member to range over ({bound.name.split('#')[0]})")]
            return [
                (Quantified(Quantifier.EXISTS, bound, domain, condition), text) for condition, text in inner
            ]
        case LiveQuantified(kind=Quantifier.FORALL, name=name, function=function, body=body):
            inner = _probes(body) or [(Const(1, BOOL), f"a live call of {function}")]
            return [
                (LiveQuantified(Quantifier.EXISTS, name, function, condition), text)
                for condition, text in inner
            ]
        case Apply(op=Op.IMPLIES, arguments=(left, right), span=span):
            text = " ".join(span.text.split()) if span else "the left side"
            deeper = [(conjunction([left, c]), t) for c, t in _probes(right)]
            return deeper or [(left, text)]
        case Apply(op=Op.AND, arguments=arguments):
            return [probe for argument in arguments for probe in _probes(argument)]
        case _:
            return []
