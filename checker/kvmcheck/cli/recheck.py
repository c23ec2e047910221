# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck recheck`: a certificate, checked without z3 and without belief in the folder that it lies in."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from kvmcheck.cli.arguments import BadArguments, parsed, recheck_parser
from kvmcheck.cli.exits import exit_status
from kvmcheck.explain.outcomes import Outcome
from kvmcheck.render.plain import visible


def recheck(argv: Sequence[str]) -> int:
    """The exit status: 0 if every obligation is the spec's own and shown by another solver."""
    arguments = parsed(recheck_parser(), argv)
    from kvmcheck.prove.parametric.certificate import BadCertificate, read
    from kvmcheck.prove.parametric.second_opinion import solver_name

    folder = Path(arguments.folder)
    try:
        claim, entries = read(folder)
    except BadCertificate as error:
        raise BadArguments(str(error)) from error
    solver = solver_name()
    if solver is None:
        raise BadArguments("no other solver is here: `pip install 'kvmcheck[recheck]'` brings cvc5")
    from kvmcheck.rechecking import rechecked

    spec = arguments.spec or claim.spec
    print(f"{visible(claim.case)} of {visible(spec)}, for {visible(claim.sizes)}, any number of steps")
    found = rechecked(folder, claim, entries, spec)
    for text in found.wrong:
        print(f"  {visible(text)}")
    if found.bad_input:
        return exit_status(Outcome.BAD_INPUT)
    if found.wrong:
        print("  NOT SHOWN: this is not a certificate for that spec")
        return exit_status(Outcome.NOT_AS_EXPECTED)
    if found.open:
        for name in found.open[:8]:
            print(f"  {solver} does not show: {visible(name)}")
        print(f"  UNKNOWN: {len(found.open)} of {len(entries)} obligations are not shown by {solver}")
        return exit_status(Outcome.UNKNOWN)
    for text in claim.axioms:
        print(f"  assumed: {visible(text)}")
    names = ", ".join(found.properties)
    print(
        f"  SHOWN     {len(entries)} obligations, made anew from the spec, equal to the folder's, shown by {solver}"
    )
    print(f"  HOLDS     {visible(names)}")
    sys.stdout.flush()
    return exit_status(Outcome.AS_EXPECTED)
