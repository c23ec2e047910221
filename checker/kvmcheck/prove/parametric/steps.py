# SPDX-License-Identifier: GPL-2.0-only
"""The steps of every process as formulas: docs/development/semantics.md once more, over terms in place of values.

A step runs from one stop to the next, on one way through the branches; each way is a step of its own.  What it chooses
are constants of its own, which a solver may give any value that its conditions allow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import assert_never

from kvmcheck.prove.parametric.bodies import Held, lock_of
from kvmcheck.prove.parametric.formulas import Failure, Formulas
from kvmcheck.prove.parametric.loops import Loop, loop_at, visited
from kvmcheck.prove.parametric.refusing import CannotCarry
from kvmcheck.prove.parametric.states import After, Memory
from kvmcheck.prove.parametric.terms import (
    FALSE,
    TRUE,
    Call,
    Num,
    Term,
    Truth,
    Var,
    arithmetic,
    both,
    either,
    equal,
    negation,
)
from kvmcheck.prove.parametric.values import (
    Leaf,
    Members,
    Symbolic,
    built,
    constant,
    fitted,
    members,
    term,
)
from kvmcheck.prove.parametric.world import World, known
from kvmcheck.semantics.liveness import is_stop
from kvmcheck.semantics.program import (
    VISIBLE,
    Acquire,
    Allocate,
    Assertion,
    Assume,
    AtomicEnter,
    Await,
    Body,
    Branch,
    Check,
    Choose,
    CoverHere,
    End,
    Expr,
    Fence,
    Free,
    GhostStore,
    Guard,
    GuardBoth,
    GuardHeld,
    GuardMarked,
    GuardOwner,
    HeldMode,
    Irq,
    Load,
    MightSleep,
    Node,
    Operation,
    Order,
    Pause,
    Release,
    Set,
    Skip,
    Store,
    Update,
)
from kvmcheck.semantics.sorts import LockSort, SeqSort, Sort
from kvmcheck.source.text import Span

#: More ways through one step than this are too many to write down.
_MOST_WAYS = 500


@dataclass(frozen=True, slots=True)
class Checked:
    """A built-in check on the way of a step: `needed` must be true wherever `given` is."""

    failure: Failure
    given: Term


@dataclass(frozen=True, slots=True)
class SymbolicStep:
    """One way to go from a stop to a stop, for any thread of the process.

    `constants`: the thread's arguments and what it chooses.  `guard`: when it can be gone.  `visible`: the node of the
    operation that the step is named after.
    """

    process: int
    nodes: tuple[int, ...]
    visible: int
    constants: tuple[Call, ...]
    guard: Term
    after: After
    checked: tuple[Checked, ...]


@dataclass(slots=True)
class _Way:
    """A run under way."""

    node: int
    memory: Memory
    locals: dict[int, Symbolic]
    guards: tuple[Term, ...] = ()
    constants: tuple[Call, ...] = ()
    checked: tuple[Checked, ...] = ()
    nodes: tuple[int, ...] = ()
    done: bool = False
    group: int | None = None
    visible: int | None = None
    choices: int = 0
    old_value: Symbolic | None = None

    def fork(self) -> _Way:
        return replace(self, memory=self.memory.copy(), locals=dict(self.locals))


@dataclass(slots=True)
class Stepper:
    """The steps of one process."""

    world: World
    process: int
    stuck: list[Checked] = field(default_factory=list)

    @property
    def body(self) -> Body:
        """The process's body."""
        return self.world.program.processes[self.process].body

    @property
    def thread(self) -> tuple[Call, ...]:
        """The constants that stand for the thread."""
        threads = self.world.threads[self.process]
        return tuple(Call(f"it.{threads.name}.{n}", (), sort) for n, sort in enumerate(threads.sorts))

    def steps(self) -> Iterator[SymbolicStep]:
        """Every step, from every stop; also those that can't be done, for the sake of their checks."""
        for start in self.world.places[self.process].stops:
            if not isinstance(self.body.nodes[start].operation, End):
                yield from self._from(start)

    def _from(self, start: int) -> Iterator[SymbolicStep]:
        places = self.world.places[self.process]
        locals_: dict[int, Symbolic] = {}
        for local in places.kept[start]:
            if known(places, start, local):
                locals_[local] = constant(self.body.locals[local].sort, places.constants[start][local])
            elif local not in places.constants[start]:
                locals_[local] = self.world.local(self.process, local, self.thread)
        at = self.world.at(self.process, frozenset({start}), self.thread)
        waiting = [_Way(start, Memory(self.world), locals_, (at,), self.thread)]
        found = 0
        while waiting:
            way = waiting.pop()
            further = self._advance(way)
            if further is None:
                found += 1
                if found > _MOST_WAYS:
                    raise CannotCarry("a step with too many ways", self.body.nodes[start].span)
                yield self._step(start, way)
            else:
                waiting.extend(reversed([way for way in further if both(*way.guards) != FALSE]))

    def _step(self, start: int, way: _Way) -> SymbolicStep:
        places = self.world.places[self.process]
        changed: dict[int, Symbolic] = {}
        for local in sorted(places.kept[way.node]):
            if local in places.constants[way.node] or local not in way.locals:
                continue
            value = fitted(way.locals[local], self.body.locals[local].sort)
            if value != self.world.local(self.process, local, self.thread):
                changed[local] = value
        after = After(self.world, way.memory, self.process, self.thread, start, way.node, changed)
        return SymbolicStep(
            self.process,
            way.nodes,
            way.nodes[-1] if way.visible is None else way.visible,
            way.constants,
            both(*way.guards),
            after,
            way.checked,
        )

    # ------------------------------------------------------------------------------ one operation

    def _formulas(self, way: _Way) -> Formulas:
        """Expressions of the code, as things are now; a check that they need is noted, and then taken to hold."""

        def needs(failure: Failure) -> None:
            node = self.body.nodes[way.node]
            told = replace(failure, span=failure.span or node.span)
            way.checked = (*way.checked, Checked(told, both(*way.guards)))
            way.guards = (*way.guards, failure.needed)

        def local(number: int) -> Symbolic:
            if number not in way.locals:
                name = self.body.locals[number].name
                raise CannotCarry(
                    f"a read of `{name}`, which may hold nothing", self.body.nodes[way.node].span
                )
            return way.locals[number]

        return Formulas(
            self.world,
            _Now(self.world, way.memory),
            locals=local,
            parameters=self.thread,
            needs=needs,
            held_here=self._held_at(way.node),
            old_value=way.old_value,
        )

    def _advance(self, way: _Way) -> list[_Way] | None:
        """The way, one operation on, in each direction; None if the step ends here."""
        node = self.body.nodes[way.node]
        operation = node.operation
        if way.group is not None and node.group != way.group:
            way.group = None
        if isinstance(operation, End):
            self._ends(way, node.span)
            return None
        if way.done and way.group is None and is_stop(operation):
            return None
        if way.group is not None and way.node in way.nodes:
            raise CannotCarry("an atomic block that goes round", node.span)
        loop = loop_at(self.body, way.node) if way.group is not None else None
        if loop is not None:
            return self._loop(way, loop)
        way.nodes = (*way.nodes, way.node)
        outside = way.group is None
        here = way.node
        further = self._perform(operation, way, node)
        for other in further:
            if isinstance(operation, VISIBLE) and outside:
                other.done = True
                other.visible = here
            if not isinstance(operation, Branch):
                other.node = node.successors[0]
        return further

    def _perform(self, operation: Operation, way: _Way, node: Node) -> list[_Way]:
        formulas = self._formulas(way)
        match operation:
            case Load(target=target, place=place, order=order):
                number, indices = formulas.place(place)
                self._guard(way, node, (number, indices), order, write=False)
                way.locals[target] = way.memory.read(number, indices)
            case Store(place=place, value=value, order=order):
                number, indices = formulas.place(place)
                stored = formulas.value(value)
                self._guard(way, node, (number, indices), order, write=True)
                self._store(way, number, indices, stored, node.span)
            case Update(place=place, new=new, target=target, result=result, order=order):
                number, indices = formulas.place(place)
                self._guard(way, node, (number, indices), order, write=True)
                way.old_value = way.memory.read(number, indices)
                formulas = self._formulas(way)
                stored = formulas.value(new)
                told = None if result is None else formulas.value(result)
                self._store(way, number, indices, stored, node.span)
                if target is not None and told is not None:
                    way.locals[target] = told
            case GhostStore(place=place, value=value):
                number, indices = formulas.place(place)
                self._store(way, number, indices, formulas.value(value), node.span)
            case Acquire() | Release():
                self._lock(operation, way, node)
            case Await(condition=condition) | Assume(condition=condition):
                way.guards = (*way.guards, formulas.truth(condition))
            case AtomicEnter(group=group):
                way.group = group
            case Choose(target=target):
                self._choose(operation, way)
            case Set(target=target, value=value):
                if value is None:
                    way.locals.pop(target, None)
                else:
                    way.locals[target] = formulas.value(value)
            case Branch(condition=condition):
                return self._branch(way, node, formulas.truth(condition))
            case Assertion(condition=condition, check=check, text=text):
                self._must(way, check, formulas.truth(condition), text, node.span)
            case MightSleep():
                self._may_sleep(way, node, "might_sleep()")
            case CoverHere() | Fence() | Skip() | Pause() | End():
                pass
            case Allocate() | Free():
                raise CannotCarry("objects of a pool", node.span)
            case Irq():
                raise CannotCarry("switching interrupts off and on", node.span)
            case _:
                assert_never(operation)
        return [way]

    def _branch(self, way: _Way, node: Node, condition: Term) -> list[_Way]:
        no = way.fork()
        way.node, no.node = node.successors
        way.guards = (*way.guards, condition)
        no.guards = (*no.guards, negation(condition))
        return [w for w in (way, no) if w.guards[-1] != FALSE]

    def _must(self, way: _Way, check: Check, needed: Term, text: str, span: Span) -> None:
        if needed == TRUE:
            return
        way.checked = (*way.checked, Checked(Failure(check, needed, text, span), both(*way.guards)))
        way.guards = (*way.guards, needed)

    def _store(self, way: _Way, number: int, indices: tuple[Term, ...], value: Symbolic, span: Span) -> None:
        variable = self.world.program.variables[number]
        if number in self.world.program.seq_homes and isinstance(variable.sort, SeqSort):
            newest = arithmetic("+", term(way.memory.read(number, indices)), Num(1))
            text = f"`{variable.name}` is stored from a copy that is no longer its newest value"
            self._must(way, Check.SEQ_LOST_UPDATE, equal(term(value), newest), text, span)
        way.memory.store(number, indices, value)

    def _choose(self, operation: Choose, way: _Way) -> None:
        formulas = self._formulas(way)
        domain = None if operation.domain is None else members(formulas.value(operation.domain))
        way.choices += 1
        name = f"any.{way.choices}"
        found: list[Call] = []

        def part(leaf: Leaf) -> Term | Members:
            if leaf.element is not None:
                raise CannotCarry("choosing a set", self.body.nodes[way.node].span)
            found.append(Call(name + leaf.path, (), leaf.sort))
            return found[-1]

        value = built(operation.sort, part)
        way.constants = (*way.constants, *found)
        if domain is not None:
            way.guards = (*way.guards, domain.has(term(value)))
        way.locals[operation.target] = value
        if operation.where is not None:
            way.guards = (*way.guards, self._formulas(way).truth(operation.where))

    # ------------------------------------------------------------------------------ locks and guards

    def _held_at(self, number: int) -> Held:
        return self.world.places[self.process].held[number] or {}

    def _lock(self, operation: Acquire | Release, way: _Way, node: Node) -> None:
        lock = lock_of(operation, node)
        name = self.world.program.variables[lock].name
        mode = "read" if operation.shared else "write"
        held = self._held_at(way.node).get(lock)
        match operation:
            case Release():
                text = f"`{name}` is released, but not held so"
                self._must(way, Check.NO_LOCK_MISUSE, Truth(held == mode), text, node.span)
            case Acquire(flavour=flavour):
                if flavour.sleeps:
                    self._may_sleep(way, node, f"taking `{name}`")
                text = f"`{name}` is taken by a thread that holds it"
                self._must(way, Check.NO_LOCK_MISUSE, Truth(held is None), text, node.span)
                against = ("write",) if operation.shared else ("read", "write")
                free = negation(Formulas(self.world, self.world).held_by_any(lock, against))
                way.guards = (*way.guards, free)
            case _:
                assert_never(operation)

    def _ends(self, way: _Way, span: Span) -> None:
        for lock in self._held_at(way.node):
            text = f"the process ends holding `{self.world.program.variables[lock].name}`"
            self._must(way, Check.NO_LOCK_MISUSE, FALSE, text, span)

    def _may_sleep(self, way: _Way, node: Node, what: str) -> None:
        if Check.NO_SLEEP_IN_ATOMIC not in self.world.program.checks:
            return
        spinning = [
            lock for lock in self._held_at(way.node) if _spins(self.world.program.variables[lock].sort)
        ]
        if spinning:
            name = self.world.program.variables[spinning[0]].name
            text = f"{what} may sleep while holding `{name}`"
            self._must(way, Check.NO_SLEEP_IN_ATOMIC, FALSE, text, node.span)

    def _guard(
        self,
        way: _Way,
        node: Node,
        element: tuple[int, tuple[Term, ...]],
        order: Order,
        *,
        write: bool,
    ) -> None:
        """The guard of an access, which it breaks or keeps by where it stands."""
        number, indices = element
        variable = self.world.program.variables[number]
        rule = variable.guard
        if rule is None or self.world.program.processes[self.process].hardware:
            return
        if not write and not rule.strict:
            return
        marked = order.marked or way.group is not None
        bound: dict[str, Symbolic] = {
            name: index for name, index in zip(rule.dimensions, indices, strict=True) if name
        }
        allowed = self._allowed(rule.write if write else rule.read, way, bound, marked)
        verb = "written" if write else "read"
        text = f"`{variable.name}` is {verb} without its guard (`{rule.text}`)"
        self._must(way, Check.NO_UNGUARDED_ACCESS, allowed, text, node.span)

    def _allowed(self, guard: Guard, way: _Way, bound: dict[str, Symbolic], marked: bool) -> Term:
        match guard:
            case GuardHeld(lock=lock, mode=mode):
                if lock.indices:
                    raise CannotCarry("locks in arrays and objects", self.body.nodes[way.node].span)
                held = self._held_at(way.node).get(lock.variable)
                fits = {HeldMode.ANY: held is not None, HeldMode.READ: held == "read"}
                return Truth(fits.get(mode, held == "write"))
            case GuardMarked():
                return Truth(marked)
            case GuardOwner(index=index):
                return self._owns(index, way, bound)
            case GuardBoth(parts=parts, every=every):
                found = [self._allowed(part, way, bound, marked) for part in parts]
                return both(*found) if every else either(*found)
            case _:
                assert_never(guard)

    def _owns(self, index: Expr, way: _Way, bound: dict[str, Symbolic]) -> Term:
        formulas = replace(self._formulas(way), bound=bound)
        value = term(formulas.value(index))
        own = self.thread[: len(self.world.program.processes[self.process].parameters)]
        return either(*(equal(p, value) for p in own if p.sort == getattr(value, "sort", None)))

    # ------------------------------------------------------------------------------ atomic loops

    def _loop(self, way: _Way, loop: Loop) -> list[_Way]:
        """A loop over the members of a set inside an atomic block, all of it at once: see `loops`."""
        node = self.body.nodes[loop.head]
        way.nodes = (*way.nodes, loop.head)
        held = members(way.locals[loop.left])
        member = Var("member", held.variable.sort)
        once = way.fork()
        once.locals[loop.target] = member
        once.locals.pop(loop.left)
        once.guards, once.checked, once.constants = (), (), ()
        once.node = loop.inside
        once.nodes = ()
        round_again: list[_Way] = []
        left: list[_Way] = []
        waiting = [once]
        while waiting:
            current = waiting.pop()
            if current.node == loop.head:
                round_again.append(current)
            elif current.node not in loop.nodes:
                left.append(current)
            else:
                further = self._advance(current)
                if further is None or current.constants or any(w.constants for w in further):
                    raise CannotCarry("choices in an atomic loop", node.span)
                waiting.extend(further)
        return visited(way, loop, held, member, round_again, left, node.span)


def _spins(sort: Sort) -> bool:
    return isinstance(sort, LockSort) and not sort.flavour.sleeps


@dataclass(frozen=True, slots=True)
class _Now:
    """The state in the middle of a step: written variables; threads are where they were."""

    world: World
    memory: Memory

    def read(self, number: int, indices: tuple[Term, ...]) -> Symbolic:
        return self.memory.read(number, indices)

    def local(self, process: int, local: int, thread: tuple[Term, ...]) -> Symbolic:
        return self.world.local(process, local, thread)

    def at(self, process: int, nodes: frozenset[int], thread: tuple[Term, ...]) -> Term:
        return self.world.at(process, nodes, thread)


def steps_of(world: World) -> tuple[SymbolicStep, ...]:
    """Every step of every process."""
    return tuple(step for process in range(len(world.threads)) for step in Stepper(world, process).steps())
