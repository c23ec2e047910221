# SPDX-License-Identifier: GPL-2.0-only
"""What may be typed next: labels behind `@`, else names and keywords.  The editor sorts out what fits."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lsprotocol.types import CompletionItem, CompletionItemKind

from kvmcheck.elaborate.scopes import FunctionSymbol, Scope
from kvmcheck.lang import syntax as s
from kvmcheck.lang.tokens import Token, raw_tokens, vocabulary
from kvmcheck.lang.walk import nodes
from kvmcheck.lsp.positions import Shift
from kvmcheck.lsp.session import Session
from kvmcheck.lsp.shapes import locals_in
from kvmcheck.lsp.targets import Kind, Target
from kvmcheck.lsp.world import World, symbol_target
from kvmcheck.source.text import SourceText

_KINDS = {
    Kind.TYPE: CompletionItemKind.Struct,
    Kind.CONSTANT: CompletionItemKind.EnumMember,
    Kind.VARIABLE: CompletionItemKind.Variable,
    Kind.PARAMETER: CompletionItemKind.Constant,
    Kind.FUNCTION: CompletionItemKind.Function,
    Kind.PROPERTY: CompletionItemKind.Property,
    Kind.INSTANCE: CompletionItemKind.Module,
}


def completions(session: Session, path: Path, offset: int) -> list[CompletionItem]:
    """What may stand at a character of the file, going by what it was when it could last be read."""
    text = session.text(path) or ""
    analysis = session.last_good(path)
    world = analysis.world
    before = list(raw_tokens(SourceText("", text[:offset])))
    if before and before[-1].kind == "NAME" and before[-1].span.end == offset:
        before.pop()
    if before and before[-1].text == "@":
        return _labels(before, world)
    if before and before[-1].text in (".", "->"):
        return []
    found = {word: CompletionItem(word, kind=CompletionItemKind.Keyword) for word in keywords()}
    if world is not None:
        for name, symbol in world.scope.names.items():
            target = symbol_target(symbol, name, world)
            kind = _KINDS.get(target.kind, CompletionItemKind.Text)
            found[name] = CompletionItem(name, kind=kind, detail=target.kind.value)
        was = Shift(analysis.text, text).back(offset)
        for local in _locals(world, was if was is not None else offset):
            found[local] = CompletionItem(local, kind=CompletionItemKind.Variable, detail="local")
    return list(found.values())


@cache
def keywords() -> tuple[str, ...]:
    """The words of the grammar."""
    return tuple(sorted(word for word in vocabulary().words if len(word) > 1))


def _labels(before: list[Token], world: World | None) -> list[CompletionItem]:
    """The labels of the function that is named before the `@`; without one, those of all functions."""
    if world is None:
        return []
    path: list[str] = []
    end = before[-1].span.start
    for token in reversed(before[:-1]):
        if token.span.end != end or not (token.kind == "NAME" or token.text == "."):
            break
        end = token.span.start
        path.insert(0, token.text)
    if path:
        symbol = world.scope.find(tuple(path[::2]))
        if not isinstance(symbol, FunctionSymbol):
            return []
        found: dict[str, Target | None] = {**world.labels(symbol), "entry": None, "return": None}
    else:
        found = {
            label: target
            for function in _functions(world.scope)
            for label, target in world.labels(function).items()
        }
    return [
        CompletionItem(
            label,
            kind=CompletionItemKind.Reference,
            detail=" ".join(target.whole.text.split())[:60] if target is not None else None,
        )
        for label, target in found.items()
    ]


def _functions(scope: Scope) -> list[FunctionSymbol]:
    return [symbol for symbol in scope.names.values() if isinstance(symbol, FunctionSymbol)]


def _locals(world: World, offset: int) -> list[str]:
    """The locals of the function, or the names bound in the item, around a character."""
    for item in world.unit.entry.items:
        if item.span.start <= offset <= item.span.end:
            if isinstance(item, s.FunctionDecl):
                symbol = FunctionSymbol(item, world.scope, item.name.text)
                return [local.name.text for local in locals_in(symbol)]
            bound = (s.Binder, s.ProcessParam, s.LocalDecl, s.ForEach)
            return [node.name.text for node in nodes(item) if isinstance(node, bound)]
    return []
