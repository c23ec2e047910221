# SPDX-License-Identifier: GPL-2.0-only
"""How a seq is a number: its home's position, its successor, what it starts with (semantics.md, 4).

With one home element a seq is its count; with H > 1 it is count * (H + 1) + home, home H meaning "never assigned".
"""

from __future__ import annotations

from math import prod

from kvmcheck.semantics.pointers import contains, is_seq, replace_parts
from kvmcheck.semantics.program import Program, Variable
from kvmcheck.semantics.sorts import SeqSort, Sort, Value, member_count


def element_count(variable: Variable) -> int:
    """How many elements a variable has."""
    return prod(member_count(dimension) for dimension in variable.dimensions)


class SeqNumbering:
    """The homes of a program's seqs, numbered."""

    def __init__(self, program: Program) -> None:
        self.first_home: dict[int, int] = {}
        count = 0
        for variable in program.seq_homes:
            if is_seq(program.variables[variable].sort):
                self.first_home[variable] = count
                count += element_count(program.variables[variable])
        self.homes = count
        #: Between a count and the next one; a value's home is the value modulo this.
        self.stride = count + 1 if count > 1 else 1

    def home_of(self, value: int) -> int:
        """The home that a value's count is of (0 if there is one home only)."""
        return value % self.stride

    def initial(self, sort: Sort, value: Value, home: int | None = None) -> Value:
        """A declared value with the seqs in it as numbers: of a home, or of a copy that was never assigned."""
        if self.stride == 1 or not contains(sort, is_seq):
            return value
        start = self.homes if home is None else home

        def number(part: Sort, item: Value) -> Value:
            return start if is_seq(part) and item == 0 else item

        return replace_parts(sort, value, number)

    def successor(self, sort: Sort, value: int) -> int:
        """The next number of a seq."""
        if isinstance(sort, SeqSort) and sort.wrap is not None:
            return (value + 1) % sort.wrap
        return value + self.stride
