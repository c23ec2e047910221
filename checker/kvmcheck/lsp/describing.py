# SPDX-License-Identifier: GPL-2.0-only
"""What an editor shows over a name: its declaration with type and guard, its kernel source, the comment above it."""

from __future__ import annotations

import re

from lsprotocol.types import MarkupContent, MarkupKind

from kvmcheck.lsp.targets import Kind, Target
from kvmcheck.render.plain import visible
from kvmcheck.source.text import Span

#: A declaration is shown up to here.
_MOST_LINES = 12

_BEFORE_BODY = re.compile(r"\{")
_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&:])")

#: What has a body that a reader need not see.
_WITH_BODY = frozenset({Kind.FUNCTION, Kind.CASE, Kind.PROCESS})


def described(target: Target, *, markdown: bool) -> MarkupContent:
    """The description; what a spec's author wrote has no meaning as Markdown in it."""
    head, remark = declaration(target), comment_above(target.whole)
    source = target.source
    models = f"models {target.name}() of {source.file}" if source is not None else ""
    if source is not None and source.version:
        models += f" at {source.version}"
    if not markdown:
        parts = [f"{target.kind.value}: {head}", models, remark]
        return MarkupContent(MarkupKind.PlainText, "\n\n".join(part for part in parts if part))
    fence = "`" * (max([2, *(len(run) for run in re.findall("`+", head))]) + 1)
    parts = [f"{fence}kvm\n{head}\n{fence}", target.kind.value, _plain(models), _plain(remark)]
    return MarkupContent(MarkupKind.Markdown, "\n\n".join(part for part in parts if part))


def declaration(target: Target) -> str:
    """The declaration as it is written, without a body, and without the indentation of its place."""
    text = target.whole.text
    if target.kind in _WITH_BODY:
        found = _BEFORE_BODY.search(text)
        text = text[: found.start()].rstrip() if found else text
    indent = " " * (target.whole.column - 1)
    lines = [visible(line.removeprefix(indent).rstrip()) for line in text.split("\n")]
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], "…"]
    return "\n".join(lines)


def comment_above(span: Span) -> str:
    """The `//` lines right above a declaration, else the comment at the end of its line."""
    text = span.source.text
    above: list[str] = []
    for line in reversed(text[: span.start].split("\n")[:-1]):
        words = line.strip()
        if not words.startswith("//") or "SPDX-" in words:
            break
        above.insert(0, words.lstrip("/").strip())
    if any(above):
        return "\n".join(visible(line) for line in above).strip()
    behind = text[span.end :].split("\n", 1)[0].strip(" ;")
    return visible(behind.lstrip("/").strip()) if behind.startswith("//") else ""


def _plain(text: str) -> str:
    """The text as Markdown that shows just that."""
    return _MARKS.sub(r"\\\1", text)
