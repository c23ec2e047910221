# SPDX-License-Identifier: GPL-2.0-only
"""A body under construction: ends, rewinding, skips and pauses."""

from __future__ import annotations

from kvmcheck.elaborate.graph import Graph
from kvmcheck.semantics.program import (
    Branch,
    Const,
    End,
    Fence,
    Frame,
    Load,
    Order,
    Pause,
    Set,
    VariablePlace,
)
from kvmcheck.semantics.sorts import BOOL
from kvmcheck.source.text import nowhere

HERE = nowhere()
LOAD = Load(0, VariablePlace(0, ()), Order.PLAIN)
YES = Const(1, BOOL)


def graph() -> Graph:
    """One with its entry."""
    made = Graph()
    made.frames.append(Frame("", None, HERE))
    made.skip(HERE)
    return made


def operations(made: Graph) -> list[str]:
    """The finished body's operations by kind."""
    body, _ = made.finish(lambda _: {})
    return [type(node.operation).__name__ for node in body.nodes]


def test_skips_and_what_cannot_be_reached_are_gone() -> None:
    made = graph()
    made.emit(LOAD, HERE)
    made.skip(HERE)
    ends, made.ends = made.ends, []
    made.emit(Fence("smp_mb"), HERE)
    made.ends = ends
    made.emit(End(), HERE)

    assert operations(made) == ["Load", "End"]


def test_a_loop_that_can_go_round_unseen_pauses_at_its_head() -> None:
    made = graph()
    head = made.loop_head(HERE)
    yes, no = made.branch(Branch(YES), HERE)
    made.ends = yes
    made.emit(Set(0, YES), HERE)
    made.jump(head)
    made.ends = no
    made.emit(End(), HERE)
    body, _ = made.finish(lambda _: {})

    assert isinstance(body.nodes[0].operation, Pause)


def test_a_loop_with_an_access_on_each_way_round_does_not() -> None:
    made = graph()
    head = made.loop_head(HERE)
    yes, no = made.branch(Branch(YES), HERE)
    made.ends = yes
    made.emit(LOAD, HERE)
    made.jump(head)
    made.ends = no
    made.emit(End(), HERE)

    assert operations(made) == ["Branch", "Load", "End"]


def test_rewinding_forgets_what_was_emitted_since() -> None:
    made = graph()
    made.emit(LOAD, HERE)
    mark = made.mark()
    made.loop_head(HERE)
    made.emit(Fence("smp_mb"), HERE)
    assert made.grown_since(mark)
    made.rewind(mark)
    assert not made.grown_since(mark)
    made.emit(End(), HERE)

    assert operations(made) == ["Load", "End"]
    assert made.loop_heads == []
