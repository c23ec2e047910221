# SPDX-License-Identifier: GPL-2.0-only
"""What is known of a number before the program runs, so that only what may leave its range is checked."""

from __future__ import annotations

from kvmcheck.semantics.expressions import sort_of
from kvmcheck.semantics.program import Apply, Const, Expr, Op
from kvmcheck.semantics.sorts import BoolSort, EnumSort, IdSort, IntSort, Sort, ThreadSort, member_count


def hull(expression: Expr) -> tuple[int, int] | None:
    """Bounds of a number, if they are known."""
    match expression:
        case Const(value=value):
            return (value, value) if isinstance(value, int) else None
        case Apply(op=op, arguments=arguments, sort=sort):
            match op:
                case Op.ADD | Op.SUBTRACT | Op.MULTIPLY:
                    a, b = hull(arguments[0]), hull(arguments[1])
                    if a is None or b is None:
                        return None
                    if op is Op.ADD:
                        return a[0] + b[0], a[1] + b[1]
                    if op is Op.SUBTRACT:
                        return a[0] - b[1], a[1] - b[0]
                    corners = [x * y for x in a for y in b]
                    return min(corners), max(corners)
                case Op.IF:
                    a, b = hull(arguments[1]), hull(arguments[2])
                    return None if a is None or b is None else (min(a[0], b[0]), max(a[1], b[1]))
                case Op.FIT:
                    return sort_hull(sort)
                case Op.NEGATE | Op.DIVIDE | Op.MODULO | Op.SHIFT_LEFT | Op.SHIFT_RIGHT:
                    return None
                case Op.BIT_AND | Op.BIT_OR | Op.BIT_XOR | Op.NEXT | Op.SIZE:
                    return None
                case _:
                    return sort_hull(sort)
        case _:
            return sort_hull(sort_of(expression))


def sort_hull(sort: Sort) -> tuple[int, int] | None:
    """Bounds of the numbers of a sort."""
    match sort:
        case BoolSort():
            return 0, 1
        case IntSort(low=low, high=high):
            return low, high
        case EnumSort() | IdSort() | ThreadSort():
            return 0, member_count(sort) - 1
        case _:
            return None


def within(expression: Expr, low: int, high: int) -> bool:
    """Whether a number is surely low..high."""
    bounds = hull(expression)
    return bounds is not None and low <= bounds[0] and bounds[1] <= high
