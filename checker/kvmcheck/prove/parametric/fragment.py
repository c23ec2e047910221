# SPDX-License-Identifier: GPL-2.0-only
"""Which clauses leave the fragment that a solver surely decides.

Without a function from members to members, "for all x there is a y" is decided: there are finitely many terms to try
(Ge and de Moura 2009).  Where the y leads back to an x, by another clause or by a local of a thread, there is no end
of them.
A solver may still find a proof, and mostly does; where it does not, such a clause is the first to look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kvmcheck.prove.parametric.obligations import Proof
from kvmcheck.prove.parametric.terms import Bind, Op, Term


@dataclass(frozen=True, slots=True)
class Circle:
    """A clause that says of each member of one sort that there is one of another, from which a way leads back."""

    clause: str
    sorts: tuple[str, ...]


def circles(proof: Proof) -> tuple[Circle, ...]:
    """The clauses outside of the fragment, each with one way round."""
    members = {*proof.world.scalarsets, *(t.sorts[-1] for t in proof.world.threads if t.own)}
    edges: set[tuple[str, str]] = set()
    for function in proof.world.functions():
        if function.sort in members:
            edges |= {(argument, function.sort) for argument in function.arguments}
    made: dict[str, list[tuple[str, str]]] = {}
    for clause in proof.clauses:
        made[clause.name] = [e for e in _made(proof.hypotheses[clause.name], True, ()) if set(e) <= members]
        edges |= set(made[clause.name])
    found: list[Circle] = []
    for name, own in made.items():
        ways = (_way(edges, to, from_) for from_, to in dict.fromkeys(own))
        shortest = min((way for way in ways if way), key=len, default=())
        if shortest:
            found.append(Circle(name, (shortest[-1], *shortest)))
    return tuple(found)


def _made(term: Term, positive: bool, outer: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """From the sorts of all x around to that of each y that there must be."""
    match term:
        case Bind(kind=kind, variable=variable, body=body):
            if (kind == "forall") is positive:
                yield from _made(body, positive, (*outer, variable.sort))
            else:
                yield from ((sort, variable.sort) for sort in outer)
                yield from _made(body, positive, outer)
        case Op(name="not", arguments=(inner,)):
            yield from _made(inner, not positive, outer)
        case Op(name="=>", arguments=(left, right)):
            yield from _made(left, not positive, outer)
            yield from _made(right, positive, outer)
        case Op(name="and" | "or", arguments=arguments):
            for argument in arguments:
                yield from _made(argument, positive, outer)
        case Op(arguments=arguments):  # an equation of conditions is used in both directions
            for argument in arguments:
                yield from _made(argument, positive, outer)
                yield from _made(argument, not positive, outer)
        case _:
            return


def _way(edges: set[tuple[str, str]], start: str, end: str) -> tuple[str, ...]:
    """The shortest way along the edges, both ends with it; empty if there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    while ways:
        way = ways.pop(0)
        if way[-1] == end:
            return way
        for from_, to in sorted(edges):
            if from_ == way[-1] and to not in seen:
                seen.add(to)
                ways.append((*way, to))
    return ()
