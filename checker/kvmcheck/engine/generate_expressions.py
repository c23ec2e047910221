# SPDX-License-Identifier: GPL-2.0-only
"""Expressions as Python expressions over the packed state.

Nothing that a user wrote reaches the generated text: variables are slots, locals and bound names are numbered,
constants are numbers.  What can fail calls `fail(site)`; `Sites` remembers what each site is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import assert_never

from kvmcheck.engine import runtime
from kvmcheck.engine.bounds import within
from kvmcheck.engine.layout import BodyLayout, span_of
from kvmcheck.engine.unit import Unit, literal
from kvmcheck.engine.walking import parts
from kvmcheck.semantics.expressions import member_at, sort_of
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
    IdSort,
    IntSort,
    ListSort,
    LockSort,
    ObjectPointerSort,
    OptionalSort,
    SeqSort,
    SetSort,
    Sort,
    Value,
    member_count,
    members,
)
from kvmcheck.source.text import Span

#: Quantifiers are unrolled up to this many operators; beyond, they become loops.
UNROLLED = 3000


def no_local(local: int) -> tuple[str, bool]:
    """Where there are no locals."""
    raise ValueError(f"local {local} outside a body")


def declared_sort(expression: Expr, scope: ExpressionScope) -> Sort:
    """The sort of what is stored where an expression reads, wider than the expression's own."""
    match expression:
        case Local(local=local) if scope.local_sorts:
            return scope.local_sorts[local]
        case _:
            return sort_of(expression)


#: Told of every read: its place, slot and indices, and the text; what to write instead.
OnRead = Callable[[Place, str, tuple[str, ...], str], str]


@dataclass
class ExpressionScope:
    """What an expression's names are in the generated text."""

    state: str
    before: str = "S"
    me: str = "me"
    local: Callable[[int], tuple[str, bool]] = no_local
    local_sorts: tuple[Sort, ...] = ()
    old_value: str = "o"
    bound: dict[str, str] = field(default_factory=dict)
    calls: dict[str, tuple[LiveCall, int]] = field(default_factory=dict)
    on_read: OnRead | None = None
    span: Span | None = None


class Expressions:
    """Translates expressions; `fails` is set once something translated may fail."""

    def __init__(self, unit: Unit, scope: ExpressionScope, span: Span) -> None:
        self.unit = unit
        self.layout = unit.layout
        self.program = unit.layout.program
        self.scope = scope
        self.span = span
        self.fails = False

    def with_bound(self, name: str, text: str) -> Expressions:
        """The same inside a quantifier."""
        return self._with(replace(self.scope, bound={**self.scope.bound, name: text}))

    def _with(self, scope: ExpressionScope) -> Expressions:
        return Nested(self, scope)

    def failing(self, check: Check, span: Span | None = None, *, overflow: bool = False) -> int:
        """A new site where a check may fail."""
        self.note_failing()
        return self.unit.site(check, span or self.span, overflow=overflow)

    def note_failing(self) -> None:
        """Remember that something may fail."""
        self.fails = True

    # ------------------------------------------------------------------ places

    def index(self, dimension: Sort, expression: Expr) -> str:
        """An index as the position in its dimension, checked where it could be outside."""
        text = self.text(expression)
        count = member_count(dimension)
        sort = declared_sort(expression, self.scope)
        if isinstance(dimension, ObjectPointerSort):
            sure = isinstance(expression, (Const, Bound)) or (
                isinstance(expression, Apply) and expression.op is Op.OBJECT
            )
            if sure or text.isdigit():
                return text
            self.unit.names["object_address"] = runtime.object_address
            return f"object_address({text}, {self.failing(Check.NO_OUT_OF_BOUNDS)})"
        low = dimension.low if isinstance(dimension, IntSort) else 0
        if text.lstrip("-").isdigit() and 0 <= int(text) - low < count:
            return str(int(text) - low)
        if isinstance(sort, OptionalSort) or text == "None":
            text = self.not_none(text)
        if low:
            text = f"({text} - {low})"
        if within(expression, low, low + count - 1):
            return text
        fresh = self.unit.temporary()
        site = self.failing(Check.NO_OUT_OF_BOUNDS)
        return f"({fresh} if 0 <= ({fresh} := {text}) < {count} else fail({site}))"

    def not_none(self, text: str, span: Span | None = None) -> str:
        """A value that may not be none."""
        site = self.failing(Check.NO_OUT_OF_BOUNDS, span)
        if text.isidentifier() and text != "None":
            return f"({text} if {text} is not None else fail({site}))"
        fresh = self.unit.temporary()
        return f"({fresh} if ({fresh} := {text}) is not None else fail({site}))"

    def slot(self, place: Place) -> tuple[str, tuple[str, ...]]:
        """The slot of a place, and its indices (none for a pointer's)."""
        match place:
            case VariablePlace(variable=number, indices=indices):
                variable = self.program.variables[number]
                texts = tuple(
                    self.index(dimension, index)
                    for dimension, index in zip(variable.dimensions, indices, strict=True)
                )
                # An index that is computed is computed once: its slot and its guard both need it.
                return self.layout_slot(number, texts), texts
            case PointerPlace(pointer=pointer, target=target, component=component, indices=indices):
                name = self.pointing(target, component)
                null = self.failing(Check.NO_USE_AFTER_FREE)
                outside = self.failing(Check.NO_OUT_OF_BOUNDS)
                root = self.program.roots[target][0]
                variable = self.program.variables[root.components[component]]
                rest = variable.dimensions[len(root.objects) :]
                further = "".join(
                    f", {self.index(dimension, index)}"
                    for dimension, index in zip(rest, indices, strict=True)
                )
                return f"{name}({self.text(pointer)}, {null}, {outside}{further})", ()
            case _:
                assert_never(place)

    def layout_slot(self, number: int, indices: tuple[str, ...]) -> str:
        """The slot of an element."""
        position = self.layout.first[number]
        summands: list[str] = []
        for text, stride in zip(indices, self.layout.strides[number], strict=True):
            if text.isdigit():
                position += int(text) * stride
            else:
                summands.append(text if stride == 1 else f"{text} * {stride}")
        return " + ".join([str(position), *summands]) if position or not summands else " + ".join(summands)

    def pointing(self, target: str, component: str) -> str:
        """The name of the function that finds the slot behind a place pointer."""

        def make() -> object:
            rows = []
            for root in self.program.roots[target]:
                number = root.components[component]
                sizes = tuple(member_count(d) for d in self.program.variables[number].dimensions)
                rows.append((self.layout.first[number], self.layout.strides[number], sizes, root.objects))
            return runtime.pointed(tuple(rows))

        return self.unit.name(("pointed", target, component), make)

    # ------------------------------------------------------------------ values

    def condition(self, expression: Expr) -> str:
        """A condition as Python text."""
        return self.text(expression)

    def text(self, expression: Expr) -> str:
        """The expression as Python text, in brackets where needed."""
        match expression:
            case Const(value=value, sort=sort):
                if contains(sort, is_seq) and self.layout.zero is not None:
                    if isinstance(sort, SeqSort):
                        return f"{self.scope.state}[{self.layout.zero}]"
                    return self.zeroed(sort, value)
                return literal(self.layout.numbering.initial(sort, value))
            case Local(local=local):
                text, sure = self.scope.local(local)
                return text if sure else self.set_value(text)
            case Param(index=index):
                return f"p{index}"
            case Current() | Actor():
                return self.scope.me
            case Bound(name=name):
                return self.scope.bound[name]
            case OldValue():
                return self.scope.old_value
            case Read(place=place):
                slot, indices = self.slot(place)
                text = f"{self.scope.state}[{slot}]"
                if self.scope.on_read is not None:
                    return self.scope.on_read(place, slot, indices, text)
                return text
            case Old(inner=inner):
                return self._with(replace(self.scope, state=self.scope.before)).text(inner)
            case Held(lock=lock, mode=mode, thread=thread):
                return self.held(lock, mode, thread)
            case Apply():
                return self.applied(expression)
            case Quantified(kind=kind, bound=bound, domain=domain, body=body):
                return self.quantified(kind, bound, domain, body)
            case LiveQuantified(kind=kind, name=name, function=function, body=body):
                return self.live(kind, name, function, body)
            case CallLocal(call=call, local=local):
                found, whose = self.scope.calls[call]
                return self.set_value(self.call_local(found, whose, found.locals[local]))
            case CallThread(call=call):
                return str(self.scope.calls[call][1])
            case CallAt(call=call, label=label):
                found, whose = self.scope.calls[call]
                return self.at(found, whose, found.at[label])
            case CallIn(call=call, start=start, end=end):
                found, whose = self.scope.calls[call]
                return f"({self.call_local(found, whose, found.regions[start, end])} == 1)"
            case The(bound=bound, condition=condition):
                self.unit.names["the"] = runtime.the
                fresh = self.unit.temporary()
                inner_text = self.with_bound(bound.name, fresh).text(condition)
                site = self.failing(Check.NO_OUT_OF_BOUNDS)
                domain_text = self.domain(bound.sort, None)
                return f"the({domain_text}, lambda {fresh}: {inner_text}, {site})"
            case _:
                assert_never(expression)

    def zeroed(self, sort: Sort, value: Value) -> str:
        """A literal with seqs in it: the number 0 as it stands now."""

        def make() -> object:
            def put(zero: Value) -> Value:
                return replace_parts(sort, value, lambda part, item: zero if is_seq(part) else item)

            return put

        name = self.unit.name(("zeroed", repr(sort), value), make)
        return f"{name}({self.scope.state}[{self.layout.zero}])"

    def set_value(self, text: str) -> str:
        """A local that must hold a value."""
        site = self.failing(Check.NO_UNSET_READ)
        if text == "U":
            return f"fail({site})"
        if text.isidentifier():
            return f"({text} if {text} is not U else fail({site}))"
        fresh = self.unit.temporary()
        return f"({fresh} if ({fresh} := {text}) is not U else fail({site}))"

    def held(self, lock: Place, mode: HeldMode, thread: Expr | None) -> str:
        """Whether a lock is held."""
        slot, _ = self.slot(lock)
        value = f"{self.scope.state}[{slot}]"
        if thread is None:
            whose = None
        else:
            whose = self.text(thread)
            if isinstance(declared_sort(thread, self.scope), OptionalSort):
                whose = self.not_none(whose)
        if not self.is_rw(lock):
            if mode is HeldMode.READ:
                return "False"
            return f"({value} is not None)" if whose is None else f"({value} == {whose})"
        match mode:
            case HeldMode.WRITE:
                return f"({value}[0] is not None)" if whose is None else f"({value}[0] == {whose})"
            case HeldMode.READ:
                return f"({value}[1] != 0)" if whose is None else f"({value}[1] >> {whose} & 1)"
            case HeldMode.ANY:
                fresh = self.unit.temporary()
                if whose is None:
                    return f"(({fresh} := {value})[0] is not None or {fresh}[1] != 0)"
                return f"(({fresh} := {value})[0] == {whose} or {fresh}[1] >> {whose} & 1)"
            case _:
                assert_never(mode)

    def is_rw(self, lock: Place) -> bool:
        """Whether readers may share the lock."""
        match lock:
            case VariablePlace(variable=number):
                pass
            case PointerPlace(target=target, component=component):
                number = self.program.roots[target][0].components[component]
            case _:
                assert_never(lock)
        sort = self.program.variables[number].sort
        return isinstance(sort, LockSort) and sort.flavour.shared

    # ------------------------------------------------------------------ quantifiers

    def domain(self, sort: Sort, domain: Expr | None) -> str:
        """The members that a quantifier or choice ranges over."""
        if domain is not None:
            inner = sort_of(domain)
            assert isinstance(inner, SetSort)
            return f"{self.members(inner.element)}({self.text(domain)})"
        if isinstance(sort, ObjectPointerSort):
            for pool in self.program.pools:
                if pool.name == sort.object:
                    self.unit.names["bits"] = runtime.bits
                    return f"bits({self.scope.state}[{self.layout.first[pool.allocated]}])"
        values = tuple(members(sort))
        return f"range({len(values)})" if values == tuple(range(len(values))) else literal(values)

    def members(self, sort: Sort) -> str:
        """The name of the function from a mask to the members of a set."""
        if isinstance(sort, (IntSort, OptionalSort)):
            return self.unit.name(("members", repr(sort)), lambda: runtime.members_function(sort))
        self.unit.names["bits"] = runtime.bits
        return "bits"

    def quantified(self, kind: Quantifier, bound: Bound, domain: Expr | None, body: Expr) -> str:
        """A quantifier: unrolled while that is short, else a loop."""
        span = sort_of(domain) if domain is not None else bound.sort
        element = span.element if isinstance(span, SetSort) else bound.sort
        objects = domain is None and isinstance(bound.sort, ObjectPointerSort)
        count = len(tuple(members(element)))
        if count * weight(body) > UNROLLED:
            fresh = self.unit.temporary()
            name = {"forall": "for_all", "exists": "there_is", "count": "how_many"}[kind.value]
            self.unit.names[name] = getattr(runtime, name)
            inner = self.with_bound(bound.name, fresh).text(body)
            return f"{name}({self.domain(bound.sort, domain)}, lambda {fresh}: {inner})"
        if domain is None and not objects:
            texts = [self.with_bound(bound.name, literal(value)).text(body) for value in members(element)]
            return joined(kind, texts)
        if domain is not None:
            mask = self.text(domain)
        else:
            assert isinstance(bound.sort, ObjectPointerSort)
            pool = next(pool for pool in self.program.pools if pool.name == bound.sort.object)
            mask = f"{self.scope.state}[{self.layout.first[pool.allocated]}]"
        fresh = self.unit.temporary()
        texts = []
        for position in range(count):
            inner = self.with_bound(bound.name, literal(member_at(element, position))).text(body)
            if kind is Quantifier.FORALL:
                texts.append(f"(not {fresh} & {1 << position} or {inner})")
            else:
                texts.append(f"({fresh} & {1 << position} != 0 and {inner})")
        return f"((({fresh} := {mask}) or True) and {joined(kind, texts)})"

    def live(self, kind: Quantifier, name: str, function: str, body: Expr) -> str:
        """A quantifier over the calls of a function that are live: one case for each call and thread."""
        texts: list[str] = []
        for call in self.program.live_calls:
            if call.function != function:
                continue
            for number, thread in enumerate(self.program.threads):
                if thread.process != call.process:
                    continue
                lives = self.at(call, number, call.nodes)
                inner = self._with(
                    replace(self.scope, calls={**self.scope.calls, name: (call, number)})
                ).text(body)
                if kind is Quantifier.FORALL:
                    texts.append(f"(not {lives} or {inner})")
                else:
                    texts.append(f"({lives} and {inner})")
        return joined(kind, texts)

    def at(self, call: LiveCall, thread: int, nodes: frozenset[int]) -> str:
        """Whether a call's body is at one of some nodes."""
        pc = f"{self.scope.state}[{self.layout.base[thread] + self.part(call).pc}]"
        if not nodes:
            return "False"
        if len(nodes) == 1:
            return f"({pc} == {next(iter(nodes))})"
        name = self.unit.name(("nodes", nodes), lambda: nodes, prefix="n")
        return f"({pc} in {name})"

    def part(self, call: LiveCall) -> BodyLayout:
        """The layout of the body that holds a call."""
        layout = self.layout.processes[call.process]
        part = layout.handler if call.interrupt else layout.main
        assert part is not None
        return part

    def call_local(self, call: LiveCall, thread: int, local: int) -> str:
        """A local of a call, UNSET or not."""
        part = self.part(call)
        if local not in part.locals:
            return "U"
        return f"{self.scope.state}[{self.layout.base[thread] + part.locals[local]}]"

    # ------------------------------------------------------------------ operators

    def applied(self, expression: Apply) -> str:
        """An operator applied."""
        op, arguments, data = expression.op, expression.arguments, expression.data
        span = span_of(expression, self.span)
        match op:
            case Op.AND:
                return joined(Quantifier.FORALL, [self.text(argument) for argument in arguments])
            case Op.OR:
                return joined(Quantifier.EXISTS, [self.text(argument) for argument in arguments])
            case Op.IMPLIES:
                return joined(Quantifier.EXISTS, [negated(self.text(arguments[0])), self.text(arguments[1])])
            case Op.IF:
                then, otherwise = self.text(arguments[1]), self.text(arguments[2])
                return f"({then} if {self.text(arguments[0])} else {otherwise})"
            case Op.NOT:
                return negated(self.text(arguments[0]))
            case Op.EQUAL:
                return self.equal(arguments[0], arguments[1], span)
            case Op.NOT_EQUAL:
                return negated(self.equal(arguments[0], arguments[1], span))
            case Op.OBJECT:
                site = self.failing(Check.NO_USE_AFTER_FREE, span)
                self.unit.names["object_position"] = runtime.object_position
                text = self.text(arguments[0])
                return text if text.isdigit() else f"object_position({text}, {site})"
            case Op.UNWRAP:
                return self.not_none(self.text(arguments[0]), span)
            case Op.FIT:
                return self.fit(expression, span)
            case _:
                return self.plain(op, expression, [self.operand(a, op, span) for a in arguments], data)

    def operand(self, argument: Expr, op: Op, span: Span) -> str:
        """An operand; one that may be none is checked where a number or word is needed."""
        text = self.text(argument)
        needs = op in (*_BINARY, Op.DIVIDE, Op.MODULO, Op.SHIFT_LEFT, Op.SHIFT_RIGHT, Op.NEGATE, Op.FIELD)
        if needs and (isinstance(declared_sort(argument, self.scope), OptionalSort) or text == "None"):
            return self.not_none(text, span)
        return text

    def fit(self, expression: Apply, span: Span) -> str:
        """A number fitted into its sort."""
        argument = expression.arguments[0]
        sort = expression.sort
        text = self.text(argument)
        optional = isinstance(declared_sort(argument, self.scope), OptionalSort)
        match sort:
            case IntSort(low=low, high=high):
                wraps = sort.wrap
            case IdSort(size=size):
                low, high, wraps = 0, size - 1, False
            case _:
                return text
        if optional:
            text = self.not_none(text, span)
        if within(argument, low, high):
            return text
        if wraps:
            return f"(({text} - {low}) % {high - low + 1} + {low})"
        site = self.failing(Check.NO_OUT_OF_BOUNDS, span)
        fresh = self.unit.temporary()
        return f"({fresh} if {low} <= ({fresh} := {text}) <= {high} else fail({site}))"

    def equal(self, left: Expr, right: Expr, span: Span) -> str:
        """Equality: by address, and only of seqs of one home."""
        a, b = self.text(left), self.text(right)
        if a == "None" or b == "None":
            return f"({b if a == 'None' else a} is None)" if a != b else "True"
        if a.isdigit() and b.isdigit():
            return str(a == b)
        left_sort, right_sort = sort_of(left), sort_of(right)
        if self.layout.numbering.stride > 1 and contains(left_sort, is_seq):
            name = self.unit.name(
                ("same", repr(left_sort), repr(right_sort)),
                lambda: runtime.same_function(left_sort, right_sort, self.layout.numbering),
            )
            return f"{name}({a}, {b}, {self.failing(Check.SEQ_LOST_UPDATE, span)})"
        if self.unit.frees() and (contains(left_sort, is_pointer) or contains(right_sort, is_pointer)):
            return f"({self.bare(left_sort)}({a}) == {self.bare(right_sort)}({b}))"
        return f"({a} == {b})"

    def bare(self, sort: Sort) -> str:
        """The name of the function that takes stale marks off."""
        return self.unit.name(("bare", repr(sort)), lambda: runtime.bare_function(sort))

    def position(self, sort: Sort, argument: Expr, span: Span) -> str:
        """A member's position in a set of its sort."""
        text = self.text(argument)
        own = declared_sort(argument, self.scope)
        match sort:
            case ObjectPointerSort():
                self.unit.names["object_address"] = runtime.object_address
                return f"object_address({text}, {self.failing(Check.NO_OUT_OF_BOUNDS, span)})"
            case OptionalSort(inner=inner):
                fresh = self.unit.temporary()
                offset = 1 - (inner.low if isinstance(inner, IntSort) else 0)
                return f"(0 if ({fresh} := {text}) is None else {fresh} + {offset})"
            case _:
                if isinstance(own, OptionalSort) or text == "None":
                    text = self.not_none(text, span)
                low = sort.low if isinstance(sort, IntSort) else 0
                return f"({text} - {low})" if low else text

    def plain(self, op: Op, expression: Apply, texts: list[str], data: int) -> str:
        """The operators that are one Python expression, or one call."""
        arguments, sort = expression.arguments, expression.sort
        span = span_of(expression, self.span)
        if op in _BINARY:
            return f"({texts[0]} {_BINARY[op]} {texts[1]})"
        match op:
            case Op.NEGATE:
                return f"(-{texts[0]})"
            case Op.DIVIDE | Op.MODULO:
                name = self.unit.name(op, lambda: runtime.division(op is Op.DIVIDE))
                return f"{name}({texts[0]}, {texts[1]}, {self.failing(Check.NO_OUT_OF_BOUNDS, span)})"
            case Op.SHIFT_LEFT | Op.SHIFT_RIGHT:
                self.unit.names["shift"] = runtime.shift
                site = self.failing(Check.NO_OUT_OF_BOUNDS, span)
                return f"shift({texts[0]}, {texts[1]}, {site}, {op is Op.SHIFT_LEFT})"
            case Op.FIELD:
                return f"{texts[0]}[{data}]"
            case Op.WITH:
                self.unit.names["with_field"] = runtime.with_field
                return f"with_field({texts[0]}, {data}, {texts[1]})"
            case Op.MAKE | Op.LIST_MAKE:
                return "(" + "".join(f"{text}, " for text in texts) + ")"
            case Op.ARM_IS:
                return f"({texts[0]}[0] == {data})"
            case Op.ARM_GET:
                self.unit.names["arm"] = runtime.arm
                return f"arm({texts[0]}, {data}, {self.failing(Check.NO_OUT_OF_BOUNDS, span)})"
            case Op.ARM_MAKE | Op.POINT:
                return "(" + "".join(f"{text}, " for text in [str(data), *texts]) + ")"
            case Op.NEXT:
                return self.next(sort, texts[0])
            case Op.IN:
                return self.member(arguments[0], arguments[1], texts, span)
            case Op.SET_ADD | Op.SET_REMOVE:
                element = sort_of(arguments[0])
                assert isinstance(element, SetSort)
                position = self.position(element.element, arguments[1], span)
                if op is Op.SET_ADD:
                    return f"({texts[0]} | 1 << {position})"
                return f"({texts[0]} & ~(1 << {position}))"
            case Op.SET_UNION:
                return f"({texts[0]} | {texts[1]})"
            case Op.SET_INTERSECT:
                return f"({texts[0]} & {texts[1]})"
            case Op.SET_MINUS:
                return f"({texts[0]} & ~{texts[1]})"
            case Op.SET_MAKE:
                assert isinstance(sort, SetSort)
                positions = [self.position(sort.element, argument, span) for argument in arguments]
                return "(" + " | ".join(["0", *(f"1 << {position}" for position in positions)]) + ")"
            case Op.SIZE:
                if isinstance(sort_of(arguments[0]), SetSort):
                    return f"({texts[0]}).bit_count()"
                return f"len({texts[0]})"
            case Op.LIST_PUSH:
                assert isinstance(sort, ListSort)
                self.unit.names["push"] = runtime.push
                site = self.failing(Check.NO_OUT_OF_BOUNDS, span, overflow=data == 1)
                return f"push({texts[0]}, {texts[1]}, {sort.capacity}, {site})"
            case Op.LIST_POP | Op.LIST_LAST:
                name = "pop" if op is Op.LIST_POP else "last"
                self.unit.names[name] = getattr(runtime, name)
                return f"{name}({texts[0]}, {self.failing(Check.NO_OUT_OF_BOUNDS, span)})"
            case Op.LIST_AT:
                self.unit.names["item_at"] = runtime.item_at
                return f"item_at({texts[0]}, {texts[1]}, {self.failing(Check.NO_OUT_OF_BOUNDS, span)})"
            case Op.DISTINCT:
                inner = sort_of(arguments[0])
                fresh = self.unit.temporary()
                return f"(len({fresh} := {self.bare(inner)}({texts[0]})) == len(set({fresh})))"
            case _:
                raise ValueError(f"no such operator here: {op}")

    def next(self, sort: Sort, text: str) -> str:
        """The successor of a seq; of classes, the number below: the newest is the least."""
        if isinstance(sort, SeqSort) and sort.wrap is not None:
            return f"(({text} + 1) % {sort.wrap})"
        sign = "-" if self.layout.abstracts else "+"
        return f"({text} {sign} {self.layout.numbering.stride})"

    def member(self, left: Expr, right: Expr, texts: list[str], span: Span) -> str:
        """Whether something is in a set or list."""
        sort = sort_of(right)
        if isinstance(sort, SetSort):
            position = self.position(sort.element, left, span)
            if position.isdigit():
                return f"({texts[1]} & {1 << int(position)} != 0)"
            if not within(left, 0, 1_000_000) and isinstance(sort.element, IntSort):
                fresh = self.unit.temporary()
                return f"(({fresh} := {position}) >= 0 and {texts[1]} >> {fresh} & 1)"
            return f"({texts[1]} >> {position} & 1)"
        assert isinstance(sort, ListSort)
        own, element = sort_of(left), sort.element
        if self.layout.numbering.stride > 1 and contains(own, is_seq):
            name = self.unit.name(
                ("same", repr(own), repr(element)),
                lambda: runtime.same_function(own, element, self.layout.numbering),
            )
            site = self.failing(Check.SEQ_LOST_UPDATE, span)
            self.unit.names["there_is"] = runtime.there_is
            fresh, wanted = self.unit.temporary(), self.unit.temporary()
            test = f"lambda {fresh}: {name}({wanted}, {fresh}, {site})"
            return f"(lambda {wanted}: there_is({texts[1]}, {test}))({texts[0]})"
        if self.unit.frees() and contains(element, is_pointer):
            return f"({self.bare(own)}({texts[0]}) in {self.bare(sort)}({texts[1]}))"
        return f"({texts[0]} in {texts[1]})"


class Nested(Expressions):
    """Expressions inside a quantifier or `old`: what may fail in them may fail in the outer one."""

    def __init__(self, outer: Expressions, scope: ExpressionScope) -> None:
        super().__init__(outer.unit, scope, outer.span)
        self.outer = outer

    def note_failing(self) -> None:
        """Remember that something may fail, outside too."""
        self.fails = True
        self.outer.note_failing()


_BINARY = {
    Op.LESS: "<",
    Op.LESS_EQUAL: "<=",
    Op.ADD: "+",
    Op.SUBTRACT: "-",
    Op.MULTIPLY: "*",
    Op.BIT_AND: "&",
    Op.BIT_OR: "|",
    Op.BIT_XOR: "^",
}


def weight(expression: Expr) -> int:
    """About how much text an expression becomes, unrolled."""
    inner = 1 + sum(weight(part) for part in parts(expression))
    if isinstance(expression, Quantified):
        sort = expression.bound.sort if expression.domain is None else sort_of(expression.domain)
        element = sort.element if isinstance(sort, SetSort) else sort
        return inner * len(tuple(members(element)))
    return inner


def negated(text: str) -> str:
    """Not that."""
    if text in ("True", "1"):
        return "False"
    if text in ("False", "0"):
        return "True"
    return f"(not {text})"


def joined(kind: Quantifier, texts: list[str]) -> str:
    """Several truth values as one, or counted; constants left out."""
    truths = [
        "True" if text in ("1", "True") else "False" if text in ("0", "False") else text for text in texts
    ]
    match kind:
        case Quantifier.FORALL:
            kept = [text for text in truths if text != "True"]
            if "False" in kept:
                kept = kept[: kept.index("False") + 1]
            return "(" + " and ".join(kept) + ")" if len(kept) > 1 else (kept[0] if kept else "True")
        case Quantifier.EXISTS:
            kept = [text for text in truths if text != "False"]
            if "True" in kept:
                kept = kept[: kept.index("True") + 1]
            return "(" + " or ".join(kept) + ")" if len(kept) > 1 else (kept[0] if kept else "False")
        case Quantifier.COUNT:
            return "(" + " + ".join(["0", *(f"(1 if {text} else 0)" for text in truths)]) + ")"
        case _:
            assert_never(kind)
