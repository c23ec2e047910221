# SPDX-License-Identifier: GPL-2.0-only
"""The steps of one body as Python functions over the packed state.

For each stop a function does the whole step: choices as loops, branches as ifs, one visible operation, the invisible
ones around it.  The text is a tree: what follows an operation follows it in the text; where ways join and much
follows, and where they form a cycle, it is a function of its own.  Locals are Python variables, each assigned once
(a loop must find them as they were); the state is copied before it is first written.

    def s12(S):                 # S: the packed state, a tuple
        if S[4] is not None: return
        s = [*S]
        s[4] = me
        s[b0] = 14
        emit(tuple(s))
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import assert_never

from kvmcheck.engine import runtime
from kvmcheck.engine.generate_expressions import Expressions, ExpressionScope, negated
from kvmcheck.engine.layout import BodyLayout, Layout, ProcessLayout
from kvmcheck.engine.movers import BodyMovers
from kvmcheck.engine.shape import COMMITTED, FRESH, Context, Shape
from kvmcheck.engine.unit import Unit, literal
from kvmcheck.semantics.expressions import sort_of
from kvmcheck.semantics.liveness import is_stop, surely_assigned
from kvmcheck.semantics.numbering import element_count
from kvmcheck.semantics.pointers import contains, is_pointer, is_seq, staled
from kvmcheck.semantics.program import (
    VISIBLE,
    Acquire,
    Allocate,
    Assertion,
    Assume,
    AtomicEnter,
    Await,
    Branch,
    Check,
    Choose,
    CoverHere,
    End,
    Expr,
    Fence,
    Free,
    GhostStore,
    Guard,
    GuardBoth,
    GuardHeld,
    GuardMarked,
    GuardOwner,
    HeldMode,
    Irq,
    Load,
    MightSleep,
    Node,
    Order,
    Pause,
    Place,
    PointerPlace,
    Release,
    Set,
    Skip,
    Store,
    Update,
    VariablePlace,
)
from kvmcheck.semantics.sorts import LockFlavour, LockSort, SeqSort, Sort, Value
from kvmcheck.source.text import Span

#: What follows a join is a function of its own if it is longer than this many operations.
SHARED_FROM = 6
#: Loops nested deeper than this continue in a function of their own (Python allows 20 nested blocks).
DEEPEST = 8


@dataclass(frozen=True, slots=True)
class RaceSite:
    """What a noted access is: does it write, is it marked, is it a `data_race`, where."""

    write: bool
    marked: bool
    race: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Options:
    """What of a program has to be watched, so that nothing else costs anything.

    `racy`: the variables whose accesses may race.  `step_claims`: whether there are step properties.
    """

    racy: frozenset[int]
    step_claims: bool


@dataclass
class Tables:
    """What the generated code's numbers mean.

    `leaves`: the nodes that were run when a leaf is reached.  `choices`: for each choice that can be empty, its
    span and the two leaves that say "was tried" and "had a member".
    """

    leaves: list[tuple[Span, ...]] = field(default_factory=list)
    choices: list[tuple[Span, int, int]] = field(default_factory=list)
    covers: list[str] = field(default_factory=list)
    races: list[RaceSite] = field(default_factory=list)
    edges: list[Span] = field(default_factory=list)

    def leaf(self, spans: tuple[Span, ...]) -> int:
        """A new leaf's number."""
        self.leaves.append(spans)
        return len(self.leaves) - 1


@dataclass(frozen=True, slots=True)
class Ctx:
    """Where the generator is: the state's name, whether it is ours to write, what the locals are called."""

    indent: int
    state: str
    owned: bool
    exit: str
    names: dict[int, tuple[str, bool]]
    phase: int
    group: int | None
    loops: int = 0
    merged: bool = False
    seq_dirty: bool = False
    covers: tuple[int, ...] = ()
    spans: tuple[Span, ...] = ()


class Steps:
    """Generates the functions of one body of a process."""

    def __init__(
        self,
        unit: Unit,
        tables: Tables,
        process: int,
        part: BodyLayout,
        options: Options,
        *,
        handler: bool,
        movers: BodyMovers | None = None,
    ) -> None:
        self.shape = Shape(part.body, movers)
        self.unit = unit
        self.layout: Layout = unit.layout
        self.program = unit.layout.program
        self.tables = tables
        self.process = self.program.processes[process]
        self.whole: ProcessLayout = self.layout.processes[process]
        self.part = part
        self.body = part.body
        self.local_sorts = tuple(local.sort for local in part.body.locals)
        self.options = options
        self.handler = handler
        self.prefix = f"{'h' if handler else 'm'}{process}"
        self.assigned = surely_assigned(self.body)
        self.stops = self.shape.stops
        self.shared: dict[tuple[object, ...], str] = {}
        self.waiting: list[tuple[str, int, Ctx, list[int]]] = []
        self.sizes: dict[Context, int] = {}
        self.joins: set[Context] = set()
        self.heads: set[Context] = set()
        self.reach: dict[int, set[int]] = {}
        self.watched = frozenset(local for local, nodes in self.body.watched.items() if nodes)
        self.versions = 0
        self.offsets: set[int] = set()
        self.locks = self._possible_locks()
        self.exempt = self.process.hardware
        self._survey()

    # ------------------------------------------------------------------ the shape of the graph

    def _survey(self) -> None:
        """Sizes of what follows, where ways join, where cycles close, and which stops lead where."""
        entered: dict[Context, int] = {}
        state: dict[Context, int] = {}
        for stop in self.stops:
            stack: list[tuple[Context, bool]] = [((stop, FRESH, None), False)]
            while stack:
                context, finished = stack.pop()
                if finished:
                    state[context] = 2
                    self.sizes[context] = 1 + sum(
                        1 if self.is_own(way) else self.sizes.get(way, 1)
                        for way in self.shape.following(context)
                    )
                    continue
                if context in state:
                    continue
                state[context] = 1
                stack.append((context, True))
                for way in self.shape.following(context):
                    entered[way] = entered.get(way, 0) + 1
                    if entered[way] > 1:
                        self.joins.add(way)
                    if state.get(way) == 1:
                        self.heads.add(way)
                    elif way not in state:
                        stack.append((way, False))
            seen: set[Context] = set()
            todo: list[Context] = [(stop, FRESH, None)]
            while todo:
                context = todo.pop()
                if context not in seen:
                    seen.add(context)
                    self.reach.setdefault(context[0], set()).add(stop)
                    todo += self.shape.following(context)

    def is_own(self, context: Context) -> bool:
        """Whether what follows is a function of its own."""
        return context in self.heads or (context in self.joins and self.sizes.get(context, 1) > SHARED_FROM)

    def _possible_locks(self) -> list[int]:
        """The slots of the locks that this process may hold: those of variables that it takes."""
        found: set[int] = set()
        bodies = (self.process.body, *(() if self.process.interrupt is None else (self.process.interrupt,)))
        for body in bodies:
            for node in body.nodes:
                if isinstance(node.operation, Acquire):
                    for variable in self._variables(node.operation.lock):
                        first = self.layout.first[variable]
                        found |= set(range(first, first + element_count(self.program.variables[variable])))
        return sorted(found)

    def _variables(self, place: Place) -> list[int]:
        match place:
            case VariablePlace(variable=number):
                return [number]
            case PointerPlace(target=target, component=component):
                return [root.components[component] for root in self.program.roots[target]]
            case _:
                assert_never(place)

    # ------------------------------------------------------------------ functions

    def generate(self) -> None:
        """Write the functions of all stops, and those that they share."""
        for stop in self.stops:
            kept = self.part.kept[stop]
            names = {
                local: (f"S[{self._slot(slot)}]", local in self.assigned[stop])
                for local, slot in self.part.locals.items()
                if local in kept
            }
            self._line(0, f"def {self.prefix}_{stop}(S):")
            self._node(stop, Ctx(1, "S", False, "return", names, FRESH, None), frozenset({stop}))
            self._drain()

    def _drain(self) -> None:
        while self.waiting:
            name, number, ctx, parameters = self.waiting.pop()
            self._line(0, f"def {name}({', '.join(['S', 's', *(f'l{local}' for local in parameters)])}):")
            names = {local: (f"l{local}", local in self.assigned[number]) for local in parameters}
            fresh = replace(ctx, indent=1, exit="return", names=names, loops=0, spans=())
            fresh = replace(fresh, state="s" if ctx.owned else "S")
            self._node(number, fresh, frozenset(self.reach.get(number, set(self.stops))))

    def _call(self, number: int, ctx: Ctx) -> None:
        """Go on in the function of a node."""
        relevant = self.part.live[number] | self.watched
        if not self.layout.reductions.dead_locals:
            relevant = frozenset(range(len(self.body.locals)))
        parameters = sorted(relevant)
        key = (number, ctx.phase, ctx.group, ctx.owned, ctx.merged, ctx.seq_dirty, ctx.covers)
        name = self.shared.get(key)
        if name is None:
            name = f"{self.prefix}_{number}_{len(self.shared)}"
            self.shared[key] = name
            self.waiting.append((name, number, ctx, parameters))
        if ctx.spans:
            self._line(ctx.indent, f"hit[{self.tables.leaf(ctx.spans)}] = 1")
        state = ctx.state if ctx.owned else "S"
        arguments = ", ".join(["S", state, *(self._current(local, ctx) for local in parameters)])
        self._line(ctx.indent, f"{name}({arguments})")
        self._line(ctx.indent, ctx.exit)

    def _current(self, local: int, ctx: Ctx) -> str:
        return ctx.names[local][0] if local in ctx.names else "U"

    def _slot(self, offset: int) -> str:
        """A slot of the own thread."""
        self.offsets.add(offset)
        return f"b{offset}"

    def _line(self, indent: int, text: str) -> None:
        self.unit.lines.append("    " + " " * indent + text)

    # ------------------------------------------------------------------ one operation and what follows

    def _go(self, number: int, ctx: Ctx, starts: frozenset[int]) -> None:
        if self.is_own((number, ctx.phase, ctx.group)) or ctx.loops > DEEPEST or ctx.indent > 60:
            self._call(number, ctx)
        else:
            self._node(number, ctx, starts)

    def _node(self, number: int, ctx: Ctx, starts: frozenset[int]) -> None:
        while True:
            group, stops = self.shape.settled(number, ctx.phase, ctx.group)
            if stops:
                self._finish(number, replace(ctx, group=group), starts)
                return
            node = self.body.nodes[number]
            operation = node.operation
            outside = group is None
            if ctx.phase != FRESH and outside and is_stop(operation):
                ctx = replace(ctx, merged=True)
            ctx = replace(ctx, group=group, spans=(*ctx.spans, *self._counted(node)))
            if isinstance(operation, Branch):
                self._branch(number, ctx, starts)
                return
            if isinstance(operation, (Choose, Allocate)):
                self._several(number, ctx, starts)
                return
            following = self._perform(number, ctx)
            if following is None:
                return
            ctx = following
            if isinstance(operation, VISIBLE) and outside:
                ctx = replace(ctx, phase=self.shape.phase_behind(number, ctx.phase))
            if isinstance(operation, AtomicEnter):
                ctx = replace(ctx, group=operation.group)
            number = node.successors[0]
            if self.is_own((number, ctx.phase, ctx.group)):
                self._call(number, ctx)
                return

    def _counted(self, node: Node) -> tuple[Span, ...]:
        """The node's statement, if it is one that counts for coverage."""
        return (node.span,) if counts(node) else ()

    def _branch(self, number: int, ctx: Ctx, starts: frozenset[int]) -> None:
        node = self.body.nodes[number]
        assert isinstance(node.operation, Branch)
        test = self._value(node.operation.condition, ctx, node.span)
        then, otherwise = node.successors
        sizes = [self.sizes.get((way, ctx.phase, ctx.group), 1) for way in node.successors]
        if sizes[1] < sizes[0]:
            test, then, otherwise = negated(test), otherwise, then
        self._line(ctx.indent, f"if {test}:")
        self._go(then, replace(ctx, indent=ctx.indent + 1), starts)
        self._go(otherwise, ctx, starts)

    def _expressions(self, ctx: Ctx, span: Span, *, reads: bool = False) -> Expressions:
        def local(number: int) -> tuple[str, bool]:
            return ctx.names.get(number, ("U", False))

        scope = ExpressionScope(
            state=ctx.state,
            local=local,
            local_sorts=self.local_sorts,
            span=span,
        )
        expressions = Expressions(self.unit, scope, span)
        if reads:

            def on_read(place: Place, slot: str, indices: tuple[str, ...], text: str) -> str:
                return self._read_in_condition(expressions, ctx, (place, slot, indices), text)

            scope.on_read = on_read
        return expressions

    def _read_in_condition(
        self, expressions: Expressions, ctx: Ctx, found: tuple[Place, str, tuple[str, ...]], text: str
    ) -> str:
        """A read in `await` or `choose … where`: marked, but under a strict guard."""
        place, slot, indices = found
        if self.exempt:
            return text
        variables = self._variables(place)
        for root, number in enumerate(variables):
            rule = self.program.variables[number].guard
            if rule is None or not rule.strict:
                continue
            if isinstance(place, PointerPlace):
                pointer = expressions.text(place.pointer)
                known = len(self.program.roots[place.target][root].objects)
                more = (expressions.text(index) for index in place.indices)
                indices = (*(f"({pointer})[{nth + 1}]" for nth in range(known)), *more)
            bound = {name: index for name, index in zip(rule.dimensions, indices, strict=True) if name}
            guard = self._guard(rule.read, ctx, bound, marked=True, span=expressions.span)
            if isinstance(place, PointerPlace) and len(variables) > 1:
                guard = f"(({pointer})[0] != {root} or {guard})"
            site = expressions.failing(Check.NO_UNGUARDED_ACCESS)
            # The place is looked up first: where there is none, that is what is wrong.
            fresh = self.unit.temporary()
            text = f"({fresh} if (({fresh} := {text}), {guard})[1] else fail({site}))"
        if any(number in self.options.racy for number in variables):
            self.tables.races.append(RaceSite(False, True, False, expressions.span))
            text = f"note({slot}, {len(self.tables.races) - 1}, {text})"
        return text

    def _value(self, expression: Expr, ctx: Ctx, span: Span, *, reads: bool = False) -> str:
        """The text of an expression; if it may fail, it is computed here, and a failure ends the run."""
        expressions = self._expressions(ctx, span, reads=reads)
        text = expressions.text(expression)
        return self._safe(text, ctx, expressions)

    def _safe(self, text: str, ctx: Ctx, expressions: Expressions) -> str:
        if not expressions.fails:
            return text
        self.versions += 1
        name = f"v{self.versions}"
        self._line(ctx.indent, "try:")
        self._line(ctx.indent + 1, f"{name} = {text}")
        self._line(ctx.indent, "except Fail as f:")
        self._covered(replace(ctx, indent=ctx.indent + 1))
        self._torn(replace(ctx, indent=ctx.indent + 1))
        self._line(ctx.indent + 1, f"bad(f.site, me, {self.handler})")
        self._line(ctx.indent + 1, ctx.exit)
        return name

    def _covered(self, ctx: Ctx) -> None:
        """What was reached, now that the run is a step."""
        if ctx.spans:
            self._line(ctx.indent, f"hit[{self.tables.leaf(ctx.spans)}] = 1")
        for cover in ctx.covers:
            self._line(ctx.indent, f"covered({cover})")

    def _bad(self, ctx: Ctx, check: Check, span: Span, *, overflow: bool = False) -> None:
        site = self.unit.site(check, span, overflow=overflow)
        self._covered(ctx)
        self._torn(ctx)
        self._line(ctx.indent, f"bad({site}, me, {self.handler})")
        self._line(ctx.indent, ctx.exit)

    def _torn(self, ctx: Ctx) -> None:
        """A merged step that breaks something has no end: what lies between its operations must be seen."""
        if ctx.merged:
            self._line(ctx.indent, "torn(S, me)")

    def _own(self, ctx: Ctx) -> Ctx:
        """The same with a state that is ours to write."""
        if ctx.owned:
            return ctx
        self.versions += 1
        name = f"s{self.versions}"
        self._line(ctx.indent, f"{name} = [*{ctx.state}]")
        return replace(ctx, state=name, owned=True)

    def _assign(self, local: int, text: str, ctx: Ctx) -> Ctx:
        """The local holds the text's value from here on."""
        self.versions += 1
        name = f"l{local}_{self.versions}"
        self._line(ctx.indent, f"{name} = {text}")
        return replace(ctx, names={**ctx.names, local: (name, True)})

    # ------------------------------------------------------------------ places

    def _place(self, place: Place, ctx: Ctx, span: Span) -> tuple[str, tuple[str, ...], str | None]:
        """The slot of a place, computed once; its indices; and the pointer, where it is one."""
        expressions = self._expressions(ctx, span)
        pointer = None
        indices: tuple[str, ...] = ()
        if isinstance(place, VariablePlace):
            variable = self.program.variables[place.variable]
            texts: list[str] = []
            for dimension, index in zip(variable.dimensions, place.indices, strict=True):
                one = self._expressions(ctx, span)
                text = self._safe(one.index(dimension, index), ctx, one)
                if not (text.isidentifier() or text.isdigit()):
                    self.versions += 1
                    self._line(ctx.indent, f"i{self.versions} = {text}")
                    text = f"i{self.versions}"
                texts.append(text)
            indices = tuple(texts)
            slot = expressions.layout_slot(place.variable, indices)
        else:
            pointer = expressions.text(place.pointer)
            slot, _ = expressions.slot(place)
            slot = self._safe(slot, ctx, expressions)
        if not (slot.isdigit() or slot.isidentifier()):
            self.versions += 1
            self._line(ctx.indent, f"i{self.versions} = {slot}")
            slot = f"i{self.versions}"
        return slot, indices, pointer

    def _accessed(
        self,
        place: Place,
        found: tuple[str, tuple[str, ...], str | None],
        ctx: Ctx,
        span: Span,
        *,
        write: bool,
        order: Order,
    ) -> None:
        """Check the guard of an access, and note it if it may race."""
        if self.exempt:
            return
        slot, indices, pointer = found
        marked = order.marked or ctx.group is not None
        variables = self._variables(place)
        for root, number in enumerate(variables):
            rule = self.program.variables[number].guard
            if rule is None:
                continue
            strict = write or rule.strict
            if not strict and (marked or Check.NO_DATA_RACE not in self.program.checks):
                continue
            if pointer is not None:
                assert isinstance(place, PointerPlace)
                known = len(self.program.roots[place.target][root].objects)
                more = [self._value(index, ctx, span) for index in place.indices]
                indices = (*(f"({pointer})[{nth + 1}]" for nth in range(known)), *more)
            bound = {name: index for name, index in zip(rule.dimensions, indices, strict=True) if name}
            guard = self._guard(rule.write if write else rule.read, ctx, bound, marked=marked, span=span)
            if guard == "True":
                continue
            test = negated(guard)
            if pointer is not None and len(variables) > 1:
                test = f"({pointer})[0] == {root} and {test}"
            self._line(ctx.indent, f"if {test}:")
            check = Check.NO_UNGUARDED_ACCESS if strict else Check.NO_DATA_RACE
            self._bad(replace(ctx, indent=ctx.indent + 1), check, span)
        if any(number in self.options.racy for number in variables):
            self.tables.races.append(RaceSite(write, marked, order is Order.RACE, span))
            self._line(ctx.indent, f"note({slot}, {len(self.tables.races) - 1})")

    def _guard(self, guard: Guard, ctx: Ctx, bound: dict[str, str], *, marked: bool, span: Span) -> str:
        match guard:
            case GuardHeld(lock=lock, mode=mode):
                expressions = self._expressions(ctx, span)
                expressions.scope.bound = bound
                slot, _ = expressions.slot(lock)
                value = f"{ctx.state}[{slot}]"
                if not expressions.is_rw(lock):
                    return "False" if mode is HeldMode.READ else f"({value} == me)"
                match mode:
                    case HeldMode.WRITE:
                        return f"({value}[0] == me)"
                    case HeldMode.READ:
                        return f"({value}[1] & bit != 0)"
                    case HeldMode.ANY:
                        return f"({value}[0] == me or {value}[1] & bit != 0)"
                    case _:
                        assert_never(mode)
            case GuardMarked():
                return str(marked)
            case GuardOwner(index=index):
                expressions = self._expressions(ctx, span)
                expressions.scope.bound = bound
                text = expressions.text(index)
                own = [
                    f"p{nth} == {text}"
                    for nth, (_, sort) in enumerate(self.process.parameters)
                    if sort == sort_of(index)
                ]
                return "(" + " or ".join(own) + ")" if own else "False"
            case GuardBoth(parts=parts, every=every):
                texts = [self._guard(part, ctx, bound, marked=marked, span=span) for part in parts]
                neutral, absorbing = ("True", "False") if every else ("False", "True")
                if absorbing in texts:
                    return absorbing
                texts = [text for text in texts if text != neutral]
                if not texts:
                    return neutral
                return "(" + (" and " if every else " or ").join(texts) + ")"
            case _:
                assert_never(guard)

    def _store(self, place: Place, slot: str, value: str, ctx: Ctx, span: Span) -> Ctx:
        """Store into a slot; a home takes nothing but the successor of what it holds."""
        homes = [number for number in self._variables(place) if number in self.layout.numbering.first_home]
        seq = any(contains(self.program.variables[n].sort, is_seq) for n in self._variables(place))
        if homes:
            successor = self._expressions(ctx, span).next(SeqSort(), f"{ctx.state}[{slot}]")
            test = f"{value} != {successor}"
            if len(homes) < len(self._variables(place)):
                name = self.unit.name("homes", lambda: frozenset(self.layout.homes))
                test = f"{slot} in {name} and {test}"
            self._line(ctx.indent, f"if {test}:")
            self._bad(replace(ctx, indent=ctx.indent + 1), Check.SEQ_LOST_UPDATE, span)
        ctx = self._own(ctx)
        self._line(ctx.indent, f"{ctx.state}[{slot}] = {value}")
        return replace(ctx, seq_dirty=True) if homes or (seq and not self._collapses()) else ctx

    def _collapses(self) -> bool:
        """Whether only an increment can change the classes of other seqs."""
        return not self.program.seq_compared

    # ------------------------------------------------------------------ the operations

    def _perform(self, number: int, ctx: Ctx) -> Ctx | None:
        """The text of an operation with one way on; None: it always ends the run."""
        node = self.body.nodes[number]
        span = node.span
        match node.operation:
            case Load(target=target, place=place, order=order):
                found = self._place(place, ctx, span)
                self._accessed(place, found, ctx, span, write=False, order=order)
                return self._assign(target, f"{ctx.state}[{found[0]}]", ctx)
            case Store(place=place, value=value, order=order):
                found = self._place(place, ctx, span)
                text = self._named(self._value(value, ctx, span), ctx)
                self._accessed(place, found, ctx, span, write=True, order=order)
                return self._store(place, found[0], text, ctx, span)
            case Update():
                return self._update(node.operation, ctx, span)
            case Acquire():
                return self._acquire(node.operation, ctx, span)
            case Release():
                return self._release(node.operation, ctx, span)
            case Await(condition=condition):
                test = negated(self._value(condition, ctx, span, reads=True))
                self._line(ctx.indent, f"if {test}:")
                self._line(ctx.indent + 1, ctx.exit)
                return ctx
            case Free(pointer=pointer, pool=pool):
                return self._free(pointer, pool, ctx, span)
            case Irq(disable=disable):
                assert self.whole.irq is not None
                slot = self._slot(self.whole.irq)
                if not disable:
                    self._line(ctx.indent, f"if {ctx.state}[{slot}] == 0:")
                    self._bad(replace(ctx, indent=ctx.indent + 1), Check.NO_LOCK_MISUSE, span)
                ctx = self._own(ctx)
                self._line(ctx.indent, f"{ctx.state}[{slot}] {'+' if disable else '-'}= 1")
                return ctx
            case Set(target=target, value=value):
                if value is None:
                    return replace(ctx, names={k: v for k, v in ctx.names.items() if k != target})
                return self._assign(target, self._value(value, ctx, span), ctx)
            case Assertion(condition=condition, check=check):
                test = negated(self._value(condition, ctx, span))
                if test == "False":
                    return ctx
                self._line(ctx.indent, f"if {test}:")
                self._bad(replace(ctx, indent=ctx.indent + 1), check, span)
                return ctx
            case Assume(condition=condition):
                test = negated(self._value(condition, ctx, span))
                self._line(ctx.indent, f"if {test}:")
                self._line(ctx.indent + 1, ctx.exit)
                return ctx
            case GhostStore(place=place, value=value):
                found = self._place(place, ctx, span)
                text = self._named(self._value(value, ctx, span), ctx)
                return self._store(place, found[0], text, ctx, span)
            case CoverHere(name=name):
                if name not in self.tables.covers:
                    self.tables.covers.append(name)
                cover = self.tables.covers.index(name)
                return ctx if cover in ctx.covers else replace(ctx, covers=(*ctx.covers, cover))
            case MightSleep():
                self._may_sleep(ctx, span)
                return ctx
            case AtomicEnter() | Pause() | Fence() | Skip() | Branch() | End() | Choose() | Allocate():
                return ctx
            case _:
                assert_never(node.operation)

    def _named(self, text: str, ctx: Ctx) -> str:
        """The text, computed once if it is more than a name."""
        if text.isidentifier() or text.lstrip("-").isdigit():
            return text
        self.versions += 1
        self._line(ctx.indent, f"v{self.versions} = {text}")
        return f"v{self.versions}"

    def _update(self, operation: Update, ctx: Ctx, span: Span) -> Ctx:
        found = self._place(operation.place, ctx, span)
        self._accessed(operation.place, found, ctx, span, write=True, order=operation.order)
        self.versions += 1
        old = f"o{self.versions}"
        self._line(ctx.indent, f"{old} = {ctx.state}[{found[0]}]")
        expressions = self._expressions(ctx, span)
        expressions.scope.old_value = old
        new = self._named(self._safe(expressions.text(operation.new), ctx, expressions), ctx)
        told = None
        if operation.result is not None:
            expressions = self._expressions(ctx, span)
            expressions.scope.old_value = old
            told = self._named(self._safe(expressions.text(operation.result), ctx, expressions), ctx)
        ctx = self._store(operation.place, found[0], new, ctx, span)
        if operation.target is not None:
            ctx = self._assign(operation.target, told or "None", ctx)
        return ctx

    def _acquire(self, operation: Acquire, ctx: Ctx, span: Span) -> Ctx:
        slot, _, _ = self._place(operation.lock, ctx, span)
        value = f"{ctx.state}[{slot}]"
        inner = replace(ctx, indent=ctx.indent + 1)
        if operation.flavour.sleeps and operation.target is None:
            self._may_sleep(ctx, span)
        if operation.flavour.shared:
            self.versions += 1
            writer, readers = f"w{self.versions}", f"r{self.versions}"
            self._line(ctx.indent, f"{writer}, {readers} = {value}")
            mine = f"{writer} == me or {readers} & bit"
            if operation.shared:
                taken, new = f"{writer} is not None", f"({writer}, {readers} | bit)"
            else:
                taken, new = f"{writer} is not None or {readers}", f"(me, {readers})"
        else:
            mine, taken, new = f"{value} == me", f"{value} is not None", "me"
        if operation.target is not None:
            target = operation.target
            self.versions += 1
            name = f"l{target}_{self.versions}"
            blocked = f"{taken} or {mine}" if operation.flavour.shared else taken
            self._line(ctx.indent, f"{name} = 0 if {blocked} else 1")
            ctx = self._own(replace(ctx, names={**ctx.names, target: (name, True)}))
            self._line(ctx.indent, f"if {name}: {ctx.state}[{slot}] = {new}")
            return ctx
        self._line(ctx.indent, f"if {taken} or {mine}:" if operation.flavour.shared else f"if {taken}:")
        self._line(inner.indent, f"if {mine}:")
        self._bad(replace(inner, indent=inner.indent + 1), Check.NO_LOCK_MISUSE, span)
        self._line(inner.indent, ctx.exit)
        if Check.LOCK_ORDER in self.program.checks:
            self.tables.edges.append(span)
            site = len(self.tables.edges) - 1
            for other in self.locks:
                if slot != str(other):
                    self._line(ctx.indent, f"if {self._mine(ctx, other)}: edge({other}, {slot}, {site}, me)")
        ctx = self._own(ctx)
        self._line(ctx.indent, f"{ctx.state}[{slot}] = {new}")
        return ctx

    def _mine(self, ctx: Ctx, slot: int) -> str:
        """Whether a lock's slot says that the thread holds it."""
        sort = self.layout.sorts[slot]
        assert isinstance(sort, LockSort)
        if sort.flavour.shared:
            return f"{ctx.state}[{slot}][0] == me or {ctx.state}[{slot}][1] & bit"
        return f"{ctx.state}[{slot}] == me"

    def _release(self, operation: Release, ctx: Ctx, span: Span) -> Ctx:
        slot, _, _ = self._place(operation.lock, ctx, span)
        value = f"{ctx.state}[{slot}]"
        if not operation.flavour.shared:
            test, new = f"{value} != me" if not operation.shared else "True", "None"
        elif operation.shared:
            test, new = f"not {value}[1] & bit", f"({value}[0], {value}[1] & ~bit)"
        else:
            test, new = f"{value}[0] != me", f"(None, {value}[1])"
        self._line(ctx.indent, f"if {test}:")
        self._bad(replace(ctx, indent=ctx.indent + 1), Check.NO_LOCK_MISUSE, span)
        fresh = self._own(ctx)
        self._line(fresh.indent, f"{fresh.state}[{slot}] = {new}")
        return fresh

    def _may_sleep(self, ctx: Ctx, span: Span) -> None:
        if Check.NO_SLEEP_IN_ATOMIC not in self.program.checks:
            return
        if self.handler:
            tests = ["True"]
        else:
            tests = []
            for slot in self.locks:
                sort = self.layout.sorts[slot]
                if isinstance(sort, LockSort) and sort.flavour in (LockFlavour.SPINLOCK, LockFlavour.RWLOCK):
                    tests.append(f"{self._mine(ctx, slot)}")
            if self.whole.irq is not None:
                tests.append(f"{ctx.state}[{self._slot(self.whole.irq)}]")
        if tests:
            self._line(ctx.indent, f"if {' or '.join(tests)}:")
            self._bad(replace(ctx, indent=ctx.indent + 1), Check.NO_SLEEP_IN_ATOMIC, span)

    def _free(self, pointer: Expr, pool_number: int, ctx: Ctx, span: Span) -> Ctx:
        pool = self.program.pools[pool_number]
        text = self._named(self._value(pointer, ctx, span), ctx)
        self._line(ctx.indent, f"if {text} is None or {text} < 0:")
        self._bad(replace(ctx, indent=ctx.indent + 1), Check.NO_USE_AFTER_FREE, span)
        self.versions += 1
        freed = f"f{self.versions}"
        self._line(ctx.indent, f"{freed} = {text}")
        before = ctx
        ctx = self._own(ctx)
        mask = f"{ctx.state}[{self.layout.first[pool.allocated]}]"
        self._line(ctx.indent, f"{mask} &= ~(1 << {freed})")
        name = self.unit.name(("staling", pool_number), lambda: self.layout.staling(pool_number))
        self._line(ctx.indent, f"{name}({ctx.state}, {freed})")
        names = dict(ctx.names)
        for local, (held, sure) in before.names.items():
            sort = self.body.locals[local].sort
            if contains(sort, is_pointer):
                stale = self.unit.name(
                    ("stale", repr(sort), pool_number), partial(self._stale, sort, pool_number)
                )
                self.versions += 1
                fresh = f"l{local}_{self.versions}"
                self._line(ctx.indent, f"{fresh} = {stale}({held}, {freed})")
                names[local] = (fresh, sure)
        return replace(ctx, names=names)

    def _stale(self, sort: Sort, pool: int) -> object:
        roots, variables = self.program.roots, self.program.variables
        name = self.program.pools[pool].name

        def stale(value: Value, number: int) -> Value:
            return staled(sort, value, (name, number), roots, variables)

        return stale

    # ------------------------------------------------------------------ several ways on

    def _several(self, number: int, ctx: Ctx, starts: frozenset[int]) -> None:
        node = self.body.nodes[number]
        operation = node.operation
        outside = ctx.group is None
        self.versions += 1
        if isinstance(operation, Choose):
            ways = self._candidates(operation, ctx, node.span)
            target = operation.target
        else:
            assert isinstance(operation, Allocate)
            pool = self.program.pools[operation.pool]
            self.unit.names["unallocated"] = runtime.unallocated
            mask = f"{ctx.state}[{self.layout.first[pool.allocated]}]"
            ways = self._named(f"unallocated({mask}, {pool.size})", ctx)
            if operation.or_null:
                ways = f"({ways} or (None,))"
            else:
                self._line(ctx.indent, f"if not {ways}:")
                self._bad(
                    replace(ctx, indent=ctx.indent + 1), Check.NO_OUT_OF_BOUNDS, node.span, overflow=True
                )
            target = operation.target
        self.versions += 1
        name = f"l{target}_{self.versions}"
        self._line(ctx.indent, f"for {name} in {ways}:")
        inner = replace(
            ctx,
            indent=ctx.indent + 1,
            owned=False,
            exit="continue",
            names={**ctx.names, target: (name, True)},
            loops=ctx.loops + 1,
            phase=COMMITTED if outside and isinstance(operation, Allocate) else ctx.phase,
        )
        if isinstance(operation, Allocate):
            inner = self._allocated(operation, name, inner)
        self._go_in_loop(node.successors[0], inner, starts)
        self._line(ctx.indent, ctx.exit)

    def _go_in_loop(self, number: int, ctx: Ctx, starts: frozenset[int]) -> None:
        """Go on; a function of its own needs a state of its own, since it knows `S` only."""
        if not ctx.owned and ctx.state != "S":
            ctx = self._own(ctx)
        self._go(number, ctx, starts)

    def _allocated(self, operation: Allocate, name: str, ctx: Ctx) -> Ctx:
        pool = self.program.pools[operation.pool]
        ctx = self._own(ctx)
        indent = ctx.indent
        if operation.or_null:
            self._line(indent, f"if {name} is not None:")
            indent += 1
        self._line(indent, f"{ctx.state}[{self.layout.first[pool.allocated]}] |= 1 << {name}")
        dirty = ctx.seq_dirty
        if operation.zeroed:
            for number in pool.fields:
                if number in self.layout.numbering.first_home:
                    continue
                variable = self.program.variables[number]
                each = element_count(variable) // pool.size
                first = self.layout.first[number]
                value = self._reset_value(variable.sort, variable.initial, ctx)
                at = f"{first} + {name} * {each}"
                self._line(indent, f"{ctx.state}[{at} : {at} + {each}] = ({value},) * {each}")
                dirty = dirty or (contains(variable.sort, is_seq) and not self._collapses())
        return replace(ctx, seq_dirty=dirty)

    def _reset_value(self, sort: Sort, initial: Value, ctx: Ctx) -> str:
        if contains(sort, is_seq) and self.layout.zero is not None:
            zero = f"{ctx.state}[{self.layout.zero}]"
            if isinstance(sort, SeqSort):
                return zero
            return self._expressions(ctx, self.process.span).zeroed(sort, initial)
        return literal(self.layout.numbering.initial(sort, initial))

    def _candidates(self, operation: Choose, ctx: Ctx, span: Span) -> str:
        """The members that a choice goes through."""
        expressions = self._expressions(ctx, span, reads=True)
        domain = self._safe(expressions.domain(operation.sort, operation.domain), ctx, expressions)
        if operation.domain is None and operation.where is None and "bits" not in domain:
            return domain
        domain = self._named(domain, ctx)
        if operation.where is not None:
            self.versions += 1
            candidate = f"q{self.versions}"
            inner = replace(ctx, names={**ctx.names, operation.target: (candidate, True)})
            expressions = self._expressions(inner, span, reads=True)
            where = expressions.text(operation.where)
            domain = self._named(
                self._safe(f"[{candidate} for {candidate} in {domain} if {where}]", ctx, expressions), ctx
            )
        tried, filled = self.tables.leaf((span,)), self.tables.leaf(())
        self.tables.choices.append((span, tried, filled))
        self._line(ctx.indent, f"hit[{tried}] = 1")
        self._line(ctx.indent, f"if {domain}: hit[{filled}] = 1")
        return domain

    # ------------------------------------------------------------------ the end of a step

    def _finish(self, number: int, ctx: Ctx, starts: frozenset[int]) -> None:
        """Write the location and the locals that are kept; hand over the state."""
        end = isinstance(self.body.nodes[number].operation, End)
        if end and not self.handler and self.locks:
            tests = " or ".join(self._mine(ctx, slot) for slot in self.locks)
            self._line(ctx.indent, f"if {tests}:")
            self._bad(replace(ctx, indent=ctx.indent + 1), Check.NO_LOCK_MISUSE, self.body.nodes[number].span)
        maybe_set: set[int] = set()
        for start in starts:
            maybe_set |= self.part.kept[start]
        kept = frozenset() if end else self.part.kept[number]
        # A slot holds the one occupant that is kept here, or nothing: UNSET where something may have stood.
        writes: dict[str, str] = {}
        for local, offset in self.part.locals.items():
            slot = self._slot(offset)
            if local in kept and self._current(local, ctx) != "U":
                writes[slot] = self._current(local, ctx)
            elif local in maybe_set:
                writes.setdefault(slot, "U")
        ctx = self._own(ctx)
        pc = self._slot(self.part.pc)
        target = "None" if end and self.handler else str(number)
        self._line(ctx.indent, f"{ctx.state}[{pc}] = {target}")
        for slot, current in writes.items():
            if current != f"S[{slot}]":
                self._line(ctx.indent, f"{ctx.state}[{slot}] = {current}")
        self._covered(ctx)
        if self.options.step_claims:
            self._line(ctx.indent, f"on_step(S, {ctx.state}, me)")
        if self.layout.abstracts and (ctx.seq_dirty or (not self._collapses() and self._has_seq())):
            self._line(ctx.indent, f"canonical({ctx.state})")
        self._line(ctx.indent, f"emit(tuple({ctx.state}))")
        self._line(ctx.indent, ctx.exit)

    def _has_seq(self) -> bool:
        return any(contains(self.body.locals[local].sort, is_seq) for local in self.part.locals)


def counts(node: Node) -> bool:
    """Whether a node is (part of) a statement that should be run somewhere."""
    match node.operation:
        case Set(value=value):
            return value is not None
        case GhostStore() | CoverHere() | Skip() | End() | Pause() | Assume():
            return False
        case _:
            return True
