# SPDX-License-Identifier: GPL-2.0-only
"""What both sides of the comparison have in common: the words, and the shape of a skeleton."""

from __future__ import annotations

from dataclasses import dataclass

#: The counters of the notifier protocol.
COUNTERS = frozenset({"mmu_notifier_seq", "mmu_notifier_count"})

#: Functions that take a lock or give it back; the lock is the first argument.
LOCKING = frozenset(
    f"{verb}_{what}"
    for verb, whats in {
        "spin": ("lock", "unlock", "trylock"),
        "read": ("lock", "unlock"),
        "write": ("lock", "unlock"),
        "mutex": ("lock", "unlock"),
        "down": ("read", "write"),
        "up": ("read", "write"),
    }.items()
    for what in whats
)

#: Marks around an access or a condition, which do nothing by themselves.
TRANSPARENT = frozenset({"data_race", "READ_ONCE", "ACCESS_ONCE", "WRITE_ONCE", "likely", "unlikely"})


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a function does; `added`: by a line that the patch adds (never so in the model)."""

    text: str
    added: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive events, from a line of the file on."""

    line: int
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A function as far as it is shown: between two parts, and before or behind them, something may be missing."""

    function: str
    file: str
    begins: bool
    ends: bool
    parts: tuple[Part, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return self.begins and self.ends and len(self.parts) == 1
