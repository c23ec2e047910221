# SPDX-License-Identifier: GPL-2.0-only
"""A run as its happens-before graph: a column for each thread, and between them only what orders the threads.

An edge between threads is a conflict that no others imply, labelled with what both touch.  Folded, consecutive steps of
a thread become one node: those of one function, or those under a lock; but none between which another thread had to
come, so that the folded graph has no cycle.
"""

from __future__ import annotations

from dataclasses import dataclass

from kvmcheck.explain.story import Row, Story
from kvmcheck.explain.values import element_name
from kvmcheck.graphs.folding import Fold
from kvmcheck.graphs.picture import Edge, Node, Picture, Role, Tie, TooLarge
from kvmcheck.semantics.program import Program, VariableKind
from kvmcheck.why.events import Events, Pair


@dataclass(frozen=True, slots=True)
class Run:
    """A run, told and with its order: row number n of the story is event n - 1."""

    program: Program
    story: Story
    events: Events


def run_picture(run: Run, fold: Fold, most: int) -> Picture:
    """The happens-before graph of the run; raises `TooLarge`."""
    groups = _groups(run, fold)
    if len(groups) > most:
        raise TooLarge(len(groups), most)
    group_of = {event: number for number, group in enumerate(groups) for event in group}
    nodes = tuple(_node(run, number, group) for number, group in enumerate(groups))
    ties: dict[tuple[int, int], Edge] = {}
    needed = _needed(run.story)
    for pair in run.events.candidates():
        source, target = group_of[pair.first], group_of[pair.second]
        tie = Tie.NEEDED if (pair.first, pair.second) in needed else Tie.CONFLICT
        label = _label(run, pair)
        known = ties.get((source, target))
        if known is not None:
            label = ", ".join(dict.fromkeys([*known.label.split(", "), *label.split(", ")]))
            tie = Tie.NEEDED if Tie.NEEDED in (tie, known.tie) else tie
        ties[source, target] = Edge(source, target, tie, label)
    return Picture(run.story.title, run.story.lanes, nodes, (*_program_order(run, groups), *ties.values()))


def _groups(run: Run, fold: Fold) -> list[list[int]]:
    """The events of each node, in the order of their first ones."""
    groups: list[list[int]] = []
    last: dict[int, int] = {}  # by thread, its last group
    for event, row in enumerate(run.story.rows):
        mine = last.get(row.lane)
        if mine is not None and _belongs(run, fold, groups[mine], event):
            groups[mine].append(event)
        else:
            last[row.lane] = len(groups)
            groups.append([event])
    return groups


def _belongs(run: Run, fold: Fold, group: list[int], event: int) -> bool:
    before, row = run.story.rows[group[-1]], run.story.rows[event]
    match fold:
        case Fold.NONE:
            return False
        case Fold.LOCATION:
            same = (before.innermost.frame, before.handler) == (row.innermost.frame, row.handler)
        case Fold.LOCK:
            # The step that gives the lock back still belongs to the section.
            same = bool(_held(before)) and _held(before)[:1] == (_held(row) or _held(before))[:1]
    if not same or row.breaks:
        return False
    between = range(group[0] + 1, event)
    events = run.events
    return not any(
        other not in group
        and run.story.rows[other].lane != row.lane
        and any(events.ordered(mine, other) for mine in group if mine < other)
        and events.ordered(other, event)
        for other in between
    )


def _held(row: Row) -> tuple[str, ...]:
    """The locks that the thread of a step holds behind it."""
    return next((holding.locks for holding in row.held if holding.thread == row.thread), ())


def _node(run: Run, number: int, group: list[int]) -> Node:
    rows = [run.story.rows[event] for event in group]
    first, last = rows[0], rows[-1]
    breaks = any(row.breaks for row in rows)
    role = Role.BROKEN if breaks else Role.START if number == 0 else Role.PLAIN
    note = "\n".join(_told(row) for row in rows)
    if len(rows) == 1:
        changes = tuple(change.text for change in first.changes)
        return Node(number, (f"{first.number} {_statement(first)}", *changes), first.lane, number, role, note)
    function = first.innermost.function or first.thread
    locks = ", ".join(dict.fromkeys(name for row in rows for name in _held(row)))
    lines = [f"{first.number}-{last.number} {function}"]
    lines += [f"under {locks}"] if locks else []
    changed = dict.fromkeys(change.name for row in rows for change in row.changes)
    lines += [f"changes {', '.join(changed)}"] if changed else []
    return Node(number, tuple(lines), first.lane, number, role, note)


def _statement(row: Row) -> str:
    call = row.innermost
    return f"@{call.label} {call.statement}" if call.label else call.statement


def _told(row: Row) -> str:
    changes = "".join(f"\n  {change.text}" for change in row.changes)
    return f"{row.number} {row.thread}: {_statement(row)} ({row.innermost.spot.text}){changes}"


def _program_order(run: Run, groups: list[list[int]]) -> list[Edge]:
    edges: list[Edge] = []
    last: dict[int, int] = {}
    for number, group in enumerate(groups):
        lane = run.story.rows[group[0]].lane
        if lane in last:
            edges.append(Edge(last[lane], number, Tie.PROGRAM))
        last[lane] = number
    return edges


def _needed(story: Story) -> set[tuple[int, int]]:
    """The orderings that the failure needs, as events."""
    if story.why is None:
        return set()
    return {
        (ordering.first.step - 1, ordering.second.step - 1)
        for ordering in story.why.orderings
        if ordering.need == "needed"
    }


def _label(run: Run, pair: Pair) -> str:
    """What two events both touch; a monitor is nothing that a spec names."""
    program = run.program
    names = [
        element_name(program, program.variables[variable], element)
        for variable, element in run.events.conflict(pair.first, pair.second)
        if program.variables[variable].kind is not VariableKind.MONITOR
    ]
    return ", ".join(dict.fromkeys(names))
