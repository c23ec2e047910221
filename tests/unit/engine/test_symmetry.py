# SPDX-License-Identifier: GPL-2.0-only
"""Symmetry: one state of each orbit is looked at, nothing is missed, and what cannot be exchanged is not."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product
from pathlib import Path
from random import Random

import pytest

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import NEVER, Search, explore
from kvmcheck.engine.layout import Layout, Packed
from kvmcheck.engine.reductions import UNREDUCED, Reductions
from kvmcheck.engine.result import Result
from kvmcheck.engine.symmetry import Symmetry
from kvmcheck.lang.imports import Unit, load
from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.outcome import Ending
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.state import State
from kvmcheck.semantics.verdict import Verdict
from kvmcheck.source.diagnostic import Collector
from tests.support.compare import Refused, cases_of, program_of, unit_of
from tests.support.generate import generate
from tests.support.permute import random_exchange
from tests.support.random_program import random_program

ROOT = Path(__file__).parents[3]
SPECS = sorted((ROOT / "specs").rglob("*.kvm"))
SMALL_SPECS = [path for path in SPECS if path.parent.name in ("basics", "limits", "scenarios")]
WITH, WITHOUT = replace(UNREDUCED, symmetry=True), UNREDUCED


def loaded(path: Path) -> Unit:
    unit = load(path, (ROOT / "model", ROOT / "specs"), Collector())
    assert unit is not None
    return unit


def walk(program: Program, random: Random, length: int) -> list[State]:
    """The states of a random run."""
    evaluator = Evaluator(program)
    initial = [o.after for o in evaluator.initial_states() if o.ending is Ending.DONE]
    states: list[State] = []
    state = random.choice(initial)
    while len(states) < length:
        states.append(state)
        ways = [outcome.after for outcome in evaluator.steps(state) if outcome.ending is Ending.DONE]
        state = random.choice(ways or initial)
    return states


def explored(program: Program, reductions: Reductions, most: int = 400_000) -> Search:
    search = Search(
        program, budget=Budget(states=most), reductions=reductions, stop=NEVER, traces=1, progress=None
    )
    search.run()
    return search


def told(result: Result) -> object:
    """All that must be the same with and without symmetry."""
    return (
        [(p.property, p.verdict, p.vacuous, [len(t.steps) for t in p.traces]) for p in result.properties],
        [(cover.name, cover.depth) for cover in result.covers],
        (result.coverage.complete, result.coverage.depth, result.coverage.unreached),
        (result.coverage.races, result.coverage.empty_choices),
    )


def lengths(result: Result) -> dict[str, int]:
    """The violated properties, each with the length of its trace."""
    violated = [p for p in result.properties if p.verdict is Verdict.VIOLATED]
    return {p.property: len(p.traces[0].steps) for p in violated}


def same_verdicts(program: Program, most: int = 400_000) -> None:
    """Explore with and without symmetry, and compare."""
    budget = Budget(states=most)
    reduced = explore(program, budget=budget, reductions=WITH)
    full = explore(program, budget=budget, reductions=WITHOUT)
    if full.coverage.complete or not full.coverage.stopped.startswith("the limit of"):
        assert told(reduced) == told(full)
        assert reduced.coverage.states <= full.coverage.states
    else:  # The search with symmetry comes farther: whatever the other finds, it finds as well, as early.
        assert lengths(full).items() <= lengths(reduced).items()


def orbit(symmetry: Symmetry, state: Packed) -> set[Packed]:
    """Every state that exchanges make of one."""
    each = [list(permutations(range(atom.size))) for atom in symmetry.atoms]
    return {symmetry.actions.apply(permutation, state) for permutation in product(*each)}


def orbits_make_up_the_whole(program: Program, reductions: Reductions = WITHOUT, most: int = 400_000) -> int:
    """Check that the representatives' orbits are disjoint and are the states of the full search, exactly."""
    full = explored(program, reductions, most)
    if len(full.order) >= most:
        return 0
    reduced = explored(program, replace(reductions, symmetry=True), most)
    symmetry = reduced.symmetry
    if symmetry is None:
        assert set(reduced.order) == set(full.order)
        return 1
    sizes, union = 0, set()
    for state in reduced.order:
        images = orbit(symmetry, state)
        sizes += len(images)
        union |= images
    assert sizes == len(full.order)
    assert union == set(full.order)
    return 2


# ------------------------------------------------------------------------------ canonical forms


def one_representative_for_each_orbit(program: Program, random: Random, length: int) -> None:
    """Exchange at random what may be exchanged in the states of a random run."""
    layout = Layout(program, WITH)
    symmetry = Symmetry(layout)
    sorts = [atom.sort for atom in symmetry.atoms if atom.sort is not None]
    for state in walk(program, random, length):
        packed = layout.pack(state)
        representative = symmetry.representative(packed)
        assert representative in orbit(symmetry, packed)
        assert symmetry.representative(representative) == representative
        # What the engine refuses to exchange has an orbit of its own.
        for _ in range(0 if symmetry.refusals else 3):
            exchanged = random_exchange(program, sorts, random).state(state)
            assert symmetry.representative(layout.pack(exchanged)) == representative


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_all_states_of_an_orbit_have_one_representative(path: Path) -> None:
    unit = loaded(path)
    one_representative_for_each_orbit(program_of(unit, cases_of(unit)[0]), Random(path.stem), 150)


def test_the_sorts_of_the_shipped_model_are_exchanged() -> None:
    unit = loaded(ROOT / "specs/races/fault_vs_reclaim.kvm")
    collector = Collector()
    program = elaborate(unit, "fault_vs_reclaim", {"Vcpu": "4", "Gfn": "4", "Pfn": "4"}, collector)
    assert program is not None
    symmetry = Symmetry(Layout(program, WITH))
    assert sorted((atom.name, atom.size) for atom in symmetry.atoms) == [("Gfn", 4), ("Pfn", 4), ("Vcpu", 4)]
    assert symmetry.refusals == ()
    layout, random = symmetry.actions.layout, Random(4)
    sorts = [atom.sort for atom in symmetry.atoms if atom.sort is not None]
    for state in walk(program, random, 300):
        exchanged = random_exchange(program, sorts, random).state(state)
        packed, other = layout.pack(state), layout.pack(exchanged)
        assert symmetry.representative(packed) == symmetry.representative(other)


def test_points_that_colours_cannot_tell_apart_are_tried_out() -> None:
    """A cycle of two and a cycle of three: each member has one successor and one predecessor, but not all are alike."""
    text = """
    scalarset Gfn;
    shared Gfn? next[Gfn];
    scenario s { Gfn = 5; process p { WRITE_ONCE(next[any Gfn], any Gfn); } check no_data_race; }
    """
    program = program_of(unit_of(text), "s")
    layout = Layout(program, WITH)
    symmetry = Symmetry(layout)
    (start,) = [outcome.after for outcome in Evaluator(program).initial_states()]
    found = set()
    for a, b, c, d, e in permutations(range(5)):
        following = {a: b, b: a, c: d, d: e, e: c}
        state = State((tuple(following[g] for g in range(5)),), start.threads)
        found.add(symmetry.representative(layout.pack(state)))
    assert len(found) == 1


# ------------------------------------------------------------------------------ nothing is missed


@pytest.mark.parametrize("path", SMALL_SPECS, ids=lambda path: path.stem)
def test_small_specs_have_the_same_verdicts_and_orbits(path: Path) -> None:
    unit = loaded(path)
    for case in cases_of(unit):
        program = program_of(unit, case)
        same_verdicts(program)
        assert orbits_make_up_the_whole(program)
        assert orbits_make_up_the_whole(program, replace(UNREDUCED, merge=True))


@pytest.mark.slow
@pytest.mark.parametrize("path", [p for p in SPECS if p not in SMALL_SPECS], ids=lambda path: path.stem)
def test_races_have_the_same_verdicts(path: Path) -> None:
    unit = loaded(path)
    for case in cases_of(unit):
        same_verdicts(program_of(unit, case), most=20_000)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "races/ageing_vs_fault",
        "races/fault_vs_invalidate_page",
        "races/fault_vs_range",
        "first_commit/two_notifiers_one_flush",
    ],
)
def test_the_orbits_of_races_make_up_the_whole(name: str) -> None:
    unit = loaded(ROOT / f"specs/{name}.kvm")
    program = program_of(unit, cases_of(unit)[0])
    assert orbits_make_up_the_whole(program) == 2
    assert orbits_make_up_the_whole(program, replace(UNREDUCED, merge=True)) == 2


def random_programs(seed: int) -> list[Program]:
    """Programs of both generators."""
    found = [random_program(seed)]
    unit = unit_of(generate(seed))
    for case in cases_of(unit):
        try:
            found.append(program_of(unit, case))
        except Refused:
            continue
    return found


@pytest.mark.parametrize("seed", range(40))
def test_random_programs_have_the_same_verdicts_and_orbits(seed: int) -> None:
    for program in random_programs(seed):
        if len(explored(program, WITHOUT, 3000).order) < 3000:
            same_verdicts(program)
            assert orbits_make_up_the_whole(program)
            assert orbits_make_up_the_whole(program, replace(UNREDUCED, merge=True))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 2500, 100))
def test_many_random_programs_have_the_same_verdicts_and_orbits(first: int) -> None:
    reduced = 0
    for seed in range(first, first + 100):
        for program in random_programs(seed):
            if len(explored(program, WITHOUT, 2000).order) < 2000:
                same_verdicts(program)
                reduced += orbits_make_up_the_whole(program) == 2
    assert reduced > 10


# ------------------------------------------------------------------------------ programs made for it

LOCKS = """
scalarset Gfn;
spinlock lock[Gfn];
shared bool done;
scenario s {
    Gfn = 3;
    process p[2] { Gfn a = any Gfn; Gfn b = any Gfn; if (a != b) {
                   spin_lock(&lock[a]); spin_lock(&lock[b]); spin_unlock(&lock[b]); spin_unlock(&lock[a]); } }
    check lock_order, no_deadlock;
}
"""

SEQS = """
scalarset Gfn;
shared seq count[Gfn] written under atomic;
shared bool bad;
void f() { Gfn g = any Gfn; seq a; seq b; a = READ_ONCE(count[g]); b = READ_ONCE(count[g]);
           if (a != b) WRITE_ONCE(bad, true); atomic_inc(&count[g]); }
invariant good { not bad }
scenario s { Gfn = 2; process p[3] { forever { f(); } }
             process q daemon { forever { atomic_inc(&count[any Gfn]); } } check good, no_data_race; }
"""

OBJECTS = """
object Node { bool dirty; Node *next; }
shared Node *head;
spinlock lock;
void push() { Node *n = zalloc Node or NULL; if (n == NULL) return; spin_lock(&lock); n->next = head; head = n;
              spin_unlock(&lock); }
void pop() { Node *n; spin_lock(&lock); n = head; if (n != NULL) head = n->next; spin_unlock(&lock);
             if (n != NULL) { n->dirty = true; free(n); } }
scenario s { Node = 3; process w[2] { push(); } process r[2] { pop(); } check no_deadlock; }
"""

THREADS = """
scalarset Vcpu;
spinlock lock;
shared Thread? owner;
shared int 0..4 seen[Vcpu];
shared set<Vcpu> kicked;
ghost bool was[Thread];
void go(Vcpu v) { spin_lock(&lock); owner = current; ghost was[current] = true; kicked += v;
                  for (Vcpu o in kicked) { seen[o] = 1; } owner = none; spin_unlock(&lock); }
invariant owned { owner != none implies held(lock) }
scenario s { Vcpu = 3; process vcpu[Vcpu v] { go(v); } process other[2] { go(any Vcpu); } check owned, no_deadlock; }
"""


@pytest.mark.parametrize("text", [LOCKS, SEQS, OBJECTS, THREADS], ids=["locks", "seqs", "objects", "threads"])
def test_every_kind_of_value_is_moved(text: str) -> None:
    program = program_of(unit_of(text), "s")
    one_representative_for_each_orbit(program, Random(text), 400)
    same_verdicts(program)
    for reductions in (WITHOUT, replace(UNREDUCED, merge=True)):
        assert orbits_make_up_the_whole(program, reductions) == 2


def test_lock_order_is_found_among_exchanged_locks() -> None:
    result = explore(program_of(unit_of(LOCKS), "s"), budget=Budget(), reductions=WITH)
    found = next(p for p in result.properties if p.property == "lock_order")
    assert found.verdict is Verdict.VIOLATED
    assert found.traces[0].violation is not None
    assert "in a cycle" in found.traces[0].violation.text


def test_a_trace_is_one_run_of_named_threads() -> None:
    unit = loaded(ROOT / "specs/basics/06_fault_in_miniature.kvm")
    program = program_of(unit, "no_retry")
    result = explore(program, budget=Budget(), reductions=WITH)
    (trace,) = next(p for p in result.properties if p.verdict is Verdict.VIOLATED).traces
    evaluator, state = Evaluator(program), trace.initial
    for step in trace.steps:
        assert step.after in [outcome.after for outcome in evaluator.ways(state, step.thread)]
        state = step.after
    assert evaluator.broken_by(program.properties[0], None, state, None)


# ------------------------------------------------------------------------------ what is refused


def atoms(text: str) -> tuple[list[str], list[tuple[str, str]]]:
    symmetry = Symmetry(Layout(program_of(unit_of(text), "s"), WITH))
    return [atom.name for atom in symmetry.atoms], [(r.name, r.reason) for r in symmetry.refusals]


def test_distinct_members_are_left_alone_and_the_others_exchanged() -> None:
    text = """
    scalarset Gfn;
    shared bool touched[Gfn];
    scenario s { Gfn = 4; distinct Gfn a, b; process p { WRITE_ONCE(touched[a], true); }
                 process q { WRITE_ONCE(touched[any Gfn], true); } check no_data_race; }
    """
    program = program_of(unit_of(text), "s")
    (atom,) = Symmetry(Layout(program, WITH)).atoms
    assert (atom.name, atom.first, atom.size) == ("Gfn", 2, 2)
    assert orbits_make_up_the_whole(program) == 2


def test_a_ghost_loop_over_all_members_is_symmetric_if_its_order_does_not_matter() -> None:
    text = """
    scalarset Gfn;
    shared bool touched[Gfn];
    ghost bool mark[Gfn];
    ghost Gfn? last;
    void f() { Gfn g = any Gfn; WRITE_ONCE(touched[g], true); ghost for (Gfn x) LOOP }
    scenario s { Gfn = 2; process p { f(); } check no_data_race; }
    """
    assert atoms(text.replace("LOOP", "mark[x] = true;")) == (["Gfn"], [])
    assert atoms(text.replace("LOOP", "last = x;")) == ([], [("Gfn", "the program names one of its members")])


def test_an_index_is_no_scalarset() -> None:
    text = """
    index Level;
    shared bool touched[Level];
    scenario s { Level = 3; process p[2] { WRITE_ONCE(touched[any Level], true); } check no_data_race; }
    """
    assert atoms(text) == (["p"], [])


def test_a_quantifier_that_may_fail_before_it_is_decided_takes_its_sort_out() -> None:
    text = """
    scalarset Gfn;
    shared Gfn? next[Gfn];
    shared bool flag[Gfn];
    invariant chained { exists (Gfn g) : CONDITION }
    scenario s { Gfn = 2; process p { WRITE_ONCE(next[any Gfn], any Gfn); } check chained; }
    """
    kept, refused = atoms(text.replace("CONDITION", "not flag[g]"))
    assert (kept, refused) == (["Gfn"], [])
    kept, refused = atoms(text.replace("CONDITION", "not flag[next[g]]"))
    assert kept == []
    assert [name for name, _ in refused] == ["Gfn"]
