# SPDX-License-Identifier: GPL-2.0-only
"""Which operations commute with what other threads do: the facts that merging steps stands on (Lipton 1975).

A merged step is right movers, then at most one operation that does not commute, then left movers.  Taking a lock
is a right mover, dropping it a left mover, and an access to data that its guard keeps from everybody else commutes
both ways.  An operation that a property, a lock-free reader or the hardware can see does not commute.  The
argument and the conditions are in docs/explain/reductions/merging.md; guards are checked at every operation of a
merged step, so that what is assumed here is itself checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from kvmcheck.engine.races import may_race, variables_of
from kvmcheck.engine.walking import inside
from kvmcheck.semantics.liveness import expressions_in, is_stop
from kvmcheck.semantics.program import (
    VISIBLE,
    Acquire,
    Apply,
    Assertion,
    Await,
    Body,
    Branch,
    CallAt,
    CallIn,
    Check,
    Choose,
    Const,
    Current,
    Expr,
    Free,
    GhostStore,
    Guard,
    GuardBoth,
    GuardHeld,
    GuardOwner,
    Held,
    HeldMode,
    LiveCall,
    LiveQuantified,
    Load,
    Node,
    Op,
    Place,
    Process,
    Program,
    Property,
    Quantified,
    Read,
    Release,
    Set,
    Store,
    Update,
    Variable,
    VariablePlace,
)
from kvmcheck.semantics.sorts import LockSort, Value


class Mover(Enum):
    """How an operation commutes with those of other threads."""

    RIGHT = "right"
    LEFT = "left"
    BOTH = "both"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class BodyMovers:
    """For each node of a body: how it moves, and why it does not (only of visible operations; "" if it does).

    `stops`: nodes before which a step always ends, whatever they commute with, and why.  `seen_before`: visible
    operations that may be the first of a step whose choices or entry already changed what a property sees.
    """

    movers: tuple[Mover, ...]
    reasons: tuple[str, ...]
    stops: Mapping[int, str]
    seen_before: frozenset[int]


def movers_of(program: Program) -> Mapping[int, BodyMovers]:
    """The movers of every body that threads run, by the body's `id`."""
    facts = _Facts(program)
    found: dict[int, BodyMovers] = {}
    for number, process in enumerate(program.processes):
        for body, handler in ((process.body, False), (process.interrupt, True)):
            if body is not None:
                found[id(body)] = _Classifier(facts, number, process, body, handler=handler).classify()
    return found


# ------------------------------------------------------------------------------ facts about the whole program


def _places_read(expressions: Iterable[Expr]) -> Iterator[Place]:
    for expression in expressions:
        for part in inside(expression):
            if isinstance(part, Read):
                yield part.place


#: Somebody who sees a variable or a live call without holding its guard, and the locks under which they do not
#: look (`unless held(L)`).
Onlooker = tuple[str, frozenset[int]]


class _Facts:
    """Who looks at what without a lock: properties, ghosts, waiting conditions, marked reads, hardware."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.races_are_checked = Check.NO_DATA_RACE in program.checks
        #: variable -> who sees it without holding its guard
        self.seen: dict[int, list[Onlooker]] = {}
        #: function -> who sees where its live calls are; the ones in `members` also when a call begins and ends
        self.seen_calls: dict[str, list[Onlooker]] = {}
        self.members: dict[str, list[Onlooker]] = {}
        #: lock variable -> who looks at whether it is held
        self.watched_locks: dict[int, str] = {}
        #: variables that hardware reads, and those that it writes
        self.hardware_reads: dict[int, str] = {}
        self.hardware_writes: dict[int, str] = {}
        #: variable -> processes that access it
        self.users: dict[int, set[int]] = {}
        #: pool -> processes that free objects of it
        self.freed: dict[int, set[int]] = {}
        self.racy = {v for v in may_race(program) if program.variables[v].guard is None}
        for claim in program.properties:
            self._see_claim(claim)
        for cover in program.covers:
            if cover.condition is not None:
                self._see(cover.condition, (f"cover `{cover.name}`", frozenset()))
        for number, process in enumerate(program.processes):
            for body in (process.body, process.interrupt):
                if body is not None:
                    self._see_body(number, process, body)

    def _see(self, expression: Expr, who: Onlooker) -> None:
        for part in inside(expression):
            match part:
                case Read(place=place):
                    for variable in variables_of(place, self.program):
                        self.seen.setdefault(variable, []).append(who)
                case Held(lock=lock, thread=thread) if not isinstance(thread, Current):
                    for variable in variables_of(lock, self.program):
                        self.watched_locks.setdefault(variable, who[0])
                case LiveQuantified(function=function):
                    self.seen_calls.setdefault(function, []).append(who)
                    if not _only_in_region(part, part.name):
                        self.members.setdefault(function, []).append(who)
                case _:
                    pass

    def _see_claim(self, claim: Property) -> None:
        name = f"property `{claim.name}`"
        condition, hidden = claim.condition, frozenset[int]()
        match condition:
            case Apply(op=Op.OR, arguments=(unless, body)):
                locks = _locks_of(unless)
                if locks is not None:
                    # What is only changed while one of these is held can't be seen half done.
                    condition, hidden = body, locks
            case _:
                pass
        self._see(condition, (name, hidden))
        for probe in claim.probes:
            self._see(probe.condition, (name, hidden))

    def _see_body(self, number: int, process: Process, body: Body) -> None:
        name = process.name
        for node in body.nodes:
            operation = node.operation
            match operation:
                case Load(place=place, order=order):
                    for variable in variables_of(place, self.program):
                        self.users.setdefault(variable, set()).add(number)
                        marked = order.marked or node.group is not None
                        if process.hardware:
                            self.hardware_reads.setdefault(variable, name)
                        elif self.may_read_without_guard(variable, marked=marked):
                            who = f"`{_text(node)}` ({name}) reads it without the lock"
                            self.seen.setdefault(variable, []).append((who, frozenset()))
                case Store(place=place) | Update(place=place):
                    for variable in variables_of(place, self.program):
                        self.users.setdefault(variable, set()).add(number)
                        if process.hardware:
                            self.hardware_writes.setdefault(variable, name)
                case Free(pool=pool):
                    self.freed.setdefault(pool, set()).add(number)
                case Acquire(lock=lock, target=target) if target is not None:
                    for variable in variables_of(lock, self.program):
                        self.watched_locks.setdefault(variable, f"`{_text(node)}` ({name}) tries it")
                case Await() | Choose():
                    who = f"`{_text(node)}` ({name}) looks at it"
                    for expression in expressions_in(operation):
                        self._see(expression, (who, frozenset()))
                    for place in _places_read(expressions_in(operation)):
                        for variable in variables_of(place, self.program):
                            self.users.setdefault(variable, set()).add(number)
                case GhostStore() | Branch() | Set() | Assertion():
                    for expression in expressions_in(operation):
                        self._see(expression, (f"ghost code in {name}", frozenset()))
                case _:
                    pass

    def may_read_without_guard(self, variable: int, *, marked: bool) -> bool:
        """Whether a read may stand outside the guard without being an error."""
        rule = self.program.variables[variable].guard
        if rule is None or rule.strict:
            return False
        return marked or not self.races_are_checked


def _locks_of(unless: Expr) -> frozenset[int] | None:
    """The locks of `held(A) or held(B)`; None if the condition is of another form."""
    match unless:
        case Held(lock=VariablePlace(variable=lock, indices=()), mode=mode, thread=None):
            return frozenset({lock}) if mode is not HeldMode.READ else None
        case Apply(op=Op.OR, arguments=arguments):
            found: set[int] = set()
            for argument in arguments:
                locks = _locks_of(argument)
                if locks is None:
                    return None
                found |= locks
            return frozenset(found)
        case _:
            return None


def _only_in_region(expression: Expr, call: str) -> bool:
    """Whether a claim about a live call looks at it only between two labels, or at one."""
    match expression:
        case LiveQuantified(body=body) | Quantified(body=body):
            return _only_in_region(body, call)
        case Apply(op=Op.IMPLIES | Op.AND, arguments=(first, *_)):
            return _only_in_region(first, call)
        case Apply(op=Op.OR, arguments=arguments):
            return all(_only_in_region(argument, call) for argument in arguments)
        case CallIn(call=name) | CallAt(call=name):
            return name == call
        case _:
            return False


def _needed(guard: Guard) -> Iterator[Guard]:
    """The guards that an access needs every one of."""
    if isinstance(guard, GuardBoth) and guard.every:
        for part in guard.parts:
            yield from _needed(part)
    else:
        yield guard


def _text(node: Node) -> str:
    return " ".join(node.span.text.split())[:60]


# ------------------------------------------------------------------------------ one body


class _Classifier:
    """Classifies the nodes of one body."""

    def __init__(self, facts: _Facts, number: int, process: Process, body: Body, *, handler: bool) -> None:
        self.facts = facts
        self.program = facts.program
        self.number = number
        self.process = process
        self.body = body
        self.calls = [
            call for call in facts.program.live_calls if call.process == number and call.interrupt is handler
        ]
        self.watched = self._watched_locals()
        self.handler_shares = self._shared_with_handler()
        self.held = surely_held(body)
        self.known = known_values(body, {bit for call in self.calls for bit in call.regions.values()})

    def classify(self) -> BodyMovers:
        """How each node moves."""
        movers: list[Mover] = []
        reasons: list[str] = []
        for number, node in enumerate(self.body.nodes):
            mover, reason = Mover.NONE, ""
            if isinstance(node.operation, VISIBLE):
                mover, reason = self._moves(number, node)
                if mover is not Mover.NONE:
                    event = self._event_behind(number)
                    if event:
                        mover, reason = Mover.NONE, event
            movers.append(mover)
            reasons.append(reason)
        stops = dict.fromkeys(self._loop_stops(movers), "a loop comes round here")
        for call in self.calls:
            for label, nodes in call.at.items():
                stops |= dict.fromkeys(nodes, f"a property names the label `{call.function}@{label}`")
        for number, node in enumerate(self.body.nodes):
            if isinstance(node.operation, Load | Store | Update) and any(
                variable in self.facts.racy for variable in variables_of(node.operation.place, self.program)
            ):
                stops[number] = "it may race, and races are looked for between steps"
        return BodyMovers(tuple(movers), tuple(reasons), stops, self._seen_before())

    # ---- single operations

    def _moves(self, number: int, node: Node) -> tuple[Mover, str]:
        if self.process.hardware:
            return Mover.NONE, "hardware is outside the guards"
        if self.handler_shares is None:
            return Mover.NONE, "the interrupt handler takes a lock of the main code"
        match node.operation:
            case Acquire(lock=lock) | Release(lock=lock):
                for variable in variables_of(lock, self.program):
                    if variable in self.facts.watched_locks:
                        return Mover.NONE, self.facts.watched_locks[variable]
                return (
                    (Mover.RIGHT if isinstance(node.operation, Acquire) else Mover.LEFT),
                    "",
                )
            case Load(place=place, order=order):
                marked = order.marked or node.group is not None
                return self._access(number, place, write=False, marked=marked)
            case Store(place=place, order=order) | Update(place=place, order=order):
                return self._access(number, place, write=True, marked=order.marked)
            case _:
                return Mover.NONE, "it is one of the steps that never merge"

    def _access(self, number: int, place: Place, *, write: bool, marked: bool) -> tuple[Mover, str]:
        for variable in variables_of(place, self.program):
            reason = self._conflict(number, variable, write=write, marked=marked)
            if reason:
                return Mover.NONE, reason
        return Mover.BOTH, ""

    def _conflict(self, number: int, variable: int, *, write: bool, marked: bool) -> str:
        """Who may do something that this access does not commute with; "" if nobody."""
        facts, declared = self.facts, self.program.variables[variable]
        name = declared.name
        assert self.handler_shares is not None
        if declared.pool is not None and self._is_freed_by_others(declared.pool):
            return f"somebody may free the object that `{name}` is part of"
        if variable in self.handler_shares:
            return f"`{name}` is shared with the interrupt handler"
        if variable in facts.hardware_writes:
            return f"hardware (`{facts.hardware_writes[variable]}`) writes `{name}`"
        if write and variable in facts.hardware_reads:
            return f"hardware (`{facts.hardware_reads[variable]}`) reads `{name}`"
        if write:
            under = self.held[number] | self._locks_needed(declared)
            for who, hidden in facts.seen.get(variable, ()):
                if not hidden & under:
                    return f"`{name}`: {who}"
        if self._private(variable):
            return ""
        if declared.guard is None:
            return f"`{name}` has no guard"
        if not self._guarded(declared, write=write):
            return f"the guard of `{name}` does not keep others out"
        if not write and not declared.guard.strict and facts.may_read_without_guard(variable, marked=marked):
            return f"`{name}` is read without its guard"
        return ""

    def _locks_needed(self, declared: Variable) -> frozenset[int]:
        """The locks that a write surely holds, since its guard would fail otherwise."""
        if declared.guard is None:
            return frozenset()
        return frozenset(
            guard.lock.variable
            for guard in _needed(declared.guard.write)
            if isinstance(guard, GuardHeld) and not guard.lock.indices
        )

    def _is_freed_by_others(self, pool: int) -> bool:
        """Whether an object may be freed by another thread (or handler), which takes no lock for it."""
        frees = self.facts.freed.get(pool, set())
        if frees == {self.number}:
            return self.process.interrupt is not None or not self._is_one_thread()
        return bool(frees)

    def _private(self, variable: int) -> bool:
        """Whether only one thread ever touches it."""
        return self.facts.users.get(variable, set()) == {self.number} and self._is_one_thread()

    def _is_one_thread(self) -> bool:
        return sum(thread.process == self.number for thread in self.program.threads) == 1

    def _guarded(self, declared: Variable, *, write: bool) -> bool:
        """Whether the guard, while it is kept, excludes every conflicting access of other threads."""
        rule = declared.guard
        assert rule is not None
        for writing in _needed(rule.write):
            match writing:
                case GuardHeld(lock=lock, mode=mode):
                    sort = self.program.variables[lock.variable].sort
                    assert isinstance(sort, LockSort)
                    if sort.flavour.shared and mode is not HeldMode.WRITE:
                        continue
                    if write or any(
                        isinstance(reading, GuardHeld) and reading.lock == lock
                        for reading in _needed(rule.read)
                    ):
                        return True
                case GuardOwner():
                    if write or any(isinstance(reading, GuardOwner) for reading in _needed(rule.read)):
                        return self._owner_is_one_thread()
                case _:
                    pass
        return False

    def _owner_is_one_thread(self) -> bool:
        """Whether at most one thread can have each value of the parameter that owns."""
        owners = [p for p in self.program.processes if p.parameters and not p.hardware]
        return len(owners) == 1 and len(owners[0].parameters) == 1

    def _shared_with_handler(self) -> set[int] | None:
        """The variables that both the main body and the handler access; None if they share a lock."""
        handler = self.process.interrupt
        if handler is None:
            return set()
        locks: list[set[int]] = []
        variables: list[set[int]] = []
        for body in (self.process.body, handler):
            taken: set[int] = set()
            touched: set[int] = set()
            for node in body.nodes:
                match node.operation:
                    case Acquire(lock=lock):
                        taken.update(variables_of(lock, self.program))
                    case Load(place=place) | Store(place=place) | Update(place=place):
                        touched.update(variables_of(place, self.program))
                    case operation:
                        for place in _places_read(expressions_in(operation)):
                            touched.update(variables_of(place, self.program))
            locks.append(taken)
            variables.append(touched)
        if locks[0] & locks[1]:
            return None
        return variables[0] & variables[1]

    # ---- what a property sees of a thread

    def _watched_locals(self) -> frozenset[int]:
        """The locals that some property reads, region bits included."""
        found: set[int] = set()
        for call in self.calls:
            found.update(call.regions.values())
            found.update(call.locals.values())
        return frozenset(found)

    def _event_behind(self, number: int) -> str:
        """What a property sees of the invisible operations behind a node, up to the next stop; "" if nothing."""
        stack = [(number, successor) for successor in self.body.nodes[number].successors]
        seen: set[int] = set()
        while stack:
            before, here = stack.pop()
            for call in self.calls:
                who = self._crosses(call, before, here)
                if who:
                    return f"{who} looks at calls of `{call.function}`"
            node = self.body.nodes[here]
            if here in seen or is_stop(node.operation):
                continue
            seen.add(here)
            who = self._event(here, node)
            if who:
                return f"{who} sees what `{_text(node)}` behind it does"
            stack.extend((here, successor) for successor in node.successors)
        return ""

    def _seen_before(self) -> frozenset[int]:
        """The visible operations that a step may begin with after something that a property sees."""
        found: set[int] = set()
        starts = [n for n, node in enumerate(self.body.nodes) if n == 0 or isinstance(node.operation, Choose)]
        stack = [(start, False) for start in starts]
        seen: set[tuple[int, bool]] = set()
        while stack:
            here, noticed = stack.pop()
            if (here, noticed) in seen:
                continue
            seen.add((here, noticed))
            node = self.body.nodes[here]
            if isinstance(node.operation, VISIBLE):
                if noticed:
                    found.add(here)
                continue
            noticed = noticed or bool(self._event(here, node))
            for successor in node.successors:
                crossed = any(self._crosses(call, here, successor) for call in self.calls)
                stack.append((successor, noticed or crossed))
        return frozenset(found)

    def _event(self, number: int, node: Node) -> str:
        """Who sees what an invisible operation changes; "" if nobody."""
        match node.operation:
            case GhostStore(place=place):
                for variable in variables_of(place, self.program):
                    who = self._onlooker(self.facts.seen.get(variable, ()), number)
                    if who:
                        return who
            case Set(target=target, value=value) if target in self.watched:
                if isinstance(value, Const) and self.known[number].get(target) == value.value:
                    return ""  # a region's bit that has this value already
                for call in self.calls:
                    if target in call.regions.values() or target in call.locals.values():
                        who = self._onlooker(self.facts.seen_calls.get(call.function, ()), number)
                        if who:
                            return who
            case _:
                pass
        return ""

    def _onlooker(self, onlookers: Iterable[Onlooker], number: int) -> str:
        """One who looks even though the locks are held that surely are at a node; "" if there is none."""
        return next((who for who, hidden in onlookers if not hidden & self.held[number]), "")

    def _crosses(self, call: LiveCall, before: int, here: int) -> str:
        """Who sees that control goes from one node to another: a call begins, ends, or comes to a label."""
        if (before in call.nodes) != (here in call.nodes):
            who = self._onlooker(self.facts.members.get(call.function, ()), here)
            if who:
                return who
        if any((before in nodes) != (here in nodes) for nodes in call.at.values()):
            return self._onlooker(self.facts.seen_calls.get(call.function, ()), here)
        return ""

    def _loop_stops(self, movers: list[Mover]) -> Iterator[int]:
        """A node on each cycle that could otherwise go round within one merged step."""
        state: dict[int, int] = {}
        stack: list[tuple[int, bool]] = [(0, False)]
        while stack:
            number, finished = stack.pop()
            if finished:
                state[number] = 2
                continue
            if number in state:
                continue
            state[number] = 1
            stack.append((number, True))
            for successor in self.body.nodes[number].successors:
                if self._always_stops(successor, movers):
                    continue
                if state.get(successor) == 1:
                    yield from self._first_stops(successor)
                elif successor not in state:
                    stack.append((successor, False))

    def _always_stops(self, number: int, movers: list[Mover]) -> bool:
        """Whether a step that comes round to this node again ends there anyway."""
        operation = self.body.nodes[number].operation
        if isinstance(operation, VISIBLE):
            return movers[number] in (Mover.NONE, Mover.RIGHT)
        return isinstance(operation, Choose)

    def _first_stops(self, number: int) -> Iterator[int]:
        """The first visible operations or choices at or behind a node."""
        stack, seen = [number], set()
        while stack:
            here = stack.pop()
            if here in seen:
                continue
            seen.add(here)
            if is_stop(self.body.nodes[here].operation):
                yield here
            else:
                stack.extend(self.body.nodes[here].successors)


def surely_held(body: Body) -> tuple[frozenset[int], ...]:
    """For each node, the scalar locks that its thread holds exclusively whenever it comes there."""
    held: list[frozenset[int] | None] = [None] * len(body.nodes)
    held[0] = frozenset()
    waiting = [0]
    while waiting:
        number = waiting.pop()
        node = body.nodes[number]
        now = held[number]
        assert now is not None
        match node.operation:
            case Acquire(lock=VariablePlace(variable=lock, indices=()), shared=False, target=None):
                now = now | {lock}
            case Release(lock=VariablePlace(variable=lock, indices=())):
                now = now - {lock}
            case Release():
                now = frozenset()
            case _:
                pass
        for successor in node.successors:
            known = held[successor]
            joined = now if known is None else known & now
            if joined != known:
                held[successor] = joined
                waiting.append(successor)
    return tuple(locks or frozenset() for locks in held)


def known_values(body: Body, locals_: set[int]) -> tuple[Mapping[int, Value], ...]:
    """For each node, those of the locals that have one constant value whenever a thread comes there."""
    known: list[dict[int, Value] | None] = [None] * len(body.nodes)
    known[0] = {}
    waiting = [0]
    while waiting:
        number = waiting.pop()
        node = body.nodes[number]
        now = dict(known[number] or {})
        match node.operation:
            case Set(target=target, value=Const(value=value)) if target in locals_:
                now[target] = value
            case Set(target=target) if target in locals_:
                now.pop(target, None)
            case _:
                pass
        for successor in node.successors:
            before = known[successor]
            joined = now if before is None else {k: v for k, v in before.items() if k in now and now[k] == v}
            if before is None or joined != before:
                known[successor] = joined
                waiting.append(successor)
    return tuple(values or {} for values in known)
