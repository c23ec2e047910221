# SPDX-License-Identifier: GPL-2.0-only
"""What a step changed, field by field, in the words of the model.

Hidden things stay hidden: temporaries, monitors of `after … until`, and the parameters of a call that only
repeat what their caller (or the process) already calls by that name or value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from kvmcheck.explain.values import element_name, shown
from kvmcheck.semantics import sorts
from kvmcheck.semantics.program import Body, Program, Variable, VariableKind
from kvmcheck.semantics.sorts import UNSET, Sort, Value, WordSort
from kvmcheck.semantics.state import State


class ChangeKind(Enum):
    """Where the changed thing lives."""

    SHARED = "shared"
    LOCK = "lock"
    GHOST = "ghost"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Change:
    """One element, field or local that holds something else than before.

    `before` is empty for a local: what a local held before is rarely the point.  `function`: whose local it is,
    in which of the inlined calls (`frame`).
    """

    kind: ChangeKind
    name: str
    before: str
    after: str
    function: str = ""
    frame: int = -1

    @property
    def text(self) -> str:
        """`spte[gfn0].present: false -> true`, or `pfn = pfn0`."""
        if self.kind is ChangeKind.LOCAL:
            return f"{self.name} = {self.after}"
        return f"{self.name}: {self.before} -> {self.after}"


def changes(program: Program, before: State, after: State, thread: int) -> tuple[Change, ...]:
    """What is different after a step of `thread`: shared first, then locks, ghosts and its locals."""
    found = [
        *_variables(program, before, after, VariableKind.SHARED),
        *_variables(program, before, after, VariableKind.LOCK),
        *_variables(program, before, after, VariableKind.GHOST),
        *_locals(program, before, after, thread),
    ]
    return tuple(found)


def _variables(program: Program, before: State, after: State, kind: VariableKind) -> Iterator[Change]:
    masks = {pool.allocated: pool.name for pool in program.pools}
    for number, variable in enumerate(program.variables):
        old_values, new_values = before.values[number], after.values[number]
        if old_values == new_values:
            continue
        if number in masks:
            if kind is VariableKind.SHARED:
                yield from _allocation(masks[number], old_values[0], new_values[0])
        elif variable.kind is kind:
            for element, (old, new) in enumerate(zip(old_values, new_values, strict=True)):
                name = element_name(program, variable, element)
                yield from _values(program, _change_kind(variable), name, old, new, variable.sort)


def _change_kind(variable: Variable) -> ChangeKind:
    match variable.kind:
        case VariableKind.LOCK:
            return ChangeKind.LOCK
        case VariableKind.GHOST | VariableKind.MONITOR:
            return ChangeKind.GHOST
        case VariableKind.SHARED:
            return ChangeKind.SHARED


def _allocation(pool: str, old: Value, new: Value) -> Iterator[Change]:
    if isinstance(old, int) and isinstance(new, int):
        for position in range(max(old, new).bit_length()):
            was, is_now = old >> position & 1, new >> position & 1
            if was != is_now:
                words = ("allocated", "freed") if was else ("free", "allocated")
                yield Change(ChangeKind.SHARED, f"{pool}#{position}", *words)


def _values(
    program: Program, kind: ChangeKind, name: str, old: Value, new: Value, sort: Sort
) -> Iterator[Change]:
    """The changes of one element; of a word struct those of its fields."""
    if old == new:
        return
    if isinstance(sort, WordSort) and isinstance(old, tuple) and isinstance(new, tuple):
        for (field, inner, _), before, after in zip(sort.fields, old, new, strict=True):
            yield from _values(program, kind, f"{name}.{field}", before, after, inner)
        return
    yield Change(kind, name, shown(program, old, sort), shown(program, new, sort))


def _locals(program: Program, before: State, after: State, thread: int) -> Iterator[Change]:
    process = program.processes[program.threads[thread].process]
    old, new = before.threads[thread], after.threads[thread]
    yield from _body_locals(program, process.body, old.locals, new.locals, thread)
    if process.interrupt is not None:
        yield from _body_locals(program, process.interrupt, old.handler_locals, new.handler_locals, thread)


def local_change(body: Body, number: int, text: str) -> Change:
    """That a local holds what `text` says."""
    variable = body.locals[number]
    function = body.frames[variable.frame].function
    return Change(ChangeKind.LOCAL, variable.name, "", text, function, variable.frame)


def _body_locals(
    program: Program, body: Body, old: tuple[Value, ...], new: tuple[Value, ...], thread: int
) -> Iterator[Change]:
    said: set[tuple[str, str]] = set()
    for number, variable in enumerate(body.locals):
        if variable.hidden or number >= len(new) or new[number] == UNSET:
            continue
        if number < len(old) and old[number] == new[number]:
            continue
        value = new[number]
        if _repeats(program, body, number, new, thread):
            continue
        text = shown(program, value, variable.sort)
        if (variable.name, text) not in said:
            said.add((variable.name, text))
            yield local_change(body, number, text)


def _repeats(program: Program, body: Body, number: int, values: tuple[Value, ...], thread: int) -> bool:
    """Whether a local only repeats a process parameter, or a caller's local of the same name."""
    variable, value = body.locals[number], values[number]
    instance = program.threads[thread]
    parameters = program.processes[instance.process].parameters
    if isinstance(variable.sort, sorts.IdSort) and any(
        sort == variable.sort and parameter == value
        for (_, sort), parameter in zip(parameters, instance.parameters, strict=True)
    ):
        return True
    frame = body.frames[variable.frame].parent
    while frame is not None:
        for other, candidate in enumerate(body.locals):
            if candidate.frame == frame and candidate.name == variable.name and values[other] == value:
                return True
        frame = body.frames[frame].parent
    return False
