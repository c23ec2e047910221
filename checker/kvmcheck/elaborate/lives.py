# SPDX-License-Identifier: GPL-2.0-only
"""Liveness properties: what is claimed of runs without an end, and where the code has to show it.

A call that is made and ends between two states would be seen by nobody.  So a pause stands at the entry of each
function that is named, and behind each call of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from kvmcheck.elaborate.properties import note_locals
from kvmcheck.elaborate.requests import Requests
from kvmcheck.elaborate.scopes import FunctionSymbol, PropertySymbol, unknown_name
from kvmcheck.elaborate.states import StateExpressions
from kvmcheck.elaborate.world import World
from kvmcheck.lang import syntax
from kvmcheck.semantics.program import Expr, Fairness, Live


def live_of(
    symbol: PropertySymbol,
    declaration: syntax.LiveDecl,
    world: World,
    requests: Requests,
    functions: Mapping[str, syntax.FunctionDecl],
) -> Live | None:
    """The claim of a `live` declaration; None after a diagnostic."""
    name = declaration.name.text

    def condition(written: syntax.Expr | None) -> Expr | None:
        if written is None:
            return None
        states = StateExpressions(
            world, symbol.scope, f"live `{name}`", requests=requests, functions=functions
        )
        made = states.condition(written)
        note_locals(made, requests)
        return made

    function = ""
    if declaration.function is not None:
        named = _function(declaration.function, symbol, declaration, world)
        if named is None:
            return None
        function = named
        requests.live.add(function)
        requests.completing.add(function)
    finitely: list[str] = []
    for path in declaration.finitely:
        counted = _function(path, symbol, declaration, world)
        if counted is None:
            return None
        finitely.append(counted)
        requests.live.add(counted)
        requests.counted.add(counted)
        requests.completing.add(counted)
    return Live(
        name,
        function,
        condition(declaration.left),
        condition(declaration.right),
        _FAIRNESS[declaration.strong],
        tuple(finitely),
        declaration.span,
    )


_FAIRNESS = {None: Fairness.USUAL, False: Fairness.WEAK, True: Fairness.STRONG}


def _function(
    path: tuple[str, ...], symbol: PropertySymbol, declaration: syntax.LiveDecl, world: World
) -> str | None:
    """The qualified name of a function that code calls; None after a diagnostic."""
    found = symbol.scope.find(path)
    if not isinstance(found, FunctionSymbol):
        unknown_name(
            world.collector, ".".join(path), declaration.span, symbol.scope, (FunctionSymbol,), "a function"
        )
        return None
    if found.declaration.pure:
        world.collector.error(
            "KVM509",
            f"`{found.qualified}` is pure: it is over at once, and is never called in a run",
            declaration.span,
            help="name a function that takes steps",
        )
        return None
    return found.qualified
