# SPDX-License-Identifier: GPL-2.0-only
"""The functions that the processes of a scenario run, by the names that its edits can use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kvmcheck.elaborate.scopes import FunctionSymbol, Instances, ModuleSymbol, Scope
from kvmcheck.lang import syntax as s
from kvmcheck.lang.imports import Unit
from kvmcheck.lang.replacing import with_modules_replaced
from kvmcheck.lang.walk import nodes
from kvmcheck.source.diagnostic import Collector


@dataclass(frozen=True, slots=True)
class Running:
    """A function that runs; `name`: as an edit of the entry file writes it."""

    name: str
    declaration: s.FunctionDecl


def running(unit: Unit, scenario: s.ScenarioDecl) -> tuple[Running, ...]:
    """The functions in the order in which the processes come to them; `pure` ones are left out.

    A pure function may be a part of what is claimed: a mutant of it would not only change the program.
    """
    collector = Collector()
    replaced = with_modules_replaced(unit, (), collector)
    scope = Instances(replaced.modules, collector).of(replaced.entry)
    names = {symbol.qualified: name for name, symbol in reversed(list(_visible(scope, "", set())))}
    waiting = [
        symbol
        for item in scenario.items
        if isinstance(item, s.ProcessDecl)
        for body in (item.body, item.interrupt)
        if body is not None
        for symbol in _called(body, scope)
    ]
    found: dict[str, FunctionSymbol] = {}
    while waiting:
        symbol = waiting.pop(0)
        if symbol.qualified not in found:
            found[symbol.qualified] = symbol
            waiting = [*_called(symbol.declaration.body, symbol.scope), *waiting]
    return tuple(
        Running(names[qualified], symbol.declaration)
        for qualified, symbol in found.items()
        if qualified in names and not symbol.declaration.pure
    )


def _called(body: object, scope: Scope) -> list[FunctionSymbol]:
    """The functions that code names: those that it calls, and those that it hands on."""
    found: list[FunctionSymbol] = []
    for node in nodes(body):
        path = _path(node)
        symbol = scope.find(path) if path else None
        if isinstance(symbol, FunctionSymbol):
            found.append(symbol)
    return found


def _path(node: object) -> tuple[str, ...]:
    match node:
        case s.Name(text=text):
            return (text,)
        case s.Field(base=base, name=name):
            inner = _path(base)
            return (*inner, name.text) if inner else ()
        case _:
            return ()


def _visible(scope: Scope, prefix: str, seen: set[int]) -> Iterator[tuple[str, FunctionSymbol]]:
    if id(scope) in seen:
        return
    for name, symbol in scope.names.items():
        if isinstance(symbol, FunctionSymbol):
            yield prefix + name, symbol
        elif isinstance(symbol, ModuleSymbol):
            yield from _visible(symbol.scope, f"{prefix}{name}.", {*seen, id(scope)})
