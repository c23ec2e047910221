# SPDX-License-Identifier: GPL-2.0-only
"""The steps of each process, unfolded from its control-flow graph (docs/development/semantics.md, 2).

A step's choices become symbols.  A cycle inside a step (in an atomic block, or of invisible operations) is unfolded as
often as it can run: what is known of a counter or a set of members left ends it, or else `LONGEST`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import assert_never

from kvmcheck.export.expressions import (
    CannotCarry,
    Element,
    Elements,
    Failure,
    Result,
    Scope,
    converted,
    elements_of,
    failure,
    guarded,
    lock_holds,
    member_test,
    spread,
    symbols_for,
    truth_of,
    value_as,
    value_at,
    value_of,
)
from kvmcheck.export.pointers import Pointer, pointers_in, staled
from kvmcheck.export.scalars import (
    FALSE,
    TRUE,
    Apply,
    Cell,
    Kind,
    Location,
    Members,
    Number,
    Operator,
    Scalar,
    Symbol,
    Truth,
    Unset,
    arithmetic,
    as_number,
    as_truth,
    conjunction,
    disjunction,
    either,
    equal,
    facts_in,
    has,
    negation,
    with_member,
    without_member,
)
from kvmcheck.export.shapes import set_size
from kvmcheck.export.trees import (
    Assign,
    Assignment,
    Blocked,
    Done,
    Empty,
    Fail,
    Fork,
    Note,
    Step,
    Tree,
    Written,
    assignments_in,
    resolved,
    writing,
)
from kvmcheck.export.world import INIT, Code, Proc, World, init_proc
from kvmcheck.semantics.expressions import sort_of
from kvmcheck.semantics.liveness import is_stop, surely_assigned
from kvmcheck.semantics.program import (
    VISIBLE,
    Acquire,
    Allocate,
    Assertion,
    Assume,
    AtomicEnter,
    Await,
    Body,
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
    Order,
    Pause,
    Place,
    Release,
    Set,
    Skip,
    Store,
    Update,
)
from kvmcheck.semantics.sorts import LockFlavour, LockSort, SeqSort, SetSort, Sort, sort_name
from kvmcheck.source.text import Span

#: A step may pass a node so often; more often is not unfolded.
LONGEST = 40
#: What is known of a cell before anything is written to it.
Start = Callable[[Cell], Scalar]

#: A step with more ways and operations than this is not unfolded.
LARGEST = 6000


@dataclass(frozen=True, slots=True)
class At:
    """Where the unfolding is."""

    node: int
    written: Written
    done: bool = False
    group: int | None = None
    passed: tuple[tuple[int, int], ...] = ()  # node, how often

    def times(self, node: int) -> int:
        """How often a node was passed."""
        return dict(self.passed).get(node, 0)


@dataclass
class Unfolding:
    """One step being unfolded."""

    world: World
    proc: Proc
    code: Code
    scope: Scope
    assigned: tuple[frozenset[int], ...]
    start: Start | None = None
    symbols: list[Symbol] = field(default_factory=list)
    budget: int = LARGEST
    chosen: dict[tuple[int, int], tuple[Symbol, ...]] = field(default_factory=dict)
    known: list[Scalar] = field(default_factory=list)

    @property
    def body(self) -> Body:
        """The body that is unfolded."""
        return self.code.body

    @property
    def handler(self) -> bool:
        """Whether it is an interrupt handler's."""
        return bool(self.code.idle)

    @property
    def exempt(self) -> bool:
        """Whether guards are none of its business."""
        return self.proc.number == INIT or self.proc.process.hardware

    # -------------------------------------------------------------------------- walking

    def walk(self, at: At) -> Tree:
        """The tree from here on."""
        self.budget -= 1
        node = self.body.nodes[at.node]
        operation, span = node.operation, node.span
        if self.budget < 0:
            raise CannotCarry("a step with so many ways", span)
        if at.group is not None and at.group != -1 and node.group != at.group:
            at = replace(at, group=None)
        if isinstance(operation, End):
            return self._end(at, span)
        if at.done and at.group is None and is_stop(operation):
            return self._stop(at)
        times = at.times(at.node) + 1
        if times > LONGEST:
            raise CannotCarry("a step without a bound that is known", span)
        passed = {**dict(at.passed), at.node: times}
        visible = isinstance(operation, VISIBLE) and at.group is None
        further = replace(at, done=at.done or visible, passed=tuple(passed.items()))

        def go_on(written: Written, branch: int = 0, group: int | None = further.group) -> Tree:
            return self.walk(replace(further, node=node.successors[branch], written=written, group=group))

        return Note(span, self._perform(at, go_on))

    def _perform(self, at: At, go_on: Callable[..., Tree]) -> Tree:
        node = self.body.nodes[at.node]
        operation, span, scope = node.operation, node.span, self._scope(at)
        match operation:
            case Load(target=target, place=place, order=order):
                elements, failures = elements_of(place, scope)
                failures += self._accesses(at, elements, write=False, order=order)
                sort = self._sort_of(elements)
                value = Result(value_at(elements, self.world), failures)
                return self._set_local(at, target, value, sort, span, go_on)
            case Store(place=place, value=given, order=order):
                elements, failures = elements_of(place, scope)
                value = value_as(given, self._sort_of(elements), scope)
                failures += value.failures + self._accesses(at, elements, write=True, order=order)
                return self._store(at, elements, value.parts, failures, span, go_on)
            case Update():
                return self._update(at, operation, span, go_on)
            case Acquire():
                return self._acquire(at, operation, span, go_on)
            case Release():
                return self._release(at, operation, span, go_on)
            case Await(condition=condition):
                found = truth_of(condition, self._reading(at))
                return self._failing(
                    at,
                    found.failures,
                    span,
                    lambda: self._test(at, found.one, lambda: go_on(at.written), Blocked),
                )
            case AtomicEnter(group=group):
                return go_on(at.written, group=at.group if at.group == -1 else group)
            case Choose():
                return self._choose(at, operation, span, go_on)
            case Set(target=target, value=assigned):
                if assigned is None:
                    return self._unset(at, target, go_on)
                sort = self.body.locals[target].sort
                return self._set_local(at, target, value_as(assigned, sort, scope), sort, span, go_on)
            case Branch(condition=condition):
                found = truth_of(condition, scope)
                return self._failing(
                    at,
                    found.failures,
                    span,
                    lambda: self._test(
                        at, found.one, lambda: go_on(at.written, 0), lambda: go_on(at.written, 1)
                    ),
                )
            case Assertion(condition=condition, check=check, text=text):
                found = truth_of(condition, scope)
                broken = failure(negation(found.one), check, text)
                return self._failing(at, (*found.failures, *broken), span, lambda: go_on(at.written))
            case Assume(condition=condition):
                found = truth_of(condition, scope)
                return self._failing(
                    at,
                    found.failures,
                    span,
                    lambda: self._test(at, found.one, lambda: go_on(at.written), Empty),
                )
            case GhostStore(place=place, value=given):
                elements, failures = elements_of(place, scope)
                value = value_as(given, self._sort_of(elements), scope)
                return self._store(at, elements, value.parts, failures + value.failures, span, go_on)
            case Irq(disable=disable):
                return self._irq(at, disable, span, go_on)
            case MightSleep():
                return self._failing(at, self._sleeps("might_sleep()"), span, lambda: go_on(at.written))
            case Allocate():
                return self._allocate(at, operation, span, go_on)
            case Free():
                return self._free(at, operation, span, go_on)
            case CoverHere() | Pause() | Fence() | Skip() | End():
                return go_on(at.written)
            case _:
                assert_never(operation)

    def _scope(self, at: At) -> Scope:
        return replace(self.scope, assigned=self.assigned[at.node])

    def _reading(self, at: At) -> Scope:
        """The same, each read being a marked access."""

        def note(elements: Elements) -> tuple[Failure, ...]:
            return self._accesses(at, elements, write=False, order=Order.ONCE)

        return replace(self._scope(at), on_read=note)

    def _sort_of(self, elements: Elements) -> Sort:
        return self.world.program.variables[elements[0][1].variable].sort

    # -------------------------------------------------------------------------- pieces of trees

    def _test(self, at: At, condition: Scalar, yes: Callable[[], Tree], no: Callable[[], Tree]) -> Tree:
        before = resolved(condition, at.written, self.start)
        if isinstance(before, Truth):
            return yes() if before.value else no()
        if before in self.known:
            return yes()
        if negation(before) in self.known:
            return no()
        one, other = self._knowing(before, yes), self._knowing(negation(before), no)
        return one if _plain(one) == _plain(other) else Fork(condition, before, one, other)

    def _knowing(self, fact: Scalar, then: Callable[[], Tree]) -> Tree:
        """A tree on whose way a condition on the state before the step is true."""
        length = len(self.known)
        self.known += facts_in(fact)
        tree = then()
        del self.known[length:]
        return tree

    def _failing(self, at: At, failures: tuple[Failure, ...], span: Span, then: Callable[[], Tree]) -> Tree:
        if not failures:
            return then()
        first, *rest = failures
        return self._test(
            at,
            first.condition,
            lambda: Fail(first.check, first.text, span),
            lambda: self._failing(at, tuple(rest), span, then),
        )

    def _assign(
        self,
        at: At,
        now: tuple[Assignment, ...],
        then: Callable[[Written], Tree],
        forgets: str = "",
    ) -> Tree:
        before = tuple(
            Assignment(
                replace(a.cell, indices=tuple(resolved(i, at.written, self.start) for i in a.cell.indices)),
                resolved(a.value, at.written, self.start),
            )
            for a in now
        )
        written = writing(at.written, before)
        kept = tuple(a for a in now if a.cell != a.value)
        return Assign(kept, before, then(written), forgets) if kept else then(written)

    def _local_assignments(self, local: int, parts: tuple[Scalar, ...]) -> tuple[Assignment, ...]:
        cells = self.world.local_cells(self.proc, self.code, self.proc.me, local)
        return tuple(Assignment(c, _as_kind(c, p)) for c, p in zip(cells, parts, strict=True))

    def _set_local(
        self, at: At, target: int, value: Result, sort: Sort, span: Span, go_on: Callable[..., Tree]
    ) -> Tree:
        value = converted(self.world, value, sort, self.body.locals[target].sort)
        return self._failing(
            at,
            value.failures,
            span,
            lambda: self._assign(at, self._local_assignments(target, value.parts), go_on),
        )

    def _unset(self, at: At, target: int, go_on: Callable[..., Tree]) -> Tree:
        kinds = [part.leaf.kind for part in self.code.locals[target]]
        given: tuple[Scalar, ...] = tuple(Unset(kind) for kind in kinds)
        return self._assign(at, self._local_assignments(target, given), go_on)

    def _element_assignments(self, elements: Elements, parts: tuple[Scalar, ...]) -> tuple[Assignment, ...]:
        """The element that it is gets the value; the others that it might be keep theirs."""
        found: list[Assignment] = []
        earlier: Scalar = FALSE
        for condition, element in elements:
            mine = conjunction((condition, negation(earlier)))
            earlier = disjunction((earlier, condition))
            if mine == FALSE:
                continue
            size = self.world.stored[element.variable].sizes
            # Where it is another element, its indices may lie outside of this array.
            indices = tuple(
                index if mine == TRUE or n == 1 else either(mine, index, Number(0))
                for index, n in zip(element.indices, size, strict=True)
            )
            for cell, part in zip(self.world.variable_cells(element.variable, indices), parts, strict=True):
                found.append(Assignment(cell, either(mine, _as_kind(cell, part), cell)))
        return tuple(found)

    def _store(
        self,
        at: At,
        elements: Elements,
        parts: tuple[Scalar, ...],
        failures: tuple[Failure, ...],
        span: Span,
        go_on: Callable[..., Tree],
    ) -> Tree:
        for condition, element in elements:
            variable = self.world.program.variables[element.variable]
            if element.variable in self.world.program.seq_homes and isinstance(variable.sort, SeqSort):
                held = self.world.variable_cells(element.variable, element.indices)[0]
                following = arithmetic(Operator.ADD, held, Number(1))
                lost = negation(equal(parts[0], following))
                found = failure(lost, Check.SEQ_LOST_UPDATE, f"an increment of {variable.name} is lost")
                failures += guarded(found, condition)
        return self._failing(
            at,
            failures,
            span,
            lambda: self._assign(at, self._element_assignments(elements, parts), go_on),
        )

    # -------------------------------------------------------------------------- ends

    def _stop(self, at: At) -> Tree:
        proc, code = self.proc, self.code
        here = Assignment(proc.at(code, proc.me), Location(code.locations[at.node]))
        return self._assign(at, (here,), lambda _: Done())

    def _end(self, at: At, span: Span) -> Tree:
        proc, code = self.proc, self.code
        if proc.number == INIT:
            return Done()
        where = code.idle if self.handler else code.locations[at.node]
        failures = () if self.handler else self._holds_locks(self.scope.thread)
        cells = [
            cell
            for local in range(len(self.body.locals))
            for cell in self.world.local_cells(proc, code, proc.me, local)
        ]
        gone = tuple(Assignment(cell, Unset(cell.kind)) for cell in cells)
        here = (Assignment(proc.at(code, proc.me), Location(where)),)
        return self._failing(
            at,
            failures,
            span,
            lambda: self._assign(
                at,
                gone,
                lambda written: self._assign(replace(at, written=written), here, lambda _: Done()),
                forgets=f"{proc.name} {'handler' if self.handler else 'main'}",
            ),
        )

    def _holds_locks(self, thread: Scalar) -> tuple[Failure, ...]:
        held = self._lock_elements(thread, frozenset(LockFlavour))
        return failure(held, Check.NO_LOCK_MISUSE, "the process ends holding a lock")

    def _lock_elements(self, thread: Scalar, flavours: frozenset[LockFlavour]) -> Scalar:
        found: list[Scalar] = []
        for number, variable in enumerate(self.world.program.variables):
            if isinstance(variable.sort, LockSort) and variable.sort.flavour in flavours:
                for element in range(self.world.shapes.element_count(number)):
                    where = tuple(spread(Number(element), variable.dimensions))
                    cells = self.world.variable_cells(number, where)
                    found.append(lock_holds(cells, HeldMode.ANY, thread, self.world))
        return disjunction(found)

    # -------------------------------------------------------------------------- accesses

    def _accesses(self, at: At, elements: Elements, *, write: bool, order: Order) -> tuple[Failure, ...]:
        """What its guard says against an access."""
        if self.exempt:
            return ()
        marked = order.marked or at.group is not None
        found: tuple[Failure, ...] = ()
        for condition, element in elements:
            variable = self.world.program.variables[element.variable]
            rule = variable.guard
            if rule is None or not (write or rule.strict):
                if rule is not None and not marked and Check.NO_DATA_RACE in self.world.program.checks:
                    fine = self._guard(rule.read, element, rule.dimensions, marked)
                    text = f"{variable.name} is read without its guard and without a mark"
                    found += guarded(failure(negation(fine), Check.NO_DATA_RACE, text), condition)
                continue
            fine = self._guard(rule.write if write else rule.read, element, rule.dimensions, marked)
            verb = "written" if write else "read"
            text = f"{variable.name} is {verb} without its guard"
            found += guarded(failure(negation(fine), Check.NO_UNGUARDED_ACCESS, text), condition)
        return found

    def _guard(self, guard: Guard, element: Element, dimensions: tuple[str, ...], marked: bool) -> Scalar:
        bound = {name: (index,) for name, index in zip(dimensions, element.indices, strict=True) if name}
        scope = replace(self.scope, bound=bound)
        match guard:
            case GuardHeld(lock=lock, mode=mode):
                (found,) = elements_of(lock, scope)[0]
                cells = self.world.variable_cells(found[1].variable, found[1].indices)
                return lock_holds(cells, mode, scope.thread, self.world)
            case GuardMarked():
                return Truth(marked)
            case GuardOwner(index=index):
                proc = self.proc
                value = value_of(index, scope).parts
                sort = sort_of(index)
                return disjunction(
                    conjunction(
                        equal(a, b)
                        for a, b in zip(self.world.parameter(proc, proc.me, n), value, strict=True)
                    )
                    for n, (_, own) in enumerate(proc.process.parameters)
                    if own == sort
                )
            case GuardBoth(parts=parts, every=every):
                found_ = (self._guard(part, element, dimensions, marked) for part in parts)
                return conjunction(found_) if every else disjunction(found_)
            case _:
                assert_never(guard)

    def _update(self, at: At, operation: Update, span: Span, go_on: Callable[..., Tree]) -> Tree:
        elements, failures = elements_of(operation.place, self._scope(at))
        failures += self._accesses(at, elements, write=True, order=operation.order)
        held = value_at(elements, self.world)
        sort = self._sort_of(elements)
        scope = replace(self._scope(at), old=held)
        new = value_as(operation.new, sort, scope)
        failures += new.failures
        also: tuple[Assignment, ...] = ()
        if operation.target is not None and operation.result is not None:
            told = value_as(operation.result, self.body.locals[operation.target].sort, scope)
            failures += told.failures
            also = self._local_assignments(operation.target, told.parts)
        for condition, element in elements:
            variable = self.world.program.variables[element.variable]
            if element.variable in self.world.program.seq_homes and isinstance(variable.sort, SeqSort):
                following = arithmetic(Operator.ADD, held[0], Number(1))
                lost = negation(equal(new.parts[0], following))
                text = f"an increment of {variable.name} is lost"
                failures += guarded(failure(lost, Check.SEQ_LOST_UPDATE, text), condition)
        return self._failing(
            at,
            failures,
            span,
            lambda: self._assign(at, (*self._element_assignments(elements, new.parts), *also), go_on),
        )

    # -------------------------------------------------------------------------- locks, interrupts

    def _place(self, place: Place, at: At) -> tuple[Element, tuple[Failure, ...]]:
        elements, failures = elements_of(place, self._scope(at))
        if len(elements) > 1:
            raise CannotCarry("a lock behind a pointer to several kinds of places")
        return elements[0][1], failures

    def _acquire(self, at: At, operation: Acquire, span: Span, go_on: Callable[..., Tree]) -> Tree:
        me = self.scope.thread
        element, failures = self._place(operation.lock, at)
        cells = self.world.variable_cells(element.variable, element.indices)
        tries = operation.target is not None
        mine = lock_holds(cells, HeldMode.ANY, me, self.world)
        name = self.world.program.variables[element.variable].name
        if not tries:
            if operation.flavour.sleeps:
                failures += self._sleeps(f"taking {name}")
            failures += failure(mine, Check.NO_LOCK_MISUSE, f"{name} is taken by a thread that holds it")
        mode = HeldMode.WRITE if operation.shared else HeldMode.ANY
        others = lock_holds(cells, mode, None, self.world)
        free = conjunction((negation(others), negation(mine))) if tries else negation(others)
        taken = (Assignment(cells[0], me),)
        if operation.shared:
            taken = (Assignment(cells[1], with_member(cells[1], me)),)

        def got(yes: bool) -> Tree:
            now: tuple[Assignment, ...] = taken if yes else ()
            if operation.target is not None:
                now += self._local_assignments(operation.target, (Number(int(yes)),))
            return self._assign(at, now, go_on)

        return self._failing(
            at,
            failures,
            span,
            lambda: self._test(at, free, lambda: got(True), (lambda: got(False)) if tries else Blocked),
        )

    def _release(self, at: At, operation: Release, span: Span, go_on: Callable[..., Tree]) -> Tree:
        me = self.scope.thread
        element, failures = self._place(operation.lock, at)
        cells = self.world.variable_cells(element.variable, element.indices)
        mode = HeldMode.READ if operation.shared else HeldMode.WRITE
        name = self.world.program.variables[element.variable].name
        holds = lock_holds(cells, mode, me, self.world)
        failures += failure(negation(holds), Check.NO_LOCK_MISUSE, f"{name} is released, but not held so")
        freed = (Assignment(cells[0], self.world.shapes.nothing("none")),)
        if operation.shared:
            freed = (Assignment(cells[1], without_member(cells[1], me)),)
        return self._failing(at, failures, span, lambda: self._assign(at, freed, go_on))

    def _sleeps(self, what: str) -> tuple[Failure, ...]:
        proc = self.proc
        if Check.NO_SLEEP_IN_ATOMIC not in self.world.program.checks or proc.number == INIT:
            return ()
        spinning = frozenset(flavour for flavour in LockFlavour if not flavour.sleeps)
        found = self._lock_elements(self.scope.thread, spinning)
        if proc.depth:
            found = disjunction((found, negation(equal(self._depth(proc), Number(0)))))
        if self.handler:
            found = TRUE
        return failure(found, Check.NO_SLEEP_IN_ATOMIC, f"{what} may sleep in atomic context")

    def _depth(self, proc: Proc) -> Cell:
        return proc.cell(proc.depth, proc.me)

    def _irq(self, at: At, disable: bool, span: Span, go_on: Callable[..., Tree]) -> Tree:
        proc = self.proc
        depth = self._depth(proc)
        text = "interrupts are enabled, but were not disabled"
        failures = () if disable else failure(equal(depth, Number(0)), Check.NO_LOCK_MISUSE, text)
        changed = arithmetic(Operator.ADD if disable else Operator.SUBTRACT, depth, Number(1))
        return self._failing(
            at, failures, span, lambda: self._assign(at, (Assignment(depth, changed),), go_on)
        )

    # -------------------------------------------------------------------------- choices

    def _choose(self, at: At, operation: Choose, span: Span, go_on: Callable[..., Tree]) -> Tree:
        target = self.body.locals[operation.target]
        if operation.domain is not None and self._is_used_up(operation.domain, at):
            return Fail(Check.NO_OUT_OF_BOUNDS, "the export unfolded this loop too few times", span)
        key = (at.node, at.times(at.node))
        if key not in self.chosen:
            name = f"any_{target.name}" if target.name and not target.hidden else _any_name(operation.sort)
            self.chosen[key] = symbols_for(self.world, name, operation.sort)
            self.symbols += self.chosen[key]
        symbols = self.chosen[key]
        scope = self._reading(at)
        given, inside, failures = member_test(operation.sort, operation.domain, symbols, scope)
        value = converted(self.world, Result(given), operation.sort, target.sort)

        def where(written: Written) -> Tree:
            if operation.where is None:
                return go_on(written)
            later = replace(at, written=written)
            known = replace(scope, assigned=scope.assigned | {operation.target})
            found = truth_of(operation.where, known)
            return self._failing(
                later,
                found.failures,
                span,
                lambda: self._test(later, found.one, lambda: go_on(written), Empty),
            )

        assigned = self._local_assignments(operation.target, value.parts)
        return self._failing(
            at,
            failures,
            span,
            lambda: self._test(at, inside, lambda: self._assign(at, assigned, where), Empty),
        )

    def _is_used_up(self, domain: Expr, at: At) -> bool:
        """Whether so many members were taken out of a set that there can be none left.

        A loop over a set takes each member out of it, once.  Should it be otherwise, the text says so when it runs.
        """
        left = resolved(value_of(domain, self._scope(at)).one, at.written, self.start)
        taken = 0
        while isinstance(left, Apply) and left.operator is Operator.WITHOUT:
            taken, left = taken + 1, left.arguments[0]
        sort = sort_of(domain)
        assert isinstance(sort, SetSort)
        held = left.mask.bit_count() if isinstance(left, Members) else set_size(sort.element)
        return taken > 0 and taken >= held

    # -------------------------------------------------------------------------- objects

    def _allocate(self, at: At, operation: Allocate, span: Span, go_on: Callable[..., Tree]) -> Tree:
        world = self.world
        pool = world.program.pools[operation.pool]
        mask = world.variable_cells(pool.allocated, ())[0]
        key = (at.node, at.times(at.node))
        if key not in self.chosen:
            symbol = Symbol(world.names.take(f"any_{pool.name}"), Kind.INT, 0, pool.size - 1)
            self.chosen[key] = (symbol,)
            self.symbols.append(symbol)
        (chosen,) = self.chosen[key]
        full = equal(mask, Members((1 << pool.size) - 1, pool.size))
        now = [Assignment(mask, with_member(mask, chosen))]
        if operation.zeroed:
            for number in pool.fields:
                if number not in world.program.seq_homes:
                    now += self._defaults(number, chosen)
        now += self._local_assignments(operation.target, (chosen,))

        def none_left() -> Tree:
            if not operation.or_null:
                return Fail(Check.NO_OUT_OF_BOUNDS, f"{pool.name} = {pool.size} was too small", span)
            null = self._local_assignments(operation.target, (world.shapes.nothing("NULL"),))
            return self._assign(at, null, go_on)

        return self._test(
            at,
            full,
            none_left,
            lambda: self._test(at, has(mask, chosen), Empty, lambda: self._assign(at, tuple(now), go_on)),
        )

    def _defaults(self, number: int, chosen: Scalar) -> list[Assignment]:
        stored = self.world.stored[number]
        rest = stored.sizes[1:]
        total = 1
        for size in rest:
            total *= size
        return [
            Assignment(cell, part)
            for element in range(total)
            for cell, part in zip(
                self.world.variable_cells(number, (chosen, *spread(Number(element), stored.dimensions[1:]))),
                stored.initial,
                strict=True,
            )
        ]

    def _free(self, at: At, operation: Free, span: Span, go_on: Callable[..., Tree]) -> Tree:
        world = self.world
        pool = world.program.pools[operation.pool]
        pointer = value_of(operation.pointer, self._scope(at))
        freed, failures = pointer.parts[0], pointer.failures
        null = equal(freed, world.shapes.nothing("NULL"))
        stale = negation(arithmetic(Operator.LESS, freed, Number(pool.size)))
        failures += failure(null, Check.NO_USE_AFTER_FREE, "NULL is freed")
        failures += failure(stale, Check.NO_USE_AFTER_FREE, f"a {pool.name} that was freed is freed again")
        mask = world.variable_cells(pool.allocated, ())[0]
        now = [Assignment(mask, without_member(mask, freed))]
        for cell, sort in self._pointers():
            value = staled(world.shapes, cell, sort, pool.name, freed)
            now += [Assignment(cell, value)] if value != cell else []
        return self._failing(at, failures, span, lambda: self._assign(at, tuple(now), go_on))

    def _pointers(self) -> list[tuple[Cell, Pointer]]:
        """Every cell of every thread and variable that is a pointer."""
        world = self.world
        found: list[tuple[Cell, Pointer]] = []

        def note(cells: tuple[Cell, ...], sort: Sort) -> None:
            found.extend((cells[at], pointer) for at, pointer in pointers_in(world.shapes, sort))

        for number, variable in enumerate(world.program.variables):
            for element in range(world.shapes.element_count(number)):
                where = spread(Number(element), variable.dimensions)
                note(world.variable_cells(number, where), variable.sort)
        for proc in world.procs:
            for instance in range(proc.size):
                for code in proc.codes():
                    for local, declared in enumerate(code.body.locals):
                        note(world.local_cells(proc, code, Number(instance), local), declared.sort)
        return found


def steps_of(world: World, proc: Proc, code: Code) -> list[Step]:
    """The steps that begin at each location of a body which a thread can be at; a handler's entry is one of them."""
    scope = Scope(world, proc, code)
    assigned = surely_assigned(code.body)
    found: list[Step] = []
    waiting, seen = [0], {0}
    while waiting:
        node = waiting.pop(0)
        if isinstance(code.body.nodes[node].operation, End):
            continue
        unfolding = Unfolding(world, proc, code, scope, assigned)
        tree = unfolding.walk(At(node, {}))
        entry = bool(code.idle) and node == 0
        found.append(Step(code.locations[node], tuple(unfolding.symbols), tree, entry))
        places = {name: number for number, name in code.locations.items()}
        for assignment in assignments_in(tree):
            value = assignment.value
            if isinstance(value, Location) and value.name in places and places[value.name] not in seen:
                seen.add(places[value.name])
                waiting.append(places[value.name])
    return found


def init_of(world: World) -> Step | None:
    """The step that makes the initial states, in terms of nothing but its symbols; None: the defaults are the one."""
    body = world.program.init
    if body is None:
        return None
    proc, code = init_proc(world, body)
    initial: dict[tuple[str, str], Scalar] = {
        (stored.name, part.name): value
        for stored in world.stored
        for part, value in zip(stored.fields, stored.initial, strict=True)
    }

    def start(cell: Cell) -> Scalar:
        return initial.get((cell.variable, cell.path), Unset(cell.kind))

    unfolding = Unfolding(world, proc, code, Scope(world, proc, code), surely_assigned(body), start)
    tree = unfolding.walk(At(0, {}, group=-1))
    return Step(proc.name, tuple(unfolding.symbols), tree)


def _as_kind(cell: Cell, part: Scalar) -> Scalar:
    if isinstance(part, Unset):
        return part
    return as_truth(part) if cell.kind is Kind.BOOL else as_number(part) if cell.kind is Kind.INT else part


def _any_name(sort: Sort) -> str:
    return f"any_{sort_name(sort)}"


def _plain(tree: Tree) -> Tree:
    """The tree without its notes at the top."""
    while isinstance(tree, Note):
        tree = tree.then
    return tree
