# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck check`: files in, verdicts out, as they become known."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TextIO

from kvmcheck import __version__
from kvmcheck.cli.arguments import (
    REPORTS,
    BadArguments,
    Memory,
    check_parser,
    parsed,
    reductions_off,
    settings,
)
from kvmcheck.cli.exits import exit_status
from kvmcheck.explain.outcomes import Outcome

#: Where the two versions of control groups keep the limit of the group that we are in, in a container.
_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def check(argv: Sequence[str]) -> int:
    """The exit status of a check; everything it has to say is printed."""
    arguments = parsed(check_parser(), argv)
    if arguments.version:
        print(f"kvmcheck {__version__}")
        return exit_status(Outcome.AS_EXPECTED)
    if not arguments.paths:
        raise BadArguments("name a .kvm file or a folder of them, e.g. `kvmcheck specs/`")
    if arguments.compact and arguments.engine == "python":
        raise BadArguments("--compact is the native tier's: not with --engine python")
    chosen = settings(arguments.settings)
    off = reductions_off(arguments.no_reduce)
    # From here on it is work, with modules that take a moment to import.
    from kvmcheck.cli.baseline import read_baseline
    from kvmcheck.cli.listener import Listener
    from kvmcheck.cli.outputs import STDOUT, Wanted, append_summary, rendered, wanted_reports, write
    from kvmcheck.cli.running import Run
    from kvmcheck.pipeline import Engine, Options, Statistics
    from kvmcheck.remember.results import kept_results
    from kvmcheck.render.paint import paint_for
    from kvmcheck.render.verdicts import Detail

    pages = [f"html={arguments.html}"] if arguments.html else []
    reports = wanted_reports([*arguments.report, *pages])
    formats = {arguments.format, *(report.format for report in reports)}
    options = Options(
        only=tuple(arguments.only),
        settings=tuple(chosen.items()),
        states=arguments.states,
        depth=arguments.depth,
        seconds=arguments.seconds,
        memory=bytes_of(arguments.memory),
        traces=max(1, arguments.trace_all),
        reductions_off=off,
        statistics=Statistics(arguments.stats or ""),
        engine=Engine(arguments.engine),
        threads=arguments.threads,
        compact=arguments.compact,
        usual_limits=True,
        snapshots=not formats.isdisjoint({"itf", "html"}),
        why=True if arguments.near_miss else _wants_why(arguments),
        near_miss=arguments.near_miss,
        explain_with=tuple(arguments.explain_with),
    )
    detail = Detail(
        traces=not (arguments.no_trace or arguments.quiet),
        quiet=arguments.quiet,
        commit=arguments.format == "commit",
        unfold=arguments.unfold,
        timings=arguments.timings,
    )
    colour = False if arguments.no_color else None
    listener = Listener(
        paint=paint_for(sys.stdout, colour=colour),
        errors=paint_for(sys.stderr, colour=colour),
        detail=detail,
        terse=arguments.terse,
        silent=arguments.format in REPORTS,
        progress=_wants_progress(arguments, sys.stderr),
        debug=arguments.debug,
    )
    results = kept_results(options) if wants_results(arguments) else None
    known = read_baseline(arguments.baseline) if arguments.baseline else None
    run = Run(options, listener, arguments.jobs, results, since=arguments.changed_since, baseline=known)
    report = run.report(arguments.paths)
    status = exit_status(report.outcome)
    if arguments.format in REPORTS:
        reports = (Wanted(arguments.format, STDOUT), *reports)
    else:
        listener.end(report, status)
    for wanted in reports:
        text = rendered(wanted.format, report, exit_status=status, timings=arguments.timings)
        if text is None:
            print(f"kvmcheck: no trace was found, so no {wanted.format} is written", file=sys.stderr)
        else:
            write(wanted, text)
    if "github" in formats:
        append_summary(rendered("markdown", report, exit_status=status, timings=False) or "")
    return status


def wants_results(arguments: argparse.Namespace) -> bool:
    """Whether results of earlier runs will do."""
    return not (arguments.no_cache or os.environ.get("KVMCHECK_NO_CACHE"))


def _wants_why(arguments: argparse.Namespace) -> bool | None:
    """Whether to work out what traces need: of one file by itself, unless somebody says."""
    if arguments.why is not None:
        return bool(arguments.why)
    if arguments.no_trace:
        return False
    from pathlib import Path

    return True if len(arguments.paths) == 1 and not Path(arguments.paths[0]).is_dir() else None


def _wants_progress(arguments: argparse.Namespace, stream: TextIO) -> bool:
    if arguments.progress is None:
        return stream.isatty() and not arguments.quiet and os.environ.get("TERM") != "dumb"
    return bool(arguments.progress)


def bytes_of(memory: Memory) -> int | None:
    """The limit in bytes; None where the machine does not say how much it has."""
    if memory.fraction is None:
        return memory.bytes
    try:
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
    return int(min(whole, _container_limit() or whole) * memory.fraction)


def _container_limit() -> int | None:
    """What the control group of a container allows, which may be far less than the machine has."""
    from pathlib import Path

    for path in _CGROUPS:
        try:
            return int(Path(path).read_text(encoding="ascii"))
        except (OSError, ValueError):  # not there, or "max"
            continue
    return None
