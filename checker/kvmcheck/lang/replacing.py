# SPDX-License-Identifier: GPL-2.0-only
"""`replace module A with B;`: what a unit is when every `use A` in it means `use B`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import MappingProxyType

from kvmcheck.lang.imports import ModulePath, Unit
from kvmcheck.lang.syntax import File, MutantDecl, ReplaceModule, UseDecl
from kvmcheck.source.diagnostic import Collector


def with_modules_replaced(unit: Unit, mutants: Iterable[MutantDecl], collector: Collector) -> Unit:
    """The unit after the replacements of its `use … with` lines, then of the mutants, in order.

    In B itself `use A` stays as it is, so B may build on A.  A replacement that changes nothing, or that makes
    modules use each other in a circle, is reported and left out.
    """
    files = (*unit.modules.values(), unit.entry)
    in_uses = (edit for file in files for use in _uses(file) for edit in use.edits)
    for edit in (*in_uses, *(edit for mutant in mutants for edit in mutant.edits)):
        if not isinstance(edit, ReplaceModule):
            continue
        old, new = ".".join(edit.module), ".".join(edit.by)
        after = _replaced(unit, edit)
        if after == unit:
            collector.error("KVM453", f"this edit changes nothing: no module `{old}` is used here", edit.span)
        elif circle := _circle(after):
            drawn = " -> ".join(".".join(module) for module in circle)
            collector.error(
                "KVM011",
                f"with `{new}` for `{old}` modules use each other in a circle: {drawn}",
                edit.span,
            )
        else:
            unit = after
    return unit


def _replaced(unit: Unit, edit: ReplaceModule) -> Unit:
    """The unit after one replacement."""
    modules = {
        path: file if path == edit.by else _with_uses_replaced(file, edit)
        for path, file in unit.modules.items()
    }
    return Unit(_with_uses_replaced(unit.entry, edit), MappingProxyType(modules))


def _with_uses_replaced(file: File, edit: ReplaceModule) -> File:
    items = tuple(
        replace(item, module=edit.by) if isinstance(item, UseDecl) and item.module == edit.module else item
        for item in file.items
    )
    return file if items == file.items else replace(file, items=items)


def _circle(unit: Unit) -> tuple[ModulePath, ...]:
    """The way round one circle of modules; empty if there is none."""
    done: set[ModulePath] = set()
    way: dict[ModulePath, Iterator[UseDecl]] = {(): iter(_uses(unit.entry))}
    while way:
        module, uses = next(reversed(way.items()))
        use = next(uses, None)
        if use is None:
            done.add(module)
            del way[module]
        elif use.module in way:
            passed = list(way)
            return (*passed[passed.index(use.module) :], use.module)
        elif use.module not in done:
            way[use.module] = iter(_uses(unit.modules[use.module]))
    return ()


def _uses(file: File) -> tuple[UseDecl, ...]:
    return tuple(item for item in file.items if isinstance(item, UseDecl))
