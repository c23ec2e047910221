# SPDX-License-Identifier: GPL-2.0-only
"""Accesses to shared variables: whether their guards allow them, and which of them may race."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from kvmcheck.prove.encode.circuit import FALSE, TRUE, Literal
from kvmcheck.prove.encode.path import Access, Path
from kvmcheck.prove.encode.places import Candidates
from kvmcheck.prove.encode.scene import Scene
from kvmcheck.prove.encode.terms import Term
from kvmcheck.semantics.expressions import sort_of
from kvmcheck.semantics.program import (
    Check,
    Guard,
    GuardBoth,
    GuardHeld,
    GuardMarked,
    GuardOwner,
    Order,
)
from kvmcheck.semantics.sorts import IntSort, Sort, member_count
from kvmcheck.source.text import Span

if TYPE_CHECKING:
    from kvmcheck.prove.encode.operations import Operations


class Accesses:
    """What accesses of one body need and meet; `racy`: the variables of which two accesses may race."""

    def __init__(self, operations: Operations, racy: frozenset[int]) -> None:
        self.operations = operations
        self.racy = racy

    def made(
        self, path: Path, found: Candidates, span: Span, *, write: bool, order: Order, marked: bool
    ) -> None:
        """An access to one of some elements is made."""
        operations = self.operations
        marked = marked or order.marked
        if operations.process.hardware or not found:
            return
        for variable, element, where in found:
            rule = operations.program.variables[variable].guard
            if rule is None:
                continue
            strict = write or rule.strict
            if strict or (not marked and Check.NO_DATA_RACE in operations.program.checks):
                scene = self._at(path, span, variable, element, rule.dimensions)
                guard = rule.write if write else rule.read
                missing = operations.circuit.both(
                    where, self._guarded(guard, scene, where, marked=marked) ^ 1
                )
                check = Check.NO_UNGUARDED_ACCESS if strict else Check.NO_DATA_RACE
                operations.fault(path, missing, check, span)
        for variable, element, where in found:
            if variable in self.racy:
                literal = operations.circuit.both(path.guard, where)
                if literal != FALSE:
                    slot = operations.layout.first[variable] + element
                    operations.accesses.append(Access(slot, write, marked, literal))

    def _at(self, path: Path, span: Span, variable: int, element: int, names: tuple[str, ...]) -> Scene:
        """The scene of a guard, in which a variable's dimensions have names."""
        operations = self.operations
        bound: dict[str, Term] = {}
        for name, dimension in zip(
            reversed(names), reversed(operations.program.variables[variable].dimensions), strict=True
        ):
            count = member_count(dimension)
            if name:
                bound[name] = operations.terms.constant(_as_index(dimension), element % count)
            element //= count
        return replace(operations.scene(path, span), bound=bound)

    def _guarded(self, guard: Guard, scene: Scene, when: Literal, *, marked: bool) -> Literal:
        operations = self.operations
        circuit, expressions = operations.circuit, operations.expressions
        match guard:
            case GuardHeld(lock=lock, mode=mode):
                found = expressions.places.resolve(lock, scene, when)
                return expressions.locks.holds(expressions.places.read(found, scene), mode, operations.me)
            case GuardMarked():
                return TRUE if marked else FALSE
            case GuardOwner(index=index):
                value = expressions.term(index, scene, when)
                return circuit.some(
                    expressions.terms.equal(own, value)[0]
                    for (_, sort), own in zip(
                        operations.process.parameters, operations.parameters, strict=True
                    )
                    if sort == sort_of(index)
                )
            case GuardBoth(parts=parts, every=every):
                answers = [self._guarded(part, scene, when, marked=marked) for part in parts]
                return circuit.every(answers) if every else circuit.some(answers)
            case _:
                assert_never(guard)


def _as_index(dimension: Sort) -> Sort:
    """A dimension's positions as numbers, where the dimension does not count from 0."""
    return IntSort(0, member_count(dimension) - 1) if isinstance(dimension, IntSort) else dimension
