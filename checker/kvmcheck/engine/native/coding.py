# SPDX-License-Identifier: GPL-2.0-only
"""Values as numbers: what stands in a cell of a state, and how many bits it needs there.

A *register* is a 64-bit number in the generated C.  A scalar is itself there (a stale pointer to object i is ~i),
`none` is NONE, UNSET is UNSET, and a word, union, list, place pointer or shared lock is its parts side by side.
A *cell* holds a code 0..count-1 of its sort, and for a local one code more, UNSET's.  A cell that holds a seq itself
holds the number as it is: while a step is taken, the classes of seqs may be negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from kvmcheck.engine.layout import BodyLayout, Layout, Packed
from kvmcheck.engine.shape import Shape
from kvmcheck.engine.walking import bodies_of
from kvmcheck.semantics.numbering import element_count
from kvmcheck.semantics.pointers import contains, is_seq
from kvmcheck.semantics.program import End, Free
from kvmcheck.semantics.sorts import (
    UNSET,
    BoolSort,
    EnumSort,
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
    Value,
    WordSort,
    member_count,
)

#: `none` and UNSET in a register; written so in prelude.h too.
NONE_REGISTER, UNSET_REGISTER = -(1 << 62), -(1 << 62) - 1
#: No part of a state is wider than this.
WIDEST = 60
#: Without the abstraction of seqs their numbers are kept up to here.
MOST_INCREMENTS = 4096
#: So many increments one step may make while their classes are part of a larger value.
IN_ONE_STEP = 4
#: Interrupts are disabled no deeper than this.
DEEPEST_IRQ = 255


class Unsupported(Exception):
    """The native tier can't take this program; the text says what of it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a compound register: its sort, first bit and width."""

    sort: Sort
    shift: int
    width: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A slot's cell: `count` codes besides UNSET's (which is `count`), in `width` bits.

    `nodes`: for a location, the node of each code; a handler's first is None.  `fixed`: always this, and not stored.
    """

    sort: Sort
    count: int
    unset: bool
    width: int
    nodes: tuple[int | None, ...] | None = None
    fixed: int | None = None


def width_of(count: int) -> int:
    """The bits that so many codes need."""
    return max(count - 1, 0).bit_length()


class Coding:
    """The cells of a layout's slots, and the codes of values."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.program = layout.program
        self.frees = any(
            isinstance(node.operation, Free) for body in bodies_of(self.program) for node in body.nodes
        )
        self.thread_count = len(self.program.threads)
        self.stride = layout.numbering.stride
        self._counts: dict[Sort, int] = {}
        self.seq_count = self._seq_codes()
        self.bias = IN_ONE_STEP * self.stride if layout.abstracts else 0
        self.locations: dict[int, dict[int | None, int]] = {}
        self.cells: list[Cell] = self._cells()
        widest = max((cell.count + cell.unset for cell in self.cells), default=1)
        #: The bits of a cell's C type, signed.
        self.cell_bits = next(bits for bits in (8, 16, 32, 64) if widest < 1 << (bits - 1))

    # ------------------------------------------------------------------ cells

    def _seq_codes(self) -> int:
        """How many numbers a seq may have in a finished state."""
        if not self.layout.abstracts:
            return MOST_INCREMENTS * self.stride if self.layout.numbering.homes else 2 * self.stride
        if not self.program.seq_compared:
            return 2 * self.stride
        copies = sum(self._seqs_in(sort) for sort in self.layout.sorts)
        return (copies + 2) * self.stride

    def _seqs_in(self, sort: Sort) -> int:
        if is_seq(sort):
            return 1
        match sort:
            case OptionalSort(inner=inner):
                return self._seqs_in(inner)
            case WordSort(fields=fields):
                return sum(self._seqs_in(part) for _, part, _ in fields)
            case UnionSort(arms=arms):
                return sum(self._seqs_in(arm) for _, arm in arms if arm is not None)
            case ListSort(element=element, capacity=capacity):
                return capacity * self._seqs_in(element)
            case _:
                return 0

    def _cells(self) -> list[Cell]:
        layout = self.layout
        cells: list[Cell] = []
        homes = {slot: number for number, slot in enumerate(layout.homes)}
        for variable in self.program.variables:
            for _ in range(element_count(variable)):
                home = homes.get(len(cells))
                if home is not None and layout.abstracts:
                    cells.append(Cell(variable.sort, 1, False, 0, fixed=home if self.stride > 1 else 0))
                else:
                    cells.append(self._cell(variable.sort))
        for thread in self.program.threads:
            process = layout.processes[thread.process]
            own: dict[int, Cell] = {}
            for part in (process.main, process.handler):
                if part is not None:
                    own[part.pc] = self._location(part, handler=part is process.handler)
                    for nth, occupants in enumerate(part.occupants):
                        own[part.pc + 1 + nth] = self._cell(part.body.locals[occupants[0]].sort, unset=True)
            if process.irq is not None:
                sort = IntSort(0, DEEPEST_IRQ)
                own[process.irq] = Cell(sort, DEEPEST_IRQ + 1, False, width_of(DEEPEST_IRQ + 1))
            cells += [own[offset] for offset in range(process.size)]
        if layout.zero is not None:
            cells.append(self._cell(SeqSort()))
        return cells

    def _cell(self, sort: Sort, *, unset: bool = False) -> Cell:
        count = self.count(sort, inside=False)
        width = width_of(count + unset)
        if width > WIDEST:
            raise Unsupported(f"a value that needs {width} bits")
        return Cell(sort, count, unset, width)

    def _location(self, part: BodyLayout, *, handler: bool) -> Cell:
        """A thread's location: a code for each node at which it may be between two steps, or at its end."""
        body = part.body
        found = {0, *Shape(body, None).stops}
        found |= {number for number, node in enumerate(body.nodes) if isinstance(node.operation, End)}
        nodes: tuple[int | None, ...] = (*((None,) if handler else ()), *sorted(found))
        self.locations[id(body)] = {node: code for code, node in enumerate(nodes)}
        return Cell(IntSort(0, len(nodes) - 1), len(nodes), False, width_of(len(nodes)), nodes)

    # ------------------------------------------------------------------ sorts

    def count(self, sort: Sort, *, inside: bool = True) -> int:
        """How many codes a sort has; `inside`: as a part of something."""
        if is_seq(sort):
            return self.seq_count + (self.bias if inside else 0)
        known = self._counts.get(sort)
        if known is None:
            known = self._counts[sort] = self._count(sort)
        return known

    def _count(self, sort: Sort) -> int:
        match sort:
            case BoolSort() | IntSort() | EnumSort() | IdSort() | ThreadSort():
                return member_count(sort)
            case SeqSort(wrap=wrap):
                return wrap or 1
            case OptionalSort(inner=inner):
                return self.count(inner) + 1
            case ObjectPointerSort(size=size):
                return (2 * size if self.frees else size) + 1
            case SetSort(element=element):
                return 1 << _small(self.set_size(element))
            case LockSort(flavour=flavour):
                if flavour.shared:
                    return 1 << _small(width_of(self.thread_count + 1) + self.thread_count)
                return self.thread_count + 1
            case PlacePointerSort(target=target):
                return (1 << _small(self._end(self.pointer_parts(target)))) + 1
            case WordSort() | ListSort():
                return 1 << _small(self._end(self.parts(sort)))
            case UnionSort(arms=arms):
                widest = max(0 if arm is None else width_of(self.count(arm)) for _, arm in arms)
                return 1 << _small(self.tag_width(sort) + widest)
            case UnknownSort():
                return 1

    def set_size(self, element: Sort) -> int:
        """How many positions a set's mask has."""
        if isinstance(element, OptionalSort):
            return 1 + self.set_size(element.inner)
        return member_count(element)

    def _end(self, parts: tuple[Part, ...]) -> int:
        return max((part.shift + part.width for part in parts), default=0)

    def parts(self, sort: Sort) -> tuple[Part, ...]:
        """The fields of a word; the length of a list, then its places."""
        if isinstance(sort, WordSort):
            return self._beside([part for _, part, _ in sort.fields])
        assert isinstance(sort, ListSort)
        return self._beside([IntSort(0, sort.capacity), *[sort.element] * sort.capacity])

    def pointer_parts(self, target: str) -> tuple[Part, ...]:
        """The root of a place pointer, then its indices; that of an object has a lowest bit for "stale"."""
        roots = self.program.roots.get(target, ())
        sorts: list[Sort] = [IntSort(0, max(len(roots) - 1, 0))]
        for nth in range(max((len(root.objects) for root in roots), default=0)):
            most = 1
            for root in roots:
                if nth < len(root.objects):
                    variable = self.program.variables[next(iter(root.components.values()))]
                    most = max(most, member_count(variable.dimensions[nth]))
            sorts.append(IntSort(0, 2 * most - 1))
        return self._beside(sorts)

    def _beside(self, sorts: list[Sort]) -> tuple[Part, ...]:
        parts: list[Part] = []
        shift = 0
        for sort in sorts:
            width = width_of(self.count(sort))
            parts.append(Part(sort, shift, width))
            shift += width
        return tuple(parts)

    def tag_width(self, sort: UnionSort) -> int:
        """The bits that say which arm it is."""
        return width_of(len(sort.arms))

    # ------------------------------------------------------------------ values

    def register(self, sort: Sort, value: Value) -> int:
        """A value as it stands in a register."""
        if value is None:
            return NONE_REGISTER
        if isinstance(value, str):
            return UNSET_REGISTER
        match sort:
            case OptionalSort(inner=inner):
                return self.register(inner, value)
            case WordSort() if isinstance(value, tuple):
                return self._together(self.parts(sort), value)
            case ListSort() if isinstance(value, tuple):
                parts = self.parts(sort)
                return self._together(parts[: len(value) + 1], (len(value), *value))
            case UnionSort(arms=arms) if isinstance(value, tuple):
                arm = _number(value[0])
                inner_sort = arms[arm][1]
                held = 0 if inner_sort is None else self.code(inner_sort, value[1])
                return arm | held << self.tag_width(sort)
            case PlacePointerSort(target=target) if isinstance(value, tuple):
                objects = self.program.roots[target][_number(value[0])].objects
                marked = [self._marked(_number(i)) for i, _ in zip(value[1:], objects, strict=True)]
                return self._together(self.pointer_parts(target)[: len(value)], (value[0], *marked))
            case LockSort() if isinstance(value, tuple):
                writer = self.thread_count if value[0] is None else _number(value[0])
                return writer | _number(value[1]) << width_of(self.thread_count + 1)
            case _:
                return _number(value)

    def _marked(self, index: int) -> int:
        return 2 * index if index >= 0 else 2 * ~index + 1

    def _together(self, parts: tuple[Part, ...], values: tuple[Value, ...]) -> int:
        return sum(
            self.code(part.sort, value) << part.shift for part, value in zip(parts, values, strict=True)
        )

    def code(self, sort: Sort, value: Value) -> int:
        """A value as a part of something."""
        if is_seq(sort):
            return _number(value) + self.bias
        if value is None:
            if isinstance(sort, LockSort):
                return self.thread_count
            return self.count(sort) - 1
        match sort:
            case OptionalSort(inner=inner):
                return self.code(inner, value)
            case IntSort(low=low):
                return _number(value) - low
            case ObjectPointerSort(size=size):
                number = _number(value)
                return number if number >= 0 else size + ~number
            case _:
                return self.register(sort, value)

    def value(self, sort: Sort, code: int) -> Value:
        """The value that a code stands for."""
        if is_seq(sort):
            return code - self.bias
        match sort:
            case OptionalSort(inner=inner):
                return None if code == self.count(sort) - 1 else self.value(inner, code)
            case IntSort(low=low):
                return code + low
            case ObjectPointerSort(size=size):
                if code == self.count(sort) - 1:
                    return None
                return code if code < size else ~(code - size)
            case LockSort(flavour=flavour):
                if flavour.shared:
                    width = width_of(self.thread_count + 1)
                    writer = code & (1 << width) - 1
                    return (None if writer == self.thread_count else writer, code >> width)
                return None if code == self.thread_count else code
            case WordSort():
                return tuple(self._part(part, code) for part in self.parts(sort))
            case ListSort():
                length, *places = self.parts(sort)
                return tuple(self._part(part, code) for part in places[: _number(self._part(length, code))])
            case UnionSort(arms=arms):
                width = self.tag_width(sort)
                arm = code & (1 << width) - 1
                inner_sort = arms[arm][1]
                return (arm,) if inner_sort is None else (arm, self.value(inner_sort, code >> width))
            case PlacePointerSort(target=target):
                if code == self.count(sort) - 1:
                    return None
                root, *indices = self.pointer_parts(target)
                number = _number(self._part(root, code))
                known = self.program.roots[target][number].objects
                marked = [_number(self._part(part, code)) for part, _ in zip(indices, known, strict=False)]
                return (number, *(~(mark >> 1) if mark & 1 else mark >> 1 for mark in marked))
            case _:
                return code

    def _part(self, part: Part, code: int) -> Value:
        return self.value(part.sort, code >> part.shift & (1 << part.width) - 1)

    # ------------------------------------------------------------------ states

    def encode(self, state: Packed) -> list[int]:
        """The cells of a state."""
        return [self._encoded(cell, value) for cell, value in zip(self.cells, state, strict=True)]

    def _encoded(self, cell: Cell, value: Value) -> int:
        if cell.fixed is not None:
            return cell.fixed
        if cell.nodes is not None:
            assert value is None or isinstance(value, int)
            return cell.nodes.index(value)
        if value == UNSET and isinstance(value, str):
            return cell.count
        if is_seq(cell.sort):
            return _number(value)
        return self.code(cell.sort, value)

    def decode(self, cells: list[int]) -> Packed:
        """The state of some cells."""
        return tuple(self._decoded(cell, code) for cell, code in zip(self.cells, cells, strict=True))

    def _decoded(self, cell: Cell, code: int) -> Value:
        if cell.nodes is not None:
            return cell.nodes[code]
        if cell.unset and code == cell.count:
            return UNSET
        if is_seq(cell.sort):
            return code
        return self.value(cell.sort, code)

    @property
    def compounds_with_seqs(self) -> list[int]:
        """The slots that hold seqs inside something else."""
        return [
            slot
            for slot, cell in enumerate(self.cells)
            if cell.nodes is None and not is_seq(cell.sort) and contains(cell.sort, is_seq)
        ]

    def sorts_used(self) -> set[Sort]:
        """The sorts of cells."""
        return set(chain(cell.sort for cell in self.cells))


def _number(value: Value) -> int:
    assert isinstance(value, int)
    return value


def _small(width: int) -> int:
    if width > WIDEST:
        raise Unsupported(f"a value that needs {width} bits")
    return width
