# SPDX-License-Identifier: GPL-2.0-only
"""What the reductions did with a case, told: flat strings and numbers, as in a story."""

from __future__ import annotations

from dataclasses import dataclass

from kvmcheck.engine.comparison import Measure as Measure
from kvmcheck.engine.effects import Cut, Effects, Section
from kvmcheck.explain.statements import statement
from kvmcheck.explain.story import Spot, spot_of


@dataclass(frozen=True, slots=True)
class ToldCut:
    """Before which statement a step ends, why; the statement behind which it does not commute, and why not."""

    statement: str
    spot: Spot
    reason: str
    operations: int
    behind: str
    behind_spot: Spot
    behind_reason: str


@dataclass(frozen=True, slots=True)
class ToldSection:
    """A section: from taking a lock to dropping it; see `engine.effects.Section`."""

    process: str
    function: str
    statement: str
    spot: Spot
    operations: int
    first: int
    cuts: tuple[ToldCut, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A sort, pool or process of which the members are not exchanged, and why."""

    name: str
    reason: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class Reduced:
    """What the reductions did.  `on`: which were at work; `measures`: empty unless a comparison ran."""

    on: tuple[str, ...]
    seq: str
    sections: tuple[ToldSection, ...]
    exchanged: tuple[tuple[str, int], ...]
    kept: tuple[Kept, ...]
    measures: tuple[Measure, ...] = ()


_NOWHERE = Spot("", 0, 0)


def reduced(found: Effects, on: tuple[str, ...], measures: tuple[Measure, ...] = ()) -> Reduced:
    """The effects in words."""
    return Reduced(
        on=on,
        seq=found.seq,
        sections=tuple(_section(section) for section in found.sections),
        exchanged=tuple((exchange.name, exchange.size) for exchange in found.exchanges),
        kept=tuple(
            Kept(kept.name, kept.reason, _NOWHERE if kept.span is None else spot_of(kept.span))
            for kept in found.kept
        ),
        measures=measures,
    )


def _section(section: Section) -> ToldSection:
    return ToldSection(
        process=section.process,
        function=section.function,
        statement=statement(section.span),
        spot=spot_of(section.span),
        operations=section.operations,
        first=section.first,
        cuts=tuple(_cut(cut) for cut in section.cuts),
    )


def _cut(cut: Cut) -> ToldCut:
    behind, reason = ("", "")
    spot = _NOWHERE
    if cut.behind is not None:
        behind, spot, reason = statement(cut.behind[0]), spot_of(cut.behind[0]), cut.behind[1]
    return ToldCut(statement(cut.span), spot_of(cut.span), cut.reason, cut.operations, behind, spot, reason)
