# SPDX-License-Identifier: GPL-2.0-only
"""The bits of a state: one cell for each slot of the explorer's layout.

A cell is the value's bits, and behind them for some locals one bit that says whether it holds a value: only where
that can be either way between two steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kvmcheck.engine.layout import BodyLayout, Layout, Packed
from kvmcheck.engine.shape import Shape
from kvmcheck.prove.encode.circuit import FALSE, TRUE, Circuit, Literal
from kvmcheck.prove.encode.scene import LocalValue, View
from kvmcheck.prove.encode.terms import Term
from kvmcheck.prove.encode.values import Coder
from kvmcheck.prove.encode.vectors import Vector, Vectors, constant, width_of
from kvmcheck.semantics.liveness import surely_assigned
from kvmcheck.semantics.numbering import element_count
from kvmcheck.semantics.program import End
from kvmcheck.semantics.sorts import UNSET, IntSort, Sort, Value

#: Interrupts are disabled no deeper than this; where a program does, the answer is UNKNOWN.
DEEPEST_IRQ = 15


class Bits(Protocol):
    """The bits of every cell."""

    def __getitem__(self, slot: int, /) -> Vector:
        """Those of one."""


@dataclass(frozen=True, slots=True)
class Cell:
    """`width` bits of a value, and one more if `maybe_unset`.

    `nodes`: of a location, the node of each code (a handler's first is None).  `fixed`: bits that never change, first.
    """

    sort: Sort
    width: int
    maybe_unset: bool = False
    nodes: tuple[int | None, ...] | None = None
    fixed: Vector = ()

    @property
    def size(self) -> int:
        """The bits that are kept."""
        return self.width - len(self.fixed) + self.maybe_unset


@dataclass(frozen=True, slots=True)
class Part:
    """A thread's main body or handler: its layout, where its slots begin, its steps, and what is known of its locals.

    `sure`, `maybe`: for each local the nodes between two steps at which it holds a value, and where it may.
    """

    layout: BodyLayout
    base: int
    shape: Shape
    assigned: tuple[frozenset[int], ...]
    codes: Mapping[int | None, int]
    sure: Mapping[int, frozenset[int]]
    maybe: Mapping[int, frozenset[int]]

    @property
    def pc(self) -> int:
        """The slot of its location."""
        return self.base + self.layout.pc

    def slot(self, local: int) -> int | None:
        """The slot that keeps a local."""
        offset = self.layout.locals.get(local)
        return None if offset is None else self.base + offset


class Cells:
    """The cells of a program; `state` has an input for each bit."""

    def __init__(self, circuit: Circuit, coder: Coder, shapes: Callable[[BodyLayout], Shape]) -> None:
        self.circuit = circuit
        self.coder = coder
        self.layout: Layout = coder.layout
        self.vectors = Vectors(circuit)
        program = coder.program
        self.cells: list[Cell] = []
        homes = {slot: number for number, slot in enumerate(self.layout.homes)}
        for variable in program.variables:
            for _ in range(element_count(variable)):
                home = homes.get(len(self.cells))
                if home is not None and self.layout.abstracts:
                    self.cells.append(self._home(variable.sort, home))
                else:
                    self.cells.append(Cell(variable.sort, coder.width(variable.sort)))
        self.mains: list[Part] = []
        self.handlers: list[Part | None] = []
        self._shapes: dict[int, Shape] = {}
        for number, thread in enumerate(program.threads):
            process = self.layout.processes[thread.process]
            base = self.layout.base[number]
            own: dict[int, Cell] = {}
            main = self._part(process.main, base, shapes, own, handler=False)
            self.mains.append(main)
            handler = process.handler
            self.handlers.append(
                None if handler is None else self._part(handler, base, shapes, own, handler=True)
            )
            if process.irq is not None:
                own[process.irq] = Cell(IntSort(0, DEEPEST_IRQ), width_of(DEEPEST_IRQ + 1))
            self.cells += [own[offset] for offset in range(process.size)]
        if self.layout.zero is not None:
            sort = self.layout.sorts[self.layout.zero]
            self.cells.append(Cell(sort, coder.width(sort)))
        self.state: list[Vector] = [self._inputs(slot, cell) for slot, cell in enumerate(self.cells)]

    def _home(self, sort: Sort, number: int) -> Cell:
        marks = self.coder.seq
        fixed: Vector = constant(number, marks.home)
        return Cell(sort, marks.width, fixed=fixed if marks.compared else (*fixed, TRUE))

    def _part(
        self,
        layout: BodyLayout,
        base: int,
        shapes: Callable[[BodyLayout], Shape],
        own: dict[int, Cell],
        *,
        handler: bool,
    ) -> Part:
        body = layout.body
        if id(body) not in self._shapes:
            self._shapes[id(body)] = shapes(layout)
        shape = self._shapes[id(body)]
        assigned = surely_assigned(body)
        stops = {0, *shape.stops}
        ends = {number for number, node in enumerate(body.nodes) if isinstance(node.operation, End)}
        nodes: tuple[int | None, ...] = (*((None,) if handler else ()), *sorted(stops | ends))
        own[layout.pc] = Cell(IntSort(0, len(nodes) - 1), width_of(len(nodes)), nodes=nodes)
        sure: dict[int, frozenset[int]] = {}
        maybe: dict[int, frozenset[int]] = {}
        for local in layout.locals:
            kept = {stop for stop in stops if local in layout.kept[stop]}
            sure[local] = frozenset(stop for stop in kept if local in assigned[stop])
            maybe[local] = frozenset(kept) - sure[local]
        for nth, occupants in enumerate(layout.occupants):
            sort = body.locals[occupants[0]].sort
            unset = any(maybe[local] for local in occupants)
            own[layout.pc + 1 + nth] = Cell(sort, self.coder.width(sort), unset)
        codes = {node: code for code, node in enumerate(nodes)}
        return Part(layout, base, shape, assigned, codes, sure, maybe)

    def _inputs(self, slot: int, cell: Cell) -> Vector:
        free = [self.circuit.input(f"s{slot}.{bit}") for bit in range(cell.size)]
        return (*cell.fixed, *free)

    # ------------------------------------------------------------------ what stands in a state

    def view(self, bits: Bits) -> View:
        """A state for expressions to look at."""

        def slot(number: int) -> Vector:
            return tuple(bits[number][: self.cells[number].width])

        def at(thread: int, handler: bool, nodes: frozenset[int]) -> Literal:
            part = self.handlers[thread] if handler else self.mains[thread]
            return FALSE if part is None else self.at(part, nodes, bits)

        def local(thread: int, handler: bool, number: int) -> LocalValue:
            part = self.handlers[thread] if handler else self.mains[thread]
            assert part is not None
            sort = part.layout.body.locals[number].sort
            where = part.slot(number)
            if where is None:
                return FALSE, Term(sort, (FALSE,) * self.coder.width(sort))
            return self._is_set(part, number, where, bits), Term(sort, slot(where))

        return View(slot, at, local)

    def at(self, part: Part, nodes: frozenset[int], bits: Bits) -> Literal:
        """Whether a location is one of some nodes."""
        codes = [code for node, code in part.codes.items() if node is not None and node in nodes]
        return self.circuit.some(self.vectors.is_number(bits[part.pc], code) for code in codes)

    def _is_set(self, part: Part, local: int, slot: int, bits: Bits) -> Literal:
        sure = self.at(part, part.sure[local], bits)
        if not part.maybe[local]:
            return sure
        unsure = self.at(part, part.maybe[local], bits)
        return self.circuit.either(sure, self.circuit.both(unsure, bits[slot][-1]))

    def idle(self, part: Part, bits: Bits) -> Literal:
        """Whether a handler does not run."""
        return self.vectors.is_number(bits[part.pc], part.codes[None])

    def well_formed(self, bits: Bits) -> Literal:
        """Whether every location is one that there is."""
        return self.circuit.every(
            self.vectors.below(bits[slot], len(cell.nodes))
            for slot, cell in enumerate(self.cells)
            if cell.nodes is not None
        )

    # ------------------------------------------------------------------ states of the explorer

    def encode(self, packed: Packed) -> list[list[bool]]:
        """The bits of every cell, the fixed ones too."""
        return [self.encoded(slot, value) for slot, value in enumerate(packed)]

    def encoded(self, slot: int, value: Value) -> list[bool]:
        """The bits of one cell."""
        cell = self.cells[slot]
        if cell.nodes is not None:
            assert value is None or isinstance(value, int)
            return [bool(cell.nodes.index(value) >> bit & 1) for bit in range(cell.width)]
        bits = self.coder.encode(cell.sort, value)
        return [*bits, value != UNSET] if cell.maybe_unset else bits

    def decode(self, bits: Sequence[Sequence[bool]]) -> Packed:
        """The state, packed as the explorer has it."""
        found: list[Value] = []
        for cell, own in zip(self.cells, bits, strict=True):
            if cell.nodes is not None:
                code = sum(1 << place for place, bit in enumerate(own) if bit)
                found.append(cell.nodes[code])
            elif cell.maybe_unset and not own[-1]:
                found.append(UNSET)
            else:
                found.append(self.coder.decode(cell.sort, own[: cell.width]))
        for part in (*self.mains, *(handler for handler in self.handlers if handler is not None)):
            self._clear_dead(part, found)
        self.layout.canonical(found)
        return tuple(found)

    def _clear_dead(self, part: Part, values: list[Value]) -> None:
        """Slots whose occupants are all dead where the thread is hold nothing."""
        at = values[part.pc]
        alive = part.layout.kept[at] if isinstance(at, int) else frozenset()
        for nth, occupants in enumerate(part.layout.occupants):
            if not alive.intersection(occupants):
                values[part.pc + 1 + nth] = UNSET
