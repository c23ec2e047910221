# SPDX-License-Identifier: GPL-2.0-only
"""`--baseline FILE`: failures that are known, each with its reason, so that a gate is red for new ones only.

A TOML file with a `[[known]]` table for each.  One that no longer fails is told, and is not as expected: a
baseline only shrinks.  What is known is bound to file, case and property, and a failure never
covers an UNKNOWN, or the other way.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from kvmcheck.cli.arguments import BadArguments
from kvmcheck.explain.outcomes import Outcome, gravest
from kvmcheck.explain.report import CaseReport, FileReport, Judgement, Known, Miss
from kvmcheck.source.diagnostic import Diagnostic, Label
from kvmcheck.source.nearest import nearest
from kvmcheck.source.text import nowhere

#: The diagnostic for an entry that nothing fits.
STALE = "KVM546"
_KEYS = ("file", "case", "property", "outcome", "reason")
_OUTCOMES = {"failed": Outcome.NOT_AS_EXPECTED, "unknown": Outcome.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Entry:
    """One known failure of a property or cover (`subject`; empty: of the case as a whole).  `file`: resolved."""

    number: int
    file: str
    case: str
    subject: str
    outcome: Outcome
    reason: str

    @property
    def name(self) -> str:
        """`specs/a.kvm: two: none_lost`."""
        return ": ".join(part for part in (os.path.relpath(self.file), self.case, self.subject) if part)


@dataclass(slots=True)
class Baseline:
    """The known failures of a run, and which of them were met."""

    path: str
    entries: tuple[Entry, ...]
    _met: set[int] = field(default_factory=set)

    def applied(self, file: str, case: CaseReport) -> CaseReport:
        """The case, with what is known of it set apart."""
        judgement = case.judgement
        if judgement.outcome not in (Outcome.NOT_AS_EXPECTED, Outcome.UNKNOWN):
            return case
        place = os.path.realpath(file)
        here = [entry for entry in self.entries if entry.case == case.name and entry.file == place]
        if not here:
            return case
        left: list[Miss] = []
        known: list[Known] = []
        for miss in judgement.misses or tuple(Miss("", judgement.outcome, text) for text in judgement.unmet):
            entry = next((e for e in here if (e.subject, e.outcome) == (miss.subject, miss.outcome)), None)
            if entry is None:
                left.append(miss)
            else:
                self._met.add(entry.number)
                known.append(Known(miss, entry.reason))
        if not known:
            return case
        outcome = gravest(miss.outcome for miss in left) if left else Outcome.AS_EXPECTED
        unmet = tuple(miss.text for miss in left)
        return replace(case, judgement=Judgement(outcome, unmet, judgement.also, tuple(left), tuple(known)))

    def stale(self, files: Iterable[FileReport]) -> tuple[Diagnostic, ...]:
        """The entries about these files that nothing fits any more."""
        examined = {os.path.realpath(file.path) for file in files if file.cases}
        return tuple(
            Diagnostic(
                STALE,
                f"`{entry.name}` does not fail any more as the baseline says ({_word(entry.outcome)})",
                Label(nowhere(self.path)),
                help=f"take `[[known]]` number {entry.number} out of {self.path}",
            )
            for entry in self.entries
            if entry.number not in self._met and entry.file in examined
        )


def read_baseline(path: str) -> Baseline:
    """The baseline in a file; raises `BadArguments` for whatever is wrong with it."""
    try:
        with Path(path).open("rb") as file:
            whole = tomllib.load(file)
    except OSError as error:
        raise BadArguments(f"--baseline {path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, a name that no file can have
        raise BadArguments(f"--baseline {path}: {error}") from None
    tables = whole.pop("known", [])
    if whole or not isinstance(tables, list):
        name = next(iter(whole), "known")
        raise BadArguments(f"--baseline {path}: `{name}` is none of its keys; write [[known]] tables")
    folder = Path(path).parent
    return Baseline(path, tuple(_entry(path, folder, n, table) for n, table in enumerate(tables, start=1)))


def _entry(path: str, folder: Path, number: int, table: object) -> Entry:
    where = f"--baseline {path}: [[known]] number {number}"
    if not isinstance(table, dict):
        raise BadArguments(f"{where} is no table")
    texts: dict[str, str] = {}
    for key, value in table.items():
        if key not in _KEYS:
            near = nearest(str(key), _KEYS)
            hint = f"; did you mean `{near}`?" if near else f"; there are {', '.join(_KEYS)}"
            raise BadArguments(f"{where}: there is no key `{key}`{hint}")
        if not isinstance(value, str) or not value.strip():
            raise BadArguments(f"{where}: `{key}` is a text that is not empty")
        texts[key] = value
    for key in ("file", "case", "reason"):
        if key not in texts:
            raise BadArguments(f"{where} lacks `{key}`")
    outcome = _OUTCOMES.get(texts.get("outcome", "failed"))
    if outcome is None:
        raise BadArguments(f'{where}: `outcome` is "failed" or "unknown"')
    place = os.path.realpath(folder / texts["file"])
    return Entry(number, place, texts["case"], texts.get("property", ""), outcome, texts["reason"])


def _word(outcome: Outcome) -> str:
    return next(word for word, meant in _OUTCOMES.items() if meant is outcome)
