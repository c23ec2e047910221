# SPDX-License-Identifier: GPL-2.0-only
"""Values as bits: how many each sort needs, what stands where, and the way back.

| sort | bits |
| --- | --- |
| bool, int, enum, scalarset, index, Thread, seq wrap | the number, counted from the sort's lowest |
| seq | its home (where there are several), then its mark: see `SeqMarks` |
| T? | present, then T |
| word struct | its fields, one behind the other |
| word union | the arm, then every arm's value |
| object pointer | not NULL, stale (where objects are ever freed), the object |
| place pointer | not NULL, the root, and for each index: stale, the index |
| list<T, n> | how many, then n places |
| set<T> | one bit a member |
| spinlock, mutex | held, the thread |
| rwlock, rwsem | as above for the writer, then one bit a reader |

Bits that mean nothing (the T of an absent T?) may be anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kvmcheck.engine.layout import Layout
from kvmcheck.engine.walking import bodies_of, inside
from kvmcheck.prove.encode.vectors import width_of
from kvmcheck.semantics.expressions import sort_of
from kvmcheck.semantics.pointers import contains, is_seq
from kvmcheck.semantics.program import Free, Old, Program, PropertyKind
from kvmcheck.semantics.sorts import (
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
from kvmcheck.source.text import Span

#: No number is wider than this; a shift by a number that is not known asks for more.
WIDEST = 160


class CannotCarry(Exception):
    """The program has something that the encoding can't express; the text says what, `span` where."""

    def __init__(self, what: str, span: Span | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.span = span


@dataclass(frozen=True, slots=True)
class SeqMarks:
    """How a seq is kept, exactly, whatever its number: `homes` counted, `mark` bits beside the home's.

    If no two copies are ever compared, the mark is one bit: "still the home's newest value".  Else it is a name: two
    seqs of one home are equal if their names are, and an increment takes a name that nobody has.
    """

    homes: int
    compared: bool
    mark: int

    @property
    def home(self) -> int:
        """The bits that say of which home it is; the number behind the last home says: never assigned."""
        return width_of(self.homes + 1) if self.homes > 1 else 0

    @property
    def width(self) -> int:
        """All bits of a seq."""
        return self.home + self.mark


class Coder:
    """The bits of a program's values."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.program: Program = layout.program
        self.frees = any(
            isinstance(node.operation, Free) for body in bodies_of(self.program) for node in body.nodes
        )
        self.threads = len(self.program.threads)
        self._widths: dict[Sort, int] = {}
        self._targets: dict[str, tuple[Sort, ...]] = {}
        self.seq = self._seq_marks()

    def _seq_marks(self) -> SeqMarks:
        homes = self.layout.numbering.homes
        if homes == 0:
            return SeqMarks(0, False, 0)
        if not self.program.seq_compared and not self._compares_with_before():
            return SeqMarks(homes, False, 1)
        holders = sum(self.seqs_in(sort) for sort in self.layout.sorts)
        locals_ = max(
            (sum(self.seqs_in(local.sort) for local in body.locals) for body in bodies_of(self.program)),
            default=0,
        )
        return SeqMarks(homes, True, width_of(holders + locals_ + 2))

    def _compares_with_before(self) -> bool:
        """Whether a step property looks at a seq before the step: the newest value of then may be old now."""
        return any(
            isinstance(part, Old) and any(contains(sort_of(inner), is_seq) for inner in inside(part))
            for claim in self.program.properties
            if claim.kind is PropertyKind.STEP
            for condition in (claim.condition, *(probe.condition for probe in claim.probes))
            for part in inside(condition)
        )

    def seqs_in(self, sort: Sort) -> int:
        """How many seqs a value of a sort may hold."""
        if is_seq(sort):
            return 1
        match sort:
            case OptionalSort(inner=inner):
                return self.seqs_in(inner)
            case WordSort(fields=fields):
                return sum(self.seqs_in(part) for _, part, _ in fields)
            case UnionSort(arms=arms):
                return sum(self.seqs_in(arm) for _, arm in arms if arm is not None)
            case ListSort(element=element, capacity=capacity):
                return capacity * self.seqs_in(element)
            case _:
                return 0

    # ------------------------------------------------------------------ widths

    def width(self, sort: Sort) -> int:
        """How many bits a value of a sort has."""
        known = self._widths.get(sort)
        if known is None:
            known = self._widths[sort] = self._width(sort)
        return known

    def _width(self, sort: Sort) -> int:
        match sort:
            case BoolSort() | IntSort() | EnumSort() | IdSort() | ThreadSort():
                return width_of(member_count(sort))
            case SeqSort(wrap=None):
                return self.seq.width
            case SeqSort(wrap=int(wrap)):
                return width_of(wrap)
            case OptionalSort(inner=inner):
                return 1 + self.width(inner)
            case WordSort(fields=fields):
                return sum(self.width(part) for _, part, _ in fields)
            case UnionSort(arms=arms):
                return width_of(len(arms)) + sum(0 if arm is None else self.width(arm) for _, arm in arms)
            case ObjectPointerSort(size=size):
                return 1 + self.frees + width_of(size)
            case PlacePointerSort(target=target):
                return 1 + self.root_width(target) + sum(1 + self.width(s) for s in self.indices(target))
            case ListSort(element=element, capacity=capacity):
                return width_of(capacity + 1) + capacity * self.width(element)
            case SetSort(element=element):
                return self.positions(element)
            case LockSort(flavour=flavour):
                return 1 + width_of(self.threads) + (self.threads if flavour.shared else 0)
            case UnknownSort():
                return 0
            case _:
                raise CannotCarry(f"a value of sort {sort}")

    def positions(self, element: Sort) -> int:
        """How many positions a set's mask has."""
        if isinstance(element, OptionalSort):
            return 1 + self.positions(element.inner)
        return member_count(element)

    def root_width(self, target: str) -> int:
        """The bits of a place pointer's root."""
        return width_of(max(len(self.program.roots.get(target, ())), 1))

    def indices(self, target: str) -> tuple[Sort, ...]:
        """The indices of a place pointer, as numbers."""
        known = self._targets.get(target)
        if known is None:
            roots = self.program.roots.get(target, ())
            sizes: list[int] = []
            for nth in range(max((len(root.objects) for root in roots), default=0)):
                most = 1
                for root in roots:
                    if nth < len(root.objects):
                        variable = self.program.variables[next(iter(root.components.values()))]
                        most = max(most, member_count(variable.dimensions[nth]))
                sizes.append(most)
            known = self._targets[target] = tuple(IntSort(0, size - 1) for size in sizes)
        return known

    # ------------------------------------------------------------------ constants and models

    def encode(self, sort: Sort, value: Value) -> list[bool]:
        """The bits of a value as `Layout.pack` has it; `unset` has none: all are false."""
        if isinstance(value, str):
            return [False] * self.width(sort)
        match sort:
            case SeqSort(wrap=None):
                return self._encoded_seq(_number(value))
            case SeqSort():
                return _bits(_number(value), self.width(sort))
            case BoolSort() | EnumSort() | IdSort() | ThreadSort():
                return _bits(_number(value), self.width(sort))
            case IntSort(low=low):
                return _bits(_number(value) - low, self.width(sort))
            case OptionalSort(inner=inner):
                if value is None:
                    return [False] * self.width(sort)
                return [True, *self.encode(inner, value)]
            case WordSort(fields=fields):
                parts = _items(value)
                return [
                    bit
                    for part, (_, field, _) in zip(parts, fields, strict=True)
                    for bit in self.encode(field, part)
                ]
            case UnionSort(arms=arms):
                held = _items(value)
                bits = _bits(_number(held[0]), width_of(len(arms)))
                for number, (_, arm) in enumerate(arms):
                    if arm is not None:
                        fits = number == held[0]
                        bits += self.encode(arm, held[1]) if fits else [False] * self.width(arm)
                return bits
            case ObjectPointerSort(size=size):
                if value is None:
                    return [False] * self.width(sort)
                number = _number(value)
                stale = [number < 0] if self.frees else []
                return [True, *stale, *_bits(number if number >= 0 else ~number, width_of(size))]
            case PlacePointerSort(target=target):
                return self._encoded_place(target, value, self.width(sort))
            case ListSort(element=element, capacity=capacity):
                held = _items(value)
                bits = _bits(len(held), width_of(capacity + 1))
                for nth in range(capacity):
                    filled = nth < len(held)
                    bits += self.encode(element, held[nth]) if filled else [False] * self.width(element)
                return bits
            case SetSort():
                return _bits(_number(value), self.width(sort))
            case LockSort(flavour=flavour):
                writer, readers = _items(value) if flavour.shared else (value, 0)
                owner = [
                    writer is not None,
                    *_bits(0 if writer is None else _number(writer), width_of(self.threads)),
                ]
                return [*owner, *(_bits(_number(readers), self.threads) if flavour.shared else [])]
            case UnknownSort():
                return []

    def _encoded_seq(self, value: int) -> list[bool]:
        marks, stride = self.seq, self.layout.numbering.stride
        if marks.homes == 0:
            if value:
                raise CannotCarry("a seq that nobody increments and that is not 0")
            return []
        home = value % stride if stride > 1 else 0
        count = value // stride
        bits = _bits(home, marks.home)
        return bits + (_bits(count, marks.mark) if marks.compared else [count == 0])

    def _encoded_place(self, target: str, value: Value, width: int) -> list[bool]:
        if value is None:
            return [False] * width
        root, *given = _items(value)
        bits = [True, *_bits(_number(root), self.root_width(target))]
        for nth, sort in enumerate(self.indices(target)):
            index = _number(given[nth]) if nth < len(given) else 0
            bits += [index < 0, *_bits(index if index >= 0 else ~index, self.width(sort))]
        return bits

    def decode(self, sort: Sort, bits: Sequence[bool]) -> Value:
        """The value, as `Layout.pack` has it, that some bits stand for."""
        match sort:
            case SeqSort(wrap=None):
                return self._decoded_seq(bits)
            case BoolSort() | EnumSort() | IdSort() | ThreadSort() | SeqSort():
                return _value(bits)
            case IntSort(low=low):
                return _value(bits) + low
            case OptionalSort(inner=inner):
                return self.decode(inner, bits[1:]) if bits[0] else None
            case WordSort(fields=fields):
                return tuple(self._parts([part for _, part, _ in fields], bits))
            case UnionSort(arms=arms):
                tag = width_of(len(arms))
                number = _value(bits[:tag])
                held = arms[number][1]
                if held is None:
                    return (number,)
                first = tag + sum(0 if arm is None else self.width(arm) for _, arm in arms[:number])
                return (number, self.decode(held, bits[first : first + self.width(held)]))
            case ObjectPointerSort():
                if not bits[0]:
                    return None
                number = _value(bits[1 + self.frees :])
                return ~number if self.frees and bits[1] else number
            case PlacePointerSort(target=target):
                return self._decoded_place(target, bits)
            case ListSort(element=element, capacity=capacity):
                length = width_of(capacity + 1)
                held_items = self._parts([element] * capacity, bits[length:])
                return tuple(held_items[: _value(bits[:length])])
            case SetSort():
                return _value(bits)
            case LockSort(flavour=flavour):
                owner = 1 + width_of(self.threads)
                writer = _value(bits[1:owner]) if bits[0] else None
                return (writer, _value(bits[owner:])) if flavour.shared else writer
            case UnknownSort():
                return 0

    def _parts(self, sorts: Sequence[Sort], bits: Sequence[bool]) -> list[Value]:
        found: list[Value] = []
        first = 0
        for sort in sorts:
            width = self.width(sort)
            found.append(self.decode(sort, bits[first : first + width]))
            first += width
        return found

    def _decoded_seq(self, bits: Sequence[bool]) -> Value:
        marks, stride = self.seq, self.layout.numbering.stride
        if marks.homes == 0:
            return 0
        home = _value(bits[: marks.home])
        mark = bits[marks.home :]
        count = _value(mark) if marks.compared else int(not mark[0])
        if marks.homes > 1 and home >= marks.homes:
            return marks.homes
        return count * stride + home

    def _decoded_place(self, target: str, bits: Sequence[bool]) -> Value:
        if not bits[0]:
            return None
        first = 1 + self.root_width(target)
        root = _value(bits[1:first])
        objects = self.program.roots[target][root].objects
        found: list[Value] = [root]
        for sort, _ in zip(self.indices(target), objects, strict=False):
            width = 1 + self.width(sort)
            index = _value(bits[first + 1 : first + width])
            found.append(~index if bits[first] else index)
            first += width
        return tuple(found)


def _bits(value: int, width: int) -> list[bool]:
    if not 0 <= value < 1 << width:
        raise CannotCarry(f"the number {value} in {width} bits")
    return [bool(value >> bit & 1) for bit in range(width)]


def _value(bits: Sequence[bool]) -> int:
    return sum(1 << place for place, bit in enumerate(bits) if bit)


def _number(value: Value) -> int:
    assert isinstance(value, int)
    return value


def _items(value: Value) -> tuple[Value, ...]:
    assert isinstance(value, tuple)
    return value
