# SPDX-License-Identifier: GPL-2.0-only
"""Expressions that somebody asks for are typed as in a property, and told where their value changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmcheck.explain.story import Story
from kvmcheck.pipeline import Options, check
from kvmcheck.render.commit import diagram
from kvmcheck.render.paint import Paint
from kvmcheck.render.text import told
from kvmcheck.source.diagnostic import Diagnostic

SPEC = """\
scalarset Gfn;
shared bool mapped[Gfn];
shared int 0..3 n;
invariant few { n < 2 }
void map_page(Gfn gfn)
{
    bool old = READ_ONCE(mapped[gfn]);
    @map WRITE_ONCE(mapped[gfn], not old);
    @count WRITE_ONCE(n, n + 1);
}
scenario s "two pages are mapped" {
    Gfn = 2;
    process p { for (Gfn g) map_page(g); }
    check few;
    expect few violated;
}
"""


def story_with(folder: Path, *expressions: str) -> Story:
    """The story, with expressions."""
    path = folder / "spec.kvm"
    path.write_text(SPEC, encoding="utf-8")
    account = check(path, Options(explain_with=expressions)).cases[0].account
    assert account is not None
    return account.findings[0].stories[0]


def mistakes(folder: Path, expression: str) -> tuple[Diagnostic, ...]:
    """What is wrong with an expression."""
    path = folder / "spec.kvm"
    path.write_text(SPEC, encoding="utf-8")
    case = check(path, Options(explain_with=(expression,))).cases[0]
    assert case.account is None
    return case.diagnostics


def test_the_value_is_told_at_first_and_where_it_changes(tmp_path: Path) -> None:
    story = story_with(tmp_path, "count(Gfn g : mapped[g])", "n + 1")

    assert story.watched == ("count(Gfn g : mapped[g]) = 0", "n + 1 = 1")
    assert [row.watched for row in story.rows if row.watched] == [
        ("count(Gfn g : mapped[g]) = 1",),
        ("n + 1 = 2",),
        ("count(Gfn g : mapped[g]) = 2",),
        ("n + 1 = 3",),
    ]


def test_live_calls_and_their_locals_can_be_looked_at(tmp_path: Path) -> None:
    story = story_with(tmp_path, "exists (map_page f) : f in @map..@count and not f.old")

    assert [row.watched[0].rpartition(" = ")[2] for row in story.rows if row.watched] == [
        "true",
        "false",
        "true",
        "false",
    ]


def test_it_is_in_the_trace_and_in_the_diagram(tmp_path: Path) -> None:
    story = story_with(tmp_path, "n == 2")

    assert [line.strip() for line in told(story, Paint())].count("n == 2 = false") == 1
    assert "n == 2 = true" in diagram(story)


def test_nothing_of_the_verdicts_changes(tmp_path: Path) -> None:
    path = tmp_path / "spec.kvm"
    path.write_text(SPEC, encoding="utf-8")
    plain, watching = (check(path, options).cases[0] for options in (Options(), Options(explain_with=("n",))))
    assert plain.account is not None and watching.account is not None

    assert [(f.property, f.verdict) for f in plain.account.findings] == [
        (f.property, f.verdict) for f in watching.account.findings
    ]
    assert plain.account.states == watching.account.states


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("mapped[0]", "KVM301"),
        ("nobody", "KVM201"),
        ("n +", "KVM100"),
        ("true } shared int x; invariant y { 1", "KVM100"),
        ("", "KVM100"),
    ],
)
def test_what_is_no_expression_of_the_scenario_is_an_error(
    expression: str, code: str, tmp_path: Path
) -> None:
    found = mistakes(tmp_path, expression)

    assert code in [diagnostic.code for diagnostic in found]
    assert {diagnostic.primary.span.source.path for diagnostic in found} == {"--explain-with"}
