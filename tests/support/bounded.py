# SPDX-License-Identifier: GPL-2.0-only
"""Bounded model checking and the explorer run the same program to the same depth, and their answers are compared.

    python -m tests.support.bounded --programs 100 --seed 1

Each claim must be broken by both, in the same number of steps of the search, or by neither.  Every violation that the
solver finds is replayed by the evaluator on the way.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import NEVER, Search, prepared
from kvmcheck.engine.finding import BrokenStep, BrokenTransition
from kvmcheck.engine.reductions import ALL, UNREDUCED
from kvmcheck.prove.ledger import Ledger
from kvmcheck.prove.unrolling import BOUNDS, Found, GaveUp, Message, Refused, Task, TooSmall, unroll
from kvmcheck.semantics.program import Check, Program
from tests.support.compare import Refused as NotElaborated
from tests.support.compare import cases_of, program_of, unit_of
from tests.support.generate import generate
from tests.support.random_program import random_program

#: What the bounded engine leaves to the explorer.
LEFT_OUT = {Check.LOCK_ORDER.value}


@dataclass(frozen=True, slots=True)
class Answer:
    """By claim the steps of a shortest run that breaks it, up to a depth."""

    broken: dict[str, int]
    refused: str = ""


def explored(program: Program, depth: int, *, merge: bool, most: int) -> Answer | None:
    """The explorer's answer; None: too large to say."""
    on = replace(ALL if merge else UNREDUCED, symmetry=False)
    budget = Budget(depth=depth + 1, states=most)
    search = Search(program, budget=budget, reductions=on, stop=NEVER, traces=1, progress=None)
    with prepared():
        search.run()
    if "limit of" in search.stopped and "states" in search.stopped:
        return None
    found = {name: min(steps for steps, _ in findings) for name, findings in search.findings.items()}
    if search.overflows:
        first = min(search.overflows.values(), key=lambda finding: finding.state)
        found[BOUNDS] = 1 + _depth_of(search, first.state)
    return Answer({n: steps for n, steps in found.items() if steps <= depth and n not in LEFT_OUT})


def _depth_of(search: Search, state: int) -> int:
    depth = 0
    while search.parents[state] >= 0:
        state = search.parents[state]
        depth += 1
    return depth


def solved(program: Program, depth: int, *, merge: bool) -> Answer | None:
    """The bounded engine's answer, every violation replayed; None: the solver gave up."""
    ledger = Ledger(program)
    broken = dict.fromkeys(ledger.broken, 0)
    said: list[Message] = []
    starts = ledger.packed_starts(merge=merge)
    if starts:
        unroll(Task(program, starts, merge, depth, frozenset(), frozenset()), said.append)
    for message in said:
        match message:
            case Refused(what=what):
                return Answer({}, what)
            case GaveUp():
                return None
            case Found(states=states, finding=finding):
                ledger.enter(states, finding, merge=merge)
                in_step = isinstance(finding, BrokenStep | BrokenTransition)
                broken[finding.property] = len(states) - 1 + in_step
            case TooSmall(states=states, finding=finding):
                ledger.trace(states, finding, merge=merge)
                broken[BOUNDS] = len(states)
            case _:
                pass
    return Answer({n: steps for n, steps in broken.items() if steps <= depth and n not in LEFT_OUT})


def differences(program: Program, depth: int, *, merge: bool, most: int) -> list[str] | None:
    """What the two engines disagree about; None: one of them can't say."""
    left = explored(program, depth, merge=merge, most=most)
    if left is None:
        return None
    right = solved(program, depth, merge=merge)
    if right is None:
        return None
    if right.refused:
        return [f"refused: {right.refused}"]
    ends = {check.value for check in Check} - {Check.NO_DEADLOCK.value, Check.LOCK_ORDER.value}
    # A merged step that fails half way passes states that only the explorer looks at.
    torn = merge and any(name in ends or name == BOUNDS for name in left.broken)
    return [
        f"{name}: {left.broken.get(name)} / {right.broken.get(name)}"
        for name in sorted({*left.broken, *right.broken})
        if left.broken.get(name) != right.broken.get(name) and not (torn and name not in ends)
    ]


def programs(seed: int) -> Iterator[tuple[str, Program]]:
    """The random programs of a seed: one of operations, and those that a random text elaborates to."""
    yield "operations", random_program(seed)
    unit = unit_of(generate(seed))
    for case in cases_of(unit):
        try:
            yield case, program_of(unit, case)
        except NotElaborated:
            continue


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--depth", type=int, default=6)
    parser.add_argument("--states", type=int, default=3_000, help="cases with more are left out")
    given = parser.parse_args(arguments)
    started, compared, unknown, wrong = time.monotonic(), 0, 0, 0
    for seed in range(given.seed, given.seed + given.programs):
        for name, program in programs(seed):
            for merge in (False, True):
                try:
                    found = differences(program, given.depth, merge=merge, most=given.states)
                except Exception as error:  # noqa: BLE001  # a crash is a difference as well
                    found = [repr(error)]
                if found is None:
                    unknown += 1
                    continue
                compared += 1
                if found:
                    wrong += 1
                    how = "merged" if merge else "single"
                    print(f"seed {seed}, {name}, {how}: {'; '.join(found)[:400]}", flush=True)
    print(
        f"seeds {given.seed}..{given.seed + given.programs - 1} to depth {given.depth}: {compared} compared, "
        f"{wrong} differ, {unknown} too large, {time.monotonic() - started:.0f} s"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
