# SPDX-License-Identifier: GPL-2.0-only
"""A labelled statement on locals is told with its value, and an access with its element and what was read."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmcheck.explain.story import Story
from kvmcheck.pipeline import Options, check
from kvmcheck.render.paint import Paint
from kvmcheck.render.text import told

SPEC = """\
word struct Slot { int 0..3 base = 1; int 0..3 npages = 2; }
shared Slot slots[2];
shared int 0..3 found;
invariant nothing_found { found == 0 }

void look(int gfn)
{
    int offset = gfn - (slots[1].base + slots[0].npages);
    int plain;
    int idx;

    plain = offset * 2;
    @index idx = plain / 2 + 1;
    @block { idx = idx + 0; }
    found = idx;
}

scenario s "an index is computed" {
    process p { look(5); }
    check nothing_found;
}
"""


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """The story of how something is found."""
    path = tmp_path / "index.kvm"
    path.write_text(SPEC, encoding="utf-8")
    account = check(path, Options()).cases[0].account
    assert account is not None
    return account.findings[0].stories[0]


def test_a_labelled_statement_that_assigns_a_local_is_told_with_its_value(story: Story) -> None:
    named = [named for row in story.rows for named in row.named]

    assert [(n.call.label, n.call.statement, n.change.text) for n in named] == [
        ("index", "idx = plain / 2 + 1", "idx = 3")
    ]


def test_it_has_a_line_of_its_own_in_the_trace(story: Story) -> None:
    lines = [line.strip() for line in told(story, Paint())]
    at = next(number for number, line in enumerate(lines) if line.startswith("@index idx = plain / 2 + 1"))

    assert lines[at + 1] == "idx = 3"
    assert lines.count("idx = 3") == 1


def test_a_read_says_which_field_of_which_element_was_read_and_what(story: Story) -> None:
    assert [row.access for row in story.rows[:2]] == ["reads slots[1].base: 1", "reads slots[0].npages: 2"]
    assert story.rows[2].access == "writes found"
