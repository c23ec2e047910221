# SPDX-License-Identifier: GPL-2.0-only
"""A program as Promela, for SPIN: a `d_step` for each step, a proctype for each process, a never claim for each claim.

All data is global, so that claims can name it.  A local that holds nothing is `unset`, a number that nothing is.
Choices are written out: an inline for each step that chooses, used once for each value.
"""

from __future__ import annotations

from kvmcheck.export.lines import Lines, comment_of, header_lines
from kvmcheck.export.model import (
    Claim,
    Model,
    can_step,
    has_to_wait,
    in_order,
    instances,
)
from kvmcheck.export.scalars import (
    FALSE,
    TRUE,
    Apply,
    Cell,
    Kind,
    Location,
    Members,
    Number,
    Operator,
    Quantified,
    Scalar,
    Symbol,
    Truth,
    Unset,
    conjunction,
    disjunction,
    substituted,
    values_of,
)
from kvmcheck.export.shapes import Leaf
from kvmcheck.export.trees import (
    Assign,
    Assignment,
    Blocked,
    Done,
    Empty,
    Fail,
    Fork,
    Note,
    Tree,
    fails,
    goes,
)
from kvmcheck.export.world import Proc
from kvmcheck.semantics.program import Check

_WORDS = """
    active assert atomic bit bool break byte c_code c_decl c_expr c_state c_track chan d_proctype d_step do else
    empty enabled end eval false fi for full get_p goto hidden if in init inline int len local ltl mtype nempty never
    nfull notrace np_ od of pc_value pid print printf printm priority proctype provided return run select set_p short
    show skip timeout trace true typedef unless unsigned xr xs always eventually until weakuntil stronguntil release
    implies equivalent not or and next now pan state p accept progress stop trail depth reached
    which_one addproc air0 air1 air2 g_int g_long ifnotblocked index max offsetof pansource pclaim pinit pp spinversion
    stacksize unblock bfs_do_store cas enter_critical final get16bits get_permuted getframe grab_state iam_alive
    leave_critical maxseq0 maxseq1 minseq0 minseq1 mix onstack_now onstack_put onstack_zap pptr pthread_equal q_sz qptr
    rot wasnew
"""
RESERVED = frozenset(_WORDS.split())

_SIGNS = {
    Operator.AND: "&&",
    Operator.OR: "||",
    Operator.EQUAL: "==",
    Operator.LESS: "<",
    Operator.LESS_EQUAL: "<=",
    Operator.ADD: "+",
    Operator.SUBTRACT: "-",
    Operator.MULTIPLY: "*",
    Operator.DIVIDE: "/",
    Operator.MODULO: "%",
    Operator.BIT_AND: "&",
    Operator.BIT_OR: "|",
    Operator.BIT_XOR: "^",
    Operator.SHIFT_LEFT: "<<",
    Operator.SHIFT_RIGHT: ">>",
    Operator.UNION: "|",
    Operator.INTERSECT: "&",
}


class Promela:
    """The text of one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.world = model.world
        self.constants: dict[tuple[str, int], str] = {}
        self.unset = ""
        self.started = ""
        self.kept: dict[str, str] = {}
        self.threads: dict[str, str] = {}
        self.running: list[Proc] = []

    def text(self) -> str:
        """All of it."""
        self.unset = self.world.names.take("unset")
        self.started = self.world.names.take("started")
        self.threads = {p.name: self.world.names.take(f"{p.name}_thread") for p in self.world.procs}
        body = Lines("//")
        self._forgets(body)
        for proc in self.world.procs:
            if proc.size:
                self._proctype(proc, body)
        self._init(body)
        self._claims(body)
        head = Lines("//")
        header_lines(head, self.model)
        for behaviour in self.model.behaviours:
            for number, name in enumerate(behaviour.locations):
                head.put(f"#define {name} {number}")
            head.put()
        for (_, value), name in self.constants.items():
            head.put(f"#define {name} ({value})")
        head.put(f"#define {self.unset} ({self.world.shapes.unset})")
        head.put()
        head.put(f"bool {self.started};  // false in SPIN's first state, which is before `init`")
        self._variables(head)
        for name in self.kept.values():
            head.put(f"hidden int {name};")
        head.put()
        return head.text() + body.text()

    # -------------------------------------------------------------------------- expressions

    def _constant(self, number: Number) -> str:
        key = (number.name, number.value)
        if key not in self.constants:
            known = self.world.constants.get(number.name)
            self.constants[key] = known or self.world.names.take(number.name)
        return self.constants[key]

    def expr(self, scalar: Scalar) -> str:
        """An expression."""
        match scalar:
            case Number(value=value, name=name):
                return self._constant(scalar) if name else str(value)
            case Truth(value=truth):
                return "true" if truth else "false"
            case Members(mask=mask):
                return str(mask)
            case Location(name=name) | Symbol(name=name):
                return name
            case Unset():
                return self.unset
            case Cell():
                return self._cell(scalar)
            case Quantified():
                return self.expr(_unrolled(scalar))
            case Apply():
                return self._applied(scalar)

    def _cell(self, cell: Cell) -> str:
        if cell.variable in {proc.name for proc in self.world.procs}:
            index = "".join(f"[{self.expr(index)}]" for index in cell.indices)
        else:
            index = self._element(cell)
        return f"{cell.variable}{index}" + (f".{cell.path}" if cell.path else "")

    def _element(self, cell: Cell) -> str:
        """Arrays have one dimension: the elements are numbered in a row."""
        stored = next(s for s in self.world.stored if s.name == cell.variable)
        text = ""
        for place, (index, size) in enumerate(zip(cell.indices, stored.sizes, strict=True)):
            here = self.expr(index) if len(cell.indices) == 1 else self._in(index)
            text = here if place == 0 else f"{text if place == 1 else f'({text})'} * {size} + {here}"
        return f"[{text}]" if text else ""

    def _in(self, scalar: Scalar) -> str:
        """An expression as a part of another."""
        if isinstance(scalar, Quantified):
            return self._in(_unrolled(scalar))
        text = self.expr(scalar)
        match scalar:
            case Apply(operator=Operator.IF):
                return text
            case Apply(operator=Operator.NOT) if text.startswith("!"):
                return text
            case Number(value=value, name=""):
                return text if value >= 0 else f"({text})"
            case Apply():
                return f"({text})"
            case _:
                return text

    def _applied(self, scalar: Apply) -> str:
        operator, parts = scalar.operator, scalar.arguments
        match operator:
            case Operator.NOT:
                inner = parts[0]
                if isinstance(inner, Apply) and inner.operator is Operator.EQUAL:
                    return f"{self._in(inner.arguments[0])} != {self._in(inner.arguments[1])}"
                return f"!{self._in(inner)}"
            case Operator.IF:
                return f"({self._in(parts[0])} -> {self._in(parts[1])} : {self._in(parts[2])})"
            case Operator.IS_UNSET:
                return f"{self.expr(parts[0])} == {self.unset}"
            case Operator.HAS:
                return f"({self._in(parts[0])} >> {self._in(parts[1])}) & 1"
            case Operator.WITH:
                return f"{self._in(parts[0])} | (1 << {self._in(parts[1])})"
            case Operator.WITHOUT:
                return f"{self._in(parts[0])} & ~(1 << {self._in(parts[1])})"
            case Operator.MINUS:
                return f"{self._in(parts[0])} & ~{self._in(parts[1])}"
            case _:
                return f" {_SIGNS[operator]} ".join(self._in(part) for part in parts)

    # -------------------------------------------------------------------------- declarations

    def _type(self, leaf: Leaf, *, unset: bool) -> str:
        low = self.world.shapes.unset if unset else leaf.low
        high = (1 << leaf.size) - 1 if leaf.kind is Kind.SET else leaf.high
        assert high is not None
        if leaf.kind is Kind.BOOL and not unset:
            return "bool"
        if low >= 0 and high <= 255:
            return "byte"
        return "short" if low >= -32768 and high <= 32767 else "int"

    def _variables(self, lines: Lines) -> None:
        for stored in self.world.stored:
            total = 1
            for size in stored.sizes:
                total *= size
            array = f"[{total}]" if stored.sizes else ""
            said = "" if stored.spec_name == stored.name else f"  // {stored.spec_name}"
            if len(stored.sizes) > 1:
                said += "  // " + " x ".join(map(str, stored.sizes))
            if len(stored.fields) == 1 and not stored.fields[0].name:
                kind = self._type(stored.fields[0].leaf, unset=False)
            else:
                kind = self.world.names.take(f"{stored.name}_record")
                parts = "; ".join(f"{self._type(f.leaf, unset=False)} {f.name}" for f in stored.fields)
                lines.put(f"typedef {kind} {{ {parts} }}")
            lines.put(f"{kind} {stored.name}{array};{said}")
        for proc in self.world.procs:
            if proc.size:
                self._record(proc, lines)

    def _record(self, proc: Proc, lines: Lines) -> None:
        kind = self.world.names.take(f"{proc.name}_record")
        lines.put(f"typedef {kind} {{")
        fields: list[str] = []
        for behaviour in self.model.of(proc):
            wide = "byte" if len(behaviour.locations) <= 256 else "short"
            fields.append(f"{wide} {behaviour.code.pc}")
            for parts in behaviour.code.locals:
                for part in self.model.kept(proc, parts):
                    fields.append(f"{self._type(part.leaf, unset=True)} {part.name}")
        if proc.depth:
            fields.append(f"byte {proc.depth}")
        with lines.indented():
            for number, text in enumerate(fields):
                lines.put(text + (";" if number < len(fields) - 1 else ""))
        lines.put("}")
        lines.put(f"{kind} {proc.name}{'' if proc.size == 1 else f'[{proc.size}]'};")

    def _me(self, proc: Proc) -> str:
        return "" if proc.size == 1 else proc.self_symbol.name

    def _forgets(self, lines: Lines) -> None:
        for behaviour in self.model.behaviours:
            proc = behaviour.proc
            fields = [p for parts in behaviour.code.locals for p in self.model.kept(proc, parts)]
            if not fields:
                continue
            which = "handler" if behaviour.code.idle else "main"
            name = self.world.names.take(f"forget_{proc.name}" + ("_handler" if behaviour.code.idle else ""))
            self.world.forgetting[f"{proc.name} {which}"] = name
            me = "" if proc.size == 1 else "which_one"
            lines.put("// At its end a body's locals hold nothing.")
            lines.put(f"inline {name}({me}) {{")
            for number, part in enumerate(fields):
                cell = proc.cell(part.name, Symbol(me, Kind.INT, 0, 0), part.leaf.kind)
                end = ";" if number < len(fields) - 1 else ""
                lines.put(f"  {self._cell(cell)} = {self.unset}{end}")
            lines.put("}")
            lines.put()

    # -------------------------------------------------------------------------- steps

    def _proctype(self, proc: Proc, lines: Lines) -> None:
        inlines = Lines("//")
        options = Lines("//")
        options.depth = 1
        for behaviour in self.model.of(proc):
            for step in behaviour.steps:
                guard = conjunction((behaviour.at(step), goes(step.tree)))
                if guard == FALSE:
                    continue
                if not step.symbols:
                    options.put(f":: d_step {{ {self.expr(guard)} ->")
                    with options.indented():
                        self._body(step.tree, options)
                    options.put("}")
                    continue
                name = self.world.names.take(f"do_{step.location}")
                inlines.put(f"inline {name}({', '.join(s.name for s in step.symbols)}) {{")
                with inlines.indented():
                    self._body(step.tree, inlines)
                inlines.put("}")
                inlines.put()
                for given in instances(step.symbols, (guard, *step.symbols)):
                    if given[0] != FALSE:
                        values = ", ".join(self._argument(value) for value in given[1:])
                        options.put(f":: d_step {{ {self.expr(given[0])} -> {name}({values}) }}")
        if not options.text():
            return  # it has ended from the start, and a process without a step is one that SPIN gives one
        self.running.append(proc)
        me = "" if proc.size == 1 else f"byte {self._me(proc)}"
        for line in inlines.text().splitlines():
            lines.put(line)
        lines.put(f"proctype {self.threads[proc.name]}({me}) {{")
        lines.put("end:")
        lines.put("  do")
        for line in options.text().splitlines():
            lines.put(line)
        lines.put("  od")
        lines.put("}")
        lines.put()

    def _argument(self, value: Scalar) -> str:
        if isinstance(value, Truth):
            return str(int(value.value))
        return f"({self.expr(value)})" if isinstance(value, Number) and value.value < 0 else self.expr(value)

    def _body(self, tree: Tree, lines: Lines) -> None:
        """A step's statements.  One that fails behind an assignment is told before it: SPIN goes on from there."""
        late = _fails_late(tree)
        if late and fails(tree) == TRUE:
            lines.put("assert(false)")
            return
        if late:
            lines.put("if")
            lines.put(f":: {self.expr(fails(tree))} -> assert(false)")
            lines.put(":: else ->")
            lines.depth += 1
        self._statements(tree, lines, fails_here=not late)
        if late:
            lines.depth -= 1
            lines.put("fi")

    def _statements(self, tree: Tree, lines: Lines, *, fails_here: bool, before: bool = False) -> None:
        statements: list[str] = []
        self._tree(tree, statements, 0, fails_here=fails_here, before=before)
        # A semicolon separates: none behind the last statement of a sequence, none before `fi`.
        for number, text in enumerate(statements):
            following = next((s for s in statements[number + 1 :] if not s.strip().startswith("//")), "")
            bare = text.strip()
            opens = bare == "if" or bare.startswith(("::", "//"))
            last = not following or following.strip().startswith(("fi", "::"))
            lines.put(text if opens or last else f"{text};")

    def _tree(self, tree: Tree, out: list[str], depth: int, *, fails_here: bool, before: bool) -> None:
        pad = "  " * depth

        def inner(then: Tree, deeper: int = 0) -> None:
            self._tree(then, out, depth + deeper, fails_here=fails_here, before=before)

        match tree:
            case Note(span=span, then=then):
                text = f"{pad}// {comment_of(span)}"
                if comment_of(span) and text.strip() not in [line.strip() for line in out]:
                    out.append(text)
                inner(then)
            case Assign(now=now, before=earlier, then=then, forgets=forgets):
                if forgets and not before:
                    if forgets in self.world.forgetting:
                        me = ", ".join(self.expr(i) for i in now[0].cell.indices)
                        out.append(f"{pad}{self.world.forgetting[forgets]}({me})")
                else:
                    out += [pad + text for text in self._assign(earlier if before else now, before=before)]
                inner(then)
            case Fork(condition=condition, before=pre, yes=yes, no=no):
                ways = [(yes, no), (no, yes)]
                for way, other in ways:
                    ended = _ending(way)
                    if isinstance(ended, (Blocked, Empty)) or (not fails_here and isinstance(ended, Fail)):
                        inner(other)
                        return
                out.append(f"{pad}if")
                out.append(f"{pad}:: {self.expr(pre if before else condition)} ->")
                self._way(yes, out, depth, fails_here=fails_here, before=before)
                out.append(f"{pad}:: else ->")
                self._way(no, out, depth, fails_here=fails_here, before=before)
                out.append(f"{pad}fi")
            case Fail(check=check, text=text, span=span):
                said = "".join(c if c.isalnum() or c in " _-.,()" else " " for c in f"{check.value}: {text}")
                out.append(f"{pad}// {said} ({span.line})")
                out.append(f"{pad}assert(false)")
            case Blocked() | Empty() | Done():
                pass

    def _way(self, tree: Tree, out: list[str], depth: int, *, fails_here: bool, before: bool) -> None:
        start = len(out)
        self._tree(tree, out, depth + 1, fails_here=fails_here, before=before)
        if all(line.strip().startswith("//") for line in out[start:]):
            out.append(f"{'  ' * (depth + 1)}skip")

    def _assign(self, assignments: tuple[Assignment, ...], *, before: bool) -> list[str]:
        shown = [a for a in assignments if self.model.has(a) and (not before or self._is_stored(a.cell))]
        ordered, kept = in_order(shown) if not before else (shown, [])
        out: list[str] = []
        for symbol, assignment in kept:
            if symbol.name not in self.kept:
                self.kept[symbol.name] = self.world.names.take(symbol.name)
            out.append(f"{self.kept[symbol.name]} = {self.expr(assignment.value)}")
        for assignment in ordered:
            value = assignment.value
            text = self.kept[value.name] if isinstance(value, Symbol) and value.name in self.kept else ""
            out.append(f"{self._cell(assignment.cell)} = {text or self.expr(value)}")
        return out

    def _is_stored(self, cell: Cell) -> bool:
        return any(stored.name == cell.variable for stored in self.world.stored)

    # -------------------------------------------------------------------------- the start

    def _init(self, lines: Lines) -> None:
        init = self.model.init
        name = ""
        if init is not None and init.symbols:
            name = self.world.names.take("do_init")
            lines.put(f"inline {name}({', '.join(s.name for s in init.symbols)}) {{")
            with lines.indented():
                self._statements(init.tree, lines, fails_here=True, before=True)
            lines.put("}")
            lines.put()
        lines.put("init {")
        lines.put("  atomic {")
        with lines.indented(), lines.indented():
            if init is not None:
                lines.put("if")
                for given in instances(init.symbols, (goes(init.tree), *init.symbols)):
                    if given[0] == FALSE:
                        continue
                    values = ", ".join(self._argument(value) for value in given[1:])
                    lines.put(f":: {self.expr(given[0])} ->")
                    with lines.indented():
                        self._defaults(lines)
                        if name:
                            lines.put(f"{name}({values})")
                        else:
                            self._statements(init.tree, lines, fails_here=True, before=True)
                lines.put("fi;")
            else:
                self._defaults(lines)
            self._runs(lines)
        lines.put("  }")
        lines.put("}")
        lines.put()

    def _defaults(self, lines: Lines) -> None:
        for stored in self.world.stored:
            total = 1
            for size in stored.sizes:
                total *= size
            for element in range(total):
                index = f"[{element}]" if stored.sizes else ""
                for part, value in zip(stored.fields, stored.initial, strict=True):
                    text = self.expr(value)
                    if value in (Number(0), FALSE, Members(0, 0)):
                        continue
                    path = f".{part.name}" if part.name else ""
                    lines.put(f"{stored.name}{index}{path} = {text};")
        for proc in self.world.procs:
            for instance in range(proc.size):
                for behaviour in self.model.of(proc):
                    which = "handler" if behaviour.code.idle else "main"
                    forget = self.world.forgetting.get(f"{proc.name} {which}")
                    if forget:
                        lines.put(f"{forget}({'' if proc.size == 1 else instance});")

    def _runs(self, lines: Lines) -> None:
        runs = [
            f"run {self.threads[proc.name]}({'' if proc.size == 1 else instance})"
            for proc in self.running
            for instance in range(proc.size)
        ]
        lines.put(f"{self.started} = true" + (";" if runs else ""))
        for number, text in enumerate(runs):
            lines.put(text + (";" if number < len(runs) - 1 else ""))

    # -------------------------------------------------------------------------- claims

    def _claims(self, lines: Lines) -> None:
        claims = list(self.model.invariants)
        if Check.NO_DEADLOCK in self.model.program.checks:
            claims.append(self._deadlock())
        for claim in claims:
            text = comment_of(claim.span)
            if text:
                lines.put(f"// {text}")
            name = self.world.names.take(f"{claim.name}_holds")
            lines.put(f"#define {name} ({self.expr(claim.condition)})")
            lines.put(f"never {claim.name} {{  // ends where it does not hold")
            lines.put("  do")
            lines.put(f"  :: {self.started} && !{name} -> break")
            lines.put("  :: else")
            lines.put("  od")
            lines.put("}")
            lines.put()

    def _deadlock(self) -> Claim:
        """Somebody who should end has to wait, and nobody but hardware can step."""
        moves: list[Scalar] = []
        waits: list[Scalar] = []
        for proc in self.world.procs:
            if proc.process.hardware or not proc.size:
                continue
            for instance in range(proc.size):
                me = {proc.self_symbol: Number(instance)}
                moves.append(substituted(can_step(self.model, proc), me))
                if not proc.process.daemon:
                    waits.append(substituted(has_to_wait(self.model, proc), me))
        stuck = Apply(
            Operator.NOT,
            (conjunction((disjunction(waits), Apply(Operator.NOT, (disjunction(moves),), Kind.BOOL))),),
            Kind.BOOL,
        )
        return Claim(self.world.names.take("no_deadlock"), stuck, self.model.program.span)


def _unrolled(scalar: Quantified) -> Scalar:
    cases = [substituted(scalar.body, {scalar.symbol: value}) for value in values_of(scalar.symbol)]
    return conjunction(cases) if scalar.every else disjunction(cases)


def _ending(tree: Tree) -> Tree:
    while isinstance(tree, (Note, Assign)):
        tree = tree.then
    return tree


def _fails_late(tree: Tree, assigned: bool = False) -> bool:
    """Whether a check fails behind an assignment."""
    match tree:
        case Note(then=then):
            return _fails_late(then, assigned)
        case Assign(then=then):
            return _fails_late(then, True)
        case Fork(yes=yes, no=no):
            return _fails_late(yes, assigned) or _fails_late(no, assigned)
        case Fail():
            return assigned
        case _:
            return False


def write(model: Model) -> str:
    """The text."""
    return Promela(model).text()
