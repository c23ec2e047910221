# SPDX-License-Identifier: GPL-2.0-only
"""Stores and updates, and what an increment of a seq does to everybody who holds a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kvmcheck.prove.encode.circuit import FALSE, TRUE, Literal
from kvmcheck.prove.encode.path import Path
from kvmcheck.prove.encode.places import Candidates
from kvmcheck.prove.encode.terms import Term
from kvmcheck.prove.encode.values import CannotCarry
from kvmcheck.prove.encode.vectors import Vector
from kvmcheck.semantics.pointers import is_seq
from kvmcheck.semantics.program import (
    Apply,
    Check,
    Expr,
    OldValue,
    Op,
    Order,
    Place,
    Update,
)
from kvmcheck.semantics.sorts import Sort
from kvmcheck.source.text import Span

if TYPE_CHECKING:
    from kvmcheck.prove.encode.operations import Operations


class Stores:
    """Stores of one body of one thread."""

    def __init__(self, run: Operations) -> None:
        self.run = run

    def store(
        self, path: Path, place: Place, value: Expr, span: Span, order: Order | None, *, marked: bool
    ) -> None:
        """Store a value; a home takes nothing but the successor of what it holds."""
        expressions = self.run.expressions
        scene = self.run.scene(path, span)
        found = expressions.places.resolve(place, scene, TRUE)
        if not found:
            return
        if self.run.layout.first[found[0][0]] + found[0][1] in self.run.homes:
            following = isinstance(value, Apply) and value.op is Op.NEXT
            copy = (
                expressions.term(value.arguments[0], scene)
                if isinstance(value, Apply) and following
                else None
            )
            if not following:
                expressions.term(value, scene)
            if order is not None:
                self.run.access.made(path, found, span, write=True, order=order, marked=marked)
            self._advance_homes(path, found, copy, span)
            return
        stored = expressions.term(value, scene)
        if order is not None:
            self.run.access.made(path, found, span, write=True, order=order, marked=marked)
        self._write(path, found, stored, span)

    def _write(self, path: Path, found: Candidates, stored: Term, span: Span) -> None:
        if not found:
            return
        kept = self.run.expressions.kept(
            stored, self.run.program.variables[found[0][0]].sort, self.run.scene(path, span), TRUE
        )
        for variable, element, where in found:
            self.run.put(path, self.run.layout.first[variable] + element, kept.bits, where)

    def _advance_homes(self, path: Path, found: Candidates, copy: Term | None, span: Span) -> None:
        """Store into a home: only the successor of what it holds; None: something else."""
        circuit = self.run.circuit
        newest = FALSE
        if copy is not None:
            for variable, element, where in found:
                slot = self.run.layout.first[variable] + element
                held = Term(copy.sort, self.run.bits(path, slot))
                same, other = self.run.terms.equal(copy, held)
                newest = circuit.either(newest, circuit.every((where, same, other ^ 1)))
        self.run.fault(path, newest ^ 1, Check.SEQ_LOST_UPDATE, span)
        for variable, element, where in found:
            self._increment(path, self.run.layout.first[variable] + element, where)

    def _increment(self, path: Path, slot: int, where: Literal) -> None:
        """A home counts up, where a literal is true: no copy is its newest value any more."""
        home, marks = self.run.homes[slot], self.run.cells.coder.seq
        if not marks.compared:
            change = self.run.parts.outdated(home, where)
            for other in self.run.seq_slots:
                if other not in self.run.homes:
                    cell, bits = self.run.cells.cells[other], self.run.bits(path, other)
                    value = self.run.parts.changed(cell.sort, bits[: cell.width], change)
                    path.slots[other] = (*value, *bits[cell.width :])
            for local, (held, term) in path.locals.items():
                if self.run.parts.has_seq(term.sort):
                    path.locals[local] = (
                        held,
                        Term(term.sort, self.run.parts.changed(term.sort, term.bits, change)),
                    )
            return
        name = self._new_name(path)
        taken = self.run.circuit.both(path.guard, where)
        for bits in self._names(path):
            self.run.conditions.append(self.run.circuit.both(taken, self.run.vectors.equal(bits, name)) ^ 1)
        old = self.run.bits(path, slot)
        self.run.put(path, slot, (*old[: marks.home], *name), where)

    def _new_name(self, path: Path) -> Vector:
        """The inputs that name a new value of a seq."""
        bits: list[Literal] = []
        for bit in range(self.run.cells.coder.seq.mark):
            bits.append(self.run.new_input(f"name{path.names}", bit))
        path.names += 1
        self.run.named.update(bits)
        return tuple(bits)

    def _names(self, path: Path) -> list[Vector]:
        """The names of all seqs that anything holds now."""
        found: list[Vector] = []
        width = self.run.cells.coder.seq.home

        def note(sort: Sort, bits: Vector) -> Vector:
            if is_seq(sort):
                found.append(bits[width:])
            return bits

        for slot in self.run.seq_slots:
            cell = self.run.cells.cells[slot]
            self.run.parts.changed(cell.sort, self.run.bits(path, slot)[: cell.width], note)
        for _, term in path.locals.values():
            if self.run.parts.has_seq(term.sort):
                self.run.parts.changed(term.sort, term.bits, note)
        return found

    def update(self, path: Path, operation: Update, span: Span, *, marked: bool) -> None:
        """Read, change and write in one."""
        expressions = self.run.expressions
        found = expressions.places.resolve(operation.place, self.run.scene(path, span), TRUE)
        self.run.access.made(path, found, span, write=True, order=operation.order, marked=marked)
        if not found:
            return
        old = expressions.places.read(found, self.run.scene(path, span))
        scene = self.run.scene(path, span, old_value=old)
        if self.run.layout.first[found[0][0]] + found[0][1] in self.run.homes:
            self._update_home(path, operation, found, old, span)
            return
        stored = expressions.term(operation.new, scene)
        told = None if operation.result is None else expressions.term(operation.result, scene)
        self._write(path, found, stored, span)
        if operation.target is not None:
            assert told is not None
            self.run.set_local(path, operation.target, told, span)

    def _update_home(self, path: Path, operation: Update, found: Candidates, old: Term, span: Span) -> None:
        match operation.new:
            case Apply(op=Op.NEXT, arguments=(OldValue(),)):
                pass
            case _:
                raise CannotCarry("an update of a seq that is no increment", span)
        if operation.target is not None:
            match operation.result:
                case OldValue():
                    # The old value is in hand while the home counts up, like any other copy.
                    self.run.set_local(path, operation.target, old, span)
                case _:
                    raise CannotCarry("an update of a seq that tells something else than the old value", span)
        for variable, element, where in found:
            self._increment(path, self.run.layout.first[variable] + element, where)
