# SPDX-License-Identifier: GPL-2.0-only
"""One method after the other, and what they say together."""

from __future__ import annotations

from kvmcheck.prove.bounded import look
from kvmcheck.prove.ledger import Ledger
from kvmcheck.prove.method import Limits, Method, Proved, Wanted
from kvmcheck.semantics.program import Program

#: The steps that are unrolled where nobody says how many.
USUAL_DEPTH = 100


def prove(program: Program, method: Method, limits: Limits, wanted: Wanted, *, merge: bool = True) -> Proved:
    """What a method, or all of them in turn, can say of every claim of a program."""
    ledger = Ledger(program)
    match method:
        case Method.AUTO | Method.BMC | Method.INDUCTION | Method.SPACER:
            if ledger.starts:
                look(ledger, limits, wanted, merge=merge)
            return Proved(ledger.result(), "bounded model checking", _bounded(ledger))


def _bounded(ledger: Ledger) -> str:
    if ledger.bounded < 0:
        return "no run was looked at"
    if not ledger.open:
        return f"every run, of up to {ledger.bounded} steps"
    return f"every run of up to {ledger.bounded} steps"
