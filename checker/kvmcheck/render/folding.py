# SPDX-License-Identifier: GPL-2.0-only
"""How the steps of a story are folded into the rows of a changelog diagram.

Consecutive steps of one thread are one row.  A call that nobody interrupts is shown as the statement that makes it
(`pfn = gfn_to_pfn(gfn)`, not the loads inside), for that is how a reviewer would write it; unless somebody gave a
name to what happens on locals inside, for that is where to look.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from kvmcheck.explain.changes import Change, ChangeKind
from kvmcheck.explain.story import Call, Named, Row, Story
from kvmcheck.render.plain import visible


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive statements of one function."""

    function: str
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """What one thread does before another one runs, or before something is broken."""

    lane: int
    steps: tuple[int, ...]
    segments: tuple[Segment, ...]
    notes: tuple[str, ...]
    breaks: bool


def cells(story: Story, *, unfold: bool, stops: Collection[int] = ()) -> list[Cell]:
    """The rows of a diagram; `unfold`: one for every step; `stops`: steps behind which something else is broken."""
    runs: list[list[Row]] = []
    for row in story.rows:
        last = runs[-1][-1] if runs else None
        cut = last is None or last.number in stops or last.number == story.loop
        if not cut and not unfold and runs[-1][-1].lane == row.lane:
            runs[-1].append(row)
        else:
            runs.append([row])
    whole = set() if unfold else _whole_calls(runs)
    shown = {
        (row.lane, row.handler, call.function, call.frame)
        for row in story.rows
        for call in row.calls[: _depth(row, whole) + 1]
    }
    return [_cell(run, whole, shown, run[-1].breaks or run[-1].number in stops) for run in runs]


def _whole_calls(runs: list[list[Row]]) -> set[tuple[int, int]]:
    """The calls that begin and return within one run, as (step, depth) for each of their steps.

    Such a call is one statement of its caller; a call that another thread interrupts has to be looked into.
    """
    last: dict[tuple[int, bool], Row] = {}
    members: dict[tuple[int, int], list[tuple[int, int]]] = {}  # (first step, depth): its (run, step)s
    instance: dict[tuple[int, bool], dict[int, tuple[int, int]]] = {}
    closed: set[tuple[int, int]] = set()
    named: set[tuple[int, int]] = set()
    for number, run in enumerate(runs):
        for row in run:
            thread = (row.lane, row.handler)
            before, open_calls = last.get(thread), instance.setdefault(thread, {})
            for depth, call in enumerate(row.calls):
                goes_on = before is not None and depth < before.still_open and depth in open_calls
                if not goes_on or before is None or before.calls[depth].frame != call.frame:
                    open_calls[depth] = (row.number, depth)
                members.setdefault(open_calls[depth], []).append((number, row.number))
                if depth >= row.still_open:
                    closed.add(open_calls[depth])
                if any(depth <= found.depth for found in row.named):
                    named.add(open_calls[depth])
            last[thread] = row
    return {
        (step, depth)
        for (first, depth), steps in members.items()
        if (first, depth) in closed - named and len({run for run, _ in steps}) == 1
        for _, step in steps
    }


def _cell(
    rows: list[Row],
    whole: set[tuple[int, int]],
    shown: set[tuple[int, bool, str, int]],
    breaks: bool,
) -> Cell:
    segments: list[Segment] = []
    said = ""
    changes: list[Change] = []

    def say(call: Call, handler: bool) -> None:
        nonlocal said
        text = ("[irq] " if handler else "") + plain(call.statement)
        function = plain(call.function)
        if not segments or segments[-1].function != function:
            segments.append(Segment(function, (text,)))
        elif said != f"{call.spot.text} {text}":
            segments[-1] = Segment(function, (*segments[-1].statements, text))
        said = f"{call.spot.text} {text}"
        if call.decided:
            latest = f"{text} /* {call.decided} */"
            segments[-1] = Segment(function, (*segments[-1].statements[:-1], latest))

    for row in rows:
        depth = _depth(row, whole)
        named = [found for found in row.named if _is_shown(found, row, depth)]
        for found in named:
            if found.early:
                say(found.call, row.handler)
        say(row.calls[depth], row.handler)
        for found in named:
            if not found.early:
                say(found.call, row.handler)
        changes += [
            c
            for c in row.changes
            if c.kind is not ChangeKind.LOCAL or (row.lane, row.handler, c.function, c.frame) in shown
        ]
        changes += [found.change for found in named]
    return Cell(
        lane=rows[0].lane,
        steps=tuple(row.number for row in rows),
        segments=tuple(segments),
        notes=tuple(plain(note) for note in [*_net(changes), *_latest(rows)]),
        breaks=breaks,
    )


def _latest(rows: list[Row]) -> list[str]:
    """What the expressions that somebody asked for are worth behind the last step that changes each."""
    latest = {text.partition(" = ")[0]: text for row in rows for text in row.watched}
    return list(latest.values())


def _is_shown(named: Named, row: Row, depth: int) -> bool:
    """Whether a labelled statement is in a function that is not folded."""
    return named.depth <= depth if named.depth >= 0 else depth == len(row.calls) - 1


def _depth(row: Row, whole: set[tuple[int, int]]) -> int:
    """Which call on the stack is shown: the caller of the outermost whole call below the function of interest.

    Of interest is the outermost function that models a kernel function, or else the process's own function.
    """
    modelled = [depth for depth, call in enumerate(row.calls) if call.kernel]
    interest = modelled[0] if modelled else 1
    for depth in range(interest + 1, len(row.calls)):
        if (row.number, depth) in whole:
            return depth - 1
    return len(row.calls) - 1


def _net(changed: list[Change]) -> list[str]:
    """What several steps changed together; locks that were taken and dropped again vanish."""
    net: dict[tuple[ChangeKind, str, int], Change] = {}
    for change in changed:
        key = (change.kind, change.name, change.frame)
        before = net[key].before if key in net else change.before
        net[key] = Change(change.kind, change.name, before, change.after)
    texts = [
        c.text
        for c in net.values()
        if c.kind is not ChangeKind.LOCK and (c.kind is ChangeKind.LOCAL or c.before != c.after)
    ]
    return list(dict.fromkeys(texts))


def plain(text: str) -> str:
    """The text in visible ASCII."""
    return visible(text, ascii_only=True)
