# SPDX-License-Identifier: GPL-2.0-only
"""Rumur and SPIN find in an exported text the states that we find in the spec: the same meaning, run by others.

docs/reference/export.md says what is counted.  Without the tools these tests are skipped; .ci/run installs them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmcheck.export.expressions import CannotCarry
from kvmcheck.export.write import Target, exported
from kvmcheck.lang.imports import Unit, load
from kvmcheck.library import model_folder
from kvmcheck.semantics.program import Program
from kvmcheck.source.diagnostic import Collector
from tests.support.compare import Refused, cases_of, unit_of
from tests.support.generate import generate
from tests.support.peers import (
    by_rumur,
    by_spin,
    by_us,
    differing,
    misjudged,
    missing,
    without_claims,
    wrapped_program,
)

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases"
with_rumur = pytest.mark.skipif(bool(missing("rumur", "cc")), reason=missing("rumur", "cc"))
with_spin = pytest.mark.skipif(bool(missing("spin", "cc")), reason=missing("spin", "cc"))
TARGETS = [
    pytest.param(Target.MURPHI, marks=with_rumur, id="rumur"),
    pytest.param(Target.PROMELA, marks=with_spin, id="spin"),
]

#: The one member of each type: the larger worlds of these specs have too many states without reductions.
ONE = {"Vcpu": "1", "Gfn": "1", "Pfn": "1"}
#: A spec, a scenario or mutant, and its sizes if they are others than the spec's.
QUICK: list[tuple[str, str, dict[str, str]]] = [
    ("basics/02_lock", "two_threads_and_a_lock", {}),
    ("basics/05_interrupts", "one_interrupt", {}),
    ("limits/pool_too_small", "pool_too_small", {}),
]
SLOW: list[tuple[str, str, dict[str, str]]] = [
    ("basics/01_counter", "two_threads", {}),
    ("basics/01_counter", "plain_increment", {}),
    ("basics/03_snapshot", "snapshot_and_retry", {}),
    ("basics/02_lock", "no_lock", {}),
    ("basics/02_lock", "crossed", {}),
    ("basics/03_snapshot", "no_retry", {}),
    ("basics/03_snapshot", "late_snapshot", {}),
    ("basics/04_guards_and_races", "account", {}),
    ("basics/04_guards_and_races", "no_second_look", {}),
    ("basics/05_interrupts", "interrupts_on", {}),
    ("basics/06_fault_in_miniature", "no_retry", {}),
    ("basics/06_fault_in_miniature", "fault_in_miniature", {"Pfn": "1"}),
    ("races/ageing_vs_fault", "ageing_vs_fault", ONE),
    ("races/ageing_vs_fault", "age_without_flush", {"Gfn": "1"}),
    ("races/callback_after_unlock", "callback_after_unlock", ONE),
    ("races/fault_vs_cow", "fault_vs_cow", ONE),
    ("races/fault_vs_invalidate_page", "fault_vs_invalidate_page", ONE),
    ("races/fault_vs_migration", "fault_vs_migration", ONE),
    ("races/fault_vs_munmap", "fault_vs_munmap", ONE),
    ("races/fault_vs_munmap", "munmap_reads", ONE),
    ("races/fault_vs_range", "fault_vs_range", {**ONE, "WINDOWS": "1"}),
    ("races/fault_vs_reclaim", "fault_vs_reclaim", ONE),
    ("races/fault_vs_reclaim", "no_retry", ONE),
    ("races/lockless_retry", "lockless_retry", {"Pfn": "1"}),
    ("races/reference_under_the_lock", "reference_under_the_lock", {}),
    ("races/seq_wraps", "seq_wraps", {}),
    ("races/sptes_own_no_reference", "sptes_own_no_reference", ONE),
    ("scenarios/s01_page_goes_after_the_lookup", "page_goes_after_the_lookup", {}),
    ("scenarios/s02_page_goes_after_the_install", "page_goes_after_the_install", {}),
    ("scenarios/s03_fault_inside_a_window", "fault_inside_a_window", {}),
    ("scenarios/s04_window_ends_before_the_lock", "window_ends_before_the_lock", {}),
    ("scenarios/s05_fault_after_a_window", "fault_after_a_window", {}),
    ("scenarios/s06_overlapping_windows", "overlapping_windows", {}),
    ("scenarios/s11_new_page_before_the_flush", "new_page_before_the_flush", {}),
    ("scenarios/s12_gone_but_not_flushed", "gone_but_not_flushed", {}),
]

#: The folders of the core of the protocol, and of the language.
CORE = ("basics", "limits", "liveness", "races", "scenarios")
#: Specs that are exported but not counted: with one of each they have millions of states without reductions.
TOO_LARGE = {
    "liveness/fault_completes": "fault_vs_stopping_host",
    "races/life_of_a_vm": "life_of_a_vm",
    "races/two_overlapping_ranges": "two_overlapping_ranges",
}


def core_specs() -> set[str]:
    """The specs of those folders, by folder and name."""
    return {f"{folder}/{path.stem}" for folder in CORE for path in (ROOT / "specs" / folder).glob("*.kvm")}


def loaded(path: Path) -> Unit:
    """A spec with its modules."""
    collector = Collector()
    unit = load(path, (model_folder(),), collector)
    assert unit is not None, [d.message for d in collector.all()]
    return unit


def program_of(spec: str, case: str, sizes: dict[str, str]) -> Program:
    """The behaviour of a spec's case."""
    return without_claims(wrapped_program(loaded(ROOT / "specs" / f"{spec}.kvm"), case, 2, sizes))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("spec", "case", "sizes"), QUICK, ids=str)
def test_a_basic_spec_has_the_same_states_there(
    spec: str, case: str, sizes: dict[str, str], target: Target
) -> None:
    assert differing(program_of(spec, case, sizes), target) == ""


def test_every_core_spec_is_counted_or_known_to_be_too_large() -> None:
    counted = {spec for spec, _, _ in (*QUICK, *SLOW)}

    assert counted | set(TOO_LARGE) == core_specs()
    assert not counted & set(TOO_LARGE)


@pytest.mark.slow
@pytest.mark.parametrize("target", list(Target), ids=lambda target: target.value)
def test_every_core_spec_can_be_exported(target: Target) -> None:
    first = {spec: (case, sizes) for spec, case, sizes in reversed((*QUICK, *SLOW))}
    large = {spec: (case, ONE) for spec, case in TOO_LARGE.items()}
    refused = {}
    for spec, (case, sizes) in (first | large).items():
        try:
            exported(program_of(spec, case, sizes), target)
        except CannotCarry as error:
            refused[spec] = str(error)
    assert refused == {}


@pytest.mark.slow
@with_rumur
@with_spin
@pytest.mark.parametrize(("spec", "case", "sizes"), SLOW, ids=str)
def test_a_core_spec_has_the_same_states_there(spec: str, case: str, sizes: dict[str, str]) -> None:
    program = program_of(spec, case, sizes)
    ours = by_us(program, most=1_000_000)

    assert ours is not None
    for target in (Target.MURPHI, Target.PROMELA):
        assert differing(program, target, ours=ours) == ""


def disagreements(units: list[tuple[str, Unit]], target: Target, *, most: int) -> tuple[int, list[str]]:
    """How many cases were compared, and where the counts differ."""
    compared, found = 0, []
    for name, unit in units:
        for case in cases_of(unit):
            try:
                program = without_claims(wrapped_program(unit, case, 4))
                said = differing(program, target, most=most)
            except (Refused, CannotCarry):
                continue
            compared += 1
            if said:
                found.append(f"{name}, {case}: {said}")
    return compared, found


@pytest.mark.parametrize("target", TARGETS)
def test_random_programs_have_the_same_states_there(target: Target) -> None:
    units = [(f"seed {seed}", unit_of(generate(seed))) for seed in (6, 17, 25, 30)]
    compared, found = disagreements(units, target, most=600)
    assert found == []
    assert compared == 4


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_many_random_programs_have_the_same_states_there(target: Target) -> None:
    units = [(f"seed {seed}", unit_of(generate(seed))) for seed in range(3000, 3030)]
    compared, found = disagreements(units, target, most=1500)
    assert found == []
    assert compared > 12


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("topic", sorted(path.name for path in CASES.iterdir() if any(path.glob("*.kvm"))))
def test_the_language_s_cases_have_the_same_states_there(topic: str, target: Target) -> None:
    units = []
    for path in sorted((CASES / topic).glob("*.kvm")):
        collector = Collector()
        unit = load(path, (path.parent,), collector)
        if unit is not None:
            units.append((path.name, unit))
    assert disagreements(units, target, most=3000)[1] == []


# ------------------------------------------------------------------------------ claims


@with_rumur
@pytest.mark.parametrize(("case", "errors"), [("two_threads", False), ("plain_increment", True)])
def test_rumur_judges_an_invariant_as_we_do(case: str, errors: bool) -> None:
    program = wrapped_program(loaded(ROOT / "specs" / "basics" / "01_counter.kvm"), case, 4)
    found = by_rumur(exported(program, Target.MURPHI).text, errors=1)

    assert ('invariant "none_is_lost" failed' in found.said) == errors
    assert found.errors == errors


@with_spin
@pytest.mark.parametrize(("case", "errors"), [("two_threads", False), ("plain_increment", True)])
def test_spin_judges_an_invariant_as_we_do(case: str, errors: bool) -> None:
    program = wrapped_program(loaded(ROOT / "specs" / "basics" / "01_counter.kvm"), case, 4)

    assert by_spin(exported(program, Target.PROMELA).text, claim="none_is_lost").errors == errors


@with_rumur
@pytest.mark.parametrize(("case", "stuck"), [("two_threads_and_a_lock", False), ("crossed", True)])
def test_rumur_finds_the_deadlock_that_we_find(case: str, stuck: bool) -> None:
    program = wrapped_program(loaded(ROOT / "specs" / "basics" / "02_lock.kvm"), case, 4)
    found = by_rumur(exported(program, Target.MURPHI).text)

    assert ('invariant "no_deadlock" failed' in found.said) == stuck


@with_spin
@pytest.mark.parametrize(("case", "stuck"), [("two_threads_and_a_lock", False), ("crossed", True)])
def test_spin_finds_the_deadlock_that_we_find(case: str, stuck: bool) -> None:
    program = wrapped_program(loaded(ROOT / "specs" / "basics" / "02_lock.kvm"), case, 4)

    assert by_spin(exported(program, Target.PROMELA).text, claim="no_deadlock").errors == stuck


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_claims_about_random_programs_get_the_same_verdicts_there(target: Target) -> None:
    compared = 0
    for seed in range(20, 34):
        unit = unit_of(generate(seed))
        for case in cases_of(unit):
            try:
                assert misjudged(wrapped_program(unit, case, 4), target, most=600) == [], f"{seed}, {case}"
            except (Refused, CannotCarry):
                continue
            compared += 1
    assert compared >= 5


# ------------------------------------------------------------------------------ names

HOSTILE = """
enum rule { end, TRUE, d_step }
word struct record { bool pc; rule startstate; bool now; }
scalarset array;
shared record begin[array];
shared int 0..2 now;
shared bool unset;
shared int 0..2 SYNC;
shared bool i[array];
shared int 0..2 rand;
spinlock null;
ghost int 0..2 vars;
void init_(array self) {
    int 0..2 now_ = now;
    @pc spin_lock(&null);
    begin[self].pc = true;
    now = now_ < 2 ? now_ + 1 : 0;
    ghost vars = now;
    spin_unlock(&null);
}
invariant undefine { forall (array a) : begin[a].pc implies now <= 2 }
scenario Next "names that other languages have taken */ \\\\* --" {
    array = 2;
    process run[array MODULE] { init_(MODULE); unset = true; SYNC = 1; i[MODULE] = true; rand = 1; }
    process active[2] daemon { await (unset); WRITE_ONCE(now, 0); }
    check undefine;
}
""".replace("invariant mtype { begin == begin or now <= 2 }\n", "")


@pytest.mark.parametrize("target", TARGETS)
def test_names_that_the_target_has_taken_do_no_harm(target: Target) -> None:
    program = wrapped_program(unit_of(HOSTILE, "hostile.kvm"), "Next", 4)

    assert differing(without_claims(program), target) == ""


# ------------------------------------------------------------------------------ the comparison itself


@with_rumur
def test_a_text_with_another_meaning_is_found_out() -> None:
    program = wrapped_program(loaded(ROOT / "specs" / "basics" / "02_lock.kvm"), "two_threads_and_a_lock", 4)
    text = exported(without_claims(program), Target.MURPHI).text
    careless = text.replace("lock = none", "true", 1)

    assert careless != text
    assert by_rumur(careless).states != by_rumur(text).states
