# SPDX-License-Identifier: GPL-2.0-only
"""What a place in a body says by itself: where steps may end, which locks are held there, which locals are constant.

All of it is data flow over the control-flow graph of one process, so it is true of each of its threads, however many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kvmcheck.engine.shape import Shape
from kvmcheck.prove.parametric.refusing import CannotCarry
from kvmcheck.semantics.liveness import Liveness, surely_assigned, written
from kvmcheck.semantics.program import (
    Acquire,
    Body,
    Const,
    End,
    Local,
    Node,
    Operation,
    Process,
    Program,
    Release,
    Set,
    VariablePlace,
)
from kvmcheck.semantics.sorts import UNSET, Value

#: Which locks are held: variable to "read" or "write".
Held = Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Places:
    """The places of a process between two steps, and what each says.

    `stops`: the nodes, its end among them.  `held`: by node.  `constants`: by node, the locals with a known value.
    `kept`: by node, the locals that a state holds there.  `assigned`: by node, those that surely hold a value.
    """

    body: Body
    stops: tuple[int, ...]
    held: tuple[Held | None, ...]
    constants: tuple[Mapping[int, Value], ...]
    kept: tuple[frozenset[int], ...]
    assigned: tuple[frozenset[int], ...]

    def holding(self, lock: int, modes: tuple[str, ...]) -> frozenset[int]:
        """The stops at which a lock is held in one of the modes."""
        return frozenset(n for n in self.stops if (self.held[n] or {}).get(lock) in modes)


def places_of(program: Program, process: Process) -> Places:
    """The places of a process; `CannotCarry` if its locks depend on the way taken."""
    if process.interrupt is not None:
        raise CannotCarry(f"the interrupt handler of `{process.name}`", process.span)
    body = process.body
    ends = [n for n, node in enumerate(body.nodes) if isinstance(node.operation, End)]
    stops = tuple(sorted({*Shape(body, None).stops, *ends, 0}))
    reached = _reached(body)
    return Places(
        body,
        tuple(n for n in stops if n in reached),
        _locks(program, body),
        _constants(body, stops, _regions(program, body)),
        Liveness(body).kept,
        surely_assigned(body),
    )


def _reached(body: Body) -> set[int]:
    found = {0}
    waiting = [0]
    while waiting:
        for successor in body.nodes[waiting.pop()].successors:
            if successor not in found:
                found.add(successor)
                waiting.append(successor)
    return found


def lock_of(operation: Acquire | Release, node: Node) -> int:
    """The lock variable; `CannotCarry` for one of an array of locks."""
    if not isinstance(operation.lock, VariablePlace) or operation.lock.indices:
        raise CannotCarry("locks in arrays and objects", node.span)
    return operation.lock.variable


def _locks(program: Program, body: Body) -> tuple[Held | None, ...]:
    before: list[Held | None] = [None] * len(body.nodes)
    before[0] = {}
    waiting = [0]
    while waiting:
        number = waiting.pop()
        node = body.nodes[number]
        now = dict(before[number] or {})
        match node.operation:
            case Acquire(target=target, shared=shared) as acquire:
                if target is not None:
                    raise CannotCarry("trying a lock", node.span)
                now[lock_of(acquire, node)] = "read" if shared else "write"
            case Release() as release:
                now.pop(lock_of(release, node), None)
            case _:
                pass
        for successor in node.successors:
            met = before[successor]
            if met is None:
                before[successor] = now
                waiting.append(successor)
            elif met != now:
                lock = next(lock for lock in {**met, **now} if met.get(lock) != now.get(lock))
                name = program.variables[lock].name
                raise CannotCarry(
                    f"a place that is reached with `{name}` held and without", body.nodes[successor].span
                )
    return tuple(before)


def _regions(program: Program, body: Body) -> frozenset[int]:
    """The hidden locals that tell whether a live call is between two labels: one that holds nothing says no."""
    return frozenset(
        local
        for call in program.live_calls
        if program.processes[call.process].body is body
        for local in call.regions.values()
    )


def _constants(
    body: Body, stops: tuple[int, ...], regions: frozenset[int]
) -> tuple[Mapping[int, Value], ...]:
    """The locals that hold one known value (or none: UNSET) at each node, whichever way led there."""
    kept = Liveness(body).kept
    before: list[dict[int, Value] | None] = [None] * len(body.nodes)
    before[0] = {local: 0 if local in regions else UNSET for local in range(len(body.locals))}
    waiting = [0]
    while waiting:
        number = waiting.pop()
        now = dict(before[number] or {})
        if number in stops:
            now = {local: value if local in kept[number] | regions else UNSET for local, value in now.items()}
        _assign(body.nodes[number].operation, now)
        for successor in body.nodes[number].successors:
            met = before[successor]
            if met is None:
                before[successor] = dict(now)
                waiting.append(successor)
                continue
            common = {local: value for local, value in met.items() if now.get(local, ()) == value}
            if common != met:
                before[successor] = common
                waiting.append(successor)
    return tuple(found or {} for found in before)


def _assign(operation: Operation, now: dict[int, Value]) -> None:
    target = written(operation)
    if target is None:
        return
    match operation:
        case Set(value=None):
            now[target] = UNSET
        case Set(value=Const(value=value)):
            now[target] = value
        case Set(value=Local(local=source)) if source in now and now[source] != UNSET:
            now[target] = now[source]
        case _:
            now.pop(target, None)
