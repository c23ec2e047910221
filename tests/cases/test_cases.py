# SPDX-License-Identifier: GPL-2.0-only
"""The language's law: each `.kvm` file here is a lesson about one rule, with what must come of it inside.

    x = y;                       // error KVM301: "a part of the message"      on the line that it is about
    f(a, b);                     // warning KVM412
    choose Gfn g where (false);  // note: empty choice        (also: known race)
    // verdict: NAME: holds, 12 states
    // verdict: NAME: violated no_unset_read in 3, 40 states
    // verdict: NAME: unknown "too small"; vacuous PROPERTY; cover NAME in 4; not covered NAME

Nothing may be said that is not expected.  Each scenario and mutant of a file without errors needs a verdict line, and
is judged by the engine, by the evaluator and by the naive checker: they must agree in what breaks, in how few steps,
and in how many states there are.  A file that begins with `module` is there to be used by others.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import explore
from kvmcheck.engine.reductions import ALL, UNREDUCED
from kvmcheck.engine.result import Result
from kvmcheck.lang.imports import Unit, load
from kvmcheck.library import model_folder
from kvmcheck.pipeline import check
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.verdict import Verdict
from kvmcheck.source.catalogue import CATALOGUE
from kvmcheck.source.diagnostic import Collector, Diagnostic
from tests.support.compare import by_naive, cases_of, summary_of
from tests.support.reference import agree

HERE = Path(__file__).parent
FILES = sorted(
    f for f in HERE.rglob("*.kvm") if not re.search(r"^module\b", f.read_text(encoding="utf-8"), re.M)
)
SAID = re.compile(r'// (error|warning) (KVM\d{3})(?:: "(.*)")?$')
NOTE = re.compile(r"// note: (empty choice|known race)$")
VERDICT = re.compile(r"^\s*// verdict: (\w+): (.*)$")

#: States are counted without what only makes them fewer, so that all checkers count the same.

#: What the naive checker does not know, by file, and why.
NOT_NAIVE: dict[str, str] = {
    "a_callers_local_changes_meanwhile": "takes an argument that is a local by its name, not by its value",
    "any_number_of_increments": "counts: a program that counts for ever has no end for it",
    "use": "does not know the parameters of an instance",
    "use_with_edits": "does not edit a module that is used",
    "expectations": "checks what `check` names, not what `expect` names",
    "the": "looks for it in no step of its own",
    "sets": "takes `s -= {a, b}` for something else than both of them",
    "read_under": "takes a rwlock that is held for reading for enough to write",
    "wrap": "gives `++x` the number before it went round",
    "for_each_of_a_set_or_list": "goes through a list as through a set",
}


def lines_of(path: Path) -> list[tuple[int, str]]:
    """The lines of a file with their numbers."""
    return list(enumerate(path.read_text(encoding="utf-8").splitlines(), 1))


def expected_diagnostics(path: Path) -> dict[tuple[str, str, int], str]:
    """Severity, code and line of what must be said, with a part of the message."""
    found = ((SAID.search(line), number) for number, line in lines_of(path))
    return {(m[1], m[2], number): m[3] or "" for m, number in found if m}


def compare_diagnostics(path: Path, said: list[Diagnostic]) -> None:
    """Fail for each expectation unmatched and each diagnostic unexpected."""
    expected = expected_diagnostics(path)
    messages: dict[tuple[str, str, int], list[str]] = {}
    for d in said:
        messages.setdefault((d.severity.value, d.code, d.primary.span.line), []).append(d.message)
    assert messages == {key: messages.get(key, ["nothing is said here"]) for key in expected}
    for key, part in expected.items():
        assert any(part in message for message in messages[key]), (key, part, messages[key])


def facts_of(result: Result) -> set[str]:
    """Everything about a result that a verdict line must say."""
    facts = set()
    for found in result.properties:
        if found.verdict is Verdict.VIOLATED:
            facts.add(f"violated {found.property} in {len(found.traces[0].steps)}")
        elif found.verdict is Verdict.UNKNOWN:
            facts.add(f'unknown "{found.reason}"')
        elif found.vacuous:
            facts.add(f"vacuous {found.property}")
    facts |= {f"not covered {cover.name}" for cover in result.covers if cover.depth is None}
    return facts or {"holds"}


def judge(path: Path, unit: Unit, case: str, program: Program, verdict: str) -> Result:
    """Compare the checkers with each other, and with the verdict line."""
    result = agree(program, UNREDUCED)
    facts = facts_of(result)
    also = {f"{result.coverage.states} states"} | {f"cover {c.name} in {c.depth}" for c in result.covers}
    wanted = set(re.split(r"[,;] ", verdict)) - also
    assert wanted == facts, f"{case}: {', '.join([*sorted(facts), f'{result.coverage.states} states'])}"
    assert facts_of(explore(program, budget=Budget(), reductions=ALL)) == facts, f"{case}, reduced"
    if path.stem not in NOT_NAIVE:
        exact = explore(program, budget=Budget(states=4000), reductions=replace(UNREDUCED, seq=False))
        naive, plain = by_naive(unit, case), summary_of(exact)
        assert (naive.violated, naive.covers, naive.states) == (plain.violated, plain.covers, plain.states), (
            case
        )
        assert naive.overflow == any(fact.startswith("unknown") for fact in facts), case
    return result


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_case_comes_out_as_it_says(path: Path) -> None:
    if any(severity == "error" for severity, _, _ in expected_diagnostics(path)):
        report = check(path)
        compare_diagnostics(
            path, [*report.diagnostics, *(d for case in report.cases for d in case.diagnostics)]
        )
        return
    collector = Collector()
    unit = load(path, (model_folder(),), collector)
    assert unit is not None, [(d.code, d.message, d.primary.span.line) for d in collector.all()]
    programs = {case: elaborate(unit, case, {}, collector) for case in cases_of(unit)}
    compare_diagnostics(path, list(collector.all()))
    verdicts = {m[1]: m[2] for m in (VERDICT.match(line) for _, line in lines_of(path)) if m}
    assert set(verdicts) == set(programs)
    notes = set()
    for case, program in programs.items():
        assert program is not None
        seen = judge(path, unit, case, program, verdicts[case]).coverage
        notes |= {("known race", span.line) for span in seen.races}
        notes |= {("empty choice", span.line) for span in seen.empty_choices}
    assert notes == {(m[1], number) for number, line in lines_of(path) if (m := NOTE.search(line))}


def test_each_diagnostic_of_the_elaborator_is_shown_by_a_case() -> None:
    shown = {code for path in FILES for _, code, _ in expected_diagnostics(path)}
    about_the_command = {"KVM506", "KVM541", "KVM542", "KVM543", "KVM545", "KVM546"}
    of_exports = {"KVM520", "KVM521", "KVM522"}
    of_proofs = {"KVM550", "KVM551"}
    elsewhere = about_the_command | of_exports | of_proofs

    assert {code for code in CATALOGUE if "KVM200" <= code < "KVM600"} - elsewhere - shown == set()
