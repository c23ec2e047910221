# SPDX-License-Identifier: GPL-2.0-only
"""States and CPU seconds as one of the three numbers grows.  Needs the extra `bench` (matplotlib)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.rounds import Row
from bench.sizes import GROWTH


def draw(rows: Sequence[Row], to: Path) -> None:
    """One picture: a column for each number that grows, states above and CPU seconds below."""
    import matplotlib

    matplotlib.use("svg")
    # The same text for the same numbers.
    matplotlib.rcParams["svg.hashsalt"] = "kvmcheck"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, len(GROWTH), figsize=(12, 7), sharey="row", layout="constrained")
    names = list(dict.fromkeys((row.name, row.settings) for row in rows))
    for column, (grows, sizes) in enumerate(GROWTH.items()):
        for name, settings in names:
            found = {
                row.cell.size: row.median
                for row in rows
                if (row.name, row.settings) == (name, settings) and row.median is not None
            }
            done = [size for size in sizes if size in found]
            numbers = [getattr(size, grows) for size in done]
            label = f"{name}, {settings}"
            style = "-o" if name == "kvmcheck" else "--s"
            axes[0][column].plot(numbers, [found[size].states for size in done], style, label=label)
            axes[1][column].plot(numbers, [found[size].cpu for size in done], style, label=label)
        axes[0][column].set_title(f"more {grows}")
        axes[1][column].set_xlabel(f"{grows} (the others: {sizes[0]} upwards)")
        for row in range(2):
            axes[row][column].set_yscale("log")
            axes[row][column].set_xticks([getattr(size, grows) for size in sizes])
            axes[row][column].grid(visible=True, alpha=0.3)
    axes[0][0].set_ylabel("states")
    axes[1][0].set_ylabel("CPU seconds from the text to the verdict")
    axes[0][0].legend(fontsize="x-small")
    figure.savefig(to, metadata={"Date": None})
    pyplot.close(figure)
