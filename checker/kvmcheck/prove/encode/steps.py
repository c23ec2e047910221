# SPDX-License-Identifier: GPL-2.0-only
"""The steps of one body of one thread: its graph run symbolically, from each place between two steps.

Ways that come together at a node are one way from there, so the size of what comes out grows with the graph and not
with its paths.  A step is what `engine.shape` says; what an operation does is `semantics.evaluate`, for all states at
once.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import replace

from kvmcheck.engine.shape import FRESH, Context
from kvmcheck.prove.encode.cells import Bits, Cells
from kvmcheck.prove.encode.circuit import FALSE, TRUE, Circuit, Literal
from kvmcheck.prove.encode.operations import Operations, Runner
from kvmcheck.prove.encode.path import Path, Stepped, merged
from kvmcheck.prove.encode.scene import LocalValue
from kvmcheck.prove.encode.terms import Term
from kvmcheck.prove.encode.values import CannotCarry
from kvmcheck.prove.encode.vectors import Vector
from kvmcheck.semantics.program import VISIBLE, AtomicEnter, Branch, Check, End
from kvmcheck.source.text import Span

#: A step that comes to one node more often than this is cut short; where that can happen the answer is UNKNOWN.
MOST_ROUNDS = 64

#: Whether a formula over any state can be true; asked where a step goes round a loop.
Possible = Callable[[Literal], bool]


class BodySteps:
    """All steps of a thread's main body, or of its handler."""

    def __init__(self, runner: Runner, racy: frozenset[int], possible: Possible) -> None:
        self.circuit: Circuit = runner.expressions.circuit
        self.vectors = runner.expressions.vectors
        self.cells: Cells = runner.cells
        self.thread = runner.thread
        self.part = runner.part
        self.handler = runner.handler
        self.possible = possible
        self.body = runner.part.layout.body
        self.result = Stepped()
        self.operations = Operations(runner, racy)

    # ------------------------------------------------------------------ where steps begin

    def run(self) -> Stepped:
        """The steps from every place."""
        base = self.cells.state
        for stop in self.part.shape.stops:
            here = self.cells.at(self.part, frozenset({stop}), base)
            if not self.handler:
                handler = self.cells.handlers[self.thread]
                if handler is not None:
                    here = self.circuit.both(here, self.cells.idle(handler, base))
            locals_: dict[int, LocalValue] = {}
            for local in self.part.layout.kept[stop]:
                slot = self.part.slot(local)
                if slot is not None:
                    bits = base[slot]
                    sort = self.body.locals[local].sort
                    held = TRUE if local in self.part.assigned[stop] else bits[-1]
                    locals_[local] = (held, Term(sort, bits[: self.cells.cells[slot].width]))
            self._from(stop, Path(here, locals_), waits=True)
        if self.handler:
            self._from(0, Path(self._entry(base), {}), waits=False)
        return self.result

    def _entry(self, base: Bits) -> Literal:
        """Where the handler may begin: it does not run, interrupts are enabled, the main body has not ended."""
        circuit = self.circuit
        main = self.cells.mains[self.thread]
        ends = frozenset(
            number for number, node in enumerate(main.layout.body.nodes) if isinstance(node.operation, End)
        )
        enabled = TRUE
        irq = self.operations.locking.irq_slot()
        if irq is not None:
            enabled = circuit.every(bit ^ 1 for bit in base[irq])
        ended = self.cells.at(main, ends, base)
        return circuit.every((self.cells.idle(self.part, base), enabled, ended ^ 1))

    # ------------------------------------------------------------------ one step

    def _from(self, stop: int, start: Path, *, waits: bool) -> None:
        """The step that begins at a node, in every way that it can go."""
        if start.guard == FALSE:
            return
        operations = self.operations
        operations.begin(start.guard)
        ranks = self._ranks(stop)
        first: Context = (stop, FRESH, None)
        met: dict[Context, Path] = {first: start}
        waiting = [(ranks[first], first)]
        rounds: dict[Context, int] = {}
        while waiting:
            _, context = heapq.heappop(waiting)
            path = met.pop(context, None)
            if path is None or path.guard == FALSE:
                continue
            rounds[context] = rounds.get(context, 0) + 1
            if rounds[context] > 1:
                if not self.possible(path.guard):
                    continue
                if rounds[context] > MOST_ROUNDS:
                    operations.fault(
                        path, TRUE, Check.NO_OUT_OF_BOUNDS, self._span(context[0]), overflow=True
                    )
                    continue
            for following, further in self._advance(context, path):
                known = met.get(following)
                if known is None:
                    met[following] = further
                    heapq.heappush(waiting, (ranks[following], following))
                else:
                    met[following] = merged(self.circuit, self.vectors, known, further, self.cells.state)
        self._close(waits=waits)

    def _ranks(self, stop: int) -> dict[Context, int]:
        """The contexts of a step in an order in which what comes before stands before, but for loops."""
        order: list[Context] = []
        seen: set[Context] = set()
        stack: list[tuple[Context, bool]] = [((stop, FRESH, None), False)]
        while stack:
            context, finished = stack.pop()
            if finished:
                order.append(context)
                continue
            if context in seen:
                continue
            seen.add(context)
            stack.append((context, True))
            stack += [(way, False) for way in self.part.shape.following(context)]
        return {context: len(order) - nth for nth, context in enumerate(order)}

    def _advance(self, context: Context, path: Path) -> Iterator[tuple[Context, Path]]:
        """One operation on, or the end of the step."""
        number, phase, group = context
        shape = self.part.shape
        group, stops = shape.settled(number, phase, group)
        if stops:
            self._finish(number, path)
            return
        node = self.body.nodes[number]
        outside = group is None
        try:
            condition = self.operations.perform(number, path, marked=not outside)
        except CannotCarry as error:
            raise CannotCarry(error.what, error.span or node.span) from None
        if path.guard == FALSE:
            return
        if isinstance(node.operation, VISIBLE) and outside:
            phase = shape.phase_behind(number, phase)
        if isinstance(node.operation, AtomicEnter):
            group = node.operation.group
        if not isinstance(node.operation, Branch):
            yield (node.successors[0], phase, group), path
            return
        for way, literal in zip(node.successors, (condition, condition ^ 1), strict=True):
            guard = self.circuit.both(path.guard, literal)
            if guard != FALSE:
                yield (way, phase, group), path.fork(guard)

    def _finish(self, number: int, path: Path) -> None:
        """The step ends before a node: its location and the locals that are kept there."""
        end = isinstance(self.body.nodes[number].operation, End)
        if end and not self.handler:
            for literal in self._held_locks(path):
                self.operations.fault(path, literal, Check.NO_LOCK_MISUSE, self._span(number))
        if path.guard == FALSE:
            return
        layout = self.part.layout
        code = self.part.codes[None if end and self.handler else number]
        pc = self.cells.cells[self.part.pc]
        path.slots[self.part.pc] = tuple(TRUE if code >> bit & 1 else FALSE for bit in range(pc.width))
        kept = frozenset[int]() if end else layout.kept[number]
        for nth, occupants in enumerate(layout.occupants):
            slot = self.part.pc + 1 + nth
            cell = self.cells.cells[slot]
            value: Vector = (FALSE,) * cell.width
            held = FALSE
            for local in occupants:
                if local in kept and local in path.locals:
                    held, term = path.locals[local]
                    value = term.bits
            path.slots[slot] = (*value, held) if cell.maybe_unset else value
        self._keep(path)

    def _keep(self, path: Path) -> None:
        """Take over the next state of a way that the steps found."""
        result, base = self.result, self.cells.state
        for slot in path.slots.keys() | result.slots.keys():
            new = path.slots.get(slot, base[slot])
            old = result.slots.get(slot, base[slot])
            result.slots[slot] = self.vectors.mux(path.guard, new, old)
        result.guard = self.circuit.either(result.guard, path.guard)

    def _close(self, *, waits: bool) -> None:
        """Behind the step from one place: where it can be taken at all, and where it is waited for."""
        operations, circuit, result = self.operations, self.circuit, self.result
        done = circuit.both(operations.started, operations.lost ^ 1)
        for access in operations.accesses:
            literal = circuit.both(access.literal, done)
            if literal != FALSE:
                result.accesses.append(replace(access, literal=literal))
        result.covers += [(name, circuit.both(literal, done)) for name, literal in operations.covers]
        result.bads += operations.bads
        able = circuit.exists(done, operations.used)
        result.able = circuit.either(result.able, able)
        if waits:
            blocked = circuit.exists(operations.blocked, operations.used)
            result.waits = circuit.either(result.waits, blocked)

    def _held_locks(self, path: Path) -> Iterator[Literal]:
        """For each lock, whether the thread holds it."""
        for slot in sorted(self.operations.own_locks):
            yield self.operations.mine(path, slot)

    def _span(self, number: int) -> Span:
        return self.body.nodes[number].span
