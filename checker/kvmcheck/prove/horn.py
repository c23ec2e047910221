# SPDX-License-Identifier: GPL-2.0-only
"""Spacer, in the solver's process: constrained Horn clauses, whose solver finds the invariant by itself.

One rule for all steps together: with a rule for each it does not come to an end.  What it finds is not believed: three
plain questions to another solver check that the invariant holds at the start, is kept by every step, and excludes what
is bad.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kvmcheck.engine.layout import Packed
from kvmcheck.prove.encode.circuit import FALSE, TRUE, Literal
from kvmcheck.prove.encode.system import Encoder, System
from kvmcheck.prove.encode.values import CannotCarry
from kvmcheck.prove.inductive import NotEncoded, claims_of
from kvmcheck.prove.sat import Answer, Feasible, Formula, Frames
from kvmcheck.semantics.program import Program


@dataclass(frozen=True, slots=True)
class Invariant:
    """An invariant that excludes that any of these is broken, rechecked; `length` of its text."""

    names: frozenset[str]
    length: int


@dataclass(frozen=True, slots=True)
class NoInvariant:
    """Spacer has none: it does not know, says that something can be broken, or gave one that does not stand up."""

    names: frozenset[str]
    reason: str


Message = Invariant | NoInvariant | NotEncoded
Send = Callable[[Message], None]


@dataclass(frozen=True, slots=True)
class HornTask:
    """What to prove: the claims that are open, and what is known not to be broken besides."""

    program: Program
    initial: tuple[Packed, ...]
    merge: bool
    open: frozenset[str]
    closed: frozenset[str]


def solve(task: HornTask, send: Send) -> None:
    """Ask for one invariant for everything that is open, and where there is none for each claim by itself."""
    try:
        encoder = Encoder(task.program, merge=task.merge, feasible=Feasible)
        system = encoder.system()
    except CannotCarry as error:
        send(NotEncoded(error.what, error.span, {}))
        return
    if system.left_out:
        send(NotEncoded("", None, dict(system.left_out)))
    bad = {name: literal for name, literal in claims_of(system).items() if name not in task.closed}
    horn = Horn(system, encoder.initial(task.initial))
    everything = frozenset(bad)
    found = horn.ask(everything, system.circuit.some(bad.values()))
    send(found)
    if isinstance(found, Invariant):
        return
    for name, literal in bad.items():
        send(horn.ask(frozenset({name}), literal))


class Horn:
    """The clauses of one system."""

    def __init__(self, system: System, initial: Literal) -> None:
        self.system = system
        self.initial = initial
        self.frames = Frames(system.circuit, many=True)
        bits = [
            (own, new)
            for state, following in zip(system.cells.state, system.following, strict=True)
            for own, new in zip(state, following, strict=True)
            if own not in (TRUE, FALSE)
        ]
        self.state = [own for own, _ in bits]
        self.following = [new for _, new in bits]

    def ask(self, names: frozenset[str], bad: Literal) -> Invariant | NoInvariant:
        """Whether there is an invariant that excludes what is bad."""
        import z3

        now = [self.frames.term(bit, 0) for bit in self.state]
        then = [self.frames.term(bit, 1) for bit in self.state]
        circuit = self.system.circuit
        relevant = [self.initial, self.system.takes, bad, *self.following]
        inputs = [
            self.frames.term(2 * gate, 0)
            for gate in circuit.cone(relevant)
            if gate and not circuit.gates[gate] and 2 * gate not in self.state
        ]
        solver = z3.Fixedpoint()
        solver.set(engine="spacer")
        # Its own rewriting of the rules takes the one rule apart again.
        solver.set("xform.inline_eager", False)
        solver.set("xform.inline_linear", False)
        solver.set("xform.slice", False)
        reached = z3.Function("reached", *([z3.BoolSort()] * len(now)), z3.BoolSort())
        broken = z3.Function("broken", z3.BoolSort())
        solver.register_relation(reached)
        solver.register_relation(broken)
        solver.declare_var(*now, *then, *inputs)
        step: list[Formula] = [self.frames.term(self.system.takes, 0)]
        for new, value in zip(then, self.following, strict=True):
            step.append(self.frames.same(new, self.frames.term(value, 0)))
        solver.rule(reached(*now), self.frames.term(self.initial, 0))
        solver.rule(reached(*then), z3.And(reached(*now), *step))
        solver.rule(broken(), z3.And(reached(*now), self.frames.term(bad, 0)))
        answer = solver.query(broken())
        if answer == z3.sat:
            return NoInvariant(
                names, "Spacer finds a run that breaks it; `--method bmc` looks for a shortest one"
            )
        if answer != z3.unsat:
            return NoInvariant(names, f"Spacer does not know: {solver.reason_unknown()}")
        cover = solver.get_cover_delta(-1, reached)
        invariant = z3.substitute_vars(cover, *now)
        if not self._stands_up(invariant, bad, now, then):
            return NoInvariant(names, "Spacer's invariant does not stand up to the check")
        return Invariant(names, len(invariant.sexpr()))

    def _stands_up(self, invariant: Formula, bad: Literal, now: list[Formula], then: list[Formula]) -> bool:
        """Initiation, consecution and safety, asked of a solver that knows nothing of how it was found."""
        import z3

        circuit = self.system.circuit
        after = z3.substitute(invariant, *zip(now, then, strict=True))
        start = Frames(circuit, many=True)
        start.add(self.initial, 0)
        step = Frames(circuit, many=True)
        step.solver.add(invariant)
        step.add(self.system.takes, 0)
        for bit, value in zip(self.state, self.following, strict=True):
            step.define(step.term(bit, 1), value, 0)
        safe = Frames(circuit, many=True)
        safe.solver.add(invariant)
        safe.add(bad, 0)
        return (
            start.check(z3.Not(invariant)) is Answer.NO
            and step.check(z3.Not(after)) is Answer.NO
            and safe.check() is Answer.NO
        )
