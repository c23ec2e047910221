# SPDX-License-Identifier: GPL-2.0-only
"""The native tier and the Python tier run the same program, and their answers are compared.

    python -m tests.support.native --programs 1000 --seed 1

compiles without optimization, since here compiling takes the time, and with the sanitizers if `--sanitize` says so.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import NEVER, Search, prepared
from kvmcheck.engine.native.coding import Unsupported
from kvmcheck.engine.native.search import NativeSearch, Settings
from kvmcheck.engine.reductions import ALL, UNREDUCED, Reductions
from kvmcheck.engine.result import Result
from kvmcheck.semantics.program import Program
from tests.support.compare import MOST_STATES, Refused, cases_of, program_of, unit_of
from tests.support.generate import generate

UNLIMITED = Budget()
QUICK = ("-O0",)
SANITIZED = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")

#: No reduction; the seqs as classes, which belongs to the meaning; each other alone; all together.
SETS: dict[str, Reductions] = {
    "none": replace(UNREDUCED, seq=False),
    "seq": UNREDUCED,
    "symmetry": replace(UNREDUCED, symmetry=True),
    "merge": replace(UNREDUCED, merge=True),
    "all": ALL,
}


def natively(
    program: Program,
    reductions: Reductions,
    budget: Budget = UNLIMITED,
    *,
    threads: int = 1,
    compact: bool = False,
    traces: int = 1,
    options: tuple[str, ...] = QUICK,
) -> Result:
    """The native tier's answer; raises `Unsupported` where it has none."""
    search = Search(program, budget=budget, reductions=reductions, stop=NEVER, traces=traces, progress=None)
    return NativeSearch(search, Settings(threads, compact, options)).run()


def answer(result: Result, search: Search | None = None) -> dict[str, object]:
    """All of an answer but its traces and times.

    With the search at hand, lengths are in its own steps: of merged steps that are equally many, those of one run may
    be made of more operations than those of another, and each tier tells the run that it came upon.
    """
    coverage = result.coverage
    found: dict[str, object] = {
        "states": coverage.states,
        "transitions": coverage.transitions,
        "depth": coverage.depth,
        "complete": coverage.complete,
        "stopped": coverage.stopped,
        "races": [(span.source.path, span.start) for span in coverage.races],
        "empty choices": [(span.source.path, span.start) for span in coverage.empty_choices],
        "unreached": [(span.source.path, span.start) for span in coverage.unreached],
    }
    for one in result.properties:
        length = len(one.traces[0].steps) if one.traces else None
        if search is not None and one.property in search.findings:
            length = min(steps for steps, _ in search.findings[one.property])
        found[f"property {one.property}"] = (one.verdict, length, one.vacuous, one.reason)
    for cover in result.covers:
        found[f"cover {cover.name}"] = cover.depth
    return found


def differences(
    program: Program, reductions: Reductions, *, most: int, options: tuple[str, ...] = QUICK, threads: int = 1
) -> list[str] | None:
    """What the two tiers disagree about; None: too large to say."""
    budget = Budget(states=most)
    begun = [
        Search(program, budget=budget, reductions=reductions, stop=NEVER, traces=1, progress=None)
        for _ in range(2)
    ]
    with prepared():
        begun[0].run()
    expected = begun[0].result()
    if "limit of" in expected.coverage.stopped:
        return None
    left = answer(expected, begun[0])
    found = NativeSearch(begun[1], Settings(threads, options=options)).run()
    right = answer(found, begun[1])
    return [
        f"{name}: {left.get(name)} / {right.get(name)}"
        for name in {**left, **right}
        if left.get(name) != right.get(name) and not _only_more_exact(name, left, right)
    ]


def _only_more_exact(name: str, left: dict[str, object], right: dict[str, object]) -> bool:
    """The Python tier may count a statement as run that only runs without a step have reached."""
    if name != "unreached":
        return False
    fewer, more = left[name], right[name]
    return isinstance(fewer, list) and isinstance(more, list) and set(fewer) <= set(more)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--states", type=int, default=MOST_STATES, help="cases with more are left out")
    parser.add_argument("--sanitize", action="store_true", help="build with ASan and UBSan")
    parser.add_argument("--sets", default=",".join(SETS), help="which of " + ", ".join(SETS))
    given = parser.parse_args(arguments)
    options = SANITIZED if given.sanitize else QUICK
    started, compared, large, refused, wrong = time.monotonic(), 0, 0, 0, 0
    reasons: dict[str, int] = {}
    for seed in range(given.seed, given.seed + given.programs):
        unit = unit_of(generate(seed))
        for case in cases_of(unit):
            try:
                program = program_of(unit, case)
            except Refused:
                refused += 1
                continue
            for name in given.sets.split(","):
                try:
                    found = differences(program, SETS[name], most=given.states, options=options)
                except Unsupported as error:
                    reasons[str(error)] = reasons.get(str(error), 0) + 1
                    continue
                except Exception as error:  # noqa: BLE001  # a crash is a difference as well
                    found = [repr(error)]
                if found is None:
                    large += 1
                    continue
                compared += 1
                if found:
                    wrong += 1
                    print(f"seed {seed}, {case}, {name}: {'; '.join(found)[:600]}", flush=True)
    print(
        f"seeds {given.seed}..{given.seed + given.programs - 1}: {compared} compared, {wrong} differ, "
        f"{large} too large, {refused} refused by the elaborator, {time.monotonic() - started:.0f} s"
    )
    for reason, times in reasons.items():
        print(f"  not native: {reason} ({times})")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
