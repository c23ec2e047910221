# SPDX-License-Identifier: GPL-2.0-only
"""The value of an expression: the meaning of every operator, place and quantifier.

A mistake of the checked program (an UNSET local, an index outside its array, NULL dereferenced) raises `Broken`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from kvmcheck.semantics.numbering import SeqNumbering
from kvmcheck.semantics.pointers import address, contains, is_seq, replace_parts
from kvmcheck.semantics.program import (
    Actor,
    Apply,
    Body,
    Bound,
    CallAt,
    CallIn,
    CallLocal,
    CallThread,
    Check,
    Const,
    Current,
    Expr,
    Held,
    HeldMode,
    LiveCall,
    LiveQuantified,
    Local,
    Old,
    OldValue,
    Op,
    Param,
    Place,
    PointerPlace,
    Program,
    Quantified,
    Quantifier,
    Read,
    The,
    VariablePlace,
)
from kvmcheck.semantics.sorts import (
    UNSET,
    BoolSort,
    IdSort,
    IntSort,
    ListSort,
    ObjectPointerSort,
    OptionalSort,
    SetSort,
    Sort,
    Value,
    member_count,
    members,
    sort_name,
)
from kvmcheck.semantics.state import ThreadState
from kvmcheck.source.text import Span


class Broken(Exception):
    """A built-in check fails: which, what is said, where; `overflow`: a scenario's bound was too small instead."""

    def __init__(self, check: Check, text: str, span: Span | None, *, overflow: bool = False) -> None:
        super().__init__(text)
        self.check = check
        self.text = text
        self.span = span
        self.overflow = overflow


#: Told of every `Read`: the variable, its element.
OnRead = Callable[[int, tuple[int, ...]], None]


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may refer to.  `calls`: the live call and thread that a name stands for."""

    program: Program
    numbering: SeqNumbering
    values: tuple[tuple[Value, ...], ...]
    threads: tuple[ThreadState, ...] = ()
    locals: list[Value] | tuple[Value, ...] = ()
    body: Body | None = None
    parameters: tuple[Value, ...] = ()
    thread: int | None = None
    bound: Mapping[str, Value] = field(default_factory=dict)
    calls: Mapping[str, tuple[LiveCall, int]] = field(default_factory=dict)
    old_value: Value = None
    before: Scope | None = None
    on_read: OnRead | None = None
    span: Span | None = None


def integer(value: Value) -> int:
    """The value, which is a number by its sort."""
    assert isinstance(value, int)
    return value


def items(value: Value) -> tuple[Value, ...]:
    """The value, which is a compound by its sort."""
    assert isinstance(value, tuple)
    return value


def position_of(sort: Sort, value: Value, span: Span | None) -> int:
    """A member's position in a set of its sort; none is NO_OUT_OF_BOUNDS."""
    match sort:
        case IntSort(low=low):
            if value is None:
                raise Broken(Check.NO_OUT_OF_BOUNDS, "`none` is used as a number", span)
            return integer(value) - low
        case OptionalSort(inner=inner):
            return 0 if value is None else 1 + position_of(inner, value, span)
        case ObjectPointerSort():
            if value is None:
                raise Broken(Check.NO_OUT_OF_BOUNDS, "`NULL` is used as a member of a set", span)
            return integer(address(sort, value))
        case _:
            if value is None:
                raise Broken(Check.NO_OUT_OF_BOUNDS, f"`none` is used as a {sort_name(sort)}", span)
            return integer(value)


def member_at(sort: Sort, position: int) -> Value:
    """The member at a position of a sort."""
    match sort:
        case IntSort(low=low):
            return position + low
        case OptionalSort(inner=inner):
            return None if position == 0 else member_at(inner, position - 1)
        case _:
            return position


def members_of_mask(sort: Sort, mask: int) -> Iterator[Value]:
    """The members of a set, in order."""
    position = 0
    while mask:
        if mask & 1:
            yield member_at(sort, position)
        mask >>= 1
        position += 1


def domain_of(sort: Sort, domain: Expr | None, scope: Scope) -> Iterator[Value]:
    """What a quantifier or choice ranges over: a set's members, or a whole sort (of objects: those that live)."""
    if domain is not None:
        inner = domain_sort(domain)
        return members_of_mask(inner, integer(value_of(domain, scope)))
    if isinstance(sort, ObjectPointerSort):
        return members_of_mask(sort, allocated_mask(sort, scope))
    return members(sort)


def domain_sort(domain: Expr) -> Sort:
    """The sort of the members of a set expression."""
    sort = sort_of(domain)
    assert isinstance(sort, SetSort)
    return sort.element


def allocated_mask(sort: ObjectPointerSort, scope: Scope) -> int:
    """The objects of a type that are allocated, as a mask."""
    for pool in scope.program.pools:
        if pool.name == sort.object:
            return integer(scope.values[pool.allocated][0])
    return (1 << sort.size) - 1


def sort_of(expression: Expr) -> Sort:
    """The sort of an expression."""
    match expression:
        case Held() | CallAt() | CallIn() | LiveQuantified():
            return BoolSort()
        case Quantified(kind=kind):
            return IntSort(0, 1_000_000) if kind is Quantifier.COUNT else BoolSort()
        case The(bound=bound):
            return bound.sort
        case _:
            return expression.sort


def same(left: Sort, a: Value, right: Sort, b: Value, numbering: SeqNumbering, span: Span | None) -> bool:
    """Whether two values are equal: pointers by address; seqs of different homes can't be compared."""
    if numbering.stride > 1 and a is not None and b is not None and contains(left, is_seq):
        for x, y in zip(seqs_in(left, a), seqs_in(right, b), strict=False):
            if numbering.home_of(x) != numbering.home_of(y):
                raise Broken(Check.SEQ_LOST_UPDATE, "compares copies of different seqs", span)
    return address(left, a) == address(right, b)


def seqs_in(sort: Sort, value: Value) -> list[int]:
    """The numbers of the seqs in a value, in order."""
    found: list[int] = []

    def note(part: Sort, item: Value) -> Value:
        if is_seq(part):
            found.append(integer(item))
        return item

    replace_parts(sort, value, note)
    return found


def element_index(dimensions: tuple[Sort, ...], indices: tuple[int, ...]) -> int:
    """The row-major position of an element."""
    position = 0
    for dimension, index in zip(dimensions, indices, strict=True):
        position = position * member_count(dimension) + index
    return position


def resolve(place: Place, scope: Scope) -> tuple[int, tuple[int, ...]]:
    """The variable and indices that a place is; raises `Broken` if there is no such element."""
    program = scope.program
    match place:
        case VariablePlace(variable=number, indices=indices):
            given = [value_of(index, scope) for index in indices]
            before = 0
        case PointerPlace(pointer=pointer, target=target, component=component, indices=indices):
            pointed = value_of(pointer, scope)
            if pointed is None:
                raise Broken(Check.NO_USE_AFTER_FREE, "`NULL` is dereferenced", scope.span)
            root_number, *rest = items(pointed)
            root = program.roots[target][integer(root_number)]
            for is_object, index in zip(root.objects, rest, strict=True):
                if is_object and integer(index) < 0:
                    raise Broken(
                        Check.NO_USE_AFTER_FREE, "a pointer into a freed object is dereferenced", scope.span
                    )
            number = root.components[component]
            before = len(rest)
            given = [*rest, *(value_of(index, scope) for index in indices)]
        case _:
            assert_never(place)
    variable = program.variables[number]
    found: list[int] = []
    for nth, (dimension, index) in enumerate(zip(variable.dimensions, given, strict=True)):
        if nth >= before:
            index = position_of(dimension, index, scope.span)
        position = integer(index)
        if not 0 <= position < member_count(dimension):
            raise Broken(
                Check.NO_OUT_OF_BOUNDS,
                f"index {position} is outside `{variable.name}`, which has {member_count(dimension)} elements",
                scope.span,
            )
        found.append(position)
    return number, tuple(found)


def read(number: int, indices: tuple[int, ...], scope: Scope) -> Value:
    """The value of an element."""
    variable = scope.program.variables[number]
    return scope.values[number][element_index(variable.dimensions, indices)]


def lock_holds(value: Value, mode: HeldMode, thread: int | None) -> bool:
    """Whether a lock that holds this value is held so, by one thread or by anyone."""
    writer: Value
    if isinstance(value, tuple):
        writer, mask = value[0], integer(value[1])
    else:
        writer, mask = value, 0
    if thread is None:
        writes, reads = writer is not None, mask != 0
    else:
        writes, reads = writer == thread, bool(mask >> thread & 1)
    match mode:
        case HeldMode.ANY:
            return writes or reads
        case HeldMode.READ:
            return reads
        case HeldMode.WRITE:
            return writes
        case _:
            assert_never(mode)


def is_true(expression: Expr, scope: Scope) -> bool:
    """Whether a condition holds."""
    return bool(value_of(expression, scope))


def value_of(expression: Expr, scope: Scope) -> Value:
    """The value of an expression in a scope; raises `Broken`."""
    match expression:
        case Const(value=value, sort=sort):
            return scope.numbering.initial(sort, value)
        case Local(local=local):
            value = scope.locals[local]
            if value == UNSET:
                name = "a value" if scope.body is None else f"`{scope.body.locals[local].name}`"
                raise Broken(Check.NO_UNSET_READ, f"{name} is read, but holds nothing yet", scope.span)
            return value
        case Param(index=index):
            return scope.parameters[index]
        case Current() | Actor():
            return scope.thread
        case Bound(name=name):
            return scope.bound[name]
        case OldValue():
            return scope.old_value
        case Read(place=place):
            number, indices = resolve(place, scope)
            if scope.on_read is not None:
                scope.on_read(number, indices)
            return read(number, indices, scope)
        case Old(inner=inner):
            assert scope.before is not None
            return value_of(inner, replace(scope.before, bound=scope.bound, calls=scope.calls))
        case Held(lock=lock, mode=mode, thread=thread):
            number, indices = resolve(lock, scope)
            holder = (
                None if thread is None else position_of(sort_of(thread), value_of(thread, scope), scope.span)
            )
            return int(lock_holds(read(number, indices, scope), mode, holder))
        case Apply():
            return applied(expression, scope)
        case Quantified(kind=kind, bound=bound, domain=domain, body=body):
            inner_scopes = (
                replace(scope, bound={**scope.bound, bound.name: member})
                for member in domain_of(bound.sort, domain, scope)
            )
            return quantified(kind, body, inner_scopes)
        case LiveQuantified(kind=kind, name=name, function=function, body=body):
            live = (
                replace(scope, calls={**scope.calls, name: (call, thread)})
                for call, thread in live_calls(function, scope)
            )
            return quantified(kind, body, live)
        case CallLocal(call=call, local=local):
            found, whose = scope.calls[call]
            value = call_locals(found, scope.threads[whose])[found.locals[local]]
            if value == UNSET:
                raise Broken(Check.NO_UNSET_READ, f"`{call}.{local}` holds nothing there", scope.span)
            return value
        case CallThread(call=call):
            return scope.calls[call][1]
        case CallAt(call=call, label=label):
            found, whose = scope.calls[call]
            return int(call_pc(found, scope.threads[whose]) in found.at[label])
        case CallIn(call=call, start=start, end=end):
            found, whose = scope.calls[call]
            return int(call_locals(found, scope.threads[whose])[found.regions[start, end]] == 1)
        case The(bound=bound, condition=condition):
            fitting = [
                member
                for member in domain_of(bound.sort, None, scope)
                if is_true(condition, replace(scope, bound={**scope.bound, bound.name: member}))
            ]
            if len(fitting) != 1:
                how_many = "no" if not fitting else "more than one"
                raise Broken(
                    Check.NO_OUT_OF_BOUNDS,
                    f"`the {sort_name(bound.sort)}`: {how_many} member fits",
                    scope.span,
                )
            return fitting[0]
        case _:
            assert_never(expression)


def quantified(kind: Quantifier, body: Expr, scopes: Iterator[Scope]) -> int:
    """A quantifier's value over the scopes of its members, in order."""
    match kind:
        case Quantifier.FORALL:
            return int(all(is_true(body, scope) for scope in scopes))
        case Quantifier.EXISTS:
            return int(any(is_true(body, scope) for scope in scopes))
        case Quantifier.COUNT:
            return sum(is_true(body, scope) for scope in scopes)
        case _:
            assert_never(kind)


def call_pc(call: LiveCall, thread: ThreadState) -> int | None:
    """Where the body that holds the call is."""
    return thread.handler_pc if call.interrupt else thread.pc


def call_locals(call: LiveCall, thread: ThreadState) -> tuple[Value, ...]:
    """The locals of the body that holds the call."""
    return thread.handler_locals if call.interrupt else thread.locals


def live_calls(function: str, scope: Scope) -> Iterator[tuple[LiveCall, int]]:
    """The calls of a function that are live, each with its thread."""
    for call in scope.program.live_calls:
        if call.function != function:
            continue
        for number, thread in enumerate(scope.program.threads):
            if thread.process == call.process and call_pc(call, scope.threads[number]) in call.nodes:
                yield call, number


def applied(expression: Apply, scope: Scope) -> Value:
    """The value of an operator's application."""
    op, arguments, data = expression.op, expression.arguments, expression.data
    span = expression.span or scope.span
    if op is Op.AND:
        return int(all(is_true(argument, scope) for argument in arguments))
    if op is Op.OR:
        return int(any(is_true(argument, scope) for argument in arguments))
    if op is Op.IMPLIES:
        return int(not is_true(arguments[0], scope) or is_true(arguments[1], scope))
    if op is Op.IF:
        return value_of(arguments[1] if is_true(arguments[0], scope) else arguments[2], scope)
    values = [value_of(argument, scope) for argument in arguments]
    sorts = [sort_of(argument) for argument in arguments]
    match op:
        case Op.NOT:
            return int(not values[0])
        case Op.EQUAL:
            return int(same(sorts[0], values[0], sorts[1], values[1], scope.numbering, span))
        case Op.NOT_EQUAL:
            return int(not same(sorts[0], values[0], sorts[1], values[1], scope.numbering, span))
        case (
            Op.LESS
            | Op.LESS_EQUAL
            | Op.ADD
            | Op.SUBTRACT
            | Op.MULTIPLY
            | Op.DIVIDE
            | Op.MODULO
            | Op.NEGATE
            | Op.BIT_AND
            | Op.BIT_OR
            | Op.BIT_XOR
            | Op.SHIFT_LEFT
            | Op.SHIFT_RIGHT
        ):
            if None in values:
                raise Broken(Check.NO_OUT_OF_BOUNDS, "`none` is used as a number", span)
            return arithmetic(op, [integer(value) for value in values], span)
        case Op.FIELD:
            if values[0] is None:
                raise Broken(Check.NO_OUT_OF_BOUNDS, f"`none` is used as a {sort_name(sorts[0])}", span)
            return items(values[0])[data]
        case Op.WITH:
            if values[0] is None:
                raise Broken(Check.NO_OUT_OF_BOUNDS, f"`none` is used as a {sort_name(sorts[0])}", span)
            word = items(values[0])
            return (*word[:data], values[1], *word[data + 1 :])
        case Op.MAKE:
            return tuple(values)
        case Op.ARM_IS:
            return int(items(values[0])[0] == data)
        case Op.ARM_GET:
            union = items(values[0])
            if union[0] != data or len(union) < 2:
                raise Broken(Check.NO_OUT_OF_BOUNDS, "reads an arm of the union that it does not hold", span)
            return union[1]
        case Op.ARM_MAKE:
            return (data, *values)
        case Op.UNWRAP:
            if values[0] is None:
                raise Broken(
                    Check.NO_OUT_OF_BOUNDS, f"`none` is used as a {sort_name(expression.sort)}", span
                )
            return values[0]
        case Op.FIT:
            return fitted(expression.sort, values[0], span)
        case Op.NEXT:
            return scope.numbering.successor(expression.sort, integer(values[0]))
        case Op.IN:
            return int(is_member(sorts, values, scope.numbering, span))
        case Op.SET_ADD:
            return integer(values[0]) | 1 << position_of(element_sort(sorts[0]), values[1], span)
        case Op.SET_REMOVE:
            return integer(values[0]) & ~(1 << position_of(element_sort(sorts[0]), values[1], span))
        case Op.SET_UNION:
            return integer(values[0]) | integer(values[1])
        case Op.SET_INTERSECT:
            return integer(values[0]) & integer(values[1])
        case Op.SET_MINUS:
            return integer(values[0]) & ~integer(values[1])
        case Op.SET_MAKE:
            mask = 0
            for value in values:
                mask |= 1 << position_of(element_sort(expression.sort), value, span)
            return mask
        case Op.SIZE:
            held = values[0]
            return held.bit_count() if isinstance(held, int) else len(items(held))
        case Op.LIST_MAKE:
            return tuple(values)
        case Op.LIST_PUSH:
            held_items = items(values[0])
            assert isinstance(expression.sort, ListSort)
            if len(held_items) >= expression.sort.capacity:
                raise Broken(
                    Check.NO_OUT_OF_BOUNDS,
                    f"a list of {expression.sort.capacity} elements was too small",
                    span,
                    overflow=data == 1,
                )
            return (*held_items, values[1])
        case Op.LIST_POP | Op.LIST_LAST:
            held_items = items(values[0])
            if not held_items:
                raise Broken(Check.NO_OUT_OF_BOUNDS, "takes the last element of an empty list", span)
            return held_items[:-1] if op is Op.LIST_POP else held_items[-1]
        case Op.LIST_AT:
            held_items = items(values[0])
            if values[1] is None or not 0 <= integer(values[1]) < len(held_items):
                raise Broken(
                    Check.NO_OUT_OF_BOUNDS,
                    f"index {values[1]} is outside a list of {len(held_items)} elements",
                    span,
                )
            return held_items[integer(values[1])]
        case Op.DISTINCT:
            element = element_sort(sorts[0])
            bare = [address(element, item) for item in items(values[0])]
            return int(len(set(bare)) == len(bare))
        case Op.OBJECT:
            if values[0] is None:
                raise Broken(Check.NO_USE_AFTER_FREE, "`NULL` is dereferenced", span)
            if integer(values[0]) < 0:
                raise Broken(Check.NO_USE_AFTER_FREE, "a freed object is accessed", span)
            return values[0]
        case Op.POINT:
            return (data, *values)
        case _:
            assert_never(op)


def element_sort(sort: Sort) -> Sort:
    """The sort of the members of a set, or elements of a list."""
    assert isinstance(sort, (SetSort, ListSort))
    return sort.element


def is_member(sorts: list[Sort], values: list[Value], numbering: SeqNumbering, span: Span | None) -> bool:
    """Whether the first value is in the second, a set or list."""
    inner = element_sort(sorts[1])
    if isinstance(sorts[1], SetSort):
        position = position_of(inner, values[0], span)
        return position >= 0 and bool(integer(values[1]) >> position & 1)
    return any(same(sorts[0], values[0], inner, item, numbering, span) for item in items(values[1]))


def fitted(sort: Sort, value: Value, span: Span | None) -> Value:
    """A number as a member of an int or index sort: out of range is an error, or wraps around."""
    if value is None:
        raise Broken(Check.NO_OUT_OF_BOUNDS, f"`none` is used as a {sort_name(sort)}", span)
    number = integer(value)
    match sort:
        case IntSort(low=low, high=high, wrap=True):
            return low + (number - low) % (high - low + 1)
        case IntSort(low=low, high=high):
            pass
        case IdSort(size=size):
            low, high = 0, size - 1
        case _:
            return number
    if not low <= number <= high:
        raise Broken(Check.NO_OUT_OF_BOUNDS, f"{number} is outside {low}..{high}", span)
    return number


def arithmetic(op: Op, numbers: list[int], span: Span | None) -> int:
    """C's arithmetic on numbers that are never too large."""
    a = numbers[0]
    b = numbers[1] if len(numbers) > 1 else 0
    match op:
        case Op.LESS:
            return int(a < b)
        case Op.LESS_EQUAL:
            return int(a <= b)
        case Op.ADD:
            return a + b
        case Op.SUBTRACT:
            return a - b
        case Op.MULTIPLY:
            return a * b
        case Op.NEGATE:
            return -a
        case Op.BIT_AND:
            return a & b
        case Op.BIT_OR:
            return a | b
        case Op.BIT_XOR:
            return a ^ b
        case Op.SHIFT_LEFT | Op.SHIFT_RIGHT:
            if not 0 <= b < 64:
                raise Broken(Check.NO_OUT_OF_BOUNDS, f"shifts by {b} bits", span)
            return a << b if op is Op.SHIFT_LEFT else a >> b
        case Op.DIVIDE | Op.MODULO:
            if b == 0:
                raise Broken(Check.NO_OUT_OF_BOUNDS, "divides by zero", span)
            quotient = abs(a) // abs(b)
            quotient = quotient if (a < 0) == (b < 0) else -quotient
            return quotient if op is Op.DIVIDE else a - quotient * b
        case _:
            raise ValueError(f"not arithmetic: {op}")
