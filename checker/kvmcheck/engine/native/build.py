# SPDX-License-Identifier: GPL-2.0-only
"""From C text to a program that can be run: the system's compiler, and a cache of what it made.

The cache is the user's own (`$XDG_CACHE_HOME/kvmcheck/native`, else `~/.cache/…`), readable by nobody else, and holds
programs by the hash of their text, compiler, options and machine.  A program gets its name when it is whole.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path

from kvmcheck.privatefolder import private_folder, remove_oldest

#: -O1 takes half the time of -O2 to compile and makes nearly the same speed: docs/reference/performance.md.
OPTIONS = ("-std=gnu11", "-O1", "-march=native", "-fno-sanitize=undefined", "-pthread", "-w")
#: So many programs are kept, those used last.
MOST_KEPT = 200
#: A folder of a build that is older than this (in seconds) is nobody's any more.
LONGEST_BUILD = 86_400
_SCRATCH = "build-"
_CPU = Path("/proc/cpuinfo")


class BuildError(Exception):
    """There is no compiler, or it does not take the text."""


@lru_cache(maxsize=1)
def compiler() -> tuple[str, ...] | None:
    """The command of a C compiler: $CC, cc, gcc, clang, or that of the package `ziglang`; None: there is none."""
    chosen = shlex.split(os.environ.get("CC", ""))
    if chosen:
        return tuple(chosen) if shutil.which(chosen[0]) else None
    for name in ("cc", "gcc", "clang"):
        found = shutil.which(name)
        if found is not None:
            return (found,)
    if importlib.util.find_spec("ziglang") is not None:
        return (sys.executable, "-m", "ziglang", "cc")
    return None


def cache_folder() -> Path:
    """The folder of built programs, ours alone; raises `BuildError` if there can be none."""
    try:
        return private_folder("native")
    except OSError as error:
        raise BuildError(f"no folder to build in: {error}") from None


def _machine() -> str:
    """What `-march=native` depends on."""
    try:
        lines = _CPU.read_text(errors="replace").splitlines()
    except OSError:
        return platform.processor()
    wanted = ("model name", "flags", "Features", "CPU part")
    return "\n".join(dict.fromkeys(line for line in lines if line.startswith(wanted)))


def _fingerprint(source: str, command: tuple[str, ...]) -> str:
    where = shutil.which(command[0]) or command[0]
    try:
        found = Path(where).stat()
        identity = f"{where} {found.st_mtime_ns} {found.st_size}"
    except OSError:
        identity = where
    parts = (source, "\0".join(command), "\0".join(OPTIONS), identity, platform.machine(), _machine())
    return hashlib.sha256("\0\0".join(parts).encode()).hexdigest()


def _command(options: tuple[str, ...]) -> tuple[str, ...]:
    command = compiler()
    if command is None:
        raise BuildError("no C compiler was found ($CC, cc, gcc, clang, or the extra kvmcheck[native])")
    return (*command, *OPTIONS, *options)


class Build:
    """A program that is being built, or was already.  Raises `BuildError` where that can't even begin."""

    def __init__(self, source: str, options: tuple[str, ...] = ()) -> None:
        self._command = _command(options)
        folder = cache_folder()
        self.program = folder / _fingerprint(source, self._command)
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch: Path | None = None
        if self.program.exists():
            os.utime(self.program)
            return
        _tidy(folder)
        self._scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=folder))
        text = self._scratch / "program.c"
        text.write_text(source, encoding="utf-8")
        try:
            with (self._scratch / "said").open("wb") as said:
                self._process = subprocess.Popen(
                    [*self._command, "-o", str(self._scratch / "program"), str(text)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    start_new_session=True,
                )
        except OSError as error:
            self.cancel()
            raise BuildError(f"{self._command[0]} can't be run: {error}") from None

    @staticmethod
    def is_built(source: str, options: tuple[str, ...] = ()) -> bool:
        """Whether there would be nothing to build."""
        return (cache_folder() / _fingerprint(source, _command(options))).exists()

    @property
    def is_cached(self) -> bool:
        """Whether there was nothing to build."""
        return self._process is None

    def ready(self) -> bool:
        """Whether the program can be run now; raises `BuildError` if it never can."""
        if self._process is None:
            return True
        status = self._process.poll()
        return status is not None and self._done(status)

    def wait(self) -> Path:
        """The program, once it is built; raises `BuildError`."""
        try:
            if self._process is not None:
                self._done(self._process.wait())
        except BaseException:
            self.cancel()
            raise
        return self.program

    def _done(self, status: int) -> bool:
        assert self._scratch is not None
        if status != 0:
            said = (self._scratch / "said").read_text(errors="replace").strip()
            self.cancel()
            errors = [line for line in said.splitlines() if "error" in line] or said.splitlines()
            first = errors[0] if errors else f"exit status {status}"
            raise BuildError(f"{self._command[0]} failed: {first}")
        built = self._scratch / "program"
        built.chmod(0o700)
        built.replace(self.program)
        self._process = None
        self.cancel()
        return True

    def cancel(self) -> None:
        """End what is still at work, and leave nothing behind but a finished program."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # the driver and the compiler that it has started
            process.wait()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None


def _tidy(folder: Path) -> None:
    """Remove the programs that were not used for longest, when there are too many, and what a killed build left."""
    remove_oldest(folder, MOST_KEPT)
    try:
        for path in folder.glob(f"{_SCRATCH}*"):
            if path.is_dir() and time.time() - path.stat().st_mtime > LONGEST_BUILD:
                shutil.rmtree(path, ignore_errors=True)
    except OSError:
        return
