# SPDX-License-Identifier: GPL-2.0-only
"""The values of expressions at each step of a trace, where somebody asked for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kvmcheck.engine.result import Result
from kvmcheck.explain.statements import own_text
from kvmcheck.explain.story import Account, Finding, Goal, Story
from kvmcheck.explain.values import shown
from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.expressions import Broken, sort_of, value_of
from kvmcheck.semantics.program import Apply, Expr, Op, Program
from kvmcheck.semantics.state import State
from kvmcheck.semantics.witness import Trace
from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression as it was written."""

    text: str
    value: Expr


def parted(program: Program, places: Mapping[str, Span]) -> tuple[Program, tuple[Expression, ...]]:
    """The program without the claims that only stand for expressions (`lang.watching`), and the expressions."""
    found: list[Expression] = []
    for claim in program.properties:
        if claim.name in places:
            match claim.condition:
                case Apply(op=Op.EQUAL, arguments=(value, _)):
                    found.append(Expression(own_text(places[claim.name]), value))
                case other:  # it was worked out to be the same for ever
                    found.append(Expression(own_text(places[claim.name]), other))
    own = tuple(claim for claim in program.properties if claim.name not in places)
    return replace(program, properties=own), tuple(found)


def with_watched(account: Account, result: Result, expressions: Sequence[Expression]) -> Account:
    """The account, each of its stories with what the expressions are worth: at first, and where that changes."""
    program = result.program
    findings = tuple(
        _finding(program, finding, known.traces, expressions)
        for finding, known in zip(account.findings, result.properties, strict=True)
    )
    goals: list[Goal] = []
    for goal, cover in zip(account.goals, result.covers, strict=True):
        story = goal.story
        if story is not None and cover.trace is not None:
            story = _story(program, story, cover.trace, expressions)
        goals.append(replace(goal, story=story))
    return replace(account, findings=findings, goals=tuple(goals))


def _finding(
    program: Program, finding: Finding, traces: tuple[Trace, ...], expressions: Sequence[Expression]
) -> Finding:
    stories = zip(finding.stories, traces, strict=True)
    return replace(finding, stories=tuple(_story(program, story, t, expressions) for story, t in stories))


def _story(program: Program, story: Story, trace: Trace, expressions: Sequence[Expression]) -> Story:
    evaluator = Evaluator(program)
    before = [_worth(program, evaluator, trace.initial, expression) for expression in expressions]
    first = tuple(f"{e.text} = {worth}" for e, worth in zip(expressions, before, strict=True))
    rows = []
    for row, step in zip(story.rows, trace.steps, strict=True):
        after = [_worth(program, evaluator, step.after, expression) for expression in expressions]
        told = tuple(
            f"{e.text} = {new}" for e, old, new in zip(expressions, before, after, strict=True) if old != new
        )
        rows.append(replace(row, watched=told))
        before = after
    return replace(story, rows=tuple(rows), watched=first)


def _worth(program: Program, evaluator: Evaluator, state: State, expression: Expression) -> str:
    """The value in a state, or why there is none."""
    try:
        value = value_of(expression.value, evaluator.scope(state))
    except Broken as broken:
        return f"({broken.text})"
    return shown(program, value, sort_of(expression.value))
