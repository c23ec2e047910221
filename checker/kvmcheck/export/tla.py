# SPDX-License-Identifier: GPL-2.0-only
"""A program as TLA+, for TLC: an action for each step, a function for each array, a record for each thread.

Each step is a formula over the state before it and the state after it.  A local that holds nothing is `unset`, a
model value.  A failed check is an `Assert`, where TLC stops.
"""

from __future__ import annotations

from kvmcheck.export.expressions import CannotCarry
from kvmcheck.export.lines import Lines, comment_of, header_lines
from kvmcheck.export.model import Behaviour, Model, can_step, has_to_wait
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
from kvmcheck.export.trees import Assign, Assignment, Blocked, Done, Empty, Fail, Fork, Note, Step, Tree
from kvmcheck.export.world import Proc, Stored
from kvmcheck.semantics.program import Check

_WORDS = """
    assume assumption axiom boolean by case choose constant constants corollary def define domain else enabled
    except extends false have hide if in init instance int integers lambda lemma let local module nat new next obvious
    omitted other pick proof proposition prove qed quotient remainder sequences sf_ spec string subset suffices take
    theorem then tlc tlctest true unchanged union unset use using variable variables vars wf_ with witness assert print
    permutations sortseq seq len append head tail subseq selectseq finitesets isfiniteset cardinality real any
    toset randomelement javatime tlcget tlcset tlceval dividend divisor number
    magnitude whole each at0 at1 at2 at3 at4 at5
"""
RESERVED = frozenset(_WORDS.split())

_SIGNS = {
    Operator.AND: "/\\",
    Operator.OR: "\\/",
    Operator.EQUAL: "=",
    Operator.LESS: "<",
    Operator.LESS_EQUAL: "<=",
    Operator.ADD: "+",
    Operator.SUBTRACT: "-",
    Operator.MULTIPLY: "*",
    Operator.UNION: "\\union",
    Operator.INTERSECT: "\\intersect",
    Operator.MINUS: "\\",
}


class Tla:
    """The text of one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.world = model.world
        self.constants: dict[tuple[str, int], str] = {}
        self.divides = False

    def text(self) -> str:
        """All of it."""
        body = Lines("\\*")
        self._init(body)
        actions = [text for b in self.model.behaviours for text in self._actions(b, body)]
        body.put("Next ==")
        for text in actions:
            body.put(f"  \\/ {text}")
        body.put()
        body.put("Spec == Init /\\ [][Next]_vars")
        body.put()
        invariants = self._claims(body)
        name = self.world.names.take(self.model.program.name)
        head = Lines("\\*")
        head.put(f"---- MODULE {name} ----")
        header_lines(head, self.model)
        head.put("EXTENDS Integers, TLC")
        head.put()
        head.put("CONSTANT unset  \\* what a local holds that holds nothing")
        head.put()
        variables = self._variables()
        head.put("VARIABLES")
        for number, (variable, said) in enumerate(variables):
            comma = "," if number < len(variables) - 1 else ""
            head.put(f"  {variable}{comma}{said}")
        head.put()
        head.put(f"vars == <<{', '.join(variable for variable, _ in variables)}>>")
        head.put()
        for (_, value), constant in self.constants.items():
            head.put(f"{constant} == {value}")
        if self.constants:
            head.put()
        if self.divides:
            head.put("\\* Division as in C, towards zero.")
            head.put("Quotient(dividend, divisor) ==")
            head.put("  LET magnitude(number) == IF number < 0 THEN -number ELSE number")
            head.put("      whole == magnitude(dividend) \\div magnitude(divisor)")
            head.put("  IN IF (dividend < 0) = (divisor < 0) THEN whole ELSE -whole")
            head.put("Remainder(dividend, divisor) == dividend - Quotient(dividend, divisor) * divisor")
            head.put()
        body.put("====")
        body.put()
        body.put(f"{name}.cfg, for `tlc -deadlock {name}` (which turns off TLC's own idea of a deadlock):")
        body.put("SPECIFICATION Spec")
        body.put("CONSTANT unset = unset")
        for invariant in invariants:
            body.put(f"INVARIANT {invariant}")
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
                return "TRUE" if truth else "FALSE"
            case Members(mask=mask):
                return "{" + ", ".join(str(n) for n in range(mask.bit_length()) if mask >> n & 1) + "}"
            case Location(name=name):
                return f'"{name}"'
            case Symbol(name=name):
                return name
            case Unset():
                return "unset"
            case Cell(variable=variable, path=path, indices=indices):
                index = "".join(f"[{self.expr(i)}]" for i in indices)
                return f"{variable}{index}" + (f".{path}" if path else "")
            case Quantified(every=every, symbol=symbol, body=body):
                sign = "\\A" if every else "\\E"
                return f"({sign} {symbol.name} \\in {self._range(symbol)} : {self.expr(body)})"
            case Apply():
                return self._applied(scalar)

    def _range(self, symbol: Symbol) -> str:
        if symbol.kind is Kind.BOOL:
            return "BOOLEAN"
        if symbol.kind is Kind.SET:
            return f"SUBSET (0..{symbol.high - 1})"
        if symbol.low == self.world.shapes.none:
            return f"{self._constant(self.world.shapes.nothing('none'))}..{symbol.high}"
        return f"{symbol.low}..{symbol.high}"

    def _in(self, scalar: Scalar) -> str:
        text = self.expr(scalar)
        if isinstance(scalar, Number) and not scalar.name and scalar.value < 0:
            return f"({text})"
        plain = text.startswith(("~", "Quotient", "Remainder"))
        return f"({text})" if isinstance(scalar, Apply) and not plain else text

    def _applied(self, scalar: Apply) -> str:
        operator, parts = scalar.operator, scalar.arguments
        match operator:
            case Operator.NOT:
                inner = parts[0]
                if isinstance(inner, Apply) and inner.operator is Operator.EQUAL:
                    return f"{self._in(inner.arguments[0])} # {self._in(inner.arguments[1])}"
                if isinstance(inner, Apply) and inner.operator is Operator.HAS:
                    return f"{self._in(inner.arguments[1])} \\notin {self._in(inner.arguments[0])}"
                return f"~{self._in(inner)}"
            case Operator.IF:
                a, b, c = (self.expr(part) for part in parts)
                return f"IF {a} THEN {b} ELSE {c}"
            case Operator.IS_UNSET:
                return f"{self.expr(parts[0])} = unset"
            case Operator.HAS:
                return f"{self._in(parts[1])} \\in {self._in(parts[0])}"
            case Operator.WITH:
                return f"{self._in(parts[0])} \\union {{{self.expr(parts[1])}}}"
            case Operator.WITHOUT:
                return f"{self._in(parts[0])} \\ {{{self.expr(parts[1])}}}"
            case Operator.DIVIDE | Operator.MODULO:
                self.divides = True
                word = "Quotient" if operator is Operator.DIVIDE else "Remainder"
                return f"{word}({self.expr(parts[0])}, {self.expr(parts[1])})"
            case Operator.SHIFT_LEFT:
                return f"{self._in(parts[0])} * 2^{self._in(parts[1])}"
            case Operator.SHIFT_RIGHT:
                return f"{self._in(parts[0])} \\div 2^{self._in(parts[1])}"
            case Operator.BIT_AND | Operator.BIT_OR | Operator.BIT_XOR:
                raise CannotCarry(f"`{operator.value}` of numbers")
            case _:
                return f" {_SIGNS[operator]} ".join(self._in(part) for part in parts)

    # -------------------------------------------------------------------------- the start

    def _variables(self) -> list[tuple[str, str]]:
        found = []
        for stored in self.world.stored:
            said = "" if stored.name == stored.spec_name else f"  \\* {stored.spec_name}"
            found.append((stored.name, said))
        return found + [(proc.name, "") for proc in self.world.procs if proc.size]

    def _default(self, stored: Stored) -> str:
        parts = [(f.name, self.expr(v)) for f, v in zip(stored.fields, stored.initial, strict=True)]
        text = parts[0][1] if not parts[0][0] else f"[{', '.join(f'{n} |-> {v}' for n, v in parts)}]"
        for place, size in reversed(list(enumerate(stored.sizes))):
            text = f"[at{place} \\in 0..{size - 1} |-> {text}]"
        return text

    def _record(self, proc: Proc) -> str:
        parts = []
        for behaviour in self.model.of(proc):
            parts.append(f'{behaviour.code.pc} |-> "{behaviour.locations[0]}"')
            for fields in behaviour.code.locals:
                parts += [f"{field.name} |-> unset" for field in self.model.kept(proc, fields)]
        if proc.depth:
            parts.append(f"{proc.depth} |-> 0")
        text = f"[{', '.join(parts)}]"
        return text if proc.size == 1 else f"[each \\in 0..{proc.size - 1} |-> {text}]"

    def _init(self, lines: Lines) -> None:
        init = self.model.init
        defaults = {stored.name: self._default(stored) for stored in self.world.stored}
        lines.put("Init ==")
        with lines.indented():
            for proc in self.world.procs:
                if proc.size:
                    lines.put(f"/\\ {proc.name} = {self._record(proc)}")
            if init is None:
                for name, value in defaults.items():
                    lines.put(f"/\\ {name} = {value}")
            else:
                for symbol in init.symbols:
                    lines.put(f"/\\ \\E {symbol.name} \\in {self._range(symbol)} :")
                    lines.depth += 1
                self._tree(init.tree, lines, (), defaults)
                lines.depth -= len(init.symbols)
        lines.put()

    # -------------------------------------------------------------------------- actions

    def _actions(self, behaviour: Behaviour, lines: Lines) -> list[str]:
        proc = behaviour.proc
        me = proc.self_symbol.name
        found = []
        for step in behaviour.steps:
            if behaviour.guard(step) == FALSE:
                continue
            name = self._action_name(step)
            found.append(name if proc.size == 1 else f"\\E {me} \\in 0..{proc.size - 1} : {name}({me})")
            lines.put(f"{name} ==" if proc.size == 1 else f"{name}({me}) ==")
            with lines.indented():
                lines.put(f"/\\ {self.expr(behaviour.at(step))}")
                for symbol in step.symbols:
                    lines.put(f"/\\ \\E {symbol.name} \\in {self._range(symbol)} :")
                    lines.depth += 1
                self._tree(step.tree, lines, (), None)
                lines.depth -= len(step.symbols)
            lines.put()
        return found

    def _action_name(self, step: Step) -> str:
        return self.world.names.take(f"do_{step.location}")

    def _tree(
        self, tree: Tree, lines: Lines, written: tuple[Assignment, ...], defaults: dict[str, str] | None
    ) -> None:
        """A step's conjuncts.  `defaults`: of the first state, what each variable is that is not written."""
        match tree:
            case Note(span=span, then=then):
                lines.note(comment_of(span))
                self._tree(then, lines, written, defaults)
            case Assign(before=before, then=then):
                self._tree(then, lines, (*written, *before), defaults)
            case Fork(before=condition, yes=yes, no=no):
                if isinstance(yes, (Blocked, Empty)):
                    lines.put(f"/\\ {self._in(Apply(Operator.NOT, (condition,), Kind.BOOL))}")
                    self._tree(no, lines, written, defaults)
                elif isinstance(no, (Blocked, Empty)):
                    lines.put(f"/\\ {self._in(condition)}")
                    self._tree(yes, lines, written, defaults)
                else:
                    lines.put(f"/\\ IF {self.expr(condition)}")
                    for word, way in (("THEN", yes), ("ELSE", no)):
                        lines.put(f"   {word}")
                        lines.depth += 3
                        self._tree(way, lines, written, defaults)
                        lines.depth -= 3
            case Fail(check=check, text=text, span=span):
                said = f"{check.value}: {text} (line {span.line})".replace("\\", "/").replace('"', "'")
                lines.put(f'/\\ Assert(FALSE, "{said}")')
            case Blocked() | Empty():
                lines.put("/\\ FALSE")
            case Done():
                self._done(lines, written, defaults)

    def _done(self, lines: Lines, written: tuple[Assignment, ...], defaults: dict[str, str] | None) -> None:
        names = [name for name, _ in self._variables()]
        changed: dict[str, list[Assignment]] = {}
        for assignment in written:
            if assignment.cell.variable in names and self.model.has(assignment):
                changed.setdefault(assignment.cell.variable, []).append(assignment)
        for name in names:
            if name in changed:
                before = name if defaults is None else defaults.get(name, name)
                value = self._updated(before, changed[name])
                lines.put(f"/\\ {name}{'' if defaults is not None else chr(39)} = {value}")
            elif defaults is not None and name in defaults:
                lines.put(f"/\\ {name} = {defaults[name]}")
        same = [name for name in names if name not in changed]
        if same and defaults is None:
            lines.put(f"/\\ UNCHANGED <<{', '.join(same)}>>")

    def _updated(self, before: str, assignments: list[Assignment]) -> str:
        last = assignments[-1]
        if not last.cell.indices and not last.cell.path:
            return self.expr(last.value)
        places: dict[tuple[tuple[Scalar, ...], str], Scalar] = {}
        for assignment in assignments:
            key = (assignment.cell.indices, assignment.cell.path)
            places.pop(key, None)  # the newest stands last, behind what may be the same element
            places[key] = assignment.value
        parts = []
        for (indices, path), value in places.items():
            place = "".join(f"[{self.expr(i)}]" for i in indices) + (f".{path}" if path else "")
            parts.append(f"!{place} = {self.expr(value)}")
        return f"[{before} EXCEPT {', '.join(parts)}]"

    # -------------------------------------------------------------------------- claims

    def _claims(self, lines: Lines) -> list[str]:
        found = []
        for claim in self.model.invariants:
            lines.note(comment_of(claim.span))
            lines.put(f"{claim.name} ==")
            lines.put(f"  {self.expr(claim.condition)}")
            lines.put()
            found.append(claim.name)
        if Check.NO_DEADLOCK in self.model.program.checks:
            found.append(self._deadlock(lines))
        return found

    def _deadlock(self, lines: Lines) -> str:
        """Somebody who should end has to wait, and nobody but hardware can step."""
        moves: list[str] = []
        waits: list[str] = []
        for proc in self.world.procs:
            if proc.process.hardware or not proc.size:
                continue
            me = "" if proc.size == 1 else f"({proc.self_symbol.name})"
            for found, verb, condition in (
                (moves, "can_step", can_step(self.model, proc)),
                (waits, "has_to_wait", has_to_wait(self.model, proc)),
            ):
                if condition == FALSE or (verb == "has_to_wait" and proc.process.daemon):
                    continue
                name = self.world.names.take(f"{proc.name}_{verb}")
                lines.put(f"{name}{me} ==")
                for part in _alternatives(condition):
                    lines.put(f"  \\/ {self.expr(part)}")
                lines.put()
                some = f"\\E {proc.self_symbol.name} \\in 0..{proc.size - 1} : "
                found.append(name if proc.size == 1 else f"({some}{name}{me})")
        name = self.world.names.take("no_deadlock")
        waiting, moving = " \\/ ".join(waits) or "FALSE", " \\/ ".join(moves) or "FALSE"
        lines.put(f"{name} == ~(({waiting}) /\\ ~({moving}))")
        lines.put()
        return name


def _alternatives(scalar: Scalar) -> tuple[Scalar, ...]:
    """The parts of an `or`; anything else is the only one."""
    either = isinstance(scalar, Apply) and scalar.operator is Operator.OR
    return scalar.arguments if isinstance(scalar, Apply) and either else (scalar,)


def write(model: Model) -> str:
    """The text."""
    return Tla(model).text()
