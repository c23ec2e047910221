# SPDX-License-Identifier: GPL-2.0-only
"""Events in code: where an `after … until` begins and ends to hold, a hidden ghost is set and cleared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kvmcheck.elaborate.graph import LooseEnd
from kvmcheck.elaborate.requests import EventRequest
from kvmcheck.semantics.program import (
    Apply,
    Bound,
    Branch,
    Const,
    Expr,
    GhostStore,
    Op,
    VariablePlace,
)
from kvmcheck.semantics.sorts import BOOL, OptionalSort, Sort, UnknownSort, Value, members

if TYPE_CHECKING:
    from kvmcheck.elaborate.lowering import Code


def ghost_event(code: Code, event: EventRequest) -> None:
    """Set or clear a monitor, at an event of the activation."""
    indices: dict[str, Expr] = {}
    conditions: list[Expr] = []
    dimensions = code.world.variables[event.monitor].dimensions
    sorts = dict(zip(event.dimensions, dimensions, strict=True))
    for wanted, have in zip(event.arguments, code.activation.event_arguments, strict=True):
        if wanted is None or isinstance(have.sort, UnknownSort):
            continue
        match wanted:
            case Bound(name=name) if name in sorts and name not in indices:
                index = have.expr
                if isinstance(have.sort, OptionalSort) and not isinstance(sorts[name], OptionalSort):
                    conditions.append(Apply(Op.NOT_EQUAL, (have.expr, Const(None, have.sort)), BOOL))
                    index = Apply(Op.UNWRAP, (have.expr,), have.sort.inner)
                indices[name] = index
            case Bound(name=name) if name in indices:
                conditions.append(Apply(Op.EQUAL, (have.expr, indices[name]), BOOL))
            case _:
                conditions.append(Apply(Op.EQUAL, (have.expr, wanted), BOOL))
    skipped: list[LooseEnd] = []
    for condition in conditions:
        yes, no = code.graph.branch(Branch(condition), code.at)
        code.graph.ends = yes
        skipped = skipped + no
    free = [(name, sort) for name, sort in sorts.items() if name not in indices]
    for chosen in _all_of(free):
        places = tuple(
            indices[name] if name in indices else Const(chosen[name], sorts[name])
            for name in event.dimensions
        )
        code.emit(GhostStore(VariablePlace(event.monitor, places), Const(int(event.begins), BOOL)))
    code.graph.ends = code.graph.ends + skipped


def _all_of(names: list[tuple[str, Sort]]) -> list[dict[str, Value]]:
    """Every way to give each name a member of its sort."""
    ways: list[dict[str, Value]] = [{}]
    for name, sort in names:
        ways = [{**way, name: member} for way in ways for member in members(sort)]
    return ways
