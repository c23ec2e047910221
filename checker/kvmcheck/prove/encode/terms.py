# SPDX-License-Identifier: GPL-2.0-only
"""Terms: a sort and the bits of a value of it, and the operations that need no scope.

A number's sort is the smallest `IntSort` that is known to hold it, so arithmetic never overflows here: it grows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kvmcheck.prove.encode.circuit import FALSE, TRUE, Circuit, Literal
from kvmcheck.prove.encode.values import WIDEST, CannotCarry, Coder
from kvmcheck.prove.encode.vectors import Vector, Vectors, constant, width_of
from kvmcheck.semantics.pointers import is_seq
from kvmcheck.semantics.program import Op
from kvmcheck.semantics.sorts import (
    BOOL,
    BoolSort,
    EnumSort,
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
    ThreadSort,
    UnionSort,
    UnknownSort,
    Value,
    WordSort,
    member_count,
    sort_name,
)


@dataclass(frozen=True, slots=True)
class Term:
    """A value: the bits that `Coder` gives its sort."""

    sort: Sort
    bits: Vector


def truth(literal: Literal) -> Term:
    """A truth value."""
    return Term(BOOL, (literal,))


def is_numeric(sort: Sort) -> bool:
    """Whether values of a sort are numbers."""
    wraps = isinstance(sort, SeqSort) and sort.wrap is not None
    return wraps or isinstance(sort, BoolSort | IntSort | EnumSort | IdSort | ThreadSort)


def lowest(sort: Sort) -> int:
    """The lowest number of a numeric sort."""
    return sort.low if isinstance(sort, IntSort) else 0


def highest(sort: Sort) -> int:
    """The highest number of a numeric sort."""
    if isinstance(sort, SeqSort):
        assert sort.wrap is not None
        return sort.wrap - 1
    return sort.high if isinstance(sort, IntSort) else member_count(sort) - 1


class Terms:
    """Operations on terms over one circuit."""

    def __init__(self, circuit: Circuit, coder: Coder) -> None:
        self.circuit = circuit
        self.coder = coder
        self.vectors = Vectors(circuit)

    # ------------------------------------------------------------------ making

    def constant(self, sort: Sort, value: Value) -> Term:
        """A value, with seqs as `Layout.pack` has them."""
        if isinstance(sort, IntSort) and isinstance(value, int):
            return Term(IntSort(value, value), ())
        return Term(sort, tuple(TRUE if bit else FALSE for bit in self.coder.encode(sort, value)))

    def number(self, low: int, high: int, bits: Sequence[Literal]) -> Term:
        """A number low..high, from the bits of what it is above low."""
        width = width_of(high - low + 1)
        if width > WIDEST:
            raise CannotCarry("a number of so many bits")
        filled = (*bits, *((FALSE,) * max(0, width - len(bits))))
        return Term(IntSort(low, high), filled[:width])

    def split(self, term: Term, sorts: Sequence[Sort], first: int = 0) -> list[Term]:
        """The parts that stand side by side in a term, from a bit on."""
        found: list[Term] = []
        for sort in sorts:
            width = self.coder.width(sort)
            found.append(Term(sort, term.bits[first : first + width]))
            first += width
        return found

    def mux(self, condition: Literal, then: Term, otherwise: Term, sort: Sort) -> Term:
        """One of two terms, as a term of a sort (of numbers: of whatever sort holds both)."""
        if condition == TRUE:
            return then
        if condition == FALSE:
            return otherwise
        if is_numeric(then.sort) and is_numeric(otherwise.sort) and then.sort != otherwise.sort:
            sort = IntSort(
                min(lowest(then.sort), lowest(otherwise.sort)),
                max(highest(then.sort), highest(otherwise.sort)),
            )
        elif then.sort == otherwise.sort:
            sort = then.sort
        a, b = (self.fitted(term, sort)[0] for term in (then, otherwise))
        return Term(sort, self.vectors.mux(condition, a, b))

    # ------------------------------------------------------------------ changing the sort

    def fitted(self, term: Term, sort: Sort) -> tuple[Vector, Literal]:
        """The bits of a term as one of another sort that has its value, and whether the sort does not."""
        if term.sort == sort:
            return term.bits, FALSE
        circuit = self.circuit
        match term.sort, sort:
            case (OptionalSort(inner=inner), OptionalSort(inner=wanted)):
                bits, bad = self.fitted(Term(inner, term.bits[1:]), wanted)
                return (term.bits[0], *bits), circuit.both(term.bits[0], bad)
            case (UnknownSort(), _):
                return (FALSE,) * self.coder.width(sort), FALSE
            case (_, OptionalSort(inner=wanted)):
                bits, bad = self.fitted(term, wanted)
                return (TRUE, *bits), bad
            case (OptionalSort(inner=inner), _):
                bits, bad = self.fitted(Term(inner, term.bits[1:]), sort)
                return bits, circuit.either(term.bits[0] ^ 1, bad)
            case (WordSort(fields=fields), WordSort(fields=others)) if len(fields) == len(others):
                return self._fitted_parts(
                    self.split(term, [part for _, part, _ in fields]), [part for _, part, _ in others]
                )
            case (ListSort(element=element, capacity=capacity), ListSort(element=other, capacity=room)):
                width = width_of(capacity + 1)
                length = Term(IntSort(0, capacity), term.bits[:width])
                places = self.split(term, [element] * capacity, width)[:room]
                held, bad = self.fitted(length, IntSort(0, room))
                rest, worse = self._fitted_parts(places, [other] * len(places))
                missing = (FALSE,) * ((room - len(places)) * self.coder.width(other))
                return (*held, *rest, *missing), circuit.either(bad, worse)
            case _ if is_numeric(term.sort) and is_numeric(sort):
                return self._rebased(term, sort)
            case _ if self.coder.width(term.sort) == self.coder.width(sort) and type(term.sort) is type(sort):
                return term.bits, FALSE
            case _:
                raise CannotCarry(f"a {sort_name(term.sort)} as a {sort_name(sort)}")

    def _fitted_parts(self, terms: Sequence[Term], sorts: Sequence[Sort]) -> tuple[Vector, Literal]:
        bits: list[Literal] = []
        bad = FALSE
        for term, sort in zip(terms, sorts, strict=True):
            found, worse = self.fitted(term, sort)
            bits += found
            bad = self.circuit.either(bad, worse)
        return tuple(bits), bad

    def _rebased(self, term: Term, sort: Sort) -> tuple[Vector, Literal]:
        low, high, least, most = lowest(term.sort), highest(term.sort), lowest(sort), highest(sort)
        width = self.coder.width(sort)
        shift = low - least
        wide = max(len(term.bits), width, abs(shift).bit_length()) + 1
        code = (*term.bits, *((FALSE,) * (wide - len(term.bits))))
        moved = self.vectors.add(code, constant(shift & (1 << wide) - 1, wide)) if shift else code
        bad = FALSE
        if low < least:
            bad = self.vectors.below(term.bits, least - low)
        if high > most:
            too_large = self.vectors.below(term.bits, most - low + 1) ^ 1 if most >= low else TRUE
            bad = self.circuit.either(bad, too_large)
        return moved[:width], bad

    # ------------------------------------------------------------------ comparing

    def equal(self, a: Term, b: Term) -> tuple[Literal, Literal]:
        """Whether two values are equal, pointers by address; and whether they may not be compared."""
        circuit = self.circuit
        match a.sort, b.sort:
            case (OptionalSort(inner=left), OptionalSort(inner=right)):
                here, there = a.bits[0], b.bits[0]
                inner, bad = self._if_present(
                    circuit.both(here, there), Term(left, a.bits[1:]), Term(right, b.bits[1:])
                )
                return circuit.both(circuit.same(here, there), circuit.either(here ^ 1, inner)), bad
            case (OptionalSort(inner=left), _):
                inner, bad = self._if_present(a.bits[0], Term(left, a.bits[1:]), b)
                return circuit.both(a.bits[0], inner), bad
            case (_, OptionalSort()):
                return self.equal(b, a)
            case (WordSort(fields=fields), WordSort(fields=others)):
                return self._all_equal(
                    self.split(a, [part for _, part, _ in fields]),
                    self.split(b, [part for _, part, _ in others]),
                    [TRUE] * len(fields),
                )
            case (UnionSort(), UnionSort()):
                return self._unions_equal(a, b)
            case (ListSort(capacity=room), ListSort(capacity=other)):
                lengths, mine, theirs = self.length(a), self.elements(a), self.elements(b)
                filled = [self.vectors.below(lengths.bits, nth + 1) ^ 1 for nth in range(min(room, other))]
                alike, bad = self._all_equal(mine[: len(filled)], theirs[: len(filled)], filled)
                return circuit.both(self.equal(lengths, self.length(b))[0], alike), bad
            case (ObjectPointerSort(), ObjectPointerSort()):
                first = 1 + self.coder.frees
                same = self.vectors.equal(a.bits[first:], b.bits[first:])
                here, there = a.bits[0], b.bits[0]
                return circuit.both(circuit.same(here, there), circuit.either(here ^ 1, same)), FALSE
            case (PlacePointerSort(target=target), PlacePointerSort()):
                return self._places_equal(target, a.bits, b.bits), FALSE
            case (LockSort(), _) | (_, LockSort()):
                raise CannotCarry("locks that are compared")
            case (SetSort(), SetSort()):
                return self.vectors.equal(a.bits, b.bits), FALSE
            case _ if is_seq(a.sort) and is_seq(b.sort):
                home = self.coder.seq.home
                bad = self.vectors.equal(a.bits[:home], b.bits[:home]) ^ 1
                return self.vectors.equal(a.bits[home:], b.bits[home:]), bad
            case _ if is_numeric(a.sort) and is_numeric(b.sort):
                return self._numbers_equal(a, b), FALSE
            case (UnknownSort(), _) | (_, UnknownSort()):
                return FALSE, FALSE
            case _:
                raise CannotCarry(f"a {sort_name(a.sort)} compared with a {sort_name(b.sort)}")

    def _if_present(self, present: Literal, a: Term, b: Term) -> tuple[Literal, Literal]:
        if present == FALSE:
            return FALSE, FALSE
        same, bad = self.equal(a, b)
        return same, self.circuit.both(present, bad)

    def _all_equal(
        self, left: Sequence[Term], right: Sequence[Term], where: Sequence[Literal]
    ) -> tuple[Literal, Literal]:
        alike, wrong = TRUE, FALSE
        for a, b, present in zip(left, right, where, strict=True):
            same, bad = self.equal(a, b)
            alike = self.circuit.both(alike, self.circuit.either(present ^ 1, same))
            wrong = self.circuit.either(wrong, self.circuit.both(present, bad))
        return alike, wrong

    def _unions_equal(self, a: Term, b: Term) -> tuple[Literal, Literal]:
        tags = self.vectors.equal(self.tag(a).bits, self.tag(b).bits)
        alike, wrong = tags, FALSE
        assert isinstance(a.sort, UnionSort)
        for number, (_, arm) in enumerate(a.sort.arms):
            if arm is not None:
                held = self.circuit.both(tags, self.vectors.is_number(self.tag(a).bits, number))
                same, bad = self.equal(self.arm(a, number), self.arm(b, number))
                alike = self.circuit.both(alike, self.circuit.either(held ^ 1, same))
                wrong = self.circuit.either(wrong, self.circuit.both(held, bad))
        return alike, wrong

    def _places_equal(self, target: str, a: Vector, b: Vector) -> Literal:
        circuit = self.circuit
        first = 1 + self.coder.root_width(target)
        root = a[1:first]
        alike = self.vectors.equal(root, b[1:first])
        roots = self.coder.program.roots.get(target, ())
        for nth, sort in enumerate(self.coder.indices(target)):
            width = 1 + self.coder.width(sort)
            has_it = circuit.some(
                self.vectors.is_number(root, number)
                for number, known in enumerate(roots)
                if nth < len(known.objects)
            )
            same = self.vectors.equal(a[first + 1 : first + width], b[first + 1 : first + width])
            alike = circuit.both(alike, circuit.either(has_it ^ 1, same))
            first += width
        return circuit.both(circuit.same(a[0], b[0]), circuit.either(a[0] ^ 1, alike))

    def _numbers_equal(self, a: Term, b: Term) -> Literal:
        left, right = self.aligned(a, b)
        return self.vectors.equal(left, right)

    def aligned(self, a: Term, b: Term) -> tuple[Vector, Vector]:
        """The bits of two numbers, counted from the same lowest one."""
        low, other = lowest(a.sort), lowest(b.sort)
        left, right = a.bits, b.bits
        if low > other:
            left = self.vectors.add_wide(left, constant(low - other, (low - other).bit_length()))
        elif other > low:
            right = self.vectors.add_wide(right, constant(other - low, (other - low).bit_length()))
        return left, right

    def is_value(self, term: Term, value: int) -> Literal:
        """Whether a number is this one."""
        return self.vectors.is_number(term.bits, value - lowest(term.sort))

    def is_true(self, term: Term) -> Literal:
        """Whether a number is not 0."""
        if isinstance(term.sort, BoolSort):
            return term.bits[0]
        if not is_numeric(term.sort):
            raise CannotCarry(f"a {sort_name(term.sort)} as a condition")
        return self.is_value(term, 0) ^ 1

    # ------------------------------------------------------------------ parts of compounds

    def tag(self, term: Term) -> Term:
        """Which arm a union holds."""
        assert isinstance(term.sort, UnionSort)
        width = width_of(len(term.sort.arms))
        return Term(IntSort(0, len(term.sort.arms) - 1), term.bits[:width])

    def arm(self, term: Term, number: int) -> Term:
        """What a union holds if it is this arm."""
        assert isinstance(term.sort, UnionSort)
        arms = term.sort.arms
        sort = arms[number][1]
        assert sort is not None
        first = width_of(len(arms)) + sum(
            0 if arm is None else self.coder.width(arm) for _, arm in arms[:number]
        )
        return Term(sort, term.bits[first : first + self.coder.width(sort)])

    def make_arm(self, sort: UnionSort, number: int, value: Term | None) -> Term:
        """A union that holds this."""
        bits: list[Literal] = list(constant(number, width_of(len(sort.arms))))
        for nth, (_, arm) in enumerate(sort.arms):
            if arm is not None:
                if nth == number and value is not None:
                    bits += self.fitted(value, arm)[0]
                else:
                    bits += (FALSE,) * self.coder.width(arm)
        return Term(sort, tuple(bits))

    def length(self, term: Term) -> Term:
        """How many elements a list has."""
        assert isinstance(term.sort, ListSort)
        return Term(IntSort(0, term.sort.capacity), term.bits[: width_of(term.sort.capacity + 1)])

    def elements(self, term: Term) -> list[Term]:
        """The places of a list, the empty ones too."""
        assert isinstance(term.sort, ListSort)
        capacity = term.sort.capacity
        return self.split(term, [term.sort.element] * capacity, width_of(capacity + 1))

    def make_list(self, sort: ListSort, length: Term, places: Sequence[Term]) -> Term:
        """A list of so many of these, the first ones."""
        bits = [*self.fitted(length, IntSort(0, sort.capacity))[0]]
        for nth in range(sort.capacity):
            if nth < len(places):
                bits += self.fitted(places[nth], sort.element)[0]
            else:
                bits += (FALSE,) * self.coder.width(sort.element)
        return Term(sort, tuple(bits))

    # ------------------------------------------------------------------ arithmetic

    def less(self, a: Term, b: Term, *, or_equal: bool) -> Literal:
        """Whether a number is less than another."""
        left, right = self.aligned(a, b)
        return self.vectors.less(right, left) ^ 1 if or_equal else self.vectors.less(left, right)

    def sum_of(self, a: Term, b: Term) -> Term:
        """The sum of two numbers."""
        low, high = lowest(a.sort) + lowest(b.sort), highest(a.sort) + highest(b.sort)
        return self.number(low, high, self.vectors.add_wide(a.bits, b.bits))

    def negative(self, a: Term) -> Term:
        """The number below zero that far."""
        span = highest(a.sort) - lowest(a.sort)
        width = max(len(a.bits), span.bit_length())
        code = (*a.bits, *((FALSE,) * (width - len(a.bits))))
        return self.number(-highest(a.sort), -lowest(a.sort), self.vectors.minus(constant(span, width), code))

    def signed(self, a: Term, width: int) -> Vector:
        """A number in two's complement, of a width that holds it."""
        code = (*a.bits, *((FALSE,) * (width - len(a.bits))))
        low = lowest(a.sort)
        return self.vectors.add(code, constant(low & (1 << width) - 1, width)) if low else code

    def from_signed(self, bits: Vector, low: int, high: int) -> Term:
        """The number low..high that a vector in two's complement is."""
        shift = constant(-low & (1 << len(bits)) - 1, len(bits))
        return self.number(low, high, self.vectors.add(bits, shift))

    def signed_width(self, *terms: Term) -> int:
        """A width that holds each of some numbers in two's complement."""
        return 1 + max(
            max(abs(lowest(term.sort)), abs(highest(term.sort)) + 1).bit_length() for term in terms
        )

    def bitwise(self, op: Op, a: Term, b: Term) -> Term:
        """And, or, exclusive or."""
        width = self.signed_width(a, b)
        circuit = self.circuit
        left, right = self.signed(a, width), self.signed(b, width)
        out: list[Literal] = []
        for x, y in zip(left, right, strict=True):
            match op:
                case Op.BIT_AND:
                    out.append(circuit.both(x, y))
                case Op.BIT_OR:
                    out.append(circuit.either(x, y))
                case _:
                    out.append(circuit.same(x, y) ^ 1)
        low, high = lowest(a.sort), highest(a.sort)
        if low >= 0 and lowest(b.sort) >= 0:
            most = (1 << (width - 1)) - 1
            return self.number(0, min(most, high) if op is Op.BIT_AND and high >= 0 else most, out)
        return self.from_signed(tuple(out), -(1 << (width - 1)), (1 << (width - 1)) - 1)

    def product(self, a: Term, b: Term) -> Term:
        """The product of two numbers."""
        corners = [
            x * y for x in (lowest(a.sort), highest(a.sort)) for y in (lowest(b.sort), highest(b.sort))
        ]
        low, high = min(corners), max(corners)
        width = self.signed_width(a) + self.signed_width(b)
        if width > WIDEST:
            raise CannotCarry("a product of so many bits")
        left, right = self.signed(a, width), self.signed(b, width)
        return self.from_signed(self.vectors.times(left, right)[:width], low, high)

    def divided(self, a: Term, b: Term, *, remainder: bool) -> Term:
        """C's quotient or remainder of two numbers, of which the second is not 0."""
        width = self.signed_width(a, b)
        (x, minus_a), (y, minus_b) = (self._magnitude(term, width) for term in (a, b))
        quotient, rest = self.vectors.divide(x, y)
        bound = max(abs(lowest(a.sort)), abs(highest(a.sort)))
        zero = constant(0, width)
        if remainder:
            bits = self.vectors.mux(minus_a, self.vectors.minus(zero, rest), rest)
        else:
            sign = self.circuit.same(minus_a, minus_b) ^ 1
            bits = self.vectors.mux(sign, self.vectors.minus(zero, quotient), quotient)
        least = 0 if lowest(a.sort) >= 0 and lowest(b.sort) >= 0 else -bound
        return self.from_signed(bits, least, bound)

    def _magnitude(self, term: Term, width: int) -> tuple[Vector, Literal]:
        bits = self.signed(term, width)
        sign = bits[-1]
        return self.vectors.mux(sign, self.vectors.minus(constant(0, width), bits), bits), sign

    def shifted(self, a: Term, b: Term, *, left: bool) -> Term:
        """A number shifted by another, 0..63."""
        amounts = range(max(0, lowest(b.sort)), min(63, highest(b.sort)) + 1)
        found: Term | None = None
        for amount in amounts:
            moved = self._shifted_by(a, amount, left=left)
            found = moved if found is None else self.mux(self.is_value(b, amount), moved, found, moved.sort)
        return found or self.constant(IntSort(0, 0), 0)

    def _shifted_by(self, a: Term, amount: int, *, left: bool) -> Term:
        low, high = lowest(a.sort), highest(a.sort)
        if left:
            return self.product(a, self.constant(IntSort(0, 0), 1 << amount))
        width = self.signed_width(a)
        bits = self.signed(a, width)
        return self.from_signed(
            (*bits[amount:], *(bits[-1:] * min(amount, width)))[:width], low >> amount, high >> amount
        )

    def wrapped(self, a: Term, low: int, count: int) -> Term:
        """A number modulo a count, as one from `low` on."""
        least = lowest(a.sort)
        offset = (least - low) % count
        shifted = self.number(offset, offset + highest(a.sort) - least, a.bits)
        if highest(shifted.sort) < count:
            return Term(IntSort(low, low + count - 1), self.fitted(shifted, IntSort(0, count - 1))[0])
        width = self.signed_width(shifted)
        _, rest = self.vectors.divide(self.signed(shifted, width), constant(count, width))
        return self.number(low, low + count - 1, rest)
