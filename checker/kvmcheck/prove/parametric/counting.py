# SPDX-License-Identifier: GPL-2.0-only
"""How many: counts of threads and members, of which no solver knows, as numbers with laws.

The number of x with P(x) is a function of its own.  Always: it is not negative, and at least one if some x is
known with P(x).  Behind a step it has changed by what the step did to the x that it names (the thread that stepped, the
place that was written): that is the cardinality lemma, *P is as before for every other x*, and it is discharged
for every step and count before it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kvmcheck.prove.parametric.terms import (
    INT,
    Call,
    Num,
    Op,
    Term,
    Var,
    arithmetic,
    both,
    choice,
    either,
    equal,
    every,
    implies,
    negation,
    some,
    substitute,
    subterms,
    total,
    variables_in,
)


@dataclass(frozen=True, slots=True)
class Counted:
    """A count: of which values of `variable` the body is true, for given values of `free`."""

    symbol: str
    variable: Var
    free: tuple[Var, ...]
    body: Term

    def number(self, arguments: tuple[Term, ...]) -> Term:
        """The number, before a step."""
        return Call(self.symbol, arguments, INT)

    def laws(self) -> Iterator[Term]:
        """What is always true of the number."""
        number = self.number(self.free)
        yield every(self.free, arithmetic("<=", Num(0), number))
        yield every((*self.free, self.variable), implies(self.body, arithmetic("<=", Num(1), number)))

    def nobody(self) -> Term:
        """That a number which is not zero counts somebody."""
        empty = equal(self.number(self.free), Num(0))
        return every(self.free, either(empty, some([self.variable], self.body)))

    def meaning(self, members: tuple[Term, ...], arguments: tuple[Term, ...]) -> Term:
        """The number itself, where the members are known."""
        given = dict(zip(self.free, arguments, strict=True))
        ones = (
            choice(substitute(self.body, {**given, self.variable: member}), Num(1), Num(0))
            for member in members
        )
        return equal(self.number(arguments), total(ones))


@dataclass(frozen=True, slots=True)
class Lemma:
    """What must be shown before a count behind a step may be reckoned with."""

    counted: Counted
    statement: Term


@dataclass(slots=True)
class Counts:
    """All counts of an invariant.  Two that count the same are one."""

    known: dict[tuple[str, tuple[str, ...], Term], Counted] = field(default_factory=dict)

    def symbol(self, variable: Var, body: Term, free: tuple[Var, ...]) -> tuple[Counted, tuple[Var, ...]]:
        """The count of a condition, and its arguments."""
        used = set(variables_in(body))
        arguments = tuple(v for v in free if v in used)
        own = Var("counted", variable.sort)
        formal = tuple(Var(f"for.{n}", v.sort) for n, v in enumerate(arguments))
        names: dict[Var, Term] = {variable: own, **dict(zip(arguments, formal, strict=True))}
        plain = substitute(body, names)
        key = (variable.sort, tuple(v.sort for v in formal), plain)
        if key not in self.known:
            self.known[key] = Counted(f"count.{len(self.known)}", own, formal, plain)
        return self.known[key], arguments


@dataclass(slots=True)
class Before:
    """What becomes of counts in the state before a step: their symbols, noted in order."""

    counts: Counts
    found: list[tuple[Counted, tuple[Var, ...]]] = field(default_factory=list)

    def __call__(self, variable: Var, body: Term, free: tuple[Var, ...]) -> Term:
        """The number of values that satisfy the body."""
        counted, arguments = self.counts.symbol(variable, body, free)
        self.found.append((counted, arguments))
        return counted.number(arguments)


@dataclass(slots=True)
class Behind:
    """What becomes of the same counts, in the same order, behind a step; `lemmas`: what that rests on."""

    before: tuple[tuple[Counted, tuple[Var, ...]], ...]
    lemmas: dict[Term, Lemma] = field(default_factory=dict)
    position: int = 0

    def __call__(self, variable: Var, body: Term, free: tuple[Var, ...]) -> Term:  # noqa: ARG002 (as it was before)
        """The number of values that satisfy the body now."""
        counted, arguments = self.before[self.position]
        self.position += 1
        old = substitute(
            counted.body, {counted.variable: variable, **dict(zip(counted.free, arguments, strict=True))}
        )
        number = counted.number(arguments)
        if old == body:
            return number
        named = self._named(variable, old, body)
        apart = both(*(negation(equal(variable, one)) for one in named))
        statement = every((*arguments, variable), implies(apart, equal(body, old)))
        self.lemmas[statement] = Lemma(counted, statement)
        changes: list[Term] = []
        for position, one in enumerate(named):
            new_to_it = both(*(negation(equal(one, other)) for other in named[:position]))
            after, before = (choice(substitute(b, {variable: one}), Num(1), Num(0)) for b in (body, old))
            changes.append(choice(new_to_it, arithmetic("-", after, before), Num(0)))
        return total([number, *changes])

    def _named(self, variable: Var, old: Term, new: Term) -> list[Term]:
        """The terms that the new condition compares the variable with, and the old one did not."""
        known = {part for part in subterms(old) if isinstance(part, Op)}
        found: dict[Term, None] = {}
        for part in subterms(new):
            if not isinstance(part, Op) or part.name != "=" or part in known:
                continue
            left, right = part.arguments
            for one, other in ((left, right), (right, left)):
                if one == variable and variable not in set(variables_in(other)):
                    found[other] = None
        return list(found)
