# SPDX-License-Identifier: GPL-2.0-only
"""Counterexamples to induction: a state in which the whole invariant holds, and a step behind which it does not.

Both are the evaluator's: the step is looked for among those that it does from that state, and the clause is asked
again behind it.  The state need not be one that a run can reach; if it can, the claim is wrong, and if it can't, the
invariant does not say why not.
"""

from __future__ import annotations

from dataclasses import dataclass

from kvmcheck.errors import InternalError
from kvmcheck.prove.parametric.finite import Structure, after
from kvmcheck.prove.parametric.ground import state_of
from kvmcheck.prove.parametric.obligations import Kind, Obligation
from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.outcome import Outcome
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.state import State
from kvmcheck.semantics.witness import Step, Trace, Violation
from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class Induction:
    """A counterexample to induction, at the sizes of `program`."""

    program: Program
    obligation: Obligation
    trace: Trace


def replayed(program: Program, obligation: Obligation, structure: Structure) -> Induction:
    """A model as states and a step of the evaluator; `InternalError` if the evaluator can't follow."""
    before = state_of(structure)
    evaluator = Evaluator(program)
    span = obligation.span or program.span
    if obligation.step is None:
        text = f"`{obligation.clause}` does not hold"
        return Induction(program, obligation, Trace(before, (), Violation(obligation.clause, text, span)))
    for outcome in evaluator.steps(before):
        wrong = _wrong(evaluator, obligation, structure, before, outcome, span)
        if wrong is not None:
            step = Step(outcome.thread, outcome.handler, outcome.nodes, outcome.node, outcome.after)
            return Induction(program, obligation, Trace(before, (step,), wrong))
    raise InternalError(f"the evaluator does not follow a counterexample to `{obligation.name}`")


def _wrong(
    evaluator: Evaluator,
    obligation: Obligation,
    structure: Structure,
    before: State,
    outcome: Outcome,
    span: Span,
) -> Violation | None:
    """What is wrong behind one of the evaluator's steps, if it is the step of the model."""
    step = obligation.step
    assert step is not None
    sizes = structure.sizes
    who = tuple(structure.of(argument, {}) for argument in step.after.thread)
    if outcome.thread != sizes.thread_of[step.process, who]:
        return None
    if obligation.kind is Kind.CHECK:
        found = outcome.violation
        return found if found is not None and found.property == obligation.clause else None
    if outcome.violation is not None or outcome.after != after(structure, step, before):
        return None
    claim = next((p for p in sizes.program.properties if p.name == obligation.clause), None)
    if claim is None:
        return Violation(obligation.clause, "what the code implies there does not hold", span)
    text = evaluator.broken_by(claim, None, outcome.after, None)
    return None if text is None else Violation(claim.name, text, claim.span)
