# SPDX-License-Identifier: GPL-2.0-only
"""What of a proved program can happen at all: its covers, and the parts without which a claim is vacuous.

A proof says that nothing bad happens; that anything happens is shown by runs, and the explorer is the quickest to find
them.  What it does not find within its budget is not known, and is not taken for reached.
"""

from __future__ import annotations

from dataclasses import replace

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import NEVER, Search, prepared
from kvmcheck.engine.reductions import ALL
from kvmcheck.engine.result import Result
from kvmcheck.semantics.verdict import PropertyResult, Verdict

#: What looking for them may cost.
BUDGET = Budget(states=50_000, seconds=10.0)


def with_goals(result: Result) -> Result:
    """The result, with the covers that are reached, and what is vacuous."""
    search = Search(result.program, budget=BUDGET, reductions=ALL, stop=NEVER, traces=1, progress=None)
    with prepared():
        search.run()
    covers = search.result().covers
    never = {
        claim.name: tuple(probe.text for probe in claim.probes if probe.found is None)
        for claim in search.claims
    }
    whole = search.complete
    properties = tuple(_known(one, never.get(one.property, ()), whole=whole) for one in result.properties)
    missed = not whole and any(cover.depth is None for cover in covers)
    coverage = replace(
        result.coverage,
        complete=result.coverage.complete and not missed,
        stopped=result.coverage.stopped if not missed else search.stopped,
    )
    return replace(result, properties=properties, covers=covers, coverage=coverage)


def _known(found: PropertyResult, never: tuple[str, ...], *, whole: bool) -> PropertyResult:
    """A claim that holds and that nobody has seen to have a chance to fail."""
    if found.verdict is not Verdict.HOLDS or not never:
        return found
    if whole:
        return replace(found, vacuous=never)
    return replace(
        found,
        verdict=Verdict.UNKNOWN,
        reason=f"it holds, but whether it had a chance to fail is not known: {', '.join(never)}",
    )
