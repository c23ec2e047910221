# SPDX-License-Identifier: GPL-2.0-only
"""A sheet as PNG, drawn by Pillow, which is an extra: `kvmcheck[png]`."""

from __future__ import annotations

import io

from kvmcheck.graphs.drawing import LINE, arrow_of, middle_of, sheet
from kvmcheck.graphs.picture import Picture, Role, Tie

#: Pixels for each of the sheet's: sharp on a screen of today.
_SCALE = 2.0
#: A larger one is no picture to look at, and would not fit into memory.
_MOST_PIXELS = 100_000_000
_COLOURS = {Tie.PROGRAM: "#888888", Tie.CONFLICT: "#0066cc", Tie.NEEDED: "#cc0000", Tie.STEP: "#888888"}


class NoPillow(Exception):
    """Pillow is not installed."""


class TooManyPixels(Exception):
    """The picture would be too large; carries its width and height."""


def as_png(picture: Picture) -> bytes:
    """The picture as a PNG file; raises `NoPillow`, `TooManyPixels`."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        raise NoPillow from None
    drawn = sheet(picture)
    size = int(drawn.width * _SCALE), int(drawn.height * _SCALE)
    if size[0] * size[1] > _MOST_PIXELS:
        raise TooManyPixels(f"{size[0]} x {size[1]}")
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    plain, small = ImageFont.load_default(10 * _SCALE), ImageFont.load_default(8.5 * _SCALE)

    def scaled(points: tuple[tuple[float, float], ...]) -> list[tuple[float, float]]:
        return [(x * _SCALE, y * _SCALE) for x, y in points]

    pen.text((24 * _SCALE, 12 * _SCALE), drawn.title, fill="black", font=plain)
    for heading in drawn.headings:
        (at,) = scaled((heading.at,))
        pen.text(at, heading.text, fill="black", font=plain, anchor="ms")
    for line in drawn.lines:
        width = int((2.5 if line.tie is Tie.NEEDED else 1.2) * _SCALE)
        pen.line(scaled(line.points), fill=_COLOURS[line.tie], width=width)
        pen.polygon(scaled(arrow_of(line)), fill=_COLOURS[line.tie])
    for box in drawn.boxes:
        broken = box.role is Role.BROKEN
        corners = scaled(((box.left, box.top), (box.left + box.width, box.top + box.height)))
        edge = "#cc0000" if broken else "#555555"
        thick = int((2.5 if box.role in (Role.BROKEN, Role.START) else 1.0) * _SCALE)
        pen.rectangle([corners[0], corners[1]], fill="white", outline=edge, width=thick)
        for number, text in enumerate(box.lines, start=1):
            (at,) = scaled(((box.left + 6, box.top + LINE * number),))
            pen.text(at, text, fill="#cc0000" if broken else "black", font=plain, anchor="ls")
    for line in drawn.lines:
        if line.label:
            (at,) = scaled((middle_of(line),))
            frame = pen.textbbox(at, line.label, font=small, anchor="mm")
            pen.rectangle(frame, fill="white")
            pen.text(at, line.label, fill="#333333", font=small, anchor="mm")
    target = io.BytesIO()
    image.save(target, "PNG")
    return target.getvalue()
