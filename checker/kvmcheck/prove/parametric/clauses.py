# SPDX-License-Identifier: GPL-2.0-only
"""The inductive invariant: the clauses that a person wrote, and those that the code implies by itself.

A clause is a formula over a state, for whatever state it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from kvmcheck.prove.parametric.facts import Fact, FactFlow
from kvmcheck.prove.parametric.formulas import Formulas
from kvmcheck.prove.parametric.steps import SymbolicStep
from kvmcheck.prove.parametric.terms import Term, arithmetic, both, every, implies
from kvmcheck.prove.parametric.values import Symbolic, ThreadOf, same, term
from kvmcheck.prove.parametric.world import World
from kvmcheck.semantics.program import Property
from kvmcheck.semantics.sorts import LockSort, SeqSort
from kvmcheck.source.text import Span


class Origin(Enum):
    """Where a clause comes from."""

    WRITTEN = "written"
    CLAIM = "claim"
    LOCKS = "locks"
    CODE = "code"
    SEQ = "seq"


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of the invariant."""

    name: str
    origin: Origin
    build: Callable[[Formulas], Term]
    span: Span | None = None


def written(property_: Property, *, claim: bool = False) -> Clause:
    """The clause of an invariant as it is declared."""
    origin = Origin.CLAIM if claim else Origin.WRITTEN
    condition = property_.condition
    return Clause(property_.name, origin, lambda formulas: formulas.truth(condition), property_.span)


def from_code(world: World, steps: tuple[SymbolicStep, ...]) -> tuple[Clause, ...]:
    """The mechanical clauses."""
    return (*_locks(world), *_code(world, steps), *_seqs(world))


def _locks(world: World) -> Iterator[Clause]:
    """Who holds a lock for writing is the only one who holds it."""
    for number, variable in enumerate(world.program.variables):
        if not isinstance(variable.sort, LockSort):
            continue
        if not any(places.holding(number, ("write",)) for places in world.places):
            continue

        def build(formulas: Formulas, number: int = number) -> Term:
            found: list[Term] = []
            for first, places in enumerate(world.places):
                writing = places.holding(number, ("write",))
                for second, others in enumerate(world.places):
                    holding = others.holding(number, ("write", "read"))
                    if not writing or not holding:
                        continue
                    one = world.thread_variables(first, "a")
                    other = world.thread_variables(second, "b")
                    both_hold = both(
                        formulas.state.at(first, writing, one), formulas.state.at(second, holding, other)
                    )
                    alike = same(ThreadOf(first, one), ThreadOf(second, other), formulas.fresh)
                    found.append(every((*one, *other), implies(both_hold, alike)))
            return both(*found)

        yield Clause(f"{variable.name}_excludes", Origin.LOCKS, build)


def _code(world: World, steps: tuple[SymbolicStep, ...]) -> Iterator[Clause]:
    """What each place in the code implies; facts of the same places are one clause."""
    for threads in world.threads:
        process = threads.process
        at: dict[Fact, list[int]] = {}
        for node, facts in FactFlow(world, process, steps).facts().items():
            for fact in facts:
                at.setdefault(fact, []).append(node)
        groups: dict[tuple[int, ...], list[Fact]] = {}
        for fact, where in at.items():
            groups.setdefault(tuple(where), []).append(fact)
        for nodes in sorted(groups):
            found = sorted(groups[nodes], key=repr)

            def build(
                formulas: Formulas,
                process: int = process,
                nodes: tuple[int, ...] = nodes,
                found: list[Fact] = found,
            ) -> Term:
                thread = world.thread_variables(process, "a")
                reader = in_code(formulas, process, thread)
                said = both(*(reader.truth(fact) for fact in found))
                return every(thread, implies(formulas.state.at(process, frozenset(nodes), thread), said))

            yield Clause(f"{threads.name}_at_{'_'.join(map(str, nodes))}", Origin.CODE, build)


def in_code(formulas: Formulas, process: int, thread: tuple[Term, ...]) -> Formulas:
    """The same state, as the code of a thread sees it."""
    state = formulas.state

    def local(number: int) -> Symbolic:
        return state.local(process, number, thread)

    return replace(formulas, locals=local, parameters=thread)


def _seqs(world: World) -> Iterator[Clause]:
    """No copy of a seq is ahead of it."""
    for home in world.program.seq_homes:
        for threads, places in zip(world.threads, world.places, strict=True):
            for local, declared in enumerate(places.body.locals):
                holding = frozenset(
                    n
                    for n in places.stops
                    if isinstance(declared.sort, SeqSort)
                    and local in places.kept[n] & places.assigned[n]
                    and local not in places.constants[n]
                )
                if not holding:
                    continue

                def build(
                    formulas: Formulas,
                    process: int = threads.process,
                    local: int = local,
                    holding: frozenset[int] = holding,
                    home: int = home,
                ) -> Term:
                    thread = world.thread_variables(process, "a")
                    copy = term(formulas.state.local(process, local, thread))
                    newest = term(formulas.state.read(home, ()))
                    ahead = arithmetic("<=", copy, newest)
                    return every(thread, implies(formulas.state.at(process, holding, thread), ahead))

                name = world.local_symbol(threads.process, local)
                yield Clause(f"{name}_not_ahead", Origin.SEQ, build)
