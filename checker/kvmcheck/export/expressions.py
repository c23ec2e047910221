# SPDX-License-Identifier: GPL-2.0-only
"""The scalars of an expression, and what may go wrong while it is evaluated: `semantics.expressions`, in symbols."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from kvmcheck.export.scalars import (
    FALSE,
    TRUE,
    Kind,
    Members,
    Number,
    Operator,
    Scalar,
    Symbol,
    arithmetic,
    as_number,
    as_truth,
    conjunction,
    disjunction,
    either,
    equal,
    has,
    is_unset,
    kind_of,
    negation,
    quantified,
    sets,
    size_of,
    substituted,
    values_of,
    with_member,
    without_member,
)
from kvmcheck.export.shapes import set_size
from kvmcheck.export.world import Code, Proc, World
from kvmcheck.semantics.expressions import sort_of
from kvmcheck.semantics.pointers import is_pointer
from kvmcheck.semantics.program import (
    Actor,
    Apply,
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
    Quantified,
    Quantifier,
    Read,
    The,
    VariablePlace,
)
from kvmcheck.semantics.sorts import (
    BoolSort,
    IdSort,
    IntSort,
    ListSort,
    LockSort,
    ObjectPointerSort,
    OptionalSort,
    PlacePointerSort,
    SeqSort,
    SetSort,
    Sort,
    UnionSort,
    WordSort,
    member_count,
)
from kvmcheck.source.text import Span


class CannotCarry(Exception):
    """The target has no way to say this: what, and where it stands."""

    def __init__(self, what: str, span: Span | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.span = span


@dataclass(frozen=True, slots=True)
class Failure:
    """A built-in check fails if the condition is true."""

    condition: Scalar
    check: Check
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """The scalars of a value, and the failures on the way to it, in the order in which they are met."""

    parts: tuple[Scalar, ...]
    failures: tuple[Failure, ...] = ()

    @property
    def one(self) -> Scalar:
        """The only scalar."""
        (part,) = self.parts
        return part


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a variable."""

    variable: int
    indices: tuple[Scalar, ...]


#: Elements that a place may be, each with the condition under which it is.
Elements = tuple[tuple[Scalar, Element], ...]

#: Told of every element that is read: what this adds to the failures.
OnRead = Callable[[Elements], tuple[Failure, ...]]


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may refer to.  `assigned`: locals that surely hold a value."""

    world: World
    proc: Proc | None = None
    code: Code | None = None
    assigned: frozenset[int] = frozenset()
    bound: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)
    calls: Mapping[str, tuple[LiveCall, Proc, Scalar]] = field(default_factory=dict)
    old: tuple[Scalar, ...] = ()
    on_read: OnRead | None = None
    locals: Mapping[int, tuple[Scalar, ...]] = field(default_factory=dict)  # of `init`, which is nobody's
    before: Callable[[Scalar], Scalar] | None = None

    @property
    def me(self) -> Scalar:
        """Which of its process's threads runs."""
        assert self.proc is not None
        return self.proc.me

    @property
    def thread(self) -> Scalar:
        """The number of the thread that runs."""
        assert self.proc is not None
        if self.proc.size == 1:
            return Number(self.proc.first, f"{self.proc.name}_id")
        return arithmetic(Operator.ADD, Number(self.proc.first), self.me)


def guarded(failures: Sequence[Failure], condition: Scalar) -> tuple[Failure, ...]:
    """The failures, met only if the condition holds."""
    found = (replace(f, condition=conjunction((condition, f.condition))) for f in failures)
    return tuple(f for f in found if f.condition != FALSE)


def failure(condition: Scalar, check: Check, text: str) -> tuple[Failure, ...]:
    """The failure, if it can happen."""
    return () if condition == FALSE else (Failure(condition, check, text),)


def bounds(text: str, condition: Scalar) -> tuple[Failure, ...]:
    """A failure of no_out_of_bounds."""
    return failure(condition, Check.NO_OUT_OF_BOUNDS, text)


# ------------------------------------------------------------------------------ converting


def converted(world: World, result: Result, source: Sort, wanted: Sort) -> Result:
    """The value as one of another sort: T as T?, T? as T (which fails for `none`), numbers as truth values."""
    shapes = world.shapes
    if source == wanted:
        return result
    match source, wanted:
        case OptionalSort(inner=a), OptionalSort(inner=b):
            if shapes.is_scalar_optional(a):
                return result
            inner = converted(world, Result(result.parts[1:]), a, b)
            return Result((result.parts[0], *inner.parts), result.failures)
        case _, OptionalSort(inner=b):
            inner = converted(world, result, source, b)
            if shapes.is_scalar_optional(b):
                return replace(inner, parts=tuple(as_number(part) for part in inner.parts))
            return replace(inner, parts=(TRUE, *inner.parts))
        case OptionalSort(inner=a), _:
            broken = bounds("none is used as a value", shapes.is_none(source, result.parts))
            parts = result.parts if shapes.is_scalar_optional(a) else result.parts[1:]
            if isinstance(a, BoolSort):
                parts = tuple(as_truth(part) for part in parts)
            return converted(world, Result(parts, (*result.failures, *broken)), a, wanted)
        case ListSort(), ListSort(capacity=capacity, element=element):
            width = len(shapes.leaves(element))
            fillers = tuple(leaf.filler for leaf in shapes.leaves(wanted))
            parts = (*result.parts, *fillers[len(result.parts) :])[: 1 + capacity * width]
            return replace(result, parts=parts)
        case _, BoolSort():
            return replace(result, parts=tuple(as_truth(part) for part in result.parts))
        case BoolSort(), _:
            return replace(result, parts=tuple(as_number(part) for part in result.parts))
        case _:
            return result


def value_as(expression: Expr, wanted: Sort, scope: Scope) -> Result:
    """The value of an expression, as one of this sort."""
    if isinstance(expression, Const):
        if expression.value is None and not isinstance(wanted, OptionalSort) and not is_pointer(wanted):
            return Result(scope.world.shapes.constant(None, expression.sort))
        if not (isinstance(wanted, LockSort)):
            return Result(scope.world.shapes.constant(expression.value, wanted))
    return converted(scope.world, value_of(expression, scope), sort_of(expression), wanted)


def truth_of(expression: Expr, scope: Scope) -> Result:
    """The value of a condition."""
    result = value_of(expression, scope)
    if len(result.parts) != 1:
        raise CannotCarry("a condition that is no truth value")
    return replace(result, parts=(as_truth(result.parts[0]),))


# ------------------------------------------------------------------------------ places


def position(expression: Expr, dimension: Sort, scope: Scope) -> Result:
    """An index, as the position that it is in a dimension; outside of it is a failure."""
    result = value_of(expression, scope)
    sort = sort_of(expression)
    if isinstance(sort, OptionalSort) and not isinstance(dimension, OptionalSort):
        result = converted(scope.world, result, sort, sort.inner)
        sort = sort.inner
    if len(result.parts) != 1:
        raise CannotCarry("an index that is a compound value")
    failures = result.failures
    found = as_number(result.one)
    size = member_count(dimension)
    low = 0
    match dimension:
        case IntSort(low=low):
            found = arithmetic(Operator.SUBTRACT, found, Number(low))
        case ObjectPointerSort():
            null = scope.world.shapes.nothing("NULL")
            failures += bounds("NULL is used as a member", equal(found, null))
            leaf = scope.world.shapes.leaves(dimension)[0]
            return Result((scope.world.shapes.address(leaf, found),), failures)
        case _:
            pass
    known = scope.world.shapes.leaves(sort)[0]
    inside = known.high is not None and known.kind is Kind.INT and not known.optional
    if inside and known.low >= low and (known.high or 0) - low < size:
        return Result((found,), failures)
    if kind_of(result.one) is Kind.BOOL and size >= 2:
        return Result((found,), failures)
    if isinstance(found, Number | Symbol):
        within = (found.value, found.value) if isinstance(found, Number) else (found.low, found.high)
        if within[0] >= 0 and within[1] < size:
            return Result((found,), failures)
    outside = disjunction(
        (
            arithmetic(Operator.LESS, found, Number(0)),
            negation(arithmetic(Operator.LESS, found, Number(size))),
        )
    )
    return Result((found,), failures + bounds("an index is outside its array", outside))


def elements_of(place: Place, scope: Scope) -> tuple[Elements, tuple[Failure, ...]]:
    """The elements that a place may be; one, unless it is behind a pointer to several kinds of places."""
    program = scope.world.program
    match place:
        case VariablePlace(variable=number, indices=indices):
            found, failures = _positions(program.variables[number].dimensions, indices, scope)
            return ((TRUE, Element(number, found)),), failures
        case PointerPlace(pointer=pointer, target=target, component=component, indices=indices):
            return _pointed(pointer, target, component, indices, scope)
        case _:
            assert_never(place)


def _positions(
    dimensions: Sequence[Sort], indices: Sequence[Expr], scope: Scope
) -> tuple[tuple[Scalar, ...], tuple[Failure, ...]]:
    # All indices are evaluated before any of them is compared with its dimension.
    results = [position(i, d, scope) for i, d in zip(indices, dimensions, strict=True)]
    return tuple(r.one for r in results), tuple(f for r in results for f in r.failures)


def _pointed(
    pointer: Expr, target: str, component: str, indices: tuple[Expr, ...], scope: Scope
) -> tuple[Elements, tuple[Failure, ...]]:
    world, shapes = scope.world, scope.world.shapes
    sort = sort_of(pointer)
    result = value_of(pointer, scope)
    if isinstance(sort, OptionalSort):
        result = converted(world, result, sort, sort.inner)
    where = result.one
    live = shapes.places(target)
    null = equal(where, shapes.nothing("NULL"))
    stale = negation(arithmetic(Operator.LESS, where, Number(live)))
    failures = (
        *result.failures,
        *failure(null, Check.NO_USE_AFTER_FREE, "NULL is dereferenced"),
        *failure(stale, Check.NO_USE_AFTER_FREE, "a pointer into a freed object is dereferenced"),
    )
    found: list[tuple[Scalar, Element]] = []
    for number, root in enumerate(world.program.roots[target]):
        if component not in root.components:
            continue
        variable = root.components[component]
        dimensions = world.program.variables[variable].dimensions
        own = shapes.root_dimensions(target, number)
        first, size = shapes.root_first(target, number), shapes.root_size(target, number)
        offset = arithmetic(Operator.SUBTRACT, where, Number(first))
        rest, more = _positions(dimensions[len(own) :], indices, scope)
        inside = arithmetic(Operator.LESS, where, Number(first + size))
        failures += guarded(more, inside)
        found.append((inside, Element(variable, (*spread(offset, own), *rest))))
    if not found:
        raise CannotCarry(f"a pointer that points to no {target}")
    return tuple(found), failures


def spread(offset: Scalar, dimensions: Sequence[Sort]) -> tuple[Scalar, ...]:
    """The positions in each dimension of a row-major number."""
    found: list[Scalar] = []
    stride = 1
    for place, dimension in reversed(list(enumerate(dimensions))):
        size = member_count(dimension)
        here = offset if stride == 1 else arithmetic(Operator.DIVIDE, offset, Number(stride))
        found.append(here if place == 0 else arithmetic(Operator.MODULO, here, Number(size)))
        stride *= size
    return tuple(reversed(found))


def value_at(elements: Elements, world: World) -> tuple[Scalar, ...]:
    """The scalars of the element that a place is."""
    *first, (_, last) = elements
    found: tuple[Scalar, ...] = world.variable_cells(last.variable, last.indices)
    for condition, element in reversed(first):
        here = world.variable_cells(element.variable, element.indices)
        found = tuple(either(condition, a, b) for a, b in zip(here, found, strict=True))
    return found


def read(place: Place, scope: Scope) -> Result:
    """The value of a place."""
    elements, failures = elements_of(place, scope)
    if scope.on_read is not None:
        failures += scope.on_read(elements)
    return Result(value_at(elements, scope.world), failures)


def lock_holds(parts: tuple[Scalar, ...], mode: HeldMode, thread: Scalar | None, world: World) -> Scalar:
    """Whether a lock that holds these scalars is held so, by one thread or by anyone."""
    if thread is None:
        writes = negation(equal(parts[0], world.shapes.nothing("none")))
        reads: Scalar = FALSE
        if len(parts) > 1:
            reads = negation(equal(parts[1], Members(0, len(world.program.threads))))
    else:
        writes = equal(parts[0], thread)
        reads = has(parts[1], thread) if len(parts) > 1 else FALSE
    match mode:
        case HeldMode.ANY:
            return disjunction((writes, reads))
        case HeldMode.READ:
            return reads
        case HeldMode.WRITE:
            return writes
        case _:
            assert_never(mode)


# ------------------------------------------------------------------------------ expressions


def value_of(expression: Expr, scope: Scope) -> Result:
    """The scalars of an expression."""
    world = scope.world
    match expression:
        case Const(value=value, sort=sort):
            return Result(world.shapes.constant(value, sort))
        case Local(local=local):
            return _local(local, scope)
        case Param(index=index):
            assert scope.proc is not None
            return Result(world.parameter(scope.proc, scope.me, index))
        case Current():
            return Result((scope.thread,))
        case Actor():
            raise CannotCarry("`actor`")
        case Bound(name=name):
            return Result(scope.bound[name])
        case OldValue():
            return Result(scope.old)
        case Read(place=place):
            return read(place, scope)
        case Old(inner=inner):
            if scope.before is None:
                raise CannotCarry("`old`")
            result = value_of(inner, replace(scope, before=None))
            change = scope.before
            return Result(
                tuple(change(part) for part in result.parts),
                tuple(replace(f, condition=change(f.condition)) for f in result.failures),
            )
        case Held(lock=lock, mode=mode, thread=thread):
            result = read(lock, scope)
            if thread is None:
                return Result((lock_holds(result.parts, mode, None, world),), result.failures)
            who = position(thread, sort_of(thread), scope)
            held = lock_holds(result.parts, mode, who.one, world)
            return Result((held,), (*result.failures, *who.failures))
        case Apply():
            return applied(expression, scope)
        case Quantified(kind=kind, bound=bound, domain=domain, body=body):
            return _quantified(kind, bound, domain, body, scope)
        case LiveQuantified(kind=kind, name=name, function=function, body=body):
            return _live(kind, name, function, body, scope)
        case CallLocal(call=call, local=local):
            found, proc, me = scope.calls[call]
            code = _code_of(found, proc)
            cells = world.local_cells(proc, code, me, found.locals[local])
            unset = failure(is_unset(cells[0]), Check.NO_UNSET_READ, f"{call}.{local} holds nothing there")
            return Result(cells, unset)
        case CallThread(call=call):
            _, proc, me = scope.calls[call]
            return Result((arithmetic(Operator.ADD, Number(proc.first), me),))
        case CallAt(call=call, label=label):
            found, proc, me = scope.calls[call]
            return Result((_is_in(proc, _code_of(found, proc), me, found.at[label]),))
        case CallIn(call=call, start=start, end=end):
            found, proc, me = scope.calls[call]
            cell = world.local_cells(proc, _code_of(found, proc), me, found.regions[start, end])[0]
            inside = as_truth(cell) if cell.kind is Kind.BOOL else equal(cell, Number(1))
            return Result((conjunction((negation(is_unset(cell)), inside)),))
        case The(bound=bound, condition=condition):
            return _the(bound, condition, scope)
        case _:
            assert_never(expression)


def _local(local: int, scope: Scope) -> Result:
    if local in scope.locals:
        return Result(scope.locals[local])
    assert scope.proc is not None and scope.code is not None
    cells = scope.world.local_cells(scope.proc, scope.code, scope.me, local)
    if local in scope.assigned:
        return Result(cells)
    name = scope.code.body.locals[local].name or "a value"
    return Result(cells, failure(is_unset(cells[0]), Check.NO_UNSET_READ, f"{name} holds nothing yet"))


def _code_of(call: LiveCall, proc: Proc) -> Code:
    if call.interrupt:
        assert proc.handler is not None
        return proc.handler
    return proc.main


def _is_in(proc: Proc, code: Code, me: Scalar, nodes: frozenset[int]) -> Scalar:
    places = [name for node, name in code.locations.items() if node in nodes]
    return disjunction(proc.is_at(code, me, name) for name in places)


# ------------------------------------------------------------------------------ quantifiers


def symbols_for(world: World, name: str, sort: Sort) -> tuple[Symbol, ...]:
    """A symbol for each scalar of a value of a sort, whose values are all values of the sort together."""
    if isinstance(sort, (UnionSort, ListSort)) or not world.shapes.leaves(sort):
        raise CannotCarry(f"any value of a {type(sort).__name__}")
    if isinstance(sort, OptionalSort) and not world.shapes.is_scalar_optional(sort.inner):
        raise CannotCarry("any value of an optional compound value")
    found = []
    for leaf in world.shapes.leaves(sort):
        taken = world.names.take(f"{name}_{leaf.path}" if leaf.path else name)
        if leaf.kind is Kind.SET:
            found.append(Symbol(taken, Kind.SET, 0, leaf.size))
            continue
        assert leaf.high is not None
        high = leaf.live - 1 if leaf.live else leaf.high
        low = 0 if leaf.live else leaf.low
        if leaf.optional and not leaf.live and world.shapes.none != -1:
            raise CannotCarry("any value of an optional number")
        found.append(Symbol(taken, leaf.kind, low, high))
    return tuple(found)


def _quantified(kind: Quantifier, bound: Bound, domain: Expr | None, body: Expr, scope: Scope) -> Result:
    world = scope.world
    symbols = symbols_for(world, bound.name, bound.sort)
    given, inside, failures = member_test(bound.sort, domain, symbols, scope)
    inner = replace(scope, bound={**scope.bound, bound.name: given})
    result = truth_of(body, inner)
    return _over(kind, symbols, inside, result, failures)


def member_test(
    sort: Sort, domain: Expr | None, symbols: tuple[Symbol, ...], scope: Scope
) -> tuple[tuple[Scalar, ...], Scalar, tuple[Failure, ...]]:
    """The value that symbols stand for, whether it is in the domain, and how finding that out fails."""
    if domain is not None:
        domain_sort = sort_of(domain)
        assert isinstance(domain_sort, SetSort)
        given = value_of(domain, scope)
        return symbols, has(given.one, position_in_set(domain_sort.element, symbols[0])), given.failures
    if isinstance(sort, ObjectPointerSort):
        pool = next((p for p in scope.world.program.pools if p.name == sort.object), None)
        if pool is not None:
            mask = scope.world.variable_cells(pool.allocated, ())[0]
            return symbols, has(mask, symbols[0]), ()
    return symbols, TRUE, ()


def position_in_set(element: Sort, value: Scalar) -> Scalar:
    """The position of a member in a set of its sort; the value is one."""
    match element:
        case IntSort(low=low):
            return arithmetic(Operator.SUBTRACT, as_number(value), Number(low))
        case OptionalSort(inner=inner):
            none = disjunction((arithmetic(Operator.LESS, value, Number(0)),))
            if isinstance(inner, IntSort):
                raise CannotCarry("a set of optional numbers")
            return either(none, Number(0), arithmetic(Operator.ADD, value, Number(1)))
        case _:
            return as_number(value)


def _over(
    kind: Quantifier, symbols: tuple[Symbol, ...], inside: Scalar, body: Result, before: tuple[Failure, ...]
) -> Result:
    """A quantifier over symbols."""
    condition = body.one
    if not body.failures and kind is not Quantifier.COUNT:
        every = kind is Quantifier.FORALL
        found = disjunction((negation(inside), condition)) if every else conjunction((inside, condition))
        for symbol in reversed(symbols):
            found = quantified(every, symbol, found)
        return Result((found,), before)
    cases = [Result((conjunction((inside, condition)),), guarded(body.failures, inside))]
    insides = [inside]
    for symbol in symbols:
        values = values_of(symbol)
        insides = [substituted(i, {symbol: v}) for v in values for i in insides]
        cases = [_put(case, symbol, v) for v in values for case in cases]
    return _sequence(kind, cases, insides, before)


def _put(result: Result, symbol: Symbol, value: Scalar) -> Result:
    return Result(
        tuple(substituted(part, {symbol: value}) for part in result.parts),
        tuple(replace(f, condition=substituted(f.condition, {symbol: value})) for f in result.failures),
    )


def _sequence(
    kind: Quantifier, cases: Sequence[Result], insides: Sequence[Scalar], before: tuple[Failure, ...]
) -> Result:
    """A quantifier over cases in order: what is met behind the case that decides is not evaluated."""
    failures = list(before)
    if kind is Quantifier.COUNT:
        total: Scalar = Number(0)
        for case in cases:
            failures += case.failures
            total = arithmetic(Operator.ADD, total, as_number(case.one))
        return Result((total,), tuple(failures))
    undecided: Scalar = TRUE
    found: list[Scalar] = []
    for case, inside in zip(cases, insides, strict=True):
        failures += guarded(case.failures, undecided)
        if kind is Quantifier.FORALL:
            fine = disjunction((negation(inside), case.one))
            found.append(fine)
            undecided = conjunction((undecided, fine))
        else:
            found.append(case.one)
            undecided = conjunction((undecided, negation(case.one)))
    joined = conjunction(found) if kind is Quantifier.FORALL else disjunction(found)
    return Result((joined,), tuple(f for f in failures if f.condition != FALSE))


def _live(kind: Quantifier, name: str, function: str, body: Expr, scope: Scope) -> Result:
    cases: list[Result] = []
    insides: list[Scalar] = []
    for call in scope.world.program.live_calls:
        if call.function != function:
            continue
        proc = scope.world.procs[call.process]
        code = _code_of(call, proc)
        for instance in range(proc.size):
            me = Number(instance)
            inside = _is_in(proc, code, me, call.nodes)
            inner = replace(scope, calls={**scope.calls, name: (call, proc, me)})
            result = truth_of(body, inner)
            cases.append(Result((conjunction((inside, result.one)),), guarded(result.failures, inside)))
            insides.append(inside)
    return _sequence(kind, cases, insides, ())


def _the(bound: Bound, condition: Expr, scope: Scope) -> Result:
    symbols = symbols_for(scope.world, bound.name, bound.sort)
    if len(symbols) != 1:
        raise CannotCarry("`the` of a compound value")
    given, inside, _ = member_test(bound.sort, None, symbols, scope)
    result = truth_of(condition, replace(scope, bound={**scope.bound, bound.name: given}))
    fits = conjunction((inside, result.one))
    failures: list[Failure] = []
    total: Scalar = Number(0)
    found: Scalar = values_of(symbols[0])[-1]
    for value in reversed(values_of(symbols[0])):
        here = substituted(fits, {symbols[0]: value})
        total = arithmetic(Operator.ADD, as_number(here), total)
        found = either(here, value, found)
    for value in values_of(symbols[0]):
        failures += _put(Result((), guarded(result.failures, inside)), symbols[0], value).failures
    several = negation(equal(total, Number(1)))
    return Result((found,), (*failures, *bounds("`the`: no member fits, or more than one", several)))


# ------------------------------------------------------------------------------ operators

_ARITHMETIC = {
    Op.LESS: Operator.LESS,
    Op.LESS_EQUAL: Operator.LESS_EQUAL,
    Op.ADD: Operator.ADD,
    Op.SUBTRACT: Operator.SUBTRACT,
    Op.MULTIPLY: Operator.MULTIPLY,
    Op.DIVIDE: Operator.DIVIDE,
    Op.MODULO: Operator.MODULO,
    Op.BIT_AND: Operator.BIT_AND,
    Op.BIT_OR: Operator.BIT_OR,
    Op.BIT_XOR: Operator.BIT_XOR,
    Op.SHIFT_LEFT: Operator.SHIFT_LEFT,
    Op.SHIFT_RIGHT: Operator.SHIFT_RIGHT,
}
_SETS = {
    Op.SET_UNION: Operator.UNION,
    Op.SET_INTERSECT: Operator.INTERSECT,
    Op.SET_MINUS: Operator.MINUS,
}


def applied(expression: Apply, scope: Scope) -> Result:
    """The scalars of an operator's application."""
    op, arguments = expression.op, expression.arguments
    match op:
        case Op.AND | Op.OR | Op.IMPLIES:
            return _short_circuit(op, arguments, scope)
        case Op.IF:
            condition = truth_of(arguments[0], scope)
            yes = value_as(arguments[1], expression.sort, scope)
            no = value_as(arguments[2], expression.sort, scope)
            parts = tuple(either(condition.one, a, b) for a, b in zip(yes.parts, no.parts, strict=True))
            return Result(
                parts,
                condition.failures
                + guarded(yes.failures, condition.one)
                + guarded(no.failures, negation(condition.one)),
            )
        case Op.NOT:
            found = truth_of(arguments[0], scope)
            return replace(found, parts=(negation(found.one),))
        case Op.EQUAL | Op.NOT_EQUAL:
            found = _equality(arguments[0], arguments[1], scope)
            return found if op is Op.EQUAL else replace(found, parts=(negation(found.one),))
        case Op.MAKE:
            assert isinstance(expression.sort, WordSort)
            made = [
                value_as(a, part, scope)
                for a, (_, part, _) in zip(arguments, expression.sort.fields, strict=True)
            ]
            return _all(made)
        case Op.ARM_MAKE:
            return _arm_make(expression, scope)
        case Op.LIST_MAKE | Op.LIST_PUSH | Op.LIST_POP | Op.LIST_LAST | Op.LIST_AT | Op.DISTINCT:
            return _list_operator(expression, scope)
        case Op.SET_MAKE:
            assert isinstance(expression.sort, SetSort)
            element = expression.sort.element
            total: Scalar = Members(0, set_size(element))
            failures: tuple[Failure, ...] = ()
            for argument in arguments:
                member = _member(argument, element, scope)
                total, failures = with_member(total, member.one), failures + member.failures
            return Result((total,), failures)
        case Op.SET_ADD | Op.SET_REMOVE:
            sort = sort_of(arguments[0])
            assert isinstance(sort, SetSort)
            a_set, member = value_of(arguments[0], scope), _member(arguments[1], sort.element, scope)
            change = with_member if op is Op.SET_ADD else without_member
            return Result((change(a_set.one, member.one),), (*a_set.failures, *member.failures))
        case Op.IN:
            return _membership(arguments[0], arguments[1], scope)
        case _:
            return _plain(expression, [value_of(argument, scope) for argument in arguments], scope)


def _all(results: Sequence[Result]) -> Result:
    return Result(
        tuple(part for r in results for part in r.parts), tuple(f for r in results for f in r.failures)
    )


def _short_circuit(op: Op, arguments: tuple[Expr, ...], scope: Scope) -> Result:
    results = [truth_of(argument, scope) for argument in arguments]
    so_far: Scalar = TRUE
    failures: tuple[Failure, ...] = ()
    for number, result in enumerate(results):
        failures += guarded(result.failures, so_far)
        goes_on = negation(result.one) if op is Op.OR else result.one
        if op is Op.IMPLIES and number > 0:
            goes_on = TRUE
        so_far = conjunction((so_far, goes_on))
    found = [result.one for result in results]
    match op:
        case Op.AND:
            return Result((conjunction(found),), failures)
        case Op.OR:
            return Result((disjunction(found),), failures)
        case _:
            return Result((disjunction((negation(found[0]), found[1])),), failures)


def _common(a: Sort, b: Sort) -> Sort:
    """The sort in which two values are compared."""
    if isinstance(b, OptionalSort) and not isinstance(a, OptionalSort):
        return b
    if isinstance(a, ListSort) and isinstance(b, ListSort):
        return a if a.capacity >= b.capacity else b
    if isinstance(a, BoolSort) and not isinstance(b, BoolSort):
        return b
    return a


def _equality(left: Expr, right: Expr, scope: Scope) -> Result:
    a, b = sort_of(left), sort_of(right)
    if isinstance(a, SeqSort) and a.wrap is None and len(scope.world.program.seq_homes) > 1:
        raise CannotCarry("copies of several seqs that know their home; give --seq-wrap")
    if isinstance(left, Const):
        sort = b if left.value is not None or isinstance(b, OptionalSort) or is_pointer(b) else a
    elif isinstance(right, Const):
        sort = a if right.value is not None or isinstance(a, OptionalSort) or is_pointer(a) else b
    else:
        sort = _common(a, b)
    one, other = value_as(left, sort, scope), value_as(right, sort, scope)
    if len(one.parts) != len(other.parts):
        return Result((FALSE,), (*one.failures, *other.failures))
    same = scope.world.shapes.same(sort, one.parts, other.parts)
    return Result((same,), (*one.failures, *other.failures))


def _member(expression: Expr, element: Sort, scope: Scope) -> Result:
    """The position of a member in a set; `none` as a member is a failure."""
    shapes = scope.world.shapes
    sort = sort_of(expression)
    result = value_of(expression, scope)
    if isinstance(sort, OptionalSort) and not isinstance(element, OptionalSort):
        result = converted(scope.world, result, sort, element)
    if isinstance(element, ObjectPointerSort):
        broken = bounds("NULL is used as a member of a set", equal(result.one, shapes.nothing("NULL")))
        bare = shapes.address(shapes.leaves(element)[0], result.one)
        return Result((bare,), (*result.failures, *broken))
    return replace(result, parts=(position_in_set(element, result.one),))


def _membership(left: Expr, right: Expr, scope: Scope) -> Result:
    container = sort_of(right)
    shapes = scope.world.shapes
    if isinstance(container, SetSort):
        member, a_set = _member(left, container.element, scope), value_of(right, scope)
        size = set_size(container.element)
        inside = has(a_set.one, member.one)
        known = shapes.leaves(sort_of(left))[0]
        if not (known.low >= 0 and known.high is not None and known.high < size) and isinstance(
            container.element, IntSort
        ):
            within = arithmetic(Operator.LESS, member.one, Number(size))
            above = negation(arithmetic(Operator.LESS, member.one, Number(0)))
            inside = conjunction((above, within, inside))
        return Result((inside,), (*member.failures, *a_set.failures))
    assert isinstance(container, ListSort)
    wanted, held = value_as(left, container.element, scope), value_of(right, scope)
    found = disjunction(
        conjunction(
            (
                arithmetic(Operator.LESS, Number(n), held.parts[0]),
                shapes.same(container.element, wanted.parts, item),
            )
        )
        for n, item in enumerate(_items(container, held.parts, scope))
    )
    return Result((found,), (*wanted.failures, *held.failures))


def _arm_make(expression: Apply, scope: Scope) -> Result:
    sort = expression.sort
    assert isinstance(sort, UnionSort)
    found: list[Scalar] = [Number(expression.data)]
    failures: tuple[Failure, ...] = ()
    for number, (_, arm) in enumerate(sort.arms):
        if arm is None:
            continue
        if number == expression.data and expression.arguments:
            made = value_as(expression.arguments[0], arm, scope)
            found += made.parts
            failures = made.failures
        else:
            found += [leaf.filler for leaf in scope.world.shapes.leaves(arm)]
    return Result(tuple(found), failures)


def _items(sort: ListSort, parts: tuple[Scalar, ...], scope: Scope) -> list[tuple[Scalar, ...]]:
    width = len(scope.world.shapes.leaves(sort.element))
    return [tuple(parts[1 + n * width : 1 + (n + 1) * width]) for n in range(sort.capacity)]


def _list_operator(expression: Apply, scope: Scope) -> Result:
    op, arguments, shapes = expression.op, expression.arguments, scope.world.shapes
    if op is Op.LIST_MAKE:
        assert isinstance(expression.sort, ListSort)
        made = _all([value_as(a, expression.sort.element, scope) for a in arguments])
        fillers = [leaf.filler for leaf in shapes.leaves(expression.sort)]
        parts = (Number(len(arguments)), *made.parts, *fillers[1 + len(made.parts) :])
        return Result(parts, made.failures)
    sort = sort_of(arguments[0])
    assert isinstance(sort, ListSort)
    held = value_of(arguments[0], scope)
    length, items = held.parts[0], _items(sort, held.parts, scope)
    filler = tuple(leaf.filler for leaf in shapes.leaves(sort.element))
    match op:
        case Op.LIST_PUSH:
            assert isinstance(expression.sort, ListSort)
            pushed = value_as(arguments[1], sort.element, scope)
            full = negation(arithmetic(Operator.LESS, length, Number(expression.sort.capacity)))
            parts_: list[Scalar] = [arithmetic(Operator.ADD, length, Number(1))]
            for n, item in enumerate(items):
                here = equal(length, Number(n))
                parts_ += [either(here, a, b) for a, b in zip(pushed.parts, item, strict=True)]
            broken = bounds("a list was too small", full)
            return Result(tuple(parts_), (*held.failures, *pushed.failures, *broken))
        case Op.LIST_POP | Op.LIST_LAST:
            empty = bounds("the last element of an empty list", equal(length, Number(0)))
            failures = (*held.failures, *empty)
            last = arithmetic(Operator.SUBTRACT, length, Number(1))
            if op is Op.LIST_LAST:
                return Result(_item_at(items, last), failures)
            parts_ = [last]
            for n, item in enumerate(items):
                here = equal(last, Number(n))
                parts_ += [either(here, a, b) for a, b in zip(filler, item, strict=True)]
            return Result(tuple(parts_), failures)
        case Op.LIST_AT:
            index = value_as(arguments[1], sort_of(arguments[1]), scope)
            at = as_number(index.one)
            outside = disjunction(
                (
                    arithmetic(Operator.LESS, at, Number(0)),
                    negation(arithmetic(Operator.LESS, at, length)),
                )
            )
            broken = bounds("an index is outside its list", outside)
            return Result(_item_at(items, at), (*held.failures, *index.failures, *broken))
        case _:
            twice = disjunction(
                conjunction(
                    (
                        arithmetic(Operator.LESS, Number(later), length),
                        shapes.same(sort.element, items[earlier], items[later]),
                    )
                )
                for later in range(len(items))
                for earlier in range(later)
            )
            return Result((negation(twice),), held.failures)


def _item_at(items: Sequence[tuple[Scalar, ...]], at: Scalar) -> tuple[Scalar, ...]:
    found = items[-1]
    for n in range(len(items) - 2, -1, -1):
        here = equal(at, Number(n))
        found = tuple(either(here, a, b) for a, b in zip(items[n], found, strict=True))
    return found


def _plain(expression: Apply, results: list[Result], scope: Scope) -> Result:
    """Operators that evaluate all arguments first."""
    op, data, world = expression.op, expression.data, scope.world
    failures = tuple(f for result in results for f in result.failures)
    sorts = [sort_of(argument) for argument in expression.arguments]
    shapes = world.shapes
    if op in _ARITHMETIC or op is Op.NEGATE:
        none = disjunction(shapes.is_none(s, r.parts) for s, r in zip(sorts, results, strict=True))
        failures += bounds("none is used as a number", none)
        a = as_number(results[0].one)
        if op is Op.NEGATE:
            return Result((arithmetic(Operator.SUBTRACT, Number(0), a),), failures)
        b = as_number(results[1].one)
        if op in (Op.DIVIDE, Op.MODULO):
            failures += bounds("divides by zero", equal(b, Number(0)))
        if op in (Op.SHIFT_LEFT, Op.SHIFT_RIGHT):
            fits = conjunction(
                (arithmetic(Operator.LESS_EQUAL, Number(0), b), arithmetic(Operator.LESS, b, Number(64)))
            )
            failures += bounds("shifts by too many bits", negation(fits))
        return Result((arithmetic(_ARITHMETIC[op], a, b),), failures)
    first = results[0].parts if results else ()
    match op:
        case Op.FIELD | Op.WITH:
            word = sorts[0]
            if isinstance(word, OptionalSort):
                bare = converted(world, Result(first, results[0].failures), word, word.inner)
                first, word = bare.parts, word.inner
                failures = bare.failures + tuple(f for r in results[1:] for f in r.failures)
            assert isinstance(word, WordSort)
            widths = [len(shapes.leaves(part)) for _, part, _ in word.fields]
            start, width = sum(widths[:data]), widths[data]
            if op is Op.FIELD:
                return Result(first[start : start + width], failures)
            given = value_as(expression.arguments[1], word.fields[data][1], scope)
            return Result((*first[:start], *given.parts, *first[start + width :]), failures)
        case Op.ARM_IS:
            return Result((equal(first[0], Number(data)),), failures)
        case Op.ARM_GET:
            union = sorts[0]
            assert isinstance(union, UnionSort)
            widths = [0 if arm is None else len(shapes.leaves(arm)) for _, arm in union.arms]
            start = 1 + sum(widths[:data])
            wrong = negation(equal(first[0], Number(data)))
            text = "reads an arm of the union that it does not hold"
            return Result(first[start : start + widths[data]], failures + bounds(text, wrong))
        case Op.UNWRAP:
            if not isinstance(sorts[0], OptionalSort):
                return Result(first, failures)
            bare = converted(world, Result(first), sorts[0], sorts[0].inner)
            return Result(bare.parts, failures + bare.failures)
        case Op.FIT:
            return _fitted(expression.sort, sorts[0], Result(first, failures), scope)
        case Op.NEXT:
            assert isinstance(expression.sort, SeqSort)
            following = arithmetic(Operator.ADD, first[0], Number(1))
            wrap = expression.sort.wrap
            if wrap is not None:
                following = arithmetic(Operator.MODULO, following, Number(wrap))
            return Result((following,), failures)
        case Op.SIZE:
            if isinstance(sorts[0], ListSort):
                return Result((first[0],), failures)
            assert isinstance(sorts[0], SetSort)
            return Result((size_of(first[0], set_size(sorts[0].element)),), failures)
        case Op.OBJECT:
            pointer = sorts[0]
            assert isinstance(pointer, ObjectPointerSort)
            null = equal(first[0], shapes.nothing("NULL"))
            stale = negation(arithmetic(Operator.LESS, first[0], Number(pointer.size)))
            check = Check.NO_USE_AFTER_FREE
            failures += failure(null, check, "NULL is dereferenced")
            return Result(first, failures + failure(stale, check, "a freed object is accessed"))
        case Op.POINT:
            return _point(expression, results, scope)
        case _ if op in _SETS:
            return Result((sets(_SETS[op], first[0], results[1].one),), failures)
        case _:
            raise CannotCarry(f"the operator `{op.value}`", expression.span)


def _fitted(sort: Sort, source: Sort, given: Result, scope: Scope) -> Result:
    if isinstance(source, OptionalSort):
        given = converted(scope.world, given, source, source.inner)
        source = source.inner
    number = as_number(given.one)
    match sort:
        case IntSort(low=low, high=high, wrap=True):
            # The remainder of a negative number is negative in every target.
            size = Number(high - low + 1)
            rest = arithmetic(Operator.MODULO, arithmetic(Operator.SUBTRACT, number, Number(low)), size)
            known = scope.world.shapes.leaves(source)[0]
            if known.low < low:
                rest = arithmetic(Operator.MODULO, arithmetic(Operator.ADD, rest, size), size)
            return replace(given, parts=(arithmetic(Operator.ADD, rest, Number(low)),))
        case IntSort(low=low, high=high):
            pass
        case IdSort(size=size_):
            low, high = 0, size_ - 1
        case _:
            return given
    known = scope.world.shapes.leaves(source)[0]
    low_fits = isinstance(source, (IntSort, IdSort, BoolSort)) and known.low >= low
    high_fits = isinstance(source, (IntSort, IdSort, BoolSort)) and (known.high or 0) <= high
    outside = disjunction(
        (
            FALSE if low_fits else arithmetic(Operator.LESS, number, Number(low)),
            FALSE if high_fits else arithmetic(Operator.LESS, Number(high), number),
        )
    )
    failures = (*given.failures, *bounds(f"a number is outside {low}..{high}", outside))
    return Result((number,), failures)


def _point(expression: Apply, results: list[Result], scope: Scope) -> Result:
    shapes, sort = scope.world.shapes, expression.sort
    assert isinstance(sort, PlacePointerSort)
    dimensions = shapes.root_dimensions(sort.target, expression.data)
    total: Scalar = Number(0)
    stale: Scalar = FALSE
    failures: tuple[Failure, ...] = ()
    for result, dimension in zip(results, dimensions, strict=True):
        index = as_number(result.one)
        failures += result.failures
        if isinstance(dimension, ObjectPointerSort):
            leaf = shapes.leaves(dimension)[0]
            stale = disjunction((stale, negation(arithmetic(Operator.LESS, index, Number(leaf.live)))))
            index = shapes.address(leaf, index)
        total = arithmetic(Operator.MULTIPLY, total, Number(member_count(dimension)))
        total = arithmetic(Operator.ADD, total, index)
    first = shapes.root_first(sort.target, expression.data)
    total = arithmetic(Operator.ADD, total, Number(first))
    moved = arithmetic(Operator.ADD, total, Number(shapes.places(sort.target)))
    return Result((either(stale, moved, total),), failures)
