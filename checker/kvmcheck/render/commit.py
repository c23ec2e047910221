# SPDX-License-Identifier: GPL-2.0-only
"""The diagram that kernel changelogs use: one column per CPU, time runs down, to be pasted into a mail.

ASCII, no tabs, no colour, at most 75 columns, whatever stands in the spec.  Consecutive steps of one thread are
one row; `unfold` gives each step its own.  A call that nobody interrupts is shown as the statement that makes it
(`pfn = gfn_to_pfn(gfn)`, not the loads inside), for that is how a reviewer would write it.
"""

from __future__ import annotations

from dataclasses import dataclass

from kvmcheck.explain.changes import Change, ChangeKind
from kvmcheck.explain.story import Row, Story
from kvmcheck.render.plain import cut, packed, padded, visible, width, wrapped

#: What a mail client and checkpatch leave of a line.
COLUMNS = 75
#: The number in front of a row.
_MARGIN = 5
#: The narrowest last lane.
_NARROWEST = 34


@dataclass(frozen=True, slots=True)
class _Segment:
    """Consecutive statements of one function."""

    function: str
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Cell:
    """What one thread does before another one runs."""

    lane: int
    steps: tuple[int, ...]
    segments: tuple[_Segment, ...]
    notes: tuple[str, ...]
    breaks: bool


def diagram(story: Story, *, unfold: bool = False) -> str:
    """The story as a changelog diagram; ends in a newline."""
    starts = _starts(len(story.lanes))
    lines = _header(story, starts)
    functions: dict[int, str] = {}
    rows: dict[int, int] = {}
    for number, cell in enumerate(_cells(story, unfold), start=1):
        rows |= dict.fromkeys(cell.steps, number)
        lines += _drawn(cell, number, starts[cell.lane], functions.get(cell.lane, ""))
        functions[cell.lane] = cell.segments[-1].function
    lines += _ending(story, None if unfold else rows)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _starts(lanes: int) -> list[int]:
    """The column at which each lane begins: the last one keeps enough room for a statement."""
    if lanes <= 1:
        return [_MARGIN]
    step = min(30, max(2, (COLUMNS - _MARGIN - _NARROWEST) // (lanes - 1)))
    return [min(_MARGIN + step * lane, COLUMNS - _NARROWEST) for lane in range(lanes)]


def _header(story: Story, starts: list[int]) -> list[str]:
    """`CPU0 (vcpu0)` and so on, each above its lane; one below the other where the lanes are too narrow for that."""
    lines = [""]
    for lane, (start, name) in enumerate(zip(starts, story.lanes, strict=False)):
        if lane and width(lines[-1]) + 2 > start:
            lines.append("")
        lines[-1] = padded(lines[-1], start) + cut(f"CPU{lane} ({_ascii(name)})", COLUMNS - start)
    return [*lines, ""] if story.lanes else []


def _cells(story: Story, unfold: bool) -> list[_Cell]:
    runs: list[list[Row]] = []
    for row in story.rows:
        if runs and not unfold and runs[-1][-1].lane == row.lane:
            runs[-1].append(row)
        else:
            runs.append([row])
    whole = set() if unfold else _whole_calls(runs)
    return [_cell(run, whole) for run in runs]


def _whole_calls(runs: list[list[Row]]) -> set[tuple[int, int]]:
    """The calls that begin and return within one run, as (step, depth) for each of their steps.

    Such a call is one statement of its caller; a call that another thread interrupts has to be looked into.
    """
    last: dict[tuple[int, bool], Row] = {}
    members: dict[tuple[int, int], list[tuple[int, int]]] = {}  # (first step, depth): its (run, step)s
    instance: dict[tuple[int, bool], dict[int, tuple[int, int]]] = {}
    closed: set[tuple[int, int]] = set()
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
            last[thread] = row
    return {
        (step, depth)
        for (first, depth), steps in members.items()
        if (first, depth) in closed and len({run for run, _ in steps}) == 1
        for _, step in steps
    }


def _cell(rows: list[Row], whole: set[tuple[int, int]]) -> _Cell:
    segments: list[_Segment] = []
    said = ""
    changes: list[Change] = []
    for row in rows:
        depth = _depth(row, whole)
        call = row.calls[depth]
        text = ("[irq] " if row.handler else "") + _ascii(call.statement)
        function = _ascii(call.function)
        if not segments or segments[-1].function != function:
            segments.append(_Segment(function, (text,)))
        elif said != f"{call.spot.text} {text}":
            segments[-1] = _Segment(function, (*segments[-1].statements, text))
        said = f"{call.spot.text} {text}"
        if call.decided:
            latest = f"{text} /* {call.decided} */"
            segments[-1] = _Segment(function, (*segments[-1].statements[:-1], latest))
        shown = {outer.function for outer in row.calls[: depth + 1]}
        changes += [c for c in row.changes if c.kind is not ChangeKind.LOCAL or c.function in shown]
    return _Cell(
        lane=rows[0].lane,
        steps=tuple(row.number for row in rows),
        segments=tuple(segments),
        notes=tuple(_ascii(note) for note in _net(changes)),
        breaks=rows[-1].breaks,
    )


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
    net: dict[tuple[ChangeKind, str], Change] = {}
    for change in changed:
        key = (change.kind, change.name)
        before = net[key].before if key in net else change.before
        net[key] = Change(change.kind, change.name, before, change.after)
    return [
        c.text
        for c in net.values()
        if c.kind is not ChangeKind.LOCK and (c.kind is ChangeKind.LOCAL or c.before != c.after)
    ]


def _drawn(cell: _Cell, number: int, start: int, function: str) -> list[str]:
    """The lines of a cell; `function` is the one that its lane was in before."""
    room = COLUMNS - start
    indent = " " * start
    lines: list[str] = []
    for segment in cell.segments:
        # A name that is wider than the lane begins further to the left: that reads better than a broken name.
        widest = max(width(word) + 3 for text in segment.statements for word in text.split(" "))
        left = max(_MARGIN, min(start, COLUMNS - widest))
        if segment.function not in ("", function):
            name = f"{segment.function}():"
            lines += [indent + line for line in wrapped(name if width(name) <= room else name[:-3], room)]
        function = segment.function
        lines += [" " * (left + 2) + line for line in packed(segment.statements, COLUMNS - left - 2, ";")]
    notes = ", ".join(cell.notes)
    marked = "   <--" if cell.breaks else ""
    if notes and width(lines[-1]) + 3 + width(notes) + len(marked) <= COLUMNS and len(cell.segments) == 1:
        lines[-1] += f"   {notes}"
        notes = ""
    if width(lines[-1]) + len(marked) <= COLUMNS:
        lines[-1] += marked
    else:
        lines.append(indent + marked)
    if notes:
        lines += [indent + "      " + line for line in packed(cell.notes, room - 6, ",")]
    lines[0] = f"{number:>3}" + lines[0][3:]
    return lines


def _ending(story: Story, rows: dict[int, int] | None) -> list[str]:
    """What it comes to: one `=>`, and the values that break the claim."""
    if story.broken is None:
        return []
    broken = story.broken
    said = broken.said
    lines = ["", *_arrow(_ascii(said))]
    for text in broken.reason.lines(rows):
        lines += [" " * (_MARGIN + 2) + line for line in wrapped(_ascii(text), COLUMNS - _MARGIN - 2)]
    return lines


def _arrow(text: str) -> list[str]:
    first, *rest = wrapped(text, COLUMNS - _MARGIN, 0)
    return [f" =>  {first}", *(" " * _MARGIN + line for line in rest)]


def _ascii(text: str) -> str:
    return visible(text, ascii_only=True)
