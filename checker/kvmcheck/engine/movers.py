# SPDX-License-Identifier: GPL-2.0-only
"""Which operations commute with what other threads do: the facts that merging steps stands on (Lipton 1975).

A merged step is right movers, then at most one operation that does not commute, then left movers.  Taking a lock
is a right mover, dropping it a left mover, and an access to data that its guard keeps from everybody else commutes
both ways.  An operation that a lock-free reader or the hardware can see does not commute.  Properties and covers
only look: for each of them by itself the step must be such a sequence, where what it sees does not commute.  The
argument and the conditions are in docs/explain/reductions/merging.md; guards are checked at every operation of a
merged step, so that what is assumed here is itself checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from kvmcheck.engine.conflicts import Accesses, needed, surely_held, text_of
from kvmcheck.engine.races import may_race, variables_of
from kvmcheck.engine.walking import inside
from kvmcheck.semantics.liveness import expressions_in, is_stop
from kvmcheck.semantics.program import (
    VISIBLE,
    Acquire,
    Apply,
    Assertion,
    AtomicEnter,
    Await,
    Body,
    Branch,
    CallAt,
    CallIn,
    Choose,
    Const,
    Current,
    End,
    Expr,
    GhostStore,
    GuardHeld,
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
from kvmcheck.semantics.sorts import Value

#: The bit of code, hardware and ghosts in a set of claims: they see, and do something with what they see.
CODE = 1


class Mover(Enum):
    """How an operation commutes with those of other threads."""

    RIGHT = "right"
    LEFT = "left"
    BOTH = "both"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class BodyMovers:
    """For each node of a body how it moves among what other threads do, and which claims see it.

    A claim is a property or cover; a set of claims is an int, one bit a claim, and `CODE` for whatever else looks.
    `seen`: the claims that see the operation, or something invisible behind it.  `seen_before`: who sees what
    choices or entry change before an operation with which a step may begin.  `stops`: nodes before which a step
    always ends, whatever they commute with, and why.  `reasons`: why a node does not move; `sights`: what each
    claim sees of it.
    """

    movers: tuple[Mover, ...]
    seen: tuple[int, ...]
    seen_before: Mapping[int, int]
    stops: Mapping[int, str]
    reasons: tuple[str, ...]
    sights: tuple[Mapping[int, str], ...]


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


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Somebody who sees a variable or a live call without holding its guard.

    `claim`: the bit of a property or cover, which changes nothing by looking, or `CODE`.
    `hidden`: the locks under which it does not look (`unless held(L)`).
    """

    who: str
    claim: int = CODE
    hidden: frozenset[int] = frozenset()


class _Facts:
    """Who looks at what without a lock: properties, ghosts, waiting conditions, marked reads, hardware."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.accesses = Accesses(program)
        #: variable -> who sees it without holding its guard
        self.seen: dict[int, list[Onlooker]] = {}
        #: function -> who sees where its live calls are; the ones in `members` also when a call begins and ends
        self.seen_calls: dict[str, list[Onlooker]] = {}
        self.members: dict[str, list[Onlooker]] = {}
        #: lock variable -> who looks at whether it is held
        self.watched_locks: dict[int, list[Onlooker]] = {}
        #: variables that hardware reads, and those that it writes
        self.hardware_reads: dict[int, str] = {}
        self.hardware_writes: dict[int, str] = {}
        #: ghost variable -> locks that whoever stores it holds
        self.ghost_locks: dict[int, frozenset[int]] = {}
        self.racy = {v for v in may_race(program) if program.variables[v].guard is None}
        for number, claim in enumerate(program.properties):
            self._see_claim(claim, CODE << 1 + number)
        for number, cover in enumerate(program.covers, len(program.properties)):
            if cover.condition is not None:
                self._see(cover.condition, Onlooker(f"cover `{cover.name}`", CODE << 1 + number))
        for process in program.processes:
            for body in (process.body, process.interrupt):
                if body is not None:
                    self._see_body(process, body)

    def _see(self, expression: Expr, who: Onlooker) -> None:
        for part in inside(expression):
            match part:
                case Read(place=place):
                    for variable in variables_of(place, self.program):
                        self.seen.setdefault(variable, []).append(who)
                case Held(lock=lock, thread=thread) if not isinstance(thread, Current):
                    for variable in variables_of(lock, self.program):
                        self.watched_locks.setdefault(variable, []).append(who)
                case LiveQuantified(function=function):
                    self.seen_calls.setdefault(function, []).append(who)
                    if not _only_in_region(part, part.name):
                        self.members.setdefault(function, []).append(who)
                case _:
                    pass

    def bounds_of(self, variable: int) -> int:
        """The claim that a variable stays within its bounds."""
        return CODE << 1 + len(self.program.properties) + len(self.program.covers) + variable

    def _see_claim(self, claim: Property, bit: int) -> None:
        condition, hidden = claim.condition, frozenset[int]()
        match condition:
            case Apply(op=Op.OR, arguments=(unless, body)):
                locks = _locks_of(unless)
                if locks is not None:
                    # What is only changed while one of these is held can't be seen half done.
                    condition, hidden = body, locks
            case _:
                pass
        who = Onlooker(f"property `{claim.name}`", bit, hidden)
        self._see(condition, who)
        for probe in claim.probes:
            self._see(probe.condition, who)

    def _see_body(self, process: Process, body: Body) -> None:
        name = process.name
        held = tuple(locks.exclusive for locks in surely_held(body))
        for position, node in enumerate(body.nodes):
            operation = node.operation
            match operation:
                case Load(place=place) if process.hardware:
                    for variable in variables_of(place, self.program):
                        self.hardware_reads.setdefault(variable, name)
                case Store(place=place) | Update(place=place) if process.hardware:
                    for variable in variables_of(place, self.program):
                        self.hardware_writes.setdefault(variable, name)
                case Acquire(lock=lock, target=target) if target is not None:
                    for variable in variables_of(lock, self.program):
                        tries = Onlooker(f"`{text_of(node)}` ({name}) tries it")
                        self.watched_locks.setdefault(variable, []).append(tries)
                case Await() | Choose():
                    who = f"`{text_of(node)}` ({name}) looks at it"
                    for expression in expressions_in(operation):
                        self._see(expression, Onlooker(who))
                case GhostStore() | Branch() | Set() | Assertion():
                    if isinstance(operation, GhostStore):
                        for variable in variables_of(operation.place, self.program):
                            known = self.ghost_locks.get(variable, held[position])
                            self.ghost_locks[variable] = known & held[position]
                    for expression in expressions_in(operation):
                        self._see(expression, Onlooker(f"ghost code in {name}"))
                case _:
                    pass


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


def _union(sight: Mapping[int, str]) -> int:
    """The claims that see something."""
    claims = 0
    for claim in sight:
        claims |= claim
    return claims


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
        self.held = tuple(locks.exclusive for locks in surely_held(body))
        self.known = known_values(body, {bit for call in self.calls for bit in call.regions.values()})

    def classify(self) -> BodyMovers:
        """How each node moves."""
        movers: list[Mover] = []
        reasons: list[str] = []
        sights: list[Mapping[int, str]] = []
        for number, node in enumerate(self.body.nodes):
            mover, reason, sight = Mover.NONE, "", dict[int, str]()
            if isinstance(node.operation, VISIBLE):
                mover, reason = self._moves(number, node)
                if mover is not Mover.NONE:
                    sight = self._sights_of(number, node) | self._sights_behind(number)
                    if CODE in sight:
                        mover, reason = Mover.NONE, sight[CODE]
            movers.append(mover)
            reasons.append(reason)
            sights.append(sight)
        stops = dict.fromkeys(self._loop_stops(movers), "a loop comes round here")
        for call in self.calls:
            for label, nodes in call.at.items():
                stops |= dict.fromkeys(nodes, f"a property names the label `{call.function}@{label}`")
        blocks = {
            node.operation.group: number
            for number, node in enumerate(self.body.nodes)
            if isinstance(node.operation, AtomicEnter)
        }
        for number, node in enumerate(self.body.nodes):
            if isinstance(node.operation, Load | Store | Update) and any(
                variable in self.facts.racy for variable in variables_of(node.operation.place, self.program)
            ):
                first = number if node.group is None else blocks[node.group]
                stops[first] = "it may race, and races are looked for between steps"
        return BodyMovers(
            tuple(movers),
            tuple(_union(sight) for sight in sights),
            self._seen_before(),
            stops,
            tuple(reasons),
            tuple(sights),
        )

    # ---- single operations

    def _moves(self, number: int, node: Node) -> tuple[Mover, str]:
        if self.process.hardware:
            return Mover.NONE, "hardware is outside the guards"
        if self.handler_shares is None:
            return Mover.NONE, "the interrupt handler takes a lock of the main code"
        if self.process.interrupt is not None and self._may_end_behind(number):
            return Mover.NONE, "the process ends behind it, and with it its interrupt handler"
        match node.operation:
            case Acquire():
                return Mover.RIGHT, ""
            case Release():
                return Mover.LEFT, ""
            case Load(place=place):
                return self._access(number, place, write=False)
            case Store(place=place) | Update(place=place):
                return self._access(number, place, write=True)
            case _:
                return Mover.NONE, "it is one of the steps that never merge"

    def _access(self, number: int, place: Place, *, write: bool) -> tuple[Mover, str]:
        for variable in variables_of(place, self.program):
            reason = self._met_anywhere(variable, write=write)
            if reason:
                return Mover.NONE, reason
        reason = self.facts.accesses.conflict(self.body, number)
        return (Mover.NONE, reason) if reason else (Mover.BOTH, "")

    def _met_anywhere(self, variable: int, *, write: bool) -> str:
        """Who touches a variable whatever locks are held; "" if nobody."""
        facts, declared = self.facts, self.program.variables[variable]
        name = declared.name
        assert self.handler_shares is not None
        if variable in self.handler_shares:
            return f"`{name}` is shared with the interrupt handler"
        if variable in facts.hardware_writes:
            return f"hardware (`{facts.hardware_writes[variable]}`) writes `{name}`"
        if write and variable in facts.hardware_reads:
            return f"hardware (`{facts.hardware_reads[variable]}`) reads `{name}`"
        return ""

    def _locks_needed(self, declared: Variable) -> frozenset[int]:
        """The locks that a write surely holds, since its guard would fail otherwise."""
        if declared.guard is None:
            return frozenset()
        return frozenset(
            guard.lock.variable
            for guard in needed(declared.guard.write)
            if isinstance(guard, GuardHeld) and not guard.lock.indices
        )

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

    def _may_end_behind(self, number: int) -> bool:
        """Whether the body may end behind a node without another visible operation or choice."""
        waiting, seen = list(self.body.nodes[number].successors), set[int]()
        while waiting:
            here = waiting.pop()
            node = self.body.nodes[here]
            if isinstance(node.operation, End):
                return True
            if here not in seen and not is_stop(node.operation):
                seen.add(here)
                waiting += node.successors
        return False

    def _sights_of(self, number: int, node: Node) -> dict[int, str]:
        """Who sees what an operation writes, by the bit of their claim."""
        match node.operation:
            case Store(place=place) | Update(place=place):
                onlookers, under = self.facts.seen, self.held[number]
            case Acquire(lock=place) | Release(lock=place):
                onlookers, under = self.facts.watched_locks, frozenset[int]()
            case _:
                return {}
        found: dict[int, str] = {}
        for variable in variables_of(place, self.program):
            declared = self.program.variables[variable]
            for onlooker in onlookers.get(variable, ()):
                if not onlooker.hidden & (under | self._locks_needed(declared)):
                    found.setdefault(onlooker.claim, f"`{declared.name}`: {onlooker.who}")
        for variable in self.facts.accesses.counted(self.body, number):
            name = self.program.variables[variable].name
            found[self.facts.bounds_of(variable)] = f"`{name}` is counted, and has bounds"
        return found

    def _sights_behind(self, number: int) -> dict[int, str]:
        """Who sees what of the invisible operations behind a node, up to the next stop."""
        found: dict[int, str] = {}
        stack = [(number, successor) for successor in self.body.nodes[number].successors]
        seen: set[int] = set()
        while stack:
            before, here = stack.pop()
            for call in self.calls:
                for onlooker in self._crossing(call, before, here):
                    found.setdefault(onlooker.claim, f"{onlooker.who} looks at calls of `{call.function}`")
            node = self.body.nodes[here]
            if here in seen or is_stop(node.operation):
                continue
            seen.add(here)
            for onlooker in self._onlookers_of(here, node):
                found.setdefault(onlooker.claim, f"{onlooker.who} sees what `{text_of(node)}` behind it does")
            stack.extend((here, successor) for successor in node.successors)
        return found

    def _seen_before(self) -> dict[int, int]:
        """The claims that see something change before the operation that a step begins with."""
        found: dict[int, int] = {}
        starts = [n for n, node in enumerate(self.body.nodes) if n == 0 or isinstance(node.operation, Choose)]
        stack = [(start, 0) for start in starts]
        seen: set[tuple[int, int]] = set()
        while stack:
            here, claims = stack.pop()
            if (here, claims) in seen:
                continue
            seen.add((here, claims))
            node = self.body.nodes[here]
            if isinstance(node.operation, VISIBLE):
                if claims:
                    found[here] = found.get(here, 0) | claims
                continue
            for onlooker in self._onlookers_of(here, node):
                claims |= onlooker.claim
            for successor in node.successors:
                crossed = claims
                for call in self.calls:
                    for onlooker in self._crossing(call, here, successor):
                        crossed |= onlooker.claim
                stack.append((successor, crossed))
        return found

    def _onlookers_of(self, number: int, node: Node) -> Iterator[Onlooker]:
        """Who sees what an invisible operation changes."""
        match node.operation:
            case GhostStore(place=place):
                for variable in variables_of(place, self.program):
                    together = self.facts.ghost_locks[variable]
                    yield from self._looking(self.facts.seen.get(variable, ()), self.held[number] & together)
            case Set(target=target, value=value) if target in self.watched:
                if isinstance(value, Const) and self.known[number].get(target) == value.value:
                    return  # a region's bit that has this value already
                for call in self.calls:
                    if target in call.regions.values():
                        onlookers = self.facts.seen_calls
                    elif target in call.locals.values():
                        outside = self._is_outside_regions(call, number)
                        onlookers = self.facts.members if outside else self.facts.seen_calls
                    else:
                        continue
                    yield from self._looking(onlookers.get(call.function, ()), self.held[number])
            case _:
                pass

    def _is_outside_regions(self, call: LiveCall, number: int) -> bool:
        """Whether a call surely is between no two labels that a claim names."""
        return all(self.known[number].get(bit) == 0 for bit in call.regions.values())

    def _looking(self, onlookers: Iterable[Onlooker], held: frozenset[int]) -> Iterator[Onlooker]:
        """Those who look even though these locks are held."""
        return (onlooker for onlooker in onlookers if not onlooker.hidden & held)

    def _crossing(self, call: LiveCall, before: int, here: int) -> Iterator[Onlooker]:
        """Who sees that control goes from one node to another: a call begins, ends, or comes to a label."""
        if (before in call.nodes) != (here in call.nodes):
            yield from self._looking(self.facts.members.get(call.function, ()), self.held[here])
        if any((before in nodes) != (here in nodes) for nodes in call.at.values()):
            yield from self._looking(self.facts.seen_calls.get(call.function, ()), self.held[here])

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


def known_values(body: Body, bits: set[int]) -> tuple[Mapping[int, Value], ...]:
    """For each node, those of the regions' bits that have one constant value whenever a thread comes there.

    A bit that is not set yet is as good as 0: what counts is whether it is 1.
    """
    known: list[dict[int, Value] | None] = [None] * len(body.nodes)
    known[0] = dict.fromkeys(bits, 0)
    waiting = [0]
    while waiting:
        number = waiting.pop()
        node = body.nodes[number]
        now = dict(known[number] or {})
        match node.operation:
            case Set(target=target, value=Const(value=value)) if target in bits:
                now[target] = value
            case Set(target=target) if target in bits:
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
