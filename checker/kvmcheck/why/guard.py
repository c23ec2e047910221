# SPDX-License-Identifier: GPL-2.0-only
"""What in the unmodified model stops a mutant's trace: its schedule, run on that model until it no longer fits.

The threads take the same steps of the same statements, with the same choices.  What only the unmodified model does, or
does elsewhere, is done when its thread comes to it; what only the mutant does, or does elsewhere, is left out.  Where
no run goes on, something of the unmodified model stands in the way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.outcome import Ending, Outcome
from kvmcheck.semantics.program import Body, Program, PropertyKind
from kvmcheck.semantics.state import State
from kvmcheck.semantics.witness import Step, Trace

#: So many steps in a row may be the unmodified model's alone.
MOST_EXTRA = 40
#: So many points of the fitting are looked at.
MOST_POINTS = 3_000
#: So many steps behind the guard are shown.
BEHIND = 6

#: A statement as it stands in a text, with the calls that lead there: the same in a program and its mutant.
Key = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Stopped:
    """Where a mutant's trace does not fit the unmodified model.

    `trace`: the unmodified model's run up to there and a little further; `fitted`: so many of the mutant's steps are
    in it (all: it fits, and nothing breaks).  `thread`, `handler`, `node`: what makes the difference; `depth`: which
    call on its stack has the statement, -1: the innermost.  `waits`: the thread can't go on there.
    `step`: the position of that step in `trace`; where it waits, the trace's length.
    """

    trace: Trace
    fitted: int
    thread: int
    handler: bool
    node: int
    depth: int
    step: int
    waits: bool = False


@dataclass(frozen=True, slots=True)
class _Point:
    """A state of the unmodified model, how many of the mutant's steps are done, and extra steps behind the last."""

    state: State
    fitted: int
    extra: int


def stopped(
    base: Program, mutant: Program, trace: Trace, *, dead_locals: bool, moved: Collection[str] = ()
) -> Stopped | None:
    """Where a violating trace of a mutant stops fitting the unmodified model; None if that can't be told.

    `moved`: the labels, as `function@label`, whose statements the mutant has elsewhere.
    """
    if trace.violation is None or [t.name for t in base.threads] != [t.name for t in mutant.threads]:
        return None
    if len(list(_bodies(base))) != len(list(_bodies(mutant))):
        return None
    return _Fitting(base, mutant, trace, Evaluator(base, dead_locals=dead_locals), moved).stopped()


class _Fitting:
    def __init__(
        self, base: Program, mutant: Program, trace: Trace, evaluator: Evaluator, moved: Collection[str]
    ) -> None:
        self.base, self.mutant, self.trace, self.evaluator = base, mutant, trace, evaluator
        self.steps = [_key(_body(mutant, step), step.node) for step in trace.steps]
        self.known = {
            entry for body in _bodies(mutant) for n in range(len(body.nodes)) for entry in _entries(body, n)
        }
        self.only_base, self.only_mutant = _differing(base, mutant, moved)

    def stopped(self) -> Stopped | None:
        best: tuple[tuple[int, int], _Point, tuple[Outcome, ...], State] | None = None
        looked = 0
        for initial in self._initial():
            stack: list[tuple[_Point, tuple[Outcome, ...]]] = [(_Point(initial, 0, 0), ())]
            seen: set[_Point] = set()
            while stack and looked < MOST_POINTS:
                point, path = stack.pop()
                if point in seen:
                    continue
                seen.add(point)
                looked += 1
                score = (point.fitted, -len(path))
                if best is None or score > best[0]:
                    best = (score, point, path, initial)
                if point.fitted == len(self.steps):
                    break
                stack.extend(reversed(list(self._further(point, path))))
        if best is None:
            return None
        _, point, path, initial = best
        return self._told(point, path, initial)

    def _initial(self) -> Iterator[State]:
        """The initial states of the unmodified model that are like the mutant's, those first."""
        names = [variable.name for variable in self.mutant.variables]
        wanted = dict(zip(names, self.trace.initial.values, strict=True))
        found = list(
            dict.fromkeys(o.after for o in self.evaluator.initial_states() if o.ending is Ending.DONE)
        )
        for state in found:
            own = zip(self.base.variables, state.values, strict=True)
            if all(wanted.get(variable.name, values) == values for variable, values in own):
                yield state

    def _further(
        self, point: _Point, path: tuple[Outcome, ...]
    ) -> Iterator[tuple[_Point, tuple[Outcome, ...]]]:
        """What may come next, the mutant's own next step first."""
        step, key = self.trace.steps[point.fitted], self.steps[point.fitted]
        members = [member for _, member in step.chosen]
        outcomes = [
            o
            for o in self.evaluator.ways(point.state, step.thread)
            if o.is_step and o.handler == step.handler
        ]
        for outcome in outcomes:
            same = _key(_body(self.base, outcome), outcome.node) == key
            if same and [m for _, m in outcome.chosen] == members and outcome.ending is Ending.DONE:
                yield _Point(outcome.after, point.fitted + 1, 0), (*path, outcome)
        if key in self.only_mutant:
            yield _Point(point.state, point.fitted + 1, point.extra), path
        if point.extra < MOST_EXTRA:
            for outcome in outcomes:
                if outcome.ending is Ending.DONE and self._is_extra(outcome):
                    yield _Point(outcome.after, point.fitted, point.extra + 1), (*path, outcome)

    def _told(self, point: _Point, path: tuple[Outcome, ...], initial: State) -> Stopped | None:
        if point.fitted == len(self.steps):
            if self._breaks(path, initial):
                return None
            whole = _trace(initial, path)
            new = self._first_new(path, 0, whole, point.fitted)
            moved = (n for n, outcome in enumerate(path) if self._is_extra(outcome))
            n = next(moved, None)
            return new if new or n is None else self._at(path[n], path[n].node, -1, n, whole, point.fitted)
        thread = self.trace.steps[point.fitted].thread
        behind = tuple(self._alone(point.state, thread))
        whole = _trace(initial, (*path, *behind))
        last = next((n for n in range(len(path) - 1, -1, -1) if path[n].thread == thread), len(path))
        new = self._first_new((*path, *behind), last, whole, point.fitted)
        if new is not None:
            return new
        for n in range(len(path) - 1, -1, -1):
            if path[n].thread == thread and self._differs(path[n]):
                return self._at(path[n], path[n].node, -1, n, whole, point.fitted)
        for outcome in () if behind else self.evaluator.ways(point.state, thread):
            if outcome.ending is Ending.BLOCKED:
                found = self._at(outcome, outcome.nodes[-1], -1, len(path), whole, point.fitted)
                return replace(found, waits=True)
        if behind:
            return self._at(behind[0], behind[0].node, -1, len(path), whole, point.fitted)
        return None

    def _first_new(self, path: tuple[Outcome, ...], first: int, whole: Trace, fitted: int) -> Stopped | None:
        """The first statement, from a position on, that the mutant lacks."""
        for n in range(first, len(path)):
            found = self._new(path[n])
            if found is not None:
                return self._at(path[n], *found, n, whole, fitted)
        return None

    def _at(self, outcome: Outcome, node: int, depth: int, step: int, whole: Trace, fitted: int) -> Stopped:
        return Stopped(whole, fitted, outcome.thread, outcome.handler, node, depth, step)

    def _is_extra(self, outcome: Outcome) -> bool:
        """Whether a step is one that the mutant lacks, or has elsewhere."""
        return _key(_body(self.base, outcome), outcome.node) in self.only_base

    def _alone(self, state: State, thread: int) -> Iterator[Outcome]:
        """How a thread goes on by itself, a little, until it has a choice."""
        for _ in range(BEHIND):
            outcomes = [o for o in self.evaluator.ways(state, thread) if o.is_step and not o.chosen]
            if not outcomes or outcomes[0].ending is not Ending.DONE:
                return
            yield outcomes[0]
            state = outcomes[0].after

    def _new(self, outcome: Outcome) -> tuple[int, int] | None:
        """The node of a step, and the call on its stack, that has a statement which the mutant lacks."""
        body = _body(self.base, outcome)
        for node in outcome.nodes:
            for depth, entry in enumerate(_entries(body, node)):
                if entry not in self.known:
                    return node, depth
        return None

    def _differs(self, outcome: Outcome) -> bool:
        """Whether a step that both models have goes another way in the mutant, behind its access."""
        body = _body(self.base, outcome)
        own = _way(body, outcome.as_step())
        for step, key in zip(self.trace.steps, self.steps, strict=True):
            if step.thread == outcome.thread and key == _key(body, outcome.node):
                if own != _way(_body(self.mutant, step), step):
                    return True
        return False

    def _breaks(self, path: tuple[Outcome, ...], initial: State) -> bool:
        """Whether the unmodified model's run breaks what the mutant's does."""
        assert self.trace.violation is not None
        claim = next((c for c in self.base.properties if c.name == self.trace.violation.property), None)
        if claim is None or claim.kind is not PropertyKind.INVARIANT:
            return False
        return self.evaluator.broken_by(claim, None, path[-1].after if path else initial, None) is not None


def _trace(initial: State, path: tuple[Outcome, ...]) -> Trace:
    return Trace(initial, tuple(outcome.as_step() for outcome in path), None)


def _differing(base: Program, mutant: Program, moved: Collection[str]) -> tuple[set[Key], set[Key]]:
    """The statements that only one of the two has, or that stand elsewhere: those of the one, those of the other."""
    only_base: set[Key] = set()
    only_mutant: set[Key] = set()
    for one, other in zip(_bodies(base), _bodies(mutant), strict=True):
        stay, away = _parted(one, moved)
        theirs, elsewhere = _parted(other, moved)
        only_base.update(away)
        only_mutant.update(elsewhere)
        for tag, i, j, k, end in SequenceMatcher(None, stay, theirs, autojunk=False).get_opcodes():
            if tag != "equal":
                only_base.update(stay[i:j])
                only_mutant.update(theirs[k:end])
    return only_base, only_mutant


def _parted(body: Body, moved: Collection[str]) -> tuple[list[Key], list[Key]]:
    """The statements of a body in order: those that stay, those that were moved."""
    stay: list[Key] = []
    away: list[Key] = []
    for number, node in enumerate(body.nodes):
        (away if any(label in moved for label in node.labels) else stay).append(_key(body, number))
    return stay, away


def _body(program: Program, step: Step | Outcome) -> Body:
    process = program.processes[program.threads[step.thread].process]
    return process.interrupt if step.handler and process.interrupt is not None else process.body


def _way(body: Body, step: Step) -> list[Key]:
    """What a step does from its access on, and where it leads."""
    at = step.nodes.index(step.node) if step.node in step.nodes else 0
    thread = step.after.threads[step.thread]
    end = thread.handler_pc if step.handler else thread.pc
    return [_key(body, node) for node in (*step.nodes[at:], *(() if end is None else (end,)))]


def _bodies(program: Program) -> Iterator[Body]:
    for process in program.processes:
        yield process.body
        if process.interrupt is not None:
            yield process.interrupt


def _entries(body: Body, node: int) -> list[Key]:
    """For each call on the stack of a node, outermost first: where its current statement stands."""
    spans = [body.nodes[node].span]
    frame: int | None = body.nodes[node].frame
    while frame is not None:
        spans.append(body.frames[frame].call)
        frame = body.frames[frame].parent
    places = [(span.source.path, span.start, span.end) for span in reversed(spans[:-1])]
    return [tuple(places[: depth + 1]) for depth in range(len(places))]


def _key(body: Body, node: int) -> Key:
    return _entries(body, node)[-1]
