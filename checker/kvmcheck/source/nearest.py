# SPDX-License-Identifier: GPL-2.0-only
"""The name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that is closest to the word, if it is close and no other is as close.

    Close is at most two edits (a letter more, less, other, or two swapped), one for a short word; upper and
    lower case are alike.  A wrong suggestion is worse than none.

    >>> nearest("dirtty", ["dirty", "dirt_log"])
    'dirty'
    >>> nearest("gfn", ["pfn", "gpa"])
    'pfn'
    >>> nearest("a", ["b", "c"]) is None
    True
    """
    most = 2 if len(word) > 4 else 1
    distances = sorted((_distance(word.lower(), name.lower(), most), name) for name in set(known) - {word})
    if not distances or distances[0][0] > min(most, len(word) - 1):
        return None
    if len(distances) > 1 and distances[1][0] == distances[0][0]:
        return None
    return distances[0][1]


def _distance(a: str, b: str, most: int) -> int:
    """How many edits lead from a to b; anything above `most` if more."""
    if abs(len(a) - len(b)) > most:
        return most + 1
    before_last: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        row = [i]
        for j, y in enumerate(b, start=1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before_last[j - 2] + 1)
            row.append(cost)
        before_last, last = last, row
    return last[-1]
