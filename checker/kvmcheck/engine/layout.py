# SPDX-License-Identifier: GPL-2.0-only
"""How a state is packed: a flat tuple, one slot for each element of a variable and for each thread its
location, irq depth and those locals that some stop keeps.

Other locals never outlive a step: the compiled code holds them in Python variables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kvmcheck.engine.reductions import Reductions
from kvmcheck.engine.walking import every_expression
from kvmcheck.semantics.liveness import Liveness, is_stop
from kvmcheck.semantics.numbering import SeqNumbering, element_count
from kvmcheck.semantics.pointers import contains, is_pointer, is_seq, replace_parts, staled
from kvmcheck.semantics.program import Apply, Body, CallLocal, Const, Expr, Irq, Op, Program
from kvmcheck.semantics.sorts import UNSET, IntSort, LockSort, SeqSort, Sort, Value, member_count
from kvmcheck.semantics.state import State, ThreadState
from kvmcheck.source.text import Span

Packed = tuple[Value, ...]

_COUNT = IntSort(0, 1_000_000)


@dataclass(frozen=True, slots=True)
class BodyLayout:
    """A body's slots, counted from its thread's first one: its location and the locals that are kept.

    Locals of one sort that no stop keeps together may share a slot: `occupants`, for each slot behind `pc`.
    """

    body: Body
    pc: int
    locals: dict[int, int]
    occupants: tuple[tuple[int, ...], ...]
    kept: tuple[frozenset[int], ...]
    live: tuple[frozenset[int], ...]


@dataclass(frozen=True, slots=True)
class ProcessLayout:
    """A process's slots, counted from its thread's first one; `irq` None: interrupts are never disabled."""

    main: BodyLayout
    handler: BodyLayout | None
    irq: int | None
    size: int


def _shared_slots(body: Body, kept: tuple[frozenset[int], ...], named: frozenset[int]) -> list[list[int]]:
    """The locals that some stop keeps, those together that may share a slot; `named` ones share with nobody.

    Greedy colouring: good enough, since most of them are hidden temporaries that live for one step or two.
    """
    stops = [kept[n] for n, node in enumerate(body.nodes) if n == 0 or is_stop(node.operation)]
    beside: dict[int, set[int]] = {local: set() for together in stops for local in together}
    for together in set(stops):
        for local in together:
            beside[local] |= together
    slots: list[list[int]] = []
    for local in sorted(beside):
        for slot in slots:
            fits = body.locals[slot[0]].sort == body.locals[local].sort and slot[0] not in named
            if fits and local not in named and not beside[local] & set(slot):
                slot.append(local)
                break
        else:
            slots.append([local])
    return slots


def _body_layout(body: Body, first: int, named: frozenset[int], *, dead_locals: bool) -> BodyLayout:
    everything = (frozenset(range(len(body.locals))),) * len(body.nodes)
    liveness = Liveness(body)
    kept = liveness.kept if dead_locals else everything
    slots = _shared_slots(body, kept, named)
    return BodyLayout(
        body,
        first,
        {local: first + 1 + nth for nth, slot in enumerate(slots) for local in slot},
        tuple(tuple(slot) for slot in slots),
        kept,
        liveness.live if dead_locals else everything,
    )


def _named_locals(program: Program, process: int, *, interrupt: bool) -> frozenset[int]:
    """The locals of a body that a property may read: what stands in their slots must be theirs."""
    names = {
        expression.local for expression in every_expression(program) if isinstance(expression, CallLocal)
    }
    found: set[int] = set()
    for call in program.live_calls:
        if call.process == process and call.interrupt == interrupt:
            found |= {local for name, local in call.locals.items() if name in names}
            found |= set(call.regions.values())
    return frozenset(found)


def _process_layout(program: Program, number: int, *, dead_locals: bool) -> ProcessLayout:
    process = program.processes[number]
    named = _named_locals(program, number, interrupt=False)
    main = _body_layout(process.body, 0, named, dead_locals=dead_locals)
    size = 1 + len(main.occupants)
    handler = None
    if process.interrupt is not None:
        named = _named_locals(program, number, interrupt=True)
        handler = _body_layout(process.interrupt, size, named, dead_locals=dead_locals)
        size += 1 + len(handler.occupants)
    bodies = (process.body, *(() if process.interrupt is None else (process.interrupt,)))
    masks = any(isinstance(node.operation, Irq) for body in bodies for node in body.nodes)
    irq = size if masks else None
    return ProcessLayout(main, handler, irq, size + masks)


class Layout:
    """The slots of a program's states, and how states are packed into them and back."""

    def __init__(self, program: Program, reductions: Reductions) -> None:
        self.program = program
        self.reductions = reductions
        self.numbering = SeqNumbering(program)
        self.first: list[int] = []
        self.strides: list[tuple[int, ...]] = []
        self.sorts: list[Sort] = []
        for variable in program.variables:
            self.first.append(len(self.sorts))
            self.sorts += [variable.sort] * element_count(variable)
            strides: list[int] = []
            each = 1
            for dimension in reversed(variable.dimensions):
                strides.append(each)
                each *= member_count(dimension)
            self.strides.append(tuple(reversed(strides)))
        self.processes = [
            _process_layout(program, number, dead_locals=reductions.dead_locals)
            for number in range(len(program.processes))
        ]
        self.base: list[int] = []
        for thread in program.threads:
            self.base.append(len(self.sorts))
            self.sorts += self._thread_sorts(self.processes[thread.process])
        # A seq literal, and a seq field that zalloc resets, hold the number 0: which class that is now must be
        # known, so the number 0 is kept like any copy.
        self.zero: int | None = None
        if self.abstracts and self.numbering.homes == 1 and uses_zero(program):
            self.zero = len(self.sorts)
            self.sorts.append(SeqSort())
        self.homes = [
            self.first[variable] + element
            for variable in self.numbering.first_home
            for element in range(element_count(program.variables[variable]))
        ]
        self.lock_slots = [slot for slot, sort in enumerate(self.sorts) if isinstance(sort, LockSort)]
        self.canonical = self._canonicalizer()

    @property
    def abstracts(self) -> bool:
        """Whether seqs are kept as classes, not as numbers."""
        return self.reductions.seq and self.numbering.homes > 0

    def _thread_sorts(self, layout: ProcessLayout) -> list[Sort]:
        sorts: list[Sort] = [_COUNT] * layout.size
        for part in (layout.main, layout.handler):
            if part is not None:
                for local, slot in part.locals.items():
                    sorts[slot] = part.body.locals[local].sort
        return sorts

    # ------------------------------------------------------------------ packing

    def pack(self, state: State) -> Packed:
        """The state as a flat tuple, its seqs as classes."""
        flat: list[Value] = []
        for values in state.values:
            flat += values
        for thread, own in zip(self.program.threads, state.threads, strict=True):
            layout = self.processes[thread.process]
            flat.append(own.pc)
            flat += _slot_values(layout.main, own.locals)
            if layout.handler is not None:
                flat.append(own.handler_pc)
                if own.handler_pc is None:
                    flat += [UNSET] * len(layout.handler.occupants)
                else:
                    flat += _slot_values(layout.handler, own.handler_locals)
            if layout.irq is not None:
                flat.append(own.irq_depth)
        if self.zero is not None:
            flat.append(0)
        self.canonical(flat)
        return tuple(flat)

    def unpack(self, packed: Packed) -> State:
        """A state that packs to this (its seqs' numbers are made up)."""
        values = tuple(
            packed[first : first + element_count(variable)]
            for first, variable in zip(self.first, self.program.variables, strict=True)
        )
        threads: list[ThreadState] = []
        for thread, base in zip(self.program.threads, self.base, strict=True):
            layout = self.processes[thread.process]
            handler_pc: Value = None
            handler_locals: tuple[Value, ...] = ()
            if layout.handler is not None:
                handler_pc = packed[base + layout.handler.pc]
                if handler_pc is not None:
                    handler_locals = _locals(packed, base, layout.handler, handler_pc)
            pc = packed[base]
            depth = 0 if layout.irq is None else packed[base + layout.irq]
            assert isinstance(pc, int)
            assert isinstance(depth, int)
            assert handler_pc is None or isinstance(handler_pc, int)
            threads.append(
                ThreadState(pc, _locals(packed, base, layout.main, pc), handler_pc, handler_locals, depth)
            )
        return State(values, tuple(threads))

    def name(self, slot: int) -> str:
        """A variable's element as a person writes it; only for slots of variables."""
        for variable, first, strides in zip(self.program.variables, self.first, self.strides, strict=True):
            if first <= slot < first + element_count(variable):
                left = slot - first
                indices = []
                for stride in strides:
                    indices.append(f"[{left // stride}]")
                    left %= stride
                return variable.name + "".join(indices)
        raise ValueError(slot)

    # ------------------------------------------------------------------ pointers

    def staling(self, pool: int) -> Callable[[list[Value], int], None]:
        """A function that makes every pointer to an object of the pool, in any slot, stale."""
        name = self.program.pools[pool].name
        plain: list[int] = []
        compound: list[tuple[int, Sort]] = []
        for slot, sort in enumerate(self.sorts):
            if contains(sort, is_pointer):
                if is_pointer(sort) and getattr(sort, "object", None) == name:
                    plain.append(slot)
                elif not (is_pointer(sort) and hasattr(sort, "object")):
                    compound.append((slot, sort))
        roots, variables = self.program.roots, self.program.variables

        def stale(state: list[Value], number: int) -> None:
            for slot in plain:
                if state[slot] == number:
                    state[slot] = ~number
            for slot, sort in compound:
                state[slot] = staled(sort, state[slot], (name, number), roots, variables)

        return stale

    # ------------------------------------------------------------------ seqs

    def _canonicalizer(self) -> Callable[[list[Value]], None]:
        """A function that replaces the numbers of seqs by classes (semantics.md, 4), in place."""
        if not self.abstracts:
            return lambda _: None
        homes = self.homes
        stride = self.numbering.stride
        copies = [slot for slot, sort in enumerate(self.sorts) if slot not in homes and is_seq(sort)]
        compound = [
            (slot, sort)
            for slot, sort in enumerate(self.sorts)
            if not is_seq(sort) and contains(sort, is_seq)
        ]
        collapsed = not self.program.seq_compared
        if len(homes) == 1 and collapsed and not compound:
            home = homes[0]

            def two_classes(state: list[Value]) -> None:
                newest = state[home]
                for slot in copies:
                    value = state[slot]
                    if value.__class__ is int:
                        state[slot] = 0 if value == newest else 1
                state[home] = 0

            return two_classes

        def renumber(state: list[Value]) -> None:
            classes: dict[int, int] = {}
            following = [1] * (len(homes) + 1)
            for number, slot in enumerate(homes):
                newest = state[slot]
                assert isinstance(newest, int)
                classes[newest] = number if stride > 1 else 0
            known = dict(classes)

            def class_of(value: int) -> int:
                if value not in known:
                    home = value % stride
                    if stride > 1 and home == stride - 1:
                        return value
                    known[value] = following[home] * stride + home
                    if not collapsed:
                        following[home] += 1
                return known[value]

            def part(sort: Sort, item: Value) -> Value:
                return class_of(item) if is_seq(sort) and isinstance(item, int) else item

            for slot in copies:
                value = state[slot]
                if isinstance(value, int):
                    state[slot] = class_of(value)
            for slot, sort in compound:
                state[slot] = replace_parts(sort, state[slot], part)
            for number, slot in enumerate(homes):
                state[slot] = number if stride > 1 else 0

        return renumber


def _slot_values(layout: BodyLayout, values: tuple[Value, ...]) -> list[Value]:
    """What stands in each slot: the value of the one occupant that holds any."""
    found: list[Value] = []
    for occupants in layout.occupants:
        held = [values[local] for local in occupants if values[local] != UNSET]
        found.append(held[0] if held else UNSET)
    return found


def _locals(packed: Packed, base: int, layout: BodyLayout, pc: Value) -> tuple[Value, ...]:
    """The locals at a location: those kept there, as their slots say."""
    assert isinstance(pc, int)
    kept = layout.kept[pc]
    return tuple(
        packed[base + layout.locals[local]] if local in kept and local in layout.locals else UNSET
        for local in range(len(layout.body.locals))
    )


def uses_zero(program: Program) -> bool:
    """Whether a seq's number 0 can turn up after the start: in a literal, or in a field that is reset."""
    if any(
        contains(program.variables[field].sort, is_seq) for pool in program.pools for field in pool.fields
    ):
        return True
    return any(
        isinstance(expression, Const) and contains(expression.sort, is_seq)
        for expression in every_expression(program)
    )


def span_of(expression: Expr, default: Span) -> Span:
    """Where an operator stands."""
    return expression.span if isinstance(expression, Apply) and expression.span is not None else default


def is_dereference(expression: Expr) -> bool:
    """Whether an expression is an object's position, checked to be alive."""
    return isinstance(expression, Apply) and expression.op is Op.OBJECT
