# SPDX-License-Identifier: GPL-2.0-only
"""The statements that are never reached."""

from __future__ import annotations

import pytest

from kvmcheck.elaborate.unreachable import warn_unreachable
from kvmcheck.source.diagnostic import Collector
from tests.support.syntax import functions_of


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return; n = 1;", 1),
        ("if (n) return; n = 1;", 0),
        ("if (n) return; else goto out; n = 1; out: n = 2;", 1),
        ("forever { n = 1; } n = 2;", 1),
        ("forever { if (n) break; } n = 2;", 0),
        ("while (true) { n = 1; } n = 2;", 1),
        ("switch (n) { case 1: return; break; default: return; }", 0),
        ("goto in; if (n) { in: n = 1; }", 0),
        ("for (;;) { continue; n = 1; }", 1),
        ("return; n = 1; n = 2; n = 3;", 1),
    ],
)
def test_what_is_never_reached_is_warned_of_once(body: str, said: int) -> None:
    collector = Collector()
    warn_unreachable(functions_of(f"void f() {{ {body} }}")["f"].body, collector)

    assert [found.code for found in collector.all()] == ["KVM413"] * said
