# SPDX-License-Identifier: GPL-2.0-only
"""What all targets write down: the world, the steps of each body, the claims; and what is left out, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kvmcheck.export.expressions import CannotCarry, Scope, truth_of
from kvmcheck.export.names import Names
from kvmcheck.export.scalars import (
    Cell,
    Location,
    Number,
    Scalar,
    Symbol,
    Unset,
    cells_in,
    conjunction,
    disjunction,
    equal,
    negation,
    substituted,
    values_of,
)
from kvmcheck.export.steps import init_of, steps_of
from kvmcheck.export.trees import (
    Assignment,
    Step,
    assignments_in,
    conditions_in,
    for_some,
    goes,
    waits,
)
from kvmcheck.export.world import Code, Field, Proc, World, world_of
from kvmcheck.semantics.pointers import contains, is_seq
from kvmcheck.semantics.program import Check, End, Program, PropertyKind
from kvmcheck.source.text import Span

#: Checks of the program as a whole, which no single state or step shows.
NOT_CARRIED = {
    Check.NO_DATA_RACE: "whether two accesses meet is not carried",
    Check.LOCK_ORDER: "the order of locks over all runs is not carried",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A property of every state."""

    name: str
    condition: Scalar
    span: Span


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A property, check or goal that the text does not have."""

    name: str
    why: str
    span: Span


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A body with its steps, and where its threads may be."""

    proc: Proc
    code: Code
    steps: tuple[Step, ...]
    locations: tuple[str, ...]

    def guard(self, step: Step) -> Scalar:
        """Whether the step can be taken, or fails."""
        return conjunction((self.at(step), goes(step.tree)))

    def at(self, step: Step) -> Scalar:
        """Whether the thread is where the step begins."""
        proc, me = self.proc, self.proc.me
        if self.code.idle and step.entry:
            main = [proc.main.locations[n] for n in _ends(proc.main)]
            here = [proc.is_at(self.code, me, self.code.idle)]
            here += [negation(proc.is_at(proc.main, me, name)) for name in main]
            if proc.depth:
                here.append(equal(proc.cell(proc.depth, me), Number(0)))
            return conjunction(here)
        here = [proc.is_at(self.code, me, step.location)]
        if not self.code.idle and proc.handler is not None:
            here.append(proc.is_at(proc.handler, me, proc.handler.idle))
        return conjunction(here)


@dataclass
class Model:
    """Everything that is to be written."""

    program: Program
    world: World
    behaviours: list[Behaviour]
    init: Step | None
    invariants: list[Claim] = field(default_factory=list)
    covers: list[Claim] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    fields: dict[tuple[str, str], Field] = field(default_factory=dict)
    used: set[tuple[str, str]] = field(default_factory=set)

    def kept(self, proc: Proc, parts: Sequence[Field]) -> list[Field]:
        """Of a local's fields, those that ever hold something or that a claim reads."""
        return [part for part in parts if (proc.name, part.name) in self.used]

    def has(self, assignment: Assignment) -> bool:
        """Whether the assigned cell is in the text: one that never holds anything is not."""
        cell = assignment.cell
        return not isinstance(assignment.value, Unset) or (cell.variable, cell.path) in self.used

    def of(self, proc: Proc) -> Iterator[Behaviour]:
        """The behaviours of a process."""
        return (behaviour for behaviour in self.behaviours if behaviour.proc is proc)


def _ends(code: Code) -> list[int]:
    return [n for n in code.locations if isinstance(code.body.nodes[n].operation, End)]


def model_of(program: Program, names: Names, *, unbounded: bool) -> Model:
    """The program, ready to be written; raises `CannotCarry`.

    `unbounded`: the target has numbers without end."""
    _bounded(program, unbounded=unbounded)
    world = world_of(program, names)
    init = init_of(world)
    behaviours = []
    for proc in world.procs:
        if not proc.size:
            continue
        for code in proc.codes():
            steps = tuple(steps_of(world, proc, code))
            locations = _locations(code, steps)
            code.used.update(locations)
            behaviours.append(Behaviour(proc, code, steps, locations))
    model = Model(program, world, behaviours, init)
    for stored in world.stored:
        model.fields |= {(stored.name, part.name): part for part in stored.fields}
    for proc in world.procs:
        for code in proc.codes():
            model.fields |= {(proc.name, part.name): part for parts in code.locals for part in parts}
    _claims(model)
    for behaviour in behaviours:
        for step in behaviour.steps:
            for a in assignments_in(step.tree):
                if not isinstance(a.value, Unset):
                    model.used.add((a.cell.variable, a.cell.path))
            for condition in conditions_in(step.tree):
                model.used |= {(cell.variable, cell.path) for cell in cells_in(condition)}
    for claim in (*model.invariants, *model.covers):
        model.used |= {(cell.variable, cell.path) for cell in cells_in(claim.condition)}
    return model


def _bounded(program: Program, *, unbounded: bool) -> None:
    for variable in program.variables:
        if not contains(variable.sort, is_seq):
            continue
        if not unbounded:
            raise CannotCarry(f"`{variable.name}`, a seq that counts without end", variable.span)
        if len(program.seq_homes) > 1 or any(program.variables[h].dimensions for h in program.seq_homes):
            raise CannotCarry("several seqs whose copies know where they come from", variable.span)


def _locations(code: Code, steps: Sequence[Step]) -> tuple[str, ...]:
    used = [code.idle or code.locations[0]]
    used += [step.location for step in steps if not step.entry]
    for step in steps:
        for assignment in assignments_in(step.tree):
            if isinstance(assignment.value, Location):
                used.append(assignment.value.name)
    return tuple(dict.fromkeys(used))


def _claims(model: Model) -> None:
    program, scope = model.program, Scope(model.world)
    for claim in program.properties:
        if claim.kind is PropertyKind.STEP:
            model.left_out.append(LeftOut(claim.name, "a claim about steps is not carried", claim.span))
            continue
        found = truth_of(claim.condition, scope)
        fine = conjunction((negation(disjunction(f.condition for f in found.failures)), found.one))
        model.invariants.append(Claim(model.world.names.take(claim.name), fine, claim.span))
    for cover in program.covers:
        if cover.condition is None:
            continue
        try:
            found = truth_of(cover.condition, scope)
        except CannotCarry as error:
            model.left_out.append(LeftOut(cover.name, f"it names {error.what}", cover.span))
            continue
        fine = conjunction((negation(disjunction(f.condition for f in found.failures)), found.one))
        name = model.world.names.take(cover.name, f"cover_{cover.name}")
        model.covers.append(Claim(name, fine, cover.span))
    for live in program.lives:
        why = "a claim about runs without an end is not carried"
        model.left_out.append(LeftOut(live.name, why, live.span))
    for check in program.checks:
        if check in NOT_CARRIED:
            model.left_out.append(LeftOut(check.value, NOT_CARRIED[check], program.span))


# ------------------------------------------------------------------------------ deadlock


def can_step(model: Model, proc: Proc) -> Scalar:
    """Whether a thread of the process can take a step, or fail."""
    return disjunction(
        conjunction((b.at(step), for_some(step.symbols, goes(step.tree))))
        for b in model.of(proc)
        for step in b.steps
    )


def has_to_wait(model: Model, proc: Proc) -> Scalar:
    """Whether some way on of a thread, which can't take a step, ends in waiting.

    A handler that can't begin is none that waits.
    """
    found = []
    for behaviour in model.of(proc):
        for step in behaviour.steps:
            if not step.entry:
                found.append(conjunction((behaviour.at(step), for_some(step.symbols, waits(step.tree)))))
    return disjunction(found)


# ------------------------------------------------------------------------------ assignments in order


def in_order(
    assignments: Sequence[Assignment],
) -> tuple[list[Assignment], list[tuple[Symbol, Assignment]]]:
    """Assignments that are made at once, one after the other; and those values that have to be kept meanwhile."""
    waiting = list(assignments)
    ordered: list[Assignment] = []
    kept: list[tuple[Symbol, Assignment]] = []
    while waiting:
        for candidate in waiting:
            others = [a for a in waiting if a is not candidate]
            if not any(_reads(other, candidate.cell) for other in others):
                break
        else:
            candidate = waiting[0]
            symbol = Symbol(f"kept_{len(kept) + 1}", candidate.cell.kind, 0, 0)
            kept.append((symbol, candidate))
            waiting[0] = Assignment(candidate.cell, symbol)
            continue
        ordered.append(candidate)
        waiting.remove(candidate)
    return ordered, kept


def _reads(assignment: Assignment, cell: Cell) -> bool:
    read = [*cells_in(assignment.value), *(c for i in assignment.cell.indices for c in cells_in(i))]
    return any((c.variable, c.path) == (cell.variable, cell.path) for c in read)


def instances(symbols: tuple[Symbol, ...], parts: Sequence[Scalar]) -> Iterator[tuple[Scalar, ...]]:
    """The expressions with every combination of the symbols' values."""
    if not symbols:
        yield tuple(parts)
        return
    first, *rest = symbols
    for value in values_of(first):
        yield from instances(tuple(rest), [substituted(part, {first: value}) for part in parts])
