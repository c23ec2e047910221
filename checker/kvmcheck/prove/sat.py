# SPDX-License-Identifier: GPL-2.0-only
"""z3 as a solver of Boolean formulas over frames: copies of a circuit's inputs, one for each state of a run.

Only a solver's process (`prove.solving`) calls this: z3 is imported when the first formula is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Protocol

from kvmcheck.prove.encode.circuit import Circuit, Literal


class Formula(Protocol):
    """A formula of z3's; `==` between two is Python's, `Frames.same` is z3's."""

    def get_id(self) -> int:
        """Its number."""


class Answer(Enum):
    """What z3 says of some formulas together."""

    YES = "sat"
    NO = "unsat"
    UNKNOWN = "unknown"


class Frames:
    """One incremental solver; a literal of the circuit means something else in each frame.

    `many`: for very many small questions; else for few that are hard.
    """

    def __init__(self, circuit: Circuit, *, many: bool = False) -> None:
        import z3

        self.circuit = circuit
        # z3's SAT solver simplifies everything between two questions: worth it only if the next one is hard.
        self.solver = z3.SimpleSolver() if many else z3.SolverFor("QF_FD")
        self._terms: list[dict[int, Formula]] = []
        self.reason = ""

    def term(self, literal: Literal, frame: int) -> Formula:
        """The formula of a literal in a frame."""
        import z3

        while len(self._terms) <= frame:
            self._terms.append({0: z3.BoolVal(True)})
        known = self._terms[frame]
        if literal >> 1 not in known:
            gates, names = self.circuit.gates, self.circuit.names
            for number in self._unknown(literal >> 1, known):
                gate = gates[number]
                if not gate:
                    known[number] = z3.Bool(f"{names[number]}@{frame}")
                    continue
                arguments = [
                    z3.Not(known[argument >> 1]) if argument & 1 else known[argument >> 1]
                    for argument in gate
                ]
                known[number] = z3.And(*arguments) if len(gate) == 2 else z3.If(*arguments)
        found = known[literal >> 1]
        return z3.Not(found) if literal & 1 else found

    def _unknown(self, number: int, known: Mapping[int, Formula]) -> list[int]:
        seen: set[int] = set()
        waiting = [number]
        while waiting:
            gate = waiting.pop()
            if gate not in seen and gate not in known:
                seen.add(gate)
                waiting += [argument >> 1 for argument in self.circuit.gates[gate]]
        return sorted(seen)

    # ------------------------------------------------------------------ asking

    def add(self, literal: Literal, frame: int) -> None:
        """Demand that a literal is true in a frame."""
        self.solver.add(self.term(literal, frame))

    def add_some(self, formulas: Sequence[Formula]) -> None:
        """Demand that one of some formulas is true."""
        import z3

        self.solver.add(z3.Or(*formulas))

    def define(self, formula: Formula, literal: Literal, frame: int) -> None:
        """Demand that a formula is what a literal is in a frame."""
        self.solver.add(formula == self.term(literal, frame))

    def same(self, a: Formula, b: Formula) -> Formula:
        """Whether two formulas are the same."""
        import z3

        found: Formula = z3.Not(z3.Xor(a, b))
        return found

    def differs(self, a: Formula, b: Formula) -> Formula:
        """Whether two formulas are not the same."""
        import z3

        found: Formula = z3.Xor(a, b)
        return found

    def check(self, *assumed: Formula) -> Answer:
        """Whether everything demanded, and these, can be true together."""
        import z3

        found = self.solver.check(*assumed)
        if found == z3.sat:
            return Answer.YES
        if found == z3.unsat:
            return Answer.NO
        self.reason = str(self.solver.reason_unknown())
        return Answer.UNKNOWN

    def values(self, literals: Iterable[Literal], frame: int) -> list[bool]:
        """What inputs are in the model that was found last."""
        import z3

        model = self.solver.model()
        return [
            bool(z3.is_true(model.eval(self.term(literal, frame), model_completion=True)))
            for literal in literals
        ]


class Feasible:
    """Asked while a program is encoded, where a step goes round a loop."""

    def __init__(self, circuit: Circuit) -> None:
        self.frames = Frames(circuit, many=True)

    def __call__(self, literal: Literal) -> bool:
        """Whether a literal can be true."""
        return self.frames.check(self.frames.term(literal, 0)) is not Answer.NO
