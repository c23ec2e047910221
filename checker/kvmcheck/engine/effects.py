# SPDX-License-Identifier: GPL-2.0-only
"""What the reductions do with a program: which sections are one step and where they are cut, what is exchanged.

Nothing here is measured: all of it is known before the search begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kvmcheck.engine.layout import Layout
from kvmcheck.engine.movers import BodyMovers, Mover, movers_of
from kvmcheck.engine.reductions import Reductions
from kvmcheck.engine.shape import FRESH, Context, Shape
from kvmcheck.engine.symmetry import Symmetry
from kvmcheck.semantics.program import VISIBLE, Acquire, AtomicEnter, Body, Choose, End, Program, Release
from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class Cut:
    """A statement before which a step ends inside a section: its place, why, and how many operations follow.

    `behind`: an operation of the step before it that does not commute either, and why (None where the cut does
    not depend on one).
    """

    span: Span
    reason: str
    operations: int
    behind: tuple[Span, str] | None


@dataclass(frozen=True, slots=True)
class Section:
    """What a thread does from taking a lock to dropping it.

    `operations`: how many visible ones at most; `first`: how many of them are in the step that takes the lock.
    """

    process: str
    function: str
    span: Span
    operations: int
    first: int
    cuts: tuple[Cut, ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """What may be exchanged: a sort, pool or process, and how many members of it."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What may not be exchanged, why, and where the program says so (None: nowhere in particular)."""

    name: str
    reason: str
    span: Span | None


@dataclass(frozen=True, slots=True)
class Effects:
    """`seq`: how seqs are kept.  `sections` is empty with merging off, `exchanges` and `kept` with symmetry off."""

    seq: str
    sections: tuple[Section, ...]
    exchanges: tuple[Exchange, ...]
    kept: tuple[Kept, ...]


def effects_of(program: Program, reductions: Reductions) -> Effects:
    """What the reductions make of a program."""
    layout = Layout(program, reductions)
    exchanges: tuple[Exchange, ...] = ()
    kept: tuple[Kept, ...] = ()
    if reductions.symmetry:
        symmetry = Symmetry(layout)
        exchanges = tuple(Exchange(atom.name, atom.size) for atom in symmetry.atoms)
        kept = tuple(Kept(refusal.name, refusal.reason, refusal.span) for refusal in symmetry.refusals)
    sections = tuple(_sections(program)) if reductions.merge else ()
    return Effects(_seqs(program, layout), sections, exchanges, kept)


def _seqs(program: Program, layout: Layout) -> str:
    homes = layout.numbering.homes
    if homes == 0:
        return "there is none that is ever incremented"
    if not layout.reductions.seq:
        return "kept as numbers, so a program that increments for ever has no end"
    counted = "one is incremented" if homes == 1 else f"{homes} are incremented"
    if program.seq_compared:
        return f"{counted}: a copy is the newest, or equal to some other copies (two copies are compared)"
    return f"{counted}: a copy is the newest or stale (no two copies are ever compared)"


# ------------------------------------------------------------------------------ sections


def _sections(program: Program) -> Iterator[Section]:
    """Each section once, however many processes and calls have it in the same form."""
    movers = movers_of(program)
    found: dict[Section, list[str]] = {}
    for process in program.processes:
        for body in (process.body, process.interrupt):
            if body is None:
                continue
            shape = _Sections(body, movers[id(body)])
            for number, node in enumerate(body.nodes):
                if isinstance(node.operation, Acquire):
                    found.setdefault(shape.section(number), []).append(process.name)
    for section, processes in found.items():
        names = ", ".join(dict.fromkeys(processes))
        yield Section(names, section.function, section.span, section.operations, section.first, section.cuts)


class _Sections:
    """The sections of one body."""

    def __init__(self, body: Body, movers: BodyMovers) -> None:
        self.body = body
        self.movers = movers
        self.shape = Shape(body, movers)
        self.stops = frozenset(self.shape.stops)

    def section(self, start: int) -> Section:
        """The section that begins with taking a lock at a node."""
        node = self.body.nodes[start]
        inside = self._inside(start)
        stops = sorted(n for n in inside if n in self.stops and n != start)
        cuts: dict[tuple[Span, str], Cut] = {}
        for stop in stops:
            cut = self._cut(stop, inside)
            known = cuts.get((cut.span, cut.reason))
            if known is None or known.operations < cut.operations:
                cuts[cut.span, cut.reason] = cut
        return Section(
            process="",
            function=self.body.frames[node.frame].function,
            span=node.span,
            operations=self._longest(start, inside, whole=True),
            first=self._longest(start, inside, whole=False),
            cuts=tuple(cuts.values()),
        )

    def _inside(self, start: int) -> frozenset[int]:
        """The nodes from taking the lock to dropping it, both included."""
        taken = self.body.nodes[start].operation
        assert isinstance(taken, Acquire)
        found: set[int] = set()
        waiting = [start]
        while waiting:
            number = waiting.pop()
            operation = self.body.nodes[number].operation
            if number in found or isinstance(operation, End):
                continue
            found.add(number)
            if not (isinstance(operation, Release) and operation.lock == taken.lock):
                waiting += self.body.nodes[number].successors
        return frozenset(found)

    def _longest(self, start: int, inside: frozenset[int], *, whole: bool) -> int:
        """The visible operations on the longest way through a section (or its first step), each loop once round."""
        known: dict[Context, int] = {}
        entered: set[Context] = set()

        def from_here(context: Context) -> int:
            if context in known:
                return known[context]
            number, _, group = context
            if number not in inside or context in entered:
                return 0
            group, stopped = self.shape.settled(*context)
            if stopped and not whole:
                return 0
            entered.add(context)
            outside = group is None and isinstance(self.body.nodes[number].operation, VISIBLE)
            last = isinstance(self.body.nodes[number].operation, Release) and not self._goes_on(
                number, inside
            )
            here = (number, FRESH, None) if stopped else context
            ways = [] if last else self.shape.following(here)
            count = int(outside) + max((from_here(way) for way in ways), default=0)
            entered.discard(context)
            known[context] = count
            return count

        return from_here((start, FRESH, None))

    def _goes_on(self, number: int, inside: frozenset[int]) -> bool:
        return any(successor in inside for successor in self.body.nodes[number].successors)

    def _cut(self, stop: int, inside: frozenset[int]) -> Cut:
        node = self.body.nodes[stop]
        behind: tuple[Span, str] | None = None
        if stop in self.movers.stops:
            reason = self.movers.stops[stop]
        elif isinstance(node.operation, Choose):
            reason = "a choice begins a step"
        elif self.movers.movers[stop] is Mover.RIGHT:
            reason = "taking a lock may wait, and a step waits at its beginning only"
        elif isinstance(node.operation, AtomicEnter):
            reason = "an atomic block begins a step"
        else:
            behind, reason = self._clash(stop, inside)
        operations = self._longest(stop, inside, whole=False)
        return Cut(node.span, reason, operations, behind)

    def _clash(self, stop: int, inside: frozenset[int]) -> tuple[tuple[Span, str] | None, str]:
        """What in the part of the step before a cut does not go with the operation there, if anything; and why."""
        before: dict[int, list[int]] = {}
        for number in inside:
            for successor in self.body.nodes[number].successors:
                before.setdefault(successor, []).append(number)
        waiting, seen = list(before.get(stop, ())), set[int]()
        while waiting:
            number = waiting.pop(0)
            if number in seen:
                continue
            seen.add(number)
            node = self.body.nodes[number]
            clash = self._do_not_go_together(number, stop) if isinstance(node.operation, VISIBLE) else None
            if clash:
                return (node.span, clash[0]), clash[1]
            if number not in self.stops:
                waiting += before.get(number, ())
        return None, self._why(stop)

    def _do_not_go_together(self, first: int, second: int) -> tuple[str, str] | None:
        """Why the first of two operations, and why the second, if they can't be in one step."""
        movers = self.movers
        if movers.movers[first] is Mover.NONE:
            return movers.reasons[first], self._why(second)
        if movers.movers[second] is Mover.NONE:
            return (self._why(first), movers.reasons[second]) if movers.seen[first] else None
        for claim, sight in movers.sights[first].items():
            if claim in movers.sights[second]:
                return sight, movers.sights[second][claim]
        return None

    def _why(self, number: int) -> str:
        """Why an operation does not move, or what a claim sees of it."""
        return self.movers.reasons[number] or next(iter(self.movers.sights[number].values()), "")
