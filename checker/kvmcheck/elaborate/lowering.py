# SPDX-License-Identifier: GPL-2.0-only
"""Expressions in code: each read of shared state is a load, a step of its own, left to right.

A `Code` holds the graph of one body while it grows, and the activation whose code is being lowered.
Statements are lowered by `elaborate.statements`, the built-in functions by `elaborate.primitives`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from kvmcheck.elaborate.activation import Activation, Instance
from kvmcheck.elaborate.coercion import NOTHING, UNKNOWN, Typed, constant
from kvmcheck.elaborate.expressions import Expressions, dotted
from kvmcheck.elaborate.graph import Graph, LooseEnd, Mark
from kvmcheck.elaborate.inlining import inline
from kvmcheck.elaborate.places import (
    LocalPlace,
    LocalRecord,
    Named,
    PartPlace,
    PointedPlace,
    StoredPlace,
    ValuePlace,
    element,
    sort_of,
    with_part,
    word_behind,
)
from kvmcheck.elaborate.primitives import PRIMITIVES
from kvmcheck.elaborate.requests import Requests
from kvmcheck.elaborate.scopes import FunctionSymbol, unknown_name
from kvmcheck.elaborate.states import StateExpressions, joined, parts
from kvmcheck.elaborate.world import World
from kvmcheck.lang import syntax
from kvmcheck.lang.syntax import BinaryOp, UnaryOp
from kvmcheck.semantics.program import (
    Allocate,
    Apply,
    AtomicEnter,
    Branch,
    Choose,
    Const,
    Current,
    Expr,
    Load,
    Local,
    OldValue,
    Op,
    Operation,
    Order,
    Place,
    Set,
    Store,
    Update,
    VariablePlace,
)
from kvmcheck.semantics.sorts import (
    BOOL,
    IntSort,
    ListSort,
    LockSort,
    ObjectPointerSort,
    OptionalSort,
    PlacePointerSort,
    SeqSort,
    Sort,
    UnknownSort,
    WordSort,
)
from kvmcheck.source.nearest import nearest
from kvmcheck.source.text import Span

#: A body larger than this comes from calls inlined in calls; it would not be explored anyway.
MAX_NODES = 50_000


class Code(Expressions):
    """Typing and lowering of the code of one body."""

    def __init__(
        self,
        world: World,
        graph: Graph,
        activation: Activation,
        functions: Mapping[str, syntax.FunctionDecl],
        requests: Requests,
    ) -> None:
        super().__init__(world, activation.scope)
        self.graph = graph
        self.activation = activation
        self.functions = functions
        self.requests = requests
        self.instances: list[Instance] = []
        self.at: Span = graph.frames[0].call
        self.order = Order.PLAIN
        self.in_init = False
        self._unordered: list[Load] = []
        self._sides: list[int] = []  # of each operator under way: how many racy loads its left side has

    # ---- emitting

    def emit(self, operation: Operation) -> int:
        """Append an operation that belongs to the current statement."""
        if len(self.graph.drafts) == MAX_NODES:
            self.collector.error("KVM402", "this grows too large: calls are inlined in calls", self.at)
        return self.graph.emit(operation, self.at)

    def temporary(self, sort: Sort) -> int:
        """A fresh hidden local."""
        return self.graph.new_local("", sort, hidden=True)

    def states(self, what: str) -> StateExpressions:
        """Typing of a condition over the whole state, with this code's locals in sight."""
        inner = StateExpressions(
            self.world,
            self.scope,
            what,
            outer=self.local,
            functions=self.functions,
            thread=True,
        )
        return inner

    @contextmanager
    def ordered(self, order: Order) -> Iterator[None]:
        """Loads in here have this strength."""
        before, self.order = self.order, order
        yield
        self.order = before

    def effect(self, expr: syntax.Expr) -> None:
        """Lower an expression for what it does; it may give nothing."""
        super().expr(expr)

    def expr(self, expr: syntax.Expr, wanted: Sort | None = None) -> Typed:
        """The typed form; an expression that gives nothing can't stand where a value is used."""
        value = super().expr(expr, wanted)
        if value is NOTHING:
            what = expr.function.span.text if isinstance(expr, syntax.Call) else "this"
            self.collector.error(
                "KVM301", f"`{what}` returns nothing, and a value must stand here", expr.span
            )
            return UNKNOWN
        return value

    # ---- reading

    def load(self, place: Place, sort: Sort, span: Span, *, ghost: bool) -> Typed:
        """One load: a step of its own."""
        if ghost:
            counts = span.text.startswith(("++", "--")) or span.text.endswith(("++", "--"))
            self.collector.error(
                "KVM404",
                "code can't look at ghost state",
                span,
                why="ghost state is not in the machine that is modelled",
                help="write `ghost` before the statement"
                if counts
                else "read it in a `ghost` statement or a property",
            )
        target = self.temporary(sort)
        load = Load(target, place, self.order)
        self.emit(load)
        if self.order is Order.PLAIN and isinstance(place, VariablePlace):
            if self.world.variables[place.variable].guard is None:
                self._unordered.append(load)
        return Typed(Local(target, sort), sort)

    def local(self, name: str) -> Named | None:
        """A local of this activation, or `current`."""
        if name == "current":
            return ValuePlace(Typed(Current(self.world.threads), self.world.threads))
        for names in reversed(self.activation.names):
            found = names.get(name)
            if found is not None:
                return None if isinstance(found, FunctionSymbol) else found
        return None

    def local_names(self) -> list[str]:
        """The locals in sight."""
        return [name for names in self.activation.names for name in names]

    def local_value(self, local: int, sort: Sort) -> Typed:
        """The local itself."""
        return Typed(Local(local, sort), sort)

    def function_named(self, expr: syntax.Expr) -> FunctionSymbol | None:
        """The function that a name means: a function parameter's, or the module's."""
        if isinstance(expr, syntax.Name):
            for names in reversed(self.activation.names):
                found = names.get(expr.text)
                if isinstance(found, FunctionSymbol):
                    return found
        symbol = self.symbol(expr)
        return symbol if isinstance(symbol, FunctionSymbol) else None

    def note_seq_comparison(self, left: Typed, right: Typed) -> None:
        """Fine without numbers if one side was loaded from its home in this very step."""
        last = self.graph.last_visible
        operation = self.graph.drafts[last].operation if last is not None else None
        if isinstance(operation, Load) and isinstance(operation.place, VariablePlace):
            newest = Local(operation.target, left.sort)
            if left.expr == newest or right.expr == newest:
                # What was loaded in this very step: newest, if its variable is a home.
                self.world.seq_partners.append(operation.place.variable)
                return
        self.world.seq_compared = True

    def operands(self, first: syntax.Expr, second: syntax.Expr) -> tuple[Typed, Typed]:
        """Both sides, left first; two racy reads that C leaves unordered get a warning."""
        before = len(self._unordered)
        mark = self.graph.mark()
        self._sides.append(before)
        left, right = super().operands(first, second)
        middle = self._sides.pop()
        if self.changed_since(mark, left.expr):
            # `i + i++`: the left side is what `i` was before.
            del self._unordered[before:]
            self.graph.rewind(mark)
            left = self.kept(self.expr(first, right.sort))
            middle = len(self._unordered)
            right = self.expr(second, left.sort)
        earlier = {load.place for load in self._unordered[before:middle]}
        later = {load.place for load in self._unordered[middle:]}
        if earlier and later and len(earlier | later) > 1 and self.graph.group is None:
            self.collector.warn(
                "KVM412",
                "C leaves the order of these two racy reads open; here the left one comes first",
                first.span.to(second.span),
                help="read one of them into a local first",
            )
        return left, right

    def changed_since(self, mark: Mark, expr: Expr) -> bool:
        """Whether what was emitted since then changes a local that the expression reads."""
        read = {part.local for part in parts(expr) if isinstance(part, Local)}
        return any(
            isinstance(draft.operation, Set) and draft.operation.target in read
            for draft in self.graph.drafts[mark.length :]
        )

    def kept(self, value: Typed) -> Typed:
        """The value as it is now, in a temporary."""
        target = self.temporary(value.sort)
        self.emit(Set(target, value.expr))
        return Typed(Local(target, value.sort), value.sort)

    def left_is_done(self) -> None:
        """What was loaded up to here belongs to the left side."""
        if self._sides:
            self._sides[-1] = len(self._unordered)

    # ---- writing

    def store(
        self,
        place: Named,
        value: Typed,
        span: Span,
        order: Order = Order.PLAIN,
        word: Expr | None = None,
    ) -> None:
        """Assign to a place; `word`: what was loaded already of the word that it is a part of."""
        match place:
            case LocalPlace(local=local, sort=sort):
                self.emit(Set(local, self.fitted(value, sort, span)))
            case PartPlace(whole=whole, path=path, sort=sort):
                part = self.fitted(value, sort, span)
                word_sort = self.whole_sort(whole)
                if word is None:
                    old = self.read(whole, span)
                    word = self.fitted(old, word_sort, span)
                self.store(whole, Typed(with_part(word, word_sort, path, part), word_sort), span, order)
            case StoredPlace() | PointedPlace():
                found = element(place)
                if found is None:
                    self.collector.error("KVM304", "a struct or array is not assigned as one", span)
                    return
                where, sort = found
                if isinstance(sort, LockSort):
                    self.collector.error("KVM304", "a lock is not assigned to", span)
                    return
                if isinstance(place, StoredPlace) and self.world.is_ghost(place.shape):
                    self.collector.error(
                        "KVM404",
                        "ghost state is only written in a `ghost` statement",
                        span,
                        help="write `ghost` before the statement",
                    )
                self.emit(Store(where, self.fitted(value, sort, span), order))
            case LocalRecord():
                self.collector.error("KVM304", "assign the fields of this struct", span)
            case ValuePlace(value=known):
                if not isinstance(known.sort, UnknownSort):
                    self.collector.error("KVM304", "this is not a place: it can't change", span)

    def whole_sort(self, place: StoredPlace | PointedPlace | LocalPlace) -> WordSort:
        """The word's sort in a place that holds a word."""
        sort = sort_of(place)
        if isinstance(sort, OptionalSort):
            sort = sort.inner
        assert isinstance(sort, WordSort)
        return sort

    def update(
        self,
        place: Named,
        change: Callable[[Typed], tuple[Expr, Typed | None]],
        span: Span,
        order: Order,
    ) -> Typed:
        """One atomic read-modify-write of a place; `change` gives the new value and what is returned."""
        path: tuple[tuple[int, Sort], ...] = ()
        whole: Named = place
        if isinstance(place, PartPlace):
            whole, path = place.whole, place.path
        if isinstance(whole, LocalPlace):
            old_local = self.read(place, span)
            new, result = change(old_local)
            kept: Typed | None = None
            if result is not None:
                target = self.temporary(result.sort)
                self.emit(Set(target, result.expr))
                kept = Typed(Local(target, result.sort), result.sort)
            self.store(place, Typed(new, sort_of(place)), span)
            return kept or NOTHING
        found = element(whole) if isinstance(whole, StoredPlace | PointedPlace) else None
        if found is None or isinstance(found[1], LockSort):
            if not (isinstance(place, ValuePlace) and isinstance(place.value.sort, UnknownSort)):
                self.collector.error("KVM304", "a shared place must stand here", span)
            return UNKNOWN
        where, sort = found
        if isinstance(whole, StoredPlace) and self.world.is_ghost(whole.shape):
            self.collector.error("KVM404", "code can't change ghost state", span)
        old = Typed(OldValue(sort), sort)
        part = old
        for position, inner in path:
            part = Typed(Apply(Op.FIELD, (part.expr,), inner, position), inner)
        new, result = change(part)
        if path:
            assert isinstance(sort, WordSort)
            new = with_part(old.expr, sort, path, new)
        target_local = self.temporary(result.sort) if result else None
        self.emit(Update(where, new, target_local, result.expr if result else None, order))
        if result is None or target_local is None:
            return NOTHING
        return Typed(Local(target_local, result.sort), result.sort)

    def home(self, place: Named) -> None:
        """Note that a seq place is incremented."""
        match place:
            case StoredPlace():
                found = element(place)
                if found and isinstance(found[0], VariablePlace):
                    self.world.seq_homes.add(found[0].variable)
            case PointedPlace(target=target, component=component):
                for root in self.world.roots.get(target, ()):
                    self.world.seq_homes.add(root.components[component])
            case _:
                self.collector.error(
                    "KVM322",
                    "only a shared seq is incremented: a local one is a copy",
                    self.at,
                )

    def increment(self, expr: syntax.IncDec) -> Typed:
        """`x++` and its kin: a load and a store; the old value, or the new one of a prefix form."""
        place = self.named(expr.place)
        old = self.read(place, expr.span)
        if isinstance(old.sort, UnknownSort):
            return UNKNOWN
        if isinstance(old.sort, SeqSort):
            if not expr.increment:
                self.collector.error("KVM322", "a seq only counts up", expr.span)
                return UNKNOWN
            if old.sort.wrap is None:
                self.home(place)
            new = Typed(Apply(Op.NEXT, (old.expr,), old.sort, span=expr.span), old.sort)
        else:
            one = Typed(Const(1, IntSort(1, 1)), IntSort(1, 1))
            op = BinaryOp.ADD if expr.increment else BinaryOp.SUBTRACT
            new = self.apply(op, old, one, expr.span)
        sort = sort_of(place)
        stored = Typed(self.fitted(new, sort, expr.span), sort)
        if isinstance(place, LocalPlace):
            if expr.prefix:
                self.store(place, stored, expr.span)
                return self.read(place, expr.span)
            target = self.temporary(old.sort)
            self.emit(Set(target, old.expr))
            self.store(place, stored, expr.span)
            return Typed(Local(target, old.sort), old.sort)
        self.store(place, stored, expr.span, word=word_behind(place, old))
        return stored if expr.prefix else old

    # ---- control in expressions

    def branches(self, expr: syntax.Expr) -> tuple[list[LooseEnd], list[LooseEnd]]:
        """Lower a condition as control flow: the ends where it is true, and where it is false."""
        match expr:
            case syntax.Unary(op=UnaryOp.NOT, operand=operand):
                yes, no = self.branches(operand)
                return no, yes
            case syntax.Binary(op=BinaryOp.AND, left=left, right=right):
                yes, no = self.branches(left)
                self.graph.ends = yes
                yes, other_no = self.branches(right)  # typed even where it can't be reached
                return yes, no + other_no
            case syntax.Binary(op=BinaryOp.OR, left=left, right=right):
                yes, no = self.branches(left)
                self.graph.ends = no
                other_yes, no = self.branches(right)
                return yes + other_yes, no
            case _:
                asked = self.condition(expr)
                known = constant(asked)
                if known is not None and isinstance(asked, Const | Apply):
                    ends, self.graph.ends = self.graph.ends, []
                    return (ends, []) if known else ([], ends)
                return self.graph.branch(Branch(asked), self.at)

    def logical(self, expr: syntax.Binary) -> Typed:
        """Pure if the right side has no step; else control flow."""
        mark = self.graph.mark()
        left = self.condition(expr.left)
        middle = self.graph.mark()
        right = self.condition(expr.right)
        if not self.graph.grown_since(middle):
            op = {BinaryOp.AND: Op.AND, BinaryOp.OR: Op.OR}.get(expr.op, Op.IMPLIES)
            return Typed(Apply(op, (left, right), BOOL, span=expr.span), BOOL)
        self.graph.rewind(mark)
        if expr.op is BinaryOp.IMPLIES:
            no_left = syntax.Unary(UnaryOp.NOT, expr.left, expr.left.span)
            expr = syntax.Binary(BinaryOp.OR, no_left, expr.right, expr.span)
        target = self.temporary(BOOL)
        yes, no = self.branches(expr)
        self.graph.ends = yes
        self.emit(Set(target, Const(1, BOOL)))
        done, self.graph.ends = self.graph.ends, no
        self.emit(Set(target, Const(0, BOOL)))
        self.graph.ends = self.graph.ends + done
        return Typed(Local(target, BOOL), BOOL)

    def ternary(self, expr: syntax.Ternary, wanted: Sort | None) -> Typed:
        """Pure if neither side has a step; else control flow."""
        mark = self.graph.mark()
        asked = self.condition(expr.condition)
        middle = self.graph.mark()
        then = self.expr(expr.then, wanted)
        otherwise = self.expr(expr.otherwise, wanted or then.sort)
        if isinstance(then.sort, UnknownSort):
            then = Typed(then.expr, otherwise.sort)
        sort = joined(then.sort, otherwise.sort)
        if not self.graph.grown_since(middle):
            parts = (
                asked,
                self.fitted(then, sort, expr.then.span),
                self.fitted(otherwise, sort, expr.otherwise.span),
            )
            return Typed(Apply(Op.IF, parts, sort, span=expr.span), sort)
        self.graph.rewind(mark)
        target = self.temporary(sort)
        yes, no = self.branches(expr.condition)
        self.graph.ends = yes
        self.emit(Set(target, self.fitted(self.expr(expr.then, sort), sort, expr.then.span)))
        done, self.graph.ends = self.graph.ends, no
        value = self.fitted(self.expr(expr.otherwise, sort), sort, expr.otherwise.span)
        self.emit(Set(target, value))
        self.graph.ends = self.graph.ends + done
        return Typed(Local(target, sort), sort)

    # ---- forms

    def special(self, expr: syntax.Expr, wanted: Sort | None) -> Typed:
        """`any`, `alloc`, `the`, `x++`, and quantifiers over the state."""
        match expr:
            case syntax.Any(type=type):
                sort = self.world.value_sort(type, self.scope)
                return self.choose(sort, expr.span)
            case syntax.Alloc(type=type, zeroed=zeroed, or_null=or_null, span=span):
                pointer = self.world.sort(syntax.PointerType(type, span), self.scope)
                if not isinstance(pointer, ObjectPointerSort):
                    if not isinstance(pointer, UnknownSort):
                        self.collector.error("KVM301", "`alloc` makes objects", span)
                    return UNKNOWN
                target = self.temporary(pointer)
                pool = self.world.pool_named(pointer.object)
                self.emit(Allocate(target, pool, zeroed, or_null))
                return Typed(Local(target, pointer), pointer)
            case syntax.The():
                found = self.states("`the`").expr(expr, wanted)
                return self.looked_up(found)
            case syntax.IncDec():
                return self.increment(expr)
            case syntax.Quantified():
                states = self.states("a quantifier in code")
                found = states.expr(expr, wanted)
                if states.reads:
                    self.collector.error(
                        "KVM407",
                        f"`{expr.kind.value}` in code looks at shared state all at once",
                        expr.span,
                        why="code looks at one place a step",
                        help="write a loop: `for (T x) { … }`",
                    )
                return found
            case _:
                self.collector.error("KVM407", "this belongs in a property", expr.span)
                return UNKNOWN

    def looked_up(self, found: Typed) -> Typed:
        """What a look at the whole state gives, as a step of its own."""
        outer = self.graph.group
        if outer is None:
            self.graph.groups += 1
            self.graph.group = self.graph.groups
            self.emit(AtomicEnter(self.graph.groups))
        kept = self.kept(found)
        self.graph.group = outer
        return kept

    def choose(self, sort: Sort, span: Span) -> Typed:
        """A freely chosen member of a sort, in a temporary."""
        if isinstance(sort, UnknownSort):
            return UNKNOWN
        if isinstance(sort, LockSort | SeqSort | ListSort | PlacePointerSort):
            self.collector.error("KVM309", "`any` needs a finite type", span)
            return UNKNOWN
        target = self.temporary(sort)
        self.emit(Choose(target, sort, None, None))
        return Typed(Local(target, sort), sort)

    # ---- calls

    def call(self, expr: syntax.Call) -> Typed:
        """A function is inlined, a built-in lowered."""
        symbol = self.function_named(expr.function)
        if symbol is not None:
            return inline(self, symbol, expr)
        path = dotted(expr.function)
        primitive = PRIMITIVES.get(path[0]) if path and len(path) == 1 else None
        if primitive is not None:
            return primitive(self, expr)
        if path is None:
            self.collector.error("KVM205", "only a name can be called", expr.function.span)
            return UNKNOWN
        near = nearest(path[0], PRIMITIVES) if len(path) == 1 else None
        if near is not None and not isinstance(self.scope.find(path), FunctionSymbol):
            self.collector.error(
                "KVM201",
                f"`{path[0]}` is not a function",
                expr.function.span,
                label="not declared",
                help=f"did you mean `{near}`?",
            )
        else:
            unknown_name(
                self.collector,
                ".".join(path),
                expr.function.span,
                self.scope,
                (FunctionSymbol,),
                "a function",
            )
        for argument in expr.arguments:
            if not isinstance(argument, syntax.AddressOf):
                self.expr(argument)
        return UNKNOWN

    def method(self, expr: syntax.Call, base: syntax.Expr, name: syntax.Name) -> Typed:
        """`push` and `pop` change their list in one step; the others only ask."""
        if name.text not in ("push", "pop"):
            return super().method(expr, base, name)
        place = self.named(base)
        sort = sort_of(place)
        if not isinstance(sort, ListSort):
            return super().method(expr, base, name)
        wants = 1 if name.text == "push" else 0
        if len(expr.arguments) != wants:
            self.collector.error("KVM302", f"`{name.text}` takes {wants} arguments", expr.span)
            return UNKNOWN
        if name.text == "push":
            member = self.coerced(expr.arguments[0], sort.element)
            data = int(sort.scenario_sized)

            def pushed(old: Typed) -> tuple[Expr, None]:
                return Apply(Op.LIST_PUSH, (old.expr, member), sort, data, expr.span), None

            return self.update(place, pushed, expr.span, Order.PLAIN)

        def popped(old: Typed) -> tuple[Expr, Typed]:
            last = Apply(Op.LIST_LAST, (old.expr,), sort.element, span=expr.span)
            return Apply(Op.LIST_POP, (old.expr,), sort, span=expr.span), Typed(last, sort.element)

        return self.update(place, popped, expr.span, Order.PLAIN)
