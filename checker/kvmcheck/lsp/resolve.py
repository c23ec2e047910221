# SPDX-License-Identifier: GPL-2.0-only
"""Every name of a text to what it means: scopes are those of the elaboration, locals are followed here.

The elaboration itself can't be asked: it inlines, it knows only what the processes of one scenario reach, and it
needs sizes.  Here every function is looked at once, as it is written.
"""

from __future__ import annotations

from collections.abc import Mapping

from kvmcheck.elaborate.scopes import FunctionSymbol, ModuleSymbol, PropertySymbol, Scope
from kvmcheck.lang import syntax as s
from kvmcheck.lang.imports import ModulePath
from kvmcheck.lang.walk import nodes
from kvmcheck.lsp import shapes
from kvmcheck.lsp.expressions import Expressions, along, tokens_of
from kvmcheck.lsp.shapes import AnyShape, Shape
from kvmcheck.lsp.targets import Kind, Names, Target
from kvmcheck.lsp.world import World, added_labels, symbol_target
from kvmcheck.source.text import Span

_Labels = Mapping[str, Target]


def names_of(file: s.File, scope: Scope, world: World) -> Names:
    """The names of a file whose declarations, and those that it uses, are in the scope."""
    walk = _Walk(scope, world)
    walk.file(file)
    ordered = sorted(walk.found.values(), key=lambda o: (o.span.start, o.span.end))
    return Names(tuple(ordered), tuple(walk.unknown))


class _Walk(Expressions):
    """Goes through one file."""

    def __init__(self, scope: Scope, world: World) -> None:
        super().__init__(scope, world)
        self._labels: _Labels = {}  # of the function that is looked at: for `goto`

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
        tokens = tokens_of(span)
        start = next((n + 1 for n, token in enumerate(tokens) if token.text == after), 0)
        found = along(tokens[start:], module)
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
        tokens = tokens_of(item.span)
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
                    self._path(path, tokens_of(part.span), anywhere=True)
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

    def _case_value(self, value: s.Expr, subject: AnyShape | None) -> None:
        """A constant, or an arm of the union that is looked at."""
        if isinstance(value, s.Name) and self._member(value, subject):
            return
        self._expr(value)

    def _part(self, node: object) -> None:
        if isinstance(node, s.Stmt):
            self._statement(node)
        else:
            super()._part(node)


def _locals_of(symbol: FunctionSymbol) -> dict[str, tuple[Target, AnyShape | None]]:
    """All locals of a function; of two with one name neither, since it is not known which is meant."""
    every = tuple(shapes.locals_in(symbol))
    names = [local.name.text for local in every]
    return {
        local.name.text: (Target(Kind.LOCAL, local.name.text, local.name.span, local.span), local.shape)
        for local in every
        if names.count(local.name.text) == 1
    }
