# SPDX-License-Identifier: GPL-2.0-only
"""One state for all that differ only in which member of a scalarset, object or like thread is which.

`Symmetry.representative` comes back with the same state for every state of an orbit.  Points are told apart by
colours, refined until nothing changes: a point's key is what stands in its own slots and where it occurs, seen
with the colours of the others.  What is still equal then is tried out, one exchange that changes nothing spared.
Keys are compared by the order in which this run first met them: any order will do, if it is always the same one.
The argument why verdicts stay the same is in docs/explain/reductions/symmetry.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import assert_never

from kvmcheck.engine.finding import (
    BrokenState,
    BrokenStep,
    BrokenTransition,
    Deadlock,
    Finding,
    LockCycle,
    Race,
)
from kvmcheck.engine.layout import Layout, Packed
from kvmcheck.engine.permuting import Actions, Atom, Permutation, Point
from kvmcheck.engine.scalarsets import Refusal, find_atoms
from kvmcheck.semantics.sorts import Sort, Value

#: The colours of an atom's points: for each the number of points before its cell.
Colours = tuple[int, ...]
#: What a point is called while its own key is made.
MARKED = -1
#: Tables grow with the number of different values only; a bound all the same.
LARGEST_TABLE = 1 << 20


class _Numbers(dict[object, int]):
    """Numbers for keys, in the order in which they are first met."""

    def __missing__(self, key: object) -> int:
        number = self[key] = len(self)
        return number


class _Shapes(dict[Value, int]):
    """The numbers of the shapes of one sort's values, for one colouring."""

    def __init__(self, actions: Actions, sort: Sort, colours: list[Colours], numbers: _Numbers) -> None:
        super().__init__()
        self._actions, self._sort, self._numbers = actions, sort, numbers
        self._colours = list(colours)

    def __missing__(self, value: Value) -> int:
        shape = self._actions.shape(self._sort, value, lambda atom, point: self._colours[atom][point])
        number = self[value] = self._numbers["shape", shape]
        return number


@dataclass(slots=True)
class _Kind:
    """A sort whose values name points: which atoms', and its tables by the colours of those."""

    sort: Sort
    touched: tuple[int, ...]
    tables: dict[tuple[Colours, ...], _Shapes]


@dataclass(slots=True)
class _Carrier:
    """A slot in which points of an atom may stand: with what it adds to the keys of those that do."""

    slot: int
    kind: _Kind
    indices: tuple[Point, ...]
    fixed: tuple[object, ...]
    known: dict[tuple[Value, tuple[Colours, ...]], tuple[tuple[int, int], ...]]


@dataclass(slots=True)
class _Own:
    """The slots of one point: compared as they stand, through a table, and those that another index shares."""

    raw: Callable[[Packed], object] | None
    shaped: tuple[tuple[int, _Kind], ...]
    shared: tuple[tuple[int, _Kind | None, tuple[Point, ...], tuple[object, ...]], ...]


@dataclass(slots=True)
class _AtomTables:
    """What is needed for the keys of an atom's points."""

    own: list[_Own]
    carriers: list[_Carrier]
    around: tuple[int, ...]


class Symmetry:
    """The symmetries of a program's states, found once, and the representatives of orbits under them.

    `atoms`: what may be exchanged; `refusals`: what may not, and why.
    """

    def __init__(self, layout: Layout) -> None:
        self.atoms: tuple[Atom, ...]
        self.refusals: tuple[Refusal, ...]
        self.atoms, self.refusals = find_atoms(layout)
        self.actions = Actions(layout, self.atoms)
        self._numbers = _Numbers()
        self._start: list[Colours] = [(0,) * atom.size for atom in self.atoms]
        self._discrete: list[Colours] = [tuple(range(atom.size)) for atom in self.atoms]
        self._kinds: dict[Sort, _Kind] = {}
        self._tables = [self._atom_tables(number) for number in range(len(self.atoms))]
        self._edges: dict[tuple[int, int], frozenset[tuple[int, int]]] = {}

    @property
    def trivial(self) -> bool:
        """Whether there is nothing to exchange."""
        return not self.atoms

    # ------------------------------------------------------------------ tables

    def _kind(self, sort: Sort) -> _Kind:
        if sort not in self._kinds:
            self._kinds[sort] = _Kind(sort, tuple(sorted(self.actions.touches(sort))), {})
        return self._kinds[sort]

    def _atom_tables(self, number: int) -> _AtomTables:
        actions, sorts = self.actions, self.actions.layout.sorts
        own: list[_Own] = []
        around: set[int] = set()
        for point in range(self.atoms[number].size):
            here: Point = (number, point)
            slots = [slot for slot, seat in enumerate(actions.seats) if here in seat.points]
            slots.sort(key=lambda slot: repr(actions.seats[slot].fixed))
            alone = [slot for slot in slots if actions.seats[slot].points == (here,)]
            raw = [slot for slot in alone if not actions.needs_shape(sorts[slot])]
            shaped = [(slot, self._kind(sorts[slot])) for slot in alone if actions.needs_shape(sorts[slot])]
            shared = [
                (
                    slot,
                    self._kind(sorts[slot]) if actions.needs_shape(sorts[slot]) else None,
                    actions.seats[slot].points,
                    actions.seats[slot].fixed,
                )
                for slot in slots
                if actions.seats[slot].points != (here,)
            ]
            own.append(_Own(itemgetter(*raw) if raw else None, tuple(shaped), tuple(shared)))
            for _, kind in shaped:
                around |= set(kind.touched)
            for _, other_kind, points, _ in shared:
                around |= {atom for atom, _ in points} | set(other_kind.touched if other_kind else ())
        carriers = [
            _Carrier(slot, self._kind(sort), actions.seats[slot].points, actions.seats[slot].fixed, {})
            for slot, sort in enumerate(sorts)
            if number in actions.touches(sort)
        ]
        for carrier in carriers:
            around |= {atom for atom, _ in carrier.indices} | set(carrier.kind.touched)
        return _AtomTables(own, carriers, tuple(sorted(around)))

    # ------------------------------------------------------------------ the representative

    def representative(self, state: Packed) -> Packed:
        """The one state that stands for all that exchanges make of this one."""
        return self.canonical(state)[0]

    def canonical(self, state: Packed) -> tuple[Packed, Permutation]:
        """The representative, and a permutation that leads to it."""
        colours = self._start[:]
        self._refine(state, colours)
        if colours == self._discrete or self._is_discrete(colours):
            permutation = tuple(colours)
            return self.actions.apply(permutation, state), permutation
        return self._smallest(state, colours)

    def _is_discrete(self, colours: list[Colours]) -> bool:
        return all(len({*held}) == len(held) for held in colours)

    def _refine(self, state: Packed, colours: list[Colours]) -> None:
        """Split cells until every point of a cell has the same key."""
        waiting = [number for number, held in enumerate(colours) if len({*held}) < len(held)]
        while waiting:
            number = waiting.pop(0)
            split = self._split(state, number, colours)
            if split == colours[number]:
                continue
            colours[number] = split
            for other, tables in enumerate(self._tables):
                if number in tables.around and other not in waiting:
                    held = colours[other]
                    if len({*held}) < len(held):
                        waiting.append(other)

    def _keys(self, state: Packed, number: int, colours: list[Colours]) -> list[object]:
        """The key of each point, not yet numbered: with its colour first."""
        tables = self._tables[number]
        occurrences: list[list[int]] = [[] for _ in tables.own]
        for carrier in tables.carriers:
            value = state[carrier.slot]
            if value is None or value.__class__ is str:
                continue
            kind = carrier.kind
            seen = (
                *[colours[atom] for atom in kind.touched],
                *[(colours[atom][point],) for atom, point in carrier.indices],
            )
            found = carrier.known.get((value, seen))
            if found is None:
                found = self._occurrences(carrier, number, value, colours, seen)
            for point, label in found:
                occurrences[point].append(label)
        numbers = self._numbers
        keys: list[object] = []
        held = colours[number]
        for point, own in enumerate(tables.own):
            shaped = [self._table(kind, colours)[state[slot]] for slot, kind in own.shaped]
            shared = []
            for slot, shared_kind, points, fixed in own.shared:
                value = state[slot]
                shared.append(
                    numbers[
                        fixed,
                        value if shared_kind is None else self._table(shared_kind, colours)[value],
                        tuple([MARKED if at == (number, point) else colours[at[0]][at[1]] for at in points]),
                    ]
                )
            shared.sort()
            occurs = occurrences[point]
            occurs.sort()
            keys.append(
                (
                    held[point],
                    None if own.raw is None else own.raw(state),
                    tuple(shaped),
                    tuple(shared),
                    tuple(occurs),
                )
            )
        return keys

    def _split(self, state: Packed, number: int, colours: list[Colours]) -> Colours:
        """The colours of an atom's points after one look at their keys."""
        held = colours[number]
        keys = self._keys(state, number, colours)
        numbers = self._numbers
        ranks = [(held[point], numbers[number, key]) for point, key in enumerate(keys)]
        order = sorted(ranks)
        return tuple([order.index(rank) for rank in ranks])

    def _table(self, kind: _Kind, colours: list[Colours]) -> _Shapes:
        seen = tuple([colours[atom] for atom in kind.touched])
        table = kind.tables.get(seen)
        if table is None:
            table = kind.tables[seen] = _Shapes(self.actions, kind.sort, colours, self._numbers)
        return table

    def _occurrences(
        self,
        carrier: _Carrier,
        number: int,
        value: Value,
        colours: list[Colours],
        seen: tuple[Colours, ...],
    ) -> tuple[tuple[int, int], ...]:
        """Which points of an atom stand in a slot's value, each with the number of how it does."""
        named: set[int] = set()

        def note(atom: int, point: int) -> int:
            if atom == number:
                named.add(point)
            return 0

        self.actions.shape(carrier.kind.sort, value, note)
        found: list[tuple[int, int]] = []
        for point in sorted(named):

            def name(atom: int, other: int, marked: int = point) -> int:
                return MARKED if (atom, other) == (number, marked) else colours[atom][other]

            shape = self.actions.shape(carrier.kind.sort, value, name)
            at = tuple(name(*index) for index in carrier.indices)
            found.append((point, self._numbers["occurs", carrier.fixed, at, shape]))
        if len(carrier.known) < LARGEST_TABLE:
            carrier.known[value, seen] = tuple(found)
        return tuple(found)

    # ------------------------------------------------------------------ what refinement leaves equal

    def _smallest(self, state: Packed, colours: list[Colours]) -> tuple[Packed, Permutation]:
        """Of all ways to tell equal points apart, the smallest state."""
        best: tuple[Packed, Permutation] | None = None
        smallest = ""
        waiting = [colours]
        while waiting:
            here = waiting.pop()
            cell = self._cell(here)
            if cell is None:
                permutation = tuple(here)
                image = self.actions.apply(permutation, state)
                if best is None or image != best[0]:
                    written = repr(image)
                    if best is None or written < smallest:
                        best, smallest = (image, permutation), written
                continue
            number, points = cell
            for chosen in self._different(state, number, points):
                further = here[:]
                held = list(here[number])
                for point in points:
                    if point != chosen:
                        held[point] += 1
                further[number] = tuple(held)
                self._refine(state, further)
                waiting.append(further)
        assert best is not None
        return best

    def _cell(self, colours: list[Colours]) -> tuple[int, list[int]] | None:
        """The first cell of more than one point."""
        for number, held in enumerate(colours):
            if len({*held}) < len(held):
                colour = min(colour for colour in held if held.count(colour) > 1)
                return number, [point for point, own in enumerate(held) if own == colour]
        return None

    def _different(self, state: Packed, number: int, points: list[int]) -> list[int]:
        """The points of a cell, but of those whose exchange changes nothing only one."""
        chosen: list[int] = []
        for point in points:
            exchanges = (self.actions.exchange(number, earlier, point) for earlier in chosen)
            if not any(self.actions.apply(exchange, state) == state for exchange in exchanges):
                chosen.append(point)
        return chosen

    # ------------------------------------------------------------------ what findings need

    def edge_images(self, held: int, taken: int) -> frozenset[tuple[int, int]]:
        """All pairs of lock slots that exchanges make of one."""
        known = self._edges.get((held, taken))
        if known is None:
            generators = self.actions.generators()
            found = {(held, taken)}
            waiting = [(held, taken)]
            while waiting:
                a, b = waiting.pop()
                for permutation in generators:
                    image = self.actions.slot_after(a, permutation), self.actions.slot_after(b, permutation)
                    if image not in found:
                        found.add(image)
                        waiting.append(image)
            known = frozenset(found)
            for pair in known:
                self._edges[pair] = known
        return known


def concrete(finding: Finding, symmetry: Symmetry, state: Packed) -> Finding:
    """What was found in a representative, as it is in a state of its orbit: threads and slots go back."""
    _, permutation = symmetry.canonical(state)
    actions = symmetry.actions
    back = actions.inverse(permutation)
    match finding:
        case BrokenState() | Deadlock():
            return finding
        case BrokenTransition(thread=thread, after=after):
            return replace(
                finding, thread=actions.thread_after(thread, back), after=actions.apply(back, after)
            )
        case BrokenStep(thread=thread):
            return replace(finding, thread=actions.thread_after(thread, back))
        case Race(threads=(first, second), slot=slot):
            return replace(
                finding,
                threads=(actions.thread_after(first, back), actions.thread_after(second, back)),
                slot=actions.slot_after(slot, back),
            )
        case LockCycle(thread=thread, edges=edges):
            return replace(
                finding,
                thread=actions.thread_after(thread, back),
                edges=tuple(
                    (actions.slot_after(held, back), actions.slot_after(taken, back), span)
                    for held, taken, span in edges
                ),
            )
        case _:
            assert_never(finding)
