# SPDX-License-Identifier: GPL-2.0-only
"""Typing expressions: what is common to code (reads are steps) and to states (reads are free).

`Expressions` resolves names, checks sorts and builds program expressions.  Its two kinds differ in what
reading a place means, and in which forms they allow: `elaborate.code` and `elaborate.states`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from kvmcheck.elaborate.coercion import (
    UNKNOWN,
    Typed,
    arithmetic,
    coerce,
    comparable,
    described,
    is_number,
    number_range,
)
from kvmcheck.elaborate.places import (
    LocalPlace,
    LocalRecord,
    Named,
    PartPlace,
    PointedPlace,
    StoredPlace,
    ValuePlace,
    element,
    sort_of,
)
from kvmcheck.elaborate.scopes import (
    ArrayShape,
    ConstantSymbol,
    FunctionSymbol,
    LeafShape,
    ModuleSymbol,
    ParamSymbol,
    RecordShape,
    Scope,
    StructSymbol,
    Symbol,
    VariableSymbol,
    declared_at,
    unknown_name,
)
from kvmcheck.elaborate.world import World
from kvmcheck.lang import syntax
from kvmcheck.lang.syntax import BinaryOp, UnaryOp
from kvmcheck.semantics.program import Apply, Const, Expr, Op, Place, VariablePlace
from kvmcheck.semantics.sorts import (
    BOOL,
    BoolSort,
    IdSort,
    IntSort,
    ListSort,
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
    WordSort,
    sort_name,
)
from kvmcheck.source.diagnostic import Label
from kvmcheck.source.nearest import nearest
from kvmcheck.source.text import Span

_COMPARISONS = {
    BinaryOp.LESS: (Op.LESS, False),
    BinaryOp.LESS_EQUAL: (Op.LESS_EQUAL, False),
    BinaryOp.GREATER: (Op.LESS, True),
    BinaryOp.GREATER_EQUAL: (Op.LESS_EQUAL, True),
}
_ARITHMETIC = {
    BinaryOp.ADD: Op.ADD,
    BinaryOp.SUBTRACT: Op.SUBTRACT,
    BinaryOp.MULTIPLY: Op.MULTIPLY,
    BinaryOp.DIVIDE: Op.DIVIDE,
    BinaryOp.MODULO: Op.MODULO,
    BinaryOp.BIT_AND: Op.BIT_AND,
    BinaryOp.BIT_OR: Op.BIT_OR,
    BinaryOp.BIT_XOR: Op.BIT_XOR,
    BinaryOp.SHIFT_LEFT: Op.SHIFT_LEFT,
    BinaryOp.SHIFT_RIGHT: Op.SHIFT_RIGHT,
}
_WITH_SETS = {
    BinaryOp.ADD: (Op.SET_ADD, Op.SET_UNION),
    BinaryOp.BIT_OR: (Op.SET_ADD, Op.SET_UNION),
    BinaryOp.SUBTRACT: (Op.SET_REMOVE, Op.SET_MINUS),
    BinaryOp.BIT_AND: (None, Op.SET_INTERSECT),
}
_LITERALS = (syntax.NoneLiteral, syntax.NullLiteral, syntax.BraceLiteral, syntax.Any)


def dotted(expr: syntax.Expr) -> tuple[str, ...] | None:
    """`a.b.c` as a path of names; None if the expression is anything else."""
    match expr:
        case syntax.Name(text=text):
            return (text,)
        case syntax.Field(base=base, name=name):
            path = dotted(base)
            return None if path is None else (*path, name.text)
        case _:
            return None


class Expressions(ABC):
    """Typing in one scope.  Every method reports what is wrong and returns something of unknown sort."""

    def __init__(self, world: World, scope: Scope) -> None:
        self.world = world
        self.scope = scope
        self.collector = world.collector

    # ---- what the two kinds do differently

    @abstractmethod
    def load(self, place: Place, sort: Sort, span: Span, *, ghost: bool) -> Typed:
        """The value of an element."""

    @abstractmethod
    def local(self, name: str) -> Named | None:
        """A name that is nearer than the module's."""

    @abstractmethod
    def local_names(self) -> list[str]:
        """Those names, for suggestions."""

    @abstractmethod
    def special(self, expr: syntax.Expr, wanted: Sort | None) -> Typed:
        """The forms that only one kind knows."""

    @abstractmethod
    def call(self, expr: syntax.Call) -> Typed:
        """A call of a function or built-in."""

    @abstractmethod
    def logical(self, expr: syntax.Binary) -> Typed:
        """`&&`, `||`, `implies`."""

    @abstractmethod
    def ternary(self, expr: syntax.Ternary, wanted: Sort | None) -> Typed:
        """`c ? a : b`."""

    # ---- entry points

    def expr(self, expr: syntax.Expr, wanted: Sort | None = None) -> Typed:
        """The typed form; `wanted` guides literals, it is not enforced."""
        match expr:
            case syntax.IntLiteral(value=value):
                sort = IntSort(value, value)
                return Typed(Const(value, sort), sort)
            case syntax.BoolLiteral(value=truth):
                return Typed(Const(int(truth), BOOL), BOOL)
            case syntax.NoneLiteral(span=span):
                return self._missing("none", OptionalSort, wanted, span)
            case syntax.NullLiteral(span=span):
                return self._missing("NULL", (ObjectPointerSort, PlacePointerSort), wanted, span)
            case syntax.BraceLiteral():
                return self._braces(expr, wanted)
            case syntax.StructLiteral():
                return self._struct(expr)
            case syntax.Unary():
                return self._unary(expr)
            case syntax.Binary(op=BinaryOp.AND | BinaryOp.OR | BinaryOp.IMPLIES):
                return self.logical(expr)
            case syntax.Binary():
                return self._binary(expr)
            case syntax.Ternary():
                return self.ternary(expr, wanted)
            case syntax.Call(function=syntax.Field(base=base, name=name)) if not self._is_module(base):
                return self.method(expr, base, name)
            case syntax.Call():
                return self.call(expr)
            case syntax.AddressOf(place=place):
                return self._address(place, expr.span)
            case syntax.Name() | syntax.Index() | syntax.Field() | syntax.Arrow() | syntax.Dereference():
                return self.read(self.named(expr), expr.span)
            case _:
                return self.special(expr, wanted)

    def coerced(self, expr: syntax.Expr, wanted: Sort) -> Expr:
        """The expression as a value of the wanted sort; a diagnostic if it can't be one."""
        return self.fitted(self.expr(expr, wanted), wanted, expr.span)

    def fitted(self, value: Typed, wanted: Sort, span: Span) -> Expr:
        """A value as one of the wanted sort; a diagnostic if it can't be one."""
        fitted = coerce(value, wanted, span)
        if fitted is None:
            extra = ""
            if isinstance(value.sort, IntSort) and isinstance(wanted, BoolSort):
                extra = "a number is a condition in `if`; to keep it as a bool, write `!= 0`"
            if isinstance(value.sort, SeqSort) or isinstance(wanted, SeqSort):
                extra = "a seq is only copied from a seq; `s++` and `next(copy)` count it on"
            self.collector.error(
                "KVM301",
                f"{described(wanted)} must stand here, and this is {described(value.sort)}",
                span,
                help=extra,
            )
            return Const(0, UnknownSort())
        return fitted

    def condition(self, expr: syntax.Expr) -> Expr:
        """The expression as a truth value: a bool, a number (not 0), a pointer (not NULL)."""
        return self.as_truth(self.expr(expr, BOOL), expr.span)

    def as_truth(self, value: Typed, span: Span) -> Expr:
        """A value as a truth value."""
        match value.sort:
            case BoolSort() | UnknownSort():
                return value.expr
            case IntSort():
                if isinstance(value.expr, Const):
                    return Const(int(value.expr.value != 0), BOOL)
                return Apply(Op.NOT_EQUAL, (value.expr, Const(0, IntSort(0, 0))), BOOL, span=span)
            case ObjectPointerSort() | PlacePointerSort():
                return Apply(Op.NOT_EQUAL, (value.expr, Const(None, value.sort)), BOOL, span=span)
            case _:
                help_text = "write `!= none`" if isinstance(value.sort, OptionalSort) else ""
                self.collector.error(
                    "KVM301",
                    f"a condition must stand here, and this is {described(value.sort)}",
                    span,
                    help=help_text,
                )
                return Const(0, BOOL)

    # ---- names and places

    def _is_module(self, expr: syntax.Expr) -> bool:
        path = dotted(expr)
        if path is None or self.local(path[0]) is not None:
            return False
        return isinstance(self.scope.find(path), ModuleSymbol)

    def symbol(self, expr: syntax.Expr) -> Symbol | None:
        """What a (dotted) name means in the module; None if it is a local or no name."""
        path = dotted(expr)
        if path is None or self.local(path[0]) is not None:
            return None
        return self.scope.find(path)

    def named(self, expr: syntax.Expr) -> Named:
        """What a name, element, field or dereference stands for."""
        match expr:
            case syntax.Name(text=text):
                local = self.local(text)
                return local if local is not None else self._global(expr, text)
            case syntax.Field() if self._is_module(expr.base):
                return self._global(expr, expr.name.text)
            case syntax.Field(base=base, name=name):
                return self._field(self.named(base), name)
            case syntax.Index(base=base, index=index):
                return self._index(self.named(base), index, expr.span)
            case syntax.Arrow(base=base, name=name):
                pointed = self._pointed(base, expr.span)
                return pointed if isinstance(pointed, ValuePlace) else self._field(pointed, name)
            case syntax.Dereference(pointer=pointer):
                return self._pointed(pointer, expr.span)
            case _:
                return ValuePlace(self.expr(expr))

    def _global(self, expr: syntax.Expr, text: str) -> Named:
        symbol = self.symbol(expr)
        match symbol:
            case VariableSymbol():
                return StoredPlace(symbol.qualified, self.world.shape(symbol), (), ())
            case ConstantSymbol(value=value, sort=sort):
                return ValuePlace(Typed(value, sort))
            case ParamSymbol():
                return ValuePlace(self.world.parameter(symbol))
            case None:
                near = nearest(text, self.local_names())
                if near is not None:
                    self.collector.error(
                        "KVM201",
                        f"`{text}` is not declared",
                        expr.span,
                        label="not declared",
                        help=f"did you mean `{near}`?",
                    )
                else:
                    kinds = (VariableSymbol, ConstantSymbol, ParamSymbol, FunctionSymbol)
                    unknown_name(self.collector, text, expr.span, self.scope, kinds, "declared")
                return ValuePlace(UNKNOWN)
            case _:
                self.collector.error(
                    "KVM209",
                    f"`{text}` is not a value",
                    expr.span,
                    secondary=(Label(declared_at(symbol), "declared here"),),
                )
                return ValuePlace(UNKNOWN)

    def _field(self, base: Named, name: syntax.Name) -> Named:
        text = name.text
        known: list[str]
        match base:
            case StoredPlace(shape=RecordShape(fields=fields)):
                if text in fields:
                    return StoredPlace(f"{base.name}.{text}", fields[text], base.indices, base.objects)
                known = list(fields)
            case LocalRecord(fields=local_fields):
                if text in local_fields:
                    return local_fields[text]
                known = list(local_fields)
            case PointedPlace(type=StructSymbol() as struct, dimensions=()):
                for item in struct.declaration.fields:
                    if item.name.text == text:
                        component = f"{base.component}.{text}" if base.component else text
                        dimensions = tuple(self.world.dimension(d, struct.scope) for d in item.dimensions)
                        return PointedPlace(
                            base.pointer,
                            base.target,
                            component,
                            base.indices,
                            self.world.sort(item.type, struct.scope),
                            dimensions,
                        )
                known = [item.name.text for item in struct.declaration.fields]
            case _:
                return self._word_field(base, name)
        return self._no_field(name, known)

    def _word_field(self, base: Named, name: syntax.Name) -> Named:
        sort = sort_of(base)
        if isinstance(sort, OptionalSort):
            sort = sort.inner
        match sort:
            case WordSort(fields=fields):
                if name.text not in (f for f, _, _ in fields):
                    return self._no_field(name, [f for f, _, _ in fields])
                position = sort.position(name.text)
                part = fields[position][1]
                match base:
                    case PartPlace(whole=whole, path=path):
                        return PartPlace(whole, (*path, (position, part)), part)
                    case StoredPlace() | PointedPlace() | LocalPlace():
                        return PartPlace(base, ((position, part),), part)
                    case _:
                        value = self.read(base, name.span)
                        whole_word = self.fitted(value, sort, name.span)
                        return ValuePlace(Typed(Apply(Op.FIELD, (whole_word,), part, position), part))
            case UnionSort(arms=arms):
                for position, (arm, arm_sort) in enumerate(arms):
                    if arm == name.text and arm_sort is not None:
                        value = self.read(base, name.span)
                        return ValuePlace(
                            Typed(
                                Apply(Op.ARM_GET, (value.expr,), arm_sort, position, name.span),
                                arm_sort,
                            )
                        )
                return self._no_field(name, [a for a, s in arms if s is not None])
            case UnknownSort():
                if isinstance(base, StoredPlace | PointedPlace) and element(base) is None:
                    self.collector.error("KVM305", "an array has no fields: index it first", name.span)
                return ValuePlace(UNKNOWN)
            case ObjectPointerSort() | PlacePointerSort():
                self.collector.error(
                    "KVM206",
                    f"{described(sort)} has no field `{name.text}`",
                    name.span,
                    help=f"write `->{name.text}`",
                )
                return ValuePlace(UNKNOWN)
            case _:
                self.collector.error("KVM206", f"{described(sort)} has no field `{name.text}`", name.span)
                return ValuePlace(UNKNOWN)

    def _no_field(self, name: syntax.Name, known: list[str]) -> ValuePlace:
        near = nearest(name.text, known)
        self.collector.error(
            "KVM206",
            f"there is no field `{name.text}` here",
            name.span,
            help=f"did you mean `{near}`?" if near else "it has " + ", ".join(known),
        )
        return ValuePlace(UNKNOWN)

    def _index(self, base: Named, index: syntax.Expr, span: Span) -> Named:
        match base:
            case StoredPlace(shape=ArrayShape(dimension=dimension, inner=inner)):
                place = self.coerced(index, dimension)
                is_object = isinstance(dimension, ObjectPointerSort)
                if is_object:
                    place = Apply(Op.OBJECT, (place,), dimension, span=span)
                return StoredPlace(base.name, inner, (*base.indices, place), (*base.objects, is_object))
            case PointedPlace(dimensions=(dimension, *rest)):
                place = self.coerced(index, dimension)
                return PointedPlace(
                    base.pointer,
                    base.target,
                    base.component,
                    (*base.indices, place),
                    base.type,
                    tuple(rest),
                )
            case _:
                value = self.read(base, span)
                match value.sort:
                    case ListSort(element=inner_sort):
                        at = self.coerced(index, IntSort(0, 1 << 30))
                        return ValuePlace(
                            Typed(
                                Apply(Op.LIST_AT, (value.expr, at), inner_sort, span=span),
                                inner_sort,
                            )
                        )
                    case UnknownSort():
                        self.expr(index)
                        return ValuePlace(UNKNOWN)
                    case _:
                        self.collector.error(
                            "KVM305",
                            f"{described(value.sort)} can't be indexed",
                            span,
                        )
                        return ValuePlace(UNKNOWN)

    def _pointed(self, pointer: syntax.Expr, span: Span) -> Named:
        value = self.expr(pointer)
        match value.sort:
            case ObjectPointerSort(object=name):
                pool = self.world.pool_named(name)
                fields = RecordShape(name, self.world.pool_fields(pool))
                place = Apply(Op.OBJECT, (value.expr,), value.sort, span=span)
                return StoredPlace(name, fields, (place,), (True,))
            case PlacePointerSort(target=target):
                return PointedPlace(value.expr, target, "", (), self._target_type(target), ())
            case UnknownSort():
                return ValuePlace(UNKNOWN)
            case _:
                self.collector.error(
                    "KVM301", f"a pointer must stand here, not {described(value.sort)}", span
                )
                return ValuePlace(UNKNOWN)

    def _target_type(self, target: str) -> Sort | StructSymbol:
        return self.world.targets.get(target, UnknownSort())

    def _address(self, expr: syntax.Expr, span: Span) -> Typed:
        place = self.named(expr)
        if not isinstance(place, StoredPlace):
            if sort_of(place) != UnknownSort() or not isinstance(place, ValuePlace):
                self.collector.error(
                    "KVM311",
                    "only shared places have an address",
                    span,
                    why="a field of a word, a local or a value has none",
                )
            return UNKNOWN
        match place.shape:
            case LeafShape(sort=sort):
                target = sort_name(sort)
                self.world.targets[target] = sort
            case RecordShape(struct=struct) if len(place.objects) == 1 and place.objects[0]:
                # &*p of an object: the pointer itself.
                match place.indices[0]:
                    case Apply(op=Op.OBJECT, arguments=(pointer,), sort=pointer_sort):
                        return Typed(pointer, pointer_sort)
                    case _:
                        return UNKNOWN
            case RecordShape(struct=struct):
                target = struct
            case ArrayShape():
                self.collector.error("KVM311", "a whole array has no address here", span)
                return UNKNOWN
        root = self.world.root(target, place.shape, place.objects, place.name)
        pointer_sort = PlacePointerSort(target)
        return Typed(Apply(Op.POINT, place.indices, pointer_sort, root, span), pointer_sort)

    def read(self, place: Named, span: Span) -> Typed:
        """The value of a place."""
        match place:
            case ValuePlace(value=value):
                return value
            case LocalPlace(local=local, sort=sort):
                return self.local_value(local, sort)
            case PartPlace(whole=whole, path=path):
                value = self.read(whole, span)
                if isinstance(value.sort, OptionalSort):
                    value = Typed(self.fitted(value, value.sort.inner, span), value.sort.inner)
                for position, part in path:
                    value = Typed(Apply(Op.FIELD, (value.expr,), part, position, span), part)
                return value
            case LocalRecord(struct=struct):
                self.collector.error("KVM301", f"struct `{struct}` is not one value here: name a field", span)
                return UNKNOWN
            case StoredPlace() | PointedPlace():
                found = element(place)
                if found is None:
                    self.collector.error("KVM305", "this is a struct or an array, not one value", span)
                    return UNKNOWN
                where, sort = found
                if isinstance(sort, LockSort):
                    self.collector.error(
                        "KVM301",
                        "a lock has no value; ask `held(lock)` in a property",
                        span,
                    )
                    return UNKNOWN
                ghost = isinstance(place, StoredPlace) and self.world.is_ghost(place.shape)
                return self.load(where, sort, span, ghost=ghost)

    def left_is_done(self) -> None:  # noqa: B027  # only code has steps to tell apart
        """Called between the two sides of an operator."""

    @abstractmethod
    def local_value(self, local: int, sort: Sort) -> Typed:
        """The value of a local."""

    def lock(self, expr: syntax.Expr) -> Place | None:
        """The lock that `l` or `&l` or a pointer to a lock stands for; a diagnostic if there is none."""
        inner = expr.place if isinstance(expr, syntax.AddressOf) else expr
        place = self.named(inner)
        if isinstance(place, LocalPlace | ValuePlace):
            value = self.read(place, expr.span)
            if isinstance(value.sort, PlacePointerSort) and value.sort.target in (
                "spinlock",
                "rwlock",
                "mutex",
                "rwsem",
            ):
                place = PointedPlace(
                    value.expr, value.sort.target, "", (), self._target_type(value.sort.target), ()
                )
            elif isinstance(value.sort, UnknownSort):
                return None
        if isinstance(place, StoredPlace | PointedPlace):
            found = element(place)
            if found is not None and isinstance(found[1], LockSort):
                return found[0]
        self.collector.error("KVM301", "a lock must stand here", expr.span)
        return None

    def lock_sort(self, place: Place) -> LockSort:
        """The kind of a lock."""
        if isinstance(place, VariablePlace):
            sort = self.world.variables[place.variable].sort
        else:
            target = self._target_type(place.target)
            assert not isinstance(target, StructSymbol)
            sort = target
        assert isinstance(sort, LockSort)
        return sort

    # ---- literals

    def _missing(
        self,
        word: str,
        kinds: type[Sort] | tuple[type[Sort], ...],
        wanted: Sort | None,
        span: Span,
    ) -> Typed:
        if wanted is not None and isinstance(wanted, kinds):
            return Typed(Const(None, wanted), wanted)
        if wanted is None or isinstance(wanted, UnknownSort):
            return Typed(Const(None, UnknownSort()), UnknownSort())
        other = "NULL" if word == "none" else "none"
        fits = isinstance(wanted, ObjectPointerSort | PlacePointerSort | OptionalSort)
        self.collector.error(
            "KVM307",
            f"`{word}` is not {described(wanted)}",
            span,
            help=f"write `{other}`" if fits else f"declare it `{sort_name(wanted)}?`",
        )
        return UNKNOWN

    def _braces(self, expr: syntax.BraceLiteral, wanted: Sort | None) -> Typed:
        match wanted:
            case SetSort(element=inner):
                parts = tuple(self.coerced(e, inner) for e in expr.elements)
                return Typed(Apply(Op.SET_MAKE, parts, wanted), wanted)
            case ListSort(element=inner, capacity=capacity):
                if len(expr.elements) > capacity:
                    self.collector.error("KVM308", f"a list of at most {capacity} elements", expr.span)
                parts = tuple(self.coerced(e, inner) for e in expr.elements)
                return Typed(Apply(Op.LIST_MAKE, parts, wanted), wanted)
            case WordSort(fields=fields) if not expr.elements:
                return Typed(Const(tuple(d for _, _, d in fields), wanted), wanted)
            case UnknownSort():
                return UNKNOWN
            case _:
                self.collector.error(
                    "KVM306",
                    "what these braces are is not known here",
                    expr.span,
                    help="a struct is written `(T){ .field = value }`",
                )
                return UNKNOWN

    def _struct(self, expr: syntax.StructLiteral) -> Typed:
        sort = self.world.sort(expr.type, self.scope)
        match sort:
            case WordSort(fields=fields):
                given: dict[str, Expr] = {}
                for name, value in expr.fields:
                    known = [f for f, _, _ in fields]
                    if name.text not in known or value is None:
                        self._no_field(name, known)
                    elif name.text in given:
                        self.collector.error("KVM308", f"`.{name.text}` is given twice", name.span)
                    else:
                        given[name.text] = self.coerced(value, fields[sort.position(name.text)][1])
                parts = tuple(given.get(f, Const(d, s)) for f, s, d in fields)
                if all(isinstance(p, Const) for p in parts):
                    value_of = tuple(p.value for p in parts if isinstance(p, Const))
                    return Typed(Const(value_of, sort), sort)
                return Typed(Apply(Op.MAKE, parts, sort), sort)
            case UnionSort(name=union, arms=arms):
                if len(expr.fields) != 1:
                    self.collector.error("KVM312", f"exactly one arm of `{union}` must be given", expr.span)
                    return UNKNOWN
                name, value = expr.fields[0]
                if name.text not in (a for a, _ in arms):
                    self._no_field(name, [a for a, _ in arms])
                    return UNKNOWN
                position = sort.position(name.text)
                arm = arms[position][1]
                if (arm is None) != (value is None):
                    says = "has no value" if arm is None else "needs a value"
                    self.collector.error("KVM312", f"arm `{name.text}` {says}", name.span)
                    return UNKNOWN
                inner = () if arm is None or value is None else (self.coerced(value, arm),)
                return Typed(Apply(Op.ARM_MAKE, inner, sort, position), sort)
            case StructSymbol(declaration=declaration):
                self.collector.error(
                    "KVM308",
                    f"struct `{declaration.name.text}` is not one word: assign its fields",
                    expr.span,
                    help="declare it `word struct` if it is written in one access",
                )
                return UNKNOWN
            case UnknownSort():
                return UNKNOWN
            case _:
                self.collector.error("KVM308", f"{described(sort)} is not made with braces", expr.span)
                return UNKNOWN

    # ---- operators

    def _unary(self, expr: syntax.Unary) -> Typed:
        match expr.op:
            case UnaryOp.NOT:
                return Typed(Apply(Op.NOT, (self.condition(expr.operand),), BOOL), BOOL)
            case UnaryOp.NEGATE:
                value = self.expr(expr.operand)
                if isinstance(value.sort, UnknownSort):
                    return UNKNOWN
                if not is_number(value.sort):
                    return self._unfit("-", value, expr.span)
                low, high = number_range(value.sort)
                sort = IntSort(-high, -low)
                match value.expr:
                    case Const(value=int(number)):
                        return Typed(Const(-number, sort), sort)
                    case _:
                        return Typed(Apply(Op.NEGATE, (value.expr,), sort), sort)

    def _unfit(self, op: str, value: Typed, span: Span) -> Typed:
        help_text = ""
        if isinstance(value.sort, IdSort | ThreadSort):
            code, says = (
                "KVM320",
                (f"`{op}` on {described(value.sort)}: identities are only compared with == and !="),
            )
            help_text = "an `index` is ordered and can be counted with"
        else:
            code, says = "KVM303", f"`{op}` does not fit {described(value.sort)}"
        self.collector.error(code, says, span, help=help_text)
        return UNKNOWN

    def _binary(self, expr: syntax.Binary) -> Typed:
        left, right = self.operands(expr.left, expr.right)
        return self.apply(expr.op, left, right, expr.span, (expr.left, expr.right))

    def operands(self, first: syntax.Expr, second: syntax.Expr) -> tuple[Typed, Typed]:
        """Both sides, left first; a literal takes its sort from the other side."""
        if isinstance(first, _LITERALS):
            right = self.expr(second)
            return self.expr(first, right.sort), right
        left = self.expr(first)
        self.left_is_done()
        hint = left.sort
        if isinstance(second, syntax.NoneLiteral) and not isinstance(hint, OptionalSort | UnknownSort):
            return left, self.expr(second, hint)
        return left, self.expr(second, hint)

    def apply(
        self,
        op: BinaryOp,
        left: Typed,
        right: Typed,
        span: Span,
        sides: tuple[syntax.Expr, syntax.Expr] | None = None,
    ) -> Typed:
        """An infix operator (not the logical ones) applied to two values."""
        if isinstance(left.sort, UnknownSort) or isinstance(right.sort, UnknownSort):
            known_null = op in (BinaryOp.EQUAL, BinaryOp.NOT_EQUAL) or op in _COMPARISONS or op is BinaryOp.IN
            return Typed(Const(0, UnknownSort()), BOOL if known_null else UnknownSort())
        match op:
            case BinaryOp.EQUAL | BinaryOp.NOT_EQUAL:
                if not comparable(left.sort, right.sort):
                    self.collector.error(
                        "KVM303",
                        f"{described(left.sort)} can't be compared with {described(right.sort)}",
                        span,
                    )
                    return Typed(Const(0, BOOL), BOOL)
                if isinstance(left.sort, SeqSort) and isinstance(right.sort, SeqSort):
                    self.note_seq_comparison(left, right)
                code = Op.EQUAL if op is BinaryOp.EQUAL else Op.NOT_EQUAL
                return Typed(Apply(code, (left.expr, right.expr), BOOL, span=span), BOOL)
            case BinaryOp.IN:
                return self._membership(left, right, span, sides)
            case BinaryOp.LESS | BinaryOp.LESS_EQUAL | BinaryOp.GREATER | BinaryOp.GREATER_EQUAL:
                for side in (left, right):
                    if isinstance(side.sort, SeqSort):
                        what = sides[0].span.text if sides else "a seq"
                        self.collector.error(
                            "KVM321",
                            f"`{what}` is compared with `{op.value}`, but a seq can only be "
                            "compared with == and !=",
                            span,
                            label="here",
                            help="a seq stands for any number of increments; `!=` says "
                            '"has changed since the snapshot"',
                        )
                        return Typed(Const(0, BOOL), BOOL)
                    if not is_number(side.sort):
                        return Typed(self._unfit(op.value, side, span).expr, BOOL)
                code, swapped = _COMPARISONS[op]
                pair = (right.expr, left.expr) if swapped else (left.expr, right.expr)
                return Typed(Apply(code, pair, BOOL, span=span), BOOL)
            case _:
                return self._arithmetic(op, left, right, span)

    @abstractmethod
    def note_seq_comparison(self, left: Typed, right: Typed) -> None:
        """Note that two seqs are compared, unless one of them is surely the newest of its home."""

    def _membership(
        self,
        left: Typed,
        right: Typed,
        span: Span,
        sides: tuple[syntax.Expr, syntax.Expr] | None,
    ) -> Typed:
        match right.sort:
            case SetSort(element=inner) | ListSort(element=inner):
                member = left.expr
                if isinstance(left.sort, OptionalSort):
                    # `p in s` of a missing p is false, not an error.
                    present = Apply(Op.NOT_EQUAL, (left.expr, Const(None, left.sort)), BOOL, span=span)
                    inside = Apply(Op.IN, (member, right.expr), BOOL, span=span)
                    return Typed(Apply(Op.AND, (present, inside), BOOL), BOOL)
                member = self.fitted(left, inner, sides[0].span if sides else span)
                return Typed(Apply(Op.IN, (member, right.expr), BOOL, span=span), BOOL)
            case _:
                self.collector.error("KVM303", f"`in` needs a set or list, not {described(right.sort)}", span)
                return Typed(Const(0, BOOL), BOOL)

    def _arithmetic(self, op: BinaryOp, left: Typed, right: Typed, span: Span) -> Typed:
        if isinstance(left.sort, SetSort) and op in _WITH_SETS:
            one, many = _WITH_SETS[op]
            if isinstance(right.sort, SetSort):
                other = self.fitted(right, left.sort, span)
                return Typed(Apply(many, (left.expr, other), left.sort, span=span), left.sort)
            if one is not None:
                member = self.fitted(right, left.sort.element, span)
                return Typed(Apply(one, (left.expr, member), left.sort, span=span), left.sort)
        both_bool = isinstance(left.sort, BoolSort) and isinstance(right.sort, BoolSort)
        bitwise = op in (BinaryOp.BIT_AND, BinaryOp.BIT_OR, BinaryOp.BIT_XOR)
        if both_bool and bitwise:
            return Typed(Apply(_ARITHMETIC[op], (left.expr, right.expr), BOOL, span=span), BOOL)
        sides = []
        for side in (left, right):
            if isinstance(side.sort, BoolSort):
                side = Typed(side.expr, IntSort(0, 1))
            if isinstance(side.sort, OptionalSort) and is_number(side.sort.inner):
                side = Typed(self.fitted(side, side.sort.inner, span), side.sort.inner)
            if isinstance(side.sort, SeqSort):
                self.collector.error(
                    "KVM321",
                    f"`{op.value}` on a seq: it can only be copied, incremented and compared",
                    span,
                    help="`s++` increments it; `seq wrap N` is a plain counter",
                )
                return UNKNOWN
            if not is_number(side.sort):
                return self._unfit(op.value, side, span)
            sides.append(side)
        return arithmetic(_ARITHMETIC[op], sides[0], sides[1], span)

    # ---- methods

    def method(self, expr: syntax.Call, base: syntax.Expr, name: syntax.Name) -> Typed:
        """The methods that only ask: `s.size()`, `l.len()`, `l.distinct()`, `u.is(arm)`."""
        value = self.expr(base)
        match value.sort, name.text:
            case (SetSort() | ListSort(), "size" | "len"):
                sort = IntSort(0, 64)
                return Typed(Apply(Op.SIZE, (value.expr,), sort), sort)
            case (ListSort(), "distinct"):
                return Typed(Apply(Op.DISTINCT, (value.expr,), BOOL), BOOL)
            case (UnionSort(arms=arms), "is"):
                match expr.arguments:
                    case (syntax.Name(text=arm) as arm_name,):
                        if arm in (a for a, _ in arms):
                            position = value.sort.position(arm)
                            return Typed(Apply(Op.ARM_IS, (value.expr,), BOOL, position), BOOL)
                        self._no_field(arm_name, [a for a, _ in arms])
                    case _:
                        self.collector.error("KVM302", "`is` takes the name of one arm", expr.span)
                return Typed(Const(0, BOOL), BOOL)
            case (UnknownSort(), _):
                return UNKNOWN
            case _:
                known = {
                    SetSort: ["size"],
                    ListSort: ["push", "pop", "len", "distinct"],
                    UnionSort: ["is"],
                }.get(type(value.sort), [])
                near = nearest(name.text, known)
                self.collector.error(
                    "KVM314",
                    f"{described(value.sort)} has no method `{name.text}`",
                    name.span,
                    help=f"did you mean `{near}`?"
                    if near
                    else ("it has " + ", ".join(known) if known else ""),
                )
                return UNKNOWN
