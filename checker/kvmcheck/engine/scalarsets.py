# SPDX-License-Identifier: GPL-2.0-only
"""What may be exchanged in a program without anybody noticing, and what may not, and why.

A scalarset's members, a pool's objects and the like threads of a process are interchangeable as long as the program
names none of them and does nothing that depends on how they are numbered (Ip and Dill, 1996).  The type rules of
the language see to most of that; here the elaborated program is looked through once more, since elaboration unrolls
loops and since an error here would be a wrong verdict.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass

from kvmcheck.engine.layout import Layout
from kvmcheck.engine.permuting import Actions, Atom, Permutation
from kvmcheck.engine.races import variables_of
from kvmcheck.engine.walking import bodies_of, inside, parts
from kvmcheck.semantics.expressions import sort_of
from kvmcheck.semantics.liveness import expressions_in, is_stop, surely_assigned
from kvmcheck.semantics.pointers import contains, is_seq
from kvmcheck.semantics.program import (
    Acquire,
    Apply,
    Body,
    CallLocal,
    Check,
    Choose,
    Const,
    Expr,
    GhostStore,
    Guard,
    GuardBoth,
    GuardHeld,
    GuardOwner,
    Held,
    LiveQuantified,
    Load,
    Local,
    Op,
    Operation,
    Place,
    PointerPlace,
    Program,
    Quantified,
    Quantifier,
    Read,
    Release,
    Store,
    The,
    Update,
    VariablePlace,
)
from kvmcheck.semantics.sorts import (
    IdSort,
    ListSort,
    ObjectPointerSort,
    OptionalSort,
    SetSort,
    Sort,
    ThreadSort,
    UnionSort,
    WordSort,
)
from kvmcheck.source.text import Span

#: Numbers are compared and computed with: nothing for members of a scalarset.
ARITHMETIC = frozenset(
    {
        Op.LESS,
        Op.LESS_EQUAL,
        Op.ADD,
        Op.SUBTRACT,
        Op.MULTIPLY,
        Op.DIVIDE,
        Op.MODULO,
        Op.NEGATE,
        Op.BIT_AND,
        Op.BIT_OR,
        Op.BIT_XOR,
        Op.SHIFT_LEFT,
        Op.SHIFT_RIGHT,
        Op.FIT,
    }
)

#: Operators that never fail on values of the sorts that elaboration gives them.
NEVER_FAILS = frozenset(
    {
        Op.NOT,
        Op.AND,
        Op.OR,
        Op.IMPLIES,
        Op.IF,
        Op.WITH,
        Op.MAKE,
        Op.ARM_IS,
        Op.ARM_MAKE,
        Op.SET_UNION,
        Op.SET_INTERSECT,
        Op.SET_MINUS,
        Op.SIZE,
        Op.LIST_MAKE,
        Op.DISTINCT,
        Op.POINT,
    }
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is not exchanged: a sort's or process's name, why, and where the program says so (if one place does)."""

    name: str
    reason: str
    span: Span | None


def find_atoms(layout: Layout) -> tuple[tuple[Atom, ...], tuple[Refusal, ...]]:
    """The atoms of a program, and the candidates that were refused."""
    atoms = list(_candidates(layout.program))
    refusals: list[Refusal] = []
    while atoms:
        inspection = _Inspection(layout, tuple(atoms))
        inspection.run()
        if not inspection.refused:
            break
        refusals += [
            Refusal(atoms[number].name, reason, span)
            for number, (reason, span) in sorted(inspection.refused.items())
        ]
        atoms = [atom for number, atom in enumerate(atoms) if number not in inspection.refused]
    return tuple(atoms), tuple(refusals)


def _candidates(program: Program) -> Iterator[Atom]:
    sorts: dict[Sort, None] = {}
    for sort in _sorts_of(program):
        for part in _parts_of_sort(sort):
            if isinstance(part, (IdSort, ObjectPointerSort)):
                sorts.setdefault(part)
    for sort in sorts:
        match sort:
            case IdSort(name=name, size=size, ordered=False, names=names) if size - len(names) > 1:
                yield Atom(name, size - len(names), len(names), sort)
            case ObjectPointerSort(object=name, size=size) if size > 1:
                yield Atom(name, size, 0, sort)
            case _:
                pass
    alike: dict[tuple[int, tuple[object, ...]], list[int]] = {}
    for number, thread in enumerate(program.threads):
        alike.setdefault((thread.process, thread.parameters), []).append(number)
    for (process, _), threads in alike.items():
        if len(threads) > 1:
            yield Atom(program.processes[process].name, len(threads), 0, None, tuple(threads))


def _sorts_of(program: Program) -> Iterator[Sort]:
    for variable in program.variables:
        yield from variable.dimensions
        yield variable.sort
    for process in program.processes:
        for _, sort in process.parameters:
            yield sort
    for body in bodies_of(program):
        for local in body.locals:
            yield local.sort


def _parts_of_sort(sort: Sort) -> Iterator[Sort]:
    yield sort
    match sort:
        case OptionalSort(inner=inner):
            yield from _parts_of_sort(inner)
        case ListSort(element=element) | SetSort(element=element):
            yield from _parts_of_sort(element)
        case WordSort(fields=fields):
            for _, part, _ in fields:
                yield from _parts_of_sort(part)
        case UnionSort(arms=arms):
            for _, arm in arms:
                if arm is not None:
                    yield from _parts_of_sort(arm)
        case _:
            pass


def bare(sort: Sort) -> Sort:
    """The sort without `?`."""
    return bare(sort.inner) if isinstance(sort, OptionalSort) else sort


@dataclass
class _Inspection:
    """One look through a program with these atoms; `refused`: what has to go, with the first reason."""

    layout: Layout
    atoms: tuple[Atom, ...]
    refused: dict[int, tuple[str, Span | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.program = self.layout.program
        self.exchanges: list[tuple[int, Permutation]] = []
        self.always_set: dict[str, bool] = {}

    def run(self) -> None:
        """Look at everything."""
        # Which threads there are comes first: without it nothing can be moved.
        self.actions = Actions(self.layout, self.atoms)
        for number, atom in enumerate(self.atoms):
            for point in range(atom.size - 1):
                exchange = self.actions.exchange(number, point, point + 1)
                self.exchanges.append((number, exchange))
                if any(not self._has_image(thread, exchange) for thread in range(len(self.program.threads))):
                    self._refuse({number}, "not every member has a thread of its own", None)
        if self.refused:
            return
        for variable in self.program.variables:
            self._value(Const(variable.initial, variable.sort), variable.span, "its initial value names")
            if variable.guard is not None:
                for guard in (variable.guard.write, variable.guard.read):
                    for expression in _expressions_of_guard(guard):
                        self._expression(expression, variable.span)
        for body in bodies_of(self.program):
            self._body(body)
        if self.program.init is not None:
            self._body(self.program.init)
        for claim in self.program.properties:
            self._expression(claim.condition, claim.span)
            self._order(claim.condition, claim.span, even=True)
            for probe in claim.probes:
                self._expression(probe.condition, claim.span)
                self._order(probe.condition, claim.span, even=True)
        for cover in self.program.covers:
            if cover.condition is not None:
                self._expression(cover.condition, cover.span)
                self._order(cover.condition, cover.span, even=True)

    def _has_image(self, thread: int, exchange: Permutation) -> bool:
        try:
            self.actions.thread_after(thread, exchange)
        except KeyError:
            return False
        return True

    def _refuse(self, numbers: set[int] | frozenset[int], reason: str, span: Span | None) -> None:
        for number in numbers:
            self.refused.setdefault(number, (reason, span))

    # ------------------------------------------------------------------ names and arithmetic

    def _value(self, constant: Const, span: Span, verb: str) -> None:
        """A constant must be the same after every exchange."""
        if not self.actions.touches(constant.sort):
            return
        value = self.layout.numbering.initial(constant.sort, constant.value)
        for number, exchange in self.exchanges:
            if self.actions.moved(constant.sort, value, exchange) != value:
                self._refuse({number}, f"{verb} one of its members", span)

    def _body(self, body: Body) -> None:
        alike = _symmetric_runs(body, self)
        for position, node in enumerate(body.nodes):
            for place in _places_of(node.operation):
                self._place(place, node.span)
            for expression in expressions_in(node.operation):
                self._expression(expression, node.span, constants=position not in alike)
                self._order(expression, node.span, even=False)
            if isinstance(node.operation, Choose) and node.operation.where is not None:
                if len(self._failures(node.operation.where)) > 1:
                    self._refuse(
                        self.actions.touches(node.operation.sort),
                        "a choice may fail in more than one way, and its members are tried in order",
                        node.span,
                    )

    def _expression(self, whole: Expr, span: Span, *, constants: bool = True) -> None:
        for expression in inside(whole):
            match expression:
                case Const() if constants:
                    self._value(expression, span, "the program names")
                case Apply(op=op, arguments=arguments):
                    at = expression.span or span
                    touched = self._touched(expression, *arguments)
                    if op in ARITHMETIC:
                        self._refuse(touched, "its members are computed with or ordered", at)
                    if op in (Op.EQUAL, Op.NOT_EQUAL) and not self._comparable(*arguments):
                        self._refuse(touched, "its members are compared with something else", at)
                case Read(place=place) | Held(lock=place):
                    self._place(place, span)
                case _:
                    pass

    def _touched(self, *expressions: Expr) -> frozenset[int]:
        return frozenset(
            number for expression in expressions for number in self.actions.touches(sort_of(expression))
        )

    def _comparable(self, left: Expr, right: Expr) -> bool:
        constants = [e for e in (left, right) if isinstance(e, Const) and e.value is None]
        return bool(constants) or self.actions.touches(sort_of(left)) == self.actions.touches(sort_of(right))

    def _place(self, place: Place, span: Span) -> None:
        """An index of a permuted dimension must be a member of it, not a number that happens to fit."""
        match place:
            case VariablePlace(variable=number, indices=indices):
                dimensions = self.program.variables[number].dimensions
            case PointerPlace(target=target, component=component, indices=indices):
                root = self.program.roots[target][0]
                dimensions = self.program.variables[root.components[component]].dimensions
                dimensions = dimensions[len(root.objects) :]
        for dimension, index in zip(dimensions, indices, strict=True):
            if bare(sort_of(index)) != bare(dimension):
                self._refuse(
                    self.actions.touches(dimension), "its arrays are indexed by something else", span
                )

    # ------------------------------------------------------------------ order

    def _order(self, expression: Expr, span: Span, *, even: bool) -> None:
        """A quantifier stops at the first member that decides it.  Where another might fail, it matters which is first.

        `even`: here false and failing come to the same (as at the top of an invariant).
        """
        match expression:
            case Quantified(kind=kind, bound=bound, domain=domain, body=body):
                failures = self._failures(body)
                if self._depends(kind, failures, even=even):
                    self._refuse(self.actions.touches(bound.sort), _ORDER, span)
                if domain is not None:
                    self._order(domain, span, even=False)
                self._order(body, span, even=even and kind is Quantifier.FORALL)
            case LiveQuantified(kind=kind, function=function, body=body):
                if self._depends(kind, self._failures(body), even=even):
                    self._refuse(self._movers_of(function), _ORDER, span)
                self._order(body, span, even=even and kind is Quantifier.FORALL)
            case The(bound=bound, condition=condition):
                if len(self._failures(condition)) > 1:
                    self._refuse(self.actions.touches(bound.sort), _ORDER, span)
                self._order(condition, span, even=False)
            case Apply(op=op, arguments=arguments):
                last = len(arguments) - 1
                for position, argument in enumerate(arguments):
                    same = op is Op.AND or (op in (Op.OR, Op.IMPLIES) and position == last)
                    same = same or (op is Op.IF and position > 0)
                    self._order(argument, span, even=even and same)
            case _:
                for part in parts(expression):
                    self._order(part, span, even=False)

    def _depends(self, kind: Quantifier, failures: frozenset[Check], *, even: bool) -> bool:
        match kind:
            case Quantifier.COUNT:
                return len(failures) > 1 and not even
            case Quantifier.FORALL:
                return bool(failures) and not even
            case Quantifier.EXISTS:
                return bool(failures)

    def _movers_of(self, function: str) -> frozenset[int]:
        processes = {call.process for call in self.program.live_calls if call.function == function}
        return frozenset(
            number
            for thread, seat in zip(self.program.threads, self.actions.thread_seats, strict=True)
            if thread.process in processes
            for number, _ in seat.points
        )

    def _failures(self, whole: Expr) -> frozenset[Check]:
        """The checks that computing an expression may break; more than there are, rather than fewer."""
        found: set[Check] = set()
        for expression in inside(whole):
            match expression:
                case Local():
                    found.add(Check.NO_UNSET_READ)
                case CallLocal(call=_, local=local):
                    if local not in self.always_set:
                        self.always_set[local] = self._always_set(local)
                    if not self.always_set[local]:
                        found.add(Check.NO_UNSET_READ)
                case The():
                    found.add(Check.NO_OUT_OF_BOUNDS)
                case Read(place=place) | Held(lock=place):
                    found |= self._place_failures(place)
                case Apply(op=op, arguments=arguments):
                    found |= self._operator_failures(op, arguments)
                case _:
                    pass
        return frozenset(found)

    def _operator_failures(self, op: Op, arguments: tuple[Expr, ...]) -> frozenset[Check]:
        sorts = [sort_of(argument) for argument in arguments]
        if op in NEVER_FAILS:
            return frozenset()
        match op:
            case Op.EQUAL | Op.NOT_EQUAL:
                mixed = self.layout.numbering.stride > 1 and contains(sorts[0], is_seq)
                return frozenset({Check.SEQ_LOST_UPDATE}) if mixed else frozenset()
            case Op.FIELD if isinstance(sorts[0], WordSort):
                return frozenset()
            case Op.IN | Op.SET_ADD | Op.SET_REMOVE | Op.SET_MAKE:
                members = sorts[:1] if op is Op.IN else sorts if op is Op.SET_MAKE else sorts[1:]
                if not any(isinstance(sort, (OptionalSort, ObjectPointerSort)) for sort in members):
                    return frozenset()
            case Op.LESS | Op.LESS_EQUAL | Op.ADD | Op.SUBTRACT | Op.MULTIPLY | Op.NEGATE:
                if not any(isinstance(sort, OptionalSort) for sort in sorts):
                    return frozenset()
            case Op.OBJECT:
                return frozenset({Check.NO_USE_AFTER_FREE})
            case _:
                pass
        return frozenset({Check.NO_OUT_OF_BOUNDS, Check.SEQ_LOST_UPDATE})

    def _place_failures(self, place: Place) -> frozenset[Check]:
        if isinstance(place, PointerPlace):
            return frozenset({Check.NO_USE_AFTER_FREE, Check.NO_OUT_OF_BOUNDS})
        dimensions = self.program.variables[place.variable].dimensions
        for dimension, index in zip(dimensions, place.indices, strict=True):
            sure = sort_of(index) == dimension and isinstance(dimension, (IdSort, ThreadSort))
            # Whether a pointer lives is another question: `Op.OBJECT` asks it, and is looked at on its own.
            alive = isinstance(index, Apply) and index.op is Op.OBJECT
            if not (sure or alive or isinstance(index, Const)):
                return frozenset({Check.NO_OUT_OF_BOUNDS})
        return frozenset()

    def _always_set(self, name: str) -> bool:
        """Whether every call with a local of this name has it assigned, and kept, wherever it may stop."""
        for call in self.program.live_calls:
            local = call.locals.get(name)
            if local is None:
                continue
            process = self.program.processes[call.process]
            body = process.interrupt if call.interrupt and process.interrupt is not None else process.body
            assigned = surely_assigned(body)
            watched = body.watched.get(local, frozenset())
            for number in call.nodes:
                if number == 0 or is_stop(body.nodes[number].operation):
                    if local not in assigned[number] or number not in watched:
                        return False
        return True


_ORDER = "a quantifier over it may fail for some members and be decided by others first"


def _expressions_of_guard(guard: Guard) -> Iterator[Expr]:
    match guard:
        case GuardHeld(lock=lock):
            yield from lock.indices
        case GuardOwner(index=index):
            yield index
        case GuardBoth(parts=parts_of):
            for part in parts_of:
                yield from _expressions_of_guard(part)
        case _:
            pass


# ------------------------------------------------------------------------------ unrolled ghost loops


def _places_of(operation: Operation) -> Iterator[Place]:
    match operation:
        case Load(place=place) | Store(place=place) | Update(place=place) | GhostStore(place=place):
            yield place
        case Acquire(lock=lock) | Release(lock=lock):
            yield lock
        case _:
            pass


def _image(part: object, actions: Actions, exchange: Permutation) -> object:
    """A piece of the program after an exchange of the members that it names."""
    if isinstance(part, Const):
        return Const(actions.moved(part.sort, part.value, exchange), part.sort)
    if isinstance(part, tuple):
        return tuple(_image(item, actions, exchange) for item in part)
    if is_dataclass(part) and not isinstance(part, (type, Span)):
        values = (_image(getattr(part, each.name), actions, exchange) for each in fields(part))
        return (type(part), *values)
    return part


def _runs(body: Body) -> Iterator[list[int]]:
    """Ghost stores of one statement that follow each other, and that nobody enters in the middle."""
    entered: dict[int, int] = {}
    for node in body.nodes:
        for successor in node.successors:
            entered[successor] = entered.get(successor, 0) + 1
    done: set[int] = set()

    def follows(position: int) -> int | None:
        following = body.nodes[position].successors[0]
        node = body.nodes[following]
        alike = isinstance(node.operation, GhostStore) and node.span == body.nodes[position].span
        return following if alike and entered[following] == 1 and following not in done else None

    firsts = {
        number
        for number, node in enumerate(body.nodes)
        if isinstance(node.operation, GhostStore)
        and not any(
            isinstance(other.operation, GhostStore) and number in other.successors and other.span == node.span
            for other in body.nodes
        )
    }
    for first in sorted(firsts):
        run = [first]
        done.add(first)
        following = follows(first)
        while following is not None:
            run.append(following)
            done.add(following)
            following = follows(following)
        if len(run) > 1:
            yield run


def _symmetric_runs(body: Body, inspection: _Inspection) -> frozenset[int]:
    """The ghost stores that elaboration made of one statement, one for each member, and that are symmetric together.

    None of them may read what another writes, and they write either different elements or the same value.
    """
    found: set[int] = set()
    for run in _runs(body):
        stores = [body.nodes[number].operation for number in run]
        written: set[int] = set()
        read: set[int] = set()
        elements: set[tuple[object, ...]] = set()
        values: set[Expr] = set()
        for store in stores:
            assert isinstance(store, GhostStore)
            values.add(store.value)
            if isinstance(store.place, VariablePlace):
                written.add(store.place.variable)
                constants = tuple(
                    index.value if isinstance(index, Const) else None for index in store.place.indices
                )
                elements.add((store.place.variable, constants))
            else:
                read |= written
            for expression in expressions_in(store):
                for part in inside(expression):
                    if isinstance(part, (Read, Held)):
                        place = part.place if isinstance(part, Read) else part.lock
                        read |= set(variables_of(place, inspection.program))
        if read & written or (len(elements) < len(stores) and len(values) > 1):
            continue
        plain = [_image(store, inspection.actions, inspection.actions.identity) for store in stores]
        if all(
            _same_bag([_image(store, inspection.actions, exchange) for store in stores], plain)
            for _, exchange in inspection.exchanges
        ):
            found |= set(run)
    return frozenset(found)


def _same_bag(left: list[object], right: list[object]) -> bool:
    rest = list(right)
    for item in left:
        if item not in rest:
            return False
        rest.remove(item)
    return not rest
