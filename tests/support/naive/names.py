# SPDX-License-Identifier: GPL-2.0-only
"""What names mean in one scenario or mutant: module instances, sizes, types, constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kvmcheck.lang import syntax as s
from tests.support.naive import values as v
from tests.support.naive.edits import edited


@dataclass(eq=False)
class Scope:
    """The names of one module instance."""

    prefix: str
    table: dict[str, Found] = field(default_factory=dict)


@dataclass(frozen=True)
class Constant:
    """An enum constant or a fixed member."""

    value: v.Value
    kind: v.Type


@dataclass(frozen=True)
class Found:
    """What a name means, and where it was declared."""

    what: s.Item | Constant | Scope
    scope: Scope

    @property
    def key(self) -> str:
        """One string a declaration and instance."""
        assert not isinstance(self.what, Constant | Scope | s.UseDecl)
        return self.scope.prefix + self.what.name.text


class World:
    """One case of a unit with its names, sizes and edited functions."""

    def __init__(self, root: s.File, modules: Mapping[tuple[str, ...], s.File], case: str) -> None:
        self._modules = modules
        self._instances: dict[tuple[tuple[str, ...], str], Scope] = {}
        self.functions: dict[str, s.FunctionDecl] = {}
        self.variants: list[tuple[tuple[s.Edit, ...], Scope]] = []
        self.sizes: dict[str, tuple[int, s.SortKind | None]] = {}
        self.settings: dict[str, s.Setting] = {}
        self.seq_wrap: int | None = None
        self.chosen_params: dict[str, v.Value] = {}
        self.used_params: set[str] = set()
        scenarios = {i.name.text: i for i in root.items if isinstance(i, s.ScenarioDecl)}
        mutants = {i.name.text: i for i in root.items if isinstance(i, s.MutantDecl)}
        edits: tuple[s.Edit, ...] = ()
        self.expects: tuple[s.Expect, ...] = ()
        while case in mutants:
            edits = mutants[case].edits + edits
            self.expects += mutants[case].expects
            case = mutants[case].base.text
        uses = (i for f in (*modules.values(), root) for i in f.items if isinstance(i, s.UseDecl))
        changes = (*(e for use in uses for e in use.edits), *edits)
        self._replaced = [(e.module, e.by) for e in changes if isinstance(e, s.ReplaceModule)]
        self.root = self._scope(root, "")
        self.scenario = scenarios[case]
        self.processes = {p.name.text: p for p in self.scenario.items if isinstance(p, s.ProcessDecl)}
        for item in self.scenario.items:
            if isinstance(item, s.Setting):
                self.settings[self.find(self.root, item.name).key] = item
            elif isinstance(item, s.SeqWrap):
                self.seq_wrap = self.constant(item.modulus, self.root)
        for variant, scope in self.variants:
            self.apply(variant, scope)
        self.apply(edits, self.root)
        self.pools: dict[str, tuple[s.ObjectDecl, Scope]] = {}
        for scope in self.all_scopes():
            for found in scope.table.values():
                if isinstance(found.what, s.ObjectDecl):
                    self.pools[found.key] = (found.what, found.scope)
        for item in self.scenario.items:
            if isinstance(item, s.Distinct):
                kind = self.type(item.type, self.root)
                for n, name in enumerate(item.names):
                    self.root.table[name.text] = Found(Constant(n, kind), self.root)
        self.local_types: dict[tuple[str, str], v.Type] = {}
        self.thread_count = 0
        for process in self.processes.values():
            self.thread_count += self._instances_of(process)

    def _instances_of(self, process: s.ProcessDecl) -> int:
        if process.count is not None:
            return self.constant(process.count, self.root)
        number = 1
        for parameter in process.parameters:
            number *= len(v.members(self.type(parameter.type, self.root)))
        return number

    # ---- scopes

    def _scope(self, file: s.File, prefix: str, module: tuple[str, ...] = ()) -> Scope:
        scope = Scope(prefix)
        for item in file.items:
            if isinstance(item, s.UseDecl):
                self._use(item, scope, module)
        for item in file.items:
            match item:
                case s.UseDecl() | s.ScenarioDecl() | s.MutantDecl():
                    continue
                case s.TypedefDecl(type=target):
                    scope.table[item.name.text] = self.find(scope, target.path)
                    continue
                case s.EnumDecl():
                    kind = v.Ident(item.name.text, len(item.constants))
                    for n, constant in enumerate(item.constants):
                        scope.table[constant.text] = Found(Constant(n, kind), scope)
                case s.FunctionDecl():
                    self.functions[prefix + item.name.text] = item
                case _:
                    pass
            scope.table[item.name.text] = Found(item, scope)
        return scope

    def _use(self, item: s.UseDecl, scope: Scope, inside: tuple[str, ...]) -> None:
        prefix = scope.prefix + item.alias.text + "." if item.alias else ""
        module = item.module
        for old, new in self._replaced:
            if module == old and new != inside:
                module = new
        key = (module, prefix)
        if key not in self._instances:
            self._instances[key] = self._scope(self._modules[module], prefix, module)
        used = self._instances[key]
        self.variants.append((item.edits, used))
        if item.alias:
            scope.table[item.alias.text] = Found(used, scope)
        else:
            scope.table.update(used.table)

    def all_scopes(self) -> list[Scope]:
        """Every instance, the spec's own last."""
        return [*self._instances.values(), self.root]

    def apply(self, edits: tuple[s.Edit, ...], scope: Scope) -> None:
        """Change functions, processes and parameters as a mutant says."""
        for edit in edits:
            if isinstance(edit, s.ReplaceModule):
                continue
            if isinstance(edit, s.SetParam):
                found = self.find(scope, (edit.name.text,))
                setting = s.Setting((edit.name.text,), None, edit.value, edit.span)
                self.settings[found.key] = setting
                continue
            path = s_label(edit).function
            if len(path) == 1 and scope is self.root and path[0] in self.processes:
                process = self.processes[path[0]]
                body = edited(process.body, edit)
                self.processes[path[0]] = s.ProcessDecl(
                    process.name, process.parameters, process.count, process.hardware,
                    process.daemon, body, process.interrupt, process.span,
                )  # fmt: skip
                continue
            key = self.find(scope, path).key
            old = self.functions[key]
            self.functions[key] = s.FunctionDecl(
                old.result, old.name, old.parameters, old.pure, old.source, edited(old.body, edit), old.span
            )

    def find(self, scope: Scope, path: tuple[str, ...]) -> Found:
        """What a dotted name means; `KeyError` if nothing."""
        for part in path[:-1]:
            inner = scope.table[part].what
            if not isinstance(inner, Scope):
                raise KeyError(path)
            scope = inner
        return scope.table[path[-1]]

    # ---- constants and types

    def constant(self, expr: s.Expr, scope: Scope) -> int:
        """A constant expression's number."""
        match expr:
            case s.IntLiteral(value):
                return value
            case s.BoolLiteral(truth):
                return int(truth)
            case s.Name() | s.Field():
                return v.as_int(self.named_constant(self.find(scope, dotted(expr))))
            case s.Unary(op, operand):
                inner = self.constant(operand, scope)
                return -inner if op is s.UnaryOp.NEGATE else int(not inner)
            case s.Binary(op, left, right):
                a, b = self.constant(left, scope), self.constant(right, scope)
                return int(arithmetic(op, a, b))
            case s.Ternary(condition, then, otherwise):
                return self.constant(then if self.constant(condition, scope) else otherwise, scope)
            case _:
                raise ValueError(f"not constant: {expr}")

    def named_constant(self, found: Found) -> v.Value:
        """The value of a parameter, enum constant, fixed member; of a sort: its size."""
        what = found.what
        match what:
            case Constant():
                return what.value
            case s.ParamDecl():
                if found.key in self.chosen_params:
                    self.used_params.add(found.key)
                    return self.chosen_params[found.key]
                setting = self.settings.get(found.key)
                value = setting.value if setting else what.default
                assert value is not None
                return self.constant(value, self.root if setting else found.scope)
            case s.SortDecl():
                return self.size(found)
            case _:
                raise ValueError(f"not constant: {what}")

    def size(self, found: Found) -> int:
        """How many members a sort has (a pool, objects)."""
        value = self.settings[found.key].value
        assert value is not None
        return self.constant(value, self.root)

    def variable_type(self, found: Found) -> v.Type:
        """The type of a shared, ghost or lock variable, dimensions and all."""
        what = found.what
        assert isinstance(what, s.VarDecl)
        kind = self.type(what.type, found.scope)
        return self.array(kind, tuple(d.size for d in what.dimensions), found.scope)

    def object_type(self, pool: str) -> v.Struct:
        """The fields of a pool's objects."""
        declaration, scope = self.pools[pool]
        return v.Struct(pool, False, self.fields(declaration.fields, scope))

    def pool_size(self, pool: str) -> int:
        """How many objects a pool has."""
        value = self.settings[pool].value
        assert value is not None
        return self.constant(value, self.root)

    def is_param(self, found: Found) -> bool:
        """Whether a name is a parameter of the model."""
        return isinstance(found.what, s.ParamDecl)

    def any_params(self) -> list[tuple[str, v.Type]]:
        """Parameters that take every value."""
        result: dict[str, v.Type] = {}
        for scope in self.all_scopes():
            for found in scope.table.values():
                if isinstance(found.what, s.ParamDecl) and (setting := self.settings.get(found.key)):
                    if setting.value is None:
                        result[found.key] = self.type(found.what.type, found.scope)
        return list(result.items())

    def type(self, expr: s.TypeExpr, scope: Scope) -> v.Type:
        """The type that is written so."""
        match expr:
            case s.BoolType():
                return v.Bool()
            case s.VoidType():
                return v.Void()
            case s.IntType(low, high, wrap):
                if low is None or high is None:
                    return v.Int(-128, 127, wrap)
                return v.Int(self.constant(low, scope), self.constant(high, scope), wrap)
            case s.SeqType(modulus):
                return v.Seq(self.seq_wrap if modulus is None else self.constant(modulus, scope))
            case s.OptionalType(inner):
                return v.Opt(self.type(inner, scope))
            case s.PointerType(target):
                if isinstance(target, s.NamedType):
                    found = self.find(scope, target.path) if target.path != ("Thread",) else None
                    if found and isinstance(found.what, s.ObjectDecl):
                        return v.ObjPtr(found.key)
                return v.PlacePtr(repr(target), lambda: self.type(target, scope))
            case s.ListType(element, capacity):
                scenario = not isinstance(capacity, s.IntLiteral)
                return v.ListOf(self.type(element, scope), self.constant(capacity, scope), scenario)
            case s.SetType(element):
                return v.SetOf(self.type(element, scope))
            case s.LockType(kind):
                return v.Lock(kind.value)
            case s.NamedType(("Thread",)):
                return v.Ident("Thread", self.thread_count)
            case s.NamedType(path):
                return self._named(self.find(scope, path))

    def _named(self, found: Found) -> v.Type:
        what = found.what
        match what:
            case s.SortDecl():
                setting = self.settings[found.key]
                kind = setting.kind or what.kind
                ordered = kind is s.SortKind.INDEX
                return v.Ident(found.key, self.size(found), ordered, not ordered)
            case s.EnumDecl():
                return v.Ident(what.name.text, len(what.constants))
            case s.StructDecl():
                return v.Struct(found.key, what.word, self.fields(what.fields, found.scope))
            case s.UnionDecl():
                arms = tuple(
                    (a.name.text, None if a.type is None else self.type(a.type, found.scope))
                    for a in what.arms
                )
                return v.Union(found.key, arms)
            case _:
                raise ValueError(f"not a type: {what}")

    def fields(
        self, fields: tuple[s.FieldDecl, ...], scope: Scope
    ) -> tuple[tuple[str, v.Type, v.Value], ...]:
        """The fields of a struct or object with their defaults."""
        result = []
        for f in fields:
            kind = self.array(self.type(f.type, scope), f.dimensions, scope)
            start: v.Value = None
            if f.default is not None:
                start = v.fit(self.literal(f.default, scope), inner_type(kind))
            elif not v.is_whole(kind):
                start = v.default(kind)
            result.append((f.name.text, kind, start))
        return tuple(result)

    def literal(self, expr: s.Expr, scope: Scope) -> v.Value:
        """A constant of any type."""
        match expr:
            case s.NoneLiteral() | s.NullLiteral():
                return None
            case s.BraceLiteral(elements):
                return v.Brace(tuple(self.literal(e, scope) for e in elements))
            case s.StructLiteral(kind, fields):
                made = self.type(kind, scope)
                given = {n.text: e for n, e in fields}
                if isinstance(made, v.Union):
                    ((name, e),) = given.items()
                    return v.Arm(name, None if e is None else self.literal(e, scope))
                assert isinstance(made, v.Struct)
                parts = []
                for name, inner, start in made.fields:
                    e = given.get(name)
                    parts.append((name, start if e is None else v.fit(self.literal(e, scope), inner)))
                return v.Record(tuple(parts))
            case _:
                return self.constant(expr, scope)

    def array(self, kind: v.Type, dimensions: tuple[s.TypeExpr | s.Expr, ...], scope: Scope) -> v.Type:
        """The type with dimensions around it."""
        for dimension in reversed(dimensions):
            kind = v.Array(self.dimension(dimension, scope), kind)
        return kind

    def dimension(self, size: s.TypeExpr | s.Expr, scope: Scope) -> int:
        """How many elements a dimension has."""
        match size:
            case s.NamedType(path):
                if path == ("Thread",):
                    return self.thread_count
                found = self.find(scope, path)
                if isinstance(found.what, s.SortDecl | s.EnumDecl):
                    return len(v.members(self._named(found)))
                return v.as_int(self.named_constant(found))
            case s.Name(text):
                return self.dimension(s.NamedType((text,), size.span), scope)
            case s.BoolType() | s.IntType():
                return len(v.members(self.type(size, scope)))
            case s.OptionalType() | s.SeqType() | s.VoidType() | s.PointerType() | s.LockType():
                raise ValueError("not a dimension")
            case s.ListType() | s.SetType():
                raise ValueError("not a dimension")
            case _:
                return self.constant(size, scope)


def inner_type(kind: v.Type) -> v.Type:
    """The element's type of an array, however deep."""
    while isinstance(kind, v.Array):
        kind = kind.element
    return kind


def s_label(edit: s.Edit) -> s.LabelRef:
    """The label that an edit is about."""
    match edit:
        case s.Drop(label) | s.Replace(label) | s.ReplaceLock(label) | s.Move(label):
            return label
        case s.Insert(_, _, label):
            return label
        case s.Swap(first):
            return first
        case s.SetParam() | s.ReplaceModule():
            raise ValueError("no label")


def dotted(expr: s.Expr) -> tuple[str, ...]:
    """`a.b.c` as a path; `KeyError` for anything else."""
    match expr:
        case s.Name(text):
            return (text,)
        case s.Field(base, name):
            return (*dotted(base), name.text)
        case _:
            raise KeyError(expr)


def arithmetic(op: s.BinaryOp, a: int, b: int) -> int:
    """The number that C computes."""
    o = s.BinaryOp
    if op in (o.DIVIDE, o.MODULO):
        if b == 0:
            raise v.out_of_bounds("division by zero")
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return quotient if op is o.DIVIDE else a - quotient * b
    if op in (o.SHIFT_LEFT, o.SHIFT_RIGHT) and not 0 <= b <= 64:
        raise v.out_of_bounds("shift")
    table = {
        o.ADD: lambda: a + b,
        o.SUBTRACT: lambda: a - b,
        o.MULTIPLY: lambda: a * b,
        o.BIT_AND: lambda: a & b,
        o.BIT_OR: lambda: a | b,
        o.BIT_XOR: lambda: a ^ b,
        o.SHIFT_LEFT: lambda: a << b,
        o.SHIFT_RIGHT: lambda: a >> b,
        o.LESS: lambda: int(a < b),
        o.LESS_EQUAL: lambda: int(a <= b),
        o.GREATER: lambda: int(a > b),
        o.GREATER_EQUAL: lambda: int(a >= b),
        o.EQUAL: lambda: int(a == b),
        o.NOT_EQUAL: lambda: int(a != b),
        o.AND: lambda: int(bool(a) and bool(b)),
        o.OR: lambda: int(bool(a) or bool(b)),
        o.IMPLIES: lambda: int(not a or bool(b)),
    }
    return table[op]()
