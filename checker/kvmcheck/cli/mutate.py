# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck mutate`: every single edit of the functions that a scenario runs, and which of them nobody notices."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from typing import assert_never

from kvmcheck.cli.arguments import BadArguments, mutate_parser, parsed, settings
from kvmcheck.cli.exits import exit_status
from kvmcheck.cli.mutants import each
from kvmcheck.explain.outcomes import Outcome, gravest
from kvmcheck.mutating import USUAL_SECONDS, USUAL_STATES, Fate, Mutation, Verdicts, Wanted
from kvmcheck.render.paint import Paint, paint_for
from kvmcheck.render.plain import cut, visible
from kvmcheck.render.source import draw
from kvmcheck.render.verdicts import Detail, case_lines
from kvmcheck.source.nearest import nearest

#: The version of the JSON.
FORMAT = 1


def mutate(argv: Sequence[str]) -> int:
    """The exit status: 0 where every edit was killed, is equivalent or invalid; 1 where one survived."""
    arguments = parsed(mutate_parser(), argv)
    colour = False if arguments.no_color else None
    paint, errors = paint_for(sys.stdout, colour=colour), paint_for(sys.stderr, colour=colour)
    mutation = Mutation(_wanted(arguments))
    for diagnostic in mutation.diagnostics:
        print(draw(diagnostic, colour=errors.colour), end="\n\n", file=sys.stderr)
    if mutation.has_errors:
        return exit_status(Outcome.BAD_INPUT)
    _known(mutation)
    for number in arguments.show:
        if not 1 <= number <= len(mutation.edits):
            raise BadArguments(f"--show {number}: there are edits 1 to {len(mutation.edits)}")
    if arguments.show:
        return _shown(mutation, arguments.show, paint)
    base = mutation.base
    if base.fate is not Fate.SURVIVED:
        print(
            f"kvmcheck: {visible(mutation.scenario)} is not as expected itself: {visible(base.by)}",
            file=sys.stderr,
        )
        return exit_status(Outcome.UNKNOWN if base.fate is Fate.UNKNOWN else Outcome.NOT_AS_EXPECTED)
    progress = arguments.progress if arguments.progress is not None else sys.stderr.isatty()
    found = each(mutation, arguments.jobs, progress=progress)
    outcome = gravest([_outcome(verdicts.fate) for verdicts in found] or [Outcome.UNKNOWN])
    if arguments.format == "json":
        print(_as_json(mutation, found, exit_status(outcome)))
    else:
        print("\n".join(_lines(mutation, found, paint, every=arguments.all)))
    return exit_status(outcome)


def _wanted(arguments: argparse.Namespace) -> Wanted:
    chosen = settings(arguments.settings)
    return Wanted(
        arguments.path,
        arguments.scenario,
        tuple(arguments.only),
        tuple(chosen.items()),
        USUAL_STATES if arguments.states is None else arguments.states,
        USUAL_SECONDS if arguments.seconds is None else arguments.seconds,
    )


def _known(mutation: Mutation) -> None:
    """Raises `BadArguments` for an `--only` that is no function that runs."""
    for name in mutation.wanted.only:
        if name not in mutation.functions:
            near = nearest(name, mutation.functions)
            there = f"did you mean {near}?" if near else f"there are {', '.join(mutation.functions)}"
            raise BadArguments(f"--only {name}: {mutation.scenario} runs no such function; {there}")


def _outcome(fate: Fate) -> Outcome:
    match fate:
        case Fate.KILLED | Fate.EQUIVALENT | Fate.INVALID:
            return Outcome.AS_EXPECTED
        case Fate.SURVIVED:
            return Outcome.NOT_AS_EXPECTED
        case Fate.UNKNOWN:
            return Outcome.UNKNOWN
        case _:
            assert_never(fate)


def _shown(mutation: Mutation, numbers: list[int], paint: Paint) -> int:
    """Some edits as mutants, each with its trace."""
    outcomes = []
    for number in numbers:
        report, verdicts = mutation.report(number), mutation.verdicts(number)
        outcomes.append(_outcome(verdicts.fate))
        text = "\n".join(visible(line) for line in mutation.text(number).splitlines())
        print(f"{text}\n// {_said(verdicts)}\n")
        for diagnostic in report.diagnostics:
            print(draw(diagnostic, colour=paint.colour), end="\n\n")
        if report.account is not None:
            print("\n".join(case_lines(report, Detail(), paint)), end="\n\n")
    return exit_status(gravest(outcomes))


def _lines(mutation: Mutation, found: list[Verdicts], paint: Paint, *, every: bool) -> list[str]:
    """The summary, and a line for each edit that is not killed (of all with `every`)."""
    count = Counter(verdicts.fate for verdicts in found)
    edited = len({edit.function for edit in mutation.edits})
    lines = [f"{mutation.scenario}: {len(found)} edits of {edited} functions"]
    lines += [f"  {count[fate]:>5}  {fate.value}{_by(fate, found)}" for fate in Fate if count[fate]]
    told = [Fate.SURVIVED, Fate.UNKNOWN, *([Fate.KILLED, Fate.EQUIVALENT, Fate.INVALID] if every else [])]
    for fate in told:
        if count[fate]:
            lines += ["", f"{fate.value}:"]
            for number, verdicts in enumerate(found, 1):
                if verdicts.fate is fate:
                    lines += _edit(mutation, number, verdicts)
    if count[Fate.SURVIVED]:
        lines += ["", "`--show N` writes edit N as a mutant, with what is known of it"]
    return [visible(line, ascii_only=not paint.unicode) for line in lines]


def _by(fate: Fate, found: list[Verdicts]) -> str:
    """By whom edits are killed, the most frequent first."""
    if fate is not Fate.KILLED:
        return ""
    count = Counter(verdicts.by for verdicts in found if verdicts.fate is fate)
    first = sorted(count.items(), key=lambda item: (-item[1], item[0]))
    return ": " + ", ".join(f"{name} {number}" for name, number in first)


def _edit(mutation: Mutation, number: int, verdicts: Verdicts) -> list[str]:
    edit = mutation.edits[number - 1]
    place = f"{edit.span.source.path}:{edit.span.line}"
    statement = cut(" ".join(edit.span.text.split()), 50)
    why = "" if verdicts.fate is Fate.SURVIVED else f"  ({_said(verdicts)})"
    return [f"  {number:>4}  {edit.operator.value}: {edit.function}() {place}", f"        {statement}{why}"]


def _said(verdicts: Verdicts) -> str:
    """The fate in a few words."""
    match verdicts.fate:
        case Fate.KILLED:
            steps = f" in {verdicts.steps} steps" if verdicts.steps is not None else ""
            return f"killed: {verdicts.by}{steps}"
        case Fate.SURVIVED:
            return "survived"
        case _:
            return f"{verdicts.fate.value}: {verdicts.by}"


def _as_json(mutation: Mutation, found: list[Verdicts], status: int) -> str:
    edits = [
        {
            "number": number,
            "operator": edit.operator.value,
            "function": edit.function,
            "path": edit.span.source.path,
            "line": edit.span.line,
            "statement": edit.span.text,
            "fate": verdicts.fate.value,
            "by": verdicts.by,
            "steps": verdicts.steps,
            "mutant": mutation.text(number),
        }
        for number, (edit, verdicts) in enumerate(zip(mutation.edits, found, strict=True), 1)
    ]
    count = Counter(verdicts.fate.value for verdicts in found)
    return json.dumps(
        {
            "kvmcheck_mutate": FORMAT,
            "spec": mutation.wanted.path,
            "scenario": mutation.scenario,
            "exit_status": status,
            "summary": {fate.value: count[fate.value] for fate in Fate},
            "edits": edits,
        },
        indent=2,
    )
