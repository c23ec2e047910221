# SPDX-License-Identifier: GPL-2.0-only
"""Liveness natively: the whole graph is found and judged by the built program; the evaluator runs what it tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import NEVER, Search
from kvmcheck.engine.live.graph import CUT
from kvmcheck.engine.live.judge import FAILED, without_run
from kvmcheck.engine.live.telling import Run, trace_of
from kvmcheck.engine.native.search import NativeSearch, Settings
from kvmcheck.engine.reductions import UNREDUCED
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.verdict import PropertyResult, Verdict


def judged_natively(
    program: Program, budget: Budget, options: tuple[str, ...] = ()
) -> tuple[tuple[PropertyResult, ...], int]:
    """The verdicts on the liveness properties, and over how many states; as `engine.live.judge.judged`.

    `options`: more for the compiler.  Raises `BuildError` or `Unsupported` where Python has to do it.
    """
    # Invariants and covers have been looked at: here they would only cost.
    bare = replace(program, properties=(), covers=())
    search = Search(bare, budget=budget, reductions=UNREDUCED, stop=NEVER, traces=1, progress=None)
    native = NativeSearch(search, Settings(options=options), lives=True)
    told, stopped = native.explored()
    if stopped:
        unknown = [PropertyResult(live.name, Verdict.UNKNOWN, reason=stopped) for live in program.lives]
        return tuple(unknown), told.states
    found: dict[int, PropertyResult] = {}
    cut = CUT if any(kind == "cut" for kind, _ in told.lives) else ""
    emitted = native.native.lives
    assert emitted is not None
    for number, due, run in _runs(native, told.lives):
        live, (_, thread) = program.lives[number], emitted.dues[due]
        trace = trace_of(search.layout, live, thread, run)
        found[number] = PropertyResult(live.name, Verdict.VIOLATED, (trace,))
    for kind, rest in told.lives:
        if kind == "live":
            number, due_somewhere, failed = map(int, rest)
            live = program.lives[number]
            found[number] = (
                PropertyResult(live.name, Verdict.UNKNOWN, reason=FAILED)
                if failed
                else without_run(live, cut, due_somewhere=bool(due_somewhere))
            )
    return tuple(found[number] for number in range(len(program.lives))), told.states


def _runs(native: NativeSearch, lines: list[tuple[str, list[str]]]) -> Iterator[tuple[int, int, Run]]:
    """Each run that was told, with its property and what is due."""
    for position, (kind, rest) in enumerate(lines):
        if kind != "lasso":
            continue
        number, due, pending, loop, stays = map(int, rest)
        states = [native.state(text) for text in lines[position + 1][1]]
        actors = [int(text) for text in lines[position + 2][1]]
        # The last state of a loop is its first one again.
        kept = states if stays else states[:-1]
        yield number, due, Run(tuple(kept), tuple(actors), loop, pending)
