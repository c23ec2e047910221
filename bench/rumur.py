# SPDX-License-Identifier: GPL-2.0-only
"""Rumur on peers/protocol.m: `rumur`, the compiler, the verifier."""

from __future__ import annotations

import platform
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.contender import Cell, Contender, Run
from bench.measuring import LimitReached, Limits, run
from bench.sizes import Protocol
from tests.support.peers import RUMUR_STATES

MODEL = Path(__file__).parent / "peers" / "protocol.m"


def text_of(cell: Cell, *, retry: bool = True) -> str:
    """The model with its numbers set; `retry`: with the check that it is about."""
    text = MODEL.read_text(encoding="utf-8")
    values = {
        "VCPUS": str(cell.size.vcpus),
        "PAGES": str(cell.size.pages),
        "NOTIFIERS": str(cell.size.notifiers),
        "RANGES": "true" if cell.protocol is Protocol.RANGES else "false",
        "NO_RETRY": "false" if retry else "true",
    }
    for name, value in values.items():
        text, times = re.subn(rf"^  {name}: \w+;", f"  {name}: {value};", text, flags=re.MULTILINE)
        assert times == 1, name
    return text


@dataclass(frozen=True, slots=True)
class Rumur:
    """Rumur with more options of its own."""

    options: tuple[str, ...] = ()
    threads: int = 1

    def __call__(self, cell: Cell, limits: Limits) -> Run:
        """From the text to the verdict; raises `LimitReached`."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "model.m").write_text(text_of(cell), encoding="utf-8")
            options = ["--threads", str(self.threads), "--colour", "off", *self.options]
            rumur = run(["rumur", *options, "-o", "model.c", "model.m"], folder, limits)
            wide = ["-mcx16"] if platform.machine() in ("x86_64", "AMD64") else []
            tune = ["-std=c11", "-O3", "-march=native", *wide]  # as its manual has it
            cc = run(["cc", *tune, "-w", "-o", "model", "model.c", "-lpthread"], folder, limits)
            model = run(["./model"], folder, limits)
        counted = RUMUR_STATES.search(model.said)
        if counted is None:
            if "out of memory" in model.said:
                raise LimitReached("memory")
            raise RuntimeError(f"rumur: {rumur.said} {cc.said} {model.said}")
        return Run(
            states=int(counted[1].replace(",", "")),
            seconds=rumur.seconds + cc.seconds + model.seconds,
            cpu=rumur.cpu + cc.cpu + model.cpu,
            search=model.cpu,
            peak=model.peak,
            holds="No error found" in model.said,
        )


def contenders() -> list[Contender]:
    """Rumur plain, and with its symmetry."""
    return [
        Contender("Rumur", "plain", True, Rumur(("--symmetry-reduction", "off"))),
        Contender("Rumur", "scalarsets", False, Rumur()),
        Contender("Rumur", "scalarsets, 2 threads", False, Rumur(threads=2)),
    ]
