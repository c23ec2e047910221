# SPDX-License-Identifier: GPL-2.0-only
"""`make nightly`: specs at sizes that are too large for every push.

tests/nightly/sizes.toml lists the runs: a scenario or mutant, the sizes, the verdict that must come of it, and how
many seconds it may take.  A run that comes to its limit is UNKNOWN, which is as wrong as a wrong verdict.
Exit status: 0 if every run gave its verdict.

    python -m tests.support.nightly            all runs
    python -m tests.support.nightly 3x2 range  the runs that have one of these words in their line
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

from kvmcheck.semantics.verdict import Verdict, worst

ROOT = Path(__file__).parents[2]
SIZES = ROOT / "tests" / "nightly" / "sizes.toml"


@dataclass(frozen=True, slots=True)
class Run:
    """A case (a scenario or a mutant) at a size; `seconds`: the limit of its search."""

    spec: str
    case: str
    sizes: tuple[tuple[str, str], ...]
    verdict: Verdict
    seconds: int

    def __str__(self) -> str:
        sizes = " ".join(f"{name}={value}" for name, value in self.sizes)
        return f"{self.spec} {self.case} {sizes}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run.  `status`: kvmcheck's exit status, which judges covers and expectations too."""

    verdict: Verdict
    states: int
    status: int
    message: str

    def fits(self, run: Run) -> bool:
        """Whether it is what the list says."""
        return (self.verdict, self.status) == (run.verdict, 0)


def runs(text: str) -> list[Run]:
    """The runs of a list."""
    return [
        Run(
            entry["spec"],
            entry["case"],
            tuple((name, str(value)) for name, value in entry["set"].items()),
            Verdict(entry["verdict"]),
            entry["seconds"],
        )
        for entry in tomllib.loads(text)["run"]
    ]


def carried_out(run: Run) -> Outcome:
    """Check the case, in a process of its own."""
    command = [sys.executable, "-m", "kvmcheck", "--format", "json", "--no-progress", "--no-cache"]
    command += ["--only", run.case, "--seconds", str(run.seconds), "--states", str(10**9)]
    for name, value in run.sizes:
        command += ["--set", f"{name}={value}"]
    done = subprocess.run([*command, run.spec], cwd=ROOT, capture_output=True, text=True, check=False)
    if not done.stdout:
        return Outcome(Verdict.UNKNOWN, 0, done.returncode, done.stderr.strip())
    cases = [case for file in json.loads(done.stdout)["files"] for case in file["cases"]]
    verdicts = [Verdict(found["verdict"]) for case in cases for found in case.get("properties", ())]
    states = sum(case["coverage"]["states"] for case in cases if "coverage" in case)
    unmet = "; ".join(text for case in cases for text in case["unmet"])
    return Outcome(worst(verdicts), states, done.returncode, unmet or done.stderr.strip())


def main(words: list[str]) -> int:
    """Carry the runs out, one line for each; the exit status."""
    wrong = 0
    began = time.monotonic()
    chosen = [r for r in runs(SIZES.read_text("utf-8")) if not words or any(w in str(r) for w in words)]
    for run in chosen:
        before = time.monotonic()
        outcome = carried_out(run)
        fits = outcome.fits(run)
        wrong += not fits
        took = time.monotonic() - before
        mark = "ok    " if fits else "WRONG "
        print(f"{mark}{run}: {outcome.verdict.value}, {outcome.states:,} states, {took:.0f} s", flush=True)
        if not fits:
            print(
                f"      should be {run.verdict.value}; exit status {outcome.status}; {outcome.message}",
                flush=True,
            )
    print(f"{len(chosen)} runs, {wrong} wrong, {time.monotonic() - began:.0f} s")
    return 1 if wrong or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
