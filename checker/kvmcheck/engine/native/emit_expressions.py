# SPDX-License-Identifier: GPL-2.0-only
"""Expressions as C expressions over the cells of a state.

What may fail jumps to the label `fail` of the function that it is in, out of a statement expression, with the
check's number in `why`.  Order and laziness are those of `engine.generate_expressions`.  Nothing that a user wrote
reaches the text: variables are cells, locals and bound names are numbered, constants are numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import assert_never

from kvmcheck.engine.bounds import hull, within
from kvmcheck.engine.generate_expressions import weight
from kvmcheck.engine.layout import BodyLayout
from kvmcheck.engine.native.coding import Coding, Unsupported, width_of
from kvmcheck.engine.native.emit_values import Values, core, element_of, member_register
from kvmcheck.semantics.expressions import sort_of
from kvmcheck.semantics.pointers import contains, is_pointer, is_seq, replace_parts
from kvmcheck.semantics.program import (
    Actor,
    Apply,
    Bound,
    CallAt,
    CallIn,
    CallLocal,
    CallThread,
    Check,
    Const,
    Current,
    Expr,
    Held,
    HeldMode,
    LiveCall,
    LiveQuantified,
    Local,
    Old,
    OldValue,
    Op,
    Param,
    Place,
    PointerPlace,
    Quantified,
    Quantifier,
    Read,
    The,
    VariablePlace,
)
from kvmcheck.semantics.sorts import (
    BoolSort,
    IdSort,
    IntSort,
    ListSort,
    LockSort,
    ObjectPointerSort,
    OptionalSort,
    SeqSort,
    SetSort,
    Sort,
    UnionSort,
    Value,
    WordSort,
    member_count,
    members,
)

#: The numbers of the built-in checks in the generated code, from 1 on; a bound that was too small is OVERFLOW.
CHECK_NUMBERS = {check: number for number, check in enumerate(Check, 1)}
OVERFLOW = len(CHECK_NUMBERS) + 1
#: Quantifiers are unrolled up to this many operators.
UNROLLED = 300
#: Numbers inside these bounds are computed without a look at overflow.
SAFE = 1 << 58
#: Choices and `the` go through at most so many candidates.
MOST_MEMBERS = 4096

#: A C expression and the sort of the register that it is.
Typed = tuple[str, Sort]
#: Told of every read: its place, slot and indices, and the text; what to write instead.
OnRead = Callable[[Place, str, tuple[str, ...], str], str]


def number(value: int) -> str:
    """A literal."""
    return str(value) if abs(value) < 1 << 31 else f"{value}LL"


def negated(text: str) -> str:
    """Not that."""
    return {"0": "1", "1": "0"}.get(text, f"(!{text})")


@dataclass
class Names:
    """Fresh names, and the line of text that is written."""

    count: int = 0

    def fresh(self, prefix: str = "t") -> str:
        """A name that nobody has."""
        self.count += 1
        return f"{prefix}{self.count}"


def no_local(local: int) -> tuple[str, Sort, bool]:
    """Where there are no locals."""
    raise ValueError(f"local {local} outside a body")


@dataclass
class Scope:
    """What an expression's names are in the generated text."""

    state: str
    before: str = "S"
    me: str = "me"
    local: Callable[[int], tuple[str, Sort, bool]] = no_local
    old_value: Typed = ("old", BoolSort())
    bound: dict[str, Typed] = field(default_factory=dict)
    calls: dict[str, tuple[LiveCall, int]] = field(default_factory=dict)
    on_read: OnRead | None = None


class Expressions:
    """Translates expressions."""

    def __init__(self, coding: Coding, values: Values, names: Names, scope: Scope) -> None:
        self.coding, self.values, self.names, self.scope = coding, values, names, scope
        self.layout = coding.layout
        self.program = coding.program

    def within(self, scope: Scope) -> Expressions:
        """The same in another scope."""
        return Expressions(self.coding, self.values, self.names, scope)

    def with_bound(self, name: str, text: str, sort: Sort) -> Expressions:
        """The same inside a quantifier."""
        return self.within(replace(self.scope, bound={**self.scope.bound, name: (text, sort)}))

    def failing(self, check: Check, *, overflow: bool = False) -> str:
        """An expression that ends the run."""
        return f"FAIL({OVERFLOW if overflow else CHECK_NUMBERS[check]})"

    # ------------------------------------------------------------------ places

    def index(self, dimension: Sort, expression: Expr) -> str:
        """An index as the position in its dimension, checked where it could be outside."""
        text, sort = self.typed(expression)
        count = member_count(dimension)
        outside = self.failing(Check.NO_OUT_OF_BOUNDS)
        if isinstance(dimension, ObjectPointerSort):
            sure = isinstance(expression, (Const, Bound)) or (
                isinstance(expression, Apply) and expression.op is Op.OBJECT
            )
            return text if sure and not self.is_none(text) else self.object_address(text)
        low = dimension.low if isinstance(dimension, IntSort) else 0
        constant = constant_of(text)
        if constant is not None and 0 <= constant - low < count:
            return str(constant - low)
        if isinstance(sort, OptionalSort) or self.is_none(text):
            text = self.not_none(text)
        if low:
            text = f"({text} - ({low}))"
        if within(expression, low, low + count - 1):
            return text
        t = self.names.fresh()
        return f"({{ V {t} = {text}; {t} >= 0 && {t} < {count} ? {t} : {outside}; }})"

    def is_none(self, text: str) -> bool:
        """Whether it is `none` itself."""
        return text == "NONE"

    def object_address(self, text: str) -> str:
        """The position of an object, living or not."""
        t = self.names.fresh()
        fails = self.failing(Check.NO_OUT_OF_BOUNDS)
        return f"({{ V {t} = {text}; {t} == NONE ? {fails} : {t} < 0 ? ~{t} : {t}; }})"

    def not_none(self, text: str) -> str:
        """A value that may not be none."""
        t = self.names.fresh()
        return f"({{ V {t} = {text}; {t} == NONE ? {self.failing(Check.NO_OUT_OF_BOUNDS)} : {t}; }})"

    def slot(self, place: Place) -> tuple[str, tuple[str, ...]]:
        """The slot of a place, and its indices (none for a pointer's)."""
        match place:
            case VariablePlace(variable=variable_number, indices=indices):
                variable = self.program.variables[variable_number]
                texts = tuple(
                    self.index(dimension, index)
                    for dimension, index in zip(variable.dimensions, indices, strict=True)
                )
                return self.element(variable_number, texts), texts
            case PointerPlace(pointer=pointer, target=target, component=component, indices=indices):
                roots = self.program.roots[target]
                variable = self.program.variables[roots[0].components[component]]
                rest = variable.dimensions[len(roots[0].objects) :]
                null = self.failing(Check.NO_USE_AFTER_FREE)
                outside = self.failing(Check.NO_OUT_OF_BOUNDS)
                p = self.names.fresh("p")
                r = self.names.fresh("r")
                lines = [f"V {p} = {self.text(pointer)}, {r} = 0;"]
                # As in a call: the further indices are computed before the pointer is looked at.
                further: list[str] = []
                for dimension, index in zip(rest, indices, strict=True):
                    i = self.names.fresh("i")
                    lines.append(f"V {i} = {self.index(dimension, index)};")
                    further.append(i)
                lines.append(f"if ({p} == NONE) {null};")
                root_part, *parts = self.coding.pointer_parts(target)
                lines.append(f"switch ({self.values.get(root_part, p)}) {{")
                for nth, root in enumerate(roots):
                    number_of = root.components[component]
                    sizes = [member_count(d) for d in self.program.variables[number_of].dimensions]
                    lines.append(f"case {nth}:")
                    given: list[str] = []
                    for part, is_object in zip(parts, root.objects, strict=False):
                        mark = self.values.get(part, p)
                        if is_object:
                            lines.append(f"if ({mark} & 1) {null};")
                        given.append(f"({mark} >> 1)")
                    for text, size in zip((*given, *further), sizes, strict=True):
                        lines.append(f"if ({text} < 0 || {text} >= {size}) {outside};")
                    lines.append(f"{r} = {self.element(number_of, (*given, *further))}; break;")
                lines.append("}")
                return f"({{ {' '.join(lines)} {r}; }})", ()
            case _:
                assert_never(place)

    def element(self, variable: int, indices: tuple[str, ...]) -> str:
        """The slot of an element."""
        position = self.layout.first[variable]
        summands: list[str] = []
        for text, stride in zip(indices, self.layout.strides[variable], strict=True):
            constant = constant_of(text)
            if constant is not None:
                position += constant * stride
            else:
                summands.append(text if stride == 1 else f"{text} * {stride}")
        if not summands:
            return str(position)
        return "(" + " + ".join([*([str(position)] if position else []), *summands]) + ")"

    def place_sort(self, place: Place) -> Sort:
        """The sort of a place's elements."""
        match place:
            case VariablePlace(variable=variable):
                return self.program.variables[variable].sort
            case PointerPlace(target=target, component=component):
                root = self.program.roots[target][0]
                return self.program.variables[root.components[component]].sort
            case _:
                assert_never(place)

    def loaded(self, place: Place, slot: str) -> str:
        """The register of a place's cell."""
        return self.values.load(self.place_sort(place), f"{self.scope.state}[{slot}]")

    # ------------------------------------------------------------------ values

    def text(self, expression: Expr) -> str:
        """The expression as C text, in brackets where needed."""
        return self.typed(expression)[0]

    def as_sort(self, expression: Expr, sort: Sort) -> str:
        """The expression as a register of a sort."""
        text, own = self.typed(expression)
        return self.values.converted(text, own, sort)

    def constant(self, sort: Sort, value: Value) -> str:
        """A constant."""
        value = self.layout.numbering.initial(sort, value)
        if value is None:
            return "NONE"
        return number(self.coding.register(sort, value))

    def typed(self, expression: Expr) -> Typed:
        """The expression as C text, and the sort of its register."""
        match expression:
            case Const(value=value, sort=sort):
                if value is not None and contains(sort, is_seq) and self.layout.zero is not None:
                    return self.zeroed(sort, value), sort
                return self.constant(sort, value), sort
            case Local(local=local):
                text, sort, sure = self.scope.local(local)
                return (text if sure else self.set_value(text)), sort
            case Param(index=index, sort=sort):
                return f"p{index}", sort
            case Current(sort=sort) | Actor(sort=sort):
                return self.scope.me, sort
            case Bound(name=name):
                return self.scope.bound[name]
            case OldValue():
                return self.scope.old_value
            case Read(place=place):
                slot, indices = self.slot(place)
                sort = self.place_sort(place)
                if self.scope.on_read is not None:
                    i = self.names.fresh("i")
                    told = self.scope.on_read(place, i, indices, self.loaded(place, i))
                    return f"({{ V {i} = {slot}; {told}; }})", sort
                return self.loaded(place, slot), sort
            case Old(inner=inner):
                return self.within(replace(self.scope, state=self.scope.before)).typed(inner)
            case Held(lock=lock, mode=mode, thread=thread):
                return self.held(lock, mode, thread), BoolSort()
            case Apply():
                return self.applied(expression)
            case Quantified(kind=kind, bound=bound, domain=domain, body=body):
                return self.quantified(kind, bound, domain, body), sort_of(expression)
            case LiveQuantified(kind=kind, name=name, function=function, body=body):
                return self.live(kind, name, function, body), BoolSort()
            case CallLocal(call=call, local=local_name):
                found, whose = self.scope.calls[call]
                text, sort = self.call_local(found, whose, found.locals[local_name])
                return self.set_value(text), sort
            case CallThread(call=call, sort=sort):
                return str(self.scope.calls[call][1]), sort
            case CallAt(call=call, label=label):
                found, whose = self.scope.calls[call]
                return self.at(found, whose, found.at[label]), BoolSort()
            case CallIn(call=call, start=start, end=end):
                found, whose = self.scope.calls[call]
                text, _ = self.call_local(found, whose, found.regions[start, end])
                return f"({text} == 1)", BoolSort()
            case The(bound=bound, condition=condition):
                t, f, n = self.names.fresh(), self.names.fresh(), self.names.fresh()
                inner_text = self.with_bound(bound.name, t, bound.sort).text(condition)
                loop = self.loop(bound.sort, None, t, f"if ({inner_text}) {{ {f} = {t}; {n}++; }}")
                fails = self.failing(Check.NO_OUT_OF_BOUNDS)
                return f"({{ V {f} = 0, {n} = 0; {loop} {n} == 1 ? {f} : {fails}; }})", bound.sort
            case _:
                assert_never(expression)

    def zero(self) -> str:
        """The number 0 of a seq as it stands now."""
        return f"((V){self.scope.state}[{self.layout.zero}])"

    def zeroed(self, sort: Sort, value: Value) -> str:
        """A literal with seqs in it: the number 0 as it stands now."""
        if isinstance(core(sort), SeqSort):
            return self.zero()
        plain = number(
            self.coding.register(
                sort, replace_parts(sort, value, lambda part, item: 0 if is_seq(part) else item)
            )
        )

        def leaf(part: Sort, _: str) -> str | None:
            return "zero" if is_seq(part) else None

        return self.values.mapped("zeroed", sort, leaf, plain, ", V zero", f", {self.zero()}")

    def set_value(self, text: str) -> str:
        """A local that must hold a value."""
        fails = self.failing(Check.NO_UNSET_READ)
        if text == "UNSET":
            return fails
        t = self.names.fresh()
        return f"({{ V {t} = {text}; {t} == UNSET ? {fails} : {t}; }})"

    def held(self, lock: Place, mode: HeldMode, thread: Expr | None) -> str:
        """Whether a lock is held."""
        slot, _ = self.slot(lock)
        whose = None
        if thread is not None:
            whose, sort = self.typed(thread)
            if isinstance(sort, OptionalSort):
                whose = self.not_none(whose)
        return self.holds(lock, f"{self.scope.state}[{slot}]", mode, whose)

    def holds(self, lock: Place, cell: str, mode: HeldMode, whose: str | None) -> str:
        """Whether a lock's cell says that somebody (or anybody) holds it."""
        free = self.coding.thread_count
        if not is_shared(self.place_sort(lock)):
            if mode is HeldMode.READ:
                return "0"
            return f"({cell} != {free})" if whose is None else f"({cell} == {whose})"
        width = width_of(free + 1)
        t, w = self.names.fresh(), self.names.fresh()
        writes = f"({t} & {(1 << width) - 1}) " + (f"!= {free}" if whose is None else f"== {w}")
        reads = f"({t} >> {width}) != 0" if whose is None else f"({t} >> {width} >> {w} & 1)"
        test = {HeldMode.WRITE: writes, HeldMode.READ: reads, HeldMode.ANY: f"({writes} || {reads})"}[mode]
        # The slot is looked up before the thread.
        return f"({{ V {t} = {cell}; V {w} = {whose or 0}; (void){w}; {test}; }})"

    # ------------------------------------------------------------------ quantifiers

    def allocated(self, sort: ObjectPointerSort) -> str | None:
        """The mask of the objects that live."""
        for pool in self.program.pools:
            if pool.name == sort.object:
                return f"((V){self.scope.state}[{self.layout.first[pool.allocated]}])"
        return None

    def loop(self, sort: Sort, domain: Expr | None, name: str, body: str) -> str:
        """A loop over the members that a quantifier ranges over; `name` is each in turn."""
        m, i = self.names.fresh(), self.names.fresh()
        mask = None
        if domain is not None:
            sort = element_of(sort_of(domain))
            mask = self.text(domain)
        elif isinstance(sort, ObjectPointerSort):
            mask = self.allocated(sort)
        if mask is not None:
            return (
                f"for (uint64_t {m} = {mask}; {m}; {m} &= {m} - 1) {{ V {i} = __builtin_ctzll({m}); "
                f"V {name} = {member_register(sort, i)}; {body} }}"
            )
        count = sum(1 for _ in members(sort))
        if isinstance(sort, (WordSort, UnionSort, ListSort)):
            values = ", ".join(self.constant(sort, value) for value in members(sort))
            return (
                f"static const V {m}[] = {{ {values} }}; "
                f"for (int {i} = 0; {i} < {count}; {i}++) {{ V {name} = {m}[{i}]; {body} }}"
            )
        return f"for (int {i} = 0; {i} < {count}; {i}++) {{ V {name} = {member_register(sort, i)}; {body} }}"

    def quantified(self, kind: Quantifier, bound: Bound, domain: Expr | None, body: Expr) -> str:
        """A quantifier: unrolled while that is short, else a loop."""
        element = bound.sort if domain is None else element_of(sort_of(domain))
        objects = domain is None and isinstance(bound.sort, ObjectPointerSort)
        values = list(members(element))
        if len(values) * weight(body) <= UNROLLED and domain is None and not objects:
            return joined(
                kind,
                [self.with_bound(bound.name, self.constant(element, v), element).text(body) for v in values],
            )
        t, r = self.names.fresh(), self.names.fresh()
        inner = self.with_bound(bound.name, t, element).text(body)
        match kind:
            case Quantifier.FORALL:
                start, each = 1, f"if (!{inner}) {{ {r} = 0; break; }}"
            case Quantifier.EXISTS:
                start, each = 0, f"if ({inner}) {{ {r} = 1; break; }}"
            case Quantifier.COUNT:
                start, each = 0, f"if ({inner}) {r}++;"
            case _:
                assert_never(kind)
        return f"({{ V {r} = {start}; {self.loop(bound.sort, domain, t, each)} {r}; }})"

    def live(self, kind: Quantifier, name: str, function: str, body: Expr) -> str:
        """A quantifier over the calls of a function that are live: one case for each call and thread."""
        texts: list[str] = []
        for call in self.program.live_calls:
            if call.function != function:
                continue
            for whose, thread in enumerate(self.program.threads):
                if thread.process != call.process:
                    continue
                lives = self.at(call, whose, call.nodes)
                scope = replace(self.scope, calls={**self.scope.calls, name: (call, whose)})
                inner = self.within(scope).text(body)
                if kind is Quantifier.FORALL:
                    texts.append(f"(!{lives} || {inner})")
                else:
                    texts.append(f"({lives} && {inner})")
        return joined(kind, texts)

    def at(self, call: LiveCall, thread: int, nodes: frozenset[int]) -> str:
        """Whether a call's body is at one of some nodes."""
        part = self.part(call)
        pc = f"{self.scope.state}[{self.layout.base[thread] + part.pc}]"
        codes = self.coding.locations[id(part.body)]
        wanted = sorted(codes[node] for node in nodes if node in codes)
        if not wanted:
            return "0"
        if len(wanted) == 1:
            return f"({pc} == {wanted[0]})"
        if wanted == list(range(wanted[0], wanted[-1] + 1)):
            return f"({pc} >= {wanted[0]} && {pc} <= {wanted[-1]})"
        if len(codes) <= 63:
            return f"(({sum(1 << code for code in wanted)}LL >> {pc}) & 1)"
        return "(" + " || ".join(f"{pc} == {code}" for code in wanted) + ")"

    def part(self, call: LiveCall) -> BodyLayout:
        """The layout of the body that holds a call."""
        layout = self.layout.processes[call.process]
        part = layout.handler if call.interrupt else layout.main
        assert part is not None
        return part

    def call_local(self, call: LiveCall, thread: int, local: int) -> Typed:
        """A local of a call, UNSET or not."""
        part = self.part(call)
        sort = part.body.locals[local].sort
        if local not in part.locals:
            return "UNSET", sort
        cell = f"{self.scope.state}[{self.layout.base[thread] + part.locals[local]}]"
        return self.values.load(sort, cell, local=True), sort

    # ------------------------------------------------------------------ operators

    def applied(self, expression: Apply) -> Typed:
        """An operator applied."""
        op, arguments = expression.op, expression.arguments
        match op:
            case Op.AND:
                return joined(Quantifier.FORALL, [self.text(a) for a in arguments]), BoolSort()
            case Op.OR:
                return joined(Quantifier.EXISTS, [self.text(a) for a in arguments]), BoolSort()
            case Op.IMPLIES:
                texts = [negated(self.text(arguments[0])), self.text(arguments[1])]
                return joined(Quantifier.EXISTS, texts), BoolSort()
            case Op.IF:
                sort = expression.sort
                then, otherwise = (self.as_sort(a, sort) for a in arguments[1:])
                return f"({self.text(arguments[0])} ? {then} : {otherwise})", sort
            case Op.NOT:
                return negated(self.text(arguments[0])), BoolSort()
            case Op.EQUAL:
                return self.equal(arguments[0], arguments[1]), BoolSort()
            case Op.NOT_EQUAL:
                return negated(self.equal(arguments[0], arguments[1])), BoolSort()
            case Op.OBJECT:
                t = self.names.fresh()
                text = self.text(arguments[0])
                fails = self.failing(Check.NO_USE_AFTER_FREE)
                if constant_of(text) is not None:
                    return text, expression.sort
                return f"({{ V {t} = {text}; {t} == NONE || {t} < 0 ? {fails} : {t}; }})", expression.sort
            case Op.UNWRAP:
                text, sort = self.typed(arguments[0])
                return self.not_none(text), core(sort)
            case Op.FIT:
                return self.fit(expression), expression.sort
            case _:
                return self.other(op, expression)

    def operand(self, argument: Expr) -> str:
        """A number; none is checked."""
        text, sort = self.typed(argument)
        return self.not_none(text) if isinstance(sort, OptionalSort) or self.is_none(text) else text

    def fit(self, expression: Apply) -> str:
        """A number fitted into its sort."""
        argument, sort = expression.arguments[0], expression.sort
        text, own = self.typed(argument)
        match sort:
            case IntSort(low=low, high=high):
                wraps = sort.wrap
            case IdSort(size=size):
                low, high, wraps = 0, size - 1, False
            case _:
                return text
        if isinstance(own, OptionalSort):
            text = self.not_none(text)
        if within(argument, low, high):
            return text
        if wraps:
            return f"(floor_mod({text} - ({low}), {high - low + 1}) + ({low}))"
        t = self.names.fresh()
        fails = self.failing(Check.NO_OUT_OF_BOUNDS)
        return f"({{ V {t} = {text}; {t} >= {low} && {t} <= {high} ? {t} : {fails}; }})"

    def equal(self, left: Expr, right: Expr) -> str:
        """Equality: by address, and only of seqs of one home."""
        (a, a_sort), (b, b_sort) = self.typed(left), self.typed(right)
        if self.is_none(a) or self.is_none(b):
            return f"({a} == {b})"
        if self.coding.stride > 1 and contains(a_sort, is_seq):
            x, y = self.names.fresh(), self.names.fresh()
            b = self.values.converted(b, b_sort, a_sort)
            differ = self.values.homes_differ(core(a_sort), x, y)
            test = f"{x} != NONE && {y} != NONE && {differ}"
            fails = self.failing(Check.SEQ_LOST_UPDATE)
            return f"({{ V {x} = {a}, {y} = {b}; {test} ? {fails} : {x} == {y}; }})"
        if self.coding.frees and (contains(a_sort, is_pointer) or contains(b_sort, is_pointer)):
            a, b = self.values.bare(a_sort, a), self.values.bare(b_sort, b)
        return f"({a} == {self.values.converted(b, b_sort, a_sort)})"

    def position(self, sort: Sort, argument: Expr) -> str:
        """A member's position in a set of its sort."""
        text, own = self.typed(argument)
        match sort:
            case ObjectPointerSort():
                return self.object_address(text)
            case OptionalSort(inner=inner):
                t = self.names.fresh()
                offset = 1 - (inner.low if isinstance(inner, IntSort) else 0)
                return f"({{ V {t} = {text}; {t} == NONE ? 0 : {t} + ({offset}); }})"
            case _:
                if isinstance(own, OptionalSort) or self.is_none(text):
                    text = self.not_none(text)
                low = sort.low if isinstance(sort, IntSort) else 0
                return f"({text} - ({low}))" if low else text

    def other(self, op: Op, expression: Apply) -> Typed:
        """The operators on numbers, words, unions, sets and lists."""
        arguments, sort, data = expression.arguments, expression.sort, expression.data
        values = self.values
        match op:
            case Op.LESS | Op.LESS_EQUAL:
                a, b = (self.operand(argument) for argument in arguments)
                return f"({a} {op.value} {b})", BoolSort()
            case Op.ADD | Op.SUBTRACT | Op.MULTIPLY:
                a, b = (self.operand(argument) for argument in arguments)
                bounds = [hull(argument) for argument in (*arguments, expression)]
                if all(known is not None and max(map(abs, known)) < SAFE for known in bounds):
                    return f"({a} {op.value} {b})", sort
                name = {Op.ADD: "plus", Op.SUBTRACT: "minus", Op.MULTIPLY: "times"}[op]
                return f"{name}({a}, {b})", sort
            case Op.BIT_AND | Op.BIT_OR | Op.BIT_XOR:
                a, b = (self.operand(argument) for argument in arguments)
                return f"({a} {op.value} {b})", sort
            case Op.NEGATE:
                return f"(-{self.operand(arguments[0])})", sort
            case Op.DIVIDE | Op.MODULO:
                a, b = (self.operand(argument) for argument in arguments)
                x, y = self.names.fresh(), self.names.fresh()
                fails = self.failing(Check.NO_OUT_OF_BOUNDS)
                return f"({{ V {x} = {a}, {y} = {b}; {y} == 0 ? {fails} : {x} {op.value} {y}; }})", sort
            case Op.SHIFT_LEFT | Op.SHIFT_RIGHT:
                a, b = (self.operand(argument) for argument in arguments)
                x, y = self.names.fresh(), self.names.fresh()
                fails = self.failing(Check.NO_OUT_OF_BOUNDS)
                shifted = f"shift_left({x}, {y})" if op is Op.SHIFT_LEFT else f"{x} >> {y}"
                test = f"{y} < 0 || {y} >= 64 ? {fails} : {shifted}"
                return f"({{ V {x} = {a}, {y} = {b}; {test}; }})", sort
            case Op.FIELD:
                text, own = self.typed(arguments[0])
                if isinstance(own, OptionalSort):
                    text = self.not_none(text)
                part = self.coding.parts(core(own))[data]
                return values.get(part, text), part.sort
            case Op.WITH:
                text, own = self.typed(arguments[0])
                word = core(own)
                part = self.coding.parts(word)[data]
                x = self.names.fresh()
                put = values.put(part, x, self.as_sort(arguments[1], part.sort))
                return f"({{ V {x} = {text}; {put}; }})", word
            case Op.MAKE:
                word = core(sort)
                parts = self.coding.parts(word)
                texts = [
                    f"{values.enc(part.sort, self.as_sort(argument, part.sort))} << {part.shift}"
                    for part, argument in zip(parts, arguments, strict=True)
                ]
                return "(" + " | ".join(texts or ["0"]) + ")", word
            case Op.ARM_IS:
                text, own = self.typed(arguments[0])
                union = core(own)
                assert isinstance(union, UnionSort)
                return f"(({text} & {(1 << self.coding.tag_width(union)) - 1}) == {data})", BoolSort()
            case Op.ARM_GET:
                text, own = self.typed(arguments[0])
                union = core(own)
                assert isinstance(union, UnionSort)
                fails = self.failing(Check.NO_OUT_OF_BOUNDS)
                if union.arms[data][1] is None:
                    return f"({{ (void){text}; {fails}; }})", sort
                part = values.union_part(union, data)
                x = self.names.fresh()
                tag = f"({x} & {(1 << self.coding.tag_width(union)) - 1})"
                return (
                    f"({{ V {x} = {text}; {tag} != {data} ? {fails} : {values.get(part, x)}; }})",
                    part.sort,
                )
            case Op.ARM_MAKE:
                union = core(sort)
                assert isinstance(union, UnionSort)
                if not arguments:
                    return str(data), union
                part = values.union_part(union, data)
                held = values.enc(part.sort, self.as_sort(arguments[0], part.sort))
                return f"({data} | {held} << {part.shift})", union
            case Op.POINT:
                return self.pointer(expression)
            case Op.NEXT:
                text = self.text(arguments[0])
                return self.next(sort, text), sort
            case Op.IN:
                return self.member(arguments[0], arguments[1]), BoolSort()
            case Op.SET_ADD | Op.SET_REMOVE:
                text, own = self.typed(arguments[0])
                position = self.position(element_of(core(own)), arguments[1])
                join = f"| bit({position})" if op is Op.SET_ADD else f"& ~bit({position})"
                return f"({text} {join})", own
            case Op.SET_UNION | Op.SET_INTERSECT | Op.SET_MINUS:
                a, b = (self.text(argument) for argument in arguments)
                join = {Op.SET_UNION: "|", Op.SET_INTERSECT: "&", Op.SET_MINUS: "& ~"}[op]
                return f"({a} {join}{b})", sort
            case Op.SET_MAKE:
                positions = [f"bit({self.position(element_of(core(sort)), a)})" for a in arguments]
                return "(" + " | ".join(["(V)0", *positions]) + ")", sort
            case Op.SIZE:
                text, own = self.typed(arguments[0])
                if isinstance(core(own), SetSort):
                    return f"((V)__builtin_popcountll({text}))", sort
                return values.get(self.coding.parts(core(own))[0], text), sort
            case _:
                return self.on_list(op, expression)

    def pointer(self, expression: Apply) -> Typed:
        """The address of a place."""
        sort = core(expression.sort)
        target = getattr(sort, "target", None)
        if not isinstance(target, str):
            raise Unsupported("an address of something else than a place")
        root, *parts = self.coding.pointer_parts(target)
        declared = self.program.roots[target][expression.data]
        variable = self.program.variables[next(iter(declared.components.values()))]
        texts = [str(expression.data << root.shift)]
        for part, dimension, argument in zip(parts, variable.dimensions, expression.arguments, strict=False):
            text, own = self.typed(argument)
            if isinstance(own, OptionalSort) and not isinstance(dimension, ObjectPointerSort):
                text = self.not_none(text)
            texts.append(f"{self.values.enc(part.sort, f'marked({text})')} << {part.shift}")
        return "(" + " | ".join(texts) + ")", sort

    def next(self, sort: Sort, text: str) -> str:
        """The successor of a seq; of classes, the number below: the newest is the least."""
        if isinstance(sort, SeqSort) and sort.wrap is not None:
            return f"(({text} + 1) % {sort.wrap})"
        sign = "-" if self.layout.abstracts else "+"
        return f"({text} {sign} {self.coding.stride})"

    def member(self, left: Expr, right: Expr) -> str:
        """Whether something is in a set or list."""
        text, own = self.typed(right)
        sort = core(own)
        if isinstance(sort, SetSort):
            # The member is computed before the set.
            x, y = self.names.fresh(), self.names.fresh()
            return f"({{ V {x} = {self.position(sort.element, left)}, {y} = {text}; has({y}, {x}); }})"
        assert isinstance(sort, ListSort)
        wanted, wanted_sort = self.typed(left)
        if self.coding.stride > 1 and contains(wanted_sort, is_seq):
            raise Unsupported("seqs of several homes in lists")
        w, x, r = self.names.fresh(), self.names.fresh(), self.names.fresh()
        length, *places = self.coding.parts(sort)
        bare = self.values.converted(self.values.bare(wanted_sort, wanted), wanted_sort, sort.element)
        lines = [f"V {w} = {bare}, {x} = {text}, {r} = 0, {r}n = {self.values.get(length, x)};"]
        for nth, part in enumerate(places):
            item = self.values.bare(part.sort, self.values.get(part, x))
            lines.append(f"if ({r}n > {nth} && {item} == {w}) {r} = 1;")
        return f"({{ {' '.join(lines)} {r}; }})"

    def on_list(self, op: Op, expression: Apply) -> Typed:
        """The operators on lists."""
        arguments, values = expression.arguments, self.values
        fails = self.failing(Check.NO_OUT_OF_BOUNDS)
        if op is Op.LIST_MAKE:
            sort = core(expression.sort)
            length, *places = self.coding.parts(sort)
            texts = [str(len(arguments) << length.shift)]
            for part, argument in zip(places, arguments, strict=False):
                held = values.enc(part.sort, self.as_sort(argument, part.sort))
                texts.append(f"{held} << {part.shift}")
            if len(arguments) > len(places):
                raise Unsupported("a list with more elements than its sort holds")
            return "(" + " | ".join(texts) + ")", sort
        if op is Op.LIST_PUSH:
            sort = core(expression.sort)
            assert isinstance(sort, ListSort)
            length, *places = self.coding.parts(sort)
            x, v, n, r = (self.names.fresh() for _ in range(4))
            full = self.failing(Check.NO_OUT_OF_BOUNDS, overflow=expression.data == 1)
            lines = [
                f"V {x} = {self.as_sort(arguments[0], sort)};",
                f"V {v} = {self.as_sort(arguments[1], sort.element)};",
                f"V {n} = {values.get(length, x)}, {r} = {x};",
                f"if ({n} >= {sort.capacity}) {full};",
                f"{r} = {values.put(length, r, f'({n} + 1)')};",
            ]
            lines.append(f"switch ({n}) {{")
            lines += [f"case {nth}: {r} = {values.put(p, r, v)}; break;" for nth, p in enumerate(places)]
            return f"({{ {' '.join(lines)} }} {r}; }})", sort
        text, own = self.typed(arguments[0])
        sort = core(own)
        assert isinstance(sort, ListSort)
        length, *places = self.coding.parts(sort)
        x, n, r = (self.names.fresh() for _ in range(3))
        start = f"V {x} = {text}, {n} = {values.get(length, x)};"
        match op:
            case Op.LIST_POP:
                cases = " ".join(
                    f"case {nth + 1}: {x} &= ~(V){(1 << part.width) - 1 << part.shift}; break;"
                    for nth, part in enumerate(places)
                )
                put = values.put(length, x, f"({n} - 1)")
                return f"({{ {start} if ({n} == 0) {fails}; switch ({n}) {{ {cases} }} {put}; }})", sort
            case Op.LIST_LAST | Op.LIST_AT:
                i = self.names.fresh()
                if op is Op.LIST_AT:
                    wanted = f"V {i} = {self.text(arguments[1])};"
                else:
                    wanted = f"V {i} = {n} - 1;"
                cases = " ".join(
                    f"case {nth}: {r} = {values.get(part, x)}; break;" for nth, part in enumerate(places)
                )
                test = f"if ({i} < 0 || {i} >= {n}) {fails};"
                return (
                    f"({{ {start} {wanted} V {r} = 0; {test} switch ({i}) {{ {cases} }} {r}; }})",
                    sort.element,
                )
            case Op.DISTINCT:
                lines = [start, f"V {r} = 1;"]
                items = [values.bare(part.sort, values.get(part, x)) for part in places]
                for b, item in enumerate(items):
                    for a in range(b):
                        lines.append(f"if ({n} > {b} && {items[a]} == {item}) {r} = 0;")
                return f"({{ {' '.join(lines)} {r}; }})", BoolSort()
            case _:
                raise Unsupported(f"the operator {op.value}")


def is_shared(sort: Sort) -> bool:
    """Whether readers may share the lock."""
    return isinstance(sort, LockSort) and sort.flavour.shared


def constant_of(text: str) -> int | None:
    """The number that a text is."""
    return int(text) if text.removeprefix("-").isdigit() else None


def joined(kind: Quantifier, texts: list[str]) -> str:
    """Several truth values as one, or counted; constants left out."""
    match kind:
        case Quantifier.FORALL:
            kept = [text for text in texts if text != "1"]
            if "0" in kept:
                kept = kept[: kept.index("0") + 1]
            return "(" + " && ".join(kept) + ")" if kept else "1"
        case Quantifier.EXISTS:
            kept = [text for text in texts if text != "0"]
            if "1" in kept:
                kept = kept[: kept.index("1") + 1]
            return "(" + " || ".join(kept) + ")" if kept else "0"
        case Quantifier.COUNT:
            return "(" + " + ".join(["(V)0", *(f"({text} ? 1 : 0)" for text in texts)]) + ")"
        case _:
            assert_never(kind)
