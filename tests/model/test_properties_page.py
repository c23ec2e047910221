# SPDX-License-Identifier: GPL-2.0-only
"""docs/reference/properties.md: each property can fail, and the page says by what."""

from __future__ import annotations

import re

import pytest

from tests.support import kills

PAGE = kills.PAGE.read_text(encoding="utf-8")
MODEL = [p for p in kills.properties() if p.path.is_relative_to(kills.ROOT / "model")]
SURVIVORS = [c for c in kills.cases() if c.mutant and not c.violated and c.path.parent.name != kills.MENDS]


def test_the_tables_are_those_of_the_specs() -> None:
    assert kills.page() == PAGE, "run `make pages`"


@pytest.mark.parametrize("prop", MODEL, ids=lambda p: f"{p.path.stem}.{p.name}")
def test_a_property_of_the_model_says_what_it_claims_and_can_be_broken(prop: kills.Property) -> None:
    assert prop.says
    assert f"{prop.path.stem}.{prop.name}" not in kills.unbroken()


@pytest.mark.parametrize("case", SURVIVORS, ids=lambda c: f"{c.path.stem}.{c.name}")
def test_a_mutant_that_breaks_nothing_has_a_reason_beside_it(case: kills.Case) -> None:
    assert case.why


def test_what_the_page_names_by_hand_exists() -> None:
    by_hand = PAGE.split("## The invariants of the protocol of 2008")[1].split("## Properties of the model")[
        0
    ]
    names = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", by_hand))
    built_in = {
        "no_assertion_failure",
        "no_unguarded_access",
        "no_data_race",
        "no_sleep_in_atomic",
        "lock_order",
        "no_deadlock",
        "mmu_lock",
    }

    assert names - {p.name for p in kills.properties()} - built_in == set()
