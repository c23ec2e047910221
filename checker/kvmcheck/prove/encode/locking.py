# SPDX-License-Identifier: GPL-2.0-only
"""Locks, interrupts, and who may not sleep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kvmcheck.prove.encode.cells import DEEPEST_IRQ
from kvmcheck.prove.encode.circuit import FALSE, TRUE
from kvmcheck.prove.encode.path import Path
from kvmcheck.prove.encode.terms import Term
from kvmcheck.prove.encode.vectors import Vector
from kvmcheck.semantics.program import (
    Acquire,
    Check,
    HeldMode,
    Release,
)
from kvmcheck.semantics.sorts import IntSort, LockSort
from kvmcheck.source.text import Span

if TYPE_CHECKING:
    from kvmcheck.prove.encode.operations import Operations


class Locking:
    """Taking and dropping of one body of one thread."""

    def __init__(self, run: Operations) -> None:
        self.run = run

    def acquire(self, path: Path, operation: Acquire, span: Span) -> None:
        """Take a lock, or try to."""
        expressions, circuit = self.run.expressions, self.run.circuit
        found = expressions.places.resolve(operation.lock, self.run.scene(path, span), TRUE)
        if not found:
            return
        lock = expressions.places.read(found, self.run.scene(path, span))
        tries = operation.target is not None
        mine = expressions.locks.holds(lock, HeldMode.ANY, self.run.me)
        if not tries:
            if operation.flavour.sleeps:
                self.may_sleep(path, span)
            self.run.fault(path, mine, Check.NO_LOCK_MISUSE, span)
        mode = HeldMode.WRITE if operation.shared else HeldMode.ANY
        taken = expressions.locks.holds(lock, mode, None)
        free = circuit.both(taken ^ 1, mine ^ 1)
        if operation.target is not None:
            self.run.set_local(path, operation.target, Term(IntSort(0, 1), (free,)), span)
        else:
            self.run.wait(path, free)
        width = expressions.locks.owner_width
        owner = tuple(TRUE if self.run.thread >> bit & 1 else FALSE for bit in range(width))
        if operation.shared:
            readers = list(lock.bits[1 + width :])
            readers[self.run.thread] = TRUE
            new: Vector = (*lock.bits[: 1 + width], *readers)
        else:
            new = (TRUE, *owner, *lock.bits[1 + width :])
        for variable, element, where in found:
            here = circuit.both(where, free) if tries else where
            self.run.put(path, self.run.layout.first[variable] + element, new, here)

    def release(self, path: Path, operation: Release, span: Span) -> None:
        """Drop a lock."""
        expressions = self.run.expressions
        found = expressions.places.resolve(operation.lock, self.run.scene(path, span), TRUE)
        if not found:
            return
        lock = expressions.places.read(found, self.run.scene(path, span))
        mode = HeldMode.READ if operation.shared else HeldMode.WRITE
        self.run.fault(path, expressions.locks.holds(lock, mode, self.run.me) ^ 1, Check.NO_LOCK_MISUSE, span)
        width = expressions.locks.owner_width
        if operation.flavour.shared and operation.shared:
            readers = list(lock.bits[1 + width :])
            readers[self.run.thread] = FALSE
            new: Vector = (*lock.bits[: 1 + width], *readers)
        else:
            new = (*((FALSE,) * (1 + width)), *lock.bits[1 + width :])
        for variable, element, where in found:
            self.run.put(path, self.run.layout.first[variable] + element, new, where)

    def may_sleep(self, path: Path, span: Span) -> None:
        """Sleeping is wrong while a spinning lock is held, with interrupts disabled, or in a handler."""
        if Check.NO_SLEEP_IN_ATOMIC not in self.run.program.checks:
            return
        circuit = self.run.circuit
        atomic = TRUE if self.run.handler else FALSE
        for slot in self.run.own_locks:
            sort = self.run.cells.cells[slot].sort
            if isinstance(sort, LockSort) and not sort.flavour.sleeps:
                atomic = circuit.either(atomic, self.run.mine(path, slot))
        irq = self.irq_slot()
        if irq is not None:
            atomic = circuit.either(atomic, circuit.some(self.run.bits(path, irq)))
        self.run.fault(path, atomic, Check.NO_SLEEP_IN_ATOMIC, span)

    def irq_slot(self) -> int | None:
        """Where the thread's irq depth is kept, if it is."""
        process = self.run.program.threads[self.run.thread].process
        offset = self.run.layout.processes[process].irq
        return None if offset is None else self.run.layout.base[self.run.thread] + offset

    def irq(self, path: Path, span: Span, *, disable: bool) -> None:
        """Disable interrupts once more, or enable them once."""
        slot = self.irq_slot()
        assert slot is not None
        depth = Term(IntSort(0, DEEPEST_IRQ), self.run.bits(path, slot))
        if not disable:
            self.run.fault(path, self.run.terms.is_value(depth, 0), Check.NO_LOCK_MISUSE, span)
        step = 1 if disable else -1
        new = self.run.terms.sum_of(depth, self.run.terms.constant(IntSort(step, step), step))
        kept = self.run.expressions.kept(new, depth.sort, self.run.scene(path, span), TRUE)
        self.run.put(path, slot, kept.bits, TRUE)
