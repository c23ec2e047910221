# SPDX-License-Identifier: GPL-2.0-only
"""What goes wrong while an expression is evaluated: told where it happens, and evaluation goes on elsewhere."""

from __future__ import annotations

from kvmcheck.prove.encode.circuit import FALSE, Circuit, Literal
from kvmcheck.prove.encode.scene import Scene
from kvmcheck.prove.encode.terms import Term
from kvmcheck.semantics.program import Check
from kvmcheck.semantics.sorts import OptionalSort
from kvmcheck.source.text import Span


def fail(scene: Scene, where: Literal, check: Check, span: Span | None) -> None:
    """Tell that a check fails where a literal is true."""
    if where != FALSE:
        scene.fault(where, check, span, False)


def unwrapped(circuit: Circuit, term: Term, scene: Scene, when: Literal, span: Span | None) -> Term:
    """The T of a T?; none is NO_OUT_OF_BOUNDS."""
    while isinstance(term.sort, OptionalSort):
        fail(scene, circuit.both(when, term.bits[0] ^ 1), Check.NO_OUT_OF_BOUNDS, span)
        term = Term(term.sort.inner, term.bits[1:])
    return term
