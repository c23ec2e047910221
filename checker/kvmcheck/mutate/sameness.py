# SPDX-License-Identifier: GPL-2.0-only
"""Whether two programs are the same: as they are written, or in all that they can do."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass, replace

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.live.graph import StateGraph, explored
from kvmcheck.semantics.program import Body, Program
from kvmcheck.semantics.state import State
from kvmcheck.source.text import Span

#: Graphs with more states than this are not compared.
MOST_STATES = 4000


def same_program(one: Program, other: Program) -> bool:
    """Whether the two have the same operations in the same order, wherever they are written."""
    return _bare(_unnamed(one)) == _bare(_unnamed(other))


def _unnamed(program: Program) -> Program:
    """The program without what an edit changes besides operations: names and labels."""
    processes = tuple(
        replace(
            process,
            body=_unlabelled(process.body),
            interrupt=None if process.interrupt is None else _unlabelled(process.interrupt),
        )
        for process in program.processes
    )
    return replace(program, name="", title="", processes=processes, functions={})


def _unlabelled(body: Body) -> Body:
    return replace(body, nodes=tuple(replace(node, labels=()) for node in body.nodes))


def _bare(value: object) -> Hashable:
    """A program's part as plain tuples, without places in texts."""
    if isinstance(value, Span):
        return None
    if isinstance(value, Mapping):
        return tuple(sorted((repr(_bare(key)), _bare(inner)) for key, inner in value.items()))
    if isinstance(value, tuple | list):
        return tuple(_bare(inner) for inner in value)
    if isinstance(value, frozenset | set):
        return tuple(sorted(repr(_bare(inner)) for inner in value))
    if is_dataclass(value) and not isinstance(value, type):
        return (type(value).__name__, *(_bare(getattr(value, part.name)) for part in fields(value)))
    return repr(value)


def bisimilar(one: Program, other: Program) -> bool:
    """Whether each move of a thread in the one has a move of that thread in the other, with the same memory behind it.

    Memory is every shared variable, lock and ghost.  False also where a graph is too large to be compared.
    """
    if [v.name for v in one.variables] != [v.name for v in other.variables]:
        return False
    graphs = [explored(program, Budget(states=MOST_STATES)) for program in (one, other)]
    if any(graph.stopped for graph in graphs):
        return False
    blocks = _stable(graphs)
    starts = [
        {block for block, parent in zip(part, graph.parents, strict=True) if parent < 0}
        for part, graph in zip(blocks, graphs, strict=True)
    ]
    return starts[0] == starts[1]


def _stable(graphs: list[StateGraph]) -> list[list[int]]:
    """The coarsest partition of the states of both graphs in which equals have equal moves."""
    keys: list[list[Hashable]] = [
        [_memory(graph.layout.unpack(packed)) for packed in graph.order] for graph in graphs
    ]
    count = 0
    while True:
        numbers: dict[Hashable, int] = {}
        blocks = [[numbers.setdefault(key, len(numbers)) for key in part] for part in keys]
        if len(numbers) == count:
            return blocks
        count = len(numbers)
        keys = [
            [
                (
                    block,
                    frozenset((graph.actors[edge], part[graph.targets[edge]]) for edge in graph.edges(state)),
                )
                for state, block in enumerate(part)
            ]
            for part, graph in zip(blocks, graphs, strict=True)
        ]


def _memory(state: State) -> Hashable:
    return state.values
