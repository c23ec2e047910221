# SPDX-License-Identifier: GPL-2.0-only
"""The exit statuses are a promise: the whole table, and the whole order, are pinned."""

from __future__ import annotations

from itertools import product

import pytest

from kvmcheck.cli.exits import EXIT_MEANING, EXIT_STATUS, exit_status
from kvmcheck.explain.outcomes import Outcome, gravest


def test_the_table_is_what_the_manual_says() -> None:
    assert {outcome.name: status for outcome, status in EXIT_STATUS.items()} == {
        "AS_EXPECTED": 0,
        "NOT_AS_EXPECTED": 1,
        "BAD_INPUT": 2,
        "UNKNOWN": 3,
        "OUR_BUG": 4,
    }
    assert set(EXIT_STATUS) == set(Outcome)
    assert [status for status, _ in EXIT_MEANING] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("one", "other"), list(product(Outcome, repeat=2)))
def test_of_several_the_first_of_4_2_1_3_0_counts(one: Outcome, other: Outcome) -> None:
    order = [4, 2, 1, 3, 0]
    first = min(exit_status(one), exit_status(other), key=order.index)

    assert exit_status(gravest([one, other])) == first


def test_nothing_at_all_is_not_green() -> None:
    assert exit_status(gravest([])) == 3
