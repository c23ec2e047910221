# SPDX-License-Identifier: GPL-2.0-only
"""kvmcheck on protocol.kvm: the command, as a user runs it, with nothing built before or with all."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bench.contender import Cell, Contender, Run
from bench.measuring import LimitReached, Limits, Used, run
from bench.native import SPEC, settings_of

ROOT = Path(__file__).parents[1]
#: Of a search that is as plain as the others' (`engine.reductions.UNREDUCED`).
PLAIN = ("--engine", "native", "--no-reduce=symmetry,merge")
#: The exit status of kvmcheck when what it started ends in a way that it does not know.
_BUG = 4


@dataclass
class Kvmcheck:
    """kvmcheck with its options.

    `cache`: a folder for what is built, which each run fills for the next; None: nothing was built before any run.
    """

    options: tuple[str, ...] = ()
    cache: Path | None = None
    seen: set[Cell] = field(default_factory=set)

    def __call__(self, cell: Cell, limits: Limits) -> Run:
        """From the text to the verdict; raises `LimitReached`."""
        if self.cache is None:
            with tempfile.TemporaryDirectory() as name:
                return self._run(cell, limits, name)
        if cell not in self.seen:
            self._run(cell, limits, str(self.cache))
            self.seen.add(cell)
        return self._run(cell, limits, str(self.cache))

    def _run(self, cell: Cell, limits: Limits, cache: str) -> Run:
        sizes = [f"--set={name}={value}" for name, value in settings_of(cell.size).items()]
        chosen = ["--only", cell.protocol.value, "--no-trace", "--format", "json", "--timings"]
        limited = ["--memory", str(limits.memory), "--states", "1000000000"]
        command = [sys.executable, "-m", "kvmcheck", *chosen, *limited, *sizes, *self.options, str(SPEC)]
        environment = {**os.environ, "XDG_CACHE_HOME": cache}
        used = run(command, ROOT, limits, environment=environment, bounded=False)
        return self._judged(used, cell, limits)

    def _judged(self, used: Used, cell: Cell, limits: Limits) -> Run:
        if used.status == _BUG and used.cpu >= 0.9 * limits.seconds:
            # Its native search is a process of its own, which the limit has ended.
            raise LimitReached(f"> {limits.seconds:g} s")
        try:
            report = json.loads(used.said)
        except json.JSONDecodeError:
            raise RuntimeError(f"kvmcheck: {used.said}") from None
        (case,) = (
            case for file in report["files"] for case in file["cases"] if case["name"] == cell.protocol.value
        )
        coverage = case["coverage"]
        if coverage is None:
            raise RuntimeError(f"kvmcheck: {used.said}")
        if not coverage["complete"]:
            raise LimitReached(coverage["stopped"])
        # The search's own process is not told apart here: see `Searched`.
        return Run(
            states=coverage["states"],
            seconds=used.seconds,
            cpu=used.cpu,
            search=used.cpu,
            peak=used.peak,
            holds=case["outcome"] == "as expected",
        )


@dataclass
class Searched:
    """The whole command, and then the search alone by `bench.native`, which builds into a folder and searches."""

    whole: Kvmcheck
    cache: Path

    def __call__(self, cell: Cell, limits: Limits) -> Run:
        """Both; raises `LimitReached`."""
        found = self.whole(cell, limits)
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.cache)}
        command = [sys.executable, "-m", "bench.native", "--json", "--protocol", cell.protocol.value]
        command += ["--memory", str(limits.memory >> 30), str(cell.size)]
        for _ in range(2):
            # The second has no compiler in it.
            alone = run(command, ROOT, limits, environment=environment, bounded=False)
            if alone.status:
                raise LimitReached(f"> {limits.seconds:g} s")
        native = json.loads(alone.said)
        return Run(
            states=found.states,
            seconds=found.seconds,
            cpu=found.cpu,
            search=native["cpu"],
            peak=native["peak"],
            table=native["table"],
            holds=found.holds,
        )


def contenders(cache: Path) -> list[Contender]:
    """The plain search; and the best, with and without what a C compiler did in an earlier run."""
    return [
        Contender("kvmcheck", "plain", True, Searched(Kvmcheck(PLAIN), cache)),
        Contender("kvmcheck", "as it comes", False, Kvmcheck()),
        Contender("kvmcheck", "as it comes, built before", False, Kvmcheck(("--no-cache",), cache)),
    ]
