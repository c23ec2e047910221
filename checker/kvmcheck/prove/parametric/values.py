# SPDX-License-Identifier: GPL-2.0-only
"""Values of the language as terms: an optional value is a flag and a term, a word its fields, a set a formula.

`leaves` says of which plain parts a sort consists, in a fixed order: each part of a variable is one function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kvmcheck.errors import InternalError
from kvmcheck.prove.parametric.refusing import CannotCarry
from kvmcheck.prove.parametric.terms import (
    BOOL,
    FALSE,
    INT,
    TRUE,
    Call,
    Member,
    Num,
    Term,
    Truth,
    Var,
    both,
    choice,
    either,
    equal,
    every,
    negation,
    substitute,
)
from kvmcheck.semantics.sorts import (
    BoolSort,
    EnumSort,
    IdSort,
    IntSort,
    OptionalSort,
    SeqSort,
    SetSort,
    Sort,
    UnionSort,
    Value,
    WordSort,
    sort_name,
)
from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class Maybe:
    """A T?; `value` is any term where it is none."""

    there: Term
    value: Symbolic


@dataclass(frozen=True, slots=True)
class Word:
    """A word struct."""

    fields: tuple[Symbolic, ...]


@dataclass(frozen=True, slots=True)
class Members:
    """A set: of which members the body is true."""

    variable: Var
    body: Term

    def has(self, member: Term) -> Term:
        """Whether it is in the set."""
        return substitute(self.body, {self.variable: member})


@dataclass(frozen=True, slots=True)
class ThreadOf:
    """A thread of a process declaration."""

    process: int
    arguments: tuple[Term, ...]


Symbolic = Term | Maybe | Word | Members | ThreadOf


@dataclass(frozen=True, slots=True)
class Leaf:
    """A plain part of a sort: where it is (`.pfn.there`), its SMT sort, and of a set its members' sort."""

    path: str
    sort: str
    element: str | None = None


def smt_sort(sort: Sort, span: Span | None = None) -> str:
    """The SMT sort of a plain sort; `CannotCarry` for others."""
    match sort:
        case BoolSort():
            return BOOL
        case IntSort(wrap=True):
            raise CannotCarry("numbers that wrap around", span)
        case SeqSort(wrap=wrap) if wrap is not None:
            raise CannotCarry("`seq wrap`", span)
        case IntSort() | SeqSort():
            return INT
        case IdSort(ordered=True, name=name):
            raise CannotCarry(f"`{name}`, an index with arithmetic", span)
        case EnumSort(name=name) | IdSort(name=name):
            return sorted_name(name)
        case UnionSort(name=name):
            raise CannotCarry(f"the word union `{name}`", span)
        case _:
            raise CannotCarry(f"values of type `{sort_name(sort)}`", span)


def sorted_name(name: str) -> str:
    """The SMT name of a declared sort: apart from the names that SMT-LIB has itself."""
    return "".join(part if part.isalnum() or part == "_" else "." for part in name) + "."


def leaves(sort: Sort, span: Span | None = None, path: str = "") -> list[Leaf]:
    """The plain parts of a sort, in order."""
    match sort:
        case OptionalSort(inner=inner):
            return [Leaf(f"{path}.there", BOOL), *leaves(inner, span, f"{path}.value")]
        case WordSort(fields=fields):
            return [leaf for name, inner, _ in fields for leaf in leaves(inner, span, f"{path}.{name}")]
        case SetSort(element=element):
            return [Leaf(path or ".", BOOL, smt_sort(element, span))]
        case _:
            return [Leaf(path or ".", smt_sort(sort, span))]


def built(sort: Sort, part: Callable[[Leaf], Term | Members]) -> Symbolic:
    """A value of a sort from its parts; `part` is asked for each in the order of `leaves`."""
    return _built(sort, iter(leaves(sort)), part)


def _built(sort: Sort, rest: Iterator[Leaf], part: Callable[[Leaf], Term | Members]) -> Symbolic:
    match sort:
        case OptionalSort(inner=inner):
            there = part(next(rest))
            assert not isinstance(there, Members)
            return Maybe(there, _built(inner, rest, part))
        case WordSort(fields=fields):
            return Word(tuple(_built(inner, rest, part) for _, inner, _ in fields))
        case _:
            return part(next(rest))


def parts(value: Symbolic) -> list[Term | Members]:
    """The plain parts of a value, in the order of `leaves`."""
    match value:
        case Maybe(there=there, value=inner):
            return [there, *parts(inner)]
        case Word(fields=fields):
            return [part for field in fields for part in parts(field)]
        case ThreadOf():
            raise InternalError("a thread has no parts")
        case _:
            return [value]


def anything(sort: str) -> Term:
    """Some term of an SMT sort, where no one looks."""
    match sort:
        case "Bool":
            return FALSE
        case "Int":
            return Num(0)
        case _:
            return Call(f"any.{sort}", (), sort)


def no_members(element: str) -> Members:
    """The empty set."""
    return Members(Var("element", element), FALSE)


def constant(sort: Sort, value: Value) -> Symbolic:
    """A value that the program names; sets are the empty or the full one."""
    match sort:
        case OptionalSort(inner=inner):
            if value is None:
                nothing = built(
                    inner, lambda leaf: no_members(leaf.element) if leaf.element else anything(leaf.sort)
                )
                return Maybe(FALSE, nothing)
            return Maybe(TRUE, constant(inner, value))
        case WordSort(fields=fields):
            assert isinstance(value, tuple)
            return Word(
                tuple(constant(inner, part) for (_, inner, _), part in zip(fields, value, strict=True))
            )
        case BoolSort():
            return Truth(bool(value))
        case EnumSort(constants=constants):
            assert isinstance(value, int)
            return Member(f"{smt_sort(sort)}{constants[value]}", smt_sort(sort))
        case IdSort(names=names, name=name):
            assert isinstance(value, int)
            if value >= len(names):
                raise CannotCarry(f"a certain member of `{name}`", None)
            return Member(f"{smt_sort(sort)}{names[value]}", smt_sort(sort))
        case SetSort(element=element):
            return _set_constant(element, value)
        case IntSort() | SeqSort():
            assert isinstance(value, int)
            smt_sort(sort)
            return Num(value)
        case _:
            raise CannotCarry(f"values of type `{sort_name(sort)}`", None)


def _set_constant(element: Sort, value: Value) -> Members:
    assert isinstance(value, int)
    of = smt_sort(element)
    if value == 0:
        return no_members(of)
    size = element.size if isinstance(element, IdSort) else len(getattr(element, "constants", ()))
    if value == (1 << size) - 1:
        return Members(Var("element", of), TRUE)
    raise CannotCarry("a set of certain members", None)


def same(left: Symbolic, right: Symbolic, fresh: Callable[[str], Var]) -> Term:
    """The two values are equal; a T equals a T? that holds it."""
    match left, right:
        case Maybe(), Maybe():
            inner = same(left.value, right.value, fresh)
            return both(equal(left.there, right.there), either(negation(left.there), inner))
        case Maybe(), _:
            return both(left.there, same(left.value, right, fresh))
        case _, Maybe():
            return both(right.there, same(left, right.value, fresh))
        case Word(), Word():
            return both(*(same(a, b, fresh) for a, b in zip(left.fields, right.fields, strict=True)))
        case Members(), Members():
            if left == right:
                return TRUE
            variable = fresh(left.variable.sort)
            return every([variable], equal(left.has(variable), right.has(variable)))
        case ThreadOf(), ThreadOf():
            if left.process != right.process:
                return FALSE
            return both(*(equal(a, b) for a, b in zip(left.arguments, right.arguments, strict=True)))
        case _:
            return equal(term(left), term(right))


def chosen(condition: Term, yes: Symbolic, no: Symbolic) -> Symbolic:
    """One value or the other."""
    match yes, no:
        case Maybe(), Maybe():
            return Maybe(choice(condition, yes.there, no.there), chosen(condition, yes.value, no.value))
        case Maybe(), _:
            return chosen(condition, yes, Maybe(TRUE, no))
        case _, Maybe():
            return chosen(condition, Maybe(TRUE, yes), no)
        case Word(), Word():
            return Word(tuple(chosen(condition, a, b) for a, b in zip(yes.fields, no.fields, strict=True)))
        case Members(), Members():
            body = choice(condition, yes.body, no.has(yes.variable))
            return Members(yes.variable, body)
        case _:
            return choice(condition, term(yes), term(no))


def term(value: Symbolic) -> Term:
    """The value, which is a plain one by its sort."""
    match value:
        case Maybe() | Word() | Members() | ThreadOf():
            raise CannotCarry("a compound value where a plain one is needed", None)
        case _:
            return value


def members(value: Symbolic) -> Members:
    """The value, which is a set by its sort."""
    if not isinstance(value, Members):
        raise CannotCarry("a set that may be none", None)
    return value


def fitted(value: Symbolic, sort: Sort) -> Symbolic:
    """A T as a T?, where that is what is asked for."""
    match sort:
        case OptionalSort(inner=inner):
            if isinstance(value, Maybe):
                return Maybe(value.there, fitted(value.value, inner))
            return Maybe(TRUE, fitted(value, inner))
        case WordSort(fields=fields) if isinstance(value, Word):
            return Word(
                tuple(fitted(part, inner) for part, (_, inner, _) in zip(value.fields, fields, strict=True))
            )
        case _:
            return value


def leaf_call(symbol: str, leaf: Leaf, arguments: tuple[Term, ...]) -> Term | Members:
    """The part of a variable: one function; of a set, a relation with the member as its last argument."""
    name = symbol + leaf.path
    if leaf.element is None:
        return Call(name, arguments, leaf.sort)
    variable = Var("element", leaf.element)
    return Members(variable, Call(name, (*arguments, variable), BOOL))


def plain_part(value: Symbolic) -> Term | Members:
    """The value, which is that of a leaf."""
    if isinstance(value, Maybe | Word | ThreadOf):
        raise InternalError("a compound value as a part of one")
    return value
