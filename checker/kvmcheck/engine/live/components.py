# SPDX-License-Identifier: GPL-2.0-only
"""Fair cycles: strongly connected components, cut until what is left is fair or nothing is left.

The algorithm is that for Streett conditions (Emerson and Lei, 1987): where somebody is enabled in a component and
never steps in it, a fair run has to keep away from the states in which he is.  Components are found without recursion
(Tarjan, 1972).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kvmcheck.engine.live.claims import Allowed
from kvmcheck.engine.live.fairness import Fair
from kvmcheck.engine.live.graph import StateGraph


@dataclass(frozen=True, slots=True)
class Component:
    """States among which a fair run can stay for ever, visiting all of them.

    `taken`: the bits of the actors that step in it (0: a single state, where everybody who must go on is blocked or
    has ended).
    """

    states: tuple[int, ...]
    taken: int


class Cycles:
    """The search for fair cycles among some of a graph's states, along some of its edges."""

    def __init__(self, graph: StateGraph, fair: Fair, allowed: Allowed) -> None:
        self.graph = graph
        self.fair = fair
        self.allowed = allowed.edge
        self.enabled = allowed.enabled

    def fair_components(self, members: bytearray) -> Iterator[Component]:
        """The components of the states marked in `members` in which a fair run can stay."""
        waiting = [[state for state, marked in enumerate(members) if marked]]
        while waiting:
            for component in self._components(waiting.pop()):
                verdict = self._judged(component)
                if isinstance(verdict, Component):
                    yield verdict
                elif verdict:
                    waiting.append(verdict)

    def _judged(self, states: list[int]) -> Component | list[int]:
        """The component, if it is fair; else what is left of it without the states that a fair run leaves."""
        graph = self.graph
        taken = self._taken(states)
        always, ever = -1, 0
        for state in states:
            always &= self.enabled[state]
            ever |= self.enabled[state]
        # Whoever does not step keeps his location, so one state tells who waits for a lock.
        idle = self.fair.all & ~taken
        starved = ever & idle & self.fair.strongly(graph.order[states[0]])
        if always & idle:
            return []
        if not starved:
            return Component(tuple(states), taken)
        return [state for state in states if not self.enabled[state] & starved]

    def _taken(self, states: list[int]) -> int:
        """Who steps from one of these states to another."""
        graph, inside, taken = self.graph, set(states), 0
        for state in states:
            for edge in graph.edges(state):
                if graph.targets[edge] in inside and self.allowed[edge]:
                    taken |= 1 << graph.actors[edge]
        return taken

    def _components(self, states: list[int]) -> list[list[int]]:
        """The strongly connected components of these states, each as it is completed."""
        graph = self.graph
        members = set(states)
        index: dict[int, int] = {}
        low: dict[int, int] = {}
        stack: list[int] = []
        on_stack: set[int] = set()
        found: list[list[int]] = []
        for root in states:
            if root in index:
                continue
            calls: list[tuple[int, int]] = [(root, graph.first[root])]
            index[root] = low[root] = len(index)
            stack.append(root)
            on_stack.add(root)
            while calls:
                state, edge = calls.pop()
                last = graph.first[state + 1]
                while edge < last:
                    target = graph.targets[edge]
                    if target in members and self.allowed[edge]:
                        if target not in index:
                            calls.append((state, edge + 1))
                            calls.append((target, graph.first[target]))
                            index[target] = low[target] = len(index)
                            stack.append(target)
                            on_stack.add(target)
                            break
                        if target in on_stack:
                            low[state] = min(low[state], index[target])
                    edge += 1
                else:
                    if calls:
                        caller = calls[-1][0]
                        low[caller] = min(low[caller], low[state])
                    if low[state] == index[state]:
                        component = []
                        while True:
                            member = stack.pop()
                            on_stack.discard(member)
                            component.append(member)
                            if member == state:
                                break
                        found.append(component)
        return found
