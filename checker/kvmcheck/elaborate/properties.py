# SPDX-License-Identifier: GPL-2.0-only
"""Properties and covers of a scenario, and the conditions under which one is vacuous."""

from __future__ import annotations

from collections.abc import Mapping

from kvmcheck.elaborate.coercion import conjunction
from kvmcheck.elaborate.requests import Requests
from kvmcheck.elaborate.scopes import PropertySymbol
from kvmcheck.elaborate.states import StateExpressions
from kvmcheck.elaborate.world import World
from kvmcheck.lang import syntax
from kvmcheck.semantics.program import (
    Apply,
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
    """The property of an invariant or step declaration; None after a diagnostic, or for a cover."""
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
            return Property(
                declaration.name.text,
                PropertyKind.STEP,
                body,
                vacuity_probes(body),
                declaration.body.span,
            )
        case syntax.LiveDecl(span=span):
            world.collector.error(
                "KVM509",
                f"`{declaration.name.text}` is a liveness property: not supported yet",
                span,
                help="leave it out of `check` for now",
            )
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
    return Cover(declaration.name.text, states.condition(declaration.body), declaration.body.span)


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
