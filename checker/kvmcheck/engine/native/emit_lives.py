# SPDX-License-Identifier: GPL-2.0-only
"""What live.c has to know of a program: actors' steps, who is treated fairly, and what is due and has come about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kvmcheck.engine.layout import BodyLayout
from kvmcheck.engine.live.claims import Called, called
from kvmcheck.engine.live.fairness import Fair
from kvmcheck.engine.live.graph import actor_of
from kvmcheck.semantics.program import Live

if TYPE_CHECKING:
    from kvmcheck.engine.native.emit_program import Native


class Lives:
    """The C text about a program's liveness properties; `dues`: for each due its property and whose call it is."""

    def __init__(self, native: Native) -> None:
        self.native = native
        self.layout = native.layout
        self.program = native.program
        self.coding = native.coding
        self.dues: list[tuple[int, int | None]] = []
        self._tables: dict[str, str] = {}
        self._lines: list[str] = []

    def generate(self) -> list[str]:
        """All of it, to stand in front of live.c."""
        begins, opens = self._dues()
        strong = [
            f"case {number}: {' '.join(self._strong(live))} break;"
            for number, live in enumerate(self.program.lives)
        ]
        counted = [
            f"case {number}: return {self._counted(live)};" for number, live in enumerate(self.program.lives)
        ]
        finitely = ", ".join(str(int(bool(live.finitely))) for live in self.program.lives)
        fair = Fair(self.layout, self.program.lives[0].fairness)
        body = [
            f"#define DUES {len(self.dues)}",
            f"#define ACTORS {2 * len(self.program.threads)}",
            f"#define MUST UINT64_C({fair.all})",
            f"static const int due_property[] = {{ {self._listed(str(nth) for nth, _ in self.dues)} }};",
            f"static const int finitely[] = {{ {finitely} }};",
            "/* 2: the condition reads what is not there. */",
            "static int due_begins(int due, const cell *s)",
            f"{{ (void)s; switch (due) {{ {' '.join(begins)} default: return 0; }} }}",
            "static int due_open(int due, const cell *s)",
            f"{{ (void)s; switch (due) {{ {' '.join(opens)} default: return 0; }} }}",
            "static uint64_t strongly(int property, const cell *s)",
            f"{{ uint64_t bits = 0; (void)s; switch (property) {{ {' '.join(strong)} }} return bits; }}",
            "static int is_counted(int property, int actor, const cell *S, const cell *s)",
            f"{{ (void)actor; (void)S; (void)s; switch (property) {{ {' '.join(counted)} default: return 0; }} }}",
            *self._actors(),
        ]
        return [*self._tables.values(), *self._lines, *body]

    def _listed(self, texts: Iterable[str]) -> str:
        return ", ".join(texts) or "0"

    # ------------------------------------------------------------------ what is due

    def _dues(self) -> tuple[list[str], list[str]]:
        begins: list[str] = []
        opens: list[str] = []
        for number, live in enumerate(self.program.lives):
            if live.function:
                for call in called(self.layout, (live.function,)):
                    inside = self._inside(call, "s")
                    begins.append(f"case {len(self.dues)}: return {inside};")
                    opens.append(f"case {len(self.dues)}: return {inside};")
                    self.dues.append((number, call.thread))
                continue
            assert live.goal is not None
            self._lines += self.native.condition(f"goal{number}", live.goal, failed=2)
            trigger = "1"
            if live.trigger is not None:
                self._lines += self.native.condition(f"trigger{number}", live.trigger, failed=2)
                trigger = f"trigger{number}(s)"
            begins.append(f"case {len(self.dues)}: return {trigger};")
            opens.append(f"case {len(self.dues)}: {{ int x = goal{number}(s); return x == 2 ? 2 : !x; }}")
            self.dues.append((number, None))
        return begins, opens

    def _slot(self, thread: int, part: BodyLayout) -> int:
        return self.layout.base[thread] + part.pc

    def _inside(self, call: Called, state: str) -> str:
        """Whether a call is under way."""
        return f"{self._table(call.part, call.nodes)}[{state}[{self._slot(call.thread, call.part)}]]"

    def _table(self, part: BodyLayout, nodes: frozenset[int], *, at_rest: bool = False) -> str:
        """The name of a table by location: 1 at these nodes (`at_rest`: and where a handler does not run)."""
        codes = self.coding.locations[id(part.body)]
        bits = ", ".join(str(int(at_rest if node is None else node in nodes)) for node in codes)
        name = f"places{len(self._tables)}"
        text = f"[] = {{ {bits} }};"
        for known, line in self._tables.items():
            if line.endswith(f"{known}{text}"):
                return known
        self._tables[name] = f"static const uint8_t {name}{text}"
        return name

    # ------------------------------------------------------------------ who goes on

    def _strong(self, live: Live) -> list[str]:
        lines: list[str] = []
        for actor in Fair(self.layout, live.fairness).actors:
            table = self._table(actor.part, actor.strong, at_rest=actor.strong_at_rest)
            lines.append(f"if ({table}[s[{actor.slot}]]) bits |= UINT64_C({actor.bit});")
        return lines

    def _counted(self, live: Live) -> str:
        """Whether a step makes a call of which there are finitely many: 1, and 2 if it is not to be left."""
        cases: list[str] = []
        for call in called(self.layout, live.finitely):
            handler = call.part is self.layout.processes[self.program.threads[call.thread].process].handler
            was, now = (self._inside(call, state) for state in ("S", "s"))
            made = f"(actor == {actor_of(call.thread, handler=handler)} && !{was} && {now})"
            cases.append(made if call.may_be_left else f"2 * {made}")
        return " | ".join(cases) or "0"

    def _actors(self) -> list[str]:
        """Every step of one actor from a state."""
        cases: list[str] = []
        for number, thread in enumerate(self.program.threads):
            layout = self.layout.processes[thread.process]
            main, given = f"m{thread.process}", f"w, &threads[{number}]"
            pc = f"{main}_stops[S[{self._slot(number, layout.main)}]]"
            step = f"if ({pc} >= 0) {main}({given}, {pc}, S, S, NULL, r);"
            if layout.handler is None:
                cases.append(f"case {actor_of(number, handler=False)}: {step} break;")
                continue
            handler = f"h{thread.process}"
            at = f"S[{self._slot(number, layout.handler)}]"
            masked = "" if layout.irq is None else f" && S[{self.layout.base[number] + layout.irq}] == 0"
            inside = (
                f"if ({handler}_stops[{at}] >= 0) {handler}({given}, {handler}_stops[{at}], S, S, NULL, r);"
            )
            entry = f"else if ({pc} >= 0{masked}) {handler}({given}, 0, S, S, NULL, r);"
            cases.append(f"case {actor_of(number, handler=False)}: if (!{at}) {{ {step} }} break;")
            cases.append(f"case {actor_of(number, handler=True)}: if ({at}) {{ {inside} }} {entry} break;")
        return [
            "static void run_actor(W *w, int actor, const cell *S)",
            "{",
            "Run r = { 0 };",
            "w->emitted = w->broken = w->blocked = w->noted = w->others = 0;",
            f"switch (actor) {{ {' '.join(cases)} default: break; }}",
            "}",
        ]
