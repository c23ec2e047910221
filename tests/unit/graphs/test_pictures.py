# SPDX-License-Identifier: GPL-2.0-only
"""A graph has the threads' own order and their conflicts, is folded without cycles, and shows text as text."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import networkx
import pytest
from PIL import Image

from kvmcheck.graphing import NoPicture, Of, Wanted, draw
from kvmcheck.graphs.folding import Fold
from kvmcheck.graphs.notation import as_dot, as_graphml, as_mermaid
from kvmcheck.graphs.picture import Picture, Role, Tie, TooLarge
from kvmcheck.graphs.png import as_png
from kvmcheck.graphs.svg import as_svg
from tests.support.reports import HOSTILE

ROOT = Path(__file__).parents[3]
FAULT = Wanted(str(ROOT / "specs" / "basics" / "06_fault_in_miniature.kvm"), Of.TRACE, "no_retry")
COUNTER = Wanted(str(ROOT / "specs" / "basics" / "01_counter.kvm"), Of.STATES, "plain_increment")
#: All that stands in a DOT text outside quotes.
DOT_WORDS = set(
    """
    digraph kvmcheck label rankdir TB node shape box fontname fontsize edge subgraph cluster n Q tooltip penwidth
    color red fontcolor style rounded gray blue
    """.split()  # noqa: SIM905
)
SVG = "{http://www.w3.org/2000/svg}"


def drawn(wanted: Wanted) -> Picture:
    """The picture."""
    found = draw(wanted)
    assert found.picture is not None, [d.message for d in found.diagnostics]
    return found.picture


def hostile(picture: Picture) -> Picture:
    """The same picture with names that mean harm."""
    nodes = tuple(replace(n, lines=(HOSTILE, *n.lines), note=HOSTILE + "\n" + n.note) for n in picture.nodes)
    edges = tuple(replace(edge, label=HOSTILE) for edge in picture.edges)
    return Picture(HOSTILE, (HOSTILE, *picture.lanes[1:]), nodes, edges)


def graph_of(picture: Picture) -> networkx.DiGraph[int]:
    """Its nodes and edges."""
    graph: networkx.DiGraph[int] = networkx.DiGraph()
    graph.add_nodes_from(node.key for node in picture.nodes)
    graph.add_edges_from((edge.source, edge.target) for edge in picture.edges)
    return graph


def test_a_run_has_each_step_in_its_threads_column() -> None:
    picture = drawn(FAULT)

    assert picture.lanes == ("vcpu#0", "host")
    assert [node.row for node in picture.nodes] == list(range(17))
    assert [node.role for node in picture.nodes].count(Role.BROKEN) == 1
    assert picture.nodes[-1].role is Role.BROKEN


def test_between_threads_are_the_conflicts_that_no_others_imply() -> None:
    between = [(e.source + 1, e.target + 1, e.label) for e in drawn(FAULT).edges if e.tie is not Tie.PROGRAM]

    assert between == [
        (1, 5, "mmu_notifier_seq"),
        (8, 9, "host_pte"),
        (9, 10, "host_pte"),
        (15, 16, "mmu_lock"),
    ]


@pytest.mark.parametrize("fold", [Fold.NONE, Fold.LOCATION, Fold.LOCK])
def test_a_run_has_no_cycle_however_it_is_folded(fold: Fold) -> None:
    picture = drawn(replace(FAULT, fold=fold))

    assert networkx.is_directed_acyclic_graph(graph_of(picture))
    assert len(picture.nodes) == {Fold.NONE: 17, Fold.LOCATION: 6, Fold.LOCK: 9}[fold]


def test_a_state_graph_has_every_state_and_every_step() -> None:
    picture = drawn(COUNTER)
    graph = graph_of(picture)
    lost = [node for node in picture.nodes if node.role is Role.BROKEN]

    assert (len(picture.nodes), graph.number_of_edges()) == (12, 14)
    assert [node for node in graph if graph.in_degree(node) == 0] == [0]
    assert len(lost) == 1
    assert lost[0].lines[-1] == "not none_is_lost"


def test_folded_states_are_those_at_the_same_places_or_under_the_same_locks() -> None:
    places = drawn(replace(COUNTER, fold=Fold.LOCATION))
    lock = Wanted(str(ROOT / "specs" / "basics" / "02_lock.kvm"), Of.STATES, fold=Fold.LOCK)
    locks = drawn(lock)

    assert len(places.nodes) == 9  # two threads, each at one of three places
    assert {line for node in locks.nodes for line in node.lines if "lock" in line} >= {"no lock is held"}
    assert len(locks.nodes) < 10


@pytest.mark.parametrize("wanted", [replace(FAULT, most=5), replace(COUNTER, most=5)])
def test_what_is_too_large_to_read_is_refused(wanted: Wanted) -> None:
    with pytest.raises(TooLarge):
        draw(wanted)


def test_a_scenario_without_a_trace_says_so() -> None:
    with pytest.raises(NoPicture, match="there is no trace of `nothing`; there are traces of"):
        draw(replace(FAULT, name="nothing"))


@pytest.mark.parametrize("picture", [drawn(FAULT), drawn(COUNTER)], ids=["run", "states"])
def test_hostile_names_are_text_in_every_form(picture: Picture) -> None:
    bad = hostile(picture)
    if not picture.lanes:
        bad = replace(bad, lanes=())
    svg = ElementTree.fromstring(as_svg(bad))
    graphml = networkx.parse_graphml(as_graphml(bad))
    texts = [as_svg(bad), as_graphml(bad), as_dot(bad), as_mermaid(bad)]

    assert {element.tag.removeprefix(SVG) for element in svg.iter()} <= {
        "svg", "title", "style", "text", "g", "rect", "polyline", "polygon",
    }  # fmt: skip
    assert graphml.number_of_nodes() == len(picture.nodes)
    assert all("\x1b" not in text and "\u202e" not in text for text in texts)
    assert "<script" not in as_mermaid(bad)
    # Every line of DOT is one of the few that there are, whatever is quoted in it.
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "Q", as_dot(bad))
    assert set(re.findall(r"[A-Za-z]+", outside)) <= DOT_WORDS
    assert as_png(bad).startswith(b"\x89PNG")


def test_the_same_picture_gives_the_same_text_every_time() -> None:
    assert as_svg(drawn(FAULT)) == as_svg(drawn(FAULT))
    assert as_graphml(drawn(FAULT)) == as_graphml(drawn(FAULT))


def test_a_png_is_a_picture_of_the_whole() -> None:
    image = Image.open(io.BytesIO(as_png(drawn(FAULT))))

    assert min(image.size) > 500
    assert len(image.convert("L").getcolors() or ()) > 3


def test_no_box_lies_on_another_one() -> None:
    for picture in (drawn(FAULT), drawn(COUNTER)):
        root = ElementTree.fromstring(as_svg(picture))
        boxes = [
            [float(rect.get(key, "0")) for key in ("x", "y", "width", "height")]
            for rect in root.iter(f"{SVG}rect")
        ]
        for number, (x, y, w, h) in enumerate(boxes):
            for x2, y2, w2, h2 in boxes[:number]:
                assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y
