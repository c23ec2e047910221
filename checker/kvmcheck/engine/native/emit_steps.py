# SPDX-License-Identifier: GPL-2.0-only
"""The steps of one body as one C function: a label for each place where a step can be, and how far it is.

A run of the function is one way through a step.  It begins at a stop, with the locals that are kept there, or behind a
choice, with a member of it; a choice calls the function again for each member.  A state is copied before it is written.
Checks, their order and what is told are those of `engine.generate_steps`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import assert_never

from kvmcheck.engine.generate_steps import RaceSite, counts
from kvmcheck.engine.layout import BodyLayout, Layout, ProcessLayout
from kvmcheck.engine.movers import BodyMovers
from kvmcheck.engine.native.coding import Coding, Unsupported, width_of
from kvmcheck.engine.native.emit_expressions import (
    CHECK_NUMBERS,
    MOST_MEMBERS,
    OVERFLOW,
    Expressions,
    Names,
    Scope,
    is_shared,
    negated,
)
from kvmcheck.engine.native.emit_values import Values
from kvmcheck.engine.shape import FRESH, Context, Shape
from kvmcheck.semantics.expressions import sort_of
from kvmcheck.semantics.liveness import is_stop, surely_assigned
from kvmcheck.semantics.numbering import element_count
from kvmcheck.semantics.pointers import contains, is_pointer, is_seq
from kvmcheck.semantics.program import (
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
from kvmcheck.semantics.sorts import (
    LockFlavour,
    LockSort,
    ObjectPointerSort,
    SeqSort,
    Sort,
    Value,
    members,
)
from kvmcheck.source.text import Span

#: A step in which loops close or choices nest oftener than this never ends.
LONGEST_STEP = 9_000


@dataclass
class Tables:
    """What the numbers in the generated code mean: statements, choices, covers, racing accesses, lock edges."""

    spans: list[Span] = field(default_factory=list)
    choices: list[Span] = field(default_factory=list)
    covers: list[str] = field(default_factory=list)
    races: list[RaceSite] = field(default_factory=list)
    edges: list[Span] = field(default_factory=list)
    numbers: dict[Span, int] = field(default_factory=dict)

    def span(self, span: Span) -> int:
        """The number of a statement."""
        if span not in self.numbers:
            self.numbers[span] = len(self.spans)
            self.spans.append(span)
        return self.numbers[span]


@dataclass(frozen=True, slots=True)
class Watched:
    """What of a program has to be watched: the variables that may race, and whether there are step properties."""

    racy: frozenset[int]
    step_claims: bool


class Steps:
    """Writes the function of one body of a process.

    `quiet`: single steps, told to nobody but `between`; they are what lies inside a merged step that failed.
    """

    def __init__(
        self,
        coding: Coding,
        values: Values,
        names: Names,
        tables: Tables,
        process: int,
        part: BodyLayout,
        watched: Watched,
        *,
        handler: bool,
        movers: BodyMovers | None,
        quiet: bool = False,
    ) -> None:
        self.coding, self.values, self.names, self.tables = coding, values, names, tables
        self.layout: Layout = coding.layout
        self.program = coding.program
        self.number = process
        self.process = self.program.processes[process]
        self.whole: ProcessLayout = self.layout.processes[process]
        self.part, self.body = part, part.body
        self.watched, self.handler, self.quiet = watched, handler, quiet
        self.shape = Shape(part.body, movers)
        self.merges = movers is not None
        self.name = f"{'q' if quiet else ''}{'h' if handler else 'm'}{process}"
        self.assigned = surely_assigned(self.body)
        self.locks = self._possible_locks()
        self.exempt = self.process.hardware
        self.lines: list[str] = []
        self.labels: dict[Context, str] = {}
        self.waiting: list[Context] = []
        self.entries: dict[tuple[Context, int], tuple[int, list[int], Node]] = {}
        self.finishes: dict[int, str] = {}
        self.sources: dict[int, set[int]] = {}

    # ------------------------------------------------------------------ the function

    def generate(self) -> list[str]:
        """The function, as lines."""
        self._survey()
        for stop in self.shape.stops:
            self._label((stop, FRESH, None))
        while self.waiting:
            self._block(self.waiting.pop())
        for number in sorted(self.finishes):
            self._finish(number)
        blocks, self.lines = self.lines, []
        self._head()
        self.lines += blocks
        self.lines += ["fail: __attribute__((unused));", *self._broken(), "return;", "}"]
        return self.lines

    def _survey(self) -> None:
        """Which stops lead to which ends of a step."""
        for stop in self.shape.stops:
            seen: set[Context] = set()
            todo: list[Context] = [(stop, FRESH, None)]
            while todo:
                context = todo.pop()
                if context not in seen:
                    seen.add(context)
                    number, phase, group = context
                    if self.shape.settled(number, phase, group)[1]:
                        self.sources.setdefault(number, set()).add(stop)
                    todo += self.shape.following(context)

    def _head(self) -> None:
        line = self.lines.append
        line(
            f"{'SELDOM ' if self.quiet else ''}static void {self.name}(W *w, const Thread *t, int entry, "
            "const cell *S, const cell *from, const V *L, Run r)"
        )
        line("{")
        line("cell s[NS]; memcpy(s, from, sizeof s);")
        line("const int b = t->base; const V me = t->me; (void)b; (void)me; (void)L;")
        for nth in range(len(self.process.parameters)):
            line(f"const V p{nth} = t->p[{nth}]; (void)p{nth};")
        for local in range(len(self.body.locals)):
            line(f"V l{local} = UNSET; (void)l{local};")
        line("int why = 0; (void)why;")
        line("switch (entry) {")
        for stop in self.shape.stops:
            line(f"case {stop}:")
            for local, offset in self.part.locals.items():
                if local in self.part.kept[stop]:
                    sort = self.body.locals[local].sort
                    line(f"l{local} = {self.values.load(sort, f's[b + {offset}]', local=True)};")
            line(f"goto {self.labels[stop, FRESH, None]};")
        for (context, _), (entry, live, node) in self.entries.items():
            line(f"case {entry}:")
            for nth, local in enumerate(live):
                line(f"l{local} = L[{nth}];")
            if isinstance(node.operation, Allocate):
                self.lines += self._allocated(node.operation)
            line(f"goto {self._label(context)};")
        line("default: return;")
        line("}")

    def _broken(self) -> list[str]:
        """A check fails: the run is a step without an end."""
        if self.quiet:
            return []
        torn = ["if (r.merged) torn(w, t, S);"] if self.merges else []
        return ["commit(w, &r);", *torn, "bad(w, why);"]

    def _bad(self, check: Check, *, overflow: bool = False) -> str:
        return f"{{ why = {OVERFLOW if overflow else CHECK_NUMBERS[check]}; goto fail; }}"

    def _label(self, context: Context) -> str:
        """The label of a context, written sooner or later."""
        number, phase, group = context
        settled_group, stops = self.shape.settled(number, phase, group)
        if stops:
            return self.finishes.setdefault(number, f"f{number}")
        context = (number, phase, settled_group)
        if context not in self.labels:
            self.labels[context] = f"c{number}_{len(self.labels)}"
            self.waiting.append(context)
        return self.labels[context]

    def _normal(self, context: Context) -> Context:
        number, phase, group = context
        return number, phase, self.shape.settled(number, phase, group)[0]

    # ------------------------------------------------------------------ one operation

    def _block(self, context: Context) -> None:
        number, phase, group = context
        node = self.body.nodes[number]
        operation = node.operation
        line = self.lines.append
        line(f"{self.labels[context]}: __attribute__((unused));")
        if phase != FRESH and group is None and is_stop(operation):
            line("r.merged = 1;")
        if counts(node) and not self.quiet:
            line(f"HIT({self.tables.span(node.span)});")
        ways = self.shape.following(context)
        if isinstance(operation, Branch):
            test = self._expressions(number).text(operation.condition)
            self._jump(ways[0], number, f"if ({test}) ")
            self._jump(ways[1], number)
        elif isinstance(operation, (Choose, Allocate)):
            self._several(number, ways[0])
        else:
            self._perform(number, group)
            self._jump(ways[0], number)

    def _jump(self, target: Context, number: int, test: str = "") -> None:
        """Go on; where a loop may close, its rounds are counted."""
        label = self._label(target)
        if target[0] <= number and not label.startswith("f"):
            self.lines.append(
                f"{test}{{ if (++r.rounds > {LONGEST_STEP}) {{ endless(w); return; }} goto {label}; }}"
            )
        else:
            self.lines.append(f"{test}goto {label};")

    def _expressions(self, number: int, *, reads: bool = False, sure: int | None = None) -> Expressions:
        assigned = self.assigned[number]

        def local(which: int) -> tuple[str, Sort, bool]:
            return f"l{which}", self.body.locals[which].sort, which in assigned or which == sure

        scope = Scope(state="s", local=local)
        expressions = Expressions(self.coding, self.values, self.names, scope)
        if reads and not self.exempt:

            def on_read(place: Place, slot: str, indices: tuple[str, ...], text: str) -> str:
                return self._read_in_condition(expressions, (place, slot, indices), text, number)

            scope.on_read = on_read
        return expressions

    def _variables(self, place: Place) -> list[int]:
        match place:
            case VariablePlace(variable=number):
                return [number]
            case PointerPlace(target=target, component=component):
                return [root.components[component] for root in self.program.roots[target]]
            case _:
                assert_never(place)

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

    # ------------------------------------------------------------------ places, guards and races

    def _place(self, place: Place, number: int) -> tuple[str, tuple[str, ...], str | None]:
        """The slot of a place, computed once; its indices; and the pointer, where it is one."""
        expressions = self._expressions(number)
        line = self.lines.append
        if isinstance(place, VariablePlace):
            variable = self.program.variables[place.variable]
            texts: list[str] = []
            for dimension, index in zip(variable.dimensions, place.indices, strict=True):
                text = expressions.index(dimension, index)
                if not text.isdigit():
                    name = self.names.fresh("i")
                    line(f"V {name} = {text};")
                    text = name
                texts.append(text)
            return expressions.element(place.variable, tuple(texts)), tuple(texts), None
        pointer = expressions.text(place.pointer)
        slot, _ = expressions.slot(place)
        name = self.names.fresh("i")
        line(f"V {name} = {slot};")
        return name, (), pointer

    def _root_indices(
        self, place: PointerPlace, root: int, pointer: str, expressions: Expressions
    ) -> tuple[str, ...]:
        """The indices of the element behind a pointer to this root."""
        _, *parts = self.coding.pointer_parts(place.target)
        known = len(self.program.roots[place.target][root].objects)
        given = [f"({self.values.get(part, pointer)} >> 1)" for part in parts[:known]]
        return (*given, *(expressions.text(index) for index in place.indices))

    def _is_root(self, place: PointerPlace, root: int, pointer: str) -> str:
        return f"({self.values.get(self.coding.pointer_parts(place.target)[0], pointer)} == {root})"

    def _accessed(
        self,
        place: Place,
        found: tuple[str, tuple[str, ...], str | None],
        number: int,
        group: int | None,
        *,
        write: bool,
        order: Order,
    ) -> None:
        """Check the guard of an access, and note it if it may race."""
        if self.exempt:
            return
        slot, indices, pointer = found
        expressions = self._expressions(number)
        marked = order.marked or group is not None
        variables = self._variables(place)
        for root, variable in enumerate(variables):
            rule = self.program.variables[variable].guard
            if rule is None:
                continue
            strict = write or rule.strict
            if not strict and (marked or Check.NO_DATA_RACE not in self.program.checks):
                continue
            if pointer is not None:
                assert isinstance(place, PointerPlace)
                indices = self._root_indices(place, root, pointer, expressions)
            bound = self._bound(variable, rule.dimensions, indices)
            guard = self._guard(rule.write if write else rule.read, expressions, bound, marked=marked)
            if guard == "1":
                continue
            test = negated(guard)
            if pointer is not None and len(variables) > 1:
                assert isinstance(place, PointerPlace)
                test = f"{self._is_root(place, root, pointer)} && {test}"
            check = Check.NO_UNGUARDED_ACCESS if strict else Check.NO_DATA_RACE
            self.lines.append(f"if ({test}) {self._bad(check)}")
        self._note(variables, slot, write=write, marked=marked, race=order is Order.RACE, number=number)

    def _note(
        self, variables: list[int], slot: str, *, write: bool, marked: bool, race: bool, number: int
    ) -> None:
        if not self.quiet and any(variable in self.watched.racy for variable in variables):
            self.tables.races.append(RaceSite(write, marked, race, self.body.nodes[number].span))
            self.lines.append(f"NOTE({slot}, {len(self.tables.races) - 1});")

    def _bound(
        self, variable: int, dimensions: tuple[str, ...], indices: tuple[str, ...]
    ) -> dict[str, tuple[str, Sort]]:
        sorts = self.program.variables[variable].dimensions
        return {
            name: (index, sort) for name, index, sort in zip(dimensions, indices, sorts, strict=True) if name
        }

    def _guard(
        self, guard: Guard, expressions: Expressions, bound: dict[str, tuple[str, Sort]], *, marked: bool
    ) -> str:
        match guard:
            case GuardHeld(lock=lock, mode=mode):
                scope = Scope("s", local=expressions.scope.local, bound=bound)
                inner = expressions.within(scope)
                slot, _ = inner.slot(lock)
                return inner.holds(lock, f"s[{slot}]", mode, "me")
            case GuardMarked():
                return str(int(marked))
            case GuardOwner(index=index):
                scope = Scope("s", local=expressions.scope.local, bound=bound)
                text = expressions.within(scope).text(index)
                own = [
                    f"p{nth} == {text}"
                    for nth, (_, sort) in enumerate(self.process.parameters)
                    if sort == sort_of(index)
                ]
                return "(" + " || ".join(own) + ")" if own else "0"
            case GuardBoth(parts=parts, every=every):
                texts = [self._guard(part, expressions, bound, marked=marked) for part in parts]
                neutral, absorbing = ("1", "0") if every else ("0", "1")
                if absorbing in texts:
                    return absorbing
                texts = [text for text in texts if text != neutral]
                if not texts:
                    return neutral
                return "(" + (" && " if every else " || ").join(texts) + ")"
            case _:
                assert_never(guard)

    def _read_in_condition(
        self, expressions: Expressions, found: tuple[Place, str, tuple[str, ...]], text: str, number: int
    ) -> str:
        """A read in `await` or `choose … where`: marked, but under a strict guard.  Statements and the value."""
        place, slot, indices = found
        lines: list[str] = []
        variables = self._variables(place)
        plain = self._expressions(number)
        for root, variable in enumerate(variables):
            rule = self.program.variables[variable].guard
            if rule is None or not rule.strict:
                continue
            pointer = ""
            if isinstance(place, PointerPlace):
                pointer = plain.text(place.pointer)
                indices = self._root_indices(place, root, pointer, plain)
            bound = self._bound(variable, rule.dimensions, indices)
            guard = self._guard(rule.read, expressions, bound, marked=True)
            if isinstance(place, PointerPlace) and len(variables) > 1:
                guard = f"(!{self._is_root(place, root, pointer)} || {guard})"
            lines.append(f"if (!{guard}) {self._bad(Check.NO_UNGUARDED_ACCESS)}")
        if not self.quiet and any(variable in self.watched.racy for variable in variables):
            self.tables.races.append(RaceSite(False, True, False, self.body.nodes[number].span))
            lines.append(f"NOTE({slot}, {len(self.tables.races) - 1});")
        return f"{' '.join(lines)} {text}"

    # ------------------------------------------------------------------ stores

    def _store(self, place: Place, slot: str, value: str, number: int) -> None:
        """Store a register into a slot; a home takes nothing but the successor of what it holds."""
        expressions = self._expressions(number)
        variables = self._variables(place)
        homes = [variable for variable in variables if variable in self.layout.numbering.first_home]
        if homes:
            successor = expressions.next(SeqSort(), f"(V)s[{slot}]")
            test = f"{value} != {successor}"
            if len(homes) < len(variables):
                test = f"({' || '.join(f'{slot} == {home}' for home in self.layout.homes)}) && {test}"
            self.lines.append(f"if ({test}) {self._bad(Check.SEQ_LOST_UPDATE)}")
        sort = expressions.place_sort(place)
        self.lines.append(f"s[{slot}] = {self.values.keep(sort, value)};")

    def _assign(self, local: int, text: str, sort: Sort) -> None:
        own = self.body.locals[local].sort
        self.lines.append(f"l{local} = {self.values.converted(text, sort, own)};")

    def _register(self, text: str) -> str:
        name = self.names.fresh("v")
        self.lines.append(f"V {name} = {text};")
        return name

    # ------------------------------------------------------------------ the operations

    def _perform(self, number: int, group: int | None) -> None:
        """The text of an operation with one way on."""
        node = self.body.nodes[number]
        line = self.lines.append
        expressions = self._expressions(number)
        line("{")
        match node.operation:
            case Load(target=target, place=place, order=order):
                found = self._place(place, number)
                self._accessed(place, found, number, group, write=False, order=order)
                self._assign(target, expressions.loaded(place, found[0]), expressions.place_sort(place))
            case Store(place=place, value=value, order=order):
                found = self._place(place, number)
                text = self._register(expressions.as_sort(value, expressions.place_sort(place)))
                self._accessed(place, found, number, group, write=True, order=order)
                self._store(place, found[0], text, number)
            case Update():
                self._update(node.operation, number, group)
            case Acquire():
                self._acquire(node.operation, number)
            case Release():
                self._release(node.operation, number)
            case Await(condition=condition):
                test = self._expressions(number, reads=True).text(condition)
                line(f"if (!{test}) {{ w->blocked = 1; return; }}")
            case Free(pointer=pointer, pool=pool):
                self._free(pointer, pool, number)
            case Irq(disable=disable):
                cell = f"s[b + {self.whole.irq}]"
                if not disable:
                    line(f"if ({cell} == 0) {self._bad(Check.NO_LOCK_MISUSE)}")
                line(f"{cell} = (cell)checked({cell} {'+' if disable else '-'} 1, 256);")
            case Set(target=target, value=value):
                if value is None:
                    line(f"l{target} = UNSET;")
                else:
                    text, sort = expressions.typed(value)
                    self._assign(target, text, sort)
            case Assertion(condition=condition, check=check):
                line(f"if (!{expressions.text(condition)}) {self._bad(check)}")
            case Assume(condition=condition):
                line(f"if (!{expressions.text(condition)}) return;")
            case GhostStore(place=place, value=value):
                found = self._place(place, number)
                text = self._register(expressions.as_sort(value, expressions.place_sort(place)))
                self._store(place, found[0], text, number)
            case CoverHere(name=name):
                if name not in self.tables.covers:
                    self.tables.covers.append(name)
                cover = self.tables.covers.index(name)
                if cover > 62:
                    raise Unsupported("more than 62 cover statements")
                line(f"r.covers |= (uint64_t)1 << {cover};")
            case MightSleep():
                self._may_sleep()
            case AtomicEnter() | Pause() | Fence() | Skip() | Branch() | End() | Choose() | Allocate():
                line(";")
            case _:
                assert_never(node.operation)
        line("}")

    def _update(self, operation: Update, number: int, group: int | None) -> None:
        found = self._place(operation.place, number)
        self._accessed(operation.place, found, number, group, write=True, order=operation.order)
        expressions = self._expressions(number)
        sort = expressions.place_sort(operation.place)
        old = self._register(expressions.loaded(operation.place, found[0]))
        expressions.scope.old_value = (old, sort)
        new = self._register(expressions.as_sort(operation.new, sort))
        told: tuple[str, Sort] | None = None
        if operation.result is not None:
            text, told_sort = expressions.typed(operation.result)
            told = self._register(text), told_sort
        self._store(operation.place, found[0], new, number)
        if operation.target is not None:
            text, told_sort = told if told is not None else ("NONE", sort)
            self._assign(operation.target, text, told_sort)

    def _lock_parts(self, slot: str) -> tuple[str, str, int]:
        """Of a shared lock's cell: the writer, the readers, and how far up they are."""
        width = width_of(self.coding.thread_count + 1)
        return f"(s[{slot}] & {(1 << width) - 1})", f"(s[{slot}] >> {width})", width

    def _acquire(self, operation: Acquire, number: int) -> None:
        slot, _, _ = self._place(operation.lock, number)
        line = self.lines.append
        free = self.coding.thread_count
        if operation.flavour.sleeps and operation.target is None:
            self._may_sleep()
        if operation.flavour.shared:
            writer, readers, width = self._lock_parts(slot)
            mine = f"({writer} == me || ({readers} >> me & 1))"
            if operation.shared:
                taken = f"({writer} != {free})"
                new = f"s[{slot}] | (V)1 << me << {width}"
            else:
                taken = f"({writer} != {free} || {readers} != 0)"
                new = f"me | (V){readers} << {width}"
        else:
            mine, taken, new = f"(s[{slot}] == me)", f"(s[{slot}] != {free})", "me"
        if operation.target is not None:
            target = operation.target
            blocked = f"{taken} || {mine}" if operation.flavour.shared else taken
            line(f"l{target} = ({blocked}) ? 0 : 1;")
            line(f"if (l{target}) s[{slot}] = (cell)({new});")
            return
        line(
            f"if ({taken} || {mine}) {{ if ({mine}) {self._bad(Check.NO_LOCK_MISUSE)} w->blocked = 1; return; }}"
        )
        if Check.LOCK_ORDER in self.program.checks and not self.quiet:
            self.tables.edges.append(self.body.nodes[number].span)
            site = len(self.tables.edges) - 1
            for other in self.locks:
                if slot != str(other):
                    line(f"if ({self._mine(other)}) edge(w, {other}, {slot}, {site}, me);")
        line(f"s[{slot}] = (cell)({new});")

    def _mine(self, slot: int) -> str:
        """Whether a lock's slot says that the thread holds it."""
        if is_shared(self.layout.sorts[slot]):
            writer, readers, _ = self._lock_parts(str(slot))
            return f"({writer} == me || ({readers} >> me & 1))"
        return f"(s[{slot}] == me)"

    def _release(self, operation: Release, number: int) -> None:
        slot, _, _ = self._place(operation.lock, number)
        free = self.coding.thread_count
        if not operation.flavour.shared:
            test, new = f"s[{slot}] != me" if not operation.shared else "1", str(free)
        else:
            writer, readers, width = self._lock_parts(slot)
            if operation.shared:
                test, new = f"!({readers} >> me & 1)", f"s[{slot}] & ~((V)1 << me << {width})"
            else:
                test, new = f"{writer} != me", f"{free} | (V){readers} << {width}"
        self.lines.append(f"if ({test}) {self._bad(Check.NO_LOCK_MISUSE)}")
        self.lines.append(f"s[{slot}] = (cell)({new});")

    def _may_sleep(self) -> None:
        if Check.NO_SLEEP_IN_ATOMIC not in self.program.checks:
            return
        if self.handler:
            tests = ["1"]
        else:
            tests = []
            for slot in self.locks:
                sort = self.layout.sorts[slot]
                if isinstance(sort, LockSort) and sort.flavour in (LockFlavour.SPINLOCK, LockFlavour.RWLOCK):
                    tests.append(self._mine(slot))
            if self.whole.irq is not None:
                tests.append(f"s[b + {self.whole.irq}] != 0")
        if tests:
            self.lines.append(f"if ({' || '.join(tests)}) {self._bad(Check.NO_SLEEP_IN_ATOMIC)}")

    def _free(self, pointer: Expr, pool_number: int, number: int) -> None:
        pool = self.program.pools[pool_number]
        line = self.lines.append
        freed = self._register(self._expressions(number).text(pointer))
        line(f"if ({freed} == NONE || {freed} < 0) {self._bad(Check.NO_USE_AFTER_FREE)}")
        mask = self.layout.first[pool.allocated]
        line(f"s[{mask}] = (cell)(s[{mask}] & ~bit({freed}));")
        for slot, cell in enumerate(self.coding.cells):
            if cell.nodes is not None or not contains(cell.sort, is_pointer):
                continue
            local = cell.unset
            old = self.values.load(cell.sort, f"s[{slot}]", local=local)
            new = self.values.staled(cell.sort, pool_number, old, freed)
            if new != old:
                line(f"s[{slot}] = {self.values.keep(cell.sort, new, local=local)};")
        for local_number, variable in enumerate(self.body.locals):
            old = f"l{local_number}"
            new = self.values.staled(variable.sort, pool_number, old, freed)
            if new != old:
                line(f"{old} = {new};")

    # ------------------------------------------------------------------ several ways on

    def _several(self, number: int, following: Context) -> None:
        node = self.body.nodes[number]
        operation = node.operation
        line = self.lines.append
        assert isinstance(operation, (Choose, Allocate))
        self._label(following)
        following = self._normal(following)
        target = operation.target
        if self.shape.settled(*following)[1]:
            # Nothing follows but the end of the step.
            behind = frozenset(range(len(self.body.locals))) & (self.part.kept[following[0]] | {target})
        else:
            live = self.part.live[following[0]]
            every = frozenset(range(len(self.body.locals)))
            named = frozenset(local for local, nodes in self.body.watched.items() if nodes)
            behind = (live | named | {target}) if self.layout.reductions.dead_locals else every
        live_locals = sorted(behind)
        known = self.entries.get((following, number))
        entry = len(self.body.nodes) + len(self.entries) if known is None else known[0]
        self.entries[following, number] = (entry, live_locals, node)
        line("{")
        line(f"if (++r.rounds > {LONGEST_STEP}) {{ endless(w); return; }}")
        line(f"V K[{len(live_locals)}] = {{ {', '.join(f'l{local}' for local in live_locals)} }};")
        again = f"K[{live_locals.index(target)}] = q; {self.name}(w, t, {entry}, S, s, K, r);"
        if isinstance(operation, Choose):
            self._candidates(operation, number, again)
        else:
            self._objects(operation, again)
        line("return;")
        line("}")

    def _candidates(self, operation: Choose, number: int, again: str) -> None:
        """Go on with each member of a choice; those that fit are found first."""
        line = self.lines.append
        expressions = self._expressions(number, reads=True)
        size = self._most(operation)
        if (
            operation.where is None
            and operation.domain is None
            and not isinstance(operation.sort, ObjectPointerSort)
        ):
            line(expressions.loop(operation.sort, None, "q", again))
            return
        line(f"V found[{max(size, 1)}]; int n = 0;")
        keep = "found[n++] = c;"
        if operation.where is not None:
            inner = self._expressions(number, reads=True, sure=operation.target)
            where = inner.text(operation.where)
            target = f"l{operation.target}"
            saved = self.names.fresh("v")
            line(f"V {saved} = {target};")
            keep = f"{target} = c; if ({where}) found[n++] = c;"
            line(expressions.loop(operation.sort, operation.domain, "c", keep))
            line(f"{target} = {saved};")
        else:
            line(expressions.loop(operation.sort, operation.domain, "c", keep))
        if not self.quiet:
            self.tables.choices.append(self.body.nodes[number].span)
            choice = len(self.tables.choices) - 1
            line(f"w->tried[{choice}] = 1; if (n) w->filled[{choice}] = 1;")
        line(f"for (int i = 0; i < n; i++) {{ V q = found[i]; {again} }}")

    def _most(self, operation: Choose) -> int:
        if operation.domain is not None:
            return 64
        count = sum(1 for _ in members(operation.sort))
        if count > MOST_MEMBERS:
            raise Unsupported(f"a choice among {count:,} values")
        return count

    def _objects(self, operation: Allocate, again: str) -> None:
        pool = self.program.pools[operation.pool]
        line = self.lines.append
        mask = self.layout.first[pool.allocated]
        none = (
            f"{{ V q = NONE; {again} }}"
            if operation.or_null
            else self._bad(Check.NO_OUT_OF_BOUNDS, overflow=True)
        )
        line(f"V taken = s[{mask}];")
        line(f"if (taken == {(1 << pool.size) - 1}) {none}")
        line(f"else for (V q = 0; q < {pool.size}; q++) {{ if (taken >> q & 1) continue; {again} }}")

    def _allocated(self, operation: Allocate) -> list[str]:
        """The object is the thread's now, its fields reset if that was asked."""
        pool = self.program.pools[operation.pool]
        target = f"l{operation.target}"
        mask = self.layout.first[pool.allocated]
        lines = [f"if ({target} != NONE) {{", f"s[{mask}] = (cell)(s[{mask}] | bit({target}));"]
        if operation.zeroed:
            expressions = self._expressions(0)
            for number in pool.fields:
                if number in self.layout.numbering.first_home:
                    continue
                variable = self.program.variables[number]
                each = element_count(variable) // pool.size
                value = self._reset_value(variable.sort, variable.initial, expressions)
                at = f"{self.layout.first[number]} + {target} * {each} + i"
                lines.append(
                    f"for (int i = 0; i < {each}; i++) s[{at}] = {self.values.keep(variable.sort, value)};"
                )
        return [*lines, "}"]

    def _reset_value(self, sort: Sort, initial: Value, expressions: Expressions) -> str:
        if initial is not None and contains(sort, is_seq) and self.layout.zero is not None:
            return expressions.zeroed(sort, initial)
        return expressions.constant(sort, initial)

    # ------------------------------------------------------------------ the end of a step

    def _finish(self, number: int) -> None:
        """Write the location and the locals that are kept; hand over the state."""
        line = self.lines.append
        end = isinstance(self.body.nodes[number].operation, End)
        line(f"{self.finishes[number]}: __attribute__((unused));")
        if end and not self.handler and self.locks:
            tests = " || ".join(self._mine(slot) for slot in self.locks)
            line(f"if ({tests}) {self._bad(Check.NO_LOCK_MISUSE)}")
        maybe_set: set[int] = set()
        for start in self.sources.get(number, ()):
            maybe_set |= self.part.kept[start]
        kept = frozenset() if end else self.part.kept[number]
        writes: dict[int, str] = {}
        for local, offset in self.part.locals.items():
            sort = self.body.locals[local].sort
            unset = str(self.coding.count(sort, inside=False))
            if local in kept:
                writes[offset] = self.values.keep(sort, f"l{local}", local=True)
            elif local in maybe_set:
                writes.setdefault(offset, unset)
        codes = self.coding.locations[id(self.body)]
        line(f"s[b + {self.part.pc}] = {codes[None if end and self.handler else number]};")
        for offset, text in writes.items():
            line(f"s[b + {offset}] = {text};")
        if not self.quiet:
            line("commit(w, &r);")
        if self.watched.step_claims:
            line("on_step(w, S, s, me);")
        if self.layout.abstracts:
            line("canonical_seqs(s);")
        line("between(w, s);" if self.quiet else "emit(w, s);")
        line("return;")
