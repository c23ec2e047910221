# SPDX-License-Identifier: GPL-2.0-only
"""The model does what the commit does: locks, counters, calls and jumps, in the order of the patch.

`patch_facts.toml` has what the patch shows of each function; `correspondence.toml` says where the model has it, and
how it differs there on purpose.  With KVMCHECK_SEED_PATCH=path in the environment the facts are drawn from the patch
again, and compared.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.skeleton.__main__ import facts_of
from tests.support.skeleton.compare import (
    FACTS,
    NOT_SHOWN,
    Counterpart,
    differences,
    modelled,
    partners,
    read_facts,
    read_table,
    shown,
    side_by_side,
)

TABLE = read_table()
FUNCTIONS = {skeleton.function: skeleton for skeleton in read_facts()}
PATCH = os.environ.get("KVMCHECK_SEED_PATCH")


def each(counterpart: Counterpart) -> str:
    """A name for a test."""
    return f"{counterpart.module}.{counterpart.function}"


def test_each_function_of_the_patch_is_in_the_model() -> None:
    pairs = [(counterpart.function, counterpart.module) for counterpart in TABLE.counterparts]

    assert {function for function, _ in pairs} == set(FUNCTIONS)
    assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize("counterpart", TABLE.counterparts, ids=each)
def test_the_model_does_what_the_commit_does(counterpart: Counterpart) -> None:
    patch = shown(FUNCTIONS[counterpart.function])
    model = modelled(counterpart, read_facts())

    assert differences(patch, model) == [meant.difference for meant in counterpart.meant], (
        f"{counterpart.function}: patch = model/{counterpart.module}.kvm\n{side_by_side(patch, model)}\n"
        "`python -m tests.support.skeleton --differences` prints these differences; each needs a reason"
    )


@pytest.mark.parametrize("counterpart", TABLE.counterparts, ids=each)
def test_what_the_commit_adds_to_a_function_is_all_there(counterpart: Counterpart) -> None:
    """What was there before may be left out, with a reason.  Functions that are new as a whole have the test above."""
    skeleton = FUNCTIONS[counterpart.function]
    patch = shown(skeleton)
    kept = {i for i, _ in partners(patch, modelled(counterpart, read_facts()))}

    assert skeleton.whole or [e.text for i, e in enumerate(patch) if e.added and i not in kept] == []


def test_each_difference_has_a_reason_and_each_reason_a_difference() -> None:
    given = [meant.because for counterpart in TABLE.counterparts for meant in counterpart.meant]

    assert all(given)
    assert {key for keys in given for key in keys} == set(TABLE.reasons)


def test_what_the_patch_does_not_show_is_known_from_elsewhere() -> None:
    """Where the patch has a gap, the reason is one that says from where the model knows what is in it."""
    for counterpart in TABLE.counterparts:
        for meant in counterpart.meant:
            gap = NOT_SHOWN.text in meant.difference.patch
            assert gap == any(key.startswith("not_shown") for key in meant.because), (counterpart, meant)


@pytest.mark.skipif(PATCH is None, reason="the patch is not at hand: KVMCHECK_SEED_PATCH=path")
def test_the_facts_are_those_of_the_patch() -> None:
    assert PATCH is not None
    assert FACTS.read_text(encoding="utf-8") == facts_of(Path(PATCH).read_text(encoding="utf-8"))
