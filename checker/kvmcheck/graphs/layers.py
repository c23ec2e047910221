# SPDX-License-Identifier: GPL-2.0-only
"""Places for the nodes of a graph that has none: a row for each distance from where it begins.

In its row a node stands near the middle of those that lead to it, which keeps most edges from crossing (Sugiyama's
barycentre heuristic, downwards and upwards a few times).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_SWEEPS = 7


def placed(count: int, edges: Sequence[tuple[int, int]], starts: Iterable[int]) -> list[tuple[int, int]]:
    """For each node 0 … count - 1 its (position in the row, row)."""
    import networkx

    graph: networkx.DiGraph[int] = networkx.DiGraph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from(edges)
    rows = [sorted(layer) for layer in networkx.bfs_layers(graph, sorted(starts))] if count else []
    row_of = {node: number for number, row in enumerate(rows) for node in row}
    for node in range(count):  # what nothing leads to
        if node not in row_of:
            row_of[node] = 0
            rows[0].append(node)
    position: dict[int, float] = {node: at for row in rows for at, node in enumerate(row)}
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            centre: dict[int, float] = {}
            for node in row:
                near = [
                    position[other]
                    for other in (graph.predecessors(node) if down else graph.successors(node))
                    if row_of[other] == row_of[node] + (-1 if down else 1)
                ]
                centre[node] = sum(near) / len(near) if near else position[node]
            ordered = sorted((centre[node], node) for node in row)
            row[:] = [node for _, node in ordered]
            position |= {node: at for at, node in enumerate(row)}
    return [(int(position[node]), row_of[node]) for node in range(count)]
