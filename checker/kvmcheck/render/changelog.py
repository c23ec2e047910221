# SPDX-License-Identifier: GPL-2.0-only
"""What of a case can be pasted into a changelog: one diagram for all that one run breaks, and who is in it.

Nothing else is in it, so that it can be taken as it is; the verdicts are printed elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kvmcheck.explain.report import CaseReport
from kvmcheck.explain.story import Account, Finding, Row, Story
from kvmcheck.render.commit import COLUMNS, diagram
from kvmcheck.render.folding import plain
from kvmcheck.render.plain import wrapped
from kvmcheck.semantics.program import Check

#: Behind these a run does not go on.
_BUILT_IN = frozenset(check.value for check in Check)


def changelog(case: CaseReport, account: Account, told: Sequence[Finding], *, unfold: bool) -> list[str]:
    """The lines of a case's changelog; none if there is no trace to tell."""
    first = [finding.stories[0] for finding in told if finding.stories]
    if not first:
        return []
    lead = min(first, key=lambda story: len(story.rows))
    whole, on_the_way = _joined(lead, first)
    shown = [*on_the_way, whole]
    lines = [
        *_lead_in(case, account),
        "",
        *diagram(whole, unfold=unfold, on_the_way=on_the_way).split("\n")[:-1],
    ]
    further = [story for finding in told for story in finding.stories[1:]]
    if further:  # somebody asked for all of them
        further = [*(story for story in first if story not in shown), *further]
        for story in further:
            lines += ["", *diagram(story, unfold=unfold).split("\n")[:-1]]
        return lines
    others = [story.broken.property for story in first if story.broken and story not in shown]
    if others:
        names = ", ".join(plain(name) for name in others)
        lines += ["", *wrapped(f"Broken in other runs (--only NAME shows one): {names}.", COLUMNS, 0)]
    return lines


def _lead_in(case: CaseReport, account: Account) -> list[str]:
    """Which case of which spec it is, and how small a world."""
    title = f', "{case.title}"' if case.title else ""
    spec = f"{case.spot.path}: " if case.spot.path else ""
    sized = f" ({account.sized})" if account.sized else ""
    return wrapped(plain(f"{spec}{case.name}{title}{sized}:"), COLUMNS, 0)


def _joined(lead: Story, stories: list[Story]) -> tuple[Story, list[Story]]:
    """The longest story that the lead is a beginning of, and all that are a beginning of that one."""
    if _ends_a_run(lead):
        return lead, []
    longer = [story for story in stories if _begins(lead, story)]
    whole = max(longer, key=lambda story: len(story.rows))
    early = [
        story for story in longer if story is not whole and not _ends_a_run(story) and _begins(story, whole)
    ]
    return whole, sorted(early, key=lambda story: len(story.rows))


def _ends_a_run(story: Story) -> bool:
    return story.broken is None or story.broken.property in _BUILT_IN


def _begins(beginning: Story, story: Story) -> bool:
    """Whether a story's steps are the first ones of another."""
    own = [_bare(row) for row in beginning.rows]
    return beginning.start == story.start and own == [_bare(row) for row in story.rows[: len(own)]]


def _bare(row: Row) -> Row:
    """The row without what depends on the rest of its story: its lane's number and whether it breaks anything."""
    return replace(row, breaks=False, lane=0)
