# SPDX-License-Identifier: GPL-2.0-only
"""Values as numbers: what goes in comes out, and every code is below its sort's count."""

from __future__ import annotations

import pytest

from kvmcheck.engine.layout import Layout
from kvmcheck.engine.native.coding import Coding, Unsupported
from kvmcheck.engine.reductions import Reductions
from kvmcheck.semantics.sorts import (
    BOOL,
    EnumSort,
    IdSort,
    IntSort,
    ListSort,
    LockFlavour,
    LockSort,
    ObjectPointerSort,
    OptionalSort,
    SeqSort,
    SetSort,
    Sort,
    UnionSort,
    Value,
    WordSort,
)
from tests.support.compare import program_of, unit_of

PAGE = IdSort("Page", 3, ordered=False)
WORD = WordSort("Spte", (("present", BOOL, 0), ("page", OptionalSort(PAGE), None), ("n", IntSort(-2, 5), 0)))
UNION = UnionSort("Rmap", (("empty", None), ("one", PAGE), ("num", IntSort(0, 2))))

VALUES: list[tuple[Sort, tuple[Value, ...]]] = [
    (BOOL, (0, 1)),
    (IntSort(-3, 4), (-3, 0, 4)),
    (EnumSort("E", ("a", "b", "c")), (0, 2)),
    (OptionalSort(PAGE), (None, 0, 2)),
    (OptionalSort(OptionalSort(PAGE)), (None, 1)),
    (WORD, ((1, None, -2), (0, 2, 5))),
    (OptionalSort(WORD), (None, (1, 1, 0))),
    (UNION, ((0,), (1, 2), (2, 1))),
    (ListSort(PAGE, 3, scenario_sized=False), ((), (2,), (0, 1, 2))),
    (ListSort(WORD, 2, scenario_sized=False), ((), ((1, None, 3), (0, 2, -1)))),
    (SetSort(PAGE), (0, 5, 7)),
    (ObjectPointerSort("Desc", 2), (None, 0, 1)),
    (LockSort(LockFlavour.SPINLOCK), (None, 0, 1)),
    (LockSort(LockFlavour.RWLOCK), ((None, 0), (1, 0), (None, 3))),
    (SeqSort(4), (0, 3)),
]


def coding_of(text: str) -> Coding:
    program = program_of(unit_of(text), "s")
    return Coding(Layout(program, Reductions()))


TWO_THREADS = 'shared int 0..1 x;\nscenario s "s" { process p[2] { x = 1; } check no_deadlock; }\n'


@pytest.mark.parametrize(("sort", "values"), VALUES, ids=lambda part: str(part)[:40])
def test_a_value_survives_its_code(sort: Sort, values: tuple[Value, ...]) -> None:
    coding = coding_of(TWO_THREADS)

    for value in values:
        code = coding.code(sort, value)
        assert 0 <= code < coding.count(sort)
        assert coding.value(sort, code) == value


@pytest.mark.parametrize(("sort", "values"), VALUES, ids=lambda part: str(part)[:40])
def test_different_values_have_different_codes(sort: Sort, values: tuple[Value, ...]) -> None:
    coding = coding_of(TWO_THREADS)

    assert len({coding.code(sort, value) for value in values}) == len(values)


def test_a_stale_pointer_has_a_code_where_something_is_freed() -> None:
    coding = coding_of(
        "object Desc { int 0..1 x; }\n"
        'scenario s "s" { Desc = 2; process p { Desc *d = alloc Desc; free(d); } check no_deadlock; }\n'
    )
    sort = ObjectPointerSort("Desc", 2)

    codes = [coding.code(sort, value) for value in (None, 0, 1, ~0, ~1)]

    assert sorted(codes) == list(range(coding.count(sort)))
    assert [coding.value(sort, code) for code in codes] == [None, 0, 1, ~0, ~1]


def test_a_value_that_is_too_wide_is_refused() -> None:
    coding = coding_of(TWO_THREADS)

    with pytest.raises(Unsupported, match="bits"):
        coding.count(ListSort(IntSort(0, 255), 9, scenario_sized=False))
