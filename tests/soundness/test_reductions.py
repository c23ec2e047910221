# SPDX-License-Identifier: GPL-2.0-only
"""No reduction changes an answer: every spec and mutant, random programs, and the cases where a wrong one shows.

The hand-written programs below are small, and each has something that a reduction must not lose: the comment above
it says which fact of `engine.movers` it stands on.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import compare
from tests.support.generate import generate
from tests.support.subsets import PLAIN, ROOT, answers, disagreements, programs

SPECS = sorted((ROOT / "specs").rglob("*.kvm"))
CASES = sorted((ROOT / "tests" / "cases").rglob("*.kvm"))

#: Small enough that every case of the spec is done in a moment, and large enough to have a race in it.
SMALL = {"Vcpu": "1", "Gfn": "1", "Pfn": "2", "WINDOWS": "1"}
SIZES: dict[str, dict[str, str]] = {
    "flush_already_requested": {"Pfn": "1"},
    "two_notifiers_one_flush": {"Pfn": "1"},
    "two_overlapping_ranges": {"Vcpu": "1", "Pfn": "1"},
    "refinement": {"Gfn": "1", "Sptep": "2", "Desc": "2"},
    "removal": {"Gfn": "1", "Sptep": "2", "Desc": "2"},
    "ageing": {"Gfn": "1", "Sptep": "2"},
    "shadow_on_chains": {"Pfn": "1"},
}
#: With two vcpus there is more to exchange, and more to merge between.
TWO_VCPUS = {"Vcpu": "2", "Gfn": "1", "Pfn": "1", "WINDOWS": "1"}
SLOW = (
    "fetch_null",
    "flush_already_requested",
    "guess",
    "guess_without_a_page",
    "life_of_a_vm",
    "overwritten_leaf",
    "page_fault",
    "page_fault_with_tlbs",
    "read_only_over_writable",
    "remote_flush",
    "slot_without_address",
    "write_protection",
    "writes_are_known",
    "zapped_pages",
)

#: A search of more states than this is cut short, and may then only have found less.
MOST = 60_000


def of_specs(paths: list[Path]) -> list[object]:
    """One parameter for each spec; the large ones are for `make slow`."""
    return [
        pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in SLOW else [])
        for path in paths
    ]


@pytest.mark.parametrize("path", of_specs(SPECS))
def test_every_spec_and_mutant_gets_the_same_answers_under_every_subset(path: Path) -> None:
    cases = programs(path, SIZES.get(path.stem, SMALL))

    assert cases
    assert [text for case in cases for text in disagreements(case, ("merge", "symmetry"), MOST)] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [p for p in SPECS if p.stem in ("fault_vs_reclaim", "fault_vs_munmap", "fault_vs_range")],
    ids=lambda path: path.stem,
)
def test_with_two_vcpus_every_mutant_gets_the_same_answers_too(path: Path) -> None:
    found = [
        text
        for program in programs(path, TWO_VCPUS)
        for text in disagreements(program, ("merge", "symmetry"), 10 * MOST)
    ]

    assert found == []


@pytest.mark.parametrize("folder", sorted({path.parent for path in CASES}), ids=lambda path: path.name)
def test_every_case_of_the_language_gets_the_same_answers(folder: Path) -> None:
    found = [
        text
        for path in CASES
        if path.parent == folder
        for program in programs(path, {})
        for text in disagreements(program, ("merge", "symmetry"), 5_000)
    ]

    assert found == []


# ------------------------------------------------------------------------------ random programs


def random_disagreements(seeds: range) -> Iterator[str]:
    """What differs in the programs of the seeds; `seq` is a switch too, since they increment finitely often."""
    for seed in seeds:
        unit = compare.unit_of(generate(seed))
        for case in compare.cases_of(unit):
            try:
                program = compare.program_of(unit, case)
            except compare.Refused:
                continue
            if not answers(program, ("dead",), compare.MOST_STATES)[0].complete:
                continue
            for text in disagreements(program, ("seq", "merge", "symmetry"), 10_000, ("dead",)):
                yield f"seed {seed}: {text}"


@pytest.mark.parametrize("first", [1, 301, 601])
def test_random_programs_get_the_same_answers_under_every_subset(first: int) -> None:
    print(f"seeds {first} to {first + 49}")

    assert list(random_disagreements(range(first, first + 50))) == []


@pytest.mark.slow
def test_many_random_programs_get_the_same_answers_under_every_subset() -> None:
    print("seeds 20000 to 20299")

    assert list(random_disagreements(range(20_000, 20_300))) == []


# ------------------------------------------------------------------------------ where a wrong one shows

#: name -> (program, the violated properties, the reached covers)
SHOWN: dict[str, tuple[str, set[str], set[str]]] = {}


def shown(name: str, text: str, violated: str = "", reached: str = "") -> None:
    """One more program that a wrong reduction gets wrong."""
    SHOWN[name] = (text, set(violated.split()), set(reached.split()))


# Both stores of the section are read without the lock: it is cut between them.
shown(
    "seq and pte stored in one section",
    """
    spinlock lock;
    shared seq version written under lock;
    shared bool mapped = true written under lock;
    shared bool spte guarded by lock;
    void fault() {
        seq before = READ_ONCE(version);
        bool found = READ_ONCE(mapped);
        spin_lock(&lock);
        if (version == before) spte = found;
        spin_unlock(&lock);
    }
    void invalidate() { spin_lock(&lock); version++; mapped = false; spte = false; spin_unlock(&lock); }
    invariant fresh unless held(lock) { spte implies mapped }
    scenario s { process vcpu { fault(); } process host { invalidate(); } check fresh; }
    """,
    "fresh",
)
# Somebody who tries a lock sees that it is held.
shown(
    "a lock that is tried",
    """
    spinlock lock;
    shared int 0..2 x guarded by lock;
    scenario s {
        process p { spin_lock(&lock); x = 1; spin_unlock(&lock); }
        process q { if (spin_trylock(&lock)) { spin_unlock(&lock); } else { cover busy; } }
        cover busy;
    }
    """,
    reached="busy",
)
# `held(lock)` of a property sees it too.
shown(
    "a lock that a property asks for",
    """
    spinlock lock;
    shared int 0..2 x guarded by lock;
    invariant never { !held(lock) }
    scenario s { process p { spin_lock(&lock); x = 1; spin_unlock(&lock); } check never; }
    """,
    "never",
)
# A property that reads guarded data sees what is between two stores; with `unless` it does not.
HALF_DONE = """
    spinlock lock;
    shared int 0..2 x guarded by lock;
    shared int 0..2 y guarded by lock;
    invariant equal UNLESS { x == y }
    scenario s {
        process p { spin_lock(&lock); x = 1; y = 1; spin_unlock(&lock); }
        process q { spin_lock(&lock); assert(x == y); spin_unlock(&lock); }
        check equal;
    }
    """
shown("a property that reads guarded data", HALF_DONE.replace("UNLESS ", ""), "equal")
shown("a property that looks away under the lock", HALF_DONE.replace("UNLESS", "unless held(lock)"))
# `unless` of another lock hides nothing.
shown(
    "a property that looks away under another lock",
    HALF_DONE.replace("UNLESS", "unless held(other)").replace(
        "spinlock lock;", "spinlock lock; spinlock other;"
    ),
    "equal",
)
# So does a cover.
shown(
    "a cover in the middle of a section",
    """
    spinlock lock;
    shared int 0..2 x guarded by lock;
    cover half { x == 1 }
    scenario s { process p { spin_lock(&lock); x = 1; x = 2; spin_unlock(&lock); } cover half; }
    """,
    reached="half",
)
# And a step property sees every store for itself.
shown(
    "a step property about one store",
    """
    spinlock lock;
    shared int 0..2 x guarded by lock;
    step by_one { x <= old(x) + 1 }
    step never_by_one { x != old(x) + 1 }
    scenario s {
        process p { spin_lock(&lock); x = 1; x = 2; spin_unlock(&lock); }
        check by_one, never_by_one;
    }
    """,
    "never_by_one",
)
# The hardware takes no lock: a bit that it sets between load and store is lost.
shown(
    "an accessed bit that the hardware writes",
    """
    word struct Spte { bool writable; bool accessed; }
    spinlock lock;
    shared Spte spte = (Spte){ .writable = true } guarded by lock;
    ghost bool touched;
    invariant kept { touched implies spte.accessed }
    scenario s {
        process mmu { spin_lock(&lock); spte.writable = false; spin_unlock(&lock); }
        hardware process walker { set_bit(&spte.accessed); ghost touched = true; }
        check kept;
    }
    """,
    "kept",
)
# The hardware sees what is in a guarded word between two stores.
shown(
    "a word that the hardware reads",
    """
    spinlock lock;
    shared int 0..2 pte guarded by lock;
    shared int 0..2 tlb;
    cover half { tlb == 1 }
    scenario s {
        process mmu { spin_lock(&lock); pte = 1; pte = 2; spin_unlock(&lock); }
        hardware process walker { tlb = pte; }
        cover half;
    }
    """,
    reached="half",
)
# A handler comes between two accesses of its own thread, to data that nobody else has.
shown(
    "data that the interrupt handler shares",
    """
    shared int 0..2 x;
    shared bool raised = true;
    scenario s {
        process cpu { x = 1; x = 0; } interrupt (raised) { raised = false; assert(x == 0); }
    }
    """,
    "no_assertion_failure",
)
# A handler that takes the lock that its thread holds waits for ever.
shown(
    "a lock that the interrupt handler takes",
    """
    spinlock lock;
    shared int 0..2 x guarded by lock;
    shared bool raised = true;
    scenario s {
        process cpu { spin_lock(&lock); x = 1; spin_unlock(&lock); }
            interrupt (raised) { raised = false; spin_lock(&lock); x = 2; spin_unlock(&lock); }
        check no_deadlock;
    }
    """,
    "no_lock_misuse",
)
# Different locks do not exclude each other.
shown(
    "a data race in the middle of a section",
    """
    spinlock a;
    spinlock b;
    shared int 0..2 mine guarded by a;
    shared int 0..2 yours guarded by b;
    shared int 0..2 x;
    scenario s {
        process p { spin_lock(&a); mine = 1; x = 1; mine = 2; spin_unlock(&a); }
        process q { spin_lock(&b); yours = 1; x = 2; yours = 2; spin_unlock(&b); }
        check no_data_race;
    }
    """,
    "no_data_race",
)
# One lock does, although both steps begin where both threads could go.
shown(
    "no race under one lock",
    """
    spinlock lock;
    shared int 0..2 x;
    scenario s {
        process p[2] { spin_lock(&lock); x = 1; spin_unlock(&lock); }
        check no_data_race;
    }
    """,
)
# The race is with the second access of what could be one step.
shown(
    "a race with a later access",
    """
    spinlock lock;
    shared int 0..2 mine guarded by lock;
    shared int 0..2 x;
    shared bool go;
    scenario s {
        process p { spin_lock(&lock); mine = 1; WRITE_ONCE(go, true); x = 1; spin_unlock(&lock); }
        process q { await (READ_ONCE(go)); x = 2; }
        check no_data_race;
    }
    """,
    "no_data_race",
)
# A thread is at a label only if a step ends there.
shown(
    "a label that a property names",
    """
    spinlock lock;
    shared int 0..2 x guarded by lock;
    void f() { spin_lock(&lock); x = 1; @here x = 2; spin_unlock(&lock); }
    invariant nobody_is_here { !(exists (f c) : c at @here) }
    scenario s { process p { f(); } check nobody_is_here; }
    """,
    "nobody_is_here",
)
# A property sees the locals of a call too.
shown(
    "a local that a property reads",
    """
    spinlock lock;
    shared int 0..2 x guarded by lock;
    void f() { int 0..2 k = 0; spin_lock(&lock); k = 1; x = 1; k = 2; x = 2; spin_unlock(&lock); }
    invariant never_one { forall (f c) : c.k != 1 }
    shared bool begun;
    scenario s { process p { begun = true; f(); } check never_one; }
    """,
    "never_one",
)
# It does not break of itself: the local is set before the call is seen.
shown(
    "a local that is never one",
    """
    spinlock lock;
    shared int 0..2 x guarded by lock;
    shared bool begun;
    void f() { int 0..2 k = 0; spin_lock(&lock); x = 1; k = 2; x = 2; spin_unlock(&lock); }
    invariant never_one { forall (f c) : c.k != 1 }
    scenario s { process p { begun = true; f(); } check never_one; }
    """,
)
# The state in front of the assertion that fails is reachable, though the step that it belongs to has no end.
shown(
    "a step that fails behind a store that somebody sees",
    """
    spinlock lock;
    shared int 0..2 x guarded by lock;
    shared int 0..2 y guarded by lock;
    invariant zero { x == 0 }
    scenario s {
        process p { spin_lock(&lock); x = 1; y = 1; assert(y == 0); spin_unlock(&lock); }
        check zero;
    }
    """,
    "zero no_assertion_failure",
)
# Others go on from there as well.
shown(
    "what others do while a step fails",
    """
    spinlock lock;
    shared int 0..2 x written under lock;
    shared int 0..2 y guarded by lock;
    scenario s {
        process p { spin_lock(&lock); x = 1; y = 1; assert(y == 0); spin_unlock(&lock); }
        process q { if (READ_ONCE(x) == 1) { cover seen; } }
        cover seen;
    }
    """,
    "no_assertion_failure",
    "seen",
)
# A loop of operations that all commute must not be one step without end.
shown(
    "a loop inside a section",
    """
    spinlock lock;
    shared bool x guarded by lock;
    scenario s {
        process p { spin_lock(&lock); while (!x) { x = x; } spin_unlock(&lock); }
        process q { spin_lock(&lock); cover in; spin_unlock(&lock); }
        check no_deadlock;
        cover in;
    }
    """,
    reached="in",
)
# Waiting inside a section is done with the lock held, and nobody can end it.
shown(
    "waiting inside a section",
    """
    spinlock lock;
    shared bool flag guarded by lock;
    scenario s {
        process p { spin_lock(&lock); await (flag); spin_unlock(&lock); }
        process q { spin_lock(&lock); flag = true; spin_unlock(&lock); }
        check no_deadlock;
    }
    """,
    "no_deadlock",
)
# Taking the second lock is not part of the step that took the first one.
shown(
    "two locks the wrong way round",
    """
    spinlock a;
    spinlock b;
    shared int 0..2 x guarded by a;
    scenario s {
        process p { spin_lock(&a); x = 1; spin_lock(&b); spin_unlock(&b); spin_unlock(&a); }
        process q { spin_lock(&b); spin_lock(&a); x = 2; spin_unlock(&a); spin_unlock(&b); }
        check no_deadlock;
    }
    """,
    "no_deadlock",
)
# A guard that readers may share keeps nobody out who holds it for reading too.
shown(
    "a guard that is held for reading",
    """
    rwlock lock;
    shared int 0..2 x written under lock.read read under lock.read;
    scenario s {
        process p { read_lock(&lock); atomic_inc(&x); atomic_inc(&x); read_unlock(&lock); }
        process q { read_lock(&lock); if (x == 1) { cover half; } read_unlock(&lock); }
        check no_data_race;
        cover half;
    }
    """.replace("    cover half;\n    scenario", "    scenario"),
    reached="half",
)
# A call begins and ends although nothing else is to be seen of it.
shown(
    "a call that a property counts",
    """
    spinlock lock;
    shared int 0..3 x guarded by lock;
    void f() { x = 2; }
    invariant nobody_is_in_it { !(exists (f c) : true) }
    scenario s {
        process p { spin_lock(&lock); x = 1; f(); x = 3; spin_unlock(&lock); }
        check nobody_is_in_it;
    }
    """,
    "nobody_is_in_it",
)
# What was chosen is seen before the store that belongs to the step behind it.
shown(
    "a choice that a property sees",
    """
    scalarset Gfn;
    spinlock lock;
    shared bool x guarded by lock;
    void f() {
        Gfn? k = none; spin_lock(&lock); spin_unlock(&lock); k = any Gfn;
        spin_lock(&lock); x = true; spin_unlock(&lock);
    }
    invariant stored_first { forall (f c) : c.k != none implies x }
    scenario s { Gfn = 2; process p { begun = true; f(); } check stored_first; }
    shared bool begun;
    """,
    "stored_first",
)
# Whoever frees an object takes no lock of those who use it.
shown(
    "an object that is freed while somebody looks",
    """
    object Desc { int 0..3 used; }
    shared Desc *head;
    scenario s {
        Desc = 1;
        process p { head = zalloc Desc; Desc *d = head; head = NULL; free(d); }
        process q { Desc *d = READ_ONCE(head); if (d != NULL) { int x = d->used; } }
    }
    """,
    "no_use_after_free",
)
# Freeing under the lock that the others hold meets nobody; one that is freed behind it does.
FREED = """
    object Desc { int 0..2 used; }
    spinlock lock;
    shared Desc *head guarded by lock;
    scenario s {
        Desc = 1;
        process p { spin_lock(&lock); head = zalloc Desc; spin_unlock(&lock); }
        process q {
            spin_lock(&lock);
            Desc *d = head;
            if (d != NULL) { d->used = 1; d->used = 2; head = NULL; }
            FREE_AND_UNLOCK
        }
        process r { spin_lock(&lock); Desc *e = head; SEE spin_unlock(&lock); }
        check no_deadlock;
    }
    """
shown(
    "an object that is freed under the lock",
    FREED.replace("FREE_AND_UNLOCK", "if (d != NULL) free(d); spin_unlock(&lock);").replace(
        "SEE", "if (e != NULL) { int x = e->used; assert(x == 0); }"
    ),
)
shown(
    "an object that is freed behind the lock",
    FREED.replace("head = NULL; }", "}")
    .replace("FREE_AND_UNLOCK", "spin_unlock(&lock); if (d != NULL) free(d);")
    .replace("SEE", "if (e != NULL) { int x = e->used; x = e->used; }"),
    "no_use_after_free",
)
# What no lock guards is anybody's.
shown(
    "data without a guard",
    """
    spinlock lock;
    shared int 0..2 mine guarded by lock;
    shared int 0..2 x;
    scenario s {
        process p { spin_lock(&lock); mine = 1; x = 1; x = 2; spin_unlock(&lock); }
        process q { if (READ_ONCE(x) == 1) { cover half; } }
        cover half;
    }
    """,
    reached="half",
)
# A ghost's value is seen as soon as it is written.
shown(
    "a ghost that changes behind a store",
    """
    spinlock lock;
    shared int 0..2 x guarded by lock;
    ghost int 0..2 noted;
    invariant never_one { noted != 1 }
    scenario s {
        process p { spin_lock(&lock); x = 1; ghost noted = 1; x = 2; ghost noted = 2; spin_unlock(&lock); }
        check never_one;
    }
    """,
    "never_one",
)

# Two properties may see one operation of a step each.  One that sees both must see what is between them.
TWO_CLAIMS = """
    spinlock left; spinlock right;
    shared int 0..1 x guarded by left;
    shared int 0..1 y guarded by left;
    shared int 0..1 z guarded by right;
    invariant first { !(x == 1 && y == 0 && z == 1) }
    invariant second { !(y == 1 && z == 0) }
    invariant third { x <= 1 }
    scenario s {
        process p { spin_lock(&left); x = 1; y = 1; spin_unlock(&left); }
        process q { spin_lock(&right); z = 1; spin_unlock(&right); }
        check CHECKED;
    }
    """
shown(
    "a property that sees two stores", TWO_CLAIMS.replace("CHECKED", "first, second, third"), "first second"
)
shown("two properties that see a store each", TWO_CLAIMS.replace("CHECKED", "second, third"), "second")
# Counting up and down commutes, but for what happens at the bounds: here the page is put before it is got.
shown(
    "a count below its least",
    """
    shared bool published;
    shared int 0..3 references written under atomic;
    shared int 0..3 others written under atomic;
    scenario s {
        process p { atomic_inc(&others); xchg(&published, true); atomic_inc(&references); }
        process q { await (published); atomic_dec(&references); }
    }
    """,
    "no_out_of_bounds",
)
# Who looks at the count sees how far it is.
shown(
    "a count that is looked at",
    """
    spinlock lock;
    shared int 0..3 references written under atomic;
    scenario s {
        process p { spin_lock(&lock); atomic_inc(&references); atomic_inc(&references); spin_unlock(&lock); }
        process q { if (READ_ONCE(references) == 1) { cover one; } }
        cover one;
    }
    """,
    reached="one",
)
# An atomic block that waits may only begin a step: with the lock in hand it waits for ever.
shown(
    "an atomic block that waits under a lock",
    """
    spinlock lock;
    shared bool ready;
    scenario s {
        process p { spin_lock(&lock); atomic { await (ready); } spin_unlock(&lock); }
        process q { spin_lock(&lock); WRITE_ONCE(ready, true); spin_unlock(&lock); }
        check no_deadlock;
    }
    """,
    "no_deadlock",
)
# One that does not wait may come behind the lock, and what is behind it is another step.
shown(
    "an atomic block under a lock",
    """
    spinlock lock;
    shared int 0..2 x written under atomic;
    scenario s {
        process p { spin_lock(&lock); atomic { x = 1; } atomic { x = 2; } spin_unlock(&lock); }
        process q { if (READ_ONCE(x) == 1) { cover half; } }
        cover half;
    }
    """,
    reached="half",
)
# A race is looked for before a step, so an access that may race begins one, and so does its atomic block.
shown(
    "an atomic block that may race",
    """
    shared bool x;
    shared int 0..2 mine;
    scenario s {
        process p { bool b = mine <= 0; atomic { WRITE_ONCE(x, x); } }
        process q { if (x) { } }
        check no_data_race;
    }
    """,
    "no_data_race",
)
# Where the code ends its interrupt handler ends, too: what comes last does not commute with the handler.
shown(
    "a handler that may run before the last operation",
    """
    shared bool pending;
    shared bool mine;
    scenario s {
        process p { pending = true; if (mine) { } } interrupt (pending) { cover handled; }
        cover handled;
    }
    """,
    reached="handled",
)
# A step that fails has no end; a state on its way is looked at even where other steps end.
shown(
    "what a property sees before a failure",
    """
    shared bool wrong;
    shared list<int, 2> v;
    invariant empty { v.len() == 0 }
    scenario s {
        process p {
            if (v.len() > 0) v.pop();
            if (v.len() < 2) v.push(1);
            WARN_ON(!wrong);
        }
        check empty;
    }
    """,
    "empty no_assertion_failure",
)
# Locks that both threads hold keep accesses apart whatever the guard says; a lock held for reading does not.
APART = """
    rwsem sem; spinlock lock;
    shared int 0..2 x written under atomic;
    scenario s {
        process p { DOWN; xchg(&x, 1); xchg(&x, 2); UP; }
        process q { DOWN; int seen = READ_ONCE(x); if (seen == 1) { cover half; } UP; }
        COVER
    }
    """
shown(
    "accesses under a lock held for reading",
    APART.replace("DOWN", "down_read(&sem)").replace("UP", "up_read(&sem)").replace("COVER", "cover half;"),
    reached="half",
)
shown(
    "accesses under one lock that is no guard",
    APART.replace("DOWN", "spin_lock(&lock)").replace("UP", "spin_unlock(&lock)").replace("COVER", ""),
)
# What a property has seen must not be followed by an operation that others see: they may act in between.
shown(
    "what a property sees before what others see",
    """
    spinlock lock;
    shared int 0..1 x guarded by lock;
    shared bool done written under atomic;
    shared int 0..1 late written under atomic;
    step never_late { !(old(late) == 0 && late == 1 && x == 1) }
    scenario s {
        process p { spin_lock(&lock); x = 1; xchg(&done, true); spin_unlock(&lock); }
        process q { atomic { if (!done) late = 1; } }
        check never_late;
    }
    """,
    "never_late",
)
# Counting commutes with counting, and with nothing else.
shown(
    "a count that is looked at before the next operation",
    """
    spinlock lock;
    shared int 0..3 wrap references written under atomic;
    shared bool done written under atomic;
    scenario s {
        process p { spin_lock(&lock); atomic_inc(&references); xchg(&done, true); spin_unlock(&lock); }
        process q { atomic { if (references == 1 && !done) { cover between; } } }
        cover between;
    }
    """,
    reached="between",
)
# A ghost that is stored under the lock here, and without it there: the lock hides nothing.
shown(
    "a ghost that is stored without the lock as well",
    """
    spinlock lock;
    shared bool out;
    ghost int 0..2 last;
    shared int 0..1 x guarded by lock;
    shared int 0..1 y guarded by lock;
    invariant never unless held(lock) { !(last == 2 && y == 1) }
    scenario s {
        process p {
            spin_lock(&lock);
            x = 1;
            ghost last = 1;
            if (READ_ONCE(out)) y = 1;
            spin_unlock(&lock);
        }
        process q { WRITE_ONCE(out, true); ghost last = 2; }
        check never;
    }
    """,
    "never",
)
# Between its labels a property sees what a call has in its locals; before them it does not look.
shown(
    "a local that a property sees between labels",
    """
    spinlock lock;
    shared int 0..2 x guarded by lock;
    void pin() {
        int 0..2 pins = 0;
        @down spin_lock(&lock);
        pins = 1;
        @use x = 1;
        pins = 2;
        x = 2;
        pins = 0;
        @up spin_unlock(&lock);
    }
    invariant never_two { forall (pin f) : f in @use..@up implies f.pins != 2 }
    scenario s { process p[2] { pin(); } check never_two; }
    """,
    "never_two",
)


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("on", [(), ("merge",), ("symmetry",), ("merge", "symmetry")], ids=", ".join)
def test_what_a_wrong_reduction_would_lose_is_found(name: str, on: tuple[str, ...]) -> None:
    text, violated, reached = SHOWN[name]
    program = compare.program_of(compare.unit_of(text), "s")

    found, _ = answers(program, (*PLAIN, *on), 5_000)

    assert (set(found.violated), set(found.reached), found.complete) == (violated, reached, True)


def test_merging_is_worth_something_in_these_programs() -> None:
    fewer = []
    for name, (text, _, _) in SHOWN.items():
        program = compare.program_of(compare.unit_of(text), "s")
        if answers(program, (*PLAIN, "merge"), 5_000)[1] < answers(program, PLAIN, 5_000)[1]:
            fewer.append(name)

    assert len(fewer) > len(SHOWN) / 2
