# SPDX-License-Identifier: GPL-2.0-only
"""What a liveness property says of states: where something is due, and where it has come about."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kvmcheck.engine.layout import BodyLayout, Layout, Packed
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


def called(layout: Layout, functions: tuple[str, ...]) -> Iterator[tuple[int, BodyLayout, frozenset[int]]]:
    """Each call of the functions in each thread: the thread, the body, and the nodes at which the call is under way.

    At the pause in front of a call that is counted it has still to be made.
    """
    for number, thread in enumerate(layout.program.threads):
        process = layout.processes[thread.process]
        for call in layout.program.live_calls:
            if call.function in functions and call.process == thread.process:
                part = process.handler if call.interrupt else process.main
                assert part is not None
                yield number, part, call.nodes - {call.entered}


def _calls(graph: StateGraph, live: Live) -> Iterator[Due]:
    layout = graph.layout
    for thread, part, nodes in called(layout, (live.function,)):

        def inside(
            state: Packed, slot: int = layout.base[thread] + part.pc, nodes: frozenset[int] = nodes
        ) -> bool:
            return state[slot] in nodes

        yield Due(inside, inside, thread)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a run may do for ever: everything but the calls of which there are assumed to be finitely many.

    `edge`: for each edge whether it may be taken again and again.  `enabled`: for each state a bit for every actor that
    can step without making such a call; who is about to make one may leave it.
    """

    edge: bytearray
    enabled: array[int]


def allowed(graph: StateGraph, live: Live) -> Allowed:
    """What the property's assumption leaves."""
    edge = bytearray(b"\1" * len(graph.targets))
    if not live.finitely:
        return Allowed(edge, graph.enabled)
    layout = graph.layout
    calls: list[tuple[int, int, frozenset[int]]] = []
    for thread, part, nodes in called(layout, live.finitely):
        handler = part is layout.processes[layout.program.threads[thread].process].handler
        calls.append((actor_of(thread, handler=handler), layout.base[thread] + part.pc, nodes))
    enabled = array("Q", graph.enabled)
    for state, packed in enumerate(graph.order):
        steps = 0
        for nth in graph.edges(state):
            actor, after = graph.actors[nth], graph.order[graph.targets[nth]]
            if any(
                actor == who and packed[slot] not in inside and after[slot] in inside
                for who, slot, inside in calls
            ):
                edge[nth] = 0
            else:
                steps |= 1 << actor
        for nth in graph.edges(state):
            if not steps >> graph.actors[nth] & 1:
                enabled[state] &= ~(1 << graph.actors[nth])
    return Allowed(edge, enabled)
