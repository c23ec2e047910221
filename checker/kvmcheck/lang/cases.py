# SPDX-License-Identifier: GPL-2.0-only
"""Which scenario or mutant of a file is meant, where only one can be."""

from __future__ import annotations

from kvmcheck.lang.imports import Unit
from kvmcheck.lang.syntax import MutantDecl, ScenarioDecl
from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.nearest import nearest
from kvmcheck.source.text import Span, nowhere


def chosen_case(unit: Unit, name: str, what_for: str, collector: Collector) -> str | None:
    """The scenario or mutant of that name; without a name, the only scenario.  `what_for`: `to export`."""
    items = unit.entry.items
    scenarios = [item.name.text for item in items if isinstance(item, ScenarioDecl)]
    mutants = [item.name.text for item in items if isinstance(item, MutantDecl)]
    whole = Span(unit.entry.span.source, 0, 0)
    if not scenarios:
        collector.error("KVM543", f"the file declares no scenario, so there is nothing {what_for}", whole)
        return None
    if not name:
        if len(scenarios) == 1:
            return scenarios[0]
        names = ", ".join(f"`{name}`" for name in scenarios)
        collector.error(
            "KVM522", f"the file has several scenarios: {names}", whole, help="name one: --scenario NAME"
        )
        return None
    if name in (*scenarios, *mutants):
        return name
    near = nearest(name, (*scenarios, *mutants))
    collector.error(
        "KVM542",
        f"no scenario or mutant is called `{name}`",
        nowhere("--scenario"),
        help=f"did you mean `{near}`?" if near else "",
    )
    return None
