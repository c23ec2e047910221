# SPDX-License-Identifier: GPL-2.0-only
"""Text line by line, and what every target says at its top."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kvmcheck.export.model import Model
from kvmcheck.source.text import Span


class Lines:
    """A text that grows.  `mark`: what begins a comment of the target."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.depth = 0
        self._lines: list[str] = []
        self._noted = ""

    def put(self, line: str = "") -> None:
        """One more line."""
        self._lines.append(f"{'  ' * self.depth}{line}".rstrip())
        if not line:
            self._noted = ""

    def note(self, text: str) -> None:
        """A comment, unless the last one was the same."""
        if text and text != self._noted:
            self.put(f"{self.mark} {text}")
            self._noted = text

    @contextmanager
    def indented(self) -> Iterator[None]:
        """Further to the right."""
        self.depth += 1
        yield
        self.depth -= 1

    def text(self) -> str:
        """All of it."""
        return "".join(f"{line}\n" for line in self._lines)


def comment_of(span: Span) -> str:
    """Where something stands in the spec, and the line there."""
    line = span.source.line(span.line)
    name = span.source.path.rsplit("/", 1)[-1]
    return harmless(f"{name}:{span.line}: {line}") if line.strip() else ""


def harmless(text: str) -> str:
    """A text in one line that ends no comment and continues none (a backslash at a line's end would)."""
    plain = " ".join(text.split()).encode("ascii", "replace").decode("ascii").replace("\\", "/")
    return plain.replace("*/", "* /").replace("/*", "/ *").replace("*)", "* )").replace("(*", "( *")


def header_lines(lines: Lines, model: Model) -> None:
    """What the text is, and what it lacks."""
    program = model.program
    lines.put(f"{lines.mark} {harmless(f'{program.name}: {program.title}')}")
    sizes = ", ".join(f"{name} = {value}" for name, value in program.sizes)
    if sizes:
        lines.put(f"{lines.mark} {harmless(sizes)}")
    lines.put(f"{lines.mark} Written by `kvmcheck export`; one step there is one step here.")
    for left in model.left_out:
        lines.put(f"{lines.mark} {harmless(f'Left out: {left.name}: {left.why}.')}")
    lines.put()
