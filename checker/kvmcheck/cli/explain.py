# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck explain CODE`: the page of a diagnostic."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from kvmcheck.cli.arguments import BadArguments, explain_parser, parsed
from kvmcheck.cli.exits import exit_status
from kvmcheck.explain.outcomes import Outcome


def explain(argv: Sequence[str]) -> int:
    """The exit status; the page goes to stdout."""
    arguments = parsed(explain_parser(), argv)
    written: str = arguments.code
    code = written.upper().removeprefix("KVM")
    if not re.fullmatch(r"[0-9]{3}", code):
        raise BadArguments(f"`{written}` is not a code; codes look like KVM201")
    from kvmcheck.library import error_page
    from kvmcheck.render.paint import paint_for
    from kvmcheck.render.plain import visible

    try:
        text = error_page(f"KVM{code}").read_text(encoding="utf-8")
    except OSError:
        raise BadArguments(f"there is no diagnostic KVM{code}") from None
    ascii_only = not paint_for(sys.stdout).unicode
    for line in text.splitlines():
        print(visible(line, ascii_only=ascii_only))
    return exit_status(Outcome.AS_EXPECTED)
