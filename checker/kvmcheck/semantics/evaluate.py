# SPDX-License-Identifier: GPL-2.0-only
"""THE meaning of a program: docs/development/semantics.md as code, clear before fast.

`Evaluator` gives the initial states, every way each thread can go on from a state, and whether a property holds.
Whatever another engine claims is believed only after it was replayed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import assert_never

from kvmcheck.semantics.expressions import (
    Broken,
    Scope,
    domain_of,
    element_index,
    integer,
    is_true,
    items,
    lock_holds,
    resolve,
    sort_of,
    value_of,
)
from kvmcheck.semantics.liveness import Liveness, is_stop
from kvmcheck.semantics.numbering import SeqNumbering, element_count
from kvmcheck.semantics.outcome import Access, Ending, LockEdge, Outcome
from kvmcheck.semantics.pointers import staled
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
    Operation,
    Order,
    Pause,
    Process,
    Program,
    Property,
    Release,
    Set,
    Skip,
    Store,
    Update,
    VariableKind,
)
from kvmcheck.semantics.sorts import UNSET, LockFlavour, LockSort, Value
from kvmcheck.semantics.state import State, ThreadState
from kvmcheck.semantics.witness import Violation
from kvmcheck.source.text import Span

#: A step of more operations than this never ends (a cycle without a visible operation): it is cut short, UNKNOWN.
LONGEST_STEP = 10_000


@dataclass(slots=True)
class Path:
    """A run of one thread under way.  `values`, `threads` are of the state so far; `locals` of the running body."""

    node: int
    values: list[tuple[Value, ...]]
    threads: list[ThreadState]
    locals: list[Value]
    irq_depth: int
    done: bool = False
    group: int | None = None
    visible: int | None = None
    nodes: tuple[int, ...] = ()
    accesses: tuple[Access, ...] = ()
    edges: tuple[LockEdge, ...] = ()
    covers: tuple[str, ...] = ()
    empty: tuple[int, ...] = ()
    named: tuple[tuple[int, Value], ...] = ()
    chosen: tuple[tuple[int, Value], ...] = ()
    footprint: dict[tuple[int, int], bool] = field(default_factory=dict)

    def fork(self) -> Path:
        """A copy that can go another way."""
        return replace(
            self,
            values=list(self.values),
            threads=list(self.threads),
            locals=list(self.locals),
            footprint=dict(self.footprint),
        )

    def touch(self, variable: int, element: int, *, write: bool) -> None:
        """Note that the step depends on an element, or (`write`) that others may depend on the step there."""
        self.footprint[variable, element] = write or self.footprint.get((variable, element), False)


@dataclass(frozen=True, slots=True)
class Runner:
    """Who runs: a thread's main body or its handler; the `init` body has no thread."""

    thread: int | None
    handler: bool
    body: Body
    process: Process | None

    @property
    def exempt(self) -> bool:
        """Whether guards and races are none of its business."""
        return self.process is None or self.process.hardware


class Evaluator:
    """The meaning of one program.  `dead_locals`: whether locals that nobody reads any more are cleared."""

    def __init__(self, program: Program, *, dead_locals: bool = True) -> None:
        self.program = program
        self.dead_locals = dead_locals
        self.numbering = SeqNumbering(program)
        bodies = [process.body for process in program.processes]
        bodies += [process.interrupt for process in program.processes if process.interrupt is not None]
        self._kept = {id(body): Liveness(body).kept for body in bodies}

    # -------------------------------------------------------------------------- states

    def initial_states(self) -> Iterator[Outcome]:
        """Each way through `init` (thread 0 stands in for nobody); DONE ones are the initial states, with repeats."""
        values = [self._initial_values(number) for number in range(len(self.program.variables))]
        threads = tuple(
            ThreadState(0, self._no_locals(self.program.processes[thread.process].body), None, (), 0)
            for thread in self.program.threads
        )
        start = State(tuple(values), threads)
        if self.program.init is None:
            yield Outcome(0, False, Ending.DONE, (), 0, start)
            return
        runner = Runner(None, False, self.program.init, None)
        yield from self._run(start, runner, 0, self._no_locals(runner.body), group=-1)

    def _initial_values(self, number: int) -> tuple[Value, ...]:
        variable = self.program.variables[number]
        home = self.numbering.first_home.get(number)
        return tuple(
            self.numbering.initial(variable.sort, variable.initial, None if home is None else home + element)
            for element in range(element_count(variable))
        )

    def _no_locals(self, body: Body) -> tuple[Value, ...]:
        return (UNSET,) * len(body.locals)

    def steps(self, state: State) -> Iterator[Outcome]:
        """Every step of every thread: those with a successor, and those that end in a violation."""
        for thread in range(len(self.program.threads)):
            for outcome in self.ways(state, thread):
                if outcome.is_step:
                    yield outcome

    def ways(self, state: State, thread: int) -> Iterator[Outcome]:
        """Every way that a thread tries to go on, the blocked and the empty ones too; none if it has ended."""
        process = self.program.processes[self.program.threads[thread].process]
        own = state.threads[thread]
        if own.handler_pc is not None:
            assert process.interrupt is not None
            runner = Runner(thread, True, process.interrupt, process)
            yield from self._run(state, runner, own.handler_pc, own.handler_locals)
            return
        if self.has_ended(state, thread):
            return
        yield from self._run(state, Runner(thread, False, process.body, process), own.pc, own.locals)
        if process.interrupt is not None and own.irq_depth == 0:
            runner = Runner(thread, True, process.interrupt, process)
            yield from self._run(state, runner, 0, self._no_locals(process.interrupt))

    def has_ended(self, state: State, thread: int) -> bool:
        """Whether a thread's main body is at its end."""
        body = self.program.processes[self.program.threads[thread].process].body
        return isinstance(body.nodes[state.threads[thread].pc].operation, End)

    def is_deadlock(self, state: State) -> bool:
        """Whether someone who should end waits, and nobody but hardware can step (semantics.md, 7)."""
        someone_waits = False
        for thread, instance in enumerate(self.program.threads):
            process = self.program.processes[instance.process]
            if process.hardware:
                continue
            for outcome in self.ways(state, thread):
                if outcome.is_step:
                    return False
                entry = outcome.handler and state.threads[thread].handler_pc is None
                if outcome.ending is Ending.BLOCKED and not process.daemon and not entry:
                    someone_waits = True
        return someone_waits

    # -------------------------------------------------------------------------- properties

    def scope(self, state: State, *, actor: int | None = None, before: State | None = None) -> Scope:
        """What a property may refer to."""
        return Scope(
            self.program,
            self.numbering,
            state.values,
            state.threads,
            thread=actor,
            before=None if before is None else self.scope(before, actor=actor),
        )

    def broken_by(self, claim: Property, before: State | None, after: State, actor: int | None) -> str | None:
        """What is wrong with a property in a state (or step), in words; None if it holds there."""
        try:
            if is_true(claim.condition, self.scope(after, actor=actor, before=before)):
                return None
        except Broken as broken:
            return f"`{claim.name}` can't be evaluated: {broken.text}"
        return f"`{claim.name}` does not hold"

    def condition_met(self, condition: Expr, before: State | None, after: State, actor: int | None) -> bool:
        """Whether a probe's or cover's condition is true; one that can't be evaluated is not."""
        try:
            return is_true(condition, self.scope(after, actor=actor, before=before))
        except Broken:
            return False

    # -------------------------------------------------------------------------- one step

    def _run(
        self,
        state: State,
        runner: Runner,
        pc: int,
        locals_: tuple[Value, ...],
        *,
        group: int | None = None,
    ) -> Iterator[Outcome]:
        depth = 0 if runner.thread is None else state.threads[runner.thread].irq_depth
        waiting = [Path(pc, list(state.values), list(state.threads), list(locals_), depth, group=group)]
        while waiting:
            path = waiting.pop()
            try:
                further = self._advance(path, runner)
            except Broken as broken:
                yield self._outcome(path, runner, Ending.BROKEN, broken)
                continue
            if isinstance(further, Ending):
                yield self._outcome(path, runner, further)
            else:
                waiting.extend(reversed(further))

    def _advance(self, path: Path, runner: Runner) -> list[Path] | Ending:
        """The path, one operation on, in each way that this can go; or how it ends here."""
        node = runner.body.nodes[path.node]
        operation = node.operation
        if path.group is not None and path.group != -1 and node.group != path.group:
            path.group = None
        if isinstance(operation, End):
            if runner.thread is not None and not runner.handler:
                self._ends_without_locks(path, runner.thread, node.span)
            return Ending.DONE
        if path.done and path.group is None and is_stop(operation):
            return Ending.DONE
        path.nodes = (*path.nodes, path.node)
        if len(path.nodes) > LONGEST_STEP:
            raise Broken(
                Check.NO_OUT_OF_BOUNDS,
                "a step that never ends: a loop without an access",
                node.span,
                overflow=True,
            )
        outside = path.group is None
        further = self._perform(operation, path, runner, node.span)
        if isinstance(further, Ending):
            return further
        successor = node.successors[0]
        if isinstance(operation, Branch):
            successor = node.successors[0 if self._true(operation.condition, path, runner, node.span) else 1]
        for way in further:
            if isinstance(operation, VISIBLE) and outside:
                way.done = True
                way.visible = path.node
            way.node = successor
        return further

    def _perform(self, operation: Operation, path: Path, runner: Runner, span: Span) -> list[Path] | Ending:
        """What the operation does to the path, in each way; or that it ends the run."""
        me = runner.thread
        match operation:
            case Load(target=target, place=place, order=order):
                number, indices = resolve(place, self._scope(path, runner, span))
                self._accessed(path, runner, (number, indices), write=False, order=order, span=span)
                path.locals[target] = path.values[number][self._element(number, indices)]
            case Store(place=place, value=value, order=order):
                scope = self._scope(path, runner, span)
                number, indices = resolve(place, scope)
                stored = value_of(value, scope)
                self._accessed(path, runner, (number, indices), write=True, order=order, span=span)
                self._store(path, number, indices, stored, span)
            case Update(place=place, new=new, target=target, result=result, order=order):
                scope = self._scope(path, runner, span)
                number, indices = resolve(place, scope)
                self._accessed(path, runner, (number, indices), write=True, order=order, span=span)
                scope = replace(scope, old_value=path.values[number][self._element(number, indices)])
                stored = value_of(new, scope)
                told = None if result is None else value_of(result, scope)
                self._store(path, number, indices, stored, span)
                if target is not None:
                    path.locals[target] = told
            case Acquire():
                return self._acquire(path, runner, operation, span)
            case Release(lock=lock, shared=shared, flavour=flavour):
                number, indices = resolve(lock, self._scope(path, runner, span))
                held = path.values[number][self._element(number, indices)]
                if not lock_holds(held, HeldMode.READ if shared else HeldMode.WRITE, me):
                    how = " for reading" if shared else ""
                    raise Broken(
                        Check.NO_LOCK_MISUSE,
                        f"`{self.program.variables[number].name}` is released, but not held{how}",
                        span,
                    )
                assert me is not None
                freed: Value = None
                if flavour.shared:
                    writer, readers = items(held)
                    freed = (writer, integer(readers) & ~(1 << me)) if shared else (None, readers)
                self._put(path, number, indices, freed)
            case Await(condition=condition):
                if not self._true(condition, path, runner, span, reads=True):
                    return Ending.BLOCKED
            case AtomicEnter(group=group):
                if path.group != -1:  # all of `init` is one step, and an atomic block in it does not end that
                    path.group = group
            case Allocate():
                return self._allocate(path, operation, span)
            case Free(pointer=pointer, pool=pool):
                self._free(path, runner, value_of(pointer, self._scope(path, runner, span)), pool, span)
            case Irq(disable=disable):
                if not disable and path.irq_depth == 0:
                    raise Broken(Check.NO_LOCK_MISUSE, "interrupts are enabled, but were not disabled", span)
                path.irq_depth += 1 if disable else -1
            case Choose():
                return self._choose(path, runner, operation, span)
            case Set(target=target, value=value):
                stored = UNSET if value is None else value_of(value, self._scope(path, runner, span))
                path.locals[target] = stored
                if runner.body.nodes[path.node].labels:
                    path.named = (*path.named, (path.node, stored))
            case Assertion(condition=condition, check=check, text=text):
                if not self._true(condition, path, runner, span):
                    raise Broken(check, text, span)
            case Assume(condition=condition):
                if not self._true(condition, path, runner, span):
                    return Ending.EMPTY
            case GhostStore(place=place, value=value):
                scope = self._scope(path, runner, span)
                number, indices = resolve(place, scope)
                self._store(path, number, indices, value_of(value, scope), span)
            case CoverHere(name=name):
                path.covers = (*path.covers, name)
            case MightSleep():
                self._may_sleep(path, runner, "might_sleep()", span)
            case Branch() | Pause() | Fence() | Skip() | End():
                pass
            case _:
                assert_never(operation)
        return [path]

    # -------------------------------------------------------------------------- the parts

    def _scope(self, path: Path, runner: Runner, span: Span) -> Scope:
        parameters = () if runner.thread is None else self.program.threads[runner.thread].parameters

        def note(number: int, indices: tuple[int, ...]) -> None:
            path.touch(number, self._element(number, indices), write=False)

        return Scope(
            self.program,
            self.numbering,
            tuple(path.values),
            tuple(path.threads),
            path.locals,
            runner.body,
            parameters,
            runner.thread,
            on_read=note,
            span=span,
        )

    def _true(self, condition: Expr, path: Path, runner: Runner, span: Span, *, reads: bool = False) -> bool:
        """Whether a condition holds; `reads`: what it reads are accesses, marked ones."""
        scope = self._scope(path, runner, span)
        if reads:

            def note(number: int, indices: tuple[int, ...]) -> None:
                self._accessed(path, runner, (number, indices), write=False, order=Order.ONCE, span=span)

            scope = replace(scope, on_read=note)
        return is_true(condition, scope)

    def _element(self, number: int, indices: tuple[int, ...]) -> int:
        return element_index(self.program.variables[number].dimensions, indices)

    def _put(self, path: Path, number: int, indices: tuple[int, ...], value: Value) -> None:
        element = self._element(number, indices)
        old = path.values[number]
        path.values[number] = (*old[:element], value, *old[element + 1 :])
        path.touch(number, element, write=True)

    def _store(self, path: Path, number: int, indices: tuple[int, ...], value: Value, span: Span) -> None:
        """Store; a home takes nothing but the successor of what it holds."""
        if number in self.numbering.first_home:
            variable = self.program.variables[number]
            held = integer(path.values[number][self._element(number, indices)])
            if value != self.numbering.successor(variable.sort, held):
                raise Broken(
                    Check.SEQ_LOST_UPDATE,
                    f"`{variable.name}` is stored from a copy that is no longer its newest value: an increment is lost",
                    span,
                )
        self._put(path, number, indices, value)

    def _accessed(
        self,
        path: Path,
        runner: Runner,
        place: tuple[int, tuple[int, ...]],
        *,
        write: bool,
        order: Order,
        span: Span,
    ) -> None:
        """Note an access for races, after its guard was checked."""
        number, indices = place
        variable = self.program.variables[number]
        path.touch(number, self._element(number, indices), write=write)
        if variable.pool is not None:  # a freed object is not there any more
            path.touch(self.program.pools[variable.pool].allocated, 0, write=False)
        marked = order.marked or path.group is not None
        if runner.exempt or runner.thread is None:
            return
        rule = variable.guard
        if rule is not None:
            needed = rule.write if write else rule.read
            strict = write or rule.strict
            wanted = strict or (not marked and Check.NO_DATA_RACE in self.program.checks)
            if wanted and not self._guarded(needed, path, runner, (rule.dimensions, indices), marked):
                verb = "written" if write else "read"
                raise Broken(
                    Check.NO_UNGUARDED_ACCESS if strict else Check.NO_DATA_RACE,
                    f"`{variable.name}` is {verb} without its guard (`{rule.text}`)"
                    + ("" if strict else " and without a mark"),
                    span,
                )
        if variable.kind is VariableKind.SHARED:
            race = order is Order.RACE
            access = Access(number, self._element(number, indices), write, marked, race, path.node)
            path.accesses = (*path.accesses, access)

    def _guarded(
        self,
        guard: Guard,
        path: Path,
        runner: Runner,
        element: tuple[tuple[str, ...], tuple[int, ...]],
        marked: bool,
    ) -> bool:
        dimensions, indices = element
        bound = {name: index for name, index in zip(dimensions, indices, strict=True) if name}
        scope = replace(self._scope(path, runner, runner.body.nodes[path.node].span), bound=bound)
        match guard:
            case GuardHeld(lock=lock, mode=mode):
                number, lock_indices = resolve(lock, scope)
                held = path.values[number][self._element(number, lock_indices)]
                return lock_holds(held, mode, runner.thread)
            case GuardMarked():
                return marked
            case GuardOwner(index=index):
                assert runner.process is not None
                value = value_of(index, scope)
                return any(
                    sort == sort_of(index) and own == value
                    for (_, sort), own in zip(runner.process.parameters, scope.parameters, strict=True)
                )
            case GuardBoth(parts=parts, every=every):
                found = (self._guarded(part, path, runner, element, marked) for part in parts)
                return all(found) if every else any(found)
            case _:
                assert_never(guard)

    def _acquire(self, path: Path, runner: Runner, operation: Acquire, span: Span) -> list[Path] | Ending:
        me = runner.thread
        assert me is not None
        number, indices = resolve(operation.lock, self._scope(path, runner, span))
        variable = self.program.variables[number]
        element = self._element(number, indices)
        held = path.values[number][element]
        path.touch(number, element, write=False)
        tries = operation.target is not None
        if not tries:
            if operation.flavour.sleeps:
                self._may_sleep(path, runner, f"taking `{variable.name}`", span)
            if lock_holds(held, HeldMode.ANY, me):
                raise Broken(
                    Check.NO_LOCK_MISUSE, f"`{variable.name}` is taken by a thread that holds it", span
                )
        mode = HeldMode.WRITE if operation.shared else HeldMode.ANY
        free = not lock_holds(held, mode, None) and not lock_holds(held, HeldMode.ANY, me)
        if operation.target is not None:
            path.locals[operation.target] = int(free)
        if not free:
            return [path] if tries else Ending.BLOCKED
        if not tries:
            path.edges += tuple(
                LockEdge(other, (number, element), path.node) for other in self._locks_held(path, me)
            )
        taken: Value = me
        if operation.flavour.shared:
            writer, readers = items(held)
            taken = (writer, integer(readers) | 1 << me) if operation.shared else (me, readers)
        self._put(path, number, indices, taken)
        return [path]

    def _locks_held(
        self, path: Path, thread: int, flavours: frozenset[LockFlavour] = frozenset(LockFlavour)
    ) -> list[tuple[int, int]]:
        return [
            (number, element)
            for number, variable in enumerate(self.program.variables)
            if isinstance(variable.sort, LockSort) and variable.sort.flavour in flavours
            for element, value in enumerate(path.values[number])
            if lock_holds(value, HeldMode.ANY, thread)
        ]

    def _ends_without_locks(self, path: Path, thread: int, span: Span) -> None:
        held = self._locks_held(path, thread)
        if held:
            name = self.program.variables[held[0][0]].name
            raise Broken(Check.NO_LOCK_MISUSE, f"the process ends holding `{name}`", span)

    def _may_sleep(self, path: Path, runner: Runner, what: str, span: Span) -> None:
        if Check.NO_SLEEP_IN_ATOMIC not in self.program.checks or runner.thread is None:
            return
        spinning = frozenset(flavour for flavour in LockFlavour if not flavour.sleeps)
        held = self._locks_held(path, runner.thread, spinning)
        if held:
            why = f"while holding `{self.program.variables[held[0][0]].name}`"
        elif path.irq_depth:
            why = "with interrupts disabled"
        elif runner.handler:
            why = "in an interrupt handler"
        else:
            return
        raise Broken(Check.NO_SLEEP_IN_ATOMIC, f"{what} may sleep {why}", span)

    def _allocate(self, path: Path, operation: Allocate, span: Span) -> list[Path]:
        pool = self.program.pools[operation.pool]
        mask = integer(path.values[pool.allocated][0])
        ways: list[Path] = []
        for number in range(pool.size):
            if mask >> number & 1:
                continue
            way = path.fork()
            way.values[pool.allocated] = (mask | 1 << number,)
            way.touch(pool.allocated, 0, write=True)
            way.chosen = (*way.chosen, (path.node, number))
            if operation.zeroed:
                for field in pool.fields:
                    self._reset(way, field, number)
            way.locals[operation.target] = number
            ways.append(way)
        if ways:
            return ways
        if not operation.or_null:
            raise Broken(
                Check.NO_OUT_OF_BOUNDS, f"{pool.name} = {pool.size} was too small", span, overflow=True
            )
        path.locals[operation.target] = None
        return [path]

    def _reset(self, path: Path, field: int, number: int) -> None:
        """The field of an object at its default; a seq's home goes on counting."""
        if field in self.numbering.first_home:
            return
        fresh = self._initial_values(field)
        each = len(fresh) // next(pool.size for pool in self.program.pools if field in pool.fields)
        first = number * each
        old = path.values[field]
        path.values[field] = (*old[:first], *fresh[first : first + each], *old[first + each :])
        for element in range(first, first + each):
            path.touch(field, element, write=True)

    def _free(self, path: Path, runner: Runner, pointer: Value, pool_number: int, span: Span) -> None:
        pool = self.program.pools[pool_number]
        if pointer is None:
            raise Broken(Check.NO_USE_AFTER_FREE, "`NULL` is freed", span)
        if integer(pointer) < 0:
            raise Broken(Check.NO_USE_AFTER_FREE, f"a {pool.name} that was freed is freed again", span)
        freed = (pool.name, integer(pointer))
        mask = integer(path.values[pool.allocated][0])
        path.values[pool.allocated] = (mask & ~(1 << freed[1]),)
        path.touch(pool.allocated, 0, write=True)
        program = self.program
        for number, variable in enumerate(program.variables):
            if number != pool.allocated:
                path.values[number] = tuple(
                    staled(variable.sort, value, freed, program.roots, program.variables)
                    for value in path.values[number]
                )
        path.locals = list(self._staled(runner.body, path.locals, freed))
        for number, thread in enumerate(path.threads):
            process = program.processes[program.threads[number].process]
            handler = process.interrupt
            path.threads[number] = replace(
                thread,
                locals=self._staled(process.body, thread.locals, freed),
                handler_locals=() if handler is None else self._staled(handler, thread.handler_locals, freed),
            )

    def _staled(
        self, body: Body, values: tuple[Value, ...] | list[Value], freed: tuple[str, int]
    ) -> tuple[Value, ...]:
        return tuple(
            staled(local.sort, value, freed, self.program.roots, self.program.variables)
            for local, value in zip(body.locals, values, strict=False)
        )

    def _choose(self, path: Path, runner: Runner, operation: Choose, span: Span) -> list[Path] | Ending:
        scope = self._scope(path, runner, span)

        def note(number: int, indices: tuple[int, ...]) -> None:
            self._accessed(path, runner, (number, indices), write=False, order=Order.ONCE, span=span)

        scope = replace(scope, on_read=note)
        ways: list[Path] = []
        for member in list(domain_of(operation.sort, operation.domain, scope)):
            way = path.fork()
            way.locals[operation.target] = member
            way.chosen = (*way.chosen, (path.node, member))
            if operation.where is None or self._true(operation.where, way, runner, span, reads=True):
                ways.append(way)
        if not ways:
            path.empty = (*path.empty, path.node)
            return Ending.EMPTY
        return ways

    # -------------------------------------------------------------------------- its end

    def _outcome(self, path: Path, runner: Runner, ending: Ending, broken: Broken | None = None) -> Outcome:
        body = runner.body
        locals_ = tuple(path.locals)
        finished = isinstance(body.nodes[path.node].operation, End) and broken is None
        if finished:
            locals_ = self._no_locals(body)
        elif ending is Ending.DONE and self.dead_locals:
            kept = self._kept[id(body)][path.node]
            locals_ = tuple(value if local in kept else UNSET for local, value in enumerate(path.locals))
        threads = path.threads
        if runner.thread is not None:
            own = threads[runner.thread]
            if runner.handler:
                own = replace(
                    own,
                    handler_pc=None if finished else path.node,
                    handler_locals=() if finished else locals_,
                    irq_depth=path.irq_depth,
                )
            else:
                own = replace(own, pc=path.node, locals=locals_, irq_depth=path.irq_depth)
            threads = list(threads)
            threads[runner.thread] = own
        after = State(tuple(path.values), tuple(threads))
        violation = None
        if broken is not None:
            span = broken.span or body.nodes[path.node].span
            violation = Violation(broken.check.value, broken.text, span, broken.overflow)
        last = path.nodes[-1] if path.nodes else path.node
        return Outcome(
            thread=0 if runner.thread is None else runner.thread,
            handler=runner.handler,
            ending=ending,
            nodes=path.nodes,
            node=last if path.visible is None else path.visible,
            after=after,
            violation=violation,
            accesses=path.accesses,
            edges=path.edges,
            covers=path.covers,
            empty=path.empty,
            named=path.named,
            chosen=path.chosen,
            footprint=tuple((*place, wrote) for place, wrote in path.footprint.items()),
        )
