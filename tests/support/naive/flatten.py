# SPDX-License-Identifier: GPL-2.0-only
"""Bodies as flat lists of instructions: each shared access one instruction, calls inlined, the rest closures.

In *direct* mode (properties, ghosts, `init`, `await`, `where`) shared state is read on the spot instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass
from itertools import product

from kvmcheck.lang import syntax as s
from tests.support.naive import values as v
from tests.support.naive.context import Context, LiveCall
from tests.support.naive.names import Constant, Found, Scope, World, arithmetic, dotted, inner_type

NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Val:
    """A value to be computed without shared accesses (or with direct ones), and the locals it reads."""

    get: Callable[[Context], v.Value]
    reads: frozenset[str]
    type: v.Type | None


@dataclass(frozen=True)
class Place:
    """Where something is: a local's key, or a path of shared memory; `inner`: word fields within."""

    path: Callable[[Context], v.Path]
    local: str | None
    leaf: v.Type
    inner: tuple[str, ...]
    reads: frozenset[str]
    static: tuple[str, ...] | None
    choices: tuple[str, ...] = ()  # a local array at an index that is not constant: all its elements

    @property
    def type(self) -> v.Type:
        """The type of what is there."""
        kind = self.leaf
        for name in self.inner:
            assert isinstance(kind, v.Struct)
            kind = kind.field(name)
        return kind

    @property
    def is_local(self) -> bool:
        """Whether it is a thread's own."""
        return self.local is not None or bool(self.choices)


@dataclass
class Instr:
    """One instruction; what is used of it depends on `op`."""

    op: str
    span: object
    val: Val | None = None
    place: Place | None = None
    target: str | None = None
    jump: int = -1
    update: Callable[[v.Value, Context], tuple[v.Value, v.Value]] | None = None
    act: Callable[[Context], None] | None = None
    mark: str = "plain"
    text: str = ""
    flag: bool = False
    kind: v.Type | None = None
    group: int | None = None
    faint: bool = False
    """A parameter that is just another name: reads its argument only if it is read itself."""
    reads: frozenset[str] = NOTHING
    writes: str | None = None


VISIBLE = {
    "load", "store", "update", "acquire", "release", "downgrade", "await", "atomic", "pause", "alloc", "free",
    "irq",
}  # fmt: skip


@dataclass(frozen=True)
class LocalName:
    """A local or parameter."""

    key: str
    type: v.Type


@dataclass(frozen=True)
class BoundName:
    """A quantified variable, a guard's dimension, or a parameter of the process."""

    name: str
    type: v.Type


@dataclass(frozen=True)
class CallName:
    """A live call."""

    name: str
    function: str


@dataclass(frozen=True)
class FunctionName:
    """A function parameter's function."""

    found: Found


Meaning = LocalName | BoundName | CallName | FunctionName


@dataclass
class Instance:
    """An inlined call: where its instructions are, and its locals by their names."""

    function: str
    first: int
    last: int = -1
    locals: dict[str, LocalName] = field(default_factory=dict)
    at: dict[str, int] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)
    regions: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass
class Code:
    """A flat body."""

    instrs: list[Instr]
    instances: list[Instance]
    live: list[frozenset[str]] = field(default_factory=list)


@dataclass
class Watch:
    """What properties want to know of running code."""

    regions: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    asked: dict[str, set[str]] = field(default_factory=dict)
    monitors: list[Monitor] = field(default_factory=list)


@dataclass
class Monitor:
    """An `after … until`: its events, and the variables that its bit depends on."""

    number: int
    event: s.After
    scope: Scope
    variables: list[tuple[str, v.Type]]
    names: dict[str, Meaning]

    def concerns(self, world: World, function: str) -> bool:
        """Whether one of its events is about a function."""
        events = [e for e in (self.event.start, self.event.end) if e is not None]
        return any(world.find(self.scope, e.function).key == function for e in events)


def literal(value: v.Value, kind: v.Type | None = None) -> Val:
    """A constant."""
    return Val(lambda _: value, NOTHING, kind)


class Flattener:
    """Builds one body."""

    def __init__(self, world: World, watch: Watch, scope: Scope, *, direct: bool = False) -> None:
        self.world, self.watch, self.scope, self.direct = world, watch, scope, direct
        self.init = False
        self.code: list[Instr] = []
        self.names: list[dict[str, Meaning]] = [{}]
        self.instances: list[Instance] = []
        self.stack: list[str] = []
        self.counter = 0
        self.group: int | None = None
        self.groups = 0
        self.heads: list[int] = []
        self.loops: list[
            tuple[list[int], list[int], int]
        ] = []  # jumps of break, of continue, labels around it
        self.entries: list[dict[str, Meaning]] = []  # the arguments of the calls around this place
        self.late: set[str] = set()  # locals that begin without a value
        self.open: list[str] = []  # labelled statements around this place
        self.paths: dict[str, list[str]] = {}  # the same for the places that gotos go to
        self.result: LocalName | None = None
        self.exits: list[int] = []
        self.labels: dict[str, int] = {}
        self.gotos: list[tuple[int, str]] = []
        self.homes: set[tuple[str, ...] | None] = set()
        self.addressed: set[tuple[str, ...]] = set()

    # ------------------------------------------------------------------ building

    def emit(self, op: str, span: object, **more: object) -> Instr:
        """Append an instruction."""
        instr = Instr(op, span, group=self.group, **more)  # type: ignore[arg-type]
        reads = set(instr.val.reads) if instr.val else set()
        if instr.place:
            reads |= instr.place.reads
        instr.reads = frozenset(reads) | instr.reads
        if instr.writes is None:
            instr.writes = instr.target
        self.code.append(instr)
        return instr

    def fresh(self, name: str, kind: v.Type) -> LocalName:
        """A new local of the body."""
        self.counter += 1
        return LocalName(f"{self.counter}.{name}", kind)

    def temp(self, result: v.Type | None, op: str, span: object, **more: object) -> Val:
        """Emit an instruction that leaves its result in a hidden local; its value."""
        local = self.fresh("", result or v.Bool())
        self.emit(op, span, target=local.key, **more)
        return self.local_val(local.key, result)

    def local_val(self, key: str, kind: v.Type | None) -> Val:
        """The value of a local."""
        return Val(lambda c: c.local(key), frozenset((key,)), kind)

    def here(self) -> int:
        """The next instruction's position."""
        return len(self.code)

    def jump(self, span: object, target: int = -1) -> Instr:
        """Go elsewhere."""
        return self.emit("jump", span, jump=target)

    def branch(self, condition: Val, span: object) -> Instr:
        """Go on if true, else to `jump`."""
        return self.emit("branch", span, val=condition)

    def condition(self, expr: s.Expr, span: object, wanted: bool = True) -> list[Instr]:
        """Go on if the condition is as wanted; what jumps away otherwise, to be tied."""
        o = s.BinaryOp
        match expr:
            case s.Unary(s.UnaryOp.NOT, operand):
                return self.condition(operand, span, not wanted)
            case s.Binary(o.IMPLIES, left, right):
                return self.condition(
                    s.Binary(o.OR, s.Unary(s.UnaryOp.NOT, left, left.span), right, expr.span), span, wanted
                )
            case s.Binary(o.AND | o.OR, left, right):
                both = (expr.op is o.AND) == wanted
                first = self.condition(left, span, wanted if both else not wanted)
                second = self.condition(right, span, wanted)
                if both:
                    return first + second
                for instr in first:
                    instr.jump = self.here()
                self.emit("nop", span)
                return second
            case _:
                value = self.value(expr)
                test = value if wanted else Val(lambda c: int(not value.get(c)), value.reads, None)
                known = constant_of(test) if isinstance(expr, FIXED) else None
                return [
                    self.branch(test, span) if known is None else self.emit("nop" if known else "jump", span)
                ]

    def tie(self, jumps: list[Instr]) -> None:
        """Let them go to what comes next."""
        for instr in jumps:
            instr.jump = self.here()

    def trial(self, action: Callable[[], object]) -> bool:
        """Whether an action emits anything; undone again."""
        before = (
            len(self.code),
            self.counter,
            len(self.instances),
            len(self.heads),
            len(self.gotos),
            self.groups,
        )
        action()
        grown = len(self.code) > before[0]
        del (
            self.code[before[0] :],
            self.instances[before[2] :],
            self.heads[before[3] :],
            self.gotos[before[4] :],
        )
        self.counter, self.groups = before[1], before[5]
        return grown

    def lookup(self, name: str) -> Meaning | None:
        """A local meaning of a name."""
        for names in reversed(self.names):
            if name in names:
                return names[name]
        return None

    def global_of(self, expr: s.Expr) -> Found | None:
        """The declaration that a (dotted) name means, if it means one."""
        try:
            path = dotted(expr)
            if self.lookup(path[0]) is not None:
                return None
            return self.world.find(self.scope, path)
        except KeyError:
            return None

    # ------------------------------------------------------------------ places

    def local_place(self, local: LocalName) -> Place:
        """The place of a local."""
        return Place(lambda _: (), local.key, local.type, (), NOTHING, None)

    def place(self, expr: s.Expr) -> Place:
        """The place that an expression names; emits the accesses of its subscripts and pointers."""
        found = self.global_of(expr)
        if found is not None:
            assert isinstance(found.what, s.VarDecl), expr
            name = found.key
            kind = self.world.variable_type(found)
            return Place(lambda _: (name,), None, kind, (), NOTHING, (name,))
        match expr:
            case s.Name(text):
                meaning = self.lookup(text)
                assert isinstance(meaning, LocalName), text
                return self.local_place(meaning)
            case s.Field(base, member):
                return self.field(self.place(base), member.text)
            case s.Index(base, index):
                return self.indexed(self.place(base), self.value(index))
            case s.Arrow(base, member):
                return self.field(self.pointed(self.value(base)), member.text)
            case s.Dereference(pointer):
                return self.pointed(self.value(pointer))
            case _:
                raise ValueError(f"not a place: {expr}")

    def field(self, base: Place, name: str) -> Place:
        """A field of a place."""
        kind = base.type
        assert isinstance(kind, v.Struct), kind
        if kind.word:
            return Place(
                base.path, base.local, base.leaf, (*base.inner, name), base.reads, base.static, base.choices
            )
        leaf = kind.field(name)
        if base.is_local:
            key = None if base.local is None else f"{base.local}.{name}"
            path = base.path
            return Place(
                lambda c: (f"{path(c)[0]}.{name}",) if base.choices else (),
                key, leaf, (), base.reads, None, tuple(f"{k}.{name}" for k in base.choices),
            )  # fmt: skip
        static = None if base.static is None else (*base.static, name)
        return Place(lambda c: (*base.path(c), name), None, leaf, (), base.reads, static)

    def indexed(self, base: Place, index: Val) -> Place:
        """An element of an array."""
        kind = base.type
        assert isinstance(kind, v.Array), kind
        size = kind.size

        def at(c: Context) -> int:
            position = v.as_int(index.get(c))
            if not 0 <= position < size:
                raise v.out_of_bounds(f"index {position} of {size}")
            return position

        if base.is_local:
            stems = [base.local] if base.local is not None else list(base.choices)
            keys = tuple(f"{stem}[{i}]" for stem in stems for i in range(size))
            local, path = base.local, base.path
            return Place(
                lambda c: (f"{local if local is not None else path(c)[0]}[{at(c)}]",),
                None, kind.element, (), base.reads | index.reads, None, keys,
            )  # fmt: skip
        return Place(
            lambda c: (*base.path(c), at(c)), None, kind.element, (), base.reads | index.reads, base.static
        )

    def pointed(self, pointer: Val) -> Place:
        """What a pointer points to."""
        kind = pointer.type
        if isinstance(kind, v.ObjPtr):
            target: v.Type = self.world.object_type(kind.pool)
        else:
            assert isinstance(kind, v.PlacePtr), kind
            target = kind.target()

        def path(c: Context) -> v.Path:
            value = pointer.get(c)
            match value:
                case v.Obj(pool, number, False):
                    return (pool, number)
                case v.Ptr(where, False):
                    return where
                case _:
                    raise v.Fault("no_use_after_free", str(value))

        static = (kind.pool,) if isinstance(kind, v.ObjPtr) else None
        return Place(path, None, target, (), pointer.reads, static)

    def read(self, place: Place, span: object, mark: str = "plain") -> Val:
        """The value at a place."""
        assert not v.is_whole(place.leaf), f"read of a whole {place.leaf}"
        inner = place.inner
        kind = place.type

        def peel(value: v.Value) -> v.Value:
            for name in inner:
                assert isinstance(value, v.Record), value
                value = value.get(name)
            return value

        if place.local is not None:
            key = place.local
            return Val(lambda c: peel(c.local(key)), frozenset((key,)), kind)
        if place.choices:
            reads = place.reads | frozenset(place.choices)
            return Val(lambda c: peel(c.local(str(place.path(c)[0]))), reads, kind)
        if self.direct:
            return Val(lambda c: peel(c.read(place.path(c), mark)), place.reads, kind)
        word = self.temp(place.leaf, "load", span, place=place, mark=mark)
        return Val(lambda c: peel(word.get(c)), word.reads, kind)

    def write(
        self, place: Place, value: Val, span: object, mark: str = "plain", *, word: Val | None = None
    ) -> None:
        """Store at a place: of a shared word's field, load the word and store it."""
        kind, inner = place.type, place.inner
        if place.local is None and not place.choices and inner and word is None:
            word = self.read(Place(place.path, None, place.leaf, (), place.reads, place.static), span, mark)
        old: Val | None = word
        if place.is_local and inner:
            old = self.read(
                Place(place.path, place.local, place.leaf, (), place.reads, None, place.choices), span
            )

        def new(c: Context) -> v.Value:
            fitted = v.fit(value.get(c), kind)
            return fitted if old is None else put(old.get(c), inner, fitted)

        stored = Val(new, value.reads | (old.reads if old else NOTHING), place.leaf)
        if place.local is not None:
            self.emit("set", span, val=stored, target=place.local)
        elif place.choices:
            more = place.reads | frozenset(place.choices)
            path = place.path
            self.emit(
                "set at",
                span,
                val=stored,
                act=None,
                reads=more,
                place=Place(path, None, kind, (), more, None),
            )
        elif self.direct:
            self.emit("poke", span, val=stored, place=place)
        else:
            self.emit("store", span, val=stored, place=place, mark=mark)

    def leaves(self, place: Place) -> list[Place]:
        """The one-access places within a place."""
        kind = place.type
        if isinstance(kind, v.Array):
            return [leaf for i in range(kind.size) for leaf in self.leaves(self.element(place, i))]
        if isinstance(kind, v.Struct) and not kind.word:
            return [leaf for name, _, _ in kind.fields for leaf in self.leaves(self.field(place, name))]
        return [place]

    def element(self, base: Place, index: int) -> Place:
        """An element at a constant index."""
        if base.local is not None:
            kind = base.type
            assert isinstance(kind, v.Array)
            return Place(base.path, f"{base.local}[{index}]", kind.element, (), base.reads, None)
        return self.indexed(base, literal(index))

    def copy(self, target: Place, source: s.Expr, span: object) -> None:
        """`target = source` of whole structs and arrays: leaf by leaf."""
        if isinstance(source, s.StructLiteral | s.BraceLiteral):
            kind = target.type
            given = {n.text: e for n, e in source.fields} if isinstance(source, s.StructLiteral) else {}
            if not isinstance(kind, v.Struct):
                for leaf in self.leaves(target):
                    self.write(leaf, literal(v.default(leaf.type)), span)
                return
            values: list[tuple[Place, Val]] = []
            for name, inner, start in kind.fields:
                part = self.field(target, name)
                e = given.get(name)
                if v.is_whole(inner):
                    if e is not None:
                        self.copy(part, e, span)
                    else:
                        values += [(leaf, literal(v.default(leaf.type))) for leaf in self.leaves(part)]
                else:
                    values.append((part, literal(start) if e is None else self.value(e)))
            for part, value in values:
                self.write(part, value, span)
            return
        if isinstance(source, s.Call):
            made = self.call(source)
            assert isinstance(made, Place)
            origin = made
        else:
            origin = self.place(source)
        for to, out in zip(self.leaves(target), self.leaves(origin), strict=True):
            self.write(to, self.read(out, span), span)

    # ------------------------------------------------------------------ expressions

    def value(self, expr: s.Expr) -> Val:
        """The value of an expression; in stepping mode its shared accesses are emitted."""
        o = s.BinaryOp
        span = expr.span
        match expr:
            case s.IntLiteral(number):
                return literal(number)
            case s.BoolLiteral(truth):
                return literal(int(truth), v.Bool())
            case s.NoneLiteral() | s.NullLiteral():
                return literal(None)
            case s.Name("current") if self.lookup("current") is None:
                return Val(lambda c: c.me(), NOTHING, v.Ident("Thread", self.world.thread_count))
            case s.Name("actor") if self.lookup("actor") is None:
                return Val(lambda c: c.actor, NOTHING, v.Ident("Thread", self.world.thread_count))
            case s.BraceLiteral(elements):
                parts = [self.value(e) for e in elements]
                return Val(lambda c: v.Brace(tuple(p.get(c) for p in parts)), union(parts), None)
            case s.StructLiteral():
                return self.struct_literal(expr)
            case s.Any(kind):
                return self.temp(
                    (t := self.world.type(kind, self.scope)), "choose", span, val=literal(tuple(v.members(t)))
                )
            case s.Unary(op, operand):
                inner = self.value(operand)
                if op is s.UnaryOp.NOT:
                    return Val(lambda c: int(not inner.get(c)), inner.reads, v.Bool())
                return Val(lambda c: -v.as_int(inner.get(c)), inner.reads, None)
            case s.Binary(o.AND | o.OR | o.IMPLIES):
                return self.short_circuit(expr)
            case s.Binary():
                return self.binary(expr)
            case s.Ternary(condition, then, otherwise):
                return self.ternary(condition, then, otherwise, span)
            case s.Call():
                called = self.call(expr)
                assert isinstance(called, Val)
                return called
            case s.AddressOf(operand):
                place = self.place(operand)
                if place.static is not None:
                    self.addressed.add(place.static)
                target, where = place.type, place.path
                if isinstance(target, v.Struct) and target.name in self.world.pools:
                    return Val(
                        lambda c: v.Obj(str(where(c)[0]), v.as_int(where(c)[1]), False), place.reads, None
                    )
                return Val(lambda c: v.Ptr(where(c), False), place.reads, v.PlacePtr("&", lambda: target))
            case s.Alloc(kind, zeroed, or_null):
                assert isinstance(kind, s.NamedType)
                pool = self.world.find(self.scope, kind.path).key
                self.world.object_type(pool)
                return self.temp(
                    v.ObjPtr(pool), "alloc", span, text=pool, flag=zeroed, mark="null" if or_null else ""
                )
            case s.The():
                return self.the(expr)
            case s.IncDec(operand, increment, prefix):
                return self.inc_dec(operand, increment, prefix, span)
            case s.Quantified():
                return self.quantified(expr)
            case s.LiveAt() | s.LiveIn():
                return self.live(expr)
            case s.After():
                return self.after(expr)
            case s.Name() | s.Field() | s.Index() | s.Arrow() | s.Dereference():
                return self.named(expr)

    def named(self, expr: s.Name | s.Field | s.Index | s.Arrow | s.Dereference, mark: str = "plain") -> Val:
        """The value of a name, field, element, or of what a pointer points to."""
        found = self.global_of(expr)
        if found is not None and not isinstance(found.what, s.VarDecl):
            if isinstance(found.what, Constant):
                return literal(found.what.value, found.what.kind)
            kind = (
                self.world.type(found.what.type, found.scope) if isinstance(found.what, s.ParamDecl) else None
            )
            return literal(self.world.named_constant(found), kind)
        if isinstance(expr, s.Name):
            meaning = self.lookup(expr.text)
            if isinstance(meaning, BoundName):
                return Val(lambda c: c.bound[meaning.name], NOTHING, meaning.type)
        if isinstance(expr, s.Field):
            if isinstance(expr.base, s.Name) and isinstance(m := self.lookup(expr.base.text), CallName):
                return self.call_local(m, expr.name.text)
            if found is not None:
                return self.read(self.place(expr), expr.span, mark)
            if not self.is_place(expr.base):
                return self.part(self.value(expr.base), expr.name.text)
            base = self.place(expr.base)
            if isinstance(base.type, v.Union):
                return self.part(self.read(base, expr.span, mark), expr.name.text)
            return self.read(self.field(base, expr.name.text), expr.span, mark)
        if isinstance(expr, s.Index):
            if not self.is_place(expr.base):
                return self.item(self.value(expr.base), self.value(expr.index))
            base = self.place(expr.base)
            if isinstance(base.type, v.ListOf):
                items = self.read(base, expr.span, mark)
                return self.item(items, self.value(expr.index))
            return self.read(self.indexed(base, self.value(expr.index)), expr.span, mark)
        return self.read(self.place(expr), expr.span, mark)

    def is_place(self, expr: s.Expr) -> bool:
        """Whether an expression names a place (and not just a value)."""
        found = self.global_of(expr)
        if found is not None:
            return isinstance(found.what, s.VarDecl)
        match expr:
            case s.Name(text):
                return isinstance(self.lookup(text), LocalName)
            case s.Field(base):
                if not self.is_place(base):
                    return False
                names: list[bool] = []
                self.trial(lambda: names.append(isinstance(self.place(base).type, v.Struct)))
                return names[0]
            case s.Index(base):
                if not self.is_place(base):
                    return False
                arrays: list[bool] = []
                self.trial(lambda: arrays.append(isinstance(self.place(base).type, v.Array)))
                return arrays[0]
            case s.Arrow() | s.Dereference():
                return True
            case _:
                return False

    def part(self, base: Val, name: str) -> Val:
        """A field of a record value, or a union's arm."""
        kind = base.type
        inner: v.Type | None = None
        if isinstance(kind, v.Struct):
            inner = kind.field(name)
        elif isinstance(kind, v.Union):
            inner = dict(kind.arms)[name]

        def get(c: Context) -> v.Value:
            value = base.get(c)
            if isinstance(value, v.Arm):
                if value.arm != name:
                    raise v.out_of_bounds(f"arm {name} is not there")
                return value.value
            if value is None:
                raise v.out_of_bounds("none is used as a value")
            assert isinstance(value, v.Record)
            return value.get(name)

        return Val(get, base.reads, inner)

    def item(self, base: Val, index: Val) -> Val:
        """An element of a list."""

        def get(c: Context) -> v.Value:
            items, position = base.get(c), v.as_int(index.get(c))
            assert isinstance(items, v.Items)
            if not 0 <= position < len(items.items):
                raise v.out_of_bounds("no such element")
            return items.items[position]

        kind = base.type.element if isinstance(base.type, v.ListOf) else None
        return Val(get, base.reads | index.reads, kind)

    def struct_literal(self, expr: s.StructLiteral) -> Val:
        """A word or union."""
        kind = self.world.type(expr.type, self.scope)
        given = {n.text: (None if e is None else self.value(e)) for n, e in expr.fields}
        reads = union([e for e in given.values() if e is not None])
        if isinstance(kind, v.Union):
            ((name, e),) = given.items()
            inner = dict(kind.arms)[name]
            if e is None or inner is None:
                return literal(v.Arm(name, None), kind)
            held, fits = e, inner
            return Val(lambda c: v.Arm(name, v.fit(held.get(c), fits)), reads, kind)
        assert isinstance(kind, v.Struct)
        fields = kind.fields

        def make(c: Context) -> v.Value:
            parts = []
            for name, inner, start in fields:
                e = given.get(name)
                parts.append((name, start if e is None else v.fit(e.get(c), inner)))
            return v.Record(tuple(parts))

        return Val(make, reads, kind)

    def short_circuit(self, expr: s.Binary) -> Val:
        """`&&`, `||`, `implies`: a branch if the right side has accesses of its own."""
        o = s.BinaryOp
        if self.trial(lambda: self.value(expr.right)):
            return self.branched(expr)
        left = self.value(expr.left)
        goes_on = (lambda x: not x) if expr.op is o.OR else bool
        stops_as = 0 if expr.op is o.AND else 1
        right = self.value(expr.right)
        return Val(
            lambda c: int(bool(right.get(c))) if goes_on(left.get(c)) else stops_as,
            left.reads | right.reads,
            v.Bool(),
        )

    def branched(self, expr: s.Expr) -> Val:
        """A condition's truth, by branching."""
        result = self.fresh("", v.Bool())
        jumps = self.condition(expr, expr.span)
        self.emit("set", expr.span, val=literal(1), target=result.key)
        over = self.jump(expr.span)
        self.tie(jumps)
        self.emit("set", expr.span, val=literal(0), target=result.key)
        over.jump = self.here()
        return self.local_val(result.key, v.Bool())

    def ternary(self, condition: s.Expr, then: s.Expr, otherwise: s.Expr, span: object) -> Val:
        """`c ? a : b`."""

        def both() -> None:
            self.value(then)
            self.value(otherwise)

        if not self.trial(both):
            test = self.value(condition)
            yes, no = self.value(then), self.value(otherwise)
            kind = yes.type or no.type
            reads = test.reads | yes.reads | no.reads
            return Val(lambda c: yes.get(c) if test.get(c) else no.get(c), reads, kind)
        result = self.fresh("", v.Bool())
        jumps = self.condition(condition, span)
        yes = self.value(then)
        self.emit("set", span, val=yes, target=result.key)
        over = self.jump(span)
        self.tie(jumps)
        no = self.value(otherwise)
        self.emit("set", span, val=no, target=result.key)
        over.jump = self.here()
        return self.local_val(result.key, yes.type or no.type)

    def value_before(self, expr: s.Expr, later: Callable[[], object]) -> Val:
        """The value of an expression as it is now, whatever is done to its locals later."""
        value = self.value(expr)
        start = len(self.code)
        changed: set[str | None] = set()

        def look() -> None:
            later()
            changed.update(instr.writes for instr in self.code[start:])

        self.trial(look)
        if not value.reads & changed:
            return value
        kept = self.fresh("", value.type or v.Bool())
        self.emit("set", expr.span, val=value, target=kept.key)
        return self.local_val(kept.key, value.type)

    def binary(self, expr: s.Binary) -> Val:
        """Every operator that evaluates both sides."""
        o = s.BinaryOp
        op = expr.op
        left = self.value_before(expr.left, lambda: self.value(expr.right))
        right = self.value(expr.right)
        reads = left.reads | right.reads
        if op is o.EQUAL:
            return Val(lambda c: int(v.same(left.get(c), right.get(c))), reads, v.Bool())
        if op is o.NOT_EQUAL:
            return Val(lambda c: int(not v.same(left.get(c), right.get(c))), reads, v.Bool())
        if op is o.IN:
            return Val(lambda c: int(contains(right.get(c), left.get(c))), reads, v.Bool())
        element = right.type.element if isinstance(right.type, v.SetOf) else None
        return Val(
            lambda c: combine(op, left.get(c), right.get(c)),
            reads,
            left.type if element else left.type or right.type,
        )

    def inc_dec(self, operand: s.Expr, increment: bool, prefix: bool, span: object) -> Val:
        """`x++` and its kin."""
        place = self.place(operand)
        word: Val | None = None
        if place.inner and not place.is_local:
            whole = Place(place.path, None, place.leaf, (), place.reads, place.static)
            word = self.read(whole, span)
            old = word
            for name in place.inner:
                old = self.part(old, name)
        else:
            old = self.read(place, span)
        if isinstance(place.type, v.Seq):
            if place.type.wrap is None:
                self.homes.add(place.static)
            new = Val(lambda c: successor(old.get(c)), old.reads, place.type)
        else:
            change = 1 if increment else -1
            new = Val(lambda c: v.as_int(old.get(c)) + change, old.reads, place.type)
        if place.is_local and not prefix:
            kept = self.fresh("", place.type)  # the old value is needed after the local has changed
            self.emit("set", span, val=old, target=kept.key)
            old = self.local_val(kept.key, place.type)
            new = Val(lambda c: v.as_int(old.get(c)) + (1 if increment else -1), old.reads, place.type)
        self.write(place, new, span, word=word)
        if not prefix:
            return old
        kind = place.type
        return (
            Val(lambda c: v.fit(new.get(c), kind), new.reads, kind)
            if not place.is_local
            else self.read(place, span)
        )

    def the(self, expr: s.The) -> Val:
        """`the T x where (e)`."""
        kind = self.world.type(expr.type, self.scope)
        name = expr.name.text
        bound = self.inside(
            {name: BoundName(name, kind)}, lambda: self.directly(lambda: self.value(expr.condition))
        )
        candidates = self.candidates(kind)

        def get(c: Context) -> v.Value:
            fitting = [x for x in candidates(c) if bound.get(c.with_bound(name, x))]
            if len(fitting) != 1:
                raise v.out_of_bounds(f"the: {len(fitting)} fit")
            return fitting[0]

        return self.looked_up(Val(get, bound.reads, kind), expr.span)

    def looked_up(self, value: Val, span: object) -> Val:
        """In code, looking at many places at once is a step of its own."""
        if self.direct:
            return value
        outer = self.group
        if outer is None:
            self.emit("atomic", span)
            self.groups += 1
            self.group = self.groups
        kept = self.fresh("", value.type or v.Bool())
        self.emit("set", span, val=value, target=kept.key)
        self.group = outer
        return self.local_val(kept.key, value.type)

    def candidates(self, kind: v.Type) -> Callable[[Context], list[v.Value]]:
        """What a bound variable ranges over."""
        if isinstance(kind, v.ObjPtr):
            pool = kind.pool
            size = self.world.pool_size(pool)

            def objects(c: Context) -> list[v.Value]:
                return [v.Obj(pool, i, False) for i in range(size) if c.mem[("allocated", pool, i)]]

            return objects
        every = v.members(kind)
        return lambda _: every

    def directly(self, action: Callable[[], Val]) -> Val:
        """Do something in direct mode."""
        before, self.direct = self.direct, True
        try:
            return action()
        finally:
            self.direct = before

    def inside(self, names: dict[str, Meaning], action: Callable[[], Val]) -> Val:
        """Do something with more names."""
        self.names.append(names)
        try:
            return action()
        finally:
            self.names.pop()

    # ------------------------------------------------------------------ properties

    def quantified(self, expr: s.Quantified) -> Val:
        """`forall`, `exists`, `count`."""
        ranges: list[tuple[str, Callable[[Context], list[v.Value]]]] = []
        depth = len(self.names)
        for binder in expr.binders:
            name = binder.name.text
            found = None
            if isinstance(binder.type, s.NamedType) and binder.type.path != ("Thread",):
                found = self.world.find(self.scope, binder.type.path)
            if found is not None and isinstance(found.what, s.FunctionDecl):
                key = found.key
                ranges.append((name, lambda c, key=key: [x for x in c.live if x.instance.function == key]))  # type: ignore[misc]
                self.names.append({name: CallName(name, key)})
                continue
            kind = self.world.type(binder.type, self.scope)
            if binder.domain is not None:
                domain = self.value(binder.domain)
                ranges.append((name, lambda c, domain=domain: in_order(domain.get(c))))  # type: ignore[misc]
            else:
                ranges.append((name, self.candidates(kind)))
            self.names.append({name: BoundName(name, kind)})
        body = self.directly(lambda: self.value(expr.body))
        del self.names[depth:]
        which = expr.kind

        def get(c: Context) -> v.Value:
            def results(position: int, inner: Context) -> list[bool]:
                if position == len(ranges):
                    return [bool(body.get(inner))]
                name, every = ranges[position]
                found: list[bool] = []
                for x in every(inner):
                    for truth in results(position + 1, inner.with_bound(name, x)):
                        found.append(truth)
                        if (
                            truth == (which is s.QuantifierKind.EXISTS)
                            and which is not s.QuantifierKind.COUNT
                        ):
                            return found
                return found

            truths = results(0, c)
            if which is s.QuantifierKind.FORALL:
                return int(all(truths))
            return int(any(truths)) if which is s.QuantifierKind.EXISTS else sum(truths)

        return Val(get, body.reads, None if which is s.QuantifierKind.COUNT else v.Bool())

    def call_local(self, call: CallName, name: str) -> Val:
        """`f.local` of a live call."""
        kind: v.Type | None = None
        if name == "thread":
            kind = v.Ident("Thread", self.world.thread_count)
        else:
            kind = self.world.local_types.get((call.function, name))

        def get(c: Context) -> v.Value:
            live = c.bound[call.name]
            assert isinstance(live, LiveCall)
            if name == "thread":
                return live.thread
            local = live.instance.locals[name]
            if local.key not in live.env:
                raise v.Fault("no_unset_read", name)
            return live.env[local.key]

        return Val(get, NOTHING, kind)

    def live(self, expr: s.LiveAt | s.LiveIn) -> Val:
        """`f at @A`, `f in @A..@B`."""
        name = expr.call.text

        def get(c: Context) -> v.Value:
            live = c.bound[name]
            assert isinstance(live, LiveCall)
            if isinstance(expr, s.LiveAt):
                return int(live.is_at(expr.label.label))
            key = live.instance.regions[expr.start.label, expr.end.label]
            return int(bool(live.env.get(key, 0)))

        return Val(get, NOTHING, v.Bool())

    def after(self, expr: s.After) -> Val:
        """`after … until … : P`: the monitor's bit implies P."""
        body = self.value(expr.body)
        monitor = next(m for m in self.watch.monitors if m.event is expr)
        names = [n for n, _ in monitor.variables]

        def get(c: Context) -> v.Value:
            on = c.mem["monitor", monitor.number, *(c.bound[n] for n in names)]
            return int(not on or bool(body.get(c)))

        return Val(get, body.reads, v.Bool())

    # ------------------------------------------------------------------ calls

    def call(self, expr: s.Call) -> Val | Place:
        """A function, a built-in or a method."""
        from tests.support.naive.known_functions import BUILT_IN, METHODS

        function = expr.function
        found = self.global_of(function)
        if isinstance(function, s.Name) and isinstance(m := self.lookup(function.text), FunctionName):
            found = m.found
        if found is not None and isinstance(found.what, s.FunctionDecl):
            if self.direct:
                return self.pure(found, expr)
            return self.inline(found, expr)
        if isinstance(function, s.Name) and function.text in BUILT_IN:
            return BUILT_IN[function.text](self, expr)
        if isinstance(function, s.Field) and function.name.text in METHODS:
            return METHODS[function.name.text](self, expr, function.base)
        raise KeyError(f"no function {function}")

    def bind(self, declared: s.FunctionDecl, scope: Scope, expr: s.Call) -> list[tuple[s.Parameter, object]]:
        """The arguments, evaluated in the caller: values, or functions."""
        bound: list[tuple[s.Parameter, object]] = []
        for parameter, argument in zip(declared.parameters, expr.arguments, strict=True):
            if parameter.signature is not None:
                found = self.global_of(argument)
                if isinstance(argument, s.Name) and isinstance(m := self.lookup(argument.text), FunctionName):
                    found = m.found
                assert found is not None
                bound.append((parameter, FunctionName(found)))
                continue
            kind = self.world.type(parameter.type, scope)
            if v.is_whole(kind):
                local = self.fresh("", kind)
                self.copy(self.local_place(local), argument, expr.span)
                bound.append((parameter, local))
            else:
                behind = expr.arguments[len(bound) + 1 :]
                bound.append((parameter, self.value_before(argument, lambda b=behind: self.all_values(b))))  # type: ignore[misc]
        return bound

    def all_values(self, expressions: tuple[s.Expr, ...]) -> None:
        """Evaluate them all (functions' names aside)."""
        for expression in expressions:
            found = self.global_of(expression)
            name = isinstance(expression, s.Name) and isinstance(self.lookup(expression.text), FunctionName)
            if not name and (found is None or not isinstance(found.what, s.FunctionDecl)):
                self.value(expression)

    def pure(self, found: Found, expr: s.Call) -> Val:
        """A pure function in direct mode: run on the spot."""
        declared = self.world.functions[found.key]
        bound = self.bind(declared, found.scope, expr)
        inner = Flattener(self.world, Watch(), found.scope, direct=True)
        names: dict[str, Meaning] = {}
        arguments: list[tuple[str, v.Type, Val]] = []
        for parameter, argument in bound:
            if isinstance(argument, FunctionName):
                names[parameter.name.text] = argument
                continue
            assert isinstance(argument, Val)
            local = inner.fresh(parameter.name.text, self.world.type(parameter.type, found.scope))
            names[parameter.name.text] = local
            arguments.append((local.key, local.type, argument))
        inner.names = [names]
        kind = self.world.type(declared.result, found.scope)
        inner.result = inner.fresh("result", kind)
        key = inner.result.key
        inner.block(declared.body)
        inner.finish_function(expr.span)
        code = inner.code

        def get(c: Context) -> v.Value:
            env = {k: v.fit(a.get(c), t) for k, t, a in arguments}
            return c.run_direct(code, env)[key]

        return Val(get, union([a for _, _, a in arguments]), kind)

    def finish_function(self, span: object) -> None:
        """Tie returns and gotos; every jump goes to an instruction."""
        for position, name in self.gotos:
            self.code[position].jump = self.labels[name]
        for position in self.exits:
            self.code[position].jump = self.here()
        self.emit("nop", span)

    def inline(self, found: Found, expr: s.Call) -> Val | Place:
        """A call: arguments, then the function's body in place."""
        key = found.key
        declared = self.world.functions[key]
        assert key not in self.stack, f"{key} is recursive"
        bound = self.bind(declared, found.scope, expr)
        kind = self.world.type(declared.result, found.scope)
        saved = (
            self.scope, self.names, self.loops, self.result, self.exits, self.labels, self.gotos, self.open,
            self.paths,
        )  # fmt: skip
        instance = Instance(key, self.here())
        self.instances.append(instance)
        names: dict[str, Meaning] = {}
        fits: list[tuple[LocalName, Val | LocalName]] = []
        faint: set[str] = set()
        changed = assigned_names(declared.body)
        for (parameter, argument), written in zip(bound, expr.arguments, strict=True):
            if isinstance(argument, FunctionName):
                names[parameter.name.text] = argument
                continue
            assert isinstance(argument, Val | LocalName)
            local = self.fresh(parameter.name.text, self.world.type(parameter.type, found.scope))
            names[parameter.name.text] = instance.locals[parameter.name.text] = local
            self.world.local_types[key, parameter.name.text] = local.type
            fits.append((local, argument))
            name = parameter.name.text
            if (
                name not in changed
                and name not in self.watch.asked.get(key, ())
                and isinstance(written, s.Name)
            ):
                meaning = self.lookup(written.text)
                if (
                    isinstance(meaning, LocalName)
                    and meaning.key not in self.late
                    and is_fitting(meaning.type, local.type)
                ):
                    faint.add(local.key)
        for local, value in fits:
            if isinstance(value, LocalName):
                pairs = zip(
                    self.leaves(self.local_place(local)), self.leaves(self.local_place(value)), strict=True
                )
                for to, out in pairs:
                    self.write(to, self.read(out, expr.span), expr.span)
            else:
                self.write(self.local_place(local), value, expr.span)
                self.code[-1].faint = local.key in faint
        at_entry = dict(names)
        if any(m.concerns(self.world, key) for m in self.watch.monitors):
            for name, meaning in names.items():  # events are about the arguments, not what became of them
                if isinstance(meaning, LocalName) and name in changed:
                    kept = self.fresh("", meaning.type)
                    self.emit(
                        "set", expr.span, val=self.local_val(meaning.key, meaning.type), target=kept.key
                    )
                    at_entry[name] = kept
        self.scope, self.names, self.loops, self.exits, self.labels, self.gotos = (
            found.scope,
            [names],
            [],
            [],
            {},
            [],
        )
        self.open, self.paths = [], label_paths(declared.body)
        self.result = None if isinstance(kind, v.Void) else self.fresh("result", kind)
        result = self.result
        self.stack.append(key)
        for region in sorted(self.watch.regions.get(key, ())):
            flag = self.fresh("region", v.Bool())
            instance.regions[region] = flag.key
            starts = region[0] == "entry"
            self.emit("set", expr.span, val=literal(int(starts)), target=flag.key, flag=starts)
        self.entries.append(at_entry)
        self.events(key, "call", None, at_entry, expr.span)
        instance.at["entry"] = self.here()
        self.block(declared.body)
        instance.at["return"] = self.here()
        self.finish_function(expr.span)
        self.events(key, "return", None, self.entries.pop(), expr.span)
        self.stack.pop()
        instance.last = self.here()
        (
            self.scope,
            self.names,
            self.loops,
            self.result,
            self.exits,
            self.labels,
            self.gotos,
            self.open,
            self.paths,
        ) = saved
        self.emit("nop", expr.span)
        if result is None:
            return literal(0, v.Void())
        if v.is_whole(kind):
            return self.local_place(result)
        return self.local_val(result.key, kind)

    def events(
        self, function: str, kind: str, label: str | None, names: dict[str, Meaning], span: object
    ) -> None:
        """Set and clear the bits of the monitors that this event is for."""
        for monitor in self.watch.monitors:
            for event, value in ((monitor.event.start, 1), (monitor.event.end, 0)):
                if event is None:
                    continue
                if self.world.find(monitor.scope, event.function).key != function:
                    continue
                wanted = event.kind.value if event.kind else ("return" if value else "call")
                if wanted != kind or event.label != label:
                    continue
                declared = self.world.functions[function]
                parameters = [p for p in declared.parameters if p.signature is None]
                actual: list[tuple[Val, Val]] = []
                inner = Flattener(self.world, self.watch, monitor.scope, direct=True)
                inner.names = [monitor.names]
                for parameter, pattern in zip(parameters, event.arguments, strict=False):
                    if pattern is None:
                        continue
                    local = names[parameter.name.text]
                    assert isinstance(local, LocalName)
                    actual.append((self.local_val(local.key, local.type), inner.value(pattern)))
                self.emit(
                    "event",
                    span,
                    act=monitor_act(monitor, actual, value),
                    reads=union([a for a, _ in actual]),
                )

    # ------------------------------------------------------------------ statements

    def block(self, block: s.Block) -> None:
        """A scope."""
        self.names.append({})
        for statement in block.body:
            self.statement(statement)
        self.names.pop()

    def declare(self, name: str, local: LocalName) -> None:
        """A local's name, from here on."""
        self.names[-1][name] = local
        if self.instances and self.stack:
            instance = self.instances_by_stack()
            instance.locals.setdefault(name, local)
            self.world.local_types.setdefault((instance.function, name), local.type)

    def instances_by_stack(self) -> Instance:
        """The innermost call that is being inlined."""
        return [i for i in self.instances if i.last < 0][-1]

    def statement(self, statement: s.Stmt) -> None:
        """One statement."""
        span = statement.span
        match statement:
            case s.Block():
                self.block(statement)
            case s.Empty():
                pass
            case s.LocalDecl():
                self.local_decl(statement)
            case s.Assign():
                self.assign(statement)
            case s.ExprStmt(expression):
                if isinstance(expression, s.Call):
                    self.call(expression)
                else:
                    self.value(expression)
            case s.If(condition, then, otherwise):
                jumps = self.condition(condition, span)
                self.scoped(then)
                if otherwise is None:
                    self.tie(jumps)
                else:
                    over = self.jump(span)
                    self.tie(jumps)
                    self.scoped(otherwise)
                    over.jump = self.here()
                self.emit("nop", span)
            case s.While(condition, body):
                head = self.head(span)
                jumps = self.condition(condition, span)
                self.loop(body, head)
                self.jump(span, head)
                self.tie(jumps)
                self.end_loop(span)
            case s.DoWhile(body, condition):
                head = self.head(span)
                self.loop(body, None)
                for position in self.loops[-1][1]:
                    self.code[position].jump = self.here()
                self.emit("nop", span)
                jumps = self.condition(condition, span)
                self.jump(span, head)
                self.tie(jumps)
                self.end_loop(span)
            case s.For():
                self.c_for(statement)
            case s.Forever(body):
                head = self.head(span)
                self.loop(body, head)
                self.jump(span, head)
                self.end_loop(span)
            case s.Repeat(count, body):
                number = self.world.constant(count, self.scope)
                self.counted(list(range(number)), None, body, span)
            case s.ForEach():
                self.for_each(statement)
            case s.Switch():
                self.switch(statement)
            case s.Atomic(body):
                if self.group is not None or self.direct:
                    self.block(body)
                    return
                self.emit("atomic", span)
                self.groups += 1
                self.group = self.groups
                self.block(body)
                self.emit("nop", span)
                self.group = None
                self.emit("nop", span)
            case s.Goto(target):
                common = 0
                path = self.paths.get(target.text, [])
                while common < min(len(path), len(self.open)) and path[common] == self.open[common]:
                    common += 1
                self.leave(common, span)
                self.gotos.append((self.here(), target.text))
                if target.text in self.labels:
                    self.heads.append(self.labels[target.text])
                self.jump(span)
            case s.CLabel(name):
                self.labels[name.text] = self.here()
                self.emit("nop", span)
            case s.Labelled(name, body):
                self.labelled(name.text, body, span)
            case s.Return(result):
                if result is not None:
                    assert self.result is not None
                    if v.is_whole(self.result.type):
                        self.copy(self.local_place(self.result), result, span)
                    else:
                        self.write(self.local_place(self.result), self.value(result), span)
                self.leave(0, span)
                self.exits.append(self.here())
                self.jump(span)
            case s.Break():
                self.leave(self.loops[-1][2], span)
                self.loops[-1][0].append(self.here())
                self.jump(span)
            case s.Continue():
                loop = next(x for x in reversed(self.loops) if x[1] is not NO_CONTINUE)
                self.leave(loop[2], span)
                loop[1].append(self.here())
                self.jump(span)
            case s.Await(condition):
                test = self.directly(lambda: self.value(condition))
                self.emit("await", span, val=test)
            case s.Choose():
                self.choose(statement)
            case s.Assert(kind, condition):
                test = self.value(condition)
                wrong = kind in (s.AssertKind.BUG_ON, s.AssertKind.WARN_ON)
                op = "assume" if kind is s.AssertKind.ASSUME else "assert"
                self.emit(op, span, val=test, flag=not wrong, text="no_assertion_failure")
            case s.CoverStmt(name):
                self.emit("cover", span, text=name.text)
            case s.GhostStmt(body):
                before, self.direct = self.direct, True
                self.statement(body)
                self.direct = before

    def scoped(self, statement: s.Stmt) -> None:
        """A statement as a scope of its own."""
        self.names.append({})
        self.statement(statement)
        self.names.pop()

    def head(self, span: object) -> int:
        """A loop's head, where a pause may come to stand."""
        if not self.direct:
            self.heads.append(self.here())
        self.emit("nop", span)
        return self.here() - 1

    def loop(self, body: s.Stmt, continue_at: int | None) -> None:
        """A loop's body; leaves its breaks and continues to be tied."""
        self.loops.append(([], [], len(self.open)))
        self.scoped(body)
        if continue_at is not None:
            for position in self.loops[-1][1]:
                self.code[position].jump = continue_at

    def end_loop(self, span: object) -> None:
        """Tie the breaks."""
        for position in self.loops.pop()[0]:
            self.code[position].jump = self.here()
        self.emit("nop", span)

    def c_for(self, statement: s.For) -> None:
        """C's for."""
        span = statement.span
        self.names.append({})
        if statement.initial is not None:
            self.statement(statement.initial)
        head = self.head(span)
        jumps: list[Instr] = []
        if statement.condition is not None:
            jumps = self.condition(statement.condition, span)
        self.loop(statement.body, None)
        for position in self.loops[-1][1]:
            self.code[position].jump = self.here()
        self.emit("nop", span)
        if statement.step is not None:
            self.statement(statement.step)
        self.jump(span, head)
        self.tie(jumps)
        self.end_loop(span)
        self.names.pop()

    def counted(self, values: list[v.Value], local: LocalName | None, body: s.Stmt, span: object) -> None:
        """The body once for each value, in order."""
        counter = self.fresh("", v.Int(0, len(values)))
        self.emit("set", span, val=literal(0), target=counter.key)
        head = self.here()
        now = self.local_val(counter.key, None)
        test = self.branch(Val(lambda c: int(v.as_int(now.get(c)) < len(values)), now.reads, None), span)
        if local is not None:
            item = Val(lambda c: values[v.as_int(now.get(c))], now.reads, None)
            self.emit("set", span, val=item, target=local.key)
        self.emit(
            "set", span, val=Val(lambda c: v.as_int(now.get(c)) + 1, now.reads, None), target=counter.key
        )
        self.loop(body, head)
        self.jump(span, head)
        test.jump = self.here()
        self.end_loop(span)

    def each_in_order(self, domain: Val, local: LocalName, body: s.Stmt, span: object) -> None:
        """The elements of a list, as it was at the beginning."""
        left = self.fresh("", v.Bool())
        self.emit("set", span, val=domain, target=left.key)
        head = self.here()
        rest = self.local_val(left.key, None)
        test = self.branch(Val(lambda c: int(bool(in_order(rest.get(c)))), rest.reads, None), span)
        first = Val(lambda c: in_order(rest.get(c))[0], rest.reads, None)
        self.emit("set", span, val=first, target=local.key)
        fewer = Val(lambda c: v.Items(tuple(in_order(rest.get(c))[1:])), rest.reads, None)
        self.emit("set", span, val=fewer, target=left.key)
        self.loop(body, head)
        self.jump(span, head)
        test.jump = self.here()
        self.end_loop(span)

    def for_each(self, statement: s.ForEach) -> None:
        """Each member once."""
        span = statement.span
        kind = self.world.type(statement.type, self.scope)
        local = self.fresh(statement.name.text, kind)
        domain = None if statement.domain is None else self.value(statement.domain)
        self.names.append({})
        self.declare(statement.name.text, local)
        if domain is not None and isinstance(domain.type, v.ListOf):
            self.each_in_order(domain, local, statement.body, span)
            self.names.pop()
            return
        free = (isinstance(kind, v.Ident) and kind.scalarset) or domain is not None
        if domain is None and (self.direct or not free):
            self.counted(v.members(kind), local, statement.body, span)
            self.names.pop()
            return
        left = self.fresh("", v.SetOf(kind))
        start = literal(frozenset(v.members(kind))) if domain is None else domain
        everything = Val(lambda c: frozenset(in_order(start.get(c))), start.reads, None)
        self.emit("set", span, val=everything, target=left.key)
        head = self.here()
        rest = self.local_val(left.key, None)
        test = self.branch(Val(lambda c: int(bool(rest.get(c))), rest.reads, None), span)
        ordered = Val(lambda c: tuple(in_order(rest.get(c))), rest.reads, None)
        if self.direct:
            first = Val(lambda c: in_order(rest.get(c))[0], rest.reads, None)
            self.emit("set", span, val=first, target=local.key)
        else:
            self.emit("choose", span, val=ordered, target=local.key)
        now = self.local_val(local.key, kind)
        fewer = Val(lambda c: frozenset(in_order(rest.get(c))) - {now.get(c)}, rest.reads | now.reads, None)
        self.emit("set", span, val=fewer, target=left.key)
        self.loop(statement.body, head)
        self.jump(span, head)
        test.jump = self.here()
        self.end_loop(span)
        self.names.pop()

    def switch(self, statement: s.Switch) -> None:
        """Compare in turn; each case ends the switch."""
        span = statement.span
        subject = self.value(statement.subject)
        kept = self.fresh("", subject.type or v.Bool())
        self.emit("set", span, val=subject, target=kept.key)
        now = self.local_val(kept.key, subject.type)
        self.loops.append(([], NO_CONTINUE, len(self.open)))
        starts: list[tuple[s.Case, Instr]] = []
        for case in statement.cases:
            for value in case.values:
                if isinstance(subject.type, v.Union):
                    assert isinstance(value, s.Name)
                    wanted: v.Value = value.text
                    test = Val(lambda c, w=wanted: int(arm_of(now.get(c)) != w), now.reads, None)  # type: ignore[misc]
                else:
                    wanted = self.world.literal(value, self.scope)
                    test = Val(lambda c, w=wanted: int(not v.same(now.get(c), w)), now.reads, None)  # type: ignore[misc]
                starts.append((case, self.branch(test, span)))
        fallback = self.jump(span)
        ends = []
        defaulted = False
        for case in statement.cases:
            for which, instr in starts:
                if which is case:
                    instr.jump = self.here()
            if not case.values:
                fallback.jump = self.here()
                defaulted = True
            self.names.append({})
            for inner in case.body:
                self.statement(inner)
            self.names.pop()
            ends.append(self.jump(span))
        for instr in ends if defaulted else [*ends, fallback]:
            instr.jump = self.here()
        self.end_loop(span)

    def labelled(self, name: str, body: s.Stmt, span: object) -> None:
        """A labelled statement: events, regions, where it is about to be done."""
        instance = self.instances_by_stack() if self.stack else None
        if instance is not None:
            instance.at[name] = self.here()
        self.open.append(name)
        self.emit("nop", span)
        self.statement(body)
        self.leave(len(self.open) - 1, span)
        self.open.pop()
        if instance is not None:
            instance.ends[name] = self.here()

    def leave(self, depth: int, span: object) -> None:
        """What happens when control leaves the labelled statements deeper than that."""
        if not self.stack:
            return
        instance = self.instances_by_stack()
        for name in reversed(self.open[depth:]):
            for (start, end), flag in instance.regions.items():
                if end == name:
                    self.emit("set", span, val=literal(0), target=flag, flag=False)
                if start == name:
                    self.emit("set", span, val=literal(1), target=flag, flag=True)
            self.events(self.stack[-1], "label", name, self.entries[-1], span)

    def local_decl(self, statement: s.LocalDecl) -> None:
        """A local: unset, or with its initial value."""
        kind = self.world.array(self.world.type(statement.type, self.scope), statement.dimensions, self.scope)
        local = self.fresh(statement.name.text, kind)
        if statement.initial is None:
            self.late.add(local.key)
            for leaf in self.leaves(self.local_place(local)):
                self.emit("unset", statement.span, target=leaf.local)
        elif v.is_whole(kind):
            self.copy(self.local_place(local), statement.initial, statement.span)
        else:
            self.write(self.local_place(local), self.value(statement.initial), statement.span)
        self.declare(statement.name.text, local)

    def assign(self, statement: s.Assign) -> None:
        """`place = e`, `place op= e`."""
        span = statement.span
        place = self.place(statement.place)
        if statement.op is None:
            if v.is_whole(place.type):
                self.copy(place, statement.value, span)
                return
            if isinstance(place.type, v.Seq) and place.type.wrap is None and is_next(statement.value):
                self.homes.add(place.static)
            self.write(place, self.value(statement.value), span)
            return
        op = statement.op
        word: Val | None = None
        if place.inner and not place.is_local:
            word = self.read(Place(place.path, None, place.leaf, (), place.reads, place.static), span)
            old = word
            for name in place.inner:
                old = self.part(old, name)
        else:
            old = self.read(place, span)
        value = self.value(statement.value)
        new = Val(lambda c: combine(op, old.get(c), value.get(c)), old.reads | value.reads, place.type)
        self.write(place, new, span, word=word)

    def choose(self, statement: s.Choose) -> None:
        """`choose T x where (e)`, in `init` `choose place`."""
        span = statement.span
        if statement.place is not None:
            place = self.place(statement.place)
            kind = place.type
            local = self.fresh("", kind)
        else:
            assert statement.type is not None and statement.name is not None
            kind = self.world.type(statement.type, self.scope)
            local = self.fresh(statement.name.text, kind)
            self.declare(statement.name.text, local)
        where: Val | None = None
        if statement.condition is not None and statement.place is None:
            condition = statement.condition
            where = self.directly(lambda: self.value(condition))
        domain = Val(self.candidates(kind), NOTHING, None)
        instr = self.emit("choose", span, val=domain, target=local.key)
        if where is not None:
            instr.act = None
            instr.place = None
            test = where
            instr.update = lambda _old, c: (int(bool(test.get(c))), 0)
            instr.reads |= where.reads - {local.key}
        if statement.place is not None:
            self.write(place, self.local_val(local.key, kind), span)
            if statement.condition is not None:
                self.emit("assume", span, val=self.value(statement.condition), flag=True)


NO_CONTINUE: list[int] = []

#: Conditions of these forms may be known before anything runs, and then there is no branch.
FIXED = s.BoolLiteral | s.IntLiteral | s.Name | s.Field


def label_paths(body: s.Block) -> dict[str, list[str]]:
    """For each place that a goto may go to, the labelled statements around it."""
    found: dict[str, list[str]] = {}

    def look(node: object, path: list[str]) -> None:
        if isinstance(node, s.CLabel):
            found[node.name.text] = path
        elif isinstance(node, s.Labelled):
            look(node.body, [*path, node.label.text])
        elif isinstance(node, tuple):
            for part in node:
                look(part, path)
        elif is_dataclass(node) and not isinstance(node, type):
            for f in fields(node):
                if f.name != "span":
                    look(getattr(node, f.name), path)

    look(body, [])
    return found


def constant_of(value: Val) -> v.Value:
    """What a value is, whatever runs; None if that depends."""
    if value.reads:
        return None
    try:
        return value.get(Context({}))
    except (KeyError, v.Fault):
        return None


def union(parts: list[Val]) -> frozenset[str]:
    """All the locals that are read."""
    return frozenset().union(*(p.reads for p in parts))


def assigned_names(body: s.Block) -> set[str]:
    """The names that a function's statements change."""
    found: set[str] = set()

    def root(expr: object) -> None:
        while isinstance(expr, s.Field | s.Index):
            expr = expr.base
        if isinstance(expr, s.Name):
            found.add(expr.text)

    def look(node: object) -> None:
        match node:
            case s.Assign(place) | s.IncDec(place) | s.AddressOf(place):
                root(place)
            case s.Call(s.Field(base)):
                root(base)
            case _:
                pass
        if isinstance(node, tuple):
            for part in node:
                look(part)
        elif is_dataclass(node) and not isinstance(node, type):
            for f in fields(node):
                if f.name != "span":
                    look(getattr(node, f.name))

    look(body)
    return found


def is_fitting(have: v.Type, wanted: v.Type) -> bool:
    """Whether each value of one type is one of the other, as it is."""
    match have, wanted:
        case v.Opt(inner), v.Opt(other):
            return is_fitting(inner, other)
        case _, v.Opt(inner):
            return is_fitting(have, inner)
        case v.Int(low, high), v.Int(least, most):
            return have == wanted or (least <= low and high <= most)
        case v.Int(low, high), v.Ident(_, size, True):
            return low >= 0 and high < size
        case v.Ident(_, size, True), v.Int(least, most):
            return least <= 0 and size - 1 <= most
        case _:
            return have == wanted


def put(value: v.Value, inner: tuple[str, ...], new: v.Value) -> v.Value:
    """A word with a field within it changed."""
    if not inner:
        return new
    assert isinstance(value, v.Record)
    return value.put(inner[0], put(value.get(inner[0]), inner[1:], new))


def arm_of(value: v.Value) -> str:
    """Which arm a union is at."""
    assert isinstance(value, v.Arm)
    return value.arm


def successor(value: v.Value) -> v.Value:
    """The next value of a seq."""
    if isinstance(value, v.Count):
        return v.Count(value.n + 1, value.home)
    return v.as_int(value) + 1


def is_next(expr: s.Expr) -> bool:
    """Whether an expression is `next(copy)`."""
    return isinstance(expr, s.Call) and isinstance(expr.function, s.Name) and expr.function.text == "next"


def in_order(value: v.Value) -> list[v.Value]:
    """The elements of a set or list."""
    match value:
        case frozenset():
            return sorted(value, key=repr)
        case v.Items(items) | v.Brace(items):
            return list(items)
        case list() | tuple():
            return list(value)
        case _:
            raise TypeError(value)


def contains(whole: v.Value, value: v.Value) -> bool:
    """`x in s`; `none` is a member of nothing."""
    if value is None:
        return False
    return any(v.same(value, x) for x in in_order(whole))


def combine(op: s.BinaryOp, left: v.Value, right: v.Value) -> v.Value:
    """An operator on numbers, or on sets."""
    o = s.BinaryOp
    if isinstance(left, frozenset | v.Brace) or (isinstance(right, frozenset | v.Brace) and op is not o.IN):
        one = frozenset(in_order(left)) if isinstance(left, frozenset | v.Brace) else None
        if one is None:
            raise TypeError(op)
        if isinstance(right, frozenset | v.Brace):
            other = frozenset(in_order(right))
        else:
            if right is None:
                raise v.out_of_bounds("none as a member")
            other = frozenset((right,))
        if op in (o.ADD, o.BIT_OR):
            return one | other
        if op is o.SUBTRACT:
            return one - other
        assert op is o.BIT_AND, op
        return one & other
    return arithmetic(op, v.as_int(left), v.as_int(right))


def monitor_act(monitor: Monitor, actual: list[tuple[Val, Val]], value: int) -> Callable[[Context], None]:
    """What an event does to a monitor's bits."""

    def act(c: Context) -> None:
        got = [a.get(c) for a, _ in actual]
        for binding in product(*(v.members(t) for _, t in monitor.variables)):
            inner = c
            for (name, _), x in zip(monitor.variables, binding, strict=True):
                inner = inner.with_bound(name, x)
            if all(v.same(g, p.get(inner)) for g, (_, p) in zip(got, actual, strict=True)):
                c.mem["monitor", monitor.number, *binding] = value

    return act


__all__ = ["Code", "Flattener", "Instance", "Monitor", "Val", "Watch", "inner_type"]
