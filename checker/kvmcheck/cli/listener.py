# SPDX-License-Identifier: GPL-2.0-only
"""What a run says while it goes on: diagnostics on stderr, verdicts on stdout, progress on a terminal.

With `--format commit` stdout is for what goes into a changelog, and the verdicts are on stderr.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field

from kvmcheck.explain.report import CaseReport, FileReport, Report
from kvmcheck.pipeline import Progress
from kvmcheck.render.machines.github import inert
from kvmcheck.render.paint import Paint
from kvmcheck.render.plain import cut, visible
from kvmcheck.render.source import draw, draw_terse
from kvmcheck.render.verdicts import Detail, case_lines, commit_lines, file_lines, summary, terse_lines
from kvmcheck.source.diagnostic import Diagnostic

#: A search that ends within this many seconds says nothing on its way.
_QUIET_SECONDS = 1.0


@dataclass(slots=True)
class Listener:
    """Prints what is known as soon as it is known.  `silent`: nothing but diagnostics."""

    paint: Paint
    errors: Paint
    detail: Detail
    terse: bool
    silent: bool
    progress: bool
    debug: bool
    _begun: float = field(default_factory=time.monotonic)
    _shown: bool = False
    _first: bool = True
    _diagrams: bool = False
    _said: set[tuple[str, str, int, str]] = field(default_factory=set)

    def diagnostics(self, found: tuple[Diagnostic, ...]) -> None:
        """Errors and warnings, each once, however many cases share the module that they are in."""
        for diagnostic in found:
            span = diagnostic.primary.span
            key = (diagnostic.code, span.source.path, span.start, diagnostic.message)
            if key in self._said or self.silent:
                continue
            self._said.add(key)
            self.clear()
            if self.terse:
                print(draw_terse(diagnostic), file=sys.stderr)
            else:
                print(draw(diagnostic, colour=self.errors.colour), end="\n\n", file=sys.stderr)

    def file(self, file: FileReport, *, header: bool) -> None:
        """A file begins (`header`), or has no cases."""
        self.diagnostics(file.diagnostics)
        if self.silent or self.terse or self.detail.quiet:
            return
        if header or file.skipped:
            self._say([*([] if self._first else [""]), *file_lines(file, self.paint)])

    def case(self, case: CaseReport, *, blank: bool) -> None:
        """One case is done."""
        self.diagnostics(case.diagnostics)
        if self.silent:
            return
        lines = terse_lines(case, self.paint) if self.terse else case_lines(case, self.detail, self.paint)
        if lines and blank and not self._first and not self.terse:
            lines = ["", *lines]
        self._say(lines)
        diagram = [] if self.terse else commit_lines(case, self.detail)
        if diagram:
            self._say([""])
            self.clear()
            print("\n".join([*([""] if self._diagrams else []), *diagram]), flush=True)
            self._diagrams = True

    def remark(self, text: str) -> None:
        """Something about the run as a whole."""
        if not (self.silent or self.terse):
            lines = [visible(text, ascii_only=not self.paint.unicode)]
            self._say(lines if self._first else ["", *lines])

    def end(self, report: Report, status: int) -> None:
        """The last line."""
        self.clear()
        self.diagnostics(report.diagnostics)
        if not self.terse:
            lines = summary(report, status, self.paint)
            self._say(lines if self._first else ["", *lines])

    def searching(self, case: str, progress: Progress) -> None:
        """How far the search of a case is."""
        if not self.progress or time.monotonic() - self._begun < _QUIET_SECONDS:
            return
        text = (
            f"{case}: {progress.states:,} states, {progress.rate:,.0f} a second, "
            f"depth {progress.depth}, {progress.queue:,} to expand"
        )
        self._progress(text)

    def counting(self, done: int, of: int) -> None:
        """How many cases are done."""
        if self.progress and done < of and time.monotonic() - self._begun >= _QUIET_SECONDS:
            self._progress(f"{done} of {of} cases")

    def clear(self) -> None:
        """Take the progress line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[K" if sys.stderr.isatty() else "\n")
            sys.stderr.flush()
            self._shown = False

    def _progress(self, text: str) -> None:
        line = cut(visible(text, ascii_only=not self.errors.unicode), self.errors.columns - 1)
        sys.stderr.write(f"\r{line}\x1b[K" if sys.stderr.isatty() else f"{line}\n")
        sys.stderr.flush()
        self._shown = sys.stderr.isatty()

    def _say(self, lines: list[str]) -> None:
        if lines:
            self.clear()
            self._first = False
            if os.environ.get("GITHUB_ACTIONS"):
                lines = [inert(line) for line in lines]
            # What goes into a changelog has stdout for itself.
            print("\n".join(lines), file=sys.stderr if self.detail.commit else sys.stdout, flush=True)
