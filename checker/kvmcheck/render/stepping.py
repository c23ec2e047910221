# SPDX-License-Identifier: GPL-2.0-only
"""One step of a run as a screen: who does what, what it changes, who holds what, and the whole state behind it."""

from __future__ import annotations

from collections.abc import Sequence

from kvmcheck.explain.story import Row, Story
from kvmcheck.render.paint import Paint
from kvmcheck.render.plain import cut, visible, width, wrapped

#: A name and what it holds.
State = Sequence[tuple[str, str]]
#: So many lines the state has at least, however small the screen.
_LEAST = 3

KEYS = "n or space: next   p: back   g: first   G: last   q: end"


def screen(story: Story, states: Sequence[State], at: int, height: int, paint: Paint) -> list[str]:
    """The screen for the state behind `at` steps (0: the beginning); at most `height` lines, none too wide."""
    row = story.rows[at - 1] if at else None
    top = _step(story, row, paint)
    bottom = [*_end(story, at, paint), paint(cut(KEYS, paint.columns), "dim")]
    room = max(_LEAST, height - len(top) - len(bottom))
    before = dict(states[at - 1]) if at else {}
    return [*top, *_state(states[at], before, room, paint), *bottom]


def _step(story: Story, row: Row | None, paint: Paint) -> list[str]:
    """The step itself, and the locks that are held behind it."""
    count = len(story.rows)
    if row is None:
        lines = [paint(f"the beginning, of {count} steps", "bold"), ""]
    else:
        call = row.innermost
        who = f"step {row.number} of {count}   {row.thread}{' (interrupt)' if row.handler else ''}"
        function = f"   {call.function}()" if call.function else ""
        kernel = f"   {call.kernel}" if call.kernel else ""
        lines = [
            paint(line, "bold") for line in wrapped(_clean(who + function + kernel, paint), paint.columns)
        ]
        label = f"@{call.label} " if call.label else ""
        style = "bold red" if row.breaks else "bold"
        statement = wrapped(_clean(label + call.text, paint), paint.columns - 2, 4)
        lines += ["", *("  " + paint(line, style) for line in statement)]
        lines += ["  " + paint(cut(_clean(call.spot.text, paint), paint.columns - 2), "dim")]
        for named in row.named:
            text = f"@{named.call.label} {named.call.statement}: {named.change.text}"
            lines += ["  " + line for line in wrapped(_clean(text, paint), paint.columns - 2, 4)]
        if row.access:
            lines += ["  " + line for line in wrapped(_clean(row.access, paint), paint.columns - 2, 4)]
        lines.append("")
    held = [f"{holding.thread} holds {', '.join(holding.locks)}" for holding in row.held] if row else []
    text = _clean("; ".join(held) or "nobody holds a lock", paint)
    return [*lines, *(paint(line, "cyan") for line in wrapped(text, paint.columns)), ""]


def _state(state: State, before: dict[str, str], room: int, paint: Paint) -> list[str]:
    """The state, what has changed marked with `*`; where there is no room for all, what has changed first."""
    changed = [(name, value) for name, value in state if before and before.get(name) != value]
    rest = [(name, value) for name, value in state if (name, value) not in changed]
    shown = state if len(state) <= room else [*changed, *rest][: room - 1]
    column = min(max((width(_clean(name, paint)) for name, _ in shown), default=0), paint.columns // 2)
    lines: list[str] = []
    for name, value in shown:
        is_new = (name, value) in changed
        was = f"   (was {before[name]})" if is_new and name in before else ""
        text = f"{_clean(name, paint).ljust(column)} = {_clean(value + was, paint)}"
        line = cut(f"{'*' if is_new else ' '} {text}", paint.columns)
        lines.append(paint(line, "yellow") if is_new else line)
    if len(shown) < len(state):
        lines.append(paint(f"  and {len(state) - len(shown)} more that have not changed", "dim"))
    return lines


def _end(story: Story, at: int, paint: Paint) -> list[str]:
    """What the last step comes to."""
    if at < len(story.rows) or story.broken is None:
        return [""]
    said = wrapped(_clean(f"=> {story.broken.said}", paint), paint.columns)
    reasons = [
        line
        for text in story.broken.reason.lines()
        for line in wrapped(_clean(text, paint), paint.columns - 3)
    ]
    return ["", *(paint(line, "bold red") for line in said), *("   " + line for line in reasons), ""]


def _clean(text: str, paint: Paint) -> str:
    return visible(text, ascii_only=not paint.unicode)
