# SPDX-License-Identifier: GPL-2.0-only
"""Short ways from text to syntax, for tests."""

from __future__ import annotations

from kvmcheck.lang import syntax as s
from kvmcheck.lang.parse import parse
from kvmcheck.source.diagnostic import Collector, Diagnostic
from kvmcheck.source.text import SourceText


def parsed(text: str) -> s.File:
    """The tree of a text without mistakes."""
    collector = Collector()
    file = parse(SourceText("test.kvm", text), collector)
    assert file is not None, [(d.primary.span.line, d.message) for d in collector.all()]
    return file


def found_in(text: str) -> tuple[Diagnostic, ...]:
    """What is said about a text."""
    collector = Collector()
    parse(SourceText("test.kvm", text), collector)
    return collector.all()


def codes_of(text: str) -> list[tuple[str, int]]:
    """The codes of what is said about a text, with their lines."""
    return [(found.code, found.primary.span.line) for found in found_in(text)]


def functions_of(text: str) -> dict[str, s.FunctionDecl]:
    """The functions that a text declares, by name."""
    return {item.name.text: item for item in parsed(text).items if isinstance(item, s.FunctionDecl)}


def statements(text: str) -> tuple[s.Stmt, ...]:
    """The statements of a function's body."""
    return functions_of(f"void f() {{ {text} }}")["f"].body.body


def statement(text: str) -> s.Stmt:
    """One statement."""
    (only,) = statements(text)
    return only


def expression(text: str) -> s.Expr:
    """An expression, as it may stand in a property."""
    (item,) = parsed(f"invariant i {{ {text} }}").items
    assert isinstance(item, s.InvariantDecl)
    return item.body


def edits(text: str) -> tuple[s.Edit, ...]:
    """The edits of a mutant."""
    (item,) = parsed(f'mutant m of s "m" {{ {text} }}').items
    assert isinstance(item, s.MutantDecl)
    return item.edits
