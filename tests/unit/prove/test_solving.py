# SPDX-License-Identifier: GPL-2.0-only
"""A solver's process can be ended, and what it said before stays known."""

from __future__ import annotations

import time
from collections.abc import Callable

from kvmcheck.prove.solving import End, Ended, Said, isolated

Send = Callable[[int], None]


def test_what_a_process_says_is_heard_in_order() -> None:
    def work(send: Send) -> None:
        send(1)
        send(2)

    assert list(isolated(work)) == [Said(1), Said(2), Ended(End.DONE)]


def test_a_process_that_does_not_come_back_is_ended() -> None:
    def work(send: Send) -> None:
        send(1)
        time.sleep(60)

    began = time.monotonic()
    heard = list(isolated(work, seconds=0.5))

    assert heard == [Said(1), Ended(End.OUT_OF_TIME)]
    assert time.monotonic() - began < 10


def test_a_process_that_wants_too_much_memory_is_ended() -> None:
    def work(send: Send) -> None:
        send(len(bytearray(4 << 30)))

    (ended,) = isolated(work, memory=64 << 20)

    assert isinstance(ended, Ended)
    assert ended.end is End.OUT_OF_MEMORY


def test_a_failure_is_told_and_does_not_spread() -> None:
    def work(send: Send) -> None:
        raise ValueError("no\nsuch thing")

    (ended,) = isolated(work)

    assert ended == Ended(End.FAILED, "ValueError: no such thing")


def test_a_process_ends_when_nobody_listens_any_more() -> None:
    def work(send: Send) -> None:
        for number in range(1_000_000):
            send(number)

    heard = isolated(work)
    assert next(heard) == Said(0)
    began = time.monotonic()
    heard.close()

    assert time.monotonic() - began < 5
