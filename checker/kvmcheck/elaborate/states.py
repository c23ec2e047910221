# SPDX-License-Identifier: GPL-2.0-only
"""Expressions over a state: properties, ghost code, `await` and `where` conditions, constants.

Reading is free here: everything is read in the one state.  Pure functions are unfolded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kvmcheck.elaborate.coercion import UNKNOWN, Typed, constant, described
from kvmcheck.elaborate.expressions import Expressions, dotted
from kvmcheck.elaborate.places import Named, ValuePlace
from kvmcheck.elaborate.requests import (
    EventRequest,
    Requests,
    declared_types,
    labels_of,
    left_of,
    loop_variables,
)
from kvmcheck.elaborate.scopes import FunctionSymbol, Scope, unknown_name
from kvmcheck.elaborate.world import World
from kvmcheck.lang import syntax
from kvmcheck.lang.syntax import BinaryOp
from kvmcheck.semantics.program import (
    Actor,
    Apply,
    Bound,
    CallAt,
    CallIn,
    CallLocal,
    CallThread,
    Const,
    Current,
    Expr,
    Held,
    HeldMode,
    LiveQuantified,
    Local,
    Old,
    Op,
    Place,
    PointerPlace,
    Quantified,
    Quantifier,
    Read,
    The,
    Variable,
    VariableKind,
    VariablePlace,
)
from kvmcheck.semantics.sorts import (
    BOOL,
    IdSort,
    IntSort,
    OptionalSort,
    SetSort,
    Sort,
    UnknownSort,
    member_count,
    sort_name,
)
from kvmcheck.source.nearest import nearest
from kvmcheck.source.text import Span

_LOGICAL = {BinaryOp.AND: Op.AND, BinaryOp.OR: Op.OR, BinaryOp.IMPLIES: Op.IMPLIES}
_TRANSPARENT = ("READ_ONCE", "data_race", "smp_load_acquire", "atomic_read")
_HELD = {"held": HeldMode.ANY, "held_read": HeldMode.READ, "held_write": HeldMode.WRITE}

#: A pure function unfolds to at most this many statements: loops over members are unrolled.
MAX_UNFOLDED = 2000


class StateExpressions(Expressions):
    """Typing where a whole state is at hand.

    `what` names the place for diagnostics; `bound` are names nearer than the module's; `outer` those of code
    around it; `requests` is where properties note what they need (None: live calls and events can't stand here).
    """

    def __init__(
        self,
        world: World,
        scope: Scope,
        what: str,
        *,
        bound: Mapping[str, Bound | Typed] | None = None,
        outer: Callable[[str], Named | None] | None = None,
        requests: Requests | None = None,
        functions: Mapping[str, syntax.FunctionDecl] | None = None,
        two_states: bool = False,
        thread: bool = False,
    ) -> None:
        super().__init__(world, scope)
        self.what = what
        self.bound: dict[str, Bound | Typed] = dict(bound or {})
        self.calls: dict[str, FunctionSymbol] = {}
        self.outer = outer
        self.requests = requests
        self.functions = functions or {}
        self.two_states = two_states
        self.thread = thread
        self.unfolding: tuple[str, ...] = ()
        self.reads: list[Place] = []

    # ---- names and reading

    def load(self, place: Place, sort: Sort, span: Span, *, ghost: bool) -> Typed:  # noqa: ARG002  # the other kind needs them
        """What the place holds in this state."""
        self.reads.append(place)
        return Typed(Read(place, sort), sort)

    def local(self, name: str) -> Named | None:
        """A bound variable, `actor`, `current`, or a local of the code around."""
        if name in self.bound:
            value = self.bound[name]
            return ValuePlace(value if isinstance(value, Typed) else Typed(value, value.sort))
        if name == "actor" and self.two_states:
            return ValuePlace(Typed(Actor(self.world.threads), self.world.threads))
        if name == "current" and self.thread:
            return ValuePlace(Typed(Current(self.world.threads), self.world.threads))
        return self.outer(name) if self.outer else None

    def local_names(self) -> list[str]:
        """The bound variables."""
        return list(self.bound)

    def local_value(self, local: int, sort: Sort) -> Typed:
        """The local of the code around."""
        return Typed(Local(local, sort), sort)

    def note_seq_comparison(self, left: Typed, right: Typed) -> None:
        """Fine without numbers if one side is a home itself."""
        for side in (left.expr, right.expr):
            if isinstance(side, Read) and isinstance(side.place, VariablePlace):
                self.world.seq_partners.append(side.place.variable)
                return
        self.world.seq_compared = True

    def named(self, expr: syntax.Expr) -> Named:
        """Also `f.local` of a live call f."""
        match expr:
            case syntax.Field(base=syntax.Name(text=call), name=name) if call in self.calls:
                return ValuePlace(self._call_local(call, name))
            case syntax.Field(
                base=syntax.Field(base=syntax.Name(text=call), name=name), name=syntax.Name(text="left")
            ) if call in self.calls:
                return ValuePlace(self._left(call, name))
            case _:
                return super().named(expr)

    def _left(self, call: str, name: syntax.Name) -> Typed:
        """`f.x.left`: what `for (T x)` has not visited yet."""
        symbol = self.calls[call]
        loops = loop_variables(self._function(symbol))
        if name.text not in loops:
            near = nearest(name.text, loops)
            self.collector.error(
                "KVM206",
                f"`{symbol.qualified}` has no `for (T {name.text})`, so nothing of it is left",
                name.span,
                help=f"did you mean `{near}.left`?" if near else "",
            )
            return UNKNOWN
        sort = SetSort(self.world.value_sort(loops[name.text], symbol.scope))
        return Typed(CallLocal(call, left_of(name.text), sort), sort)

    def _call_local(self, call: str, name: syntax.Name) -> Typed:
        symbol = self.calls[call]
        types = declared_types(self._function(symbol))
        if name.text not in types:
            if name.text == "thread":
                return Typed(CallThread(call, self.world.threads), self.world.threads)
            near = nearest(name.text, types)
            self.collector.error(
                "KVM206",
                f"`{symbol.qualified}` has no local `{name.text}`",
                name.span,
                help=f"did you mean `{near}`?" if near else "",
            )
            return UNKNOWN
        sort = self.world.value_sort(types[name.text], symbol.scope)
        return Typed(CallLocal(call, name.text, sort), sort)

    def _function(self, symbol: FunctionSymbol) -> syntax.FunctionDecl:
        return self.functions.get(symbol.qualified, symbol.declaration)

    # ---- forms

    def logical(self, expr: syntax.Binary) -> Typed:
        """All of it is free: no control flow."""
        left = self.condition(expr.left)
        right = self.condition(expr.right)
        op = _LOGICAL[expr.op]
        # The span of an implication is its left side: what vacuity is reported with.
        span = expr.left.span if op is Op.IMPLIES else expr.span
        return Typed(Apply(op, (left, right), BOOL, span=span), BOOL)

    def ternary(self, expr: syntax.Ternary, wanted: Sort | None) -> Typed:
        """All of it is free: no control flow."""
        condition = self.condition(expr.condition)
        then = self.expr(expr.then, wanted)
        otherwise = self.expr(expr.otherwise, wanted or then.sort)
        sort = joined(then.sort, otherwise.sort)
        parts = (
            condition,
            self.fitted(then, sort, expr.then.span),
            self.fitted(otherwise, sort, expr.otherwise.span),
        )
        return Typed(Apply(Op.IF, parts, sort), sort)

    def special(self, expr: syntax.Expr, wanted: Sort | None) -> Typed:  # noqa: ARG002  # the other kind needs it
        """Quantifiers, live calls, `after`, `the`."""
        match expr:
            case syntax.Quantified():
                return self._quantified(expr)
            case syntax.LiveAt(call=call, label=label):
                function = self._call_of(call)
                if function is None or not self._knows_label(function, label):
                    return Typed(Const(0, BOOL), BOOL)
                assert self.requests is not None
                self.requests.at.setdefault(function.qualified, set()).add(label.label)
                return Typed(CallAt(call.text, label.label), BOOL)
            case syntax.LiveIn(call=call, start=start, end=end):
                function = self._call_of(call)
                if function is None or not all(
                    [self._knows_label(function, start), self._knows_label(function, end)]
                ):
                    return Typed(Const(0, BOOL), BOOL)
                assert self.requests is not None
                pair = (start.label, end.label)
                self.requests.regions.setdefault(function.qualified, set()).add(pair)
                return Typed(CallIn(call.text, *pair), BOOL)
            case syntax.After():
                return self._after(expr)
            case syntax.The(type=type, name=name, condition=condition):
                sort = self.world.value_sort(type, self.scope)
                bound = Bound(self._fresh(name.text), sort)
                inner = self.with_names({name.text: bound})
                return Typed(The(bound, inner.condition(condition)), sort)
            case syntax.Any(span=span) | syntax.Alloc(span=span) | syntax.IncDec(span=span):
                self.collector.error(
                    "KVM407",
                    f"this changes or chooses something, and {self.what} only looks",
                    span,
                )
                return UNKNOWN
            case _:
                raise AssertionError(expr)

    def with_names(self, names: Mapping[str, Bound | Typed]) -> StateExpressions:
        """The same with more names in sight."""
        inner = StateExpressions(
            self.world,
            self.scope,
            self.what,
            bound={**self.bound, **names},
            outer=self.outer,
            requests=self.requests,
            functions=self.functions,
            two_states=self.two_states,
            thread=self.thread,
        )
        inner.calls = {k: v for k, v in self.calls.items() if k not in names}
        inner.unfolding = self.unfolding
        inner.reads = self.reads
        return inner

    def _fresh(self, name: str) -> str:
        self.world.bound_names += 1
        return f"{name}#{self.world.bound_names}"

    # ---- quantifiers

    def _quantified(self, expr: syntax.Quantified) -> Typed:
        kind = Quantifier(expr.kind.value)
        if kind is Quantifier.COUNT and len(expr.binders) != 1:
            self.collector.error("KVM302", "`count` binds one variable", expr.span)
            return UNKNOWN
        body = self._bind(kind, list(expr.binders), expr.body)
        if kind is Quantifier.COUNT:
            sort = IntSort(0, 1 << 16)
            return Typed(body, sort)
        return Typed(body, BOOL)

    def _bind(self, kind: Quantifier, binders: list[syntax.Binder], body: syntax.Expr) -> Expr:
        if not binders:
            return self.condition(body)
        binder, rest = binders[0], binders[1:]
        if isinstance(binder.type, syntax.NamedType):
            symbol = self.scope.find(binder.type.path)
            if isinstance(symbol, FunctionSymbol):
                if self.requests is None:
                    self.collector.error(
                        "KVM407", f"live calls can't be asked for in {self.what}", binder.span
                    )
                    return Const(1, BOOL)
                self.requests.live.add(symbol.qualified)
                name = self._fresh(binder.name.text)
                inner = self.with_names({})
                inner.bound.pop(binder.name.text, None)
                inner.calls[binder.name.text] = symbol
                inner_body = inner._bind(kind, rest, body)
                return LiveQuantified(
                    kind,
                    name,
                    symbol.qualified,
                    _renamed_call(inner_body, binder.name.text, name),
                )
        domain = None
        sort = self.world.value_sort(binder.type, self.scope)
        if binder.domain is not None:
            value = self.expr(binder.domain, SetSort(sort))
            if not isinstance(value.sort, SetSort | UnknownSort):
                self.collector.error(
                    "KVM309", f"a set must stand here, not {described(value.sort)}", binder.span
                )
            domain = value.expr
        else:
            try:
                member_count(sort)
            except ValueError:
                if not isinstance(sort, UnknownSort):
                    self.collector.error(
                        "KVM309",
                        f"one can't go through all values of {sort_name(sort)}",
                        binder.span,
                    )
                return Const(1, BOOL)
        bound = Bound(self._fresh(binder.name.text), sort)
        inner_body = self.with_names({binder.name.text: bound})._bind(kind, rest, body)
        return Quantified(kind, bound, domain, inner_body)

    def _call_of(self, name: syntax.Name) -> FunctionSymbol | None:
        if name.text in self.calls:
            return self.calls[name.text]
        self.collector.error(
            "KVM201",
            f"`{name.text}` is not a live call",
            name.span,
            help="bind it: `forall (function f) : f in @A..@B implies …`",
        )
        return None

    def _knows_label(self, function: FunctionSymbol, label: syntax.LabelRef) -> bool:
        if label.function:
            symbol = self.scope.find(label.function)
            if symbol is not function:
                self.collector.error(
                    "KVM207",
                    f"the call is one of `{function.qualified}`, not of `{'.'.join(label.function)}`",
                    label.span,
                )
                return False
        return self.has_label(function, label.label, label.span)

    def has_label(self, function: FunctionSymbol, label: str, span: Span) -> bool:
        """Whether the function has this label; a diagnostic if not."""
        known = labels_of(self._function(function))
        if label in known or label in ("entry", "return"):
            return True
        near = nearest(label, known)
        self.collector.error(
            "KVM207",
            f"`{function.qualified}` has no label `@{label}`",
            span,
            help=f"did you mean `@{near}`?" if near else "",
        )
        return False

    # ---- after … until

    def _after(self, expr: syntax.After) -> Typed:
        if self.requests is None or self.two_states:
            self.collector.error("KVM407", f"`after` can't stand in {self.what}", expr.span)
            return Typed(Const(1, BOOL), BOOL)
        start = self._event(expr.start, syntax.EventKind.RETURN)
        end = self._event(expr.end, syntax.EventKind.CALL) if expr.end else None
        if start is None or (expr.end and end is None):
            return Typed(Const(1, BOOL), BOOL)
        dimensions: dict[str, Sort] = {}
        for event in (start, end):
            for argument in event[3] if event else ():
                if isinstance(argument, Bound):
                    dimensions[argument.name] = argument.sort
        monitor = len(self.world.variables)
        text = " ".join(expr.span.text.split(":")[0].split())
        self.world.variables.append(
            Variable(
                text,
                VariableKind.MONITOR,
                tuple(dimensions.values()),
                BOOL,
                0,
                None,
                expr.span,
            )
        )
        for event, begins in ((start, True), (end, False)):
            if event is not None:
                function, kind, label, arguments = event
                self.requests.events.setdefault(function, []).append(
                    EventRequest(kind, label, arguments, monitor, tuple(dimensions), begins)
                )
        indices = tuple(Bound(name, sort) for name, sort in dimensions.items())
        active = Read(VariablePlace(monitor, indices), BOOL)
        body = self.condition(expr.body)
        return Typed(Apply(Op.IMPLIES, (active, body), BOOL, span=expr.start.span), BOOL)

    def _event(
        self, event: syntax.Event, bare: syntax.EventKind
    ) -> tuple[str, syntax.EventKind, str, tuple[Expr | None, ...]] | None:
        symbol = self.scope.find(event.function)
        if not isinstance(symbol, FunctionSymbol):
            unknown_name(
                self.collector,
                ".".join(event.function),
                event.span,
                self.scope,
                (FunctionSymbol,),
                "a function",
            )
            return None
        if event.label and not self.has_label(symbol, event.label, event.span):
            return None
        parameters = self._function(symbol).parameters
        if len(parameters) != len(event.arguments):
            self.collector.error(
                "KVM302",
                f"`{symbol.qualified}` takes {len(parameters)} argument{'s' * (len(parameters) != 1)}, "
                f"not {len(event.arguments)}",
                event.span,
                help="`_` stands for any argument",
            )
            return None
        arguments: list[Expr | None] = []
        for parameter, argument in zip(parameters, event.arguments, strict=True):
            if argument is None:
                arguments.append(None)
                continue
            sort = self.world.value_sort(parameter.type, symbol.scope)
            value = self.expr(argument, sort)
            same = value.sort == sort or (isinstance(sort, OptionalSort) and sort.inner == value.sort)
            arguments.append(value.expr if same else self.fitted(value, sort, argument.span))
        kind = event.kind or bare
        return symbol.qualified, kind, event.label or "", tuple(arguments)

    # ---- calls

    def call(self, expr: syntax.Call) -> Typed:
        """`held`, `old`, marked reads (as plain ones), and pure functions, unfolded."""
        path = dotted(expr.function)
        name = path[0] if path and len(path) == 1 else ""
        if name in _TRANSPARENT and len(expr.arguments) == 1:
            argument = expr.arguments[0]
            inner = argument.place if isinstance(argument, syntax.AddressOf) else argument
            return self.expr(inner)
        if name in _HELD:
            return self._held(expr, _HELD[name])
        if name == "old":
            if not self.two_states or len(expr.arguments) != 1:
                self.collector.error(
                    "KVM407", "`old(e)` stands in a `step` property, with one argument", expr.span
                )
                return UNKNOWN
            value = self.expr(expr.arguments[0])
            return Typed(Old(value.expr, value.sort), value.sort)
        symbol = self.symbol(expr.function)
        if not isinstance(symbol, FunctionSymbol):
            unknown_name(
                self.collector,
                ".".join(path or ("this",)),
                expr.function.span,
                self.scope,
                (FunctionSymbol,),
                f"a function that {self.what} can call",
            )
            return UNKNOWN
        function = self._function(symbol)
        if not function.pure:
            self.collector.error(
                "KVM407",
                f"`{symbol.qualified}` has effects, and {self.what} only looks",
                expr.span,
                help="a helper for properties is declared `pure`",
            )
            return UNKNOWN
        self.world.lowered.add(symbol.qualified)
        self.world.unfolded_names.add(symbol.qualified)
        if symbol.qualified in self.unfolding:
            self.collector.error("KVM401", f"`{symbol.qualified}` calls itself", expr.span)
            return UNKNOWN
        if len(function.parameters) != len(expr.arguments):
            self.collector.error(
                "KVM302",
                f"`{symbol.qualified}` takes {len(function.parameters)} "
                f"argument{'s' * (len(function.parameters) != 1)}, not {len(expr.arguments)}",
                expr.span,
            )
            return UNKNOWN
        given: dict[str, Bound | Typed] = {}
        for parameter, argument in zip(function.parameters, expr.arguments, strict=True):
            sort = self.world.value_sort(parameter.type, symbol.scope)
            given[parameter.name.text] = Typed(self.coerced(argument, sort), sort)
        result = self.world.value_sort(function.result, symbol.scope)
        inside = StateExpressions(
            self.world,
            symbol.scope,
            f"pure function `{symbol.qualified}`",
            bound=given,
            requests=self.requests,
            functions=self.functions,
            two_states=self.two_states,
            thread=self.thread,
        )
        inside.unfolding = (*self.unfolding, symbol.qualified)
        inside.reads = self.reads
        return Typed(inside.unfold(tuple(function.body.body), result, function.span), result)

    def _held(self, expr: syntax.Call, mode: HeldMode) -> Typed:
        if not 1 <= len(expr.arguments) <= 2:
            self.collector.error("KVM302", "`held(lock)` or `held(lock, thread)`", expr.span)
            return Typed(Const(0, BOOL), BOOL)
        lock = self.lock(expr.arguments[0])
        thread = None
        if len(expr.arguments) == 2:
            thread = self.coerced(expr.arguments[1], self.world.threads)
        if lock is None:
            return Typed(Const(0, BOOL), BOOL)
        if not isinstance(thread, Current):
            self.reads.append(lock)  # what a thread holds itself it knows; of another it must look
        return Typed(Held(lock, mode, thread), BOOL)

    # ---- pure functions, unfolded

    def unfold(self, body: tuple[syntax.Stmt, ...], result: Sort, span: Span) -> Expr:
        """What a pure function's body returns, as one expression."""
        self.world.unfolded += 1
        if self.world.unfolded > MAX_UNFOLDED:
            self.collector.error("KVM407", "this pure function unfolds to too much", span)
            return Const(0, UnknownSort())
        if not body:
            self.collector.error("KVM408", "a path through this function returns nothing", span)
            return Const(0, UnknownSort())
        first, rest = body[0], body[1:]
        match first:
            case syntax.Block(body=inner):
                return self.unfold((*inner, *rest), result, span)
            case syntax.Labelled(body=labelled):
                return self.unfold((labelled, *rest), result, span)
            case syntax.Empty():
                return self.unfold(rest, result, span)
            case syntax.Return(value=value) if value is not None:
                return self.coerced(value, result)
            case syntax.If(condition=condition, then=then, otherwise=otherwise):
                asked = self.condition(condition)
                known = constant(asked)
                yes = (then, *rest)
                no = (otherwise, *rest) if otherwise else rest
                if known is not None:
                    return self.unfold(yes if known else no, result, span)
                parts = (
                    asked,
                    self.with_names({}).unfold(yes, result, span),
                    self.with_names({}).unfold(no, result, span),
                )
                return Apply(Op.IF, parts, result)
            case syntax.LocalDecl(type=type, name=name, initial=initial) if initial is not None:
                sort = self.world.value_sort(type, self.scope)
                first_value = Typed(self.coerced(initial, sort), sort)
                return self.with_names({name.text: first_value}).unfold(rest, result, span)
            case syntax.Assign(place=syntax.Name(text=text), op=op, value=value) if isinstance(
                self.bound.get(text), Typed
            ):
                old = self.bound[text]
                assert isinstance(old, Typed)
                new = self.expr(value, old.sort)
                if op is not None:
                    new = self.apply(op, old, new, first.span)
                fitted = Typed(self.fitted(new, old.sort, first.span), old.sort)
                return self.with_names({text: fitted}).unfold(rest, result, span)
            case syntax.ForEach(type=type, name=name, domain=domain, body=loop):
                sort = self.world.value_sort(type, self.scope)
                if isinstance(sort, UnknownSort):
                    return Const(0, UnknownSort())
                unrolled: list[syntax.Stmt] = []
                bound: dict[str, Bound | Typed] = {}
                for position in range(member_count(sort)):
                    member = syntax.Name(f"{name.text}#{position}", name.span)
                    bound[member.text] = Typed(Const(position, sort), sort)
                    round_trip: syntax.Stmt = syntax.Block(
                        (syntax.LocalDecl(type, name, (), member, first.span), loop), first.span
                    )
                    if domain is not None:
                        inside = syntax.Binary(BinaryOp.IN, member, domain, domain.span)
                        round_trip = syntax.If(inside, round_trip, None, first.span)
                    unrolled.append(round_trip)
                return self.with_names(bound).unfold((*unrolled, *rest), result, span)
            case _:
                self.collector.error(
                    "KVM407",
                    "a pure function has locals, `if`, `for (T x)` and `return`, and nothing else",
                    first.span,
                )
                return Const(0, UnknownSort())


def joined(a: Sort, b: Sort) -> Sort:
    """A sort that both fit: what `c ? x : y` has."""
    match a, b:
        case (IntSort(low=low, high=high), IntSort(low=least, high=most)):
            return IntSort(min(low, least), max(high, most))
        case (UnknownSort(), _):
            return b
        case (OptionalSort(), _):
            return a
        case (_, OptionalSort()):
            return b
        case (IdSort(ordered=True, size=size), IntSort(low=low, high=high)):
            return IntSort(min(0, low), max(size - 1, high))
        case (IntSort(low=low, high=high), IdSort(ordered=True, size=size)):
            return IntSort(min(0, low), max(size - 1, high))
        case _:
            return a


def _renamed_call(expr: Expr, old: str, new: str) -> Expr:
    """The expression with the live call `old` named `new`."""

    def walk(inner: Expr) -> Expr:
        return _renamed_call(inner, old, new)

    match expr:
        case CallLocal(call=call, local=local, sort=sort) if call == old:
            return CallLocal(new, local, sort)
        case CallThread(call=call, sort=sort) if call == old:
            return CallThread(new, sort)
        case CallAt(call=call, label=label) if call == old:
            return CallAt(new, label)
        case CallIn(call=call, start=start, end=end) if call == old:
            return CallIn(new, start, end)
        case _:
            return rebuilt(expr, walk)


def rebuilt(expr: Expr, walk: Callable[[Expr], Expr]) -> Expr:
    """The expression with `walk` applied to each expression right below it."""

    def place(inner: Place) -> Place:
        indices = tuple(walk(i) for i in inner.indices)
        if isinstance(inner, VariablePlace):
            return VariablePlace(inner.variable, indices)
        return PointerPlace(walk(inner.pointer), inner.target, inner.component, indices)

    match expr:
        case Apply(op=op, arguments=arguments, sort=sort, data=data, span=span):
            return Apply(op, tuple(walk(a) for a in arguments), sort, data, span)
        case Quantified(kind=kind, bound=bound, domain=domain, body=body):
            return Quantified(kind, bound, walk(domain) if domain else None, walk(body))
        case LiveQuantified(kind=kind, name=name, function=function, body=body):
            return LiveQuantified(kind, name, function, walk(body))
        case Read(place=inner, sort=sort):
            return Read(place(inner), sort)
        case Old(inner=inner_expr, sort=sort):
            return Old(walk(inner_expr), sort)
        case Held(lock=lock, mode=mode, thread=thread):
            return Held(place(lock), mode, walk(thread) if thread else None)
        case The(bound=bound, condition=condition):
            return The(bound, walk(condition))
        case _:
            return expr


def parts(expr: Expr) -> list[Expr]:
    """The expression and every expression inside it."""
    found = [expr]

    def walk(inner: Expr) -> Expr:
        found.extend(parts(inner))
        return inner

    rebuilt(expr, walk)
    return found
