# SPDX-License-Identifier: GPL-2.0-only
"""Running the cases of all files, here or in several processes, and reporting them in order."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import lru_cache

from kvmcheck.cli.baseline import STALE, Baseline
from kvmcheck.cli.changed import changed_specs
from kvmcheck.cli.files import SpecFile, spec_files
from kvmcheck.cli.listener import Listener
from kvmcheck.cli.main import BUG
from kvmcheck.explain.outcomes import Outcome, gravest
from kvmcheck.explain.report import CaseReport, FileReport, Judgement, Report
from kvmcheck.lang.closure import parts_of, uses_by_parsing
from kvmcheck.lang.imports import ModulePath
from kvmcheck.pipeline import (
    INTERRUPTED,
    Case,
    LoadedFile,
    Options,
    case_report,
    check_case,
    file_report,
    load_file,
    unknown_names,
)
from kvmcheck.remember.keys import unit_key
from kvmcheck.remember.results import Results, many_objects
from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.text import SourceText

#: A report, and the key of the texts that were checked; empty: it is not worth keeping.
_Checked = tuple[CaseReport, str]

#: With fewer cases than this, starting processes costs more than it saves.
_FEW = 4


@dataclass(slots=True)
class Run:
    """A run over files.  `jobs`: processes; None: as many as there are CPUs when there is much to do.

    `results`: what is known from earlier runs; None: everything is checked anew.  `since`: only the specs that have
    changed since this revision.  `baseline`: failures that are known.
    """

    options: Options
    listener: Listener
    jobs: int | None
    results: Results | None = None
    since: str = ""
    baseline: Baseline | None = None
    _known: dict[tuple[str, str], CaseReport] = field(default_factory=dict)

    def report(self, paths: Sequence[str]) -> Report:
        """The report; the listener hears of everything as it becomes known.  Ctrl-C ends it early."""
        collector = Collector()
        found = spec_files(paths, collector)
        unchanged = ""
        if self.since and found:
            every, found = len(found), self._changed(found)
            if len(found) < every:
                unchanged = f"{every - len(found)} of {every} specs have not changed since {self.since}"
        with many_objects():
            files = [self._file(file.path) for file in found]
        unknown = Collector()
        unknown_names(files, self.options, unknown)
        problems = (*collector.all(), *unknown.all())
        self.listener.diagnostics(problems)
        if unknown.has_errors or not (found or unchanged):
            return Report((), Outcome.BAD_INPUT, (), problems)
        many = len(found) > 1 or any(file.found for file in found)
        self.listener.detail = replace(self.listener.detail, alone=not many)
        reports = self._reports(found, files)
        if self.baseline is not None and not self.options.only:
            problems += self.baseline.stale(reports)
        left_out = [unchanged] if unchanged else []
        left_out += [f"{file.path}: {name}" for file in files for name in file.left_out]
        for file in reports:
            left_out += [f"{file.path}: {text}" for case in file.cases for text in _unseen(case)]
        outcomes = [file.outcome for file in reports if not file.skipped]
        if collector.has_errors:
            outcomes.append(Outcome.BAD_INPUT)
        if unchanged:
            self.listener.remark(unchanged)
            outcomes.append(Outcome.AS_EXPECTED)  # they were when they changed last, or their gate was red
        if any(problem.code == STALE for problem in problems):
            outcomes.append(Outcome.NOT_AS_EXPECTED)
        return Report(tuple(reports), gravest(outcomes), tuple(left_out), problems, self._sources(files))

    def _reports(self, found: list[SpecFile], files: list[LoadedFile]) -> list[FileReport]:
        """The reports of all files; behind a Ctrl-C the cases that were not examined say so."""
        reports: list[FileReport] = []
        interrupted = False
        done, total = 0, sum(len(file.cases) for file in files)
        with closing(self._cases(files)) as results:
            for file, spec in zip(files, found, strict=True):
                skipped = _why_skipped(file, spec, self.options)
                header = not self.listener.detail.alone and bool(file.cases)
                self.listener.file(file_report(file, (), skipped), header=header)
                cases: list[CaseReport] = []
                while len(cases) < len(file.cases) and not interrupted:
                    try:
                        result = next(results)
                    except KeyboardInterrupt:
                        interrupted = True
                        continue
                    cases.append(result)
                    interrupted = result.account is not None and result.account.stopped == INTERRUPTED
                    done += 1
                    self.listener.case(result, blank=self.listener.detail.alone)
                    self.listener.counting(done, total)
                cases += [_not_examined(case) for case in file.cases[len(cases) :]]
                reports.append(file_report(file, tuple(cases), skipped))
        return reports

    def _cases(self, files: list[LoadedFile]) -> Generator[CaseReport, None, None]:
        """The results of all cases, in order: those that are known, and between them those that are new."""
        work = [(file, case) for file in files for case in file.cases]
        new = [(file, case) for file, case in work if (file.path, case.name) not in self._known]
        jobs = self.jobs or ((os.cpu_count() or 1) if len(new) >= _FEW else 1)
        with closing(self._new(new, jobs)) as found:
            for file, case in work:
                known = self._known.get((file.path, case.name))
                if known is None:
                    known, unit = next(found)
                    if self.results is not None:
                        self.results.keep(unit, case, known)
                yield known if self.baseline is None else self.baseline.applied(file.path, known)
        if self.results is not None:
            self.results.close()

    def _new(self, work: list[tuple[LoadedFile, Case]], jobs: int) -> Generator[_Checked, None, None]:
        if jobs == 1 or len(work) <= 1:
            for file, case in work:
                yield checked_text(file, case, self.options, self.listener)
        else:
            yield from _in_processes(work, self.options, min(jobs, len(work)))

    def _sources(self, files: list[LoadedFile]) -> tuple[SourceText, ...]:
        """The texts of all files, each once."""
        texts: dict[str, SourceText] = {}
        for file in files:
            if file.unit is not None:
                read = tuple(source for _, source in parts_of(file.unit))
            else:
                read = self.results.texts(file) if self.results is not None else ()
            texts |= {source.path: source for source in read}
        return tuple(texts.values())

    def _changed(self, found: list[SpecFile]) -> list[SpecFile]:
        def uses(source: SourceText) -> tuple[ModulePath, ...] | None:
            known = self.results.known_uses(source) if self.results is not None else None
            return known if known is not None else uses_by_parsing(source)

        return changed_specs(found, self.since, uses)

    def _file(self, path: str) -> LoadedFile:
        """The file, and what is known of its cases; it need not be read where nothing in it is new."""
        if self.results is None:
            return load_file(path, self.options)
        file = self.results.file(path)
        if file is None:
            file = load_file(path, self.options)
            self.results.keep_file(file)
        for case in file.cases:
            known = self.results.case(file, case)
            if known is not None:
                self._known[path, case.name] = known
        return file


def checked(file: LoadedFile, case: Case, options: Options, listener: Listener | None) -> CaseReport:
    """The case, checked here; a bug of ours becomes its failure, so that the other cases still get theirs."""
    try:
        return check_case(
            file, case, options, (lambda p: listener.searching(case.name, p)) if listener else None
        )
    except Exception as error:  # one case's bug must not hide the other cases
        if listener is not None and listener.debug:
            raise
        return _failed(case, error)


def checked_text(file: LoadedFile, case: Case, options: Options, listener: Listener | None) -> _Checked:
    """The report of the case, and the key of the very texts that were checked: files may change meanwhile."""
    if file.remembered:
        file = _loaded(file.path, options)
    case = next((other for other in file.cases if other.name == case.name), case)
    if file.unit is None:
        return case_report(case, Judgement(Outcome.UNKNOWN, ("the file was changed meanwhile",))), ""
    return checked(file, case, options, listener), unit_key(parts_of(file.unit))


def _in_processes(
    work: list[tuple[LoadedFile, Case]], options: Options, jobs: int
) -> Generator[_Checked, None, None]:
    """The same in several processes; each reads the files that it needs by itself."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    shared = replace(options, memory=None if options.memory is None else options.memory // jobs)
    # A fork has everything imported already; elsewhere a fresh interpreter is the only way.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_die_quietly)
    try:
        futures = [pool.submit(_in_worker, file.path, case, shared) for file, case in work]
        for future, (_, case) in zip(futures, work, strict=True):
            try:
                yield future.result()
            except BrokenProcessPool:
                yield _lost(case), ""
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _die_quietly() -> None:
    """On Ctrl-C, which every process of the terminal gets, a worker just ends: the first process reports."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))


def _in_worker(path: str, case: Case, options: Options) -> _Checked:
    return checked_text(_loaded(path, options), case, options, None)


@lru_cache(maxsize=2)
def _loaded(path: str, options: Options) -> LoadedFile:
    """The file, read once for all cases of it that this process gets."""
    return load_file(path, options)


def _failed(case: Case, error: Exception) -> CaseReport:
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return replace(case_report(case, Judgement(Outcome.OUR_BUG)), failure=f"(KVM900) {text}; {BUG}")


def _lost(case: Case) -> CaseReport:
    """A case whose process died: most likely the machine's memory did not suffice, and nothing is known."""
    why = "the process that checked it died, perhaps for want of memory"
    return case_report(case, Judgement(Outcome.UNKNOWN, (why,)))


def _not_examined(case: Case) -> CaseReport:
    return case_report(case, Judgement(Outcome.UNKNOWN, ("interrupted before it was checked",)))


def _unseen(case: CaseReport) -> list[str]:
    """What of a case was not looked at because of a limit or Ctrl-C."""
    if case.account is None:
        return [f"{case.name}: {text}" for text in case.judgement.unmet]
    if case.account.complete or case.judgement.outcome is Outcome.AS_EXPECTED:
        return []
    return [f"{case.name}, beyond its first {case.account.states:,} states: {case.account.stopped}"]


def _why_skipped(file: LoadedFile, spec: SpecFile, options: Options) -> str:
    """Why a file without cases is no error; empty where it is one."""
    if file.has_errors or file.cases:
        return ""
    if file.left_out or options.only:
        return "nothing that was asked for"
    return "a module, without scenarios" if spec.found else ""
