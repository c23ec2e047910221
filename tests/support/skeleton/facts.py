# SPDX-License-Identifier: GPL-2.0-only
"""The facts of a patch as a file: skeletons, written and read.  They hold names and order, and no line of code."""

from __future__ import annotations

import json
import tomllib

from tests.support.skeleton.vocabulary import Event, Part, Skeleton

HEAD = """\
# SPDX-License-Identifier: GPL-2.0-only
#
# What commit e930bffe95e1 does in arch/x86/kvm/mmu.c, function by function, as far as the patch shows it:
# locks, counters, calls, jumps, in order.  tests/support/skeleton says what the words mean, and writes this file:
#
#     python -m tests.support.skeleton PATCH > tests/model/patch_facts.toml
#
# `+`: on a line that the commit adds.  A function that is not whole has pieces, with the line at which each begins;
# what is between them, and before and behind them where `begins` and `ends` say so, is not in the patch.
"""


def as_toml(skeletons: list[Skeleton]) -> str:
    """The facts as text."""
    return HEAD + "".join(_function(skeleton) for skeleton in skeletons)


def _function(skeleton: Skeleton) -> str:
    lines = [
        "",
        "[[function]]",
        f"name = {json.dumps(skeleton.function)}",
        f"file = {json.dumps(skeleton.file)}",
        f"begins = {json.dumps(skeleton.begins)}",
        f"ends = {json.dumps(skeleton.ends)}",
    ]
    for part in skeleton.parts:
        lines += ["[[function.piece]]", f"line = {part.line}", "events = ["]
        lines += [f"    {json.dumps(('+ ' if e.added else '') + e.text)}," for e in part.events]
        lines += ["]"]
    return "\n".join(lines) + "\n"


def from_toml(text: str) -> list[Skeleton]:
    """The facts that a file holds."""
    return [
        Skeleton(
            function["name"],
            function["file"],
            function["begins"],
            function["ends"],
            tuple(
                Part(piece["line"], tuple(_event(event) for event in piece["events"]))
                for piece in function["piece"]
            ),
        )
        for function in tomllib.loads(text)["function"]
    ]


def _event(text: str) -> Event:
    return Event(text.removeprefix("+ "), text.startswith("+ "))
