# SPDX-License-Identifier: GPL-2.0-only
"""From the command line to a verb; and whatever goes wrong there, in one line and with the right status.

A verb imports what it needs when it runs: nothing heavy may be imported on the way to `--help`.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Callable, Sequence

from kvmcheck.cli.exits import exit_status
from kvmcheck.explain.outcomes import Outcome
from kvmcheck.render.plain import visible

BUG = "please report it, with the spec, as a bug of kvmcheck"


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status of a command line (without the program's name)."""
    _never_fail_to_print()
    # Trees and states are many objects and few cycles: looking for these seldom is a twentieth of the time.
    gc.set_threshold(100_000, 20, 20)
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    try:
        status = _dispatched(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has gone (`kvmcheck … | head`): nobody is left to tell.
        _abandon_stdout()
        return exit_status(Outcome.UNKNOWN)
    except KeyboardInterrupt:
        print("kvmcheck: interrupted", file=sys.stderr)
        return exit_status(Outcome.UNKNOWN)
    except SystemExit as end:  # argparse, behind --help
        return end.code if isinstance(end.code, int) else 0
    except Exception as error:  # the last door: no traceback reaches a user
        if debug:
            raise
        print(f"kvmcheck: internal error (KVM900): {visible(_described(error))}; {BUG}", file=sys.stderr)
        return exit_status(Outcome.OUR_BUG)
    return status


def _dispatched(arguments: list[str]) -> int:
    from kvmcheck.cli.arguments import PLANNED_VERBS, VERBS, BadArguments

    verb = arguments[0] if arguments and arguments[0] in (*VERBS, *PLANNED_VERBS) else ""
    try:
        if verb in PLANNED_VERBS:
            raise BadArguments(f"`{verb}` is not supported yet")
        return _verb(verb or "check")(arguments[1:] if verb else arguments)
    except BadArguments as error:
        print(f"kvmcheck: error: {visible(str(error))} (see `kvmcheck --help`)", file=sys.stderr)
        return exit_status(Outcome.BAD_INPUT)


def _verb(verb: str) -> Callable[[Sequence[str]], int]:
    match verb:
        case "explain":
            from kvmcheck.cli.explain import explain

            return explain
        case "export":
            from kvmcheck.cli.export import export

            return export
        case "graph":
            from kvmcheck.cli.graph import graph

            return graph
        case "fmt":
            from kvmcheck.cli.fmt import fmt

            return fmt
        case "lsp":
            from kvmcheck.cli.lsp import lsp

            return lsp
        case "mutate":
            from kvmcheck.cli.mutate import mutate

            return mutate
        case "new":
            from kvmcheck.cli.new import new

            return new
        case "prove":
            from kvmcheck.cli.prove import prove

            return prove
        case "replay":
            from kvmcheck.cli.replay import replay

            return replay
        case "recheck":
            from kvmcheck.cli.recheck import recheck

            return recheck
        case _:
            from kvmcheck.cli.check import check

            return check


def _described(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _never_fail_to_print() -> None:
    """What the terminal's encoding lacks is printed as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _abandon_stdout() -> None:
    """Let the interpreter's last flush go nowhere instead of into the broken pipe."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
