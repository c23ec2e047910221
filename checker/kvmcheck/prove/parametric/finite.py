# SPDX-License-Identifier: GPL-2.0-only
"""The formulas at a certain size: a state of the evaluator as a structure in which terms have values.

So the encoding can be held against the meaning of the language: from a state, the steps as formulas must lead just
where the evaluator's steps lead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import assert_never

from kvmcheck.prove.parametric.states import State as SymbolicState
from kvmcheck.prove.parametric.steps import SymbolicStep
from kvmcheck.prove.parametric.terms import Bind, Call, Count, Member, Num, Op, Term, Truth, Var
from kvmcheck.prove.parametric.values import Maybe, Members, Symbolic, Word, leaves, smt_sort, term
from kvmcheck.prove.parametric.world import World
from kvmcheck.semantics.expressions import member_at, position_of
from kvmcheck.semantics.program import Program
from kvmcheck.semantics.sorts import (
    UNSET,
    EnumSort,
    IdSort,
    LockSort,
    OptionalSort,
    SetSort,
    Sort,
    Value,
    WordSort,
    member_count,
    members,
)
from kvmcheck.semantics.state import State, ThreadState

#: What a term is at a certain size: a number, a truth value (0, 1), a member's position, a place's name.
Item = int | str
#: A function's values by its arguments.
Table = dict[tuple[Item, ...], Item]


@dataclass(slots=True)
class Sizes:
    """The world at the sizes of one program: the members of each sort, and which thread is which."""

    world: World
    program: Program
    universes: dict[str, tuple[Item, ...]]
    thread_of: dict[tuple[int, tuple[Item, ...]], int]

    @staticmethod
    def of(world: World, program: Program) -> Sizes:
        """The sizes of a program that is the world's but for its sizes."""
        universes: dict[str, tuple[Item, ...]] = {"Bool": (0, 1)}
        thread_of: dict[tuple[int, tuple[Item, ...]], int] = {}
        seen: dict[tuple[int, tuple[Value, ...]], int] = {}
        for number, thread in enumerate(program.threads):
            threads = world.threads[thread.process]
            nth = seen[thread.process, thread.parameters] = (
                seen.get((thread.process, thread.parameters), -1) + 1
            )
            own: tuple[Item, ...] = (nth,) if threads.own else ()
            given = tuple(v for v in thread.parameters if isinstance(v, int))
            thread_of[thread.process, (*given, *own)] = number
            if threads.own:
                universes[threads.sorts[-1]] = tuple(range(nth + 1))
        found = Sizes(world, program, universes, thread_of)
        for variable in program.variables:
            for sort in (*variable.dimensions, variable.sort):
                found._note(sort)
        for process in program.processes:
            for _, sort in process.parameters:
                found._note(sort)
            for local in process.body.locals:
                found._note(local.sort)
        for symbol, names in world.enums.items():
            universes[symbol] = tuple(names)
        for threads, places in zip(world.threads, world.places, strict=True):
            universes[threads.place_sort] = tuple(f"{threads.name}@{n}" for n in places.stops)
        return found

    def _note(self, sort: Sort) -> None:
        match sort:
            case IdSort(ordered=False, size=size):
                self.universes[smt_sort(sort)] = tuple(range(size))
            case OptionalSort(inner=inner):
                self._note(inner)
            case SetSort(element=element):
                self._note(element)
            case WordSort(fields=fields):
                for _, inner, _ in fields:
                    self._note(inner)
            case _:
                pass

    # ------------------------------------------------------------------------------ values

    def item(self, sort: Sort, value: Value) -> Item:
        """A plain value as an item."""
        assert isinstance(value, int)
        if isinstance(sort, EnumSort):
            return self.world.enums[smt_sort(sort)][value]
        return value

    def items(self, sort: Sort, value: Value) -> list[Item | frozenset[Item]]:
        """The plain parts of a value, in the order of `leaves`; of a set, its members."""
        match sort:
            case OptionalSort(inner=inner):
                if value is None:
                    return [0, *(self._nothing(leaf.sort, leaf.element) for leaf in leaves(inner))]
                return [1, *self.items(inner, value)]
            case WordSort(fields=fields):
                assert isinstance(value, tuple)
                return [
                    part
                    for (_, inner, _), own in zip(fields, value, strict=True)
                    for part in self.items(inner, own)
                ]
            case SetSort(element=element):
                assert isinstance(value, int)
                inside = [v for v in members(element) if value >> position_of(element, v, None) & 1]
                return [frozenset(self.item(element, v) for v in inside)]
            case _:
                return [self.item(sort, value)]

    def _nothing(self, sort: str, element: str | None) -> Item | frozenset[Item]:
        if element is not None:
            return frozenset()
        return 0 if sort == "Int" else self.universes[sort][0]

    def value(self, sort: Sort, symbolic: Symbolic, structure: Structure, given: Mapping[Var, Item]) -> Value:
        """What a symbolic value is in a structure, as the evaluator represents it."""
        match sort, symbolic:
            case OptionalSort(inner=inner), Maybe(there=there, value=own):
                return self.value(inner, own, structure, given) if structure.of(there, given) else None
            case OptionalSort(inner=inner), _:
                return self.value(inner, symbolic, structure, given)
            case WordSort(fields=fields), Word(fields=own_fields):
                return tuple(
                    self.value(inner, own, structure, given)
                    for (_, inner, _), own in zip(fields, own_fields, strict=True)
                )
            case SetSort(element=element), Members(variable=variable, body=body):
                mask = 0
                for position in range(member_count(element)):
                    member = self.item(element, member_at(element, position))
                    if structure.of(body, {**given, variable: member}):
                        mask |= 1 << position
                return mask
            case EnumSort(), _:
                found = structure.of(term(symbolic), given)
                return self.world.enums[smt_sort(sort)].index(str(found))
            case _:
                plain = structure.of(term(symbolic), given)
                assert isinstance(plain, int)
                return plain


@dataclass(slots=True)
class Structure:
    """The values of the functions of a state, at a certain size."""

    sizes: Sizes
    tables: dict[str, Table]

    @staticmethod
    def of_state(sizes: Sizes, state: State) -> Structure:
        """The evaluator's state as a structure; what holds nothing is some item."""
        tables: dict[str, Table] = {}
        world, program = sizes.world, sizes.program

        def note(symbol: str, sort: Sort, arguments: tuple[Item, ...], value: Value) -> None:
            for leaf, item in zip(leaves(sort), sizes.items(sort, value), strict=True):
                table = tables.setdefault(symbol + leaf.path, {})
                if isinstance(item, frozenset):
                    assert leaf.element is not None
                    for member in sizes.universes[leaf.element]:
                        table[(*arguments, member)] = int(member in item)
                else:
                    table[arguments] = item

        for number, variable in enumerate(program.variables):
            if isinstance(variable.sort, LockSort):
                continue
            for position, indices in enumerate(product(*(members(d) for d in variable.dimensions))):
                arguments = tuple(sizes.item(d, i) for d, i in zip(variable.dimensions, indices, strict=True))
                note(world.variable_symbol(number), variable.sort, arguments, state.values[number][position])
        for (process, thread), number in sizes.thread_of.items():
            own = state.threads[number]
            threads = world.threads[process]
            tables.setdefault(f"at.{threads.name}", {})[thread] = f"{threads.name}@{own.pc}"
            for local, value in enumerate(own.locals):
                if not (isinstance(value, str) and value == UNSET):
                    sort = program.processes[process].body.locals[local].sort
                    note(world.local_symbol(process, local), sort, thread, value)
        return Structure(sizes, tables)

    def of(self, asked: Term, given: Mapping[Var, Item]) -> Item:
        """The value of a term."""
        match asked:
            case Num(value=value):
                return value
            case Truth(value=truth):
                return int(truth)
            case Var():
                return given[asked]
            case Member(name=name, sort=sort):
                fixed = self.sizes.world.fixed.get(sort, ())
                return fixed.index(name) if name in fixed else name
            case Call(symbol=symbol, arguments=arguments, sort=sort):
                table = self.tables.get(symbol, {})
                found = table.get(tuple(self.of(a, given) for a in arguments))
                if found is None:
                    return 0 if sort == "Int" else self.sizes.universes[sort][0]
                return found
            case Op():
                return self._operator(asked, given)
            case Bind(kind=kind, variable=variable, body=body):
                each = (self.of(body, {**given, variable: i}) for i in self.sizes.universes[variable.sort])
                return int(all(each) if kind == "forall" else any(each))
            case Count(variable=variable, body=body):
                return sum(
                    int(bool(self.of(body, {**given, variable: i})))
                    for i in self.sizes.universes[variable.sort]
                )
            case _:
                assert_never(asked)

    def _operator(self, applied: Op, given: Mapping[Var, Item]) -> Item:
        name, arguments = applied.name, applied.arguments
        if name == "and":
            return int(all(self.of(a, given) for a in arguments))
        if name == "or":
            return int(any(self.of(a, given) for a in arguments))
        if name == "ite":
            return self.of(arguments[1 if self.of(arguments[0], given) else 2], given)
        values = [self.of(a, given) for a in arguments]
        match name:
            case "not":
                return int(not values[0])
            case "=>":
                return int(not values[0] or bool(values[1]))
            case "=":
                return int(values[0] == values[1])
            case _:
                a, b = values
                assert isinstance(a, int) and isinstance(b, int)
                operators = {"+": a + b, "-": a - b, "*": a * b, "<": int(a < b), "<=": int(a <= b)}
                return operators[name]

    # ------------------------------------------------------------------------------ steps

    def ways(self, step: SymbolicStep) -> Iterator[Structure]:
        """The structure with the step's constants, in each way in which the step can be done."""
        universes = [self.sizes.universes.get(c.sort) for c in step.constants]
        for items in product(*(u if u is not None else () for u in universes)):
            tables = dict(self.tables)
            for constant, item in zip(step.constants, items, strict=True):
                tables[constant.symbol] = {(): item}
            way = Structure(self.sizes, tables)
            if way.of(step.guard, {}):
                yield way


def after(way: Structure, step: SymbolicStep, before: State) -> State:
    """The evaluator's state behind a step."""
    sizes = way.sizes
    world, program = sizes.world, sizes.program
    who = tuple(way.of(a, {}) for a in step.after.thread)
    mover = sizes.thread_of[step.process, who]
    values: list[tuple[Value, ...]] = []
    for number, variable in enumerate(program.variables):
        if isinstance(variable.sort, LockSort):
            values.append(before.values[number])
            continue
        formal = step.after.memory.formal(number)
        symbolic = step.after.read(number, formal)
        values.append(
            tuple(
                sizes.value(
                    variable.sort,
                    symbolic,
                    way,
                    {
                        f: sizes.item(d, i)
                        for f, d, i in zip(formal, variable.dimensions, indices, strict=True)
                    },
                )
                for indices in product(*(members(d) for d in variable.dimensions))
            )
        )
    threads = list(before.threads)
    threads[mover] = _moved(way, step, step.after, who)
    for lock, held in locks_of(world, sizes, threads).items():
        values[lock] = (held,)
    return State(tuple(values), tuple(threads))


def _moved(way: Structure, step: SymbolicStep, state: SymbolicState, who: tuple[Item, ...]) -> ThreadState:
    sizes = way.sizes
    places = sizes.world.places[step.process]
    end = step.after.end
    formal = sizes.world.thread_variables(step.process, "who")
    given = dict(zip(formal, who, strict=True))
    locals_: list[Value] = []
    for local, declared in enumerate(places.body.locals):
        if local in places.constants[end]:
            value = places.constants[end][local]
        elif local in places.kept[end] and local in places.assigned[end]:
            value = sizes.value(declared.sort, state.local(step.process, local, formal), way, given)
        else:
            value = UNSET
        locals_.append(value if local in places.kept[end] else UNSET)
    return ThreadState(end, tuple(locals_), None, (), 0)


def locks_of(world: World, sizes: Sizes, threads: list[ThreadState]) -> dict[int, Value]:
    """What the locks hold when the threads are where they are."""
    found: dict[int, Value] = {}
    for number, variable in enumerate(sizes.program.variables):
        if not isinstance(variable.sort, LockSort):
            continue
        writer: Value = None
        readers = 0
        for (process, _), thread in sizes.thread_of.items():
            mode = (world.places[process].held[threads[thread].pc] or {}).get(number)
            if mode == "write":
                writer = thread
            elif mode == "read":
                readers |= 1 << thread
        found[number] = (writer, readers) if variable.sort.flavour.shared else writer
    return found
