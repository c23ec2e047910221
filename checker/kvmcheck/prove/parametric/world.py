# SPDX-License-Identifier: GPL-2.0-only
"""The program as a signature: its sorts, and the functions that are its state, for every size.

A scalarset is an uninterpreted sort.  So are the threads of `process p[2]`, of which there are any number; the threads
of `process p[Vcpu v]` are as many as there are vcpus.  A variable is one function for each plain part of it, a local
one of its thread, and so is the place where a thread is.  Locks are no state: who holds one is told by the places.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from kvmcheck.prove.parametric.bodies import Places, places_of
from kvmcheck.prove.parametric.refusing import CannotCarry
from kvmcheck.prove.parametric.terms import TRUE, Call, Member, Term, Var, either, equal, negation
from kvmcheck.prove.parametric.values import (
    Symbolic,
    built,
    constant,
    leaf_call,
    leaves,
    smt_sort,
)
from kvmcheck.semantics.program import Program, PropertyKind, Variable
from kvmcheck.semantics.sorts import (
    UNSET,
    EnumSort,
    IdSort,
    IntSort,
    LockSort,
    OptionalSort,
    SetSort,
    Sort,
    WordSort,
)


@dataclass(frozen=True, slots=True)
class Threads:
    """The threads of a process declaration: the SMT sorts that name one of them.

    `own`: whether the last of these sorts is one of its own (`process p[2]`); `parameters`: the others' count.
    """

    process: int
    name: str
    sorts: tuple[str, ...]
    own: bool

    @property
    def place_sort(self) -> str:
        """The sort of the places where such a thread can be."""
        return f"Place.{self.name}"


@dataclass(frozen=True, slots=True)
class Function:
    """A declared function of the state."""

    symbol: str
    arguments: tuple[str, ...]
    sort: str


@dataclass(slots=True)
class World:
    """A program for every size.  Raises `CannotCarry` where it has something that is not encoded."""

    program: Program
    places: tuple[Places, ...] = ()
    threads: tuple[Threads, ...] = ()
    scalarsets: dict[str, str] = field(default_factory=dict)  # SMT sort -> the language's name
    fixed: dict[str, tuple[str, ...]] = field(default_factory=dict)  # SMT sort -> members that have names
    enums: dict[str, tuple[str, ...]] = field(default_factory=dict)  # SMT sort -> its members

    def __post_init__(self) -> None:
        program = self.program
        if program.pools:
            raise CannotCarry(f"objects of a pool (`{program.pools[0].name}`)", program.pools[0].span)
        if program.init is not None:
            raise CannotCarry("an `init` block, or a parameter that is `any`", program.span)
        for claim in program.properties:
            if claim.kind is not PropertyKind.INVARIANT:
                raise CannotCarry(f"`{claim.name}`, a property of steps", claim.span)
        self.places = tuple(places_of(program, process) for process in program.processes)
        self.threads = tuple(self._threads(number) for number in range(len(program.processes)))
        for variable in program.variables:
            if isinstance(variable.sort, LockSort):
                continue
            for sort in (*variable.dimensions, variable.sort):
                self._declare(sort, variable)
            if any(isinstance(sort, IntSort) for sort in variable.dimensions):
                raise CannotCarry(f"`{variable.name}`, an array indexed by numbers", variable.span)
        for process, places in zip(program.processes, self.places, strict=True):
            for local in used_locals(places):
                self._note(process.body.locals[local].sort)
        homes = [home for home in program.seq_homes if program.variables[home].dimensions]
        if homes or len(program.seq_homes) > 1:
            raise CannotCarry("more than one `seq` that is counted up", program.span)

    def _threads(self, number: int) -> Threads:
        process = self.program.processes[number]
        same = Counter(t.parameters for t in self.program.threads if t.process == number)
        sorts = [smt_sort(sort, process.span) for _, sort in process.parameters]
        for _, sort in process.parameters:
            self._note(sort)
        name = plain(process.name)
        own = max(same.values()) > 1
        if own:
            sorts.append(f"Thread.{name}")
        return Threads(number, name, tuple(sorts), own)

    def _declare(self, sort: Sort, variable: Variable) -> None:
        leaves(sort, variable.span)
        self._note(sort)

    def _note(self, sort: Sort) -> None:
        match sort:
            case IdSort(name=name, names=names, ordered=False):
                symbol = smt_sort(sort)
                self.scalarsets[symbol] = name
                self.fixed[symbol] = tuple(f"{symbol}{member}" for member in names)
            case EnumSort(constants=constants):
                symbol = smt_sort(sort)
                self.enums[symbol] = tuple(f"{symbol}{member}" for member in constants)
            case OptionalSort(inner=inner):
                self._note(inner)
            case SetSort(element=element):
                self._note(element)
            case WordSort(fields=fields):
                for _, inner, _ in fields:
                    self._note(inner)
            case _:
                pass

    # ------------------------------------------------------------------------------ symbols

    def variable_symbol(self, number: int) -> str:
        """The name of a variable's functions, without their part."""
        return plain(self.program.variables[number].name)

    def local_symbol(self, process: int, local: int) -> str:
        """The name of a local's functions."""
        name = self.program.processes[process].body.locals[local].name or "it"
        return f"{self.threads[process].name}.{plain(name)}.{local}"

    def place(self, process: int, node: int) -> Member:
        """A place in a process."""
        threads = self.threads[process]
        return Member(f"{threads.name}@{node}", threads.place_sort)

    def read(self, number: int, indices: tuple[Term, ...]) -> Symbolic:
        """A variable's element, in the state before a step."""
        symbol = self.variable_symbol(number)
        return built(self.program.variables[number].sort, lambda leaf: leaf_call(symbol, leaf, indices))

    def local(self, process: int, local: int, thread: tuple[Term, ...]) -> Symbolic:
        """A thread's local, in the state before a step."""
        symbol = self.local_symbol(process, local)
        sort = self.program.processes[process].body.locals[local].sort
        return built(sort, lambda leaf: leaf_call(symbol, leaf, thread))

    def at(self, process: int, nodes: frozenset[int], thread: tuple[Term, ...]) -> Term:
        """Whether a thread is at one of the places, in the state before a step."""
        threads = self.threads[process]
        stops = self.places[process].stops
        inside = [node for node in stops if node in nodes]
        where = Call(f"at.{threads.name}", thread, threads.place_sort)
        if len(inside) == len(stops):
            return TRUE
        if len(inside) > len(stops) // 2:
            return negation(either(*(equal(where, self.place(process, n)) for n in stops if n not in nodes)))
        return either(*(equal(where, self.place(process, n)) for n in inside))

    def functions(self) -> Iterator[Function]:
        """The functions that make up a state, in a fixed order."""
        for number, variable in enumerate(self.program.variables):
            if isinstance(variable.sort, LockSort):
                continue
            arguments = tuple(smt_sort(sort) for sort in variable.dimensions)
            yield from _functions(self.variable_symbol(number), arguments, variable.sort)
        for threads, places in zip(self.threads, self.places, strict=True):
            yield Function(f"at.{threads.name}", threads.sorts, threads.place_sort)
            body = places.body
            for local in used_locals(places):
                symbol = self.local_symbol(threads.process, local)
                yield from _functions(symbol, threads.sorts, body.locals[local].sort)

    def thread_variables(self, process: int, mark: str) -> tuple[Var, ...]:
        """Variables that stand for a thread of a process."""
        threads = self.threads[process]
        return tuple(Var(f"{threads.name}.{mark}{n}", sort) for n, sort in enumerate(threads.sorts))

    def initial(self, number: int) -> Symbolic:
        """What every element of a variable holds at first."""
        variable = self.program.variables[number]
        return constant(variable.sort, variable.initial)


def used_locals(places: Places) -> tuple[int, ...]:
    """The locals that are part of a state: kept at some stop where their value is not known anyway."""
    return tuple(
        local
        for local in range(len(places.body.locals))
        if any(local in places.kept[n] and local not in places.constants[n] for n in places.stops)
    )


def known(places: Places, node: int, local: int) -> bool:
    """Whether a local's value at a node is a constant."""
    return local in places.constants[node] and places.constants[node][local] != UNSET


def plain(name: str) -> str:
    """A name of the language as a part of an SMT-LIB symbol."""
    return re.sub(r"[^A-Za-z0-9_.]", ".", name)


def _functions(symbol: str, arguments: tuple[str, ...], sort: Sort) -> Iterator[Function]:
    for leaf in leaves(sort):
        own = arguments if leaf.element is None else (*arguments, leaf.element)
        yield Function(symbol + leaf.path, own, leaf.sort)
