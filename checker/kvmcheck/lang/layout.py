# SPDX-License-Identifier: GPL-2.0-only
"""The canonical layout of a file: `kvmcheck fmt`.

Lines stay the lines that the writer made, comments stay where they are.  What is decided is how far
a line is indented (4 columns a level, labels of `goto` at the edge), the blanks between two tokens,
and blank lines (one at most, none at the inner edge of braces).  Several blanks in a row are kept
where they align something with another line of the paragraph, behind `@label`, behind `;`, and before
a comment at the end of a line.  No token is added, removed or moved.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from kvmcheck.errors import InternalError
from kvmcheck.lang.levels import Levels
from kvmcheck.lang.parse import parse, tokens
from kvmcheck.lang.spacing import Spacing
from kvmcheck.lang.table import END
from kvmcheck.lang.tokens import Token
from kvmcheck.source.diagnostic import BadInput, Collector
from kvmcheck.source.text import SourceText, Span

_INDENT = 4
_TAB = 8

#: Blanks before a comment that ends a line.
_BEFORE_COMMENT = 2

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)

#: Alignment can only get less from pass to pass, and two or three passes are the rule.
_MAX_PASSES = 50


@dataclass(frozen=True, slots=True)
class _Piece:
    """A token or a comment, where it stands, and the number of its token (for a comment: of the next)."""

    text: str
    start: int
    token: int
    is_comment: bool

    @property
    def end(self) -> int:
        """Behind its last character."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class _Line:
    """The pieces that stand on one line, and whether blank lines are above it."""

    pieces: tuple[_Piece, ...]
    blank_above: bool


def format_source(source: SourceText) -> str:
    """The text in canonical layout; raises `BadInput` if it has mistakes."""
    layout = first = _Layout(source)
    for _ in range(_MAX_PASSES):
        text = layout.text()
        if text == layout.source.text:
            break
        layout = _Layout(SourceText(source.path, text))
    else:
        raise InternalError("the layout of a file does not settle")
    if layout.words() != first.words():
        raise InternalError("the layout of a file changed what it says")
    return layout.source.text


def _pieces(source: SourceText, read: tuple[Token, ...]) -> Iterator[_Piece]:
    """The tokens and the comments between them, in order."""
    position = 0
    for number, token in enumerate(read):
        for comment in _COMMENT.finditer(source.text, position, token.span.start):
            yield _Piece(comment.group().rstrip(), comment.start(), number, True)
        if token.text:
            yield _Piece(token.text, token.span.start, number, False)
        position = token.span.end


class _Layout:
    """One pass over one text."""

    def __init__(self, source: SourceText) -> None:
        collector = Collector()
        file = parse(source, collector)
        read = tokens(source)
        if file is None or read is None:
            raise BadInput(collector.all())
        self.source = source
        end = Span(source, len(source.text), len(source.text))
        # The end of the text is a token too: comments stand before it.
        self._tokens = (*read, Token(END, "", end))
        self._levels = Levels(file)
        self._spacing = Spacing(file, self._tokens, self._levels.begins)
        self._pieces = tuple(_pieces(source, self._tokens))

    def words(self) -> tuple[list[str], str]:
        """What a layout may not touch: every token, and every character that is not blank."""
        return [token.text for token in self._tokens], "".join(self.source.text.split())

    def text(self) -> str:
        """The text laid out."""
        lines = list(self._lines())
        aligned = self._aligned(lines)
        indents = self._indents(lines)
        result: list[str] = []
        for number, line in enumerate(lines):
            if line.blank_above and result and not self._at_brace(lines[number - 1], line):
                result.append("")
            result.append(self._line(line, indents[number], aligned[number]))
        return "\n".join(result) + "\n" if result else ""

    def _aligned(self, lines: list[_Line]) -> list[set[int]]:
        """For each line, the columns at which pieces begin on other lines of its paragraph."""
        paragraphs: list[list[int]] = []
        for number, line in enumerate(lines):
            if line.blank_above or not paragraphs:
                paragraphs.append([])
            paragraphs[-1].append(number)
        result: list[set[int]] = []
        for paragraph in paragraphs:
            counts = Counter(
                column
                for number in paragraph
                for column in {self._column(piece.start) for piece in lines[number].pieces[1:]}
            )
            result.extend(
                {column for column, lines_there in counts.items() if lines_there > 1} for _ in paragraph
            )
        return result

    def _lines(self) -> Iterator[_Line]:
        """The pieces, cut where the writer cut them."""
        here: list[_Piece] = []
        blank = False
        for piece in self._pieces:
            gap = self.source.text[here[-1].end if here else 0 : piece.start]
            if here and "\n" in gap:
                yield _Line(tuple(here), blank)
                here, blank = [], gap.count("\n") > 1
            here.append(piece)
        if here:
            yield _Line(tuple(here), blank)

    def _at_brace(self, above: _Line, below: _Line) -> bool:
        """Whether a blank line would stand at the inner edge of braces."""
        return above.pieces[-1].text == "{" or below.pieces[0].text == "}"

    # ---- indentation

    def _indents(self, lines: list[_Line]) -> list[int]:
        """The column at which each line begins."""
        levels = self._line_levels()
        result: list[int] = []
        base_before, base_after = 0, 0
        for line in lines:
            first = line.pieces[0]
            level = self._comment_level(first, levels) if first.is_comment else levels.get(first.token)
            column = self._column(first.start)
            if level is not None:
                result.append(level * _INDENT)
                if not first.is_comment:
                    base_before, base_after = column, level * _INDENT
                continue
            least = 0 if first.text in ("}", ")", "]") else _INDENT
            result.append(base_after + max(column - base_before, least))
        return result

    def _comment_level(self, comment: _Piece, levels: dict[int, int]) -> int | None:
        """A comment stands as deep as what it is above."""
        following = self._tokens[comment.token]
        if not following.text:
            return 0
        level = levels.get(comment.token)
        if following.span.start in self._levels.labels:
            return self._levels.labels[following.span.start]
        return level + 1 if following.text == "}" and level is not None else level

    def _line_levels(self) -> dict[int, int]:
        """The level of each token that begins something, or ends a block."""
        levels: dict[int, int] = {}
        open_levels: list[int] = []
        current = 0
        for number, token in enumerate(self._tokens):
            level = self._levels.begins.get(token.span.start)
            if token.text == "}" and number in self._spacing.block_braces:
                level = open_levels.pop() if open_levels else 0
            elif token.text == "{" and number in self._spacing.block_braces:
                # The brace stands with what it belongs to.
                level = current if level is None else level
                open_levels.append(level)
            elif token.kind == "ELSE":
                level = self._levels.otherwise[self._tokens[number + 1].span.start]
            elif token.kind == "WHILE" and level is None:
                level = self._levels.do_conditions[self._tokens[number + 2].span.start]
            elif level is None and not open_levels and token.kind in ("LANGUAGE", "MODULE"):
                level = 0
            elif level is None and token.kind in ("CASE", "DEFAULT"):
                level = current
            elif level is None and number and number - 1 in self._spacing.block_braces:
                level = open_levels[-1] + 1 if self._tokens[number - 1].text == "{" else None
            if level is not None:
                levels[number] = level
                current = self._levels.labels.get(token.span.start, level)
        return levels

    # ---- inside a line

    def _line(self, line: _Line, indent: int, aligned: set[int]) -> str:
        """One line; `aligned`: the columns at which pieces of several lines begin."""
        first = line.pieces[0]
        text = " " * indent + self._shifted(first, indent)
        for left, right in pairwise(line.pieces):
            written = self._column(right.start) - self._column(left.end)
            if right.is_comment or left.is_comment:
                gap = 1 if left.is_comment or not right.text.startswith("//") else _BEFORE_COMMENT
                gap = max(gap, written) if right is line.pieces[-1] and right.is_comment else gap
            else:
                gap = self._spacing.between(left.token, right.token)
                if gap and (self._behind_label(left) or self._column(right.start) in aligned):
                    gap = max(gap, written)
                elif gap and left.text == ";":
                    gap = max(gap, min(written, 2))
            text += " " * gap + self._shifted(right, None)
        return text.rstrip()

    def _behind_label(self, piece: _Piece) -> bool:
        """Whether it is the A of `@A statement`."""
        before = piece.token - 1
        return before >= 0 and self._tokens[before].span.start in self._levels.marked

    def _shifted(self, piece: _Piece, indent: int | None) -> str:
        """A piece; the later lines of a block comment move with its first."""
        if not piece.is_comment or "\n" not in piece.text:
            return piece.text
        by = 0 if indent is None else indent - self._column(piece.start)
        first, *others = piece.text.split("\n")
        moved = [first.rstrip()]
        for line in others:
            body = line.expandtabs(_TAB)
            blanks = len(body) - len(body.lstrip())
            moved.append((" " * max(blanks + by, 0) + body.lstrip()).rstrip())
        return "\n".join(moved)

    def _column(self, offset: int) -> int:
        """The column of an offset, tabs expanded."""
        start = self.source.text.rfind("\n", 0, offset) + 1
        return len(self.source.text[start:offset].expandtabs(_TAB))
