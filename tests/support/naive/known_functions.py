# SPDX-License-Identifier: GPL-2.0-only
"""The functions that every program knows: locks, marked accesses, atomics, bits, sets and lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kvmcheck.lang import syntax as s
from tests.support.naive import values as v
from tests.support.naive.context import Context, held

if TYPE_CHECKING:
    from tests.support.naive.flatten import Flattener, Place, Val

BuiltIn = Callable[["Flattener", s.Call], "Val"]
Method = Callable[["Flattener", s.Call, s.Expr], "Val"]
Change = Callable[[v.Value, Context], tuple[v.Value, v.Value]]

BUILT_IN: dict[str, BuiltIn] = {}
METHODS: dict[str, Method] = {}


def nothing() -> Val:
    """The value of a call that has none."""
    from tests.support.naive.flatten import literal

    return literal(0, v.Void())


def target(f: Flattener, e: s.Expr) -> Place:
    """The place that an argument `&place` (or a pointer) names."""
    if isinstance(e, s.AddressOf):
        return f.place(e.place)
    return f.pointed(f.value(e))


def val(get: Callable[[Context], v.Value], reads: frozenset[str], kind: v.Type | None = None) -> Val:
    """A value."""
    from tests.support.naive.flatten import Val

    return Val(get, reads, kind)


def truth(get: Callable[[Context], v.Value], reads: frozenset[str]) -> Val:
    """A boolean value."""
    return val(get, reads, v.Bool())


# ---- locks


def _lock(shared: bool, trying: bool) -> BuiltIn:
    def build(f: Flattener, e: s.Call) -> Val:
        place = target(f, e.arguments[0])
        if trying:
            return f.temp(v.Bool(), "acquire", e.span, place=place, flag=shared, mark="try", kind=place.type)
        f.emit("acquire", e.span, place=place, flag=shared, kind=place.type)
        return nothing()

    return build


def _unlock(shared: bool) -> BuiltIn:
    def build(f: Flattener, e: s.Call) -> Val:
        place = target(f, e.arguments[0])
        f.emit("release", e.span, place=place, flag=shared, kind=place.type)
        return nothing()

    return build


for _name in ("spin_lock", "mutex_lock", "write_lock", "down_write"):
    BUILT_IN[_name] = _lock(False, False)
for _name in ("read_lock", "down_read"):
    BUILT_IN[_name] = _lock(True, False)
for _name in ("spin_trylock", "mutex_trylock", "write_trylock", "down_write_trylock"):
    BUILT_IN[_name] = _lock(False, True)
for _name in ("read_trylock", "down_read_trylock"):
    BUILT_IN[_name] = _lock(True, True)
for _name in ("spin_unlock", "mutex_unlock", "write_unlock", "up_write"):
    BUILT_IN[_name] = _unlock(False)
for _name in ("read_unlock", "up_read"):
    BUILT_IN[_name] = _unlock(True)


def _downgrade(f: Flattener, e: s.Call) -> Val:
    place = target(f, e.arguments[0])
    f.emit("downgrade", e.span, place=place, kind=place.type)
    return nothing()


BUILT_IN["downgrade_write"] = _downgrade


def _assert_held(mode: str) -> BuiltIn:
    def build(f: Flattener, e: s.Call) -> Val:
        place = target(f, e.arguments[0])
        test = truth(lambda c: int(held(c.mem[place.path(c)], mode, c.thread)), place.reads)
        f.emit("assert", e.span, val=test, flag=True, text="no_assertion_failure")
        return nothing()

    return build


BUILT_IN["lockdep_assert_held"] = _assert_held("any")
BUILT_IN["lockdep_assert_held_read"] = _assert_held("read")
BUILT_IN["lockdep_assert_held_write"] = _assert_held("write")


def _held(mode: str) -> BuiltIn:
    def build(f: Flattener, e: s.Call) -> Val:
        lock = e.arguments[0]
        place = target(f, lock) if isinstance(lock, s.AddressOf) else f.place(lock)
        if len(e.arguments) == 1:
            return truth(lambda c: int(held(c.mem[place.path(c)], mode, None)), place.reads)
        who = f.value(e.arguments[1])
        return truth(
            lambda c: int(held(c.mem[place.path(c)], mode, v.as_int(who.get(c)))), place.reads | who.reads
        )

    return build


BUILT_IN["held"] = _held("any")
BUILT_IN["held_read"] = _held("read")
BUILT_IN["held_write"] = _held("write")


# ---- marked accesses


def _read(mark: str, by_address: bool) -> BuiltIn:
    def build(f: Flattener, e: s.Call) -> Val:
        argument = e.arguments[0]
        if by_address:
            return f.read(target(f, argument), e.span, mark)
        assert isinstance(argument, s.Name | s.Field | s.Index | s.Arrow | s.Dereference)
        return f.named(argument, mark)

    return build


BUILT_IN["READ_ONCE"] = _read("once", False)
BUILT_IN["data_race"] = _read("data_race", False)
BUILT_IN["smp_load_acquire"] = _read("acquire", True)
BUILT_IN["atomic_read"] = _read("once", True)


def _write(mark: str, by_address: bool) -> BuiltIn:
    def build(f: Flattener, e: s.Call) -> Val:
        place = target(f, e.arguments[0]) if by_address else f.place(e.arguments[0])
        f.write(place, f.value(e.arguments[1]), e.span, mark)
        return nothing()

    return build


BUILT_IN["WRITE_ONCE"] = _write("once", False)
BUILT_IN["smp_store_release"] = _write("release", True)
BUILT_IN["atomic_set"] = _write("once", True)


# ---- atomic updates


def update(
    f: Flattener,
    place: Place,
    change: Change,
    kind: v.Type | None,
    reads: frozenset[str],
    span: object,
    mark: str = "full",
) -> Val:
    """One read-modify-write of a shared place; its result."""
    from tests.support.naive.flatten import put

    inner, leaf = place.inner, place.type

    def whole(old: v.Value, c: Context) -> tuple[v.Value, v.Value]:
        part = old
        for name in inner:
            assert isinstance(part, v.Record)
            part = part.get(name)
        new, result = change(part, c)
        return put(old, inner, v.fit(new, leaf)), result

    if place.is_local:
        return _local_update(f, place, change, kind, reads, span)
    return f.temp(kind, "update", span, place=place, update=whole, mark=mark, reads=reads)


def _local_update(
    f: Flattener, place: Place, change: Change, kind: v.Type | None, reads: frozenset[str], span: object
) -> Val:
    old = f.read(place, span)
    result = f.fresh("", kind or v.Bool())
    f.emit("set", span, val=val(lambda c: change(old.get(c), c)[1], old.reads | reads), target=result.key)
    f.write(place, val(lambda c: change(old.get(c), c)[0], old.reads | reads), span)
    return f.local_val(result.key, kind)


def _atomic(
    change: Callable[[v.Value, list[v.Value]], tuple[v.Value, v.Value]], where: int, boolean: bool
) -> BuiltIn:
    def build(f: Flattener, e: s.Call) -> Val:
        place = target(f, e.arguments[where])
        others = [f.value(a) for i, a in enumerate(e.arguments) if i != where]
        reads = frozenset().union(*(o.reads for o in others)) if others else frozenset()
        if isinstance(place.type, v.Seq) and place.type.wrap is None:
            f.homes.add(place.static)
        kind = v.Bool() if boolean else place.type

        def apply(old: v.Value, c: Context) -> tuple[v.Value, v.Value]:
            return change(old, [o.get(c) for o in others])

        return update(f, place, apply, kind, reads, e.span)

    return build


def _increment(old: v.Value) -> v.Value:
    return v.Count(old.n + 1, old.home) if isinstance(old, v.Count) else v.as_int(old) + 1


def _cmpxchg(old: v.Value, args: list[v.Value]) -> tuple[v.Value, v.Value]:
    return (args[1] if v.same(old, args[0]) else old), old


def _plus(old: v.Value, n: int) -> int:
    return v.as_int(old) + n


BUILT_IN["xchg"] = _atomic(lambda old, a: (a[0], old), 0, False)
BUILT_IN["cmpxchg"] = _atomic(_cmpxchg, 0, False)
BUILT_IN["atomic_inc"] = _atomic(lambda old, _: (_increment(old), 0), 0, False)
BUILT_IN["atomic_dec"] = _atomic(lambda old, _: (_plus(old, -1), 0), 0, False)
BUILT_IN["atomic_add"] = _atomic(lambda old, a: (_plus(old, v.as_int(a[0])), 0), 1, False)
BUILT_IN["atomic_sub"] = _atomic(lambda old, a: (_plus(old, -v.as_int(a[0])), 0), 1, False)
BUILT_IN["atomic_inc_return"] = _atomic(lambda old, _: (_increment(old), _increment(old)), 0, False)
BUILT_IN["atomic_dec_return"] = _atomic(lambda old, _: (_plus(old, -1), _plus(old, -1)), 0, False)
BUILT_IN["atomic_inc_not_zero"] = _atomic(lambda old, _: (_plus(old, int(old != 0)), int(old != 0)), 0, True)
BUILT_IN["atomic_dec_and_test"] = _atomic(lambda old, _: (_plus(old, -1), int(old == 1)), 0, True)
BUILT_IN["set_bit"] = _atomic(lambda _old, _: (1, 0), 0, True)
BUILT_IN["clear_bit"] = _atomic(lambda _old, _: (0, 0), 0, True)
BUILT_IN["test_and_set_bit"] = _atomic(lambda old, _: (1, old), 0, True)
BUILT_IN["test_and_clear_bit"] = _atomic(lambda old, _: (0, old), 0, True)


def _try_cmpxchg(f: Flattener, e: s.Call) -> Val:
    place = target(f, e.arguments[0])
    expected = target(f, e.arguments[1])
    wanted = f.read(expected, e.span)
    new = f.value(e.arguments[2])

    def change(old: v.Value, c: Context) -> tuple[v.Value, v.Value]:
        fits = v.same(old, wanted.get(c))
        return (new.get(c) if fits else old), v.Items((int(fits), old))

    both = update(f, place, change, None, wanted.reads | new.reads, e.span)

    def part(c: Context, position: int) -> v.Value:
        items = both.get(c)
        assert isinstance(items, v.Items)
        return items.items[position]

    result = f.fresh("", v.Bool())
    f.emit("set", e.span, val=val(lambda c: part(c, 0), both.reads), target=result.key)
    done = f.local_val(result.key, v.Bool())
    fails = val(lambda c: int(not done.get(c)), done.reads)
    over = f.branch(fails, e.span)
    f.write(expected, val(lambda c: part(c, 1), both.reads), e.span)
    over.jump = f.here()
    f.emit("nop", e.span)
    return done


BUILT_IN["try_cmpxchg"] = _try_cmpxchg


# ---- the rest


def _plain(op: str, **more: object) -> BuiltIn:
    def build(f: Flattener, e: s.Call) -> Val:
        f.emit(op, e.span, **more)
        return nothing()

    return build


for _name in ("smp_mb", "smp_rmb", "smp_wmb"):
    BUILT_IN[_name] = _plain("nop")
BUILT_IN["irq_disable"] = _plain("irq", flag=True)
BUILT_IN["irq_enable"] = _plain("irq", flag=False)
BUILT_IN["might_sleep"] = _plain("may sleep")


def _next(f: Flattener, e: s.Call) -> Val:
    copy = f.value(e.arguments[0])
    return val(lambda c: _increment(copy.get(c)), copy.reads, copy.type)


BUILT_IN["next"] = _next


def _old(f: Flattener, e: s.Call) -> Val:
    inner = f.value(e.arguments[0])

    def get(c: Context) -> v.Value:
        assert c.old is not None
        return inner.get(c.old)

    return val(get, inner.reads, inner.type)


BUILT_IN["old"] = _old


def _free(f: Flattener, e: s.Call) -> Val:
    pointer = f.value(e.arguments[0])
    f.emit("free", e.span, val=pointer)
    return nothing()


BUILT_IN["free"] = _free


def _size(f: Flattener, _e: s.Call, base: s.Expr) -> Val:
    from tests.support.naive.flatten import in_order

    whole = f.value(base)
    return val(lambda c: len(in_order(whole.get(c))), whole.reads)


def _is(f: Flattener, e: s.Call, base: s.Expr) -> Val:
    whole = f.value(base)
    (arm,) = e.arguments
    assert isinstance(arm, s.Name)

    def get(c: Context) -> v.Value:
        value = whole.get(c)
        assert isinstance(value, v.Arm)
        return int(value.arm == arm.text)

    return truth(get, whole.reads)


def _distinct(f: Flattener, _e: s.Call, base: s.Expr) -> Val:
    from tests.support.naive.flatten import in_order

    whole = f.value(base)

    def get(c: Context) -> v.Value:
        items = in_order(whole.get(c))
        return int(not any(v.same(a, b) for i, a in enumerate(items) for b in items[:i]))

    return truth(get, whole.reads)


def _push(f: Flattener, e: s.Call, base: s.Expr) -> Val:
    place = f.place(base)
    kind = place.type
    assert isinstance(kind, v.ListOf)
    item = f.value(e.arguments[0])

    def change(old: v.Value, c: Context) -> tuple[v.Value, v.Value]:
        assert isinstance(old, v.Items)
        new = (*old.items, v.fit(item.get(c), kind.element))
        if len(new) > kind.capacity:
            if kind.scenario:
                raise v.Overflow
            raise v.out_of_bounds("the list is full")
        return v.Items(new), 0

    update(f, place, change, v.Void(), item.reads, e.span, mark="plain")
    return nothing()


def _pop(f: Flattener, e: s.Call, base: s.Expr) -> Val:
    place = f.place(base)
    kind = place.type
    assert isinstance(kind, v.ListOf)

    def change(old: v.Value, _c: Context) -> tuple[v.Value, v.Value]:
        assert isinstance(old, v.Items)
        if not old.items:
            raise v.out_of_bounds("pop of an empty list")
        return v.Items(old.items[:-1]), old.items[-1]

    return update(f, place, change, kind.element, frozenset(), e.span, mark="plain")


METHODS.update({"size": _size, "len": _size, "is": _is, "distinct": _distinct, "push": _push, "pop": _pop})
