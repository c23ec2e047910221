# SPDX-License-Identifier: GPL-2.0-only
"""How a function of the model differs from the facts of the patch, and which differences are meant.

The differences are what a longest common subsequence leaves over: as few events as there can be.
The table of those that are meant must list exactly these, in their order, so nothing in it can be superfluous.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.support.skeleton.facts import from_toml
from tests.support.skeleton.model import drawn, functions_of
from tests.support.skeleton.vocabulary import Event, Skeleton

ROOT = Path(__file__).parents[3]
FACTS = ROOT / "tests" / "model" / "patch_facts.toml"
TABLE = ROOT / "tests" / "model" / "correspondence.toml"

#: Stands for what the patch does not show.
NOT_SHOWN = Event("…")


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the patch has the one and the model has the other, one of which may be nothing.

    `at`: how many of the events that the patch shows come before it.
    """

    at: int
    patch: tuple[str, ...]
    model: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """A difference that is meant, and why: keys of the table's `reasons`."""

    difference: Difference
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counterpart:
    """Where the model has a function of the patch, and how it may differ there."""

    function: str
    module: str
    stores: frozenset[str]
    meant: tuple[Explained, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """tests/model/correspondence.toml.  `hunks`: the function in which a hunk begins, by its first line."""

    hunks: dict[int, str]
    reasons: dict[str, str]
    counterparts: tuple[Counterpart, ...]


def read_facts() -> list[Skeleton]:
    """The facts that are kept with the tests."""
    return from_toml(FACTS.read_text(encoding="utf-8"))


def read_table() -> Table:
    """The differences that are meant."""
    data = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return Table(
        {int(line): name for line, name in data["hunks"].items()},
        data["reasons"],
        tuple(
            Counterpart(
                entry["name"],
                entry["module"],
                frozenset(entry.get("stores", ())),
                tuple(
                    Explained(Difference(d["at"], tuple(d["patch"]), tuple(d["model"])), tuple(d["because"]))
                    for d in entry.get("differs", ())
                ),
            )
            for entry in data["function"]
        ),
    )


def shown(skeleton: Skeleton) -> list[Event]:
    """All events that the patch shows, with `…` for what it does not show."""
    events = [] if skeleton.begins else [NOT_SHOWN]
    for i, part in enumerate(skeleton.parts):
        events += [NOT_SHOWN] if i else []
        events += part.events
    return events if skeleton.ends else [*events, NOT_SHOWN]


def modelled(counterpart: Counterpart, facts: list[Skeleton]) -> list[Event]:
    """The events of the model's function; `LookupError` if there is none."""
    module = ROOT / "model" / f"{counterpart.module}.kvm"
    function = functions_of(module).get(counterpart.function)
    if function is None:
        raise LookupError(f"{module.name} has no function {counterpart.function}")
    passed = frozenset(skeleton.function for skeleton in facts)
    return list(drawn(function, passed, counterpart.stores))


def differences(patch: list[Event], model: list[Event]) -> list[Difference]:
    """What has no partner on the other side, run by run; no set of partners is larger."""
    found: list[Difference] = []
    before_patch = before_model = 0
    for i, j in [*partners(patch, model), (len(patch), len(model))]:
        left, right = patch[before_patch:i], model[before_model:j]
        if left or right:
            texts = (tuple(event.text for event in run) for run in (left, right))
            found.append(Difference(before_patch, *texts))
        before_patch, before_model = i + 1, j + 1
    return found


def partners(patch: list[Event], model: list[Event]) -> list[tuple[int, int]]:
    """The positions of a longest common subsequence; of several, the one with the earliest partners.

    Names may begin with `__` in the kernel and not in the model.
    """
    left, right = [_plain(event) for event in patch], [_plain(event) for event in model]
    longest = [[0] * (len(model) + 1) for _ in range(len(patch) + 1)]
    for i in reversed(range(len(patch))):
        for j in reversed(range(len(model))):
            if left[i] == right[j]:
                longest[i][j] = longest[i + 1][j + 1] + 1
            else:
                longest[i][j] = max(longest[i + 1][j], longest[i][j + 1])
    found = []
    i = j = 0
    while i < len(patch) and j < len(model):
        if left[i] == right[j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif longest[i + 1][j] >= longest[i][j + 1]:
            i += 1
        else:
            j += 1
    return found


def _plain(event: Event) -> str:
    return re.sub(r" _+", " ", event.text)


def side_by_side(patch: list[Event], model: list[Event]) -> str:
    """Both skeletons as two columns, for a message."""
    lines = []
    before_patch = before_model = 0
    for i, j in [*partners(patch, model), (len(patch), len(model))]:
        lines += [f"  {e.text:<40}   -" for e in patch[before_patch:i]]
        lines += [f"  {'-':<40}   {e.text}" for e in model[before_model:j]]
        if i < len(patch):
            lines.append(f"  {patch[i].text:<40} = {model[j].text}")
        before_patch, before_model = i + 1, j + 1
    return "\n".join(lines)
