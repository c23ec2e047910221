# SPDX-License-Identifier: GPL-2.0-only
"""The diagram that kernel changelogs use: one column per CPU, time runs down, to be pasted into a mail.

ASCII, no tabs, no colour, at most 75 columns, whatever stands in the spec.  `folding` says what makes a row.
"""

from __future__ import annotations

from collections.abc import Sequence

from kvmcheck.explain.story import Story
from kvmcheck.render.folding import Cell, cells, plain
from kvmcheck.render.plain import cut, packed, padded, width, wrapped

#: What a mail client and checkpatch leave of a line.
COLUMNS = 75
#: The number in front of a row.
_MARGIN = 5
#: The narrowest last lane, and the widest that a long name may make it.
_NARROWEST = 34
_WIDEST = 50


def diagram(story: Story, *, unfold: bool = False, on_the_way: Sequence[Story] = ()) -> str:
    """The story as a changelog diagram; ends in a newline.

    `on_the_way`: stories that are a beginning of this one, of what is broken before its end, shortest first.
    """
    drawn = cells(story, unfold=unfold, stops={len(early.rows) for early in on_the_way})
    lanes = len(story.lanes)
    starts = _starts(lanes, _widest_words(drawn, lanes))
    lines = [*_beginning(story), *_header(story, starts)]
    functions: dict[int, str] = {}
    rows: dict[int, int] = {}
    for number, cell in enumerate(drawn, start=1):
        rows |= dict.fromkeys(cell.steps, number)
        lines += _drawn(cell, number, starts[cell.lane], functions.get(cell.lane, ""))
        functions[cell.lane] = cell.segments[-1].function
    lines += _again(story, rows)
    lines += _endings([*on_the_way, story], None if unfold else rows)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _widest_words(drawn: list[Cell], lanes: int) -> list[int]:
    """For each lane, the columns that its widest word takes: one that is broken reads badly."""
    widest = [0] * lanes
    for cell in drawn:
        for part in cell.segments:
            words = [f"  {word};" for text in part.statements for word in text.split(" ")]
            widest[cell.lane] = max(widest[cell.lane], *map(width, (f"{part.function}():", *words)))
    return widest


def _starts(lanes: int, widest: list[int]) -> list[int]:
    """The column at which each lane begins: the last one keeps enough room for a statement."""
    if lanes <= 1:
        return [_MARGIN]
    rooms = [min(max(_NARROWEST, wide), _WIDEST) for wide in widest]
    step = min(30, max(2, (COLUMNS - _MARGIN - rooms[-1]) // (lanes - 1)))
    return [min(_MARGIN + step * lane, COLUMNS - rooms[lane]) for lane in range(lanes)]


def _beginning(story: Story) -> list[str]:
    """What the run begins with, where that was chosen."""
    if not story.start:
        return []
    begins = [f"begins with {plain(story.start[0])}", *(plain(part) for part in story.start[1:])]
    return [" " * _MARGIN + line for line in packed(begins, COLUMNS - _MARGIN, ",")] + [""]


def _header(story: Story, starts: list[int]) -> list[str]:
    """`CPU0 (vcpu0)` and so on, each above its lane; one below the other where the lanes are too narrow for that."""
    lines = [""]
    for lane, (start, name) in enumerate(zip(starts, story.lanes, strict=False)):
        if lane and width(lines[-1]) + 2 > start:
            lines.append("")
        lines[-1] = padded(lines[-1], start) + cut(f"CPU{lane} ({plain(name)})", COLUMNS - start)
    return [*lines, ""] if story.lanes else []


def _drawn(cell: Cell, number: int, start: int, function: str) -> list[str]:
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


def _again(story: Story, rows: dict[int, int]) -> list[str]:
    """Of a run without an end, how it goes on; `rows`: the row of each step."""
    if story.loop is None:
        return []
    first, last = rows.get(story.loop + 1), rows.get(len(story.rows))
    if first is None or last is None:
        text = "nothing happens any more"
    elif first == last:
        text = f"row {first} again, and so on for ever"
    else:
        text = f"rows {first} to {last} again, and so on for ever"
    return ["", " " * _MARGIN + text]


def _endings(stories: list[Story], rows: dict[int, int] | None) -> list[str]:
    """What it comes to: a `=>` for each property that is broken, and the values that break it.

    Where several are, each says in which row; the first and the last say why, the others only that.
    """
    lines: list[str] = []
    said: set[str] = set()
    for story in [*stories[:1], *stories[1:][-1:]]:
        lines += _ending(story, rows, len(stories) > 1, said)
    for story in stories[1:-1]:
        lines += _conclusion(story, rows, True)
    why = stories[-1].why
    if why is not None:
        said_of = [plain(text) for text in why.lines(lambda step: _place(step, rows))]
        lines += [""] if said_of else []
        lines += [" " * _MARGIN + line for text in said_of for line in wrapped(text, COLUMNS - _MARGIN, 7)]
    return lines


def _place(step: int, rows: dict[int, int] | None) -> str:
    return f"step {step}" if rows is None else f"row {rows[step]}"


def _ending(story: Story, rows: dict[int, int] | None, where: bool, said: set[str]) -> list[str]:
    """A conclusion and its reasons, those that were `said` left out."""
    if story.broken is None:
        return []
    lines = ["", *_conclusion(story, rows, where)]
    for text in story.broken.reason.lines(rows):
        if text not in said:
            said.add(text)
            lines += [" " * (_MARGIN + 2) + line for line in wrapped(plain(text), COLUMNS - _MARGIN - 2)]
    return lines


def _conclusion(story: Story, rows: dict[int, int] | None, where: bool) -> list[str]:
    if story.broken is None:
        return []
    text, step = story.broken.said, len(story.rows)
    if where and step:
        text += f" (in step {step})" if rows is None else f" (in row {rows[step]})"
    first, *rest = wrapped(plain(text), COLUMNS - _MARGIN, 0)
    return [f" =>  {first}", *(" " * _MARGIN + line for line in rest)]
