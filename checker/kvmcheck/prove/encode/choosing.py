# SPDX-License-Identifier: GPL-2.0-only
"""Choices, and objects that come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kvmcheck.prove.encode.circuit import FALSE, TRUE, Literal
from kvmcheck.prove.encode.path import Path
from kvmcheck.prove.encode.scene import OnRead
from kvmcheck.prove.encode.terms import Term
from kvmcheck.prove.encode.values import CannotCarry
from kvmcheck.prove.encode.vectors import Vector
from kvmcheck.semantics.numbering import element_count
from kvmcheck.semantics.pointers import is_seq
from kvmcheck.semantics.program import (
    Allocate,
    Check,
    Choose,
    Free,
)
from kvmcheck.source.text import Span

if TYPE_CHECKING:
    from kvmcheck.prove.encode.operations import Operations


class Choosing:
    """What one body of one thread chooses."""

    def __init__(self, run: Operations) -> None:
        self.run = run

    def choose(self, path: Path, operation: Choose, span: Span, *, marked: bool) -> None:
        """Take any member that fits."""
        circuit, expressions = self.run.circuit, self.run.expressions
        reading = self.run.scene(path, span, on_read=self.run.reading(path, span, marked=marked))
        members = list(expressions.domain(operation.sort, operation.domain, reading, TRUE))
        target = operation.target
        before = path.locals.get(target)
        fits: list[Literal] = []
        for member, here in members:
            if operation.where is not None and here != FALSE:
                # Each candidate is looked at, whichever is taken: what goes wrong with one goes wrong.
                self.run.set_local(path, target, member, span)
                scene = self.run.scene(path, span, on_read=self._reading_if(path, span, here, marked=marked))
                here = circuit.both(here, expressions.condition(operation.where, scene, here))
            fits.append(here)
        if before is None:
            path.locals.pop(target, None)
        else:
            path.locals[target] = before
        chosen = self.run.number_input(path, len(members))
        taken = [circuit.both(here, self.run.vectors.is_number(chosen, nth)) for nth, here in enumerate(fits)]
        valid = circuit.some(taken)
        self.run.lost = circuit.either(self.run.lost, circuit.both(path.guard, valid ^ 1))
        path.guard = circuit.both(path.guard, valid)
        if path.guard == FALSE:
            return
        sort = self.run.body.locals[target].sort
        bits: Vector = (FALSE,) * self.run.cells.coder.width(sort)
        for (member, _), here in zip(members, taken, strict=True):
            bits = self.run.vectors.mux(here, self.run.terms.fitted(member, sort)[0], bits)
        path.locals[target] = (TRUE, Term(sort, bits))

    def _reading_if(self, path: Path, span: Span, here: Literal, *, marked: bool) -> OnRead:
        note = self.run.reading(path, span, marked=marked)

        def noted(variable: int, element: int, where: Literal) -> None:
            note(variable, element, self.run.circuit.both(here, where))

        return noted

    def allocate(self, path: Path, operation: Allocate, span: Span) -> None:
        """Take any object that is free."""
        circuit = self.run.circuit
        pool = self.run.program.pools[operation.pool]
        mask_slot = self.run.layout.first[pool.allocated]
        mask = self.run.bits(path, mask_slot)
        full = circuit.every(mask)
        if not operation.or_null:
            self.run.fault(path, full, Check.NO_OUT_OF_BOUNDS, span, overflow=True)
        chosen = self.run.number_input(path, pool.size)
        taken = [
            circuit.both(mask[number] ^ 1, self.run.vectors.is_number(chosen, number))
            for number in range(pool.size)
        ]
        valid = circuit.either(circuit.some(taken), full)
        self.run.lost = circuit.either(self.run.lost, circuit.both(path.guard, valid ^ 1))
        path.guard = circuit.both(path.guard, valid)
        if path.guard == FALSE:
            return
        self.run.put(path, mask_slot, [circuit.either(a, b) for a, b in zip(mask, taken, strict=True)], TRUE)
        if operation.zeroed:
            for field in pool.fields:
                self._reset(path, field, pool.size, taken, span)
        stale = (FALSE,) if self.run.cells.coder.frees else ()
        bits: Vector = (full ^ 1, *stale, *(circuit.both(bit, full ^ 1) for bit in chosen))
        sort = self.run.body.locals[operation.target].sort
        path.locals[operation.target] = (TRUE, Term(sort, bits))

    def _reset(self, path: Path, field: int, size: int, taken: list[Literal], span: Span) -> None:
        """The field of a new object at its default; a seq's home goes on counting."""
        if field in self.run.layout.numbering.first_home:
            return
        variable = self.run.program.variables[field]
        each = element_count(variable) // size
        if is_seq(variable.sort) and self.run.layout.zero is not None:
            fresh: Vector = self.run.bits(path, self.run.layout.zero)
        elif self.run.parts.has_seq(variable.sort) and self.run.layout.zero is not None:
            raise CannotCarry("an object that is zeroed with seqs inside its words", span)
        else:
            initial = self.run.layout.numbering.initial(variable.sort, variable.initial)
            code = self.run.cells.coder.encode(variable.sort, initial)
            fresh = tuple(TRUE if bit else FALSE for bit in code)
        for number, here in enumerate(taken):
            for nth in range(each):
                self.run.put(path, self.run.layout.first[field] + number * each + nth, fresh, here)

    def free(self, path: Path, operation: Free, span: Span) -> None:
        """Free an object: every pointer to it is stale."""
        pool = self.run.program.pools[operation.pool]
        pointer = self.run.expressions.term(operation.pointer, self.run.scene(path, span))
        self.run.fault(path, pointer.bits[0] ^ 1, Check.NO_USE_AFTER_FREE, span)
        self.run.fault(path, pointer.bits[1], Check.NO_USE_AFTER_FREE, span)
        number = pointer.bits[2:]
        slot = self.run.layout.first[pool.allocated]
        freed = [self.run.vectors.is_number(number, nth) for nth in range(pool.size)]
        mask = self.run.bits(path, slot)
        self.run.put(
            path, slot, [self.run.circuit.both(a, b ^ 1) for a, b in zip(mask, freed, strict=True)], TRUE
        )
        change = self.run.parts.stale(pool.name, number, TRUE)
        for other in self.run.pointer_slots:
            cell, bits = self.run.cells.cells[other], self.run.bits(path, other)
            value = self.run.parts.changed(cell.sort, bits[: cell.width], change)
            path.slots[other] = (*value, *bits[cell.width :])
        for local, (held, term) in path.locals.items():
            if self.run.parts.has_pointer(term.sort):
                changed = self.run.parts.changed(term.sort, term.bits, change)
                path.locals[local] = (held, Term(term.sort, changed))
