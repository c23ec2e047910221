# SPDX-License-Identifier: GPL-2.0-only
"""A recorded run, taken again on a program: step by step, by the evaluator, without searching.

A step is recognised by its thread, its function, its statement and what it changes, not by its line: a spec may have
grown above it.  Where several steps look alike, each is followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kvmcheck.explain.story import Row, Story, tell
from kvmcheck.recorded.traces import RecordedRun, RecordedStep
from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.outcome import Ending
from kvmcheck.semantics.program import Check, Program, PropertyKind
from kvmcheck.semantics.state import State
from kvmcheck.semantics.witness import Step, Trace, Violation

#: So many runs that look alike are followed side by side.
MOST_ALIKE = 64


@dataclass(frozen=True, slots=True)
class Fitted:
    """How far a recorded run fits.

    `trace`: as far as it does; `violation` is what its end breaks, of the property that was recorded.  `why_not`: why
    the next step does not fit, empty where all do.
    """

    trace: Trace
    why_not: str


@dataclass(frozen=True, slots=True)
class _Run:
    initial: State
    steps: tuple[Step, ...]
    violation: Violation | None = None

    @property
    def state(self) -> State:
        return self.steps[-1].after if self.steps else self.initial


def fitted(program: Program, run: RecordedRun, claim: str) -> Fitted:
    """The run as far as the program can take it; `claim`: the property that it is said to break."""
    evaluator = Evaluator(program)
    starts = [o.after for o in evaluator.initial_states() if o.ending is Ending.DONE]
    states = list(dict.fromkeys(state for state in starts if _start(program, state) == run.start))
    if not states:
        began = ", ".join(run.start) or "the declared values"
        return Fitted(Trace(starts[0], (), None), f"no run begins with {began}")
    alike = [_Run(state, ()) for state in states][:MOST_ALIKE]
    for wanted in run.steps:
        further: dict[tuple[State, bool], _Run] = {}
        for candidate in alike:
            for longer in _same(program, evaluator, candidate, wanted):
                further.setdefault((longer.state, longer.violation is not None), longer)
        if not further:
            why = _why_not(program, evaluator, alike[0], wanted)
            return Fitted(Trace(alike[0].initial, alike[0].steps, None), why)
        alike = list(further.values())[:MOST_ALIKE]
    ends = [(run, _broken(program, evaluator, run, claim)) for run in alike]
    best, violation = next((end for end in ends if end[1] is not None), ends[0])
    return Fitted(Trace(best.initial, best.steps, violation), "")


def _start(program: Program, state: State) -> tuple[str, ...]:
    return tell(program, Trace(state, (), None), "").start


def _same(program: Program, evaluator: Evaluator, run: _Run, wanted: RecordedStep) -> Iterator[_Run]:
    """The run with each step that looks like the recorded one."""
    for step, violation in _steps(program, evaluator, run, wanted):
        if _likeness(_row(program, run.state, step), wanted) == 2:
            yield _Run(run.initial, (*run.steps, step), violation)


def _steps(
    program: Program, evaluator: Evaluator, run: _Run, wanted: RecordedStep
) -> Iterator[tuple[Step, Violation | None]]:
    """The steps that the recorded thread can take."""
    for number, thread in enumerate(program.threads):
        if thread.name == wanted.thread and run.violation is None:
            for outcome in evaluator.ways(run.state, number):
                if outcome.is_step and outcome.handler == wanted.handler:
                    yield outcome.as_step(), outcome.violation


def _row(program: Program, before: State, step: Step) -> Row:
    return tell(program, Trace(before, (step,), None), "").rows[0]


def _likeness(row: Row, wanted: RecordedStep) -> int:
    """2: the same statement with the same effect; 1: the same statement; 0: another one."""
    if (row.innermost.function, row.innermost.statement) != (wanted.function, wanted.statement):
        return 0
    own = {(c.kind.value, c.name, c.after) for c in row.changes}
    theirs = {(c.kind, c.name, c.after) for c in wanted.changes}
    return 2 if own == theirs else 1


def _why_not(program: Program, evaluator: Evaluator, run: _Run, wanted: RecordedStep) -> str:
    """Why no step looks like the recorded one."""
    numbers = [n for n, thread in enumerate(program.threads) if thread.name == wanted.thread]
    if not numbers:
        return f"there is no thread {wanted.thread}"
    rows = [_row(program, run.state, step) for step, _ in _steps(program, evaluator, run, wanted)]
    name = f"{wanted.function}: {wanted.statement}" if wanted.function else wanted.statement
    for row in rows:
        if _likeness(row, wanted) == 1:
            return f"{name} has another effect: {_effect(row, wanted)}"
    if rows:
        other = rows[0].innermost
        where = f"{other.function}: " if other.function else ""
        return f"{wanted.thread} does {where}{other.statement} ({other.spot.text}) in place of {name}"
    ended = evaluator.has_ended(run.state, numbers[0])
    return f"{wanted.thread} {'has ended' if ended else 'waits'}, and can't do {name}"


def _effect(row: Row, wanted: RecordedStep) -> str:
    """What is different about the effects of two steps."""
    own = {(c.kind.value, c.name, c.after) for c in row.changes}
    theirs = {(c.kind, c.name, c.after) for c in wanted.changes}
    lost = [f"{name} = {after} then" for _, name, after in sorted(theirs - own)]
    new = [f"{name} = {after} now" for _, name, after in sorted(own - theirs)]
    return ", ".join([*lost, *new])


def _broken(program: Program, evaluator: Evaluator, run: _Run, name: str) -> Violation | None:
    """What the end of a run breaks, of a property."""
    if run.violation is not None:
        return run.violation if run.violation.property == name else None
    claim = next((claim for claim in program.properties if claim.name == name), None)
    if claim is not None:
        step = claim.kind is PropertyKind.STEP and run.steps
        before = (run.steps[-2].after if len(run.steps) > 1 else run.initial) if step else None
        actor = run.steps[-1].thread if step else None
        text = evaluator.broken_by(claim, before, run.state, actor)
        return None if text is None else Violation(name, text, claim.span)
    if name == Check.NO_DEADLOCK.value and evaluator.is_deadlock(run.state):
        return Violation(name, "nobody can take a step", program.span)
    return None


def told(program: Program, found: Fitted) -> Story:
    """The story of what fits."""
    return tell(program, found.trace, "")
