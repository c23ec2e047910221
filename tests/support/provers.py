# SPDX-License-Identifier: GPL-2.0-only
"""The explorer and the provers look at the same cases: none may contradict another; what each leaves open is counted.

    python -m tests.support.provers specs/basics specs/scenarios --seconds 5 --write

writes tests/prove/unknowns.toml: for each case and engine how many claims it leaves UNKNOWN that the explorer decides.
The numbers may only become smaller.
"""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import explore
from kvmcheck.lang.imports import load
from kvmcheck.library import model_folder
from kvmcheck.prove.auto import prove
from kvmcheck.prove.method import Limits, Method, Wanted
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.verdict import PropertyResult, Verdict
from kvmcheck.source.diagnostic import Collector
from tests.support.compare import cases_of

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "tests" / "prove" / "unknowns.toml"
ENGINES = (Method.BMC, Method.INDUCTION, Method.SPACER)
#: Larger cases are left out: here it is about agreement, not about size.
MOST_STATES = 60_000


@dataclass(frozen=True, slots=True)
class Case:
    """A case of a spec, by the name that it has in the table."""

    name: str
    program: Program


def cases(paths: list[Path]) -> Iterator[Case]:
    """Every case of some specs, or of all specs in some folders."""
    files = sorted(f for path in paths for f in ([path] if path.is_file() else path.rglob("*.kvm")))
    for file in files:
        collector = Collector()
        unit = load(file, (model_folder(),), collector)
        if unit is None or collector.has_errors:
            continue
        for name in cases_of(unit):
            program = elaborate(unit, name, {}, Collector())
            if program is not None:
                where = file.resolve().relative_to(ROOT / "specs")
                yield Case(f"{where}:{name}", program)


def explored(program: Program) -> dict[str, PropertyResult] | None:
    """What the explorer says; None: the case is too large."""
    result = explore(program, budget=Budget(states=MOST_STATES))
    if not result.coverage.complete and "limit of" in result.coverage.stopped:
        return None
    return {found.property: found for found in result.properties}


@dataclass(frozen=True, slots=True)
class Row:
    """What the engines say of a case: the claims that each leaves open, and the contradictions."""

    unknown: dict[str, int]
    contradictions: tuple[str, ...]


def compared(program: Program, seconds: float, engines: tuple[Method, ...] = ENGINES) -> Row | None:
    """All engines on one case; None: it is too large."""
    known = explored(program)
    if known is None:
        return None
    unknown: dict[str, int] = {}
    wrong: list[str] = []
    for engine in engines:
        found = prove(program, engine, Limits(seconds=seconds), Wanted()).result
        answers = {one.property: one for one in found.properties}
        unknown[engine.value] = 0
        for name, expected in known.items():
            said = answers[name].verdict if name in answers else Verdict.UNKNOWN
            if said is Verdict.UNKNOWN and expected.verdict is not Verdict.UNKNOWN:
                unknown[engine.value] += 1
            elif said is not expected.verdict:
                wrong.append(f"{name}: {expected.verdict.value}, but by {engine.value} {said.value}")
            elif said is Verdict.HOLDS and bool(answers[name].vacuous) != bool(expected.vacuous):
                wrong.append(f"{name}: vacuous by one of explorer and {engine.value}")
        wrong += [
            f"{name} is {one.verdict.value} by {engine.value} alone"
            for name, one in answers.items()
            if name not in known and one.verdict is not Verdict.UNKNOWN
        ]
    return Row(unknown, tuple(wrong))


def committed() -> dict[str, dict[str, int]]:
    """The table."""
    found: dict[str, dict[str, int]] = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return found


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each engine and case")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args(arguments)
    rows: dict[str, dict[str, int]] = committed() if given.write and TABLE.exists() else {}
    wrong = 0
    for case in cases(given.paths):
        began = time.monotonic()
        row = compared(case.program, given.seconds)
        if row is None:
            print(f"{case.name}: too large", flush=True)
            continue
        rows[case.name] = row.unknown
        wrong += len(row.contradictions)
        took = time.monotonic() - began
        print(f"{case.name}: {row.unknown} {'; '.join(row.contradictions)} {took:.1f} s", flush=True)
        if given.write:
            TABLE.write_text(_table(rows), encoding="utf-8")
    return 1 if wrong else 0


def _table(rows: dict[str, dict[str, int]]) -> str:
    head = (
        "# SPDX-License-Identifier: GPL-2.0-only\n"
        "#\n"
        "# The claims that an engine leaves UNKNOWN and the explorer decides: these may only become fewer.\n"
        "# Written by `python -m tests.support.provers specs/basics specs/scenarios --write`.\n\n"
    )
    lines = []
    for name in sorted(rows):
        counts = ", ".join(f"{engine} = {number}" for engine, number in rows[name].items())
        lines.append(f'"{name}" = {{ {counts} }}\n')
    return head + "".join(lines)


if __name__ == "__main__":
    sys.exit(main())
