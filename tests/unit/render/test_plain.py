# SPDX-License-Identifier: GPL-2.0-only
"""Text from a spec is shown, never obeyed; lines are as wide as they may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvmcheck.render.plain import cut, packed, padded, visible, width, wrapped


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\x00b\rc\nd", "a\\x00b\\x0dc\\x0ad"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\u200bhidden\ufeff", "\\u200bhidden\\ufeff"),
        ("tab\there", "tab here"),
        ("größer", "größer"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_a_terminal_would_obey_is_written_as_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_ascii_only_leaves_nothing_else() -> None:
    assert visible("größer → 大", ascii_only=True) == "gr\\xf6\\xdfer \\u2192 \\u5927"


@given(st.text())
def test_visible_text_is_printable_whatever_it_was(text: str) -> None:
    assert all(c.isprintable() for c in visible(text))
    assert visible(text, ascii_only=True).isascii()


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("大", 2), ("e\u0301", 1), ("", 0)])
def test_width_is_what_a_terminal_gives(text: str, columns: int) -> None:
    assert width(text) == columns


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n")), st.integers(8, 80))
def test_no_line_is_wider_than_asked(text: str, columns: int) -> None:
    lines = wrapped(visible(text), columns)

    assert all(width(line) <= columns for line in lines)


@given(st.lists(st.sampled_from(["a", "bb", "ccc", "dddddddddddddddd"]), min_size=1), st.integers(6, 30))
def test_wrapping_loses_no_word(words: list[str], columns: int) -> None:
    assert "".join("".join(wrapped(" ".join(words), columns)).split()) == "".join(words)


def test_parts_are_kept_together_where_they_fit() -> None:
    assert packed(["lock", "seq++", "unlock"], 12, ";") == ["lock; seq++;", "unlock"]


def test_a_part_that_is_too_wide_is_broken_inside() -> None:
    assert packed(["a b c d e f", "g"], 6, ";") == ["a b c", "  d e", "  f; g"]


def test_cut_and_padded_text_has_its_width() -> None:
    assert cut("abcdefgh", 6) == "abc..."
    assert cut("abc", 6) == "abc"
    assert padded("大", 4) == "大  "
