# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck lsp`: speak with an editor over stdin and stdout until it ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from kvmcheck.cli.arguments import BadArguments, lsp_parser, parsed
from kvmcheck.cli.exits import exit_status
from kvmcheck.explain.outcomes import Outcome


def lsp(argv: Sequence[str]) -> int:
    """The exit status, when the editor is gone; raises `BadArguments` where the server's library is missing."""
    from kvmcheck import __version__

    parsed(lsp_parser(), argv)
    try:
        from kvmcheck.lsp.server import made_server
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise BadArguments("lsp needs pygls: pip install 'kvmcheck[lsp]'") from None
    if sys.stdin.isatty():
        print("kvmcheck lsp: an editor talks to me over stdin; Ctrl-C ends", file=sys.stderr)
    made_server(__version__).start_io()
    return exit_status(Outcome.AS_EXPECTED)
