# SPDX-License-Identifier: GPL-2.0-only
"""The diagram that kernel changelogs use: one column per CPU, time runs down, to be pasted into a mail.

ASCII, no tabs, no colour, at most 75 columns, whatever stands in the spec.  Consecutive steps of one thread are
one row; `unfold` gives each step its own.  A statement of a helper is shown as the labelled statement that
called it (`pfn = gfn_to_pfn(gfn)`, not the loads inside), for that is how a reviewer would write it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from kvmcheck.explain.changes import Change, ChangeKind
from kvmcheck.explain.story import Call, Row, Story
from kvmcheck.render.plain import packed, padded, visible, width, wrapped

#: What a mail client and checkpatch leave of a line.
COLUMNS = 75
#: The number in front of a row.
_MARGIN = 5
#: The narrowest last lane.
_NARROWEST = 34


@dataclass(frozen=True, slots=True)
class _Cell:
    """What one thread does before another one runs."""

    lane: int
    steps: tuple[int, ...]
    function: str
    statements: tuple[str, ...]
    notes: tuple[str, ...]
    breaks: bool
    entering: bool = False


def diagram(story: Story, *, unfold: bool = False) -> str:
    """The story as a changelog diagram; ends in a newline."""
    starts = _starts(len(story.lanes))
    lines = _header(story, starts)
    functions: dict[int, str] = {}
    rows: dict[int, int] = {}
    for number, cell in enumerate(_cells(story, unfold), start=1):
        rows |= dict.fromkeys(cell.steps, number)
        entering = functions.get(cell.lane) != cell.function and cell.function != ""
        functions[cell.lane] = cell.function
        lines += _drawn(replace(cell, entering=entering), number, starts[cell.lane])
    lines += _ending(story, None if unfold else rows)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _starts(lanes: int) -> list[int]:
    """The column at which each lane begins: the last one keeps enough room for a statement."""
    if lanes <= 1:
        return [_MARGIN]
    step = min(33, max(2, (COLUMNS - _MARGIN - _NARROWEST) // (lanes - 1)))
    return [min(_MARGIN + step * lane, COLUMNS - _NARROWEST) for lane in range(lanes)]


def _header(story: Story, starts: list[int]) -> list[str]:
    """`CPU0`, `CPU1` above the threads' names; one below the other where columns are too narrow."""
    if not story.lanes:
        return []
    lines = [""]
    for lane, name in enumerate(story.lanes):
        text = f"CPU{lane} ({_ascii(name)})"
        room = (starts[lane + 1] if lane + 1 < len(starts) else COLUMNS) - starts[lane]
        shown = wrapped(text, max(room - 1, 8))[0] if width(text) < room else f"CPU{lane}"
        lines[0] = padded(lines[0], starts[lane]) + shown
    if any(f"({_ascii(name)})" not in lines[0] for name in story.lanes):
        lines += [f"     CPU{lane} = {_ascii(name)}"[:COLUMNS] for lane, name in enumerate(story.lanes)]
    lines.append("")
    return lines


def _cells(story: Story, unfold: bool) -> list[_Cell]:
    groups: list[list[Row]] = []
    for row in story.rows:
        together = groups and not unfold and groups[-1][-1].lane == row.lane
        if together and _summit(groups[-1][-1]).function == _summit(row).function:
            groups[-1].append(row)
        else:
            groups.append([row])
    return [_cell(group, unfold) for group in groups]


def _cell(rows: list[Row], unfold: bool) -> _Cell:
    calls = [row.innermost if unfold else _summit(row) for row in rows]
    statements: list[tuple[str, str]] = []
    for call, row in zip(calls, rows, strict=True):
        said = (call.spot.text, ("[irq] " if row.handler else "") + call.statement)
        if not statements or statements[-1] != said:
            statements.append(said)
    return _Cell(
        lane=rows[0].lane,
        steps=tuple(row.number for row in rows),
        function=_ascii(calls[0].function),
        statements=tuple(_ascii(text) for _, text in statements),
        notes=tuple(_ascii(note) for note in _net([change for row in rows for change in row.changes])),
        breaks=rows[-1].breaks,
    )


def _summit(row: Row) -> Call:
    """The call on the stack that a reviewer would write down: the labelled one, else the kernel function."""
    for call in reversed(row.calls):
        if call.label:
            return call
    for call in reversed(row.calls):
        if call.kernel:
            return call
    return row.innermost


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


def _drawn(cell: _Cell, number: int, start: int) -> list[str]:
    room = COLUMNS - start
    indent = " " * start
    lines: list[str] = []
    if cell.entering:
        lines.append(indent + wrapped(f"{cell.function}():", room)[0])
    body = [indent + "  " + line for line in packed(cell.statements, room - 2, ";")]
    notes = ", ".join(cell.notes)
    marked = "   <--" if cell.breaks else ""
    if notes and len(body) == 1 and width(body[0]) + 3 + width(notes) + len(marked) <= COLUMNS:
        body[0] += f"   {notes}"
        notes = ""
    if width(body[-1]) + len(marked) <= COLUMNS:
        body[-1] += marked
    else:
        body.append(indent + marked)
    if notes:
        body += [indent + "      " + line for line in packed(cell.notes, room - 6, ",")]
    lines += body
    at = 1 if cell.entering else 0
    lines[at] = f"{number:>3}" + lines[at][3:]
    return lines


def _ending(story: Story, rows: dict[int, int] | None) -> list[str]:
    """What it comes to: one `=>`, and the values that break the claim."""
    if story.broken is None:
        return []
    broken = story.broken
    said = f"{broken.property}: {broken.text}" if broken.text else broken.property
    lines = ["", *_arrow(_ascii(said))]
    for text in broken.reason.lines(rows):
        lines += [" " * (_MARGIN + 2) + line for line in wrapped(_ascii(text), COLUMNS - _MARGIN - 2)]
    return lines


def _arrow(text: str) -> list[str]:
    first, *rest = wrapped(text, COLUMNS - _MARGIN, 0)
    return [f" =>  {first}", *(" " * _MARGIN + line for line in rest)]


def _ascii(text: str) -> str:
    return visible(text, ascii_only=True)
