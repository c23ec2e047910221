# SPDX-License-Identifier: GPL-2.0-only
"""One method after the other, and what they say together."""

from __future__ import annotations

from kvmcheck.prove.bounded import prove_bounded
from kvmcheck.prove.method import Limits, Method, Proved, Wanted
from kvmcheck.semantics.program import Program


def prove(program: Program, method: Method, limits: Limits, wanted: Wanted, *, merge: bool = True) -> Proved:
    """What a method, or all of them in turn, can say of every claim of a program."""
    match method:
        case Method.AUTO | Method.BMC | Method.INDUCTION | Method.SPACER:
            return prove_bounded(program, limits, wanted, merge=merge)
