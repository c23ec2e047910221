# SPDX-License-Identifier: GPL-2.0-only
"""The files that a spec is made of, found without taking them apart.

The same files as `lang.imports.load` would read, by the same rules, given what each text uses.  Whoever knows that from
an earlier run need not parse anything to know whether a spec is still what it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kvmcheck.lang.imports import MAX_MODULES, ModulePath, Unit, is_inside, is_there, shown, used_modules
from kvmcheck.lang.parse import parse
from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.text import SourceText, read

#: What a text uses, in order; None: nobody knows, or it can't be read.
UsesOf = Callable[[SourceText], tuple[ModulePath, ...] | None]


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a spec.  `module` is empty for the spec itself.

    `passed`: where the module was looked for before, and would be found if somebody put a file there.
    """

    module: ModulePath
    path: Path
    source: SourceText
    passed: tuple[Path, ...]


def closure(path: Path, search: tuple[Path, ...], uses_of: UsesOf) -> tuple[Part, ...] | None:
    """The spec and every module that it uses, directly or not; None where `load` would find a mistake.

    Circles and `module` lines of a wrong name are not looked for: such a spec is never one that was once read.
    """
    folders = (path.parent, *search)
    entry = _part((), path, str(path), ())
    if entry is None:
        return None
    parts: dict[ModulePath, Part] = {(): entry}
    waiting = [entry]
    for part in waiting:
        uses = uses_of(part.source)
        if uses is None:
            return None
        for module in uses:
            if module in parts:
                continue
            found = _found(module, folders)
            if found is None or len(parts) > MAX_MODULES:
                return None
            parts[module] = found
            waiting.append(found)
    return tuple(parts.values())


def parts_of(unit: Unit) -> tuple[tuple[ModulePath, SourceText], ...]:
    """The texts of a unit that was read, the spec first; the same as the closure's, in some order."""
    modules = ((name, file.span.source) for name, file in unit.modules.items())
    return (((), unit.entry.span.source), *modules)


def uses_by_parsing(source: SourceText) -> tuple[ModulePath, ...] | None:
    """What a text uses, from its tree."""
    collector = Collector()
    try:
        file = parse(source, collector)
    except RecursionError:
        return None
    return None if file is None else used_modules(file)


def _found(module: ModulePath, folders: tuple[Path, ...]) -> Part | None:
    relative = Path(*module).with_suffix(".kvm")
    passed: list[Path] = []
    for folder in folders:
        candidate = folder / relative
        if is_there(candidate):
            return (
                _part(module, candidate, shown(candidate), tuple(passed))
                if is_inside(candidate, folder)
                else None
            )
        passed.append(candidate)
    return None


def _part(module: ModulePath, path: Path, shown_as: str, passed: tuple[Path, ...]) -> Part | None:
    try:
        return Part(module, path, read(path, shown_as), passed) if path.is_file() else None
    except (OSError, ValueError):  # gone, too large, not UTF-8
        return None
