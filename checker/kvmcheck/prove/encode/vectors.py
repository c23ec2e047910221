# SPDX-License-Identifier: GPL-2.0-only
"""Numbers as vectors of literals, least significant first: unsigned, or in two's complement."""

from __future__ import annotations

from collections.abc import Sequence

from kvmcheck.prove.encode.circuit import FALSE, TRUE, Circuit, Literal

Vector = tuple[Literal, ...]


def width_of(count: int) -> int:
    """The bits that so many codes need."""
    return max(count - 1, 0).bit_length()


def constant(value: int, width: int) -> Vector:
    """A number of a width, unsigned or in two's complement."""
    return tuple(TRUE if value >> bit & 1 else FALSE for bit in range(width))


def known(bits: Vector) -> int | None:
    """The number that an unsigned vector of constants is."""
    if any(bit > 1 for bit in bits):
        return None
    return sum(1 << place for place, bit in enumerate(bits) if bit == TRUE)


class Vectors:
    """Arithmetic over one circuit."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit

    def mux(self, condition: Literal, then: Sequence[Literal], otherwise: Sequence[Literal]) -> Vector:
        """One of two vectors of one width."""
        choice = self.circuit.choice
        return tuple(choice(condition, a, b) for a, b in zip(then, otherwise, strict=True))

    def equal(self, a: Sequence[Literal], b: Sequence[Literal]) -> Literal:
        """Whether two unsigned vectors are the same number; the shorter one is filled up."""
        width = max(len(a), len(b))
        circuit = self.circuit
        return circuit.every(circuit.same(x, y) for x, y in zip(_to(a, width), _to(b, width), strict=True))

    def is_number(self, a: Sequence[Literal], value: int) -> Literal:
        """Whether an unsigned vector is this number."""
        if value < 0 or value >> len(a):
            return FALSE
        return self.equal(a, constant(value, len(a)))

    def add(self, a: Sequence[Literal], b: Sequence[Literal], carry: Literal = FALSE) -> Vector:
        """The sum of two vectors of one width, and of a carry; without the last carry."""
        circuit = self.circuit
        out: list[Literal] = []
        for x, y in zip(a, b, strict=True):
            half = circuit.same(x, y) ^ 1
            out.append(circuit.same(half, carry) ^ 1)
            carry = circuit.choice(half, carry, x)
        return tuple(out)

    def add_wide(self, a: Sequence[Literal], b: Sequence[Literal]) -> Vector:
        """The whole sum of two unsigned vectors."""
        width = max(len(a), len(b)) + 1
        return self.add(_to(a, width), _to(b, width))

    def minus(self, a: Sequence[Literal], b: Sequence[Literal]) -> Vector:
        """The difference of two vectors of one width, modulo it."""
        return self.add(a, [bit ^ 1 for bit in b], TRUE)

    def less(self, a: Sequence[Literal], b: Sequence[Literal]) -> Literal:
        """Whether one unsigned vector is less than another."""
        width = max(len(a), len(b))
        circuit = self.circuit
        found = FALSE
        for x, y in zip(_to(a, width), _to(b, width), strict=True):
            found = circuit.choice(circuit.same(x, y), found, y)
        return found

    def below(self, a: Sequence[Literal], count: int) -> Literal:
        """Whether an unsigned vector is less than a number."""
        if count >> len(a):
            return TRUE
        return self.less(a, constant(count, len(a)))

    def times(self, a: Sequence[Literal], b: Sequence[Literal]) -> Vector:
        """The whole product of two unsigned vectors."""
        width = len(a) + len(b)
        total: Vector = (FALSE,) * width
        for place, bit in enumerate(b):
            row = [FALSE] * place + [self.circuit.both(bit, x) for x in a]
            total = self.add(total, _to(row, width))
        return total

    def divide(self, a: Sequence[Literal], b: Sequence[Literal]) -> tuple[Vector, Vector]:
        """Quotient and remainder of unsigned vectors; of a division by zero nothing is said."""
        width = max(len(a), len(b))
        divisor = _to(b, width + 1)
        rest: Vector = (FALSE,) * (width + 1)
        quotient: list[Literal] = []
        for bit in reversed(_to(a, width)):
            rest = (bit, *rest[:-1])
            fits = self.less(rest, divisor) ^ 1
            rest = self.mux(fits, self.minus(rest, divisor), rest)
            quotient.append(fits)
        return tuple(reversed(quotient)), rest[:width]

    def count(self, literals: Sequence[Literal]) -> Vector:
        """How many of some literals are true."""
        total: Vector = ()
        for number, literal in enumerate(literals, start=1):
            total = self.add_wide(total, (literal,))[: number.bit_length()]
        return total


def _to(a: Sequence[Literal], width: int) -> Vector:
    """An unsigned vector filled up to a width."""
    return (*a, *((FALSE,) * (width - len(a))))
