# SPDX-License-Identifier: GPL-2.0-only
"""Names of the spec as names of the target: its own words and C's are left alone, and no two become one."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORDS = """
    auto bool break case char const continue default define do double else enum extern float for goto if inline
    int long main memcpy memset now null printf register restrict return short signed sizeof static stdin stdout
    struct switch true false typedef uchar uint ulong undef union unsigned ushort void volatile while linux unix
    errno assert exit abort rand index time log pow
"""
#: The generated verifiers are C programs, so no target takes these for a variable.
C_WORDS = frozenset(_WORDS.split())


class Names:
    """The names of one text.  `reserved`: the target's own words, in any case.

    A field of a record has no name that a variable has: SPIN takes the one for the other.  `capitals`: whether a
    variable may be called in capitals alone; in SPIN's verifier it may not, since those are its macros.
    """

    def __init__(self, reserved: Iterable[str], outer: Names | None = None, *, capitals: bool = True) -> None:
        self._capitals = capitals
        self._reserved = {word.lower() for word in reserved} | C_WORDS
        self._taken: set[str] = set()
        self._of_fields: set[str] = set()
        self._outer = outer

    def take(self, *wanted: str) -> str:
        """A name that nothing else has: the first of these that is free, made safe, or the last with a number."""
        for text in wanted:
            name = self.safe(text)
            if self._is_free(name):
                return self._give(name)
        stem, number = self.safe(wanted[-1]).rstrip("_"), 2
        while not self._is_free(f"{stem}_{number}"):
            number += 1
        return self._give(f"{stem}_{number}")

    def take_variable(self, *wanted: str) -> str:
        """The same, for a variable, a field or a process."""
        return self.take(*(text if self._capitals or not text.isupper() else f"{text}_v" for text in wanted))

    def _is_free(self, name: str) -> bool:
        taken = self._taken | self._of_fields | (self._outer._taken if self._outer else set())
        return name not in taken

    def _give(self, name: str) -> str:
        self._taken.add(name)
        if self._outer is not None:
            self._outer._of_fields.add(name)
        return name

    def safe(self, text: str) -> str:
        """The text as a name of the target, whoever else may have it."""
        name = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")
        # TLA+ takes what begins so for fairness.
        if not name or not name[0].isalpha() or name.upper().startswith(("WF_", "SF_")):
            name = f"x{name}"
        taken = name.lower() in self._reserved or name.startswith("kept_")
        return f"{name}_" if taken else name

    def inner(self) -> Names:
        """The names of a record's fields."""
        return Names(self._reserved, self, capitals=self._capitals)
