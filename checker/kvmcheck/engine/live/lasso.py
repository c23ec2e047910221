# SPDX-License-Identifier: GPL-2.0-only
"""A run without an end, told finitely: states to a loop, and around it once.

The loop is short rather than shortest: from where the run enters the component it goes to the nearest thing that
fairness still wants (a step of somebody, or a state in which he can't step), until nothing is wanted, and back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from kvmcheck.engine.live.components import Component
from kvmcheck.engine.live.fairness import Fair
from kvmcheck.engine.live.graph import StateGraph


@dataclass(frozen=True, slots=True)
class Lasso:
    """The states of a run, by number, an initial one first, and for each step behind the first its edge.

    The states from position `loop` on come again for ever: behind the last state comes that at `loop`, by the last
    edge.  If `loop` is the last position and no edge leads back, the run stays in the last state.
    """

    states: tuple[int, ...]
    edges: tuple[int, ...]
    loop: int

    @property
    def stays(self) -> bool:
        """Whether the run ends in a state that it never leaves."""
        return len(self.edges) < len(self.states)


def around(
    graph: StateGraph, component: Component, start: int, fair: Fair, forbidden: bytearray | None
) -> list[int]:
    """The edges of a fair cycle from a state of the component back to it; empty: the run may stay there."""
    inside = set(component.states)
    wanted = _wanted(graph, component, fair)
    edges: list[int] = []
    at = start
    _cross_off(graph, wanted, at, None)
    while wanted:
        path = _path(graph, inside, at, forbidden, lambda state, edge: _meets(graph, wanted, state, edge))
        for edge in path:
            at = graph.targets[edge]
            _cross_off(graph, wanted, at, edge)
        edges += path
    if at != start:
        edges += _path(graph, inside, at, forbidden, lambda state, _: state == start)
    return edges


def _wanted(graph: StateGraph, component: Component, fair: Fair) -> dict[int, bool]:
    """Of each actor that fairness cares for here: whether only a step of his will do (else also his being blocked)."""
    ever = 0
    for state in component.states:
        ever |= graph.enabled[state]
    idle = fair.bound(graph.order[component.states[0]]) & ever & ~component.taken
    steps = fair.all & component.taken
    return {actor: bool(steps >> actor & 1) for actor in range(64) if (idle | steps) >> actor & 1}


def _meets(graph: StateGraph, wanted: dict[int, bool], state: int, edge: int) -> bool:
    """Whether coming to a state by an edge gives fairness something that it wants."""
    if graph.actors[edge] in wanted:
        return True
    return any(not step and not graph.enabled[state] >> actor & 1 for actor, step in wanted.items())


def _cross_off(graph: StateGraph, wanted: dict[int, bool], state: int, edge: int | None) -> None:
    if edge is not None:
        wanted.pop(graph.actors[edge], None)
    for actor in [a for a, step in wanted.items() if not step and not graph.enabled[state] >> a & 1]:
        del wanted[actor]


def _path(
    graph: StateGraph,
    inside: set[int],
    start: int,
    forbidden: bytearray | None,
    is_goal: Callable[[int, int], bool],
) -> list[int]:
    """The edges of a shortest path of at least one edge, inside a component, whose last edge and state are a goal."""
    came_by: dict[int, int] = {}
    source: dict[int, int] = {}
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        for edge in graph.edges(state):
            target = graph.targets[edge]
            if target not in inside or (forbidden is not None and forbidden[edge]):
                continue
            if is_goal(target, edge):
                path = [edge]
                while state != start:
                    path.append(came_by[state])
                    state = source[state]
                return path[::-1]
            if target != start and target not in came_by:
                came_by[target], source[target] = edge, state
                waiting.append(target)
    raise ValueError("the states are no component")
