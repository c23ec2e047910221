# SPDX-License-Identifier: GPL-2.0-only
"""A report for people: each case with its scope and verdicts, the traces that matter, one last line that sums up."""

from __future__ import annotations

from dataclasses import dataclass

from kvmcheck.explain.expectations import to_tell
from kvmcheck.explain.outcomes import Outcome
from kvmcheck.explain.report import CaseKind, CaseReport, FileReport, Report
from kvmcheck.explain.story import Account, Finding, Note, Story
from kvmcheck.render.changelog import changelog
from kvmcheck.render.paint import Paint
from kvmcheck.render.plain import padded, visible, width, wrapped
from kvmcheck.render.reductions import reduction_lines
from kvmcheck.render.text import told
from kvmcheck.semantics.program import Check
from kvmcheck.semantics.verdict import Verdict

_STYLE = {Verdict.HOLDS: "green", Verdict.VIOLATED: "bold red", Verdict.UNKNOWN: "bold yellow"}
#: The engine's words for a search that had nothing more to look for.
ENDED_EARLY = "everything that was looked for is violated"
#: More properties than this that share a fate are counted, not listed.
_FEW = 3
_OFF = {
    Outcome.NOT_AS_EXPECTED: "not as expected",
    Outcome.UNKNOWN: "unknown",
    Outcome.BAD_INPUT: "with errors",
    Outcome.OUR_BUG: "ended by an internal error",
}
#: Checks that break inside a step, which then has no next state.
_ENDS_RUN = {
    check.value: check.value
    for check in (
        Check.NO_SLEEP_IN_ATOMIC,
        Check.NO_ASSERTION_FAILURE,
        Check.NO_OUT_OF_BOUNDS,
        Check.NO_UNSET_READ,
        Check.NO_LOCK_MISUSE,
        Check.NO_UNGUARDED_ACCESS,
        Check.NO_USE_AFTER_FREE,
        Check.SEQ_LOST_UPDATE,
    )
} | {
    # Two accesses that meet end nothing; a plain read outside its guard does.
    Check.NO_DATA_RACE.value: f"{Check.NO_DATA_RACE.value} (by a plain read outside its guard)"
}
#: Columns of the verdict and of the name in front of what is said about it.
_VERDICT = 10
_NAME = 30
#: More places than this are counted, not listed.
_MOST_NOTES = 6
#: More cases than this are not named in the last line.
_MOST_NAMES = 8


@dataclass(frozen=True, slots=True)
class Detail:
    """How much to print.  `alone`: one file is checked by itself, so expected violations are told in full."""

    alone: bool = True
    traces: bool = True
    quiet: bool = False
    commit: bool = False
    unfold: bool = False
    timings: bool = False


def case_lines(case: CaseReport, detail: Detail, paint: Paint) -> list[str]:
    """What there is to say of one case; diagnostics are printed elsewhere."""
    expected = case.judgement.outcome is Outcome.AS_EXPECTED
    if expected and detail.quiet and not case.judgement.known:
        return []
    lines = _heading(case, detail, paint)
    if case.failure:
        lines += _indented(f"internal error: {case.failure}", paint, "bold red")
    account = case.account
    if account is None:
        if case.judgement.outcome is Outcome.BAD_INPUT:
            lines += _indented("could not be checked: see the errors", paint, "bold red")
        for text in case.judgement.unmet:
            lines += _indented(text, paint, "bold yellow")
        return lines
    brief = expected and not detail.alone and not case.judgement.known
    if brief and case.kind is CaseKind.MUTANT:
        return lines
    lines += _indented(_scope(case, account, detail), paint, "dim")
    lines += _verdicts(account, paint, brief=brief)
    lines += _covers(case, account, paint)
    lines += _warnings(account, paint, brief=brief)
    for text in _surprises(case, account):
        lines += _indented(f"not as expected: {text}", paint, "bold red")
    for known in case.judgement.known:
        lines += _indented(f"known to fail: {known.miss.text}: {known.reason}", paint, "yellow")
    if case.judgement.also:
        lines += _indented("broken as well: " + ", ".join(case.judgement.also), paint, "yellow")
    for text in _rests_on(case):
        lines += _indented(text, paint, "dim")
    for text in _cut_short(account):
        lines += _indented(text, paint, "yellow")
    if case.reduced is not None:
        lines += reduction_lines(case.reduced, account, paint)
    if _is_told(case, detail) and not detail.commit:
        for finding in to_tell(account, case.expectations, case.judgement):
            for story in finding.stories:
                lines += ["", *told(story, paint)]
                if story.near is not None:
                    lines += ["", *_near(story.near, case.base, paint)]
    return lines


def _near(near: Story, base: str, paint: Paint) -> list[str]:
    """What the unmodified model does with the schedule that breaks the mutant."""
    text = _clean(f"near miss: what {base} does, without the edit, in the same schedule", paint)
    return [*(paint(line, "bold") for line in wrapped(text, paint.columns)), "", *told(near, paint)]


def commit_lines(case: CaseReport, detail: Detail) -> list[str]:
    """What of the case goes into a changelog, where that was asked for; nothing else stands in between."""
    if case.account is None or not detail.commit or not _is_told(case, detail):
        return []
    found = to_tell(case.account, case.expectations, case.judgement)
    return changelog(case, case.account, found, unfold=detail.unfold)


def _is_told(case: CaseReport, detail: Detail) -> bool:
    return detail.traces and (detail.alone or case.judgement.outcome is not Outcome.AS_EXPECTED)


def terse_lines(case: CaseReport, paint: Paint) -> list[str]:
    """One line for each verdict that is not HOLDS or not as expected, in the form that editors read."""
    where = f"{case.spot.path}:{case.spot.line}" if case.spot.path else case.name
    lines: list[str] = []
    if case.failure:
        lines.append(f"{where}: ERROR:KVM900: {case.name}: internal error: {case.failure}")
    for text in case.judgement.unmet:
        kind = "ERROR" if case.judgement.outcome is Outcome.NOT_AS_EXPECTED else "UNKNOWN"
        lines.append(f"{where}: {kind}:{case.name}: {text}")
    if case.account is not None:
        for finding in case.account.findings:
            if finding.verdict is not Verdict.HOLDS:
                text = f"{finding.property}: {_remark(finding)}".rstrip(": ")
                lines.append(f"{where}: {finding.verdict.value}:{case.name}: {text}")
    return [_clean(line, paint) for line in lines]


def summary(report: Report, status: int, paint: Paint) -> list[str]:
    """The last line: how many cases, whether all is as expected, and the exit status."""
    cases = report.cases
    scenarios = sum(case.kind is CaseKind.SCENARIO for case in cases)
    mutants = len(cases) - scenarios
    parts = [_count(scenarios, "scenario")] if scenarios else []
    parts += [_count(mutants, "mutant")] if mutants else []
    off = [case for case in cases if case.judgement.outcome is not Outcome.AS_EXPECTED]
    said = [f"{_count_of(off, outcome)} {word}" for outcome, word in _OFF.items() if _count_of(off, outcome)]
    bad = sum(file.outcome is Outcome.BAD_INPUT and not file.cases for file in report.files)
    if bad:
        said.append(f"{_count(bad, 'file')} could not be checked")
    if report.outcome is Outcome.AS_EXPECTED:
        known = sum(bool(case.judgement.known) for case in cases)
        said = [f"all as expected but {known} known to fail" if known else "all as expected"]
    elif not said:
        said = ["nothing was checked"]
    names = [": ".join(part for part in (", ".join(parts), ", ".join(said)) if part)]
    if off:
        shown = [case.name for case in off[:_MOST_NAMES]]
        shown += [f"and {len(off) - _MOST_NAMES} more"] if len(off) > _MOST_NAMES else []
        names.append(", ".join(shown))
    style = "bold green" if report.outcome is Outcome.AS_EXPECTED else "bold red"
    text = _clean(f"{': '.join(names)} (exit status {status})", paint)
    return [paint(line, style) for line in wrapped(text, paint.columns)]


def file_lines(file: FileReport, paint: Paint) -> list[str]:
    """The file's name above its cases, or why it has none."""
    text = f"{file.path}: {file.skipped}" if file.skipped else file.path
    return [paint(line, "dim") for line in wrapped(_clean(text, paint), paint.columns)]


def _count_of(cases: list[CaseReport], outcome: Outcome) -> int:
    return sum(case.judgement.outcome is outcome for case in cases)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _clean(text: str, paint: Paint) -> str:
    return visible(text, ascii_only=not paint.unicode)


def _indented(text: str, paint: Paint, style: str = "") -> list[str]:
    lines = wrapped(_clean(text, paint), paint.columns - 2)
    return ["  " + (paint(line, style) if style else line) for line in lines]


def _heading(case: CaseReport, detail: Detail, paint: Paint) -> list[str]:
    expected = case.judgement.outcome is Outcome.AS_EXPECTED and not case.judgement.known
    if case.kind is CaseKind.MUTANT and not detail.alone and expected:
        return _killed(case, paint)
    of = f" of {case.base}" if case.base else ""
    title = f' "{case.title}"' if case.title else ""
    text = _clean(f"{case.kind.value} {case.name}{of}{title}", paint)
    return [paint(line, "bold") for line in wrapped(text, paint.columns)]


def _killed(case: CaseReport, paint: Paint) -> list[str]:
    """`killed no_retry: no_stale_spte VIOLATED in 14 steps`."""
    wanted = {e.property for e in case.expectations if e.verdict is Verdict.VIOLATED}
    found = case.account.findings if case.account else ()
    said = [
        f"{f.property} {f.verdict.value} {_remark(f)}".rstrip()
        for f in found
        if f.property in wanted or not wanted
    ]
    word = "killed" if wanted else "as expected"
    text = f"{word} {case.name}: {', '.join(said)}"
    return [paint(line, "green") for line in wrapped(_clean(text, paint), paint.columns)]


def _scope(case: CaseReport, account: Account, detail: Detail) -> str:
    """What was looked at; of which sizes is said once, with the scenario."""
    text = account.looked
    if case.proof is not None and case.proof.every_size:
        text += f"; {account.sized}"
    elif case.kind is CaseKind.SCENARIO and account.sizes:
        text += f"; {account.sized}; nothing is said of other sizes"
    if detail.timings:
        text += f"; {account.seconds:.2f} s{' natively' if account.native else ''}"
        text += ", in an earlier run" if case.remembered else ""
    return text


def _surprises(case: CaseReport, account: Account) -> list[str]:
    """What is not as expected and not plain from the verdicts above it."""
    plain = {f"{finding.property} is {finding.verdict.value}" for finding in account.findings}
    return [text for text in case.judgement.unmet if text not in plain and not text.startswith("cover ")]


def _rests_on(case: CaseReport) -> list[str]:
    """What a proof takes for granted, and what else there is to say of it."""
    if case.proof is None:
        return []
    return [*(f"assumed: {text}" for text in case.proof.assumed), *case.proof.notes]


def _cut_short(account: Account) -> list[str]:
    """Where runs end: HOLDS says nothing of what would come behind."""
    ends = [
        _ENDS_RUN[finding.property]
        for finding in account.findings
        if finding.verdict is Verdict.VIOLATED and finding.property in _ENDS_RUN
    ]
    if not ends or not account.complete:
        return []
    return [f"a run ends where {' or '.join(ends)} breaks: what would come behind was not looked at"]


def _verdicts(account: Account, paint: Paint, *, brief: bool) -> list[str]:
    """A line for each property; those that there is nothing to say of, or the same, share one."""
    shared: dict[tuple[Verdict, str], list[Finding]] = {}
    for finding in account.findings:
        alone = finding.verdict is Verdict.VIOLATED or finding.vacuous
        if finding.verdict is Verdict.HOLDS and not brief:
            alone = True
        key = (finding.verdict, finding.property if alone else finding.reason)
        shared.setdefault(key, []).append(finding)
    lines: list[str] = []
    # What was not looked at comes last, and does not stand between what was.
    for group in sorted(shared.values(), key=lambda group: group[0].verdict is Verdict.UNKNOWN):
        lines += _finding(group[0], paint) if len(group) == 1 else _together(group, paint)
    return lines


def _together(group: list[Finding], paint: Paint) -> list[str]:
    verdict = group[0].verdict
    room = paint.columns - 2 - _VERDICT
    listed = ", ".join(finding.property for finding in group)
    if group[0].reason == ENDED_EARLY and len(group) > _FEW:
        listed = f"the other {len(group)}"
    names = wrapped(_clean(listed, paint), room, 0)
    reason = wrapped(_clean(_reason(group[0]), paint), room, 0) if group[0].reason else []
    rest = [" " * _VERDICT + line for line in [*names[1:], *reason]]
    first = paint(padded(verdict.value, _VERDICT), _STYLE[verdict]) + names[0]
    return ["  " + line for line in [first, *rest]]


def _reason(finding: Finding) -> str:
    if finding.reason == ENDED_EARLY:
        return "the search ended when it had what was expected"
    return finding.reason


def _remark(finding: Finding) -> str:
    match finding.verdict:
        case Verdict.VIOLATED:
            steps = min((len(story.rows) for story in finding.stories), default=0)
            if not finding.stories:
                return ""
            loops = [len(story.rows) - story.loop for story in finding.stories if story.loop is not None]
            if loops:
                behind = f"behind {_count(steps - loops[0], 'step')}"
                return (
                    f"{behind}, {_count(loops[0], 'step')} for ever"
                    if loops[0]
                    else f"{behind}, nothing more"
                )
            return f"in {_count(steps, 'step')}" if steps else "in an initial state"
        case Verdict.UNKNOWN:
            return _reason(finding)
        case Verdict.HOLDS:
            return ""


def _finding(finding: Finding, paint: Paint) -> list[str]:
    """`VIOLATED  no_stale_spte   in 14 steps`, on more lines where that is too wide."""
    room = paint.columns - 2 - _VERDICT
    name, remark = _clean(finding.property, paint), _clean(_remark(finding), paint)
    if width(name) < _NAME and _NAME + width(remark) <= room:
        texts = [f"{padded(name, _NAME)}{remark}".rstrip()]
    else:
        texts = wrapped(name, room, 0) + (wrapped(remark, room, 0) if remark else [])
    verdict = paint(padded(finding.verdict.value, _VERDICT), _STYLE[finding.verdict])
    margin = " " * (2 + _VERDICT)
    lines = [f"  {verdict}{texts[0]}", *(margin + text for text in texts[1:])]
    for part in finding.vacuous:
        text = _clean(f"vacuous: {part} is never true, so it had no chance to fail", paint)
        lines += [margin + paint(line, "yellow") for line in wrapped(text, room)]
    return lines


def _covers(case: CaseReport, account: Account, paint: Paint) -> list[str]:
    """The covers; a mutant, or a search that was ended early, need not reach them."""
    reached = [f"{g.name} ({_count(g.depth, 'step')})" for g in account.goals if g.depth is not None]
    missed = [goal.name for goal in account.goals if goal.depth is None]
    lines: list[str] = []
    if reached:
        lines += _indented("reached   " + ", ".join(reached), paint)
    if missed and case.kind is CaseKind.SCENARIO:
        lines += _indented("NOT REACHED " + ", ".join(missed), paint, "bold yellow")
    return lines


def _warnings(account: Account, paint: Paint, *, brief: bool) -> list[str]:
    never = account.unreached if account.complete else ()
    if brief:
        said = [
            _count(len(notes), what)
            for notes, what in ((never, "statement never run"), (account.races, "known race"))
            if notes
        ]
        lines = _indented(
            ", ".join(said).replace("statement never runs", "statements never run"), paint, "dim"
        )
        lines = lines if said else []
    else:
        lines = _listed("never run", never, paint)
        lines += _listed("known races that do happen (data_race)", account.races, paint)
    return lines + _listed("always an empty choice", account.empty_choices, paint)


def _listed(what: str, notes: tuple[Note, ...], paint: Paint) -> list[str]:
    if not notes:
        return []
    lines = _indented(f"{what}:", paint, "yellow")
    for note in notes[:_MOST_NOTES]:
        text = f"{note.spot.text}: {note.statement}"
        lines += ["  " + line for line in _indented(text, Paint(paint.columns - 2, unicode=paint.unicode))]
    if len(notes) > _MOST_NOTES:
        lines += _indented(f"  and {len(notes) - _MOST_NOTES} more", paint)
    return lines
