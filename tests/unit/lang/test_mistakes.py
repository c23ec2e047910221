# SPDX-License-Identifier: GPL-2.0-only
"""Each mistake is told where it is, in words that help, and does not hide or invent others."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kvmcheck.lang.parse import parse
from kvmcheck.lang.table import table
from kvmcheck.lang.tokens import RESERVED
from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.text import MAX_BYTES, SourceText
from tests.support.syntax import codes_of, found_in, parsed

IN_FUNCTION = "int f(int a) {{\n    {}\n    x = 1;\n}}\nint g() {{ return 1; }}\n"


@pytest.mark.parametrize(
    ("line", "code", "at", "says"),
    [
        ("x = 1", "KVM101", "1", "add `;`"),
        ("return 0", "KVM101", "0", "add `;`"),
        ("if (a = 1) y = 2;", "KVM106", "=", "`==`"),
        ("while (f(a) = 1) y = 2;", "KVM106", "=", "`==`"),
        ("await (a = 1);", "KVM106", "=", "`==`"),
        ("a == 3;", "KVM106", "==", "`=`"),
        ("a := 3;", "KVM107", ":=", "`=`"),
        ("if (a) { } elif (b) { }", "KVM108", "elif", "`else if`"),
        ("elsif (b) { }", "KVM108", "elsif", "`else if`"),
        ("goto ;", "KVM109", "goto", "`goto out;`"),
        ("int p, q;", "KVM116", ",", "second declaration"),
        ("seq seq;", "KVM117", "seq", "`snap`"),
        ("int while = 1;", "KVM117", "while", "`while_`"),
        ("x = seq;", "KVM117", "seq", "`snap`"),
        ("unsigned int q;", "KVM121", "unsigned", "int 0..N"),
        ("static int q;", "KVM121", "static", "leave it out"),
        ("struct Spte s;", "KVM121", "struct", "name of the type alone"),
        ("x = (int) y;", "KVM122", "(int", "(T){ .field = e }"),
        ("x = (u64) y;", "KVM122", "(u64)", "(T){ .field = e }"),
        ("x = 3 # 4;", "KVM103", "#", "no preprocessor"),
        ("x = 'a';", "KVM103", "'", "double quotes"),
        ("x = 12u;", "KVM111", "12u", "without suffix"),
        ("x = 1234567890123456789;", "KVM111", "1234567890123456789", ""),
        ("x + 1;", "KVM100", "+", ""),
        ("x.y;", "KVM113", "x.y", "a call"),
        ("f(1) = 2;", "KVM119", "f(1)", "a place is"),
        ("(T){ .x = 1 } = 2;", "KVM119", "(T){ .x = 1 }", "a place is"),
        ("x = (3 + ;", "KVM100", ";", ""),
        ("foo(1, 2;", "KVM100", ";", ""),
        ("x = ;", "KVM100", ";", ""),
        (")", "KVM100", ")", ""),
    ],
)
def test_a_mistake_in_a_statement_is_told_at_its_place(line: str, code: str, at: str, says: str) -> None:
    (found,) = found_in(IN_FUNCTION.format(line))

    assert (found.code, found.primary.span.text) == (code, at)
    assert says in found.help
    assert found.primary.span.line == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shared x;", [("KVM100", 1)]),
        ("int q;", [("KVM112", 1)]),
        ("spinlock x = 3;", [("KVM112", 1)]),
        ("shared int x guarded by 3;", [("KVM114", 1)]),
        ("struct S { int x[Gfn g]; }", [("KVM115", 1)]),
        ("language 7;", [("KVM118", 1)]),
        ("invariant i { x.y at @a }", [("KVM120", 1)]),
        ("invariant i { a => b }", [("KVM121", 1)]),
        ("invariant i { forall Gfn g : a }", [("KVM100", 1)]),
        ("invariant i { a = b }\ninvariant j { a b }\ninvariant k { a }", [("KVM106", 1), ("KVM100", 2)]),
        (
            "scenario s {\n Vcpu = 2\n process { }\n check a\n check b;\n}",
            [("KVM101", 2), ("KVM100", 3), ("KVM101", 4)],
        ),
        (
            "mutant m of s {\n drop f@a\n expect x violated;\n remove f@a;\n set a = 1;\n}",
            [("KVM101", 2), ("KVM100", 4)],
        ),
        ("struct S { int x; bool }\nstruct T { int y; }\nstruct { }", [("KVM100", 1), ("KVM100", 3)]),
        ("int f() { x = 1; }\n}\nint g() { y = ; }", [("KVM100", 2), ("KVM100", 3)]),
        ("int f() {\n    x = (Spte){ .a = };\n    y = ;\n}\n", [("KVM100", 2), ("KVM100", 3)]),
        (
            "int f() {\n    if (a) {\n        b = 1;\n    c = 2;\n}\nshared int x;\nint g() {\n",
            [("KVM102", 5), ("KVM102", 7)],
        ),
        ("scenario s {\n    check a;\n", [("KVM102", 2)]),
        ('scenario s "abc {\n}\n', [("KVM104", 1)]),
        ('scenario s "a\\n" {\n}\n', [("KVM104", 1)]),
        ("use a; /* never closed", [("KVM105", 1)]),
        ("\ufeffuse a;", [("KVM103", 1)]),
        ("use a;\0", [("KVM005", 1)]),
        ("x" * (MAX_BYTES + 1), [("KVM003", 1)]),
    ],
)  # fmt: skip
def test_mistakes_are_told_once_each(text: str, expected: list[tuple[str, int]]) -> None:
    assert codes_of(text) == expected


def test_ten_mistakes_are_ten_diagnostics() -> None:
    text = "int f() {\n" + "    x = ;\n    y = 1;\n" * 10 + "}\nint g() { return 1; }\n"

    assert codes_of(text) == [("KVM100", 2 * n + 2) for n in range(10)]


def test_what_is_expected_is_told_in_words() -> None:
    messages = {
        "int f() { x = ; }": "expected an expression, found `;`",
        "int f() { ) }": "expected a statement or `}`, found `)`",
        "}": "expected a declaration or the end of the file, found `}`",
        "scenario s { ; }": "expected a line of a scenario or `}`, found `;`",
        "mutant m of s { ; }": "expected an edit, `}` or `expect`, found `;`",
        "int f(3) { }": "expected a type or `)`, found `3`",
        "int f(int a": "expected `)`, `,` or `(`, found the end of the file",
        "use ;": "expected a name, found `;`",
        "int f() { x = f(1; }": "expected an operator, `)` or `,`, found `;`",
    }

    for text, message in messages.items():
        assert [found.message for found in found_in(text)] == [message]


def test_an_open_parenthesis_is_shown() -> None:
    (found,) = found_in("int f() { x = f(1; }")

    assert [label.span.column for label in found.secondary] == [16]


def test_a_missing_brace_is_told_at_the_block_that_lacks_it() -> None:
    text = (
        "int f() {\n    if (a) {\n        b = 1;\n    while (c) {\n        d();\n    }\n}\n\nshared int x;\n"
    )
    (found,) = found_in(text)

    assert (found.code, found.primary.span.line) == ("KVM102", 7)
    assert [label.span.line for label in found.secondary] == [2]


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 50_000 + "1" + ")" * 50_000 + ";",
        "x = " + "!" * 1_000 + "1;",
        "x = " + "+".join(["1"] * 5_000) + ";",
        "x = y" + ".z" * 5_000 + ";",
        "x = y" + "[1]" * 5_000 + ";",
        "if (x) " * 3_000 + ";",
        "{" * 3_000 + "}" * 3_000,
        "T " + "*" * 3_000 + "p;",
        "".join(f"if (x == {n}) ; else " for n in range(1_500)) + ";",
        "x = " + "f(" * 3_000 + ")" * 3_000 + ";",
        "x = " + "{" * 3_000 + "}" * 3_000 + ";",
    ],
)
def test_what_is_nested_without_end_is_refused(text: str) -> None:
    assert [code for code, _ in codes_of(f"void f() {{ {text} }}")] == ["KVM110"]


@pytest.mark.parametrize("junk", [")\n", "int f() { x = ; }\n", "# ", '"\n', "{ ", "x y z\n", "/* "])
def test_a_large_file_of_mistakes_is_given_up_early(junk: str) -> None:
    before = time.process_time()
    found = found_in(junk * (200_000 // len(junk)))

    assert 1 <= len(found) <= Collector.CAP
    assert time.process_time() - before < 2


def test_what_people_write_is_not_too_deep() -> None:
    parsed("void f() { x = " + "(" * 40 + "1" + " + 1)" * 40 + "; }")
    parsed("void f() { " + "if (x) { " * 40 + "}" * 40 + " }")
    parsed("void f() { x = " + " and ".join(["y"] * 80) + "; }")


# ------------------------------------------------------------------------------ any text at all

WORDS = sorted(
    {t.pattern for t in table().terminals if not t.regular}
    | {t.pattern.partition("(?")[0] for t in table().terminals if t.priority and t.pattern[0].isalpha()}
)


def survives(text: str) -> None:
    """The parser gives a tree, or diagnostics that lie in the text."""
    collector = Collector()
    file = parse(SourceText("fuzz.kvm", text), collector)
    assert (file is None) == collector.has_errors
    for found in collector.all():
        for label in (found.primary, *found.secondary):
            assert 0 <= label.span.start <= label.span.end <= len(text)


@given(st.text(max_size=200))
@example("\x00")
@example('"')
@example("/*")
@example("\u2028}")
def test_any_text_is_a_tree_or_diagnostics(text: str) -> None:
    survives(text)


@given(st.binary(max_size=200))
def test_any_bytes_that_decode_are_a_tree_or_diagnostics(data: bytes) -> None:
    survives(data.decode("latin-1"))


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from([*WORDS, *WORDS, "x", "y", "T", "1", "0x2", '"s"', "\n", "\nint f() {\n"]),
        max_size=60,
    )
)
def test_any_row_of_tokens_is_a_tree_or_diagnostics(words: list[str]) -> None:
    survives(" ".join(words))


SPEC = """module m;
shared int 0..3 x[Gfn g] guarded by l[g];
int f(int a) from "f.c" at "v1" {
    Pfn? p = any Pfn;
    @a if (x[1] == a && p != none) { spin_lock(&l); goto out; } else x[2] += 1;
    for (Gfn g in s) ghost q |= {g};
out:
    return alloc Desc or NULL;
}
invariant i unless held(l) { forall (Gfn g) : after return f(g) until call h() : f in @a..@b implies g in s }
scenario s "t" { Vcpu = 2; process p[Vcpu v] { forever { f(any Gfn); } } check i; }
mutant m1 of s "t" { replace f@a with { x = 1; } move f@a after f@b; expect i violated; }
"""


@settings(max_examples=200)
@given(
    st.integers(0, len(SPEC)),
    st.integers(0, 12),
    st.sampled_from(["", "{", "}", ";", "(", '"', "/*", "@", "=", "\n"]),
)
def test_a_damaged_spec_is_a_tree_or_diagnostics(at: int, gone: int, put: str) -> None:
    survives(SPEC[:at] + put + SPEC[at + gone :])


def test_the_spec_that_is_damaged_is_whole() -> None:
    assert len(parsed(SPEC).items) == 5


def test_reserved_words_are_words_of_the_grammar() -> None:
    assert set(WORDS) >= RESERVED
