# SPDX-License-Identifier: GPL-2.0-only
"""Proving the cases of all files, one after the other, and reporting them in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kvmcheck.cli.files import spec_files
from kvmcheck.cli.listener import Listener
from kvmcheck.cli.main import BUG
from kvmcheck.explain.outcomes import Outcome, gravest
from kvmcheck.explain.report import CaseReport, FileReport, Judgement, Report
from kvmcheck.pipeline import Case, LoadedFile, case_report, file_report, load_file, unknown_names
from kvmcheck.proving import Request, prove_case
from kvmcheck.source.diagnostic import Collector


@dataclass(slots=True)
class ProofRun:
    """A run over files."""

    request: Request
    listener: Listener

    def report(self, paths: Sequence[str]) -> Report:
        """The report; the listener hears of everything as it becomes known."""
        collector = Collector()
        found = spec_files(paths, collector)
        files = [load_file(file.path, self.request.options) for file in found]
        unknown = Collector()
        unknown_names(files, self.request.options, unknown)
        problems = (*collector.all(), *unknown.all())
        self.listener.diagnostics(problems)
        if unknown.has_errors or not found:
            return Report((), Outcome.BAD_INPUT, (), problems)
        many = len(found) > 1 or any(file.found for file in found)
        self.listener.detail = replace(self.listener.detail, alone=not many)
        reports: list[FileReport] = []
        for file, spec in zip(files, found, strict=True):
            skipped = "a module, without scenarios" if spec.found and file.unit and not file.cases else ""
            self.listener.file(file_report(file, (), skipped), header=many and bool(file.cases))
            cases: list[CaseReport] = []
            for case in file.cases:
                cases.append(self._proved(file, case))
                self.listener.case(cases[-1], blank=not many)
                self.behind(file, case)
            reports.append(file_report(file, tuple(cases), skipped))
        outcomes = [file.outcome for file in reports if not file.skipped]
        if collector.has_errors:
            outcomes.append(Outcome.BAD_INPUT)
        return Report(tuple(reports), gravest(outcomes), (), problems)

    def prove(self, file: LoadedFile, case: Case) -> CaseReport:
        """What is known of a case."""
        return prove_case(file, case, self.request)

    def behind(self, file: LoadedFile, case: Case) -> None:
        """What is told behind a case; of most nothing."""

    def _proved(self, file: LoadedFile, case: Case) -> CaseReport:
        """The case; a bug of ours becomes its failure, so that the other cases still get theirs."""
        try:
            return self.prove(file, case)
        except Exception as error:  # one case's bug must not hide the other cases
            if self.listener.debug:
                raise
            text = " ".join(f"{type(error).__name__}: {error}".split())
            failure = f"(KVM900) {text}; {BUG}"
            return replace(case_report(case, Judgement(Outcome.OUR_BUG)), failure=failure)
