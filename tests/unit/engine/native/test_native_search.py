# SPDX-License-Identifier: GPL-2.0-only
"""The native tier: the Python tier's answers with any number of threads, and honest where it runs out of something."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import NEVER, Search, explore
from kvmcheck.engine.native.coding import Unsupported
from kvmcheck.engine.native.search import NativeSearch, Settings, omission
from kvmcheck.engine.result import Result
from kvmcheck.engine.stopping import StopPolicy
from kvmcheck.lang.imports import load
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.verdict import Verdict
from kvmcheck.source.diagnostic import Collector
from tests.support.compare import cases_of, program_of, unit_of
from tests.support.native import QUICK, SETS, answer, differences, natively

ROOT = Path(__file__).parents[4]
MINIATURE = ROOT / "specs" / "basics" / "06_fault_in_miniature.kvm"

READERS = """
rwsem l[I];
index I;
shared int 0..2 x written under l[0];
scenario s "s" {
    I = 2;
    process reader[3] { down_read(&l[0]); int 0..2 seen = READ_ONCE(x); up_read(&l[0]); }
    process writer { down_write(&l[0]); WRITE_ONCE(x, 1); up_write(&l[0]); }
    check no_deadlock, lock_order;
}
"""

LARGE = """
shared int 0..30 a;
shared int 0..30 b;
shared int 0..30 c;
shared int 0..30 d;
scenario s "s" {
    process pa { forever { atomic_set(&a, (a + 1) % 31); } }
    process pb { forever { atomic_set(&b, (b + 1) % 31); } }
    process pc { forever { atomic_set(&c, (c + 1) % 31); } }
    process pd { forever { atomic_set(&d, (d + 1) % 31); } }
    check no_deadlock;
}
"""


def spec(path: Path, case: str) -> Program:
    unit = load(path, (ROOT / "model", ROOT / "specs"), Collector())
    assert unit is not None
    program = elaborate(unit, case, {}, Collector())
    assert program is not None
    return program


def large() -> Program:
    return program_of(unit_of(LARGE), "s")


def verdicts(result: Result) -> set[Verdict]:
    return {found.verdict for found in result.properties}


@pytest.mark.parametrize("name", ["seq", "symmetry", "merge", "all"])
def test_both_tiers_say_the_same_of_a_fault_in_miniature(name: str) -> None:
    unit = load(MINIATURE, (ROOT / "model",), Collector())
    assert unit is not None

    for case in cases_of(unit):
        assert differences(spec(MINIATURE, case), SETS[name], most=50_000) == []


@pytest.mark.parametrize("name", ["seq", "all"])
def test_a_lock_that_all_others_hold_for_reading_has_its_code(name: str) -> None:
    assert differences(program_of(unit_of(READERS), "s"), SETS[name], most=50_000) == []


@pytest.mark.parametrize("threads", [2, 3, 5])
def test_any_number_of_threads_gives_the_same_counts_and_lengths(threads: int) -> None:
    program = spec(MINIATURE, "fault_in_miniature")

    one = natively(program, SETS["seq"])
    several = natively(program, SETS["seq"], threads=threads)

    assert answer(several) == answer(one)


def test_hashes_count_the_same_states_and_say_nothing_holds() -> None:
    program = spec(MINIATURE, "fault_in_miniature")

    exact = natively(program, SETS["seq"])
    compact = natively(program, SETS["seq"], compact=True, threads=2)

    assert verdicts(exact) == {Verdict.HOLDS}
    assert verdicts(compact) == {Verdict.UNKNOWN}
    assert compact.coverage.states == exact.coverage.states
    assert "expected to be missing" in compact.properties[0].reason


def test_hashes_find_a_shortest_counterexample_all_the_same() -> None:
    program = spec(MINIATURE, "no_retry")

    exact = natively(program, SETS["all"])
    compact = natively(program, SETS["all"], compact=True)

    broken = {p.property: len(p.traces[0].steps) for p in exact.properties if p.traces}
    assert broken
    assert broken == {p.property: len(p.traces[0].steps) for p in compact.properties if p.traces}


def test_the_expected_omission_grows_with_the_square() -> None:
    assert omission(1 << 33) == pytest.approx(2.0)
    assert omission(1_000_000) < 1e-7


def test_a_limit_on_states_is_unknown() -> None:
    result = natively(large(), SETS["seq"], Budget(states=5_000))

    assert verdicts(result) == {Verdict.UNKNOWN}
    assert result.coverage.stopped == "the limit of 5,000 states was reached"


def test_a_limit_on_depth_is_that_of_the_python_tier() -> None:
    budget = Budget(depth=7)
    program = spec(MINIATURE, "fault_in_miniature")

    expected, found = (
        explore(program, budget=budget, reductions=SETS["seq"]),
        natively(program, SETS["seq"], budget),
    )

    assert found.coverage.states == expected.coverage.states
    assert found.coverage.stopped == expected.coverage.stopped


def test_a_limit_on_memory_is_unknown_and_kept() -> None:
    result = natively(large(), SETS["seq"], Budget(memory=4 << 20))

    assert verdicts(result) == {Verdict.UNKNOWN}
    assert result.coverage.stopped == "the memory limit of 4 MB was reached"
    assert result.coverage.states > 50_000


def test_a_limit_on_time_is_unknown() -> None:
    result = natively(large(), SETS["seq"], Budget(seconds=0.01))

    assert verdicts(result) == {Verdict.UNKNOWN}
    assert result.coverage.stopped == "the time limit of 0.01 seconds was reached"


def searching(program: Program) -> NativeSearch:
    search = Search(program, budget=Budget(), reductions=SETS["seq"], stop=NEVER, traces=1, progress=None)
    return NativeSearch(search, Settings(options=QUICK))


def children() -> list[int]:
    me = os.getpid()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == me and fields[0] != "Z":
                found.append(int(folder.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for the child in /proc")
@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGTERM, "interrupted"), (signal.SIGKILL, "the machine's memory did not suffice")],
)
def test_a_search_that_is_stopped_from_outside_is_unknown(number: signal.Signals, said: str) -> None:
    native = searching(large())
    native.builds.wait()
    before = set(children())

    def stop() -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            ours = set(children()) - before
            if ours:
                time.sleep(0.05)
                os.kill(ours.pop(), number)
                return
            time.sleep(0.005)

    stopper = threading.Thread(target=stop)
    stopper.start()
    result = native.run()
    stopper.join()

    assert verdicts(result) == {Verdict.UNKNOWN}
    assert result.coverage.stopped == said


def test_a_search_ends_when_everything_looked_for_is_violated() -> None:
    program = spec(MINIATURE, "no_retry")
    whole = natively(program, SETS["seq"])
    broken = [found.property for found in whole.properties if found.verdict is Verdict.VIOLATED]
    search = Search(
        program,
        budget=Budget(),
        reductions=SETS["seq"],
        stop=StopPolicy(wanted=frozenset(broken)),
        traces=1,
        progress=None,
    )

    early = NativeSearch(search, Settings(options=QUICK)).run()

    assert {p.property for p in early.properties if p.verdict is Verdict.VIOLATED} >= set(broken)
    assert early.coverage.states < whole.coverage.states


def test_several_traces_are_told_apart() -> None:
    program = spec(ROOT / "specs" / "basics" / "01_counter.kvm", "plain_increment")

    result = natively(program, SETS["seq"], traces=3)
    expected = explore(program, budget=Budget(), reductions=SETS["seq"], traces=3)

    found = {p.property: [len(t.steps) for t in p.traces] for p in result.properties if p.traces}
    assert found == {p.property: [len(t.steps) for t in p.traces] for p in expected.properties if p.traces}


def test_a_number_that_grows_beyond_its_cell_is_refused_and_not_cut_off() -> None:
    program = program_of(
        unit_of(
            'shared seq q;\nscenario s "s" { process p { forever { atomic_inc(&q); } } check no_deadlock; }\n'
        ),
        "s",
    )

    with pytest.raises(Unsupported, match="no room"):
        natively(program, replace(SETS["seq"], seq=False), Budget(states=1_000_000))
