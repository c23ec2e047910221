# SPDX-License-Identifier: GPL-2.0-only
"""What exchanging members of a scalarset (or objects, or like threads) does to values and to packed states.

An `Atom` is a set of points that may be exchanged freely; a permutation says for each atom where each of its points
goes.  It acts on values (the members in them), on the indices of arrays, and on threads: a thread's slots go to
the thread whose parameters are the exchanged ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import itemgetter

from kvmcheck.engine.layout import Layout, Packed
from kvmcheck.semantics.numbering import element_count
from kvmcheck.semantics.pointers import contains, is_seq
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.sorts import (
    IdSort,
    IntSort,
    ListSort,
    LockSort,
    ObjectPointerSort,
    OptionalSort,
    PlacePointerSort,
    SetSort,
    Sort,
    ThreadSort,
    UnionSort,
    Value,
    WordSort,
    member_count,
)

#: For each atom, where each of its points goes.
Permutation = tuple[tuple[int, ...], ...]
#: An atom's number and one of its points.
Point = tuple[int, int]
#: What stands for a point while states are compared.
PointName = Callable[[int, int], int]
#: What a value looks like when points have names: hashable.
Shape = object


@dataclass(frozen=True, slots=True)
class Atom:
    """Points that may be exchanged: members `first`.. of a sort, or (sort None) the like threads of a process."""

    name: str
    size: int
    first: int
    sort: IdSort | ObjectPointerSort | None
    threads: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Seat:
    """Where something stands: what no permutation changes, and the points that one moves."""

    fixed: tuple[object, ...]
    points: tuple[Point, ...]


class Actions:
    """The action of the permutations of some atoms on the values and states of a program."""

    def __init__(self, layout: Layout, atoms: tuple[Atom, ...]) -> None:
        self.layout = layout
        self.program: Program = layout.program
        self.numbering = layout.numbering
        self.atoms = atoms
        self.identity: Permutation = tuple(tuple(range(atom.size)) for atom in atoms)
        self._by_sort = {atom.sort: number for number, atom in enumerate(atoms) if atom.sort is not None}
        self._by_thread = {
            thread: (number, point)
            for number, atom in enumerate(atoms)
            for point, thread in enumerate(atom.threads)
        }
        self.thread_seats = self._seat_threads()
        self._thread_at = {seat: thread for thread, seat in enumerate(self.thread_seats)}
        self.seats = self._seat_slots()
        self._slot_at = {seat: slot for slot, seat in enumerate(self.seats)}
        self._home_of_slot = {slot: home for home, slot in enumerate(layout.homes)}
        self._moves: dict[Permutation, _Move] = {}
        self._renumbers = layout.abstracts and self.program.seq_compared

    # ------------------------------------------------------------------ seats

    def point_of(self, sort: Sort, member: Value) -> Point | None:
        """The point that a member of a sort is, if it is one."""
        number = self._by_sort.get(sort) if isinstance(sort, (IdSort, ObjectPointerSort)) else None
        if number is None or not isinstance(member, int):
            return None
        point = member - self.atoms[number].first
        return (number, point) if 0 <= point < self.atoms[number].size else None

    def _seat_threads(self) -> list[Seat]:
        seats: list[Seat] = []
        copies: dict[Seat, int] = {}
        for number, thread in enumerate(self.program.threads):
            own = self._by_thread.get(number)
            fixed: list[object] = [thread.process]
            points: list[Point] = [] if own is None else [own]
            sorts = [sort for _, sort in self.program.processes[thread.process].parameters]
            for sort, value in zip(sorts, thread.parameters, strict=True):
                point = self.point_of(sort, value)
                if point is None:
                    fixed.append(value)
                else:
                    points.append(point)
                    fixed.append(("point", point[0]))
            seat = Seat(tuple(fixed), tuple(points))
            copies[seat] = copies.get(seat, -1) + 1
            seats.append(Seat((*fixed, "copy", copies[seat]), tuple(points)))
        return seats

    def _seat_slots(self) -> list[Seat]:
        seats: list[Seat] = []
        for number, variable in enumerate(self.program.variables):
            each = [self._index_seats(dimension) for dimension in variable.dimensions]
            for element in range(element_count(variable)):
                fixed: list[object] = ["variable", number]
                points: list[Point] = []
                left = element
                for stride, options in zip(self.layout.strides[number], each, strict=True):
                    seat = options[left // stride]
                    left %= stride
                    fixed.append(seat.fixed)
                    points += seat.points
                seats.append(Seat(tuple(fixed), tuple(points)))
        for number, thread in enumerate(self.program.threads):
            whole = self.thread_seats[number]
            for offset in range(self.layout.processes[thread.process].size):
                seats.append(Seat(("thread", whole.fixed, offset), whole.points))
        if self.layout.zero is not None:
            seats.append(Seat(("zero",), ()))
        return seats

    def _index_seats(self, dimension: Sort) -> list[Seat]:
        if isinstance(dimension, ThreadSort):
            return self.thread_seats
        seats: list[Seat] = []
        for position in range(member_count(dimension)):
            point = self.point_of(dimension, position)
            seats.append(Seat((position,), ()) if point is None else Seat(("point", point[0]), (point,)))
        return seats

    def thread_after(self, thread: int, permutation: Permutation) -> int:
        """The thread that a thread becomes; raises `KeyError` if there is none."""
        return self._thread_at[_moved_seat(self.thread_seats[thread], permutation)]

    def slot_after(self, slot: int, permutation: Permutation) -> int:
        """The slot that a slot becomes."""
        return self._slot_at[_moved_seat(self.seats[slot], permutation)]

    # ------------------------------------------------------------------ values

    def touches(self, sort: Sort) -> frozenset[int]:
        """The atoms whose points may stand in values of a sort."""
        match sort:
            case IdSort() | ObjectPointerSort():
                number = self._by_sort.get(sort)
                return frozenset() if number is None else frozenset((number,))
            case ThreadSort() | LockSort():
                return frozenset(number for seat in self.thread_seats for number, _ in seat.points)
            case OptionalSort(inner=inner):
                return self.touches(inner)
            case ListSort(element=element) | SetSort(element=element):
                return self.touches(element)
            case WordSort(fields=fields):
                return self._touches_all(part for _, part, _ in fields)
            case UnionSort(arms=arms):
                return self._touches_all(arm for _, arm in arms if arm is not None)
            case PlacePointerSort(target=target):
                return self._touches_all(
                    dimension
                    for root in self.program.roots.get(target, ())
                    for dimension in self._root_dimensions(target, root.name)
                )
            case _ if is_seq(sort) and self.numbering.stride > 1:
                return frozenset(
                    number for slot in self.layout.homes for number, _ in self.seats[slot].points
                )
            case _:
                return frozenset()

    def _touches_all(self, sorts: Iterable[Sort]) -> frozenset[int]:
        return frozenset(number for sort in sorts for number in self.touches(sort))

    def _root_dimensions(self, target: str, name: str) -> tuple[Sort, ...]:
        root = next(root for root in self.program.roots[target] if root.name == name)
        variable = self.program.variables[next(iter(root.components.values()))]
        return variable.dimensions[: len(root.objects)]

    def needs_shape(self, sort: Sort) -> bool:
        """Whether two values of a sort may look different only because of which points or seq classes they name."""
        return bool(self.touches(sort)) or (self._renumbers and contains(sort, is_seq))

    def moved(self, sort: Sort, value: Value, permutation: Permutation) -> Value:
        """The value after a permutation."""
        if value is None or isinstance(value, str):
            return value
        match sort:
            case IdSort() | ObjectPointerSort() if isinstance(value, int):
                return self._moved_member(sort, value, permutation)
            case ThreadSort() if isinstance(value, int):
                return self.thread_after(value, permutation)
            case OptionalSort(inner=inner):
                return self.moved(inner, value, permutation)
            case WordSort(fields=fields) if isinstance(value, tuple):
                return tuple(
                    self.moved(part, item, permutation)
                    for (_, part, _), item in zip(fields, value, strict=True)
                )
            case UnionSort(arms=arms) if isinstance(value, tuple):
                arm = arms[_int(value[0])][1]
                return value if arm is None else (value[0], self.moved(arm, value[1], permutation))
            case ListSort(element=element) if isinstance(value, tuple):
                return tuple(self.moved(element, item, permutation) for item in value)
            case SetSort(element=element) if isinstance(value, int):
                return sum(
                    1 << _position(element, self.moved(element, _member(element, bit), permutation))
                    for bit in range(value.bit_length())
                    if value >> bit & 1
                )
            case LockSort():
                if isinstance(value, tuple):
                    readers = _int(value[1])
                    mask = sum(
                        1 << self.thread_after(bit, permutation)
                        for bit in range(readers.bit_length())
                        if readers >> bit & 1
                    )
                    writer = value[0]
                    return (None if writer is None else self.thread_after(_int(writer), permutation), mask)
                return self.thread_after(value, permutation)
            case PlacePointerSort(target=target) if isinstance(value, tuple):
                dimensions = self._root_dimensions(target, self.program.roots[target][_int(value[0])].name)
                return (
                    value[0],
                    *(
                        self._moved_index(dimension, _int(item), permutation)
                        for dimension, item in zip(dimensions, value[1:], strict=True)
                    ),
                )
            case _ if isinstance(value, int) and is_seq(sort) and self.numbering.stride > 1:
                home = value % self.numbering.stride
                if home == self.numbering.homes:
                    return value
                slot = self.slot_after(self.layout.homes[home], permutation)
                return value - home + self._home_of_slot[slot]
            case _:
                return value

    def _moved_member(self, sort: Sort, value: int, permutation: Permutation) -> int:
        if value < 0:
            return ~self._moved_member(sort, ~value, permutation)
        point = self.point_of(sort, value)
        return value if point is None else self.atoms[point[0]].first + permutation[point[0]][point[1]]

    def _moved_index(self, dimension: Sort, value: int, permutation: Permutation) -> int:
        if isinstance(dimension, ThreadSort):
            return self.thread_after(value, permutation)
        return self._moved_member(dimension, value, permutation)

    def shape(self, sort: Sort, value: Value, name: PointName) -> Shape:
        """The value with its points called by these names, and nothing in it that depends on how they are numbered."""
        if value is None or isinstance(value, str):
            return value
        match sort:
            case IdSort() | ObjectPointerSort() if isinstance(value, int):
                return self._named(sort, value, name)
            case ThreadSort() if isinstance(value, int):
                return self._thread_shape(value, name)
            case OptionalSort(inner=inner):
                return self.shape(inner, value, name)
            case WordSort(fields=fields) if isinstance(value, tuple):
                return tuple(
                    self.shape(part, item, name) for (_, part, _), item in zip(fields, value, strict=True)
                )
            case UnionSort(arms=arms) if isinstance(value, tuple):
                arm = arms[_int(value[0])][1]
                return value if arm is None else (value[0], self.shape(arm, value[1], name))
            case ListSort(element=element) if isinstance(value, tuple):
                return tuple(self.shape(element, item, name) for item in value)
            case SetSort(element=element) if isinstance(value, int):
                return _bag(
                    self.shape(element, _member(element, bit), name)
                    for bit in range(value.bit_length())
                    if value >> bit & 1
                )
            case LockSort():
                if isinstance(value, tuple):
                    writer, readers = value[0], _int(value[1])
                    return (
                        None if writer is None else self._thread_shape(_int(writer), name),
                        _bag(
                            self._thread_shape(bit, name)
                            for bit in range(readers.bit_length())
                            if readers >> bit & 1
                        ),
                    )
                return self._thread_shape(value, name)
            case PlacePointerSort(target=target) if isinstance(value, tuple):
                dimensions = self._root_dimensions(target, self.program.roots[target][_int(value[0])].name)
                return (
                    value[0],
                    *(
                        self._thread_shape(_int(item), name)
                        if isinstance(dimension, ThreadSort)
                        else self._named(dimension, _int(item), name)
                        for dimension, item in zip(dimensions, value[1:], strict=True)
                    ),
                )
            case _ if isinstance(value, int) and is_seq(sort):
                return self._seq_shape(value, name)
            case _:
                return value

    def _named(self, sort: Sort, value: int, name: PointName) -> Shape:
        if value < 0:
            return ("stale", self._named(sort, ~value, name))
        point = self.point_of(sort, value)
        return ("fixed", value) if point is None else name(*point)

    def _thread_shape(self, thread: int, name: PointName) -> Shape:
        seat = self.thread_seats[thread]
        return (seat.fixed, *(name(*point) for point in seat.points))

    def _seq_shape(self, value: int, name: PointName) -> Shape:
        stride = self.numbering.stride
        count, home = divmod(value, stride)
        if self._renumbers:
            count = min(count, 1)
        if stride == 1:
            return count
        if home == self.numbering.homes:
            return (count, None)
        seat = self.seats[self.layout.homes[home]]
        return (count, seat.fixed, *(name(*point) for point in seat.points))

    # ------------------------------------------------------------------ states

    def apply(self, permutation: Permutation, state: Packed) -> Packed:
        """The state after a permutation, its seqs' classes numbered anew."""
        if permutation == self.identity:
            return state
        move = self._moves.get(permutation)
        if move is None:
            if len(self._moves) >= 4096:
                self._moves.clear()
            move = self._moves[permutation] = _Move(self, permutation)
        return move.apply(state)

    def renumbered(self, state: list[Value]) -> Packed:
        """The moved state with the classes of its seqs numbered in the order of its slots."""
        if self._renumbers:
            self.layout.canonical(state)
        return tuple(state)

    def inverse(self, permutation: Permutation) -> Permutation:
        """The permutation that undoes one."""
        return tuple(tuple(sorted(range(len(images)), key=images.__getitem__)) for images in permutation)

    def exchange(self, number: int, a: int, b: int) -> Permutation:
        """Two points of one atom exchanged, nothing else."""
        images = list(range(self.atoms[number].size))
        images[a], images[b] = b, a
        return (*self.identity[:number], tuple(images), *self.identity[number + 1 :])

    def generators(self) -> list[Permutation]:
        """Exchanges from which every permutation can be made."""
        return [
            self.exchange(number, point, point + 1)
            for number, atom in enumerate(self.atoms)
            for point in range(atom.size - 1)
        ]


class _Table(dict[Value, Value]):
    """The images of the values of one sort under one permutation, computed when first asked for."""

    def __init__(self, actions: Actions, sort: Sort, permutation: Permutation) -> None:
        super().__init__()
        self._actions, self._sort, self._permutation = actions, sort, permutation

    def __missing__(self, value: Value) -> Value:
        image = self[value] = self._actions.moved(self._sort, value, self._permutation)
        return image


class _Move:
    """One permutation of packed states: from where each slot comes, and which values change on the way."""

    def __init__(self, actions: Actions, permutation: Permutation) -> None:
        self._actions = actions
        count = len(actions.seats)
        sources = [0] * count
        for slot in range(count):
            sources[actions.slot_after(slot, permutation)] = slot
        self._fetch = itemgetter(*sources)
        self._lone = count == 1
        tables: dict[Sort, _Table] = {}
        changed = {number for number, images in enumerate(permutation) if images != actions.identity[number]}
        self._changes: list[tuple[int, _Table]] = []
        for slot, sort in enumerate(actions.layout.sorts):
            if actions.touches(sort) & changed:
                table = tables.setdefault(sort, _Table(actions, sort, permutation))
                self._changes.append((slot, table))

    def apply(self, state: Packed) -> Packed:
        """The state moved."""
        if self._lone:
            moved = list(state)
        else:
            moved = [*self._fetch(state)]
        for slot, table in self._changes:
            moved[slot] = table[moved[slot]]
        return self._actions.renumbered(moved)


def _moved_seat(seat: Seat, permutation: Permutation) -> Seat:
    return Seat(seat.fixed, tuple((number, permutation[number][point]) for number, point in seat.points))


def _bag(shapes: Iterable[Shape]) -> Shape:
    """Shapes in any order, as one shape."""
    return tuple(sorted(shapes, key=repr))


def _member(sort: Sort, position: int) -> Value:
    """The member at a position of a set's mask."""
    match sort:
        case OptionalSort(inner=inner):
            return None if position == 0 else _member(inner, position - 1)
        case IntSort(low=low):
            return low + position
        case _:
            return position


def _position(sort: Sort, member: Value) -> int:
    """The position of a member in a set's mask."""
    match sort:
        case OptionalSort(inner=inner):
            return 0 if member is None else 1 + _position(inner, member)
        case IntSort(low=low):
            return _int(member) - low
        case _:
            return _int(member)


def _int(value: Value) -> int:
    assert isinstance(value, int)
    return value
