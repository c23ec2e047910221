# SPDX-License-Identifier: GPL-2.0-only
"""A run that shows something: its states, its steps, and what it breaks or reaches."""

from __future__ import annotations

from dataclasses import dataclass

from kvmcheck.semantics.sorts import Value
from kvmcheck.semantics.state import State
from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class Violation:
    """What is broken: a property's or built-in check's name, what is said of it, and where.

    `overflow`: not a violation but a bound of the scenario that was too small (an UNKNOWN).
    """

    property: str
    text: str
    span: Span
    overflow: bool = False


#: A variable, an element of it, and whether it was written.
Touch = tuple[int, int, bool]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one thread: the nodes it ran, in order, of its body (or of its handler's).

    `after` is the state behind it; where the step ends in a violation of a built-in check, the state
    with what was done before the violating operation.  `node`: the visible operation's node (the last
    node where there was none): the step's statement.  `touched`: the variable and element that the visible
    operation accessed, where the evaluator noted it.  `named`: the locals that labelled statements of the step
    assigned, as (node, value), whether or not the state still keeps them.  `chosen`: what each choice of it came
    to, as (node, member).  `footprint`: every element, of ghosts and locks too, that it read or wrote.
    """

    thread: int
    handler: bool
    nodes: tuple[int, ...]
    node: int
    after: State
    touched: tuple[int, int] | None = None
    named: tuple[tuple[int, Value], ...] = ()
    chosen: tuple[tuple[int, Value], ...] = ()
    footprint: tuple[Touch, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """A run from an initial state; `violation` is None for a witness of a cover.

    `loop`: of a run without an end, how many steps come before those that are repeated for ever; if these are all
    steps, the run stays in its last state.  `pending`: behind how many steps what should come about is due.
    """

    initial: State
    steps: tuple[Step, ...]
    violation: Violation | None
    loop: int | None = None
    pending: int = 0
