# SPDX-License-Identifier: GPL-2.0-only
"""What orders the threads of a run, without asking whether the run needs it: the edges of its happens-before graph."""

from __future__ import annotations

from dataclasses import replace

from kvmcheck.engine.result import Result
from kvmcheck.explain.story import Account, Story
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.witness import Trace
from kvmcheck.why.events import events_of
from kvmcheck.why.naming import ordering
from kvmcheck.why.turned import Need, Turned

#: What is known of such an ordering: nothing was tried.
UNTRIED = "untried"
#: Of a longer run nobody could read the graph.
MOST_ROWS = 400


def with_orders(account: Account, result: Result) -> Account:
    """The account of the result, each story with the orderings between threads that no others imply.

    Where more is known of them (`Story.why`), the story is left as it is.
    """
    findings = tuple(
        replace(
            finding,
            stories=tuple(
                _with_order(result.program, story, trace)
                for story, trace in zip(finding.stories, found.traces, strict=True)
            ),
        )
        for finding, found in zip(account.findings, result.properties, strict=True)
    )
    goals = tuple(
        replace(goal, story=_with_order(result.program, goal.story, cover.trace))
        if goal.story is not None and cover.trace is not None
        else goal
        for goal, cover in zip(account.goals, result.covers, strict=True)
    )
    return replace(account, findings=findings, goals=goals)


def _with_order(program: Program, story: Story, trace: Trace) -> Story:
    if story.why is not None or len(story.rows) > MOST_ROWS:
        return story
    events = events_of(trace)
    known = (ordering(program, events, Turned(pair, Need.UNDECIDED)) for pair in events.candidates())
    return replace(story, order=tuple(replace(told, need=UNTRIED) for told in known))
