# SPDX-License-Identifier: GPL-2.0-only
"""A program compiled to Python functions: its threads' steps, and its properties, over packed states.

The source is generated from the program's numbers alone and run with `exec`; see `generate_steps`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kvmcheck.engine import runtime
from kvmcheck.engine.generate_expressions import Expressions, ExpressionScope
from kvmcheck.engine.generate_steps import Options, Steps, Tables
from kvmcheck.engine.layout import BodyLayout, Layout, Packed
from kvmcheck.engine.movers import movers_of
from kvmcheck.engine.races import may_race
from kvmcheck.engine.runtime import Fail
from kvmcheck.engine.unit import Site, Unit
from kvmcheck.semantics.program import Expr, Program, PropertyKind
from kvmcheck.semantics.sorts import UNSET, Value

StepFunction = Callable[[Packed], None]
StateTest = Callable[[Packed], bool]
StepTest = Callable[[Packed, "list[Value] | Packed", int], bool]


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Whom the generated code tells: of successors, failures, accesses, lock edges, covers, transitions, and
    of a merged step that failed on its way (`torn`).
    """

    emit: Callable[[Packed], None]
    bad: Callable[[int, int, bool], None]
    note: Callable[..., object]
    edge: Callable[[int, int, int, int], None]
    covered: Callable[[int], None]
    on_step: Callable[[Packed, list[Value], int], None]
    torn: Callable[[Packed, int], None]


@dataclass(frozen=True, slots=True)
class ThreadCode:
    """A thread's functions by location (None: no step from there), and the slots that say which to call."""

    pc: int
    main: tuple[StepFunction | None, ...]
    handler_pc: int | None
    handler: tuple[StepFunction | None, ...]
    irq: int | None

    @property
    def by_pc(self) -> dict[Value, StepFunction | None]:
        """The main body's functions by what stands in the location's slot."""
        return dict(enumerate(self.main))

    def is_between(self, state: Packed) -> bool:
        """Whether the thread is inside what is one merged step here (or at its end)."""
        position = None if self.handler_pc is None else state[self.handler_pc]
        if isinstance(position, int):
            return self.handler[position] is None
        pc = state[self.pc]
        assert isinstance(pc, int)
        return self.main[pc] is None

    def run(self, state: Packed) -> None:
        """Take every step of this thread, its handler's too."""
        position = None if self.handler_pc is None else state[self.handler_pc]
        if isinstance(position, int):
            function = self.handler[position]
            if function is not None:
                function(state)
            return
        pc = state[self.pc]
        assert isinstance(pc, int)
        function = self.main[pc]
        if function is None:
            return
        function(state)
        if self.handler_pc is not None and (self.irq is None or state[self.irq] == 0):
            entry = self.handler[0]
            assert entry is not None
            entry(state)


class Compiled:
    """The compiled program.  `hit`: one byte for each leaf of `tables.leaves`, set when it was reached."""

    def __init__(self, layout: Layout, *, merge: bool | None = None) -> None:
        self.layout = layout
        self.program: Program = layout.program
        merging = layout.reductions.merge if merge is None else merge
        self.tables = Tables()
        self.racy = may_race(self.program)
        #: How operations move, by the body's `id`; nothing merges where a body is missing.
        self.movers = movers_of(self.program) if merging else {}
        unit = Unit(layout)
        self._unit = unit
        step_claims = any(claim.kind is PropertyKind.STEP for claim in self.program.properties)
        options = Options(self.racy, step_claims)
        for number in range(len(self.program.processes)):
            self._generate_process(number, options)
        self._write_conditions()
        self.source = "\n".join(unit.lines) + "\n"
        self.sites: list[Site] = unit.sites
        self.hit = bytearray(len(self.tables.leaves))
        self._namespace: dict[str, object] = {
            **unit.names,
            "U": UNSET,
            "Fail": Fail,
            "fail": runtime.fail,
            "canonical": layout.canonical,
            "hit": self.hit,
        }
        # The source holds numbers and our own names only: nothing that a spec's author wrote.
        exec(compile(self.source, "<compiled program>", "exec"), self._namespace)  # noqa: S102

    def _generate_process(self, number: int, options: Options) -> None:
        unit, layout = self._unit, self.layout.processes[number]
        process = self.program.processes[number]
        parameters = "".join(f", p{nth}" for nth in range(len(process.parameters)))
        header = len(unit.lines)
        tables: list[str] = []
        offsets: set[int] = set()
        for part, handler in ((layout.main, False), (layout.handler, True)):
            if part is None:
                tables.append("{}")
                continue
            steps = Steps(
                unit,
                self.tables,
                number,
                part,
                options,
                handler=handler,
                movers=self.movers.get(id(part.body)),
            )
            steps.generate()
            offsets |= steps.offsets
            tables.append("{" + ", ".join(f"{stop}: {steps.prefix}_{stop}" for stop in steps.stops) + "}")
        unit.lines.append(f"    return {', '.join(tables)}")
        start = [f"def make{number}(b, me{parameters}):", "    bit = 1 << me"]
        start += [f"    b{offset} = b + {offset}" for offset in sorted(offsets)]
        unit.lines[header:header] = start

    def _write_conditions(self) -> None:
        """One function for each property, probe and cover; and one for all invariants together."""
        self.claims: list[str] = []
        self.probes: list[list[str]] = []
        for number, claim in enumerate(self.program.properties):
            step = claim.kind is PropertyKind.STEP
            self.claims.append(self._write(f"claim{number}", claim.condition, step=step))
            self.probes.append(
                [
                    self._write(f"probe{number}_{nth}", probe.condition, step=step)
                    for nth, probe in enumerate(claim.probes)
                ]
            )
        self.covers = [
            None if cover.condition is None else self._write(f"cover{number}", cover.condition, step=False)
            for number, cover in enumerate(self.program.covers)
        ]
        self.lives = [
            tuple(
                None if condition is None else self._write(f"live{number}_{nth}", condition, step=False)
                for nth, condition in enumerate((live.trigger, live.goal))
            )
            for number, live in enumerate(self.program.lives)
        ]

    def _write(self, name: str, condition: Expr, *, step: bool) -> str:
        scope = ExpressionScope(state="s")
        expressions = Expressions(self._unit, scope, self.program.span)
        text = expressions.text(condition)
        self._unit.lines += [f"def {name}({'S, s, me' if step else 's'}):", f"    return {text}"]
        return name

    def state_test(self, name: str) -> StateTest:
        """The function of an invariant, or of its probe, or of a cover, or of a liveness property's condition."""
        function = self._namespace[name]
        assert callable(function)
        return function

    def step_test(self, name: str) -> StepTest:
        """The function of a step property, or of its probe."""
        function = self._namespace[name]
        assert callable(function)
        return function

    def threads(self, callbacks: Callbacks) -> list[ThreadCode]:
        """Each thread's functions, told whom to tell."""
        for name in ("emit", "bad", "note", "edge", "covered", "on_step", "torn"):
            self._namespace[name] = getattr(callbacks, name)
        made: list[ThreadCode] = []
        for number, (thread, base) in enumerate(zip(self.program.threads, self.layout.base, strict=True)):
            layout = self.layout.processes[thread.process]
            make = self._namespace[f"make{thread.process}"]
            assert callable(make)
            main, handler = make(base, number, *thread.parameters)
            made.append(
                ThreadCode(
                    base,
                    by_location(main, layout.main),
                    None if layout.handler is None else base + layout.handler.pc,
                    () if layout.handler is None else by_location(handler, layout.handler),
                    None if layout.irq is None else base + layout.irq,
                )
            )
        return made


def by_location(functions: dict[int, StepFunction], layout: BodyLayout) -> tuple[StepFunction | None, ...]:
    """The functions of a body in the order of its nodes."""
    return tuple(functions.get(number) for number in range(len(layout.body.nodes)))
