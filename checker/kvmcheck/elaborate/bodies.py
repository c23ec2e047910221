# SPDX-License-Identifier: GPL-2.0-only
"""Bodies of processes, handlers and `init`, and the live calls found in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kvmcheck.elaborate.activation import Activation, Instance
from kvmcheck.elaborate.graph import Graph
from kvmcheck.elaborate.lowering import Code
from kvmcheck.elaborate.places import Named
from kvmcheck.elaborate.requests import Requests
from kvmcheck.elaborate.scopes import Scope
from kvmcheck.elaborate.statements import label_paths, lower
from kvmcheck.elaborate.world import World
from kvmcheck.lang import syntax
from kvmcheck.semantics.program import (
    VISIBLE,
    Await,
    Body,
    Choose,
    Const,
    End,
    Frame,
    GhostStore,
    LiveCall,
    Node,
    Set,
    VariablePlace,
)
from kvmcheck.semantics.sorts import BOOL
from kvmcheck.source.text import Span


@dataclass(frozen=True, slots=True)
class Lowered:
    """A body, and the calls in it that properties ask about (process and handler flag left open)."""

    body: Body
    calls: tuple[LiveCall, ...]


def lower_body(
    world: World,
    scope: Scope,
    names: Mapping[str, Named],
    block: syntax.Block,
    functions: Mapping[str, syntax.FunctionDecl],
    requests: Requests,
    *,
    span: Span,
    wait_for: syntax.Expr | None = None,
    init: bool = False,
    chosen: tuple[int, ...] = (),
    process: int = -1,
) -> Lowered:
    """The body of a process (or handler: `wait_for` its condition; or of `init`).

    `chosen`: the variables of `any` parameters, which `init` chooses first.
    """
    graph = Graph()
    graph.frames.append(Frame("", None, span))
    activation = Activation(None, scope, 0, None, names=[dict(names)])
    activation.label_paths = label_paths(block)
    code = Code(world, graph, activation, functions, requests)
    code.in_init = init
    graph.skip(span)
    for variable in chosen:
        code.at = world.variables[variable].span
        value = code.choose(world.variables[variable].sort, span)
        code.emit(GhostStore(VariablePlace(variable, ()), value.expr))
    if wait_for is not None:
        code.at = wait_for.span
        code.emit(Await(code.states("an interrupt's condition").condition(wait_for)))
    lower(code, block)
    for name, ends in activation.gotos.items():
        if ends:
            world.collector.error("KVM402", f"`goto {name}`: there is no label `{name}:`", span)
    code.at = Span(span.source, max(span.start, span.end - 1), span.end)
    code.emit(End())

    descendants = {instance.frame: _descendants(graph, instance.frame) for instance in code.instances}

    def watched(whole: Graph) -> dict[int, set[int]]:
        kept: dict[int, set[int]] = {}
        for instance in code.instances:
            inside = {
                position
                for position, draft in enumerate(whole.drafts)
                if draft.frame in descendants[instance.frame]
            }
            for bit in instance.regions.values():
                kept.setdefault(bit, set()).update(inside)
            for name, local in instance.locals.items():
                for region in requests.locals[instance.function][name]:
                    where_read = _region(whole, instance, region) if region else inside
                    kept.setdefault(local, set()).update(where_read & inside)
        return kept

    body, where = graph.finish(watched)
    calls = []
    for instance in code.instances:
        nodes = frozenset(
            position for position, node in enumerate(body.nodes) if node.frame in descendants[instance.frame]
        )
        if not nodes:
            continue  # lowered twice, or unreachable
        entries = {"entry": where(instance.entry)}
        for label, draft in instance.label_entries.items():
            entries[label] = where(draft)
        asked = requests.at.get(instance.function, set())
        at = {
            label: _stops_at(body, entry, nodes, label, instance)
            for label, entry in entries.items()
            if entry is not None and label in asked
        }
        for label in asked:
            at.setdefault(label, frozenset())
        calls.append(
            LiveCall(
                instance.function,
                process,
                wait_for is not None,
                instance.frame,
                nodes,
                instance.locals,
                at,
                instance.regions,
                None if instance.entered is None else where(instance.entered),
            )
        )
    return Lowered(body, tuple(calls))


def _descendants(graph: Graph, frame: int) -> set[int]:
    found = {frame}
    for position, candidate in enumerate(graph.frames):
        if candidate.parent in found:
            found.add(position)
    return found


def _region(graph: Graph, instance: Instance, region: tuple[str, str]) -> set[int]:
    """The drafts at which a call may be between two labels (about to do one: inside it)."""
    start, end = region
    if not end:
        marker = f"{instance.function}@{start}"
        return {i for i, d in enumerate(graph.drafts) if marker in d.labels or start == "entry"}
    bit = instance.regions[start, end]
    found: set[int] = set()
    stack = [i for i, d in enumerate(graph.drafts) if d.operation == Set(bit, Const(1, BOOL))]
    while stack:
        position = stack.pop()
        draft = graph.drafts[position]
        if position in found or draft.operation == Set(bit, Const(0, BOOL)):
            continue
        found.add(position)
        stack.extend(t for t in draft.successors if t is not None)
    return found


def _stops(node: Node) -> bool:
    return isinstance(node.operation, (*VISIBLE, Choose))


def _stops_at(
    body: Body, entry: int, nodes: frozenset[int], label: str, instance: Instance
) -> frozenset[int]:
    """The locations "about to do" a label: first stops at or behind its entry, inside it."""
    marker = f"{instance.function}@{label}"
    found: set[int] = set()
    seen: set[int] = set()
    stack = [entry]
    while stack:
        position = stack.pop()
        node = body.nodes[position]
        inside = position in nodes and (label == "entry" or marker in node.labels)
        if position in seen or not inside:
            continue
        seen.add(position)
        if _stops(node):
            found.add(position)
        else:
            stack.extend(node.successors)
    return frozenset(found)
