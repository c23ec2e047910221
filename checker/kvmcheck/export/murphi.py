# SPDX-License-Identifier: GPL-2.0-only
"""A program as Murphi, for Rumur: a rule for each step, a record for each process, invariants.

A local that holds nothing is `undefined`.  A failed check is an `error`, after which Rumur forgets the step.
"""

from __future__ import annotations

from kvmcheck.export.lines import Lines, comment_of, header_lines
from kvmcheck.export.model import Behaviour, Claim, Model, can_step, has_to_wait, in_order
from kvmcheck.export.scalars import (
    FALSE,
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
    goes,
)
from kvmcheck.export.world import DEEPEST_IRQ, Proc
from kvmcheck.semantics.program import Check
from kvmcheck.semantics.sorts import EnumSort, IdSort, Sort, ThreadSort, member_count

_WORDS = """
    alias array assert assume begin boolean by case clear const cover do else elsif end endalias endexists endfor
    endforall endfunction endif endprocedure endrecord endrule endruleset endstartstate endswitch endwhile enum error
    exists false for forall from function if import in interleaved invariant isundefined ismember liveness multiset
    multisetadd multisetcount multisetremove multisetremovepred of procedure process program property put record real
    return rule ruleset scalarset startstate string switch symmetry then to traceuntil true type undefine union var
    while choose external onfail each at0 at1 at2 at3 at4 at5
"""
RESERVED = frozenset(_WORDS.split())

_SIGNS = {
    Operator.AND: "&",
    Operator.OR: "|",
    Operator.EQUAL: "=",
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


class Murphi:
    """The text of one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.world = model.world
        self.constants: dict[tuple[str, int], str] = {}
        self.types: dict[str, tuple[str, int]] = {}

    def text(self) -> str:
        """All of it."""
        body = Lines("--")
        self._variables(body)
        self._procedures(body)
        self._start(body)
        for behaviour in self.model.behaviours:
            self._rules(behaviour, body)
        self._claims(body)
        head = Lines("--")
        header_lines(head, self.model)
        if self.constants:
            head.put("const")
            for (_, value), name in self.constants.items():
                head.put(f"  {name}: {value};")
            head.put()
        head.put("type")
        for name, size in self.types.values():
            head.put(f"  {name}: 0..{size - 1};")
        for behaviour in self.model.behaviours:
            kind = self._location_type(behaviour)
            head.put(f"  {kind}: enum {{ {', '.join(behaviour.locations)} }};")
        head.put()
        return head.text() + body.text()

    # -------------------------------------------------------------------------- names and types

    def _constant(self, number: Number) -> str:
        key = (number.name, number.value)
        if key not in self.constants:
            known = self.world.constants.get(number.name)
            self.constants[key] = known or self.world.names.take(number.name)
        return self.constants[key]

    def _type_name(self, name: str, size: int) -> str:
        if name not in self.types:
            self.types[name] = (self.world.names.take(name, f"{name}_type"), size)
        return self.types[name][0]

    def _location_type(self, behaviour: Behaviour) -> str:
        kind = f"{behaviour.proc.name}_{'handler_' if behaviour.code.idle else ''}location"
        return self._types_of_locations.setdefault(kind, self.world.names.take(kind))

    @property
    def _types_of_locations(self) -> dict[str, str]:
        return self.world.location_types

    def _leaf_type(self, leaf: Leaf) -> str:
        if leaf.kind is Kind.BOOL:
            return "boolean"
        if leaf.kind is Kind.SET:
            return f"0..{(1 << leaf.size) - 1}"
        assert leaf.high is not None
        if leaf.optional:
            return f"{self._constant(self.world.shapes.nothing('none'))}..{leaf.high}"
        if leaf.type and leaf.low == 0:
            return self._type_name(leaf.type, leaf.high + 1)
        return f"{leaf.low}..{leaf.high}"

    def _dimension(self, sort: Sort) -> str:
        if isinstance(sort, (IdSort, EnumSort)):
            return self._type_name(sort.name, member_count(sort))
        if isinstance(sort, ThreadSort):
            return self._type_name("Thread", member_count(sort))
        return f"0..{member_count(sort) - 1}"

    def _symbol_type(self, symbol: Symbol) -> str:
        if symbol.kind is Kind.BOOL:
            return "boolean"
        if symbol.kind is Kind.SET:
            return f"0..{(1 << symbol.high) - 1}"
        if symbol.low == self.world.shapes.none:
            return f"{self._constant(self.world.shapes.nothing('none'))}..{symbol.high}"
        return f"{symbol.low}..{symbol.high}"

    # -------------------------------------------------------------------------- expressions

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
                return "undefined"
            case Cell():
                return self._cell(scalar)
            case Quantified(every=every, symbol=symbol, body=body):
                word = "forall" if every else "exists"
                return f"({word} {symbol.name}: {self._symbol_type(symbol)} do {self.expr(body)} end)"
            case Apply():
                return self._applied(scalar)

    def _cell(self, cell: Cell) -> str:
        indices = "".join(f"[{self.expr(index)}]" for index in cell.indices)
        return f"{cell.variable}{indices}" + (f".{cell.path}" if cell.path else "")

    def _in(self, scalar: Scalar) -> str:
        """An expression as a part of another."""
        text = self.expr(scalar)
        match scalar:
            case Apply(operator=Operator.IF | Operator.IS_UNSET):
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
                return f"({self._in(parts[0])} ? {self._in(parts[1])} : {self._in(parts[2])})"
            case Operator.IS_UNSET:
                return f"isundefined({self.expr(parts[0])})"
            case Operator.HAS:
                return f"((({self.expr(parts[0])}) >> {self._in(parts[1])}) & 1) = 1"
            case Operator.WITH:
                return f"({self.expr(parts[0])}) | (1 << {self._in(parts[1])})"
            case Operator.WITHOUT:
                # What is in the set is taken out of it; no complement, whose width nobody knows.
                one = f"(1 << {self._in(parts[1])})"
                return f"(({self.expr(parts[0])}) | {one}) ^ {one}"
            case Operator.MINUS:
                a, b = self._in(parts[0]), self._in(parts[1])
                return f"({a} | {b}) ^ {b}"
            case _:
                return f" {_SIGNS[operator]} ".join(self._in(part) for part in parts)

    # -------------------------------------------------------------------------- declarations

    def _variables(self, lines: Lines) -> None:
        lines.put("var")
        for stored in self.world.stored:
            dims = "".join(f"array [{self._dimension(d)}] of " for d in stored.dimensions)
            if len(stored.fields) == 1 and not stored.fields[0].name:
                kind = self._leaf_type(stored.fields[0].leaf)
            else:
                parts = "; ".join(f"{f.name}: {self._leaf_type(f.leaf)}" for f in stored.fields)
                kind = f"record {parts}; end"
            said = "" if stored.spec_name == stored.name else f"  -- {stored.spec_name}"
            lines.put(f"  {stored.name}: {dims}{kind};{said}")
        for proc in self.world.procs:
            if proc.size:
                self._record(proc, lines)
        lines.put()

    def _record(self, proc: Proc, lines: Lines) -> None:
        array = "" if proc.size == 1 else f"array [0..{proc.size - 1}] of "
        lines.put(f"  {proc.name}: {array}record")
        for behaviour in self.model.of(proc):
            lines.put(f"    {behaviour.code.pc}: {self._location_type(behaviour)};")
            for local, parts in zip(behaviour.code.body.locals, behaviour.code.locals, strict=True):
                function = behaviour.code.body.frames[local.frame].function
                for part in self.model.kept(behaviour.proc, parts):
                    said = f"  -- of {function}" if function and part is parts[0] else ""
                    lines.put(f"    {part.name}: {self._leaf_type(part.leaf)};{said}")
        if proc.depth:
            lines.put(f"    {proc.depth}: 0..{DEEPEST_IRQ};")
        lines.put("  end;")

    def _me(self, proc: Proc) -> str:
        return "" if proc.size == 1 else f"{proc.self_symbol.name}: 0..{proc.size - 1}"

    def _forgetting(self, behaviour: Behaviour) -> str:
        return f"{behaviour.proc.name} {'handler' if behaviour.code.idle else 'main'}"

    def _procedures(self, lines: Lines) -> None:
        for behaviour in self.model.behaviours:
            proc = behaviour.proc
            fields = [p for parts in behaviour.code.locals for p in self.model.kept(proc, parts)]
            if not fields:
                continue
            key = self._forgetting(behaviour)
            name = self.world.names.take(f"forget_{key.removesuffix(' main')}")
            self.world.forgetting[key] = name
            lines.put("-- At its end a body's locals hold nothing.")
            lines.put(f"procedure {name}({self._me(behaviour.proc)});")
            lines.put("begin")
            for part in fields:
                lines.put(f"  undefine {self._cell(proc.cell(part.name, proc.me))};")
            lines.put("end;")
            lines.put()

    # -------------------------------------------------------------------------- the start

    def _start(self, lines: Lines) -> None:
        init = self.model.init
        symbols = () if init is None else init.symbols
        if symbols:
            lines.put("ruleset " + "; ".join(f"{s.name}: {self._symbol_type(s)}" for s in symbols) + " do")
        lines.put("startstate")
        lines.put("begin")
        with lines.indented():
            for stored in self.world.stored:
                indices = []
                for place, dimension in enumerate(stored.dimensions):
                    index = f"at{place}"
                    lines.put(f"for {index}: {self._dimension(dimension)} do")
                    lines.depth += 1
                    indices.append(Symbol(index, Kind.INT, 0, 0))
                for part, value in zip(stored.fields, stored.initial, strict=True):
                    cell = Cell(stored.name, part.name, tuple(indices), part.leaf.kind)
                    lines.put(f"{self._cell(cell)} := {self.expr(value)};")
                for _ in stored.dimensions:
                    lines.depth -= 1
                    lines.put("end;")
            for proc in self.world.procs:
                self._start_of(proc, lines)
            if init is not None:
                possible = goes(init.tree)
                if possible != Truth(True):
                    lines.put(f"assume {self.expr(possible)};")
                self._tree(init.tree, lines, before=True)
        lines.put("end;")
        if symbols:
            lines.put("end;")
        lines.put()

    def _start_of(self, proc: Proc, lines: Lines) -> None:
        if not proc.size:
            return
        if proc.size > 1:
            lines.put(f"for each: 0..{proc.size - 1} do")
            lines.depth += 1
        me = Symbol("each", Kind.INT, 0, 0)
        for behaviour in self.model.of(proc):
            cell = proc.cell(behaviour.code.pc, me)
            lines.put(f"{self._cell(cell)} := {behaviour.locations[0]};")
        if proc.depth:
            lines.put(f"{self._cell(proc.cell(proc.depth, me))} := 0;")
        if proc.size > 1:
            lines.depth -= 1
            lines.put("end;")

    # -------------------------------------------------------------------------- rules

    def _rules(self, behaviour: Behaviour, lines: Lines) -> None:
        proc = behaviour.proc
        for step in behaviour.steps:
            guard = behaviour.guard(step)
            if guard == FALSE:
                continue
            parameters = [self._me(proc)] if proc.size > 1 else []
            parameters += [f"{s.name}: {self._symbol_type(s)}" for s in step.symbols]
            if parameters:
                lines.put(f"ruleset {'; '.join(parameters)} do")
            lines.put(f'rule "{step.location}"')
            with lines.indented():
                lines.put(self.expr(guard))
            lines.put("==>")
            kept = self._kept(step.tree)
            for name, kind in kept.items():
                lines.put(f"  var {name}: {kind};")
            lines.put("begin")
            with lines.indented():
                self._tree(step.tree, lines)
            lines.put("end;")
            if parameters:
                lines.put("end;")
            lines.put()

    def _kept(self, tree: Tree) -> dict[str, str]:
        """The values that a rule keeps while it assigns, with their types."""
        found: dict[str, str] = {}
        for group in _groups(tree):
            for symbol, assignment in in_order(group)[1]:
                cell = assignment.cell
                kind = self._leaf_type(self.model.fields[cell.variable, cell.path].leaf)
                found[f"{symbol.name}_{_word(kind)}"] = kind
        return found

    def _tree(self, tree: Tree, lines: Lines, *, before: bool = False) -> None:
        match tree:
            case Note(span=span, then=then):
                lines.note(comment_of(span))
                self._tree(then, lines, before=before)
            case Assign(now=now, before=earlier, then=then, forgets=forgets):
                if forgets and not before:
                    if forgets not in self.world.forgetting:
                        self._tree(then, lines, before=before)
                        return
                    me = now[0].cell.indices
                    lines.put(f"{self.world.forgetting[forgets]}({', '.join(map(self.expr, me))});")
                else:
                    self._assign(earlier if before else now, lines, before=before)
                self._tree(then, lines, before=before)
            case Fork(condition=condition, before=pre, yes=yes, no=no):
                if isinstance(_ending(yes), (Blocked, Empty)):
                    self._tree(no, lines, before=before)
                elif isinstance(_ending(no), (Blocked, Empty)):
                    self._tree(yes, lines, before=before)
                else:
                    self._test(pre if before else condition, yes, no, lines, before=before)
            case Fail(check=check, text=text, span=span):
                where = f"{span.source.path}:{span.line}"
                lines.put(f'error "{check.value}: {_quoted(text)} ({_quoted(where)})";')
            case Blocked() | Empty() | Done():
                pass

    def _test(self, condition: Scalar, yes: Tree, no: Tree, lines: Lines, *, before: bool) -> None:
        ways = []
        for way in (yes, no):
            text = Lines("--")
            self._tree(way, text, before=before)
            ways.append(text.text().splitlines())
        if not any(line and not line.lstrip().startswith("--") for way in ways for line in way):
            return
        lines.put(f"if {self.expr(condition)} then")
        with lines.indented():
            for line in ways[0]:
                lines.put(line)
        lines.put("else")
        with lines.indented():
            for line in ways[1]:
                lines.put(line)
        lines.put("end;")

    def _assign(self, assignments: tuple[Assignment, ...], lines: Lines, *, before: bool) -> None:
        shown = [a for a in assignments if self.model.has(a) and (not before or self._is_stored(a.cell))]
        ordered, kept = in_order(shown) if not before else (shown, [])
        names: dict[str, str] = {}
        for symbol, assignment in kept:
            cell = assignment.cell
            kind = self._leaf_type(self.model.fields[cell.variable, cell.path].leaf)
            names[symbol.name] = f"{symbol.name}_{_word(kind)}"
            lines.put(f"{names[symbol.name]} := {self.expr(assignment.value)};")
        for assignment in ordered:
            cell, value = assignment.cell, assignment.value
            target = self._cell(cell)
            match value:
                case Unset():
                    lines.put(f"undefine {target};")
                case Symbol(name=name) if name in names:
                    lines.put(f"{target} := {names[name]};")
                case Apply(operator=Operator.IF, arguments=(condition, new, old)) if old == cell:
                    lines.put(f"if {self.expr(condition)} then {target} := {self.expr(new)}; end;")
                case _:
                    lines.put(f"{target} := {self.expr(value)};")

    def _is_stored(self, cell: Cell) -> bool:
        return any(stored.name == cell.variable for stored in self.world.stored)

    # -------------------------------------------------------------------------- claims

    def _claims(self, lines: Lines) -> None:
        for claim in self.model.invariants:
            self._claim("invariant", claim, lines)
        if Check.NO_DEADLOCK in self.model.program.checks:
            self._deadlock(lines)
        for claim in self.model.covers:
            self._claim("cover", claim, lines)

    def _claim(self, word: str, claim: Claim, lines: Lines) -> None:
        lines.note(comment_of(claim.span))
        lines.put(f'{word} "{claim.name}"')
        lines.put(f"  {self.expr(claim.condition)};")
        lines.put()

    def _deadlock(self, lines: Lines) -> None:
        """Somebody who should end has to wait, and nobody but hardware can step."""
        moves: list[str] = []
        waits: list[str] = []
        for proc in self.world.procs:
            if proc.process.hardware or not proc.size:
                continue
            for found, verb, condition in (
                (moves, "can_step", can_step(self.model, proc)),
                (waits, "has_to_wait", has_to_wait(self.model, proc)),
            ):
                if condition == FALSE or (verb == "has_to_wait" and proc.process.daemon):
                    continue
                name = self.world.names.take(f"{proc.name}_{verb}")
                lines.put(f"function {name}({self._me(proc)}): boolean;")
                lines.put("begin")
                with lines.indented():
                    lines.put("return " + self.expr(condition) + ";")
                lines.put("end;")
                lines.put()
                me = proc.self_symbol.name
                call = f"{name}()" if proc.size == 1 else f"(exists {self._me(proc)} do {name}({me}) end)"
                found.append(call)
        lines.put('invariant "no_deadlock"')
        waiting = " | ".join(waits) or "false"
        moving = " | ".join(moves) or "false"
        lines.put(f"  !(({waiting}) & !({moving}));")
        lines.put()


def _groups(tree: Tree) -> list[tuple[Assignment, ...]]:
    """The assignments of a tree that are made at once."""
    match tree:
        case Assign(now=now, then=then):
            return [now, *_groups(then)]
        case Note(then=then):
            return _groups(then)
        case Fork(yes=yes, no=no):
            return _groups(yes) + _groups(no)
        case _:
            return []


def _ending(tree: Tree) -> Tree:
    """The tree, or where it ends if nothing but assignments lead there."""
    while isinstance(tree, (Note, Assign)):
        tree = tree.then
    return tree


def _word(kind: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in kind)


def _quoted(text: str) -> str:
    return text.replace("\\", "/").replace('"', "'")


def write(model: Model) -> str:
    """The text."""
    return Murphi(model).text()
