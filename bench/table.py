# SPDX-License-Identifier: GPL-2.0-only
"""What was measured, as a table in Markdown, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from bench.contender import Cell
from bench.rounds import Row

_COLUMNS = ("checker", "settings", "states", "seconds", "CPU s", "states/CPU s", "peak MB", "B/state", "runs")


def record(row: Row) -> dict[str, str | int | float | None]:
    """A row as flat data.  Units: seconds, bytes; `search_cpu` and what is made of it are of the search alone."""
    run = row.median
    flat: dict[str, str | int | float | None] = {
        "protocol": row.cell.protocol.value,
        "size": str(row.cell.size),
        "checker": row.name,
        "settings": row.settings,
        "plain": int(row.plain),
        "runs": row.runs,
        "ended": row.ended,
    }
    fields: dict[str, str | int | float | None] = {
        "states": None,
        "seconds": None,
        "cpu": None,
        "search": None,
        "peak": None,
        "table": None,
        "holds": None,
    }
    if run is not None:
        fields |= asdict(run)
        fields["states_per_cpu_second"] = round(run.states / max(run.search, 1e-3))
        fields["table_bytes_per_state"] = None if run.table is None else round(run.table / run.states, 1)
    return flat | fields


def as_csv(rows: Iterable[Row]) -> str:
    """One line a row."""
    records = [record(row) for row in rows]
    names = list(dict.fromkeys(name for one in records for name in one))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def as_json(rows: Iterable[Row], machine: dict[str, str]) -> str:
    """The machine, and one object a row."""
    whole = {"machine": machine, "rows": [record(row) for row in rows]}
    return json.dumps(whole, indent=1) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _shown(row: Row) -> list[str]:
    run = row.median
    if run is None:
        return [row.name, row.settings, row.ended, *["–"] * 5, str(row.runs)]
    # Of a search that is over at once, the rate says nothing.
    rate = f"{run.states / run.search:,.0f}" if run.search >= 0.02 else "–"
    return [
        row.name,
        row.settings,
        f"{run.states:,}" + ("" if run.holds else " (violated)"),
        f"{run.seconds:.2f}",
        f"{run.cpu:.2f}",
        rate,
        f"{run.peak / 2**20:,.0f}",
        "–" if run.table is None else f"{run.table / run.states:,.0f}",
        str(row.runs),
    ]


def as_markdown(rows: Sequence[Row]) -> str:
    """A table for each cell."""
    text = []
    for cell in dict.fromkeys(row.cell for row in rows):
        text.append(f"\n### {cell.protocol.value}, {cell.size}\n\n")
        text.append(_line(_COLUMNS))
        text.append(_line(["---", "---", *["--:"] * (len(_COLUMNS) - 2)]))
        text += [_line(_shown(row)) for row in rows if row.cell == cell]
    return "".join(text)


def _best(rows: Iterable[Row], plain: bool | None = None) -> Row | None:
    done = [row for row in rows if row.median is not None and plain in (None, row.plain)]
    return min(done, key=lambda row: row.median.seconds if row.median else 0.0, default=None)


def ratios(rows: Sequence[Row]) -> str:
    """How much sooner the verdict is here than at the best peer, cell by cell; and the plain searches side by side."""
    names = ["size", "best peer", "s", "CPU s", "kvmcheck: s", "CPU s", "built before: s", "CPU s", "sooner"]
    names += ["sooner, built", "less CPU", "rate", "B/state"]
    text = [_line(names), _line(["---", "---", *["--:"] * (len(names) - 2)])]
    for cell in dict.fromkeys(row.cell for row in rows):
        here = [row for row in rows if row.cell == cell]
        text.append(_line([f"{cell.protocol.value} {cell.size}", *_ratios(here)]))
    return "".join(text)


def _ratios(rows: Sequence[Row]) -> list[str]:
    peer = _best(row for row in rows if row.name != "kvmcheck")
    ours = [row.median for row in rows if row.name == "kvmcheck" and not row.plain]
    cells = ["–"] * 12
    if peer is not None and peer.median is not None:
        best = peer.median
        cells[:3] = [f"{peer.name}, {peer.settings}", f"{best.seconds:.2f}", f"{best.cpu:.2f}"]
        for at, run in enumerate(ours):
            if run is not None:
                cells[3 + 2 * at : 5 + 2 * at] = [f"{run.seconds:.2f}", f"{run.cpu:.2f}"]
                cells[7 + at] = f"{best.seconds / run.seconds:.1f}"
        if ours and ours[0] is not None:
            cells[9] = f"{best.cpu / ours[0].cpu:.1f}"
    plain = {row.name: row.median for row in rows if row.plain}
    native, spin = plain.get("kvmcheck"), plain.get("SPIN")
    if native is not None and spin is not None:
        cells[10] = f"{native.states / max(native.search, 1e-3) / (spin.states / max(spin.search, 1e-3)):.1f}"
        if native.table and spin.table:
            cells[11] = f"1/{spin.table / spin.states / (native.table / native.states):.1f}"
    return cells


def cells_of(rows: Iterable[Row]) -> list[Cell]:
    """The cells that rows are about, in their order."""
    return list(dict.fromkeys(row.cell for row in rows))
