# SPDX-License-Identifier: GPL-2.0-only
"""What fairness promises and what it does not, one small program each."""

from __future__ import annotations

import pytest

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.live.judge import judged
from kvmcheck.semantics.verdict import PropertyResult, Verdict
from tests.support.compare import program_of, unit_of

LOCKED = """
spinlock l;
shared bool flag;
shared int 0..3 count;
void work() { spin_lock(&l); spin_unlock(&l); }
void poll() { await (READ_ONCE(flag)); }
void set() { WRITE_ONCE(flag, true); }
void clear() { WRITE_ONCE(flag, false); }
void job() { clear(); set(); }
index Slot;
void held(Slot slot) { spin_lock(&l); WRITE_ONCE(count, slot); spin_unlock(&l); }
"""


def result_of(claim: str, threads: str, declarations: str = LOCKED) -> PropertyResult:
    sizes = "Slot = 2;" if "Slot" in threads else ""
    text = f"{declarations} live claim {{ {claim} }} scenario s {{ {sizes} {threads} check claim; }}"
    (result,), _ = judged(program_of(unit_of(text), "s"), Budget())
    return result


HOLDS = {
    "who can go on does so": ("always eventually flag", "process a { set(); }"),
    "a lock that is free again and again is had in the end": (
        "work completes",
        "process a { work(); } process b { forever { work(); } }",
    ),
    "trying for a lock for ever is no waiting": (
        "work completes",
        "process a { work(); } process b { forever { if (spin_trylock(&l)) { spin_unlock(&l); } } }",
    ),
    "strong fairness lets through what is true again and again": (
        "poll completes under strong fairness",
        "process a { poll(); } process b { forever { set(); clear(); } }",
    ),
    "what is set and stays set is seen": (
        "flag == false leads to flag",
        "process a { poll(); } process b { set(); }",
    ),
    "no more than finitely many calls can disturb": (
        "always eventually flag assuming finitely many clear",
        "process a { forever { set(); } } process b { forever { clear(); } }",
    ),
    "the call that is in progress is not counted": (
        "work completes assuming finitely many work",
        "process a { forever { work(); } } process b { forever { work(); } }",
    ),
    "a call on the way of another one is made, however few there are": (
        "always eventually flag assuming finitely many clear",
        "process a { job(); }",
    ),
    "a call outside of any loop is made": (
        "always eventually flag assuming finitely many clear",
        "process a { clear(); set(); }",
    ),
    "an interrupt that stays pending is taken": (
        "always eventually !flag",
        "process a { forever { WRITE_ONCE(count, 1); } } interrupt (flag) { clear(); } process b { set(); }",
    ),
}

VIOLATED = {
    "a condition that is true again and again may be missed": (
        "poll completes",
        "process a { poll(); } process b { forever { set(); clear(); } }",
    ),
    "without fairness of locks a thread may starve": (
        "work completes under weak fairness",
        "process a { work(); } process b { forever { work(); } }",
    ),
    "a daemon may stop": ("always eventually flag", "process a daemon { set(); }"),
    "hardware may stop": ("always eventually flag", "hardware process a { set(); }"),
    "whoever waits for a daemon may wait for ever": (
        "poll completes",
        "process a { poll(); } process b daemon { set(); }",
    ),
    "a choice may go the same way for ever": (
        "always eventually flag",
        "process a { forever { if (any bool) { set(); } else { clear(); } } }",
    ),
    "a deadlock is the end of everything": (
        "always eventually flag",
        "process a { poll(); set(); }",
    ),
    "a daemon that stops with the lock keeps it": (
        "work completes",
        "process a { work(); } process b daemon { forever { work(); } }",
    ),
    "a call has begun before its first access can be made": (
        "held completes",
        "process a { spin_lock(&l); await (READ_ONCE(flag)); spin_unlock(&l); } process b { held(any Slot); }",
    ),
    "the end is for ever": ("always eventually flag", "process a { set(); clear(); }"),
    "what leads to it must come each time": (
        "flag leads to count == 1",
        "process a { WRITE_ONCE(count, 1); WRITE_ONCE(count, 0); set(); }",
    ),
}


@pytest.mark.parametrize("name", HOLDS)
def test_what_fairness_promises_holds(name: str) -> None:
    assert result_of(*HOLDS[name]).verdict is Verdict.HOLDS
    assert not result_of(*HOLDS[name]).vacuous


@pytest.mark.parametrize("name", VIOLATED)
def test_what_nobody_promises_is_told_as_a_run_with_a_loop(name: str) -> None:
    result = result_of(*VIOLATED[name])
    assert result.verdict is Verdict.VIOLATED
    (trace,) = result.traces
    assert trace.loop is not None
    assert 0 <= trace.pending <= trace.loop <= len(trace.steps)


def test_a_run_that_ends_stays_in_its_last_state() -> None:
    (trace,) = result_of(*VIOLATED["a deadlock is the end of everything"]).traces
    assert trace.loop == len(trace.steps)


def test_a_loop_has_every_step_that_fairness_asks_for() -> None:
    threads = (
        "process a { poll(); } process b { forever { set(); clear(); } } process c { forever { work(); } }"
    )
    (trace,) = result_of("poll completes", threads).traces
    assert {step.thread for step in trace.steps[trace.loop :]} == {1, 2}


def test_a_function_that_is_never_called_makes_the_claim_vacuous() -> None:
    result = result_of("poll completes", "process a { set(); }")
    assert result.verdict is Verdict.HOLDS
    assert result.vacuous == ("that a call of poll is under way",)


def test_a_condition_without_a_value_is_unknown() -> None:
    declarations = "index Slot; shared Slot? at; shared int 0..3 count[Slot];"
    text = f"""{declarations} live claim {{ always eventually count[at] == 1 }}
        scenario s {{ Slot = 2; process a {{ WRITE_ONCE(count[0], 1); }} check claim; }}"""
    (result,), _ = judged(program_of(unit_of(text), "s"), Budget())
    assert result.verdict is Verdict.UNKNOWN


def test_a_limit_leaves_what_was_not_found_unknown() -> None:
    text = f"""{LOCKED} live claim {{ work completes }}
        scenario s {{ process a {{ work(); }} process b {{ forever {{ work(); }} }} check claim; }}"""
    (result,), _ = judged(program_of(unit_of(text), "s"), Budget(states=2))
    assert result.verdict is Verdict.UNKNOWN


def test_a_run_that_breaks_a_check_ends_and_proves_nothing() -> None:
    result = result_of("work completes", "process a { work(); assert(false); }")
    assert result.verdict is Verdict.UNKNOWN
    assert "a run ends" in result.reason
