# SPDX-License-Identifier: GPL-2.0-only
"""A picture as text for other programs: DOT (Graphviz), Mermaid, GraphML.

Whatever comes from a spec is made visible first, and then written in the form's own quotes or references.
"""

from __future__ import annotations

import string

from kvmcheck.graphs.picture import Edge, Node, Picture, Role, Tie
from kvmcheck.render.plain import cut, visible

#: A label that is longer is cut.
WIDEST = 44

_DOT_NODE = {
    Role.PLAIN: "",
    Role.START: ", penwidth=2",
    Role.BROKEN: ", color=red, fontcolor=red, penwidth=2",
    Role.LAST: ", style=rounded",
}
_DOT_EDGE = {
    Tie.PROGRAM: "color=gray50",
    Tie.CONFLICT: "color=blue",
    Tie.NEEDED: "color=red, penwidth=2",
    Tie.STEP: "color=gray30",
}
_ARROW = {Tie.PROGRAM: "-->", Tie.CONFLICT: "-.->", Tie.NEEDED: "==>", Tie.STEP: "-->"}
#: What Mermaid leaves alone in a label.
_HARMLESS = frozenset(string.ascii_letters + string.digits + " ._,+-=/")


def shown(text: str) -> str:
    """A line of a node or edge: visible, and not too long."""
    return cut(visible(text), WIDEST)


def as_dot(picture: Picture) -> str:
    """The picture in Graphviz's language; ends in a newline."""
    lines = ["digraph kvmcheck {", f"  label={_quoted(picture.title)};", "  rankdir=TB;"]
    lines += [
        '  node [shape=box, fontname="monospace", fontsize=10];',
        '  edge [fontname="monospace", fontsize=9];',
    ]
    for lane, name in enumerate(picture.lanes):
        lines += [f"  subgraph cluster_{lane} {{", f"    label={_quoted(name)};"]
        lines += ["  " + _dot_node(node) for node in picture.nodes if node.lane == lane]
        lines += ["  }"]
    if not picture.lanes:
        lines += [_dot_node(node) for node in picture.nodes]
    lines += [_dot_edge(edge) for edge in picture.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _dot_node(node: Node) -> str:
    label = "".join(_escaped(shown(line)) + r"\l" for line in node.lines)
    note = _quoted(node.note.replace("\n", "; "))
    return f'  n{node.key} [label="{label}", tooltip={note}{_DOT_NODE[node.role]}];'


def _dot_edge(edge: Edge) -> str:
    label = f", label={_quoted(shown(edge.label))}" if edge.label else ""
    return f"  n{edge.source} -> n{edge.target} [{_DOT_EDGE[edge.tie]}{label}];"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"")


def _quoted(text: str) -> str:
    return f'"{_escaped(visible(text))}"'


def as_mermaid(picture: Picture) -> str:
    """The picture as a Mermaid flow chart; ends in a newline."""
    lines = ["flowchart TB"]
    for lane, name in enumerate(picture.lanes):
        lines += [f'  subgraph lane{lane}["{_reference(name)}"]']
        lines += ["  " + _mermaid_node(node) for node in picture.nodes if node.lane == lane]
        lines += ["  end"]
    if not picture.lanes:
        lines += [_mermaid_node(node) for node in picture.nodes]
    for edge in picture.edges:
        label = f'|"{_reference(shown(edge.label))}"|' if edge.label else ""
        lines.append(f"  n{edge.source} {_ARROW[edge.tie]}{label} n{edge.target}")
    broken = [f"n{node.key}" for node in picture.nodes if node.role is Role.BROKEN]
    if broken:
        lines += ["  classDef broken stroke:#c00,stroke-width:3px", f"  class {','.join(broken)} broken"]
    return "\n".join(lines) + "\n"


def _mermaid_node(node: Node) -> str:
    return f'  n{node.key}["{"<br/>".join(_reference(shown(line)) for line in node.lines)}"]'


def _reference(text: str) -> str:
    return "".join(sign if sign in _HARMLESS else f"#{ord(sign)};" for sign in visible(text))


def as_graphml(picture: Picture) -> str:
    """The picture as GraphML, with everything as data; ends in a newline."""
    import networkx

    graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph(title=visible(picture.title))
    for node in picture.nodes:
        lane = visible(picture.lanes[node.lane]) if picture.lanes else ""
        graph.add_node(
            f"n{node.key}",
            label="\n".join(visible(line) for line in node.lines),
            thread=lane,
            row=node.row,
            role=node.role.value,
            note="\n".join(visible(line) for line in node.note.split("\n")),
        )
    for edge in picture.edges:
        graph.add_edge(f"n{edge.source}", f"n{edge.target}", tie=edge.tie.value, label=visible(edge.label))
    return "\n".join(networkx.generate_graphml(graph)) + "\n"
