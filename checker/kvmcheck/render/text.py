# SPDX-License-Identifier: GPL-2.0-only
"""A story on a terminal: one column per thread, one block per step, only what changed.

No line is wider than the paint allows.  Text from the spec is made visible, never obeyed.
"""

from __future__ import annotations

from enum import Enum

from kvmcheck.explain.changes import Change, ChangeKind
from kvmcheck.explain.story import Broken, Call, Holding, Named, Row, Story
from kvmcheck.render.paint import Paint
from kvmcheck.render.plain import cut, padded, visible, width, with_bar, wrapped

_MARGIN = 5
#: The narrowest last lane; further lanes to the left overlap rather than squeeze it.
_NARROWEST = 44


class Places(Enum):
    """How the place of a statement is written: as full as all statements of a story leave room for."""

    PATH = "path:line"
    FILE = "file:line"
    LINE = ":line"


def told(story: Story, paint: Paint) -> list[str]:
    """The story in lines: who takes part, what happens, and what it breaks."""
    starts = _starts(len(story.lanes), paint.columns)
    places = _places(story, starts, paint)
    files = list(dict.fromkeys(row.innermost.spot.path for row in story.rows))
    lines = _beginning(story, paint)
    if places is Places.LINE and len(files) == 1:
        lines += _right([cut(_clean(f"in {files[0]}", paint), paint.columns)], paint)
    lines += _lanes(story, starts, paint)
    functions: dict[int, tuple[str, str]] = {}
    for before, row in zip((None, *story.rows), story.rows, strict=False):
        function = (_function(row), row.innermost.spot.path)
        if before is None or before.lane != row.lane or functions.get(row.lane) != function:
            with_file = places is Places.LINE and len(files) > 1
            entered = _entered(row, starts[row.lane], with_file=with_file, paint=paint)
            lines += _barred(entered, story, before.held if before else (), starts, paint)
        functions[row.lane] = function
        lines += _loop(story, row.number - 1, paint)
        step = _step(row, starts[row.lane], places, _same_statement(story, row), paint)
        lines += _barred(step, story, row.held, starts, paint)
    lines += _again(story, paint)
    if story.broken is not None:
        lines += _ending(story, story.broken, paint)
    return [line.rstrip() for line in lines]


def _starts(lanes: int, columns: int) -> list[int]:
    if lanes <= 1:
        return [_MARGIN]
    step = max(1, min(36, (columns - _MARGIN - _NARROWEST) // (lanes - 1)))
    last = max(_MARGIN, columns - _NARROWEST)
    return [min(_MARGIN + step * lane, last) for lane in range(lanes)]


def _clean(text: str, paint: Paint) -> str:
    return visible(text, ascii_only=not paint.unicode)


def _beginning(story: Story, paint: Paint) -> list[str]:
    if not story.start and not story.watched:
        return []
    begins = "begins with " + ", ".join(_clean(part, paint) for part in story.start)
    texts = [*([begins] if story.start else []), *(_clean(text, paint) for text in story.watched)]
    return [" " * _MARGIN + line for t in texts for line in wrapped(t, paint.columns - _MARGIN)] + [""]


def _lanes(story: Story, starts: list[int], paint: Paint) -> list[str]:
    """The threads' names, each above its column; on lines of their own where they do not fit."""
    if not story.lanes:
        return []
    lines: list[str] = [""]
    for lane, name in enumerate(story.lanes):
        shown = cut(_clean(name, paint), paint.columns - starts[lane])
        if width(lines[-1]) + 2 > starts[lane] and lane:
            lines.append("")
        lines[-1] = padded(lines[-1], starts[lane]) + shown
    return [paint(line, "bold") for line in lines]


def _function(row: Row) -> str:
    function = row.innermost.function
    return f"interrupt {function}".strip() if row.handler else function


def _same_statement(story: Story, row: Row) -> bool:
    """Whether the step is one of several in a row that belong to one statement."""
    near = story.rows[max(0, row.number - 2) : row.number + 1]
    return any(
        other.number != row.number and other.lane == row.lane and other.innermost.spot == row.innermost.spot
        for other in near
    )


def _statement(call: Call, paint: Paint) -> str:
    return _clean(f"@{call.label} {call.text}" if call.label else call.text, paint)


def _places(story: Story, starts: list[int], paint: Paint) -> Places:
    """The fullest way to write places for which nearly every statement has room beside it."""
    for places in (Places.PATH, Places.FILE):
        tight = sum(
            _last_column(row, starts[row.lane], paint) + 2 + width(_place(row.innermost, places, paint))
            > paint.columns
            for row in story.rows
        )
        if tight * 8 <= len(story.rows):
            return places
    return Places.LINE


def _last_column(row: Row, start: int, paint: Paint) -> int:
    lines = wrapped(_statement(row.innermost, paint), paint.columns - start, 4)
    return start + width(lines[-1])


def _step(row: Row, start: int, places: Places, ambiguous: bool, paint: Paint) -> list[str]:
    indent, room = " " * start, paint.columns - start
    style = "bold red" if row.breaks else "bold"
    body = _placed(_statement(row.innermost, paint), row.innermost, start, places, style, paint)
    number = f"{row.number:>4}"
    body[0] = paint(number, "dim") + body[0].replace(" " * len(number), "", 1)
    lines = [line for named in row.named if named.early for line in _aside(named, row, start, places, paint)]
    lines += body
    if ambiguous and row.access:
        lines += [
            paint(indent + "    " + line, "dim") for line in wrapped(_clean(row.access, paint), room - 4)
        ]
    told_of = [(named.change.name, named.change.frame) for named in row.named]
    for change in row.changes:
        if change.kind is not ChangeKind.LOCAL or (change.name, change.frame) not in told_of:
            lines += _changed(change, start, paint)
    for named in row.named:
        if not named.early:
            lines += _aside(named, row, start, places, paint)
    for text in row.watched:
        lines += [paint(indent + "    " + line, "cyan") for line in wrapped(_clean(text, paint), room - 4)]
    return lines


def _barred(
    lines: list[str], story: Story, held: tuple[Holding, ...], starts: list[int], paint: Paint
) -> list[str]:
    """The lines with a bar in front of the lane of each thread that holds a lock."""
    holding = {holding.thread for holding in held}
    bar = "\u2502" if paint.unicode else "|"
    for start, name in zip(starts, story.lanes, strict=True):
        if name in holding:
            lines = [with_bar(line, start - 1, bar) for line in lines]
    return lines


def _placed(text: str, call: Call, start: int, places: Places, style: str, paint: Paint) -> list[str]:
    """A statement, with its place at the right of its last line, or below."""
    place = _place(call, places, paint)
    body = [" " * start + line for line in wrapped(text, paint.columns - start, 4)]
    gap = paint.columns - width(place) - width(body[-1])
    lines = [" " * start + paint(body[0][start:], style), *(paint(line, style) for line in body[1:])]
    if gap >= 2:
        lines[-1] += " " * gap + paint(place, "dim")
    else:
        lines.append(" " * (paint.columns - width(place)) + paint(place, "dim"))
    return lines


def _aside(named: Named, row: Row, start: int, places: Places, paint: Paint) -> list[str]:
    """A labelled statement on locals, which is no step and has no number; whose it is, if not the step's function's."""
    call = named.call
    whose = "" if call.function == row.innermost.function else call.function
    text = _clean(f"{whose}@{call.label} {call.statement}", paint)
    return [
        *_placed(text, call, start, places, "bold", paint),
        *_changed(named.change, start, paint),
    ]


def _changed(change: Change, start: int, paint: Paint) -> list[str]:
    colour = "cyan" if change.kind is ChangeKind.LOCAL else "yellow"
    text = _clean(change.text, paint) + (" (ghost)" if change.kind is ChangeKind.GHOST else "")
    indent = " " * (start + 4)
    return [paint(indent + line, colour) for line in wrapped(text, paint.columns - start - 4)]


def _entered(row: Row, start: int, *, with_file: bool, paint: Paint) -> list[str]:
    """The function whose statements follow, the kernel function that it models, and its file if rows lack it."""
    room = paint.columns - start
    call = row.innermost
    if not _function(row):
        return []  # the process's own code stands under the thread's name
    text = f"{_function(row)}:"
    if call.kernel:
        text += f" {call.kernel}"
    if with_file:
        text += f" ({call.spot.path.rpartition('/')[2]})"
    return [" " * start + paint(line, "dim") for line in wrapped(_clean(text, paint), room)]


def _right(lines: list[str], paint: Paint) -> list[str]:
    return [" " * max(0, paint.columns - width(line)) + paint(line, "dim") for line in lines]


def _place(call: Call, places: Places, paint: Paint) -> str:
    """`specs/races/zap.kvm:12`, `zap.kvm:12` or `:12`."""
    text = _clean(call.spot.text, paint)
    match places:
        case Places.PATH:
            return text
        case Places.FILE:
            return text.rpartition("/")[2]
        case Places.LINE:
            return f":{call.spot.line}"


def _loop(story: Story, before: int, paint: Paint) -> list[str]:
    """Between two steps: that those behind are repeated for ever."""
    if story.loop != before:
        return []
    rule = "\u2500" if paint.unicode else "-"
    text = f"{rule * 2} from here on for ever "
    return ["", paint(text + rule * (paint.columns - width(text)), "magenta")]


def _again(story: Story, paint: Paint) -> list[str]:
    """Behind the last step of a run without an end: how it goes on."""
    if story.loop is None:
        return []
    if story.loop == len(story.rows):
        text = "nothing happens any more"
    elif story.loop == len(story.rows) - 1:
        text = f"step {story.loop + 1} again, and so on for ever"
    else:
        text = f"steps {story.loop + 1} to {len(story.rows)} again, and so on for ever"
    return ["", *(paint(" " * _MARGIN + line, "magenta") for line in wrapped(text, paint.columns - _MARGIN))]


def _ending(story: Story, broken: Broken, paint: Paint) -> list[str]:
    room = paint.columns - _MARGIN
    said = broken.said
    first, *rest = wrapped(_clean(said, paint), room, 0)
    lines = ["", paint(f"  => {first}", "bold red")]
    lines += [paint(" " * _MARGIN + line, "bold red") for line in rest]
    if broken.claim:
        claim = wrapped(_clean(broken.claim, paint), room - 2, 4)
        lines += [" " * (_MARGIN + 2) + line for line in claim]
    for text in broken.reason.lines():
        lines += [" " * (_MARGIN + 2) + line for line in wrapped(_clean(text, paint), room - 2, 4)]
    if broken.spot.path:
        lines += _right([cut(_clean(broken.spot.text, paint), paint.columns)], paint)
    reasons = [*(story.why.lines() if story.why else ()), *([story.guard.text] if story.guard else ())]
    for text in reasons:
        lines += [" " * _MARGIN + line for line in wrapped(_clean(text, paint), room, 7)]
    return lines
