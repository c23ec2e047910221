# SPDX-License-Identifier: GPL-2.0-only
"""The three verdicts, and what each may be said of.

| verdict | said when |
| --- | --- |
| VIOLATED | one trace breaks the property, and the plain evaluator has replayed that trace |
| HOLDS | every reachable state (or step) of the scenario was examined, and none breaks it |
| UNKNOWN | neither: a limit was hit, a bound was too small, or nothing was checked |

One witness refutes; only the whole space proves.  Combining never rounds up: see `worst`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from kvmcheck.semantics.witness import Trace


class Verdict(Enum):
    """What is known of a property."""

    HOLDS = "HOLDS"
    VIOLATED = "VIOLATED"
    UNKNOWN = "UNKNOWN"


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """VIOLATED if any is, else UNKNOWN if any is or there is none at all, else HOLDS.

    >>> worst([])
    <Verdict.UNKNOWN: 'UNKNOWN'>
    >>> worst([Verdict.HOLDS, Verdict.UNKNOWN])
    <Verdict.UNKNOWN: 'UNKNOWN'>
    """
    seen = set(verdicts)
    if Verdict.VIOLATED in seen:
        return Verdict.VIOLATED
    if Verdict.UNKNOWN in seen or not seen:
        return Verdict.UNKNOWN
    return Verdict.HOLDS


@dataclass(frozen=True, slots=True)
class PropertyResult:
    """What is known of one property (an invariant, a step property, or a built-in check).

    `traces`: for VIOLATED, the shortest first, at least one, each replayed.  `vacuous`: for HOLDS, the
    parts that were never true in any reachable state (so it had no chance to fail); empty: it had.
    `reason`: for UNKNOWN, what stopped the search.
    """

    property: str
    verdict: Verdict
    traces: tuple[Trace, ...] = ()
    vacuous: tuple[str, ...] = ()
    reason: str = ""
