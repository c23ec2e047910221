# SPDX-License-Identifier: GPL-2.0-only
"""One trace in ITF, the Informal Trace Format of Apalache and Quint: a list of whole states.

Numbers and truth values are such; everything else is a string, as a person writes it.  What made a state is in its
`#meta`: thread, statement, place.  There is no time in it: the same trace gives the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from kvmcheck.explain.outcomes import Outcome
from kvmcheck.explain.report import CaseReport, Report
from kvmcheck.explain.story import Row, Story
from kvmcheck.render.jsonreport import Json

_NUMBER = re.compile(r"-?\d+\Z", re.ASCII)


def as_itf(report: Report) -> str | None:
    """The first trace of the run as ITF text, ending in a newline; None if there is none.

    What is not as expected comes before what is, a violation before a cover.
    """
    for case, name, story in sorted(_traces(report), key=_rank):
        if story.states:
            return json.dumps(_trace(case, name, story), indent=2, ensure_ascii=True) + "\n"
    return None


def _traces(report: Report) -> Iterator[tuple[CaseReport, str, Story]]:
    for case in report.cases:
        if case.account is not None:
            for finding in case.account.findings:
                yield from ((case, finding.property, story) for story in finding.stories)
            yield from (
                (case, goal.name, goal.story) for goal in case.account.goals if goal.story is not None
            )


def _rank(found: tuple[CaseReport, str, Story]) -> tuple[bool, bool]:
    case, _, story = found
    return case.judgement.outcome is Outcome.AS_EXPECTED, story.broken is None


def _trace(case: CaseReport, name: str, story: Story) -> Json:
    said = story.broken.said if story.broken is not None else f"{name} is reached"
    meta: Json = {
        "format": "ITF",
        "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
        "description": said,
        "source": case.spot.path,
        "case": case.name,
        "property": name,
    }
    rows: tuple[Row | None, ...] = (None, *story.rows)
    states: Json = [_state(n, row, at) for n, (row, at) in enumerate(zip(rows, story.states, strict=True))]
    found: dict[str, Json] = {"#meta": meta, "vars": [name for name, _ in story.states[0]], "states": states}
    if story.loop is not None:
        found["loop"] = story.loop
    return found


def _state(index: int, row: Row | None, held: tuple[tuple[str, str], ...]) -> Json:
    meta: dict[str, Json] = {"index": index}
    if row is not None:
        meta |= {
            "thread": row.thread,
            "statement": row.innermost.statement,
            "place": row.innermost.spot.text,
        }
    return {"#meta": meta, **{name: _value(text) for name, text in held}}


def _value(text: str) -> Json:
    if text in ("true", "false"):
        return text == "true"
    return {"#bigint": str(int(text))} if _NUMBER.match(text) else text
