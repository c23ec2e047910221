# SPDX-License-Identifier: GPL-2.0-only
"""Names in types and expressions, with the locals that are known where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass

from kvmcheck.elaborate.scopes import FunctionSymbol, ModuleSymbol, Scope, Symbol
from kvmcheck.lang import syntax as s
from kvmcheck.lang.tokens import Token, raw_tokens
from kvmcheck.lsp import shapes
from kvmcheck.lsp.shapes import AnyShape, LiveShape, Shape
from kvmcheck.lsp.targets import Kind, Occurrence, Target
from kvmcheck.lsp.world import World, symbol_target
from kvmcheck.source.text import Span

#: Built-in functions that give what they are given, or what their argument points to.
_GIVES_ARGUMENT = frozenset({"READ_ONCE", "data_race", "old"})
_GIVES_TARGET = frozenset({"smp_load_acquire", "xchg", "cmpxchg", "atomic_read"})

#: Places that every function has, without a statement of that name.
_PLACES = frozenset({"entry", "return"})


class Expressions:
    """What is found in one file so far, and the scope and locals of the place that is looked at."""

    def __init__(self, scope: Scope, world: World) -> None:
        self.scope = scope
        self.world = world
        self.found: dict[tuple[int, int], Occurrence] = {}
        self.unknown: list[Span] = []
        self._locals: list[dict[str, tuple[Target, AnyShape | None]]] = []
        self._added = dict(world.added)  # labels that edits put into functions

    # ---- bookkeeping

    def _note(self, span: Span, target: Target | None) -> None:
        if target is None:
            self.unknown.append(span)
        else:
            self.found[span.start, span.end] = Occurrence(span, target)

    @contextmanager
    def _block(self) -> Iterator[None]:
        self._locals.append({})
        yield
        self._locals.pop()

    def _local(self, kind: Kind, name: s.Name, whole: Span, shape: AnyShape | None) -> None:
        target = Target(kind, name.text, name.span, whole)
        self._note(name.span, target)
        self._locals[-1][name.text] = target, shape

    # ---- labels, types and paths

    def _label(self, label: s.LabelRef, scope: Scope, of: FunctionSymbol | None = None) -> None:
        """`@A`, `f@A`; without a function, a label of `of`."""
        tokens = tokens_of(label.span)
        symbol: Symbol | None = of
        if label.function:
            outer, self.scope = self.scope, scope
            self._path(label.function, tokens)
            self.scope = outer
            symbol = scope.find(label.function)
        at = next((n for n, token in enumerate(tokens) if token.text == "@"), None)
        if at is None or at + 1 >= len(tokens):
            return
        self._labelled(tokens[at + 1].span, label.label, symbol, ".".join(label.function))

    def _labelled(self, span: Span, label: str, symbol: Symbol | None, written: str) -> None:
        if label in _PLACES:
            return
        target = self.world.labels(symbol).get(label) if isinstance(symbol, FunctionSymbol) else None
        self._note(span, target or self._added.get((written, label)))

    def _path(self, path: tuple[str, ...], tokens: list[Token], *, anywhere: bool = False) -> list[Token]:
        """The tokens of a dotted name, each with what it means; `anywhere`: in any module if not in scope."""
        found = along(tokens, path)
        scope: Scope | None = self.scope
        for position, part in enumerate(found[::2]):
            local = self._find(part.text) if position == 0 and len(path) == 1 else None
            symbol = scope.find((part.text,)) if scope is not None else None
            if symbol is None and anywhere and position == len(path) - 1:
                symbol = self.world.anywhere(path)
            if local is not None:
                self._note(part.span, local[0])
            else:
                self._note(part.span, symbol_target(symbol, part.text, self.world) if symbol else None)
            scope = symbol.scope if isinstance(symbol, ModuleSymbol) else None
        return found

    def _type(self, type: s.TypeExpr) -> None:
        match type:
            case s.NamedType(path=("Thread",)):
                pass
            case s.NamedType(path=path, span=span):
                self._path(path, tokens_of(span))
            case s.OptionalType(inner=inner) | s.PointerType(target=inner) | s.SetType(element=inner):
                self._type(inner)
            case s.ListType(element=inner, capacity=capacity):
                self._type(inner)
                self._expr(capacity)
            case s.IntType(low=low, high=high):
                self._maybe(low)
                self._maybe(high)
            case s.SeqType(wrap=wrap):
                self._maybe(wrap)
            case s.BoolType() | s.VoidType() | s.LockType():
                pass

    def _size(self, size: s.TypeExpr | s.Expr) -> None:
        """A dimension: a type, or a number."""
        match size:
            case (
                s.NamedType()
                | s.OptionalType()
                | s.PointerType()
                | s.SetType()
                | s.ListType()
                | s.IntType()
                | s.SeqType()
                | s.BoolType()
                | s.VoidType()
                | s.LockType()
            ):
                self._type(size)
            case _:
                self._expr(size)

    # ---- expressions

    def _maybe(self, expr: s.Expr | None) -> None:
        if expr is not None:
            self._expr(expr)

    def _find(self, text: str) -> tuple[Target, AnyShape | None] | None:
        return next((block[text] for block in reversed(self._locals) if text in block), None)

    def _member(self, name: s.Name, shape: AnyShape | None) -> bool:
        """Note a field or arm; whether there is one."""
        found = shapes.field(shape, name.text)
        if found is None:
            return False
        kind = Kind.LOCAL if isinstance(found[0], shapes.Local) else Kind.FIELD
        self._note(name.span, Target(kind, name.text, found[0].name.span, found[0].span))
        return True

    def _expr(self, expr: s.Expr) -> AnyShape | None:
        """Go through it; what it gives, where that is known."""
        match expr:
            case s.Name(text=text, span=span):
                local = self._find(text)
                if local is not None:
                    self._note(span, local[0])
                    return local[1]
                symbol = self.scope.find((text,))
                self._note(span, symbol_target(symbol, text, self.world) if symbol is not None else None)
                return self.world.shape(symbol)
            case s.Field(base=base, name=name):
                inside = self._module_scope(base)
                if inside is not None:
                    self._expr(base)
                    symbol = inside.find((name.text,))
                    self._note(name.span, symbol_target(symbol, name.text, self.world) if symbol else None)
                    return self.world.shape(symbol)
                return self._field(self._expr(base), name)
            case s.Arrow(base=base, name=name):
                return self._field(shapes.target(self._expr(base)), name)
            case s.Index(base=base, index=index):
                shape = self._expr(base)
                self._expr(index)
                return shapes.element(shape)
            case s.AddressOf(place=place):
                return shapes.pointer(self._expr(place))
            case s.Dereference(pointer=inner):
                return shapes.target(self._expr(inner))
            case s.Call():
                return self._call(expr)
            case s.StructLiteral(type=type, fields=given):
                self._type(type)
                shape = Shape(type, self.scope)
                for name, value in given:
                    if not self._member(name, shape):
                        self._note(name.span, None)
                    self._maybe(value)
                return shape
            case s.Any(type=type):
                self._type(type)
                return Shape(type, self.scope)
            case s.Alloc(type=type):
                self._type(type)
                return shapes.pointer(Shape(type, self.scope))
            case s.The(type=type, name=name, condition=condition):
                self._type(type)
                with self._block():
                    self._local(Kind.LOCAL, name, type.span.to(name.span), Shape(type, self.scope))
                    self._expr(condition)
                return Shape(type, self.scope)
            case s.Ternary(condition=condition, then=then, otherwise=otherwise):
                self._expr(condition)
                shape = self._expr(then)
                return self._expr(otherwise) or shape
            case s.IncDec(place=place):
                return self._expr(place)
            case s.Quantified(binders=binders, body=body):
                with self._block():
                    for binder in binders:
                        self._binder(binder)
                    self._expr(body)
                return None
            case s.LiveAt(call=call, label=label):
                self._label(label, self.scope, self._running(call))
                return None
            case s.LiveIn(call=call, start=start, end=end):
                of = self._running(call)
                self._label(start, self.scope, of)
                self._label(end, self.scope, of)
                return None
            case s.After(start=start, end=until, body=body):
                self._event(start)
                if until is not None:
                    self._event(until)
                self._expr(body)
                return None
            case _:
                self._inside(expr)
                return None

    def _module_scope(self, base: s.Expr) -> Scope | None:
        """The scope of a module that is named, and not hidden by a local."""
        match base:
            case s.Name(text=text) if self._find(text) is None:
                symbol = self.scope.find((text,))
            case s.Field(base=inner, name=name):
                outer = self._module_scope(inner)
                symbol = outer.find((name.text,)) if outer is not None else None
            case _:
                return None
        return symbol.scope if isinstance(symbol, ModuleSymbol) else None

    def _field(self, shape: AnyShape | None, name: s.Name) -> AnyShape | None:
        if self._member(name, shape):
            found = shapes.field(shape, name.text)
            return found[1] if found is not None else None
        if not (isinstance(shape, LiveShape) and name.text == "thread"):
            self._note(name.span, None)
        return None

    def _call(self, call: s.Call) -> AnyShape | None:
        function = call.function
        if isinstance(function, s.Field) and self._module_scope(function.base) is None:
            shape = self._expr(function.base)
            for argument in call.arguments:
                arm = function.name.text == "is" and isinstance(argument, s.Name)
                if not (arm and isinstance(argument, s.Name) and self._member(argument, shape)):
                    self._expr(argument)
            return shapes.element(shape) if function.name.text == "pop" else None
        symbol = self._symbol(function)
        self._expr(function)
        given = [self._expr(argument) for argument in call.arguments]
        if isinstance(symbol, FunctionSymbol):
            return Shape(symbol.declaration.result, symbol.scope)
        name = function.text if isinstance(function, s.Name) else ""
        if name in _GIVES_ARGUMENT and given:
            return given[0]
        return shapes.target(given[0]) if name in _GIVES_TARGET and given else None

    def _symbol(self, function: s.Expr) -> Symbol | None:
        match function:
            case s.Name(text=text) if self._find(text) is None:
                return self.scope.find((text,))
            case s.Field(base=base, name=name):
                inside = self._module_scope(base)
                return inside.find((name.text,)) if inside is not None else None
            case _:
                return None

    def _binder(self, binder: s.Binder) -> None:
        self._maybe(binder.domain)
        self._type(binder.type)
        shape: AnyShape = Shape(binder.type, self.scope)
        if isinstance(binder.type, s.NamedType):
            symbol = self.scope.find(binder.type.path)
            shape = LiveShape(symbol) if isinstance(symbol, FunctionSymbol) else shape
        self._local(Kind.LOCAL, binder.name, binder.span, shape)

    def _running(self, call: s.Name) -> FunctionSymbol | None:
        shape = self._expr(call)
        return shape.function if isinstance(shape, LiveShape) else None

    def _event(self, event: s.Event) -> None:
        tokens = tokens_of(event.span)
        start = 1 if event.kind in (s.EventKind.CALL, s.EventKind.RETURN) else 0
        found = self._path(event.function, tokens[start:])
        if event.label is not None and len(tokens) > start + len(found) + 1:
            symbol = self.scope.find(event.function)
            self._labelled(tokens[start + len(found) + 1].span, event.label, symbol, ".".join(event.function))
        for argument in event.arguments:
            self._maybe(argument)

    def _inside(self, node: object) -> None:
        """What a node without names of its own is made of."""
        assert is_dataclass(node)
        for part in fields(node):
            value: object = getattr(node, part.name)
            for inner in value if isinstance(value, tuple) else (value,):
                self._part(inner)

    def _part(self, node: object) -> None:
        """A part of a node; of statements whoever knows them takes care."""
        if isinstance(node, s.Expr):
            self._expr(node)


def tokens_of(span: Span) -> list[Token]:
    """The tokens of a part of a text."""
    found: list[Token] = []
    for token in raw_tokens(span.source, span.start):
        if token.span.end > span.end:
            break
        found.append(token)
    return found


def along(tokens: list[Token], path: tuple[str, ...]) -> list[Token]:
    """The first tokens that spell a dotted name, dots included; none if nothing does."""
    spelt: list[str] = []
    for part in path:
        spelt += [".", part] if spelt else [part]
    for start in range(len(tokens) - len(spelt) + 1):
        if [token.text for token in tokens[start : start + len(spelt)]] == spelt:
            return tokens[start : start + len(spelt)]
    return []
