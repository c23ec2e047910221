# SPDX-License-Identifier: GPL-2.0-only
"""Places as terms: which elements an expression of a place may mean, and what stands there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import assert_never

from kvmcheck.prove.encode.circuit import FALSE, TRUE, Literal
from kvmcheck.prove.encode.faults import fail, unwrapped
from kvmcheck.prove.encode.scene import Scene
from kvmcheck.prove.encode.terms import Term, Terms, highest, is_numeric, lowest
from kvmcheck.prove.encode.values import CannotCarry
from kvmcheck.semantics.expressions import element_index
from kvmcheck.semantics.program import Check, Expr, Place, PointerPlace, VariablePlace
from kvmcheck.semantics.sorts import ObjectPointerSort, OptionalSort, Sort, member_count

#: The elements that a place may be: variable, element, and where it is that one; the literals exclude each other.
Candidates = list[tuple[int, int, Literal]]
#: The term of an expression, evaluated where a literal is true.
Evaluate = Callable[[Expr, Scene, Literal], Term]


class Places:
    """The places of one program; `evaluate` gives the terms of their indices."""

    def __init__(self, terms: Terms, evaluate: Evaluate) -> None:
        self.terms = terms
        self.evaluate = evaluate
        self.circuit = terms.circuit
        self.coder = terms.coder
        self.program = terms.coder.program
        self.layout = terms.coder.layout
        self.vectors = terms.vectors

    def resolve(self, place: Place, scene: Scene, when: Literal) -> Candidates:
        """The elements that a place may be; where it is none of them that is a fault."""
        match place:
            case VariablePlace(variable=number, indices=indices):
                chosen = self._positions(number, 0, indices, scene, when)
                return self._elements(number, chosen)
            case PointerPlace(pointer=pointer, target=target, component=component, indices=indices):
                pointed = unwrapped(
                    self.circuit, self.evaluate(pointer, scene, when), scene, when, scene.span
                )
                bits = pointed.bits
                fail(scene, self.circuit.both(when, bits[0] ^ 1), Check.NO_USE_AFTER_FREE, scene.span)
                when = self.circuit.both(when, bits[0])
                found: Candidates = []
                first = 1 + self.coder.root_width(target)
                for number, root in enumerate(self.program.roots[target]):
                    here = self.vectors.is_number(bits[1:first], number)
                    if here == FALSE:
                        continue
                    variable = root.components[component]
                    dimensions = self.program.variables[variable].dimensions
                    known: list[list[Literal]] = []
                    start = first
                    for is_object, sort, dimension in zip(
                        root.objects, self.coder.indices(target), dimensions, strict=False
                    ):
                        width = 1 + self.coder.width(sort)
                        within = self.circuit.both(when, here)
                        if is_object:
                            fail(
                                scene,
                                self.circuit.both(within, bits[start]),
                                Check.NO_USE_AFTER_FREE,
                                scene.span,
                            )
                        index = bits[start + 1 : start + width]
                        known.append(
                            [self.vectors.is_number(index, n) for n in range(member_count(dimension))]
                        )
                        start += width
                    rest = self._positions(
                        variable, len(known), indices, scene, self.circuit.both(when, here)
                    )
                    found += [
                        (v, element, self.circuit.both(here, chosen))
                        for v, element, chosen in self._elements(variable, [*known, *rest])
                    ]
                return [entry for entry in found if entry[2] != FALSE]
            case _:
                assert_never(place)

    def _positions(
        self, variable: int, before: int, indices: Sequence[Expr], scene: Scene, when: Literal
    ) -> list[list[Literal]]:
        """For each index the positions that it may be."""
        dimensions = self.program.variables[variable].dimensions[before:]
        given = [self.evaluate(index, scene, when) for index in indices]
        found: list[list[Literal]] = []
        for dimension, term in zip(dimensions, given, strict=True):
            chosen = self.one_hot(term, dimension, scene, when)
            if not self._surely_inside(term, dimension):
                outside = self.circuit.some(chosen) ^ 1
                fail(scene, self.circuit.both(when, outside), Check.NO_OUT_OF_BOUNDS, scene.span)
            found.append(chosen)
        return found

    def _surely_inside(self, term: Term, dimension: Sort) -> bool:
        sort = term.sort
        if isinstance(sort, OptionalSort):
            sort = sort.inner
        if isinstance(sort, ObjectPointerSort):
            return isinstance(dimension, ObjectPointerSort) and sort.size <= dimension.size
        if not is_numeric(sort) or isinstance(dimension, OptionalSort):
            return False
        least = lowest(dimension) if is_numeric(dimension) else 0
        return least <= lowest(sort) and highest(sort) < least + member_count(dimension)

    def _elements(self, variable: int, chosen: list[list[Literal]]) -> Candidates:
        """The elements of a variable, where each index may be several positions."""
        dimensions = self.program.variables[variable].dimensions
        found: list[tuple[tuple[int, ...], Literal]] = [((), TRUE)]
        for positions in chosen:
            found = [
                ((*indices, position), both)
                for indices, here in found
                for position, there in enumerate(positions)
                if (both := self.circuit.both(here, there)) != FALSE
            ]
        return [(variable, element_index(dimensions, indices), here) for indices, here in found]

    def one_hot(self, term: Term, sort: Sort, scene: Scene, when: Literal) -> list[Literal]:
        """For each position of a member of a sort, whether the term is that one."""
        match sort:
            case OptionalSort(inner=inner):
                if not isinstance(term.sort, OptionalSort):
                    return [FALSE, *self.one_hot(term, inner, scene, when)]
                held = Term(term.sort.inner, term.bits[1:])
                within = self.circuit.both(when, term.bits[0])
                return [
                    term.bits[0] ^ 1,
                    *(
                        self.circuit.both(term.bits[0], bit)
                        for bit in self.one_hot(held, inner, scene, within)
                    ),
                ]
            case ObjectPointerSort(size=size):
                term = unwrapped(self.circuit, term, scene, when, scene.span)
                if is_numeric(term.sort):  # the position itself, as `Op.OBJECT` gives it
                    return [self.terms.is_value(term, n) for n in range(size)]
                fail(scene, self.circuit.both(when, term.bits[0] ^ 1), Check.NO_OUT_OF_BOUNDS, scene.span)
                number = term.bits[1 + self.coder.frees :]
                return [self.vectors.is_number(number, n) for n in range(size)]
            case _:
                term = unwrapped(self.circuit, term, scene, when, scene.span)
                if isinstance(term.sort, ObjectPointerSort):
                    number = term.bits[1 + self.coder.frees :]
                    return [self.vectors.is_number(number, n) for n in range(member_count(sort))]
                least = lowest(sort)
                return [self.terms.is_value(term, least + n) for n in range(member_count(sort))]

    def read(self, candidates: Candidates, scene: Scene) -> Term:
        """The value of a place."""
        if not candidates:
            raise CannotCarry("an access to a place that there is not", scene.span)
        found: list[Literal] | None = None
        sort = self.program.variables[candidates[0][0]].sort
        for variable, element, here in reversed(candidates):
            bits = scene.view.slot(self.layout.first[variable] + element)
            found = list(bits if found is None else self.vectors.mux(here, bits, found))
        assert found is not None
        return Term(sort, tuple(found))
