# SPDX-License-Identifier: GPL-2.0-only
"""A diagnostic as a person reads it: message, place, the lines it is about with carets, and the mend.

Quoted text can't play tricks on a terminal: what it would obey, or not show, is written as an escape.
"""

from __future__ import annotations

from dataclasses import dataclass

from kvmcheck.render.paint import Paint
from kvmcheck.render.plain import visible, width
from kvmcheck.source.diagnostic import Diagnostic, Label, Severity
from kvmcheck.source.text import SourceText, Span

#: A longer line is cut around the place that is meant.
_MOST_COLUMNS = 100
#: As much is shown before that place.
_COLUMNS_BEFORE = 60
_TAB = 4
_LEFT_OUT = "..."
_SEVERITY_STYLE = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow"}


@dataclass(frozen=True, slots=True)
class _Mark:
    """A place on one line: columns from 0 in the raw line, `end` behind the last one."""

    line: int
    start: int
    end: int
    text: str
    primary: bool


def draw(diagnostic: Diagnostic, *, colour: bool = False) -> str:
    """The diagnostic on several lines, the last without its end."""
    paint = Paint(colour=colour)
    style = _SEVERITY_STYLE[diagnostic.severity]
    head = paint(f"{diagnostic.severity.value}[{diagnostic.code}]", style)
    lines = [f"{head}: {paint(visible(diagnostic.message), 'bold')}"]
    span = diagnostic.primary.span
    labels = [diagnostic.primary, *diagnostic.secondary]
    marks = [_mark(label, label is diagnostic.primary) for label in labels]
    margin = len(str(max(mark.line for mark in marks)))
    lines.append(f"{' ' * margin}{paint('-->', 'cyan')} {_place(span)}")
    if span.source.text:
        for source in dict.fromkeys(label.span.source for label in labels):
            if source != span.source:
                first = next(label for label in labels if label.span.source == source)
                lines.append(f"{' ' * margin}{paint(':::', 'cyan')} {_place(first.span)}")
            here = [m for m, label in zip(marks, labels, strict=True) if label.span.source == source]
            lines.extend(_quoted(source, here, margin, style, paint))
    notes = [("why", diagnostic.why), ("help", diagnostic.help)]
    if any(text for _, text in notes) and span.source.text:
        lines.append(f"{' ' * margin} {paint('|', 'cyan')}")
    for name, text in notes:
        if text:
            lines.append(f"{' ' * margin} {paint('=', 'cyan')} {paint(name, 'bold')}: {visible(text)}")
    return "\n".join(lines)


def draw_terse(diagnostic: Diagnostic) -> str:
    """The diagnostic on one line for editors: `path:line:col: ERROR:KVM101: message`."""
    severity = diagnostic.severity.value.upper()
    message = visible(diagnostic.message.replace("\n", " "))
    span = diagnostic.primary.span
    place = f"{visible(span.source.path)}:{span.line}:{span.column}"
    return f"{place}: {severity}:{diagnostic.code}: {message}"


def _place(span: Span) -> str:
    """`path:line:column`, or the path of what is no text."""
    path = visible(span.source.path)
    return f"{path}:{span.line}:{span.column}" if span.source.text else path


def _mark(label: Label, primary: bool) -> _Mark:
    """Where a label points, on the first line of its span."""
    span = label.span
    start = span.column - 1
    length = len(span.source.line(span.line).rstrip("\r"))
    end = min(start + max(span.end - span.start, 1), max(length, start + 1))
    return _Mark(span.line, start, end, label.text, primary)


def _quoted(source: SourceText, marks: list[_Mark], margin: int, style: str, paint: Paint) -> list[str]:
    """The lines that the marks are on, with carets under them; `:` stands for lines left out."""
    bar = paint("|", "cyan")
    lines = [f"{' ' * margin} {bar}"]
    previous = 0
    for number in sorted({mark.line for mark in marks}):
        if previous and number > previous + 1:
            lines.append(f"{' ' * margin} {paint(':', 'cyan')}")
        previous = number
        here = sorted((m for m in marks if m.line == number), key=lambda m: (not m.primary, m.start))
        raw = source.line(number).rstrip("\r")
        first = _first_shown(raw, here[0])
        text = _cut_at_both_ends(raw, first)
        lines.append(f"{paint(str(number).rjust(margin), 'cyan')} {bar} {text}".rstrip())
        for mark in here:
            begin = width(_shown(raw[first : mark.start], 0))
            before = begin + len(_LEFT_OUT) * (first > 0)
            columns = width(_shown(raw[mark.start : mark.end], begin))
            signs = ("^" if mark.primary else "-") * max(min(columns, _MOST_COLUMNS - before), 1)
            words = f"{signs} {visible(mark.text)}" if mark.text else signs
            painted = paint(words, style if mark.primary else "cyan")
            lines.append(f"{' ' * margin} {bar} {' ' * min(before, _MOST_COLUMNS)}{painted}")
    return lines


def _first_shown(raw: str, mark: _Mark) -> int:
    """From which column on a line is shown, so that the mark is on it."""
    if width(raw) <= _MOST_COLUMNS or mark.start <= _COLUMNS_BEFORE:
        return 0
    return mark.start - _COLUMNS_BEFORE


def _cut_at_both_ends(raw: str, first: int) -> str:
    """A line from column `first` on, safe to print."""
    text = (_LEFT_OUT if first else "") + _shown(raw[first:], 0)
    return text if width(text) <= _MOST_COLUMNS else text[:_MOST_COLUMNS] + _LEFT_OUT


def _shown(raw: str, column: int) -> str:
    """Part of a line, safe to print, with its tabs as blanks; `column` is where it begins."""
    pieces: list[str] = []
    for character in raw:
        piece = " " * (_TAB - column % _TAB) if character == "\t" else visible(character)
        pieces.append(piece)
        column += width(piece)
    return "".join(pieces)
