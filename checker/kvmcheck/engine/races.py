# SPDX-License-Identifier: GPL-2.0-only
"""Which variables' accesses may race at all: nothing else is watched while exploring."""

from __future__ import annotations

from collections.abc import Iterator

from kvmcheck.engine.walking import inside
from kvmcheck.semantics.liveness import expressions_in
from kvmcheck.semantics.program import (
    Await,
    Body,
    Check,
    Choose,
    Load,
    Order,
    Place,
    PointerPlace,
    Program,
    Read,
    Store,
    Update,
    VariableKind,
    VariablePlace,
)

#: variable, writes, marked, data_race
Noted = tuple[int, bool, bool, bool]


def variables_of(place: Place, program: Program) -> list[int]:
    """The variables that a place may be in."""
    match place:
        case VariablePlace(variable=number):
            return [number]
        case PointerPlace(target=target, component=component):
            return [root.components[component] for root in program.roots[target]]


def accesses_of(body: Body, program: Program) -> Iterator[Noted]:
    """Every access that a body may make."""
    for node in body.nodes:
        operation = node.operation
        match operation:
            case (
                Load(place=place, order=order)
                | Store(place=place, order=order)
                | Update(place=place, order=order)
            ):
                marked = order.marked or node.group is not None
                for variable in variables_of(place, program):
                    yield variable, not isinstance(operation, Load), marked, order is Order.RACE
            case Await() | Choose():
                for expression in expressions_in(operation):
                    for part in inside(expression):
                        if isinstance(part, Read):
                            for variable in variables_of(part.place, program):
                                yield variable, False, True, False
            case _:
                pass


def may_race(program: Program) -> frozenset[int]:
    """The shared variables of which two threads may meet in conflicting accesses that somebody wants to hear of.

    Unguarded ones, written and accessed without a mark; and guarded ones that a `data_race` read may meet being
    written (those are only listed).
    """
    if Check.NO_DATA_RACE not in program.checks:
        return frozenset()
    threads: dict[int, int] = {}
    written: set[int] = set()
    unmarked: set[int] = set()
    racing: set[int] = set()
    for number, process in enumerate(program.processes):
        instances = sum(thread.process == number for thread in program.threads)
        if process.hardware or not instances:
            continue
        bodies = (process.body, *(() if process.interrupt is None else (process.interrupt,)))
        noted = [access for body in bodies for access in accesses_of(body, program)]
        for variable in {access[0] for access in noted}:
            threads[variable] = threads.get(variable, 0) + instances
        written |= {variable for variable, writes, _, _ in noted if writes}
        unmarked |= {variable for variable, _, marked, _ in noted if not marked}
        racing |= {variable for variable, _, _, race in noted if race}
    return frozenset(
        number
        for number, variable in enumerate(program.variables)
        if variable.kind is VariableKind.SHARED
        and threads.get(number, 0) > 1
        and number in written
        and (number in racing or (variable.guard is None and number in unmarked))
    )
