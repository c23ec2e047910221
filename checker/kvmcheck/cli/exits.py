# SPDX-License-Identifier: GPL-2.0-only
"""The exit-status table.  These numbers are a promise: scripts depend on them."""

from __future__ import annotations

from kvmcheck.explain.outcomes import Outcome

#: The status of each outcome, with what it means in one line.
EXIT_STATUS = {
    Outcome.AS_EXPECTED: 0,
    Outcome.NOT_AS_EXPECTED: 1,
    Outcome.BAD_INPUT: 2,
    Outcome.UNKNOWN: 3,
    Outcome.OUR_BUG: 4,
}

#: What each status says, as `--help` prints it.
EXIT_MEANING = (
    (0, "everything is as the specs expect"),
    (1, "a property violated or vacuous, or a cover missed, against expectation"),
    (2, "bad input: a spec or the command line can't be understood"),
    (3, "unknown: a limit was reached, or nothing was checked"),
    (4, "an internal error of kvmcheck"),
)


def exit_status(outcome: Outcome) -> int:
    """The exit status of an outcome; of several outcomes take `explain.outcomes.gravest` first."""
    return EXIT_STATUS[outcome]
