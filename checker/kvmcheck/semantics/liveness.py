# SPDX-License-Identifier: GPL-2.0-only
"""Which locals matter where: live at a node (read before written on some path), and surely assigned there.

Shared by the evaluator and the compiled engine: both clear the same locals (semantics.md, 3).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from kvmcheck.semantics.program import (
    VISIBLE,
    Acquire,
    Allocate,
    Apply,
    Assertion,
    Assume,
    AtomicEnter,
    Await,
    Body,
    Branch,
    Choose,
    CoverHere,
    End,
    Expr,
    Fence,
    Free,
    GhostStore,
    Held,
    Irq,
    LiveQuantified,
    Load,
    Local,
    MightSleep,
    Node,
    Old,
    Operation,
    Pause,
    Place,
    PointerPlace,
    Quantified,
    Read,
    Release,
    Set,
    Skip,
    Store,
    The,
    Update,
    VariablePlace,
)


def is_stop(operation: Operation) -> bool:
    """Whether a step, once it has done its visible operation, ends before this one."""
    return isinstance(operation, (*VISIBLE, Choose, End))


def parts_of_place(place: Place) -> tuple[Expr, ...]:
    """The expressions in a place."""
    match place:
        case VariablePlace(indices=indices):
            return indices
        case PointerPlace(pointer=pointer, indices=indices):
            return (pointer, *indices)
        case _:
            assert_never(place)


def locals_in(expression: Expr) -> Iterator[int]:
    """The locals that an expression may read."""
    match expression:
        case Local(local=local):
            yield local
        case Apply(arguments=arguments):
            for argument in arguments:
                yield from locals_in(argument)
        case Read(place=place):
            for part in parts_of_place(place):
                yield from locals_in(part)
        case Held(lock=lock, thread=thread):
            for part in parts_of_place(lock):
                yield from locals_in(part)
            if thread is not None:
                yield from locals_in(thread)
        case Old(inner=inner):
            yield from locals_in(inner)
        case Quantified(domain=domain, body=body):
            if domain is not None:
                yield from locals_in(domain)
            yield from locals_in(body)
        case LiveQuantified(body=body):
            yield from locals_in(body)
        case The(condition=condition):
            yield from locals_in(condition)
        case _:
            return


def expressions_in(operation: Operation) -> tuple[Expr, ...]:
    """The expressions that an operation evaluates."""
    match operation:
        case Load(place=place) | Acquire(lock=place) | Release(lock=place):
            return parts_of_place(place)
        case Store(place=place, value=value) | GhostStore(place=place, value=value):
            return (*parts_of_place(place), value)
        case Update(place=place, new=new, result=result):
            return (*parts_of_place(place), new, *(() if result is None else (result,)))
        case Await(condition=condition) | Branch(condition=condition) | Assume(condition=condition):
            return (condition,)
        case Assertion(condition=condition):
            return (condition,)
        case Free(pointer=pointer):
            return (pointer,)
        case Choose(domain=domain, where=where):
            return tuple(part for part in (domain, where) if part is not None)
        case Set(value=value):
            return () if value is None else (value,)
        case (
            AtomicEnter()
            | Pause()
            | Allocate()
            | Irq()
            | CoverHere()
            | MightSleep()
            | Fence()
            | Skip()
            | End()
        ):
            return ()
        case _:
            assert_never(operation)


def written(operation: Operation) -> int | None:
    """The local that an operation assigns, if any."""
    match operation:
        case Load(target=target) | Update(target=target) | Acquire(target=target):
            return target
        case Allocate(target=target) | Choose(target=target) | Set(target=target):
            return target
        case _:
            return None


def used(node: Node) -> frozenset[int]:
    """The locals that an operation reads before it writes any."""
    operation = node.operation
    found = {local for part in expressions_in(operation) for local in locals_in(part)}
    if isinstance(operation, Choose) and operation.where is not None:
        # `where` sees the candidate; the domain was computed before.
        found.discard(operation.target)
        if operation.domain is not None:
            found |= set(locals_in(operation.domain))
    return frozenset(found)


class Liveness:
    """Which locals of a body are kept at each of its nodes."""

    def __init__(self, body: Body) -> None:
        self.live = live_locals(body)
        self.kept: tuple[frozenset[int], ...] = tuple(
            frozenset() if isinstance(node.operation, End) else self.live[number]
            for number, node in enumerate(body.nodes)
        )


def live_locals(body: Body) -> tuple[frozenset[int], ...]:
    """For each node, the locals that some path from it reads before writing.

    Where a thread may stop, a property reads what is watched there: a local cleared on the way there would be
    lost to it.
    """
    uses = [
        _mask(used(node) | _watched(body, number) if number == 0 or is_stop(node.operation) else used(node))
        for number, node in enumerate(body.nodes)
    ]
    keeps = [-1 if (local := written(node.operation)) is None else ~(1 << local) for node in body.nodes]
    # Sets of locals as masks: this runs before every search.
    live = [0] * len(body.nodes)
    predecessors: list[list[int]] = [[] for _ in body.nodes]
    for number, node in enumerate(body.nodes):
        for successor in node.successors:
            predecessors[successor].append(number)
    waiting = list(range(len(body.nodes)))
    while waiting:
        number = waiting.pop()
        behind = 0
        for successor in body.nodes[number].successors:
            behind |= live[successor]
        now = uses[number] | (behind & keeps[number])
        if now != live[number]:
            live[number] = now
            waiting += predecessors[number]
    return tuple(_members(mask) for mask in live)


def _watched(body: Body, number: int) -> frozenset[int]:
    return frozenset(local for local, where in body.watched.items() if number in where)


def _mask(locals_: frozenset[int]) -> int:
    return sum(1 << local for local in locals_)


def _members(mask: int) -> frozenset[int]:
    return frozenset(local for local in range(mask.bit_length()) if mask >> local & 1)


def surely_assigned(body: Body) -> tuple[frozenset[int], ...]:
    """For each node, the locals that hold a value whichever way led there (nodes never reached: all)."""
    everything = (1 << len(body.locals)) - 1
    before = [everything] * len(body.nodes)
    before[0] = 0
    waiting = [0]
    seen = {0}
    while waiting:
        number = waiting.pop()
        node = body.nodes[number]
        now = before[number]
        target = written(node.operation)
        if target is not None:
            unsets = isinstance(node.operation, Set) and node.operation.value is None
            now = now & ~(1 << target) if unsets else now | 1 << target
        for successor in node.successors:
            met = before[successor] & now
            if met != before[successor] or successor not in seen:
                seen.add(successor)
                before[successor] = met
                waiting.append(successor)
    return tuple(_members(mask) for mask in before)
