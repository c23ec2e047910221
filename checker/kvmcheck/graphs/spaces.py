# SPDX-License-Identifier: GPL-2.0-only
"""A scenario's state graph: every reachable state, each thread's steps, and what is wrong where.

It is the graph without merging and symmetry, so that each edge is one step of one thread.  Folded, the states in which
all threads stand at the same places, or in which the same threads hold the same locks, are one node.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import assert_never

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.live.graph import StateGraph, explored
from kvmcheck.explain.snapshots import Snapshot, snapshot
from kvmcheck.explain.statements import statement
from kvmcheck.explain.values import element_name, shown
from kvmcheck.graphs.folding import Fold
from kvmcheck.graphs.layers import placed
from kvmcheck.graphs.picture import Edge, Node, Picture, Role, Tie, TooLarge
from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.program import Program, PropertyKind, VariableKind
from kvmcheck.semantics.state import State

#: No more states are looked at, however they are folded.
MOST_STATES = 20_000
#: No more lines stand in a node.
_MOST_LINES = 7


@dataclass(frozen=True, slots=True)
class _Space:
    program: Program
    graph: StateGraph
    states: list[State]


def space_picture(program: Program, fold: Fold, most: int) -> Picture:
    """The state graph; raises `TooLarge`."""
    limit = most if fold is Fold.NONE else max(most, MOST_STATES)
    graph = explored(program, Budget(states=limit))
    if len(graph.order) > limit:
        raise TooLarge(limit, limit, more=True)
    space = _Space(program, graph, [graph.layout.unpack(packed) for packed in graph.order])
    groups = _groups(space, fold)
    if len(groups) > most:
        raise TooLarge(len(groups), most)
    edges = _edges(space, groups)
    starts = {groups[n] for n, parent in enumerate(graph.parents) if parent < 0}
    places = placed(len(set(groups)), [(edge.source, edge.target) for edge in edges], starts)
    broken = _broken(space)
    members: dict[int, list[int]] = {}
    for state, group in enumerate(groups):
        members.setdefault(group, []).append(state)
    first = snapshot(program, space.states[0]) if space.states else ()
    nodes = tuple(
        _node(space, fold, key, states, places[key], first, broken, key in starts)
        for key, states in members.items()
    )
    return Picture(program.title, (), nodes, edges)


def _groups(space: _Space, fold: Fold) -> list[int]:
    """The node that each state belongs to, numbered as they come."""
    numbers: dict[Hashable, int] = {}
    return [
        numbers.setdefault(_key(space.program, state, fold, number), len(numbers))
        for number, state in enumerate(space.states)
    ]


def _key(program: Program, state: State, fold: Fold, number: int) -> Hashable:
    match fold:
        case Fold.NONE:
            return number
        case Fold.LOCATION:
            return tuple((thread.pc, thread.handler_pc) for thread in state.threads)
        case Fold.LOCK:
            return _locks(program, state)
        case _:
            assert_never(fold)


def _locks(program: Program, state: State) -> tuple[str, ...]:
    """Each lock that somebody holds, as `mmu_lock: vcpu`."""
    held: list[str] = []
    for number, variable in enumerate(program.variables):
        if variable.kind is VariableKind.LOCK:
            for element, value in enumerate(state.values[number]):
                text = shown(program, value, variable.sort)
                if text != "free":
                    held.append(f"{element_name(program, variable, element)}: {text}")
    return tuple(held)


def _edges(space: _Space, groups: list[int]) -> tuple[Edge, ...]:
    labels: dict[tuple[int, int], dict[str, None]] = {}
    graph = space.graph
    for source in range(graph.expanded):
        for at in graph.edges(source):
            thread, handler = divmod(graph.actors[at], 2)
            pair = groups[source], groups[graph.targets[at]]
            said = _step(space.program, space.states[source], thread, handler=bool(handler))
            labels.setdefault(pair, {})[said] = None
    return tuple(
        Edge(source, target, Tie.STEP, _few(list(said)))
        for (source, target), said in labels.items()
        if source != target or len(space.states) == len(set(groups))  # a fold's inner steps are no edges
    )


def _step(program: Program, state: State, thread: int, *, handler: bool) -> str:
    instance = program.threads[thread]
    process = program.processes[instance.process]
    own = state.threads[thread]
    body, at = process.body, own.pc
    if handler and process.interrupt is not None:
        body, at = process.interrupt, own.handler_pc or 0
    return f"{instance.name}: {statement(body.nodes[at].span)}"


def _few(labels: list[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{labels[0]} (and {len(labels) - 1} more)"


def _broken(space: _Space) -> dict[int, str]:
    """By state, the invariant that does not hold there."""
    evaluator = Evaluator(space.program)
    claims = [claim for claim in space.program.properties if claim.kind is PropertyKind.INVARIANT]
    found: dict[int, str] = {}
    for number, state in enumerate(space.states):
        for claim in claims:
            if evaluator.broken_by(claim, None, state, None) is not None:
                found.setdefault(number, claim.name)
    return found


def _node(
    space: _Space,
    fold: Fold,
    key: int,
    states: list[int],
    place: tuple[int, int],
    first: Snapshot,
    broken: dict[int, str],
    start: bool,
) -> Node:
    program = space.program
    wrong = sorted({broken[state] for state in states if state in broken})
    stuck = all(space.graph.first[n] == space.graph.first[n + 1] for n in states)
    role = Role.BROKEN if wrong else Role.START if start else Role.LAST if stuck else Role.PLAIN
    held = snapshot(program, space.states[states[0]])
    if fold is Fold.LOCK:
        lines = list(_locks(program, space.states[states[0]])) or ["no lock is held"]
    elif fold is Fold.LOCATION:
        lines = [f"{name}: {text}" for name, text in held if name.endswith(" at") and text]
    else:
        changed = [now for now, old in zip(held, first, strict=True) if now != old]
        lines = [f"{name}{':' if name.endswith(' at') else ' ='} {text}" for name, text in changed]
        lines = lines or ["as it begins" if start else "within a statement"]
    head = (
        f"{key}" if fold is Fold.NONE else f"{key}: {len(states)} {'state' if len(states) == 1 else 'states'}"
    )
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], f"and {len(lines) - _MOST_LINES + 1} more"]
    said = [f"not {name}" for name in wrong]
    lane, row = place
    note = "\n".join(f"{name} = {text}" for name, text in held) if fold is Fold.NONE else "\n".join(lines)
    return Node(key, (head, *lines, *said), lane, row, role, note)
