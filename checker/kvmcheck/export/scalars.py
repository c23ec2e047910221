# SPDX-License-Identifier: GPL-2.0-only
"""Scalar expressions: what is left of a program's expressions when compound values are taken apart.

All three targets have truth values, whole numbers and arrays of them; two lack sets, one lacks quantifiers.  So a
set is a kind of scalar with operators of its own, and each target writes it in its way.  The constructors simplify:
what is known beforehand does not reach the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import assert_never


class Kind(Enum):
    """What a scalar is."""

    BOOL = "bool"
    INT = "int"
    SET = "set"  # of members numbered from 0
    LOCATION = "location"  # where a thread is


class Operator(Enum):
    """Operators; arguments are numbers unless it says otherwise."""

    NOT = "not"  # of a truth value
    AND = "and"  # of any number of truth values
    OR = "or"
    EQUAL = "=="  # of two scalars of one kind
    LESS = "<"
    LESS_EQUAL = "<="
    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"  # towards zero
    MODULO = "%"  # with the sign of the dividend
    BIT_AND = "&"
    BIT_OR = "|"
    BIT_XOR = "^"
    SHIFT_LEFT = "<<"
    SHIFT_RIGHT = ">>"
    IF = "if"  # condition, then, else
    IS_UNSET = "unset"  # of a cell: it holds nothing
    HAS = "has"  # set, member
    WITH = "with"  # set, member
    WITHOUT = "without"  # set, member
    UNION = "union"
    INTERSECT = "intersect"
    MINUS = "minus"
    SIZE = "size"  # of a set


@dataclass(frozen=True, slots=True)
class Number:
    """A number, by name if it has one."""

    value: int
    name: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Truth:
    """A truth value."""

    value: bool


@dataclass(frozen=True, slots=True)
class Members:
    """A set, as a mask."""

    mask: int
    size: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Location:
    """A location of a body, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Unset:
    """What a local holds that holds nothing."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class Symbol:
    """A parameter of a step, or a quantified variable: `low`..`high`; of a set: `high` members."""

    name: str
    kind: Kind
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Cell:
    """An element of a variable, or a field of it, as it is now."""

    variable: str
    path: str
    indices: tuple[Scalar, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Apply:
    """An operator applied."""

    operator: Operator
    arguments: tuple[Scalar, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Quantified:
    """For all values of a symbol (`every`), or for some."""

    every: bool
    symbol: Symbol
    body: Scalar


Scalar = Number | Truth | Members | Location | Unset | Symbol | Cell | Apply | Quantified

TRUE = Truth(True)
FALSE = Truth(False)


def kind_of(scalar: Scalar) -> Kind:
    """What kind of scalar it is."""
    match scalar:
        case Number():
            return Kind.INT
        case Truth() | Quantified():
            return Kind.BOOL
        case Members():
            return Kind.SET
        case Location():
            return Kind.LOCATION
        case Unset(kind=kind) | Symbol(kind=kind) | Cell(kind=kind) | Apply(kind=kind):
            return kind
        case _:
            assert_never(scalar)


# ------------------------------------------------------------------------------ making


def negation(scalar: Scalar) -> Scalar:
    """Not."""
    match scalar:
        case Truth(value=value):
            return Truth(not value)
        case Apply(operator=Operator.NOT, arguments=(inner,)):
            return inner
        case _:
            return Apply(Operator.NOT, (scalar,), Kind.BOOL)


def conjunction(parts: Iterable[Scalar]) -> Scalar:
    """And, of any number."""
    return _joined(Operator.AND, parts, TRUE, FALSE)


def disjunction(parts: Iterable[Scalar]) -> Scalar:
    """Or, of any number."""
    return _joined(Operator.OR, parts, FALSE, TRUE)


def _joined(operator: Operator, parts: Iterable[Scalar], neutral: Truth, dominant: Truth) -> Scalar:
    found: list[Scalar] = []
    for part in parts:
        inner = part.arguments if isinstance(part, Apply) and part.operator is operator else (part,)
        for one in inner:
            if one == dominant or negation(one) in found:
                return dominant
            if one != neutral and one not in found:
                found.append(one)
    if not found:
        return neutral
    return found[0] if len(found) == 1 else Apply(operator, tuple(found), Kind.BOOL)


def either(condition: Scalar, yes: Scalar, no: Scalar) -> Scalar:
    """One or the other."""
    if isinstance(condition, Truth):
        return yes if condition.value else no
    if yes == no:
        return yes
    if kind_of(yes) is Kind.BOOL:
        if yes == TRUE:
            return disjunction((condition, no))
        if yes == FALSE:
            return conjunction((negation(condition), no))
        if no == TRUE:
            return disjunction((negation(condition), yes))
        if no == FALSE:
            return conjunction((condition, yes))
    if isinstance(condition, Apply) and condition.operator is Operator.NOT:
        return either(condition.arguments[0], no, yes)
    return Apply(Operator.IF, (condition, yes, no), kind_of(yes))


def as_number(scalar: Scalar) -> Scalar:
    """A truth value as 0 or 1; a number as it is."""
    if isinstance(scalar, Unset):
        return scalar
    return either(scalar, Number(1), Number(0)) if kind_of(scalar) is Kind.BOOL else scalar


def as_truth(scalar: Scalar) -> Scalar:
    """A number as whether it is not 0; a truth value as it is."""
    if isinstance(scalar, Unset) or kind_of(scalar) is Kind.BOOL:
        return scalar
    match scalar:
        case Number(value=value):
            return Truth(value != 0)
        case Apply(operator=Operator.IF, arguments=(condition, Number(value=1), Number(value=0))):
            return condition
        case _:
            return negation(equal(scalar, Number(0)))


def equal(a: Scalar, b: Scalar) -> Scalar:
    """Whether two scalars are the same."""
    if kind_of(a) is not kind_of(b):
        a, b = as_number(a), as_number(b)
    if a == b and not isinstance(a, Unset):
        return TRUE
    if isinstance(b, Number | Truth | Members | Location):
        a, b = b, a
    if isinstance(a, Number | Truth | Members | Location):
        if isinstance(b, Number | Truth | Members | Location):
            return FALSE
        if isinstance(a, Truth):
            return b if a.value else negation(b)
        if isinstance(b, Apply) and b.operator is Operator.IF:
            condition, yes, no = b.arguments
            if isinstance(yes, Number) or isinstance(no, Number):
                return either(condition, equal(yes, a), equal(no, a))
        if isinstance(b, Symbol) and isinstance(a, Number) and not b.low <= a.value <= b.high:
            return FALSE
    return Apply(Operator.EQUAL, (b, a), Kind.BOOL)


def is_unset(scalar: Scalar) -> Scalar:
    """Whether a local's value is none."""
    match scalar:
        case Unset():
            return TRUE
        case Cell():
            return Apply(Operator.IS_UNSET, (scalar,), Kind.BOOL)
        case Apply(operator=Operator.IF, arguments=(condition, yes, no)):
            return either(condition, is_unset(yes), is_unset(no))
        case _:
            return FALSE


_NUMERIC: Mapping[Operator, Callable[[int, int], int]] = {
    Operator.ADD: lambda a, b: a + b,
    Operator.SUBTRACT: lambda a, b: a - b,
    Operator.MULTIPLY: lambda a, b: a * b,
    Operator.BIT_AND: lambda a, b: a & b,
    Operator.BIT_OR: lambda a, b: a | b,
    Operator.BIT_XOR: lambda a, b: a ^ b,
    Operator.SHIFT_LEFT: lambda a, b: a << b if 0 <= b < 64 else 0,
    Operator.SHIFT_RIGHT: lambda a, b: a >> b if 0 <= b < 64 else 0,
}
_SETS: Mapping[Operator, Callable[[int, int], int]] = {
    Operator.UNION: lambda a, b: a | b,
    Operator.INTERSECT: lambda a, b: a & b,
    Operator.MINUS: lambda a, b: a & ~b,
}


def arithmetic(operator: Operator, a: Scalar, b: Scalar) -> Scalar:
    """An operator of two numbers."""
    a, b = as_number(a), as_number(b)
    if isinstance(a, Number) and isinstance(b, Number):
        if operator in _NUMERIC:
            return Number(_NUMERIC[operator](a.value, b.value))
        match operator:
            case Operator.LESS:
                return Truth(a.value < b.value)
            case Operator.LESS_EQUAL:
                return Truth(a.value <= b.value)
            case Operator.DIVIDE | Operator.MODULO if b.value != 0:
                quotient = abs(a.value) // abs(b.value)
                quotient = quotient if (a.value < 0) == (b.value < 0) else -quotient
                return Number(quotient if operator is Operator.DIVIDE else a.value - quotient * b.value)
            case _:
                pass
    if operator in (Operator.ADD, Operator.SUBTRACT) and b == Number(0):
        return a
    if operator is Operator.ADD and a == Number(0):
        return b
    compares = operator in (Operator.LESS, Operator.LESS_EQUAL)
    return Apply(operator, (a, b), Kind.BOOL if compares else Kind.INT)


def sets(operator: Operator, a: Scalar, b: Scalar) -> Scalar:
    """An operator of two sets."""
    if isinstance(a, Members) and isinstance(b, Members):
        return Members(_SETS[operator](a.mask, b.mask), max(a.size, b.size))
    return Apply(operator, (a, b), Kind.SET)


def has(a_set: Scalar, member: Scalar) -> Scalar:
    """Whether a member (numbered from 0) is in a set."""
    if isinstance(a_set, Members):
        if isinstance(member, Number):
            return Truth(member.value >= 0 and bool(a_set.mask >> member.value & 1))
        if a_set.mask == 0:
            return FALSE
        full = a_set.mask == (1 << a_set.size) - 1
        if full and isinstance(member, Symbol) and member.low >= 0 and member.high < a_set.size:
            return TRUE
    if isinstance(a_set, Apply) and a_set.operator in (Operator.WITH, Operator.WITHOUT):
        inner, changed = a_set.arguments
        if (isinstance(changed, Number) and isinstance(member, Number)) or changed == member:
            if changed == member:
                return Truth(a_set.operator is Operator.WITH)
            return has(inner, member)
    return Apply(Operator.HAS, (a_set, member), Kind.BOOL)


def with_member(a_set: Scalar, member: Scalar) -> Scalar:
    """The set and this member."""
    if isinstance(a_set, Members) and isinstance(member, Number):
        return Members(a_set.mask | 1 << member.value, a_set.size)
    return Apply(Operator.WITH, (a_set, member), Kind.SET)


def without_member(a_set: Scalar, member: Scalar) -> Scalar:
    """The set less this member."""
    if isinstance(a_set, Members) and isinstance(member, Number):
        return Members(a_set.mask & ~(1 << member.value), a_set.size)
    return Apply(Operator.WITHOUT, (a_set, member), Kind.SET)


def size_of(a_set: Scalar, members: int) -> Scalar:
    """How many members a set has, of so many."""
    total: Scalar = Number(0)
    for member in range(members):
        total = arithmetic(Operator.ADD, total, as_number(has(a_set, Number(member))))
    return total


def facts_in(condition: Scalar) -> tuple[Scalar, ...]:
    """What is true if a condition is: it, and the parts that it is made of."""
    match condition:
        case Apply(operator=Operator.AND, arguments=parts):
            return (condition, *(fact for part in parts for fact in facts_in(part)))
        case Apply(operator=Operator.NOT, arguments=(Apply(operator=Operator.OR, arguments=parts),)):
            return (condition, *(fact for part in parts for fact in facts_in(negation(part))))
        case _:
            return (condition,)


def quantified(every: bool, symbol: Symbol, body: Scalar) -> Scalar:
    """For all, for some; of one value: the body itself."""
    if isinstance(body, Truth):
        return body
    if symbol not in set(symbols_in(body)):
        return body
    if symbol.low == symbol.high and symbol.kind is Kind.INT:
        return substituted(body, {symbol: Number(symbol.low)})
    return Quantified(every, symbol, body)


def values_of(symbol: Symbol) -> tuple[Scalar, ...]:
    """What a symbol stands for, in order."""
    if symbol.kind is Kind.BOOL:
        return (FALSE, TRUE)
    if symbol.kind is Kind.SET:
        return tuple(Members(mask, symbol.high) for mask in range(1 << symbol.high))
    return tuple(Number(value) for value in range(symbol.low, symbol.high + 1))


# ------------------------------------------------------------------------------ walking


def rebuilt(scalar: Scalar, change: Callable[[Scalar], Scalar | None]) -> Scalar:
    """The expression with each part that `change` knows an answer for put in its place, simplified again."""
    new = change(scalar)
    if new is not None:
        return new
    match scalar:
        case Cell(indices=indices):
            return replace(scalar, indices=tuple(rebuilt(index, change) for index in indices))
        case Apply(operator=operator, arguments=arguments, kind=kind):
            return applied(operator, tuple(rebuilt(part, change) for part in arguments), kind)
        case Quantified(every=every, symbol=symbol, body=body):
            return quantified(every, symbol, rebuilt(body, change))
        case _:
            return scalar


def applied(operator: Operator, parts: tuple[Scalar, ...], kind: Kind) -> Scalar:
    """An operator of any kind, simplified."""
    match operator:
        case Operator.NOT:
            return negation(parts[0])
        case Operator.AND:
            return conjunction(parts)
        case Operator.OR:
            return disjunction(parts)
        case Operator.EQUAL:
            return equal(*parts)
        case Operator.IF:
            return either(*parts)
        case Operator.IS_UNSET:
            return is_unset(parts[0])
        case Operator.HAS:
            return has(*parts)
        case Operator.WITH:
            return with_member(*parts)
        case Operator.WITHOUT:
            return without_member(*parts)
        case Operator.UNION | Operator.INTERSECT | Operator.MINUS:
            return sets(operator, *parts)
        case Operator.SIZE:
            return Apply(operator, parts, kind)
        case _:
            return arithmetic(operator, *parts)


def substituted(scalar: Scalar, values: Mapping[Symbol, Scalar]) -> Scalar:
    """The expression with symbols replaced."""
    return rebuilt(scalar, lambda part: values.get(part) if isinstance(part, Symbol) else None)


def symbols_in(scalar: Scalar) -> Iterator[Symbol]:
    """The symbols of an expression."""
    match scalar:
        case Symbol():
            yield scalar
        case Cell(indices=parts) | Apply(arguments=parts):
            for part in parts:
                yield from symbols_in(part)
        case Quantified(body=body):
            yield from symbols_in(body)
        case _:
            return


def cells_in(scalar: Scalar) -> Iterator[Cell]:
    """The cells that an expression reads."""
    match scalar:
        case Cell(indices=indices):
            yield scalar
            for index in indices:
                yield from cells_in(index)
        case Apply(arguments=parts):
            for part in parts:
                yield from cells_in(part)
        case Quantified(body=body):
            yield from cells_in(body)
        case _:
            return
