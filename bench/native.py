# SPDX-License-Identifier: GPL-2.0-only
"""What the native tier costs and brings: compile seconds, states a CPU second, bytes a state.

    python -m bench.native                              some sizes, without symmetry and merging
    python -m bench.native --options=-O2 2x2x2          one size, built otherwise
    python -m bench.native --reduced --protocol ranges 3x2x2

A size is vcpus x pages x notifiers of `bench/protocol.kvm`.  CPU seconds are those of the process that searches, as the
system counts them, so other work on the machine matters less than for seconds on the clock.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.sizes import Protocol, Size
from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import NEVER, Search
from kvmcheck.engine.native.search import NativeSearch, Settings
from kvmcheck.engine.reductions import ALL, UNREDUCED, Reductions
from kvmcheck.lang.imports import load
from kvmcheck.library import model_folder
from kvmcheck.source.diagnostic import Collector

SPEC = Path(__file__).parent / "protocol.kvm"
SIZES = ("2x1x1", "2x2x1", "3x2x1")


@dataclass(frozen=True, slots=True)
class Native:
    """One native search.

    `emitted`: seconds to write the text; `built`: CPU seconds of the compiler, 0 from the cache; `cpu`: CPU seconds of
    the search, and `seconds` those on the clock; `table`: bytes of states, parents and table; `peak`: bytes of the
    largest process that was run, the compiler too where it ran; `ended`: what stopped it, empty if nothing did.
    """

    states: int
    transitions: int
    emitted: float
    built: float
    cpu: float
    seconds: float
    table: int
    peak: int
    ended: str


def used() -> resource.struct_rusage:
    """By the processes that have ended: compilers and searches."""
    return resource.getrusage(resource.RUSAGE_CHILDREN)


def cpu_seconds() -> float:
    """CPU seconds of the processes that have ended."""
    return used().ru_utime + used().ru_stime


def settings_of(size: Size) -> dict[str, str]:
    """A size as `--set` takes it."""
    vcpus, pages, notifiers = str(size.vcpus), str(size.pages), str(size.notifiers)
    return {"Vcpu": vcpus, "Gfn": pages, "Pfn": pages, "NOTIFIERS": notifiers, "WINDOWS": notifiers}


def measure(
    protocol: Protocol, size: Size, reductions: Reductions, settings: Settings, budget: Budget
) -> Native:
    """Search natively; raises `SystemExit` if the program is none."""
    collector = Collector()
    unit = load(SPEC, (model_folder(),), collector)
    assert unit is not None
    program = elaborate(unit, protocol.value, settings_of(size), collector)
    if program is None:
        raise SystemExit("; ".join(found.message for found in collector.all()))
    search = Search(program, budget=budget, reductions=reductions, stop=NEVER, traces=1, progress=None)
    begun, before = time.monotonic(), cpu_seconds()
    native = NativeSearch(search, settings)
    emitted = time.monotonic() - begun
    native.builds.wait()
    built = cpu_seconds() - before
    before = cpu_seconds()
    coverage = native.run().coverage
    return Native(
        states=coverage.states,
        transitions=coverage.transitions,
        emitted=emitted,
        built=built,
        cpu=cpu_seconds() - before,
        seconds=native.told.seconds,
        table=native.told.table_bytes,
        peak=used().ru_maxrss * 1024,
        ended=coverage.stopped,
    )


HEADER = (
    f"{'size':8} {'red.':5} {'states':>12} {'transitions':>13} {'emit':>6} {'compile':>7} {'CPU s':>7} "
    f"{'states/CPU s':>12} {'B/st.':>6} {'seconds':>7}  end"
)


def line(size: Size, reductions: Reductions, found: Native) -> str:
    """A row under `HEADER`."""
    return (
        f"{size!s:8} {'all' if reductions == ALL else 'none':5} {found.states:12,} {found.transitions:13,} "
        f"{found.emitted:6.2f} {found.built:7.2f} {found.cpu:7.2f} {found.states / max(found.cpu, 1e-3):12,.0f} "
        f"{found.table / max(found.states, 1):6.1f} {found.seconds:7.2f}  {found.ended or 'all'}"
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", nargs="*", default=list(SIZES), metavar="VxPxN")
    parser.add_argument("--protocol", choices=[one.value for one in Protocol], default="pages")
    parser.add_argument("--options", action="append", default=[], help="for the compiler, e.g. --options=-O2")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compact", action="store_true")
    parser.add_argument("--reduced", action="store_true", help="with all reductions, not without")
    parser.add_argument("--memory", type=int, default=16, help="GiB at most")
    parser.add_argument("--json", action="store_true", help="one object a line, and no table")
    given = parser.parse_args()
    settings = Settings(given.threads, given.compact, tuple(given.options), at_once=False)
    reductions = ALL if given.reduced else UNREDUCED
    if not given.json:
        print(HEADER)
    for size in map(Size.of, given.sizes):
        budget = Budget(memory=given.memory << 30)
        found = measure(Protocol(given.protocol), size, reductions, settings, budget)
        print(json.dumps(asdict(found)) if given.json else line(size, reductions, found))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
