# SPDX-License-Identifier: GPL-2.0-only
"""Gates and vectors compute what they say."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest

from kvmcheck.prove.encode.circuit import FALSE, TRUE, Circuit
from kvmcheck.prove.encode.vectors import Vector, Vectors, constant, known, width_of


def values(circuit: Circuit, inputs: Sequence[int], literals: Sequence[int], number: int) -> list[bool]:
    """What literals come to when the inputs are the bits of a number."""
    on = {literal >> 1: bool(number >> place & 1) for place, literal in enumerate(inputs)}
    return circuit.evaluated(literals, on.__getitem__)


def as_number(bits: Sequence[bool]) -> int:
    """The number that some bits are."""
    return sum(1 << place for place, bit in enumerate(bits) if bit)


def test_a_connective_is_what_its_truth_table_says() -> None:
    circuit = Circuit()
    a, b, c = (circuit.input(name) for name in "abc")
    formulas = [circuit.both(a, b), circuit.either(a, b ^ 1), circuit.choice(a, b, c), circuit.same(a, c)]

    for number in range(8):
        x, y, z = (bool(number >> place & 1) for place in range(3))
        expected = [x and y, x or not y, y if x else z, x == z]
        assert values(circuit, [a, b, c], formulas, number) == expected


def test_a_formula_of_constants_is_a_constant() -> None:
    circuit = Circuit()
    a = circuit.input("a")

    assert circuit.both(a, a ^ 1) == FALSE
    assert circuit.either(a, a ^ 1) == TRUE
    assert circuit.choice(a, TRUE, FALSE) == a
    assert circuit.both(a, circuit.both(a, circuit.input("b")) ^ 1) != FALSE


def test_there_is_a_value_for_which_a_formula_is_true() -> None:
    circuit = Circuit()
    a, b = circuit.input("a"), circuit.input("b")

    assert circuit.exists(circuit.both(a, b), [b]) == a
    assert circuit.exists(circuit.both(a, circuit.both(b, b)), [a, b]) == TRUE


@pytest.mark.parametrize("width", [1, 3])
def test_arithmetic_on_vectors_is_arithmetic(width: int) -> None:
    circuit = Circuit()
    vectors = Vectors(circuit)
    a: Vector = tuple(circuit.input(f"a{n}") for n in range(width))
    b: Vector = tuple(circuit.input(f"b{n}") for n in range(width))
    total, product_of, less = vectors.add_wide(a, b), vectors.times(a, b), vectors.less(a, b)
    quotient, rest = vectors.divide(a, b)

    for x, y in product(range(1 << width), repeat=2):
        number = x | y << width
        inputs = [*a, *b]
        assert as_number(values(circuit, inputs, total, number)) == x + y
        assert as_number(values(circuit, inputs, product_of, number)) == x * y
        assert values(circuit, inputs, [less], number) == [x < y]
        if y:
            assert as_number(values(circuit, inputs, quotient, number)) == x // y
            assert as_number(values(circuit, inputs, rest, number)) == x % y


def test_literals_are_counted() -> None:
    circuit = Circuit()
    bits = [circuit.input(f"x{n}") for n in range(5)]
    total = Vectors(circuit).count(bits)

    assert all(as_number(values(circuit, bits, total, n)) == n.bit_count() for n in range(32))


def test_a_vector_of_constants_is_known() -> None:
    assert known(constant(5, 4)) == 5
    assert known((TRUE, Circuit().input("x"))) is None
    assert [width_of(count) for count in (0, 1, 2, 3, 4, 5)] == [0, 0, 1, 2, 2, 3]
