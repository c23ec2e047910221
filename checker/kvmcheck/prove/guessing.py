# SPDX-License-Identifier: GPL-2.0-only
"""Guesses at invariants: small clauses that are true in every state that the explorer has seen.

A guess is nothing but that: what is believed of it is proved by induction, and it does not matter how many states were
seen.  A clause is made of literals such as "this thread is at that place", "this bit of that variable is set" and
"these two hold the same".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from random import Random

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import NEVER, Search, prepared
from kvmcheck.engine.layout import Packed
from kvmcheck.engine.reductions import ALL, UNREDUCED
from kvmcheck.prove.encode.cells import Cells, Part
from kvmcheck.prove.encode.circuit import FALSE, TRUE, Circuit, Literal
from kvmcheck.prove.encode.terms import Term, Terms
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.sorts import BoolSort, LockSort

Clause = tuple[Literal, ...]

#: The states that are looked at, and the seconds that this may take.
MOST_STATES, MOST_SECONDS = 60_000, 20.0
#: Of so many pairs of places it is asked whether they hold the same.
MOST_PAIRS = 120
#: No more clauses than these are tried at once.
MOST_CLAUSES = 5_000


def sample(program: Program, *, merge: bool) -> list[Packed]:
    """States that can be reached, the initial ones first."""
    on = replace(ALL if merge else UNREDUCED, symmetry=False)
    budget = Budget(states=MOST_STATES, seconds=MOST_SECONDS)
    search = Search(program, budget=budget, reductions=on, stop=NEVER, traces=1, progress=None)
    with prepared():
        search.run()
    return search.order[:MOST_STATES]


@dataclass(frozen=True, slots=True)
class Column:
    """A literal, and in which of the sampled states it is true, one bit each."""

    literal: Literal
    true: int
    place: int  # the location that it is about, or -1


class Guesses:
    """The clauses over some states."""

    def __init__(self, circuit: Circuit, cells: Cells, terms: Terms, states: Sequence[Packed]) -> None:
        self.circuit = circuit
        self.cells = cells
        self.terms = terms
        # A merged step that fails half way leaves the explorer in places where no step of the system ends.
        seen = [packed for packed in states if all(packed[part.pc] in part.codes for part in self._parts())]
        self.all = (1 << len(seen)) - 1
        self.inputs = self._transposed(seen)
        self.places = list(self._columns(self._places()))
        self.facts = list(self._columns((literal, -1) for literal in self._facts()))

    def _transposed(self, states: Sequence[Packed]) -> dict[int, int]:
        """For each input of the state, in which of the states it is true."""
        found: dict[int, int] = {}
        for slot, own in enumerate(self.cells.state):
            values = [packed[slot] for packed in states]
            kinds = {value: chr(number) for number, value in enumerate(dict.fromkeys(values))}
            # One letter a state, so that a bit's row is one translation: the states are many, their values few.
            row = "".join(map(kinds.__getitem__, reversed(values)))
            codes = {ord(kind): self.cells.encoded(slot, value) for value, kind in kinds.items()}
            for nth, bit in enumerate(own):
                if bit not in (TRUE, FALSE):
                    table = {kind: "1" if code[nth] else "0" for kind, code in codes.items()}
                    found[bit >> 1] = int(row.translate(table), 2)
        return found

    def _parts(self) -> Iterator[Part]:
        yield from self.cells.mains
        yield from (part for part in self.cells.handlers if part is not None)

    def _places(self) -> Iterator[tuple[Literal, int]]:
        """That a thread is at some place."""
        for part in self._parts():
            for code in part.codes.values():
                here = self.cells.vectors.is_number(self.cells.state[part.pc], code)
                if here not in (TRUE, FALSE):
                    yield here, part.pc

    def _facts(self) -> Iterator[Literal]:
        """Bits of what is no location, and which places hold the same."""
        alike: dict[str, list[Term]] = {}
        for slot, cell in enumerate(self.cells.cells):
            if cell.nodes is not None:
                continue
            bits = self.cells.state[slot]
            yield from (bit for bit in bits if bit not in (TRUE, FALSE))
            if not isinstance(cell.sort, BoolSort | LockSort) and cell.width > 1:
                alike.setdefault(repr(cell.sort), []).append(Term(cell.sort, bits[: cell.width]))
        pairs = [pair for terms in alike.values() for pair in combinations(terms, 2)]
        for a, b in pairs[:MOST_PAIRS]:
            same = self.terms.equal(a, b)[0]
            if same not in (TRUE, FALSE):
                yield same

    def _columns(self, literals: Iterable[tuple[Literal, int]]) -> Iterator[Column]:
        wanted = list(literals)
        values = self.evaluated([literal for literal, _ in wanted])
        for (literal, place), true in zip(wanted, values, strict=True):
            yield Column(literal, true, place)

    def evaluated(self, literals: Sequence[Literal]) -> list[int]:
        """For each literal the states in which it is true: all of them at once, a bit each."""
        found: dict[int, int] = {0: self.all}
        for number in self.circuit.cone(literals):
            gate = self.circuit.gates[number]
            if number == 0:
                continue
            if not gate:
                found[number] = self.inputs.get(number, 0)
                continue
            values = [found[a >> 1] ^ self.all if a & 1 else found[a >> 1] for a in gate]
            if len(gate) == 2:
                found[number] = values[0] & values[1]
            else:
                found[number] = (values[0] & values[1]) | (self.all ^ values[0]) & values[2]
        return [found[a >> 1] ^ self.all if a & 1 else found[a >> 1] for a in literals]

    # ------------------------------------------------------------------ clauses

    def clauses(self) -> list[Clause]:
        """What is true in all states: of single literals, and of what a thread's place says of a fact or a place."""
        found: list[Clause] = []
        facts: list[Column] = []
        for column in (*self.places, *self.facts):
            if column.true == self.all:
                found.append((column.literal,))
            elif column.true == 0:
                found.append((column.literal ^ 1,))
            elif column.place < 0:
                facts += [column, Column(column.literal ^ 1, column.true ^ self.all, -1)]
        places = [column for column in self.places if 0 < column.true < self.all]
        for place in places:
            found += [
                (place.literal ^ 1, fact.literal) for fact in facts if not place.true & (fact.true ^ self.all)
            ]
        found += [
            (a.literal ^ 1, b.literal ^ 1)
            for a, b in combinations(places, 2)
            if a.place != b.place and not a.true & b.true
        ]
        return found[:MOST_CLAUSES]

    def against(self, holds: Callable[[list[Literal]], list[bool]], turn: int) -> Clause | None:
        """A clause that is false of a state and true of all that were seen; None if that state was seen.

        `holds` tells which literals are true in it.  Literals are left out one by one for as long as no state that was
        seen has all the others; `turn` says in which order.
        """
        columns = [*self.places, *self.facts]
        true = holds([column.literal for column in columns])
        cube = [
            column if is_true else Column(column.literal ^ 1, column.true ^ self.all, column.place)
            for column, is_true in zip(columns, true, strict=True)
            if is_true or column.place < 0
        ]
        Random(turn).shuffle(cube)
        # Places are left out last: a clause that begins with "at this place" is what people would write.
        cube.sort(key=lambda column: column.place >= 0)
        behind = [self.all]
        for column in reversed(cube):
            behind.append(behind[-1] & column.true)
        if behind[-1]:
            return None
        behind.pop()
        kept: list[Literal] = []
        seen = self.all
        for column in cube:
            rest = behind.pop()
            if seen & rest:
                seen &= column.true
                kept.append(column.literal)
        return tuple(literal ^ 1 for literal in kept)
