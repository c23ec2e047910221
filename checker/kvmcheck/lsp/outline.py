# SPDX-License-Identifier: GPL-2.0-only
"""The outline of a file: what it declares, and what is inside that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from lsprotocol.types import DocumentSymbol, Range, SymbolKind

from kvmcheck.lang import syntax as s
from kvmcheck.lang.walk import nodes
from kvmcheck.lsp.places import Places
from kvmcheck.source.text import Span

#: A name, what kind of thing it is, a few words about it, its declaration, the name itself, what is in it.
_Entry = tuple[str, SymbolKind, str, Span, Span, "list[_Entry]"]


def outline(file: s.File, places: Places) -> list[DocumentSymbol]:
    """The symbols, as far as they are still where they were when the file was read."""
    return list(_symbols([_entry(item) for item in file.items], places))


def _symbols(entries: list[_Entry], places: Places) -> Iterator[DocumentSymbol]:
    for name, kind, detail, whole, named, inside in entries:
        outer, inner = places.range(whole), places.range(named)
        if outer is None or inner is None or not name:
            continue
        yield DocumentSymbol(
            name=name,
            kind=kind,
            range=outer,
            selection_range=inner if _holds(outer, inner) else outer,
            detail=detail or None,
            children=list(_symbols(inside, places)) or None,
        )


def _holds(outer: Range, inner: Range) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _named(name: s.Name, kind: SymbolKind, detail: str, whole: Span, inside: list[_Entry]) -> _Entry:
    return name.text, kind, detail, whole, name.span, inside


def _entry(item: s.Item) -> _Entry:
    match item:
        case s.UseDecl(module=module, span=span):
            return f"use {'.'.join(module)}", SymbolKind.Module, "", span, span, []
        case s.SortDecl(kind=kind):
            return _named(item.name, SymbolKind.TypeParameter, kind.value, item.span, [])
        case s.TypedefDecl():
            return _named(item.name, SymbolKind.TypeParameter, "typedef", item.span, [])
        case s.EnumDecl():
            inside = [_named(c, SymbolKind.EnumMember, "", c.span, []) for c in item.constants]
            return _named(item.name, SymbolKind.Enum, "enum", item.span, inside)
        case s.StructDecl(word=word):
            detail = "word struct" if word else "struct"
            return _named(item.name, SymbolKind.Struct, detail, item.span, _fields(item.fields))
        case s.ObjectDecl():
            return _named(item.name, SymbolKind.Class, "object", item.span, _fields(item.fields))
        case s.UnionDecl():
            return _named(item.name, SymbolKind.Struct, "word union", item.span, _fields(item.arms))
        case s.VarDecl(kind=variable):
            return _named(item.name, SymbolKind.Variable, variable.value, item.span, [])
        case s.ParamDecl():
            return _named(item.name, SymbolKind.Constant, "param", item.span, [])
        case s.FunctionDecl():
            labels = [
                _named(node.label, SymbolKind.Key, "label", node.span, [])
                for node in nodes(item.body)
                if isinstance(node, s.Labelled)
            ]
            detail = item.source.file if item.source is not None else "pure" if item.pure else ""
            return _named(item.name, SymbolKind.Function, detail, item.span, labels)
        case s.InvariantDecl():
            return _named(item.name, SymbolKind.Property, "invariant", item.span, [])
        case s.StepDecl():
            return _named(item.name, SymbolKind.Property, "step", item.span, [])
        case s.LiveDecl():
            return _named(item.name, SymbolKind.Property, "live", item.span, [])
        case s.CoverDecl():
            return _named(item.name, SymbolKind.Property, "cover", item.span, [])
        case s.ScenarioDecl():
            inside = [
                _named(part.name, SymbolKind.Function, "process", part.span, [])
                for part in item.items
                if isinstance(part, s.ProcessDecl)
            ]
            return _named(item.name, SymbolKind.Class, "scenario", item.span, inside)
        case s.MutantDecl():
            return _named(item.name, SymbolKind.Event, f"mutant of {item.base.text}", item.span, [])
        case _:
            assert_never(item)


def _fields(parts: tuple[s.FieldDecl, ...] | tuple[s.ArmDecl, ...]) -> list[_Entry]:
    return [_named(part.name, SymbolKind.Field, "", part.span, []) for part in parts]
