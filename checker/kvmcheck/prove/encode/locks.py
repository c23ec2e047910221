# SPDX-License-Identifier: GPL-2.0-only
"""Who holds a lock, as terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from kvmcheck.prove.encode.circuit import FALSE, TRUE, Literal
from kvmcheck.prove.encode.terms import Term, Terms
from kvmcheck.semantics.program import HeldMode


class Locks:
    """The locks of one program."""

    def __init__(self, terms: Terms) -> None:
        self.circuit = terms.circuit
        self.program = terms.coder.program
        self.vectors = terms.vectors

    def thread_bits(self, number: int) -> list[Literal]:
        """A known thread, one bit a thread."""
        return [TRUE if nth == number else FALSE for nth in range(len(self.program.threads))]

    def holds(self, lock: Term, mode: HeldMode, who: list[Literal] | None) -> Literal:
        """Whether a lock is held so, by one thread (one bit each) or by anyone."""
        circuit = self.circuit
        threads = len(self.program.threads)
        owner = len(lock.bits) - 1
        readers: Sequence[Literal] = ()
        if len(lock.bits) > 1 + self.owner_width:
            owner = self.owner_width
            readers = lock.bits[1 + owner :]
        held, owner_bits = lock.bits[0], lock.bits[1 : 1 + owner]
        if who is None:
            writes, reads = held, circuit.some(readers)
        else:
            mine = circuit.some(
                circuit.both(bit, self.vectors.is_number(owner_bits, n)) for n, bit in enumerate(who)
            )
            writes = circuit.both(held, mine)
            reads = circuit.some(circuit.both(a, b) for a, b in zip(readers, who[:threads], strict=False))
        match mode:
            case HeldMode.ANY:
                return circuit.either(writes, reads)
            case HeldMode.READ:
                return reads
            case HeldMode.WRITE:
                return writes
            case _:
                assert_never(mode)

    @property
    def owner_width(self) -> int:
        """The bits of a lock's owner."""
        return max(len(self.program.threads) - 1, 0).bit_length()
