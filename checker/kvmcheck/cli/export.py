# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck export --to TARGET SPEC`: a scenario as another checker's input."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from kvmcheck.cli.arguments import BadArguments, export_parser, parsed, settings
from kvmcheck.cli.exits import exit_status
from kvmcheck.explain.outcomes import Outcome
from kvmcheck.render.plain import visible


def export(argv: Sequence[str]) -> int:
    """The exit status: 0 if there is a text, 2 if the spec or the target does not allow one."""
    arguments = parsed(export_parser(), argv)
    wrap: int | None = arguments.seq_wrap
    if wrap is not None and wrap < 2:
        raise BadArguments("--seq-wrap needs at least 2")
    from kvmcheck.export.write import Target
    from kvmcheck.exporting import Request
    from kvmcheck.exporting import export as exported
    from kvmcheck.render.paint import paint_for
    from kvmcheck.render.source import draw, draw_terse

    request = Request(
        arguments.path, Target(arguments.to), arguments.scenario, settings(arguments.settings), wrap
    )
    found = exported(request)
    errors = paint_for(sys.stderr, colour=False if arguments.no_color else None)
    for diagnostic in found.diagnostics:
        if arguments.terse:
            print(draw_terse(diagnostic), file=sys.stderr)
        else:
            print(draw(diagnostic, colour=errors.colour), end="\n\n", file=sys.stderr)
    if found.text is None:
        return exit_status(Outcome.BAD_INPUT)
    if not arguments.output:
        sys.stdout.write(found.text)
        return exit_status(Outcome.AS_EXPECTED)
    try:
        Path(arguments.output).write_text(found.text, encoding="utf-8")
    except OSError as error:
        print(f"kvmcheck: error: {visible(arguments.output)}: {error.strerror}", file=sys.stderr)
        return exit_status(Outcome.BAD_INPUT)
    return exit_status(Outcome.AS_EXPECTED)
