# SPDX-License-Identifier: GPL-2.0-only
"""The guard of a mutant's trace in words, and the near miss: what the unmodified model does with the same schedule."""

from __future__ import annotations

from dataclasses import dataclass

from kvmcheck.explain.orderings import Guard
from kvmcheck.explain.story import Call, Row, Story, stack_of, tell
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.witness import Trace
from kvmcheck.why.guard import Stopped, stopped


@dataclass(frozen=True, slots=True)
class Saved:
    """What stands in the way, and the story of how it does."""

    guard: Guard
    near: Story


@dataclass(frozen=True, slots=True)
class Base:
    """The program without a mutant's edits; `moved`: the labels (`function@label`) that an edit puts elsewhere."""

    program: Program
    moved: frozenset[str]


def saved(base: Base, mutant: Program, trace: Trace, *, dead_locals: bool) -> Saved | None:
    """What in the unmodified model prevents a mutant's trace; None where that can't be told."""
    program = base.program
    found = stopped(program, mutant, trace, dead_locals=dead_locals, moved=base.moved)
    if found is None:
        return None
    near = tell(program, found.trace, "")
    call = _call(program, found)
    decided = next(
        (same.decided for row in near.rows[found.step :] for same in _same(row, call) if same.decided), ""
    )
    guard = Guard(
        thread=program.threads[found.thread].name,
        function=call.function,
        label=call.label,
        statement=f"{call.statement} /* {decided} */" if decided else call.statement,
        spot=call.spot,
        fitted=found.fitted,
        whole=found.fitted == len(trace.steps),
        waits=found.waits,
    )
    return Saved(guard, near)


def _call(program: Program, found: Stopped) -> Call:
    process = program.processes[program.threads[found.thread].process]
    body = process.interrupt if found.handler and process.interrupt is not None else process.body
    return stack_of(program, body, found.node)[found.depth]


def _same(row: Row, call: Call) -> list[Call]:
    """The calls of a step that are at this statement."""
    return [other for other in row.calls if (other.frame, other.statement) == (call.frame, call.statement)]
