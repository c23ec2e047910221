# SPDX-License-Identifier: GPL-2.0-only
"""Bounded model checking, in the solver's process: runs of one step more each time, until something says stop.

At depth n it asks whether a run of n steps ends in a state that breaks a claim, or in a step that does.  So what is
found first is shortest, in the same steps as the explorer's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kvmcheck.engine.finding import BrokenState, BrokenStep, BrokenTransition, Deadlock, Finding, Race
from kvmcheck.engine.layout import Packed
from kvmcheck.prove.encode.circuit import FALSE, TRUE, Literal
from kvmcheck.prove.encode.system import Encoder, System
from kvmcheck.prove.encode.values import CannotCarry
from kvmcheck.prove.encode.vectors import Vector
from kvmcheck.prove.sat import Answer, Feasible, Frames
from kvmcheck.semantics.program import Check, Program
from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class Encoded:
    """The program is encoded; `left_out`: the claims that are not, with why."""

    bits: int
    gates: int
    left_out: dict[str, str]


@dataclass(frozen=True, slots=True)
class Refused:
    """The program can't be encoded."""

    what: str
    span: Span | None


@dataclass(frozen=True, slots=True)
class Found:
    """A claim is broken at the end of a run through these states; `finding` says how."""

    states: tuple[Packed, ...]
    finding: Finding


@dataclass(frozen=True, slots=True)
class TooSmall:
    """A run comes to a bound of the scenario that is too small."""

    states: tuple[Packed, ...]
    finding: BrokenStep


@dataclass(frozen=True, slots=True)
class Looked:
    """No run of so many steps breaks anything that was not told."""

    depth: int


@dataclass(frozen=True, slots=True)
class Whole:
    """No run is longer than so many steps: everything was looked at."""

    depth: int


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The solver does not know."""

    depth: int
    reason: str


Message = Encoded | Refused | Found | TooSmall | Looked | Whole | GaveUp
Send = Callable[[Message], None]

#: The name of what is no claim: bounds that are too small.
BOUNDS = "bounds"


@dataclass(frozen=True, slots=True)
class Target:
    """Something to look for at a depth: its claim, where it is true, and what to tell (of a step: once it is known)."""

    name: str
    literal: Literal
    finding: Finding | None
    thread: int = 0
    after: tuple[Vector, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """What to look at: the claims that are open, and when to stop."""

    program: Program
    initial: tuple[Packed, ...]
    merge: bool
    depth: int | None
    closed: frozenset[str]
    wanted: frozenset[str]


def unroll(task: Task, send: Send) -> None:
    """Look at longer and longer runs; what is found is sent."""
    try:
        encoder = Encoder(task.program, merge=task.merge, feasible=Feasible)
        system = encoder.system()
    except CannotCarry as error:
        send(Refused(error.what, error.span))
        return
    size = sum(cell.size for cell in system.cells.cells)
    send(Encoded(size, len(system.circuit.gates), dict(system.left_out)))
    Unrolling(task, system, encoder.initial(task.initial), send).run()


class Unrolling:
    """The frames of one task."""

    def __init__(self, task: Task, system: System, initial: Literal, send: Send) -> None:
        self.task = task
        self.system = system
        self.send = send
        self.frames = Frames(system.circuit)
        self.frames.add(initial, 0)
        self.closed = set(task.closed)
        self.violated: set[str] = set()

    def run(self) -> None:
        """Until everything wanted is found, nothing is open, there are no longer runs, or the depth is reached."""
        depth = 0
        while True:
            if not (self._look(self._in_state(depth), depth) and self._look(self._in_step(depth), depth)):
                return
            self.send(Looked(depth))
            if self.task.depth is not None and depth >= self.task.depth:
                return
            if self.task.wanted and self.task.wanted <= self.violated:
                return
            self._step(depth)
            match self.frames.check():
                case Answer.NO:
                    self.send(Whole(depth))
                    return
                case Answer.UNKNOWN:
                    self.send(GaveUp(depth, self.frames.reason))
                    return
                case Answer.YES:
                    depth += 1

    # ------------------------------------------------------------------ what to look for

    def _in_state(self, depth: int) -> Iterator[Target]:
        """What can be wrong with the state behind so many steps."""
        deadlock = Check.NO_DEADLOCK.value
        for claim in self.system.states:
            finding = Deadlock(depth) if claim.name == deadlock else BrokenState(claim.name, depth)
            yield Target(claim.name, claim.bad, finding)
        for race in self.system.races:
            yield Target(Check.NO_DATA_RACE.value, race.bad, Race(depth, race.threads, race.slot))

    def _in_step(self, depth: int) -> Iterator[Target]:
        """What can be wrong with a step from there."""
        for bad in self.system.broken:
            name = BOUNDS if bad.overflow else bad.check.value
            finding = BrokenStep(bad.check, depth, bad.thread, bad.handler, bad.span, bad.overflow)
            yield Target(name, bad.literal, finding)
        for claim in self.system.steps:
            yield Target(claim.name, claim.bad, None, claim.thread, claim.after)

    # ------------------------------------------------------------------ looking

    def _look(self, targets: Iterator[Target], depth: int) -> bool:
        """Look for what is open at a depth, and tell what is found; False: the solver gave up."""
        circuit = self.system.circuit
        open_: dict[str, list[Target]] = {}
        for target in targets:
            if target.name not in self.closed and target.literal != FALSE:
                open_.setdefault(target.name, []).append(target)
        while open_:
            any_ = circuit.some(target.literal for group in open_.values() for target in group)
            match self.frames.check(self.frames.term(any_, depth)):
                case Answer.NO:
                    self.frames.add(any_ ^ 1, depth)
                    return True
                case Answer.UNKNOWN:
                    self.send(GaveUp(depth, self.frames.reason))
                    return False
                case Answer.YES:
                    self._tell(open_, depth)
        return True

    def _tell(self, open_: dict[str, list[Target]], depth: int) -> None:
        """Tell what the model breaks."""
        states = tuple(self._state(frame) for frame in range(depth + 1))
        for name, group in list(open_.items()):
            broken = self.frames.values([target.literal for target in group], depth)
            hit = next((target for target, bad in zip(group, broken, strict=True) if bad), None)
            if hit is None:
                continue
            del open_[name]
            self.closed.add(name)
            finding = hit.finding
            if finding is None:
                after = self._decoded(hit.after, depth)
                finding = BrokenTransition(name, depth, hit.thread, after)
            if name == BOUNDS:
                assert isinstance(finding, BrokenStep)
                self.send(TooSmall(states, finding))
            else:
                self.violated.add(name)
                self.send(Found(states, finding))

    def _state(self, frame: int) -> Packed:
        return self._decoded(self.system.cells.state, frame)

    def _decoded(self, cells: Sequence[Vector], frame: int) -> Packed:
        values = iter(self.frames.values([bit for bits in cells for bit in bits], frame))
        return self.system.cells.decode([[next(values) for _ in bits] for bits in cells])

    def _step(self, depth: int) -> None:
        """Demand a step in which nothing fails."""
        self.frames.add(self.system.takes, depth)
        for own, new in zip(self.system.cells.state, self.system.following, strict=True):
            for bit, value in zip(own, new, strict=True):
                if bit not in (TRUE, FALSE):
                    self.frames.define(self.frames.term(bit, depth + 1), value, depth)
