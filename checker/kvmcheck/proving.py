# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck prove` on one page: text -> syntax -> program -> formulas -> proof -> account -> judgement.

The cases, their expectations and what is made of a verdict are those of `kvmcheck check` (`pipeline`).  Nothing here
prints, and nothing raises for what a user may have written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.engine.explicit import NO_INITIAL_STATE
from kvmcheck.explain.expectations import judge
from kvmcheck.explain.outcomes import Outcome
from kvmcheck.explain.proofs import ToldProof
from kvmcheck.explain.report import CaseReport, Judgement
from kvmcheck.explain.story import account
from kvmcheck.lang.imports import Unit
from kvmcheck.lang.wrapping import with_seq_wrap
from kvmcheck.pipeline import (
    Case,
    LoadedFile,
    Options,
    asked_in,
    case_report,
    no_initial_state,
    only_asked,
)
from kvmcheck.prove.method import Limits, Method, Proved, Wanted
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.verdict import Verdict
from kvmcheck.source.diagnostic import Collector


@dataclass(frozen=True, slots=True)
class Request:
    """What to prove and how: `options.only` and `options.settings` as in `kvmcheck check`.

    `merge`: steps are those of the explorer, else single operations.  `seq_wrap`: every seq counts modulo that.
    """

    options: Options
    method: Method
    limits: Limits
    merge: bool = True
    seq_wrap: int | None = None


def prove_case(file: LoadedFile, case: Case, request: Request) -> CaseReport:
    """What can be proved of one case of a file that was loaded without errors."""
    assert file.unit is not None
    asked = asked_in(request.options.only, file)
    report = case_report(case, Judgement(Outcome.BAD_INPUT), asked)
    collector = Collector()
    program = _program(file.unit, case, request, collector)
    report = replace(report, diagnostics=collector.all())
    if program is None or collector.has_errors:
        return report
    wanted = frozenset(e.property for e in report.expectations if e.verdict is Verdict.VIOLATED)
    if any(e.only or e.verdict is not Verdict.VIOLATED for e in report.expectations):
        wanted = frozenset()
    proved = _proved(only_asked(program, asked), request, Wanted(wanted))
    if proved.result.coverage.stopped == NO_INITIAL_STATE:
        no_initial_state(case, collector)
        return replace(report, diagnostics=collector.all())
    if proved.refused is not None:
        collector.warn(
            "KVM551",
            f"the formulas of a proof can't carry {proved.refused.what}",
            proved.refused.span or case.span,
            help="`kvmcheck check` explores it",
        )
        report = replace(report, diagnostics=collector.all())
    if request.seq_wrap is not None:
        proved = replace(proved, assumed=(*proved.assumed, f"every seq counts modulo {request.seq_wrap:,}"))
    return told(report, proved, asked)


def _program(unit: Unit, case: Case, request: Request, collector: Collector) -> Program | None:
    if request.seq_wrap is not None:
        unit = with_seq_wrap(unit, request.seq_wrap)
    return elaborate(unit, case.name, dict(request.options.settings), collector)


def _proved(program: Program, request: Request, wanted: Wanted) -> Proved:
    # Each method imports what it needs, when it is asked for.
    from kvmcheck.prove.auto import prove

    return prove(program, request.method, request.limits, wanted, merge=request.merge)


def told(report: CaseReport, proved: Proved, asked: frozenset[str] = frozenset()) -> CaseReport:
    """The report of a case, with what a method found out of it, judged as its spec says."""
    said = account(proved.result)
    findings = tuple(f for f in said.findings if not asked or f.property in asked)
    said = replace(said, findings=findings, looked=proved.looked, sized=proved.sized or said.sized)
    proof = ToldProof(proved.method, proved.looked, proved.assumed, proved.notes, bool(proved.sized))
    return replace(report, account=said, proof=proof, judgement=judge(said, report.kind, report.expectations))
