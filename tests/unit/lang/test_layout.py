# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck fmt`: one layout, the same tree, every comment, and nothing changes the second time."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kvmcheck.lang.layout import format_source
from kvmcheck.lang.parse import tokens
from kvmcheck.source.diagnostic import BadInput
from kvmcheck.source.text import SourceText
from tests.support.syntax import parsed

ROOT = Path(__file__).parents[3]
SHIPPED = sorted([*(ROOT / "model").rglob("*.kvm"), *(ROOT / "specs").rglob("*.kvm")])

CANONICAL = """\
// What this module is.
module m;

use host;    // its pages

word struct Spte { bool present; Pfn? pfn; }

enum Access {
    READ,
    // the other one
    WRITE
}

shared seq      mmu_seq   written under mmu_lock;  // copies
shared set<Gfn> rmap[Pfn] guarded by mmu_lock;     // and owner
spinlock mmu_lock;

int fault(Vcpu v, Gfn gfn, int handler(Rmap *, int))
    from "arch/x86/kvm/mmu.c" at "v2.6.27"
{
    seq snap;
    Spte *p = &spte[gfn], *q;
    set<set<Gfn>> s = {a, b};

    /* A comment
       of two lines. */
    @snapshot  snap = data_race(mmu_seq);
    @lookup    pfn = gfn_to_pfn(gfn);
    if (is_error(pfn)) { put(pfn); return -1; }

    if (a == b && !c)
        x = 1;
    else if (a->b.c[2] < -1)
        for (Gfn g in s)
            if (g == none)
                *p = (Spte){ .present = true, .pfn = p };
            else
                x++;
    else {
        x = a ? b : c;
    }
    do {
        atomic { await (x == 0); x -= 1; }
    } while (x > 0);
    switch (x) {
    case READ:
    case WRITE:
        y = {};
        break;
    default:
        ;
    }
    foo(first,
        second + 1,
            third);
    goto out;

    // Before a label.
out:
    for (;;) ;
    return 0;    // done
}

invariant i unless held(mmu_lock) {
    forall (Gfn g, Pfn p) : after return f(g) until h(_) :
        f in @a..@b implies
            not (spte[g].pfn == p)
}
scenario s "t" {
    Vcpu = 2;  Gfn = scalarset 2;

    process vcpu[Vcpu v] { forever { f(any Gfn, any set<Gfn>); } } interrupt (x[v]) { g(); }
    hardware process w[2] daemon {
        forever
            repeat 3 x = 1;
    }
    check i;
    // nothing follows
}

mutant m of s "t" {
    drop fault@lookup;
    replace fault@snapshot with {
        x = 1;
    }
    insert { } before fault@return;
    expect i violated;
}
""".replace("[gfn], *q;", "[gfn];")


def laid_out(text: str) -> str:
    """The canonical layout of a text."""
    return format_source(SourceText("test.kvm", text))


def comments(text: str) -> list[str]:
    """The words of all comments."""
    return " ".join(re.findall(r"//[^\n]*|/\*.*?\*/", text, re.DOTALL)).split()


def test_a_canonical_text_stays_as_it_is() -> None:
    assert laid_out(CANONICAL) == CANONICAL


def test_a_text_without_indentation_gets_it_back() -> None:
    flat = re.sub(r"^ +", "", CANONICAL, flags=re.MULTILINE)
    # What only a hand can do: lines that go on deeper than one level.
    by_hand = CANONICAL.replace("            third);", "        third);").replace(
        "            not (spte[g].pfn == p)", "        not (spte[g].pfn == p)"
    )

    assert laid_out(flat) == by_hand.replace("       of two lines. */", "    of two lines. */")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("// only a comment", "// only a comment\n"),
        ("\n\n\nuse a;\n\n\n\nuse b;\n\n", "use a;\n\nuse b;\n"),
        ("use a;// why", "use a;  // why\n"),
        ("use   a ;   use b;", "use a;  use b;\n"),
        ("void f(){x=1;}", "void f() { x = 1; }\n"),
        ("void f ( ) { }", "void f() { }\n"),
        ("void f() {\n\n  x=1;\n\n\n  y=2;\n\n}", "void f() {\n    x = 1;\n\n    y = 2;\n}\n"),
        ("void f() {\n\tif(x)\n\t\ty=-1;\n}", "void f() {\n    if (x)\n        y = -1;\n}\n"),
        ("void f() { x=a*b-*c&d&&!e; p=&q; }", "void f() { x = a * b - *c & d && !e; p = &q; }\n"),
        ("shared Spte*p [ Gfn g ];", "shared Spte *p[Gfn g];\n"),
        ("shared Pfn ?x;", "shared Pfn? x;\n"),
        ("shared set < Gfn > x={ };", "shared set<Gfn> x = {};\n"),
        ("shared Spte**p;", "shared Spte **p;\n"),
        ("shared S s=( S ) {.a=1,.b={c}};", "shared S s = (S){ .a = 1, .b = {c} };\n"),
        ("invariant i{forall(G g):x}", "invariant i { forall (G g) : x }\n"),
        ("invariant i { count( G g:x )<=1 }", "invariant i { count(G g : x) <= 1 }\n"),
        ("invariant i { f in@a .. @b or f at @c }", "invariant i { f in @a..@b or f at @c }\n"),
        ("invariant i { x?y:z }", "invariant i { x ? y : z }\n"),
        ("void f() { @a(*p).x=1; f (a) [1] . b(c); }", "void f() { @a (*p).x = 1; f(a)[1].b(c); }\n"),
        ("void f() { while(x) ; return(x); }", "void f() { while (x) ; return (x); }\n"),
        ("void f() { switch(x){case a :break;} }", "void f() { switch (x) { case a: break; } }\n"),
        ("void f() { out :x=1; }", "void f() { out: x = 1; }\n"),
        ("void f() { @lock   x = 1; }", "void f() { @lock   x = 1; }\n"),
        ("void f(/* none */) { }", "void f( /* none */ ) { }\n"),
        ("mutant m of s { drop f @ a; }", "mutant m of s { drop f@a; }\n"),
        ("shared int 0 .. N x;", "shared int 0..N x;\n"),
        ("void f() { x ++; -- y; z = a - -b; }", "void f() { x++; --y; z = a - -b; }\n"),
        ("use a;  \r\nuse b;\r\n", "use a;\nuse b;\n"),
    ],
)
def test_a_line_is_laid_out(text: str, expected: str) -> None:
    assert laid_out(text) == expected


def test_blanks_that_align_nothing_go() -> None:
    assert laid_out("use a;\n\nshared int   x;\n") == "use a;\n\nshared int x;\n"


def test_blanks_that_align_stay() -> None:
    text = "shared int   x;\nshared Spte  y;\n"

    assert laid_out(text) == text


def test_a_text_with_mistakes_is_not_laid_out() -> None:
    with pytest.raises(BadInput) as raised:
        laid_out("void f() { x = ; }")

    assert [found.code for found in raised.value.diagnostics] == ["KVM100"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_we_ship_means_the_same_after_layout(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    after = laid_out(text)

    assert parsed(after) == parsed(text)
    assert comments(after) == comments(text)
    assert laid_out(after) == after


READ = tokens(SourceText("test.kvm", CANONICAL))
assert READ is not None
WORDS = [token.text for token in READ if token.text]
GAPS = [" ", "  ", "\n", "\n    ", "\t", " // a\n", "\n// b\n", " /* c */ ", "\n\n\n", "\n  /* d\n  e */\n"]


@settings(max_examples=12)
@given(st.integers(0, 2**32))
def test_however_a_text_is_broken_it_keeps_its_meaning(seed: int) -> None:
    draw = random.Random(seed)
    text = "".join(word + draw.choice(GAPS) for word in WORDS)
    after = laid_out(text)

    assert parsed(after) == parsed(CANONICAL)
    assert comments(after) == comments(text)
    assert laid_out(after) == after
    assert not re.search(r"[ \t]$|\n\n\n|\t", after, re.MULTILINE)
