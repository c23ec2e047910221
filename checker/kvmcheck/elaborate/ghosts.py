# SPDX-License-Identifier: GPL-2.0-only
"""Ghost statements: they read anything, write ghosts only, and take no step of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kvmcheck.elaborate.coercion import Typed, constant
from kvmcheck.elaborate.places import Named, PartPlace, StoredPlace, element, sort_of, with_part
from kvmcheck.elaborate.states import StateExpressions
from kvmcheck.lang import syntax
from kvmcheck.lang.syntax import BinaryOp
from kvmcheck.semantics.program import (
    Apply,
    Branch,
    Const,
    GhostStore,
    Op,
    Read,
    VariableKind,
    VariablePlace,
)
from kvmcheck.semantics.sorts import (
    BOOL,
    SetSort,
    UnknownSort,
    WordSort,
    member_count,
    sort_name,
)
from kvmcheck.source.text import Span

if TYPE_CHECKING:
    from kvmcheck.elaborate.lowering import Code


def lower_ghost(code: Code, stmt: syntax.Stmt, states: StateExpressions | None = None) -> None:
    """Append the operations of a ghost statement."""
    states = states or code.states("ghost code")
    graph = code.graph
    match stmt:
        case syntax.Block(body=body):
            for part in body:
                lower_ghost(code, part, states)
        case syntax.Assign(place=place, op=op, value=value):
            _assign(code, states, place, op, value, stmt.span)
        case syntax.ExprStmt(expression=syntax.IncDec(place=place, increment=up)):
            one = syntax.IntLiteral(1, stmt.span)
            op = BinaryOp.ADD if up else BinaryOp.SUBTRACT
            _assign(code, states, place, op, one, stmt.span)
        case syntax.If(condition=condition, then=then, otherwise=otherwise):
            asked = states.condition(condition)
            known = constant(asked)
            if known is not None:
                chosen = then if known else otherwise
                if chosen is not None:
                    lower_ghost(code, chosen, states)
                return
            yes, no = graph.branch(Branch(asked), code.at)
            graph.ends = yes
            lower_ghost(code, then, states)
            done, graph.ends = graph.ends, no
            if otherwise is not None:
                lower_ghost(code, otherwise, states)
            graph.ends = graph.ends + done
        case syntax.ForEach(type=type, name=name, domain=domain, body=body):
            sort = code.world.value_sort(type, code.scope)
            if isinstance(sort, UnknownSort):
                return
            for position in range(member_count(sort)):
                member = Typed(Const(position, sort), sort)
                inner = states.with_names({name.text: member})
                if domain is None:
                    lower_ghost(code, body, inner)
                    continue
                among = inner.expr(domain, SetSort(sort))
                inside = Apply(Op.IN, (member.expr, among.expr), BOOL)
                yes, no = graph.branch(Branch(inside), code.at)
                graph.ends = yes
                lower_ghost(code, body, inner)
                graph.ends = graph.ends + no
        case syntax.Empty():
            pass
        case _:
            code.collector.error(
                "KVM404",
                "ghost code has assignments, `if` and `for (T x)`, and nothing else",
                stmt.span,
            )


def _assign(
    code: Code,
    states: StateExpressions,
    target: syntax.Expr,
    op: BinaryOp | None,
    value: syntax.Expr,
    span: Span,
) -> None:
    place = states.named(target)
    sort = sort_of(place)
    whole: Named = place.whole if isinstance(place, PartPlace) else place
    found = element(whole) if isinstance(whole, StoredPlace) else None
    where = found[0] if found else None
    if found is None or not isinstance(where, VariablePlace):
        if not isinstance(sort, UnknownSort):
            code.collector.error("KVM404", "ghost code writes ghost state only", target.span)
        return
    whole_sort = found[1]
    if code.world.variables[where.variable].kind is not VariableKind.GHOST:
        code.collector.error(
            "KVM404",
            f"`{code.world.variables[where.variable].name}` is not ghost: ghost code writes ghost state only",
            target.span,
            why="a proof must not change what it is about",
        )
        return
    if op is None:
        new = states.expr(value, sort)
    else:
        old = states.read(place, target.span)
        wanted = sort.element if isinstance(sort, SetSort) else sort
        if isinstance(value, syntax.BraceLiteral):
            wanted = sort
        new = states.apply(op, old, states.expr(value, wanted), span)
        if isinstance(new.sort, UnknownSort) and not isinstance(sort, UnknownSort):
            return
    fitted = states.fitted(new, sort, span)
    if isinstance(place, PartPlace):
        assert isinstance(whole_sort, WordSort), sort_name(whole_sort)
        fitted = with_part(Read(where, whole_sort), whole_sort, place.path, fitted)
    code.emit(GhostStore(where, fitted))
