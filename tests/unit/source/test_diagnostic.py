# SPDX-License-Identifier: GPL-2.0-only
"""Diagnostics are kept once each, in the order of the source."""

from __future__ import annotations

from kvmcheck.source.diagnostic import BadInput, Collector
from kvmcheck.source.text import SourceText, Span

SOURCE = SourceText("a.kvm", "one\ntwo\n\tthree")


def at(start: int, source: SourceText = SOURCE) -> Span:
    """One character."""
    return Span(source, start, start + 1)


def test_diagnostics_come_in_source_order_and_once() -> None:
    collector = Collector()
    collector.error("KVM101", "later", at(5))
    collector.warn("KVM410", "first", at(1))
    collector.error("KVM101", "the same again", at(5))
    collector.error("KVM100", "another at the same place", at(5))

    assert [found.message for found in collector.all()] == ["first", "another at the same place", "later"]
    assert collector.has_errors


def test_a_warning_is_no_error() -> None:
    collector = Collector()
    collector.warn("KVM410", "m", at(0))

    assert not collector.has_errors


def test_there_are_never_more_than_twenty() -> None:
    collector = Collector()
    source = SourceText("b.kvm", "x" * 100)
    for place in range(100):
        collector.error("KVM100", "m", at(place, source))

    assert len(collector.all()) == Collector.CAP == 20


def test_bad_input_says_what_is_bad() -> None:
    collector = Collector()
    collector.error("KVM100", "m", at(0))

    assert str(BadInput(collector.all())) == "KVM100: m"


def test_lines_and_columns_are_counted_from_one() -> None:
    assert [(at(n).line, at(n).column) for n in (0, 3, 4, 8, 9)] == [(1, 1), (1, 4), (2, 1), (3, 1), (3, 2)]
    assert [SOURCE.line(n) for n in (0, 1, 2, 3, 4)] == ["", "one", "two", "\tthree", ""]
    assert at(4).to(at(6)).text == "two"
