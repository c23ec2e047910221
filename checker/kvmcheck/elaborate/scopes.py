# SPDX-License-Identifier: GPL-2.0-only
"""Names to declarations: one scope a module instance, linked by `use`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kvmcheck.lang import syntax
from kvmcheck.semantics.program import Const, Expr
from kvmcheck.semantics.sorts import EnumSort, Sort
from kvmcheck.source.diagnostic import Collector, Label
from kvmcheck.source.nearest import nearest
from kvmcheck.source.text import Span

# ------------------------------------------------------------------------------ storage shapes


@dataclass(frozen=True, slots=True)
class LeafShape:
    """One variable whose elements are read and written in one access."""

    variable: int
    sort: Sort


@dataclass(frozen=True, slots=True)
class RecordShape:
    """A plain struct: a shape a field."""

    struct: str
    fields: Mapping[str, Shape]


@dataclass(frozen=True, slots=True)
class ArrayShape:
    """A dimension."""

    dimension: Sort
    inner: Shape


Shape = LeafShape | RecordShape | ArrayShape


def leaves(shape: Shape) -> Iterable[tuple[str, LeafShape]]:
    """Every leaf of a shape, with its component path ("" for the shape itself, "f.g" inside structs)."""
    match shape:
        case LeafShape():
            yield "", shape
        case ArrayShape(inner=inner):
            yield from leaves(inner)
        case RecordShape(fields=fields):
            for name, inner in fields.items():
                for path, leaf in leaves(inner):
                    yield (f"{name}.{path}" if path else name), leaf


# ------------------------------------------------------------------------------ symbols


@dataclass(frozen=True, slots=True)
class SortSymbol:
    """A scalarset, index or `type`."""

    declaration: syntax.SortDecl


@dataclass(frozen=True, slots=True)
class EnumSymbol:
    """An enum."""

    sort: EnumSort
    declaration: syntax.EnumDecl


@dataclass(frozen=True, slots=True)
class ConstantSymbol:
    """A name for a value: an enum constant, a parameter with its value, a distinct member."""

    value: Expr
    sort: Sort
    span: Span


@dataclass(frozen=True, slots=True)
class StructSymbol:
    """A struct."""

    declaration: syntax.StructDecl
    scope: Scope


@dataclass(frozen=True, slots=True)
class UnionSymbol:
    """A tagged word."""

    declaration: syntax.UnionDecl
    scope: Scope


@dataclass(frozen=True, slots=True)
class ObjectSymbol:
    """A pool of objects."""

    declaration: syntax.ObjectDecl
    scope: Scope


@dataclass(frozen=True, slots=True)
class VariableSymbol:
    """A shared, lock or ghost variable; its shape is made when sizes are known."""

    declaration: syntax.VarDecl
    scope: Scope
    qualified: str


@dataclass(frozen=True, slots=True)
class ParamSymbol:
    """A parameter of the model."""

    declaration: syntax.ParamDecl
    scope: Scope
    qualified: str


@dataclass(frozen=True, slots=True)
class FunctionSymbol:
    """A function; its declaration is looked up by `qualified`, since edits may have changed it."""

    declaration: syntax.FunctionDecl
    scope: Scope
    qualified: str


@dataclass(frozen=True, slots=True)
class PropertySymbol:
    """An invariant, step, live or cover declaration."""

    declaration: syntax.InvariantDecl | syntax.StepDecl | syntax.LiveDecl | syntax.CoverDecl
    scope: Scope


@dataclass(frozen=True, slots=True)
class ModuleSymbol:
    """The name that `use m as t` gives."""

    scope: Scope
    span: Span


Symbol = (
    SortSymbol
    | EnumSymbol
    | ConstantSymbol
    | StructSymbol
    | UnionSymbol
    | ObjectSymbol
    | VariableSymbol
    | ParamSymbol
    | FunctionSymbol
    | PropertySymbol
    | ModuleSymbol
)


#: What a type's name may mean.
NAMED_TYPES = (SortSymbol, EnumSymbol, StructSymbol, UnionSymbol, ObjectSymbol)


def declared_at(symbol: Symbol) -> Span:
    """Where a name was declared."""
    match symbol:
        case ConstantSymbol(span=span) | ModuleSymbol(span=span):
            return span
        case _:
            return symbol.declaration.name.span


@dataclass(eq=False, slots=True)
class Scope:
    """The names of one module instance: its own, and those that `use` brought in."""

    prefix: str
    names: dict[str, Symbol] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Scope({self.prefix!r})"

    def declare(self, name: syntax.Name, symbol: Symbol, collector: Collector) -> None:
        """Add a declaration; a second one of the same name is an error with both places."""
        before = self.names.get(name.text)
        if before is None:
            self.names[name.text] = symbol
        else:
            collector.error(
                "KVM202",
                f"`{name.text}` is declared twice",
                name.span,
                label="again here",
                secondary=(Label(declared_at(before), "first here"),),
            )

    def bring(self, name: str, symbol: Symbol, use: Span, collector: Collector) -> None:
        """Add a name from a used module; one that means something else already is a clash."""
        before = self.names.setdefault(name, symbol)
        if before is not symbol and declared_at(before) != declared_at(symbol):
            collector.error(
                "KVM203",
                f"`{name}` comes in from two modules and means two things",
                use,
                label="brought in here",
                secondary=(
                    Label(declared_at(before), "declared here"),
                    Label(declared_at(symbol), "and here"),
                ),
                help="give one module a name of its own: `use m as t;`",
            )
        elif before is not symbol:
            collector.error(
                "KVM203",
                f"`{name}` comes in from two instances of one module",
                use,
                secondary=(Label(declared_at(symbol), "declared here"),),
                help="give one instance a name of its own: `use m as t;`",
            )

    def find(self, path: tuple[str, ...]) -> Symbol | None:
        """What a dotted name means; None if it means nothing."""
        scope = self
        for part in path[:-1]:
            symbol = scope.names.get(part)
            if not isinstance(symbol, ModuleSymbol):
                return None
            scope = symbol.scope
        return scope.names.get(path[-1])


def unknown_name(
    collector: Collector, name: str, span: Span, scope: Scope, kinds: tuple[type, ...], what: str
) -> None:
    """Report a name that means nothing here (or not the kind of thing that it must)."""
    there = scope.find(tuple(name.split(".")))
    if there is not None:
        collector.error(
            "KVM201", f"`{name}` is not {what}", span, secondary=(Label(declared_at(there), "declared here"),)
        )
        return
    candidates = [n for n, s in scope.names.items() if isinstance(s, kinds)]
    near = nearest(name, candidates)
    known = scope.names.get(near) if near else None
    collector.error(
        "KVM201",
        f"`{name}` is not {what}",
        span,
        label="not declared",
        help=f"did you mean `{near}`?" if near else "",
        secondary=(Label(declared_at(known), "closest name"),) if known else (),
    )


# ------------------------------------------------------------------------------ module instances


class Instances:
    """The scopes of all module instances of one unit.

    `use m` shares one instance in the whole unit, `use m as t` makes one of its own.
    """

    def __init__(self, modules: Mapping[tuple[str, ...], syntax.File], collector: Collector) -> None:
        self._modules = modules
        self._collector = collector
        self._scopes: dict[tuple[tuple[str, ...], str], Scope] = {}
        #: What `use m with { … }` changes: the scope whose functions are meant, and the edits.
        self.variants: list[tuple[Scope, tuple[syntax.Edit, ...]]] = []

    def of(self, file: syntax.File, prefix: str = "") -> Scope:
        """A new scope with the file's declarations and everything that it uses."""
        scope = Scope(prefix)
        for item in file.items:
            if isinstance(item, syntax.UseDecl):
                self._use(item, scope)
        for item in file.items:
            self._declare(item, scope)
        return scope

    def _module(self, path: tuple[str, ...], prefix: str) -> Scope | None:
        key = (path, prefix)
        if key not in self._scopes:
            file = self._modules.get(path)
            if file is None:
                return None
            self._scopes[key] = self.of(file, prefix)
        return self._scopes[key]

    def _use(self, item: syntax.UseDecl, scope: Scope) -> None:
        prefix = f"{scope.prefix}{item.alias.text}." if item.alias else ""
        used = self._module(item.module, prefix)
        if used is None:
            return  # the loader has said so
        if item.edits:
            self.variants.append((used, item.edits))
        if item.alias:
            scope.declare(item.alias, ModuleSymbol(used, item.alias.span), self._collector)
            return
        for name, symbol in used.names.items():
            scope.bring(name, symbol, item.span, self._collector)

    def _name_type(self, item: syntax.TypedefDecl, scope: Scope) -> None:
        """Give a type a second name in the scope; the two mean one type."""
        symbol = scope.find(item.type.path)
        if isinstance(symbol, NAMED_TYPES):
            scope.declare(item.name, symbol, self._collector)
        else:
            path = ".".join(item.type.path)
            unknown_name(self._collector, path, item.type.span, scope, NAMED_TYPES, "a type")

    def _declare(self, item: syntax.Item, scope: Scope) -> None:
        collector = self._collector
        match item:
            case syntax.SortDecl():
                scope.declare(item.name, SortSymbol(item), collector)
            case syntax.TypedefDecl():
                self._name_type(item, scope)
            case syntax.EnumDecl():
                sort = EnumSort(item.name.text, tuple(c.text for c in item.constants))
                scope.declare(item.name, EnumSymbol(sort, item), collector)
                for position, constant in enumerate(item.constants):
                    symbol = ConstantSymbol(Const(position, sort), sort, constant.span)
                    scope.declare(constant, symbol, collector)
            case syntax.StructDecl():
                scope.declare(item.name, StructSymbol(item, scope), collector)
            case syntax.UnionDecl():
                scope.declare(item.name, UnionSymbol(item, scope), collector)
            case syntax.ObjectDecl():
                scope.declare(item.name, ObjectSymbol(item, scope), collector)
            case syntax.VarDecl():
                qualified = scope.prefix + item.name.text
                scope.declare(item.name, VariableSymbol(item, scope, qualified), collector)
            case syntax.ParamDecl():
                qualified = scope.prefix + item.name.text
                scope.declare(item.name, ParamSymbol(item, scope, qualified), collector)
            case syntax.FunctionDecl():
                qualified = scope.prefix + item.name.text
                scope.declare(item.name, FunctionSymbol(item, scope, qualified), collector)
            case syntax.InvariantDecl() | syntax.StepDecl() | syntax.LiveDecl() | syntax.CoverDecl():
                scope.declare(item.name, PropertySymbol(item, scope), collector)
            case syntax.UseDecl() | syntax.ScenarioDecl() | syntax.MutantDecl():
                pass
