# SPDX-License-Identifier: GPL-2.0-only
"""What an expression gives, as far as names need it: whose fields stand behind a dot.

Types stay as they are written: no sizes are known here, and none are needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from kvmcheck.elaborate.scopes import FunctionSymbol, ObjectSymbol, Scope, StructSymbol, UnionSymbol
from kvmcheck.lang import syntax as s
from kvmcheck.lang.walk import nodes
from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class Shape:
    """A value of a type, or an array of so many dimensions of them; the type's names mean what they do in `scope`."""

    type: s.TypeExpr
    scope: Scope
    dimensions: int = 0


@dataclass(frozen=True, slots=True)
class LiveShape:
    """A call of a function that is running."""

    function: FunctionSymbol


AnyShape = Shape | LiveShape


@dataclass(frozen=True, slots=True)
class Local:
    """A parameter or local of a function; `span`: its declaration."""

    name: s.Name
    span: Span
    shape: AnyShape | None


def element(shape: AnyShape | None) -> AnyShape | None:
    """What `x[i]` gives."""
    match shape:
        case Shape(dimensions=dimensions) if dimensions:
            return replace(shape, dimensions=dimensions - 1)
        case Shape(type=s.ListType(element=inner) | s.SetType(element=inner), scope=scope):
            return Shape(inner, scope)
        case _:
            return None


def target(shape: AnyShape | None) -> AnyShape | None:
    """What `*p` gives; a shape that is no pointer is its own target."""
    match shape:
        case Shape(type=s.PointerType(target=inner), scope=scope, dimensions=0):
            return Shape(inner, scope)
        case _:
            return shape


def pointer(shape: AnyShape | None) -> AnyShape | None:
    """What `&x` gives."""
    match shape:
        case Shape(type=inner, scope=scope, dimensions=0):
            return Shape(s.PointerType(inner, inner.span), scope)
        case _:
            return None


def is_collection(shape: AnyShape | None) -> bool:
    """Whether only methods stand behind its dot."""
    return isinstance(shape, Shape) and isinstance(shape.type, s.ListType | s.SetType)


def field(
    shape: AnyShape | None, name: str
) -> tuple[s.FieldDecl | s.ArmDecl | Local, AnyShape | None] | None:
    """The declaration of a field, arm, or local of a live call; and what it gives."""
    match shape:
        case LiveShape(function=symbol):
            return _local(symbol, name)
        case Shape(type=s.OptionalType(inner=inner), scope=scope, dimensions=0):
            return field(Shape(inner, scope), name)
        case Shape(type=s.NamedType(path=path), scope=scope, dimensions=0):
            return _declared(scope.find(path), name)
        case _:
            return None


def _declared(symbol: object, name: str) -> tuple[s.FieldDecl | s.ArmDecl, AnyShape | None] | None:
    match symbol:
        case (
            StructSymbol(declaration=declaration, scope=scope)
            | ObjectSymbol(declaration=declaration, scope=scope)
        ):
            for item in declaration.fields:
                if item.name.text == name:
                    return item, Shape(item.type, scope, len(item.dimensions))
        case UnionSymbol(declaration=union, scope=scope):
            for arm in union.arms:
                if arm.name.text == name:
                    return arm, Shape(arm.type, scope) if arm.type is not None else None
        case _:
            pass
    return None


def _local(symbol: FunctionSymbol, name: str) -> tuple[Local, AnyShape | None] | None:
    for local in locals_in(symbol):
        if local.name.text == name:
            return local, local.shape
    return None


def locals_in(symbol: FunctionSymbol) -> Iterator[Local]:
    """The parameters and locals of a function, in order."""
    scope = symbol.scope
    for node in (*symbol.declaration.parameters, *nodes(symbol.declaration.body)):
        match node:
            case s.Parameter(name=name, type=type, signature=None) | s.LocalDecl(name=name, type=type):
                yield Local(name, node.span, Shape(type, scope))
            case s.Parameter(name=name):
                yield Local(name, node.span, None)
            case s.ForEach(name=name, type=type) | s.The(name=name, type=type):
                yield Local(name, type.span.to(name.span), Shape(type, scope))
            case s.Choose(name=s.Name() as name, type=chosen) if chosen is not None:
                yield Local(name, chosen.span.to(name.span), Shape(chosen, scope))
            case _:
                pass
