# SPDX-License-Identifier: GPL-2.0-only
"""A step as a tree: tests and assignments in the program's order, one leaf for each way that it can go.

Each expression stands there twice: as it is when control gets there (`value`, for targets that assign one after the
other), and in terms of the state before the step (`before`, for guards and for targets that only relate states).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import assert_never

from kvmcheck.export.scalars import (
    FALSE,
    TRUE,
    Cell,
    Scalar,
    Symbol,
    conjunction,
    either,
    equal,
    quantified,
    rebuilt,
)
from kvmcheck.semantics.program import Check
from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class Assignment:
    """A cell gets a value."""

    cell: Cell
    value: Scalar


@dataclass(frozen=True, slots=True)
class Assign:
    """Cells get values, all at once.  `forgets`: the name of the body whose locals are all given up."""

    now: tuple[Assignment, ...]
    before: tuple[Assignment, ...]
    then: Tree
    forgets: str = ""


@dataclass(frozen=True, slots=True)
class Fork:
    """One way or the other."""

    condition: Scalar
    before: Scalar
    yes: Tree
    no: Tree


@dataclass(frozen=True, slots=True)
class Note:
    """Where in the spec we are."""

    span: Span
    then: Tree


@dataclass(frozen=True, slots=True)
class Fail:
    """A built-in check fails; the step has no successor."""

    check: Check
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Blocked:
    """The thread waits: no step this way."""


@dataclass(frozen=True, slots=True)
class Empty:
    """A choice without a member, or an assumption that is false: no step this way."""


@dataclass(frozen=True, slots=True)
class Done:
    """The step is done."""


Tree = Assign | Fork | Note | Fail | Blocked | Empty | Done


@dataclass(frozen=True, slots=True)
class Step:
    """What a thread can do at a location.  `symbols`: what it chooses.  `entry`: begins its handler."""

    location: str
    symbols: tuple[Symbol, ...]
    tree: Tree
    entry: bool = False


#: What has been written in a step: the newest last, by variable and path.
Written = Mapping[tuple[str, str], tuple[tuple[tuple[Scalar, ...], Scalar], ...]]


def resolved(scalar: Scalar, written: Written, start: Callable[[Cell], Scalar] | None = None) -> Scalar:
    """The expression in terms of the state before the step; `start`: what a cell held there, if that is known."""
    if not written and start is None:
        return scalar
    return rebuilt(scalar, partial(_cell, written, start))


def _cell(written: Written, start: Callable[[Cell], Scalar] | None, part: Scalar) -> Scalar | None:
    if not isinstance(part, Cell):
        return None
    indices = tuple(resolved(index, written, start) for index in part.indices)
    found: Scalar = Cell(part.variable, part.path, indices, part.kind)
    if start is not None:
        found = start(part)
    for where, value in written.get((part.variable, part.path), ()):
        same = conjunction(equal(a, b) for a, b in zip(where, indices, strict=True))
        found = either(same, value, found)
    return found


def writing(written: Written, assignments: tuple[Assignment, ...]) -> Written:
    """What has been written when these assignments (in terms of the state before) are done too."""
    found = dict(written)
    for assignment in assignments:
        cell = assignment.cell
        key = (cell.variable, cell.path)
        kept = tuple(entry for entry in found.get(key, ()) if entry[0] != cell.indices)
        found[key] = (*kept, (cell.indices, assignment.value))
    return found


def goes(tree: Tree) -> Scalar:
    """Whether the step is taken (or fails), in terms of the state before it."""
    return _reaches(tree, blocked=False)


def waits(tree: Tree) -> Scalar:
    """Whether it ends where the thread has to wait."""
    return _reaches(tree, blocked=True)


def _reaches(tree: Tree, *, blocked: bool) -> Scalar:
    match tree:
        case Assign(then=then) | Note(then=then):
            return _reaches(then, blocked=blocked)
        case Fork(before=before, yes=yes, no=no):
            return either(before, _reaches(yes, blocked=blocked), _reaches(no, blocked=blocked))
        case Blocked():
            return TRUE if blocked else FALSE
        case Empty():
            return FALSE
        case Fail() | Done():
            return FALSE if blocked else TRUE
        case _:
            assert_never(tree)


def fails(tree: Tree) -> Scalar:
    """Whether a built-in check fails in the step, in terms of the state before it."""
    match tree:
        case Assign(then=then) | Note(then=then):
            return fails(then)
        case Fork(before=before, yes=yes, no=no):
            return either(before, fails(yes), fails(no))
        case Fail():
            return TRUE
        case Blocked() | Empty() | Done():
            return FALSE
        case _:
            assert_never(tree)


def for_some(symbols: tuple[Symbol, ...], condition: Scalar) -> Scalar:
    """Whether a condition holds for some values of the symbols."""
    for symbol in reversed(symbols):
        condition = quantified(False, symbol, condition)
    return condition


def leaves_of(tree: Tree) -> Iterator[Tree]:
    """The ends of all ways."""
    match tree:
        case Assign(then=then) | Note(then=then):
            yield from leaves_of(then)
        case Fork(yes=yes, no=no):
            yield from leaves_of(yes)
            yield from leaves_of(no)
        case _:
            yield tree


def assignments_in(tree: Tree) -> Iterator[Assignment]:
    """Every assignment of a tree."""
    match tree:
        case Assign(now=now, then=then):
            yield from now
            yield from assignments_in(then)
        case Note(then=then):
            yield from assignments_in(then)
        case Fork(yes=yes, no=no):
            yield from assignments_in(yes)
            yield from assignments_in(no)
        case _:
            return


def conditions_in(tree: Tree) -> Iterator[Scalar]:
    """Every test of a tree, in both forms."""
    match tree:
        case Assign(then=then) | Note(then=then):
            yield from conditions_in(then)
        case Fork(condition=condition, before=before, yes=yes, no=no):
            yield condition
            yield before
            yield from conditions_in(yes)
            yield from conditions_in(no)
        case _:
            return
