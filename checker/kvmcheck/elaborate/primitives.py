# SPDX-License-Identifier: GPL-2.0-only
"""The built-in functions of code: locks, marked accesses, atomics, barriers, interrupts.

Each is a function of the `Code` and the call.  `PRIMITIVES` is the only list of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from kvmcheck.elaborate.coercion import NOTHING, UNKNOWN, Typed, described
from kvmcheck.elaborate.places import LocalPlace, Named, PartPlace, sort_of
from kvmcheck.lang import syntax
from kvmcheck.lang.syntax import BinaryOp
from kvmcheck.semantics.program import (
    Acquire,
    Apply,
    Assertion,
    AtomicEnter,
    Check,
    Const,
    Current,
    Expr,
    Fence,
    Free,
    Held,
    HeldMode,
    Irq,
    Local,
    MightSleep,
    Op,
    Order,
    Release,
    Set,
)
from kvmcheck.semantics.sorts import (
    BOOL,
    BoolSort,
    IntSort,
    LockFlavour,
    ObjectPointerSort,
    SeqSort,
    UnknownSort,
)

if TYPE_CHECKING:
    from kvmcheck.elaborate.lowering import Code

Primitive = Callable[["Code", syntax.Call], Typed]


def _arguments(code: Code, call: syntax.Call, count: int) -> bool:
    """Whether there are that many arguments; a diagnostic if not."""
    if len(call.arguments) == count:
        return True
    name = call.function.span.text
    code.collector.error(
        "KVM302",
        f"`{name}` takes {count} argument{'s' * (count != 1)}, not {len(call.arguments)}",
        call.span,
    )
    return False


def _target(code: Code, argument: syntax.Expr) -> Named:
    """The place that `&x`, or a pointer, stands for."""
    if isinstance(argument, syntax.AddressOf):
        return code.named(argument.place)
    return code.named(syntax.Dereference(argument, argument.span))


# ------------------------------------------------------------------------------ locks


def _acquire(
    flavour: LockFlavour,
    shared: bool,
    trying: bool,
    code: Code,
    call: syntax.Call,
) -> Typed:
    if not _arguments(code, call, 1):
        return UNKNOWN
    lock = code.lock(call.arguments[0])
    if lock is None or not _flavoured(code, call, code.lock_sort(lock).flavour, flavour):
        return UNKNOWN
    if code.graph.group is not None:
        code.collector.error("KVM405", "an atomic block can't wait for a lock: it is one step", call.span)
    elif code.in_init:
        code.collector.error(
            "KVM405", "`init` takes no locks: it is one step, and no thread runs yet", call.span
        )
    target = code.temporary(BOOL) if trying else None
    code.emit(Acquire(lock, shared, target, flavour))
    return Typed(Local(target, BOOL), BOOL) if target is not None else NOTHING


def _flavoured(code: Code, call: syntax.Call, have: LockFlavour, wanted: LockFlavour) -> bool:
    if have is wanted:
        return True
    name = call.function.span.text
    code.collector.error(
        "KVM301",
        f"`{name}` is for a {wanted.value}, and this is a {have.value}",
        call.arguments[0].span,
    )
    return False


def _release(flavour: LockFlavour, shared: bool, code: Code, call: syntax.Call) -> Typed:
    if not _arguments(code, call, 1):
        return UNKNOWN
    lock = code.lock(call.arguments[0])
    if lock is not None and _flavoured(code, call, code.lock_sort(lock).flavour, flavour):
        code.emit(Release(lock, shared, flavour))
    return NOTHING


def _downgrade(code: Code, call: syntax.Call) -> Typed:
    """Write to read without letting anybody in between: both in one step."""
    if not _arguments(code, call, 1):
        return UNKNOWN
    lock = code.lock(call.arguments[0])
    if lock is None or not _flavoured(code, call, code.lock_sort(lock).flavour, LockFlavour.RWSEM):
        return UNKNOWN
    outer = code.graph.group
    if outer is None:
        code.graph.groups += 1
        code.graph.group = code.graph.groups
        code.emit(AtomicEnter(code.graph.groups))
    code.emit(Release(lock, False, LockFlavour.RWSEM))
    code.emit(Acquire(lock, True, None, LockFlavour.RWSEM))
    code.graph.group = outer
    return NOTHING


def _assert_held(mode: HeldMode, code: Code, call: syntax.Call) -> Typed:
    if _arguments(code, call, 1):
        lock = code.lock(call.arguments[0])
        if lock is not None:
            held = Held(lock, mode, Current(code.world.threads))
            text = " ".join(call.span.text.split())
            code.emit(Assertion(held, Check.NO_ASSERTION_FAILURE, text))
    return NOTHING


def _held(code: Code, call: syntax.Call) -> Typed:
    return code.states("code").expr(call)


# ------------------------------------------------------------------------------ marked accesses


def _read_place(order: Order, code: Code, call: syntax.Call) -> Typed:
    """`READ_ONCE(x)`, `data_race(x)`: x as an expression."""
    if not _arguments(code, call, 1):
        return UNKNOWN
    with code.ordered(order):
        return code.expr(call.arguments[0])


def _read_pointer(order: Order, code: Code, call: syntax.Call) -> Typed:
    """`smp_load_acquire(&x)`, `atomic_read(&x)`."""
    if not _arguments(code, call, 1):
        return UNKNOWN
    with code.ordered(order):
        return code.read(_target(code, call.arguments[0]), call.span)


def _write_place(order: Order, code: Code, call: syntax.Call) -> Typed:
    if _arguments(code, call, 2):
        place = code.named(call.arguments[0])
        _write(code, place, call, order)
    return NOTHING


def _write_pointer(order: Order, code: Code, call: syntax.Call) -> Typed:
    if _arguments(code, call, 2):
        _write(code, _target(code, call.arguments[0]), call, order)
    return NOTHING


def _write(code: Code, place: Named, call: syntax.Call, order: Order) -> None:
    value = code.expr(call.arguments[1], sort_of(place))
    with code.ordered(order):
        code.store(place, value, call.span, order)


# ------------------------------------------------------------------------------ atomics


def _xchg(code: Code, call: syntax.Call) -> Typed:
    if not _arguments(code, call, 2):
        return UNKNOWN
    place = _target(code, call.arguments[0])
    sort = sort_of(place)
    value = code.coerced(call.arguments[1], sort)
    return code.update(place, lambda old: (value, old), call.span, Order.FULL)


def _cmpxchg(code: Code, call: syntax.Call) -> Typed:
    if not _arguments(code, call, 3):
        return UNKNOWN
    place = _target(code, call.arguments[0])
    sort = sort_of(place)
    expected = code.coerced(call.arguments[1], sort)
    value = code.coerced(call.arguments[2], sort)
    return code.update(place, lambda old: (_if_equal(old, expected, value), old), call.span, Order.FULL)


def _if_equal(old: Typed, expected: Expr, value: Expr) -> Expr:
    same = Apply(Op.EQUAL, (old.expr, expected), BOOL)
    return Apply(Op.IF, (same, value, old.expr), old.sort)


def _try_cmpxchg(code: Code, call: syntax.Call) -> Typed:
    if not _arguments(code, call, 3):
        return UNKNOWN
    place = _target(code, call.arguments[0])
    sort = sort_of(place)
    expected_place = _target(code, call.arguments[1])
    if not isinstance(expected_place, LocalPlace | PartPlace):
        code.collector.error(
            "KVM304",
            "`try_cmpxchg` writes what it found into a local",
            call.arguments[1].span,
            help="`try_cmpxchg(&shared, &old, new)` with a local `old`",
        )
        return UNKNOWN
    expected = code.fitted(code.read(expected_place, call.span), sort, call.span)
    value = code.coerced(call.arguments[2], sort)
    found = code.update(place, lambda old: (_if_equal(old, expected, value), old), call.span, Order.FULL)
    if isinstance(found.sort, UnknownSort):
        return UNKNOWN
    done = code.temporary(BOOL)
    code.emit(Set(done, Apply(Op.EQUAL, (found.expr, expected), BOOL)))
    code.store(expected_place, found, call.span)
    return Typed(Local(done, BOOL), BOOL)


def _counted(
    op: BinaryOp,
    amount: bool,
    gives: str,
    code: Code,
    call: syntax.Call,
) -> Typed:
    """`atomic_inc(&x)`, `atomic_add(n, &x)` …: `gives` is "", "new" or "zero"."""
    if not _arguments(code, call, 2 if amount else 1):
        return UNKNOWN
    one = Typed(Const(1, IntSort(1, 1)), IntSort(1, 1))
    number = code.expr(call.arguments[0]) if amount else one
    place = _target(code, call.arguments[-1])
    sort = sort_of(place)
    if isinstance(sort, UnknownSort):
        return UNKNOWN

    def change(old: Typed) -> tuple[Expr, Typed | None]:
        if isinstance(sort, SeqSort):
            new: Expr = Apply(Op.NEXT, (old.expr,), sort, span=call.span)
        else:
            new = code.fitted(code.apply(op, old, number, call.span), sort, call.span)
        match gives:
            case "new":
                return new, Typed(new, sort)
            case "zero":
                zero = Const(0, IntSort(0, 0))
                return new, Typed(Apply(Op.EQUAL, (new, zero), BOOL), BOOL)
            case _:
                return new, None

    if isinstance(sort, SeqSort):
        if op is not BinaryOp.ADD or amount:
            code.collector.error("KVM322", "a seq only counts up, by one", call.span)
            return UNKNOWN
        if sort.wrap is None:
            code.home(place)
    elif not isinstance(sort, IntSort):
        code.collector.error("KVM303", f"{described(sort)} can't be counted with", call.arguments[-1].span)
        return UNKNOWN
    return code.update(place, change, call.span, Order.FULL)


def _inc_not_zero(code: Code, call: syntax.Call) -> Typed:
    if not _arguments(code, call, 1):
        return UNKNOWN
    place = _target(code, call.arguments[0])
    sort = sort_of(place)
    if not isinstance(sort, IntSort):
        code.collector.error("KVM303", f"{described(sort)} can't be counted with", call.span)
        return UNKNOWN

    def change(old: Typed) -> tuple[Expr, Typed | None]:
        positive = Apply(Op.NOT_EQUAL, (old.expr, Const(0, IntSort(0, 0))), BOOL)
        one = Typed(Const(1, IntSort(1, 1)), IntSort(1, 1))
        more = code.fitted(code.apply(BinaryOp.ADD, old, one, call.span), sort, call.span)
        return Apply(Op.IF, (positive, more, old.expr), sort), Typed(positive, BOOL)

    return code.update(place, change, call.span, Order.FULL)


def _bit(value: int, testing: bool, code: Code, call: syntax.Call) -> Typed:
    if not _arguments(code, call, 1):
        return UNKNOWN
    place = _target(code, call.arguments[0])
    if not isinstance(sort_of(place), BoolSort | UnknownSort):
        code.collector.error(
            "KVM301",
            f"a bool must stand here, not {described(sort_of(place))}",
            call.arguments[0].span,
            help="`set_bit(&word.flag)`: the flag is a bool field of a word struct",
        )
        return UNKNOWN
    return code.update(
        place, lambda old: (Const(value, BOOL), old if testing else None), call.span, Order.FULL
    )


# ------------------------------------------------------------------------------ the rest


def _fence(kind: str, code: Code, call: syntax.Call) -> Typed:
    if _arguments(code, call, 0):
        code.emit(Fence(kind))
    return NOTHING


def _irq(disable: bool, code: Code, call: syntax.Call) -> Typed:
    if _arguments(code, call, 0):
        code.emit(Irq(disable))
    return NOTHING


def _might_sleep(code: Code, call: syntax.Call) -> Typed:
    if _arguments(code, call, 0):
        code.emit(MightSleep())
    return NOTHING


def _free(code: Code, call: syntax.Call) -> Typed:
    if _arguments(code, call, 1):
        pointer = code.expr(call.arguments[0])
        match pointer.sort:
            case ObjectPointerSort(object=name):
                code.emit(Free(pointer.expr, code.world.pool_named(name)))
            case UnknownSort():
                pass
            case _:
                code.collector.error(
                    "KVM301", f"an object is freed, not {described(pointer.sort)}", call.span
                )
    return NOTHING


def _next(code: Code, call: syntax.Call) -> Typed:
    code.collector.error(
        "KVM322",
        "`next(copy)` may only be stored into the seq that was copied",
        call.span,
        help="write `s = next(copy);`",
    )
    return UNKNOWN


def _locks(prefix: str, flavour: LockFlavour, shared: bool) -> dict[str, Primitive]:
    return {
        f"{prefix}_lock": partial(_acquire, flavour, shared, False),
        f"{prefix}_trylock": partial(_acquire, flavour, shared, True),
        f"{prefix}_unlock": partial(_release, flavour, shared),
    }


def _semaphore(mode: str, shared: bool) -> dict[str, Primitive]:
    return {
        f"down_{mode}": partial(_acquire, LockFlavour.RWSEM, shared, False),
        f"down_{mode}_trylock": partial(_acquire, LockFlavour.RWSEM, shared, True),
        f"up_{mode}": partial(_release, LockFlavour.RWSEM, shared),
    }


#: Every built-in function that code may call.  (`held*`, `old`: see `elaborate.states`.)
PRIMITIVES: dict[str, Primitive] = {
    **_locks("spin", LockFlavour.SPINLOCK, False),
    **_locks("read", LockFlavour.RWLOCK, True),
    **_locks("write", LockFlavour.RWLOCK, False),
    **_locks("mutex", LockFlavour.MUTEX, False),
    **_semaphore("read", True),
    **_semaphore("write", False),
    "downgrade_write": _downgrade,
    "lockdep_assert_held": partial(_assert_held, HeldMode.ANY),
    "lockdep_assert_held_read": partial(_assert_held, HeldMode.READ),
    "lockdep_assert_held_write": partial(_assert_held, HeldMode.WRITE),
    "held": _held,
    "held_read": _held,
    "held_write": _held,
    "READ_ONCE": partial(_read_place, Order.ONCE),
    "data_race": partial(_read_place, Order.RACE),
    "WRITE_ONCE": partial(_write_place, Order.ONCE),
    "smp_load_acquire": partial(_read_pointer, Order.ACQUIRE),
    "smp_store_release": partial(_write_pointer, Order.RELEASE),
    "atomic_read": partial(_read_pointer, Order.ONCE),
    "atomic_set": partial(_write_pointer, Order.ONCE),
    "xchg": _xchg,
    "cmpxchg": _cmpxchg,
    "try_cmpxchg": _try_cmpxchg,
    "atomic_inc": partial(_counted, BinaryOp.ADD, False, ""),
    "atomic_dec": partial(_counted, BinaryOp.SUBTRACT, False, ""),
    "atomic_add": partial(_counted, BinaryOp.ADD, True, ""),
    "atomic_sub": partial(_counted, BinaryOp.SUBTRACT, True, ""),
    "atomic_inc_return": partial(_counted, BinaryOp.ADD, False, "new"),
    "atomic_dec_return": partial(_counted, BinaryOp.SUBTRACT, False, "new"),
    "atomic_dec_and_test": partial(_counted, BinaryOp.SUBTRACT, False, "zero"),
    "atomic_inc_not_zero": _inc_not_zero,
    "set_bit": partial(_bit, 1, False),
    "clear_bit": partial(_bit, 0, False),
    "test_and_set_bit": partial(_bit, 1, True),
    "test_and_clear_bit": partial(_bit, 0, True),
    "smp_mb": partial(_fence, "smp_mb"),
    "smp_rmb": partial(_fence, "smp_rmb"),
    "smp_wmb": partial(_fence, "smp_wmb"),
    "irq_disable": partial(_irq, True),
    "irq_enable": partial(_irq, False),
    "might_sleep": _might_sleep,
    "free": _free,
    "next": _next,
}
