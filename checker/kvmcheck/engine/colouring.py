# SPDX-License-Identifier: GPL-2.0-only
"""How points of an atom are told apart: by what stands in their own slots, and by where they occur.

A `Splitter` gives the points of one atom new colours, from a state and the colours of all points so far.  Nothing in
a key may depend on how points are numbered.  What a point's own slots hold, and where points occur in a row of slots,
is looked up in tables: the same few rows turn up over and over.  The look-ups are generated as Python text, since
this runs for every new state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import TypeVar

from kvmcheck.engine.layout import Packed
from kvmcheck.engine.permuting import Actions, Point, PointName
from kvmcheck.semantics.sorts import Value

T = TypeVar("T")

#: The colours of an atom's points: for each the number of points before its cell.
Colours = tuple[int, ...]
#: What a point is called while its own key is made.
MARKED = -1
#: Tables are emptied when they have grown to this size.
LARGEST_TABLE = 1 << 19


class Numbers(dict[object, int]):
    """Numbers for keys, in the order in which they are first met: any order will do that stays the same."""

    def __missing__(self, key: object) -> int:
        number = self[key] = len(self)
        return number


@dataclass(frozen=True, slots=True)
class Row:
    """Slots that are looked up together; `colours`: on whose colours, besides their values, the answer depends.

    An entry (atom, None) stands for all points of the atom, (atom, point) for one.
    """

    slots: tuple[int, ...]
    colours: tuple[tuple[int, int | None], ...]


class Splitter:
    """The refinement of the cells of one atom.  `around`: the atoms whose colours matter for it."""

    def __init__(self, actions: Actions, number: int, numbers: Numbers) -> None:
        self.actions, self.number, self.numbers = actions, number, numbers
        self.size = actions.atoms[number].size
        self.sorts = actions.layout.sorts
        own = [self._own_row(point) for point in range(self.size)]
        shared = [self._shared_row(point) for point in range(self.size)]
        carriers = self._carrier_rows()
        self.around = frozenset(atom for row in (*own, *shared, *carriers) for atom, _ in row.colours)
        self.split: Callable[[Packed, list[Colours]], Colours] = self._generated(own, shared, carriers)

    # ------------------------------------------------------------------ rows

    def _row(self, slots: list[int], points: tuple[Point, ...]) -> Row:
        whole = {atom for slot in slots for atom in self.actions.touches(self.sorts[slot])}
        single = sorted({point for point in points if point[0] not in whole})
        return Row(tuple(slots), (*((atom, None) for atom in sorted(whole)), *single))

    def _slots_at(self, point: int) -> list[int]:
        seats = self.actions.seats
        slots = [slot for slot, seat in enumerate(seats) if (self.number, point) in seat.points]
        return sorted(slots, key=lambda slot: repr(seats[slot].fixed))

    def _own_row(self, point: int) -> Row:
        """The slots that this point alone indexes, in the same order for every point."""
        alone = ((self.number, point),)
        return self._row(
            [slot for slot in self._slots_at(point) if self.actions.seats[slot].points == alone], ()
        )

    def _shared_row(self, point: int) -> Row:
        """The slots that other points index as well."""
        seats = self.actions.seats
        alone = ((self.number, point),)
        slots = [slot for slot in self._slots_at(point) if seats[slot].points != alone]
        row = self._row(slots, ())
        others = {atom for slot in slots for atom, _ in seats[slot].points} - {
            atom for atom, _ in row.colours
        }
        return Row(row.slots, (*row.colours, *((atom, None) for atom in sorted(others))))

    def _carrier_rows(self) -> list[Row]:
        """The slots in whose values points of this atom may stand, those with the same indices together."""
        rows: dict[tuple[Point, ...], list[int]] = {}
        for slot, sort in enumerate(self.sorts):
            if self.number in self.actions.touches(sort):
                rows.setdefault(self.actions.seats[slot].points, []).append(slot)
        return [self._row(slots, points) for points, slots in rows.items()]

    # ------------------------------------------------------------------ what is looked up

    def _own_key(self, slots: tuple[int, ...], state: Packed, colours: list[Colours]) -> int:
        """What a point's own slots hold."""
        return self.numbers[
            "own", self.number, tuple(self._shape(slot, state[slot], colours) for slot in slots)
        ]

    def _shared_key(self, point: int, slots: tuple[int, ...], state: Packed, colours: list[Colours]) -> int:
        """What the slots hold that a point shares with others, in any order."""
        name = self._marking(point, colours)
        found: list[object] = []
        for slot in slots:
            seat = self.actions.seats[slot]
            at = tuple(name(*index) for index in seat.points)
            found.append(self.numbers[seat.fixed, at, self._shape(slot, state[slot], colours)])
        return self.numbers["shared", self.number, tuple(sorted(found, key=repr))]

    def _occurrences(
        self, slots: tuple[int, ...], state: Packed, colours: list[Colours]
    ) -> tuple[tuple[int, int], ...]:
        """Which points stand in some slots, each with the number of how and where it does."""
        found: list[tuple[int, int]] = []
        for slot in slots:
            value, seat = state[slot], self.actions.seats[slot]
            named: set[int] = set()

            def note(atom: int, point: int, into: set[int] = named) -> int:
                if atom == self.number:
                    into.add(point)
                return 0

            self.actions.shape(self.sorts[slot], value, note)
            for point in sorted(named):
                name = self._marking(point, colours)
                at = tuple(name(*index) for index in seat.points)
                shape = self.actions.shape(self.sorts[slot], value, name)
                found.append((point, self.numbers["occurs", seat.fixed, at, shape]))
        return tuple(found)

    def _shape(self, slot: int, value: Value, colours: list[Colours]) -> object:
        if not self.actions.needs_shape(self.sorts[slot]):
            return value
        return self.actions.shape(self.sorts[slot], value, lambda atom, point: colours[atom][point])

    def _marking(self, point: int, colours: list[Colours]) -> PointName:
        def name(atom: int, other: int) -> int:
            return MARKED if (atom, other) == (self.number, point) else colours[atom][other]

        return name

    # ------------------------------------------------------------------ the generated function

    def _generated(
        self, own: list[Row], shared: list[Row], carriers: list[Row]
    ) -> Callable[[Packed, list[Colours]], Colours]:
        """The function from a state and the colours to this atom's new colours.

        def split(s, C):
            o0 = []; o1 = []; o = (o0, o1)                  # where each point occurs
            k = (g0(s), C[1], C[0][0])                      # a row of slots, and the colours that matter
            for p, n in (d0[k] if k in d0 else m0(k, s, C)): o[p].append(n)
            ...
            k = (g3(s), C[1])                               # a point's own slots
            a0 = N[d3[k] if k in d3 else m3(k, s, C), tuple(sorted(o0))]
            ...
            return (0, 1) if a0 < a1 else (1, 0) if a1 < a0 else (0, 0)
        """
        names: dict[str, object] = {"N": self.numbers, "rank": _rank}
        size, this = self.size, self.number
        lines = ["def split(s, C):"]
        if carriers:
            lines.append("    " + "; ".join(f"o{point} = []" for point in range(size)))
            lines.append(f"    o = ({''.join(f'o{point}, ' for point in range(size))})")

        def look_up(row: Row, fill: Callable[[object, Packed, list[Colours]], object], table: object) -> str:
            """Write the key of a row as `k`; comes back with the text of the look-up."""
            nth = len(names)
            names[f"d{nth}"], names[f"m{nth}"], names[f"g{nth}"] = table, fill, itemgetter(*row.slots)
            colours = [
                f"C[{atom}]" if point is None else f"C[{atom}][{point}]" for atom, point in row.colours
            ]
            lines.append(f"    k = ({', '.join([f'g{nth}(s)', *colours])},)")
            return f"(d{nth}[k] if k in d{nth} else m{nth}(k, s, C))"

        for row in carriers:
            where: dict[object, tuple[tuple[int, int], ...]] = {}
            place = _filling(where, partial(self._occurrences, row.slots))
            found = look_up(row, place, where)
            lines.append(f"    for p, n in {found}: o[p].append(n)")
        owned: dict[object, int] = {}
        for point in range(size):
            key: list[str] = [str(this)]
            if own[point].slots:
                row = own[point]
                own_key = _filling(owned, partial(self._own_key, row.slots))
                found = look_up(row, own_key, owned)
                lines.append(f"    w = {found}")
                key.append("w")
            if shared[point].slots:
                row = shared[point]
                held: dict[object, int] = {}
                shared_key = _filling(held, partial(self._shared_key, point, row.slots))
                found = look_up(row, shared_key, held)
                lines.append(f"    h = {found}")
                key.append("h")
            if carriers:
                key.append(f"tuple(sorted(o{point}))")
            lines.append(f"    a{point} = N[{', '.join(key)},]")
        if size == 2:
            lines.append("    return (0, 1) if a0 < a1 else (1, 0) if a1 < a0 else (0, 0)")
        else:
            lines.append(f"    return rank(C[{this}], ({''.join(f'a{point}, ' for point in range(size))}))")
        # Numbers and our own names only: nothing that a spec's author wrote.
        exec(compile("\n".join(lines) + "\n", "<compiled symmetry>", "exec"), names)  # noqa: S102
        split = names["split"]
        assert callable(split)
        return split


def _filling(
    table: dict[object, T], compute: Callable[[Packed, list[Colours]], T]
) -> Callable[[object, Packed, list[Colours]], T]:
    """A function that computes what a table lacks, and keeps it."""

    def fill(key: object, state: Packed, colours: list[Colours]) -> T:
        if len(table) >= LARGEST_TABLE:
            table.clear()
        found = table[key] = compute(state, colours)
        return found

    return fill


def _rank(held: Colours, numbers: tuple[int, ...]) -> Colours:
    """New colours: old cells in order, each split by its points' numbers."""
    ranks = [*zip(held, numbers, strict=True)]
    order = sorted(ranks)
    return tuple([order.index(rank) for rank in ranks])
