# SPDX-License-Identifier: GPL-2.0-only
"""The operators on sets, which are a bit a member, and on lists, which are a length and so many places."""

from __future__ import annotations

from dataclasses import replace

from kvmcheck.prove.encode.circuit import FALSE, Literal
from kvmcheck.prove.encode.faults import fail, unwrapped
from kvmcheck.prove.encode.places import Places
from kvmcheck.prove.encode.scene import Scene
from kvmcheck.prove.encode.terms import Term, truth
from kvmcheck.prove.encode.values import CannotCarry
from kvmcheck.semantics.program import Apply, Check, Op
from kvmcheck.semantics.sorts import IntSort, ListSort, SetSort
from kvmcheck.source.text import Span


class Collections:
    """Sets and lists of one program."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.terms = places.terms
        self.circuit = places.circuit
        self.vectors = places.vectors

    def applied(
        self, expression: Apply, terms: list[Term], scene: Scene, when: Literal, span: Span | None
    ) -> Term:
        """An operator on sets or lists."""
        op = expression.op
        circuit = self.circuit
        inner = replace(scene, span=span)
        match op:
            case Op.IN if isinstance(terms[1].sort, SetSort):
                position = self.places.one_hot(terms[0], terms[1].sort.element, inner, when)
                return truth(
                    circuit.some(circuit.both(a, b) for a, b in zip(position, terms[1].bits, strict=True))
                )
            case Op.SET_ADD | Op.SET_REMOVE:
                assert isinstance(terms[0].sort, SetSort)
                position = self.places.one_hot(terms[1], terms[0].sort.element, inner, when)
                change = circuit.either if op is Op.SET_ADD else lambda a, b: circuit.both(a, b ^ 1)
                return Term(
                    terms[0].sort, tuple(change(a, b) for a, b in zip(terms[0].bits, position, strict=True))
                )
            case Op.SET_UNION | Op.SET_INTERSECT | Op.SET_MINUS:
                pairs = zip(terms[0].bits, terms[1].bits, strict=True)
                match op:
                    case Op.SET_UNION:
                        bits = tuple(circuit.either(a, b) for a, b in pairs)
                    case Op.SET_INTERSECT:
                        bits = tuple(circuit.both(a, b) for a, b in pairs)
                    case _:
                        bits = tuple(circuit.both(a, b ^ 1) for a, b in pairs)
                return Term(terms[0].sort, bits)
            case Op.SET_MAKE:
                assert isinstance(expression.sort, SetSort)
                mask = [FALSE] * self.terms.coder.width(expression.sort)
                for term in terms:
                    position = self.places.one_hot(term, expression.sort.element, inner, when)
                    mask = [circuit.either(a, b) for a, b in zip(mask, position, strict=True)]
                return Term(expression.sort, tuple(mask))
            case Op.SIZE:
                if isinstance(terms[0].sort, SetSort):
                    return self.terms.number(0, len(terms[0].bits), self.vectors.count(terms[0].bits))
                return self.terms.length(terms[0])
            case _:
                return self._list(expression, terms, inner, when)

    def _list(self, expression: Apply, terms: list[Term], scene: Scene, when: Literal) -> Term:
        op = expression.op
        circuit, span = self.circuit, scene.span
        if op is Op.LIST_MAKE:
            assert isinstance(expression.sort, ListSort)
            count = self.terms.constant(IntSort(0, 0), len(terms))
            return self.terms.make_list(expression.sort, count, terms)
        if op is Op.IN:
            held = self._filled(terms[1])
            hits: list[Literal] = []
            for here, place in held:
                same, bad = self.terms.equal(terms[0], place)
                open_ = circuit.some(hits) ^ 1
                fail(
                    scene,
                    self.circuit.both(circuit.every((when, here, open_)), bad),
                    Check.SEQ_LOST_UPDATE,
                    span,
                )
                hits.append(circuit.both(here, same))
            return truth(circuit.some(hits))
        items = self._filled(terms[0])
        length = self.terms.length(terms[0])
        match op:
            case Op.LIST_PUSH:
                sort = expression.sort
                assert isinstance(sort, ListSort)
                hit = circuit.both(when, self.terms.is_value(length, sort.capacity))
                if hit != FALSE:
                    scene.fault(hit, Check.NO_OUT_OF_BOUNDS, span, expression.data == 1)
                places = [
                    self.terms.mux(self.terms.is_value(length, nth), terms[1], place, sort.element)
                    for nth, (_, place) in enumerate(items)
                ]
                longer = self.terms.sum_of(length, self.terms.constant(IntSort(1, 1), 1))
                return self.terms.make_list(sort, longer, places)
            case Op.LIST_POP | Op.LIST_LAST:
                empty = self.terms.is_value(length, 0)
                fail(scene, self.circuit.both(when, empty), Check.NO_OUT_OF_BOUNDS, span)
                if op is Op.LIST_LAST:
                    return self._at(items, length, 1)
                assert isinstance(terms[0].sort, ListSort)
                shorter = self.terms.sum_of(length, self.terms.constant(IntSort(-1, -1), -1))
                return self.terms.make_list(terms[0].sort, shorter, [place for _, place in items])
            case Op.LIST_AT:
                index = unwrapped(self.circuit, terms[1], scene, when, span)
                inside = circuit.both(
                    self.terms.less(index, length, or_equal=False),
                    self.terms.less(self.terms.constant(IntSort(0, 0), 0), index, or_equal=True),
                )
                fail(scene, self.circuit.both(when, inside ^ 1), Check.NO_OUT_OF_BOUNDS, span)
                return self._at(items, index, 0)
            case Op.DISTINCT:
                clashes: list[Literal] = []
                for nth, (_, place) in enumerate(items):
                    for here, other in items[nth + 1 :]:
                        clashes.append(circuit.both(here, self.terms.equal(place, other)[0]))
                return truth(circuit.some(clashes) ^ 1)
            case _:
                raise CannotCarry(f"the operator `{op.value}`", span)

    def _filled(self, term: Term) -> list[tuple[Literal, Term]]:
        """The places of a list, and whether each holds an element."""
        length = self.terms.length(term)
        return [
            (self.vectors.below(length.bits, nth + 1) ^ 1, place)
            for nth, place in enumerate(self.terms.elements(term))
        ]

    def _at(self, items: list[tuple[Literal, Term]], index: Term, behind: int) -> Term:
        """The element at an index less `behind`."""
        found = items[0][1]
        for nth, (_, place) in enumerate(items):
            found = self.terms.mux(self.terms.is_value(index, nth + behind), place, found, place.sort)
        return found
