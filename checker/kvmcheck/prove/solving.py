# SPDX-License-Identifier: GPL-2.0-only
"""A solver in a process of its own: limited in time and memory, and ended whatever it is doing.

z3 does not always come back from a query, and a query may want more memory than there is.  So no query is made in
this process: `isolated` runs a function in another one, hears its messages as they come, and ends it when its time is
over.  What it has said before that stays known.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

M = TypeVar("M")

#: The function that runs apart; it is given the function that sends a message.
Work = Callable[[Callable[[M], None]], None]

#: What a process may need besides z3's own memory: Python, the program, its encoding.
_OWN_MEMORY = 256 << 20
#: How long a process that was told to end is waited for, in seconds.
_LAST_WORDS = 2.0


class End(Enum):
    """How a process ended.  `DIED`: of what nobody asked for, most likely want of memory."""

    DONE = "done"
    OUT_OF_TIME = "the time was over"
    OUT_OF_MEMORY = "the memory did not suffice"
    FAILED = "failed"
    DIED = "the solver's process died, perhaps for want of memory"


@dataclass(frozen=True, slots=True)
class Said(Generic[M]):
    """A message of the process."""

    message: M


@dataclass(frozen=True, slots=True)
class Ended:
    """The last thing that is heard of a process; `error`: what it failed of."""

    end: End
    error: str = ""


#: What is heard of a process; closing it ends the process.
Heard = Generator[Said[M] | Ended, None, None]


def isolated(work: Work[M], *, seconds: float | None = None, memory: int | None = None) -> Heard[M]:
    """Run a function in a process of its own; yields what it says, and last how it ended.

    `seconds` from now, `memory` in bytes.  Close the iterator to end the process early.  Messages must be picklable.
    """
    # A fork has everything imported already, and takes functions of any kind; elsewhere they must be picklable.
    if sys.platform == "linux":
        forking = multiprocessing.get_context("fork")
        here, there = forking.Pipe(duplex=False)
        process: BaseProcess = forking.Process(target=_run, args=(work, there, memory), daemon=True)
    else:
        spawning = multiprocessing.get_context("spawn")
        here, there = spawning.Pipe(duplex=False)
        process = spawning.Process(target=_run, args=(work, there, memory), daemon=True)
    deadline = None if seconds is None else time.monotonic() + seconds
    process.start()
    there.close()
    try:
        with closing(here):
            yield from _heard(here, deadline)
    finally:
        if process.is_alive():
            process.kill()
        process.join(_LAST_WORDS)


def _heard(here: Connection, deadline: float | None) -> Heard[M]:
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not here.poll(left):
            yield Ended(End.OUT_OF_TIME)
            return
        try:
            found: Said[M] | Ended = here.recv()
        except (EOFError, OSError):
            yield Ended(End.DIED)
            return
        yield found
        if isinstance(found, Ended):
            return


def _run(work: Work[M], there: Connection, memory: int | None) -> None:
    """In the new process."""
    if memory is not None:
        limit = memory + _OWN_MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        work(lambda message: there.send(Said(message)))
        ended = Ended(End.DONE)
    except MemoryError:
        ended = Ended(End.OUT_OF_MEMORY)
    except KeyboardInterrupt:
        ended = Ended(End.OUT_OF_TIME)
    except Exception as error:  # noqa: BLE001 (the last door of this process: whoever asked decides what it means)
        text = " ".join(f"{type(error).__name__}: {error}".split())
        ended = Ended(End.OUT_OF_MEMORY if "out of memory" in text else End.FAILED, text)
    there.send(ended)
    there.close()
