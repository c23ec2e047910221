# SPDX-License-Identifier: GPL-2.0-only
"""What a liveness property says of states: where something is due, and where it has come about."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kvmcheck.engine.layout import BodyLayout, Layout, Packed
from kvmcheck.engine.live.graph import StateGraph, actor_of
from kvmcheck.engine.runtime import Fail
from kvmcheck.semantics.program import Body, Live, LiveCall

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


@dataclass(frozen=True, slots=True)
class Called:
    """A call in a thread: its body, the nodes at which it is under way, and whether the thread may leave it."""

    thread: int
    part: BodyLayout
    nodes: frozenset[int]
    may_be_left: bool


def called(layout: Layout, functions: tuple[str, ...]) -> Iterator[Called]:
    """Each call of the functions in each thread.  At the pause in front of it, a call has still to be made."""
    for number, thread in enumerate(layout.program.threads):
        process = layout.processes[thread.process]
        for call in layout.program.live_calls:
            if call.function in functions and call.process == thread.process:
                part = process.handler if call.interrupt else process.main
                assert part is not None
                yield Called(number, part, call.nodes - {call.entered}, may_be_left(part.body, call))


def _calls(graph: StateGraph, live: Live) -> Iterator[Due]:
    layout = graph.layout
    for call in called(layout, (live.function,)):

        def inside(
            state: Packed,
            slot: int = layout.base[call.thread] + call.part.pc,
            nodes: frozenset[int] = call.nodes,
        ) -> bool:
            return state[slot] in nodes

        yield Due(inside, inside, call.thread)


def may_be_left(body: Body, call: LiveCall) -> bool:
    """Whether a thread that makes finitely many of these calls may stop in front of one.

    So it is with a call in a loop of the process itself: the loop is the environment that calls again and again, or has
    had enough.  A call that is made once, or by another function on its way, is made.
    """
    if call.entered is None or body.frames[call.frame].parent != 0:
        return False
    waiting, seen = list(body.nodes[call.entered].successors), set[int]()
    while waiting:
        number = waiting.pop()
        if number == call.entered:
            return True
        if number not in seen:
            seen.add(number)
            waiting += body.nodes[number].successors
    return False


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a run may do for ever: everything but the calls of which there are assumed to be finitely many.

    `edge`: for each edge whether it may be taken again and again.  `enabled`: for each state a bit for every actor that
    has something to do there but to make such a call, which it may leave.
    """

    edge: bytearray
    enabled: array[int]


def allowed(graph: StateGraph, live: Live) -> Allowed:
    """What the property's assumption leaves."""
    edge = bytearray(b"\1" * len(graph.targets))
    if not live.finitely:
        return Allowed(edge, graph.enabled)
    layout = graph.layout
    calls: list[tuple[int, int, frozenset[int], bool]] = []
    for call in called(layout, live.finitely):
        handler = call.part is layout.processes[layout.program.threads[call.thread].process].handler
        actor = actor_of(call.thread, handler=handler)
        calls.append((actor, layout.base[call.thread] + call.part.pc, call.nodes, call.may_be_left))
    enabled = array("Q", graph.enabled)
    for state, packed in enumerate(graph.order):
        steps = left = 0
        for nth in graph.edges(state):
            actor, after = graph.actors[nth], graph.order[graph.targets[nth]]
            made = [
                leave
                for who, slot, inside, leave in calls
                if actor == who and packed[slot] not in inside and after[slot] in inside
            ]
            edge[nth] = not made
            if made and all(made):
                left |= 1 << actor
            else:
                steps |= 1 << actor
        enabled[state] &= ~(left & ~steps)
    return Allowed(edge, enabled)
