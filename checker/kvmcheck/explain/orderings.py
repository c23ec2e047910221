# SPDX-License-Identifier: GPL-2.0-only
"""Why a run fails, in words: the orderings of its steps that it needs.  Worked out by `kvmcheck.why`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kvmcheck.explain.spots import Spot


@dataclass(frozen=True, slots=True)
class Moment:
    """A step of a run: whose, its number (from 1), and what to call it: its label, or else its statement."""

    thread: str
    step: int
    name: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class Ordering:
    """One step before another, of another thread; `about`: what both touch; `under`: the lock that orders them.

    `need` is `needed`, `forced`, `free` or `undecided`.  `schedule`: of a needed one, a run in which it is turned
    round and nothing breaks.
    """

    first: Moment
    second: Moment
    about: tuple[str, ...]
    under: str
    need: str
    schedule: tuple[Moment, ...] = ()

    def text(self, number: Callable[[int], str]) -> str:
        """`lookup (vcpu0, step 7) before clear (reclaim, step 13): pte[gfn0]`; `number` says which step that is."""
        first, second = self.first, self.second
        said = (
            f"{first.name} ({first.thread}, {number(first.step)}) "
            f"before {second.name} ({second.thread}, {number(second.step)})"
        )
        if self.about:
            return f"{said}: {', '.join(self.about)}"
        return f"{said}: under {self.under}" if self.under else said


@dataclass(frozen=True, slots=True)
class Guard:
    """What in the unmodified model prevents a mutant's trace.

    `statement` of `function`, done by `thread`; `label` or empty.  `fitted`: so many of the trace's steps that model
    can take; `whole`: all of them, with this done in between, and nothing breaks.  `waits`: the thread can't go on.
    """

    thread: str
    function: str
    label: str
    statement: str
    spot: Spot
    fitted: int
    whole: bool
    waits: bool

    @property
    def text(self) -> str:
        """`the unmodified model can't take step 20: it has …`."""
        name = f"@{self.label} {self.statement}" if self.label else self.statement
        file = self.spot.path.rpartition("/")[2]
        where = f" ({self.thread}, {file}:{self.spot.line})" if file else f" ({self.thread})"
        if self.whole:
            return f"the unmodified model has {name}{where}, and nothing breaks"
        verb = f"makes {self.thread} wait at" if self.waits else "has"
        return f"the unmodified model can't take step {self.fitted + 1}: it {verb} {name}{where}"


@dataclass(frozen=True, slots=True)
class Why:
    """What a run needs to fail: every ordering between threads that no others imply, with what is known of it.

    `further`: so many steps more than here may a thread take in the runs that were looked at.  `limit`: so many
    steps may be worked out for all of them.  `switches`: context switches in the run; `fewest`: no run with the same
    order of conflicting steps has fewer.
    """

    orderings: tuple[Ordering, ...]
    further: int
    limit: int
    switches: int
    fewest: bool

    def _with(self, need: str) -> list[Ordering]:
        return [ordering for ordering in self.orderings if ordering.need == need]

    def lines(self, number: Callable[[int], str] = lambda step: f"step {step}") -> list[str]:
        """The orderings that are needed, in sentences; empty where only one thread runs."""
        needed, open_ = self._with("needed"), self._with("undecided")
        if not self.orderings:
            return []
        lines = [f"needs: {ordering.text(number)}" for ordering in needed]
        if needed:
            turned = "this" if len(needed) == 1 else "one of these"
            lines.append(
                f"turn {turned} round and nothing breaks (tried with {self.further} steps more per thread)"
            )
        elif not open_:
            lines.append("needs no single ordering: each can be turned round by itself, or not at all")
        if open_:
            lines += [f"may need: {ordering.text(number)}" for ordering in open_]
            lines.append(f"(not decided within {self.limit:,} steps)")
        return lines
