# SPDX-License-Identifier: GPL-2.0-only
"""The steps as formulas lead, at a small size, just where the evaluator's steps lead."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from kvmcheck.prove.parametric.finite import Sizes, Structure, after
from kvmcheck.prove.parametric.steps import SymbolicStep, steps_of
from kvmcheck.prove.parametric.terms import TRUE
from kvmcheck.prove.parametric.world import World
from kvmcheck.semantics.evaluate import Evaluator
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.state import State
from tests.unit.prove.programs import of_spec, program

MIXED = """
scalarset Vcpu;  scalarset Gfn;  scalarset Pfn;
enum Mode { OUT, IN }
word struct Entry { bool present; Pfn? pfn; Mode mode; }
spinlock l;  rwsem sem;
shared Entry entry[Gfn] written under l;
shared set<Gfn> seen guarded by l;
shared Pfn? tlb[Vcpu v][Gfn] guarded by owner(v);
shared int 0..9 users[Pfn] written under atomic;
shared seq s written under l;
ghost int 0..90 steps;

Pfn? take() {
    atomic { for (Pfn p) { if (users[p] == 0) { users[p] = 1; return p; } } }
    return none;
}
void forget(Vcpu v) { atomic { for (Gfn g) tlb[v][g] = none; } }
void install(Vcpu v, Gfn g) {
    seq old = data_race(s);
    Pfn? p = take();
    if (p == none) return;
    spin_lock(&l);
    if (s == old && !(g in seen)) {
        Entry e = entry[g];
        e.pfn = p;
        entry[g] = (Entry){ .present = !e.present, .pfn = e.pfn, .mode = IN };
        seen += g;
        ghost steps = steps + 1;
    }
    spin_unlock(&l);
    tlb[v][g] = p;
}
void drop_all() {
    down_write(&sem);
    spin_lock(&l);
    s++;
    for (Gfn g in seen) entry[g].present = false;
    seen = {};
    spin_unlock(&l);
    up_write(&sem);
}
void look(Gfn g) {
    down_read(&sem);
    atomic { await (entry[g].mode == IN); if (entry[g].present) entry[g].mode = OUT; }
    up_read(&sem);
}
scenario mixed "a little of everything" {
    Vcpu = 2;  Gfn = 2;  Pfn = 2;
    process vcpu[Vcpu v] { forever { install(v, any Gfn); forget(v); } }
    process dropper[2] { repeat 2 { drop_all(); } }
    hardware process walker[Vcpu v] { forever { look(any Gfn); } }
    check no_stale;
}
invariant no_stale { true }
"""


def walk(
    of: Program, steps: tuple[SymbolicStep, ...], seed: int, length: int
) -> Iterator[tuple[set[State], set[State]]]:
    """The successors along a random run: by the evaluator, and by the formulas."""
    world = steps[0].after.world
    sizes, evaluator, chance = Sizes.of(world, of), Evaluator(of), random.Random(seed)
    state = next(iter(evaluator.initial_states())).after
    for _ in range(length):
        outcomes = evaluator.steps(state)
        wanted = {outcome.after for outcome in outcomes if outcome.violation is None}
        structure = Structure.of_state(sizes, state)
        found = {after(way, step, state) for step in steps for way in structure.ways(step)}
        yield wanted, found
        if not wanted:
            return
        state = chance.choice(sorted(wanted, key=repr))


@pytest.mark.parametrize("seed", range(3))
def test_the_steps_of_a_program_with_everything_are_the_evaluators(seed: int) -> None:
    of = program(MIXED)

    for wanted, found in walk(of, steps_of(World(of)), seed, 60):
        assert found == wanted


@pytest.mark.parametrize(
    "spec", ["races/fault_vs_invalidate_page.kvm:two_guests", "proofs/protocol_2008.kvm:protocol_2008"]
)
def test_the_steps_of_the_protocol_are_the_evaluators(spec: str) -> None:
    path, case = spec.split(":")
    of = of_spec(path, case, Gfn="2")

    for wanted, found in walk(of, steps_of(World(of)), 7, 40):
        assert found == wanted


def test_a_step_that_forgets_a_condition_is_noticed() -> None:
    of = program(MIXED)
    steps = tuple(replace(step, guard=TRUE) for step in steps_of(World(of)))

    assert any(wanted != found for wanted, found in walk(of, steps, 1, 1))


def test_a_step_that_forgets_a_write_is_noticed() -> None:
    of = program(MIXED)
    steps = steps_of(World(of))
    for step in steps:
        for key in list(step.after.memory.writes):
            if key[0] == next(n for n, v in enumerate(of.variables) if v.name == "users"):
                del step.after.memory.writes[key]

    assert any(wanted != found for wanted, found in walk(of, steps, 1, 30))
