# SPDX-License-Identifier: GPL-2.0-only
"""What the operations of a step did that its state does not tell by itself.

Which element it accessed and what was read there; and what the statements assigned that work on locals only: those
are no steps, but a statement that somebody gave a name to is worth a line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kvmcheck.explain.changes import Change, local_change
from kvmcheck.explain.values import element_name, shown
from kvmcheck.semantics.liveness import expressions_in, locals_in
from kvmcheck.semantics.program import (
    Apply,
    Body,
    Expr,
    Load,
    Local,
    Op,
    Place,
    PointerPlace,
    Program,
    Set,
    Store,
    Update,
    VariablePlace,
)
from kvmcheck.semantics.sorts import UNSET, Value, WordSort
from kvmcheck.semantics.state import State
from kvmcheck.semantics.witness import Step


@dataclass(frozen=True, slots=True)
class Assigned:
    """A labelled statement, at a node, that assigned a local; `early`: before the step's own access."""

    node: int
    label: str
    change: Change
    early: bool


def access(program: Program, body: Body, before: State, step: Step) -> str:
    """`reads memslots[0].base_gfn: 1`; the value where it is known, empty where the step is no access."""
    operation = body.nodes[step.node].operation
    match operation:
        case Load(target=target):
            name = _touched(program, step, operation.place)
            if step.touched is None:
                return f"reads {name}"
            number, element = step.touched
            variable = program.variables[number]
            value, sort = before.values[number][element], variable.sort
            for field in _fields(body, target):
                if not isinstance(sort, WordSort) or not isinstance(value, tuple):
                    break
                name, value, sort = f"{name}.{sort.fields[field][0]}", value[field], sort.fields[field][1]
            return f"reads {name}: {shown(program, value, sort)}"
        case Store(place=place):
            return f"writes {_touched(program, step, place)}"
        case Update(place=place):
            return f"updates {_touched(program, step, place)}"
        case _:
            return ""


def assigned(program: Program, body: Body, step: Step) -> Iterator[Assigned]:
    """The labelled statements of a step that assign a local, each once, in order, with what they assigned last."""
    latest: dict[int, Value] = dict(step.named)
    own = step.nodes.index(step.node) if step.node in step.nodes else len(step.nodes)
    for number, value in latest.items():
        node = body.nodes[number]
        operation = node.operation
        function, _, label = node.labels[-1].rpartition("@") if node.labels else ("", "", "")
        if not isinstance(operation, Set) or body.locals[operation.target].hidden or value == UNSET:
            continue
        if body.frames[node.frame].function != function:
            continue  # the label is that of a statement further out
        text = shown(program, value, body.locals[operation.target].sort)
        change = local_change(body, operation.target, text)
        yield Assigned(number, label, change, step.nodes.index(number) < own)


def _touched(program: Program, step: Step, place: Place) -> str:
    """The element that the step accessed; where that was not noted, what the place names."""
    if step.touched is not None:
        number, element = step.touched
        return element_name(program, program.variables[number], element)
    match place:
        case VariablePlace(variable=number):
            return program.variables[number].name
        case PointerPlace(target=target, component=component):
            return f"{target}.{component}" if component else f"a {target}"


def _fields(body: Body, target: int) -> tuple[int, ...]:
    """The field (of a field …) of a word that is all that anybody uses of a hidden local; empty: not just one."""
    if not body.locals[target].hidden:
        return ()
    used: set[tuple[int, ...]] = set()
    for node in body.nodes:
        for expression in expressions_in(node.operation):
            used.update(_paths(expression, target))
    return used.pop() if len(used) == 1 else ()


def _paths(expression: Expr, target: int) -> Iterator[tuple[int, ...]]:
    """For each use of a local, the path of fields that is taken of it."""
    path: list[int] = []
    inner = expression
    while isinstance(inner, Apply) and inner.op is Op.FIELD:
        path.append(inner.data)
        inner = inner.arguments[0]
    match inner:
        case Local(local=local):
            if local == target:
                yield tuple(reversed(path))
        case Apply(arguments=arguments):
            for argument in arguments:
                yield from _paths(argument, target)
        case _:
            if target in locals_in(inner):
                yield ()
