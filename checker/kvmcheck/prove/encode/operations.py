# SPDX-License-Identifier: GPL-2.0-only
"""What each operation does to a run: `semantics.evaluate`'s `_perform`, for all states at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from kvmcheck.engine.races import variables_of
from kvmcheck.prove.encode.accesses import Accesses
from kvmcheck.prove.encode.cells import Cells, Part
from kvmcheck.prove.encode.choosing import Choosing
from kvmcheck.prove.encode.circuit import FALSE, TRUE, Literal
from kvmcheck.prove.encode.expressions import Expressions
from kvmcheck.prove.encode.locking import Locking
from kvmcheck.prove.encode.parts import Parts
from kvmcheck.prove.encode.path import Access, Bad, Path
from kvmcheck.prove.encode.places import Candidates
from kvmcheck.prove.encode.scene import OnRead, Scene, View
from kvmcheck.prove.encode.stores import Stores
from kvmcheck.prove.encode.terms import Term
from kvmcheck.prove.encode.values import CannotCarry
from kvmcheck.prove.encode.vectors import Vector, width_of
from kvmcheck.semantics.numbering import element_count
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
    Fence,
    Free,
    GhostStore,
    HeldMode,
    Irq,
    Load,
    MightSleep,
    Order,
    Pause,
    Release,
    Set,
    Skip,
    Store,
    Update,
)
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
        self.stores = Stores(self)
        self.locking = Locking(self)
        self.choosing = Choosing(self)
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
        bits = [self.new_input(f"choice{path.choices}", bit) for bit in range(width_of(count))]
        path.choices += 1
        self.used += [bit for bit in bits if bit not in self.used]
        return tuple(bits)

    def new_input(self, name: str, bit: int) -> Literal:
        """A bit that the step chooses, by its name."""
        key = (name, bit)
        if key not in self.inputs:
            where = f"t{self.thread}{'h' if self.handler else ''}"
            self.inputs[key] = self.circuit.input(f"{where}.{name}.{bit}")
        return self.inputs[key]

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
                self.stores.store(path, place, value, span, order, marked=marked)
            case GhostStore(place=place, value=value):
                self.stores.store(path, place, value, span, None, marked=marked)
            case Update():
                self.stores.update(path, node.operation, span, marked=marked)
            case Acquire():
                self.locking.acquire(path, node.operation, span)
            case Release():
                self.locking.release(path, node.operation, span)
            case Await(condition=condition):
                scene = self.scene(path, span, on_read=self.reading(path, span, marked=marked))
                passes = self.expressions.condition(condition, scene)
                self.wait(path, passes)
            case Allocate():
                self.choosing.allocate(path, node.operation, span)
            case Free():
                self.choosing.free(path, node.operation, span)
            case Irq(disable=disable):
                self.locking.irq(path, span, disable=disable)
            case Choose():
                self.choosing.choose(path, node.operation, span, marked=marked)
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
                self.locking.may_sleep(path, span)
            case AtomicEnter() | Pause() | Fence() | Skip() | End():
                pass
            case Assume():
                raise CannotCarry("`assume` in a process", span)
            case _:
                assert_never(node.operation)
        return TRUE

    def reading(self, path: Path, span: Span, *, marked: bool) -> OnRead:
        """What is told of reads in a condition: they are accesses, marked ones."""

        def note(variable: int, element: int, where: Literal) -> None:
            found: Candidates = [(variable, element, where)]
            self.access.made(path, found, span, write=False, order=Order.ONCE, marked=marked)

        return note

    def wait(self, path: Path, passes: Literal) -> None:
        """The run goes on only where a literal is true; elsewhere it is blocked."""
        blocked = self.circuit.both(path.guard, passes ^ 1)
        self.blocked = self.circuit.either(self.blocked, blocked)
        self.lost = self.circuit.either(self.lost, blocked)
        path.guard = self.circuit.both(path.guard, passes)


class _Overlay:
    """The cells of a run under way."""

    def __init__(self, operations: Operations, path: Path) -> None:
        self.operations = operations
        self.path = path

    def __getitem__(self, slot: int) -> Vector:
        return self.operations.bits(self.path, slot)
