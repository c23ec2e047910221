# SPDX-License-Identifier: GPL-2.0-only
"""Another solver on the obligations: cvc5 as a Python package, or whatever SMT-LIB solver is on the PATH."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from kvmcheck.prove.solving import Ended, Said, isolated

#: How much work cvc5 may do on a script, in its own steps, with each set of options in turn.
_WORK = 2_000_000
_OPTIONS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("enum-inst", "true"),),
    (("full-saturate-quant", "true"), ("fs-interleave", "true")),
    (("cegqi-all", "true"), ("enum-inst", "true")),
)
#: Solvers that are looked for on the PATH, in order, with what makes them read a script from standard input.
_COMMANDS = (("cvc5", ("--lang=smt2", "-")), ("z3", ("-in",)), ("yices-smt2", ()))
_SECONDS = 120.0
#: So many work at once.
_PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the solver said of a script (its position)."""

    position: int
    said: str


def solver_name() -> str | None:
    """Who will be asked; None if there is nobody."""
    if find_spec("cvc5") is not None:
        import cvc5

        return f"cvc5 {cvc5.__version__}"
    found = next((name for name, _ in _COMMANDS if shutil.which(name)), None)
    return None if found is None else f"{found} on the PATH"


def opinions(scripts: tuple[str, ...]) -> Iterator[Opinion]:
    """What another solver says of each script, in any order; fewer if a process of its ends early."""
    ask = _cvc5 if find_spec("cvc5") is not None else _on_the_path

    def share(first: int) -> Iterator[Said[Opinion] | Ended]:
        def work(say: Callable[[Opinion], None]) -> None:
            for position in range(first, len(scripts), _PROCESSES):
                say(Opinion(position, ask(scripts[position])))

        return isolated(work)

    processes = [share(first) for first in range(_PROCESSES)]
    # A process begins when it is first listened to: so all are listened to once before one is heard out.
    waiting = [(next(process), process) for process in processes]
    for first, rest in waiting:
        for message in (first, *rest) if isinstance(first, Said) else (first,):
            if isinstance(message, Said):
                yield message.message


def _cvc5(script: str) -> str:
    said = "unknown"
    for options in _OPTIONS:
        said = _cvc5_with(script, options)
        if said in ("unsat", "sat"):
            return said
    return said


def _cvc5_with(script: str, options: tuple[tuple[str, str], ...]) -> str:
    import cvc5

    solver = cvc5.Solver(cvc5.TermManager())
    for name, value in (("rlimit-per", str(_WORK)), *options):
        solver.setOption(name, value)
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script, "obligation")
    symbols = parser.getSymbolManager()
    said = ""
    while True:
        command = parser.nextCommand()
        if command.isNull():
            return said.strip()
        said = str(command.invoke(solver, symbols)) or said


def _on_the_path(script: str) -> str:
    name, arguments = next((name, arguments) for name, arguments in _COMMANDS if shutil.which(name))
    try:
        done = subprocess.run(
            [str(shutil.which(name)), *arguments],
            input=script,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "unknown"
    return done.stdout.strip().split("\n")[-1]
