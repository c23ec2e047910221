# SPDX-License-Identifier: GPL-2.0-only
"""What takes part in the comparison, and what is known of it afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.measuring import Limits
from bench.sizes import Protocol, Size


@dataclass(frozen=True, slots=True)
class Cell:
    """What is to be measured."""

    protocol: Protocol
    size: Size


@dataclass(frozen=True, slots=True)
class Run:
    """One run from the text of a model to the verdict.

    `seconds` and `cpu` have everything in them: generating code, compiling it, searching.  `search` is the CPU seconds
    of the search alone, `peak` the bytes of the process that searches, `table` the bytes that states and table take,
    where that is known.
    """

    states: int
    seconds: float
    cpu: float
    search: float
    peak: int
    table: int | None = None
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Contender:
    """A checker with its settings.

    `plain`: every state that the model has is looked at.
    """

    name: str
    settings: str
    plain: bool
    run: Callable[[Cell, Limits], Run]
