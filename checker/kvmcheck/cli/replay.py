# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck replay TRACE.json`: a recorded run on the spec as it is now, without searching."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kvmcheck.cli.arguments import BadArguments, parsed, replay_parser
from kvmcheck.cli.exits import exit_status
from kvmcheck.explain.outcomes import Outcome
from kvmcheck.render.plain import visible, wrapped

if TYPE_CHECKING:
    from kvmcheck.recorded.traces import Recording
    from kvmcheck.render.paint import Paint
    from kvmcheck.replaying import Replayed

#: A report of more bytes is not read.
_LARGEST = 256 << 20


def replay(argv: Sequence[str]) -> int:
    """The exit status: 0 if the run fits and breaks what it broke, 1 if not, 2 if there is nothing to run."""
    arguments = parsed(replay_parser(), argv)
    text = _read(arguments.report)
    from kvmcheck.recorded.traces import NoReport, recordings
    from kvmcheck.render.paint import paint_for
    from kvmcheck.render.source import draw
    from kvmcheck.replaying import replay as replayed

    try:
        every = recordings(text)
    except NoReport as error:
        raise BadArguments(f"{arguments.report}: {error}") from None
    chosen = _chosen(every, arguments)
    found = replayed(chosen, arguments.spec or chosen.path)
    errors = paint_for(sys.stderr, colour=False if arguments.no_color else None)
    for diagnostic in found.diagnostics:
        print(draw(diagnostic, colour=errors.colour), end="\n\n", file=sys.stderr)
    if found.story is None:
        return exit_status(Outcome.BAD_INPUT)
    paint = paint_for(sys.stdout, colour=False if arguments.no_color else None)
    _show(found, paint, steps=not arguments.print)
    outcome = _outcome(found)
    status = exit_status(outcome)
    style = "bold green" if outcome is Outcome.AS_EXPECTED else "bold red"
    said = visible(f"{_said(chosen, found)} (exit status {status})", ascii_only=not paint.unicode)
    print("\n".join(paint(line, style) for line in wrapped(said, paint.columns)))
    return status


def _read(path: str) -> bytes:
    try:
        if Path(path).stat().st_size > _LARGEST:
            raise BadArguments(f"{path} is too large for a report")
        return Path(path).read_bytes()
    except OSError as error:
        raise BadArguments(f"{path}: {error.strerror}") from None


def _chosen(every: list[Recording], arguments: argparse.Namespace) -> Recording:
    """The first trace that was asked for, a violation if there is one."""
    fitting = [
        recording
        for recording in every
        if arguments.case in ("", recording.case) and arguments.property in ("", recording.property)
    ]
    if not fitting:
        known = ", ".join(dict.fromkeys(f"{r.case}/{r.property}" for r in every)) or "none"
        raise BadArguments(f"the report has no such trace; it has {known}")
    return next((recording for recording in fitting if not recording.cover), fitting[0])


def _show(found: Replayed, paint: Paint, *, steps: bool) -> None:
    """The run: with keys on a terminal, else all of it."""
    from kvmcheck.cli.keys import can_step, step_through
    from kvmcheck.render.stepping import screen
    from kvmcheck.render.text import told

    story = found.story
    if story is None:
        return
    if steps and can_step():
        step_through(len(found.states), lambda at, height: screen(story, found.states, at, height, paint))
    else:
        print("\n".join([*told(story, paint), ""]))


def _outcome(found: Replayed) -> Outcome:
    fits = not found.why_not
    return Outcome.AS_EXPECTED if fits and (found.still_breaks or not found.seen) else Outcome.NOT_AS_EXPECTED


def _said(chosen: Recording, found: Replayed) -> str:
    count, fitted = len(chosen.run.steps), len(found.story.rows) if found.story else 0
    of = f"{chosen.case}, {chosen.property}: "
    if found.why_not:
        return f"{of}stops fitting at step {fitted + 1} of {count}: {found.why_not}"
    if found.still_breaks:
        return f"{of}all {count} steps fit, and it breaks as recorded"
    if found.seen:
        return f"{of}all {count} steps fit, but it does not break"
    if chosen.cover:
        return f"{of}all {count} steps fit"
    return f"{of}all {count} steps fit; whether it breaks can't be seen from one run"
