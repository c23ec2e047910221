# SPDX-License-Identifier: GPL-2.0-only
"""First-order terms: what an obligation is made of, before it is SMT-LIB text.

Terms keep their hash, since they are looked up by it all the time.
Constructors simplify what they can see at once, so that what a step does not touch stays the same term: an
obligation whose formula is the hypothesis itself is known to be true without a solver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import assert_never

BOOL, INT = "Bool", "Int"


@dataclass(frozen=True, slots=True)
class Num:
    """A whole number."""

    value: int


@dataclass(frozen=True, slots=True)
class Truth:
    """True or false."""

    value: bool


@dataclass(frozen=True, slots=True)
class Var:
    """A quantified variable."""

    name: str
    sort: str


@dataclass(frozen=True, slots=True)
class Call:
    """A declared function, or constant, applied."""

    symbol: str
    arguments: tuple[Term, ...]
    sort: str
    _hash: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash(("Call", self.symbol, self.arguments)))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a finite sort: an enum constant, a place in a process; with sizes, of a scalarset.

    Members of one sort with different names are different.
    """

    name: str
    sort: str


@dataclass(frozen=True, slots=True)
class Op:
    """An operator of SMT-LIB's core or of its integers; `sort` is the result's."""

    name: str
    arguments: tuple[Term, ...]
    sort: str
    _hash: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash(("Op", self.name, self.arguments)))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class Bind:
    """`forall` or `exists` over one variable."""

    kind: str
    variable: Var
    body: Term
    _hash: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash(("Bind", self.kind, self.variable, self.body)))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class Count:
    """How many values of the variable satisfy the body.  No solver knows it: see `counting`."""

    variable: Var
    body: Term
    _hash: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash(("Count", self.variable, self.body)))

    def __hash__(self) -> int:
        return self._hash


Term = Num | Truth | Var | Call | Member | Op | Bind | Count

TRUE, FALSE = Truth(True), Truth(False)


def sort_of(term: Term) -> str:
    """The sort of a term."""
    match term:
        case Num() | Count():
            return INT
        case Truth() | Bind():
            return BOOL
        case Var(sort=sort) | Call(sort=sort) | Member(sort=sort) | Op(sort=sort):
            return sort
        case _:
            assert_never(term)


def negation(term: Term) -> Term:
    """Not."""
    match term:
        case Truth(value=value):
            return Truth(not value)
        case Op(name="not", arguments=(inner,)):
            return inner
        case _:
            return Op("not", (term,), BOOL)


def _joined(name: str, terms: Iterable[Term], neutral: bool) -> Term:
    found: dict[Term, None] = {}
    for term in terms:
        parts = term.arguments if isinstance(term, Op) and term.name == name else (term,)
        for part in parts:
            if isinstance(part, Truth):
                if part.value is not neutral:
                    return part
                continue
            if negation(part) in found:
                return Truth(not neutral)
            found[part] = None
    if not found:
        return Truth(neutral)
    return next(iter(found)) if len(found) == 1 else Op(name, tuple(found), BOOL)


def both(*terms: Term) -> Term:
    """And, of any number."""
    return _joined("and", terms, True)


def either(*terms: Term) -> Term:
    """Or, of any number."""
    return _joined("or", terms, False)


def implies(left: Term, right: Term) -> Term:
    """If left then right."""
    if left == TRUE or right == TRUE:
        return right
    if left in (FALSE, right):
        return TRUE
    return negation(left) if right == FALSE else Op("=>", (left, right), BOOL)


def choice(condition: Term, yes: Term, no: Term) -> Term:
    """If condition then yes else no."""
    if isinstance(condition, Truth):
        return yes if condition.value else no
    if yes == no:
        return yes
    if sort_of(yes) == BOOL:
        if isinstance(yes, Truth):
            return either(condition, no) if yes.value else both(negation(condition), no)
        if isinstance(no, Truth):
            return either(negation(condition), yes) if no.value else both(condition, yes)
    return Op("ite", (condition, yes, no), sort_of(yes))


def equal(left: Term, right: Term) -> Term:
    """The two are the same."""
    if left == right:
        return TRUE
    match left, right:
        case (Member(), Member()) | (Num(), Num()):
            return FALSE
        case (Truth(value=value), other) | (other, Truth(value=value)):
            return other if value else negation(other)
        case _:
            return Op("=", (left, right), BOOL)


def arithmetic(name: str, left: Term, right: Term) -> Term:
    """`+`, `-`, `*`, `<`, `<=` of numbers."""
    if isinstance(left, Num) and isinstance(right, Num):
        a, b = left.value, right.value
        match name:
            case "+":
                return Num(a + b)
            case "-":
                return Num(a - b)
            case "*":
                return Num(a * b)
            case "<":
                return Truth(a < b)
            case _:
                return Truth(a <= b)
    if name in ("+", "-") and right == Num(0):
        return left
    if name == "+" and left == Num(0):
        return right
    return Op(name, (left, right), BOOL if name in ("<", "<=") else INT)


def total(terms: Iterable[Term]) -> Term:
    """The sum."""
    found: Term = Num(0)
    for term in terms:
        found = arithmetic("+", found, term)
    return found


def bound(kind: str, variable: Var, body: Term) -> Term:
    """A quantifier; one that a variable's only value makes needless is left out.

    `exists x: x = t and P` is `P` of t, and `forall x: x = t implies P` as well.
    """
    if variable not in set(variables_in(body)):
        return body
    conjunct = body if kind == "exists" else negation(body)
    if kind == "forall":
        match body:
            case Op(name="=>", arguments=(left, right)):
                conjunct = both(left, negation(right))
            case Op(name="or", arguments=alternatives):
                conjunct = both(*(negation(part) for part in alternatives))
            case _:
                pass
    parts = conjunct.arguments if isinstance(conjunct, Op) and conjunct.name == "and" else (conjunct,)
    for part in parts:
        value = _solved(part, variable)
        if value is not None:
            found = substitute(both(*(other for other in parts if other is not part)), {variable: value})
            return found if kind == "exists" else negation(found)
    return Bind(kind, variable, body)


def _solved(part: Term, variable: Var) -> Term | None:
    """The term that an equation says the variable is."""
    if isinstance(part, Op) and part.name == "=":
        left, right = part.arguments
        for one, other in ((left, right), (right, left)):
            if one == variable and variable not in set(variables_in(other)):
                return other
    return None


def every(variables: Iterable[Var], body: Term) -> Term:
    """For all of the variables."""
    for variable in reversed(tuple(variables)):
        body = bound("forall", variable, body)
    return body


def some(variables: Iterable[Var], body: Term) -> Term:
    """For some of the variables."""
    for variable in reversed(tuple(variables)):
        body = bound("exists", variable, body)
    return body


def variables_in(term: Term) -> Iterator[Var]:
    """The free variables of a term, with repeats."""
    match term:
        case Var():
            yield term
        case Call(arguments=arguments) | Op(arguments=arguments):
            for argument in arguments:
                yield from variables_in(argument)
        case Bind(variable=variable, body=body) | Count(variable=variable, body=body):
            yield from (found for found in variables_in(body) if found != variable)
        case _:
            return


def rebuilt(term: Term, change: Callable[[Term], Term]) -> Term:
    """The term with each direct part changed, simplified again."""
    match term:
        case Call(symbol=symbol, arguments=arguments, sort=sort):
            return Call(symbol, tuple(change(a) for a in arguments), sort) if arguments else term
        case Op(name=name, arguments=arguments):
            return operation(name, tuple(change(a) for a in arguments))
        case Bind(kind=kind, variable=variable, body=body):
            return bound(kind, variable, change(body))
        case Count(variable=variable, body=body):
            return Count(variable, change(body))
        case _:
            return term


def operation(name: str, arguments: tuple[Term, ...]) -> Term:
    """The operator applied, simplified."""
    match name:
        case "not":
            return negation(arguments[0])
        case "and":
            return both(*arguments)
        case "or":
            return either(*arguments)
        case "=>":
            return implies(*arguments)
        case "ite":
            return choice(*arguments)
        case "=":
            return equal(*arguments)
        case _:
            return arithmetic(name, *arguments)


def substitute(term: Term, values: Mapping[Var, Term]) -> Term:
    """The term with variables replaced.  Bound names are unique, so nothing is captured."""
    if isinstance(term, Var):
        return values.get(term, term)
    return rebuilt(term, lambda part: substitute(part, values))


def subterms(term: Term) -> Iterator[Term]:
    """The term and every part of it."""
    yield term
    match term:
        case Call(arguments=arguments) | Op(arguments=arguments):
            for argument in arguments:
                yield from subterms(argument)
        case Bind(body=body) | Count(body=body):
            yield from subterms(body)
        case _:
            return


def text(term: Term) -> str:
    """The term as SMT-LIB."""
    match term:
        case Num(value=value):
            return str(value) if value >= 0 else f"(- {-value})"
        case Truth(value=value):
            return "true" if value else "false"
        case Var(name=name) | Member(name=name):
            return name
        case Call(symbol=symbol, arguments=arguments):
            return f"({symbol} {' '.join(map(text, arguments))})" if arguments else symbol
        case Op(name=name, arguments=arguments):
            return f"({name} {' '.join(map(text, arguments))})"
        case Bind(kind=kind, variable=variable, body=body):
            variables = [variable]
            while isinstance(body, Bind) and body.kind == kind:
                variables.append(body.variable)
                body = body.body
            named = " ".join(f"({v.name} {v.sort})" for v in variables)
            return f"({kind} ({named}) {text(body)})"
        case Count():
            raise ValueError("a count has no SMT-LIB text")
        case _:
            assert_never(term)
