# SPDX-License-Identifier: GPL-2.0-only
"""What is told of a proof beside its verdicts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ToldProof:
    """How something was proved, and what that rests on; strings only, for every renderer.

    `method`: who answered; `scope`: what the answer covers; `assumed`: what is taken for granted; `notes`: what else
    there is to say; `every_size`: the answer is not of the scenario's sizes alone.
    """

    method: str
    scope: str
    assumed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    every_size: bool = False
