# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck graph` on one page: text -> syntax -> program -> result -> picture.

Nothing here prints.  What a user may have got wrong comes back as diagnostics; what can't be drawn is `NoPicture`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.engine.budget import Budget
from kvmcheck.engine.reductions import reductions_without
from kvmcheck.engine.result import Result
from kvmcheck.engine.stopping import StopPolicy
from kvmcheck.engine.tiers import Engine, NativeRefused, Tiers, explore_in_tiers
from kvmcheck.explain.story import Account, Story, account
from kvmcheck.graphs.folding import Fold
from kvmcheck.graphs.picture import Picture
from kvmcheck.graphs.runs import Run, run_picture
from kvmcheck.graphs.spaces import space_picture
from kvmcheck.lang.cases import chosen_case
from kvmcheck.lang.imports import load
from kvmcheck.library import model_folder
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.verdict import PropertyResult
from kvmcheck.semantics.witness import Trace
from kvmcheck.source.diagnostic import Collector, Diagnostic
from kvmcheck.source.text import nowhere
from kvmcheck.why.events import events_of
from kvmcheck.why.results import Whys


class Of(Enum):
    """What there is a graph of."""

    TRACE = "trace"
    STATES = "states"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to draw: a trace of that scenario or mutant (empty: the only one), or its states.

    `name`: the property or cover that the trace is of; empty: the first that has one.  `most`: nodes.
    """

    path: str
    of: Of
    scenario: str = ""
    name: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    fold: Fold = Fold.NONE
    most: int = 200
    states: int | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """The picture, unless there are errors."""

    picture: Picture | None
    diagnostics: tuple[Diagnostic, ...]


class NoPicture(Exception):
    """There is nothing to draw; its text says why, in one line."""


def draw(wanted: Wanted) -> Drawn:
    """The picture; raises `NoPicture`, and `graphs.picture.TooLarge`."""
    collector = Collector()
    try:
        unit = load(Path(wanted.path), (model_folder(),), collector)
    except RecursionError:
        collector.error("KVM110", "this is nested too deeply to be read", nowhere(wanted.path))
        unit = None
    if unit is None or collector.has_errors:
        return Drawn(None, collector.all())
    case = chosen_case(unit, wanted.scenario, "to draw", collector)
    program = elaborate(unit, case, dict(wanted.settings), collector) if case is not None else None
    if program is None or collector.has_errors:
        return Drawn(None, collector.all())
    if wanted.of is Of.STATES:
        return Drawn(space_picture(program, wanted.fold, wanted.most), collector.all())
    return Drawn(run_picture(_run(program, wanted), wanted.fold, wanted.most), collector.all())


def _run(program: Program, wanted: Wanted) -> Run:
    """The run that is meant, with the orderings that it needs."""
    on = reductions_without(frozenset())
    try:
        explored = explore_in_tiers(
            program,
            tiers=Tiers(Engine.AUTO, 1, False, True),
            budget=Budget(wanted.states, None, None, None),
            reductions=on,
            stop=StopPolicy(),
            traces=1,
            progress=None,
        )
    except NativeRefused as error:
        raise NoPicture(str(error)) from None
    known = [found.property for found in explored.result.properties if found.traces]
    whys = Whys(explored.result, known[:1] if not wanted.name else {wanted.name}, dead_locals=on.dead_locals)
    told = whys.attached(account(whys.result))
    trace, story = _trace(whys.result, told, wanted.name)
    return Run(program, story, events_of(trace))


def _trace(result: Result, told: Account, name: str) -> tuple[Trace, Story]:
    """The trace of that property or cover, or of the first that has one; raises `NoPicture`."""
    found: dict[str, tuple[Trace, Story]] = {}
    for known, finding in zip(result.properties, told.findings, strict=True):
        found |= _first(known, finding.stories)
    for cover, goal in zip(result.covers, told.goals, strict=True):
        if cover.trace is not None and goal.story is not None:
            found.setdefault(cover.name, (cover.trace, goal.story))
    if name and name not in found:
        listed = ", ".join(found)
        raise NoPicture(
            f"there is no trace of `{name}`" + (f"; there are traces of {listed}" if listed else "")
        )
    if not found:
        raise NoPicture("nothing is violated and nothing is covered, so there is no trace; try --of states")
    return found[name] if name else next(iter(found.values()))


def _first(known: PropertyResult, stories: tuple[Story, ...]) -> dict[str, tuple[Trace, Story]]:
    return {known.property: (known.traces[0], stories[0])} if known.traces and stories else {}
