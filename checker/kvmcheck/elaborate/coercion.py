# SPDX-License-Identifier: GPL-2.0-only
"""Which sort fits where, what an operator gives, and the conversions that the language makes by itself.

Conversions: an int into another range (checked when it runs), an index from an int and back, a T into a
T?, and a T? into a T (checked: `none` there is an error of the checked program).
"""

from __future__ import annotations

from dataclasses import dataclass

from kvmcheck.semantics.program import Apply, Const, Expr, Op
from kvmcheck.semantics.sorts import (
    BOOL,
    DEFAULT_INT,
    BoolSort,
    EnumSort,
    IdSort,
    IntSort,
    ListSort,
    LockSort,
    ObjectPointerSort,
    OptionalSort,
    PlacePointerSort,
    SeqSort,
    SetSort,
    Sort,
    ThreadSort,
    UnionSort,
    UnknownSort,
    Value,
    WordSort,
    sort_name,
)
from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class Typed:
    """An expression of the program with its sort."""

    expr: Expr
    sort: Sort


UNKNOWN = Typed(Const(0, UnknownSort()), UnknownSort())


#: What a call of a function without a result gives: nothing may be done with it.
NOTHING = Typed(Const(None, UnknownSort()), UnknownSort())


def described(sort: Sort) -> str:
    """A value of the sort, as a person speaks of it: `a Gfn`, `an int`, `the number 3`."""
    match sort:
        case IntSort(low=low, high=high) if low == high:
            return f"the number {low}"
        case IntSort() if sort == DEFAULT_INT:
            return "an int"
        case PlacePointerSort() | ObjectPointerSort():
            return f"a `{sort_name(sort)}`"
        case _:
            name = sort_name(sort)
            return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def is_number(sort: Sort) -> bool:
    """Whether arithmetic is possible: ints and indexes."""
    return isinstance(sort, IntSort) or (isinstance(sort, IdSort) and sort.ordered)


def number_range(sort: Sort) -> tuple[int, int]:
    """The least and the greatest number of an int or index sort."""
    match sort:
        case IntSort(low=low, high=high):
            return low, high
        case IdSort(size=size):
            return 0, size - 1
        case _:
            raise ValueError(f"not a number sort: {sort}")


def coerce(value: Typed, wanted: Sort, span: Span) -> Expr | None:
    """The value as one of the wanted sort, converted where the language does so; None if it doesn't."""
    have = value.sort
    if have == wanted or isinstance(have, UnknownSort) or isinstance(wanted, UnknownSort):
        return value.expr
    match have, wanted:
        case (OptionalSort(inner=a), OptionalSort(inner=b)):
            return value.expr if _same_shape(a, b) else None
        case (_, OptionalSort(inner=inner)):
            return coerce(value, inner, span)
        case (OptionalSort(inner=inner), _):
            unwrapped = Typed(Apply(Op.UNWRAP, (value.expr,), inner, span=span), inner)
            return coerce(unwrapped, wanted, span)
        case (SeqSort(), SeqSort()):
            return value.expr
        case (IntSort(low=low, high=high), BoolSort()) if low >= 0 and high <= 1:
            return Const(value.expr.value, BOOL) if isinstance(value.expr, Const) else value.expr
        case (BoolSort(), IntSort(low=low, high=high)) if low <= 0 and high >= 1:
            return value.expr
        case (ListSort(element=a), ListSort(element=b)) if _same_shape(a, b):
            return value.expr
        case (SetSort(element=a), SetSort(element=b)) if _same_shape(a, b):
            return value.expr
        case (ObjectPointerSort(object=a_name), ObjectPointerSort(object=b_name)):
            return value.expr if a_name == b_name else None
        case _:
            pass
    if is_number(have) and is_number(wanted):
        low, high = number_range(have)
        least, most = number_range(wanted)
        if least <= low and high <= most:
            return value.expr
        return Apply(Op.FIT, (value.expr,), wanted, span=span)
    return None


def _same_shape(a: Sort, b: Sort) -> bool:
    return a == b or isinstance(a, UnknownSort) or isinstance(b, UnknownSort)


def comparable(a: Sort, b: Sort) -> bool:
    """Whether == and != make sense between the two."""
    if isinstance(a, UnknownSort) or isinstance(b, UnknownSort) or a == b:
        return not isinstance(a, LockSort)
    if isinstance(a, OptionalSort):
        return comparable(a.inner, b)
    if isinstance(b, OptionalSort):
        return comparable(a, b.inner)
    if isinstance(a, BoolSort) and isinstance(b, IntSort):
        return True
    if isinstance(a, IntSort) and isinstance(b, BoolSort):
        return True
    if is_number(a) and is_number(b):
        return not (isinstance(a, IdSort) and isinstance(b, IdSort) and a.name != b.name)
    match a, b:
        case (SeqSort(), SeqSort()) | (ListSort(), ListSort()):
            return True
        case (SetSort(element=x), SetSort(element=y)):
            return _same_shape(x, y)
        case (ObjectPointerSort(object=x_name), ObjectPointerSort(object=y_name)):
            return x_name == y_name
        case (PlacePointerSort(target=x_name), PlacePointerSort(target=y_name)):
            return x_name == y_name
        case _:
            return False


def arithmetic(op: Op, left: Typed, right: Typed, span: Span) -> Typed:
    """An arithmetic operator applied to two numbers, with the range that the result can have."""
    a, b = number_range(left.sort)
    c, d = number_range(right.sort)
    match op:
        case Op.ADD:
            low, high = a + c, b + d
        case Op.SUBTRACT:
            low, high = a - d, b - c
        case Op.MULTIPLY:
            corners = (a * c, a * d, b * c, b * d)
            low, high = min(corners), max(corners)
        case Op.DIVIDE:
            most = max(abs(a), abs(b))
            low, high = (0 if a >= 0 and c >= 0 else -most), most
        case Op.MODULO:
            most = max(abs(c), abs(d))
            low, high = (0 if a >= 0 else -most), most
        case Op.BIT_AND if a >= 0 and c >= 0:
            low, high = 0, min(b, d)
        case Op.BIT_OR | Op.BIT_XOR if a >= 0 and c >= 0:
            low, high = 0, (1 << max(b, d).bit_length()) - 1
        case Op.SHIFT_LEFT if a >= 0 and c >= 0 and d < 64:
            low, high = 0, b << d
        case Op.SHIFT_RIGHT if a >= 0 and c >= 0:
            low, high = 0, b
        case _:
            low, high = -(1 << 63), (1 << 63) - 1
    folded = _fold(op, left.expr, right.expr)
    if folded is not None:
        sort = IntSort(folded, folded)
        return Typed(Const(folded, sort), sort)
    sort = IntSort(low, high)
    return Typed(Apply(op, (left.expr, right.expr), sort, span=span), sort)


def _fold(op: Op, left: Expr, right: Expr) -> int | None:
    if not (isinstance(left, Const) and isinstance(right, Const)):
        return None
    a, b = left.value, right.value
    if not (isinstance(a, int) and isinstance(b, int)):
        return None
    match op:
        case Op.ADD:
            return a + b
        case Op.SUBTRACT:
            return a - b
        case Op.MULTIPLY:
            return a * b
        case Op.DIVIDE if b != 0:
            return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        case Op.MODULO if b != 0:
            return abs(a) % abs(b) * (1 if a >= 0 else -1)
        case Op.SHIFT_LEFT if 0 <= b < 64:
            return a << b
        case Op.SHIFT_RIGHT if 0 <= b < 64:
            return a >> b
        case _:
            return None


def constant(expr: Expr) -> Value | None:
    """The value of an expression that has no variables in it; None if it has (`none` gives None too)."""
    match expr:
        case Const(value=value):
            return value
        case Apply(op=Op.MAKE, arguments=arguments):
            return tuple(constant(a) for a in arguments)
        case Apply(op=Op.ARM_MAKE, arguments=arguments, data=arm):
            return (arm, *(constant(a) for a in arguments))
        case Apply(op=Op.LIST_MAKE, arguments=arguments):
            return tuple(constant(a) for a in arguments)
        case Apply(op=Op.SET_MAKE, arguments=arguments):
            mask = 0
            for argument in arguments:
                member = constant(argument)
                if not isinstance(member, int):
                    return None
                mask |= 1 << member
            return mask
        case Apply(op=Op.FIT, arguments=(argument,), sort=sort):
            value = constant(argument)
            low, high = number_range(sort)
            return value if isinstance(value, int) and low <= value <= high else None
        case Apply(op=Op.NOT, arguments=(argument,)):
            value = constant(argument)
            return None if value is None else int(not value)
        case _:
            return None


def is_constant(expr: Expr) -> bool:
    """Whether `constant` knows the value."""
    return constant(expr) is not None or (isinstance(expr, Const) and expr.value is None)


def truth(value: bool) -> Typed:
    """A boolean constant."""
    return Typed(Const(int(value), BOOL), BOOL)


def conjunction(parts: list[Expr]) -> Expr:
    """All of them; true if there are none."""
    if not parts:
        return Const(1, BOOL)
    return parts[0] if len(parts) == 1 else Apply(Op.AND, tuple(parts), BOOL)


def may_stand_in_set(sort: Sort) -> bool:
    """Whether a set of it has a small finite universe."""
    match sort:
        case BoolSort() | EnumSort() | IdSort() | ThreadSort() | ObjectPointerSort():
            return True
        case IntSort(low=low, high=high):
            return low == 0 and high < 64
        case _:
            return False


def is_word(sort: Sort) -> bool:
    """Whether it has parts that are read and written together."""
    return isinstance(sort, WordSort | UnionSort)
