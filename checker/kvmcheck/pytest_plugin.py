# SPDX-License-Identifier: GPL-2.0-only
"""The pytest plugin: `pytest specs/` checks each scenario and mutant as a test of its own.

A `.kvm` file is collected wherever pytest is told to look; a module, which has no scenario, gives no tests.  A test
passes where `kvmcheck` would be content with the case; UNKNOWN fails.  The failure's text is the terminal's diagram.
pytest loads this file at every start, so nothing of kvmcheck is imported before there is a spec.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from kvmcheck.cli.baseline import Baseline
    from kvmcheck.explain.report import CaseReport
    from kvmcheck.pipeline import Case, LoadedFile, Options
    from kvmcheck.remember.results import Results


class Failed(Exception):
    """A case is not as its spec expects; carries what there is to say of it."""

    def __init__(self, told: str) -> None:
        super().__init__(told)
        self.told = told


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, all of which begin with `--kvmcheck-`; each is an ini key, too."""
    group = parser.getgroup("kvmcheck", "specs of KVM's page-fault and MMU-notifier code (.kvm)")
    group.addoption("--kvmcheck-states", metavar="N", help="at most N states a case")
    group.addoption("--kvmcheck-seconds", metavar="S", help="at most S seconds a case")
    group.addoption(
        "--kvmcheck-baseline", metavar="FILE", help="failures that are known, with reasons (TOML)"
    )
    group.addoption("--kvmcheck-no-cache", action="store_true", default=False, help="check everything anew")
    parser.addini("kvmcheck_collect", "collect .kvm files (default: true)", type="bool", default=True)
    parser.addini("kvmcheck_states", "at most so many states a case", default="")
    parser.addini("kvmcheck_seconds", "at most so many seconds a case", default="")
    parser.addini("kvmcheck_baseline", "failures that are known, with reasons (TOML)", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known that our tests carry."""
    config.addinivalue_line("markers", "kvmcheck: a scenario or mutant of a .kvm spec")
    config.addinivalue_line("markers", "kvmcheck_mutant: a mutant of a .kvm spec")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SpecFile | None:
    """The spec, if the file is one."""
    if file_path.suffix != ".kvm" or not parent.config.getini("kvmcheck_collect"):
        return None
    return SpecFile.from_parent(parent, path=file_path)


class SpecFile(pytest.File):
    """A .kvm file; without a scenario it is a module, and empty."""

    def collect(self) -> Iterator[SpecCase]:
        """A test for each scenario and mutant, in the file's order."""
        from kvmcheck.pipeline import load_file

        run = _run(self.config)
        shown = os.path.relpath(self.path, self.config.invocation_params.dir)
        file = (run.results.file(shown) if run.results is not None else None) or load_file(shown, run.options)
        if file.has_errors:
            raise self.CollectError(_drawn(file))
        if run.results is not None and not file.remembered:
            run.results.keep_file(file)
        for case in file.cases:
            yield SpecCase.from_parent(self, name=case.name, file=file, case=case)


class SpecCase(pytest.Item):
    """A scenario or mutant."""

    def __init__(self, *, file: LoadedFile, case: Case, name: str, parent: SpecFile) -> None:
        super().__init__(name, parent)
        self._file, self._case = file, case
        self.add_marker("kvmcheck")
        if case.base:
            self.add_marker("kvmcheck_mutant")

    def runtest(self) -> None:
        """Check the case; raises `Failed` unless it is as expected."""
        from kvmcheck.explain.outcomes import Outcome
        from kvmcheck.pipeline import INTERRUPTED

        report = self._report()
        account = report.account
        if account is not None:
            self.user_properties.append(("kvmcheck_states", account.states))
            if account.stopped == INTERRUPTED:
                raise KeyboardInterrupt
        if report.judgement.outcome is not Outcome.AS_EXPECTED:
            raise Failed(self._told(report))
        if report.judgement.known:
            pytest.xfail("; ".join(f"{known.miss.text}: {known.reason}" for known in report.judgement.known))

    def repr_failure(  # the base class has `style`
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: object = None,  # noqa: ARG002
    ) -> str:
        """The diagram, or pytest's own text for what is no failure of the spec."""
        if isinstance(excinfo.value, Failed):
            return excinfo.value.told
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the case is declared, lines counted from 0, and what it is called."""
        kind = "mutant" if self._case.base else "scenario"
        return self.path, self._case.span.line - 1, f"{kind} {self.name}"

    def _report(self) -> CaseReport:
        from kvmcheck.cli.running import checked_text

        run = _run(self.config)
        known = run.results.case(self._file, self._case) if run.results is not None else None
        if known is None:
            known, unit = checked_text(self._file, self._case, run.options, None)
            if run.results is not None:
                run.results.keep(unit, self._case, known)
        return known if run.baseline is None else run.baseline.applied(str(self.path), known)

    def _told(self, report: CaseReport) -> str:
        from kvmcheck.render.machines.checks import telling
        from kvmcheck.render.plain import visible
        from kvmcheck.render.source import draw

        said = [draw(diagnostic, colour=False) for diagnostic in report.diagnostics]
        again = visible(f"again: kvmcheck --only {self.name} {self._file.path}")
        return "\n".join([*said, telling(report), again])


class _Run:
    """What all tests of a session share."""

    def __init__(self, options: Options, results: Results | None, baseline: Baseline | None) -> None:
        self.options, self.results, self.baseline = options, results, baseline


_RUN = pytest.StashKey[_Run]()


def _run(config: pytest.Config) -> _Run:
    """The session's options, made when the first spec is met; raises `pytest.UsageError`."""
    if _RUN not in config.stash:
        from kvmcheck.cli.arguments import DEFAULT_MEMORY, BadArguments
        from kvmcheck.cli.baseline import read_baseline
        from kvmcheck.cli.check import bytes_of
        from kvmcheck.pipeline import Options
        from kvmcheck.remember.results import kept_results

        memory = bytes_of(DEFAULT_MEMORY)
        workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
        states, seconds = _number(config, "states"), _number(config, "seconds")
        options = Options(
            states=None if states is None else int(states),
            seconds=seconds,
            memory=None if memory is None else memory // max(1, workers),
            usual_limits=True,
        )
        forgetful = config.getoption("kvmcheck_no_cache") or os.environ.get("KVMCHECK_NO_CACHE")
        path = config.getoption("kvmcheck_baseline") or config.getini("kvmcheck_baseline")
        try:
            baseline = read_baseline(str(config.rootpath / str(path))) if path else None
        except BadArguments as error:
            raise pytest.UsageError(str(error)) from None
        config.stash[_RUN] = _Run(options, None if forgetful else kept_results(options), baseline)
    return config.stash[_RUN]


def _number(config: pytest.Config, name: str) -> float | None:
    text = config.getoption(f"kvmcheck_{name}") or config.getini(f"kvmcheck_{name}")
    if not text:
        return None
    try:
        number = float(str(text))
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise pytest.UsageError(f"--kvmcheck-{name}: {text!r} is no number of {name}")
    return number


def _drawn(file: LoadedFile) -> str:
    """Why the file can't be checked, as the terminal shows it."""
    from kvmcheck.render.source import draw

    return "\n\n".join(draw(diagnostic, colour=False) for diagnostic in file.diagnostics)
