# SPDX-License-Identifier: GPL-2.0-only
"""The user's own folders for what kvmcheck keeps between runs: `$XDG_CACHE_HOME/kvmcheck/…`, else `~/.cache/…`."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def private_folder(name: str) -> Path:
    """The folder of that name, made if need be, readable and writable by nobody else; raises `OSError`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        root = Path(base) if base.startswith("/") else Path.home() / ".cache"
    except RuntimeError as error:  # a user without a home
        raise OSError(str(error)) from None
    folder = root / "kvmcheck" / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)
    if stat.S_IMODE(found.st_mode) & 0o022:
        # Somebody else may have put something there, and we would believe it.
        remove_oldest(folder, 0)
    return folder


def remove_oldest(folder: Path, most: int) -> None:
    """Remove the files that were not used for longest, when there are more than `most`."""
    try:
        entries = [(path, path.stat()) for path in folder.iterdir()]
        files = sorted(
            ((path, found.st_mtime) for path, found in entries if stat.S_ISREG(found.st_mode)),
            key=lambda entry: entry[1],
        )
        for path, _ in files[: max(0, len(files) - most)]:
            path.unlink(missing_ok=True)
    except OSError:
        return
