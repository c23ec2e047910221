# SPDX-License-Identifier: GPL-2.0-only
"""Every name of a text to what it means: scopes are those of the elaboration, locals are followed here.

The elaboration itself can't be asked: it inlines, it knows only what the processes of one scenario reach, and it
needs sizes.  Here every function is looked at once, as it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass

from kvmcheck.elaborate.scopes import FunctionSymbol, ModuleSymbol, PropertySymbol, Scope, Symbol
from kvmcheck.lang import syntax as s
from kvmcheck.lang.imports import ModulePath
from kvmcheck.lang.tokens import Token, raw_tokens
from kvmcheck.lang.walk import nodes
from kvmcheck.lsp import shapes
from kvmcheck.lsp.shapes import AnyShape, LiveShape, Shape
from kvmcheck.lsp.targets import Kind, Names, Occurrence, Target
from kvmcheck.lsp.world import World, added_labels, symbol_target
from kvmcheck.source.text import Span

#: Built-in functions that give what they are given, or what their argument points to.
_GIVES_ARGUMENT = frozenset({"READ_ONCE", "data_race", "old"})
_GIVES_TARGET = frozenset({"smp_load_acquire", "xchg", "cmpxchg", "atomic_read"})

#: Places that every function has, without a statement of that name.
_PLACES = frozenset({"entry", "return"})

_Labels = Mapping[str, Target]


def names_of(file: s.File, scope: Scope, world: World) -> Names:
    """The names of a file whose declarations, and those that it uses, are in the scope."""
    walk = _Walk(scope, world)
    walk.file(file)
    ordered = sorted(walk.found.values(), key=lambda o: (o.span.start, o.span.end))
    return Names(tuple(ordered), tuple(walk.unknown))


class _Walk:
    """Goes through one file, with the locals that are known where it is."""

    def __init__(self, scope: Scope, world: World) -> None:
        self.scope = scope
        self.world = world
        self.found: dict[tuple[int, int], Occurrence] = {}
        self.unknown: list[Span] = []
        self._locals: list[dict[str, tuple[Target, AnyShape | None]]] = []
        self._labels: _Labels = {}  # of the function that is looked at: for `goto`
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

    def _declared(self, name: s.Name) -> None:
        """A declaration at the top of the file (a second one of its name means the first)."""
        symbol = self.scope.find((name.text,))
        self._note(name.span, symbol_target(symbol, name.text, self.world) if symbol is not None else None)

    # ---- items

    def file(self, file: s.File) -> None:
        """All of it."""
        if file.module is not None:
            name = self.world.module_name(file)
            if name is not None:
                self._note(name.declared, name)
        for item in file.items:
            if isinstance(item, s.MutantDecl):
                self._added.update(added_labels(item.edits))
        for item in file.items:
            with self._block():
                self._item(item)

    def _item(self, item: s.Item) -> None:
        match item:
            case s.UseDecl():
                self._use(item)
            case s.SortDecl():
                self._declared(item.name)
            case s.TypedefDecl():
                self._note(item.name.span, Target(Kind.TYPE, item.name.text, item.name.span, item.span))
                self._type(item.type)
            case s.EnumDecl():
                self._declared(item.name)
                for constant in item.constants:
                    self._declared(constant)
            case s.StructDecl() | s.ObjectDecl():
                self._declared(item.name)
                for part in item.fields:
                    self._type(part.type)
                    self._note(part.name.span, Target(Kind.FIELD, part.name.text, part.name.span, part.span))
                    for dimension in part.dimensions:
                        self._size(dimension)
                    self._maybe(part.default)
            case s.UnionDecl():
                self._declared(item.name)
                for arm in item.arms:
                    self._note(arm.name.span, Target(Kind.FIELD, arm.name.text, arm.name.span, arm.span))
                    if arm.type is not None:
                        self._type(arm.type)
            case s.VarDecl():
                self._variable(item)
            case s.ParamDecl():
                self._type(item.type)
                self._declared(item.name)
                self._maybe(item.default)
            case s.FunctionDecl():
                self._function(item)
            case s.InvariantDecl(name=name, unless=unless, body=body):
                self._declared(name)
                self._maybe(unless)
                self._expr(body)
            case s.StepDecl(name=name, body=body) | s.CoverDecl(name=name, body=body):
                self._declared(name)
                self._expr(body)
            case s.LiveDecl():
                self._live(item)
            case s.ScenarioDecl():
                self._case(item.name, item.span)
                self._scenario(item)
            case s.MutantDecl():
                self._case(item.name, item.span)
                self._note(item.base.span, self.world.case(item.base.text))
                outer, self.scope = self.scope, self.world.mutant_scope(item)
                for edit in item.edits:
                    self._edit(edit, self.scope)
                for expect in item.expects:
                    self._properties(expect.properties)
                self.scope = outer

    def _use(self, item: s.UseDecl) -> None:
        self._module(item.module, item.span)
        inside = self.scope
        if item.alias is not None:
            self._declared(item.alias)
            symbol = self.scope.find((item.alias.text,))
            inside = symbol.scope if isinstance(symbol, ModuleSymbol) else inside
        for edit in item.edits:
            self._edit(edit, inside)

    def _module(self, module: ModulePath, span: Span, *, after: str = "") -> None:
        """The last word of a module's name, behind the word `after`."""
        target = self.world.module(module)
        tokens = _tokens(span)
        start = next((n + 1 for n, token in enumerate(tokens) if token.text == after), 0)
        found = _along(tokens[start:], module)
        if target is not None and found:
            self._note(found[-1].span, target)

    def _variable(self, item: s.VarDecl) -> None:
        self._type(item.type)
        self._declared(item.name)
        for dimension in item.dimensions:
            self._size(dimension.size)
            if dimension.name is not None:
                size = dimension.size
                shape = Shape(size, self.scope) if isinstance(size, s.NamedType) else None
                self._local(Kind.LOCAL, dimension.name, dimension.span, shape)
        self._maybe(item.initial)
        if item.guard is not None:
            for lock in nodes(item.guard):
                match lock:
                    case s.GuardLock(lock=expr) | s.GuardOwner(index=expr):
                        self._expr(expr)
                    case _:
                        pass

    def _function(self, item: s.FunctionDecl) -> None:
        self._type(item.result)
        self._declared(item.name)
        for parameter in item.parameters:
            self._type(parameter.type)
            for taken in parameter.signature or ():
                self._type(taken)
            shape = Shape(parameter.type, self.scope) if parameter.signature is None else None
            self._local(Kind.LOCAL, parameter.name, parameter.span, shape)
        self._code(item.body)

    def _code(self, body: s.Block) -> None:
        """A body of its own: its `goto` labels are known in all of it."""
        before = self._labels
        self._labels = {
            node.name.text: Target(Kind.LABEL, node.name.text, node.name.span, node.span)
            for node in nodes(body)
            if isinstance(node, s.CLabel)
        }
        self._statement(body)
        self._labels = before

    def _live(self, item: s.LiveDecl) -> None:
        self._declared(item.name)
        tokens = _tokens(item.span)
        if item.function is not None:
            start = next((n + 1 for n, token in enumerate(tokens) if token.text == "{"), 0)
            self._path(item.function, tokens[start:])
        self._maybe(item.left)
        self._maybe(item.right)
        start = next((n + 1 for n, token in enumerate(tokens) if token.text == "many"), len(tokens))
        for path in item.finitely:
            found = self._path(path, tokens[start:])
            start += len(found) + 1

    # ---- scenarios and edits

    def _case(self, name: s.Name, whole: Span) -> None:
        self._note(name.span, self.world.case(name.text) or Target(Kind.CASE, name.text, name.span, whole))

    def _scenario(self, item: s.ScenarioDecl) -> None:
        for part in item.items:  # its members are known in all of it
            if isinstance(part, s.Distinct):
                self._type(part.type)
                for name in part.names:
                    self._local(Kind.CONSTANT, name, part.span, Shape(part.type, self.scope))
        for part in item.items:
            match part:
                case s.Setting(name=path, value=value):
                    self._path(path, _tokens(part.span), anywhere=True)
                    self._maybe(value)
                case s.SeqWrap(modulus=expr):
                    self._expr(expr)
                case s.Init(body=body):
                    self._code(body)
                case s.ProcessDecl():
                    self._process(part)
                case s.Check(names=names) | s.CoverList(names=names):
                    self._properties(names)
                case s.Expect(properties=names):
                    self._properties(names)
                case s.Memory() | s.Distinct():
                    pass

    def _process(self, item: s.ProcessDecl) -> None:
        target = Target(Kind.PROCESS, item.name.text, item.name.span, item.span)
        self._note(item.name.span, target)
        self._maybe(item.count)
        with self._block():
            for parameter in item.parameters:
                self._type(parameter.type)
                shape = Shape(parameter.type, self.scope)
                self._local(Kind.LOCAL, parameter.name, parameter.span, shape)
            self._code(item.body)
            if item.interrupt is not None:
                self._expr(item.interrupt.condition)
                self._code(item.interrupt.body)

    def _properties(self, names: tuple[s.Name, ...]) -> None:
        for name in names:
            symbol = self.scope.find((name.text,))
            if isinstance(symbol, PropertySymbol):
                self._note(name.span, symbol_target(symbol, name.text, self.world))
            else:
                self._note(name.span, self.world.goal(name.text))

    def _edit(self, edit: s.Edit, scope: Scope) -> None:
        match edit:
            case s.Drop(label=label):
                self._label(label, scope)
            case s.Move(label=label, anchor=other) | s.Swap(first=label, second=other):
                self._label(label, scope)
                self._label(other, scope)
            case s.ReplaceLock(label=label):
                self._label(label, scope)
            case s.Replace(label=label, body=body) | s.Insert(label=label, body=body):
                self._label(label, scope)
                self._new_code(label, body, scope)
            case s.SetParam(name=name, value=value):
                symbol = scope.find((name.text,)) or self.world.anywhere((name.text,))
                self._note(name.span, symbol_target(symbol, name.text, self.world) if symbol else None)
                self._expr(value)
            case s.ReplaceModule(module=module, by=by):
                self._module(module, edit.span)
                self._module(by, edit.span, after="with")

    def _new_code(self, label: s.LabelRef, body: s.Block, scope: Scope) -> None:
        """Code that an edit puts into a function: it sees what the function's own code sees."""
        symbol = scope.find(label.function) if label.function else None
        outer = self.scope
        with self._block():
            if isinstance(symbol, FunctionSymbol):
                self.scope = symbol.scope
                self._locals[-1].update(_locals_of(symbol))
            self._code(body)
        self.scope = outer

    def _label(self, label: s.LabelRef, scope: Scope, of: FunctionSymbol | None = None) -> None:
        """`@A`, `f@A`; without a function, a label of `of`."""
        tokens = _tokens(label.span)
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

    # ---- types and paths

    def _path(self, path: tuple[str, ...], tokens: list[Token], *, anywhere: bool = False) -> list[Token]:
        """The tokens of a dotted name, each with what it means; `anywhere`: in any module if not in scope."""
        found = _along(tokens, path)
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
                self._path(path, _tokens(span))
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

    # ---- statements

    def _statement(self, statement: s.Stmt) -> None:
        match statement:
            case s.Block(body=body):
                with self._block():
                    for inner in body:
                        self._statement(inner)
            case s.LocalDecl(type=type, name=name, initial=initial):
                self._type(type)
                self._maybe(initial)
                self._local(Kind.LOCAL, name, statement.span, Shape(type, self.scope))
            case s.For(initial=first, condition=condition, step=step, body=inner):
                with self._block():
                    if first is not None:
                        self._statement(first)
                    self._maybe(condition)
                    if step is not None:
                        self._statement(step)
                    self._statement(inner)
            case s.ForEach(type=type, name=name, domain=domain, body=inner):
                self._type(type)
                self._maybe(domain)
                with self._block():
                    whole = type.span.to(name.span)
                    self._local(Kind.LOCAL, name, whole, Shape(type, self.scope))
                    self._statement(inner)
            case s.Switch(subject=subject, cases=cases):
                shape = self._expr(subject)
                for case in cases:
                    for value in case.values:
                        self._case_value(value, shape)
                    with self._block():
                        for inner in case.body:
                            self._statement(inner)
            case s.Choose(type=chosen, name=declared, place=place, condition=condition):
                self._maybe(place)
                if chosen is not None and declared is not None:
                    self._type(chosen)
                    whole = chosen.span.to(declared.span)
                    self._local(Kind.LOCAL, declared, whole, Shape(chosen, self.scope))
                self._maybe(condition)
            case s.Labelled(label=name, body=inner):
                self._note(name.span, Target(Kind.LABEL, name.text, name.span, statement.span))
                self._statement(inner)
            case s.Goto(target=name):
                self._note(name.span, self._labels.get(name.text))
            case s.CLabel(name=name):
                self._note(name.span, self._labels.get(name.text))
            case s.CoverStmt(name=name):
                symbol = self.scope.find((name.text,))
                known = isinstance(symbol, PropertySymbol)
                self._note(
                    name.span,
                    symbol_target(symbol, name.text, self.world)
                    if known and symbol is not None
                    else self.world.goal(name.text)
                    or Target(Kind.GOAL, name.text, name.span, statement.span),
                )
            case _:
                self._inside(statement)

    def _inside(self, node: object) -> None:
        """What a statement without names of its own is made of."""
        assert is_dataclass(node)
        for part in fields(node):
            value: object = getattr(node, part.name)
            for inner in value if isinstance(value, tuple) else (value,):
                if isinstance(inner, s.Stmt):
                    self._statement(inner)
                elif isinstance(inner, s.Expr):
                    self._expr(inner)

    def _case_value(self, value: s.Expr, subject: AnyShape | None) -> None:
        """A constant, or an arm of the union that is looked at."""
        if isinstance(value, s.Name) and self._member(value, subject):
            return
        self._expr(value)

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
        tokens = _tokens(event.span)
        start = 1 if event.kind in (s.EventKind.CALL, s.EventKind.RETURN) else 0
        found = self._path(event.function, tokens[start:])
        if event.label is not None and len(tokens) > start + len(found) + 1:
            symbol = self.scope.find(event.function)
            self._labelled(tokens[start + len(found) + 1].span, event.label, symbol, ".".join(event.function))
        for argument in event.arguments:
            self._maybe(argument)


def _tokens(span: Span) -> list[Token]:
    """The tokens of a part of a text."""
    found: list[Token] = []
    for token in raw_tokens(span.source, span.start):
        if token.span.end > span.end:
            break
        found.append(token)
    return found


def _along(tokens: list[Token], path: tuple[str, ...]) -> list[Token]:
    """The first tokens that spell a dotted name, dots included; none if nothing does."""
    spelt: list[str] = []
    for part in path:
        spelt += [".", part] if spelt else [part]
    for start in range(len(tokens) - len(spelt) + 1):
        if [token.text for token in tokens[start : start + len(spelt)]] == spelt:
            return tokens[start : start + len(spelt)]
    return []


def _locals_of(symbol: FunctionSymbol) -> dict[str, tuple[Target, AnyShape | None]]:
    """All locals of a function; of two with one name neither, since it is not known which is meant."""
    every = tuple(shapes.locals_in(symbol))
    names = [local.name.text for local in every]
    return {
        local.name.text: (Target(Kind.LOCAL, local.name.text, local.name.span, local.span), local.shape)
        for local in every
        if names.count(local.name.text) == 1
    }
