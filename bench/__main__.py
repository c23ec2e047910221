# SPDX-License-Identifier: GPL-2.0-only
"""kvmcheck beside SPIN and Rumur on the protocol of 2008, and how all of them grow.

make bench                                       all of it, into bench/results; about an hour
python -m bench --rounds 1 --seconds 10 --no-growth 2x1x1
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench import ours, rumur, spin, table
from bench.contender import Cell, Contender
from bench.measuring import Limits
from bench.plots import draw
from bench.rounds import Measured, measure
from bench.sizes import GROWTH, SIZES, Protocol, Size
from tests.support.peers import missing

RESULTS = Path(__file__).parent / "results"
#: Who is in the pictures.
GROWING = {
    ("kvmcheck", "plain"),
    ("kvmcheck", "as it comes"),
    ("SPIN", "partial order, COLLAPSE"),
    ("SPIN", "sections by hand, partial order"),
    ("Rumur", "scalarsets"),
}


def contenders(cache: Path) -> list[Contender]:
    """All that are installed; `cache` is a folder for what kvmcheck builds."""
    found = [*ours.contenders(cache)]
    if not missing("spin", "cc"):
        found += spin.contenders()
    if not missing("rumur", "cc"):
        found += rumur.contenders()
    return found


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "not installed"
    lines = (done.stdout + done.stderr).splitlines()
    return lines[0] if lines else ""


def machine(measured: Measured) -> dict[str, str]:
    """What the figures depend on."""
    loads = measured.loads or os.getloadavg()[:1]
    info = Path("/proc/cpuinfo")
    models = [
        line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line
    ]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{os.cpu_count()} x {models[0] if models else platform.processor()}",
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "load": f"{min(loads):.1f} to {max(loads):.1f}",
        "python": platform.python_version(),
        "cc": _first_line(["cc", "--version"]),
        "spin": _first_line(["spin", "-V"]),
        "rumur": _first_line(["rumur", "--version"]),
    }


def write(to: Path, name: str, measured: Measured) -> None:
    """The three forms of a table."""
    facts = machine(measured)
    about = "".join(f"- {key}: {value}\n" for key, value in facts.items())
    tag = "<!-- SPDX-License-Identifier: GPL-2.0-only -->\n"
    text = f"{tag}# {name}\n\n{about}\n{table.ratios(measured.rows)}{table.as_markdown(measured.rows)}"
    (to / f"{name}.md").write_text(text, encoding="utf-8")
    (to / f"{name}.csv").write_text(table.as_csv(measured.rows), encoding="utf-8")
    (to / f"{name}.json").write_text(table.as_json(measured.rows, facts), encoding="utf-8")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", nargs="*", type=Size.of, metavar="VxPxN", help="of the table")
    parser.add_argument(
        "--protocol", choices=[one.value for one in Protocol], help="one of them (default: both)"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=100, help="the most that one command may take")
    parser.add_argument("--memory", type=int, default=12, help="GiB that one command may take")
    parser.add_argument("--no-table", action="store_true")
    parser.add_argument("--no-growth", action="store_true")
    parser.add_argument("--to", type=Path, default=RESULTS, metavar="FOLDER")
    given = parser.parse_args()
    limits = Limits(given.seconds, given.memory << 30)
    protocols = [Protocol(given.protocol)] if given.protocol else list(Protocol)
    given.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as cache:
        everybody = contenders(Path(cache))
        for protocol in [] if given.no_table else protocols:
            cells = [Cell(protocol, size) for size in given.sizes or SIZES]
            found = measure(cells, everybody, limits, given.rounds)
            write(given.to, f"comparison-{protocol.value}", found)
        if not given.no_growth:
            sizes = dict.fromkeys(size for sizes in GROWTH.values() for size in sizes)
            growing = [one for one in everybody if (one.name, one.settings) in GROWING]
            for protocol in protocols:
                found = measure([Cell(protocol, size) for size in sizes], growing, limits, 1)
                write(given.to, f"growth-{protocol.value}", found)
                draw(found.rows, given.to / f"growth-{protocol.value}.svg")


if __name__ == "__main__":
    main()
