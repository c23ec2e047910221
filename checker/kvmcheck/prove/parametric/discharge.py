# SPDX-License-Identifier: GPL-2.0-only
"""z3 on every obligation, in a process of its own; and on those that it can't show, at small sizes.

Work is counted in z3's own steps (`rlimit`), not in seconds: what is shown on one machine is shown on every other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from kvmcheck.prove.parametric.finite import Sizes, Structure, Table
from kvmcheck.prove.parametric.ground import Ground
from kvmcheck.prove.parametric.obligations import Help, Kind, Obligation, Proof
from kvmcheck.prove.solving import End, Ended, Said, isolated

#: How much work z3 may do from each set of clauses, in its own steps: some ten times what is ever needed.
LADDER: Mapping[Help, int] = {
    Help.CODE: 1_000_000,
    Help.UNIVERSAL: 1_000_000,
    Help.COUNTED: 1_000_000,
    Help.ALL: 12_000_000,
}
#: The same for a model at a small size.
_GROUND_WORK = 60_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What z3 said of an obligation (its position): from which clauses it is shown, or None."""

    position: int
    shown_from: Help | None


@dataclass(frozen=True, slots=True)
class Discharged:
    """The answers so far; `stopped`: why there are no more."""

    answers: tuple[Answer, ...]
    stopped: str


def discharge(
    proof: Proof,
    obligations: tuple[Obligation, ...],
    *,
    seconds: float | None,
    memory: int | None,
    most_failures: int | None = None,
) -> Discharged:
    """Every obligation in turn; ends early behind so many that are not shown."""

    def work(say: Callable[[Answer], None]) -> None:
        easy = _Easy(proof)
        for position, obligation in enumerate(obligations):
            shown = Help.CODE if easy.shown(obligation) else shown_from(proof, obligation)
            say(Answer(position, shown))

    answers: list[Answer] = []
    failures = 0
    messages: Iterator[Said[Answer] | Ended] = isolated(work, seconds=seconds, memory=memory)
    for message in messages:
        match message:
            case Said(message=answer):
                answers.append(answer)
                failures += answer.shown_from is None
                if most_failures is not None and failures >= most_failures:
                    return Discharged(tuple(answers), "")
            case Ended(end=End.DONE):
                return Discharged(tuple(answers), "")
            case Ended(end=end, error=error):
                return Discharged(tuple(answers), f"{end.value} {error}".strip())
    return Discharged(tuple(answers), "")


class _Easy:
    """One z3 that has read what most obligations are shown from; each is put on top of it for a moment."""

    def __init__(self, proof: Proof) -> None:
        import z3

        self.proof = proof
        self.context = z3.Context()
        begin = [*proof.common(), f"(set-option :rlimit {LADDER[Help.CODE]})"]
        self._say("\n".join(line for line in begin if not line.startswith("(set-logic")))

    def _say(self, script: str) -> str:
        import z3

        return str(z3.Z3_eval_smtlib2_string(self.context.ref(), script)).strip()

    def shown(self, obligation: Obligation) -> bool:
        """Whether an obligation follows from the mechanical clauses and its own."""
        if obligation.kind is Kind.INITIATION:
            return False
        return (
            self._say("\n".join(["(push)", *self.proof.own(obligation), "(check-sat)", "(pop)"])) == "unsat"
        )


def ladder(obligation: Obligation) -> tuple[Help, ...]:
    """From which clauses an obligation is tried, one after the other."""
    return (Help.CODE,) if obligation.kind is Kind.INITIATION else tuple(LADDER)


def shown_from(proof: Proof, obligation: Obligation) -> Help | None:
    """From which clauses z3 shows it; None if from none."""
    for help_ in ladder(obligation):
        if _said(proof.query(obligation, help_), LADDER[help_]) == "unsat":
            return help_
    return None


def solver_version() -> str:
    """Who discharges."""
    import z3

    return f"z3 {z3.get_version_string()}"


def _said(script: str, work: int) -> str:
    """z3's answer to a script."""
    import z3

    solver = z3.Solver()
    solver.set("rlimit", work)
    solver.from_string(_plain(script))
    return str(solver.check())


def _plain(script: str) -> str:
    """The script without its commands to a solver."""
    return "\n".join(line for line in script.split("\n") if not line.startswith(("(set-logic", "(check-sat")))


def counterexample(
    proof: Proof, obligation: Obligation, sizes: Sizes, *, seconds: float | None, memory: int | None
) -> Structure | None:
    """A state at a certain size, and a step, that show that the obligation is wrong; None if none was found."""
    ground = Ground(proof, sizes)

    def work(say: Callable[[dict[str, Table]], None]) -> None:
        for ranges in (True, False):
            found = _tables(ground, ground.query(obligation, ranges=ranges))
            if found is not None:
                say(found)
                return

    found: dict[str, Table] | None = None
    messages: Iterator[Said[dict[str, Table]] | Ended] = isolated(work, seconds=seconds, memory=memory)
    for message in messages:
        if isinstance(message, Said):
            found = message.message
    return None if found is None else Structure(sizes, found)


def _tables(ground: Ground, script: str) -> dict[str, Table] | None:
    """The values of every function in a model of a script; None if there is none."""
    import z3

    solver = z3.Solver()
    solver.set("rlimit", _GROUND_WORK)
    solver.from_string(script)
    if str(solver.check()) != "sat":
        return None
    model = solver.model()
    tables: dict[str, Table] = {}
    for declared in model.decls():
        sorts = [declared.domain(n) for n in range(declared.arity())]
        table: Table = {}
        for items in product(*(ground.sizes.universes[sort.name()] for sort in sorts)):
            arguments = [
                next(
                    sort.constructor(n)()
                    for n in range(sort.num_constructors())
                    if sort.constructor(n).name() == ground.name(sort.name(), item)
                )
                for sort, item in zip(sorts, items, strict=True)
            ]
            value = model.eval(declared(*arguments), model_completion=True)
            if z3.is_int_value(value):
                table[items] = value.as_long()
            elif z3.is_bool(value):
                table[items] = int(z3.is_true(value))
            else:
                universe = ground.sizes.universes[value.sort().name()]
                named = {ground.name(value.sort().name(), item): item for item in universe}
                table[items] = named[str(value)]
        tables[declared.name()] = table
    return tables
