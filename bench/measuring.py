# SPDX-License-Identifier: GPL-2.0-only
"""One command as a whole process: seconds on the clock, CPU seconds, and the most memory it had at once.

CPU seconds (user and system, as the system counts them) say the same whatever else the machine does; seconds on the
clock do not.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class LimitReached(Exception):
    """A command was stopped; the text says by which limit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one command may have: CPU seconds, and bytes of addresses where they can be limited.

    On the clock it may take `patience` times as long, since others use the machine too.
    """

    seconds: float = 120
    memory: int = 16 << 30
    patience: float = 8


@dataclass(frozen=True, slots=True)
class Used:
    """What a command used, with the processes that it waited for.

    `seconds` are of the clock, `cpu` of the processors, `peak` is bytes (`ru_maxrss`: of the largest process alone).
    """

    seconds: float
    cpu: float
    peak: int
    status: int
    said: str


def run(
    command: list[str],
    folder: Path,
    limits: Limits,
    *,
    environment: Mapping[str, str] | None = None,
    bounded: bool = True,
) -> Used:
    """Run a command to its end; raises `LimitReached`.

    `bounded`: the limit on memory is one on addresses.  What reserves more than it uses must bound itself.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        begun = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        if bounded:
            resource.prlimit(process.pid, resource.RLIMIT_AS, (limits.memory, limits.memory))
        whole = max(1, round(limits.seconds))
        # At the first limit comes a signal of its own; the second is for who ignores it.
        resource.prlimit(process.pid, resource.RLIMIT_CPU, (whole, whole + 5))
        late = threading.Event()

        def stop() -> None:
            late.set()
            os.killpg(process.pid, signal.SIGKILL)

        clock = threading.Timer(limits.seconds * limits.patience, stop)
        clock.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
        finally:
            clock.cancel()
        seconds = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu = used.ru_utime + used.ru_stime
        if late.is_set() or process.returncode == -signal.SIGXCPU:
            raise LimitReached(f"> {limits.seconds:g} s")
        said.seek(0)
        return Used(
            seconds,
            cpu,
            used.ru_maxrss * 1024,
            process.returncode,
            said.read(),
        )
