# SPDX-License-Identifier: GPL-2.0-only
"""Statements that control can't reach: most often a mistake, so a warning.

This looks at the text alone.  What a scenario's parameters make unreachable is meant that way.
"""

from __future__ import annotations

from kvmcheck.elaborate.requests import statements
from kvmcheck.lang import syntax
from kvmcheck.source.diagnostic import Collector


def warn_unreachable(body: syntax.Block, collector: Collector) -> None:
    """Warn of the first statement of each run of them that is never reached."""
    _goes_on(body, collector)


def _goes_on(stmt: syntax.Stmt, collector: Collector) -> bool:
    """Whether control can come out behind a statement (in doubt: yes)."""
    match stmt:
        case syntax.Block(body=body):
            return _in_turn(body, collector)
        case syntax.Return() | syntax.Goto() | syntax.Break() | syntax.Continue():
            return False
        case syntax.If(then=then, otherwise=otherwise):
            first = _goes_on(then, collector)
            second = otherwise is None or _goes_on(otherwise, collector)
            return first or second
        case syntax.Forever(body=body):
            _goes_on(body, collector)
            return _breaks(body)
        case syntax.While(condition=condition, body=body):
            _goes_on(body, collector)
            return not _is_true(condition) or _breaks(body)
        case syntax.For(condition=ends, body=body):
            _goes_on(body, collector)
            return (ends is not None and not _is_true(ends)) or _breaks(body)
        case syntax.DoWhile(body=body) | syntax.ForEach(body=body) | syntax.Repeat(body=body):
            _goes_on(body, collector)
            return True
        case syntax.Labelled(body=body) | syntax.Atomic(body=body):
            return _goes_on(body, collector)
        case syntax.Switch(cases=cases):
            for case in cases:
                _in_turn(case.body, collector)
            return True
        case _:
            return True


def _in_turn(body: tuple[syntax.Stmt, ...], collector: Collector) -> bool:
    """The same of statements one behind another; a C label inside one may be jumped to."""
    reached, warned = True, False
    for stmt in body:
        if any(isinstance(inner, syntax.CLabel) for inner in statements(stmt)):
            reached, warned = True, False
        # `case A: return 1; break;` is a habit, no mistake.
        if not reached and not warned and not isinstance(stmt, syntax.Break | syntax.Empty):
            collector.warn(
                "KVM413",
                "this is never reached",
                stmt.span,
                why="what stands before it always returns, jumps or goes round for ever",
            )
            warned = True
        reached = _goes_on(stmt, collector) and reached
    return reached


def _is_true(condition: syntax.Expr) -> bool:
    match condition:
        case syntax.BoolLiteral(value=value):
            return value
        case syntax.IntLiteral(value=number):
            return number != 0
        case _:
            return False


def _breaks(body: syntax.Stmt) -> bool:
    """Whether a `break` may stand in a loop's body for this loop (in doubt: yes)."""
    return any(isinstance(inner, syntax.Break) for inner in statements(body))
