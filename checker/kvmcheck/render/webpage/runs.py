# SPDX-License-Identifier: GPL-2.0-only
"""A story as data for the page: rows, the state as what each row changes of it, locks, tracks, reasons.

What many rows and runs have in common (statements, changes, names, who holds what) is said once, in a table of the
page: without it, a page on all that we ship is several times as large.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from kvmcheck.explain.changes import Change
from kvmcheck.explain.orderings import Moment, Ordering, Why
from kvmcheck.explain.spots import Spot
from kvmcheck.explain.story import Broken, Call, Named, Row, Story
from kvmcheck.render.plain import visible
from kvmcheck.render.webpage.markup import Json

#: Counters by which code notices that something happened meanwhile: drawn beside the schedule.
_TRACKED = re.compile(r"(?:\A|_)(?:seq|count)\Z|\Ammu_\w+_(?:seq|count)\[")


@dataclass(slots=True)
class Tables:
    """The paths of sources, the runs, and the values that they share, each by its number."""

    paths: dict[str, int] = field(default_factory=dict)
    runs: list[Json] = field(default_factory=list)
    shared: list[Json] = field(default_factory=list)
    _known: dict[str, int] = field(default_factory=dict)

    def share(self, value: Json) -> int:
        """The number of a value, the same each time."""
        number = self._known.setdefault(json.dumps(value), len(self.shared))
        if number == len(self.shared):
            self.shared.append(value)
        return number

    def add(self, story: Story, name: str, of: str, *, saved: bool = False) -> int:
        """The number of the run on the page; `name`: the property that it breaks, or the cover that it reaches.

        `of`: the spec and case that it is of; `saved`: it is how an unmodified model keeps from breaking the property.
        """
        number = len(self.runs)
        self.runs.append(None)
        near = self.add(story.near, name, of, saved=True) if story.near is not None else None
        said: dict[str, Json] = {"name": visible(name), "of": visible(of), "saved": saved, "near": near}
        self.runs[number] = said | self._run(story)
        return number

    def place(self, spot: Spot) -> Json:
        """`[source, line, column]`; None is nowhere."""
        if not spot.path:
            return None
        return [self.paths.setdefault(spot.path, len(self.paths)), spot.line, spot.column]

    def _call(self, call: Call) -> int:
        """`[function, statement, kernel, label, decided, place]`, shared."""
        said = (call.function, call.statement, call.kernel, call.label, call.decided)
        return self.share([*map(visible, said), self.place(call.spot)])

    def _change(self, change: Change) -> int:
        """`[kind, name, before, after]`, shared."""
        return self.share([change.kind.value, *map(visible, (change.name, change.before, change.after))])

    def _run(self, story: Story) -> dict[str, Json]:
        names = [name for name, _ in story.states[0]] if story.states else []
        shared = next((n for n, name in enumerate(names) if name.endswith(" at")), len(names))
        return {
            "title": visible(story.title),
            "scope": visible(story.scope),
            "lanes": _texts(story.lanes),
            "start": _texts(story.start),
            "names": self.share(_texts(names)),
            "threadsFrom": shared,
            "initial": self.share(_texts([text for _, text in story.states[0]] if story.states else [])),
            "tracks": [n for n, name in enumerate(names[:shared]) if _TRACKED.search(name)],
            "rows": [self._row(story, row) for row in story.rows],
            "broken": self._broken(story.broken) if story.broken is not None else None,
            "loop": story.loop,
            "order": [self._ordering(o) for o in (story.why.orderings if story.why else story.order)],
            "why": _why(story.why) if story.why is not None else None,
            "guard": {"text": visible(story.guard.text), "place": self.place(story.guard.spot)}
            if story.guard is not None
            else None,
        }

    def _row(self, story: Story, row: Row) -> Json:
        found: dict[str, Json] = {
            "lane": row.lane,
            "calls": self.share([self._call(call) for call in row.calls]),
            "changes": [self._change(change) for change in row.changes],
            "held": self.share([[visible(holding.thread), _texts(holding.locks)] for holding in row.held]),
        }
        if row.handler:
            found["handler"] = True
        if row.access:
            found["access"] = self.share(visible(row.access))
        if row.breaks:
            found["breaks"] = True
        if row.named:
            found["named"] = [self._named(named) for named in row.named]
        if story.states:
            before, after = story.states[row.number - 1], story.states[row.number]
            pairs = enumerate(zip(before, after, strict=True))
            found["set"] = [[n, self.share(visible(new))] for n, ((_, old), (_, new)) in pairs if old != new]
        return found

    def _named(self, named: Named) -> Json:
        return {
            "call": self._call(named.call),
            "change": self._change(named.change),
            "early": named.early,
        }

    def _broken(self, broken: Broken) -> Json:
        return {
            "property": visible(broken.property),
            "said": visible(broken.said),
            "claim": visible(broken.claim),
            "place": self.place(broken.spot),
            "bindings": _texts(broken.reason.bindings),
            "facts": [[visible(fact.text), fact.since] for fact in broken.reason.facts],
        }

    def _ordering(self, ordering: Ordering) -> Json:
        return {
            "first": self._moment(ordering.first),
            "second": self._moment(ordering.second),
            "about": _texts(ordering.about),
            "under": visible(ordering.under),
            "need": ordering.need,
            "schedule": [self._moment(moment) for moment in ordering.schedule],
        }

    def _moment(self, moment: Moment) -> Json:
        return [visible(moment.thread), moment.step, visible(moment.name), self.place(moment.spot)]


def _why(why: Why) -> Json:
    """What is said of the orderings as a whole; they themselves are in `order`."""
    return {
        "said": [visible(line) for line in why.lines() if not line.startswith(("needs: ", "may need: "))],
        "switches": why.switches,
        "fewest": why.fewest,
    }


def _texts(texts: Sequence[str]) -> list[Json]:
    return [visible(text) for text in texts]
