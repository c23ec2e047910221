# SPDX-License-Identifier: GPL-2.0-only
"""Results that are kept between runs, so that a gate over specs that did not change has nothing to do.

Each is a file of its own, named by the hash of everything that it depends on: there is nothing to invalidate.  Only
what is known is kept; a search that a limit of time or memory, or the user, ended is made again.  A file that is not
whole, or not what it should be, is as good as none.  Nothing is unpickled, and nothing that is read is run.
"""

from __future__ import annotations

import gc
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from kvmcheck.explain.outcomes import Outcome
from kvmcheck.explain.report import CaseReport
from kvmcheck.lang.closure import closure, parts_of
from kvmcheck.lang.imports import ModulePath, used_modules
from kvmcheck.library import model_folder
from kvmcheck.pipeline import Case, LoadedFile, Options, Statistics, chosen_file
from kvmcheck.privatefolder import private_folder, remove_oldest
from kvmcheck.remember.keys import case_key, file_key, text_key, unit_key
from kvmcheck.remember.stored import (
    MOST_BYTES,
    NotThisSpec,
    StoredFile,
    StoredReport,
    StoredUses,
    Texts,
    decoded,
    encoded,
    restored_cases,
    restored_diagnostics,
    restored_report,
    store_file,
    store_report,
)
from kvmcheck.semantics.verdict import Verdict
from kvmcheck.source.text import SourceText

#: So many files are kept, those used last: some thirty runs over all the specs that we ship, about 200 MB.
MOST_KEPT = 20_000
#: How a search may have ended, besides being complete, for its result to be the same every time.
_LASTING = re.compile(
    r"everything that was looked for is violated|the limit of [\d,]+ states was reached|"
    r"the depth limit of \d+ steps was reached|[^:]+ = \d+ was too small|"
    r"a run ends where a check breaks: what would come behind was not looked at"
)
#: A warning about the machine, not about the spec.
_ABOUT_THE_MACHINE = "KVM545"


@contextmanager
def many_objects() -> Iterator[None]:
    """While results are restored the garbage collector rests: it would look through them again and again.

    What is restored has no cycles, and lives as long as the run; the collector does not look at it later either.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


@dataclass(slots=True)
class _Spec:
    """A spec of this run: the key of its unit, and its texts."""

    unit: str
    texts: Texts


@dataclass(slots=True)
class Results:
    """What is kept, for one run with these options."""

    options: Options
    _folder: Path
    _specs: dict[str, _Spec] = field(default_factory=dict)
    _uses: dict[str, tuple[ModulePath, ...] | None] = field(default_factory=dict)
    _wrote: bool = False

    def file(self, path: str) -> LoadedFile | None:
        """The file's cases, if it is as it was when they were found; without its syntax."""
        parts = closure(Path(path), (model_folder(),), self.known_uses)
        if parts is None:
            return None
        texts = {part.source.path: part.source for part in parts}
        spec = _Spec(unit_key((part.module, part.source) for part in parts), texts)
        text = self._read(file_key(spec.unit))
        stored = decoded(StoredFile, text) if text else None
        if stored is None or not stored.cases:
            return None
        with suppress(NotThisSpec):
            cases = restored_cases(stored, texts)
            diagnostics = restored_diagnostics(stored.diagnostics, texts)
            self._specs[path] = spec
            return chosen_file(path, None, cases, diagnostics, self.options)
        return None

    def texts(self, file: LoadedFile) -> tuple[SourceText, ...]:
        """The texts that the file is made of, the spec first; none where it has mistakes."""
        spec = self._spec(file)
        return tuple(spec.texts.values()) if spec is not None else ()

    def case(self, file: LoadedFile, case: Case) -> CaseReport | None:
        """The report of a case, if it is known."""
        spec = self._spec(file)
        text = self._read(case_key(spec.unit, case.name, self.options)) if spec else None
        stored = decoded(StoredReport, text) if text else None
        if spec is None or stored is None or stored.report.name != case.name or not _lasts(stored.report):
            return None
        with suppress(NotThisSpec):
            return replace(restored_report(stored, spec.texts), remembered=True)
        return None

    def keep(self, unit: str, case: Case, report: CaseReport) -> None:
        """Keep the report of a case of the texts with that key, if it would be the same next time."""
        if unit and _lasts(report) and all(d.code != _ABOUT_THE_MACHINE for d in report.diagnostics):
            self._write(case_key(unit, case.name, self.options), encoded(store_report(report)))

    def keep_file(self, file: LoadedFile) -> None:
        """Keep what a file declares (all of it, whatever was asked for), and what each text of it uses."""
        spec = self._spec(file)
        if spec is None or file.unit is None or not file.declared:
            return
        for each in (file.unit.entry, *file.unit.modules.values()):
            key = text_key(each.span.source)
            if self._uses.get(key) is None:
                self._uses[key] = used_modules(each)
                self._write(key, encoded(StoredUses(used_modules(each))))
        self._write(file_key(spec.unit), encoded(store_file(file.declared, file.diagnostics)))

    def close(self) -> None:
        """Remove the oldest, if something was written."""
        if self._wrote:
            remove_oldest(self._folder, MOST_KEPT)

    def _spec(self, file: LoadedFile) -> _Spec | None:
        if file.path not in self._specs and file.unit is not None:
            parts = parts_of(file.unit)
            self._specs[file.path] = _Spec(unit_key(parts), {source.path: source for _, source in parts})
        return self._specs.get(file.path)

    def known_uses(self, source: SourceText) -> tuple[ModulePath, ...] | None:
        """The modules that a text uses, if an earlier run read it."""
        key = text_key(source)
        if key not in self._uses:
            text = self._read(key)
            stored = decoded(StoredUses, text) if text else None
            self._uses[key] = stored.modules if stored else None
        return self._uses[key]

    def _read(self, key: str) -> bytes | None:
        path = self._folder / key
        try:
            if path.stat().st_size >= MOST_BYTES:
                return None
            text = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return text

    def _write(self, key: str, text: bytes) -> None:
        """Under another name first: a file that is there is whole.  What can't be kept is not kept."""
        self._wrote = True
        try:
            descriptor, name = tempfile.mkstemp(prefix="new-", dir=self._folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(text)
                Path(name).replace(self._folder / key)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError:
            return


def kept_results(options: Options) -> Results | None:
    """The results that are kept for these options; None where nothing can be kept, or measuring is the point."""
    if options.statistics is not Statistics.NONE:
        return None
    try:
        return Results(options, private_folder("results"))
    except OSError:
        return None


def _lasts(report: CaseReport) -> bool:
    """Whether the same would come out again."""
    account = report.account
    if account is None or report.judgement.outcome in (Outcome.BAD_INPUT, Outcome.OUR_BUG):
        return False
    reasons = [finding.reason for finding in account.findings if finding.verdict is Verdict.UNKNOWN]
    reasons += [] if account.complete else [account.stopped]
    return all(_LASTING.fullmatch(reason) is not None for reason in reasons)
