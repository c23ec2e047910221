# SPDX-License-Identifier: GPL-2.0-only
"""`--changed-since REV`: the specs of which a text, or that of any module they use, is not what it was in a commit.

Git says which files differ between the commit and the working tree, and which are new.  A spec has changed if one of
these is part of it; or would be: a module that was removed may have stood in front of the one that is found now.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kvmcheck.cli.arguments import BadArguments
from kvmcheck.cli.files import SpecFile
from kvmcheck.lang.closure import UsesOf, closure
from kvmcheck.library import model_folder

#: Git should answer within so many seconds, on a kernel tree too.
_PATIENCE = 120
#: A repository's own settings must not run programs of its choice here.
_SAFE = ("--no-optional-locks", "--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs from a commit in one working tree: the paths of files, links and submodules."""

    root: Path
    paths: frozenset[Path]

    def touches(self, path: Path) -> bool:
        """Whether the file, what it links to, or a folder on the way to it (a link, a submodule) differs."""
        plain = Path(os.path.realpath(path.parent)) / path.name
        ways = (plain, Path(os.path.realpath(path)), Path(os.path.normpath(Path.cwd() / path)))
        return any(at in self.paths for way in ways for at in (way, *way.parents))


def changed_specs(specs: Sequence[SpecFile], revision: str, uses_of: UsesOf) -> list[SpecFile]:
    """Those of the specs that have changed since the revision; raises `BadArguments` where Git can't say."""
    differences: dict[Path, Difference] = {}
    changed: list[SpecFile] = []
    for spec in specs:
        path = Path(spec.path)
        root = _root(path.parent)
        if root not in differences:
            differences[root] = _difference(root, revision)
        difference = differences[root]
        parts = closure(path, (model_folder(),), uses_of)
        # Of what can't be read somebody has to be told.
        if parts is None or any(
            difference.touches(place) for part in parts for place in (part.path, *part.passed)
        ):
            changed.append(spec)
    return changed


def _root(folder: Path) -> Path:
    return Path(_git(folder, "rev-parse", "--show-toplevel").rstrip("\n"))


def _difference(root: Path, revision: str) -> Difference:
    commit = _git(
        root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    ).strip()
    if not commit:
        raise BadArguments(f"--changed-since: Git knows no commit `{revision}` in {root}")
    differ = _git(root, "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", commit, "--")
    new = _git(root, "ls-files", "-z", "--others", "--", "*.kvm")
    return Difference(root, frozenset(root / name for name in (differ + new).split("\0") if name))


def _git(folder: Path, *arguments: str) -> str:
    """What Git prints; nothing where it only says no (`--quiet`).  Raises `BadArguments`."""
    command = ["git", "-C", str(folder), *_SAFE, *arguments]
    try:
        run = subprocess.run(
            command,
            capture_output=True,
            check=False,
            timeout=_PATIENCE,
            encoding="utf-8",
            errors="surrogateescape",
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise BadArguments("--changed-since needs Git, and there is no `git` on the PATH") from None
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise BadArguments(f"--changed-since: git can't be asked: {error}") from None
    if run.returncode != 0 and "--quiet" not in arguments:
        said = (run.stderr.strip().splitlines() or [f"exit status {run.returncode}"])[0]
        raise BadArguments(f"--changed-since: git says: {said}")
    return run.stdout if run.returncode == 0 else ""
