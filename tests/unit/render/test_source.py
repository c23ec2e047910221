# SPDX-License-Identifier: GPL-2.0-only
"""How a diagnostic looks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kvmcheck.render.source import draw, draw_terse
from kvmcheck.source.diagnostic import Diagnostic, Label, Severity
from kvmcheck.source.text import SourceText, Span, nowhere

TEXT = "int f() {\n" * 12 + "{\n    if (mmu_seq < mmu_notifier_seq) goto out_unlock;\n\tx\t= y;\n}\n"


def span_of(part: str, text: str = TEXT, path: str = "specs/mine.kvm") -> Span:
    """The place of a part of a text."""
    start = text.index(part)
    return Span(SourceText(path, text), start, start + len(part))


def test_a_diagnostic_looks_as_the_manual_shows_it() -> None:
    found = Diagnostic(
        "KVM321",
        "`mmu_seq` is compared with `<`, but a seq can only be compared with == and !=",
        Label(span_of("< mmu_not").to(span_of("< mmu_not")), "here"),
        help='a seq stands for any number of increments; `!=` says "has changed since the snapshot"',
    )
    found = Diagnostic(found.code, found.message, Label(span_of("<"), "here"), help=found.help)

    assert draw(found) == (
        "error[KVM321]: `mmu_seq` is compared with `<`, but a seq can only be compared with == and !=\n"
        "  --> specs/mine.kvm:14:17\n"
        "   |\n"
        "14 |     if (mmu_seq < mmu_notifier_seq) goto out_unlock;\n"
        "   |                 ^ here\n"
        "   |\n"
        '   = help: a seq stands for any number of increments; `!=` says "has changed since the snapshot"'
    )


def test_other_places_are_shown_with_what_lies_between_left_out() -> None:
    text = "a;\nb;\nc;\nd;\n"
    here, there, next_to = (span_of(part, text) for part in ("d", "a", "c"))
    found = Diagnostic("KVM201", "m", Label(here, "one"), (Label(there, "two"), Label(next_to)), "because")

    assert draw(found) == (
        "error[KVM201]: m\n"
        " --> specs/mine.kvm:4:1\n"
        "  |\n"
        "1 | a;\n"
        "  | - two\n"
        "  :\n"
        "3 | c;\n"
        "  | -\n"
        "4 | d;\n"
        "  | ^ one\n"
        "  |\n"
        "  = why: because"
    )


def test_a_place_in_another_file_has_its_file_named() -> None:
    other = span_of("b", "a\nb\n", "model/other.kvm")
    found = Diagnostic("KVM201", "m", Label(span_of("a", "a\n")), (Label(other, "first"),))

    assert draw(found).splitlines()[5:] == [" ::: model/other.kvm:2:1", "  |", "2 | b", "  | - first"]


def test_two_places_on_one_line_share_the_line() -> None:
    text = "a b c\n"
    found = Diagnostic("KVM201", "m", Label(span_of("c", text), "one"), (Label(span_of("a", text), "two"),))

    assert draw(found).splitlines()[3:] == ["1 | a b c", "  |     ^ one", "  | - two"]


def test_carets_stand_under_text_with_tabs() -> None:
    lines = draw(Diagnostic("KVM100", "m", Label(span_of("= y")))).splitlines()

    assert lines[3].index("= y") == lines[4].index("^^^")


def test_carets_stand_under_wide_characters() -> None:
    text = "// 漢字 x\n"
    lines = draw(Diagnostic("KVM100", "m", Label(span_of("x", text)))).splitlines()

    assert lines[4].index("^") == lines[3].index("x") + 2


def test_a_warning_is_called_one() -> None:
    found = Diagnostic("KVM410", "m", Label(span_of("x")), severity=Severity.WARNING)

    assert draw(found).startswith("warning[KVM410]: m\n")
    assert draw_terse(found) == "specs/mine.kvm:15:2: WARNING:KVM410: m"


def test_one_line_is_enough_for_an_editor() -> None:
    found = Diagnostic("KVM101", "expected `;`\nafter `1`", Label(span_of("<")), help="add `;`")

    assert draw_terse(found) == "specs/mine.kvm:14:17: ERROR:KVM101: expected `;` after `1`"


def test_quoted_text_cannot_play_tricks() -> None:
    text = "a \x1b[31m \u202e b;\n"
    shown = draw(Diagnostic("KVM100", "`\x1b]0;title\x07`", Label(span_of("b", text))))

    assert "\x1b" not in shown
    assert "\u202e" not in shown
    lines = shown.splitlines()
    assert lines[0] == "error[KVM100]: `\\x1b]0;title\\x07`"
    assert lines[3].index("b;") == lines[4].index("^")


def test_a_long_line_is_cut_around_the_place() -> None:
    text = "x" * 500 + " here " + "y" * 500 + "\n"
    lines = draw(Diagnostic("KVM100", "m", Label(span_of("here", text)))).splitlines()

    assert all(len(line) <= 110 for line in lines)
    assert lines[3].index("here") == lines[4].index("^^^^")
    assert lines[3].startswith("1 | ...")
    assert lines[3].endswith("...")


def test_a_place_over_several_lines_is_shown_by_its_first() -> None:
    text = "if (a) {\n    b;\n}\n"
    lines = draw(Diagnostic("KVM100", "m", Label(span_of(text.rstrip(), text)))).splitlines()

    assert lines[3:] == ["1 | if (a) {", "  | ^^^^^^^^"]


def test_what_has_no_text_has_only_a_path() -> None:
    found = Diagnostic("KVM001", "there is no file x.kvm", Label(nowhere("x.kvm")), help="there is y.kvm")

    assert draw(found).splitlines() == [
        "error[KVM001]: there is no file x.kvm",
        " --> x.kvm",
        "  = help: there is y.kvm",
    ]


def test_colour_only_adds_to_the_words() -> None:
    import re

    found = Diagnostic("KVM100", "m", Label(span_of("<"), "here"), help="do")

    assert draw(found, colour=True) != draw(found)
    assert re.sub(r"\x1b\[[0-9;]*m", "", draw(found, colour=True)) == draw(found)


@given(st.text(min_size=1), st.data())
def test_any_place_in_any_text_can_be_drawn(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    shown = draw(Diagnostic("KVM100", text, Label(Span(SourceText("x.kvm", text), start, end), text)))

    assert all(line.isprintable() for line in shown.split("\n"))
    assert "\n" not in draw_terse(Diagnostic("KVM100", text, Label(Span(SourceText("x", text), start, end))))
