# SPDX-License-Identifier: GPL-2.0-only
"""Obligations at a certain small size, without quantifiers: where counterexamples to induction are looked for first.

With so and so many members of each sort every quantifier is a conjunction, every count a sum, and a solver always finds
an answer.  A model is a state in which the invariant holds, and a step that leaves it: both are those of the evaluator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from kvmcheck.prove.parametric.finite import Item, Sizes, Structure, locks_of
from kvmcheck.prove.parametric.obligations import Kind, Obligation, Proof, datatype
from kvmcheck.prove.parametric.states import Memory
from kvmcheck.prove.parametric.terms import (
    FALSE,
    TRUE,
    Bind,
    Call,
    Count,
    Member,
    Num,
    Op,
    Term,
    both,
    either,
    negation,
    operation,
    rebuilt,
    substitute,
    text,
)
from kvmcheck.prove.parametric.world import World
from kvmcheck.semantics.sorts import UNSET, IntSort, LockSort, Value, members
from kvmcheck.semantics.state import State, ThreadState


@dataclass(slots=True)
class Ground:
    """A proof's formulas at the sizes of a program."""

    proof: Proof
    sizes: Sizes

    def name(self, sort: str, item: Item) -> str:
        """What a member is called."""
        return item if isinstance(item, str) else f"{sort}.{item}"

    def members(self, sort: str) -> tuple[Term, ...]:
        """The members of a sort."""
        if sort == "Bool":
            return (FALSE, TRUE)
        return tuple(Member(self.name(sort, item), sort) for item in self.sizes.universes[sort])

    def plain(self, term: Term) -> Term:
        """The term without quantifiers and counts."""
        match term:
            case Bind(kind=kind, variable=variable, body=body):
                each = (self.plain(substitute(body, {variable: m})) for m in self.members(variable.sort))
                return both(*each) if kind == "forall" else either(*each)
            case Call(symbol=symbol, arguments=arguments) if symbol.startswith("count."):
                counted = next(c for c in self.proof.counts.known.values() if c.symbol == symbol)
                given = tuple(self.plain(a) for a in arguments)
                meaning = counted.meaning(self.members(counted.variable.sort), given)
                assert isinstance(meaning, Op)
                return self.plain(meaning.arguments[1])
            case Member(name=name, sort=sort):
                fixed = self.proof.world.fixed.get(sort, ())
                return self.members(sort)[fixed.index(name)] if name in fixed else term
            case Op(name=operator, arguments=arguments):
                return operation(operator, tuple(self.plain(a) for a in arguments))
            case Count():
                raise ValueError("a count that is no symbol")
            case _:
                return rebuilt(term, self.plain)

    def query(self, obligation: Obligation, *, ranges: bool) -> str:
        """The obligation at this size.  `ranges`: numbers stay in their declared ranges."""
        lines = [*self._declarations()]
        if obligation.kind is not Kind.INITIATION:
            lines += [f"(assert {text(self.plain(f))})" for f in self.proof.hypotheses.values()]
            if ranges:
                lines += [f"(assert {text(f)})" for f in self._ranges()]
        lines += [f"(declare-const {c.symbol} {c.sort})" for c in obligation.constants]
        lines += [f"(assert {text(self.plain(h))})" for h in obligation.hypotheses]
        lines.append(f"(assert {text(self.plain(negation(obligation.goal)))})")
        return "\n".join(lines)

    def _ranges(self) -> Iterator[Term]:
        world = self.proof.world
        for number, variable in enumerate(world.program.variables):
            if isinstance(variable.sort, IntSort):
                for indices in product(*(self.members(s) for s in self.dimensions(number))):
                    value = world.read(number, indices)
                    assert isinstance(value, Call)
                    low, high = variable.sort.low, variable.sort.high
                    yield operation("<=", (Num(low), value))
                    yield operation("<=", (value, Num(high)))

    def dimensions(self, number: int) -> tuple[str, ...]:
        """The SMT sorts of a variable's indices."""
        return tuple(v.sort for v in Memory(self.proof.world).formal(number))

    def _declarations(self) -> Iterator[str]:
        world = self.proof.world
        finite = {*world.scalarsets, *(t.sorts[-1] for t in world.threads if t.own), *world.enums}
        finite |= {t.place_sort for t in world.threads}
        for sort in sorted(finite):
            yield datatype(sort, [self.name(sort, item) for item in self.sizes.universes[sort]])
        for sort in sorted({*world.scalarsets, *world.enums}):
            yield f"(declare-const any.{sort} {sort})"
        for function in world.functions():
            yield f"(declare-fun {function.symbol} ({' '.join(function.arguments)}) {function.sort})"


def state_of(structure: Structure) -> State:
    """A structure as the evaluator's state."""
    sizes = structure.sizes
    world, program = sizes.world, sizes.program
    threads: list[ThreadState] = [ThreadState(0, (), None, (), 0)] * len(program.threads)
    for (process, who), number in sizes.thread_of.items():
        threads[number] = _thread(structure, world, process, who)
    held = locks_of(world, sizes, threads)
    values: list[tuple[Value, ...]] = []
    for number, variable in enumerate(program.variables):
        if isinstance(variable.sort, LockSort):
            values.append((held[number],))
            continue
        formal = Memory(world).formal(number)
        symbolic = world.read(number, formal)
        values.append(
            tuple(
                sizes.value(
                    variable.sort,
                    symbolic,
                    structure,
                    {
                        f: sizes.item(d, i)
                        for f, d, i in zip(formal, variable.dimensions, indices, strict=True)
                    },
                )
                for indices in product(*(members(d) for d in variable.dimensions))
            )
        )
    return State(tuple(values), tuple(threads))


def _thread(structure: Structure, world: World, process: int, who: tuple[Item, ...]) -> ThreadState:
    threads, places = world.threads[process], world.places[process]
    formal = world.thread_variables(process, "who")
    given = dict(zip(formal, who, strict=True))
    where = str(structure.of(Call(f"at.{threads.name}", formal, threads.place_sort), given))
    node = int(where.rpartition("@")[2])
    locals_: list[Value] = []
    for local, declared in enumerate(places.body.locals):
        value: Value = UNSET
        if local in places.kept[node]:
            if local in places.constants[node]:
                value = places.constants[node][local]
            elif local in places.assigned[node]:
                symbolic = world.local(process, local, formal)
                value = structure.sizes.value(declared.sort, symbolic, structure, given)
        locals_.append(value)
    return ThreadState(node, tuple(locals_), None, (), 0)
