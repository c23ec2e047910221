# SPDX-License-Identifier: GPL-2.0-only
"""All expressions of a program, however deep."""

from __future__ import annotations

from collections.abc import Iterator

from kvmcheck.semantics.liveness import expressions_in, parts_of_place
from kvmcheck.semantics.program import (
    Apply,
    Body,
    Expr,
    Held,
    LiveQuantified,
    Old,
    Program,
    Quantified,
    Read,
    The,
)


def parts(expression: Expr) -> tuple[Expr, ...]:
    """The expressions directly inside one."""
    match expression:
        case Apply(arguments=arguments):
            return arguments
        case Read(place=place):
            return parts_of_place(place)
        case Held(lock=lock, thread=thread):
            return (*parts_of_place(lock), *(() if thread is None else (thread,)))
        case Old(inner=inner):
            return (inner,)
        case Quantified(domain=domain, body=body):
            return (body,) if domain is None else (domain, body)
        case LiveQuantified(body=body):
            return (body,)
        case The(condition=condition):
            return (condition,)
        case _:
            return ()


def inside(expression: Expr) -> Iterator[Expr]:
    """The expression and everything in it."""
    yield expression
    for part in parts(expression):
        yield from inside(part)


def bodies_of(program: Program) -> Iterator[Body]:
    """Every body that threads run."""
    for process in program.processes:
        yield process.body
        if process.interrupt is not None:
            yield process.interrupt


def every_expression(program: Program) -> Iterator[Expr]:
    """Every expression of the program that runs after the start."""
    for body in bodies_of(program):
        for node in body.nodes:
            for expression in expressions_in(node.operation):
                yield from inside(expression)
    for claim in program.properties:
        yield from inside(claim.condition)
        for probe in claim.probes:
            yield from inside(probe.condition)
    for cover in program.covers:
        if cover.condition is not None:
            yield from inside(cover.condition)
    for live in program.lives:
        for condition in (live.trigger, live.goal):
            if condition is not None:
                yield from inside(condition)
