# SPDX-License-Identifier: GPL-2.0-only
"""Which tier searches: Python at once, and the native one for what is large, as soon as it is built.

Both give the same verdicts, counts of states and lengths of traces (tests/support/native.py compares them).  A search
that is handed over begins anew: what takes Python seconds is done natively in a small part of one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import HANDED_OVER, INTERRUPTED, NEVER, OnProgress, Search, prepared
from kvmcheck.engine.reductions import ALL, Reductions
from kvmcheck.engine.result import Result
from kvmcheck.engine.stopping import StopPolicy
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.verdict import PropertyResult

if TYPE_CHECKING:
    from kvmcheck.engine.native.search import NativeSearch

T = TypeVar("T")

#: From so many states on the C text is written and built; docs/reference/performance.md says why from there.
BUILD_FROM = 5_000
#: So many states are looked through for runs without an end before that is done natively, from the beginning.
FEW = 20_000
#: The limits on states where nobody sets one: about a minute's work.
MOST_IN_PYTHON, MOST_NATIVELY = 5_000_000, 100_000_000


class Engine(Enum):
    """Who searches.  `AUTO`: Python, and the native tier for what is large."""

    AUTO = "auto"
    PYTHON = "python"
    NATIVE = "native"


@dataclass(frozen=True, slots=True)
class Tiers:
    """Which tier, and how the native one works.

    `threads`: so many at once; `compact`: hashes in place of states; `usual_limits`: each tier has its own limit on
    states where the budget has none.
    """

    engine: Engine = Engine.AUTO
    threads: int = 1
    compact: bool = False
    usual_limits: bool = False


@dataclass(frozen=True, slots=True)
class Explored:
    """A result; `no_compiler`: why the native tier, which was due, could not be built."""

    result: Result
    no_compiler: str = ""


class NativeRefused(Exception):
    """`--engine native` was asked for and can't be had; the text says why."""


def explore_in_tiers(
    program: Program,
    *,
    tiers: Tiers,
    budget: Budget,
    reductions: Reductions = ALL,
    stop: StopPolicy = NEVER,
    traces: int = 1,
    progress: OnProgress | None = None,
) -> Explored:
    """The verdicts on a program, from the tier that suits it; raises `NativeRefused`."""
    search = Search(
        program, budget=budget, reductions=reductions, stop=stop, traces=traces, progress=progress
    )
    found = _Handover(search, tiers, budget).explored()
    if not program.lives:
        return found
    from kvmcheck.engine.live.judge import with_lives  # few programs claim anything of runs without an end

    def judge(program: Program, budget: Budget) -> tuple[tuple[PropertyResult, ...], int]:
        return _lives(program, budget, tiers)

    return replace(found, result=with_lives(found.result, budget, None if tiers.compact else judge))


def _lives(program: Program, budget: Budget, tiers: Tiers) -> tuple[tuple[PropertyResult, ...], int]:
    """The verdicts on liveness: of small programs in Python, else natively, if that can be had."""
    from kvmcheck.engine.live.judge import judged
    from kvmcheck.engine.native.build import BuildError
    from kvmcheck.engine.native.coding import Unsupported
    from kvmcheck.engine.native.lives import judged_natively

    own = budget.states is None and tiers.usual_limits
    natively = replace(budget, states=MOST_NATIVELY) if own else budget
    if tiers.engine is Engine.AUTO:
        few = FEW if budget.states is None else min(budget.states, FEW)
        lives, states = judged(program, replace(budget, states=few))
        if states < few or few == budget.states:
            return lives, states
    if tiers.engine is not Engine.PYTHON:
        try:
            return judged_natively(program, natively)
        except (BuildError, Unsupported) as error:
            if tiers.engine is Engine.NATIVE:
                raise NativeRefused(f"the native tier can't look for runs without an end: {error}") from None
    return judged(program, replace(budget, states=MOST_IN_PYTHON) if own else budget)


class _Handover:
    """One search, which may go from one tier to the other."""

    def __init__(self, search: Search, tiers: Tiers, budget: Budget) -> None:
        self.search, self.tiers = search, tiers
        self.started = monotonic()
        own = budget.states is None and tiers.usual_limits
        self.in_python = replace(budget, states=MOST_IN_PYTHON) if own else budget
        self.natively = replace(budget, states=MOST_NATIVELY) if own else budget
        self.native: NativeSearch | None = None
        self.refused = ""
        self.no_compiler = ""

    def explored(self) -> Explored:
        """The result of whoever came to an end."""
        search, engine = self.search, self.tiers.engine
        try:
            if engine is Engine.NATIVE or (engine is Engine.AUTO and self.tiers.compact):
                result = self._native()
                if result is not None:
                    return Explored(result)
                if engine is Engine.NATIVE:
                    raise NativeRefused(self.refused)
            elif engine is Engine.AUTO:
                search.hand_over = self._is_due
            self._python()
            if search.stopped == HANDED_OVER:
                search.hand_over = None
                result = self._native()
                if result is not None:
                    return Explored(result)
                self._python()
            return Explored(search.result(), self.no_compiler)
        finally:
            if self.native is not None:
                self.native.builds.cancel()

    def _python(self) -> None:
        search = self.search
        search.reset()
        search.budget = self.in_python
        with prepared():
            try:
                search.run()
            except KeyboardInterrupt:
                search.stopped = INTERRUPTED

    def _native(self) -> Result | None:
        """The native tier's result; None: it can't, `refused` says why, and Python may go on."""
        return self._guarded(self._run_native)

    def _run_native(self) -> Result:
        budget = self.natively
        if budget.seconds is not None:
            budget = replace(budget, seconds=max(0.001, budget.seconds - (monotonic() - self.started)))
        self.search.budget = budget
        return self._begun().run()

    def _begun(self) -> NativeSearch:
        """The C text, being built if it is not yet."""
        # Only what is large, or was asked for, needs any of this.
        from kvmcheck.engine.native.search import NativeSearch, Settings

        if self.native is None:
            self.native = NativeSearch(self.search, Settings(self.tiers.threads, self.tiers.compact))
        return self.native

    def _is_due(self, states: int) -> bool:
        """Asked by the Python tier now and then: whether it is to stop, since the native one is ready."""
        if self.refused or states < BUILD_FROM:
            return False
        return bool(self._guarded(lambda: self._begun().builds.ready()))

    def _guarded(self, ask: Callable[[], T]) -> T | None:
        """What the native tier answers; None if it has to be left out from here on."""
        from kvmcheck.engine.native.build import BuildError
        from kvmcheck.engine.native.coding import Unsupported

        try:
            return ask()
        except BuildError as error:
            self.refused = self.no_compiler = str(error)
        except Unsupported as error:
            self.refused = f"the native tier can't take this program: {error}"
        return None
