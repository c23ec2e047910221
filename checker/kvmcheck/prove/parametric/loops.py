# SPDX-License-Identifier: GPL-2.0-only
"""Loops over a set of any size inside one step, as one formula.

Two kinds are known.  A *search* has rounds without effect until one leaves: it ends with some member for which it
leaves, or all members let it pass.  A *sweep* never leaves, and writes for each member one place that is named by it:
all of them at once.  Other loops are refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kvmcheck.prove.parametric.refusing import CannotCarry
from kvmcheck.prove.parametric.states import Write
from kvmcheck.prove.parametric.terms import (
    FALSE,
    Call,
    Term,
    Var,
    both,
    either,
    equal,
    every,
    implies,
    substitute,
    subterms,
    variables_in,
)
from kvmcheck.prove.parametric.values import (
    Maybe,
    Members,
    Symbolic,
    ThreadOf,
    Word,
    leaves,
    no_members,
    plain_part,
)
from kvmcheck.semantics.program import Apply, Body, Branch, Choose, Const, Local, Op, Set
from kvmcheck.source.text import Span

if TYPE_CHECKING:
    from kvmcheck.prove.parametric.steps import Checked, _Way


@dataclass(frozen=True, slots=True)
class Loop:
    """`while left: choose target in left; left -= target; …`: what `for (T x)` is lowered to.

    `inside`: the node behind the removal.  `nodes`: the loop's own.  `after`: where it goes when nothing is left.
    """

    head: int
    left: int
    target: int
    inside: int
    nodes: frozenset[int]
    after: int


def loop_at(body: Body, head: int) -> Loop | None:
    """The loop that begins at a node, if one does."""
    node = body.nodes[head]
    match node.operation:
        case Branch(condition=Apply(op=Op.NOT_EQUAL, arguments=(Local(local=left), Const(value=0)))):
            pass
        case _:
            return None
    chooses = body.nodes[node.successors[0]]
    match chooses.operation:
        case Choose(target=target, domain=Local(local=source), where=None) if source == left:
            pass
        case _:
            return None
    removes = body.nodes[chooses.successors[0]]
    match removes.operation:
        case Set(target=changed, value=Apply(op=Op.SET_REMOVE)) if changed == left:
            pass
        case _:
            return None
    nodes = frozenset(n for n in range(len(body.nodes)) if n != head and _reaches(body, n, head))
    inside = removes.successors[0]
    return Loop(head, left, target, inside, nodes & _behind(body, inside, head), node.successors[1])


def _behind(body: Body, start: int, head: int) -> frozenset[int]:
    found = {start}
    waiting = [start]
    while waiting:
        number = waiting.pop()
        for successor in body.nodes[number].successors:
            same_block = body.nodes[successor].group == body.nodes[head].group
            if successor not in found and successor != head and same_block:
                found.add(successor)
                waiting.append(successor)
    return frozenset(found)


def _reaches(body: Body, start: int, head: int) -> bool:
    group = body.nodes[head].group
    found = {start}
    waiting = [start]
    while waiting:
        number = waiting.pop()
        if body.nodes[number].group != group:
            continue
        if head in body.nodes[number].successors:
            return True
        for successor in body.nodes[number].successors:
            if successor not in found:
                found.add(successor)
                waiting.append(successor)
    return False


def visited(
    way: _Way,
    loop: Loop,
    held: Members,
    member: Var,
    again: list[_Way],
    left: list[_Way],
    span: Span,
) -> list[_Way]:
    """The ways behind the loop, for a set of any size."""
    _carries_nothing(way, again, span)
    way.checked = (*way.checked, *_in_some_round(way, held, member, (*again, *left)))
    writes = [w for w in again if w.memory.writes != way.memory.writes]
    if not writes:
        return _searched(way, loop, held, member, again, left)
    if left:
        raise CannotCarry("an atomic loop that writes and may be left", span)
    return [_swept(way, loop, held, member, again, span)]


def _carries_nothing(way: _Way, again: list[_Way], span: Span) -> None:
    """A round must not hand anything to the next one but what it writes."""
    for round_ in again:
        for local, value in round_.locals.items():
            before = way.locals.get(local)
            if before is not None and before != value:
                raise CannotCarry("an atomic loop that carries a local from round to round", span)


def _in_some_round(way: _Way, held: Members, member: Var, rounds: tuple[_Way, ...]) -> Iterator[Checked]:
    """The checks of a round, which any member may meet."""
    for round_ in rounds:
        for checked in round_.checked:
            given = both(held.has(member), checked.given)
            needed = every([member], implies(given, checked.failure.needed))
            yield replace(checked, failure=replace(checked.failure, needed=needed), given=both(*way.guards))


def _searched(
    way: _Way, loop: Loop, held: Members, member: Var, again: list[_Way], left: list[_Way]
) -> list[_Way]:
    passes = either(*(both(*round_.guards) for round_ in again))
    through = way.fork()
    through.node = loop.after
    through.locals[loop.left] = no_members(held.variable.sort)
    through.guards = (*way.guards, every([member], implies(held.has(member), passes)))
    found = [through]
    for round_ in left:
        out = round_.fork()
        out.choices = way.choices + 1
        one = Call(f"any.{out.choices}.", (), held.variable.sort)
        _replace_in(out, member, one)
        out.guards = (*way.guards, held.has(one), *out.guards)
        out.constants = (*way.constants, one)
        out.checked = way.checked
        out.nodes = (*way.nodes, *round_.nodes)
        found.append(out)
    return found


def _replace_in(way: _Way, member: Var, one: Term) -> None:
    way.guards = tuple(substitute(guard, {member: one}) for guard in way.guards)
    way.locals = {local: replaced(value, member, one) for local, value in way.locals.items()}
    way.memory.writes = {
        key: tuple(
            Write(
                write.indices,
                substitute(write.condition, {member: one}),
                plain_part(replaced(write.value, member, one)),
            )
            for write in writes
        )
        for key, writes in way.memory.writes.items()
    }


def replaced(value: Symbolic, variable: Var, by: Term) -> Symbolic:
    """The value with a variable replaced."""
    match value:
        case Maybe(there=there, value=inner):
            return Maybe(substitute(there, {variable: by}), replaced(inner, variable, by))
        case Word(fields=fields):
            return Word(tuple(replaced(field, variable, by) for field in fields))
        case Members(variable=own, body=body):
            return Members(own, substitute(body, {variable: by}))
        case ThreadOf():
            return value
        case _:
            return substitute(value, {variable: by})


def _swept(way: _Way, loop: Loop, held: Members, member: Var, again: list[_Way], span: Span) -> _Way:
    out = way.fork()
    out.node = loop.after
    out.locals[loop.left] = no_members(held.variable.sort)
    for round_ in again:
        guard = both(*round_.guards)
        for key, writes in round_.memory.writes.items():
            fresh = writes[len(way.memory.writes.get(key, ())) :]
            for write in fresh:
                _add_for_each(out, key, write, (guard, held, member), span)
    return out


def _add_for_each(
    out: _Way, key: tuple[int, int], write: Write, each: tuple[Term, Members, Var], span: Span
) -> None:
    """The write of one round, done for every member at once: the index that is the member says of which."""
    guard, held, member = each
    world = out.memory.world
    symbol = world.variable_symbol(key[0]) + leaves(world.program.variables[key[0]].sort)[key[1]].path
    value = write.value.body if isinstance(write.value, Members) else write.value
    for part in (guard, value):
        if any(isinstance(t, Call) and t.symbol == symbol for t in subterms(part)):
            raise CannotCarry("an atomic loop that reads what it writes", span)
    for index in write.indices:
        if index.sort == member.sort and _names(write.condition, index, member):
            by = {member: index}
            condition = both(substitute(write.condition, by), held.has(index), substitute(guard, by))
            out.memory.add(
                key[0],
                key[1],
                Write(write.indices, condition, plain_part(replaced(write.value, member, index))),
            )
            return
    if member in set(variables_in(write.condition)) or member in set(variables_in(value)) or guard == FALSE:
        raise CannotCarry("an atomic loop that writes a place not named by its member", span)
    raise CannotCarry("an atomic loop that writes one place again and again", span)


def _names(condition: Term, index: Var, member: Var) -> bool:
    wanted = equal(index, member)
    parts = getattr(condition, "arguments", ()) if getattr(condition, "name", "") == "and" else (condition,)
    return wanted in parts
