# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck graph SPEC`: a run's happens-before graph, or a scenario's states, as a picture or as data."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kvmcheck.cli.arguments import PICTURES, BadArguments, graph_parser, parsed, settings
from kvmcheck.cli.exits import exit_status
from kvmcheck.explain.outcomes import Outcome
from kvmcheck.render.plain import visible

if TYPE_CHECKING:
    from kvmcheck.graphs.picture import Picture

#: So many nodes can be read in a picture: a run has its columns, a state graph is a thicket sooner.
MOST_STEPS, MOST_STATES = 200, 60
#: Data is for programs, which read more.
MOST_DATA = 5_000


def graph(argv: Sequence[str]) -> int:
    """The exit status: 0 if there is a picture, 2 if the spec or the command line allows none."""
    arguments = parsed(graph_parser(), argv)
    to = _form(arguments.to, arguments.output)
    if to == "png" and arguments.output in ("", "-"):
        raise BadArguments("--to png needs a file: --output FILE.png")
    from kvmcheck.cli.outputs import Failed, need_writable, put
    from kvmcheck.graphing import NoPicture, Of, Wanted, draw
    from kvmcheck.graphs.folding import Fold
    from kvmcheck.graphs.picture import TooLarge
    from kvmcheck.render.paint import paint_for
    from kvmcheck.render.source import draw as drawn_diagnostic
    from kvmcheck.render.source import draw_terse

    if arguments.output:
        need_writable("--output", arguments.output)
    of, fold = Of(arguments.of), Fold(arguments.fold)
    usual = MOST_DATA if to == "graphml" else MOST_STATES if of is Of.STATES else MOST_STEPS
    wanted = Wanted(
        path=arguments.path,
        of=of,
        scenario=arguments.scenario,
        name=arguments.property,
        settings=tuple(settings(arguments.settings).items()),
        fold=fold,
        most=usual if arguments.most is None else arguments.most,
        states=arguments.states,
    )
    try:
        found = draw(wanted)
        errors = paint_for(sys.stderr, colour=False if arguments.no_color else None)
        for diagnostic in found.diagnostics:
            if arguments.terse:
                print(draw_terse(diagnostic), file=sys.stderr)
            else:
                print(drawn_diagnostic(diagnostic, colour=errors.colour), end="\n\n", file=sys.stderr)
        if found.picture is None:
            return exit_status(Outcome.BAD_INPUT)
        put(arguments.output, _written(found.picture, to))
    except TooLarge as error:
        return _refused(f"the graph has {error}{_advice(of, fold)}")
    except NoPicture as error:
        return _refused(str(error))
    except Failed as error:
        return _refused(f"{arguments.output}: {error}")
    return exit_status(Outcome.AS_EXPECTED)


def _form(to: str, output: str) -> str:
    """The form that is asked for, or that the name of the file says."""
    if to:
        return to
    ending = output.rpartition(".")[2].lower()
    form = {"gv": "dot", "mmd": "mermaid"}.get(ending, ending)
    if not output or output == "-":
        return "dot"
    if form not in PICTURES:
        raise BadArguments(f"--output {output}: name the form with --to: {', '.join(PICTURES)}")
    return form


def _written(picture: Picture, to: str) -> str | bytes:
    from kvmcheck.graphing import NoPicture

    match to:
        case "svg":
            from kvmcheck.graphs.svg import as_svg

            return as_svg(picture)
        case "png":
            from kvmcheck.graphs.png import NoPillow, TooManyPixels, as_png

            try:
                return as_png(picture)
            except NoPillow:
                raise NoPicture("PNG needs Pillow: pip install 'kvmcheck[png]', or write SVG") from None
            except TooManyPixels as error:
                raise NoPicture(f"the picture would have {error} pixels; write SVG, or fold it") from None
        case _:
            from kvmcheck.graphs.notation import as_dot, as_graphml, as_mermaid

            return {"dot": as_dot, "graphml": as_graphml, "mermaid": as_mermaid}[to](picture)


def _advice(of: object, fold: object) -> str:
    """What to do about a graph that is too large."""
    from kvmcheck.graphing import Of
    from kvmcheck.graphs.folding import Fold

    ways = ["fold it with --fold location or --fold lock"] if fold is Fold.NONE else []
    ways += ["take a smaller size with --set"] if of is Of.STATES else []
    return ": " + ", ".join([*ways, "or ask for more with --most N"])


def _refused(text: str) -> int:
    print(f"kvmcheck: error: {visible(text)}", file=sys.stderr)
    return exit_status(Outcome.BAD_INPUT)
