# SPDX-License-Identifier: GPL-2.0-only
"""One state for all that differ only in which member of a scalarset, object or like thread is which.

`Symmetry.representative` comes back with the same state for every state of an orbit.  Points are told apart by
colours, refined until nothing changes: a point's key is what stands in its own slots and where it occurs, seen
with the colours of the others.  What is still equal then is tried out, one exchange that changes nothing spared.
Keys are compared by the order in which this run first met them: any order will do, if it is always the same one.
The argument why verdicts stay the same is in docs/explain/reductions/symmetry.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from kvmcheck.engine.colouring import Colours, Numbers, Splitter
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
from kvmcheck.engine.permuting import Actions, Atom, Permutation
from kvmcheck.engine.scalarsets import Refusal, find_atoms


class Symmetry:
    """The symmetries of a program's states, found once, and the representatives of orbits under them.

    `atoms`: what may be exchanged; `refusals`: what may not, and why.
    """

    def __init__(self, layout: Layout) -> None:
        self.atoms: tuple[Atom, ...]
        self.refusals: tuple[Refusal, ...]
        self.atoms, self.refusals = find_atoms(layout)
        self.actions = Actions(layout, self.atoms)
        self._numbers = Numbers()
        self._start: list[Colours] = [(0,) * atom.size for atom in self.atoms]
        splitters = [Splitter(self.actions, number, self._numbers) for number in range(len(self.atoms))]
        #: For each atom: its number, how its cells are split, and the sum of its colours once all points differ.
        self._splits = [
            (number, splitter.split, splitter.size * (splitter.size - 1) // 2)
            for number, splitter in enumerate(splitters)
        ]
        self._watchers = [
            tuple(other for other, splitter in enumerate(splitters) if number in splitter.around)
            for number in range(len(splitters))
        ]
        self._edges: dict[tuple[int, int], frozenset[tuple[int, int]]] = {}

    @property
    def trivial(self) -> bool:
        """Whether there is nothing to exchange."""
        return not self.atoms

    # ------------------------------------------------------------------ the representative

    def representative(self, state: Packed) -> Packed:
        """The one state that stands for all that exchanges make of this one."""
        return self.canonical(state)[0]

    def canonical(self, state: Packed) -> tuple[Packed, Permutation]:
        """The representative, and a permutation that leads to it."""
        colours = self._start[:]
        tied: list[int] = []
        for number, split, told_apart in self._splits:
            held = colours[number] = split(state, colours)
            if sum(held) != told_apart:
                tied.append(number)
        if tied:
            self._refine(state, colours, tied)
            if any(sum(held) != whole for held, (_, _, whole) in zip(colours, self._splits, strict=True)):
                return self._smallest(state, colours)
        permutation = tuple(colours)
        return self.actions.apply(permutation, state), permutation

    def _refine(self, state: Packed, colours: list[Colours], waiting: list[int]) -> None:
        """Split cells of the atoms that wait, and of those that see them, until nothing changes."""
        while waiting:
            number = waiting.pop(0)
            split = self._splits[number][1]
            held = split(state, colours)
            if held == colours[number]:
                continue
            colours[number] = held
            waiting += [other for other in self._seeing(number, colours) if other not in waiting]

    def _seeing(self, number: int, colours: list[Colours]) -> list[int]:
        """The atoms with cells to be split that an atom's colours may split."""
        return [other for other in self._watchers[number] if sum(colours[other]) != self._splits[other][2]]

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
                self._refine(state, further, self._seeing(number, further))
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
