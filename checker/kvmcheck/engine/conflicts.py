# SPDX-License-Identifier: GPL-2.0-only
"""Which accesses of a variable can meet one of another thread with which they do not commute.

Two accesses do not meet if both threads surely hold a lock that excludes the other, or if the variable's guard,
which is checked, makes them hold it.  Two that meet commute if both read, or if both only count up or down (but for the
variable's bounds: see `counted`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kvmcheck.engine.races import variables_of
from kvmcheck.semantics.program import (
    Acquire,
    Apply,
    Body,
    Check,
    Const,
    Expr,
    Free,
    Guard,
    GuardBoth,
    GuardHeld,
    GuardOwner,
    HeldMode,
    Load,
    Node,
    OldValue,
    Op,
    Program,
    Release,
    Store,
    Update,
    Variable,
    VariablePlace,
)
from kvmcheck.semantics.sorts import IntSort, LockSort


@dataclass(frozen=True, slots=True)
class Locks:
    """The scalar locks that a thread surely holds: those that keep all others out, and those held for reading."""

    exclusive: frozenset[int] = frozenset()
    shared: frozenset[int] = frozenset()

    def exclude(self, other: Locks) -> bool:
        """Whether two threads can't hold these at the same time."""
        return bool(self.exclusive & (other.exclusive | other.shared) or self.shared & other.exclusive)


@dataclass(frozen=True, slots=True)
class Access:
    """One access of a variable in a body.

    `counts`: it adds a constant and looks at nothing.  `guarded`: the variable's guard excludes all others that
    keep it.
    """

    process: int
    writes: bool
    counts: bool
    guarded: bool
    locks: Locks
    text: str


class Accesses:
    """Every access of a program in ordinary code; hardware is not looked at, nor what conditions read."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._races_are_checked = Check.NO_DATA_RACE in program.checks
        self._of: dict[int, list[Access]] = {}
        self._at: dict[tuple[int, int], list[tuple[int, Access]]] = {}
        for number, process in enumerate(program.processes):
            if process.hardware:
                continue
            for body in (process.body, process.interrupt):
                if body is not None:
                    self._enter(number, body)

    def conflict(self, body: Body, number: int) -> str:
        """An access of another thread that the one at a node may meet and not commute with; "" if there is none."""
        for variable, access in self._at.get((id(body), number), ()):
            for other in self._of[variable]:
                if self._conflict(access, other):
                    name = self.program.variables[variable].name
                    does = "writes" if other.writes else "reads"
                    return f"`{name}`: {other.text} {does} it without a common lock"
        return ""

    def counted(self, body: Body, number: int) -> Iterator[int]:
        """The variables that a node counts up or down, and that may leave their bounds by it.

        A count below the least is an error of the run; which of two countings comes first decides about it.
        """
        for variable, access in self._at.get((id(body), number), ()):
            sort = self.program.variables[variable].sort
            if access.counts and isinstance(sort, IntSort) and not sort.wrap:
                yield variable

    def is_one_thread(self, process: int) -> bool:
        """Whether a process has one instance."""
        return sum(thread.process == process for thread in self.program.threads) == 1

    def may_read_without_guard(self, variable: int, *, marked: bool) -> bool:
        """Whether a read may stand outside the guard without being an error."""
        rule = self.program.variables[variable].guard
        if rule is None or rule.strict:
            return False
        return marked or not self._races_are_checked

    def _conflict(self, access: Access, other: Access) -> bool:
        if access.process == other.process and self.is_one_thread(access.process):
            return False
        if not (access.writes or other.writes) or (access.counts and other.counts):
            return False
        return not (access.guarded and other.guarded) and not access.locks.exclude(other.locks)

    def _enter(self, process: int, body: Body) -> None:
        held = surely_held(body)
        for number, node in enumerate(body.nodes):
            operation = node.operation
            match operation:
                case Free(pool=pool):
                    self._enter_free(process, node, pool, held[number])
                    continue
                case (
                    Load(place=place, order=order)
                    | Store(place=place, order=order)
                    | Update(place=place, order=order)
                ):
                    pass
                case _:
                    continue
            writes = not isinstance(operation, Load)
            counts = isinstance(operation, Update) and operation.target is None and _adds(operation.new)
            marked = order.marked or node.group is not None
            for variable in variables_of(place, self.program):
                kept = writes or not self.may_read_without_guard(variable, marked=marked)
                access = Access(
                    process,
                    writes,
                    counts,
                    kept and self._excludes(self.program.variables[variable], writes=writes),
                    self._with_guard(variable, held[number], writes=writes) if kept else held[number],
                    f"`{text_of(node)}` ({self.program.processes[process].name})",
                )
                self._of.setdefault(variable, []).append(access)
                self._at.setdefault((id(body), number), []).append((variable, access))

    def _enter_free(self, process: int, node: Node, pool: int, held: Locks) -> None:
        """Freeing an object is as good as writing all that is in it."""
        text = f"`{text_of(node)}` ({self.program.processes[process].name})"
        for variable, declared in enumerate(self.program.variables):
            if declared.pool == pool:
                access = Access(process, writes=True, counts=False, guarded=False, locks=held, text=text)
                self._of.setdefault(variable, []).append(access)

    def _with_guard(self, variable: int, held: Locks, *, writes: bool) -> Locks:
        """The locks that an access holds, since its guard would fail otherwise."""
        rule = self.program.variables[variable].guard
        exclusive, shared = set(held.exclusive), set(held.shared)
        guards = () if rule is None else needed(rule.write if writes else rule.read)
        for guard in guards:
            if isinstance(guard, GuardHeld) and not guard.lock.indices:
                (exclusive if self._keeps_all_out(guard) else shared).add(guard.lock.variable)
        return Locks(frozenset(exclusive), frozenset(shared))

    def _keeps_all_out(self, guard: GuardHeld) -> bool:
        sort = self.program.variables[guard.lock.variable].sort
        assert isinstance(sort, LockSort)
        return not sort.flavour.shared or guard.mode is HeldMode.WRITE

    def _excludes(self, declared: Variable, *, writes: bool) -> bool:
        """Whether the guard, while it is kept, excludes every other access of an element that keeps it."""
        rule = declared.guard
        if rule is None:
            return False
        for writing in needed(rule.write):
            match writing:
                case GuardHeld(lock=lock):
                    if self._keeps_all_out(writing) and (
                        writes
                        or any(
                            isinstance(reading, GuardHeld) and reading.lock == lock
                            for reading in needed(rule.read)
                        )
                    ):
                        return True
                case GuardOwner():
                    if writes or any(isinstance(reading, GuardOwner) for reading in needed(rule.read)):
                        return self._owner_is_one_thread()
                case _:
                    pass
        return False

    def _owner_is_one_thread(self) -> bool:
        """Whether at most one thread can have each value of the parameter that owns."""
        owners = [p for p in self.program.processes if p.parameters and not p.hardware]
        return len(owners) == 1 and len(owners[0].parameters) == 1


def needed(guard: Guard) -> Iterator[Guard]:
    """The guards that an access needs every one of."""
    if isinstance(guard, GuardBoth) and guard.every:
        for part in guard.parts:
            yield from needed(part)
    else:
        yield guard


def text_of(node: Node) -> str:
    """The beginning of the statement that a node is part of, on one line."""
    return " ".join(node.span.text.split())[:60]


def _adds(new: Expr) -> bool:
    """Whether a new value is the old one plus or minus a constant."""
    match new:
        case Apply(op=Op.FIT, arguments=(inner,)):
            return _adds(inner)
        case Apply(op=Op.ADD | Op.SUBTRACT, arguments=(OldValue(), Const())):
            return True
        case _:
            return False


def surely_held(body: Body) -> tuple[Locks, ...]:
    """For each node, the scalar locks that its thread holds whenever it comes there."""
    held: list[Locks | None] = [None] * len(body.nodes)
    held[0] = Locks()
    waiting = [0]
    while waiting:
        number = waiting.pop()
        node = body.nodes[number]
        now = held[number]
        assert now is not None
        match node.operation:
            case Acquire(lock=VariablePlace(variable=lock, indices=()), shared=shared, target=None):
                if shared:
                    now = Locks(now.exclusive, now.shared | {lock})
                else:
                    now = Locks(now.exclusive | {lock}, now.shared)
            case Release(lock=VariablePlace(variable=lock, indices=())):
                now = Locks(now.exclusive - {lock}, now.shared - {lock})
            case Release():
                now = Locks()
            case _:
                pass
        for successor in node.successors:
            joined = _common((now, *(known for known in (held[successor],) if known is not None)))
            if joined != held[successor]:
                held[successor] = joined
                waiting.append(successor)
    return tuple(locks or Locks() for locks in held)


def _common(several: Iterable[Locks]) -> Locks:
    """The locks that are held in every case."""
    first, *others = several
    exclusive, shared = first.exclusive, first.shared
    for other in others:
        exclusive, shared = exclusive & other.exclusive, shared & other.shared
    return Locks(exclusive, shared)
