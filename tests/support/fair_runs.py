# SPDX-License-Identifier: GPL-2.0-only
"""Liveness a second time: small random programs, and whether a fair run breaks a claim, by trying out all guesses.

It shares nothing with `kvmcheck.engine.live` but the evaluator: the graph is a networkx one of the evaluator's states,
and in place of cutting components it guesses for every actor whether it goes on for ever or stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from random import Random

import networkx as nx

from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.expressions import is_true
from kvmcheck.semantics.outcome import Ending, Outcome
from kvmcheck.semantics.program import Acquire, Fairness, Live, LiveCall, Program
from kvmcheck.semantics.state import State


@dataclass(frozen=True)
class Actor:
    """A thread's main body, or its handler."""

    thread: int
    handler: bool


class FairRuns:
    """The evaluator's graph of a program, which must be small."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.evaluator = Evaluator(program)
        self.graph: nx.DiGraph[State] = nx.DiGraph()
        self.cut = False
        waiting = [o.after for o in self.evaluator.initial_states() if o.ending is Ending.DONE]
        self.graph.add_nodes_from(waiting)
        self.ways: dict[State, list[Outcome]] = {}
        while waiting:
            state = waiting.pop()
            if state in self.ways:
                continue
            self.ways[state] = [
                way for thread in range(len(program.threads)) for way in self.evaluator.ways(state, thread)
            ]
            for way in self.ways[state]:
                if way.ending is Ending.DONE:
                    self.graph.add_edge(state, way.after)
                    waiting.append(way.after)
                elif way.ending is Ending.BROKEN:
                    self.cut = True
        self.actors = [
            Actor(number, handler)
            for number, thread in enumerate(program.threads)
            for process in [program.processes[thread.process]]
            if not (process.daemon or process.hardware)
            for handler in ((False, True) if process.interrupt else (False,))
        ]

    def breaks(self, live: Live) -> bool:
        """Whether some fair run breaks the claim."""
        return any(self._stays(live, open_, begins) for begins, open_ in self._dues(live))

    # ------------------------------------------------------------------ what is due

    def _dues(self, live: Live) -> Iterator[tuple[set[State], set[State]]]:
        if live.function:
            for number, thread in enumerate(self.program.threads):
                for call in self.program.live_calls:
                    if call.function == live.function and call.process == thread.process:
                        nodes = call.nodes - {call.entered}
                        inside = {state for state in self.ways if _at(state, number, call) in nodes}
                        yield inside, inside
            return
        assert live.goal is not None
        open_ = {s for s in self.ways if not is_true(live.goal, self.evaluator.scope(s))}
        trigger = live.trigger
        begins = open_ if trigger is None else {s for s in open_ if is_true(trigger, self.evaluator.scope(s))}
        yield begins, open_

    # ------------------------------------------------------------------ runs that stay

    def _stays(self, live: Live, open_: set[State], begins: set[State]) -> bool:
        pending: set[State] = set()
        within = self.graph.subgraph(open_)
        for state in begins:
            if state not in pending:
                pending |= {state} | nx.descendants(within, state)
        enabled = {state: self._enabled(live, state) for state in pending}
        strong = {state: {a for a in enabled[state] if self._strong(live, state, a)} for state in pending}
        edges = [
            (before, way.after, Actor(way.thread, way.handler))
            for before in pending
            for way in self.ways[before]
            if way.ending is Ending.DONE
            and way.after in pending
            and not self._is_counted(live, before, way.after, Actor(way.thread, way.handler))
        ]
        for guess in product((True, False), repeat=len(self.actors)):
            going = {actor for actor, goes in zip(self.actors, guess, strict=True) if goes}
            left = [state for state in pending if strong[state] & set(self.actors) <= going]
            if self._component_fits(left, edges, enabled, going):
                return True
        return False

    def _component_fits(
        self,
        left: list[State],
        edges: list[tuple[State, State, Actor]],
        enabled: dict[State, set[Actor]],
        going: set[Actor],
    ) -> bool:
        staying = [actor for actor in self.actors if actor not in going]
        part: nx.DiGraph[State] = nx.DiGraph()
        part.add_nodes_from(left)
        for before, after, actor in edges:
            if before in part and after in part and actor not in staying:
                part.add_edge(before, after)
        for component in nx.strongly_connected_components(part):
            inner = [actor for before, after, actor in edges if before in component and after in component]
            steps = {actor for actor in inner if actor not in staying}
            if going <= steps and all(any(a not in enabled[s] for s in component) for a in staying):
                return True
        return False

    def _enabled(self, live: Live, state: State) -> set[Actor]:
        """Who can step, without a call that is assumed away."""
        return {
            Actor(way.thread, way.handler)
            for way in self.ways[state]
            if way.is_step
            and not (
                way.ending is Ending.DONE
                and self._is_counted(live, state, way.after, Actor(way.thread, way.handler), left=True)
            )
        }

    def _is_counted(
        self, live: Live, before: State, after: State, actor: Actor, *, left: bool = False
    ) -> bool:
        """Whether a step makes a counted call; `left`: one that the thread may leave: in a loop of its own body."""
        for call in self.program.live_calls:
            if call.function in live.finitely and call.process == self.program.threads[actor.thread].process:
                inside = call.nodes - {call.entered}
                was, now = _at(before, actor.thread, call), _at(after, actor.thread, call)
                if was not in inside and now in inside and call.interrupt == actor.handler:
                    return not left or self._is_in_own_loop(call)
        return False

    def _is_in_own_loop(self, call: LiveCall) -> bool:
        process = self.program.processes[call.process]
        body = process.interrupt if call.interrupt and process.interrupt else process.body
        flow: nx.DiGraph[int] = nx.DiGraph()
        flow.add_edges_from((number, to) for number, node in enumerate(body.nodes) for to in node.successors)
        return body.frames[call.frame].parent == 0 and any(
            call.entered in loop for loop in nx.simple_cycles(flow)
        )

    def _strong(self, live: Live, state: State, actor: Actor) -> bool:
        """Whether an actor that stays there must not be enabled again and again."""
        match live.fairness:
            case Fairness.STRONG:
                return True
            case Fairness.WEAK:
                return False
            case Fairness.USUAL:
                process = self.program.processes[self.program.threads[actor.thread].process]
                body = process.interrupt if actor.handler and process.interrupt else process.body
                ways = [
                    way
                    for way in self.ways[state]
                    if (way.thread, way.handler) == (actor.thread, actor.handler) and way.is_step
                ]
                operations = [body.nodes[way.node].operation for way in ways]
                return bool(operations) and all(
                    isinstance(operation, Acquire) and operation.target is None for operation in operations
                )


def _at(state: State, thread: int, call: LiveCall) -> int | None:
    own = state.threads[thread]
    return own.handler_pc if call.interrupt else own.pc


# ------------------------------------------------------------------------------ programs


def live_program(seed: int) -> str:
    """A small program with loops, locks, waiting and calls, and a few liveness properties."""
    rng = Random(seed)

    def value() -> int:
        return rng.randrange(3)

    def simple(depth: int = 0) -> str:
        kind = rng.randrange(9 if depth < 2 else 6)
        match kind:
            case 0 | 1:
                return f"WRITE_ONCE({rng.choice('xy')}, {value()});"
            case 2:
                return f"spin_lock(&l); WRITE_ONCE({rng.choice('xy')}, {value()}); spin_unlock(&l);"
            case 3:
                return f"await (READ_ONCE({rng.choice('xy')}) {rng.choice(('==', '!='))} {value()});"
            case 4:
                return f"{rng.choice('fg')}();"
            case 5:
                return f"if (spin_trylock(&l)) {{ WRITE_ONCE(x, {value()}); spin_unlock(&l); }}"
            case 6:
                return (
                    f"if (READ_ONCE(x) == {value()}) {{ {simple(depth + 1)} }} else {{ {simple(depth + 1)} }}"
                )
            case 7:
                return f"if (any bool) {{ {simple(depth + 1)} }}"
            case _:
                return f"while (READ_ONCE(y) == {value()}) {{ {simple(depth + 1)} }}"

    def flat() -> str:
        return rng.choice(
            (
                f"WRITE_ONCE(x, {value()});",
                "spin_lock(&l); spin_unlock(&l);",
                f"await (READ_ONCE(y) != {value()});",
                f"while (READ_ONCE(x) == {value()}) {{ }}",
            )
        )

    def body() -> str:
        inner = " ".join(simple() for _ in range(rng.randrange(1, 3)))
        return f"forever {{ {inner} }}" if rng.random() < 0.6 else inner

    threads = []
    for number in range(rng.randrange(1, 4)):
        kind = rng.choice(("", "", "", " daemon"))
        hardware = "hardware " if rng.random() < 0.1 else ""
        handler = ""
        if rng.random() < 0.2:
            handler = f" interrupt (y == {value()}) {{ WRITE_ONCE(y, {value()}); {flat()} }}"
        threads.append(f"    {hardware}process p{number}{kind} {{ {body()} }}{handler}")
    under = ("", " under weak fairness", " under strong fairness")
    assuming = ("", "", " assuming finitely many g", " assuming finitely many f, g")

    def tail() -> str:
        return rng.choice(under) + rng.choice(assuming)

    return "\n".join(
        [
            "spinlock l;",
            "shared int 0..2 x;",
            "shared int 0..2 y;",
            f"void f() {{ {flat()} {flat()} }}",
            f"void g() {{ {flat()} }}",
            f"live a {{ f completes{tail()} }}",
            f"live b {{ x == {value()} leads to y == {value()}{tail()} }}",
            f"live c {{ always eventually x == {value()}{tail()} }}",
            "scenario s {",
            *threads,
            "    check a, b, c;",
            "}",
        ]
    )
