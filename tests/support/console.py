# SPDX-License-Identifier: GPL-2.0-only
"""The `console` blocks of a page: running them, comparing them, and writing them anew.

A block holds commands (`$ kvmcheck …`) and their output.  They run one after the other in a folder that has `specs`
and `model` in it, and the files that the page shows as `kvm file NAME`.  A line `…` stands for any lines; times are
not compared.

`make pages` puts the real output into the pages.  Read the diff.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.markdown import Fenced, fenced

ROOT = Path(__file__).parents[2]

#: A number of seconds, or a rate: what differs from run to run.
TIMES = re.compile(r"\d[\d,.]* ?(?:ms|µs|s|seconds|states/s)\b")


@dataclass(frozen=True, slots=True)
class Ran:
    """A command of a page: what the page shows, and what it printed just now."""

    block: Fenced
    command: str
    shown: str
    printed: str

    @property
    def as_shown(self) -> bool:
        """Whether it printed what the page shows."""
        return fits(comparable(self.shown), comparable(self.printed))


def comparable(text: str) -> list[str]:
    """Output as it is compared: no times, no blanks at line ends, no empty lines at the ends."""
    lines = text.strip("\n").split("\n") if text.strip("\n") else []
    return [TIMES.sub("TIME", line).rstrip() for line in lines]


def fits(shown: list[str], printed: list[str]) -> bool:
    """Whether the printed lines are those shown; a line `…` fits any lines, also none."""
    if not shown:
        return not printed
    if shown[0].strip() == "…":
        return any(fits(shown[1:], printed[i:]) for i in range(len(printed) + 1))
    return bool(printed) and shown[0] == printed[0] and fits(shown[1:], printed[1:])


def commands(block: Fenced) -> Iterator[tuple[str, str]]:
    """Each command of a block with the output that the page shows."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def prepared(folder: Path) -> None:
    """Give a folder what the reader of a page has: `specs`, `model`, and a `kvmcheck` command."""
    for name in ("specs", "model"):
        (folder / name).symlink_to(ROOT / name)
    command = folder / ".bin" / "kvmcheck"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kvmcheck "$@"\n', encoding="utf-8")
    command.chmod(0o755)


def run_page(page: Path, folder: Path) -> Iterator[Ran]:
    """The commands of a page, run in order in a prepared folder."""
    environment = {
        "PATH": f"{folder / '.bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "checker"),
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "100",
    }
    status = 0
    for block in fenced(page):
        if block.info[:2] == ("kvm", "file"):
            (folder / block.info[2]).write_text(block.text, encoding="utf-8")
        if block.info != ("console",):
            continue
        for command, shown in commands(block):
            done = subprocess.run(
                ["bash", "-c", f"(exit {status}); {command}"],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=120,
                check=False,
            )
            status = done.returncode
            yield Ran(block, command, shown, done.stdout)


def _excerpt(shown: str, printed: str) -> str | None:
    """The printed text, of which the page may leave out the beginning and the end; None if it can't be told where."""
    before, after = shown.strip("\n").split("\n"), printed.strip("\n").split("\n")
    head, tail = before[0].strip() == "…", before[-1].strip() == "…"
    kept = before[head : len(before) - tail]
    if "…" in (line.strip() for line in kept):
        return None
    if head or tail:
        if not kept or (head and kept[0] not in after) or (tail and kept[-1] not in after):
            return None
        start = after.index(kept[0]) if head else 0
        end = after.index(kept[-1]) + 1 if tail else len(after)
        after = ["…"] * head + after[start:end] + ["…"] * tail
    return "".join(f"{line}\n" for line in after) if printed.strip() else ""


def written_anew(page: Path) -> list[str]:
    """Put the real output into a page; what could not be put there, since the page leaves lines out."""
    complaints = []
    text = page.read_text(encoding="utf-8")
    at = 0
    with tempfile.TemporaryDirectory() as name:
        prepared(Path(name))
        for ran in run_page(page, Path(name)):
            old = f"$ {ran.command}\n{ran.shown}"
            at = text.index(old, at)
            if ran.as_shown:
                new = old
            elif "KVM900" not in ran.printed and (output := _excerpt(ran.shown, ran.printed)) is not None:
                new = f"$ {ran.command}\n{output}"
            else:
                complaints.append(f"{ran.block.place}: $ {ran.command}: mend by hand\n{ran.printed}")
                new = old
            text = text[:at] + new + text[at + len(old) :]
            at += len(new)
    page.write_text(text, encoding="utf-8")
    return complaints


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(*written_anew(Path(argument).resolve()), sep="\n", end="")
