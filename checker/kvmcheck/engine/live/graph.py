# SPDX-License-Identifier: GPL-2.0-only
"""The state graph with its edges: who leads from which state to which.

Only what keeps every run is reduced: the seq abstraction and the clearing of dead locals are bisimulations.  Merging,
symmetry and partial order are not used here: they keep what can be reached, not who goes on for ever.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from time import monotonic

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.compiled import Callbacks, Compiled, StateTest, StepFunction, ThreadCode
from kvmcheck.engine.explicit import ENDLESS, INTERRUPTED, limit_reached, prepared
from kvmcheck.engine.layout import Layout, Packed
from kvmcheck.engine.memory import resident_bytes
from kvmcheck.engine.reductions import UNREDUCED
from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.outcome import Ending
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.sorts import Value

#: The clock and the memory are looked at every so many expanded states.
LOOK_EVERY = 512
#: Why nothing holds for sure of runs without an end.
CUT = "a run ends where a check breaks: what would come behind was not looked at"


def actor_of(thread: int, *, handler: bool) -> int:
    """The number of an actor: a thread's main body, or its interrupt handler."""
    return 2 * thread + handler


@dataclass(eq=False)
class StateGraph:
    """Every reachable state, numbered in the order of discovery, and the edges from each.

    The edges of state n are `targets[first[n]:first[n + 1]]`, made by `actors` at the same places.  `enabled`: for each
    state a bit for every actor that can step there, also where the step breaks a check and leads nowhere.
    `parents`: -1 of an initial state.  `expanded`: so many states have their edges.  `stopped`: why something is
    missing, if anything is: states, or what would come behind a step that breaks a check.
    """

    layout: Layout
    order: list[Packed] = field(default_factory=list)
    parents: array[int] = field(default_factory=lambda: array("q"))
    first: array[int] = field(default_factory=lambda: array("Q", [0]))
    targets: array[int] = field(default_factory=lambda: array("I"))
    actors: array[int] = field(default_factory=lambda: array("B"))
    enabled: array[int] = field(default_factory=lambda: array("Q"))
    expanded: int = 0
    stopped: str = ""
    tests: list[tuple[StateTest | None, StateTest | None]] = field(default_factory=list)

    def edges(self, state: int) -> range:
        """Where a state's edges stand."""
        return range(self.first[state], self.first[state + 1])

    def path_to(self, state: int) -> list[int]:
        """The states of a shortest run to a state, an initial one first."""
        path = [state]
        while self.parents[path[-1]] >= 0:
            path.append(self.parents[path[-1]])
        return path[::-1]


def _ignore(*_: object) -> None:
    """Whoever tells this has been told already: the search for safety tells it."""


def _ignore_note(slot: int, site: int, value: Value = None) -> Value:  # noqa: ARG001 (as `Search._note`)
    return value


class _Explorer:
    """One exploration.  `broken`: that the step at hand broke a check; `cut`: that any did."""

    def __init__(self, program: Program, budget: Budget) -> None:
        self.budget = budget
        self.began = monotonic()
        self.layout = Layout(program, UNREDUCED)
        self.compiled = Compiled(self.layout)
        self.out: list[Packed] = []
        self.broken = self.cut = False
        callbacks = Callbacks(self.out.append, self._bad, _ignore_note, _ignore, _ignore, _ignore, _ignore)
        self.code = self.compiled.threads(callbacks)
        self.graph = StateGraph(self.layout)
        self.graph.tests = [(self._test(trigger), self._test(goal)) for trigger, goal in self.compiled.lives]
        self.seen: dict[Packed, int] = {}

    def _test(self, name: str | None) -> StateTest | None:
        return None if name is None else self.compiled.state_test(name)

    def _bad(self, site: int, thread: int, handler: bool) -> None:  # noqa: ARG002 (as `Search._bad`)
        self.broken = True

    def run(self) -> StateGraph:
        """All reachable states, or as many as the budget allows."""
        graph = self.graph
        for outcome in Evaluator(self.layout.program).initial_states():
            if outcome.ending is Ending.DONE:
                self._number(self.layout.pack(outcome.after), -1)
        try:
            while graph.expanded < len(graph.order):
                if self._limit():
                    break
                self._expand(graph.expanded)
                graph.expanded += 1
        except RecursionError:
            graph.stopped = ENDLESS
        except KeyboardInterrupt:
            graph.stopped = INTERRUPTED
        for _ in range(len(graph.first), len(graph.order) + 1):
            graph.first.append(len(graph.targets))
            graph.enabled.append(0)
        if self.cut and not graph.stopped:
            graph.stopped = CUT
        return graph

    def _limit(self) -> bool:
        budget, graph = self.budget, self.graph
        if budget.states is not None and len(graph.order) > budget.states:
            graph.stopped = limit_reached("states", budget)
        elif graph.expanded % LOOK_EVERY:
            return False
        elif budget.seconds is not None and monotonic() - self.began >= budget.seconds:
            graph.stopped = limit_reached("seconds", budget)
        elif budget.memory is not None and resident_bytes() >= budget.memory:
            graph.stopped = limit_reached("memory", budget)
        return bool(graph.stopped)

    def _number(self, packed: Packed, parent: int) -> int:
        graph = self.graph
        fresh = len(graph.order)
        number = self.seen.setdefault(packed, fresh)
        if number == fresh:
            graph.order.append(packed)
            graph.parents.append(parent)
        return number

    def _expand(self, number: int) -> None:
        graph = self.graph
        state = graph.order[number]
        enabled = 0
        for thread, code in enumerate(self.code):
            for function, handler in functions_at(code, state):
                self.broken = False
                function(state)
                self.cut = self.cut or self.broken
                if self.out or self.broken:
                    actor = actor_of(thread, handler=handler)
                    enabled |= 1 << actor
                    for packed in self.out:
                        graph.targets.append(self._number(packed, number))
                        graph.actors.append(actor)
                    self.out.clear()
        graph.first.append(len(graph.targets))
        graph.enabled.append(enabled)


def functions_at(code: ThreadCode, state: Packed) -> list[tuple[StepFunction, bool]]:
    """The functions that make a thread's steps from a state, each with whether they are its handler's."""
    position = None if code.handler_pc is None else state[code.handler_pc]
    if isinstance(position, int):
        inside = code.handler[position]
        return [] if inside is None else [(inside, True)]
    pc = state[code.pc]
    assert isinstance(pc, int)
    function = code.main[pc]
    if function is None:
        return []
    found = [(function, False)]
    if code.handler_pc is not None and (code.irq is None or state[code.irq] == 0):
        entry = code.handler[0]
        assert entry is not None
        found.append((entry, True))
    return found


def explored(program: Program, budget: Budget) -> StateGraph:
    """The state graph of a program."""
    with prepared():
        return _Explorer(program, budget).run()
