# SPDX-License-Identifier: GPL-2.0-only
"""Where a statement begins and ends in a source text, and how it reads on one line.

A node of the program knows the span it comes from, which may be a part of a statement (one load of it) or
more than one line (a whole `if`).  People want to see the statement, in the author's own words.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

from kvmcheck.source.text import SourceText, Span

_TOKEN = re.compile(
    r"""(?P<blank>\s+|//[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<text>"[^"\n]*"?)
      | (?P<word>\w+)
      | (?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
#: An `atomic` block is one step: so much of what it does is shown.
_MOST_OF_A_BLOCK = 40
_HEADS = frozenset({"if", "while", "for", "switch", "repeat"})
_LABELS = re.compile(r"^(?:@\w+\s*|(?:case\b[^:]*|default|\w+)\s*:(?!:)\s*|else\s+|do\s+)")
_SOURCE = re.compile(r'\bfrom\s+"([^"\n]*)"(?:\s+at\s+"([^"\n]*)")?')


@dataclass(frozen=True, slots=True)
class KernelSource:
    """The kernel function that a function of the model stands for."""

    function: str
    file: str
    version: str


def squeezed(text: str) -> str:
    """The text on one line: comments gone, each run of white space one blank."""
    parts = [" " if m.lastgroup == "blank" else m.group() for m in _TOKEN.finditer(text)]
    return re.sub(r" +", " ", "".join(parts)).strip()


def statement(span: Span) -> str:
    """The statement that a span belongs to, on one line, without its labels, its block and its `;`."""
    if span.start == span.end:
        return squeezed(span.text)
    edges = _edges(span.source)
    at = bisect_right(edges, span.start)
    start = edges[at - 1] if at else 0
    end = edges[at] if at < len(edges) else len(span.source.text)
    text = _trimmed(span.source.text[start:end], span.start - start)
    if text.split("(")[0].strip() in _HEADS and text.endswith(")"):
        text += " ..."
    if text == "atomic":
        inside = squeezed(span.source.text[end : end + 4 * _MOST_OF_A_BLOCK])
        text = f"atomic {{ {inside[:_MOST_OF_A_BLOCK].rstrip()} ..."
    return text


def has_label(span: Span, label: str) -> bool:
    """Whether a label stands directly in front of the statement that a span belongs to, not of a block around it."""
    edges = _edges(span.source)
    at = bisect_right(edges, span.start)
    start = edges[at - 1] if at else 0
    end = edges[at] if at < len(edges) else len(span.source.text)
    return re.search(rf"@{re.escape(label)}\b", squeezed(span.source.text[start:end])) is not None


def own_text(span: Span) -> str:
    """What stands at exactly this span, on one line."""
    return squeezed(span.text)


def claim_text(span: Span) -> str:
    """A property's claim on one line: of a whole declaration (`invariant NAME { … }`) what stands in its block."""
    text = squeezed(span.text)
    opened, closed = text.find("{"), text.rfind("}")
    whole = re.match(r"(?:inductive\s+)?(?:invariant|step)\s+\w+", text)
    return text[opened + 1 : closed].strip() if whole and 0 <= opened < closed else text


def kernel_source(function: str, declaration: Span) -> KernelSource | None:
    """What `from "file" at "version"` of a function's declaration says, if it has one."""
    text = declaration.source.text
    head = squeezed(text[declaration.start : _end_of_head(text, declaration.start)])
    match = _SOURCE.search(head)
    return KernelSource(function, match[1], match[2] or "") if match else None


def _end_of_head(text: str, start: int) -> int:
    for token in _TOKEN.finditer(text, start):
        if token.lastgroup == "sign" and token.group() in "{;":
            return token.start()
    return len(text)


def _trimmed(text: str, inside: int) -> str:
    """The innermost statement of `text` around offset `inside`: labels and finished heads are cut off."""
    while True:
        rest = text[inside:]
        blank = _TOKEN.match(text)
        if blank and blank.lastgroup == "blank" and blank.end() <= inside:
            text, inside = text[blank.end() :], inside - blank.end()
            continue
        label = _LABELS.match(text)
        if label and label.end() <= inside:
            text, inside = text[label.end() :], inside - label.end()
            continue
        head = _end_of_condition(text)
        if head is not None and head <= inside and rest:
            text, inside = text[head:], inside - head
            continue
        # The offset is in front of the rest: a label or `else` that the span itself includes.
        if label and label.end() < len(text):
            text, inside = text[label.end() :], 0
            continue
        return squeezed(text).rstrip(";{ ").strip()


def _end_of_condition(text: str) -> int | None:
    """Behind `if (…)` and the like, when the text begins with one."""
    word = re.match(r"(\w+)\s*\(", text)
    if not word or word[1] not in _HEADS:
        return None
    depth = 0
    for token in _TOKEN.finditer(text, word.end() - 1):
        if token.lastgroup == "sign":
            depth += {"(": 1, ")": -1}.get(token.group(), 0)
            if depth == 0:
                return token.end()
    return None


@lru_cache(maxsize=64)
def _edges(source: SourceText) -> list[int]:
    """The offsets behind each `;`, `{` and `}` that ends a statement or delimits a block, ascending.

    Braces of literals and semicolons in parentheses are no edges.
    """
    edges: list[int] = []
    blocks: list[bool] = []  # for each open brace: whether it is a block
    parens: list[str] = []  # for each open parenthesis: the token in front of it
    before = ""  # the token before this one
    cast = False  # whether `before` closes a parenthesis that no word stood in front of
    for token in _TOKEN.finditer(source.text):
        kind, text = token.lastgroup, token.group()
        if kind == "blank":
            continue
        was_cast, cast = cast, False
        if kind == "sign":
            if text == "(":
                parens.append(before)
            elif text == ")" and parens:
                cast = not re.fullmatch(r"\w+|\]", parens.pop()) or False
            elif text == "{":
                block = not was_cast and bool(re.fullmatch(r'\w+|[\]){};:]|".*', before or "{"))
                block = block and before not in ("in", "return")
                blocks.append(block)
                if block:
                    parens.clear()
                    edges.append(token.end())
            elif text == "}":
                if not blocks or blocks.pop():
                    edges.append(token.end())
            elif text == ";" and not parens:
                edges.append(token.end())
        before = text
    return edges
