# SPDX-License-Identifier: GPL-2.0-only
"""What a place in the code implies, without a thought: the mechanical part of an inductive invariant.

Data flow finds it: a local that was loaded under a lock is what the variable holds while the lock is held; a branch
was taken because its condition was true; a copy equals what it was copied from.  Each fact is proved like any other
clause, so a mistake here costs a proof and can't make a wrong one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from kvmcheck.engine.walking import inside
from kvmcheck.prove.parametric.steps import SymbolicStep
from kvmcheck.prove.parametric.values import leaves
from kvmcheck.prove.parametric.world import World
from kvmcheck.semantics.liveness import locals_in, written
from kvmcheck.semantics.program import (
    Apply,
    Assertion,
    Branch,
    Choose,
    Const,
    Expr,
    GhostStore,
    Held,
    Load,
    Local,
    Op,
    Operation,
    Param,
    Place,
    Read,
    Set,
    Store,
    Update,
    VariablePlace,
)
from kvmcheck.semantics.sorts import BOOL, Sort, WordSort

#: A condition that is true, over a thread's locals and the variables.
Fact = Expr
Facts = frozenset[Fact]

#: More facts than this at one node are too many to be of use.
_MOST = 120


class FactFlow:
    """The facts at each stop of a process."""

    def __init__(self, world: World, process: int, steps: tuple[SymbolicStep, ...]) -> None:
        self.world = world
        self.process = process
        self.places = world.places[process]
        self.writers = _writers(world, steps)

    def facts(self) -> dict[int, Facts]:
        """The facts that hold at each stop whenever a thread is there."""
        nodes = self.places.body.nodes
        before: list[Facts | None] = [None] * len(nodes)
        before[0] = frozenset()
        waiting = [0]
        stops = set(self.places.stops)
        while waiting:
            number = waiting.pop()
            now = before[number] or frozenset()
            if number in stops:
                now = self._lasting(number, now)
            operation = nodes[number].operation
            for position, successor in enumerate(nodes[number].successors):
                then = self._behind(operation, now, position)
                met = before[successor]
                joined = then if met is None else met & then
                if joined != met:
                    before[successor] = joined
                    waiting.append(successor)
        return {n: self._lasting(n, before[n] or frozenset()) for n in self.places.stops}

    def _lasting(self, number: int, facts: Facts) -> Facts:
        """Those that stay true while others run: about locals that are kept, and what no one else may write."""
        held = self.places.held[number] or {}
        kept = self.places.kept[number] - set(self.places.constants[number])
        kept &= self.places.assigned[number]
        return frozenset(
            fact
            for fact in facts
            if all(local in kept for local in locals_in(fact))
            and all(self._protected(part, held) for part in _parts_read(self.world, fact))
        )

    def _protected(self, part: tuple[int, int], held: object) -> bool:
        locks = held if isinstance(held, dict) else {}
        for writer in self.writers.get(part, ()):
            if not any("write" in (mode, writer.get(lock)) for lock, mode in locks.items() if lock in writer):
                return False
        return True

    def _local(self, number: int) -> Local:
        return Local(number, self.places.body.locals[number].sort)

    # ------------------------------------------------------------------------------ one operation

    def _behind(self, operation: Operation, facts: Facts, position: int) -> Facts:
        match operation:
            case Set(target=target, value=value):
                return _limited(_assigned(facts, self._local(target), value))
            case Load(target=target, place=place) if _is_local(place):
                return _limited(_assigned(facts, self._local(target), Read(place, _sort(self.world, place))))
            case Store(place=place, value=value) | GhostStore(place=place, value=value):
                return _limited(_stored(self.world, facts, place, value))
            case Choose(target=target, domain=domain, where=where):
                found = set(_without_local(facts, target))
                if domain is not None and target not in set(locals_in(domain)):
                    member = self._local(target)
                    found |= _with_variants(found, Apply(Op.IN, (member, domain), BOOL))
                del where
                return _limited(found)
            case Branch(condition=condition):
                return _limited(facts | _learned(facts, condition, position == 0))
            case Assertion(condition=condition):
                return _limited(facts | _learned(facts, condition, True))
            case Update(place=place, target=target):
                found = set(_without_variable(facts, _variable(place)))
                return frozenset(found if target is None else _without_local(found, target))
            case _:
                target = written(operation)
                return facts if target is None else frozenset(_without_local(facts, target))


def _bare(expr: Expr) -> Expr:
    """The expression without the places where its parts stand: two of the same are one fact."""
    match expr:
        case Apply(arguments=arguments):
            return replace(expr, arguments=tuple(_bare(a) for a in arguments), span=None)
        case Read(place=VariablePlace(indices=indices) as place):
            return replace(expr, place=replace(place, indices=tuple(_bare(i) for i in indices)))
        case _:
            return expr


def _limited(facts: Iterable[Fact]) -> Facts:
    found = frozenset(_bare(fact) for fact in facts)
    return (
        found
        if len(found) <= _MOST
        else frozenset(sorted(found, key=lambda f: (len(repr(f)), repr(f)))[:_MOST])
    )


def _writers(world: World, steps: tuple[SymbolicStep, ...]) -> dict[tuple[int, int], list[dict[int, str]]]:
    """For each part of a variable, the locks that are held where it is written."""
    found: dict[tuple[int, int], list[dict[int, str]]] = {}
    for step in steps:
        places = world.places[step.process]
        held = {**(places.held[step.after.start] or {}), **(places.held[step.after.end] or {})}
        for key in step.after.memory.writes:
            if held not in found.setdefault(key, []):
                found[key].append(held)
    return found


def _is_local(place: Place) -> bool:
    return isinstance(place, VariablePlace)


def _variable(place: Place) -> int:
    return place.variable if isinstance(place, VariablePlace) else -1


def _sort(world: World, place: Place) -> Sort:
    return world.program.variables[_variable(place)].sort


def _parts_read(world: World, fact: Expr) -> Iterator[tuple[int, int]]:
    """The parts of variables that a fact reads: of a word's field, only that field's."""
    match fact:
        case Apply(op=Op.FIELD, arguments=(Read(place=VariablePlace(variable=number)),), data=data):
            sort = world.program.variables[number].sort
            assert isinstance(sort, WordSort)
            first = sum(len(leaves(inner)) for _, inner, _ in sort.fields[:data])
            for position in range(len(leaves(sort.fields[data][1]))):
                yield number, first + position
        case Read(place=VariablePlace(variable=number)):
            for position in range(len(leaves(world.program.variables[number].sort))):
                yield number, position
        case Apply(arguments=arguments):
            for argument in arguments:
                yield from _parts_read(world, argument)
        case _:
            return


def _simple(expr: Expr) -> bool:
    """Whether an expression is over locals, parameters, constants and variables only."""
    return all(isinstance(part, Apply | Local | Param | Const | Read) for part in inside(expr)) and not any(
        isinstance(part, Held) for part in inside(expr)
    )


def _unwrapped(expr: Expr) -> Expr:
    """What a T was taken out of: equal to it, where it was there."""
    while isinstance(expr, Apply) and expr.op in (Op.UNWRAP, Op.FIT):
        expr = expr.arguments[0]
    return expr


def equation(left: Expr, right: Expr) -> Fact:
    """The two are equal; always written the same way."""
    first, second = sorted((left, right), key=repr)
    return Apply(Op.EQUAL, (first, second), BOOL)


def _without_local(facts: Iterable[Fact], local: int) -> Iterator[Fact]:
    return (fact for fact in facts if local not in set(locals_in(fact)))


def _without_variable(facts: Iterable[Fact], variable: int) -> Iterator[Fact]:
    return (
        fact
        for fact in facts
        if not any(isinstance(p, Read) and _variable(p.place) == variable for p in inside(fact))
    )


def _replaced(expr: Expr, old: Expr, new: Expr) -> Expr:
    if expr == old:
        return new
    match expr:
        case Apply(op=Op.EQUAL, arguments=(left, right)):
            return equation(_replaced(left, old, new), _replaced(right, old, new))
        case Apply(arguments=arguments):
            return replace(expr, arguments=tuple(_replaced(a, old, new) for a in arguments))
        case Read(place=VariablePlace(indices=indices) as place):
            return replace(expr, place=replace(place, indices=tuple(_replaced(i, old, new) for i in indices)))
        case _:
            return expr


def _equals(facts: Iterable[Fact]) -> Iterator[tuple[Expr, Expr]]:
    for fact in facts:
        if isinstance(fact, Apply) and fact.op is Op.EQUAL:
            left, right = fact.arguments
            yield left, right
            yield right, left


def _with_variants(facts: Iterable[Fact], new: Fact) -> set[Fact]:
    """A fact, and the same of what its locals are known to equal."""
    found = {new}
    for left, right in _equals(facts):
        if isinstance(left, Local) and isinstance(right, Local | Read | Apply) and _simple(right):
            found |= {_replaced(fact, left, right) for fact in tuple(found)}
    return {
        fact
        for fact in found
        if not (isinstance(fact, Apply) and fact.op is Op.EQUAL and len(set(fact.arguments)) == 1)
    }


def _assigned(facts: Facts, me: Local, value: Expr | None) -> set[Fact]:
    target = me.local
    if value is None:
        return set(_without_local(facts, target))
    value = _unwrapped(value)
    kept = set(_without_local(facts, target))
    if not _simple(value):
        return kept
    if isinstance(value, Const):
        kept |= {_replaced(fact, value, me) for fact in kept if _is_equation(fact)}
        return kept
    match value:
        case Apply(op=Op.SET_REMOVE, arguments=(Local(local=source), member)) if source == target:
            if target not in set(locals_in(member)):
                kept.add(Apply(Op.NOT, (Apply(Op.IN, (member, replace(me)), BOOL),), BOOL))
            return kept
        case _ if target in set(locals_in(value)):
            return kept
        case _:
            pass
    if isinstance(value, Local):
        kept |= {_replaced(fact, value, me) for fact in kept}
    return kept | _with_variants(kept, equation(me, value))


def _is_equation(fact: Fact) -> bool:
    return isinstance(fact, Apply) and fact.op is Op.EQUAL


def _stored(world: World, facts: Facts, place: Place, value: Expr) -> set[Fact]:
    kept = set(_without_variable(facts, _variable(place)))
    value = _unwrapped(value)
    if not isinstance(place, VariablePlace) or not _simple(value):
        return kept
    reads = any(isinstance(p, Read) and _variable(p.place) == place.variable for p in inside(value))
    if reads or not all(_simple(index) for index in place.indices):
        return kept
    here = Read(place, world.program.variables[place.variable].sort)
    if isinstance(value, Local):
        kept |= {_replaced(fact, value, here) for fact in kept}
    return kept | {equation(here, value)}


def _learned(facts: Facts, condition: Expr, truth: bool) -> set[Fact]:
    """What a branch says, of the condition and of what it was computed from."""
    if not _simple(condition):
        return set()
    match condition:
        case Apply(op=Op.NOT, arguments=(inner,)):
            return _learned(facts, inner, not truth)
        case Apply(op=Op.NOT_EQUAL, arguments=(left, right)):
            return _learned(facts, Apply(Op.EQUAL, (left, right), BOOL), not truth)
        case Apply(op=Op.AND, arguments=arguments) if truth:
            return {fact for part in arguments for fact in _learned(facts, part, True)}
        case Apply(op=Op.OR, arguments=arguments) if not truth:
            return {fact for part in arguments for fact in _learned(facts, part, False)}
        case Apply(op=Op.EQUAL, arguments=(left, right)):
            condition = equation(left, right)
        case _:
            pass
    found: set[Fact] = set()
    if isinstance(condition, Local):
        for left, right in _equals(facts):
            if left == condition and isinstance(right, Apply):
                found |= _learned(facts, right, truth)
    said = condition if truth else Apply(Op.NOT, (condition,), BOOL)
    return found | _with_variants(facts, said)
