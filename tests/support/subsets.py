# SPDX-License-Identifier: GPL-2.0-only
"""The same program explored under all subsets of the reductions, and where the answers differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from pathlib import Path

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import explore
from kvmcheck.engine.reductions import reductions_with
from kvmcheck.lang.imports import load
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.verdict import Verdict
from kvmcheck.source.diagnostic import Collector
from tests.support.compare import cases_of

ROOT = Path(__file__).parents[2]

#: Always on: without `seq` most programs have no end, and dead locals are cleared in the meaning itself.
PLAIN = ("seq", "dead")


@dataclass(frozen=True)
class Answers:
    """What must be the same however a program is explored."""

    violated: frozenset[str]
    vacuous: frozenset[tuple[str, str]]
    reached: frozenset[str]
    races: frozenset[str]
    complete: bool

    def is_part_of(self, other: Answers) -> bool:
        """Whether a search that was cut short found nothing that a whole one did not."""
        return self.violated <= other.violated and self.reached <= other.reached and self.races <= other.races


def subsets(names: Sequence[str]) -> list[tuple[str, ...]]:
    """All subsets, the empty one first."""
    return list(chain.from_iterable(combinations(names, n) for n in range(len(names) + 1)))


def answers(program: Program, on: Sequence[str], most_states: int) -> tuple[Answers, int]:
    """What the engine says with these reductions, and from how many states."""
    result = explore(program, budget=Budget(states=most_states), reductions=reductions_with(on))
    found = Answers(
        violated=frozenset(p.property for p in result.properties if p.verdict is Verdict.VIOLATED),
        vacuous=frozenset((p.property, text) for p in result.properties for text in p.vacuous),
        reached=frozenset(cover.name for cover in result.covers if cover.depth is not None),
        races=frozenset(f"{span.source.path}:{span.line}" for span in result.coverage.races),
        complete=result.coverage.complete,
    )
    return found, result.coverage.states


def disagreements(
    program: Program, names: Sequence[str], most_states: int, always: Sequence[str] = PLAIN
) -> list[str]:
    """Where the answers with some subset of the reductions are not those with fewer of them.

    The judge is the smallest subset that comes to its end within `most_states`; a search that does not may have found
    no more than the judge.
    """
    judge: Answers | None = None
    judged_by: tuple[str, ...] = ()
    cut_short: list[tuple[tuple[str, ...], Answers]] = []
    found = []
    for on in subsets(names):
        here, states = answers(program, (*always, *on), most_states)
        if states >= most_states:
            cut_short.append((on, here))
        elif judge is None:
            judge, judged_by = here, on
        elif here != judge:
            found.append(f"{program.name} with {on}: {here}, with {judged_by}: {judge}")
    for on, here in cut_short:
        if judge is not None and not here.is_part_of(judge):
            found.append(f"{program.name} cut short with {on}: {here}, with {judged_by}: {judge}")
    return found


def programs(path: Path, sizes: Mapping[str, str]) -> list[Program]:
    """Every case of a spec; of the sizes those that it has."""
    unit = load(path, (ROOT / "model",), Collector())
    if unit is None:  # a case about a mistake
        return []
    made = []
    for case in cases_of(unit):
        declared = elaborate(unit, case, {}, Collector())
        if declared is None:
            continue
        names = {name for name, _ in declared.sizes}
        chosen = {name: value for name, value in sizes.items() if name in names}
        # A case that names members of its own may need the sizes that it declares.
        made.append(elaborate(unit, case, chosen, Collector()) or declared)
    return made
