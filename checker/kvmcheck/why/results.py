# SPDX-License-Identifier: GPL-2.0-only
"""The reasons of all traces of a result that are told: `Whys`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from kvmcheck.engine.result import Result
from kvmcheck.explain.orderings import Why
from kvmcheck.explain.story import Account, Finding
from kvmcheck.semantics.verdict import PropertyResult
from kvmcheck.why.needed import explained
from kvmcheck.why.saved import Base, Saved, saved


class Whys:
    """A result whose first trace of each wanted property has the fewest context switches, and why each fails.

    `base`: of a mutant, the program without its edits.  `near`: with what that does with the same schedule.
    """

    def __init__(
        self,
        result: Result,
        wanted: Collection[str],
        *,
        dead_locals: bool,
        base: Base | None = None,
        near: bool = False,
    ) -> None:
        self._near = near
        self._found: dict[str, Why] = {}
        self._saved: dict[str, Saved] = {}
        properties: list[PropertyResult] = []
        for known in result.properties:
            if known.property not in wanted or not known.traces:
                properties.append(known)
                continue
            trace, why = explained(result.program, known.traces[0], dead_locals=dead_locals)
            properties.append(replace(known, traces=(trace, *known.traces[1:])))
            if why is not None:
                self._found[known.property] = why
            kept = saved(base, result.program, trace, dead_locals=dead_locals) if base is not None else None
            if kept is not None:
                self._saved[known.property] = kept
        self.result = replace(result, properties=tuple(properties))

    def attached(self, told: Account) -> Account:
        """The account of `result`, with the reasons."""
        return replace(told, findings=tuple(self._with_why(finding) for finding in told.findings))

    def _with_why(self, finding: Finding) -> Finding:
        if not finding.stories:
            return finding
        kept = self._saved.get(finding.property)
        first = replace(
            finding.stories[0],
            why=self._found.get(finding.property),
            guard=kept.guard if kept else None,
            near=kept.near if kept and self._near else None,
        )
        return replace(finding, stories=(first, *finding.stories[1:]))
