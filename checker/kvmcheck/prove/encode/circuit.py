# SPDX-License-Identifier: GPL-2.0-only
"""Boolean formulas as gates, each kept once.

A *literal* is an int: twice the gate's number, plus 1 for its negation.  Gate 0 is the constant true.  Constants are
folded while a formula is built, so whatever is the same in every state costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

Literal = int

TRUE: Final = 0
FALSE: Final = 1

#: A gate: an input is `()`, a conjunction its two literals, a choice its condition and its two ways.
Gate = tuple[int, ...]


class Circuit:
    """The gates of one program; a gate's arguments have smaller numbers than it."""

    def __init__(self) -> None:
        self.gates: list[Gate] = [()]
        self.names: dict[int, str] = {}
        self._known: dict[Gate, int] = {}

    def input(self, name: str) -> Literal:
        """A new input; the name is for people."""
        self.gates.append(())
        self.names[len(self.gates) - 1] = name
        return 2 * (len(self.gates) - 1)

    def is_input(self, literal: Literal) -> bool:
        """Whether a literal is an input or its negation."""
        return literal > 1 and not self.gates[literal >> 1]

    def _gate(self, gate: Gate) -> Literal:
        known = self._known.get(gate)
        if known is None:
            known = self._known[gate] = 2 * len(self.gates)
            self.gates.append(gate)
        return known

    # ------------------------------------------------------------------ connectives

    def both(self, a: Literal, b: Literal) -> Literal:
        """A conjunction of two."""
        if a > b:
            a, b = b, a
        if a in (TRUE, b):
            return b
        if a == FALSE or a == b ^ 1:
            return FALSE
        gate = self.gates[b >> 1]
        if len(gate) == 2:
            # One level deep: what stands in the other one already, or against it.
            if not b & 1:
                if a in gate:
                    return b
                if a ^ 1 in gate:
                    return FALSE
            elif a ^ 1 in gate:
                return a
            elif a in gate:
                return self.both(a, (gate[1] if gate[0] == a else gate[0]) ^ 1)
        return self._gate((a, b))

    def either(self, a: Literal, b: Literal) -> Literal:
        """A disjunction of two."""
        return self.both(a ^ 1, b ^ 1) ^ 1

    def every(self, literals: Iterable[Literal]) -> Literal:
        """A conjunction."""
        found = TRUE
        for literal in literals:
            found = self.both(found, literal)
        return found

    def some(self, literals: Iterable[Literal]) -> Literal:
        """A disjunction."""
        found = FALSE
        for literal in literals:
            found = self.either(found, literal)
        return found

    def choice(self, condition: Literal, then: Literal, otherwise: Literal) -> Literal:
        """`then` where the condition is true, else `otherwise`."""
        if condition & 1:
            condition, then, otherwise = condition ^ 1, otherwise, then
        if condition == TRUE or then == otherwise:
            return then
        if then == condition:
            then = TRUE
        elif then == condition ^ 1:
            then = FALSE
        if otherwise == condition:
            otherwise = FALSE
        elif otherwise == condition ^ 1:
            otherwise = TRUE
        if then == TRUE:
            return self.either(condition, otherwise)
        if then == FALSE:
            return self.both(condition ^ 1, otherwise)
        if otherwise == TRUE:
            return self.either(condition ^ 1, then)
        if otherwise == FALSE:
            return self.both(condition, then)
        if then & 1:
            return self._gate((condition, then ^ 1, otherwise ^ 1)) ^ 1
        return self._gate((condition, then, otherwise))

    def same(self, a: Literal, b: Literal) -> Literal:
        """Whether two are equal."""
        return self.choice(a, b, b ^ 1)

    # ------------------------------------------------------------------ whole formulas

    def cone(self, literals: Iterable[Literal]) -> list[int]:
        """The gates that some literals depend on, arguments first."""
        seen: set[int] = set()
        waiting = [literal >> 1 for literal in literals]
        while waiting:
            gate = waiting.pop()
            if gate not in seen:
                seen.add(gate)
                waiting += [argument >> 1 for argument in self.gates[gate]]
        return sorted(seen)

    def replaced(self, literals: Iterable[Literal], by: Mapping[int, Literal]) -> list[Literal]:
        """The formulas with other literals in place of some inputs (by their gates' numbers)."""
        wanted = list(literals)
        found: dict[int, Literal] = {}
        for number in self.cone(wanted):
            gate = self.gates[number]
            if not gate:
                found[number] = by.get(number, 2 * number)
                continue
            arguments = [found[argument >> 1] ^ argument & 1 for argument in gate]
            found[number] = (
                self.both(arguments[0], arguments[1]) if len(gate) == 2 else self.choice(*arguments)
            )
        return [found[literal >> 1] ^ literal & 1 for literal in wanted]

    def exists(self, literal: Literal, inputs: Iterable[Literal]) -> Literal:
        """Whether a formula is true for some values of these inputs."""
        for which in inputs:
            number = which >> 1
            if number in self.cone([literal]):
                (on,) = self.replaced([literal], {number: TRUE})
                (off,) = self.replaced([literal], {number: FALSE})
                literal = self.either(on, off)
        return literal

    def evaluated(self, literals: Iterable[Literal], value: Callable[[int], bool]) -> list[bool]:
        """What formulas come to, given the values of inputs by their gates' numbers."""
        wanted = list(literals)
        found: dict[int, bool] = {0: True}
        for number in self.cone(wanted):
            gate = self.gates[number]
            if number == 0:
                continue
            if not gate:
                found[number] = value(number)
                continue
            arguments = [found[argument >> 1] != bool(argument & 1) for argument in gate]
            if len(gate) == 2:
                found[number] = arguments[0] and arguments[1]
            else:
                found[number] = arguments[1] if arguments[0] else arguments[2]
        return [found[literal >> 1] != bool(literal & 1) for literal in wanted]
