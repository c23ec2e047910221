# SPDX-License-Identifier: GPL-2.0-only
"""Names of texts as they are: in everything that is shipped, and in every place where one can stand."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol.types import Position, PositionEncodingKind

from kvmcheck.elaborate.primitives import PRIMITIVES
from kvmcheck.lsp.positions import Lines, Shift
from kvmcheck.lsp.session import Session
from kvmcheck.semantics.program import Check

ROOT = Path(__file__).parents[3]
#: What the language knows without a declaration.
BUILT_IN = {*PRIMITIVES, *(check.value for check in Check), "old", "current", "actor", "left"}
#: Modules that stand on another than the one that they name, when they are used.
COMPLETED_ELSEWHERE = {"page_table_write.kvm", "shadow_pages.kvm"}
SHIPPED = sorted([*(ROOT / "specs").rglob("*.kvm"), *(ROOT / "model").glob("*.kvm")])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_name_of_what_is_shipped_is_known(path: Path) -> None:
    names = Session().analysis(path.resolve()).names

    unknown = {span.text for span in names.unknown} - BUILT_IN
    assert names.occurrences
    assert unknown == set() or path.name in COMPLETED_ELSEWHERE
    assert all(o.span.text == o.target.declared.text for o in names.occurrences)


EVERYWHERE = """\
scalarset V;  type G;  typedef G H;
enum Mode { IN, OUT }
word struct W { bool full; V? by; }
word union U { empty; V one; }
object D { D *more; int 0..3 used; }
spinlock lock[V];
param int 1..2 N = 1;
shared W w[V v] guarded by lock[v];
shared U u;  shared D *head;  shared seq s;  shared Mode mode;  shared set<V> members;
void each(V v, void what(V)) { what(v); }
void set_one(V v) {
    int 0..3 n = N;
    @first for (V other) { if (w[other].full) goto out; }
    @second switch (u) { case empty: break; case one: n = 1; break; }
    if (head != NULL) head->more->used = n;
    D *d = alloc D or NULL;
    choose V c where (c in members);
    W local = (W){ .full = true, .by = c };
    if (local.full && u.is(one) && mode == IN) each(v, set_two);
out:
    cover gone;
}
void set_two(V v) { ghost told = v; }
ghost V? told;
invariant i { forall (set_one f, V x) : f in @first..@second implies (f.n == 0 and w[x].by != f.thread) }
invariant j { forall (V x) : after return set_one(x) until set_one@first(x) : the V y where (y == x) == x }
live l { set_one completes assuming finitely many set_two, each }
scenario sc { V = 2; G = index 2; N = 2; D = 1; distinct V a, b; init { told = a; }
    process p[V v] { set_one(v); }
    check i, j, no_deadlock;  cover gone;  expect i violated; }
mutant m of sc { insert { @extra n = 2; } before set_one@second;  drop set_one@extra;  expect i violated; }
"""

#: Names at `|` in that text, and the ends of their declarations.
MEANT = {
    "by lock[|v]": "[V v",
    "head->more->|used": ".3 used",
    "head->|more->used": "D *more",
    "(f.|n == 0": ".3 n",
    "drop set_one@|extra": "{ @extra",
    "until set_one@|first": "  @first",
    "many |set_two": "id set_two",
    "set_two, |each": "id each",
    "case |empty:": " { empty",
    "u.is(|one)": " V one",
    "goto |out": ");\nout",
    "cover |gone;  expect": "er gone",
    "told = |a;": " V a",
    "index 2; |N = 2": ".2 N",
    "mode == |IN": " { IN",
    "{ |what(v)": "id what",
    ".|by = c": "V? by",
    "by = |c }": " V c",
}


def test_names_are_known_in_every_place_where_one_can_stand(tmp_path: Path) -> None:
    session = Session()
    path = session.put((tmp_path / "x.kvm").as_uri(), EVERYWHERE)
    analysis = session.analysis(path)

    assert analysis.diagnostics == ()
    assert {span.text for span in analysis.names.unknown} == {"thread", "no_deadlock"} - {"thread"}
    known = {(o.span.start, o.span.end): o.target for o in analysis.names.occurrences}

    def meant(marked: str) -> str:
        """The declaration of the name at the `|`, with the three characters before it."""
        before, _, behind = marked.partition("|")
        start = EVERYWHERE.index(before + behind) + len(before)
        declared = next(target for (begin, _), target in known.items() if begin == start).declared
        return EVERYWHERE[declared.start - 3 : declared.end]

    assert {place: meant(place) for place in MEANT} == MEANT


def test_columns_are_counted_in_the_agreed_units() -> None:
    text = "a\u2028é\U0001d11eb\r\nc\rd\n"
    lines = Lines(text)

    assert lines.position(text.index("b")) == Position(0, 5)
    assert Lines(text, PositionEncodingKind.Utf8).position(text.index("b")) == Position(0, 10)
    assert Lines(text, PositionEncodingKind.Utf32).position(text.index("b")) == Position(0, 4)
    assert lines.position(text.index("c")) == Position(1, 0) and lines.position(text.index("d")) == Position(
        2, 0
    )
    for offset in range(len(text)):
        if text[offset] != "\n" or offset == len(text) - 1:
            assert lines.offset(lines.position(offset)) == offset
    assert lines.offset(Position(0, 99)) == text.index("\r") and lines.offset(Position(99, 0)) == len(text)


def test_what_a_change_left_alone_keeps_its_place() -> None:
    shift = Shift("one two three", "one twenty three")

    assert shift.forward(0) == 0 and shift.forward(8) == 11 and shift.back(11) == 8
    assert shift.back(8) is None
