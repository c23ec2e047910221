# SPDX-License-Identifier: GPL-2.0-only
"""A run without an end, told finitely: states to a loop, and around it once.

The loop is short rather than shortest: from where the run enters the component it goes to the nearest thing that
fairness still wants (a step of somebody, or a state in which he can't step), until nothing is wanted, and back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from kvmcheck.engine.live.components import Component, Cycles


class Around:
    """The search for a way around a fair component."""

    def __init__(self, cycles: Cycles, component: Component) -> None:
        self.cycles = cycles
        self.graph = cycles.graph
        self.component = component
        self.inside = set(component.states)
        #: Of each actor that fairness still cares for: whether only a step of his will do (else his being blocked too).
        self.wanted = self._wanted()

    def loop_from(self, start: int) -> list[int]:
        """The edges of a fair cycle from a state of the component back to it; empty: the run may stay there."""
        edges: list[int] = []
        at = start
        self._cross_off(at, None)
        while self.wanted:
            path = self._path(at, self._meets)
            for edge in path:
                at = self.graph.targets[edge]
                self._cross_off(at, edge)
            edges += path
        if at != start:
            edges += self._path(at, lambda state, _: state == start)
        return edges

    def _wanted(self) -> dict[int, bool]:
        ever = 0
        for state in self.component.states:
            ever |= self.cycles.enabled[state]
        taken = self.component.taken
        must = self.cycles.fair.all & (taken | ever)
        return {actor: bool(taken >> actor & 1) for actor in range(64) if must >> actor & 1}

    def _blocked(self, state: int) -> list[int]:
        """The actors that are wanted, and for which it is enough that they can't step here."""
        enabled = self.cycles.enabled[state]
        return [actor for actor, step in self.wanted.items() if not step and not enabled >> actor & 1]

    def _meets(self, state: int, edge: int) -> bool:
        """Whether coming to a state by an edge gives fairness something that it wants."""
        return self.graph.actors[edge] in self.wanted or bool(self._blocked(state))

    def _cross_off(self, state: int, edge: int | None) -> None:
        if edge is not None:
            self.wanted.pop(self.graph.actors[edge], None)
        for actor in self._blocked(state):
            del self.wanted[actor]

    def _path(self, start: int, is_goal: Callable[[int, int], bool]) -> list[int]:
        """The edges of a shortest path, at least one, inside the component, whose last state and edge are a goal."""
        graph = self.graph
        came_by: dict[int, tuple[int, int]] = {}
        waiting = deque([start])
        while waiting:
            state = waiting.popleft()
            for edge in graph.edges(state):
                target = graph.targets[edge]
                if target not in self.inside or not self.cycles.allowed[edge]:
                    continue
                if is_goal(target, edge):
                    path = [edge]
                    while state != start:
                        state, edge = came_by[state]
                        path.append(edge)
                    return path[::-1]
                if target != start and target not in came_by:
                    came_by[target] = state, edge
                    waiting.append(target)
        raise ValueError("the states are no component")
