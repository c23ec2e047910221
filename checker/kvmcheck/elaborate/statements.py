# SPDX-License-Identifier: GPL-2.0-only
"""Statements to micro-operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kvmcheck.elaborate.activation import LabelScope, Loop
from kvmcheck.elaborate.coercion import UNKNOWN, Typed, coerce, described
from kvmcheck.elaborate.ghosts import lower_ghost
from kvmcheck.elaborate.monitors import ghost_event
from kvmcheck.elaborate.places import (
    LocalPlace,
    LocalRecord,
    Named,
    StoredPlace,
    ValuePlace,
    element,
    sort_of,
    word_behind,
)
from kvmcheck.elaborate.requests import left_of, statements
from kvmcheck.elaborate.scopes import ArrayShape, LeafShape, RecordShape, StructSymbol
from kvmcheck.elaborate.states import StateExpressions, parts
from kvmcheck.lang import syntax
from kvmcheck.lang.syntax import AssertKind
from kvmcheck.semantics.program import (
    Apply,
    Assertion,
    Assume,
    AtomicEnter,
    Await,
    Bound,
    Branch,
    Check,
    Choose,
    Const,
    CoverHere,
    Guard,
    GuardBoth,
    GuardMarked,
    GuardRule,
    Local,
    Op,
    Place,
    PointerPlace,
    Set,
    VariablePlace,
)
from kvmcheck.semantics.sorts import (
    BOOL,
    EnumSort,
    IdSort,
    IntSort,
    ListSort,
    LockSort,
    SeqSort,
    SetSort,
    Sort,
    ThreadSort,
    UnionSort,
    UnknownSort,
    member_count,
    sort_name,
)
from kvmcheck.source.text import Span

if TYPE_CHECKING:
    from kvmcheck.elaborate.lowering import Code


def label_paths(block: syntax.Block) -> Mapping[str, tuple[str, ...]]:
    """For each C label of a body, the `@` labels around it, outermost first."""
    found: dict[str, tuple[str, ...]] = {}

    def walk(stmt: syntax.Stmt | None, path: tuple[str, ...]) -> None:
        match stmt:
            case syntax.CLabel(name=name):
                found[name.text] = path
            case syntax.Labelled(label=label, body=body):
                walk(body, (*path, label.text))
            case syntax.Block(body=inner):
                for part in inner:
                    walk(part, path)
            case syntax.If(then=then, otherwise=otherwise):
                walk(then, path)
                walk(otherwise, path)
            case (
                syntax.While(body=loop)
                | syntax.DoWhile(body=loop)
                | syntax.For(body=loop)
                | syntax.ForEach(body=loop)
                | syntax.Forever(body=loop)
                | syntax.Repeat(body=loop)
            ):
                walk(loop, path)
            case syntax.Switch(cases=cases):
                for case in cases:
                    for part in case.body:
                        walk(part, path)
            case _:
                pass

    walk(block, ())
    return found


def lower(code: Code, stmt: syntax.Stmt) -> None:
    """Append the operations of a statement."""
    code.at = _heading(stmt)
    graph = code.graph
    match stmt:
        case syntax.Block(body=body):
            code.activation.names.append({})
            for inner in body:
                lower(code, inner)
            code.activation.names.pop()
        case syntax.LocalDecl():
            _declare(code, stmt)
        case syntax.Assign():
            _assign(code, stmt)
        case syntax.ExprStmt(expression=expression):
            if isinstance(expression, syntax.Call | syntax.IncDec):
                code.effect(expression)
            else:
                code.collector.error("KVM304", "this statement has no effect", expression.span)
        case syntax.If(condition=condition, then=then, otherwise=otherwise):
            yes, no = code.branches(condition)
            graph.ends = yes
            lower(code, then)
            done, graph.ends = graph.ends, no
            if otherwise is not None:
                lower(code, otherwise)
            graph.ends = graph.ends + done
        case syntax.While(condition=condition, body=body):
            head = graph.loop_head(code.at)
            yes, no = code.branches(condition)
            graph.ends = yes
            _loop_body(code, body, head, no)
        case syntax.Forever(body=body):
            head = graph.loop_head(code.at)
            _loop_body(code, body, head, [])
        case syntax.DoWhile(body=body, condition=condition):
            head = graph.loop_head(code.at)
            loop = _enter_loop(code)
            lower(code, body)
            assert loop.continues is not None
            graph.ends = graph.ends + loop.continues
            code.activation.loops.pop()
            code.at = condition.span
            yes, no = code.branches(condition)
            graph.tie(yes, head)
            graph.ends = no + loop.breaks
        case syntax.For():
            _for(code, stmt)
        case syntax.ForEach():
            _for_each(code, stmt)
        case syntax.Repeat(count=count, body=repeated):
            times = code.world.number(count, code.scope)
            counter = code.temporary(IntSort(0, max(times, 1)))
            _counted_loop(code, counter, times, lambda: lower(code, repeated))
        case syntax.Switch():
            _switch(code, stmt)
        case syntax.Atomic(body=body):
            if graph.group is not None:
                code.collector.error("KVM405", "an atomic block inside an atomic block", stmt.span)
            graph.groups += 1
            outer, graph.group = graph.group, graph.groups
            code.emit(AtomicEnter(graph.groups))
            first = next((s for s in body.body), None)
            for waiting in _awaits_inside(body):
                if waiting is not first:
                    code.collector.error(
                        "KVM405",
                        "an atomic block may wait only at its beginning: it is one step",
                        waiting.span,
                    )
            lower(code, body)
            graph.group = outer
        case syntax.Goto(target=target):
            _goto(code, target)
        case syntax.CLabel(name=name):
            _c_label(code, name)
        case syntax.Labelled(label=label, body=body):
            _labelled(code, label, body)
        case syntax.Return(value=value):
            _return(code, value, stmt.span)
        case syntax.Break():
            _leave_loop(code, stmt.span, breaking=True)
        case syntax.Continue():
            _leave_loop(code, stmt.span, breaking=False)
        case syntax.Await(condition=condition):
            _await(code, condition)
        case syntax.Choose():
            _choose(code, stmt)
        case syntax.Assert():
            _assert(code, stmt)
        case syntax.CoverStmt(name=name):
            code.emit(CoverHere(name.text))
        case syntax.GhostStmt(body=body):
            lower_ghost(code, body)
        case syntax.Empty():
            pass


def _heading(stmt: syntax.Stmt) -> Span:
    """What a person reads as the statement: of an `if` or loop, the part up to its condition."""
    span = stmt.span
    match stmt:
        case (
            syntax.If(condition=condition)
            | syntax.While(condition=condition)
            | syntax.Switch(subject=condition)
        ):
            rest = span.source.text[condition.span.end : span.end]
            closing = len(rest) - len(rest.lstrip(" \t\n)"))
            kept = rest[:closing].rstrip()
            return Span(span.source, span.start, condition.span.end + len(kept))
        case syntax.Forever() | syntax.Repeat() | syntax.ForEach() | syntax.For():
            end = span.source.text.find("{", span.start, span.end)
            return span if end < 0 else Span(span.source, span.start, end)
        case _:
            return span


# ------------------------------------------------------------------------------ declarations, assignment


def _declare(code: Code, stmt: syntax.LocalDecl) -> None:
    if stmt.dimensions:
        code.collector.error(
            "KVM305",
            "a local can't be an array",
            stmt.name.span,
            help="use `list<T, n>`, or a shared array indexed by the thread",
        )
        return
    sort = code.world.sort(stmt.type, code.scope)
    if isinstance(sort, StructSymbol):
        place: Named = _local_record(code, stmt.name.text, sort)
        if stmt.initial is not None:
            _copy(code, place, code.named(stmt.initial), stmt.span)
    else:
        value = None if stmt.initial is None else code.coerced(stmt.initial, sort)
        local = code.graph.new_local(stmt.name.text, sort)
        code.emit(Set(local, value))
        place = LocalPlace(local, sort)
    names = code.activation.names[-1]
    if stmt.name.text in names:
        code.collector.error("KVM202", f"`{stmt.name.text}` is declared twice in this block", stmt.name.span)
    names[stmt.name.text] = place


def _local_record(code: Code, name: str, struct: StructSymbol) -> LocalRecord:
    fields: dict[str, LocalPlace | LocalRecord] = {}
    for item in struct.declaration.fields:
        inner = f"{name}.{item.name.text}"
        if item.dimensions:
            code.collector.error("KVM305", "a local can't hold an array", item.name.span)
            continue
        sort = code.world.sort(item.type, struct.scope)
        if isinstance(sort, StructSymbol):
            fields[item.name.text] = _local_record(code, inner, sort)
        else:
            local = code.graph.new_local(inner, sort)
            code.emit(Set(local, None))
            fields[item.name.text] = LocalPlace(local, sort)
    return LocalRecord(struct.declaration.name.text, fields)


def _assign(code: Code, stmt: syntax.Assign) -> None:
    place = code.named(stmt.place)
    if stmt.op is not None:
        old = code.read(place, stmt.place.span)
        if isinstance(old.sort, SeqSort):
            code.collector.error("KVM322", "a seq is counted with `s++`", stmt.span)
            return
        wanted = old.sort.element if isinstance(old.sort, SetSort) else old.sort
        if isinstance(stmt.value, syntax.BraceLiteral):
            wanted = old.sort
        value = code.expr(stmt.value, wanted)
        result = code.apply(stmt.op, old, value, stmt.span)
        code.store(place, result, stmt.span, word=word_behind(place, old))
        return
    match stmt.value:
        case syntax.Call(function=syntax.Name(text="next"), arguments=(copy,)) if isinstance(
            sort_of(place), SeqSort
        ):
            value = code.expr(copy)
            if isinstance(value.sort, SeqSort):
                if value.sort.wrap is None:
                    code.home(place)
                new = Apply(Op.NEXT, (value.expr,), value.sort, span=stmt.value.span)
                value = Typed(new, value.sort)
            code.store(place, value, stmt.span)
            return
    whole = isinstance(place, LocalRecord) or (isinstance(place, StoredPlace) and element(place) is None)
    if whole:
        _copy(code, place, code.named(stmt.value), stmt.span)
    else:
        value = code.expr(stmt.value, sort_of(place))
        known = not isinstance(place, ValuePlace) and not isinstance(sort_of(place), LockSort)
        if known and coerce(value, sort_of(place), stmt.span) is None:
            code.fitted(value, sort_of(place), stmt.value.span)  # what is wrong is the value
            return
        code.store(place, value, stmt.span)


def _copy(code: Code, target: Named, source: Named, span: Span) -> None:
    """Copy a struct or array, field by field, element by element."""
    match target, source:
        case LocalRecord(fields=fields), LocalRecord(fields=others) if fields.keys() == others.keys():
            for name, inner in fields.items():
                _copy(code, inner, others[name], span)
            return
        case (
            StoredPlace(shape=RecordShape(struct=a, fields=shapes)),
            StoredPlace(shape=RecordShape(struct=b, fields=other_shapes)),
        ) if a == b:
            for name in shapes:
                _copy(
                    code,
                    StoredPlace(f"{target.name}.{name}", shapes[name], target.indices, target.objects),
                    StoredPlace(f"{source.name}.{name}", other_shapes[name], source.indices, source.objects),
                    span,
                )
            return
        case (
            StoredPlace(shape=ArrayShape(dimension=a_size, inner=a_inner)),
            StoredPlace(shape=ArrayShape(dimension=b_size, inner=b_inner)),
        ) if a_size == b_size:
            for position in range(member_count(a_size)):
                index = Const(position, a_size)
                _copy(
                    code,
                    StoredPlace(target.name, a_inner, (*target.indices, index), (*target.objects, False)),
                    StoredPlace(source.name, b_inner, (*source.indices, index), (*source.objects, False)),
                    span,
                )
            return
        case (
            LocalRecord(struct=a, fields=fields),
            StoredPlace(shape=RecordShape(struct=b, fields=shapes)),
        ) if a == b:
            for name, inner in fields.items():
                part = StoredPlace(source.name, shapes[name], source.indices, source.objects)
                _copy(code, inner, part, span)
            return
        case (
            StoredPlace(shape=RecordShape(struct=a, fields=shapes)),
            LocalRecord(struct=b, fields=fields),
        ) if a == b:
            for name, inner in fields.items():
                part = StoredPlace(target.name, shapes[name], target.indices, target.objects)
                _copy(code, part, inner, span)
            return
        case (LocalPlace() | StoredPlace(shape=LeafShape()), _) if sort_of(target) == sort_of(source):
            code.store(target, code.read(source, span), span)
            return
    if any(isinstance(side, ValuePlace) and side.value == UNKNOWN for side in (target, source)):
        return  # it has been said what is wrong with that side
    code.collector.error("KVM301", "the two sides are not structs or arrays of one type", span)


# ------------------------------------------------------------------------------ loops


def _enter_loop(code: Code) -> Loop:
    loop = Loop(len(code.activation.labels), continues=[])
    code.activation.loops.append(loop)
    return loop


def _loop_body(code: Code, body: syntax.Stmt, head: int, after: list[tuple[int, int]]) -> None:
    """The body of a loop whose head is tested: back to the head behind it."""
    loop = _enter_loop(code)
    lower(code, body)
    code.activation.loops.pop()
    assert loop.continues is not None
    code.graph.tie(code.graph.ends + loop.continues, head)
    code.graph.ends = after + loop.breaks


def _for(code: Code, stmt: syntax.For) -> None:
    graph = code.graph
    code.activation.names.append({})
    if stmt.initial is not None:
        lower(code, stmt.initial)
    code.at = _heading(stmt)
    head = graph.loop_head(code.at)
    after: list[tuple[int, int]] = []
    if stmt.condition is not None:
        yes, after = code.branches(stmt.condition)
        graph.ends = yes
    loop = _enter_loop(code)
    lower(code, stmt.body)
    code.activation.loops.pop()
    assert loop.continues is not None
    graph.ends = graph.ends + loop.continues
    if stmt.step is not None:
        lower(code, stmt.step)
    graph.jump(head)
    graph.ends = after + loop.breaks
    code.activation.names.pop()


def _counted_loop(code: Code, counter: int, times: int, body: Callable[[], None]) -> None:
    """Run `body` with the counter at 0, 1, … times-1."""
    graph = code.graph
    sort = IntSort(0, max(times, 1))
    code.emit(Set(counter, Const(0, sort)))
    head = graph.skip(code.at)
    below = Apply(Op.LESS, (Local(counter, sort), Const(times, sort)), BOOL)
    yes, after = graph.branch(Branch(below), code.at)
    graph.ends = yes
    loop = _enter_loop(code)
    body()
    code.activation.loops.pop()
    assert loop.continues is not None
    graph.ends = graph.ends + loop.continues
    more = Apply(Op.ADD, (Local(counter, sort), Const(1, sort)), sort)
    code.emit(Set(counter, more))
    graph.jump(head)
    graph.ends = after + loop.breaks


def _for_each(code: Code, stmt: syntax.ForEach) -> None:
    graph = code.graph
    sort = code.world.value_sort(stmt.type, code.scope)
    members: Typed | None = None
    if stmt.domain is not None:
        members = code.expr(stmt.domain, SetSort(sort))
    if isinstance(sort, UnknownSort):
        return
    at = code.at
    local = graph.new_local(stmt.name.text, sort)
    code.activation.names.append({stmt.name.text: LocalPlace(local, sort)})
    match members:
        case Typed(sort=ListSort(element=inner) as list_sort, expr=expr):
            kept = code.temporary(list_sort)
            code.emit(Set(kept, expr))
            counter = code.temporary(IntSort(0, max(list_sort.capacity, 1)))
            _list_loop(code, stmt, local, kept, counter, list_sort, inner)
        case None if _in_order(sort):
            counter = code.temporary(IntSort(0, member_count(sort)))

            def once() -> None:
                low = sort.low if isinstance(sort, IntSort) else 0
                value = Local(counter, IntSort(0, member_count(sort)))
                shifted = Apply(Op.ADD, (value, Const(low, IntSort(low, low))), sort)
                code.emit(Set(local, shifted if low else value))
                lower(code, stmt.body)
                code.at = at

            _counted_loop(code, counter, member_count(sort), once)
        case _:
            set_sort = SetSort(sort)
            if members is None:
                try:
                    everything = Const((1 << member_count(sort)) - 1, set_sort)
                except ValueError:
                    code.collector.error(
                        "KVM309", f"one can't go through all of {sort_name(sort)}", stmt.span
                    )
                    code.activation.names.pop()
                    return
                members = Typed(everything, set_sort)
            elif not isinstance(members.sort, SetSort | UnknownSort):
                code.collector.error(
                    "KVM309",
                    f"a set or list must stand here, not {described(members.sort)}",
                    stmt.span,
                )
            left = graph.new_local(left_of(stmt.name.text), set_sort, hidden=True)
            code.emit(Set(left, code.fitted(members, set_sort, stmt.span)))
            head = graph.skip(at)
            rest = Local(left, set_sort)
            some = Apply(Op.NOT_EQUAL, (rest, Const(0, set_sort)), BOOL)
            yes, after = graph.branch(Branch(some), at)
            graph.ends = yes
            code.emit(Choose(local, sort, rest, None))
            removed = Apply(Op.SET_REMOVE, (rest, Local(local, sort)), set_sort)
            code.emit(Set(left, removed))
            loop = _enter_loop(code)
            lower(code, stmt.body)
            code.activation.loops.pop()
            assert loop.continues is not None
            graph.tie(graph.ends + loop.continues, head)
            graph.ends = after + loop.breaks
    code.at = at
    code.activation.names.pop()


def _list_loop(
    code: Code,
    stmt: syntax.ForEach,
    local: int,
    kept: int,
    counter: int,
    list_sort: ListSort,
    inner: Sort,
) -> None:
    graph = code.graph
    sort = IntSort(0, max(list_sort.capacity, 1))
    code.emit(Set(counter, Const(0, sort)))
    head = graph.skip(code.at)
    size = Apply(Op.SIZE, (Local(kept, list_sort),), sort)
    below = Apply(Op.LESS, (Local(counter, sort), size), BOOL)
    yes, after = graph.branch(Branch(below), code.at)
    graph.ends = yes
    at_counter = Apply(Op.LIST_AT, (Local(kept, list_sort), Local(counter, sort)), inner)
    code.emit(Set(local, at_counter))
    loop = _enter_loop(code)
    lower(code, stmt.body)
    code.activation.loops.pop()
    assert loop.continues is not None
    graph.ends = graph.ends + loop.continues
    code.emit(Set(counter, Apply(Op.ADD, (Local(counter, sort), Const(1, sort)), sort)))
    graph.jump(head)
    graph.ends = after + loop.breaks


def _in_order(sort: Sort) -> bool:
    """Whether `for (T x)` goes in ascending order (else: in every order)."""
    match sort:
        case IdSort(ordered=ordered):
            return ordered
        case ThreadSort():
            return False
        case EnumSort() | IntSort():
            return True
        case _:
            return sort == BOOL


# ------------------------------------------------------------------------------ jumps


def _leave_labels(code: Code, depth: int) -> None:
    """What is emitted when control leaves every labelled statement deeper than that."""
    for scope in reversed(code.activation.labels[depth:]):
        scope.leave()


def _leave_loop(code: Code, span: Span, *, breaking: bool) -> None:
    for loop in reversed(code.activation.loops):
        if breaking or loop.continues is not None:
            _leave_labels(code, loop.label_depth)
            ends = loop.breaks if breaking else loop.continues
            assert ends is not None
            ends.extend(code.graph.ends)
            code.graph.ends = []
            return
    word = "break" if breaking else "continue"
    code.collector.error("KVM403", f"`{word}` stands in no loop", span)


def _goto(code: Code, target: syntax.Name) -> None:
    activation = code.activation
    path = activation.label_paths.get(target.text)
    if path is None:
        code.collector.error(
            "KVM402", f"`goto {target.text}`: there is no label `{target.text}:` here", target.span
        )
        return
    common = 0
    here = [scope.name for scope in activation.labels]
    while common < len(here) and common < len(path) and here[common] == path[common]:
        common += 1
    _leave_labels(code, common)
    known = activation.goto_targets.get(target.text)
    if known is not None:
        code.graph.jump(known)
    else:
        activation.gotos.setdefault(target.text, []).extend(code.graph.ends)
        code.graph.ends = []


def _c_label(code: Code, name: syntax.Name) -> None:
    activation = code.activation
    if name.text in activation.goto_targets:
        code.collector.error("KVM202", f"label `{name.text}:` stands twice here", name.span)
    code.graph.ends = code.graph.ends + activation.gotos.pop(name.text, [])
    activation.goto_targets[name.text] = code.graph.loop_head(code.at)


def _labelled(code: Code, label: syntax.Name, body: syntax.Stmt) -> None:
    activation, graph = code.activation, code.graph
    outer = graph.labels
    graph.labels = (*outer, f"{activation.function}@{label.text}")
    activation.label_entries[label.text] = graph.skip(code.at)
    regions = activation.regions

    def leave() -> None:
        for (start, end), bit in sorted(regions.items()):
            if end == label.text:
                code.emit(Set(bit, Const(0, BOOL)))
            if start == label.text:
                code.emit(Set(bit, Const(1, BOOL)))
        for event in code.requests.events_of(activation.function, syntax.EventKind.LABEL, label.text):
            ghost_event(code, event)

    activation.labels.append(LabelScope(label.text, leave))
    # A labelled declaration belongs to the block around it.
    lower(code, body)
    activation.labels.pop()
    leave()
    graph.labels = outer


def _return(code: Code, value: syntax.Expr | None, span: Span) -> None:
    activation = code.activation
    if activation.symbol is None:
        code.collector.error("KVM403", "a process does not return: it ends", span)
        return
    if value is not None and activation.result is None:
        code.collector.error("KVM301", f"`{activation.function}` returns nothing", span)
        code.expr(value)
    elif value is None and activation.result is not None:
        code.collector.error(
            "KVM301",
            f"`{activation.function}` returns {described(activation.result.sort)}",
            span,
        )
    elif value is not None and activation.result is not None:
        result = activation.result
        code.emit(Set(result.local, code.coerced(value, result.sort)))
    _leave_labels(code, 0)
    activation.returns.extend(code.graph.ends)
    code.graph.ends = []


# ------------------------------------------------------------------------------ the rest


def _switch(code: Code, stmt: syntax.Switch) -> None:
    graph = code.graph
    subject = code.expr(stmt.subject)
    if not isinstance(subject.expr, Local | Const):
        kept = code.temporary(subject.sort)
        code.emit(Set(kept, subject.expr))
        subject = Typed(Local(kept, subject.sort), subject.sort)
    loop = Loop(len(code.activation.labels))
    missing: set[str] = set()
    match subject.sort:
        case EnumSort(constants=constants):
            missing = set(constants)
        case UnionSort(arms=arms):
            missing = {name for name, _ in arms}
        case IntSort() | IdSort(ordered=True) | UnknownSort():
            pass
        case _:
            code.collector.error("KVM303", f"`switch` on {described(subject.sort)}", stmt.subject.span)
    default: syntax.Case | None = None
    done: list[tuple[int, int]] = []
    for case in stmt.cases:
        if not case.values:
            default = case
            continue
        into: list[tuple[int, int]] = []
        for value in case.values:
            yes, no = graph.branch(Branch(_case(code, subject, value, missing)), code.at)
            into += yes
            graph.ends = no
        others, graph.ends = graph.ends, into
        _case_body(code, case, loop)
        done += graph.ends
        graph.ends = others
    if default is not None:
        _case_body(code, default, loop)
        done += graph.ends
    elif missing:
        code.collector.error(
            "KVM313",
            "this `switch` leaves out " + ", ".join(f"`{name}`" for name in sorted(missing)),
            stmt.subject.span,
            help="add the cases, or `default:`",
        )
    else:
        done += graph.ends  # of an exhaustive switch nothing gets here, but each branch has two ways on
    graph.ends = done + loop.breaks


def _case(code: Code, subject: Typed, value: syntax.Expr, missing: set[str]) -> Apply:
    match subject.sort, value:
        case UnionSort(arms=arms), syntax.Name(text=arm):
            missing.discard(arm)
            if arm in (name for name, _ in arms):
                return Apply(Op.ARM_IS, (subject.expr,), BOOL, subject.sort.position(arm))
            code.collector.error("KVM206", f"`{arm}` is not an arm", value.span)
            return Apply(Op.EQUAL, (subject.expr, subject.expr), BOOL)
        case EnumSort(constants=constants), syntax.Name(text=constant) if constant in constants:
            missing.discard(constant)
    return Apply(Op.EQUAL, (subject.expr, code.coerced(value, subject.sort)), BOOL)


def _case_body(code: Code, case: syntax.Case, loop: Loop) -> None:
    code.activation.loops.append(loop)
    code.activation.names.append({})
    for part in case.body:
        lower(code, part)
    code.activation.names.pop()
    code.activation.loops.pop()


def _awaits_inside(block: syntax.Block) -> list[syntax.Await]:
    return [s for s in statements(block) if isinstance(s, syntax.Await)]


def _await(code: Code, condition: syntax.Expr) -> None:
    states = code.states("`await`")
    asked = states.condition(condition)
    _one_look(code, states, "await", condition.span)
    code.emit(Await(asked))


def _one_look(code: Code, states: StateExpressions, what: str, span: Span) -> None:
    """Report a condition that looks at several places at once which nothing keeps still meanwhile."""
    variables = code.world.variables
    places = set(states.reads)
    if len(places) < 2 and not any(map(_many, places)):
        return
    names = []
    for place in places:
        match place:
            case VariablePlace(variable=variable):
                if not _kept_still(variables[variable].guard):
                    names.append(variables[variable].name)
            case PointerPlace(component=component):
                names.append(f"->{component}" if component else "*")
    if names:
        code.collector.error(
            "KVM406",
            f"`{what}` looks at several places in one step, and no lock keeps "
            + ", ".join(f"`{name}`" for name in sorted(set(names)))
            + " as it was",
            span,
            why="a CPU reads one place at a time; others may write in between",
            help="test one place, or take a lock that guards them all",
        )


def _kept_still(rule: GuardRule | None) -> bool:
    """Whether who reads it holds locks (or owns it), so that nobody writes meanwhile."""

    def locks_only(guard: Guard) -> bool:
        match guard:
            case GuardBoth(parts=parts):
                return all(locks_only(part) for part in parts)
            case _:
                return not isinstance(guard, GuardMarked)

    return rule is not None and rule.strict and locks_only(rule.read)


def _many(place: Place) -> bool:
    """Whether a place with a quantified index stands for several."""
    return any(isinstance(part, Bound) for index in place.indices for part in parts(index))


def _choose(code: Code, stmt: syntax.Choose) -> None:
    if stmt.place is not None:
        place = code.named(stmt.place)
        sort = sort_of(place)
        if not code.in_init:
            code.collector.error(
                "KVM411", "`choose place` stands in `init`", stmt.span, help="write `x = any T;`"
            )
            return
        value = code.choose(sort, stmt.span) if sort != UnknownSort() else UNKNOWN
        code.store(place, value, stmt.span)
        if stmt.condition is not None:
            code.emit(Assume(code.states("`where`").condition(stmt.condition)))
        return
    assert stmt.type is not None and stmt.name is not None
    sort = code.world.value_sort(stmt.type, code.scope)
    local = code.graph.new_local(stmt.name.text, sort)
    code.activation.names[-1][stmt.name.text] = LocalPlace(local, sort)
    if isinstance(sort, UnknownSort):
        return
    where = None
    if stmt.condition is not None:
        states = code.states("`where`")
        where = states.condition(stmt.condition)
        if not code.in_init:
            _one_look(code, states, "choose", stmt.condition.span)
    code.emit(Choose(local, sort, None, where))


def _assert(code: Code, stmt: syntax.Assert) -> None:
    if stmt.kind is AssertKind.ASSUME:
        if not code.in_init:
            code.collector.error(
                "KVM411",
                "`assume` stands in `init` only",
                stmt.span,
                why="elsewhere it would hide what the code can really do",
                help="`await (e);` waits, `assert(e);` claims",
            )
            return
        code.emit(Assume(code.condition(stmt.condition)))
        return
    condition = code.condition(stmt.condition)
    if stmt.kind in (AssertKind.BUG_ON, AssertKind.WARN_ON):
        condition = Apply(Op.NOT, (condition,), BOOL)
    text = " ".join(stmt.span.text.rstrip(";").split())
    code.emit(Assertion(condition, Check.NO_ASSERTION_FAILURE, text))
