# SPDX-License-Identifier: GPL-2.0-only
"""Programs written by hand, for tests of the engines: no parser, no elaborator in between.

b = Builder()
x = b.shared("x", IntSort(0, 3))
p = b.process("p")
a = p.local("a", IntSort(0, 3))
p.load(a, x)
p.store(x, plus(a, 1))
program = b.program(["p", "p"])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from kvmcheck.semantics.program import (
    Acquire,
    Allocate,
    Apply,
    Assertion,
    Assume,
    AtomicEnter,
    Await,
    Body,
    Bound,
    Branch,
    Check,
    Choose,
    Const,
    Cover,
    CoverHere,
    Current,
    End,
    Expr,
    Fence,
    Frame,
    Free,
    GhostStore,
    GuardRule,
    Held,
    HeldMode,
    Irq,
    LiveCall,
    Load,
    Local,
    LocalVariable,
    MightSleep,
    Node,
    Op,
    Operation,
    Order,
    Param,
    Pause,
    Place,
    Pool,
    Probe,
    Process,
    Program,
    Property,
    PropertyKind,
    Quantified,
    Quantifier,
    Read,
    Release,
    Root,
    Set,
    Skip,
    Store,
    Thread,
    Update,
    Variable,
    VariableKind,
    VariablePlace,
)
from kvmcheck.semantics.sorts import (
    BOOL,
    IdSort,
    IntSort,
    LockFlavour,
    LockSort,
    ObjectPointerSort,
    SeqSort,
    SetSort,
    Sort,
    ThreadSort,
    Value,
    default_value,
)
from kvmcheck.source.text import SourceText, Span

SOURCE = SourceText("made/by/hand.kvm", "\n" * 1000)
SMALL = IntSort(0, 3)
SEQ = SeqSort()


def span(line: int) -> Span:
    """A place, one line each."""
    return Span(SOURCE, line, line + 1)


def const(value: Value, sort: Sort = SMALL) -> Const:
    """A constant."""
    return Const(value, sort)


def apply(op: Op, *arguments: Expr, sort: Sort = BOOL, data: int = 0) -> Apply:
    """An operator applied."""
    return Apply(op, arguments, sort, data)


def plus(a: Expr, number: int, sort: Sort = SMALL) -> Apply:
    """A + number, which has to fit."""
    return apply(Op.FIT, apply(Op.ADD, a, const(number), sort=IntSort(-99, 99)), sort=sort)


def equal(a: Expr, b: Expr) -> Apply:
    """A == b."""
    return apply(Op.EQUAL, a, b)


def differ(a: Expr, b: Expr) -> Apply:
    """A != b."""
    return apply(Op.NOT_EQUAL, a, b)


def both(*parts: Expr) -> Apply:
    """All of them."""
    return apply(Op.AND, *parts)


def either(*parts: Expr) -> Apply:
    """One of them."""
    return apply(Op.OR, *parts)


def no(part: Expr) -> Apply:
    """Not that."""
    return apply(Op.NOT, part)


def following(a: Expr) -> Apply:
    """next(a) of a seq."""
    return apply(Op.NEXT, a, sort=SEQ)


def bound(name: str, sort: Sort) -> Bound:
    """A quantified variable."""
    return Bound(name, sort)


def forall(variable: Bound, body: Expr) -> Quantified:
    """For all members."""
    return Quantified(Quantifier.FORALL, variable, None, body)


@dataclass(frozen=True, slots=True)
class Var:
    """A declared variable: index it with `var[e]`, or use it as it is."""

    number: int
    sort: Sort

    def at(self, *indices: Expr) -> VariablePlace:
        """The place of an element."""
        return VariablePlace(self.number, indices)

    def read(self, *indices: Expr) -> Read:
        """Its value, in properties and ghosts."""
        return Read(self.at(*indices), self.sort)

    def held(self, *indices: Expr, mode: HeldMode = HeldMode.ANY, thread: Expr | None = None) -> Held:
        """Whether this lock is held."""
        return Held(self.at(*indices), mode, thread)


PlaceLike = Var | Place


def place_of(place: PlaceLike) -> Place:
    """The place that is meant."""
    return place.at() if isinstance(place, Var) else place


@dataclass
class Code:
    """A body under construction: each call appends an operation behind the last one."""

    builder: Builder
    nodes: list[Node] = field(default_factory=list)
    locals: list[LocalVariable] = field(default_factory=list)
    open: list[tuple[int, int]] = field(default_factory=list)
    watched: dict[int, frozenset[int]] = field(default_factory=dict)
    group: int | None = None
    names: dict[str, int] = field(default_factory=dict)
    gotos: list[tuple[int, int, str]] = field(default_factory=list)

    def local(self, name: str, sort: Sort = SMALL) -> Local:
        """A local variable."""
        self.locals.append(LocalVariable(name, sort, 0, False))
        return Local(len(self.locals) - 1, sort)

    def emit(self, operation: Operation, successors: int = 1) -> int:
        """Append an operation; its number."""
        number = len(self.nodes)
        self.patch(number)
        self.nodes.append(Node(operation, (-1,) * successors, 0, (), self.builder.next_span(), self.group))
        self.open = [(number, 0)] if successors else []
        return number

    def patch(self, target: int) -> None:
        """Everything open goes on at the target."""
        for number, which in self.open:
            self.aim(number, which, target)
        self.open = []

    def aim(self, number: int, which: int, target: int) -> None:
        """One successor of one node."""
        node = self.nodes[number]
        successors = tuple(target if nth == which else s for nth, s in enumerate(node.successors))
        self.nodes[number] = replace(node, successors=successors)

    # operations

    def load(self, target: Local, place: PlaceLike, order: Order = Order.ONCE) -> int:
        """Target = place."""
        return self.emit(Load(target.local, place_of(place), order))

    def store(self, place: PlaceLike, value: Expr, order: Order = Order.ONCE) -> int:
        """Place = value."""
        return self.emit(Store(place_of(place), value, order))

    def update(
        self, place: PlaceLike, new: Expr, target: Local | None = None, result: Expr | None = None
    ) -> int:
        """An atomic read-modify-write."""
        return self.emit(
            Update(place_of(place), new, None if target is None else target.local, result, Order.FULL)
        )

    def flavour(self, place: PlaceLike) -> LockFlavour:
        """What kind of lock stands there."""
        place = place_of(place)
        assert isinstance(place, VariablePlace)
        sort = self.builder.variables[place.variable].sort
        assert isinstance(sort, LockSort)
        return sort.flavour

    def lock(self, place: PlaceLike, *, shared: bool = False, target: Local | None = None) -> int:
        """Take (or with a target, try) a lock."""
        taken = None if target is None else target.local
        return self.emit(Acquire(place_of(place), shared, taken, self.flavour(place)))

    def unlock(self, place: PlaceLike, *, shared: bool = False) -> int:
        """Drop a lock."""
        return self.emit(Release(place_of(place), shared, self.flavour(place)))

    def wait(self, condition: Expr) -> int:
        """Await."""
        return self.emit(Await(condition))

    def pause(self) -> int:
        """A pause."""
        return self.emit(Pause())

    def choose(self, target: Local, domain: Expr | None = None, where: Expr | None = None) -> int:
        """Target = any …."""
        return self.emit(Choose(target.local, target.sort, domain, where))

    def set(self, target: Local, value: Expr | None) -> int:
        """Target = value."""
        return self.emit(Set(target.local, value))

    def ghost(self, place: PlaceLike, value: Expr) -> int:
        """A ghost statement."""
        return self.emit(GhostStore(place_of(place), value))

    def claim(self, condition: Expr, text: str = "does not hold") -> int:
        """An assertion."""
        return self.emit(Assertion(condition, Check.NO_ASSERTION_FAILURE, text))

    def cover(self, name: str) -> int:
        """A cover."""
        return self.emit(CoverHere(name))

    def assume(self, condition: Expr) -> int:
        """In init only."""
        return self.emit(Assume(condition))

    def might_sleep(self) -> int:
        """might_sleep()."""
        return self.emit(MightSleep())

    def fence(self) -> int:
        """smp_mb()."""
        return self.emit(Fence("smp_mb"))

    def skip(self) -> int:
        """Nothing."""
        return self.emit(Skip())

    def irq(self, *, disable: bool) -> int:
        """irq_disable() or irq_enable()."""
        return self.emit(Irq(disable))

    def alloc(self, target: Local, pool: int, *, zeroed: bool = False, or_null: bool = False) -> int:
        """Target = alloc."""
        return self.emit(Allocate(target.local, pool, zeroed, or_null))

    def free(self, pointer: Expr, pool: int) -> int:
        """Free."""
        return self.emit(Free(pointer, pool))

    def branch(
        self,
        condition: Expr,
        then: Callable[[], object],
        otherwise: Callable[[], object] | None = None,
    ) -> None:
        """If … else."""
        number = self.emit(Branch(condition), successors=2)
        self.open = [(number, 0)]
        then()
        ends = self.open
        self.open = [(number, 1)]
        if otherwise is not None:
            otherwise()
        self.open = ends + self.open

    def forever(self, body: Callable[[], object]) -> None:
        """Round and round; nothing behind it is reached."""
        head = self.emit(Skip())
        body()
        self.patch(head)

    def loop(self, condition: Expr, body: Callable[[], object]) -> None:
        """while, without a pause."""
        head = self.emit(Branch(condition), successors=2)
        self.open = [(head, 0)]
        body()
        self.patch(head)
        self.open = [(head, 1)]

    def atomic(self, body: Callable[[], object]) -> None:
        """One step."""
        group = self.builder.next_group()
        self.emit(AtomicEnter(group))
        self.group = group
        body()
        self.group = None

    def goto(self, name: str) -> None:
        """To a label."""
        number = self.emit(Skip())
        self.gotos.append((number, 0, name))
        self.open = []

    def label(self, name: str) -> int:
        """Where gotos lead."""
        self.names[name] = self.emit(Skip())
        return self.names[name]

    def body(self) -> Body:
        """The finished graph."""
        if not self.nodes or self.open:
            self.emit(End(), successors=0)
        for number, which, name in self.gotos:
            self.aim(number, which, self.names[name])
        return Body(tuple(self.nodes), tuple(self.locals), (Frame("", None, span(0)),), dict(self.watched))


@dataclass
class ProcessCode(Code):
    """A process under construction."""

    name: str = ""
    parameters: tuple[tuple[str, Sort], ...] = ()
    hardware: bool = False
    daemon: bool = False
    handler: Code | None = None

    def parameter(self, index: int = 0) -> Param:
        """A parameter."""
        return Param(index, self.parameters[index][1])

    def interrupt(self, condition: Expr) -> Code:
        """The handler's code, behind its await."""
        self.handler = Code(self.builder)
        self.handler.wait(condition)
        return self.handler


@dataclass
class Builder:
    """A program under construction."""

    variables: list[Variable] = field(default_factory=list)
    pools: list[Pool] = field(default_factory=list)
    roots: dict[str, tuple[Root, ...]] = field(default_factory=dict)
    processes: dict[str, ProcessCode] = field(default_factory=dict)
    properties: list[Property] = field(default_factory=list)
    covers: list[Cover] = field(default_factory=list)
    live_calls: list[LiveCall] = field(default_factory=list)
    init: Code | None = None
    homes: list[int] = field(default_factory=list)
    lines: int = 0
    groups: int = 0
    threads: int = 2

    def next_span(self) -> Span:
        """A new line."""
        self.lines += 1
        return span(self.lines)

    def next_group(self) -> int:
        """A new atomic block."""
        self.groups += 1
        return self.groups

    def variable(
        self,
        name: str,
        kind: VariableKind,
        sort: Sort,
        dimensions: Sequence[Sort] = (),
        initial: Value | None = None,
        guard: GuardRule | None = None,
        pool: int | None = None,
    ) -> Var:
        """A variable."""
        start = default_value(sort) if initial is None else initial
        self.variables.append(
            Variable(name, kind, tuple(dimensions), sort, start, guard, self.next_span(), pool)
        )
        return Var(len(self.variables) - 1, sort)

    def shared(
        self,
        name: str,
        sort: Sort = SMALL,
        dimensions: Sequence[Sort] = (),
        initial: Value | None = None,
        guard: GuardRule | None = None,
    ) -> Var:
        """A shared variable."""
        return self.variable(name, VariableKind.SHARED, sort, dimensions, initial, guard)

    def ghost(self, name: str, sort: Sort = SMALL, dimensions: Sequence[Sort] = ()) -> Var:
        """A ghost variable."""
        return self.variable(name, VariableKind.GHOST, sort, dimensions)

    def lock(
        self, name: str, flavour: LockFlavour = LockFlavour.SPINLOCK, dimensions: Sequence[Sort] = ()
    ) -> Var:
        """A lock."""
        return self.variable(name, VariableKind.LOCK, LockSort(flavour), dimensions)

    def home(self, name: str, dimensions: Sequence[Sort] = (), guard: GuardRule | None = None) -> Var:
        """A seq that is incremented."""
        var = self.shared(name, SEQ, dimensions, guard=guard)
        self.homes.append(var.number)
        return var

    def pool(self, name: str, size: int, fields: Sequence[tuple[str, Sort]]) -> tuple[int, list[Var]]:
        """An object type: its number, and its fields' variables."""
        number = len(self.pools)
        pointer = ObjectPointerSort(name, size)
        allocated = self.ghost(f"{name}.allocated", SetSort(pointer))
        variables = [
            self.variable(f"{name}.{field}", VariableKind.SHARED, sort, (pointer,), pool=number)
            for field, sort in fields
        ]
        self.pools.append(
            Pool(name, size, allocated.number, tuple(v.number for v in variables), self.next_span())
        )
        return number, variables

    def process(
        self,
        name: str,
        *parameters: tuple[str, Sort],
        hardware: bool = False,
        daemon: bool = False,
    ) -> ProcessCode:
        """A process."""
        self.processes[name] = ProcessCode(
            self, name=name, parameters=parameters, hardware=hardware, daemon=daemon
        )
        return self.processes[name]

    def initially(self) -> Code:
        """The init block."""
        self.init = Code(self)
        return self.init

    def thread_sort(self) -> ThreadSort:
        """The threads (say how many in `threads` first)."""
        return ThreadSort(self.threads, tuple(f"t{n}" for n in range(self.threads)))

    def current(self) -> Current:
        """The executing thread."""
        return Current(self.thread_sort())

    def invariant(self, name: str, condition: Expr, *probes: Expr) -> None:
        """An invariant."""
        self._property(name, PropertyKind.INVARIANT, condition, probes)

    def step_property(self, name: str, condition: Expr, *probes: Expr) -> None:
        """A step property."""
        self._property(name, PropertyKind.STEP, condition, probes)

    def _property(self, name: str, kind: PropertyKind, condition: Expr, probes: Sequence[Expr]) -> None:
        parts = tuple(Probe(probe, f"part {number}") for number, probe in enumerate(probes))
        self.properties.append(Property(name, kind, condition, parts, self.next_span()))

    def cover(self, name: str, condition: Expr | None = None) -> None:
        """A goal."""
        self.covers.append(Cover(name, condition, self.next_span()))

    def program(
        self,
        threads: Sequence[str | tuple[str, tuple[Value, ...]]],
        *,
        checks: Sequence[Check] = (),
        seq_compared: bool = False,
    ) -> Program:
        """The finished program: a thread for each process named."""
        names = list(self.processes)
        made: list[Process] = []
        for code in self.processes.values():
            handler = None if code.handler is None else code.handler.body()
            made.append(
                Process(code.name, code.parameters, code.body(), handler, code.hardware, code.daemon, span(0))
            )
        instances: list[Thread] = []
        for number, wanted in enumerate(threads):
            name, values = (wanted, ()) if isinstance(wanted, str) else wanted
            instances.append(Thread(f"{name}#{number}", names.index(name), values))
        return Program(
            name="by_hand",
            title="a program by hand",
            variables=tuple(self.variables),
            pools=tuple(self.pools),
            roots=self.roots,
            processes=tuple(made),
            threads=tuple(instances),
            init=None if self.init is None else self.init.body(),
            properties=tuple(self.properties),
            checks=tuple(checks),
            covers=tuple(self.covers),
            live_calls=tuple(self.live_calls),
            seq_homes=tuple(self.homes),
            seq_compared=seq_compared,
            sizes=(),
            functions={},
            span=span(0),
        )


def ids(name: str, size: int, *, ordered: bool = False) -> IdSort:
    """A scalarset, or an index."""
    return IdSort(name, size, ordered)
