# SPDX-License-Identifier: GPL-2.0-only
"""Which files the paths on the command line stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.text import nowhere


@dataclass(frozen=True, slots=True)
class SpecFile:
    """A file to check; `found`: in a folder that was named, not named itself."""

    path: str
    found: bool


def spec_files(paths: Sequence[str], collector: Collector) -> list[SpecFile]:
    """The files in order, each once; folders give their *.kvm files, sorted, at any depth.

    A folder without any is an error: a gate that checks nothing must not be green.
    """
    files: dict[Path, SpecFile] = {}
    for text in paths:
        path = Path(text)
        if not path.is_dir():
            files.setdefault(path, SpecFile(text, False))
            continue
        inside = sorted(file for file in path.rglob("*.kvm") if file.is_file())
        if not inside:
            collector.error("KVM007", f"there is no .kvm file in the folder `{text}`", nowhere(text))
        for file in inside:
            files.setdefault(file, SpecFile(str(file), True))
    return list(files.values())
