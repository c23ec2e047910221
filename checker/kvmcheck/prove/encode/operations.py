# SPDX-License-Identifier: GPL-2.0-only
"""What each operation does to a run: `semantics.evaluate`'s `_perform`, for all states at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from kvmcheck.engine.races import variables_of
from kvmcheck.prove.encode.accesses import Accesses
from kvmcheck.prove.encode.cells import DEEPEST_IRQ, Cells, Part
from kvmcheck.prove.encode.circuit import FALSE, TRUE, Literal
from kvmcheck.prove.encode.expressions import Expressions
from kvmcheck.prove.encode.parts import Parts
from kvmcheck.prove.encode.path import Access, Bad, Path
from kvmcheck.prove.encode.places import Candidates
from kvmcheck.prove.encode.scene import OnRead, Scene, View
from kvmcheck.prove.encode.terms import Term
from kvmcheck.prove.encode.values import CannotCarry
from kvmcheck.prove.encode.vectors import Vector, width_of
from kvmcheck.semantics.numbering import element_count
from kvmcheck.semantics.pointers import is_seq
from kvmcheck.semantics.program import (
    Acquire,
    Allocate,
    Apply,
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
    HeldMode,
    Irq,
    Load,
    MightSleep,
    OldValue,
    Op,
    Order,
    Pause,
    Place,
    Release,
    Set,
    Skip,
    Store,
    Update,
)
from kvmcheck.semantics.sorts import IntSort, LockSort, Sort
from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class Runner:
    """Who runs: a thread, in its main body or its handler."""

    expressions: Expressions
    cells: Cells
    thread: int
    part: Part
    handler: bool


class Operations:
    """The operations of one body of one thread; `begin` before each step, then `perform` one after the other.

    `started`: where the step began; `lost`: where it comes to nothing, because it is blocked, or nothing fits a
    choice; `blocked`: the former alone; `used`: the inputs that say what is chosen.
    """

    def __init__(self, runner: Runner, racy: frozenset[int]) -> None:
        self.expressions = runner.expressions
        self.circuit = runner.expressions.circuit
        self.terms = runner.expressions.terms
        self.vectors = runner.expressions.vectors
        self.cells = runner.cells
        self.layout = runner.cells.layout
        self.program = runner.cells.coder.program
        self.thread = runner.thread
        self.handler = runner.handler
        self.body = runner.part.layout.body
        self.process = self.program.processes[self.program.threads[runner.thread].process]
        self.parts = Parts(self.circuit, runner.cells.coder)
        self.me = self.expressions.locks.thread_bits(runner.thread)
        self.parameters = tuple(
            self.terms.constant(sort, value)
            for (_, sort), value in zip(
                self.process.parameters, self.program.threads[runner.thread].parameters, strict=True
            )
        )
        self.own_locks = self._possible_locks()
        self.seq_slots = [n for n, cell in enumerate(self.cells.cells) if self.parts.has_seq(cell.sort)]
        self.pointer_slots = [
            n for n, cell in enumerate(self.cells.cells) if self.parts.has_pointer(cell.sort)
        ]
        self.homes = {slot: number for number, slot in enumerate(self.layout.homes)}
        self.inputs: dict[tuple[str, int], Literal] = {}
        #: What must be true of the inputs for a step to be one: names of new seq values are new.
        self.conditions: list[Literal] = []
        self.named: set[Literal] = set()
        self.access = Accesses(self, racy)
        self.begin(FALSE)

    def begin(self, guard: Literal) -> None:
        """A step begins."""
        self.started = guard
        self.lost: Literal = FALSE
        self.blocked: Literal = FALSE
        self.used: list[Literal] = []
        self.bads: list[Bad] = []
        self.accesses: list[Access] = []
        self.covers: list[tuple[str, Literal]] = []

    def _possible_locks(self) -> frozenset[int]:
        """The slots of the locks that this process may hold: those that it takes somewhere."""
        bodies = (self.process.body, *(() if self.process.interrupt is None else (self.process.interrupt,)))
        found: set[int] = set()
        for body in bodies:
            for node in body.nodes:
                if isinstance(node.operation, Acquire):
                    for variable in variables_of(node.operation.lock, self.program):
                        first = self.layout.first[variable]
                        found.update(range(first, first + element_count(self.program.variables[variable])))
        return frozenset(found)

    # ------------------------------------------------------------------ the run's state

    def bits(self, path: Path, slot: int) -> Vector:
        """What stands in a cell now."""
        return path.slots.get(slot, self.cells.state[slot])

    def scene(
        self,
        path: Path,
        span: Span,
        *,
        old_value: Term | None = None,
        on_read: OnRead | None = None,
    ) -> Scene:
        """What the running body may refer to now."""

        def slot(number: int) -> Vector:
            return self.bits(path, number)[: self.cells.cells[number].width]

        # Threads are looked at as they were before the step, as the evaluator does.
        around = self.cells.view(_Overlay(self, path))

        def fault(hit: Literal, check: Check, where: Span | None, overflow: bool) -> None:
            self.fault(path, hit, check, where or span, overflow=overflow)

        def local(number: int) -> tuple[Literal, Term]:
            known = path.locals.get(number)
            if known is None:
                sort = self.body.locals[number].sort
                return FALSE, Term(sort, (FALSE,) * self.cells.coder.width(sort))
            return known

        return Scene(
            View(slot, around.at, around.local),
            fault,
            span,
            local,
            self.parameters,
            self.thread,
            old_value=old_value,
            on_read=on_read,
        )

    def fault(self, path: Path, hit: Literal, check: Check, span: Span, *, overflow: bool = False) -> None:
        """A check fails where a literal is true: the run ends there."""
        literal = self.circuit.both(path.guard, hit)
        if literal != FALSE:
            self.bads.append(Bad(check, span, overflow, self.thread, self.handler, literal))
            path.guard = self.circuit.both(path.guard, hit ^ 1)

    def put(self, path: Path, slot: int, bits: Sequence[Literal], where: Literal) -> None:
        """Write a cell where a literal is true."""
        path.slots[slot] = self.vectors.mux(where, bits, self.bits(path, slot))

    def set_local(self, path: Path, target: int, term: Term, span: Span, where: Literal = TRUE) -> None:
        """Assign a local, where a literal is true."""
        sort = self.body.locals[target].sort
        kept = self.expressions.kept(term, sort, self.scene(path, span), where)
        known = path.locals.get(target)
        if where == TRUE or known is None:
            path.locals[target] = (where, kept)
        else:
            bits = self.vectors.mux(where, kept.bits, known[1].bits)
            path.locals[target] = (self.circuit.either(where, known[0]), Term(sort, bits))

    def mine(self, path: Path, slot: int) -> Literal:
        """Whether the thread holds a lock."""
        lock = Term(self.cells.cells[slot].sort, self.bits(path, slot))
        return self.expressions.locks.holds(lock, HeldMode.ANY, self.me)

    def number_input(self, path: Path, count: int) -> Vector:
        """A number below a count that is chosen in this step; may also be one that there is not."""
        bits = [self._input(f"choice{path.choices}", bit) for bit in range(width_of(count))]
        path.choices += 1
        self.used += [bit for bit in bits if bit not in self.used]
        return tuple(bits)

    # ------------------------------------------------------------------ operations

    def perform(self, number: int, path: Path, *, marked: bool) -> Literal:
        """Do an operation; the value of a branch's condition."""
        node = self.body.nodes[number]
        span = node.span
        match node.operation:
            case Load(target=target, place=place, order=order):
                scene = self.scene(path, span)
                found = self.expressions.places.resolve(place, scene, TRUE)
                self.access.made(path, found, span, write=False, order=order, marked=marked)
                if found:
                    self.set_local(
                        path, target, self.expressions.places.read(found, self.scene(path, span)), span
                    )
            case Store(place=place, value=value, order=order):
                self._store(path, place, value, span, order, marked=marked)
            case GhostStore(place=place, value=value):
                self._store(path, place, value, span, None, marked=marked)
            case Update():
                self._update(path, node.operation, span, marked=marked)
            case Acquire():
                self._acquire(path, node.operation, span)
            case Release():
                self._release(path, node.operation, span)
            case Await(condition=condition):
                scene = self.scene(path, span, on_read=self._reading(path, span, marked=marked))
                passes = self.expressions.condition(condition, scene)
                self._wait(path, passes)
            case Allocate():
                self._allocate(path, node.operation, span)
            case Free():
                self._free(path, node.operation, span)
            case Irq(disable=disable):
                self._irq(path, span, disable=disable)
            case Choose():
                self._choose(path, node.operation, span, marked=marked)
            case Set(target=target, value=None):
                path.locals.pop(target, None)
            case Set(target=target, value=value):
                assert value is not None
                self.set_local(path, target, self.expressions.term(value, self.scene(path, span)), span)
            case Branch(condition=condition):
                return self.expressions.condition(condition, self.scene(path, span))
            case Assertion(condition=condition, check=check):
                holds = self.expressions.condition(condition, self.scene(path, span))
                self.fault(path, holds ^ 1, check, span)
            case CoverHere(name=name):
                self.covers.append((name, path.guard))
            case MightSleep():
                self._may_sleep(path, span)
            case AtomicEnter() | Pause() | Fence() | Skip() | End():
                pass
            case Assume():
                raise CannotCarry("`assume` in a process", span)
            case _:
                assert_never(node.operation)
        return TRUE

    def _reading(self, path: Path, span: Span, *, marked: bool) -> OnRead:
        def note(variable: int, element: int, where: Literal) -> None:
            found: Candidates = [(variable, element, where)]
            self.access.made(path, found, span, write=False, order=Order.ONCE, marked=marked)

        return note

    def _wait(self, path: Path, passes: Literal) -> None:
        blocked = self.circuit.both(path.guard, passes ^ 1)
        self.blocked = self.circuit.either(self.blocked, blocked)
        self.lost = self.circuit.either(self.lost, blocked)
        path.guard = self.circuit.both(path.guard, passes)

    # ------------------------------------------------------------------ stores

    def _store(
        self, path: Path, place: Place, value: Expr, span: Span, order: Order | None, *, marked: bool
    ) -> None:
        expressions = self.expressions
        scene = self.scene(path, span)
        found = expressions.places.resolve(place, scene, TRUE)
        if not found:
            return
        if self.layout.first[found[0][0]] + found[0][1] in self.homes:
            following = isinstance(value, Apply) and value.op is Op.NEXT
            copy = (
                expressions.term(value.arguments[0], scene)
                if isinstance(value, Apply) and following
                else None
            )
            if not following:
                expressions.term(value, scene)
            if order is not None:
                self.access.made(path, found, span, write=True, order=order, marked=marked)
            self._advance_homes(path, found, copy, span)
            return
        stored = expressions.term(value, scene)
        if order is not None:
            self.access.made(path, found, span, write=True, order=order, marked=marked)
        self._write(path, found, stored, span)

    def _write(self, path: Path, found: Candidates, stored: Term, span: Span) -> None:
        if not found:
            return
        kept = self.expressions.kept(
            stored, self.program.variables[found[0][0]].sort, self.scene(path, span), TRUE
        )
        for variable, element, where in found:
            self.put(path, self.layout.first[variable] + element, kept.bits, where)

    def _advance_homes(self, path: Path, found: Candidates, copy: Term | None, span: Span) -> None:
        """Store into a home: only the successor of what it holds; None: something else."""
        circuit = self.circuit
        newest = FALSE
        if copy is not None:
            for variable, element, where in found:
                slot = self.layout.first[variable] + element
                held = Term(copy.sort, self.bits(path, slot))
                same, other = self.terms.equal(copy, held)
                newest = circuit.either(newest, circuit.every((where, same, other ^ 1)))
        self.fault(path, newest ^ 1, Check.SEQ_LOST_UPDATE, span)
        for variable, element, where in found:
            self._increment(path, self.layout.first[variable] + element, where)

    def _increment(self, path: Path, slot: int, where: Literal) -> None:
        """A home counts up, where a literal is true: no copy is its newest value any more."""
        home, marks = self.homes[slot], self.cells.coder.seq
        if not marks.compared:
            change = self.parts.outdated(home, where)
            for other in self.seq_slots:
                if other not in self.homes:
                    cell, bits = self.cells.cells[other], self.bits(path, other)
                    value = self.parts.changed(cell.sort, bits[: cell.width], change)
                    path.slots[other] = (*value, *bits[cell.width :])
            for local, (held, term) in path.locals.items():
                if self.parts.has_seq(term.sort):
                    path.locals[local] = (
                        held,
                        Term(term.sort, self.parts.changed(term.sort, term.bits, change)),
                    )
            return
        name = self._new_name(path)
        taken = self.circuit.both(path.guard, where)
        for bits in self._names(path):
            self.conditions.append(self.circuit.both(taken, self.vectors.equal(bits, name)) ^ 1)
        old = self.bits(path, slot)
        self.put(path, slot, (*old[: marks.home], *name), where)

    def _new_name(self, path: Path) -> Vector:
        """The inputs that name a new value of a seq."""
        bits: list[Literal] = []
        for bit in range(self.cells.coder.seq.mark):
            bits.append(self._input(f"name{path.names}", bit))
        path.names += 1
        self.named.update(bits)
        return tuple(bits)

    def _input(self, name: str, bit: int) -> Literal:
        key = (name, bit)
        if key not in self.inputs:
            where = f"t{self.thread}{'h' if self.handler else ''}"
            self.inputs[key] = self.circuit.input(f"{where}.{name}.{bit}")
        return self.inputs[key]

    def _names(self, path: Path) -> list[Vector]:
        """The names of all seqs that anything holds now."""
        found: list[Vector] = []
        width = self.cells.coder.seq.home

        def note(sort: Sort, bits: Vector) -> Vector:
            if is_seq(sort):
                found.append(bits[width:])
            return bits

        for slot in self.seq_slots:
            cell = self.cells.cells[slot]
            self.parts.changed(cell.sort, self.bits(path, slot)[: cell.width], note)
        for _, term in path.locals.values():
            if self.parts.has_seq(term.sort):
                self.parts.changed(term.sort, term.bits, note)
        return found

    def _update(self, path: Path, operation: Update, span: Span, *, marked: bool) -> None:
        expressions = self.expressions
        found = expressions.places.resolve(operation.place, self.scene(path, span), TRUE)
        self.access.made(path, found, span, write=True, order=operation.order, marked=marked)
        if not found:
            return
        old = expressions.places.read(found, self.scene(path, span))
        scene = self.scene(path, span, old_value=old)
        if self.layout.first[found[0][0]] + found[0][1] in self.homes:
            self._update_home(path, operation, found, old, span)
            return
        stored = expressions.term(operation.new, scene)
        told = None if operation.result is None else expressions.term(operation.result, scene)
        self._write(path, found, stored, span)
        if operation.target is not None:
            assert told is not None
            self.set_local(path, operation.target, told, span)

    def _update_home(self, path: Path, operation: Update, found: Candidates, old: Term, span: Span) -> None:
        match operation.new:
            case Apply(op=Op.NEXT, arguments=(OldValue(),)):
                pass
            case _:
                raise CannotCarry("an update of a seq that is no increment", span)
        if operation.target is not None:
            match operation.result:
                case OldValue():
                    # The old value is in hand while the home counts up, like any other copy.
                    self.set_local(path, operation.target, old, span)
                case _:
                    raise CannotCarry("an update of a seq that tells something else than the old value", span)
        for variable, element, where in found:
            self._increment(path, self.layout.first[variable] + element, where)

    # ------------------------------------------------------------------ locks

    def _acquire(self, path: Path, operation: Acquire, span: Span) -> None:
        expressions, circuit = self.expressions, self.circuit
        found = expressions.places.resolve(operation.lock, self.scene(path, span), TRUE)
        if not found:
            return
        lock = expressions.places.read(found, self.scene(path, span))
        tries = operation.target is not None
        mine = expressions.locks.holds(lock, HeldMode.ANY, self.me)
        if not tries:
            if operation.flavour.sleeps:
                self._may_sleep(path, span)
            self.fault(path, mine, Check.NO_LOCK_MISUSE, span)
        mode = HeldMode.WRITE if operation.shared else HeldMode.ANY
        taken = expressions.locks.holds(lock, mode, None)
        free = circuit.both(taken ^ 1, mine ^ 1)
        if operation.target is not None:
            self.set_local(path, operation.target, Term(IntSort(0, 1), (free,)), span)
        else:
            self._wait(path, free)
        width = expressions.locks.owner_width
        owner = tuple(TRUE if self.thread >> bit & 1 else FALSE for bit in range(width))
        if operation.shared:
            readers = list(lock.bits[1 + width :])
            readers[self.thread] = TRUE
            new: Vector = (*lock.bits[: 1 + width], *readers)
        else:
            new = (TRUE, *owner, *lock.bits[1 + width :])
        for variable, element, where in found:
            here = circuit.both(where, free) if tries else where
            self.put(path, self.layout.first[variable] + element, new, here)

    def _release(self, path: Path, operation: Release, span: Span) -> None:
        expressions = self.expressions
        found = expressions.places.resolve(operation.lock, self.scene(path, span), TRUE)
        if not found:
            return
        lock = expressions.places.read(found, self.scene(path, span))
        mode = HeldMode.READ if operation.shared else HeldMode.WRITE
        self.fault(path, expressions.locks.holds(lock, mode, self.me) ^ 1, Check.NO_LOCK_MISUSE, span)
        width = expressions.locks.owner_width
        if operation.flavour.shared and operation.shared:
            readers = list(lock.bits[1 + width :])
            readers[self.thread] = FALSE
            new: Vector = (*lock.bits[: 1 + width], *readers)
        else:
            new = (*((FALSE,) * (1 + width)), *lock.bits[1 + width :])
        for variable, element, where in found:
            self.put(path, self.layout.first[variable] + element, new, where)

    def _may_sleep(self, path: Path, span: Span) -> None:
        if Check.NO_SLEEP_IN_ATOMIC not in self.program.checks:
            return
        circuit = self.circuit
        atomic = TRUE if self.handler else FALSE
        for slot in self.own_locks:
            sort = self.cells.cells[slot].sort
            if isinstance(sort, LockSort) and not sort.flavour.sleeps:
                atomic = circuit.either(atomic, self.mine(path, slot))
        irq = self.irq_slot()
        if irq is not None:
            atomic = circuit.either(atomic, circuit.some(self.bits(path, irq)))
        self.fault(path, atomic, Check.NO_SLEEP_IN_ATOMIC, span)

    def irq_slot(self) -> int | None:
        """Where the thread's irq depth is kept, if it is."""
        process = self.program.threads[self.thread].process
        offset = self.layout.processes[process].irq
        return None if offset is None else self.layout.base[self.thread] + offset

    def _irq(self, path: Path, span: Span, *, disable: bool) -> None:
        slot = self.irq_slot()
        assert slot is not None
        depth = Term(IntSort(0, DEEPEST_IRQ), self.bits(path, slot))
        if not disable:
            self.fault(path, self.terms.is_value(depth, 0), Check.NO_LOCK_MISUSE, span)
        step = 1 if disable else -1
        new = self.terms.sum_of(depth, self.terms.constant(IntSort(step, step), step))
        kept = self.expressions.kept(new, depth.sort, self.scene(path, span), TRUE)
        self.put(path, slot, kept.bits, TRUE)

    # ------------------------------------------------------------------ choices and objects

    def _choose(self, path: Path, operation: Choose, span: Span, *, marked: bool) -> None:
        circuit, expressions = self.circuit, self.expressions
        reading = self.scene(path, span, on_read=self._reading(path, span, marked=marked))
        members = list(expressions.domain(operation.sort, operation.domain, reading, TRUE))
        target = operation.target
        before = path.locals.get(target)
        fits: list[Literal] = []
        for member, here in members:
            if operation.where is not None and here != FALSE:
                # Each candidate is looked at, whichever is taken: what goes wrong with one goes wrong.
                self.set_local(path, target, member, span)
                scene = self.scene(path, span, on_read=self._reading_if(path, span, here, marked=marked))
                here = circuit.both(here, expressions.condition(operation.where, scene, here))
            fits.append(here)
        if before is None:
            path.locals.pop(target, None)
        else:
            path.locals[target] = before
        chosen = self.number_input(path, len(members))
        taken = [circuit.both(here, self.vectors.is_number(chosen, nth)) for nth, here in enumerate(fits)]
        valid = circuit.some(taken)
        self.lost = circuit.either(self.lost, circuit.both(path.guard, valid ^ 1))
        path.guard = circuit.both(path.guard, valid)
        if path.guard == FALSE:
            return
        sort = self.body.locals[target].sort
        bits: Vector = (FALSE,) * self.cells.coder.width(sort)
        for (member, _), here in zip(members, taken, strict=True):
            bits = self.vectors.mux(here, self.terms.fitted(member, sort)[0], bits)
        path.locals[target] = (TRUE, Term(sort, bits))

    def _reading_if(self, path: Path, span: Span, here: Literal, *, marked: bool) -> OnRead:
        note = self._reading(path, span, marked=marked)

        def noted(variable: int, element: int, where: Literal) -> None:
            note(variable, element, self.circuit.both(here, where))

        return noted

    def _allocate(self, path: Path, operation: Allocate, span: Span) -> None:
        circuit = self.circuit
        pool = self.program.pools[operation.pool]
        mask_slot = self.layout.first[pool.allocated]
        mask = self.bits(path, mask_slot)
        full = circuit.every(mask)
        if not operation.or_null:
            self.fault(path, full, Check.NO_OUT_OF_BOUNDS, span, overflow=True)
        chosen = self.number_input(path, pool.size)
        taken = [
            circuit.both(mask[number] ^ 1, self.vectors.is_number(chosen, number))
            for number in range(pool.size)
        ]
        valid = circuit.either(circuit.some(taken), full)
        self.lost = circuit.either(self.lost, circuit.both(path.guard, valid ^ 1))
        path.guard = circuit.both(path.guard, valid)
        if path.guard == FALSE:
            return
        self.put(path, mask_slot, [circuit.either(a, b) for a, b in zip(mask, taken, strict=True)], TRUE)
        if operation.zeroed:
            for field in pool.fields:
                self._reset(path, field, pool.size, taken, span)
        stale = (FALSE,) if self.cells.coder.frees else ()
        bits: Vector = (full ^ 1, *stale, *(circuit.both(bit, full ^ 1) for bit in chosen))
        sort = self.body.locals[operation.target].sort
        path.locals[operation.target] = (TRUE, Term(sort, bits))

    def _reset(self, path: Path, field: int, size: int, taken: list[Literal], span: Span) -> None:
        """The field of a new object at its default; a seq's home goes on counting."""
        if field in self.layout.numbering.first_home:
            return
        variable = self.program.variables[field]
        each = element_count(variable) // size
        if is_seq(variable.sort) and self.layout.zero is not None:
            fresh: Vector = self.bits(path, self.layout.zero)
        elif self.parts.has_seq(variable.sort) and self.layout.zero is not None:
            raise CannotCarry("an object that is zeroed with seqs inside its words", span)
        else:
            initial = self.layout.numbering.initial(variable.sort, variable.initial)
            code = self.cells.coder.encode(variable.sort, initial)
            fresh = tuple(TRUE if bit else FALSE for bit in code)
        for number, here in enumerate(taken):
            for nth in range(each):
                self.put(path, self.layout.first[field] + number * each + nth, fresh, here)

    def _free(self, path: Path, operation: Free, span: Span) -> None:
        pool = self.program.pools[operation.pool]
        pointer = self.expressions.term(operation.pointer, self.scene(path, span))
        self.fault(path, pointer.bits[0] ^ 1, Check.NO_USE_AFTER_FREE, span)
        self.fault(path, pointer.bits[1], Check.NO_USE_AFTER_FREE, span)
        number = pointer.bits[2:]
        slot = self.layout.first[pool.allocated]
        freed = [self.vectors.is_number(number, nth) for nth in range(pool.size)]
        mask = self.bits(path, slot)
        self.put(path, slot, [self.circuit.both(a, b ^ 1) for a, b in zip(mask, freed, strict=True)], TRUE)
        change = self.parts.stale(pool.name, number, TRUE)
        for other in self.pointer_slots:
            cell, bits = self.cells.cells[other], self.bits(path, other)
            value = self.parts.changed(cell.sort, bits[: cell.width], change)
            path.slots[other] = (*value, *bits[cell.width :])
        for local, (held, term) in path.locals.items():
            if self.parts.has_pointer(term.sort):
                changed = self.parts.changed(term.sort, term.bits, change)
                path.locals[local] = (held, Term(term.sort, changed))


class _Overlay:
    """The cells of a run under way."""

    def __init__(self, operations: Operations, path: Path) -> None:
        self.operations = operations
        self.path = path

    def __getitem__(self, slot: int) -> Vector:
        return self.operations.bits(self.path, slot)
