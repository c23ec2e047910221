# SPDX-License-Identifier: GPL-2.0-only
"""What the native tier costs and brings: compile seconds, states a CPU second, bytes a state.

    python bench/native.py                              the usual sizes, each with -O1
    python bench/native.py --options=-O2 2x2x2          one size, built otherwise

A size is vcpus x pages x notifiers of `specs/races/fault_vs_reclaim.kvm`, pages meaning frames and pages of the host
(its reclaim is the one notifier).  CPU seconds are those of the process that searches, as the system counts them, so
other work on the machine matters less than for seconds on the clock.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import NEVER, Search
from kvmcheck.engine.native.search import NativeSearch, Settings
from kvmcheck.engine.reductions import ALL, UNREDUCED, Reductions
from kvmcheck.lang.imports import load
from kvmcheck.library import model_folder
from kvmcheck.source.diagnostic import Collector

SPEC = Path(__file__).parents[1] / "specs" / "races" / "fault_vs_reclaim.kvm"
SIZES = ("2x1x1", "2x2x1", "3x2x1")


def cpu_seconds() -> float:
    """Of the processes that have ended: compilers and searches."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(size: str, reductions: Reductions, settings: Settings, budget: Budget) -> str:
    """One line of the table."""
    vcpus, pages, _ = size.split("x")
    collector = Collector()
    unit = load(SPEC, (model_folder(),), collector)
    assert unit is not None
    wanted = {"Vcpu": vcpus, "Pfn": pages}
    hosts = {name: pages for name in ("Gfn", "Hva") if _has(unit, name)}
    program = elaborate(unit, "fault_vs_reclaim", {**wanted, **hosts}, collector)
    if program is None:
        raise SystemExit("; ".join(found.message for found in collector.all()))
    search = Search(program, budget=budget, reductions=reductions, stop=NEVER, traces=1, progress=None)
    begun, before = time.monotonic(), cpu_seconds()
    native = NativeSearch(search, settings)
    written = time.monotonic() - begun
    native.build.wait()
    built = cpu_seconds() - before
    before = cpu_seconds()
    coverage = native.run().coverage
    cpu = cpu_seconds() - before
    told = native.told
    return (
        f"{size:8} {'all' if reductions == ALL else 'none':5} {coverage.states:12,} {coverage.transitions:13,} "
        f"{written:6.2f} {built:7.2f} {cpu:7.2f} {coverage.states / max(cpu, 1e-3):12,.0f} "
        f"{told.table_bytes / max(coverage.states, 1):6.1f} {told.seconds:7.2f}  {coverage.stopped or 'all'}"
    )


def _has(unit: object, name: str) -> bool:
    from kvmcheck.lang.imports import Unit

    assert isinstance(unit, Unit)
    collector = Collector()
    return elaborate(unit, "fault_vs_reclaim", {name: "2"}, collector) is not None


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", nargs="*", default=list(SIZES), metavar="VxPxN")
    parser.add_argument("--options", action="append", default=[], help="for the compiler, e.g. --options=-O2")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compact", action="store_true")
    parser.add_argument("--reduced", action="store_true", help="with all reductions, not without")
    parser.add_argument("--memory", type=int, default=16, help="GiB at most")
    given = parser.parse_args()
    settings = Settings(given.threads, given.compact, tuple(given.options))
    reductions = ALL if given.reduced else UNREDUCED
    print(
        f"{'size':8} {'red.':5} {'states':>12} {'transitions':>13} {'emit':>6} {'compile':>7} {'CPU s':>7} "
        f"{'states/CPU s':>12} {'B/st.':>6} {'seconds':>7}  end"
    )
    for size in given.sizes:
        print(measure(size, reductions, settings, Budget(memory=given.memory << 30)), flush=True)


if __name__ == "__main__":
    main()
