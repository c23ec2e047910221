# SPDX-License-Identifier: GPL-2.0-only
"""Other checkers: how many states they find in an exported text, and how many we say there are.

    python -m tests.support.peers --programs 200 --seed 1 --to murphi

compares random programs; exit status 1 if any count differs.  docs/reference/export.md says what is counted.
"""

from __future__ import annotations

import argparse
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import explore
from kvmcheck.engine.reductions import NONE
from kvmcheck.engine.tiers import Engine, Tiers, explore_in_tiers
from kvmcheck.export.write import Target, exported
from kvmcheck.lang.imports import Unit
from kvmcheck.lang.wrapping import with_seq_wrap
from kvmcheck.semantics.program import Check, Program, PropertyKind
from kvmcheck.semantics.verdict import Verdict
from kvmcheck.source.diagnostic import Collector
from tests.support.compare import Refused, cases_of, unit_of
from tests.support.generate import generate

#: Where a count is known to stand in what the verifiers print.
RUMUR_STATES = re.compile(r"^\s*([\d,]+) states, ", re.MULTILINE)
SPIN_STATES = re.compile(r"^\s*([\d.e+]+) states, stored", re.MULTILINE)


class NotAtHand(Exception):
    """The checker is not installed."""


@dataclass(frozen=True)
class Found:
    """What another checker says: how many states, and whether anything is wrong; `said` is all of it."""

    states: int
    errors: bool
    said: str


def missing(*programs: str) -> str:
    """Why a test must be skipped; empty if it need not be."""
    absent = [name for name in programs if shutil.which(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


def run(command: list[str], folder: Path, seconds: int) -> str:
    """What a command prints; raises `RuntimeError` with it if it can't be run."""
    done = subprocess.run(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    return done.stdout


def by_rumur(text: str, *, seconds: int = 300, errors: int = 1_000_000) -> Found:
    """Rumur's answer: no symmetry, no deadlock check of its own, and on past every error."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.m").write_text(text, encoding="utf-8")
        options = ["--threads", "1", "--deadlock-detection", "off", "--symmetry-reduction", "off"]
        options += ["--value-type", "int32_t", "--counterexample-trace", "off", "--colour", "off"]
        said = run(
            ["rumur", *options, "--max-errors", str(errors), "-o", "model.c", "model.m"], folder, seconds
        )
        if not (folder / "model.c").exists():
            raise RuntimeError(f"rumur: {said}")
        wide = ["-mcx16"] if platform.machine() in ("x86_64", "AMD64") else []
        said = run(["cc", "-O0", "-w", *wide, "-o", "model", "model.c", "-lpthread"], folder, seconds)
        if not (folder / "model").exists():
            raise RuntimeError(f"cc: {said}")
        said = run(["./model"], folder, seconds)
    counted = RUMUR_STATES.search(said)
    if counted is None:
        raise RuntimeError(f"rumur's verifier: {said}")
    return Found(int(counted[1].replace(",", "")), "No error found" not in said, said)


def by_spin(text: str, *, seconds: int = 300, claim: str = "") -> Found:
    """SPIN's answer: no partial order, and on past every error; with a claim: about that claim."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.pml").write_text(text, encoding="utf-8")
        said = run(["spin", "-o1", "-o2", "-a", "model.pml"], folder, seconds)
        if not (folder / "pan.c").exists():
            raise RuntimeError(f"spin: {said}")
        options = ["-DNOREDUCE", "-DSAFETY", "-DVECTORSZ=8192", "-DMEMLIM=4096"]
        options += [] if claim else ["-DNOCLAIM"]
        said = run(["cc", "-O0", "-w", *options, "-o", "pan", "pan.c"], folder, seconds)
        if not (folder / "pan").exists():
            raise RuntimeError(f"cc: {said}")
        said = run(
            ["./pan", "-c0", "-E", "-n", "-w20", "-m1000000", *(["-N", claim] if claim else [])],
            folder,
            seconds,
        )
    counted = SPIN_STATES.search(said)
    if counted is None or "error: max search depth" in said:
        raise RuntimeError(f"spin's verifier: {said}")
    return Found(int(float(counted[1])), "errors: 0" not in said, said)


def wrapped_program(unit: Unit, case: str, wrap: int, sizes: dict[str, str] | None = None) -> Program:
    """A case with its seqs modulo a number; raises `Refused`."""
    collector = Collector()
    program = elaborate(with_seq_wrap(unit, wrap), case, sizes or {}, collector)
    if program is None:
        raise Refused("; ".join(f"{d.code} {d.message}" for d in collector.all()))
    return program


def without_claims(program: Program) -> Program:
    """The program's behaviour alone: a property changes no count, but a verifier may stop at it."""
    checks = tuple(check for check in program.checks if check is not Check.NO_DEADLOCK)
    return replace(program, properties=(), covers=(), checks=checks)


def by_us(program: Program, *, most: int = 200_000) -> int | None:
    """How many states there are without any reduction; None: too many to say.  What is large is counted natively."""
    tiers = Tiers(Engine.AUTO)
    result = explore_in_tiers(program, tiers=tiers, budget=Budget(states=most), reductions=NONE).result
    overflow = "too small" in result.coverage.stopped or "never ends" in result.coverage.stopped
    return result.coverage.states if result.coverage.complete or overflow else None


def differing(program: Program, target: Target, *, most: int = 200_000, ours: int | None = None) -> str:
    """What is wrong with the count of an export; empty if it is ours.  Raises `CannotCarry`, `Refused`."""
    ours = by_us(program, most=most) if ours is None else ours
    if ours is None:
        raise Refused("too large")
    text = exported(program, target).text
    if target is Target.MURPHI:
        theirs = by_rumur(text).states
        return "" if theirs == ours else f"we count {ours} states, Rumur {theirs}"
    theirs = by_spin(text).states
    return "" if theirs == ours + 1 else f"we count {ours} states, SPIN {theirs} with its first one"


def each_claim_alone(program: Program) -> dict[str, Program]:
    """The program with one invariant, or with the claim that there is no deadlock, and no other."""
    bare = without_claims(program)
    found = {
        claim.name: replace(bare, properties=(claim,))
        for claim in program.properties
        if claim.kind is PropertyKind.INVARIANT
    }
    if Check.NO_DEADLOCK in program.checks:
        found[Check.NO_DEADLOCK.value] = replace(bare, checks=(*bare.checks, Check.NO_DEADLOCK))
    return found


def misjudged(program: Program, target: Target, *, most: int = 200_000) -> list[str]:
    """The claims on which the other checker's verdict is not ours.  Raises `CannotCarry`, `Refused`."""
    wrong = []
    for name, alone in each_claim_alone(program).items():
        result = explore(alone, budget=Budget(states=most), reductions=NONE)
        found = {p.property for p in result.properties if p.verdict is Verdict.VIOLATED}
        if not result.coverage.complete:
            raise Refused("too large")
        text = exported(alone, target).text
        if target is Target.MURPHI:
            violated = re.search(r'^\s*invariant "\w+" failed', by_rumur(text).said, re.MULTILINE) is not None
        else:
            claim = re.search(r"^never (\w+)", text, re.MULTILINE)
            assert claim is not None
            violated = "end state in claim reached" in by_spin(text, claim=claim[1]).said
        if violated != (name in found):
            wrong.append(f"{name}: {'violated' if violated else 'holds'} there")
    return wrong


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--states", type=int, default=3000)
    parser.add_argument("--to", choices=[t.value for t in (Target.MURPHI, Target.PROMELA)], default="murphi")
    parser.add_argument(
        "--claims", action="store_true", help="compare verdicts on invariants and deadlocks too"
    )
    parser.add_argument("--keep", type=Path, help="a folder for the texts whose count differs")
    options = parser.parse_args(arguments)
    compared, wrong = 0, 0
    reasons: dict[str, int] = {}
    for seed in range(options.seed, options.seed + options.programs):
        unit = unit_of(generate(seed))
        for case in cases_of(unit):
            try:
                program = wrapped_program(unit, case, 4)
                said = differing(without_claims(program), Target(options.to), most=options.states)
                if options.claims:
                    said += "; ".join(misjudged(program, Target(options.to), most=options.states))
            except Refused as error:
                reasons[str(error)[:60]] = reasons.get(str(error)[:60], 0) + 1
                continue
            except Exception as error:  # noqa: BLE001  # counted, and shown
                said = f"{type(error).__name__}: {str(error)[:300]}"
            compared += 1
            if said:
                wrong += 1
                print(f"seed {seed}, {case}: {said}", flush=True)
                if options.keep:
                    options.keep.mkdir(exist_ok=True)
                    (options.keep / f"{seed}_{case}.kvm").write_text(generate(seed), encoding="utf-8")
    print(f"{compared} cases compared, {wrong} differ")
    for reason, times in sorted(reasons.items(), key=lambda item: -item[1])[:6]:
        print(f"  left out: {reason} ({times})")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
