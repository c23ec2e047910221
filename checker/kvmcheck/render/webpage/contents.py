# SPDX-License-Identifier: GPL-2.0-only
"""What a page says without any script: the index of what was checked, and the verdicts of each case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from kvmcheck.explain.outcomes import Outcome
from kvmcheck.explain.report import CaseKind, CaseReport, FileReport, Report
from kvmcheck.explain.story import Account, Finding, Goal, Note, Story
from kvmcheck.render.source import draw
from kvmcheck.render.webpage.markup import Child, Markup, element, joined
from kvmcheck.render.webpage.runs import Tables
from kvmcheck.semantics.verdict import Verdict
from kvmcheck.source.diagnostic import Diagnostic

#: So many notes of a kind are listed.
_MOST_NOTES = 20


@dataclass(slots=True)
class Contents:
    """The part of the page that is not a run; fills the tables of the runs as it goes.

    `opens`: the run to begin with: the first that breaks something, what is not as expected first.
    """

    report: Report
    tables: Tables
    timings: bool
    _best: tuple[bool, int] | None = None

    @property
    def opens(self) -> int | None:
        """The number of the run that a page on one file begins with."""
        return self._best[1] if self._best is not None and len(self.report.files) == 1 else None

    def sections(self) -> Markup:
        """A section for each file."""
        numbers = iter(range(1_000_000))
        return joined([self._file(n, file, numbers) for n, file in enumerate(self.report.files)])

    def index(self) -> Markup:
        """Every case with verdict, scope and (if timings are wanted) time."""
        names = ["Case", "Outcome", "Verdicts", "Scope"] + (["Time"] if self.timings else [])
        head = element("thead", element("tr", *(element("th", name, scope="col") for name in names)))
        numbers = iter(range(1_000_000))
        groups = [self._group(n, file, numbers, len(names)) for n, file in enumerate(self.report.files)]
        caption = element("caption", "Every spec and case", class_="unseen")
        return element("table", caption, head, *groups, class_="index")

    def notes(self) -> Markup:
        """What belongs to no file, and what was not examined."""
        parts: list[Child] = [_diagnostic(d) for d in self.report.diagnostics]
        if self.report.not_examined:
            items = [element("li", text, class_="text") for text in self.report.not_examined]
            parts += [element("h2", "Not examined"), element("ul", *items)]
        return joined(parts)

    def _group(self, number: int, file: FileReport, numbers: Iterator[int], columns: int) -> Markup:
        link = element("a", file.path, href=f"#file-{number}", class_="text")
        said: list[Child] = [link, " ", _outcome(file.outcome)]
        if file.skipped:
            said += [f" ({file.skipped})"]
        if self.timings and file.cases:
            said += [f", {_seconds(sum(c.account.seconds for c in file.cases if c.account))} in all"]
        heading = element("tr", element("th", *said, scope="rowgroup", colspan=str(columns)))
        return element("tbody", heading, *(self._row(case, next(numbers)) for case in file.cases))

    def _row(self, case: CaseReport, number: int) -> Markup:
        kind = "mutant " if case.kind is CaseKind.MUTANT else ""
        link = element("a", kind, element("span", case.name, class_="text"), href=f"#case-{number}")
        account = case.account
        cells: list[Markup] = [
            element("th", link, scope="row"),
            element("td", _outcome(case.judgement.outcome)),
            element("td", *_counts(account)),
            element("td", _scope(account)),
        ]
        if self.timings:
            cells.append(element("td", _seconds(account.seconds) if account else "", class_="number"))
        return element("tr", *cells)

    def _file(self, number: int, file: FileReport, numbers: Iterator[int]) -> Markup:
        parts: list[Child] = [
            element("h2", element("span", file.path, class_="text"), " ", _outcome(file.outcome))
        ]
        parts += [element("p", file.skipped)] if file.skipped else []
        parts += [_diagnostic(d) for d in file.diagnostics]
        parts += [self._case(next(numbers), case, file.path) for case in file.cases]
        return element("section", *parts, id=f"file-{number}")

    def _case(self, number: int, case: CaseReport, path: str) -> Markup:
        of: list[Child] = [" of ", element("span", case.base, class_="text")] if case.base else []
        title: list[Child] = [f" \u201c{case.title}\u201d"] if case.title else []
        name = element("span", case.name, class_="text")
        heading = element(
            "h3", f"{case.kind.value} ", name, *of, *title, " ", _outcome(case.judgement.outcome)
        )
        parts: list[Child] = [heading, element("p", case.spot.text, class_="text dim")]
        unmet = [*case.judgement.unmet, *([f"internal error: {case.failure}"] if case.failure else [])]
        parts += [_list(unmet, "bad")] if unmet else []
        known = [f"{known.miss.text}; known: {known.reason}" for known in case.judgement.known]
        parts += [_list(known, "open")] if known else []
        parts += [_diagnostic(d) for d in case.diagnostics]
        if case.proof is not None:
            proof = case.proof
            said = [
                f"by {proof.method}: {proof.scope}",
                *(f"assumed: {a}" for a in proof.assumed),
                *proof.notes,
            ]
            parts.append(_list(said, ""))
        if case.account is not None:
            parts += self._account(case, case.account, f"{path}: {case.kind.value} {case.name}")
        return element("section", *parts, class_="case", id=f"case-{number}")

    def _account(self, case: CaseReport, account: Account, of: str) -> list[Child]:
        scope = f"{account.looked}; {account.sized}" if account.sized else account.looked
        seconds = f"; {_seconds(account.seconds)}" if self.timings else ""
        rows = [self._finding(case, finding, of) for finding in account.findings]
        if case.kind is CaseKind.SCENARIO:  # a mutant need not reach them
            rows += [self._goal(goal, of) for goal in account.goals]
        head = element("tr", *(element("th", n, scope="col") for n in ("Verdict", "Property", "Remark")))
        table = element("table", element("thead", head), element("tbody", *rows), class_="verdicts")
        parts: list[Child] = [element("p", f"{scope}{seconds}"), table]
        unreached = account.unreached if account.complete else ()
        parts += _notes("never run", unreached)
        parts += _notes("known races that do happen", account.races)
        parts += _notes("always an empty choice", account.empty_choices)
        return parts

    def _finding(self, case: CaseReport, finding: Finding, of: str) -> Markup:
        remark: list[Child] = []
        for story in finding.stories:
            number = self.tables.add(story, finding.property, of)
            rank = (case.judgement.outcome is Outcome.AS_EXPECTED, number)
            self._best = rank if self._best is None else min(self._best, rank)
            remark += [_run_link(number, story), " "]
        remark += [finding.reason] if finding.reason else []
        remark += [f"vacuous: {part} is never true" for part in finding.vacuous]
        verdict = element("td", finding.verdict.value, class_=f"outcome {_colour(finding.verdict)}")
        return element(
            "tr", verdict, element("th", finding.property, scope="row", class_="text"), element("td", *remark)
        )

    def _goal(self, goal: Goal, of: str) -> Markup:
        reached = goal.depth is not None
        remark: list[Child] = []
        if goal.story is not None:
            remark = [_run_link(self.tables.add(goal.story, goal.name, of), goal.story)]
        word = element(
            "td", "reached" if reached else "NOT REACHED", class_=f"outcome {'good' if reached else 'open'}"
        )
        return element(
            "tr",
            word,
            element("th", f"cover {goal.name}", scope="row", class_="text"),
            element("td", *remark),
        )


def _run_link(number: int, story: Story) -> Markup:
    steps = len(story.rows)
    said = "1 step" if steps == 1 else f"{steps} steps"
    if story.loop is not None:
        said += ", and no end"
    return element("a", f"the run: {said}", href=f"#run-{number}")


def _outcome(outcome: Outcome) -> Markup:
    match outcome:
        case Outcome.AS_EXPECTED:
            colour = "good"
        case Outcome.UNKNOWN:
            colour = "open"
        case Outcome.NOT_AS_EXPECTED | Outcome.BAD_INPUT | Outcome.OUR_BUG:
            colour = "bad"
        case _:
            assert_never(outcome)
    return element("span", outcome.value, class_=f"outcome {colour}")


def _colour(verdict: Verdict) -> str:
    match verdict:
        case Verdict.HOLDS:
            return "good"
        case Verdict.VIOLATED:
            return "bad"
        case Verdict.UNKNOWN:
            return "open"
        case _:
            assert_never(verdict)


def _counts(account: Account | None) -> list[Child]:
    """`9 HOLDS, VIOLATED no_stale_spte`."""
    if account is None:
        return [element("span", "not checked", class_="open")]
    parts: list[Child] = []
    broken = [f.property for f in account.findings if f.verdict is Verdict.VIOLATED]
    for verdict in (Verdict.HOLDS, Verdict.UNKNOWN):
        count = sum(finding.verdict is verdict for finding in account.findings)
        if count:
            parts += [", "] if parts else []
            parts.append(element("span", f"{count} {verdict.value}", class_=_colour(verdict)))
    if broken:
        parts += ["; "] if parts else []
        parts += [
            element("span", "VIOLATED ", class_="bad"),
            element("span", ", ".join(broken), class_="text"),
        ]
    return parts


def _scope(account: Account | None) -> Child:
    if account is None:
        return ""
    return f"{account.looked}; {account.sized}" if account.sized else account.looked


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s"


def _list(texts: list[str], colour: str) -> Markup:
    return element("ul", *(element("li", text, class_="text") for text in texts), class_=colour or False)


def _notes(what: str, notes: tuple[Note, ...]) -> list[Child]:
    if not notes:
        return []
    said = [f"{note.spot.text}: {note.statement}" for note in notes[:_MOST_NOTES]]
    said += [f"and {len(notes) - _MOST_NOTES} more"] if len(notes) > _MOST_NOTES else []
    return [element("details", element("summary", f"{what} ({len(notes)})"), _list(said, ""))]


def _diagnostic(diagnostic: Diagnostic) -> Markup:
    lines: list[Child] = [piece for line in draw(diagnostic).split("\n") for piece in (line, Markup("\n"))]
    return element("pre", *lines, class_="diagnostic")
