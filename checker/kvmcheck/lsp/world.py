# SPDX-License-Identifier: GPL-2.0-only
"""A unit as names see it: the scopes of its modules, and what no scope holds: labels, cover goals, cases."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import assert_never

from kvmcheck.elaborate.scopes import (
    NAMED_TYPES,
    ConstantSymbol,
    EnumSymbol,
    FunctionSymbol,
    Instances,
    ModuleSymbol,
    ObjectSymbol,
    ParamSymbol,
    PropertySymbol,
    Scope,
    SortSymbol,
    StructSymbol,
    Symbol,
    UnionSymbol,
    VariableSymbol,
    declared_at,
)
from kvmcheck.lang import syntax as s
from kvmcheck.lang.imports import ModulePath, Unit
from kvmcheck.lang.replacing import with_modules_replaced
from kvmcheck.lang.tokens import raw_tokens
from kvmcheck.lang.walk import nodes
from kvmcheck.lsp.shapes import AnyShape, Shape
from kvmcheck.lsp.targets import Kind, Target
from kvmcheck.source.diagnostic import Collector


class World:
    """The texts of a unit, and the scope of each."""

    def __init__(self, unit: Unit, mutants: tuple[s.MutantDecl, ...] = ()) -> None:
        self.unit = unit
        #: What is wrong with the declarations alone: names declared twice, clashes.
        self.collector = Collector()
        self._replaced = with_modules_replaced(unit, mutants, self.collector)
        self._instances = Instances(self._replaced.modules, self.collector)
        self.scope = self._instances.of(self._replaced.entry)
        self._mutants: dict[str, Scope] = {}
        self._modules: dict[ModulePath, Scope] = {}
        self._labels: dict[int, Mapping[str, Target]] = {}

    def module_scope(self, path: ModulePath) -> Scope:
        """The names of a module of the unit, as it sees them itself."""
        if path not in self._modules:
            self._modules[path] = self._instances.of(self._replaced.modules[path])
        return self._modules[path]

    def mutant_scope(self, mutant: s.MutantDecl) -> Scope:
        """The names of the entry as a mutant sees them, which may put other modules in place."""
        cases = {item.name.text: item for item in self.unit.entry.items if isinstance(item, s.MutantDecl)}
        chain: list[s.MutantDecl] = []
        found: s.MutantDecl | None = mutant
        while found is not None and found not in chain:
            chain.insert(0, found)
            found = cases.get(found.base.text)
        if not any(isinstance(edit, s.ReplaceModule) for item in chain for edit in item.edits):
            return self.scope
        name = mutant.name.text
        if name not in self._mutants:
            self._mutants[name] = World(self.unit, tuple(chain)).scope
        return self._mutants[name]

    def files(self) -> tuple[s.File, ...]:
        """The entry, then the modules."""
        return (self.unit.entry, *self.unit.modules.values())

    def module(self, path: ModulePath) -> Target | None:
        """The name of a module, where its text says it."""
        file = self.unit.modules.get(path)
        return self.module_name(file) if file is not None else None

    def module_name(self, file: s.File) -> Target | None:
        """The last word of the text's `module` line."""
        if file.module is None:
            return None
        for token in raw_tokens(file.span.source):
            if token.text == ";":
                return None
            if token.text == file.module[-1]:
                return Target(Kind.MODULE, ".".join(file.module), token.span, token.span)
        return None

    def anywhere(self, path: tuple[str, ...]) -> Symbol | None:
        """What a name means in any module of the unit: a mutant may put one in place that is not in scope."""
        for module in self.unit.modules:
            symbol = self.module_scope(module).find(path)
            if symbol is not None:
                return symbol
        return None

    def case(self, name: str) -> Target | None:
        """A scenario or mutant of the entry."""
        for item in self.unit.entry.items:
            if isinstance(item, s.ScenarioDecl | s.MutantDecl) and item.name.text == name:
                return Target(Kind.CASE, name, item.name.span, item.span)
        return None

    def goal(self, name: str) -> Target | None:
        """The cover goal that code reaches: the first statement that does."""
        return self._goals.get(name)

    @cached_property
    def _goals(self) -> Mapping[str, Target]:
        found: dict[str, Target] = {}
        for file in self.files():
            for node in nodes(file):
                if isinstance(node, s.CoverStmt):
                    target = Target(Kind.GOAL, node.name.text, node.name.span, node.span)
                    found.setdefault(node.name.text, target)
        return found

    @cached_property
    def typedefs(self) -> Mapping[str, Target]:
        """Second names of types."""
        return {
            item.name.text: Target(Kind.TYPE, item.name.text, item.name.span, item.span)
            for file in self.files()
            for item in file.items
            if isinstance(item, s.TypedefDecl)
        }

    @cached_property
    def added(self) -> Mapping[tuple[str, str], Target]:
        """The labels that `use … with` puts into functions, by the function's name as it is written there."""
        found: dict[tuple[str, str], Target] = {}
        for file in self.files():
            for item in file.items:
                if isinstance(item, s.UseDecl):
                    found.update(added_labels(item.edits))
        return found

    def labels(self, symbol: FunctionSymbol) -> Mapping[str, Target]:
        """The labels of a function."""
        key = id(symbol.declaration)
        if key not in self._labels:
            self._labels[key] = {
                node.label.text: Target(Kind.LABEL, node.label.text, node.label.span, node.span)
                for node in nodes(symbol.declaration.body)
                if isinstance(node, s.Labelled)
            }
        return self._labels[key]

    def shape(self, symbol: Symbol | None) -> AnyShape | None:
        """What the value of a symbol is."""
        match symbol:
            case VariableSymbol(declaration=variable, scope=scope):
                return Shape(variable.type, scope, len(variable.dimensions))
            case ParamSymbol(declaration=parameter, scope=scope):
                return Shape(parameter.type, scope)
            case _:
                return None


def added_labels(edits: tuple[s.Edit, ...]) -> dict[tuple[str, str], Target]:
    """The labels that edits put into functions: later edits may name them."""
    return {
        (".".join(edit.label.function), node.label.text): Target(
            Kind.LABEL, node.label.text, node.label.span, node.span
        )
        for edit in edits
        if isinstance(edit, s.Insert | s.Replace)
        for node in nodes(edit.body)
        if isinstance(node, s.Labelled)
    }


def symbol_target(symbol: Symbol, written: str, world: World) -> Target:
    """What a symbol is called, and where; `written`: the name that was used, which a `typedef` may have given."""
    at = declared_at(symbol)
    if isinstance(symbol, NAMED_TYPES) and written != at.text and written in world.typedefs:
        return world.typedefs[written]
    match symbol:
        case SortSymbol() | EnumSymbol() | StructSymbol() | UnionSymbol() | ObjectSymbol():
            return Target(Kind.TYPE, at.text, at, symbol.declaration.span)
        case ConstantSymbol():
            return Target(Kind.CONSTANT, at.text, at, at)
        case VariableSymbol():
            return Target(Kind.VARIABLE, at.text, at, symbol.declaration.span)
        case ParamSymbol():
            return Target(Kind.PARAMETER, at.text, at, symbol.declaration.span)
        case FunctionSymbol(declaration=function):
            return Target(Kind.FUNCTION, at.text, at, function.span, function.source)
        case PropertySymbol():
            return Target(Kind.PROPERTY, at.text, at, symbol.declaration.span)
        case ModuleSymbol():
            return Target(Kind.INSTANCE, at.text, at, at)
        case _:
            assert_never(symbol)
