# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck prove`: files in, proofs and refutations out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from kvmcheck import __version__
from kvmcheck.cli.arguments import BadArguments, parsed, prove_parser, settings
from kvmcheck.cli.exits import exit_status


def prove(argv: Sequence[str]) -> int:
    """The exit status of a proof; everything it has to say is printed."""
    arguments = parsed(prove_parser(), argv)
    chosen = settings(arguments.settings)
    if arguments.certificate and not arguments.parametric:
        raise BadArguments("--certificate is for --parametric")
    if arguments.seq_wrap is not None and arguments.seq_wrap < 2:
        raise BadArguments("--seq-wrap needs at least 2")
    from kvmcheck.cli.listener import Listener
    from kvmcheck.cli.proofrun import ProofRun
    from kvmcheck.pipeline import Options
    from kvmcheck.prove.method import Limits, Method
    from kvmcheck.proving import Request
    from kvmcheck.render.paint import paint_for
    from kvmcheck.render.verdicts import Detail

    request = Request(
        Options(only=tuple(arguments.only), settings=tuple(chosen.items())),
        Method(arguments.method),
        Limits(arguments.depth, arguments.seconds, _bytes(arguments)),
        merge=not arguments.no_merge,
        seq_wrap=arguments.seq_wrap,
    )
    colour = False if arguments.no_color else None
    listener = Listener(
        paint=paint_for(sys.stdout, colour=colour),
        errors=paint_for(sys.stderr, colour=colour),
        detail=Detail(traces=not arguments.no_trace, timings=arguments.timings),
        terse=arguments.terse,
        silent=arguments.format == "json",
        progress=False,
        debug=arguments.debug,
    )
    if arguments.parametric:
        from kvmcheck.cli.parametric import ParametricRun

        run: ProofRun = ParametricRun(request, listener, folder=arguments.certificate)
    else:
        run = ProofRun(request, listener)
    report = run.report(arguments.paths)
    status = exit_status(report.outcome)
    if arguments.format == "json":
        from kvmcheck.render.jsonreport import as_json

        sys.stdout.write(as_json(report, version=__version__, exit_status=status, timings=arguments.timings))
    else:
        listener.end(report, status)
    return status


def _bytes(arguments: argparse.Namespace) -> int | None:
    memory = arguments.memory
    if memory is None:
        return None
    if memory.bytes is None:
        raise BadArguments("--memory: write a size, such as 4G")
    return int(memory.bytes)
