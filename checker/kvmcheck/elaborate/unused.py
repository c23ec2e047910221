# SPDX-License-Identifier: GPL-2.0-only
"""What no process and no check of a scenario uses is typed all the same: a misspelt name there is a mistake too.

It is lowered once on the side, in a world of its own, so that nothing of it gets into the program.  Sizes
that the scenario does not set are no mistake there.
"""

from __future__ import annotations

from collections.abc import Mapping

from kvmcheck.elaborate.activation import Activation
from kvmcheck.elaborate.coercion import Typed
from kvmcheck.elaborate.graph import Graph
from kvmcheck.elaborate.inlining import inline_given
from kvmcheck.elaborate.lowering import Code
from kvmcheck.elaborate.properties import cover_of, property_of
from kvmcheck.elaborate.requests import Requests
from kvmcheck.elaborate.scopes import ConstantSymbol, FunctionSymbol, PropertySymbol, Scope, StructSymbol
from kvmcheck.elaborate.states import StateExpressions
from kvmcheck.elaborate.world import World
from kvmcheck.lang import syntax
from kvmcheck.semantics.program import Bound, Const, Frame, Local
from kvmcheck.semantics.sorts import UnknownSort
from kvmcheck.source.diagnostic import Collector

#: What only says that a scenario does not set what it does not use, or asks for what it does not check.
_FINE = ("KVM501", "KVM507", "KVM509", "KVM511")


def check_unused(
    entry: syntax.File,
    scope: Scope,
    world: World,
    functions: Mapping[str, syntax.FunctionDecl],
    collector: Collector,
) -> None:
    """Report what is wrong with the functions and properties of a file that the scenario does not use."""
    found = Collector()
    aside = World(found, world.sizes, world.distinct, world.threads, world.seq_wrap, world.scenario)
    wider = _with_distinct(entry, scope, aside)
    for item in entry.items:
        match item:
            case syntax.FunctionDecl(name=name, pure=pure) if name.text not in (
                world.unfolded_names if pure else world.lowered
            ):
                symbol = scope.names.get(name.text)
                if isinstance(symbol, FunctionSymbol) and symbol.declaration is item:
                    _function(FunctionSymbol(item, wider, symbol.qualified), aside, functions)
            case (
                syntax.InvariantDecl(name=name) | syntax.StepDecl(name=name) | syntax.CoverDecl(name=name)
            ) if name.text not in world.lowered:
                claim = scope.names.get(name.text)
                if isinstance(claim, PropertySymbol):
                    aside.unfolded = 0
                    made = cover_of if isinstance(item, syntax.CoverDecl) else property_of
                    made(PropertySymbol(item, wider), aside, Requests(), functions)
            case _:
                pass
    for diagnostic in found.found():
        if diagnostic.code not in _FINE:
            collector.add(diagnostic)


def _with_distinct(entry: syntax.File, scope: Scope, world: World) -> Scope:
    """The scope with the members that other scenarios of the file have names for."""
    wider = Scope(scope.prefix, dict(scope.names))
    for scenario in entry.items:
        for item in scenario.items if isinstance(scenario, syntax.ScenarioDecl) else ():
            if isinstance(item, syntax.Distinct):
                sort = world.value_sort(item.type, scope)
                for name in item.names:
                    wider.names.setdefault(name.text, ConstantSymbol(Const(0, sort), sort, name.span))
    return wider


def _function(symbol: FunctionSymbol, world: World, functions: Mapping[str, syntax.FunctionDecl]) -> None:
    function = symbol.declaration
    if function.pure:
        _pure(symbol, world, functions)
        return
    graph = Graph()
    graph.frames.append(Frame("", None, function.span))
    code = Code(world, graph, Activation(None, symbol.scope, 0, None), functions, Requests())
    code.at = function.span
    given: list[Typed | FunctionSymbol] = []
    for parameter in function.parameters:
        if parameter.signature is not None:
            given.append(_any_function(parameter, symbol.scope))
            continue
        sort = world.value_sort(parameter.type, symbol.scope)
        given.append(Typed(Local(graph.new_local(parameter.name.text, sort), sort), sort))
    inline_given(code, symbol, function, given)


def _any_function(parameter: syntax.Parameter, scope: Scope) -> FunctionSymbol:
    """A function of the parameter's signature that does nothing."""
    assert parameter.signature is not None
    parameters = tuple(
        syntax.Parameter(each, syntax.Name(f"argument{n}", each.span), None, each.span)
        for n, each in enumerate(parameter.signature)
    )
    body = syntax.Block((), parameter.span)
    name = parameter.name
    declared = syntax.FunctionDecl(parameter.type, name, parameters, False, None, body, parameter.span)
    return FunctionSymbol(declared, scope, f"{name.text} of {parameter.span.start}")


def _pure(symbol: FunctionSymbol, world: World, functions: Mapping[str, syntax.FunctionDecl]) -> None:
    function = symbol.declaration
    given: dict[str, Bound | Typed] = {}
    for parameter in function.parameters:
        sort = world.sort(parameter.type, symbol.scope)
        known = UnknownSort() if isinstance(sort, StructSymbol) else sort
        given[parameter.name.text] = Typed(Bound(parameter.name.text, known), known)
    states = StateExpressions(
        world, symbol.scope, f"pure function `{symbol.qualified}`", bound=given, functions=functions
    )
    states.requests = Requests()
    states.unfolding = (symbol.qualified,)
    world.unfolded = 0
    states.unfold(function.body.body, world.value_sort(function.result, symbol.scope), function.span)
