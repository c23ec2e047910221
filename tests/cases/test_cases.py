# SPDX-License-Identifier: GPL-2.0-only
"""The language's law: each `.kvm` file here is a lesson about one rule, with what must come of it inside.

    x = y;                       // error KVM301: "a part of the message"      on the line that it is about
    f(a, b);                     // warning KVM412
    choose Gfn g where (false);  // note: empty choice        (also: known race)
    // verdict: NAME: holds, 12 states
    // verdict: NAME: violated no_unset_read in 3, 40 states
    // verdict: NAME: unknown "too small"; vacuous PROPERTY; cover NAME in 4; not covered NAME

Nothing may be said that is not expected.  Each scenario and mutant of a file without errors needs a verdict line, and is
judged by the engine, by the evaluator and by the naive checker: they must agree in what breaks, in how few steps, and in
how many states there are.  A file that begins with `module` is there to be used by others.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.engine.result import Result
from kvmcheck.lang.imports import Unit, load
from kvmcheck.library import model_folder
from kvmcheck.pipeline import check
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.verdict import Verdict
from kvmcheck.source.catalogue import CATALOGUE
from kvmcheck.source.diagnostic import Collector, Diagnostic
from tests.support.compare import by_engine, by_naive, cases_of
from tests.support.reference import agree

HERE = Path(__file__).parent
FILES = sorted(f for f in HERE.rglob("*.kvm") if not re.search(r"^module\b", f.read_text(encoding="utf-8"), re.M))
SAID = re.compile(r'// (error|warning) (KVM\d{3})(?:: "(.*)")?$')
NOTE = re.compile(r"// note: (empty choice|known race)$")
VERDICT = re.compile(r"^\s*// verdict: (\w+): (.*)$")

#: What the naive checker does not know, by file, and why.
NOT_NAIVE: dict[str, str] = {
    "a_callers_local_changes_meanwhile": "takes an argument that is a local by its name, not by its value",
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
    assert {key: messages[key] for key in sorted(messages)} == {
        key: messages.get(key, ["nothing is said here"]) if key in messages else [f"missing: {expected[key]}"]
        for key in sorted(expected)
    }
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
    result = agree(program)
    facts = facts_of(result)
    wanted = set(re.split(r"[,;] ", verdict))
    states = f"{result.coverage.states} states"
    also = {states} | {f"cover {c.name} in {c.depth}" for c in result.covers}
    shown = ", ".join([*sorted(facts), states])
    assert {w for w in wanted if w not in also} == facts, f"{case}: {shown}"
    if path.stem not in NOT_NAIVE:
        naive, plain, exact = by_naive(unit, case), by_engine(program, seq=False), by_engine(program, seq=True)
        assert (naive.violated, naive.covers, naive.states) == (plain.violated, plain.covers, plain.states), case
        assert (naive.violated, naive.covers) == (exact.violated, exact.covers), case
        assert naive.overflow == any(fact.startswith("unknown") for fact in facts), case
    return result


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_case_comes_out_as_it_says(path: Path) -> None:
    if any(severity == "error" for severity, _, _ in expected_diagnostics(path)):
        report = check(path)
        compare_diagnostics(path, [*report.diagnostics, *(d for case in report.cases for d in case.diagnostics)])
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

    assert {code for code in CATALOGUE if "KVM200" <= code < "KVM600"} - shown == set()
