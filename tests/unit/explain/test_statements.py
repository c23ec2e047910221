# SPDX-License-Identifier: GPL-2.0-only
"""A statement is shown in its author's words, on one line, without what does not belong to it."""

from __future__ import annotations

import pytest

from kvmcheck.explain.statements import claim_text, kernel_source, squeezed, statement
from kvmcheck.source.text import SourceText, Span

TEXT = """\
int f(Gfn gfn)
    from "arch/x86/kvm/mmu.c" at "v2.6.27"
{
    a = b;  // trailing; with a semicolon
    @first x = (Spte){ .present = true,
                       .pfn = pfn };
    if (retry(seq))  goto out;
    if (busy) {
        inner = 1;
    } else last = 2;
    for (i = 0; i < 3; i++) { body = i; }
    s |= {one, two};
    while (x in {1, 2}) y = "a; {b";
    switch (u) { case empty: drop(u); default: keep(u); }
out:
    return /* nothing
    much */ 0;
}
"""
SOURCE = SourceText("f.kvm", TEXT)


def at(text: str) -> Span:
    """Where that text stands for the first time."""
    start = TEXT.index(text)
    return Span(SOURCE, start, start + len(text))


@pytest.mark.parametrize(
    ("inside", "shown"),
    [
        ("a = b", "a = b"),
        ("pfn }", "x = (Spte){ .present = true, .pfn = pfn }"),
        ("@first x", "x = (Spte){ .present = true, .pfn = pfn }"),
        ("retry(seq)", "if (retry(seq)) goto out"),
        ("goto out", "goto out"),
        ("busy", "if (busy) ..."),
        ("if (busy)", "if (busy) ..."),
        ("inner", "inner = 1"),
        ("last", "last = 2"),
        ("i < 3", "for (i = 0; i < 3; i++) ..."),
        ("body", "body = i"),
        ("{one", "s |= {one, two}"),
        ("x in", 'while (x in {1, 2}) y = "a; {b"'),
        ('y = "a', 'y = "a; {b"'),
        ("switch", "switch (u) ..."),
        ("drop", "drop(u)"),
        ("keep", "keep(u)"),
        ("return", "return 0"),
    ],
)
def test_the_statement_around_a_place_is_found(inside: str, shown: str) -> None:
    assert statement(at(inside)) == shown


def test_a_comment_can_not_end_a_statement() -> None:
    source = SourceText("g.kvm", "f() { a = /* ; } */ b; }")

    assert statement(Span(source, source.text.index("b;"), source.text.index("b;") + 1)) == "a = b"


@pytest.mark.parametrize("text", ["", "}}}}", "{{{{", "((((", ";", '"', "/*", "@", "if (", "a"])
def test_text_that_is_no_program_is_shown_all_the_same(text: str) -> None:
    source = SourceText("broken.kvm", text)

    for start in range(len(text)):
        assert "\n" not in statement(Span(source, start, len(text)))


def test_comments_and_white_space_are_squeezed() -> None:
    assert squeezed("a\t\n  // why\n = /* how */ b") == "a = b"


def test_a_claim_is_the_body_of_its_declaration() -> None:
    source = SourceText("p.kvm", "invariant p unless held(l) { x in {1} // one\n }")

    assert claim_text(Span(source, 0, len(source.text))) == "x in {1}"


def test_a_claim_that_is_an_expression_keeps_its_braces() -> None:
    source = SourceText("p.kvm", "s == {1, 2} and t == {}")

    assert claim_text(Span(source, 0, len(source.text))) == "s == {1, 2} and t == {}"


def test_the_kernel_function_is_read_off_the_declaration() -> None:
    source = kernel_source("f", at("int f"))

    assert source is not None
    assert (source.file, source.version) == ("arch/x86/kvm/mmu.c", "v2.6.27")


def test_a_function_that_models_none_names_none() -> None:
    plain = SourceText("h.kvm", 'void h() { } int f() from "mm/x.c" { }')

    assert kernel_source("h", Span(plain, 0, 6)) is None
