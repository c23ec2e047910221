# SPDX-License-Identifier: GPL-2.0-only
"""Objects, pointers, words, unions, lists, sets."""

from __future__ import annotations

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import explore
from kvmcheck.semantics.program import Op, PointerPlace, Root, The, VariablePlace
from kvmcheck.semantics.sorts import (
    BOOL,
    IntSort,
    ListSort,
    ObjectPointerSort,
    OptionalSort,
    PlacePointerSort,
    SetSort,
    UnionSort,
    WordSort,
)
from kvmcheck.semantics.verdict import Verdict
from tests.support.build import SMALL, Builder, apply, bound, const, differ, equal, forall, ids, plus
from tests.support.reference import agree, verdict

DESC = ObjectPointerSort("Desc", 2)
GFN = ids("Gfn", 2)


def reused(*, dereferences: bool) -> Builder:
    """One thread publishes an object, looks again later; another frees it and allocates anew."""
    b = Builder()
    pool, (value,) = b.pool("Desc", 1, [("value", SMALL)])
    pointer = ObjectPointerSort("Desc", 1)
    head, ready, freed = b.shared("head", pointer), b.shared("ready", BOOL), b.shared("freed", BOOL)
    p, q = b.process("p"), b.process("q")
    d, again = p.local("d", pointer), p.local("again", pointer)
    p.alloc(d, pool, zeroed=True)
    p.store(head, d)
    p.store(ready, const(1, BOOL))
    p.wait(freed.read())
    p.load(again, head)
    p.branch(equal(again, d), lambda: p.cover("same_address"))
    if dereferences:
        p.load(p.local("v"), value.at(apply(Op.OBJECT, d, sort=pointer)))
    e = q.local("e", pointer)
    q.wait(ready.read())
    q.load(e, head)
    q.free(e, pool)
    q.alloc(e, pool)
    q.store(head, e)
    q.store(freed, const(1, BOOL))
    b.cover("same_address")
    return b


def test_a_freed_object_comes_back_at_the_same_address() -> None:
    result = agree(reused(dereferences=False).program(["p", "q"]))
    assert result.covers[0].depth is not None
    assert result.properties == ()


def test_a_stale_pointer_may_not_be_dereferenced() -> None:
    result = agree(reused(dereferences=True).program(["p", "q"]))
    assert verdict(result, "no_use_after_free") is Verdict.VIOLATED


def test_a_pool_that_is_too_small_is_unknown_and_says_so() -> None:
    b = Builder()
    pool, _ = b.pool("Desc", 2, [("value", SMALL)])
    p = b.process("p")
    d = p.local("d", DESC)
    p.alloc(d, pool)
    b.invariant("fine", const(1, BOOL))
    result = agree(b.program(["p", "p", "p"]))
    assert verdict(result, "fine") is Verdict.UNKNOWN
    assert "Desc = 2 was too small" in result.properties[0].reason


def test_alloc_or_null_gives_null() -> None:
    b = Builder()
    pool, _ = b.pool("Desc", 1, [("value", SMALL)])
    pointer = ObjectPointerSort("Desc", 1)
    p = b.process("p")
    d = p.local("d", pointer)
    p.alloc(d, pool, or_null=True)
    p.branch(equal(d, const(None, pointer)), lambda: p.cover("null"), lambda: p.free(d, pool))
    b.cover("null")
    assert agree(b.program(["p", "p"])).covers[0].depth == 2


def test_freeing_twice_is_found() -> None:
    b = Builder()
    pool, _ = b.pool("Desc", 2, [("value", SMALL)])
    p = b.process("p")
    d = p.local("d", DESC)
    p.alloc(d, pool)
    p.free(d, pool)
    p.free(d, pool)
    assert verdict(agree(b.program(["p", "p"])), "no_use_after_free") is Verdict.VIOLATED


def test_pointers_in_words_unions_lists_and_places_become_stale() -> None:
    union = UnionSort("Rmap", (("empty", None), ("many", DESC)))
    listed = ListSort(DESC, 2, scenario_sized=False)
    place = PlacePointerSort("int")
    b = Builder()
    pool, (value,) = b.pool("Desc", 2, [("value", SMALL)])
    b.roots["int"] = (Root("Desc.value", {"": value.number}, (True,)),)
    u, items, at = b.shared("u", union), b.shared("items", listed), b.shared("at", place)
    members = b.shared("members", SetSort(DESC))
    p = b.process("p")
    d, got, pointer = p.local("d", DESC), p.local("got", SMALL), p.local("pointer", place)
    p.alloc(d, pool, zeroed=True)
    p.store(u, apply(Op.ARM_MAKE, d, sort=union, data=1))
    p.store(items, apply(Op.LIST_PUSH, apply(Op.LIST_MAKE, sort=listed), d, sort=listed))
    p.store(members, apply(Op.SET_ADD, apply(Op.SET_MAKE, sort=SetSort(DESC)), d, sort=SetSort(DESC)))
    p.store(at, apply(Op.POINT, apply(Op.OBJECT, d, sort=DESC), sort=place))
    p.load(pointer, at)
    p.load(got, PointerPlace(pointer, "int", "", ()))
    p.free(d, pool)
    p.load(pointer, at)
    p.claim(apply(Op.IN, d, members.read(), sort=BOOL))
    p.load(got, PointerPlace(pointer, "int", "", ()))
    result = agree(b.program(["p"]))
    assert [r.property for r in result.properties] == ["no_use_after_free"]
    assert len(result.properties[0].traces[0].steps) == 10


def test_a_wrong_arm_is_out_of_bounds() -> None:
    union = UnionSort("U", (("none", None), ("one", SMALL)))
    b = Builder()
    u = b.shared("u", union)
    p, q = b.process("p"), b.process("q")
    got = p.local("got", union)
    p.load(got, u)
    p.branch(apply(Op.ARM_IS, got, data=0), lambda: p.cover("empty"))
    p.claim(equal(apply(Op.ARM_GET, got, sort=SMALL, data=1), const(2)))
    q.store(u, apply(Op.ARM_MAKE, const(2), sort=union, data=1))
    assert verdict(agree(b.program(["p", "q"])), "no_out_of_bounds") is Verdict.VIOLATED


def test_lists_grow_and_shrink() -> None:
    listed = ListSort(SMALL, 2, scenario_sized=True)
    b = Builder()
    items = b.shared("items", listed)
    p, q = b.process("p"), b.process("q")
    a, last = p.local("a", listed), q.local("last", listed)

    def add() -> None:
        p.load(a, items)
        p.branch(
            apply(Op.LESS, apply(Op.SIZE, a, sort=SMALL), const(2)),
            lambda: p.store(items, apply(Op.LIST_PUSH, a, const(3), sort=listed, data=1)),
        )

    add()
    add()
    q.load(last, items)
    q.branch(
        apply(Op.IN, const(3), last),
        lambda: q.claim(equal(apply(Op.LIST_LAST, last, sort=SMALL), const(3))),
    )
    q.store(items, apply(Op.LIST_POP, last, sort=listed))
    b.invariant("short", apply(Op.LESS_EQUAL, apply(Op.SIZE, items.read(), sort=SMALL), const(1)))
    b.invariant("distinct", apply(Op.DISTINCT, items.read()))
    result = agree(b.program(["p", "q"]))
    assert verdict(result, "no_out_of_bounds") is Verdict.VIOLATED
    assert verdict(result, "short") is Verdict.VIOLATED
    assert verdict(result, "distinct") is Verdict.VIOLATED


def test_words_and_optionals_in_properties() -> None:
    word = WordSort("Spte", (("present", BOOL, 0), ("gfn", OptionalSort(GFN), None)))
    b = Builder()
    spte = b.shared("spte", word, [GFN])
    rmap = b.shared("rmap", SetSort(GFN))
    p = b.process("p")
    g, old, mask = p.local("g", GFN), p.local("old", word), p.local("mask", SetSort(GFN))
    p.choose(g)
    p.load(old, spte.at(g))
    p.store(spte.at(g), apply(Op.WITH, apply(Op.WITH, old, const(1, BOOL), sort=word), g, sort=word, data=1))
    p.load(mask, rmap)
    p.store(rmap, apply(Op.SET_ADD, mask, g, sort=SetSort(GFN)))
    h = bound("h", GFN)
    field = apply(Op.FIELD, spte.read(h), sort=OptionalSort(GFN), data=1)
    present = apply(Op.FIELD, spte.read(h), sort=BOOL)
    b.invariant("at_its_own_gfn", forall(h, apply(Op.IMPLIES, present, equal(field, h))))
    b.invariant("in_rmap", forall(h, apply(Op.IMPLIES, present, apply(Op.IN, h, rmap.read()))))
    b.invariant("unwrapped", forall(h, equal(apply(Op.UNWRAP, field, sort=GFN), h)))
    b.invariant("the_one", equal(The(h, present), const(0, GFN)))
    result = agree(b.program(["p", "p"]))
    assert verdict(result, "at_its_own_gfn") is Verdict.HOLDS
    assert verdict(result, "in_rmap") is Verdict.VIOLATED
    assert verdict(result, "unwrapped") is Verdict.VIOLATED
    assert verdict(result, "the_one") is Verdict.VIOLATED
    broken = next(r for r in result.properties if r.property == "unwrapped").traces[0].violation
    assert broken is not None
    assert "can't be evaluated" in broken.text


def test_a_number_that_leaves_its_range_and_an_index_outside() -> None:
    b = Builder()
    x = b.shared("x", SMALL, [ids("Slot", 3, ordered=True)])
    p = b.process("p")
    i = p.local("i", IntSort(0, 5))
    p.choose(i)
    p.store(x.at(i), const(1))
    assert verdict(agree(b.program(["p"])), "no_out_of_bounds") is Verdict.VIOLATED
    b = Builder()
    y, z = b.shared("y", IntSort(0, 1)), b.shared("z", IntSort(0, 1, wrap=True))
    p = b.process("p")
    for var in (z, y):
        a = p.local("a", var.sort)
        for _ in range(2):
            p.load(a, var)
            p.store(var, plus(a, 1, var.sort))
    result = agree(b.program(["p"]))
    assert [(r.property, len(r.traces[0].steps)) for r in result.properties] == [("no_out_of_bounds", 8)]


def test_a_local_that_holds_nothing_may_not_be_read() -> None:
    b = Builder()
    x = b.shared("x")
    p = b.process("p")
    a, c = p.local("a"), p.local("c", BOOL)
    p.choose(c)
    p.branch(c, lambda: p.set(a, const(1)))
    p.store(x, a)
    result = agree(b.program(["p"]))
    assert verdict(result, "no_unset_read") is Verdict.VIOLATED


def test_two_roots_of_one_pointer_sort() -> None:
    place = PlacePointerSort("int")
    b = Builder()
    x, y = b.shared("x"), b.shared("y", SMALL, [GFN])
    b.roots["int"] = (Root("x", {"": x.number}, ()), Root("y", {"": y.number}, (False,)))
    p = b.process("p")
    g, pointer, null = p.local("g", GFN), p.local("pointer", place), p.local("null", BOOL)
    p.choose(g)
    p.set(pointer, apply(Op.POINT, g, sort=place, data=1))
    p.store(PointerPlace(pointer, "int", "", ()), const(2))
    p.set(pointer, apply(Op.POINT, sort=place))
    p.store(PointerPlace(pointer, "int", "", ()), const(3))
    p.choose(null)
    p.branch(null, lambda: p.set(pointer, const(None, place)))
    p.claim(differ(pointer, const(None, place)))
    p.store(PointerPlace(pointer, "int", "", ()), const(1))
    assert isinstance(x.at(), VariablePlace)
    result = explore(b.program(["p"]), budget=Budget())
    agree(b.program(["p"]))
    assert [r.property for r in result.properties] == ["no_assertion_failure"]
