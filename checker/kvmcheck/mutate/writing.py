# SPDX-License-Identifier: GPL-2.0-only
"""An edit as a `mutant` that can be pasted into the spec, and the unit with it."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from kvmcheck.lang import syntax as s
from kvmcheck.lang.imports import Unit
from kvmcheck.lang.parse import parse
from kvmcheck.lang.walk import spliced
from kvmcheck.mutate.candidates import Candidate
from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.text import SourceText

#: The name of the mutant, in texts that are only checked.
NAME = "mutate"


def mutant_text(candidate: Candidate, scenario: str, name: str = NAME) -> str:
    """The mutant; what the model needs for it stands above as a comment."""
    lines = [
        f"// needs `@{new.label}` before the statement at {new.statement.span.source.path}:{new.statement.span.line}"
        for new in candidate.labels
    ]
    title = f"{candidate.operator.value}: {candidate.function}()"
    edit = " ".join(candidate.edit.split()) if "//" not in candidate.edit else candidate.edit
    return "\n".join([*lines, f'mutant {name} of {scenario} "{title}" {{', f"    {edit}", "}"]) + "\n"


def with_mutant(unit: Unit, scenario: str, candidate: Candidate, collector: Collector) -> Unit | None:
    """The unit with the labels that the edit needs, and the mutant at the end of the entry; None: it can't be read."""
    written = parse(SourceText("<mutate>", mutant_text(candidate, scenario)), collector)
    if written is None:
        return None
    labelled = with_labels(unit, candidate)
    entry = replace(labelled.entry, items=(*labelled.entry.items, *written.items))
    return Unit(entry, labelled.modules)


def with_labels(unit: Unit, candidate: Candidate) -> Unit:
    """The unit with the labels that the edit needs."""
    if not candidate.labels:
        return unit
    wanted = {id(new.statement): new.label for new in candidate.labels}

    def labelled(statement: s.Stmt) -> tuple[s.Stmt, ...] | None:
        label = wanted.get(id(statement))
        if label is None:
            return None
        return (s.Labelled(s.Name(label, statement.span), statement, statement.span),)

    def changed(file: s.File) -> s.File:
        items = tuple(
            replace(item, body=replace(item.body, body=spliced(item.body.body, labelled)))
            if item is candidate.declaration and isinstance(item, s.FunctionDecl)
            else item
            for item in file.items
        )
        return (
            replace(file, items=items)
            if any(a is not b for a, b in zip(items, file.items, strict=True))
            else file
        )

    modules = {name: changed(file) for name, file in unit.modules.items()}
    return Unit(changed(unit.entry), MappingProxyType(modules))
