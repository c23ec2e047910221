# SPDX-License-Identifier: GPL-2.0-only
"""A whole program as a transition system: its state, one step of it, and what is bad about a state or a step.

A step of the system is a step of the explorer, merged where the explorer merges.  `who` says which thread takes it.
Everything is over two kinds of inputs: the bits of the state (`Cells.state`), and those that choose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from kvmcheck.engine.layout import BodyLayout, Layout, Packed
from kvmcheck.engine.movers import movers_of
from kvmcheck.engine.races import may_race
from kvmcheck.engine.reductions import ALL, UNREDUCED
from kvmcheck.engine.shape import Shape
from kvmcheck.prove.encode.cells import Cells
from kvmcheck.prove.encode.circuit import FALSE, Circuit, Literal
from kvmcheck.prove.encode.expressions import Expressions
from kvmcheck.prove.encode.operations import Runner
from kvmcheck.prove.encode.path import Bad, Stepped
from kvmcheck.prove.encode.scene import OnFault, Scene
from kvmcheck.prove.encode.steps import BodySteps, Possible
from kvmcheck.prove.encode.values import CannotCarry, Coder
from kvmcheck.prove.encode.vectors import Vector, width_of
from kvmcheck.semantics.numbering import element_count
from kvmcheck.semantics.program import Check, Expr, Program, PropertyKind
from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class Unit:
    """Who may take a step, and what comes of it."""

    thread: int
    stepped: Stepped


@dataclass(frozen=True, slots=True)
class StateClaim:
    """An invariant, or that there is no deadlock: broken in a state where `bad` is true."""

    name: str
    bad: Literal


@dataclass(frozen=True, slots=True)
class StepClaim:
    """A step property: broken by a step of a thread to `after` where `bad` is true."""

    name: str
    thread: int
    bad: Literal
    after: tuple[Vector, ...]


@dataclass(frozen=True, slots=True)
class RaceClaim:
    """Two threads whose next accesses to a slot conflict, where `bad` is true."""

    threads: tuple[int, int]
    slot: int
    bad: Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """What should be reached: a cover, or a part of a claim without which that is vacuous.

    `in_step`: it is a step that reaches it (from the state), and not the state itself.
    """

    name: str
    reached: Literal
    in_step: bool
    claim: str = ""


@dataclass(slots=True)
class System:
    """The transition system.

    `takes`: there is a step, and nothing fails in it; `following`: the cells behind it.  `broken`: built-in checks
    that fail in a step from the state.  `left_out`: claims that can't be carried, with why.
    """

    circuit: Circuit
    cells: Cells
    who: Vector
    takes: Literal = FALSE
    following: list[Vector] = field(default_factory=list)
    broken: list[Bad] = field(default_factory=list)
    states: list[StateClaim] = field(default_factory=list)
    steps: list[StepClaim] = field(default_factory=list)
    races: list[RaceClaim] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


class Encoder:
    """Makes the system of a program."""

    def __init__(
        self, program: Program, *, merge: bool, feasible: Callable[[Circuit], Possible] | None = None
    ) -> None:
        self.program = program
        self.layout = Layout(program, ALL if merge else UNREDUCED)
        self.circuit = Circuit()
        self.possible: Possible = feasible(self.circuit) if feasible else (lambda _: True)
        self.coder = Coder(self.layout)
        movers = movers_of(program) if merge else {}

        def shape(layout: BodyLayout) -> Shape:
            return Shape(layout.body, movers.get(id(layout.body)))

        self.cells = Cells(self.circuit, self.coder, shape)
        self.expressions = Expressions(self.circuit, self.coder)
        self.conditions: list[Literal] = []
        self.named: set[Literal] = set()

    def system(self) -> System:
        """The whole of it; raises `CannotCarry`."""
        circuit, vectors = self.circuit, self.expressions.vectors
        units = list(self._units())
        who = tuple(circuit.input(f"who.{bit}") for bit in range(width_of(len(units))))
        system = System(circuit, self.cells, who, following=list(self.cells.state))
        taken: list[Literal] = []
        for number, unit in enumerate(units):
            chosen = vectors.is_number(who, number)
            taken.append(circuit.both(chosen, unit.stepped.guard))
            for slot, bits in unit.stepped.slots.items():
                system.following[slot] = vectors.mux(chosen, bits, system.following[slot])
        # A step that takes a name for a new seq value that somebody has already is none: nothing that it does counts.
        proper = circuit.every(self.conditions)
        system.takes = circuit.both(circuit.some(taken), proper)
        for unit in units:
            system.broken += [
                replace(bad, literal=circuit.both(bad.literal, proper)) for bad in unit.stepped.bads
            ]
        self._claims(system, units)
        self._goals(system, units)
        if Check.NO_DEADLOCK in self.program.checks:
            self._deadlock(system, units)
        if Check.NO_DATA_RACE in self.program.checks:
            self._races(system, units)
        return system

    def _units(self) -> Iterator[Unit]:
        """Whoever may take a step: each thread's main body, and its handler."""
        racy = may_race(self.program)
        for number in range(len(self.program.threads)):
            for part, handler in ((self.cells.mains[number], False), (self.cells.handlers[number], True)):
                if part is not None:
                    runner = Runner(self.expressions, self.cells, number, part, handler)
                    steps = BodySteps(runner, racy, self.possible)
                    yield Unit(number, steps.run())
                    self.conditions += steps.operations.conditions
                    self.named |= steps.operations.named

    # ------------------------------------------------------------------ claims

    def _met(self, condition: Expr, scene: Scene) -> tuple[Literal, Literal]:
        """Whether a condition is true, and whether it can't be evaluated."""
        faults: list[Literal] = []

        def fault(hit: Literal, check: Check, span: Span | None, overflow: bool) -> None:  # noqa: ARG001
            faults.append(hit)

        holds = self.expressions.condition(condition, _told(scene, fault))
        wrong = self.circuit.some(faults)
        return self.circuit.both(holds, wrong ^ 1), wrong

    def _scenes(self, units: list[Unit]) -> tuple[Scene, list[tuple[Unit, Scene]]]:
        """The state, and the state behind a step of each unit."""
        now = Scene(self.cells.view(self.cells.state), _ignored)
        behind: list[tuple[Unit, Scene]] = []
        for unit in units:
            bits = [unit.stepped.slots.get(slot, own) for slot, own in enumerate(self.cells.state)]
            before = Scene(self.cells.view(self.cells.state), _ignored, thread=unit.thread)
            after = Scene(self.cells.view(bits), _ignored, thread=unit.thread, before=before)
            behind.append((unit, after))
        return now, behind

    def _claims(self, system: System, units: list[Unit]) -> None:
        now, behind = self._scenes(units)
        for claim in self.program.properties:
            try:
                if claim.kind is PropertyKind.INVARIANT:
                    holds, _ = self._met(claim.condition, now)
                    system.states.append(StateClaim(claim.name, holds ^ 1))
                    continue
                for unit, after in behind:
                    holds, _ = self._met(claim.condition, after)
                    bad = self.circuit.both(self._steps(unit), holds ^ 1)
                    slots = unit.stepped.slots
                    cells = tuple(slots.get(n, own) for n, own in enumerate(self.cells.state))
                    system.steps.append(StepClaim(claim.name, unit.thread, bad, cells))
            except CannotCarry as error:
                system.left_out[claim.name] = f"the formulas can't express {error.what}"

    def _steps(self, unit: Unit) -> Literal:
        """Whether a unit takes a step in which nothing fails."""
        return self.circuit.both(unit.stepped.guard, self.circuit.every(self.conditions))

    def _goals(self, system: System, units: list[Unit]) -> None:
        now, behind = self._scenes(units)
        for cover in self.program.covers:
            if cover.condition is not None:
                system.goals.append(Goal(cover.name, self._met(cover.condition, now)[0], False))
                continue
            reached = self.circuit.some(
                literal for unit in units for name, literal in unit.stepped.covers if name == cover.name
            )
            reached = self.circuit.both(reached, self.circuit.every(self.conditions))
            system.goals.append(Goal(cover.name, reached, True))
        for claim in self.program.properties:
            for probe in claim.probes:
                if claim.name in system.left_out:
                    continue
                if claim.kind is PropertyKind.INVARIANT:
                    reached = self._met(probe.condition, now)[0]
                else:
                    reached = self.circuit.some(
                        self.circuit.both(self._steps(unit), self._met(probe.condition, after)[0])
                        for unit, after in behind
                    )
                in_step = claim.kind is not PropertyKind.INVARIANT
                system.goals.append(Goal(probe.text, reached, in_step, claim.name))

    def _deadlock(self, system: System, units: list[Unit]) -> None:
        """Nobody but hardware can step, and somebody who should end waits."""
        circuit, program = self.circuit, self.program
        able, waits = FALSE, FALSE
        for unit in units:
            process = program.processes[program.threads[unit.thread].process]
            if not process.hardware:
                able = circuit.either(able, unit.stepped.able)
                if not process.daemon:
                    waits = circuit.either(waits, unit.stepped.waits)
        name = Check.NO_DEADLOCK.value
        if {2 * gate for gate in circuit.cone([able, waits])} & self.named:
            system.left_out[name] = "a step that compares seqs waits"
            return
        system.states.append(StateClaim(name, circuit.both(able ^ 1, waits)))

    def _races(self, system: System, units: list[Unit]) -> None:
        """Two threads can make accesses to one element next, one of them a write, and one unmarked."""
        circuit = self.circuit
        guarded = {
            self.layout.first[number] + element
            for number, variable in enumerate(self.program.variables)
            if variable.guard is not None
            for element in range(element_count(variable))
        }
        for nth, unit in enumerate(units):
            for other in units[nth + 1 :]:
                if other.thread == unit.thread:
                    continue
                for a in unit.stepped.accesses:
                    for b in other.stepped.accesses:
                        alike = a.slot == b.slot and a.slot not in guarded
                        if alike and (a.write or b.write) and not (a.marked and b.marked):
                            bad = circuit.every((a.literal, b.literal, *self.conditions))
                            if bad != FALSE:
                                system.races.append(RaceClaim((unit.thread, other.thread), a.slot, bad))

    # ------------------------------------------------------------------ where runs begin

    def initial(self, states: Iterable[Packed]) -> Literal:
        """Whether the state is one of these, packed as the explorer has them."""
        circuit = self.circuit
        found: list[Literal] = []
        for packed in states:
            wanted = self.cells.encode(packed)
            found.append(
                circuit.every(
                    bit if on else bit ^ 1
                    for own, code in zip(self.cells.state, wanted, strict=True)
                    for bit, on in zip(own, code, strict=True)
                )
            )
        return circuit.some(found)


def _told(scene: Scene, fault: OnFault) -> Scene:
    """The scene, whose mistakes somebody else is told of."""
    before = None if scene.before is None else replace(scene.before, fault=fault)
    return replace(scene, fault=fault, before=before)


def _ignored(hit: Literal, check: Check, span: Span | None, overflow: bool) -> None:
    """Nobody is told."""
    del hit, check, span, overflow
