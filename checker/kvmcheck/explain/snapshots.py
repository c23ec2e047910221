# SPDX-License-Identifier: GPL-2.0-only
"""The whole state at each step of a trace, for formats that show states rather than what changed.

A snapshot has the same names in every state of a trace: each shared variable, lock and ghost by element and field, the
allocated objects of each pool, and for each thread where it stands and what its locals hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kvmcheck.engine.result import Result
from kvmcheck.explain.statements import statement
from kvmcheck.explain.story import Account, Story
from kvmcheck.explain.values import element_name, shown
from kvmcheck.semantics.program import Body, End, Program, VariableKind
from kvmcheck.semantics.sorts import Sort, Value, WordSort
from kvmcheck.semantics.state import State
from kvmcheck.semantics.witness import Trace

#: A name and what it holds, as a person writes it.
Snapshot = tuple[tuple[str, str], ...]


def with_snapshots(account: Account, result: Result) -> Account:
    """The account of the result, each of its stories with the states that it goes through."""
    findings = tuple(
        replace(
            finding,
            stories=tuple(
                _with_states(result.program, story, trace)
                for story, trace in zip(finding.stories, found.traces, strict=True)
            ),
        )
        for finding, found in zip(account.findings, result.properties, strict=True)
    )
    goals = tuple(
        replace(goal, story=_with_states(result.program, goal.story, cover.trace))
        if goal.story is not None and cover.trace is not None
        else goal
        for goal, cover in zip(account.goals, result.covers, strict=True)
    )
    return replace(account, findings=findings, goals=goals)


def _with_states(program: Program, story: Story, trace: Trace) -> Story:
    states = (trace.initial, *(step.after for step in trace.steps))
    return replace(story, states=tuple(snapshot(program, state) for state in states))


def snapshot(program: Program, state: State) -> Snapshot:
    """Everything that the state holds, by name."""
    return (*_variables(program, state), *_threads(program, state))


def _variables(program: Program, state: State) -> Iterator[tuple[str, str]]:
    masks = {pool.allocated: pool for pool in program.pools}
    for number, variable in enumerate(program.variables):
        values = state.values[number]
        if number in masks:
            mask = values[0] if isinstance(values[0], int) else 0
            for position in range(masks[number].size):
                yield f"{masks[number].name}#{position}", "allocated" if mask >> position & 1 else "free"
        elif variable.kind is not VariableKind.MONITOR:
            for element, value in enumerate(values):
                name = element_name(program, variable, element)
                yield from _fields(program, name, value, variable.sort)


def _fields(program: Program, name: str, value: Value, sort: Sort) -> Iterator[tuple[str, str]]:
    if isinstance(sort, WordSort) and isinstance(value, tuple):
        for (field, inner, _), part in zip(sort.fields, value, strict=True):
            yield from _fields(program, f"{name}.{field}", part, inner)
    else:
        yield name, shown(program, value, sort)


def _threads(program: Program, state: State) -> Iterator[tuple[str, str]]:
    for instance, at in zip(program.threads, state.threads, strict=True):
        process = program.processes[instance.process]
        yield f"{instance.name} at", _standing(process.body, at.pc)
        yield from _locals(program, process.body, at.locals, instance.name)
        if process.interrupt is not None:
            handler = f"{instance.name} interrupt"
            yield (
                f"{handler} at",
                "" if at.handler_pc is None else _standing(process.interrupt, at.handler_pc),
            )
            yield from _locals(program, process.interrupt, at.handler_locals, handler)


def _standing(body: Body, pc: int) -> str:
    """The statement that comes next, or `the end`."""
    node = body.nodes[pc]
    return "the end" if isinstance(node.operation, End) else statement(node.span)


def _locals(program: Program, body: Body, values: tuple[Value, ...], owner: str) -> Iterator[tuple[str, str]]:
    """The locals that the spec names; those of a function that is called in several places are numbered."""
    seen: dict[str, int] = {}
    for number, variable in enumerate(body.locals):
        if variable.hidden:
            continue
        function = body.frames[variable.frame].function
        name = f"{owner} {function}.{variable.name}" if function else f"{owner} {variable.name}"
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            name += f"'{seen[name]}"
        # A handler that does not run has no locals at all.
        yield name, shown(program, values[number], variable.sort) if number < len(values) else "unset"
