# SPDX-License-Identifier: GPL-2.0-only
"""What becomes of each edit, worked out in several processes, told in order."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from multiprocessing import active_children, get_context

from kvmcheck.mutating import Fate, Mutation, Verdicts, Wanted

#: With fewer edits than this, starting processes costs more than it saves.
_FEW = 8


def each(mutation: Mutation, jobs: int | None, *, progress: bool) -> list[Verdicts]:
    """The verdicts on all edits, in the order of their numbers."""
    count = len(mutation.edits)
    jobs = jobs or ((os.cpu_count() or 1) if count >= _FEW else 1)
    found: list[Verdicts] = []
    if jobs == 1 or count <= 1:
        for number in range(1, count + 1):
            _progress(number - 1, count, found, progress)
            found.append(mutation.verdicts(number))
    else:
        found = _in_processes(mutation, min(jobs, count), progress)
    _progress(count, count, found, progress)
    return found


def _in_processes(mutation: Mutation, jobs: int, progress: bool) -> list[Verdicts]:
    count = len(mutation.edits)
    context = get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_die_quietly)
    found: list[Verdicts] = []
    try:
        futures = [pool.submit(_in_worker, mutation.wanted, number) for number in range(1, count + 1)]
        for number, future in enumerate(futures):
            _progress(number, count, found, progress)
            try:
                found.append(future.result())
            except BrokenProcessPool:
                found.append(Verdicts(Fate.UNKNOWN, "its process died, perhaps for want of memory"))
    except BaseException:
        for process in active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return found


def _die_quietly() -> None:
    """On Ctrl-C, which every process of the terminal gets, a worker just ends."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))


def _in_worker(wanted: Wanted, number: int) -> Verdicts:
    return _read(wanted).verdicts(number)


@lru_cache(maxsize=1)
def _read(wanted: Wanted) -> Mutation:
    """The scenario, read once in each process: its edits have the same numbers everywhere."""
    return Mutation(wanted)


def _progress(done: int, count: int, found: list[Verdicts], progress: bool) -> None:
    if progress:
        survived = sum(verdicts.fate is Fate.SURVIVED for verdicts in found)
        text = f"{done} of {count} edits, {survived} survived" if done < count else ""
        sys.stderr.write(f"\r{text}\x1b[K" if sys.stderr.isatty() else f"{text}\n" if text else "")
        sys.stderr.flush()
