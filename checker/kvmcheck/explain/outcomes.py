# SPDX-License-Identifier: GPL-2.0-only
"""How a case, a file or a run ended, and how several outcomes make one.  Imports nothing: `--help` needs it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Outcome(Enum):
    """How a case, a file or a run ended; the exit status of each is in `cli.exits`."""

    AS_EXPECTED = "as expected"
    NOT_AS_EXPECTED = "not as expected"
    BAD_INPUT = "bad input"
    UNKNOWN = "unknown"
    OUR_BUG = "internal error"


#: Of several outcomes the first of these is the whole's: a bug of ours spoils every other answer, and so on.
GRAVEST_FIRST = (
    Outcome.OUR_BUG,
    Outcome.BAD_INPUT,
    Outcome.NOT_AS_EXPECTED,
    Outcome.UNKNOWN,
    Outcome.AS_EXPECTED,
)


def gravest(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome of the whole; of nothing at all it is UNKNOWN, for nothing was looked at.

    >>> gravest([])
    <Outcome.UNKNOWN: 'unknown'>
    """
    return min(outcomes, key=GRAVEST_FIRST.index, default=Outcome.UNKNOWN)
