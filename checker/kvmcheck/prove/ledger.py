# SPDX-License-Identifier: GPL-2.0-only
"""What is known so far of a program's claims, whichever method found it; only replayed violations are entered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import monotonic

from kvmcheck.engine.explicit import NO_INITIAL_STATE
from kvmcheck.engine.finding import Finding
from kvmcheck.engine.layout import Layout, Packed
from kvmcheck.engine.reductions import ALL, UNREDUCED, Reductions
from kvmcheck.engine.replay import Replay
from kvmcheck.engine.result import Coverage, Result
from kvmcheck.prove.lockorder import locks_are_ordered
from kvmcheck.prove.method import Uncarried
from kvmcheck.prove.unrolling import BOUNDS
from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.outcome import Ending
from kvmcheck.semantics.program import Check, Program
from kvmcheck.semantics.verdict import PropertyResult, Verdict
from kvmcheck.semantics.witness import Trace
from kvmcheck.source.text import Span

#: The checks that end a step in its middle.
STEP_CHECKS = frozenset(check.value for check in Check) - {Check.NO_DEADLOCK.value, Check.LOCK_ORDER.value}


class Ledger:
    """The verdicts so far.

    `broken`: the traces of what is violated.  `proved`: what holds in every state (or step) of every run.
    `excluded`: what no step of the explorer's graph breaks, before it is known that nothing ends in the middle of one.
    `reasons`: why nothing is known of a claim.  `proofs`: by method, how what is proved was.  `bounded`: so many steps
    were looked at (-1: none).
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.started = monotonic()
        self.broken: dict[str, Trace] = {}
        self.proved: set[str] = set()
        self.excluded: set[str] = set()
        self.reasons: dict[str, str] = {}
        self.proofs: dict[str, str] = {}
        self.stopped = ""
        self.bounded = -1
        self.too_small = ""
        self.refused: Uncarried | None = None
        if Check.LOCK_ORDER in program.checks:
            if locks_are_ordered(program):
                self.proved.add(Check.LOCK_ORDER.value)
            else:
                self.reasons[Check.LOCK_ORDER.value] = (
                    "locks may be taken in a cycle; `kvmcheck check` looks whether they are"
                )
        for live in program.lives:
            self.reasons[live.name] = "it is about runs without an end; `kvmcheck check` looks at them"
        self._begin()

    def _begin(self) -> None:
        """The initial states, and what is wrong with `init` itself."""
        self.starts = []
        for outcome in Evaluator(self.program).initial_states():
            if outcome.ending is Ending.DONE:
                self.starts.append(outcome.after)
            elif outcome.ending is Ending.BROKEN and outcome.violation is not None:
                if outcome.violation.overflow:
                    self.too_small = outcome.violation.text
                else:
                    trace = Trace(outcome.after, (), outcome.violation)
                    self.broken.setdefault(outcome.violation.property, trace)
        if not self.starts:
            why = "every way through the init block breaks a check" if self.broken else NO_INITIAL_STATE
            self.stopped = self.too_small or why

    def packed_starts(self, *, merge: bool) -> tuple[Packed, ...]:
        """The initial states as the explorer packs them, each once."""
        layout = Layout(self.program, reductions(merge=merge))
        return tuple(dict.fromkeys(layout.pack(state) for state in self.starts))

    @property
    def claims(self) -> tuple[str, ...]:
        """Every claim that is always listed."""
        return (
            *(claim.name for claim in self.program.properties),
            *(check.value for check in self.program.checks),
            *(live.name for live in self.program.lives),
        )

    @property
    def open(self) -> tuple[str, ...]:
        """The listed claims of which nothing is known."""
        return tuple(name for name in self.claims if name not in self.broken and name not in self.proved)

    @property
    def pending(self) -> tuple[str, ...]:
        """Those of them that a solver can still be asked about."""
        return tuple(name for name in self.open if name not in self.reasons)

    @property
    def step_broken(self) -> bool:
        """Whether a step is known that a built-in check ends."""
        return any(name in STEP_CHECKS for name in self.broken)

    def refuse(self, what: str, span: Span | None) -> None:
        """The program can't be encoded."""
        self.refused = Uncarried(what, span)
        self.stopped = f"the formulas can't express {what}"

    def needed(self, *, merge: bool) -> frozenset[str]:
        """What has to be excluded before anything holds."""
        return frozenset({BOUNDS, *(STEP_CHECKS if merge else ())})

    def believe(self, names: Iterable[str], method: str, how: str, *, merge: bool) -> None:
        """What was proved of the graph whose steps are merged (or not): that no step of it breaks these.

        A merged step that fails half way passes states that nobody has looked at, and a run that comes to a bound of
        the scenario ends there: so nothing holds before both are known not to happen.
        """
        self.excluded |= set(names)
        needed = self.needed(merge=merge)
        if not needed <= self.excluded:
            missing = ", ".join(sorted(needed - self.excluded))
            self.stopped = f"proved only if nothing breaks {missing}"
            return
        fresh = self.excluded.intersection(self.open)
        if fresh:
            self.proved |= fresh
            self.proofs[method] = how

    def enter(self, states: Sequence[Packed], finding: Finding, *, merge: bool) -> None:
        """A violation that a solver claims: replayed first; raises `InternalError` if it can't be."""
        trace = self.trace(states, finding, merge=merge)
        self.broken.setdefault(finding.property, trace)

    def trace(self, states: Sequence[Packed], finding: Finding, *, merge: bool) -> Trace:
        """The run through some states, as the evaluator has it."""
        layout = Layout(self.program, reductions(merge=merge))
        return Replay(layout, states, range(-1, len(states) - 1)).trace(finding)

    def result(self) -> Result:
        """The verdicts, in the order of the explorer's."""
        results = [self._verdict(name) for name in self.claims]
        listed = set(self.claims)
        for check in Check:
            if check.value in self.broken and check.value not in listed:
                results.append(self._verdict(check.value))
        coverage = Coverage(
            states=0,
            transitions=0,
            depth=max(self.bounded, 0),
            seconds=monotonic() - self.started,
            complete=not self.open and not self.too_small,
            stopped=self.stopped,
            unreached=(),
            races=(),
            empty_choices=(),
        )
        return Result(self.program, tuple(results), (), coverage)

    def _verdict(self, name: str) -> PropertyResult:
        if name in self.broken:
            return PropertyResult(name, Verdict.VIOLATED, (self.broken[name],))
        if name in self.proved:
            return PropertyResult(name, Verdict.HOLDS)
        reason = self.reasons.get(name) or self.stopped
        if self.bounded >= 0 and name not in self.reasons:
            reason = f"no run of up to {self.bounded} steps breaks it; {self.stopped or 'longer ones are not known'}"
        return PropertyResult(name, Verdict.UNKNOWN, reason=reason)


def reductions(*, merge: bool) -> Reductions:
    """The explorer's reductions whose steps the formulas have."""
    return ALL if merge else UNREDUCED
