# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck export` on one page: text -> syntax -> program -> another checker's text.

Nothing here prints, and nothing raises for what a user may have written: mistakes come back as diagnostics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.export.write import CannotCarry, Target, exported
from kvmcheck.lang.cases import chosen_case
from kvmcheck.lang.imports import load
from kvmcheck.lang.wrapping import with_seq_wrap
from kvmcheck.library import model_folder
from kvmcheck.semantics.program import Program
from kvmcheck.source.diagnostic import Collector, Diagnostic
from kvmcheck.source.text import nowhere

#: What users call the targets.
LANGUAGES = {Target.PROMELA: "Promela", Target.MURPHI: "Murphi", Target.TLA: "TLA+"}


@dataclass(frozen=True, slots=True)
class Request:
    """What to export: a scenario or mutant of a file (empty: its only scenario), with these settings.

    `seq_wrap`: every seq is a counter modulo that; None: as the spec has it.
    """

    path: str
    target: Target
    scenario: str = ""
    settings: Mapping[str, str] | None = None
    seq_wrap: int | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """The text, unless there are errors."""

    text: str | None
    diagnostics: tuple[Diagnostic, ...]


def export(request: Request) -> Export:
    """The scenario as the target's text, or the diagnostics that say why there is none."""
    collector = Collector()
    try:
        unit = load(Path(request.path), (model_folder(),), collector)
    except RecursionError:
        collector.error("KVM110", "this is nested too deeply to be read", nowhere(request.path))
        unit = None
    if unit is None or collector.has_errors:
        return Export(None, collector.all())
    case = chosen_case(unit, request.scenario, "to export", collector)
    if case is None:
        return Export(None, collector.all())
    if request.seq_wrap is not None:
        unit = with_seq_wrap(unit, request.seq_wrap)
    program = elaborate(unit, case, dict(request.settings or {}), collector)
    if program is None or collector.has_errors:
        return Export(None, collector.all())
    return _written(program, request.target, collector)


def _written(program: Program, target: Target, collector: Collector) -> Export:
    try:
        found = exported(program, target)
    except CannotCarry as error:
        collector.error(
            "KVM520",
            f"{LANGUAGES[target]} can't carry {error.what}",
            error.span or program.span,
            help="`--seq-wrap 4` makes it a counter modulo 4" if "seq" in error.what else "",
        )
        return Export(None, collector.all())
    for left in found.left_out:
        collector.warn("KVM521", f"`{left.name}` is left out: {left.why}", left.span)
    return Export(found.text, collector.found())
