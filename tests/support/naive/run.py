# SPDX-License-Identifier: GPL-2.0-only
"""Steps of flat bodies, and a plain breadth-first search over dictionaries made hashable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.support.naive import values as v
from tests.support.naive.context import Context, held
from tests.support.naive.flatten import VISIBLE, Code, Instr, in_order

#: A step of more instructions than this never ends.
LONGEST = 10_000

Edge = tuple[v.Path, v.Path]


class ThreadState(NamedTuple):
    """Where a thread is."""

    pc: int
    env: tuple[tuple[str, v.Value], ...]
    handler_pc: int | None
    handler_env: tuple[tuple[str, v.Value], ...]
    irq: int


class State(NamedTuple):
    """Shared memory (values in the order of the model's paths) and threads."""

    mem: tuple[v.Value, ...]
    threads: tuple[ThreadState, ...]


@dataclass(frozen=True)
class Thread:
    """A process instance."""

    name: str
    body: Code
    handler: Code | None
    bound: dict[str, v.Value]
    kinds: dict[str, v.Type]
    hardware: bool
    daemon: bool


Guard = Callable[[Context, "Access", "Thread"], None]


class Access(NamedTuple):
    """A shared access."""

    path: v.Path
    write: bool
    mark: str

    @property
    def marked(self) -> bool:
        """Whether it may race."""
        return self.mark != "plain"


@dataclass
class Model:
    """Everything that running needs."""

    paths: list[v.Path]
    threads: list[Thread]
    locks: dict[v.Path, v.Lock]
    homes: set[tuple[str, ...]]
    pools: dict[str, int]
    fields: dict[str, list[tuple[v.Path, v.Value]]]
    guards: dict[str, Guard]
    checks: set[str]
    racy: set[v.Path]
    """Shared places without a guard: those that the race check looks at."""


@dataclass
class Run:
    """A step under way."""

    mem: dict[v.Path, v.Value]
    env: dict[str, v.Value]
    pc: int
    irq: int
    others: list[ThreadState]
    done: bool = False
    group: int | None = None
    length: int = 0
    accesses: list[Access] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    covers: list[str] = field(default_factory=list)

    def fork(self) -> Run:
        """Another way to go on."""
        return Run(
            dict(self.mem), dict(self.env), self.pc, self.irq, list(self.others), self.done, self.group,
            self.length, list(self.accesses), list(self.edges), list(self.covers),
        )  # fmt: skip


@dataclass
class Outcome:
    """How a run ended: `ok`, `fault`, `overflow`, `blocked`, `empty`; `entry`: of a handler that was not running."""

    how: str
    run: Run
    thread: int
    handler: bool
    entry: bool
    check: str = ""
    after: State | None = None


def names_only(path: v.Path) -> tuple[str, ...]:
    """A path without its indexes."""
    return tuple(p for p in path if isinstance(p, str))


def _pairs(value: v.Value) -> tuple[tuple[str, v.Value], ...]:
    assert isinstance(value, tuple)
    return value


class Stepper:
    """Steps of one model."""

    def __init__(self, model: Model, *, abstract: bool = False) -> None:
        self.model, self.abstract = model, abstract

    def renumbered(self, mem: dict[v.Path, v.Value], threads: list[ThreadState]) -> State:
        """The state with counts made small: stale copies 0, 1 … as they come, the newest above them all.

        What a program can tell about counts is which are equal and which are the newest; an increment of the
        newest is new to every copy, before and after.
        """
        newest = {
            x.home: x for p, x in mem.items() if isinstance(x, v.Count) and names_only(p) in self.model.homes
        }
        stale: dict[object, list[v.Count]] = {home: [] for home in newest}

        def collect(value: v.Value) -> None:
            if isinstance(value, v.Count):
                if value.home in newest and value != newest[value.home] and value not in stale[value.home]:
                    stale[value.home].append(value)
            elif isinstance(value, tuple):
                for part in value:
                    collect(part)

        def renamed(value: v.Value) -> v.Value:
            if isinstance(value, v.Count):
                if value.home not in newest:
                    return value
                old = stale[value.home]
                return v.Count(len(old) if value == newest[value.home] else old.index(value), value.home)
            if isinstance(value, tuple):
                parts = tuple(renamed(part) for part in value)
                return value._make(parts) if hasattr(value, "_make") else parts
            return value

        values = tuple(mem[p] for p in self.model.paths)
        states = tuple(threads)
        collect(values)
        collect(tuple((t.env, t.handler_env) for t in states))
        moved = tuple(
            t._replace(env=_pairs(renamed(t.env)), handler_env=_pairs(renamed(t.handler_env))) for t in states
        )
        whole = renamed(values)
        assert isinstance(whole, tuple)
        return State(whole, moved)

    def outcomes(self, state: State, number: int) -> Iterator[Outcome]:
        """Every way that a thread tries to go on."""
        thread, own = self.model.threads[number], state.threads[number]
        if own.handler_pc is not None:
            assert thread.handler is not None
            yield from self.go(
                state, number, thread.handler, own.handler_pc, dict(own.handler_env), True, False
            )
            return
        if thread.body.instrs[own.pc].op == "end":
            return
        yield from self.go(state, number, thread.body, own.pc, dict(own.env), False, False)
        if thread.handler is not None and own.irq == 0:
            yield from self.go(state, number, thread.handler, 0, {}, True, True)

    def go(
        self,
        state: State,
        number: int,
        code: Code,
        pc: int,
        env: dict[str, v.Value],
        handler: bool,
        entry: bool,
    ) -> Iterator[Outcome]:
        """Every way through one step."""
        mem = dict(zip(self.model.paths, state.mem, strict=True))
        waiting = [Run(mem, env, pc, state.threads[number].irq, list(state.threads))]
        while waiting:
            run = waiting.pop()
            try:
                how, ways = self.advance(run, number, code, handler)
            except v.Fault as fault:
                yield Outcome("fault", run, number, handler, entry, fault.check)
                continue
            except v.Overflow:
                yield Outcome("overflow", run, number, handler, entry)
                continue
            if how == "go":
                waiting.extend(ways)
                continue
            outcome = Outcome(how, run, number, handler, entry)
            if how == "ok":
                outcome.after = self.settle(run, number, code, handler)
            yield outcome

    def settle(self, run: Run, number: int, code: Code, handler: bool) -> State:
        """The state behind a step: dead locals cleared."""
        ended = code.instrs[run.pc].op == "end"
        live = code.live[run.pc]
        env = () if ended else tuple(sorted((k, x) for k, x in run.env.items() if k in live))
        own = run.others[number]
        if handler:
            own = own._replace(handler_pc=None if ended else run.pc, handler_env=env, irq=run.irq)
        else:
            own = own._replace(pc=run.pc, env=env, irq=run.irq)
        threads = list(run.others)
        threads[number] = own
        if self.abstract:
            return self.renumbered(run.mem, threads)
        return State(tuple(run.mem[p] for p in self.model.paths), tuple(threads))

    def advance(self, run: Run, number: int, code: Code, handler: bool) -> tuple[str, list[Run]]:
        """One instruction."""
        instr = code.instrs[run.pc]
        if run.group is not None and instr.group != run.group:
            run.group = None
        if instr.op == "end":
            if not handler:
                for path in self.model.locks:
                    if held(run.mem[path], "any", number):
                        raise v.Fault("no_lock_misuse", "ends holding a lock")
            return "ok", []
        visible = instr.op in VISIBLE
        if run.done and run.group is None and (visible or instr.op == "choose"):
            return "ok", []
        run.length += 1
        if run.length > LONGEST:
            raise v.Overflow
        if visible and run.group is None:
            run.done = True
        run.pc += 1
        return self.perform(instr, run, number, handler)

    def context(self, run: Run, number: int, *, log: bool = False) -> Context:
        """What an instruction's expressions may refer to."""
        bound = self.model.threads[number].bound
        return Context(run.mem, run.env, number, bound=dict(bound), log=[] if log else None)

    def perform(self, instr: Instr, run: Run, number: int, handler: bool) -> tuple[str, list[Run]]:
        """What an instruction does; the ways to go on."""
        c = self.context(run, number)
        go = ("go", [run])
        op = instr.op
        if op in ("nop", "pause"):
            return go
        if op == "jump":
            run.pc = instr.jump
            return go
        if op == "branch":
            assert instr.val is not None
            if not instr.val.get(c):
                run.pc = instr.jump
            return go
        if op == "set":
            assert instr.val is not None and instr.target is not None
            if instr.faint and not instr.reads <= run.env.keys():
                run.env.pop(instr.target, None)  # nobody will ask
            else:
                run.env[instr.target] = instr.val.get(c)
            return go
        if op == "set at":
            assert instr.val is not None and instr.place is not None
            run.env[str(instr.place.path(c)[0])] = instr.val.get(c)
            return go
        if op == "unset":
            run.env.pop(str(instr.target), None)
            return go
        if op in ("assert", "assume"):
            assert instr.val is not None
            if bool(instr.val.get(c)) != instr.flag:
                if op == "assume":
                    return "empty", []
                raise v.Fault(instr.text)
            return go
        if op == "poke":
            assert instr.val is not None and instr.place is not None
            run.mem[instr.place.path(c)] = instr.val.get(c)
            return go
        if op == "event":
            assert instr.act is not None
            instr.act(c)
            return go
        if op == "cover":
            run.covers.append(instr.text)
            return go
        if op == "may sleep":
            self.may_sleep(run, number, handler)
            return go
        if op == "choose":
            return self.choose(instr, run, number)
        if op == "atomic":
            run.group = self.next_group(instr, run, number, handler)
            return go
        if op == "await":
            assert instr.val is not None
            watching = self.context(run, number, log=True)
            passes = instr.val.get(watching)
            self.logged(watching, run, number)
            return go if passes else ("blocked", [])
        if op == "irq":
            if not instr.flag and run.irq == 0:
                raise v.Fault("no_lock_misuse", "interrupts are on")
            run.irq += 1 if instr.flag else -1
            return go
        if op == "alloc":
            return self.allocate(instr, run)
        if op == "free":
            self.free(instr, run, c)
            return go
        return self.access(instr, run, number, handler, c)

    def next_group(self, instr: Instr, run: Run, number: int, handler: bool) -> int | None:
        """The group of the block that is entered."""
        thread = self.model.threads[number]
        code = thread.handler if handler else thread.body
        assert code is not None and code.instrs[run.pc - 1] is instr
        return code.instrs[run.pc].group

    def logged(self, c: Context, run: Run, number: int) -> None:
        """Accesses made on the spot, by `await` and `where`: marked ones."""
        for path, _, mark in c.log or []:
            self.note(run, number, Access(path, False, "once" if mark == "plain" else mark))

    def note(self, run: Run, number: int, access: Access) -> None:
        """An access: is its guard there; and keep it for races."""
        thread = self.model.threads[number]
        if thread.hardware:
            return
        if run.group is not None and not access.marked:
            access = access._replace(mark="once")
        guard = self.model.guards.get(str(access.path[0]))
        if guard is not None:
            guard(self.context(run, number), access, thread)
        run.accesses.append(access)

    def access(self, instr: Instr, run: Run, number: int, handler: bool, c: Context) -> tuple[str, list[Run]]:
        """Loads, stores, updates, locks."""
        assert instr.place is not None
        path = instr.place.path(c)
        if instr.op == "load":
            self.note(run, number, Access(path, False, instr.mark))
            run.env[str(instr.target)] = run.mem[path]
        elif instr.op == "store":
            assert instr.val is not None
            value = instr.val.get(c)
            self.note(run, number, Access(path, True, instr.mark))
            self.store(run, path, value)
        elif instr.op == "update":
            assert instr.update is not None
            self.note(run, number, Access(path, True, instr.mark))
            new, result = instr.update(run.mem[path], c)
            self.store(run, path, new)
            run.env[str(instr.target)] = result
        elif instr.op == "acquire":
            return self.acquire(instr, run, number, handler, path)
        else:
            self.release(instr, run, number, path)
        return "go", [run]

    def store(self, run: Run, path: v.Path, value: v.Value) -> None:
        """A store; a home takes only the successor of what it holds."""
        if names_only(path) in self.model.homes:
            old = run.mem[path]
            assert isinstance(old, v.Count)
            if value != v.Count(old.n + 1, old.home):
                raise v.Fault("seq_lost_update")
        run.mem[path] = value

    def acquire(
        self, instr: Instr, run: Run, number: int, handler: bool, path: v.Path
    ) -> tuple[str, list[Run]]:
        """Take a lock, or try to."""
        kind = instr.kind
        assert isinstance(kind, v.Lock)
        lock = run.mem[path]
        trying = instr.mark == "try"
        if not trying:
            if kind.sleeps:
                self.may_sleep(run, number, handler)
            if held(lock, "any", number):
                raise v.Fault("no_lock_misuse", "is held already")
        free = not held(lock, "write" if instr.flag else "any", None) and not held(lock, "any", number)
        if trying:
            run.env[str(instr.target)] = int(free)
        if not free:
            return ("go", [run]) if trying else ("blocked", [])
        if not trying:
            for other in self.model.locks:
                if held(run.mem[other], "any", number):
                    run.edges.append((other, path))
        if isinstance(lock, v.Rw):
            run.mem[path] = v.Rw(None, lock.readers | {number}) if instr.flag else v.Rw(number, frozenset())
        else:
            run.mem[path] = number
        return "go", [run]

    def release(self, instr: Instr, run: Run, number: int, path: v.Path) -> None:
        """Drop a lock, or the right to write."""
        lock = run.mem[path]
        if not held(lock, "read" if instr.flag else "write", number):
            raise v.Fault("no_lock_misuse", "is not held so")
        if isinstance(lock, v.Rw):
            if instr.op == "downgrade":
                run.mem[path] = v.Rw(None, frozenset((number,)))
            else:
                run.mem[path] = (
                    v.Rw(None, lock.readers - {number}) if instr.flag else v.Rw(None, lock.readers)
                )
        else:
            run.mem[path] = None

    def may_sleep(self, run: Run, number: int, handler: bool) -> None:
        """Sleeping is no good with a spinning lock held, interrupts off, or in a handler."""
        if "no_sleep_in_atomic" not in self.model.checks:
            return
        spinning = any(
            held(run.mem[p], "any", number) for p, kind in self.model.locks.items() if not kind.sleeps
        )
        if spinning or run.irq or handler:
            raise v.Fault("no_sleep_in_atomic")

    def choose(self, instr: Instr, run: Run, number: int) -> tuple[str, list[Run]]:
        """Each member that fits."""
        assert instr.val is not None
        ways = []
        accesses: list[Access] = []
        for member in in_order(instr.val.get(self.context(run, number))) or []:
            way = run.fork()
            way.env[str(instr.target)] = member
            if instr.update is not None:
                c = self.context(way, number, log=True)
                fits, _ = instr.update(None, c)
                self.logged(c, way, number)
                accesses += way.accesses
                if not fits:
                    continue
            ways.append(way)
        return ("go", ways) if ways else ("empty", [])

    def allocate(self, instr: Instr, run: Run) -> tuple[str, list[Run]]:
        """Each object that is free."""
        pool = instr.text
        ways = []
        for number in range(self.model.pools[pool]):
            if run.mem["allocated", pool, number]:
                continue
            way = run.fork()
            way.mem["allocated", pool, number] = 1
            if instr.flag:
                for path, value in self.model.fields[pool]:
                    if path[1] == number and names_only(path) not in self.model.homes:
                        way.mem[path] = value
            way.env[str(instr.target)] = v.Obj(pool, number, False)
            ways.append(way)
        if ways:
            return "go", ways
        if instr.mark != "null":
            raise v.Overflow
        run.env[str(instr.target)] = None
        return "go", [run]

    def free(self, instr: Instr, run: Run, c: Context) -> None:
        """Every pointer to it is stale."""
        assert instr.val is not None
        pointer = instr.val.get(c)
        if not isinstance(pointer, v.Obj) or pointer.stale:
            raise v.Fault("no_use_after_free", str(pointer))
        pool, number = pointer.pool, pointer.number
        run.mem["allocated", pool, number] = 0
        for path, value in run.mem.items():
            run.mem[path] = v.made_stale(value, pool, number)
        for key, value in run.env.items():
            run.env[key] = v.made_stale(value, pool, number)
        for i, t in enumerate(run.others):
            run.others[i] = t._replace(
                env=tuple((k, v.made_stale(x, pool, number)) for k, x in t.env),
                handler_env=tuple((k, v.made_stale(x, pool, number)) for k, x in t.handler_env),
            )
