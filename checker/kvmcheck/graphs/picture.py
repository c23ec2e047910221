# SPDX-License-Identifier: GPL-2.0-only
"""A graph as it is to be shown, whatever it is of: nodes with a place in a grid, edges of a few kinds.

Flat, strings and numbers only: every format is written from it alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    """What is special about a node."""

    PLAIN = "plain"
    START = "start"
    BROKEN = "broken"
    LAST = "last"


class Tie(Enum):
    """Why one node comes before another.

    PROGRAM: the same thread does both.  CONFLICT: both touch something, and one writes it.  NEEDED: such a one that the
    failure needs.  STEP: a thread's step from state to state.
    """

    PROGRAM = "program"
    CONFLICT = "conflict"
    NEEDED = "needed"
    STEP = "step"


@dataclass(frozen=True, slots=True)
class Node:
    """A node.  `lane` and `row`: its place; `lines`: what stands in it; `note`: all there is to say of it."""

    key: int
    lines: tuple[str, ...]
    lane: int
    row: int
    role: Role = Role.PLAIN
    note: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge, by the keys of its nodes."""

    source: int
    target: int
    tie: Tie
    label: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A graph.  `lanes`: the names of the columns; without names the lane only says where in its row a node is."""

    title: str
    lanes: tuple[str, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


class TooLarge(Exception):
    """The graph is no picture any more; carries how many nodes it has (`more`: at least), and how many may be."""

    def __init__(self, nodes: int, most: int, *, more: bool = False) -> None:
        super().__init__(f"{'more than ' if more else ''}{nodes:,} nodes, and {most:,} can be read")
        self.nodes, self.most = nodes, most
