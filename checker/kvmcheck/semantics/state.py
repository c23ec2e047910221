# SPDX-License-Identifier: GPL-2.0-only
"""One state of a program: hashable, complete, without reference to how an engine packs it."""

from __future__ import annotations

from dataclasses import dataclass

from kvmcheck.semantics.sorts import Value


@dataclass(frozen=True, slots=True)
class ThreadState:
    """Where a thread is: the node it does next, its locals, and the same for its handler while that runs.

    `pc` of an ended thread is its body's `End` node.  `handler_pc` is None while the handler does not run.
    """

    pc: int
    locals: tuple[Value, ...]
    handler_pc: int | None
    handler_locals: tuple[Value, ...]
    irq_depth: int


@dataclass(frozen=True, slots=True)
class State:
    """`values[v][i]`: element i (row-major over the dimensions) of `Program.variables[v]`; and the threads."""

    values: tuple[tuple[Value, ...], ...]
    threads: tuple[ThreadState, ...]
