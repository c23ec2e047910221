# SPDX-License-Identifier: GPL-2.0-only
"""Building a body: micro-operations appended one behind another, with loose ends tied to the next.

A `Graph` grows by `emit`.  Its *ends* are the places from which control goes to whatever is emitted next;
a jump takes the ends away, and a join brings several back.  `finish` drops what control cannot reach,
short-cuts `Skip` nodes, and puts a `Pause` on each loop that could otherwise run for ever in one step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from kvmcheck.semantics.program import (
    VISIBLE,
    Body,
    Branch,
    Choose,
    End,
    Frame,
    LocalVariable,
    Node,
    Operation,
    Pause,
    Skip,
)
from kvmcheck.semantics.sorts import Sort
from kvmcheck.source.text import Span

#: An end: a node, and which of its successors is still open.
LooseEnd = tuple[int, int]


@dataclass(slots=True)
class _Draft:
    operation: Operation
    successors: list[int | None]
    frame: int
    labels: tuple[str, ...]
    span: Span
    group: int | None


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment in a graph's growth, to come back to."""

    length: int
    ends: tuple[LooseEnd, ...]
    last_visible: int | None


@dataclass(slots=True)
class Graph:
    """A body under construction.  `frame`, `labels`, `group` are given to each node that is emitted."""

    drafts: list[_Draft] = field(default_factory=list)
    locals: list[LocalVariable] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    ends: list[LooseEnd] = field(default_factory=list)
    loop_heads: list[int] = field(default_factory=list)
    frame: int = 0
    labels: tuple[str, ...] = ()
    group: int | None = None
    groups: int = 0
    last_visible: int | None = None

    def emit(self, operation: Operation, span: Span) -> int:
        """Append an operation behind all current ends; its position."""
        position = len(self.drafts)
        exits = 2 if isinstance(operation, Branch) else 0 if isinstance(operation, End) else 1
        self.drafts.append(_Draft(operation, [None] * exits, self.frame, self.labels, span, self.group))
        self.tie(self.ends, position)
        self.ends = [(position, slot) for slot in range(exits)]
        if isinstance(operation, VISIBLE):
            self.last_visible = position
        return position

    def branch(self, operation: Branch, span: Span) -> tuple[list[LooseEnd], list[LooseEnd]]:
        """Append a branch; the ends on its true and on its false side (none are current afterwards)."""
        position = self.emit(operation, span)
        self.ends = []
        return [(position, 0)], [(position, 1)]

    def tie(self, ends: Iterable[LooseEnd], target: int) -> None:
        """Let these ends go to a node."""
        for node, slot in ends:
            self.drafts[node].successors[slot] = target

    def skip(self, span: Span) -> int:
        """Append a node that does nothing, as a target or marker."""
        return self.emit(Skip(), span)

    def loop_head(self, span: Span) -> int:
        """Append the head of a loop."""
        position = self.skip(span)
        self.loop_heads.append(position)
        return position

    def jump(self, target: int) -> None:
        """Let control go to a node that is already there."""
        self.tie(self.ends, target)
        self.ends = []

    def mark(self) -> Mark:
        """This moment."""
        return Mark(len(self.drafts), tuple(self.ends), self.last_visible)

    def grown_since(self, mark: Mark) -> bool:
        """Whether anything was emitted since then."""
        return len(self.drafts) > mark.length

    def rewind(self, mark: Mark) -> None:
        """Forget what was emitted since then (ends tied to it become loose again)."""
        del self.drafts[mark.length :]
        self.loop_heads = [head for head in self.loop_heads if head < mark.length]
        self.ends = list(mark.ends)
        for node, slot in self.ends:
            self.drafts[node].successors[slot] = None
        self.last_visible = mark.last_visible

    def new_local(self, name: str, sort: Sort, *, hidden: bool = False) -> int:
        """A fresh local of the current frame."""
        self.locals.append(LocalVariable(name, sort, self.frame, hidden))
        return len(self.locals) - 1

    def finish(
        self, watched: Callable[[Graph], Mapping[int, set[int]]]
    ) -> tuple[Body, Callable[[int], int | None]]:
        """The body, and where each draft went (None: unreachable; a `Skip`: what it leads to).

        `watched` says, in draft positions, where locals must not be cleared.
        """
        self._place_pauses()
        resolved = {position: self._resolve(position) for position in range(len(self.drafts))}
        order: list[int] = []
        seen: set[int] = set()
        stack = [resolved[0]]
        while stack:
            position = stack.pop()
            if position in seen:
                continue
            seen.add(position)
            order.append(position)
            for target in reversed(self.drafts[position].successors):
                if target is not None:
                    stack.append(resolved[target])
        order = [order[0], *sorted(order[1:])]
        place = {old: new for new, old in enumerate(order)}
        nodes = tuple(
            Node(
                draft.operation,
                tuple(place[resolved[t]] for t in draft.successors if t is not None),
                draft.frame,
                draft.labels,
                draft.span,
                draft.group,
            )
            for draft in (self.drafts[old] for old in order)
        )
        kept = {
            local: frozenset(place[p] for p in where if p in place) for local, where in watched(self).items()
        }
        body = Body(nodes, tuple(self.locals), tuple(self.frames), kept)
        return body, lambda old: place.get(resolved[old])

    def _resolve(self, position: int) -> int:
        """The first node from here that is not a `Skip`."""
        seen = set()
        while isinstance(self.drafts[position].operation, Skip):
            target = self.drafts[position].successors[0]
            assert target is not None and position not in seen
            seen.add(position)
            position = target
        return position

    def _place_pauses(self) -> None:
        for head in self.loop_heads:
            if self._returns_unseen(head):
                self.drafts[head].operation = Pause()

    def _returns_unseen(self, head: int) -> bool:
        """Whether control can come back to a node without a visible operation or choice."""
        stack = [t for t in self.drafts[head].successors if t is not None]
        seen: set[int] = set()
        while stack:
            position = stack.pop()
            if position == head:
                return True
            if position in seen or isinstance(self.drafts[position].operation, (*VISIBLE, Choose)):
                continue
            seen.add(position)
            stack.extend(t for t in self.drafts[position].successors if t is not None)
        return False
