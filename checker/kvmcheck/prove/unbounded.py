# SPDX-License-Identifier: GPL-2.0-only
"""Any number of steps: induction and Spacer.  The solver's sides are `prove.inductive` and `prove.horn`."""

from __future__ import annotations

from functools import partial

from kvmcheck.prove import horn, inductive
from kvmcheck.prove.bounded import why_ended
from kvmcheck.prove.horn import HornTask, Invariant, NoInvariant, solve
from kvmcheck.prove.inductive import InductionTask, NotEncoded, Proof, Rest, induce
from kvmcheck.prove.ledger import Ledger
from kvmcheck.prove.method import Limits
from kvmcheck.prove.solving import Ended, Heard, isolated


def by_induction(ledger: Ledger, limits: Limits, *, merge: bool) -> None:
    """Enter what k-induction proves; no longer than `limits.seconds`."""
    wanted = frozenset(ledger.pending) | ledger.needed(merge=merge)
    starts = ledger.packed_starts(merge=merge)
    task = InductionTask(ledger.program, starts, merge, limits.depth, wanted)
    heard: Heard[inductive.Message] = isolated(
        partial(induce, task), seconds=limits.seconds, memory=limits.memory
    )
    why = ""
    for said in heard:
        if isinstance(said, Ended):
            why = why_ended(said, limits) or "no induction over a few steps closes"
            break
        match said.message:
            case Proof(names=names, k=k):
                ledger.believe(names, "k-induction", f"k-induction (k = {k})", merge=merge)
            case NotEncoded():
                _left_out(ledger, said.message)
            case Rest():
                pass
        if not ledger.pending:
            heard.close()
            return
    _say_why(ledger, why)


def by_spacer(ledger: Ledger, limits: Limits, *, merge: bool) -> None:
    """Enter what Spacer proves; no longer than `limits.seconds`."""
    closed = frozenset({*ledger.broken, *ledger.excluded})
    task = HornTask(
        ledger.program, ledger.packed_starts(merge=merge), merge, frozenset(ledger.pending), closed
    )
    heard: Heard[horn.Message] = isolated(partial(solve, task), seconds=limits.seconds, memory=limits.memory)
    why = ""
    for said in heard:
        if isinstance(said, Ended):
            why = why_ended(said, limits)
            break
        match said.message:
            case Invariant(names=names):
                ledger.believe(names, "Spacer", "an invariant that Spacer found", merge=merge)
            case NoInvariant(names=names, reason=reason) if len(names) == 1:
                ledger.reasons |= {name: reason for name in names if name in ledger.open}
            case NoInvariant():
                pass
            case NotEncoded():
                _left_out(ledger, said.message)
        if not ledger.pending:
            heard.close()
            return
    _say_why(ledger, why)


def _left_out(ledger: Ledger, message: NotEncoded) -> None:
    ledger.reasons |= message.left_out
    if message.what:
        ledger.refuse(message.what, message.span)


def _say_why(ledger: Ledger, why: str) -> None:
    """Say why what is left was not proved."""
    if why and ledger.pending:
        ledger.stopped = why
