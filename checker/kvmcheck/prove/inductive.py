# SPDX-License-Identifier: GPL-2.0-only
"""Induction, in the solver's process: what holds at the start, and behind each step if it held before, holds always.

The claims are seldom inductive by themselves.  Beside them stand guesses (`prove.guessing`); those that a step can
break are thrown away until what is left is inductive together (Houdini).  Claims that were thrown away with them are
tried once more over several steps, with what was proved as lemmas and without going in circles (k-induction).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

from kvmcheck.engine.layout import Packed
from kvmcheck.prove.encode.circuit import FALSE, TRUE, Literal
from kvmcheck.prove.encode.system import Encoder, System
from kvmcheck.prove.encode.terms import Terms
from kvmcheck.prove.encode.values import CannotCarry
from kvmcheck.prove.guessing import Guesses, sample
from kvmcheck.prove.sat import Answer, Feasible, Formula, Frames
from kvmcheck.prove.unrolling import BOUNDS
from kvmcheck.semantics.program import Check, Program
from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class Proof:
    """These hold at every step; `k` steps of induction, `clauses` beside the claims, from so many `seen` states."""

    names: frozenset[str]
    k: int
    clauses: int
    seen: int


@dataclass(frozen=True, slots=True)
class NotEncoded:
    """The program, or these claims of it, can't be encoded."""

    what: str
    span: Span | None
    left_out: dict[str, str]


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing more was proved by induction over so many steps."""

    k: int


Message = Proof | NotEncoded | Rest
Send = Callable[[Message], None]

#: Induction over more steps than this is not tried unless somebody says so.
USUAL_K = 8
#: No more clauses than these are learnt from states that lead to a broken claim.
MOST_LEARNT = 5_000


@dataclass(frozen=True, slots=True)
class InductionTask:
    """What to prove: the claims that are open; from which states; over how many steps at most."""

    program: Program
    initial: tuple[Packed, ...]
    merge: bool
    k: int | None
    open: frozenset[str]


def claims_of(system: System) -> dict[str, Literal]:
    """For each claim, and for the bounds, where it is broken in a state or in a step from it."""
    circuit = system.circuit
    found: dict[str, Literal] = {}

    def add(name: str, bad: Literal) -> None:
        found[name] = circuit.either(found.get(name, FALSE), bad)

    for claim in system.states:
        add(claim.name, claim.bad)
    for step in system.steps:
        add(step.name, step.bad)
    for race in system.races:
        add(Check.NO_DATA_RACE.value, race.bad)
    for bad in system.broken:
        add(BOUNDS if bad.overflow else bad.check.value, bad.literal)
    for check in Check:
        if check is not Check.LOCK_ORDER:
            found.setdefault(check.value, FALSE)
    found.setdefault(BOUNDS, FALSE)
    return found


def induce(task: InductionTask, send: Send) -> None:
    """Prove what can be proved; it is sent as it becomes known."""
    try:
        encoder = Encoder(task.program, merge=task.merge, feasible=Feasible)
        system = encoder.system()
    except CannotCarry as error:
        send(NotEncoded(error.what, error.span, {}))
        return
    if system.left_out:
        send(NotEncoded("", None, dict(system.left_out)))
    states = sample(task.program, merge=task.merge)
    terms = Terms(system.circuit, encoder.coder)
    guesses = Guesses(system.circuit, system.cells, terms, states)
    clauses = [system.circuit.some(clause) for clause in guesses.clauses()]
    Induction(task, system, encoder.initial(task.initial), guesses, send).run(clauses, len(states))


class Induction:
    """The induction of one task."""

    def __init__(
        self, task: InductionTask, system: System, initial: Literal, guesses: Guesses, send: Send
    ) -> None:
        self.task = task
        self.system = system
        self.circuit = system.circuit
        self.initial = initial
        self.guesses = guesses
        self.send = send
        self.bad = claims_of(system)
        self.valid = system.cells.well_formed(system.cells.state)

    def run(self, clauses: Sequence[Literal], seen: int) -> None:
        """Until everything is proved, or induction over more steps is of no use."""
        known = self._inductive([*clauses, *(bad ^ 1 for bad in self._of_states())])
        proved = self._excluded(known)
        if proved:
            self.send(Proof(frozenset(proved), 1, len(known), seen))
        if not self.task.open <= proved:
            known = self._inductive([*known, *self._learnt(known, proved)])
            proved = self._excluded(known)
            self.send(Proof(frozenset(proved), 1, len(known), seen))
        most = self.task.k if self.task.k is not None else USUAL_K
        for k in range(2, most + 1):
            rest = [name for name in self.bad if name not in proved]
            if not self.task.open.intersection(rest):
                return
            more = self._over(k, known, rest)
            if more:
                proved |= more
                self.send(Proof(frozenset(proved), k, len(known), seen))
            self.send(Rest(k))

    def _of_states(self) -> list[Literal]:
        """Where claims about states alone are broken: only such can be guesses themselves."""
        inputs = {bit >> 1 for bits in self.system.cells.state for bit in bits}
        found: list[Literal] = []
        for bad in self.bad.values():
            gates = self.circuit.gates
            cone = self.circuit.cone([bad])
            if bad != FALSE and all(gates[n] or n in inputs or n == 0 for n in cone):
                found.append(bad)
        return found

    # ------------------------------------------------------------------ one step

    def _frames(self, known: Sequence[Literal]) -> Frames:
        """Two states and a step between them, of which the first has all that is known."""
        frames = Frames(self.circuit, many=True)
        frames.add(self.valid, 0)
        for clause in known:
            frames.add(clause, 0)
        self._step(frames, 0)
        return frames

    def _step(self, frames: Frames, frame: int) -> None:
        frames.add(self.system.takes, frame)
        for own, new in zip(self.system.cells.state, self.system.following, strict=True):
            for bit, value in zip(own, new, strict=True):
                if bit not in (TRUE, FALSE):
                    frames.define(frames.term(bit, frame + 1), value, frame)

    def _inductive(self, guesses: Sequence[Literal]) -> list[Literal]:
        """What of some guesses is true at the start, and inductive together."""
        known = self._at_start([guess for guess in dict.fromkeys(guesses) if guess not in (TRUE, FALSE)])
        while True:
            frames = self._frames(known)
            left = self._survivors(frames, known, 1)
            if len(left) == len(known):
                return left
            known = left

    def _at_start(self, guesses: list[Literal]) -> list[Literal]:
        frames = Frames(self.circuit, many=True)
        frames.add(self.initial, 0)
        return self._survivors(frames, guesses, 0)

    def _survivors(self, frames: Frames, guesses: list[Literal], frame: int) -> list[Literal]:
        """The guesses that nothing can break in a frame."""
        left = guesses
        while left:
            broken = self.circuit.some(guess ^ 1 for guess in left)
            match frames.check(frames.term(broken, frame)):
                case Answer.NO:
                    return left
                case Answer.UNKNOWN:
                    return []
                case Answer.YES:
                    holds = frames.values(left, frame)
                    left = [guess for guess, held in zip(left, holds, strict=True) if held]
        return left

    def _excluded(self, known: Sequence[Literal]) -> set[str]:
        """The claims that no state with all this, and no step from it, can break: each by itself."""
        frames = Frames(self.circuit, many=True)
        frames.add(self.valid, 0)
        for clause in known:
            frames.add(clause, 0)
        return {
            name
            for name, bad in self.bad.items()
            if bad == FALSE or frames.check(frames.term(bad, 0)) is Answer.NO
        }

    # ------------------------------------------------------------------ learning

    def _learnt(self, known: Sequence[Literal], proved: set[str]) -> list[Literal]:
        """Clauses against states that break what is not proved yet, and against the states that lead to such.

        Each is true in all states that were seen.  Where all were seen that can be reached, it is an invariant, and
        in the end they are inductive together.
        """
        frames = self._frames(known)
        lone = Frames(self.circuit, many=True)
        lone.add(self.valid, 0)
        for clause in known:
            lone.add(clause, 0)
        hopeless: set[str] = set()
        learnt: list[Literal] = []
        turn = 0
        while turn < MOST_LEARNT:
            turn += 1
            goals = [bad for name, bad in self.bad.items() if name not in proved and name not in hopeless]
            if lone.check(lone.term(self.circuit.some(goals), 0)) is Answer.YES:
                against = self._against(lone, turn)
                if against is None:
                    broken = lone.values(list(self.bad.values()), 0)
                    hopeless |= {name for name, hit in zip(self.bad, broken, strict=True) if hit}
                    continue
            else:
                lost = self.circuit.some(own ^ 1 for own in learnt)
                if frames.check(frames.term(lost, 1)) is not Answer.YES:
                    return learnt
                against = self._against(frames, turn)
                if against is None:
                    # A state that can be reached leads to one that was not seen: what excludes that is no invariant.
                    holds = frames.values(learnt, 1)
                    return [own for own, held in zip(learnt, holds, strict=True) if held]
            learnt.append(against)
            frames.add(against, 0)
            lone.add(against, 0)
        return learnt

    def _against(self, frames: Frames, turn: int) -> Literal | None:
        """A clause against the first state of a model."""
        clause = self.guesses.against(lambda literals: frames.values(literals, 0), turn)
        return None if clause is None else self.circuit.some(clause)

    # ------------------------------------------------------------------ several steps

    def _over(self, k: int, known: Sequence[Literal], names: Sequence[str]) -> set[str]:
        """The claims of some that hold behind k steps, none of which breaks any of them, without a circle."""
        left = list(names)
        while left:
            if not self._for_the_start(k, left):
                return set()
            frames = Frames(self.circuit, many=True)
            for frame in range(k):
                frames.add(self.valid, frame)
                for clause in known:
                    frames.add(clause, frame)
                if frame < k - 1:
                    self._step(frames, frame)
                    for name in left:
                        frames.add(self.bad[name] ^ 1, frame)
            for a, b in combinations(range(k), 2):
                self._different(frames, a, b)
            failing = [
                name for name in left if frames.check(frames.term(self.bad[name], k - 1)) is not Answer.NO
            ]
            if not failing:
                return set(left)
            left = [name for name in left if name not in failing]
        return set()

    def _for_the_start(self, k: int, names: Sequence[str]) -> bool:
        """Whether no run of fewer than k steps breaks any of these."""
        frames = Frames(self.circuit, many=True)
        frames.add(self.initial, 0)
        bad = self.circuit.some(self.bad[name] for name in names)
        for frame in range(k - 1):
            if frames.check(frames.term(bad, frame)) is not Answer.NO:
                return False
            self._step(frames, frame)
        return True

    def _different(self, frames: Frames, a: int, b: int) -> None:
        """Demand that two states differ."""
        differences: list[Formula] = [
            frames.differs(frames.term(bit, a), frames.term(bit, b))
            for bits in self.system.cells.state
            for bit in bits
            if bit not in (TRUE, FALSE)
        ]
        frames.add_some(differences)
