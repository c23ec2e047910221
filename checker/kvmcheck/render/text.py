# SPDX-License-Identifier: GPL-2.0-only
"""A story on a terminal: one column per thread, one block per step, only what changed.

No line is wider than the paint allows.  Text from the spec is made visible, never obeyed.
"""

from __future__ import annotations

from kvmcheck.explain.changes import ChangeKind
from kvmcheck.explain.story import Broken, Call, Row, Story
from kvmcheck.render.paint import Paint
from kvmcheck.render.plain import cut, padded, visible, width, wrapped

_MARGIN = 5
#: The narrowest last lane; further lanes to the left overlap rather than squeeze it.
_NARROWEST = 44


def told(story: Story, paint: Paint) -> list[str]:
    """The story in lines: who takes part, what happens, and what it breaks."""
    starts = _starts(len(story.lanes), paint.columns)
    lines = _beginning(story, paint)
    lines += _lanes(story, starts, paint)
    before: Row | None = None
    functions: dict[int, str] = {}
    for row in story.rows:
        function = _function(row)
        entering = before is None or before.lane != row.lane or functions.get(row.lane) != function
        functions[row.lane] = function
        lines += _step(row, starts[row.lane], entering, paint)
        before = row
    if story.broken is not None:
        lines += _ending(story.broken, paint)
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
    if not story.start:
        return []
    text = "begins with " + ", ".join(_clean(part, paint) for part in story.start)
    return [" " * _MARGIN + line for line in wrapped(text, paint.columns - _MARGIN)] + [""]


def _lanes(story: Story, starts: list[int], paint: Paint) -> list[str]:
    """The threads' names, each above its column; on lines of their own where they do not fit."""
    lines: list[str] = [""]
    for lane, name in enumerate(story.lanes):
        shown = cut(_clean(name, paint), paint.columns - starts[lane])
        if width(lines[-1]) + 2 > starts[lane] and lane:
            lines.append("")
        lines[-1] = padded(lines[-1], starts[lane]) + shown
    return [paint(line, "bold") for line in lines]


def _function(row: Row) -> str:
    call = row.innermost
    name = f"{call.function}@{call.label}" if call.label else call.function
    return f"interrupt: {name}".rstrip(": ") if row.handler else name


def _step(row: Row, start: int, entering: bool, paint: Paint) -> list[str]:
    indent, room = " " * start, paint.columns - start
    lines: list[str] = []
    if entering:
        lines += [paint(indent + line, "dim") for line in _entered(row, room, paint)]
    number = f"{row.number:>4}"
    call = row.innermost
    place = _place(call, paint)
    statement = wrapped(_clean(call.statement, paint), room, 4)
    body = [indent + line for line in statement]
    style = "bold red" if row.breaks else "bold"
    painted = [paint(number, "dim") + paint(body[0][len(number) :], style)]
    painted += [paint(line, style) for line in body[1:]]
    gap = paint.columns - width(place) - width(body[-1])
    if gap >= 2:
        painted[-1] += " " * gap + paint(place, "dim")
    else:
        painted.append(" " * (paint.columns - width(place)) + paint(place, "dim"))
    lines += painted
    for change in row.changes:
        colour = "cyan" if change.kind is ChangeKind.LOCAL else "yellow"
        text = _clean(change.text, paint)
        if change.kind is ChangeKind.GHOST:
            text += " (ghost)"
        lines += [paint(indent + "    " + line, colour) for line in wrapped(text, room - 4)]
    return lines


def _entered(row: Row, room: int, paint: Paint) -> list[str]:
    """The function whose statements follow, and the kernel function that it models."""
    function = _function(row) or "process"
    kernel = next((call.kernel for call in reversed(row.calls) if call.kernel), "")
    text = f"{function}: {kernel}" if kernel and kernel == row.innermost.kernel else f"{function}:"
    return wrapped(_clean(text, paint), room)


def _place(call: Call, paint: Paint) -> str:
    """`file:line`, the file without its folders where they would take too much room."""
    text = _clean(call.spot.text, paint)
    if width(text) > 28:
        text = text.rpartition("/")[2]
    return cut(text, 36)


def _ending(broken: Broken, paint: Paint) -> list[str]:
    room = paint.columns - _MARGIN
    said = f"{broken.property}: {broken.text}" if broken.text else broken.property
    first, *rest = wrapped(_clean(said, paint), room, 0)
    lines = ["", paint(f"  => {first}", "bold red")]
    lines += [paint(" " * _MARGIN + line, "bold red") for line in rest]
    if broken.claim:
        claim = wrapped(_clean(broken.claim, paint), room - 2, 4)
        lines += [" " * (_MARGIN + 2) + line for line in claim]
    for text in broken.reason.lines:
        lines += [" " * (_MARGIN + 2) + line for line in wrapped(_clean(text, paint), room - 2, 4)]
    if broken.spot.path:
        text = cut(_clean(broken.spot.text, paint), paint.columns)
        lines.append(" " * max(0, paint.columns - width(text)) + paint(text, "dim"))
    return lines
