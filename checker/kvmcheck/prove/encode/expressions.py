# SPDX-License-Identifier: GPL-2.0-only
"""The term of an expression: `semantics.expressions` once more, for all states at once.

`when` is the literal under which an expression is evaluated at all: what it does wrong elsewhere is no mistake.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import assert_never

from kvmcheck.prove.encode.circuit import FALSE, TRUE, Circuit, Literal
from kvmcheck.prove.encode.faults import fail, unwrapped
from kvmcheck.prove.encode.locks import Locks
from kvmcheck.prove.encode.places import Places
from kvmcheck.prove.encode.scene import Scene
from kvmcheck.prove.encode.sets_and_lists import Collections
from kvmcheck.prove.encode.terms import Term, Terms, highest, is_numeric, truth
from kvmcheck.prove.encode.values import CannotCarry, Coder
from kvmcheck.semantics.expressions import domain_sort
from kvmcheck.semantics.pointers import contains, is_seq
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
)
from kvmcheck.semantics.sorts import (
    IntSort,
    ObjectPointerSort,
    Sort,
    ThreadSort,
    UnionSort,
    WordSort,
    members,
)
from kvmcheck.source.text import Span

_ARITHMETIC = frozenset(
    {
        Op.LESS, Op.LESS_EQUAL, Op.ADD, Op.SUBTRACT, Op.MULTIPLY, Op.DIVIDE, Op.MODULO, Op.NEGATE,
        Op.BIT_AND, Op.BIT_OR, Op.BIT_XOR, Op.SHIFT_LEFT, Op.SHIFT_RIGHT,
    }
)  # fmt: skip


class Expressions:
    """Terms of expressions over one circuit."""

    def __init__(self, circuit: Circuit, coder: Coder) -> None:
        self.circuit = circuit
        self.coder = coder
        self.program = coder.program
        self.layout = coder.layout
        self.terms = Terms(circuit, coder)
        self.vectors = self.terms.vectors
        self.places = Places(self.terms, self.term)
        self.locks = Locks(self.terms)
        self.collections = Collections(self.places)

    # ------------------------------------------------------------------ entry points

    def condition(self, expression: Expr, scene: Scene, when: Literal = TRUE) -> Literal:
        """Whether a condition holds."""
        return self.terms.is_true(
            unwrapped(self.circuit, self.term(expression, scene, when), scene, when, scene.span)
        )

    def term(self, expression: Expr, scene: Scene, when: Literal = TRUE) -> Term:
        """The value of an expression."""
        match expression:
            case Const(value=value, sort=sort):
                if is_seq(sort) and value == 0 and self.layout.zero is not None:
                    return Term(sort, scene.view.slot(self.layout.zero))
                if value is not None and self.layout.zero is not None and contains(sort, is_seq):
                    raise CannotCarry("a literal with a seq inside", scene.span)
                return self.terms.constant(sort, self.layout.numbering.initial(sort, value))
            case Local(local=local):
                assert scene.local is not None
                held, term = scene.local(local)
                fail(scene, self.circuit.both(when, held ^ 1), Check.NO_UNSET_READ, scene.span)
                return term
            case Param(index=index):
                return scene.parameters[index]
            case Current() | Actor():
                assert scene.thread is not None
                return self._thread(scene.thread)
            case Bound(name=name):
                return scene.bound[name]
            case OldValue():
                assert scene.old_value is not None
                return scene.old_value
            case Read(place=place):
                candidates = self.places.resolve(place, scene, when)
                if scene.on_read is not None:
                    for variable, element, chosen in candidates:
                        scene.on_read(variable, element, self.circuit.both(when, chosen))
                return self.places.read(candidates, scene)
            case Old(inner=inner):
                assert scene.before is not None
                earlier = replace(scene.before, bound=scene.bound, calls=scene.calls, span=scene.span)
                return self.term(inner, earlier, when)
            case Held(lock=lock, mode=mode, thread=thread):
                return truth(self._held(lock, mode, thread, scene, when))
            case Apply():
                return self._applied(expression, scene, when)
            case Quantified(kind=kind, bound=bound, domain=domain, body=body):
                ways = (
                    (replace(scene, bound={**scene.bound, bound.name: member}), here)
                    for member, here in self.domain(bound.sort, domain, scene, when)
                )
                return self._quantified(kind, body, ways, when)
            case LiveQuantified(kind=kind, name=name, function=function, body=body):
                live = (
                    (replace(scene, calls={**scene.calls, name: (call, thread)}), here)
                    for call, thread, here in self._live_calls(function, scene)
                )
                return self._quantified(kind, body, live, when)
            case CallLocal(call=name, local=called):
                call, whose = scene.calls[name]
                held, term = scene.view.local(whose, call.interrupt, call.locals[called])
                fail(scene, self.circuit.both(when, held ^ 1), Check.NO_UNSET_READ, scene.span)
                return term
            case CallThread(call=name):
                return self._thread(scene.calls[name][1])
            case CallAt(call=name, label=label):
                call, whose = scene.calls[name]
                return truth(scene.view.at(whose, call.interrupt, call.at[label]))
            case CallIn(call=name, start=start, end=end):
                call, whose = scene.calls[name]
                held, term = scene.view.local(whose, call.interrupt, call.regions[start, end])
                return truth(self.circuit.both(held, self.terms.is_value(term, 1)))
            case The(bound=bound, condition=condition):
                return self._the(bound, condition, scene, when)
            case _:
                assert_never(expression)

    def _thread(self, number: int) -> Term:
        names = tuple(thread.name for thread in self.program.threads)
        return self.terms.constant(ThreadSort(len(names), names), number)

    def _held(self, lock: Place, mode: HeldMode, thread: Expr | None, scene: Scene, when: Literal) -> Literal:
        candidates = self.places.resolve(lock, scene, when)
        who: list[Literal] | None = None
        if thread is not None:
            sort = self._thread(0).sort
            who = self.places.one_hot(self.term(thread, scene, when), sort, scene, when)
        return self.locks.holds(self.places.read(candidates, scene), mode, who)

    # ------------------------------------------------------------------ binders

    def domain(
        self, sort: Sort, domain: Expr | None, scene: Scene, when: Literal
    ) -> Iterator[tuple[Term, Literal]]:
        """What a quantifier ranges over: each member, and where it does."""
        if domain is not None:
            mask = self.term(domain, scene, when)
            yield from self._members_of(domain_sort(domain), mask.bits)
        elif isinstance(sort, ObjectPointerSort):
            yield from self._members_of(sort, self._allocated(sort, scene))
        else:
            for value in members(sort):
                yield self.terms.constant(sort, value), TRUE

    def _members_of(self, sort: Sort, mask: Sequence[Literal]) -> Iterator[tuple[Term, Literal]]:
        values = range(len(mask)) if isinstance(sort, ObjectPointerSort) else members(sort)
        for value, here in zip(values, mask, strict=True):
            if here != FALSE:
                yield self.terms.constant(sort, value), here

    def _allocated(self, sort: ObjectPointerSort, scene: Scene) -> Sequence[Literal]:
        for pool in self.program.pools:
            if pool.name == sort.object:
                return scene.view.slot(self.layout.first[pool.allocated])
        return (TRUE,) * sort.size

    def _live_calls(self, function: str, scene: Scene) -> Iterator[tuple[LiveCall, int, Literal]]:
        for call in self.program.live_calls:
            if call.function != function:
                continue
            for number, thread in enumerate(self.program.threads):
                if thread.process == call.process:
                    here = scene.view.at(number, call.interrupt, call.nodes)
                    if here != FALSE:
                        yield call, number, here

    def _quantified(
        self, kind: Quantifier, body: Expr, ways: Iterator[tuple[Scene, Literal]], when: Literal
    ) -> Term:
        circuit = self.circuit
        if kind is Quantifier.COUNT:
            counted = [
                circuit.both(here, self.condition(body, scene, circuit.both(when, here)))
                for scene, here in ways
            ]
            return self.terms.number(0, len(counted), self.vectors.count(counted))
        wanted = kind is Quantifier.FORALL
        found = TRUE if wanted else FALSE
        for scene, here in ways:
            # Behind a member that decides it nothing is evaluated any more.
            open_ = found if wanted else found ^ 1
            holds = self.condition(body, scene, circuit.every((when, here, open_)))
            if wanted:
                found = circuit.both(found, circuit.either(here ^ 1, holds))
            else:
                found = circuit.either(found, circuit.both(here, holds))
        return truth(found)

    def _the(self, bound: Bound, condition: Expr, scene: Scene, when: Literal) -> Term:
        circuit = self.circuit
        found: Term | None = None
        fits: list[Literal] = []
        for member, here in self.domain(bound.sort, None, scene, when):
            inner = replace(scene, bound={**scene.bound, bound.name: member})
            hit = circuit.both(here, self.condition(condition, inner, circuit.both(when, here)))
            fits.append(hit)
            found = member if found is None else self.terms.mux(hit, member, found, bound.sort)
        one = self.vectors.is_number(self.vectors.count(fits), 1)
        fail(scene, self.circuit.both(when, one ^ 1), Check.NO_OUT_OF_BOUNDS, scene.span)
        if found is None:
            return Term(bound.sort, (FALSE,) * self.coder.width(bound.sort))
        return found

    # ------------------------------------------------------------------ operators

    def _applied(self, expression: Apply, scene: Scene, when: Literal) -> Term:
        op, arguments = expression.op, expression.arguments
        circuit = self.circuit
        match op:
            case Op.AND | Op.OR:
                found = TRUE if op is Op.AND else FALSE
                for argument in arguments:
                    open_ = found if op is Op.AND else found ^ 1
                    holds = self.condition(argument, scene, circuit.both(when, open_))
                    found = circuit.both(found, holds) if op is Op.AND else circuit.either(found, holds)
                return truth(found)
            case Op.IMPLIES:
                left = self.condition(arguments[0], scene, when)
                right = self.condition(arguments[1], scene, circuit.both(when, left))
                return truth(circuit.either(left ^ 1, right))
            case Op.IF:
                test = self.condition(arguments[0], scene, when)
                if test in (TRUE, FALSE):
                    return self.term(arguments[1 if test == TRUE else 2], scene, when)
                then = self.term(arguments[1], scene, circuit.both(when, test))
                otherwise = self.term(arguments[2], scene, circuit.both(when, test ^ 1))
                return self.terms.mux(test, then, otherwise, expression.sort)
            case _:
                terms = [self.term(argument, scene, when) for argument in arguments]
                return self._strict(expression, terms, scene, when)

    def _strict(self, expression: Apply, terms: list[Term], scene: Scene, when: Literal) -> Term:
        """An operator that evaluates all its arguments first."""
        op, data = expression.op, expression.data
        span = expression.span or scene.span
        if op in _ARITHMETIC:
            numbers = [unwrapped(self.circuit, term, scene, when, span) for term in terms]
            return self._arithmetic(op, numbers, scene, when, span)
        match op:
            case Op.NOT:
                return truth(self.terms.is_true(terms[0]) ^ 1)
            case Op.EQUAL | Op.NOT_EQUAL:
                same, bad = self.terms.equal(terms[0], terms[1])
                fail(scene, self.circuit.both(when, bad), Check.SEQ_LOST_UPDATE, span)
                return truth(same ^ (op is Op.NOT_EQUAL))
            case Op.FIELD | Op.WITH:
                return self._word(expression, terms, scene, when, span)
            case Op.MAKE:
                assert isinstance(expression.sort, WordSort)
                bits: list[Literal] = []
                for term, (_, sort, _) in zip(terms, expression.sort.fields, strict=True):
                    bits += self._kept(term, sort, scene, when, span)
                return Term(expression.sort, tuple(bits))
            case Op.ARM_IS:
                return truth(self.terms.is_value(self.terms.tag(terms[0]), data))
            case Op.ARM_GET:
                wrong = self.terms.is_value(self.terms.tag(terms[0]), data) ^ 1
                sort = terms[0].sort
                assert isinstance(sort, UnionSort)
                if sort.arms[data][1] is None:
                    fail(scene, self.circuit.both(when, TRUE), Check.NO_OUT_OF_BOUNDS, span)
                    return Term(expression.sort, (FALSE,) * self.coder.width(expression.sort))
                fail(scene, self.circuit.both(when, wrong), Check.NO_OUT_OF_BOUNDS, span)
                return self.terms.arm(terms[0], data)
            case Op.ARM_MAKE:
                assert isinstance(expression.sort, UnionSort)
                return self.terms.make_arm(expression.sort, data, terms[0] if terms else None)
            case Op.UNWRAP:
                return unwrapped(self.circuit, terms[0], scene, when, span)
            case Op.FIT:
                return self._fit(
                    expression.sort, unwrapped(self.circuit, terms[0], scene, when, span), scene, when, span
                )
            case Op.NEXT:
                if is_seq(expression.sort):
                    raise CannotCarry("the successor of a seq that is not stored at once", span)
                count = highest(terms[0].sort) + 1
                one = self.terms.constant(IntSort(1, 1), 1)
                following = self.terms.wrapped(self.terms.sum_of(terms[0], one), 0, count)
                return Term(expression.sort, self.terms.fitted(following, expression.sort)[0])
            case Op.OBJECT:
                pointer = unwrapped(self.circuit, terms[0], scene, when, span)
                fail(scene, self.circuit.both(when, pointer.bits[0] ^ 1), Check.NO_USE_AFTER_FREE, span)
                if self.coder.frees:
                    stale = self.circuit.both(pointer.bits[0], pointer.bits[1])
                    fail(scene, self.circuit.both(when, stale), Check.NO_USE_AFTER_FREE, span)
                return pointer
            case Op.POINT:
                return self._point(expression, terms)
            case _:
                return self.collections.applied(expression, terms, scene, when, span)

    def _kept(
        self, term: Term, sort: Sort, scene: Scene, when: Literal, span: Span | None
    ) -> Sequence[Literal]:
        """The bits of a term as one of a sort; where the sort can't hold it, that is a bound that was too small."""
        bits, bad = self.terms.fitted(term, sort)
        hit = self.circuit.both(when, bad)
        if hit != FALSE:
            scene.fault(hit, Check.NO_OUT_OF_BOUNDS, span, True)
        return bits

    def kept(self, term: Term, sort: Sort, scene: Scene, when: Literal) -> Term:
        """A term as one of the sort of the place that it is stored in."""
        return Term(sort, tuple(self._kept(term, sort, scene, when, scene.span)))

    def _word(
        self, expression: Apply, terms: list[Term], scene: Scene, when: Literal, span: Span | None
    ) -> Term:
        word = unwrapped(self.circuit, terms[0], scene, when, span)
        assert isinstance(word.sort, WordSort)
        parts = self.terms.split(word, [part for _, part, _ in word.sort.fields])
        if expression.op is Op.FIELD:
            return parts[expression.data]
        bits: list[Literal] = []
        for nth, part in enumerate(parts):
            bits += (
                self._kept(terms[1], part.sort, scene, when, span) if nth == expression.data else part.bits
            )
        return Term(word.sort, tuple(bits))

    def _fit(self, sort: Sort, term: Term, scene: Scene, when: Literal, span: Span | None) -> Term:
        if isinstance(sort, IntSort) and sort.wrap:
            wrapped = self.terms.wrapped(term, sort.low, sort.high - sort.low + 1)
            return Term(sort, self.terms.fitted(wrapped, sort)[0])
        if not is_numeric(sort):
            return term
        bits, bad = self.terms.fitted(term, sort)
        fail(scene, self.circuit.both(when, bad), Check.NO_OUT_OF_BOUNDS, span)
        return Term(sort, bits)

    def _point(self, expression: Apply, terms: list[Term]) -> Term:
        target = getattr(expression.sort, "target", "")
        bits: list[Literal] = [TRUE]
        root = expression.data
        bits += [TRUE if root >> n & 1 else FALSE for n in range(self.coder.root_width(target))]
        for nth, sort in enumerate(self.coder.indices(target)):
            if nth >= len(terms):
                bits += (FALSE,) * (1 + self.coder.width(sort))
                continue
            term = terms[nth]
            if isinstance(term.sort, ObjectPointerSort):
                stale = term.bits[1] if self.coder.frees else FALSE
                number = Term(IntSort(0, term.sort.size - 1), term.bits[1 + self.coder.frees :])
                bits += [stale, *self.terms.fitted(number, sort)[0]]
            else:
                bits += [FALSE, *self.terms.fitted(term, sort)[0]]
        return Term(expression.sort, tuple(bits))

    def _arithmetic(
        self, op: Op, numbers: list[Term], scene: Scene, when: Literal, span: Span | None
    ) -> Term:
        terms = self.terms
        match op:
            case Op.LESS | Op.LESS_EQUAL:
                return truth(terms.less(numbers[0], numbers[1], or_equal=op is Op.LESS_EQUAL))
            case Op.ADD:
                return terms.sum_of(numbers[0], numbers[1])
            case Op.SUBTRACT:
                return terms.sum_of(numbers[0], terms.negative(numbers[1]))
            case Op.NEGATE:
                return terms.negative(numbers[0])
            case Op.MULTIPLY:
                return terms.product(numbers[0], numbers[1])
            case Op.DIVIDE | Op.MODULO:
                fail(
                    scene,
                    self.circuit.both(when, terms.is_value(numbers[1], 0)),
                    Check.NO_OUT_OF_BOUNDS,
                    span,
                )
                return terms.divided(numbers[0], numbers[1], remainder=op is Op.MODULO)
            case Op.SHIFT_LEFT | Op.SHIFT_RIGHT:
                _, bad = terms.fitted(numbers[1], IntSort(0, 63))
                fail(scene, self.circuit.both(when, bad), Check.NO_OUT_OF_BOUNDS, span)
                return terms.shifted(numbers[0], numbers[1], left=op is Op.SHIFT_LEFT)
            case _:
                return terms.bitwise(op, numbers[0], numbers[1])
