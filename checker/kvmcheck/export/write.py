# SPDX-License-Identifier: GPL-2.0-only
"""A program as the text of another checker."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from kvmcheck.export import murphi, promela, tla
from kvmcheck.export.expressions import CannotCarry
from kvmcheck.export.model import LeftOut, model_of
from kvmcheck.export.names import Names
from kvmcheck.semantics.program import Program

#: Calls within calls while a step is unfolded: some ten for each operation in it.
DEEPEST = 60_000


class Target(Enum):
    """What the text is written for."""

    PROMELA = "promela"
    MURPHI = "murphi"
    TLA = "tla"


@dataclass(frozen=True, slots=True)
class Exported:
    """The text, and what of the scenario's claims it lacks."""

    text: str
    left_out: tuple[LeftOut, ...]


def exported(program: Program, target: Target) -> Exported:
    """The program as a text for the target; raises `CannotCarry` where the target can't say what it does."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, DEEPEST))  # a step is unfolded by a function that calls itself
    try:
        return _exported(program, target)
    finally:
        sys.setrecursionlimit(limit)


def _exported(program: Program, target: Target) -> Exported:
    match target:
        case Target.MURPHI:
            model = model_of(program, Names(murphi.RESERVED), unbounded=False)
            return Exported(murphi.write(model), tuple(model.left_out))
        case Target.PROMELA:
            model = model_of(program, Names(promela.RESERVED, capitals=False), unbounded=False)
            return Exported(promela.write(model), tuple(model.left_out))
        case Target.TLA:
            model = model_of(program, Names(tla.RESERVED), unbounded=True)
            return Exported(tla.write(model), tuple(model.left_out))
        case _:
            assert_never(target)


__all__ = ["CannotCarry", "Exported", "Target", "exported"]
