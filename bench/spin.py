# SPDX-License-Identifier: GPL-2.0-only
"""SPIN on peers/protocol.pml: `spin -a`, the compiler, `pan`."""

from __future__ import annotations

import math
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.contender import Cell, Contender, Run
from bench.measuring import LimitReached, Limits, run
from bench.sizes import Protocol
from tests.support.peers import SPIN_STATES

MODEL = Path(__file__).parent / "peers" / "protocol.pml"

#: Of the search's stack: the first try, and the one for what is deeper.
DEPTHS = (1_000_000, 40_000_000)
_MEGABYTES = re.compile(
    r"^\s*([\d.]+)\s+(actual memory usage for states|memory used for hash table)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Of the model (`-D…` for SPIN), and of the verifier (`-D…` for the C compiler)."""

    model: tuple[str, ...] = ()
    verifier: tuple[str, ...] = ()


@dataclass
class _Tuned:
    """What is known when a model is run again: how deep the search goes, and how large the table must be."""

    depth: int = DEPTHS[0]
    table: int = 22


@dataclass
class Spin:
    """SPIN with its settings."""

    settings: Settings
    tuned: dict[Cell, _Tuned] = field(default_factory=dict)

    def __call__(self, cell: Cell, limits: Limits) -> Run:
        """From the text to the verdict; raises `LimitReached`."""
        if cell not in self.tuned:
            self.tuned[cell] = _Tuned()
            try:
                found = self._run(cell, limits)
            except _TooDeep:
                self.tuned[cell].depth = DEPTHS[1]
                found = self._run(cell, limits)
            # Two slots for each state; 8 bytes a slot.
            self.tuned[cell].table = max(16, math.ceil(math.log2(max(found.states, 1) * 2)))
        return self._run(cell, limits)

    def _run(self, cell: Cell, limits: Limits) -> Run:
        tuned, size = self.tuned[cell], cell.size
        sizes = [f"-DVCPUS={size.vcpus}", f"-DPAGES={size.pages}", f"-DNOTIFIERS={size.notifiers}"]
        ranges = ["-DRANGES"] if cell.protocol is Protocol.RANGES else []
        verifier = ["-DSAFETY", f"-DMEMLIM={limits.memory >> 20}", *self.settings.verifier]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copy(MODEL, folder)
            spin = run(["spin", *sizes, *ranges, *self.settings.model, "-a", MODEL.name], folder, limits)
            cc = run(["cc", "-O2", "-w", *verifier, "-o", "pan", "pan.c"], folder, limits)
            pan = run(["./pan", "-n", f"-m{tuned.depth}", f"-w{tuned.table}"], folder, limits)
        counted = SPIN_STATES.search(pan.said)
        if counted is None:
            raise RuntimeError(f"spin: {spin.said} {cc.said} {pan.said}")
        if "max search depth too small" in pan.said:
            if tuned.depth == DEPTHS[-1]:
                raise LimitReached("too deep")
            raise _TooDeep
        if "reached -DMEMLIM" in pan.said or "out of memory" in pan.said:
            raise LimitReached("memory")
        table = sum(float(number) for number, _ in _MEGABYTES.findall(pan.said))
        return Run(
            states=int(float(counted[1])),
            seconds=spin.seconds + cc.seconds + pan.seconds,
            cpu=spin.cpu + cc.cpu + pan.cpu,
            search=pan.cpu,
            peak=pan.peak,
            table=int(table * 2**20),
            holds="errors: 0" in pan.said,
        )


class _TooDeep(Exception):
    """The search's stack was too small."""


def _contender(settings: str, model: str, *verifier: str, plain: bool = False) -> Contender:
    spin = Spin(Settings((model,) if model else (), verifier))
    return Contender("SPIN", settings, plain, partial(spin))


def contenders() -> list[Contender]:
    """SPIN plain, and at its best three times."""
    return [
        _contender("plain", "", "-DNOREDUCE", plain=True),
        _contender("partial order, COLLAPSE", "", "-DCOLLAPSE"),
        _contender("sections by hand, partial order", "-DSECTIONS"),
        _contender("sections by hand, partial order, COLLAPSE", "-DSECTIONS", "-DCOLLAPSE"),
    ]
