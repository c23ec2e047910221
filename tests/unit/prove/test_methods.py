# SPDX-License-Identifier: GPL-2.0-only
"""What each method says, and that none says more than it knows."""

from __future__ import annotations

import pytest

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import explore
from kvmcheck.prove.auto import prove
from kvmcheck.prove.method import Limits, Method, Proved, Wanted
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.verdict import PropertyResult, Verdict
from tests.unit.prove.programs import of_spec, program

LIMITS = Limits(seconds=30.0)
NOTHING = Wanted()

COUNTER = """
shared int 0..3 x = 0;
invariant small { x < 3 }
scenario s "counts" {
    process p { forever { atomic { if (x < 2) x = x + 1; else x = 0; } } }
    check small;
}
"""

#: Two threads that count, each once, and then end: there is a longest run.
ENDS = """
shared int 0..4 x = 0;
invariant small { x <= 2 }
scenario s "ends" {
    process p { atomic { x = x + 1; } }
    process q { atomic { x = x + 1; } }
    check small, no_deadlock;
}
"""


def verdict(proved: Proved, name: str) -> PropertyResult:
    """What is said of a claim."""
    return next(found for found in proved.result.properties if found.property == name)


@pytest.mark.parametrize("method", [Method.AUTO, Method.INDUCTION, Method.SPACER])
def test_a_claim_is_proved_for_any_number_of_steps(method: Method) -> None:
    proved = prove(program(COUNTER), method, LIMITS, NOTHING)

    assert verdict(proved, "small").verdict is Verdict.HOLDS
    assert "any number of steps" in proved.looked


def test_bounded_search_says_up_to_where_it_looked_and_no_more() -> None:
    proved = prove(program(COUNTER), Method.BMC, Limits(depth=4, seconds=30.0), NOTHING)
    found = verdict(proved, "small")

    assert found.verdict is Verdict.UNKNOWN
    assert "no run of up to 4 steps" in found.reason
    assert proved.looked == "every run of up to 4 steps"


def test_bounded_search_proves_where_there_is_a_longest_run() -> None:
    proved = prove(program(ENDS), Method.BMC, LIMITS, NOTHING)

    assert {found.verdict for found in proved.result.properties} == {Verdict.HOLDS}


@pytest.mark.parametrize("method", [Method.INDUCTION, Method.SPACER])
def test_a_method_that_proves_does_not_claim_what_is_false(method: Method) -> None:
    false = program(COUNTER.replace("x < 3 }", "x < 2 }"))
    proved = prove(false, method, LIMITS, NOTHING)

    assert verdict(proved, "small").verdict is Verdict.UNKNOWN


def test_nothing_holds_where_a_bound_may_be_too_small() -> None:
    tight = of_spec("limits/pool_too_small.kvm", "pool_too_small")
    for method in Method:
        proved = prove(tight, method, Limits(depth=6, seconds=20.0), NOTHING)
        assert verdict(proved, "few_pages").verdict is Verdict.UNKNOWN, method


def test_a_violation_is_found_in_the_fewest_steps_and_told_like_the_explorers() -> None:
    mutant = of_spec("basics/06_fault_in_miniature.kvm", "no_retry")
    proved = prove(mutant, Method.BMC, LIMITS, Wanted(frozenset({"no_stale_spte"})))
    (trace,) = verdict(proved, "no_stale_spte").traces
    explored = explore(mutant, budget=Budget())
    (other,) = next(f for f in explored.properties if f.property == "no_stale_spte").traces

    assert len(trace.steps) == len(other.steps)
    assert trace.violation == other.violation


def test_the_order_of_locks_is_read_off_the_text_or_left_to_the_explorer() -> None:
    ordered = prove(of_spec("basics/02_lock.kvm", "two_threads_and_a_lock"), Method.AUTO, LIMITS, NOTHING)
    crossed = prove(of_spec("basics/02_lock.kvm", "crossed"), Method.AUTO, LIMITS, NOTHING)

    assert verdict(ordered, "lock_order").verdict is Verdict.HOLDS
    assert verdict(crossed, "lock_order").verdict is Verdict.UNKNOWN
    assert "kvmcheck check" in verdict(crossed, "lock_order").reason


def test_a_time_limit_is_no_answer() -> None:
    large: Program = of_spec("races/fault_vs_reclaim.kvm", "fault_vs_reclaim")
    proved = prove(large, Method.BMC, Limits(seconds=0.5), NOTHING)

    assert {f.verdict for f in proved.result.properties if f.property != "lock_order"} == {Verdict.UNKNOWN}
    assert "time limit" in verdict(proved, "no_stale_spte").reason


def test_what_never_had_a_chance_to_fail_is_said_to_be_vacuous() -> None:
    vacuous = program(COUNTER.replace("{ x < 3 }", "{ x == 3 implies false }"))
    found = verdict(prove(vacuous, Method.AUTO, LIMITS, NOTHING), "small")

    assert found.verdict is Verdict.HOLDS
    assert found.vacuous
