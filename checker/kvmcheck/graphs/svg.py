# SPDX-License-Identifier: GPL-2.0-only
"""A sheet as SVG: one file by itself, light or dark as its reader is, with a note for whoever points at a node."""

from __future__ import annotations

from xml.sax.saxutils import escape

from kvmcheck.graphs.drawing import LINE, Box, Line, Sheet, arrow_of, middle_of, sheet
from kvmcheck.graphs.picture import Picture
from kvmcheck.render.plain import visible

_STYLE = """\
  svg { background: #fff; color: #222; font: 12px monospace; }
  rect { fill: #fff; stroke: #555; } rect.start { stroke-width: 2.5; } rect.last { stroke-dasharray: 4 2; }
  rect.broken { stroke: #c00; stroke-width: 2.5; }
  text { fill: currentColor; white-space: pre; } .name { font-weight: bold; } .broken { fill: #c00; }
  rect.broken { fill: #fff; }
  .label { font-size: 10px; stroke: #fff; stroke-width: 3px; paint-order: stroke; }
  polyline { fill: none; stroke: #888; } polygon { fill: #888; }
  .conflict polyline { stroke: #06c; stroke-dasharray: 5 3; } .conflict polygon { fill: #06c; }
  .needed polyline { stroke: #c00; stroke-width: 2.5; } .needed polygon { fill: #c00; }
  @media (prefers-color-scheme: dark) {
    svg { background: #1b1b1b; color: #ddd; } rect, rect.broken { fill: #262626; } rect { stroke: #999; }
    .broken { fill: #f77; } rect.broken { stroke: #f77; } .label { stroke: #1b1b1b; }
    .conflict polyline { stroke: #6af; } .conflict polygon { fill: #6af; }
    .needed polyline { stroke: #f77; } .needed polygon { fill: #f77; }
  }
"""


def as_svg(picture: Picture) -> str:
    """The picture as an SVG file; ends in a newline."""
    drawn = sheet(picture)
    size = f'width="{drawn.width:.0f}" height="{drawn.height:.0f}"'
    view = f"0 0 {drawn.width:.0f} {drawn.height:.0f}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="{view}" role="img">',
        f"<title>{_text(drawn.title)}</title>",
        f"<style>\n{_STYLE}</style>",
        f'<text class="name" x="24" y="24">{_text(drawn.title)}</text>',
    ]
    lines += [
        f'<text class="name" x="{heading.at[0]:.1f}" y="{heading.at[1]:.1f}" text-anchor="middle">'
        f"{_text(heading.text)}</text>"
        for heading in drawn.headings
    ]
    lines += [part for line in drawn.lines for part in _line(line)]
    lines += [part for box in drawn.boxes for part in _box(box)]
    lines += _labels(drawn)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _line(line: Line) -> list[str]:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in line.points)
    arrow = " ".join(f"{x:.1f},{y:.1f}" for x, y in arrow_of(line))
    return [f'<g class="{line.tie.value}"><polyline points="{points}"/><polygon points="{arrow}"/></g>']


def _labels(drawn: Sheet) -> list[str]:
    found: list[str] = []
    for line in drawn.lines:
        if line.label:
            x, y = middle_of(line)
            found.append(
                f'<text class="label" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{_text(line.label)}</text>'
            )
    return found


def _box(box: Box) -> list[str]:
    role = box.role.value
    note = "\n".join(_text(line) for line in box.note.split("\n"))
    size = f'width="{box.width:.1f}" height="{box.height:.1f}"'
    found = [
        f"<g><title>{note}</title>",
        f'<rect class="{role}" x="{box.left:.1f}" y="{box.top:.1f}" {size} rx="3"/>',
    ]
    for number, line in enumerate(box.lines, start=1):
        found.append(
            f'<text class="{role}" x="{box.left + 6:.1f}" y="{box.top + LINE * number:.1f}">{_text(line)}</text>'
        )
    return [*found, "</g>"]


def _text(text: str) -> str:
    return escape(visible(text), {'"': "&quot;"})
