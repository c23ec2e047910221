# SPDX-License-Identifier: GPL-2.0-only
"""Random small programs, as text: well-typed, bounded by construction, the same ones for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

LOCKS = ("spinlock", "spinlock", "rwlock", "mutex", "rwsem")
TAKE = {
    "spinlock": [("spin_lock", "spin_unlock")],
    "mutex": [("mutex_lock", "mutex_unlock")],
    "rwlock": [("write_lock", "write_unlock"), ("read_lock", "read_unlock")],
    "rwsem": [("down_write", "up_write"), ("down_read", "up_read")],
}
TRY = {
    "spinlock": [("spin_trylock", "spin_unlock")],
    "mutex": [("mutex_trylock", "mutex_unlock")],
    "rwlock": [("write_trylock", "write_unlock"), ("read_trylock", "read_unlock")],
    "rwsem": [("down_write_trylock", "up_write"), ("down_read_trylock", "up_read")],
}


@dataclass(frozen=True)
class Variable:
    """A variable that code may use: its name, type, and element count if it is an array over P."""

    name: str
    type: str
    array: str | None = None
    lock: str | None = None


@dataclass
class Scope:
    """What a piece of code may name."""

    locals: dict[str, str] = field(default_factory=dict)  # name -> type, all assigned
    depth: int = 0
    fresh: int = 0
    function: str = ""
    held: tuple[str, ...] = ()
    result: bool = False
    in_loop: bool = False
    in_atomic: bool = False
    labels: list[str] = field(default_factory=list)
    shared_locals: list[str] = field(default_factory=list)


@dataclass
class Features:
    """What a program has."""

    scalarset: bool = True
    index: bool = False
    enum: bool = False
    word: bool = False
    struct: bool = False
    union: bool = False
    seq: bool = False
    sets: bool = False
    lists: bool = False
    objects: bool = False
    pointers: bool = False
    locks: bool = True
    guards: bool = False
    interrupts: bool = False
    atomics: bool = False
    ghosts: bool = False
    monitors: bool = False
    live_calls: bool = False
    atomic_blocks: bool = False
    awaits: bool = False
    loops: bool = False
    unset: bool = False
    params: bool = False
    hardware: bool = False
    sleeping: bool = False


class Generator:
    """One program from one source of randomness."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        names = [name for name in Features.__dataclass_fields__ if name not in ("scalarset", "locks")]
        chosen = rng.sample(names, rng.randint(2, 5))  # a few at a time, so that each is used and they meet
        self.features = Features(locks=rng.random() < 0.6, **{name: name in chosen for name in names})
        if self.features.guards or self.features.sleeping:
            self.features.locks = True
        self.variables: list[Variable] = []
        self.locks: list[Variable] = []
        self.ghosts: list[Variable] = []
        self.functions: list[tuple[str, list[tuple[str, str]], str]] = []
        self.labels: dict[str, list[str]] = {}
        self.covers: list[str] = []
        self.function_locals: dict[str, dict[str, str]] = {}
        self.budget = 0
        self.label_count = 0

    # ------------------------------------------------------------------ choosing

    def maybe(self, chance: float) -> bool:
        """True that often."""
        return self.rng.random() < chance

    def pick(self, *choices: tuple[float, Callable[[], str]]) -> str:
        """One of several, weighted."""
        wanted = [(weight, make) for weight, make in choices if weight > 0]
        make = self.rng.choices([m for _, m in wanted], [w for w, _ in wanted])[0]
        return make()

    def of_type(self, kind: str, *, array: bool = True) -> list[Variable]:
        """The shared variables of a type."""
        return [x for x in self.variables if x.type == kind and (array or x.array is None)]

    def locals_of(self, scope: Scope, kind: str) -> list[str]:
        """The assigned locals of a type."""
        return [n for n, t in scope.locals.items() if t == kind]

    def place(self, variable: Variable, scope: Scope) -> str:
        """A variable, or an element of it."""
        if variable.array is None:
            return variable.name
        return f"{variable.name}[{self.index(variable.array, scope)}]"

    def index(self, kind: str, scope: Scope) -> str:
        """An index that reads no shared state (most of the time)."""
        candidates = self.locals_of(scope, kind)
        if kind == "I" and (not candidates or self.maybe(0.3)):
            return str(self.rng.randrange(2))
        return self.rng.choice(candidates)

    def usable(self, variable: Variable, scope: Scope) -> bool:
        """Whether an element of it can be named here."""
        return variable.array in (None, "I") or bool(self.locals_of(scope, str(variable.array)))

    # ------------------------------------------------------------------ expressions

    def shared_read(self, kind: str, scope: Scope) -> str | None:
        """A read of a shared place of a type."""
        options: list[str] = []
        for x in self.variables:
            if not self.usable(x, scope):
                continue
            place = self.place(x, scope)
            if x.type == kind:
                options.append(place)
            elif x.type == "W" and kind in ("bool", "P?", "int 0..2"):
                options.append(f"{place}." + {"bool": "b", "P?": "p", "int 0..2": "n"}[kind])
            elif x.type == "S" and kind in ("int 0..2", "bool"):
                options.append(f"{place}." + {"int 0..2": "x", "bool": "y"}[kind])
        if not options:
            return None
        place = self.rng.choice(options)
        return self.pick(
            (6, lambda: place), (1, lambda: f"READ_ONCE({place})"), (1, lambda: f"data_race({place})")
        )

    def local_read(self, kind: str, scope: Scope) -> str | None:
        """A read of a local."""
        options = self.locals_of(scope, kind)
        for name, t in scope.locals.items():
            if t == "W" and kind in ("bool", "P?", "int 0..2"):
                options.append(f"{name}." + {"bool": "b", "P?": "p", "int 0..2": "n"}[kind])
            if t == "S" and kind in ("int 0..2", "bool"):
                options.append(f"{name}." + {"int 0..2": "x", "bool": "y"}[kind])
        return self.rng.choice(options) if options else None

    def any_read(self, kind: str, scope: Scope) -> str | None:
        """A read of something."""
        first, second = self.shared_read(kind, scope), self.local_read(kind, scope)
        if self.maybe(0.5):
            first, second = second, first
        return first or second

    def number(self, scope: Scope, depth: int = 0) -> str:
        """An int expression."""
        read = self.any_read("int 0..2", scope)
        options: list[tuple[float, Callable[[], str]]] = [(2, lambda: str(self.rng.randrange(3)))]
        if read:
            options.append((6, lambda: read))
        if depth < 1:
            op = self.rng.choice(["+", "-", "+", "*", "%", "&", "|", "^", "/"])
            options.append(
                (1, lambda: f"({self.number(scope, depth + 1)} {op} {self.number(scope, depth + 1)})")
            )
            options.append(
                (
                    0.3,
                    lambda: f"({self.boolean(scope, 2)} ? {self.number(scope, 2)} : {self.number(scope, 2)})",
                )
            )
        if (
            self.features.sets
            and (r := self.any_read("set<P>", scope))
            and not r.startswith(("READ", "data"))
        ):
            options.append((0.5, lambda: f"{r}.size()"))
        if self.features.lists and (q := self.shared_read("list<P, 2>", scope)):
            if not q.startswith(("READ", "data")):
                options.append((0.5, lambda: f"{q}.len()"))
        return self.pick(*options)

    def boolean(self, scope: Scope, depth: int = 0) -> str:
        """A condition."""
        known = ["true", "false", *["flag", "!flag"] * self.features.params]
        options: list[tuple[float, Callable[[], str]]] = [
            (0.6 if self.features.params else 0.2, lambda: self.rng.choice(known))
        ]
        if read := self.any_read("bool", scope):
            options.append((3, lambda: read))
        compare = self.rng.choice(["==", "!=", "<", "<=", ">", ">="])
        options.append((2, lambda: f"{self.number(scope, 1)} {compare} {self.number(scope, 1)}"))
        equal = self.rng.choice(["==", "!="])
        for kind in ("P?", "P", "E", "seq", "W", "O *"):
            if mine := self.any_read(kind, scope):
                other = self.any_read(kind, scope)
                if kind == "P?" and self.maybe(0.5):
                    other = "none"
                elif kind == "P?" and self.locals_of(scope, "P"):
                    other = self.locals_of(scope, "P")[0]
                elif kind == "E":
                    other = self.rng.choice(["RED", "GREEN"])
                elif kind == "O *":
                    other = other if self.maybe(0.5) else "NULL"
                if other:
                    options.append((1.5, lambda m=mine, o=other: f"{m} {equal} {o}"))  # type: ignore[misc]
        if (whole := self.any_read("set<P>", scope)) and self.locals_of(scope, "P"):
            options.append((1.5, lambda: f"{self.locals_of(scope, 'P')[0]} in {whole}"))
        if (u := self.any_read("U", scope)) and not u.startswith(("READ", "data")):
            options.append((1.5, lambda: f"{u}.is({self.rng.choice(['empty', 'one', 'num'])})"))
        if depth < 2:
            join = self.rng.choice(["&&", "||"])
            options.append(
                (1.5, lambda: f"({self.boolean(scope, depth + 1)} {join} {self.boolean(scope, depth + 1)})")
            )
            options.append((0.7, lambda: f"!({self.boolean(scope, depth + 1)})"))
        return self.pick(*options)

    def value(self, kind: str, scope: Scope) -> str:
        """An expression of a type."""
        match kind:
            case "int 0..2" | "int":
                return self.number(scope)
            case "bool":
                return self.boolean(scope)
            case "E":
                read = self.any_read("E", scope)
                return read if read and self.maybe(0.5) else self.rng.choice(["RED", "GREEN"])
            case "P":
                if (held := self.locals_of(scope, "P")) and self.maybe(0.7):
                    return self.rng.choice(held)
                return "any P"
            case "I":
                held = self.locals_of(scope, "I")
                return self.rng.choice(held) if held and self.maybe(0.6) else str(self.rng.randrange(2))
            case "P?":
                return self.pick(
                    (2, lambda: "none"), (2, lambda: self.value("P", scope)),
                    (2, lambda: self.any_read("P?", scope) or "none"),
                )  # fmt: skip
            case "seq":
                return self.any_read("seq", scope) or "q"
            case "W":
                if (read := self.any_read("W", scope)) and self.maybe(0.4):
                    return read
                parts = []
                if self.maybe(0.6):
                    parts.append(f".b = {self.boolean(scope, 2)}")
                if self.maybe(0.6):
                    parts.append(f".p = {self.value('P?', scope)}")
                if self.maybe(0.3):
                    parts.append(f".n = {self.number(scope, 1)}")
                return "(W){ " + ", ".join(parts) + " }"
            case "U":
                return self.pick(
                    (1, lambda: "(U){ .empty }"),
                    (1, lambda: f"(U){{ .one = {self.value('P', scope)} }}"),
                    (1, lambda: f"(U){{ .num = {self.number(scope, 1)} }}"),
                    (1, lambda: self.any_read("U", scope) or "(U){ .empty }"),
                )
            case "set<P>":
                base = self.any_read("set<P>", scope)
                member = self.value("P", scope)
                return self.pick(
                    (1, lambda: "{}"), (1, lambda: "{" + member + "}"),
                    (2 if base else 0, lambda: f"{base} | {{{member}}}"),
                    (1 if base else 0, lambda: f"{base} & {base}"),
                )  # fmt: skip
            case "O *":
                return self.any_read("O *", scope) or "NULL"
            case "int 0..2 *":
                targets = [self.place(x, scope) for x in self.of_type("int 0..2") if self.usable(x, scope)]
                return "&" + self.rng.choice(targets)
            case _:
                raise ValueError(kind)

    # ------------------------------------------------------------------ statements

    def fresh(self, scope: Scope, kind: str) -> str:
        """A new local's name."""
        scope.fresh += 1
        return {
            "P": "p",
            "int 0..2": "n",
            "bool": "b",
            "P?": "o",
            "seq": "s",
            "W": "w",
            "E": "e",
            "U": "u",
        }.get(kind, "x") + str(scope.fresh)

    def local_types(self) -> list[str]:
        """Types that locals may have."""
        kinds = ["int 0..2", "bool", "P?", "P"]
        kinds += ["W"] * self.features.word + ["seq"] * self.features.seq + ["E"] * self.features.enum
        kinds += ["U"] * self.features.union + ["set<P>"] * self.features.sets + ["I"] * self.features.index
        kinds += ["O *"] * self.features.objects
        if self.features.pointers and self.of_type("int 0..2", array=False):
            kinds.append("int 0..2 *")
        return kinds

    def block(self, scope: Scope, most: int, indent: str) -> list[str]:
        """Statements with locals of their own."""
        before = dict(scope.locals)
        lines: list[str] = []
        for _ in range(self.rng.randint(1, most)):
            if self.budget <= 0:
                break
            lines += self.statement(scope, indent)
        scope.locals = {n: t for n, t in scope.locals.items() if n in before}
        return lines or [f"{indent};"]

    def statement(self, scope: Scope, indent: str) -> list[str]:
        """One statement (perhaps with its declaration)."""
        self.budget -= 1
        scope.depth += 1
        features = self.features
        nested = scope.depth < 4
        plain = not scope.in_atomic
        makers: list[tuple[float, Callable[[Scope, str], list[str] | None]]] = [
            (5, self.assign_shared),
            (3, self.declare),
            (1.5, self.assign_local),
            (2 if nested else 0, self.conditional),
            (2.5 if self.locks and nested and plain else 0, self.critical),
            (1 if self.locks and nested and plain else 0, self.trying),
            (2 if features.loops and nested else 0, self.loop),
            (2 if features.atomic_blocks and nested and plain else 0, self.atomic),
            (2 if features.awaits and plain else 0, self.wait),
            (0.8 if self.functions and scope.function != "f0" and plain else 0, self.call),
            (3.5 if features.atomics else 0, self.read_modify_write),
            (2 if features.ghosts else 0, self.ghost),
            (5 if features.seq else 0, self.sequence),
            (6 if features.objects and plain else 0, self.object_use),
            (2 if features.pointers else 0, self.pointer_use),
            (4 if features.sets else 0, self.set_use),
            (4 if features.lists else 0, self.list_use),
            (2 if features.struct else 0, self.struct_use),
            (1.5 if features.union and nested else 0, self.union_use),
            (0.5, self.claim),
            (0.4 if plain else 0, self.choose),
            (0.6 if plain else 0, self.cover),
            (0.5 if features.enum and nested else 0, self.switch),
            (1.5 if features.sleeping and plain else 0, lambda s, i: [f"{i}might_sleep();"]),
            (2 if features.interrupts and plain else 0, self.irqs),
            (
                0.3 if scope.result else 0,
                lambda s, i: [f"{i}if ({self.boolean(s, 1)}) return {self.number(s, 1)};"],
            ),
            (0.4 if scope.in_loop else 0, self.leave_loop),
            (0.8 if features.unset else 0, self.late_assignment),
        ]
        makers = [(weight, make) for weight, make in makers if weight > 0]
        weights = [w for w, _ in makers]
        lines: list[str] | None = None
        for _ in range(8):
            maker = self.rng.choices([m for _, m in makers], weights)[0]
            lines = maker(scope, indent)
            if lines is not None:
                break
        scope.depth -= 1
        if not lines:
            return [f"{indent};"]
        if (
            scope.function
            and len(lines) >= 1
            and self.maybe(0.35)
            and not lines[0].strip().startswith(LOCAL_START)
        ):
            return self.labelled(scope, lines, indent)
        return lines

    def labelled(self, scope: Scope, lines: list[str], indent: str) -> list[str]:
        """The statement with a label."""
        self.label_count += 1
        label = f"L{self.label_count}"
        self.labels.setdefault(scope.function, []).append(label)
        if len(lines) == 1 or (
            lines[-1].strip() == "}"
            and sum(x.startswith(indent) and not x.startswith(indent + " ") for x in lines) == 2
        ):
            return [f"{indent}@{label} {lines[0].strip()}", *lines[1:]]
        return [f"{indent}@{label} {{", *["    " + x for x in lines], f"{indent}}}"]

    def declare(self, scope: Scope, indent: str) -> list[str]:
        """A local with a value."""
        kind = self.rng.choice(self.local_types())
        value = self.value(kind, scope)
        name = self.fresh(scope, kind)
        scope.locals[name] = kind
        if scope.depth == 1 and scope.function:
            self.function_locals[scope.function][name] = kind
        space = "" if kind.endswith("*") else " "
        return [f"{indent}{kind}{space}{name} = {value};"]

    def late_assignment(self, scope: Scope, indent: str) -> list[str]:
        """A local that may be unset when it is read."""
        name = self.fresh(scope, "int 0..2")
        lines = [f"{indent}int 0..2 {name};"]
        lines.append(f"{indent}if ({self.boolean(scope, 1)}) {name} = {self.number(scope, 1)};")
        if self.maybe(0.6):
            scope.locals[name] = "int 0..2"
        return lines

    def assign_local(self, scope: Scope, indent: str) -> list[str] | None:
        """A local gets a new value."""
        names = [
            n
            for n, t in scope.locals.items()
            if t in self.local_types() and not n.startswith("r") and n != "me"
        ]
        if not names:
            return None
        name = self.rng.choice(names)
        kind = scope.locals[name]
        if kind == "int 0..2" and self.maybe(0.4):
            return [
                indent
                + self.pick((1, lambda: f"{name}++;"), (1, lambda: f"{name} += {self.number(scope, 1)};"))
            ]
        if kind == "W" and self.maybe(0.5):
            return [f"{indent}{name}.b = {self.boolean(scope, 1)};"]
        return [f"{indent}{name} = {self.value(kind, scope)};"]

    def assign_shared(self, scope: Scope, indent: str) -> list[str] | None:
        """A shared variable gets a new value."""
        usable = [
            x for x in self.variables
            if x.type in ("int 0..2", "bool", "P?", "W", "E", "U", "set<P>", "O *") and self.usable(x, scope)
        ]  # fmt: skip
        if not usable:
            return None
        x = self.rng.choice(usable)
        place = self.place(x, scope)
        if x.type == "int 0..2":
            return [
                indent + self.pick(
                    (4, lambda: f"{place} = {self.number(scope)};"),
                    (1, lambda: f"WRITE_ONCE({place}, {self.number(scope, 1)});"),
                    (0.5, lambda: f"smp_store_release(&{place}, {self.number(scope, 1)});"),
                    (1, lambda: f"{place}++;"),
                    (0.5, lambda: f"{place}--;"),
                    (1, lambda: f"{place} += {self.number(scope, 1)};"),
                )
            ]  # fmt: skip
        if x.type == "W" and self.maybe(0.5):
            return [
                indent + self.pick(
                    (1, lambda: f"{place}.b = {self.boolean(scope, 1)};"),
                    (1, lambda: f"{place}.p = {self.value('P?', scope)};"),
                    (1, lambda: f"{place}.n = {self.number(scope, 1)};"),
                )
            ]  # fmt: skip
        value = self.value(x.type, scope)
        if self.maybe(0.25):
            return [f"{indent}WRITE_ONCE({place}, {value});"]
        return [f"{indent}{place} = {value};"]

    def conditional(self, scope: Scope, indent: str) -> list[str]:
        """An if, perhaps with an else."""
        lines = [f"{indent}if ({self.boolean(scope)}) {{"]
        lines += self.block(scope, 2, indent + "    ")
        if self.maybe(0.35):
            lines += [f"{indent}}} else {{", *self.block(scope, 2, indent + "    ")]
        return [*lines, f"{indent}}}"]

    def lock_place(self, scope: Scope) -> tuple[Variable, str] | None:
        """A lock that can be named here."""
        usable = [x for x in self.locks if self.usable(x, scope)]
        if not usable:
            return None
        lock = self.rng.choice(usable)
        return lock, self.place(lock, scope)

    def critical(self, scope: Scope, indent: str) -> list[str] | None:
        """A lock around something; now and then wrongly."""
        found = self.lock_place(scope)
        if found is None:
            return None
        lock, place = found
        if place in scope.held and not self.maybe(0.05):
            return None
        take, drop = self.rng.choice(TAKE[lock.type])
        lines = [f"{indent}{take}(&{place});"]
        if self.maybe(0.1):
            lines.append(f"{indent}lockdep_assert_held(&{place});")
        before = scope.held
        scope.held = (*before, place)
        names = dict(scope.locals)
        lines += self.block(scope, 3, indent)
        scope.held, scope.locals = before, names
        if self.maybe(0.97):
            lines.append(f"{indent}{drop}(&{place});")
        return [f"{indent}{{", *["    " + x for x in lines], f"{indent}}}"]

    def trying(self, scope: Scope, indent: str) -> list[str] | None:
        """A trylock."""
        found = self.lock_place(scope)
        if found is None:
            return None
        lock, place = found
        take, drop = self.rng.choice(TRY[lock.type])
        lines = [f"{indent}if ({take}(&{place})) {{", *self.block(scope, 2, indent + "    ")]
        return [*lines, f"{indent}    {drop}(&{place});", f"{indent}}}"]

    def loop(self, scope: Scope, indent: str) -> list[str] | None:
        """A loop that ends."""
        inner = Scope(
            dict(scope.locals), scope.depth + 1, scope.fresh + 10, scope.function, scope.held, scope.result,
            True, scope.in_atomic,
        )  # fmt: skip
        scope.fresh += 30
        options = ["repeat", "for P", "c for", "while", "do"]
        if self.features.index:
            options.append("for I")
        if self.features.sets and self.locals_of(scope, "set<P>") + [
            x.name for x in self.of_type("set<P>", array=False)
        ]:
            options.append("for in")
        kind = self.rng.choice(options)
        i = f"i{scope.fresh}"
        match kind:
            case "repeat":
                head, tail = "repeat 2 {", "}"
            case "for P":
                inner.locals[i] = "P"
                head, tail = f"for (P {i}) {{", "}"
            case "for I":
                inner.locals[i] = "I"
                head, tail = f"for (I {i}) {{", "}"
            case "for in":
                sets = self.locals_of(scope, "set<P>") + [x.name for x in self.of_type("set<P>", array=False)]
                inner.locals[i] = "P"
                head, tail = f"for (P {i} in {self.rng.choice(sets)}) {{", "}"
            case "c for":
                inner.locals["r" + i] = "int 0..2"
                head, tail = f"for (int 0..2 r{i} = 0; r{i} < 2; r{i}++) {{", "}"
            case "while":
                stop = self.boolean(scope, 1)
                body = self.block(inner, 2, indent + "        ")
                return [
                    f"{indent}{{",
                    f"{indent}    int 0..2 r{i} = 0;",
                    f"{indent}    while (r{i} < 2 && {stop}) {{",
                    f"{indent}        r{i}++;",
                    *body,
                    f"{indent}    }}",
                    f"{indent}}}",
                ]
            case _:
                stop = self.boolean(scope, 1)
                body = self.block(inner, 2, indent + "        ")
                return [
                    f"{indent}{{",
                    f"{indent}    int 0..2 r{i} = 0;",
                    f"{indent}    do {{",
                    f"{indent}        r{i}++;",
                    *body,
                    f"{indent}    }} while (r{i} < 2 && {stop});",
                    f"{indent}}}",
                ]
        return [f"{indent}{head}", *self.block(inner, 2, indent + "    "), f"{indent}{tail}"]

    def leave_loop(self, scope: Scope, indent: str) -> list[str]:
        """`break` or `continue`."""
        return [f"{indent}if ({self.boolean(scope, 1)}) {self.rng.choice(['break', 'continue'])};"]

    def atomic(self, scope: Scope, indent: str) -> list[str]:
        """An atomic block, perhaps with a leading await."""
        before, scope.in_atomic = scope.in_atomic, True
        loop, scope.in_loop = scope.in_loop, False
        result, scope.result = scope.result, False
        lines = [f"{indent}atomic {{"]
        if self.features.awaits and self.maybe(0.4):
            lines.append(f"{indent}    await ({self.awaited(scope)});")
        lines += self.block(scope, 3, indent + "    ")
        scope.in_atomic, scope.in_loop, scope.result = before, loop, result
        return [*lines, f"{indent}}}"]

    def awaited(self, scope: Scope) -> str:
        """A condition on one shared location."""
        options = []
        for x in self.variables:
            if x.type in ("int 0..2", "bool", "P?") and self.usable(x, scope):
                place = self.place(x, scope)
                options.append({"int 0..2": f"{place} != 0", "bool": place, "P?": f"{place} == none"}[x.type])
        return self.rng.choice(options) if options else "true"

    def wait(self, scope: Scope, indent: str) -> list[str]:
        """An await."""
        return [f"{indent}await ({self.awaited(scope)});"]

    def call(self, scope: Scope, indent: str) -> list[str] | None:
        """A call of a function that came before."""
        earlier = [f for f in self.functions if f[0] < (scope.function or "z")]
        if not earlier:
            return None
        name, parameters, result = self.rng.choice(earlier)
        arguments = ", ".join(self.value(kind, scope) for kind, _ in parameters)
        call = f"{name}({arguments})"
        if result != "void" and self.maybe(0.5):
            if self.locals_of(scope, "int 0..2") and self.maybe(0.4):
                return [f"{indent}{self.locals_of(scope, 'int 0..2')[-1]} = {call};"]
            return [
                f"{indent}if ({call} == {self.rng.randrange(3)}) {{",
                *self.block(scope, 1, indent + "    "),
                f"{indent}}}",
            ]
        return [f"{indent}{call};"]

    def read_modify_write(self, scope: Scope, indent: str) -> list[str] | None:
        """An atomic operation."""
        numbers = [x for x in self.of_type("int 0..2") if self.usable(x, scope)]
        words = [x for x in self.of_type("W") if self.usable(x, scope)]
        flags = [x for x in self.of_type("bool") if self.usable(x, scope)]
        options: list[tuple[float, Callable[[], str]]] = []
        if numbers:
            place = self.place(self.rng.choice(numbers), scope)
            options += [
                (1, lambda: f"atomic_inc(&{place});"),
                (1, lambda: f"atomic_dec(&{place});"),
                (1, lambda: f"atomic_add({self.number(scope, 1)}, &{place});"),
                (1, lambda: f"if (atomic_dec_and_test(&{place})) {self.simple(scope)}"),
                (1, lambda: f"if (atomic_inc_return(&{place}) == 2) {self.simple(scope)}"),
                (1, lambda: f"if (xchg(&{place}, {self.number(scope, 1)}) == 1) {self.simple(scope)}"),
                (1, lambda: f"if (cmpxchg(&{place}, {self.number(scope, 1)}, 2) == 0) {self.simple(scope)}"),
            ]
            locals_ = [n for n in self.locals_of(scope, "int 0..2") if not n.startswith("r")]
            if locals_:
                local = self.rng.choice(locals_)
                options.append((2, lambda: f"if (try_cmpxchg(&{place}, &{local}, 1)) {self.simple(scope)}"))
        if words or flags:
            bit = self.place(words[0], scope) + ".b" if words else self.place(flags[0], scope)
            options += [
                (1, lambda: f"set_bit(&{bit});"),
                (1, lambda: f"clear_bit(&{bit});"),
                (1, lambda: f"if (test_and_set_bit(&{bit})) {self.simple(scope)}"),
                (1, lambda: f"if (test_and_clear_bit(&{bit})) {self.simple(scope)}"),
            ]
        return [indent + self.pick(*options)] if options else None

    def simple(self, scope: Scope) -> str:
        """A short statement on one line."""
        lines = self.assign_shared(scope, "") or [";"]
        return lines[0]

    def ghost(self, scope: Scope, indent: str) -> list[str]:
        """A ghost statement."""
        return [
            indent + self.pick(
                (1, lambda: "ghost g0 = 1;"),
                (1, lambda: f"ghost g1 = {self.number(scope, 1)};"),
                (1, lambda: f"ghost {{ if ({self.boolean(scope, 1)}) g0 = {self.number(scope, 1)}; }}"),
            )
        ]  # fmt: skip

    def sequence(self, scope: Scope, indent: str) -> list[str] | None:
        """Something with the seq."""
        copies = self.locals_of(scope, "seq")
        if not scope.in_loop and scope.depth == 1 and self.maybe(0.12):  # two copies, both stale in the end
            first, second = self.fresh(scope, "seq"), self.fresh(scope, "seq")
            middle = self.rng.choice(["q++;", "atomic_inc(&q);", ";"])
            return [
                f"{indent}{{",
                f"{indent}    seq {first} = q;",
                f"{indent}    {middle}",
                f"{indent}    seq {second} = {self.rng.choice(['q', 'kept', first])};",
                f"{indent}    q++;",
                f"{indent}    if ({first} {self.rng.choice(['==', '!='])} {second}) {self.simple(scope)}",
                f"{indent}}}",
            ]
        if self.maybe(0.6 if not copies else 0.3):
            name = self.fresh(scope, "seq")
            scope.locals[name] = "seq"
            return [f"{indent}seq {name} = {self.rng.choice(['q', 'READ_ONCE(q)', 'data_race(q)'])};"]
        options: list[tuple[float, Callable[[], str]]] = []
        if not scope.in_loop:
            options += [(1, lambda: "q++;"), (1, lambda: "atomic_inc(&q);")]
        if copies:
            copy = self.rng.choice(copies)
            options += [
                (2, lambda: f"if ({copy} {self.rng.choice(['==', '!='])} q) {self.simple(scope)}"),
                (0.5, lambda: f"kept = {copy};"),
                (1, lambda: f"if (kept == {copy}) {self.simple(scope)}"),
                (
                    2 if len(copies) > 1 else 0,
                    lambda: f"if ({copies[0]} == {copies[-1]}) {self.simple(scope)}",
                ),
                (0.4, lambda: f"{copy} = kept;"),
            ]
            if not scope.in_loop:
                options.append((0.3, lambda: f"q = next({copy});"))
        return [indent + self.pick(*options)] if options else None

    def object_use(self, scope: Scope, indent: str) -> list[str]:
        """Something with objects."""
        pointers = self.locals_of(scope, "O *")
        if not pointers or self.maybe(0.3):
            name = self.fresh(scope, "x")
            scope.locals[name] = "O *"
            made = self.pick(
                (2, lambda: "alloc O or NULL"), (1, lambda: "zalloc O or NULL"), (1, lambda: "alloc O"),
                (3, lambda: "head"),
            )  # fmt: skip
            return [f"{indent}O *{name} = {made};"]
        x = self.rng.choice(pointers)
        if scope.depth == 1 and self.maybe(0.15):  # what a second life of an object finds
            return [
                f"{indent}if ({x} != NULL) {{",
                f"{indent}    {x}->v = {self.rng.randint(1, 2)};",
                f"{indent}    free({x});",
                f"{indent}    {x} = {self.rng.choice(['alloc O or NULL', 'zalloc O or NULL'])};",
                f"{indent}    if ({x} != NULL && {x}->v == 0) {self.simple(scope)}",
                f"{indent}}}",
            ]
        return [
            indent + self.pick(
                (2, lambda: f"if ({x} != NULL) {x}->v = {self.number(scope, 1)};"),
                (1, lambda: f"if ({x} != NULL && {x}->v == 1) {self.simple(scope)}"),
                (2, lambda: f"head = {x};"),
                (1, lambda: "head = NULL;"),
                (1, lambda: f"if ({x} != NULL) free({x});"),
                (1, lambda: f"if ({x} != NULL) {x}->next = head;"),
                (1, lambda: f"if (head == {x}) {self.simple(scope)}"),
                (1, lambda: f"if ({x} != NULL) {x} = {x}->next;"),
            )
        ]  # fmt: skip

    def pointer_use(self, scope: Scope, indent: str) -> list[str] | None:
        """Something through a pointer to a place."""
        pointers = self.locals_of(scope, "int 0..2 *")
        if not pointers:
            return None
        x = self.rng.choice(pointers)
        return [
            indent + self.pick(
                (1, lambda: f"*{x} = {self.number(scope, 1)};"),
                (1, lambda: f"if (*{x} == 1) {self.simple(scope)}"),
                (1, lambda: f"atomic_inc({x});"),
            )
        ]  # fmt: skip

    def set_use(self, scope: Scope, indent: str) -> list[str] | None:
        """Something with sets."""
        sets = [self.place(x, scope) for x in self.of_type("set<P>") if self.usable(x, scope)]
        sets += self.locals_of(scope, "set<P>")
        if not sets:
            return None
        x = self.rng.choice(sets)
        return [
            indent + self.pick(
                (2, lambda: f"{x} += {self.value('P', scope)};"),
                (1, lambda: f"{x} -= {self.value('P', scope)};"),
                (1, lambda: f"{x} = {self.value('set<P>', scope)};"),
                (1, lambda: f"if ({x} == {{}}) {self.simple(scope)}"),
            )
        ]  # fmt: skip

    def list_use(self, scope: Scope, indent: str) -> list[str] | None:
        """Something with lists."""
        lists = [x.name for x in self.of_type("list<P, 2>", array=False)]
        if not lists:
            return None
        x = self.rng.choice(lists)
        return [
            indent + self.pick(
                (2, lambda: f"if ({x}.len() < 2) {x}.push({self.value('P', scope)});"),
                (0.5, lambda: f"{x}.push({self.value('P', scope)});"),
                (1, lambda: f"if ({x}.len() > 0) {x}.pop();"),
                (1, lambda: f"if ({x}.distinct()) {self.simple(scope)}"),
            )
        ]  # fmt: skip

    def struct_use(self, scope: Scope, indent: str) -> list[str]:
        """Something with plain structs."""
        structs = [self.place(x, scope) for x in self.of_type("S") if self.usable(x, scope)]
        x = self.rng.choice(structs)
        return [
            indent + self.pick(
                (2, lambda: f"{x}.x = {self.number(scope, 1)};"),
                (1, lambda: f"{x}.y = {self.boolean(scope, 1)};"),
                (1, lambda: f"{x}.x++;"),
                (1, lambda: f"{x} = {self.rng.choice(structs)};"),
            )
        ]  # fmt: skip

    def union_use(self, scope: Scope, indent: str) -> list[str] | None:
        """Something with unions."""
        unions = self.locals_of(scope, "U")
        if not unions:
            return None
        x = self.rng.choice(unions)
        cases = f"case empty: {self.simple(scope)} case one: ; case num: {self.simple(scope)}"
        return [
            indent + self.pick(
                (1, lambda: f"if ({x}.is(num) && {x}.num == 1) {self.simple(scope)}"),
                (0.3, lambda: f"if ({x}.num == 1) {self.simple(scope)}"),
                (1, lambda: f"switch ({x}) {{ {cases} }}"),
            )
        ]  # fmt: skip

    def claim(self, scope: Scope, indent: str) -> list[str]:
        """An assertion."""
        condition = self.boolean(scope, 1)
        return [
            indent + self.pick(
                (1, lambda: f"assert({condition});"), (1, lambda: f"BUG_ON({condition});"),
                (1, lambda: f"WARN_ON({condition});"),
            )
        ]  # fmt: skip

    def choose(self, scope: Scope, indent: str) -> list[str]:
        """A choice with a condition."""
        name = self.fresh(scope, "P")
        arrays = [x for x in self.variables if x.array == "P" and x.type == "bool"]
        where = ""
        if arrays and self.maybe(0.6):
            where = f" where ({arrays[0].name}[{name}])"
        elif (held := self.locals_of(scope, "P")) and self.maybe(0.5):
            where = f" where ({name} != {held[0]})"
        scope.locals[name] = "P"
        return [f"{indent}choose P {name}{where};"]

    def cover(self, scope: Scope, indent: str) -> list[str]:
        """A goal."""
        name = f"c{len(self.covers)}"
        self.covers.append(name)
        return [f"{indent}cover {name};"]

    def switch(self, scope: Scope, indent: str) -> list[str] | None:
        """A switch on an enum."""
        subject = self.any_read("E", scope)
        if subject is None:
            return None
        lines = [f"{indent}switch ({subject}) {{", f"{indent}case RED:"]
        lines += self.block(scope, 1, indent + "    ")
        lines += [f"{indent}    break;", f"{indent}{self.rng.choice(['case GREEN', 'default'])}:"]
        return [*lines, *self.block(scope, 1, indent + "    "), f"{indent}}}"]

    def irqs(self, scope: Scope, indent: str) -> list[str]:
        """Interrupts off around something."""
        return [
            f"{indent}{{", f"{indent}    irq_disable();", *self.block(scope, 2, indent + "    "),
            f"{indent}    irq_enable();", f"{indent}}}",
        ]  # fmt: skip

    # ------------------------------------------------------------------ the whole

    def declarations(self) -> list[str]:
        """Types, variables and locks."""
        f = self.features
        lines = ["scalarset P;"]
        if f.index:
            lines.append("index I;")
        if f.enum:
            lines.append("enum E { RED, GREEN }")
        if f.word:
            lines.append("word struct W { bool b; P? p; int 0..2 n; }")
        if f.struct:
            lines.append("struct S { int 0..2 x; bool y; }")
        if f.union:
            lines.append("word union U { empty; P one; int 0..2 num; }")
        if f.objects:
            lines.append("object O { int 0..2 v; O *next; }")
        if f.params:
            lines.append("param bool flag = true;")
        if f.locks:
            for i in range(self.rng.randint(1, 2)):
                kind = self.rng.choice(LOCKS)
                array = "P" if self.maybe(0.2) else None
                self.locks.append(Variable(f"l{i}", kind, array))
                lines.append(f"{kind} l{i}{f'[{array}]' if array else ''};")
        pool = ["int 0..2", "int 0..2", "bool", "P?"]
        pool += ["W", "W"] * f.word + ["E"] * f.enum + ["U"] * f.union + ["set<P>"] * f.sets
        wanted = [self.rng.choice(pool) for _ in range(self.rng.randint(2, 3))]
        wanted += [
            t
            for t, on in (("W", f.word), ("E", f.enum), ("S", f.struct), ("S", f.struct))
            if (on and t not in wanted) or (t == "S" and on)
        ]
        if f.lists:
            wanted.append("list<P, 2>")
        if f.pointers and "int 0..2" not in wanted:
            wanted.append("int 0..2")
        for i, kind in enumerate(wanted):
            array = None
            if kind in ("int 0..2", "bool", "P?", "W", "set<P>", "S") and self.maybe(0.25):
                array = self.rng.choice(["P", "I"] if f.index else ["P"])
            if kind == "S" and array == "P":
                array = None
            x = Variable(f"v{i}", kind, array)
            guard = ""
            if f.guards and self.locks and kind not in ("S",) and self.maybe(0.6):
                guard = self.guard(array)
            self.variables.append(x)
            start = ""
            if kind == "int 0..2" and not array and self.maybe(0.3):
                start = " = 1"
            subscript = "" if not array else f"[{array} a]" if "[a]" in guard else f"[{array}]"
            lines.append(f"shared {kind} {x.name}{subscript}{start}{guard};")
        if f.seq:
            self.variables.append(Variable("q", "seq"))
            guard = self.guard(None) if f.guards and self.locks and self.maybe(0.3) else ""
            lines += [f"shared seq q{guard};", "shared seq kept;"]
        if f.objects:
            lines.append("shared O *head;")
            self.variables.append(Variable("head", "O *"))
        if f.ghosts:
            lines += ["ghost int 0..2 g0;", "ghost int 0..2 g1;"]
        return lines

    def guard(self, array: str | None) -> str:
        """A guard."""
        lock = self.rng.choice(self.locks)
        name = lock.name
        if lock.array:
            if array != lock.array:
                return ""
            name = f"{lock.name}[a]"
        read = f"{name}.read" if lock.type in ("rwlock", "rwsem") else name
        write = f"{name}.write" if lock.type in ("rwlock", "rwsem") else name
        return self.pick(
            (2, lambda: f" guarded by {name}"),
            (2, lambda: f" written under {write}"),
            (1 if read != name else 0, lambda: f" written under {write} read under {read} or {write}"),
            (1 if read != name else 0, lambda: f" written under {read} or {write}"),
            (0.5, lambda: f" written under {name} and atomic"),
            (0.3, lambda: " written under atomic"),
        )

    def function(self, number: int) -> list[str]:
        """A function."""
        name = f"f{number}"
        parameters = [("P", "a")]
        if self.maybe(0.4):
            parameters.append(("int 0..2", "k"))
        result = "int" if self.maybe(0.6) else "void"
        scope = Scope({n: k for k, n in parameters}, function=name, result=result == "int")
        self.function_locals[name] = {n: k for k, n in parameters}
        self.budget = self.rng.randint(3, 6)
        body: list[str] = []
        goto = self.maybe(0.3)
        for _ in range(self.rng.randint(2, 4)):
            if self.budget > 0:
                body += self.statement(scope, "    ")
        tail: list[str] = []
        if goto and len(body) >= 1:
            at = self.rng.randint(0, 1)
            condition = self.boolean(Scope({n: k for k, n in parameters}), 1)
            jump = f"    if ({condition}) goto out;"
            body = [jump, *body] if at == 0 else body
            tail = ["out:"] if at == 0 else []
        head = f"{result} {name}({', '.join(f'{k} {n}' for k, n in parameters)})"
        last = []
        if result == "int":
            final = scope if not tail else Scope({n: k for k, n in parameters})
            last = [f"    return {self.number(final, 1)};"]
        elif tail:
            last = ["    ;"]
        self.functions.append((name, parameters, result))
        return [f"{head} {{", *body, *tail, *last, "}"]

    def property_expression(self, depth: int = 0) -> str:
        """A condition over shared and ghost state."""
        scope = Scope({"x": "P"})
        if self.features.index:
            scope.locals["y"] = "I"
        condition = self.boolean(scope, 0)
        for once in ("READ_ONCE", "data_race"):
            condition = condition.replace(once, "")
        if self.features.ghosts and self.maybe(0.5):
            condition = f"({condition}) or g0 == g1"
        if self.locks and self.maybe(0.3):
            lock = self.rng.choice(self.locks)
            held = self.rng.choice(["held", "held_write"] if lock.type in ("rwlock", "rwsem") else ["held"])
            condition = f"({condition}) or {held}({lock.name}{'[x]' if lock.array else ''})"
        if depth == 0 and self.maybe(0.3):
            condition = f"({condition}) implies ({self.property_expression(1)})"
        if depth == 0 and self.maybe(0.15):
            condition = f"count(P z : {self.property_expression(1)}) <= 1"
        return condition

    def quantified(self, condition: str) -> str:
        """A closed property."""
        binders = ["P x"] + (["I y"] if self.features.index else [])
        return f"{self.rng.choice(['forall', 'forall', 'exists'])} ({', '.join(binders)}) : {condition}"

    def properties(self) -> tuple[list[str], list[str]]:
        """Invariants and step properties; their names."""
        lines: list[str] = []
        names: list[str] = []
        for i in range(self.rng.randint(1, 2)):
            unless = ""
            if self.locks and self.locks[0].array is None and self.maybe(0.2):
                unless = f" unless held({self.locks[0].name})"
            lines.append(f"invariant i{i}{unless} {{ {self.quantified(self.property_expression())} }}")
            names.append(f"i{i}")
        if self.maybe(0.3):
            numbers = [x.name for x in self.of_type("int 0..2", array=False)]
            x = self.rng.choice(numbers) if numbers else None
            if x:
                rule = self.rng.choice(
                    [f"{x} >= old({x})", f"{x} == old({x}) or {x} != 0", f"old({x}) <= 1 or actor == actor"]
                )
                lines.append(f"step s0 {{ {rule} }}")
                names.append("s0")
        if self.features.monitors and self.functions:
            name, parameters, _ = self.rng.choice(self.functions)
            other, others, _ = self.rng.choice(self.functions)
            first = ", ".join(["x", *["_"] * (len(parameters) - 1)])
            second = ", ".join(["x", *["_"] * (len(others) - 1)])
            start = self.pick((1, lambda: f"return {name}({first})"), (1, lambda: f"call {name}({first})"))
            end = self.pick(
                (1, lambda: f" until {other}({second})"),
                (1, lambda: f" until return {other}({second})"),
                (1, lambda: ""),
            )
            if self.labels.get(name) and self.maybe(0.4):
                start = f"{name}@{self.labels[name][0]}({first})"
            claim = self.quantified(f"after {start}{end} : {self.property_expression(1)}")
            lines.append(f"invariant m0 {{ {claim.replace('exists', 'forall')} }}")
            names.append("m0")
        if self.features.live_calls and self.functions:
            name, parameters, _ = self.rng.choice(self.functions)
            condition = (
                self.property_expression(1).replace("x", "c.a")
                if self.maybe(0)
                else "c.a == x or " + self.property_expression(1)
            )
            where = ""
            labels = self.labels.get(name, [])
            if labels and self.maybe(0.5):
                where = f"c at @{self.rng.choice(labels)} implies "
            elif len(labels) > 1 and self.maybe(0.8):
                where = f"c in @{labels[0]}..@{labels[1]} implies "
            binder = "I y, P x" if self.features.index else "P x"
            lines.append(f"invariant k0 {{ forall ({name} c) : {where}(exists ({binder}) : {condition}) }}")
            names.append("k0")
        return lines, names

    def process(self, number: int) -> list[str]:
        """A process."""
        f = self.features
        form = self.rng.random()
        locals_: dict[str, str] = {}
        bracket = ""
        if form < 0.2:
            bracket = "[P me]"
            locals_["me"] = "P"
        elif form < 0.35:
            bracket = "[2]"
        hardware = "hardware " if f.hardware and self.maybe(0.3) else ""
        daemon = " daemon" if self.maybe(0.25) else ""
        self.budget = self.rng.randint(2, 4) if bracket else self.rng.randint(2, 6)
        scope = Scope(dict(locals_))
        body: list[str] = []
        if self.functions and self.maybe(0.7):
            name, parameters, _ = self.rng.choice(self.functions)
            arguments = ", ".join(self.value(k, scope) for k, _ in parameters)
            body.append(f"        {name}({arguments});")
            self.budget -= 2
        while self.budget > 0 and len(body) < 8:
            body += self.statement(scope, "        ")
        lines = [f"    {hardware}process p{number}{bracket}{daemon} {{", *body, "    }"]
        if f.interrupts and self.maybe(0.6):
            condition = self.awaited(Scope(dict(locals_)))
            self.budget = 2
            handler = self.block(Scope(dict(locals_)), 2, "        ")
            lines[-1] += f" interrupt ({condition}) {{"
            lines += [*handler, "    }"]
        return lines

    def program(self) -> str:
        """The text."""
        rng, f = self.rng, self.features
        lines = self.declarations()
        for i in range(rng.randint(0, 2)):
            lines += self.function(i)
        processes: list[str] = []
        for i in range(rng.choices([1, 2, 3], [1, 6, 2])[0]):
            processes += self.process(i)
        properties, names = self.properties()
        lines += properties
        lines += ['scenario base "random" {', "    P = 2;"]
        if f.index:
            lines.append("    I = 2;")
        if f.objects:
            lines.append(f"    O = {rng.randint(1, 2)};")
        if f.params:
            lines.append(f"    flag = {rng.choice(['true', 'false', 'any'])};")
        starts = [x for x in self.variables if x.type in ("P?", "bool", "int 0..2")]
        if starts and self.maybe(0.3):
            x = rng.choice(starts)
            if x.array:
                lines.append(f"    init {{ for ({x.array} z) {{ choose {x.name}[z]; }} }}")
            else:
                lines.append(f"    init {{ choose {x.name}; assume ({x.name} == {x.name}); }}")
        lines += processes
        lines.append(f"    check {', '.join(names)};")
        for check in ("no_deadlock", "no_data_race", "no_sleep_in_atomic", "lock_order"):
            if self.maybe(0.75):
                lines.append(f"    check {check};")
        if self.covers:
            lines.append(f"    cover {', '.join(self.covers)};")
        lines.append("}")
        lines += self.mutants()
        return "\n".join(lines) + "\n"

    def mutants(self) -> list[str]:
        """Up to two mutants."""
        lines: list[str] = []
        for i in range(self.rng.randint(0, 2)):
            labels = [(name, label) for name, found in self.labels.items() for label in found]
            if not labels:
                break
            name, label = self.rng.choice(labels)
            others = [x for x in self.labels[name] if x != label]
            edit = f"drop {name}@{label};"
            if others and self.maybe(0.3):
                other = self.rng.choice(others)
                edit = self.rng.choice(
                    [
                        f"move {name}@{label} after {name}@{other};",
                        f"swap {name}@{label} with {name}@{other};",
                    ]
                )
            elif self.maybe(0.3):
                edit = f"insert {{ {self.simple(Scope())} }} {self.rng.choice(['before', 'after'])} {name}@{label};"
            elif self.maybe(0.2):
                edit = f"replace {name}@{label} with {{ {self.simple(Scope())} }}"
            lines.append(f'mutant m{i} of base "random" {{ {edit} }}')
        return lines


LOCAL_START = (
    "int ", "bool ", "P ", "P? ", "seq ", "W ", "E ", "U ", "set<P> ", "I ", "O *", "choose ", "{ int", "case", ";",
)  # fmt: skip


def generate(seed: int) -> str:
    """The program of a seed."""
    return Generator(random.Random(seed)).program()


def programs() -> st.SearchStrategy[str]:
    """Programs for hypothesis, drawn through its own source of randomness."""
    return st.randoms(use_true_random=False).map(lambda rng: Generator(rng).program())
