# SPDX-License-Identifier: GPL-2.0-only
"""What to call the two steps of an ordering.

Two critical sections are ordered by their lock; what a reader wants to hear of is what is done in them: steps of
both that conflict, or else that somebody gave a name to.
"""

from __future__ import annotations

from kvmcheck.explain.orderings import Moment, Ordering
from kvmcheck.explain.spots import spot_of
from kvmcheck.explain.statements import statement
from kvmcheck.explain.values import element_name
from kvmcheck.semantics.program import Acquire, Body, Node, Program, Release, VariableKind
from kvmcheck.semantics.witness import Step
from kvmcheck.why.events import Events, Pair
from kvmcheck.why.turned import Turned

#: A statement of more characters is too long for a name.
_MOST = 40


def ordering(program: Program, events: Events, turned: Turned) -> Ordering:
    """The ordering in words."""
    pair = turned.pair
    first, second = _told_of(program, events, pair)
    about = _about(program, events, first, second)
    locks = [p for p in events.conflict(pair.first, pair.second) if _is_lock(program, p[0])]
    return Ordering(
        first=moment(program, events.steps[first], first + 1),
        second=moment(program, events.steps[second], second + 1),
        about=about,
        under=_element(program, locks[0]) if locks else "",
        need=turned.need.value,
        schedule=tuple(moment(program, step, n) for n, step in enumerate(turned.run, start=1)),
    )


def moment(program: Program, step: Step, number: int) -> Moment:
    """A step by its innermost label, or else by its statement, or the function that a long one stands in."""
    node = node_of(program, step)
    function = body_of(program, step).frames[node.frame].function
    name = node.labels[-1].rpartition("@")[2] if node.labels else statement(node.span)
    if len(name) > _MOST:
        name = f"{function}()" if function else name[: _MOST - 4].rstrip() + " ..."
    return Moment(program.threads[step.thread].name, number, name, spot_of(node.span))


def body_of(program: Program, step: Step) -> Body:
    """The body that a step belongs to: the thread's own, or its handler's."""
    process = program.processes[program.threads[step.thread].process]
    return process.interrupt if step.handler and process.interrupt is not None else process.body


def node_of(program: Program, step: Step) -> Node:
    """The node of a step's visible operation."""
    return body_of(program, step).nodes[step.node]


def _told_of(program: Program, events: Events, pair: Pair) -> tuple[int, int]:
    """The two steps to name for an ordering: of critical sections what conflicts in them."""
    places = events.conflict(pair.first, pair.second)
    if any(program.variables[v].kind is VariableKind.SHARED for v, _ in places):
        return pair.first, pair.second
    locks = [place for place in places if _is_lock(program, place[0])]
    if not locks:
        return pair.first, pair.second
    one = _section(program, events, pair.first, locks[0], back=True)
    other = _section(program, events, pair.second, locks[0], back=False)
    pairs = [(x, y) for x in one for y in other if _about(program, events, x, y)]
    pairs.sort(
        key=lambda xy: (_unnamed(program, events, xy[0]) + _unnamed(program, events, xy[1]), -xy[0], xy[1])
    )
    if pairs:
        return pairs[0]
    named_first = [x for x in one if not _unnamed(program, events, x)]
    named_second = [y for y in other if not _unnamed(program, events, y)]
    return (named_first or [pair.first])[-1], (named_second or [pair.second])[0]


def _section(program: Program, events: Events, at: int, lock: tuple[int, int], *, back: bool) -> list[int]:
    """The steps of the critical section that an event belongs to: those before it, or those behind it."""
    thread = events.steps[at].thread
    own = [e for e, step in enumerate(events.steps) if step.thread == thread]
    found: list[int] = []
    for e in reversed(own[: own.index(at)]) if back else own[own.index(at) + 1 :]:
        operation = node_of(program, events.steps[e]).operation
        if isinstance(operation, Acquire | Release) and lock in {
            (v, n) for v, n, _ in events.steps[e].footprint
        }:
            break
        if not isinstance(operation, Acquire | Release):
            found.append(e)
    return found[::-1] if back else found


def _unnamed(program: Program, events: Events, event: int) -> int:
    return 0 if node_of(program, events.steps[event]).labels else 1


def _about(program: Program, events: Events, first: int, second: int) -> tuple[str, ...]:
    """What of the machine's state two steps conflict on."""
    places = events.conflict(first, second)
    return tuple(_element(program, p) for p in places if program.variables[p[0]].kind is VariableKind.SHARED)


def _element(program: Program, place: tuple[int, int]) -> str:
    for pool in program.pools:
        if pool.allocated == place[0]:
            return f"the {pool.name} objects"
    return element_name(program, program.variables[place[0]], place[1])


def _is_lock(program: Program, variable: int) -> bool:
    return program.variables[variable].kind is VariableKind.LOCK
