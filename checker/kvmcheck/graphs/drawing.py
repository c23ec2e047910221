# SPDX-License-Identifier: GPL-2.0-only
"""Where everything of a picture goes on a sheet: boxes, lines and texts with coordinates, in pixels from the top left.

SVG and PNG are drawn from the same sheet.  A run has a column for each thread and time runs down; a state graph has a
row for each distance from the start, in the middle of the sheet.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from kvmcheck.graphs.notation import shown
from kvmcheck.graphs.picture import Edge, Node, Picture, Role, Tie
from kvmcheck.render.plain import cut, visible, width

#: A character of the monospaced type, and a line of it.
CHARACTER, LINE = 7.3, 16.0
_PADDING = 6.0
_MARGIN = 24.0
_GAP = 36.0
_HEAD = 60.0
#: Columns of the title.
_TITLE = 90

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A node: its rectangle, its lines, and its note."""

    left: float
    top: float
    width: float
    height: float
    lines: tuple[str, ...]
    role: Role
    note: str


@dataclass(frozen=True, slots=True)
class Line:
    """An edge: the points that it goes through, with an arrow at the last one, and its label.

    `part`: so far along its middle piece the label stands, nearer to the end where fewer edges meet.
    """

    points: tuple[Point, ...]
    tie: Tie
    label: str
    part: float


@dataclass(frozen=True, slots=True)
class Heading:
    """The name of a column, in its middle."""

    at: Point
    text: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The whole drawing."""

    width: float
    height: float
    title: str
    headings: tuple[Heading, ...]
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def sheet(picture: Picture) -> Sheet:
    """The picture, laid out."""
    boxes = _columns(picture) if picture.lanes else _rows(picture)
    right = max((box.left + box.width for box in boxes.values()), default=200.0)
    bottom = max((box.top + box.height for box in boxes.values()), default=_HEAD)
    lines: list[Line] = []
    for edge, part in zip(picture.edges, _parts(picture), strict=True):
        detour = None
        if _goes_up(edge, boxes):
            right += 30.0
            detour = right
        lines.append(_line(edge, boxes, detour, part))
    headings: list[Heading] = []
    for lane, name in enumerate(picture.lanes):
        inside = [boxes[node.key] for node in picture.nodes if node.lane == lane]
        if inside:
            headings.append(Heading((inside[0].left + inside[0].width / 2, _HEAD - 14.0), shown(name)))
    title = cut(visible(picture.title), _TITLE)
    wide = max(right, _MARGIN + CHARACTER * width(title))
    return Sheet(
        wide + _MARGIN, bottom + _MARGIN, title, tuple(headings), tuple(boxes.values()), tuple(lines)
    )


def _size(node: Node) -> tuple[float, float]:
    widest = max((width(shown(line)) for line in node.lines), default=1)
    return widest * CHARACTER + 2 * _PADDING, len(node.lines) * LINE + 2 * _PADDING


def _columns(picture: Picture) -> dict[int, Box]:
    """A column for each lane, as wide as its widest box; each box below all that came before it."""
    wide = [
        max((_size(node)[0] for node in picture.nodes if node.lane == lane), default=40.0)
        for lane in range(len(picture.lanes))
    ]
    boxes: dict[int, Box] = {}
    top = _HEAD
    for node in sorted(picture.nodes, key=lambda node: node.row):
        left = _MARGIN + sum(wide[: node.lane]) + node.lane * 2 * _GAP
        boxes[node.key] = _box(node, left, top, wide[node.lane])
        top += boxes[node.key].height + _GAP / 3
    return boxes


def _rows(picture: Picture) -> dict[int, Box]:
    """A row for each distance, the boxes beside each other, in the middle."""
    rows: dict[int, list[Node]] = {}
    for node in picture.nodes:
        rows.setdefault(node.row, []).append(node)
    spans = {row: sum(_size(node)[0] + _GAP for node in nodes) - _GAP for row, nodes in rows.items()}
    widest = max(spans.values(), default=0.0)
    boxes: dict[int, Box] = {}
    top = _HEAD
    for row in sorted(rows):
        left = _MARGIN + (widest - spans[row]) / 2
        for node in sorted(rows[row], key=lambda node: node.lane):
            boxes[node.key] = _box(node, left, top, _size(node)[0])
            left += boxes[node.key].width + _GAP
        top += max(_size(node)[1] for node in rows[row]) + 2 * _GAP
    return boxes


def _box(node: Node, left: float, top: float, wide: float) -> Box:
    lines = tuple(shown(line) for line in node.lines)
    return Box(left, top, wide, _size(node)[1], lines, node.role, node.note)


def _goes_up(edge: Edge, boxes: dict[int, Box]) -> bool:
    return boxes[edge.target].top <= boxes[edge.source].top


def _parts(picture: Picture) -> list[float]:
    """For each edge how far along its label stands: where several edges begin, labels there would lie on each other."""
    leave = Counter(edge.source for edge in picture.edges)
    enter = Counter(edge.target for edge in picture.edges)
    parts: list[float] = []
    for edge in picture.edges:
        away = leave[edge.source] - enter[edge.target]
        parts.append(0.5 if edge.tie is not Tie.STEP or not away else 0.68 if away > 0 else 0.32)
    return parts


def _line(edge: Edge, boxes: dict[int, Box], detour: float | None, part: float) -> Line:
    one, other = boxes[edge.source], boxes[edge.target]
    middle = one.left + one.width / 2
    points: tuple[Point, ...]
    if detour is not None:  # back up, or to itself: round the right side of everything
        start, end = (
            (one.left + one.width, one.top + one.height - 8.0),
            (other.left + other.width, other.top + 8.0),
        )
        points = (start, (detour, start[1]), (detour, end[1]), end)
    elif one.left == other.left:
        points = ((middle, one.top + one.height), (middle, other.top))
    elif edge.tie is Tie.STEP:
        points = ((middle, one.top + one.height), (other.left + other.width / 2, other.top))
    elif one.left < other.left:
        points = (
            (one.left + one.width, one.top + one.height / 2),
            (other.left, other.top + other.height / 2),
        )
    else:
        points = (
            (one.left, one.top + one.height / 2),
            (other.left + other.width, other.top + other.height / 2),
        )
    return Line(points, edge.tie, shown(edge.label) if edge.label else "", part)


def middle_of(line: Line) -> Point:
    """Where the label of a line stands."""
    (x, y), (to_x, to_y) = line.points[len(line.points) // 2 - 1], line.points[len(line.points) // 2]
    return x + (to_x - x) * line.part, y + (to_y - y) * line.part


def arrow_of(line: Line) -> tuple[Point, Point, Point]:
    """The three corners of the arrow at a line's end."""
    (x, y), (end_x, end_y) = line.points[-2], line.points[-1]
    length = max(((end_x - x) ** 2 + (end_y - y) ** 2) ** 0.5, 0.001)
    along_x, along_y = (end_x - x) / length, (end_y - y) / length
    back_x, back_y = end_x - 8.0 * along_x, end_y - 8.0 * along_y
    return (
        (end_x, end_y),
        (back_x - 3.5 * along_y, back_y + 3.5 * along_x),
        (back_x + 3.5 * along_y, back_y - 3.5 * along_x),
    )
