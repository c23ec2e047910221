# SPDX-License-Identifier: GPL-2.0-only
"""From a case of a unit to a model that runs: bodies, memory, guards, and what properties want to know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from itertools import product

from kvmcheck.lang import syntax as s
from tests.support.naive import values as v
from tests.support.naive.context import Context, LiveCall, held
from tests.support.naive.flatten import (
    VISIBLE,
    BoundName,
    Code,
    Flattener,
    Instance,
    Meaning,
    Monitor,
    Val,
    Watch,
)
from tests.support.naive.names import Found, Scope, World, dotted
from tests.support.naive.run import Access, Guard, Model, Run, State, Stepper, Thread, ThreadState, names_only

#: Where a property looks at a local: about to do a label (end ""), between two, or anywhere.
Where = tuple[str, str] | None
Wanted = dict[str, set[tuple[str, Where]]]

CHOSEN = ("no_deadlock", "no_data_race", "no_sleep_in_atomic", "lock_order")


@dataclass(frozen=True)
class Property:
    """An invariant, a step property or a cover's predicate."""

    name: str
    step: bool
    condition: Val


@dataclass
class Built:
    """A model and what to look for."""

    model: Model
    stepper: Stepper
    properties: list[Property]
    covers: dict[str, Property | None]
    initial: list[State]
    wanted: Wanted
    monitors: int

    def context(self, state: State) -> Context:
        """What a property sees of a state."""
        mem = dict(zip(self.model.paths, state.mem, strict=True))
        live: list[LiveCall] = []
        for number, (thread, own) in enumerate(zip(self.model.threads, state.threads, strict=True)):
            pairs = [(thread.body, own.pc, own.env)]
            if thread.handler is not None and own.handler_pc is not None:
                pairs.append((thread.handler, own.handler_pc, own.handler_env))
            for code, pc, env in pairs:
                for instance in code.instances:
                    if instance.first <= pc < instance.last:
                        here = frozenset(
                            label
                            for label, start in instance.at.items()
                            if pc in stops_from(code, start, instance.ends.get(label, instance.last))
                        )
                        live.append(LiveCall(instance, number, dict(env), here))
        return Context(mem, live=tuple(live))


def stops_from(code: Code, start: int, end: int) -> set[int]:
    """Where a thread stops next from an instruction on, before the end."""
    found: set[int] = set()
    seen: set[int] = set()
    waiting = [start]
    while waiting:
        position = waiting.pop()
        if position in seen or not start <= position < end:
            continue
        seen.add(position)
        if is_stop(code.instrs[position].op):
            found.add(position)
        else:
            waiting.extend(successors(code, position))
    return found


def is_stop(op: str) -> bool:
    """Whether a step ends before such an instruction."""
    return op in VISIBLE or op in ("choose", "end")


def successors(code: Code, position: int) -> list[int]:
    """Where control goes."""
    instr = code.instrs[position]
    if instr.op == "end":
        return []
    if instr.op == "jump":
        return [instr.jump]
    if instr.op == "branch":
        return [position + 1, instr.jump]
    return [position + 1]


def finish(f: Flattener, span: object, wanted: Wanted) -> Code:
    """The flat body with its end, pauses and liveness."""
    f.finish_function(span)
    f.emit("end", span)
    code = Code(f.code, f.instances)
    for head in f.heads:
        if _comes_back_unseen(code, head):
            code.instrs[head].op = "pause"
    looked_at: list[frozenset[str]] = [frozenset()] * len(
        code.instrs
    )  # a property reads where a thread stops
    for instance in code.instances:
        for position in range(instance.first, instance.last):
            looked_at[position] |= frozenset(instance.regions.values())
        for name, where in wanted.get(instance.function, ()):
            if name not in instance.locals:
                continue
            kept = {place.local for place in f.leaves(f.local_place(instance.locals[name])) if place.local}
            for position in _looked_at(code, instance, where):
                looked_at[position] |= kept
    live: list[frozenset[str]] = [frozenset()] * len(code.instrs)
    changed = True
    while changed:
        changed = False
        for position in reversed(range(len(code.instrs))):
            instr = code.instrs[position]
            after = frozenset().union(*(live[p] for p in successors(code, position)))
            kills = frozenset((instr.writes,)) if instr.writes is not None else frozenset()
            now = after - kills
            if not instr.faint or instr.writes in after:
                now |= instr.reads
            if is_stop(instr.op):
                now |= looked_at[position]
            if now != live[position]:
                live[position] = now
                changed = True
    code.live = live
    return code


def _looked_at(code: Code, instance: Instance, where: Where) -> set[int]:
    """The instructions of a call at which a property may look at its locals."""
    whole = set(range(instance.first, instance.last))
    if where is None or where == ("entry", ""):
        return whole
    start, end = where
    if not end:
        return set(range(instance.at[start], instance.ends[start])) if start in instance.at else set()
    flag = instance.regions[start, end]
    waiting = [i for i in whole if code.instrs[i].target == flag and code.instrs[i].flag]
    found: set[int] = set()
    while waiting:
        position = waiting.pop()
        instr = code.instrs[position]
        if position in found or (instr.target == flag and not instr.flag):
            continue
        found.add(position)
        waiting.extend(successors(code, position))
    return found & whole


def _comes_back_unseen(code: Code, head: int) -> bool:
    waiting, seen = successors(code, head), set()
    while waiting:
        position = waiting.pop()
        if position == head:
            return True
        if position in seen or is_stop(code.instrs[position].op):
            continue
        seen.add(position)
        waiting.extend(successors(code, position))
    return False


# ------------------------------------------------------------------------------ properties


class Wishes:
    """What the properties of a case want to know of running code."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.watch = Watch()
        self.locals: Wanted = {}

    def look(
        self,
        node: object,
        scope: Scope,
        bound: dict[str, Meaning],
        calls: dict[str, str],
        where: dict[str, Where] | None = None,
    ) -> None:
        """Walk a property; `where` says at which part of a call a local is looked at."""
        where = where or {}
        match node:
            case s.Binary(s.BinaryOp.AND | s.BinaryOp.IMPLIES, left, right):
                self.look(left, scope, bound, calls, where)
                self.look(right, scope, bound, calls, {**where, **_places_in(left)})
                return
            case s.Quantified(_, binders, body):
                bound, calls = dict(bound), dict(calls)
                for binder in binders:
                    found = None
                    if isinstance(binder.type, s.NamedType) and binder.type.path != ("Thread",):
                        found = self.world.find(scope, binder.type.path)
                    if found is not None and isinstance(found.what, s.FunctionDecl):
                        calls[binder.name.text] = found.key
                    else:
                        kind = self.world.type(binder.type, scope)
                        bound[binder.name.text] = BoundName(binder.name.text, kind)
                    self.look(binder.domain, scope, bound, calls, where)
                self.look(body, scope, bound, calls, where)
                return
            case s.Call(function, arguments):
                declared = self.pure(function, scope)
                if declared is not None:
                    key, where_declared = declared
                    self.look(self.world.functions[key].body, where_declared, {}, {})
                for argument in arguments:
                    self.look(argument, scope, bound, calls, where)
                return
            case s.LiveIn(call, start, end):
                self.watch.regions.setdefault(calls[call.text], set()).add((start.label, end.label))
                return
            case s.Field(s.Name(text), name) if text in calls:
                self.locals.setdefault(calls[text], set()).add((name.text, where.get(text)))
                return
            case s.After(start, end, body):
                used = set(_names((start.arguments, end.arguments if end else ())))
                variables = [(n, m.type) for n, m in bound.items() if n in used and isinstance(m, BoundName)]
                self.watch.monitors.append(
                    Monitor(len(self.watch.monitors), node, scope, variables, dict(bound))
                )
                self.look(body, scope, bound, calls, where)
                return
            case tuple():
                for part in node:
                    self.look(part, scope, bound, calls, where)
            case _ if is_dataclass(node) and not isinstance(node, type):
                for f in fields(node):
                    if f.name != "span":
                        self.look(getattr(node, f.name), scope, bound, calls, where)
            case _:
                pass

    def pure(self, function: s.Expr, scope: Scope) -> tuple[str, Scope] | None:
        """The pure function that is called, with the scope of its names."""
        try:
            found = self.world.find(scope, dotted(function))
        except KeyError:
            return None
        return (found.key, found.scope) if isinstance(found.what, s.FunctionDecl) else None


def _places_in(condition: s.Expr) -> dict[str, Where]:
    """Where calls are if a condition is true."""
    match condition:
        case s.LiveAt(call, label):
            return {call.text: (label.label, "")}
        case s.LiveIn(call, start, end):
            return {call.text: (start.label, end.label)}
        case s.Binary(s.BinaryOp.AND, left, right):
            return {**_places_in(left), **_places_in(right)}
        case _:
            return {}


def _names(node: object) -> Iterator[str]:
    if isinstance(node, s.Name):
        yield node.text
    elif isinstance(node, tuple):
        for part in node:
            yield from _names(part)
    elif is_dataclass(node) and not isinstance(node, type):
        for f in fields(node):
            if f.name != "span":
                yield from _names(getattr(node, f.name))


# ------------------------------------------------------------------------------ the whole


def build(world: World, *, abstract: bool = False) -> Built:
    """The model of a world."""
    checks: set[str] = set()
    chosen: list[Found] = []
    cover_names: list[str] = []
    for item in world.scenario.items:
        if isinstance(item, s.CoverList):
            cover_names += [n.text for n in item.names]
    for item in [*world.scenario.items, *world.expects]:
        if isinstance(item, s.Check | s.Expect):
            for name in item.names if isinstance(item, s.Check) else item.properties:
                if name.text in CHOSEN:
                    checks.add(name.text)
                elif name.text in world.root.table:
                    found = world.find(world.root, (name.text,))
                    if found not in chosen:
                        chosen.append(found)
    wishes = Wishes(world)
    covers_found: list[Found] = []
    for cover in cover_names:
        if cover in world.root.table and isinstance(world.root.table[cover].what, s.CoverDecl):
            covers_found.append(world.root.table[cover])
    for found in [*chosen, *covers_found]:
        what = found.what
        assert isinstance(what, s.InvariantDecl | s.StepDecl | s.LiveDecl | s.CoverDecl)
        if not isinstance(what, s.LiveDecl):
            wishes.look(what.body, found.scope, {}, {})
    for function, looked_at in wishes.locals.items():
        wishes.watch.asked[function] = {name for name, _ in looked_at}
    homes: set[tuple[str, ...] | None] = set()
    addressed: set[tuple[str, ...]] = set()
    threads = _threads(world, wishes, homes, addressed)
    init = next((i for i in world.scenario.items if isinstance(i, s.Init)), None)
    if None in homes:
        homes |= addressed
    real_homes = {h for h in homes if h is not None}
    start, locks, racy = _memory(world, real_homes)
    seq_homes = {names_only(p) for p, x in start.items() if isinstance(x, v.Count)} & real_homes
    for monitor in wishes.watch.monitors:
        for binding in product(*(v.members(t) for _, t in monitor.variables)):
            start["monitor", monitor.number, *binding] = 0
    pools: dict[str, int] = {}
    pool_fields: dict[str, list[tuple[v.Path, v.Value]]] = {}
    for pool in world.pools:
        if pool in world.settings:
            pools[pool] = world.pool_size(pool)
            pool_fields[pool] = [(p, x) for p, x in start.items() if p[0] == pool]
            for i in range(pools[pool]):
                start["allocated", pool, i] = 0
    model = Model(
        list(start), threads, locks, seq_homes, pools, pool_fields, _guards(world, checks), checks, racy
    )
    stepper = Stepper(model, abstract=abstract)
    properties: list[Property] = []
    covers: dict[str, Property | None] = dict.fromkeys(cover_names)
    for found in [*chosen, *covers_found]:
        f = Flattener(world, wishes.watch, found.scope, direct=True)
        what = found.what
        if isinstance(what, s.InvariantDecl):
            body = f.value(what.body)
            if what.unless is not None:
                body = _unless(f.value(what.unless), body)
            properties.append(Property(what.name.text, False, body))
        elif isinstance(what, s.StepDecl):
            properties.append(Property(what.name.text, True, f.value(what.body)))
        elif isinstance(what, s.CoverDecl):
            covers[what.name.text] = Property(what.name.text, False, f.value(what.body))
    return Built(
        model, stepper, properties, covers, _initial(world, stepper, start, init), wishes.locals,
        len(wishes.watch.monitors),
    )  # fmt: skip


def _unless(condition: Val, body: Val) -> Val:
    return Val(lambda c: int(bool(condition.get(c)) or bool(body.get(c))), body.reads, None)


def _threads(
    world: World, wishes: Wishes, homes: set[tuple[str, ...] | None], addressed: set[tuple[str, ...]]
) -> list[Thread]:
    threads: list[Thread] = []
    for process in world.processes.values():
        kinds = {p.name.text: world.type(p.type, world.root) for p in process.parameters}
        bodies: list[Code | None] = []
        interrupt = process.interrupt
        statements = [process.body]
        if interrupt is not None:
            first = s.Await(interrupt.condition, interrupt.condition.span)
            statements.append(s.Block((first, interrupt.body), interrupt.span))
        for block in statements:
            f = Flattener(world, wishes.watch, world.root)
            f.names = [{n: BoundName(n, t) for n, t in kinds.items()}]
            f.block(block)
            homes |= f.homes
            addressed |= f.addressed
            bodies.append(finish(f, process.span, wishes.locals))
        body = bodies[0]
        assert body is not None
        handler = bodies[1] if len(bodies) > 1 else None
        number = 1 if process.count is None else world.constant(process.count, world.root)
        for i in range(number):
            for values in product(*(v.members(t) for t in kinds.values())):
                bound = dict(zip(kinds, values, strict=True))
                name = f"{process.name.text}{i}{values}"
                threads.append(Thread(name, body, handler, bound, kinds, process.hardware, process.daemon))
    return threads


def _leaf_values(
    kind: v.Type, path: v.Path, start: v.Value, given: bool
) -> Iterator[tuple[v.Path, v.Type, v.Value]]:
    if isinstance(kind, v.Array):
        for i in range(kind.size):
            part, has = start, given
            if given and isinstance(start, v.Brace) and not isinstance(kind.element, v.SetOf | v.ListOf):
                has = i < len(start.items)
                part = start.items[i] if has else None
            yield from _leaf_values(kind.element, (*path, i), part, has)
    elif isinstance(kind, v.Struct) and not kind.word:
        for name, inner, value in kind.fields:
            own = v.is_whole(inner)
            if given and isinstance(start, v.Record):
                yield from _leaf_values(inner, (*path, name), start.get(name), True)
            else:
                yield from _leaf_values(inner, (*path, name), value, not own)
    else:
        yield path, kind, v.fit(start, kind) if given else v.default(kind)


def _memory(
    world: World, homes: set[tuple[str, ...]]
) -> tuple[dict[v.Path, v.Value], dict[v.Path, v.Lock], set[v.Path]]:
    start: dict[v.Path, v.Value] = {}
    locks: dict[v.Path, v.Lock] = {}
    racy: set[v.Path] = set()
    for scope in world.all_scopes():
        for found in scope.table.values():
            what = found.what
            if not isinstance(what, s.VarDecl) or (found.key,) in {p[:1] for p in start}:
                continue
            kind = world.variable_type(found)
            given = what.initial is not None
            value = world.literal(what.initial, found.scope) if what.initial is not None else None
            for path, leaf, x in _leaf_values(kind, (found.key,), value, given):
                start[path] = x
                if isinstance(leaf, v.Lock):
                    locks[path] = leaf
                elif what.guard is None and what.kind is s.VarKind.SHARED:
                    racy.add(path)
    for pool in world.pools:
        if pool in world.settings:
            kind = v.Array(world.pool_size(pool), world.object_type(pool))
            for path, leaf, x in _leaf_values(kind, (pool,), None, False):
                start[path] = x
                if isinstance(leaf, v.Lock):
                    locks[path] = leaf
                else:
                    racy.add(path)
    elements = [p for p, x in start.items() if isinstance(x, v.Count) and names_only(p) in homes]
    if len(elements) > 1:
        for path in elements:
            start[path] = v.Count(0, path)
    return start, locks, racy


def _guards(world: World, checks: set[str]) -> dict[str, Guard]:
    guards: dict[str, Guard] = {}
    for scope in world.all_scopes():
        for found in scope.table.values():
            what = found.what
            if isinstance(what, s.VarDecl) and what.guard is not None:
                guards[found.key] = _guard(world, found, what, what.guard, checks)
    return guards


def _guard(world: World, found: Found, what: s.VarDecl, clause: s.GuardClause, checks: set[str]) -> Guard:
    f = Flattener(world, Watch(), found.scope, direct=True)
    names: dict[str, Meaning] = {}
    for d in what.dimensions:
        if d.name is not None:
            size = world.dimension(d.size, found.scope)
            kind: v.Type = v.Ident("", size)
            if isinstance(d.size, s.NamedType):
                kind = world.type(d.size, found.scope)
            names[d.name.text] = BoundName(d.name.text, kind)
    f.names = [names]

    def compiled(guard: s.Guard, *, writing: bool) -> Val:
        match guard:
            case s.GuardLock(lock, mode):
                place = f.place(lock)
                shared = isinstance(place.type, v.Lock) and place.type.shared
                how = "write" if mode == "write" or (mode is None and shared and writing) else "any"
                atomics = mode == "read" and writing  # readers may write by atomic operations only
                return Val(
                    lambda c: int(
                        held(c.mem[place.path(c)], how, c.thread) and bool(c.bound["marked"] or not atomics)
                    ),
                    frozenset(),
                    None,
                )
            case s.GuardAtomic():
                return Val(lambda c: c.bound["marked"], frozenset(), None)
            case s.GuardOwner(index):
                value = f.value(index)
                kind = value.type

                def owns(c: Context) -> v.Value:
                    thread = c.bound["thread"]
                    assert isinstance(thread, Thread)
                    mine = [thread.bound[n] for n, t in thread.kinds.items() if t == kind]
                    return int(value.get(c) in mine)

                return Val(owns, frozenset(), None)
            case s.GuardBoth(parts, every):
                inner = [compiled(p, writing=writing) for p in parts]
                if every:
                    return Val(lambda c: int(all(p.get(c) for p in inner)), frozenset(), None)
                return Val(lambda c: int(any(p.get(c) for p in inner)), frozenset(), None)

    write = compiled(clause.write, writing=True)
    read = compiled(clause.read or clause.write, writing=False)
    strict = clause.guarded
    dimensions = [d.name.text if d.name else "" for d in what.dimensions]
    races = "no_data_race"

    def guard(c: Context, access: Access, thread: Thread) -> None:
        bound: dict[str, v.Value] = {"marked": int(access.marked), "thread": thread}
        bound |= {name: index for name, index in zip(dimensions, access.path[1:], strict=False) if name}
        inner = Context(c.mem, c.env, c.thread, bound=bound)
        if access.write:
            if not write.get(inner):
                raise v.Fault("no_unguarded_access", str(access.path))
        elif strict:
            if not read.get(inner):
                raise v.Fault("no_unguarded_access", str(access.path))
        elif not access.marked and races in checks and not read.get(inner):
            raise v.Fault(races, str(access.path))

    return guard


def _initial(
    world: World, stepper: Stepper, start: dict[v.Path, v.Value], init: s.Init | None
) -> list[State]:
    entries = []
    for thread in stepper.model.threads:
        entries.append(ThreadState(entry(thread.body), (), None, (), 0))
    if init is None:
        return [State(tuple(start.values()), tuple(entries))]
    f = Flattener(world, Watch(), world.root, direct=True)
    f.block(init.body)
    code = finish(f, init.span, {})
    waiting = [Run(dict(start), {}, 0, 0, [])]
    found: dict[State, None] = {}
    nobody = Thread("init", code, None, {}, {}, True, True)
    model = stepper.model
    alone = Stepper(
        Model(model.paths, [nobody], {}, model.homes, model.pools, model.fields, {}, set(), set())
    )
    while waiting:
        run = waiting.pop()
        how, ways = alone.advance(run, 0, code, True)
        if how == "go":
            waiting.extend(ways)
        elif how == "ok":
            found[State(tuple(run.mem[p] for p in model.paths), tuple(entries))] = None
    return list(found)


def entry(code: Code) -> int:
    """Where a thread begins: behind what does nothing."""
    position = 0
    seen: set[int] = set()
    while code.instrs[position].op in ("nop", "jump") and position not in seen:
        seen.add(position)
        position = successors(code, position)[0]
    return position


__all__ = ["Built", "Instance", "build"]
