# SPDX-License-Identifier: GPL-2.0-only
"""Calls: a function's body is lowered in place, with a frame of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kvmcheck.elaborate.activation import Activation, Instance
from kvmcheck.elaborate.coercion import NOTHING, UNKNOWN, Typed
from kvmcheck.elaborate.monitors import ghost_event
from kvmcheck.elaborate.places import LocalPlace, Named, ValuePlace
from kvmcheck.elaborate.requests import declared_types, labels_of, left_of, loop_variables
from kvmcheck.elaborate.scopes import FunctionSymbol, declared_at
from kvmcheck.elaborate.statements import label_paths, lower
from kvmcheck.lang import syntax
from kvmcheck.lang.walk import nodes
from kvmcheck.semantics.program import Const, Current, Expr, Frame, Local, Param, Pause, Set
from kvmcheck.semantics.sorts import BOOL, Sort
from kvmcheck.source.diagnostic import Label
from kvmcheck.source.text import Span

if TYPE_CHECKING:
    from kvmcheck.elaborate.lowering import Code


def inline(code: Code, symbol: FunctionSymbol, call: syntax.Call) -> Typed:
    """Lower a call; its result (unknown if the function gives none)."""
    function = code.functions.get(symbol.qualified, symbol.declaration)
    if code.activation.calls(symbol.qualified):
        code.collector.error(
            "KVM401",
            f"`{symbol.qualified}` calls itself: calls are inlined",
            call.span,
            secondary=(Label(declared_at(symbol), "this function"),),
        )
        return UNKNOWN
    if len(function.parameters) != len(call.arguments):
        count = len(function.parameters)
        code.collector.error(
            "KVM302",
            f"`{symbol.qualified}` takes {count} argument{'s' * (count != 1)}, not {len(call.arguments)}",
            call.span,
            secondary=(Label(function.name.span, "declared here"),),
        )
        return UNKNOWN
    mark = code.graph.mark()
    given = _arguments(code, symbol, function, call, keep=False)
    if given is None:
        return UNKNOWN
    if any(isinstance(value, Typed) and code.changed_since(mark, value.expr) for value in given):
        # `f(i, i++)`: each argument is what it was when its turn came.
        code.graph.rewind(mark)
        given = _arguments(code, symbol, function, call, keep=True) or given
    return inline_given(code, symbol, function, given)


def _arguments(
    code: Code, symbol: FunctionSymbol, function: syntax.FunctionDecl, call: syntax.Call, *, keep: bool
) -> list[Typed | FunctionSymbol] | None:
    """The arguments, left to right (`keep`: each in a temporary); None after a diagnostic."""
    given: list[Typed | FunctionSymbol] = []
    for parameter, argument in zip(function.parameters, call.arguments, strict=True):
        if parameter.signature is not None:
            passed = code.function_named(argument)
            if passed is None:
                code.collector.error("KVM205", "the name of a function must stand here", argument.span)
                return None
            given.append(passed)
            continue
        sort = code.world.value_sort(parameter.type, symbol.scope)
        value = Typed(code.coerced(argument, sort), sort)
        given.append(code.kept(value) if keep else value)
    return given


def inline_given(
    code: Code,
    symbol: FunctionSymbol,
    function: syntax.FunctionDecl,
    given: list[Typed | FunctionSymbol],
) -> Typed:
    """Lower a function's body for arguments that are known."""
    graph, world, caller = code.graph, code.world, code.activation
    world.lowered.add(symbol.qualified)
    graph.frames.append(Frame(symbol.qualified, caller.frame, code.at))
    activation = Activation(symbol, symbol.scope, len(graph.frames) - 1, caller)
    activation.label_paths = label_paths(function.body)
    outer_frame, outer_at = graph.frame, code.at
    graph.frame = activation.frame
    code.activation, code.scope = activation, symbol.scope
    result_sort: Sort | None = None
    if not isinstance(function.result, syntax.VoidType):
        result_sort = world.value_sort(function.result, symbol.scope)
        local = graph.new_local("", result_sort, hidden=True)
        activation.result = LocalPlace(local, result_sort)

    entry = graph.skip(code.at)
    _bind_parameters(code, activation, function, given)
    requests = code.requests
    qualified = symbol.qualified
    for pair in sorted(requests.regions.get(qualified, ())):
        bit = graph.new_local("", BOOL, hidden=True)
        activation.regions[pair] = bit
        code.emit(Set(bit, Const(int(pair[0] == "entry"), BOOL)))
    for event in requests.events_of(qualified, syntax.EventKind.CALL):
        ghost_event(code, event)
    entered = _counted(code, qualified, call_at=outer_at)

    lower(code, function.body)
    graph.ends = graph.ends + activation.returns
    code.at = outer_at
    for name, ends in activation.gotos.items():
        if ends:
            code.collector.error(
                "KVM402",
                f"`goto {name}`: there is no label `{name}:` in `{qualified}`",
                function.name.span,
            )
            graph.ends = graph.ends + ends
    graph.skip(code.at)
    for event in requests.events_of(qualified, syntax.EventKind.RETURN):
        ghost_event(code, event)
    for bit in activation.regions.values():
        code.emit(Set(bit, Const(0, BOOL)))
    if qualified in requests.live:
        _remember(code, activation, function, entry, entered)
    graph.frame = outer_frame
    code.activation, code.scope = caller, caller.scope
    if qualified in requests.completing and graph.group is None:
        # Between two calls there is a state in which neither is live.
        code.emit(Pause())
    if activation.result is None or result_sort is None:
        return NOTHING
    return Typed(Local(activation.result.local, result_sort), result_sort)


def _bind_parameters(
    code: Code,
    activation: Activation,
    function: syntax.FunctionDecl,
    given: list[Typed | FunctionSymbol],
) -> None:
    """Parameters become locals; one that never changes and whose argument never does is the argument."""
    changed = _assigned_names(function)
    asked = code.requests.locals.get(activation.function, {})
    at_entry: list[Typed] = []
    for parameter, value in zip(function.parameters, given, strict=True):
        name = parameter.name.text
        if isinstance(value, FunctionSymbol):
            activation.names[0][name] = value
            at_entry.append(UNKNOWN)
            continue
        place: Named
        if (
            name not in changed
            and name not in asked
            and (isinstance(value.expr, Const | Param | Current) or _is_named_local(code, value.expr))
        ):
            place = ValuePlace(value)
            at_entry.append(value)
        else:
            local = code.graph.new_local(name, value.sort)
            code.emit(Set(local, value.expr))
            place = LocalPlace(local, value.sort)
            at_entry.append(Typed(Local(local, value.sort), value.sort))
            if name in changed and code.requests.events.get(activation.function):
                kept = code.temporary(value.sort)
                code.emit(Set(kept, value.expr))
                at_entry[-1] = Typed(Local(kept, value.sort), value.sort)
        activation.names[0][name] = place
    activation.event_arguments = tuple(at_entry)


def _is_named_local(code: Code, expr: Expr) -> bool:
    """Whether it is a local of the writer's that surely holds a value: passing an unset one is a read."""
    if not isinstance(expr, Local) or code.graph.locals[expr.local].hidden:
        return False
    unset = Set(expr.local, None)
    return not any(draft.operation == unset for draft in code.graph.drafts)


def _assigned_names(function: syntax.FunctionDecl) -> set[str]:
    """The names that a function's statements assign, count, point to or call a method of."""
    found: set[str] = set()

    def place(expr: syntax.Expr) -> None:
        match expr:
            case syntax.Name(text=text):
                found.add(text)
            case syntax.Field(base=base) | syntax.Index(base=base):
                place(base)
            case _:
                pass

    for node in nodes(function.body):
        match node:
            case syntax.Assign(place=target) | syntax.IncDec(place=target) | syntax.AddressOf(place=target):
                place(target)
            case syntax.Call(function=syntax.Field(base=base)):
                place(base)
            case syntax.Choose(place=chosen) if chosen is not None:
                place(chosen)
            case _:
                pass
    return found


def _counted(code: Code, function: str, *, call_at: Span) -> int | None:
    """The pause at the entry of a function that a liveness property names: who leaves it has made a call.

    Without it, a caller that chooses an argument would not have begun the call while its first access has to wait.
    """
    if function not in code.requests.completing:
        return None
    if code.graph.group is not None:
        if function not in code.requests.counted:
            return None  # within one step a call is over as soon as it begins
        code.collector.error(
            "KVM509",
            f"`{function}` is called inside an `atomic` block, so its calls can't be told apart",
            call_at,
            help="a liveness property that counts its calls needs the call outside of `atomic`",
        )
        return None
    return code.graph.emit(Pause(), call_at)


def _remember(
    code: Code, activation: Activation, function: syntax.FunctionDecl, entry: int, entered: int | None
) -> None:
    names = code.requests.locals.get(activation.function, {})
    known = {*declared_types(function), *map(left_of, loop_variables(function))}
    locals_of: dict[str, int] = {}
    for position, local in enumerate(code.graph.locals):
        if local.frame == activation.frame and local.name in names and local.name in known:
            locals_of.setdefault(local.name, position)
    code.instances.append(
        Instance(
            activation.function,
            activation.frame,
            locals_of,
            entry,
            {
                name: activation.label_entries[name]
                for name in labels_of(function)
                if name in activation.label_entries
            },
            dict(activation.regions),
            entered,
        )
    )
