# SPDX-License-Identifier: GPL-2.0-only
"""What a liveness property says of states: where something is due, and where it has come about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kvmcheck.engine.layout import Packed
from kvmcheck.engine.live.fairness import counted_entries
from kvmcheck.engine.live.graph import StateGraph, actor_of
from kvmcheck.engine.runtime import Fail
from kvmcheck.semantics.program import Live

Test = Callable[[Packed], bool]


@dataclass(frozen=True, slots=True)
class Due:
    """From a state where `begins` is true on, `open` must become false in the end.  `thread`: whose call it is."""

    begins: Test
    open: Test
    thread: int | None


class Failed(Exception):
    """A condition reads what is not there in some state, so it is neither true nor false there."""


def dues(graph: StateGraph, number: int) -> Iterator[Due]:
    """What the property of that number wants to come about: one thing, or one for each call of its function."""
    live = graph.layout.program.lives[number]
    if live.function:
        yield from _calls(graph, live)
        return
    trigger, goal = graph.tests[number]
    assert goal is not None

    def begins(state: Packed) -> bool:
        return trigger is None or _asked(trigger, state)

    def is_open(state: Packed) -> bool:
        return not _asked(goal, state)

    yield Due(begins, is_open, None)


def _asked(test: Test, state: Packed) -> bool:
    try:
        return bool(test(state))
    except Fail:
        raise Failed from None


def _calls(graph: StateGraph, live: Live) -> Iterator[Due]:
    layout = graph.layout
    for number, thread in enumerate(layout.program.threads):
        process = layout.processes[thread.process]
        for call in layout.program.live_calls:
            if call.function != live.function or call.process != thread.process:
                continue
            part = process.handler if call.interrupt else process.main
            assert part is not None
            slot, nodes = layout.base[number] + part.pc, call.nodes

            def inside(state: Packed, slot: int = slot, nodes: frozenset[int] = nodes) -> bool:
                return state[slot] in nodes

            yield Due(inside, inside, number)


def counted_edges(graph: StateGraph, live: Live) -> bytearray | None:
    """For each edge whether it makes a call of which there are assumed to be finitely many; None: none are."""
    if not live.finitely:
        return None
    layout = graph.layout
    entries: dict[int, tuple[int, frozenset[int]]] = {}
    for number, thread in enumerate(layout.program.threads):
        process = layout.processes[thread.process]
        for part, handler in ((process.main, False), (process.handler, True)):
            if part is not None:
                nodes = counted_entries(layout.program, thread.process, live, handler=handler)
                actor = actor_of(number, handler=handler)
                entries[actor] = (layout.base[number] + part.pc, nodes)
    marked = bytearray(len(graph.targets))
    for state, packed in enumerate(graph.order):
        for edge in graph.edges(state):
            slot, nodes = entries[graph.actors[edge]]
            if nodes and packed[slot] in nodes:
                marked[edge] = 1
    return marked
