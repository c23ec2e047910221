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


class Whys:
    """A result whose first trace of each wanted property has the fewest context switches, and why each fails."""

    def __init__(self, result: Result, wanted: Collection[str], *, dead_locals: bool) -> None:
        self._found: dict[str, Why] = {}
        properties: list[PropertyResult] = []
        for known in result.properties:
            if known.property not in wanted or not known.traces:
                properties.append(known)
                continue
            trace, why = explained(result.program, known.traces[0], dead_locals=dead_locals)
            properties.append(replace(known, traces=(trace, *known.traces[1:])))
            if why is not None:
                self._found[known.property] = why
        self.result = replace(result, properties=tuple(properties))

    def attached(self, told: Account) -> Account:
        """The account of `result`, with the reasons."""
        return replace(told, findings=tuple(self._with_why(finding) for finding in told.findings))

    def _with_why(self, finding: Finding) -> Finding:
        why = self._found.get(finding.property)
        if why is None or not finding.stories:
            return finding
        return replace(finding, stories=(replace(finding.stories[0], why=why), *finding.stories[1:]))
