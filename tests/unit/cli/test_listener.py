# SPDX-License-Identifier: GPL-2.0-only
"""Progress is for searches that take a while, on a terminal, and goes away again."""

from __future__ import annotations

import io
import sys

import pytest

from kvmcheck.cli.listener import Listener
from kvmcheck.pipeline import Progress
from kvmcheck.render.paint import Paint
from kvmcheck.render.verdicts import Detail
from kvmcheck.source.diagnostic import Diagnostic, Label
from tests.support.told import at

FAR = Progress(1_234_567, 2_000_000, 45_000.0, 21, 9_000, 30.0)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """What is written to stderr; not a fixture, since pytest puts its own stream in place before each test."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def listener(*, begun: float = -1e9, terse: bool = False) -> Listener:
    """A listener of a run that began long ago, or just now."""
    made = Listener(Paint(), Paint(), Detail(), terse, False, True, False)
    made._begun = begun
    return made


def test_a_long_search_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    listener().searching("one", FAR)

    assert terminal.getvalue() == (
        "\rone: 1,234,567 states, 45,000 a second, depth 21, 9,000 to expand\x1b[K"
    )


def test_a_short_search_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    listener(begun=1e18).searching("one", FAR)

    assert terminal.getvalue() == ""


def test_progress_fits_the_line_and_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    made = listener()
    made.searching("n" * 200 + "\x1b[2J", FAR)
    made.clear()
    line, cleared = terminal.getvalue().split("\x1b[K")[:2]

    assert len(line) <= 80
    assert cleared == "\r"
    assert "\x1b[2J" not in terminal.getvalue()


def test_a_diagnostic_of_a_shared_module_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    said = Diagnostic("KVM201", "`x` is not declared", Label(at("mmu_lock")))
    made = listener(terse=True)
    made.diagnostics((said,))
    made.diagnostics((said,))

    assert terminal.getvalue().count("KVM201") == 1
