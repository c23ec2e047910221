# SPDX-License-Identifier: GPL-2.0-only
"""Which method proves, how much work it may do, and what comes out of it.  Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kvmcheck.engine.result import Result
from kvmcheck.source.text import Span


class Method(Enum):
    """How a claim is proved or refuted at a fixed size.

    `BMC`: every run of so many steps; `INDUCTION`: k-induction with invariants found on the way; `SPACER`: constrained
    Horn clauses, whose solver finds the invariant; `AUTO`: one after the other.
    """

    AUTO = "auto"
    BMC = "bmc"
    INDUCTION = "induction"
    SPACER = "spacer"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a proof of one case may cost.

    `depth`: the most steps that `BMC` unrolls (and the largest k of `INDUCTION`); `seconds`; `memory` in bytes, for
    each solver process.  None: no limit.
    """

    depth: int | None = None
    seconds: float | None = None
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a proof may stop at: all of these are violated (empty: never)."""

    violated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Uncarried:
    """Something of the program that the formulas can't express, and where it stands (None: not known)."""

    what: str
    span: Span | None


@dataclass(frozen=True, slots=True)
class Proved:
    """What a method found out, in the one result type, and how.

    `method`: who answered, such as `k-induction`.  `looked`: what the answer covers: `any number of steps`.
    `sized`: of which sizes, in place of the scenario's, where a method speaks of others (else empty).
    `assumed`: what the answer rests on besides the program, a sentence each.  `refused`: why there is none.
    """

    result: Result
    method: str
    looked: str
    sized: str = ""
    assumed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    refused: Uncarried | None = None
