# SPDX-License-Identifier: GPL-2.0-only
"""The sizes, sorts and storage of one scenario: what a type or a variable is once its size is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kvmcheck.elaborate.coercion import (
    Typed,
    coerce,
    constant,
    described,
    is_constant,
    is_number,
    may_stand_in_set,
    number_range,
)
from kvmcheck.elaborate.scopes import (
    NAMED_TYPES,
    ArrayShape,
    ConstantSymbol,
    EnumSymbol,
    LeafShape,
    ObjectSymbol,
    ParamSymbol,
    RecordShape,
    Scope,
    Shape,
    SortSymbol,
    StructSymbol,
    UnionSymbol,
    VariableSymbol,
    leaves,
    unknown_name,
)
from kvmcheck.lang import syntax
from kvmcheck.semantics.program import (
    Bound,
    Const,
    Expr,
    Guard,
    GuardBoth,
    GuardHeld,
    GuardMarked,
    GuardOwner,
    GuardRule,
    HeldMode,
    Pool,
    Read,
    Root,
    Variable,
    VariableKind,
    VariablePlace,
)
from kvmcheck.semantics.sorts import (
    BOOL,
    DEFAULT_INT,
    UNSET,
    EnumSort,
    IdSort,
    IntSort,
    ListSort,
    LockFlavour,
    LockSort,
    ObjectPointerSort,
    OptionalSort,
    PlacePointerSort,
    SeqSort,
    SetSort,
    Sort,
    ThreadSort,
    UnionSort,
    UnknownSort,
    Value,
    WordSort,
    default_value,
    sort_name,
)
from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.text import Span

#: A scenario larger than this in any one dimension is a typing mistake.
MAX_SIZE = 64


@dataclass(frozen=True, slots=True)
class Size:
    """What the scenario set for a name: a number, or `any` (value None); and `scalarset` or `index`."""

    value: int | None
    kind: syntax.SortKind | None
    span: Span
    written: str = ""  # the name that the scenario calls it by


@dataclass(eq=False, slots=True)
class World:
    """Everything that depends on the scenario's sizes; storage is made when it is first asked for."""

    collector: Collector
    sizes: Mapping[str, Size]
    distinct: Mapping[str, tuple[str, ...]]
    threads: ThreadSort
    seq_wrap: int | None
    scenario: Span
    variables: list[Variable] = field(default_factory=list)
    pools: list[Pool] = field(default_factory=list)
    roots: dict[str, list[Root]] = field(default_factory=dict)
    used_sizes: set[str] = field(default_factory=set)
    lowered: set[str] = field(default_factory=set)  # functions and properties that the program has
    unfolded_names: set[str] = field(default_factory=set)  # pure functions that properties of it call
    chosen: dict[str, int] = field(default_factory=dict)  # `any` parameters: their variable
    seq_homes: set[int] = field(default_factory=set)
    seq_compared: bool = False
    seq_partners: list[int] = field(default_factory=list)  # compared with copies: fine if homes
    bound_names: int = 0
    unfolded: int = 0
    targets: dict[str, Sort | StructSymbol] = field(default_factory=dict)  # of place pointers
    _shapes: dict[int, Shape] = field(default_factory=dict)
    _pools: dict[int, int] = field(default_factory=dict)
    _pool_fields: dict[int, Mapping[str, Shape]] = field(default_factory=dict)
    _sorts: dict[int, Sort] = field(default_factory=dict)

    # ---- sorts

    def sort(self, type: syntax.TypeExpr, scope: Scope) -> Sort | StructSymbol:
        """The sort of a type; the symbol of a plain struct."""
        match type:
            case syntax.BoolType():
                return BOOL
            case syntax.VoidType():
                self.collector.error("KVM301", "`void` is not a type of values", type.span)
                return UnknownSort()
            case syntax.IntType(low=None):
                return DEFAULT_INT
            case syntax.IntType(low=low, high=high, wrap=wrap):
                assert low is not None and high is not None
                least, most = self.number(low, scope), self.number(high, scope)
                if least > most:
                    self.collector.error(
                        "KVM310", f"the range {least}..{most} has no number in it", type.span
                    )
                    return UnknownSort()
                return IntSort(least, most, wrap)
            case syntax.SeqType(wrap=wrapped):
                if wrapped is not None:
                    return SeqSort(self.number(wrapped, scope))
                return SeqSort(self.seq_wrap)
            case syntax.OptionalType(inner=inner):
                sort = self.value_sort(inner, scope)
                match sort:
                    case IdSort() | EnumSort() | IntSort() | ThreadSort() | UnknownSort() | WordSort():
                        return OptionalSort(sort)
                    case _:
                        self.collector.error(
                            "KVM301",
                            f"`{sort_name(sort)}?` is not a type: only identities, numbers, "
                            "enums and words may be missing",
                            type.span,
                            help="a pointer has NULL by itself",
                        )
                        return UnknownSort()
            case syntax.PointerType(target=target):
                return self._pointer(target, scope)
            case syntax.ListType(element=element, capacity=capacity):
                scenario_sized = not isinstance(capacity, syntax.IntLiteral)
                return ListSort(self.value_sort(element, scope), self.number(capacity, scope), scenario_sized)
            case syntax.SetType(element=element):
                sort = self.value_sort(element, scope)
                if isinstance(sort, UnknownSort) or may_stand_in_set(sort):
                    return SetSort(sort)
                self.collector.error(
                    "KVM301",
                    f"`set<{sort_name(sort)}>` is not a type: a set's members are identities, "
                    "enums, objects or small numbers",
                    type.span,
                )
                return UnknownSort()
            case syntax.LockType(kind=kind):
                return LockSort(LockFlavour(kind.value))
            case syntax.NamedType():
                return self._named(type, scope)

    def value_sort(self, type: syntax.TypeExpr, scope: Scope) -> Sort:
        """As `sort`, where a plain struct can't stand."""
        sort = self.sort(type, scope)
        if isinstance(sort, StructSymbol):
            self.collector.error(
                "KVM301",
                f"struct `{sort.declaration.name.text}` can't stand here: it is not one word",
                type.span,
                help="declare it `word struct` if it is read and written in one access",
            )
            return UnknownSort()
        return sort

    def _pointer(self, target: syntax.TypeExpr, scope: Scope) -> Sort:
        if isinstance(target, syntax.NamedType):
            symbol = scope.find(target.path)
            if isinstance(symbol, ObjectSymbol):
                pool = self.pool(symbol)
                return ObjectPointerSort(self.pools[pool].name, self.pools[pool].size)
            if isinstance(symbol, StructSymbol) and not symbol.declaration.word:
                self.targets[symbol.declaration.name.text] = symbol
                self.roots.setdefault(symbol.declaration.name.text, [])
                return PlacePointerSort(symbol.declaration.name.text)
        sort = self.value_sort(target, scope)
        if isinstance(sort, UnknownSort):
            return sort
        self.targets[sort_name(sort)] = sort
        self.roots.setdefault(sort_name(sort), [])
        return PlacePointerSort(sort_name(sort))

    def _named(self, type: syntax.NamedType, scope: Scope) -> Sort | StructSymbol:
        if type.path == ("Thread",):
            return self.threads
        symbol = scope.find(type.path)
        match symbol:
            case SortSymbol(declaration=declaration):
                return self._identity(declaration, ".".join(type.path))
            case EnumSymbol(sort=sort):
                return sort
            case StructSymbol(declaration=declaration) if declaration.word:
                return self._word(symbol)
            case StructSymbol():
                return symbol
            case UnionSymbol(declaration=declaration):
                if id(declaration) not in self._sorts:
                    self._sorts[id(declaration)] = UnknownSort()
                    arms = tuple(
                        (
                            a.name.text,
                            None if a.type is None else self.value_sort(a.type, symbol.scope),
                        )
                        for a in declaration.arms
                    )
                    self._sorts[id(declaration)] = UnionSort(declaration.name.text, arms)
                return self._sorts[id(declaration)]
            case ObjectSymbol(declaration=declaration):
                self.collector.error(
                    "KVM301",
                    f"object `{declaration.name.text}` has no values, only pointers to it",
                    type.span,
                    help=f"write `{declaration.name.text} *`",
                )
                return UnknownSort()
            case _:
                unknown_name(self.collector, ".".join(type.path), type.span, scope, NAMED_TYPES, "a type")
                return UnknownSort()

    def _identity(self, declaration: syntax.SortDecl, name: str) -> Sort:
        size = self.sizes.get(name) or self.sizes.get(declaration.name.text)
        self.used_sizes.update((name, declaration.name.text))
        if size is None or size.value is None:
            self.collector.error(
                "KVM501" if size is None else "KVM507",
                f"the scenario does not say how many `{name}` there are"
                if size is None
                else f"`{name}` must have a number: `any` is for parameters",
                self.scenario if size is None else size.span,
                help=f"write `{name} = 2;` in the scenario",
            )
            return UnknownSort()
        if not 1 <= size.value <= MAX_SIZE:
            self.collector.error(
                "KVM511", f"`{name} = {size.value}` is not between 1 and {MAX_SIZE}", size.span
            )
            return UnknownSort()
        kind = declaration.kind
        if kind is syntax.SortKind.TYPE:
            if size.kind is None:
                self.collector.error(
                    "KVM501",
                    f"the scenario does not say whether `{name}` is a scalarset or an index",
                    size.span,
                    help=f"write `{name} = scalarset {size.value};`",
                )
            kind = size.kind or syntax.SortKind.SCALARSET
        elif size.kind not in (None, kind):
            self.collector.error(
                "KVM502", f"`{name}` is declared `{kind.value}`, not `{size.kind}`", size.span
            )
        names = self.distinct.get(declaration.name.text, ())
        called = size.written.rpartition(".")[2] or declaration.name.text
        return IdSort(called, size.value, kind is syntax.SortKind.INDEX, names)

    def _word(self, symbol: StructSymbol) -> Sort:
        declaration = symbol.declaration
        if id(declaration) in self._sorts:
            return self._sorts[id(declaration)]
        self._sorts[id(declaration)] = UnknownSort()
        fields: list[tuple[str, Sort, Value]] = []
        for item in declaration.fields:
            sort = self.value_sort(item.type, symbol.scope)
            if item.dimensions or isinstance(sort, LockSort):
                self.collector.error(
                    "KVM301",
                    f"field `{item.name.text}` can't be part of one machine word",
                    item.name.span,
                )
                continue
            fields.append((item.name.text, sort, self.initial(item.default, sort, symbol.scope)))
        self._sorts[id(declaration)] = WordSort(declaration.name.text, tuple(fields))
        return self._sorts[id(declaration)]

    # ---- constants

    def number(self, expr: syntax.Expr, scope: Scope) -> int:
        """The number that a size or bound says; 0 after a diagnostic if it says none."""
        value = self.constant(expr, scope)
        found = constant(value.expr)
        if isinstance(found, int) and is_number(value.sort):
            return found
        if not isinstance(value.sort, UnknownSort):
            self.collector.error("KVM310", "a number that is known beforehand must stand here", expr.span)
        return 0

    def constant(self, expr: syntax.Expr, scope: Scope, wanted: Sort | None = None) -> Typed:
        """A constant expression: literals, parameters, enum constants, words made of them."""
        from kvmcheck.elaborate.states import StateExpressions

        return StateExpressions(self, scope, "a constant").expr(expr, wanted)

    def initial(self, expr: syntax.Expr | None, sort: Sort, scope: Scope) -> Value:
        """The declared initial value, or the sort's default (`UNSET` for an identity)."""
        if expr is None:
            try:
                return default_value(sort)
            except ValueError:
                return UNSET
        value = self.constant(expr, scope, sort)
        fitted = coerce(value, sort, expr.span)
        if fitted is None:
            self.collector.error(
                "KVM301",
                f"{described(sort)} must stand here, not {described(value.sort)}",
                expr.span,
            )
            return default_or_zero(sort)
        if not is_constant(fitted):
            if not isinstance(value.sort, UnknownSort):
                self.collector.error("KVM310", "an initial value must be known beforehand", expr.span)
            return default_or_zero(sort)
        return constant(fitted)

    # ---- parameters

    def parameter(self, symbol: ParamSymbol) -> Typed:
        """The value of a parameter: the scenario's, else its default; of `any`: read from the state."""
        declaration = symbol.declaration
        sort = self.value_sort(declaration.type, symbol.scope)
        self.used_sizes.add(symbol.qualified)
        size = self.sizes.get(symbol.qualified)
        if size is None:
            if declaration.default is None:
                self.collector.error(
                    "KVM501",
                    f"the scenario does not set `{symbol.qualified}`",
                    self.scenario,
                    help=f"write `{symbol.qualified} = …;`",
                )
                return Typed(Const(0, UnknownSort()), UnknownSort())
            value = self.initial(declaration.default, sort, symbol.scope)
            return Typed(Const(value, _exact(sort, value)), _exact(sort, value))
        if size.value is None:
            variable = self.chosen.get(symbol.qualified)
            if variable is None:
                variable = len(self.variables)
                self.variables.append(
                    Variable(
                        symbol.qualified,
                        VariableKind.GHOST,
                        (),
                        sort,
                        default_or_zero(sort),
                        None,
                        declaration.span,
                    )
                )
                self.chosen[symbol.qualified] = variable
            return Typed(Read(VariablePlace(variable, ()), sort), sort)
        low, high = number_range(sort) if is_number(sort) else (0, 1)
        if not low <= size.value <= high:
            self.collector.error(
                "KVM511",
                f"`{symbol.qualified} = {size.value}` is not {described(sort)}",
                size.span,
            )
        return Typed(Const(size.value, _exact(sort, size.value)), _exact(sort, size.value))

    # ---- storage

    def dimension(self, size: syntax.TypeExpr | syntax.Expr, scope: Scope) -> Sort:
        """The sort that indexes a dimension: a finite sort, or 0..n-1 of a number."""
        if isinstance(size, syntax.NamedType):
            symbol = scope.find(size.path)
            if isinstance(symbol, ParamSymbol | ConstantSymbol):
                size = syntax.Name(size.path[-1], size.span)
        match size:
            case syntax.NamedType() | syntax.BoolType():
                sort = self.value_sort(size, scope)
                if isinstance(sort, UnknownSort) or may_stand_in_set(sort):
                    return sort
                self.collector.error("KVM305", f"an array can't be indexed by {sort_name(sort)}", size.span)
                return UnknownSort()
            case (
                syntax.VoidType()
                | syntax.IntType()
                | syntax.SeqType()
                | syntax.OptionalType()
                | syntax.PointerType()
                | syntax.ListType()
                | syntax.SetType()
                | syntax.LockType()
            ):
                self.collector.error("KVM305", "an array can't be indexed by that", size.span)
                return UnknownSort()
            case _:
                count = self.number(size, scope)
                if not 1 <= count <= 1024:
                    self.collector.error(
                        "KVM305", f"an array of {count} elements: 1 to 1024 can be", size.span
                    )
                    return UnknownSort()
                return IntSort(0, count - 1)

    def shape(self, symbol: VariableSymbol) -> Shape:
        """Where a variable is kept."""
        declaration = symbol.declaration
        key = id(declaration)
        # Two instances of a module share declarations, not storage.
        if symbol.qualified != declaration.name.text:
            key = hash((id(declaration), symbol.qualified))
        if key not in self._shapes:
            dimensions = tuple(self.dimension(d.size, symbol.scope) for d in declaration.dimensions)
            names = tuple(d.name.text if d.name else "" for d in declaration.dimensions)
            guard = None
            if declaration.guard is not None:
                guard = self._guard_rule(declaration.guard, symbol.scope, names, dimensions)
            ghost = declaration.kind is syntax.VarKind.GHOST
            self._shapes[key] = self._make(
                symbol.qualified,
                declaration.type,
                symbol.scope,
                dimensions,
                VariableKind.GHOST if ghost else VariableKind.SHARED,
                declaration.initial,
                guard,
                declaration.name.span,
                None,
            )
        return self._shapes[key]

    def _make(
        self,
        name: str,
        type: syntax.TypeExpr,
        scope: Scope,
        dimensions: tuple[Sort, ...],
        kind: VariableKind,
        initial: syntax.Expr | None,
        guard: GuardRule | None,
        span: Span,
        pool: int | None,
        wrapped: int = 0,
        outer: tuple[tuple[str, int], ...] = (),
    ) -> Shape:
        """Variables for a declaration; the shape has `dimensions[wrapped:]` as its own dimensions.

        `outer`: the parts of the name that stand before its last one.
        """
        last = name[sum(len(part) for part, _ in outer) :]
        parts = (*outer, (last, len(dimensions) - sum(count for _, count in outer)))
        sort = self.sort(type, scope)
        inner: Shape
        if isinstance(sort, StructSymbol):
            fields = {}
            for item in sort.declaration.fields:
                more = tuple(self.dimension(d, sort.scope) for d in item.dimensions)
                fields[item.name.text] = self._make(
                    f"{name}.{item.name.text}",
                    item.type,
                    sort.scope,
                    dimensions + more,
                    kind,
                    item.default,
                    guard,
                    span,
                    pool,
                    len(dimensions),
                    parts,
                )
            inner = RecordShape(sort.declaration.name.text, fields)
        else:
            if isinstance(sort, LockSort):
                kind = VariableKind.LOCK
            value = self.initial(initial, sort, scope)
            if value == UNSET and isinstance(sort, IdSort | ThreadSort) and pool is None:
                self.collector.error(
                    "KVM410",
                    f"`{name}` has no initial value: {described(sort)} has no default",
                    span,
                    help=f"make it `{sort_name(sort)}?`, or choose it in the scenario's `init`",
                )
            self.variables.append(Variable(name, kind, dimensions, sort, value, guard, span, pool, parts))
            inner = LeafShape(len(self.variables) - 1, sort)
        for dimension in reversed(dimensions[wrapped:]):
            inner = ArrayShape(dimension, inner)
        return inner

    def pool(self, symbol: ObjectSymbol) -> int:
        """The pool of an object type."""
        declaration = symbol.declaration
        if id(declaration) in self._pools:
            return self._pools[id(declaration)]
        name = symbol.scope.prefix + declaration.name.text
        size = self.sizes.get(name)
        self.used_sizes.add(name)
        if size is None or size.value is None or not 1 <= size.value <= MAX_SIZE:
            self.collector.error(
                "KVM501",
                f"the scenario does not say how many `{name}` objects there are",
                self.scenario,
                help=f"write `{name} = 2;` in the scenario",
            )
        count = size.value if size and size.value else 1
        position = len(self.pools)
        self._pools[id(declaration)] = position
        pointer = ObjectPointerSort(name, count)
        self.pools.append(Pool(name, count, 0, (), declaration.name.span))
        allocated = len(self.variables)
        self.variables.append(
            Variable(
                f"{name} allocated",
                VariableKind.MONITOR,
                (),
                SetSort(pointer),
                0,
                None,
                declaration.name.span,
            )
        )
        fields = {}
        for item in declaration.fields:
            more = tuple(self.dimension(d, symbol.scope) for d in item.dimensions)
            fields[item.name.text] = self._make(
                f"{name}.{item.name.text}",
                item.type,
                symbol.scope,
                (pointer, *more),
                VariableKind.SHARED,
                item.default,
                None,
                item.name.span,
                position,
                1,
            )
        self._pool_fields[position] = fields
        variables = tuple(leaf.variable for shape in fields.values() for _, leaf in leaves(shape))
        self.pools[position] = Pool(name, count, allocated, variables, declaration.name.span)
        return position

    def pool_named(self, name: str) -> int:
        """The pool of that name."""
        return next(i for i, pool in enumerate(self.pools) if pool.name == name)

    def pool_fields(self, pool: int) -> Mapping[str, Shape]:
        """The fields of a pool's objects; each shape lacks the first dimension, the object."""
        return self._pool_fields[pool]

    def is_ghost(self, shape: Shape) -> bool:
        """Whether a leaf is ghost state."""
        return isinstance(shape, LeafShape) and self.variables[shape.variable].kind is VariableKind.GHOST

    def root(self, target: str, shape: Shape, objects: tuple[bool, ...], name: str) -> int:
        """The root of places of this shape, noted among those that pointers may point to."""
        components = {path: leaf.variable for path, leaf in leaves(shape)}
        roots = self.roots.setdefault(target, [])
        for position, root in enumerate(roots):
            if root.components == components:
                return position
        roots.append(Root(name, components, objects))
        return len(roots) - 1

    # ---- guards

    def _guard_rule(
        self,
        clause: syntax.GuardClause,
        scope: Scope,
        names: tuple[str, ...],
        dimensions: tuple[Sort, ...],
    ) -> GuardRule:
        bound = {n: Bound(n, s) for n, s in zip(names, dimensions, strict=True) if n}
        write = self._guard(clause.write, scope, bound, writing=True)
        read = self._guard(clause.read or clause.write, scope, bound, writing=False)
        return GuardRule(write, read, clause.guarded, names, " ".join(clause.span.text.split()))

    def _guard(
        self, guard: syntax.Guard, scope: Scope, bound: Mapping[str, Bound], *, writing: bool
    ) -> Guard:
        """A guard; as a writer's, a shared lock named alone means writing, and `.read` only atomics."""
        from kvmcheck.elaborate.states import StateExpressions

        match guard:
            case syntax.GuardAtomic():
                return GuardMarked()
            case syntax.GuardBoth(parts=parts, every=every):
                inner = tuple(self._guard(p, scope, bound, writing=writing) for p in parts)
                return GuardBoth(inner, every)
            case syntax.GuardOwner(index=index):
                states = StateExpressions(self, scope, "a guard", bound=dict(bound))
                return GuardOwner(states.expr(index, None).expr)
            case syntax.GuardLock(lock=lock, mode=mode):
                states = StateExpressions(self, scope, "a guard", bound=dict(bound))
                place = states.lock(lock)
                if not isinstance(place, VariablePlace):
                    return GuardMarked()
                sort = self.variables[place.variable].sort
                shared = isinstance(sort, LockSort) and sort.flavour.shared
                match mode:
                    case "read" if writing:
                        return GuardBoth((GuardHeld(place, HeldMode.ANY), GuardMarked()), True)
                    case "read":
                        return GuardHeld(place, HeldMode.ANY)
                    case "write":
                        return GuardHeld(place, HeldMode.WRITE)
                    case _:
                        alone = HeldMode.WRITE if shared and writing else HeldMode.ANY
                        return GuardHeld(place, alone)


def default_or_zero(sort: Sort) -> Value:
    """The sort's default, 0 for an identity."""
    try:
        return default_value(sort)
    except ValueError:
        return 0


def _exact(sort: Sort, value: Value) -> Sort:
    """An int constant has exactly its own range: sizes made of it need no check when they run."""
    if isinstance(sort, IntSort) and isinstance(value, int):
        return IntSort(value, value)
    return sort


def as_read(shape: LeafShape, indices: tuple[Expr, ...]) -> Typed:
    """The value of a variable's element in a state expression."""
    return Typed(Read(VariablePlace(shape.variable, indices), shape.sort), shape.sort)
