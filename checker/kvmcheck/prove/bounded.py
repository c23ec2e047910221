# SPDX-License-Identifier: GPL-2.0-only
"""Bounded model checking: every run of so many steps.  The solver's side is `prove.unrolling`."""

from __future__ import annotations

from functools import partial
from typing import assert_never

from kvmcheck.errors import InternalError
from kvmcheck.prove.ledger import Ledger
from kvmcheck.prove.method import Limits, Wanted
from kvmcheck.prove.solving import End, Ended, Heard, isolated
from kvmcheck.prove.unrolling import (
    BOUNDS,
    Encoded,
    Found,
    GaveUp,
    Looked,
    Message,
    Refused,
    Task,
    TooSmall,
    Whole,
    unroll,
)
from kvmcheck.semantics.program import Check


def look(ledger: Ledger, limits: Limits, wanted: Wanted, *, merge: bool) -> None:
    """Enter what runs of at most `limits.depth` steps show; no longer than `limits.seconds`."""
    closed = frozenset({*ledger.broken, *ledger.proved})
    task = Task(
        ledger.program, ledger.packed_starts(merge=merge), merge, limits.depth, closed, wanted.violated
    )
    listener = _Listener(ledger, merge=merge)
    heard: Heard[Message] = isolated(partial(unroll, task), seconds=limits.seconds, memory=limits.memory)
    for said in heard:
        if isinstance(said, Ended):
            listener.ended(said, limits, wanted)
        elif listener.hears(said.message):
            heard.close()
            break


class _Listener:
    """Enters what the solver's process says."""

    def __init__(self, ledger: Ledger, *, merge: bool) -> None:
        self.ledger = ledger
        self.merge = merge

    def hears(self, message: Message) -> bool:
        """Take one message; whether there is no need for more."""
        ledger = self.ledger
        match message:
            case Encoded(left_out=left_out):
                ledger.reasons |= left_out
            case Refused(what=what, span=span):
                ledger.refuse(what, span)
            case Found(states=states, finding=finding):
                ledger.enter(states, finding, merge=self.merge)
            case TooSmall(states=states, finding=finding):
                trace = ledger.trace(states, finding, merge=self.merge)
                ledger.too_small = trace.violation.text if trace.violation else "a bound was too small"
            case Looked(depth=depth):
                ledger.bounded = depth
                return not ledger.pending
            case Whole(depth=depth):
                self._whole(depth)
            case GaveUp(reason=reason):
                ledger.stopped = f"the solver gave up: {reason}"
        return False

    def _whole(self, depth: int) -> None:
        """All runs were looked at."""
        ledger = self.ledger
        if ledger.too_small:
            ledger.stopped = ledger.too_small
            return
        if self.merge and ledger.step_broken:
            ledger.stopped = "a step ends in its middle; `--no-merge` looks at what comes before that"
            return
        ledger.stopped = f"no run is longer than {depth} steps"
        everything = {check.value for check in Check}.union(ledger.claims, (BOUNDS,)) - ledger.reasons.keys()
        ledger.believe(
            everything - ledger.broken.keys(),
            "every run",
            f"looking at every run (none is longer than {depth} steps)",
            merge=self.merge,
        )

    def ended(self, said: Ended, limits: Limits, wanted: Wanted) -> None:
        """The process has ended, of itself or not."""
        if wanted.violated and wanted.violated <= self.ledger.broken.keys():
            self.ledger.stopped = "the search ended when it had what was expected"
        elif said.end is End.DONE:
            if not self.ledger.stopped and limits.depth is not None:
                self.ledger.stopped = f"longer ones were not looked at (--depth {limits.depth})"
        else:
            self.ledger.stopped = why_ended(said, limits)


def why_ended(said: Ended, limits: Limits) -> str:
    """Why a solver's process came to no end by itself; raises `InternalError` for a bug of ours."""
    match said.end:
        case End.DONE:
            return ""
        case End.OUT_OF_TIME:
            return f"the time limit of {limits.seconds or 0:.0f} seconds was reached"
        case End.OUT_OF_MEMORY | End.DIED as end:
            return str(end.value)
        case End.FAILED:
            raise InternalError(f"the solver's process failed: {said.error}")
        case _:
            assert_never(said.end)
