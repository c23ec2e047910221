# SPDX-License-Identifier: GPL-2.0-only
"""The order of locks, from the text alone: which locks may be held where others are taken, whatever happens.

`lock_order` is about the steps of all runs together, which no state or step shows.  But if the graph of what *may* be
held while something is taken has no cycle, the graph of what is held has none either, for any number of steps.
If it has one, nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kvmcheck.engine.lockgraph import LockGraph
from kvmcheck.engine.races import variables_of
from kvmcheck.semantics.numbering import element_count
from kvmcheck.semantics.program import Acquire, Body, Process, Program, Release, VariablePlace
from kvmcheck.source.text import Span

Held = frozenset[int]


def locks_are_ordered(program: Program) -> bool:
    """Whether no cycle can be closed by any process, whatever it does."""
    graph = LockGraph()
    for process in program.processes:
        for held, taken, span in _edges(program, process):
            if held == taken and element_count(program.variables[held]) == 1:
                continue  # one lock, taken by who holds it: that is no_lock_misuse, and the step ends there
            if graph.add(held, taken, span, {(held, taken)}) is not None:
                return False
    return True


def _edges(program: Program, process: Process) -> Iterable[tuple[int, int, Span]]:
    """The lock variables that may be held where another one is taken (not tried)."""
    main = _may_hold(program, process.body, frozenset())
    yield from _taken(program, process.body, main)
    if process.interrupt is not None:
        # The handler may run wherever the main body is, and that may be where it left something held.
        anywhere: Held = frozenset().union(*main.values())
        handler = _may_hold(program, process.interrupt, anywhere)
        yield from _taken(program, process.interrupt, handler)
        left = frozenset[int]().union(*handler.values())
        yield from _taken(program, process.body, _may_hold(program, process.body, left))


def _taken(program: Program, body: Body, held: Mapping[int, Held]) -> Iterable[tuple[int, int, Span]]:
    for number, node in enumerate(body.nodes):
        if isinstance(node.operation, Acquire) and node.operation.target is None:
            for taken in variables_of(node.operation.lock, program):
                for other in held.get(number, ()):
                    yield other, taken, node.span


def _may_hold(program: Program, body: Body, start: Held) -> dict[int, Held]:
    """For each node that may be reached, the lock variables of which an element may be held there."""
    held: dict[int, Held] = {0: start}
    waiting = [0]
    while waiting:
        number = waiting.pop()
        now = held[number]
        operation = body.nodes[number].operation
        match operation:
            case Acquire(lock=lock):
                now |= set(variables_of(lock, program))
            case Release(lock=VariablePlace(variable=lock, indices=()), shared=False):
                now -= {lock}
            case _:
                pass
        for successor in body.nodes[number].successors:
            known = held.get(successor)
            if known is None or not now <= known:
                held[successor] = now if known is None else known | now
                waiting.append(successor)
    return held
