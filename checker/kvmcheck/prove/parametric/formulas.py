# SPDX-License-Identifier: GPL-2.0-only
"""Expressions of the program as terms over a state: those of the code, and those of properties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from kvmcheck.prove.parametric.refusing import CannotCarry
from kvmcheck.prove.parametric.states import State
from kvmcheck.prove.parametric.terms import (
    TRUE,
    Count,
    Num,
    Term,
    Truth,
    Var,
    arithmetic,
    both,
    choice,
    either,
    equal,
    every,
    implies,
    negation,
    some,
)
from kvmcheck.prove.parametric.values import (
    Maybe,
    Members,
    Symbolic,
    ThreadOf,
    Word,
    chosen,
    constant,
    fitted,
    members,
    no_members,
    same,
    smt_sort,
    term,
)
from kvmcheck.prove.parametric.world import World, known, plain
from kvmcheck.semantics.expressions import sort_of
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
    Quantified,
    Quantifier,
    Read,
    The,
    VariablePlace,
)
from kvmcheck.semantics.sorts import SetSort
from kvmcheck.source.text import Span

_COMPARISONS = {Op.LESS: "<", Op.LESS_EQUAL: "<="}
_ARITHMETIC = {Op.ADD: "+", Op.SUBTRACT: "-", Op.MULTIPLY: "*"}


_MODES = {HeldMode.ANY: ("read", "write"), HeldMode.READ: ("read",), HeldMode.WRITE: ("write",)}


@dataclass(frozen=True, slots=True)
class Failure:
    """What must be true where an operation is done, or a built-in check fails there."""

    check: Check
    needed: Term
    text: str
    span: Span | None


@dataclass(frozen=True, slots=True)
class LiveIn:
    """What a live call's name stands for, and the places of it that are still possible where one looks."""

    call: LiveCall
    thread: tuple[Term, ...]
    nodes: frozenset[int]


@dataclass(slots=True)
class Formulas:
    """Translates expressions over one state.

    `locals`, `parameters`: of the executing thread, for code.  `before`: the state that `old` looks at.
    `count`: what becomes of a count, given its variable and condition.  `needs`: told what must be true for an
    expression to have a value.  `held_here`: the locks that the executing thread holds.
    """

    world: World
    state: State
    locals: Callable[[int], Symbolic] | None = None
    parameters: tuple[Term, ...] = ()
    before: State | None = None
    count: Callable[[Var, Term, tuple[Var, ...]], Term] = lambda variable, body, _: Count(variable, body)
    needs: Callable[[Failure], None] = lambda _: None
    held_here: Mapping[int, str] | None = None
    old_value: Symbolic | None = None
    bound: Mapping[str, Symbolic] = field(default_factory=dict)
    calls: Mapping[str, LiveIn] = field(default_factory=dict)
    free: tuple[Var, ...] = ()
    names: list[int] = field(default_factory=lambda: [0])

    def fresh(self, sort: str) -> Var:
        """A variable of its own."""
        self.names[0] += 1
        return Var(f"x.{self.names[0]}", sort)

    def truth(self, expr: Expr) -> Term:
        """A condition."""
        return term(self.value(expr))

    def value(self, expr: Expr) -> Symbolic:
        """The value of an expression; `CannotCarry` for what is not encoded."""
        match expr:
            case Const(value=value, sort=sort):
                return constant(sort, value)
            case Local(local=local):
                assert self.locals is not None
                return self.locals(local)
            case Param(index=index):
                return self.parameters[index]
            case Bound(name=name):
                return self.bound[name]
            case OldValue():
                assert self.old_value is not None
                return self.old_value
            case Read(place=place):
                return self.state.read(*self.place(place))
            case Old(inner=inner):
                assert self.before is not None
                return replace(self, state=self.before).value(inner)
            case Held(lock=lock, mode=mode, thread=None):
                return self._held(lock, mode)
            case Held(lock=VariablePlace(variable=lock, indices=()), mode=mode, thread=Current()) if (
                self.held_here is not None
            ):
                return Truth(self.held_here.get(lock) in _MODES[mode])
            case Apply():
                return self._applied(expr)
            case Quantified():
                return self._quantified(expr)
            case LiveQuantified(kind=kind, name=name, function=function, body=body):
                return self._over_calls(kind, name, function, body)
            case CallLocal(call=call, local=local):
                return self._call_local(self.calls[call], local)
            case CallThread(call=call):
                return ThreadOf(self.calls[call].call.process, self.calls[call].thread)
            case CallAt() | CallIn():
                return self._where(expr)
            case Held() | Current() | Actor():
                raise CannotCarry("threads as values", None)
            case The(bound=bound):
                raise CannotCarry(f"`the {bound.name}`", None)
            case _:
                assert_never(expr)

    def place(self, place: Place) -> tuple[int, tuple[Term, ...]]:
        """The variable, and its indices."""
        if not isinstance(place, VariablePlace):
            raise CannotCarry("places that a pointer names", None)
        return place.variable, tuple(self._index(index) for index in place.indices)

    def _index(self, expr: Expr) -> Term:
        value = self.value(expr)
        if isinstance(value, Maybe):
            self._need(Check.NO_OUT_OF_BOUNDS, value.there, "`none` is used as an index", None)
            value = value.value
        return term(value)

    def _need(self, check: Check, needed: Term, text: str, span: Span | None) -> None:
        if needed != TRUE:
            self.needs(Failure(check, needed, text, span))

    def _held(self, lock: Place, mode: HeldMode) -> Term:
        if not isinstance(lock, VariablePlace) or lock.indices:
            raise CannotCarry("locks in arrays and objects", None)
        return self.held_by_any(lock.variable, _MODES[mode])

    def held_by_any(self, lock: int, modes: tuple[str, ...]) -> Term:
        """Whether some thread holds a lock so: it is at a place where it does."""
        found: list[Term] = []
        for process, places in enumerate(self.world.places):
            nodes = places.holding(lock, modes)
            if nodes:
                variables = self.world.thread_variables(process, "held")
                found.append(some(variables, self.state.at(process, nodes, variables)))
        return either(*found)

    # ------------------------------------------------------------------------------ operators

    def _applied(self, expr: Apply) -> Symbolic:
        op, arguments = expr.op, expr.arguments
        match op:
            case Op.AND | Op.OR | Op.IMPLIES:
                return self._connective(op, arguments)
            case Op.IF:
                condition = self.truth(arguments[0])
                yes, no = (
                    self._guarded(condition, arguments[1]),
                    self._guarded(negation(condition), arguments[2]),
                )
                return chosen(condition, fitted(yes, expr.sort), fitted(no, expr.sort))
            case Op.EQUAL | Op.NOT_EQUAL:
                found = self._equal(arguments[0], arguments[1])
                return found if op is Op.EQUAL else negation(found)
            case _:
                pass
        values = [self.value(argument) for argument in arguments]
        match op:
            case Op.NOT:
                return negation(term(values[0]))
            case Op.LESS | Op.LESS_EQUAL:
                return arithmetic(
                    _COMPARISONS[op], self._number(values[0], expr), self._number(values[1], expr)
                )
            case Op.ADD | Op.SUBTRACT | Op.MULTIPLY:
                return arithmetic(
                    _ARITHMETIC[op], self._number(values[0], expr), self._number(values[1], expr)
                )
            case Op.NEGATE:
                return arithmetic("-", Num(0), self._number(values[0], expr))
            case Op.FIELD:
                word = self._there(values[0], expr)
                assert isinstance(word, Word)
                return word.fields[expr.data]
            case Op.WITH:
                word = self._there(values[0], expr)
                assert isinstance(word, Word)
                new = [*word.fields]
                new[expr.data] = values[1]
                return fitted(Word(tuple(new)), expr.sort)
            case Op.MAKE:
                return fitted(Word(tuple(values)), expr.sort)
            case Op.UNWRAP:
                return self._there(values[0], expr)
            case Op.FIT:
                smt_sort(expr.sort, expr.span)
                return self._number(values[0], expr)
            case Op.NEXT:
                smt_sort(expr.sort, expr.span)
                return arithmetic("+", self._number(values[0], expr), Num(1))
            case Op.IN:
                return self._has(members(values[1]), values[0])
            case Op.SET_ADD:
                held, new_member = members(values[0]), term(self._there(values[1], expr))
                return Members(held.variable, either(held.body, equal(held.variable, new_member)))
            case Op.SET_REMOVE:
                held, old_member = members(values[0]), term(self._there(values[1], expr))
                return Members(held.variable, both(held.body, negation(equal(held.variable, old_member))))
            case Op.SET_UNION | Op.SET_INTERSECT | Op.SET_MINUS:
                left, right = members(values[0]), members(values[1])
                other = right.has(left.variable)
                joined = {
                    Op.SET_UNION: either(left.body, other),
                    Op.SET_INTERSECT: both(left.body, other),
                    Op.SET_MINUS: both(left.body, negation(other)),
                }
                return Members(left.variable, joined[op])
            case Op.SET_MAKE:
                assert isinstance(expr.sort, SetSort)
                variable = no_members(smt_sort(expr.sort.element)).variable
                return Members(
                    variable, either(*(equal(variable, term(self._there(v, expr))) for v in values))
                )
            case _:
                raise CannotCarry(f"the operator `{op.value}`", expr.span)

    def _has(self, held: Members, value: Symbolic) -> Term:
        if isinstance(value, Maybe):
            return both(value.there, held.has(term(value.value)))
        return held.has(term(value))

    def _number(self, value: Symbolic, expr: Apply) -> Term:
        return term(self._there(value, expr))

    def _there(self, value: Symbolic, expr: Apply) -> Symbolic:
        """A T of a T?, which must not be none."""
        if isinstance(value, Maybe):
            self._need(Check.NO_OUT_OF_BOUNDS, value.there, "`none` is used as a value", expr.span)
            return value.value
        return value

    def _equal(self, left: Expr, right: Expr) -> Term:
        for one, other in ((left, right), (right, left)):
            if isinstance(other, Const) and isinstance(sort_of(one), SetSort):
                return same(self.value(one), constant(sort_of(one), other.value), self.fresh)
        return same(self.value(left), self.value(right), self.fresh)

    def _connective(self, op: Op, arguments: tuple[Expr, ...]) -> Term:
        """Short-circuit, left to right: what stands to the right is looked at only where the left lets it."""
        found: list[Term] = []
        reader = self
        for argument in arguments:
            condition = reader.truth(argument)
            found.append(condition)
            goes_on = negation(condition) if op is Op.OR else condition
            reader = reader._under(goes_on, argument if op is not Op.OR else None)
        match op:
            case Op.AND:
                return both(*found)
            case Op.OR:
                return either(*found)
            case _:
                return implies(found[0], found[1])

    def _guarded(self, condition: Term, expr: Expr) -> Symbolic:
        return self._under(condition, None).value(expr)

    def _under(self, condition: Term, expr: Expr | None) -> Formulas:
        """The same, where a condition is known to be true; `expr`: as it is written."""
        needs = self.needs

        def narrowed(failure: Failure) -> None:
            needs(replace(failure, needed=implies(condition, failure.needed)))

        calls = dict(self.calls)
        for part in _conjuncts(expr):
            match part:
                case CallAt(call=name) | CallIn(call=name):
                    surely, maybe = self._region(part)
                    calls[name] = replace(calls[name], nodes=calls[name].nodes & (surely | maybe))
                case Apply(op=Op.NOT, arguments=((CallAt(call=name) | CallIn(call=name)) as inner,)):
                    surely, _ = self._region(inner)
                    calls[name] = replace(calls[name], nodes=calls[name].nodes - surely)
                case _:
                    pass
        return replace(self, needs=narrowed, calls=calls)

    # ------------------------------------------------------------------------------ binders

    def _quantified(self, expr: Quantified) -> Term:
        sort = expr.bound.sort
        variable = Var(plain(expr.bound.name.replace("#", ".")), smt_sort(sort))
        domain = None if expr.domain is None else members(self.value(expr.domain)).has(variable)
        inner = replace(self, bound={**self.bound, expr.bound.name: variable}, free=(*self.free, variable))
        if domain is not None:
            inner = inner._under(domain, None)
        body = inner.truth(expr.body)
        match expr.kind:
            case Quantifier.FORALL:
                return every([variable], TRUE if body == TRUE else implies(domain or TRUE, body))
            case Quantifier.EXISTS:
                return some([variable], both(domain or TRUE, body))
            case Quantifier.COUNT:
                return self.count(variable, both(domain or TRUE, body), self.free)
            case _:
                assert_never(expr.kind)

    def _over_calls(self, kind: Quantifier, name: str, function: str, body: Expr) -> Term:
        found: list[Term] = []
        for position, call in enumerate(self.world.program.live_calls):
            if call.function != function:
                continue
            variables = self.world.thread_variables(
                call.process, f"{plain(name.replace('#', '.'))}.{position}."
            )
            live = LiveIn(call, variables, call.nodes & frozenset(self.world.places[call.process].stops))
            inner = replace(self, calls={**self.calls, name: live}, free=(*self.free, *variables))
            there = self.state.at(call.process, live.nodes, variables)
            condition = inner.truth(body)
            match kind:
                case Quantifier.FORALL:
                    found.append(every(variables, implies(there, condition)))
                case Quantifier.EXISTS:
                    found.append(some(variables, both(there, condition)))
                case Quantifier.COUNT:
                    found.append(self._count_threads(variables, both(there, condition)))
                case _:
                    assert_never(kind)
        if kind is Quantifier.COUNT:
            sum_: Term = Num(0)
            for one in found:
                sum_ = arithmetic("+", sum_, one)
            return sum_
        return both(*found) if kind is Quantifier.FORALL else either(*found)

    def _count_threads(self, variables: tuple[Var, ...], body: Term) -> Term:
        match variables:
            case ():
                return choice(body, Num(1), Num(0))
            case (variable,):
                return self.count(variable, body, self.free)
            case _:
                raise CannotCarry("a count of threads that have several parameters", None)

    def _where(self, expr: CallAt | CallIn) -> Term:
        """Whether a live call is in a region; where that depends on the way taken, its hidden local tells."""
        live = self.calls[expr.call]
        process = live.call.process
        surely, maybe = self._region(expr)
        there = self.state.at(process, surely, live.thread)
        if isinstance(expr, CallAt) or not maybe:
            return there
        inside = term(self.state.local(process, live.call.regions[expr.start, expr.end], live.thread))
        return either(there, both(self.state.at(process, maybe, live.thread), inside))

    def _region(self, expr: CallAt | CallIn) -> tuple[frozenset[int], frozenset[int]]:
        """The places at which a region's condition is true, and those at which it depends on the way taken."""
        live = self.calls[expr.call]
        places = self.world.places[live.call.process]
        if isinstance(expr, CallAt):
            return live.call.at[expr.label] & frozenset(places.stops), frozenset()
        local = live.call.regions[expr.start, expr.end]
        nodes = live.call.nodes & frozenset(places.stops)
        fixed = {node for node in nodes if local in places.constants[node]}
        return frozenset(n for n in fixed if places.constants[n][local] == 1), nodes - fixed

    def _call_local(self, live: LiveIn, name: str) -> Symbolic:
        process, call = live.call.process, live.call
        places = self.world.places[process]
        local = call.locals[name]
        for node in sorted(live.nodes):
            if local not in places.kept[node] or local not in places.assigned[node]:
                raise CannotCarry(
                    f"`.{name}` of `{call.function}`, which may hold nothing there",
                    places.body.nodes[node].span,
                )
        sort = places.body.locals[local].sort
        known_at: dict[int, Symbolic] = {
            node: constant(sort, places.constants[node][local])
            for node in live.nodes
            if known(places, node, local)
        }
        if live.nodes and len(known_at) == len(live.nodes) and len({*map(str, known_at.values())}) == 1:
            return next(iter(known_at.values()))
        value = self.state.local(process, local, live.thread)
        for node, fixed in known_at.items():
            value = chosen(self.state.at(process, frozenset({node}), live.thread), fixed, value)
        return value


def _conjuncts(expr: Expr | None) -> list[Expr]:
    match expr:
        case None:
            return []
        case Apply(op=Op.AND, arguments=arguments):
            return [part for argument in arguments for part in _conjuncts(argument)]
        case _:
            return [expr]
