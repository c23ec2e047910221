# SPDX-License-Identifier: GPL-2.0-only
"""Small random programs, straight as operations: shapes that no elaborator makes, too."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from kvmcheck.semantics.program import (
    Check,
    Expr,
    GuardHeld,
    GuardRule,
    HeldMode,
    Old,
    OldValue,
    Op,
    Order,
    Program,
)
from kvmcheck.semantics.sorts import (
    BOOL,
    IntSort,
    LockFlavour,
    ObjectPointerSort,
    OptionalSort,
    SetSort,
    WordSort,
)
from tests.support.build import (
    SEQ,
    SMALL,
    Builder,
    Code,
    Var,
    apply,
    bound,
    const,
    differ,
    either,
    equal,
    following,
    forall,
    ids,
    no,
    plus,
)

GFN = ids("Gfn", 2)
WORD = WordSort("W", (("flag", BOOL, 0), ("gfn", OptionalSort(GFN), None)))
POINTER = ObjectPointerSort("Desc", 2)
ORDERS = (Order.PLAIN, Order.ONCE, Order.RACE)


class Shared:
    """The variables of a random program."""

    def __init__(self, b: Builder, random: Random) -> None:
        self.b = b
        self.lock = b.lock("lock")
        self.rw = b.lock("rw", random.choice((LockFlavour.RWLOCK, LockFlavour.RWSEM)))
        held = GuardHeld(self.lock.at(), HeldMode.ANY)
        guard = GuardRule(held, held, random.random() < 0.5, (), "written under lock")
        self.guarded = b.shared("guarded", guard=guard)
        self.x = b.shared("x")
        self.array = b.shared("array", BOOL, [GFN])
        self.word = b.shared("word", WORD)
        self.members = b.shared("members", SetSort(GFN))
        self.seq = b.home("seq")
        self.pool, (self.field,) = b.pool("Desc", 2, [("field", SMALL)])
        self.head = b.shared("head", POINTER)
        self.ghost = b.ghost("ghost", BOOL)


class Writer:
    """Writes one body, an operation at a time."""

    def __init__(self, code: Code, shared: Shared, random: Random) -> None:
        self.code, self.shared, self.random = code, shared, random
        self.number = code.local("number", SMALL)
        self.flag = code.local("flag", BOOL)
        self.gfn = code.local("gfn", GFN)
        self.copy = code.local("copy", SEQ)
        self.mask = code.local("mask", SetSort(GFN))
        self.word = code.local("word", WORD)
        self.pointer = code.local("pointer", POINTER)
        self.has_loop = False

    def begin(self) -> None:
        """Most locals hold something from the start."""
        for local, value in ((self.number, 1), (self.flag, 0), (self.gfn, 1), (self.mask, 1)):
            if self.random.random() < 0.98:
                self.code.set(local, const(value, local.sort))
        if self.random.random() < 0.98:
            self.code.set(self.word, const((0, None), WORD))
        self.code.set(self.pointer, const(None, POINTER))
        self.code.load(self.copy, self.shared.seq, Order.ONCE)

    def condition(self) -> Expr:
        """Some truth value of locals."""
        pick = self.random.randrange(7)
        if pick == 0:
            return equal(self.number, const(self.random.randrange(3)))
        if pick == 1:
            return apply(Op.IN, self.gfn, self.mask)
        if pick == 2:
            return equal(apply(Op.FIELD, self.word, sort=OptionalSort(GFN), data=1), self.gfn)
        if pick == 3:
            return equal(self.pointer, const(None, POINTER))
        if pick == 4:
            return no(self.flag)
        if pick == 5:
            return either(self.flag, equal(self.gfn, const(0, GFN)))
        return self.flag

    def statements(self, count: int, depth: int) -> None:
        """So many random statements."""
        for _ in range(count):
            if not self.code.open and self.code.nodes:
                return
            self.statement(depth)

    def statement(self, depth: int) -> None:
        """One random statement."""
        r, c, s = self.random, self.code, self.shared
        simple: list[Callable[[], object]] = [
            lambda: c.load(self.number, s.x, r.choice(ORDERS)),
            lambda: c.store(s.x, self.number, r.choice(ORDERS[:2])),
            lambda: c.load(self.number, s.guarded, r.choice(ORDERS)),
            lambda: self.guarded_store(),
            lambda: c.load(self.flag, s.array.at(self.gfn), r.choice(ORDERS)),
            lambda: c.store(s.array.at(self.gfn), self.flag, r.choice(ORDERS[:2])),
            lambda: c.store(s.array.at(const(r.randrange(2), GFN)), no(self.flag)),
            lambda: c.load(self.word, s.word),
            lambda: c.store(s.word, apply(Op.WITH, self.word, self.gfn, sort=WORD, data=1)),
            lambda: c.store(s.word, apply(Op.MAKE, self.flag, const(None, OptionalSort(GFN)), sort=WORD)),
            lambda: c.load(self.mask, s.members),
            lambda: c.store(s.members, apply(Op.SET_ADD, self.mask, self.gfn, sort=SetSort(GFN))),
            lambda: c.store(s.members, apply(Op.SET_REMOVE, self.mask, self.gfn, sort=SetSort(GFN))),
            lambda: c.load(self.copy, s.seq),
            lambda: c.update(s.seq, following(OldValue(SEQ))),
            lambda: c.store(s.seq, following(self.copy)) if r.random() < 0.2 else None,
            lambda: self.compare(),
            lambda: c.set(self.number, plus(self.number, 1, IntSort(0, 3, r.random() < 0.7))),
            lambda: c.set(self.flag, self.condition()),
            lambda: self.unwrap(),
            lambda: c.choose(self.gfn),
            lambda: c.choose(self.gfn, self.mask),
            lambda: c.choose(self.gfn, None, s.array.read(self.gfn)),
            lambda: c.choose(self.flag),
            lambda: self.locked(depth, s.lock, shared=False),
            lambda: self.locked(depth, s.rw, shared=r.random() < 0.5),
            lambda: self.tried(),
            lambda: c.unlock(s.lock) if r.random() < 0.05 else None,
            lambda: c.wait(s.array.read(self.gfn)),
            lambda: c.wait(equal(s.x.read(), self.number)),
            lambda: c.ghost(s.ghost, either(self.flag, s.ghost.read())),
            lambda: c.claim(self.condition()) if r.random() < 0.3 else None,
            lambda: c.cover("here"),
            lambda: c.might_sleep() if r.random() < 0.4 else None,
            lambda: c.pause(),
            lambda: c.alloc(self.pointer, s.pool, zeroed=r.random() < 0.5, or_null=r.random() < 0.8),
            lambda: self.where_it_points(lambda: c.free(self.pointer, s.pool)),
            lambda: c.store(s.head, self.pointer),
            lambda: c.load(self.pointer, s.head),
            lambda: self.where_it_points(
                lambda: c.load(self.number, s.field.at(apply(Op.OBJECT, self.pointer, sort=POINTER)))
            ),
            lambda: c.set(r.choice((self.number, self.flag, self.gfn)), None) if r.random() < 0.1 else None,
        ]
        pick = r.random()
        if depth > 0 and pick < 0.25:
            c.branch(
                self.condition(),
                lambda: self.statements(r.randrange(1, 3), depth - 1),
                lambda: self.statements(r.randrange(3), depth - 1),
            )
        elif depth > 0 and pick < 0.32 and c.group is None:
            c.atomic(lambda: self.statements(r.randrange(1, 4), 0))
        elif depth > 0 and pick < 0.4 and not self.has_loop and c.group is None:
            self.has_loop = True
            self.loop(depth)
        else:
            r.choice(simple)()

    def where_it_points(self, then: Callable[[], object]) -> None:
        """Mostly only where the pointer is not NULL."""
        if self.random.random() < 0.9:
            self.code.branch(differ(self.pointer, const(None, POINTER)), then)
        else:
            then()

    def guarded_store(self) -> None:
        """Mostly under the guard."""
        if self.random.random() < 0.1:
            self.code.store(self.shared.guarded, self.number)
        elif self.code.group is None:
            self.code.lock(self.shared.lock)
            self.code.store(self.shared.guarded, self.number)
            self.code.unlock(self.shared.lock)

    def unwrap(self) -> None:
        """Mostly where there is something."""
        held = apply(Op.FIELD, self.word, sort=OptionalSort(GFN), data=1)

        def then() -> object:
            return self.code.set(self.gfn, apply(Op.UNWRAP, held, sort=GFN))

        if self.random.random() < 0.9:
            self.code.branch(differ(held, const(None, OptionalSort(GFN))), then)
        else:
            then()

    def tried(self) -> None:
        """A trylock."""
        if self.code.group is None:
            self.code.lock(self.shared.lock, target=self.flag)
            self.code.branch(self.flag, lambda: self.code.unlock(self.shared.lock))

    def compare(self) -> None:
        """A copy with its home."""
        now = self.code.local("now", SEQ)
        self.code.load(now, self.shared.seq)
        self.code.branch(differ(now, self.copy), lambda: self.code.cover("here"))

    def locked(self, depth: int, lock: Var, *, shared: bool) -> None:
        """A critical section, sometimes left open."""
        if self.code.group is not None:
            return
        self.code.lock(lock, shared=shared)
        self.statements(self.random.randrange(3), depth - 1)
        if self.random.random() < 0.98 and self.code.open:
            self.code.unlock(lock, shared=shared)

    def loop(self, depth: int) -> None:
        """Over the members of a set, or while, with a pause."""
        if self.random.random() < 0.5:
            left = self.code.local("left", SetSort(GFN))
            self.code.set(left, const(3, SetSort(GFN)))

            def body() -> None:
                self.code.choose(self.gfn, left)
                self.code.set(left, apply(Op.SET_REMOVE, left, self.gfn, sort=SetSort(GFN)))
                self.statements(self.random.randrange(3), depth - 1)

            self.code.loop(differ(left, const(0, SetSort(GFN))), body)
        else:

            def again() -> None:
                self.code.pause()
                self.statements(self.random.randrange(1, 3), depth - 1)

            self.code.loop(self.condition(), again)


def random_program(seed: int) -> Program:
    """The program of a seed: two or three threads, one property of each kind, all checks."""
    random = Random(seed)
    b = Builder()
    shared = Shared(b, random)
    threads: list[str] = []
    for name in ("p", "q")[: random.randrange(1, 3)]:
        code = b.process(name, hardware=random.random() < 0.1, daemon=random.random() < 0.1)
        writer = Writer(code, shared, random)
        writer.begin()
        writer.statements(random.randrange(3, 8), 2)
        if random.random() < 0.25:
            handler = code.interrupt(shared.array.read(const(0, GFN)))
            handler_writer = Writer(handler, shared, random)
            handler_writer.begin()
            handler_writer.statements(random.randrange(1, 3), 1)
        threads.append(name)
    if len(threads) == 1:
        threads.append(threads[0])
    watched = random.choice(list(b.processes.values()))
    for _ in range(random.randrange(2)):
        watched.watched[random.randrange(len(watched.locals))] = frozenset(range(len(watched.nodes)))
    g = bound("g", GFN)
    b.invariant("word", differ(shared.x.read(), const(2)))
    b.invariant(
        "array",
        forall(
            g, either(no(shared.array.read(g)), apply(Op.IN, g, shared.members.read()), shared.lock.held())
        ),
    )
    b.invariant("calm", either(shared.lock.held(), no(shared.ghost.read())))
    grows = apply(Op.LESS_EQUAL, Old(shared.x.read(), SMALL), shared.x.read())
    b.step_property("grows", either(grows, no(Old(shared.ghost.read(), BOOL))))
    b.step_property(
        "moves", either(equal(Old(shared.seq.read(), SEQ), shared.seq.read()), shared.lock.held())
    )
    b.cover("here")
    b.cover("both", apply(Op.AND, shared.array.read(const(0, GFN)), shared.array.read(const(1, GFN))))
    return b.program(
        threads, checks=[check for check in Check if check.value.startswith(("no_d", "no_s", "lock_o"))]
    )
