# SPDX-License-Identifier: GPL-2.0-only
"""One method after the other, and what they say together."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic

from kvmcheck.prove.bounded import look
from kvmcheck.prove.ledger import Ledger
from kvmcheck.prove.method import Limits, Method, Proved, Wanted
from kvmcheck.prove.reached import with_goals
from kvmcheck.prove.unbounded import by_induction, by_spacer
from kvmcheck.semantics.program import Program

#: The steps that are unrolled where nobody says how many.
USUAL_DEPTH = 100
#: Parts of the time that is left: for looking for a violation first, but not for long, and for induction behind it.
FIRST_LOOK, FIRST_SECONDS, INDUCTION = 0.1, 3.0, 0.75


def prove(program: Program, method: Method, limits: Limits, wanted: Wanted, *, merge: bool = True) -> Proved:
    """What a method, or all of them in turn, can say of every claim of a program."""
    ledger = Ledger(program)
    run = _Run(ledger, limits, merge=merge)
    if ledger.starts:
        match method:
            case Method.BMC:
                run.look(1.0, wanted)
            case Method.INDUCTION:
                run.induce(1.0)
            case Method.SPACER:
                run.spacer(1.0)
            case Method.AUTO:
                run.everything(wanted)
    result = ledger.result()
    if ledger.proofs and not wanted.violated:
        result = with_goals(result)
    return Proved(result, _method(ledger), _looked(ledger), notes=_notes(ledger), refused=ledger.refused)


class _Run:
    """The methods, against the clock."""

    def __init__(self, ledger: Ledger, limits: Limits, *, merge: bool) -> None:
        self.ledger = ledger
        self.limits = limits
        self.merge = merge
        self.deadline = None if limits.seconds is None else monotonic() + limits.seconds

    def _part(self, part: float, *, depth: int | None) -> Limits:
        """The limits, with a part of the time that is left."""
        seconds = None if self.deadline is None else max(0.0, self.deadline - monotonic()) * part
        if part == FIRST_LOOK:
            seconds = FIRST_SECONDS if seconds is None else min(seconds, FIRST_SECONDS)
        return replace(self.limits, seconds=seconds, depth=depth)

    def everything(self, wanted: Wanted) -> None:
        """All of them: where violations are wanted, look for these alone."""
        if wanted.violated:
            self.look(1.0, wanted)
            return
        self.look(FIRST_LOOK, wanted)
        if self.ledger.refused is not None:
            return
        if self.merge and self.ledger.step_broken:
            # A step that fails passes states on its way, which only single operations show.
            self.merge = False
            self.ledger.excluded.clear()
            self.ledger.bounded = -1
            self.look(FIRST_LOOK, wanted)
        if self.ledger.pending:
            self.induce(INDUCTION)
        if self.ledger.pending:
            self.spacer(1.0)

    def look(self, part: float, wanted: Wanted) -> None:
        """Bounded model checking."""
        depth = self.limits.depth if self.limits.depth is not None else USUAL_DEPTH
        look(self.ledger, self._part(part, depth=depth), wanted, merge=self.merge)

    def induce(self, part: float) -> None:
        """k-induction."""
        by_induction(self.ledger, self._part(part, depth=self.limits.depth), merge=self.merge)

    def spacer(self, part: float) -> None:
        """Spacer."""
        by_spacer(self.ledger, self._part(part, depth=None), merge=self.merge)


def _method(ledger: Ledger) -> str:
    used = ["bounded model checking"] if ledger.bounded >= 0 else []
    proofs = [method for method in ledger.proofs if method != "every run"]
    return ", ".join([*used, *proofs]) or "none"


def _looked(ledger: Ledger) -> str:
    said: list[str] = []
    if ledger.proofs:
        said.append(f"any number of steps, by {' and '.join(ledger.proofs.values())}")
    if ledger.bounded >= 0 and (ledger.open or ledger.broken or not said):
        said.append(f"every run of up to {ledger.bounded} steps")
    return "; ".join(said) or "no run was looked at"


def _notes(ledger: Ledger) -> tuple[str, ...]:
    return (ledger.too_small,) if ledger.too_small else ()
