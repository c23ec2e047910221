# SPDX-License-Identifier: GPL-2.0-only
"""A whole program as one C text: its sizes, its steps and conditions, and table.c, which searches.

`Native` is the text, and what the numbers mean that the built program prints.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from kvmcheck.engine.layout import Layout, Packed
from kvmcheck.engine.movers import movers_of
from kvmcheck.engine.native.coding import Coding, Unsupported
from kvmcheck.engine.native.emit_canonical import Canonical, canonical_seqs
from kvmcheck.engine.native.emit_expressions import CHECK_NUMBERS, OVERFLOW, Expressions, Names, Scope
from kvmcheck.engine.native.emit_lives import Lives
from kvmcheck.engine.native.emit_steps import Steps, Tables, Watched
from kvmcheck.engine.native.emit_values import Values
from kvmcheck.engine.races import may_race
from kvmcheck.engine.symmetry import Symmetry
from kvmcheck.semantics.numbering import element_count
from kvmcheck.semantics.program import Check, End, Expr, PropertyKind

#: Programs with more slots would make functions that no compiler likes.
MOST_SLOTS = 4000
#: Nor may the generated text be longer than this.
MOST_TEXT = 6_000_000


@dataclass(frozen=True, slots=True)
class Keys:
    """The kinds of things that can be found, numbered: claims, checks, races and so on, covers, conditions."""

    claims: int
    statements: int
    watches: int

    @property
    def check(self) -> int:
        """A check's kind is its number beyond this."""
        return self.claims

    @property
    def race(self) -> int:
        """Two threads' next accesses conflict."""
        return self.claims + OVERFLOW + 1

    @property
    def deadlock(self) -> int:
        """Nobody can go on."""
        return self.race + 1

    @property
    def endless(self) -> int:
        """A step that never ends."""
        return self.race + 2

    @property
    def cover(self) -> int:
        """A cover statement's kind is its number beyond this."""
        return self.race + 3

    @property
    def watch(self) -> int:
        """A probe's or cover condition's kind is its number beyond this."""
        return self.cover + self.statements

    @property
    def count(self) -> int:
        """How many there are."""
        return self.watch + self.watches


@lru_cache(maxsize=2)
def _resource(name: str) -> str:
    return files("kvmcheck.engine.native").joinpath(name).read_text(encoding="utf-8")


class Native:
    """A program in C; `lives`: with the search for runs without an end.

    `watches`: (claim or None for a cover, position) of each condition that has to be met once.  Raises `Unsupported`.
    """

    def __init__(self, layout: Layout, symmetry: Symmetry | None, *, lives: bool = False) -> None:
        self.layout = layout
        self.program = layout.program
        self.tables = Tables()
        if len(layout.sorts) > MOST_SLOTS:
            raise Unsupported(f"a state of {len(layout.sorts):,} slots")
        if len(self.program.threads) > 60:
            raise Unsupported("more than 60 threads")
        self.coding = Coding(layout)
        self._values = Values(self.coding)
        self._names = Names()
        self.watches: list[tuple[int | None, int]] = []
        self._on_step: list[str] = []
        self._examine: list[str] = []
        self.movers = movers_of(self.program) if layout.reductions.merge else {}
        self.words = max(1, -(-sum(cell.width for cell in self.coding.cells) // 64))
        conditions = self._conditions()
        bodies = self._bodies()
        seqs = canonical_seqs(self.coding, self._values)
        drained = [*self._values.lines]
        self._values.lines.clear()
        exchanged = Canonical(self.coding, self._values, symmetry).generate()
        self.keys = Keys(len(self.program.properties), len(self.tables.covers), len(self.watches))
        self.lives = Lives(self) if lives else None
        runs_without_end: list[str] = []
        if self.lives is not None:
            runs_without_end = [*self.lives.generate(), _resource("live.c")]
        lines = [
            *self._defines(),
            _resource("prelude.h"),
            *drained,
            *self._packing(),
            *seqs,
            *exchanged,
            *conditions,
            *self._telling(),
            *bodies,
            _resource("table.c"),
            *runs_without_end,
        ]
        self.source = "\n".join(lines) + "\n"
        if len(self.source) > MOST_TEXT:
            raise Unsupported(f"a program whose C text is {len(self.source):,} characters long")

    # ------------------------------------------------------------------ sizes

    def _defines(self) -> list[str]:
        bits = sum(cell.width for cell in self.coding.cells)
        keys = self.keys
        numbers = {
            "NS": len(self.coding.cells),
            "WORDS": self.words,
            "STRIDE": min(8 * self.words, max(4, -(-bits // 32) * 4)),
            "CELL_BITS": self.coding.cell_bits,
            "MOST_PARAMETERS": max(
                (len(process.parameters) for process in self.program.processes), default=0
            ),
            "HITS": len(self.tables.spans),
            "CHOICES": len(self.tables.choices),
            "RACES": len(self.tables.races),
            "KEY_CHECK": keys.check,
            "KEY_RACE": keys.race,
            "KEY_DEADLOCK": keys.deadlock,
            "KEY_ENDLESS": keys.endless,
            "KEY_COVER": keys.cover,
            "KEYS": keys.count,
            "OVERFLOW": OVERFLOW,
            "LOCK_ORDER": int(Check.LOCK_ORDER in self.program.checks),
            "LIVES": 0 if self.lives is None else len(self.program.lives),
        }
        return [
            "// SPDX-License-Identifier: GPL-2.0-only",
            *(f"#define {name} {value}" for name, value in numbers.items()),
        ]

    # ------------------------------------------------------------------ conditions

    def _conditions(self) -> list[str]:
        """One function for each property, probe and cover, and one that looks at all of a state's."""
        lines: list[str] = []
        # The watches' keys stand behind those of the covers that bodies will find: by name.
        for number, claim in enumerate(self.program.properties):
            step = claim.kind is PropertyKind.STEP
            target = self._on_step if step else self._examine
            given = "S, s, me" if step else "s"
            lines += self.condition(f"claim{number}", claim.condition, step=step)
            target.append(f"if (wanted({number}) && !claim{number}({given})) event(w, {number});")
            for nth, probe in enumerate(claim.probes):
                lines += self._watch(number, nth, probe.condition, step=step)
        for number, cover in enumerate(self.program.covers):
            if cover.condition is not None:
                lines += self._watch(None, number, cover.condition, step=False)
        return lines

    def _watch(self, claim: int | None, position: int, condition: Expr, *, step: bool) -> list[str]:
        nth = len(self.watches)
        self.watches.append((claim, position))
        target, given = (self._on_step, "S, s, me") if step else (self._examine, "s")
        key = f"KEY_WATCH + {nth}"
        target.append(f"if (!events[{key}].count && watch{nth}({given})) event(w, {key});")
        return self.condition(f"watch{nth}", condition, step=step)

    def condition(self, name: str, condition: Expr, *, step: bool = False, failed: int = 0) -> list[str]:
        """A function of a state that evaluates a condition; `failed`: what it returns if that can't be done."""
        expressions = Expressions(self.coding, self._values, self._names, Scope(state="s"))
        text = expressions.text(condition)
        parameters = "const cell *S, const cell *s, V me" if step else "const cell *s"
        unused = "(void)S; (void)me; " if step else ""
        return [
            f"static int {name}({parameters})",
            "{",
            f"int why = 0; (void)why; (void)s; {unused}",
            f"return ({text}) != 0;",
            "fail: __attribute__((unused));",
            f"return {failed};",
            "}",
        ]

    def _telling(self) -> list[str]:
        return [
            f"#define KEY_WATCH {self.keys.watch}",
            "static inline void examine(W *w, const cell *s)",
            "{",
            "(void)w; (void)s;",
            *self._examine,
            "}",
            "static inline void on_step(W *w, const cell *S, const cell *s, V me)",
            "{",
            "(void)w; (void)S; (void)s; (void)me;",
            *self._on_step,
            "}",
        ]

    # ------------------------------------------------------------------ steps

    def _bodies(self) -> list[str]:
        program, coding = self.program, self.coding
        watched = Watched(
            may_race(program), any(claim.kind is PropertyKind.STEP for claim in program.properties)
        )
        lines: list[str] = []
        quiet: list[str] = []
        merged = bool(self.movers)
        torn: list[str] = []
        dispatch: list[str] = []
        for number, process in enumerate(program.processes):
            layout = self.layout.processes[number]
            stops: dict[str, list[int]] = {}
            for part, handler in ((layout.main, False), (layout.handler, True)):
                if part is None:
                    continue
                steps = self._steps(number, part, watched, handler=handler, quiet=False)
                lines += steps.generate()
                stops["h" if handler else "m"] = steps.shape.stops
                if merged:
                    fine = self._steps(number, part, watched, handler=handler, quiet=True)
                    quiet += fine.generate()
                    stops["qh" if handler else "qm"] = fine.shape.stops
            for name, found in stops.items():
                part = layout.handler if name.endswith("h") else layout.main
                assert part is not None
                codes = coding.locations[id(part.body)]
                table = [str(node if node is not None and node in found else -1) for node in codes]
                dispatch.append(f"static const int {name}{number}_stops[] = {{ {', '.join(table)} }};")
            dispatch += self._run(number, "")
            if merged:
                torn += self._run(number, "q")
            assert process is program.processes[number]
        threads: list[str] = []
        for number, (thread, base) in enumerate(zip(program.threads, self.layout.base, strict=True)):
            sorts = [sort for _, sort in program.processes[thread.process].parameters]
            given = [
                str(coding.register(sort, value))
                for sort, value in zip(sorts, thread.parameters, strict=True)
            ]
            threads.append(f"{{ {base}, {number}, {{ {', '.join(given) or '0'} }} }}")
        head = [f"static const Thread threads[] = {{ {', '.join(threads) or '{ 0 }'} }};"]
        if merged:
            head.append("static void torn(W *w, const Thread *t, const cell *S);")
            head += ["static inline void commit(W *w, Run *r);", *quiet]
        stops_tables = [line for line in dispatch if line.startswith("static const int")]
        runs = [line for line in dispatch if not line.startswith("static const int")]
        return [
            *head,
            *lines,
            *stops_tables,
            *runs,
            *torn,
            *(self._torn() if merged else []),
            *self._expand(),
        ]

    def _steps(self, number: int, part: object, watched: Watched, *, handler: bool, quiet: bool) -> Steps:
        layout = self.layout.processes[number]
        own = layout.handler if handler else layout.main
        assert own is not None and own is part
        return Steps(
            self.coding,
            self._values,
            self._names,
            self.tables,
            number,
            own,
            watched,
            handler=handler,
            movers=None if quiet else self.movers.get(id(own.body)),
            quiet=quiet,
        )

    def _run(self, number: int, prefix: str) -> list[str]:
        """Every step of a thread from a state, its handler's too."""
        layout = self.layout.processes[number]
        name = f"{prefix}m{number}"
        lines = [
            f"static void {prefix}run{number}(W *w, const Thread *t, const cell *S)",
            "{",
            "Run r = { 0 };",
        ]
        pc = f"S[t->base + {layout.main.pc}]"
        if layout.handler is not None:
            at = f"S[t->base + {layout.handler.pc}]"
            handler = f"{prefix}h{number}"
            lines += [
                f"if ({at}) {{",
                f"if ({handler}_stops[{at}] >= 0) {handler}(w, t, {handler}_stops[{at}], S, S, NULL, r);",
                "return;",
                "}",
            ]
        lines.append(f"int entry = {name}_stops[{pc}];")
        lines.append("if (entry < 0) return;")
        lines.append(f"{name}(w, t, entry, S, S, NULL, r);")
        if layout.handler is not None:
            enabled = "" if layout.irq is None else f"if (S[t->base + {layout.irq}] == 0) "
            lines += [
                # Whoever waits for an interrupt is not kept from ending.
                "int blocked = w->blocked;",
                f"{enabled}{prefix}h{number}(w, t, 0, S, S, NULL, r);",
                "w->blocked = blocked;",
            ]
        return [*lines, "}"]

    def _torn(self) -> list[str]:
        """The states between the operations of a merged step that failed: reachable, and seen by nobody else."""
        between: list[str] = []
        goes_on: list[str] = []
        runs: list[str] = []
        for number, thread in enumerate(self.program.threads):
            layout = self.layout.processes[thread.process]
            base = self.layout.base[number]
            pc = f"s[{base + layout.main.pc}]"
            ends = [
                f"{pc} != {code}"
                for node, code in self.coding.locations[id(layout.main.body)].items()
                if node is not None and isinstance(layout.main.body.nodes[node].operation, End)
            ]
            inside = f"m{thread.process}_stops[{pc}] < 0"
            going = " && ".join([inside, *ends])
            if layout.handler is not None:
                at = f"s[{base + layout.handler.pc}]"
                handled = f"h{thread.process}_stops[{at}] < 0"
                inside = f"({at} ? {handled} : {inside})"
                going = f"({at} ? {handled} : ({going}))"
            between.append(f"case {number}: return {inside};")
            goes_on.append(f"case {number}: return {going};")
            runs.append(f"case {number}: qrun{thread.process}(w, t, at); break;")
        return [
            "static int is_between(int thread, const cell *s)",
            "{",
            f"switch (thread) {{ {' '.join(between)} default: return 0; }}",
            "}",
            "static int is_inside(int thread, const cell *s)",
            "{",
            f"switch (thread) {{ {' '.join(goes_on)} default: return 0; }}",
            "}",
            "static void torn(W *w, const Thread *t, const cell *S)",
            "{",
            "size_t count = 1, room = 64, size = NS * sizeof(cell);",
            "cell *seen = malloc(room * size);",
            "if (!seen) out_of_memory();",
            "memcpy(seen, S, size);",
            "for (size_t done = 0; done < count; done++) {",
            "cell at[NS]; memcpy(at, seen + done * NS, size);",
            "if (done && !is_between(t->me, at)) continue;",
            "w->between_count = 0;",
            f"switch (t->me) {{ {' '.join(runs)} }}",
            "for (size_t i = 0; i < w->between_count; i++) {",
            "const cell *s = w->in_between + i * NS;",
            "int known = 0;",
            "for (size_t j = 0; j < count && !known; j++) known = memcmp(seen + j * NS, s, size) == 0;",
            "if (known) continue;",
            "if (count == room) { room *= 2; seen = realloc(seen, room * size); if (!seen) out_of_memory(); }",
            "memcpy(seen + count++ * NS, s, size);",
            "}",
            "}",
            "for (size_t i = 1; i < count; i++) emit(w, seen + i * NS);",
            "free(seen);",
            "}",
        ]

    def _expand(self) -> list[str]:
        """All steps from a state, the races among them, and whether nobody can go on."""
        program = self.program
        processes = [program.processes[thread.process] for thread in program.threads]
        soft = [number for number, process in enumerate(processes) if not process.hardware]
        hard = [number for number, process in enumerate(processes) if process.hardware]
        lines: list[str] = []
        races = len(self.tables.races)
        if races:
            guarded = [
                f"(slot >= {first} && slot < {first + element_count(variable)})"
                for variable, first in zip(program.variables, self.layout.first, strict=True)
                if variable.guard is not None
            ]
            flags = ", ".join(
                str(int(site.write) | int(site.marked) << 1 | int(site.race) << 2)
                for site in self.tables.races
            )
            lines += [
                f"static const uint8_t race_flags[] = {{ {flags} }};",
                f"static int is_guarded(int slot) {{ (void)slot; return {' || '.join(guarded) or '0'}; }}",
                "static void compare(W *w, int split, int end)",
                "{",
                "for (int j = split; j < end; j++) for (int i = 0; i < split; i++) {",
                "if (w->note[i].slot != w->note[j].slot) continue;",
                "int a = race_flags[w->note[i].site], b = race_flags[w->note[j].site];",
                "if (!((a | b) & 1)) continue;",
                "if (a & 4) w->raced[w->note[i].site] = 1;",
                "if (b & 4) w->raced[w->note[j].site] = 1;",
                # Two accesses race in the state before them: what is inside a merged step is between other states.
                "if (w->note[i].merged || w->note[j].merged) continue;",
                "if (!(a & b & 2) && !is_guarded(w->note[i].slot)) event(w, KEY_RACE);",
                "}",
                "}",
            ]
        lines += [
            "static void expand(W *w, const cell *S)",
            "{",
            "int waiting = 0; (void)waiting;",
            "w->noted = w->others = 0;",
        ]
        for number in soft:
            lines.append("w->blocked = 0;")
            lines.append(f"run{program.threads[number].process}(w, &threads[{number}], S);")
            if not processes[number].daemon:
                lines.append("waiting |= w->blocked;")
            if races:
                # Within one thread nothing races: its accesses are compared with those of the threads before it.
                lines.append("if (w->others && w->noted > w->others) compare(w, w->others, w->noted);")
                lines.append("w->others = w->noted;")
        if Check.NO_DEADLOCK in program.checks:
            # Whoever is inside of what is one step elsewhere can go on.
            inside = [f"!is_inside({number}, S)" for number in soft] if self.movers else []
            nobody = " && ".join(["waiting", "!w->emitted", "!w->broken", *inside])
            lines.append(f"if ({nobody}) event(w, KEY_DEADLOCK);")
        for number in hard:
            lines.append(f"run{program.threads[number].process}(w, &threads[{number}], S);")
        return [*lines, "}"]

    # ------------------------------------------------------------------ packing

    def _packing(self) -> list[str]:
        """From cells to the words of a stored state and back."""
        cells = self.coding.cells
        lines = [
            "static inline void pack(const cell *s, uint64_t *key)",
            "{",
            "memset(key, 0, WORDS * sizeof *key);",
        ]
        back = ["static inline void unpack(const uint64_t *key, cell *s)", "{"]
        fast: list[str] = []
        fast_back: list[str] = []
        at = 0
        each = 64 // self.coding.cell_bits
        for first in range(0, len(cells), each):
            group = cells[first : first + each]
            mask = sum(
                ((1 << cell.width) - 1) << (nth * self.coding.cell_bits) for nth, cell in enumerate(group)
            )
            bits = sum(cell.width for cell in group)
            if not bits:
                continue
            size = len(group) * self.coding.cell_bits // 8
            word, shift = divmod(at, 64)
            fast.append(f"{{ uint64_t x = 0; memcpy(&x, s + {first}, {size}); x = pext(x, {hex(mask)}ULL);")
            fast.append(f"key[{word}] |= x << {shift};")
            fast_back.append(f"{{ uint64_t x = key[{word}] >> {shift};")
            if shift + bits > 64:
                fast.append(f"key[{word + 1}] |= x >> {64 - shift};")
                fast_back.append(f"x |= key[{word + 1}] << {64 - shift};")
            fast.append("}")
            fast_back.append(f"x = pdep(x, {hex(mask)}ULL); memcpy(s + {first}, &x, {size}); }}")
            at += bits
        at = 0
        for slot, cell in enumerate(cells):
            word, shift = divmod(at, 64)
            if not cell.width:
                continue
            mask = (1 << cell.width) - 1
            lines.append(f"key[{word}] |= (uint64_t)(s[{slot}] & {number_text(mask)}) << {shift};")
            text = f"key[{word}] >> {shift}"
            if shift + cell.width > 64:
                lines.append(
                    f"key[{word + 1}] |= (uint64_t)(s[{slot}] & {number_text(mask)}) >> {64 - shift};"
                )
                text = f"({text} | key[{word + 1}] << {64 - shift})"
            back.append(f"s[{slot}] = (cell)({text} & {number_text(mask)});")
            at += cell.width
        fixed = [f"s[{slot}] = {cell.fixed or 0};" for slot, cell in enumerate(cells) if not cell.width]
        return [
            "#ifdef __BMI2__",
            *lines[:3],
            *fast,
            "}",
            *back[:2],
            *fast_back,
            *fixed,
            "}",
            "#else",
            *lines,
            "}",
            *back,
            *fixed,
            "}",
            "#endif",
        ]

    def words_of(self, state: Packed) -> list[int]:
        """A state as its stored words."""
        whole = at = 0
        for cell, code in zip(self.coding.cells, self.coding.encode(state), strict=True):
            whole |= code << at if cell.width else 0
            at += cell.width
        return [whole >> 64 * nth & (1 << 64) - 1 for nth in range(self.words)]

    def state_of(self, words: list[int]) -> Packed:
        """The state that stored words are."""
        whole = sum(word << 64 * nth for nth, word in enumerate(words))
        codes: list[int] = []
        for cell in self.coding.cells:
            codes.append(cell.fixed or 0 if not cell.width else whole & (1 << cell.width) - 1)
            whole >>= cell.width
        return self.coding.decode(codes)

    def check_key(self, check: Check) -> int:
        """The kind of a check that fails inside a step."""
        return self.keys.check + CHECK_NUMBERS[check]


def number_text(mask: int) -> str:
    """An unsigned literal."""
    return f"{mask}" if mask < 1 << 31 else f"{hex(mask)}ULL"
