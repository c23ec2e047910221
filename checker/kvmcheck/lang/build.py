# SPDX-License-Identifier: GPL-2.0-only
"""From what the grammar recognised to the nodes of `lang.syntax`: one method for each rule of grammar.lark.

The parser calls a method as soon as its rule is complete, with the rule's parts in order: a `Token`
for each word and sign, a node (or a tuple of nodes) for each inner rule, None for an optional part
that is not there.  What the grammar lets through and the language does not, is reported here.
"""

# ruff: noqa: D102 - a method is documented by the grammar rule of its name
# ruff: noqa: ARG002 - its parameters are the parts of that rule, needed or not

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from kvmcheck.lang import syntax as s
from kvmcheck.lang.tokens import Token
from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.text import SourceText, Span

#: More digits than this is no constant of a model, and Python's int() refuses thousands of them.
MAX_DIGITS = 18

#: The version of the language that this parser reads.
LANGUAGE = 1

_UNARY = {"!": s.UnaryOp.NOT, "not": s.UnaryOp.NOT, "-": s.UnaryOp.NEGATE}
_BINARY = {op.value: op for op in s.BinaryOp} | {"or": s.BinaryOp.OR, "and": s.BinaryOp.AND}


class _Placed(Protocol):
    """Anything that knows where it stands."""

    @property
    def span(self) -> Span:
        """Its place."""
        ...


_Statement = TypeVar("_Statement", bound=s.Stmt)
_Node = TypeVar("_Node")


@dataclass(frozen=True, slots=True)
class _Dotted:
    """`a.b.c`, before it is known whether it is a type, a value or a function."""

    tokens: tuple[Token, ...]
    span: Span

    @property
    def path(self) -> tuple[str, ...]:
        """The words."""
        return tuple(token.text for token in self.tokens)


@dataclass(frozen=True, slots=True)
class _LocalDimensions:
    """`[4][2]` after a local's name; `end` is the last bracket."""

    sizes: tuple[s.Expr, ...]
    end: Token | None


@dataclass(frozen=True, slots=True)
class _Bracket:
    """What stands in the brackets after a process's name."""

    parameters: tuple[s.ProcessParam, ...]
    count: s.Expr | None


@dataclass(frozen=True, slots=True)
class _Fairness:
    """`under weak fairness`."""

    strong: bool


@dataclass(frozen=True, slots=True)
class _LiveForm:
    """The three forms of `live`, before the name is known."""

    form: s.LiveForm
    function: tuple[str, ...] | None
    left: s.Expr | None
    right: s.Expr | None


@dataclass(frozen=True, slots=True)
class _CaseHead:
    """`case A:` or `default:`."""

    value: s.Expr | None
    span: Span


def _nodes(parts: tuple[_Node | Token, ...]) -> tuple[_Node, ...]:
    """The parts that are not signs and words."""
    return tuple(part for part in parts if not isinstance(part, Token))


class Builder:
    """Builds the tree of one source text; mistakes go to the collector."""

    def __init__(self, source: SourceText, collector: Collector) -> None:
        self._source = source
        self._collector = collector

    # ---- places and names

    def _span(self, first: _Placed | None, *others: _Placed | None) -> Span:
        """From the first part that is there to the last one that is."""
        places = [part.span for part in (first, *others) if part is not None]
        return places[0].to(places[-1])

    def _name(self, token: Token) -> s.Name:
        return s.Name(token.text, token.span)

    def _error(self, code: str, message: str, span: Span, *, label: str = "", help: str = "") -> None:
        self._collector.error(code, message, span, label=label, help=help)

    def dotted(self, *parts: _Dotted | Token) -> _Dotted:
        first, last = parts[0], parts[-1]
        assert isinstance(last, Token)
        before = first.tokens if isinstance(first, _Dotted) else ()
        return _Dotted((*before, last), self._span(first, last))

    def names(self, *tokens: Token) -> tuple[s.Name, ...]:
        return tuple(self._name(token) for token in tokens if token.kind == "NAME")

    def _integer(self, token: Token) -> int:
        if len(token.text) > MAX_DIGITS:
            self._error("KVM111", f"a number has at most {MAX_DIGITS} digits", token.span)
            return 0
        return int(token.text, 16 if token.text[:2] in ("0x", "0X") else 10)

    def _text(self, token: Token | None) -> str:
        if token is None:
            return ""
        return token.text[1:-1].replace('\\"', '"').replace("\\\\", "\\")

    # ---- files and modules

    def start(
        self,
        language: Token | None,
        version: Token | None,
        end: Token | None,
        module: Token | None,
        path: _Dotted | None,
        module_end: Token | None,
        *items: s.Item,
    ) -> s.File:
        number = None
        if version is not None:
            number = self._integer(version)
            if number != LANGUAGE:
                self._error(
                    "KVM118",
                    f"this kvmcheck reads language {LANGUAGE}, and the file is written in language {number}",
                    version.span,
                    help="a newer kvmcheck may read it",
                )
        whole = Span(self._source, 0, len(self._source.text))
        return s.File(number, path.path if path else None, items, whole)

    def use_decl(
        self,
        use: Token,
        module: _Dotted,
        as_: Token | None,
        alias: Token | None,
        with_: Token | None,
        opening: Token | None,
        edits: tuple[s.Edit, ...] | None,
        closing: Token | None,
        end: Token,
    ) -> s.UseDecl:
        name = self._name(alias) if alias is not None else None
        return s.UseDecl(module.path, name, edits or (), self._span(use, end))

    # ---- declared types

    def sort_decl(self, kind: Token, name: Token, end: Token) -> s.SortDecl:
        return s.SortDecl(s.SortKind(kind.text), self._name(name), self._span(kind, end))

    def typedef_decl(self, typedef: Token, type: _Dotted, name: Token, end: Token) -> s.TypedefDecl:
        return s.TypedefDecl(s.NamedType(type.path, type.span), self._name(name), self._span(typedef, end))

    def enum_constants(self, *tokens: Token) -> tuple[s.Name, ...]:
        return self.names(*tokens)

    def enum_decl(
        self,
        enum: Token,
        name: Token,
        opening: Token,
        constants: tuple[s.Name, ...],
        closing: Token,
        end: Token | None,
    ) -> s.EnumDecl:
        return s.EnumDecl(self._name(name), constants, self._span(enum, closing, end))

    def fields(self, *fields: s.FieldDecl) -> tuple[s.FieldDecl, ...]:
        return fields

    def field_decl(
        self,
        type: s.TypeExpr,
        name: Token,
        dimensions: tuple[s.Dimension, ...],
        equals: Token | None,
        default: s.Expr | None,
        end: Token,
    ) -> s.FieldDecl:
        for dimension in dimensions:
            if dimension.name is not None:
                self._error(
                    "KVM115",
                    f"a field's dimension has no name, so `{dimension.name.text}` can't stand here",
                    dimension.name.span,
                    help="name the index in a quantifier where it is used",
                )
        sizes = tuple(dimension.size for dimension in dimensions)
        return s.FieldDecl(type, self._name(name), sizes, default, self._span(type, end))

    def struct_decl(
        self,
        word: Token | None,
        struct: Token,
        name: Token,
        opening: Token,
        fields: tuple[s.FieldDecl, ...],
        closing: Token,
        end: Token | None,
    ) -> s.StructDecl:
        span = self._span(word, struct, closing, end)
        return s.StructDecl(self._name(name), word is not None, fields, span)

    def object_decl(
        self,
        object: Token,
        name: Token,
        opening: Token,
        fields: tuple[s.FieldDecl, ...],
        closing: Token,
        end: Token | None,
    ) -> s.ObjectDecl:
        return s.ObjectDecl(self._name(name), fields, self._span(object, closing, end))

    def arms(self, *arms: s.ArmDecl) -> tuple[s.ArmDecl, ...]:
        return arms

    def empty_arm(self, name: Token, end: Token) -> s.ArmDecl:
        return s.ArmDecl(None, self._name(name), self._span(name, end))

    def value_arm(self, type: s.TypeExpr, name: Token, end: Token) -> s.ArmDecl:
        return s.ArmDecl(type, self._name(name), self._span(type, end))

    def union_decl(
        self,
        word: Token,
        union: Token,
        name: Token,
        opening: Token,
        arms: tuple[s.ArmDecl, ...],
        closing: Token,
        end: Token | None,
    ) -> s.UnionDecl:
        return s.UnionDecl(self._name(name), arms, self._span(word, closing, end))

    # ---- variables and guards

    def variable_decl(
        self,
        kind: Token,
        type: s.TypeExpr,
        name: Token,
        dimensions: tuple[s.Dimension, ...],
        equals: Token | None,
        initial: s.Expr | None,
        guard: s.GuardClause | None,
        end: Token,
    ) -> s.VarDecl:
        span = self._span(kind, end)
        return s.VarDecl(s.VarKind(kind.text), type, self._name(name), dimensions, initial, guard, span)

    def bare_decl(
        self,
        type: s.TypeExpr,
        name: Token,
        dimensions: tuple[s.Dimension, ...],
        equals: Token | None,
        initial: s.Expr | None,
        guard: s.GuardClause | None,
        end: Token,
    ) -> s.VarDecl:
        if not isinstance(type, s.LockType):
            self._error(
                "KVM112",
                f"`{name.text}` is declared outside a function, and only locks stand there by themselves",
                self._span(type, name),
                help=f"write `shared {type.span.text} {name.text}` (machine state) or `ghost …` (state of the proof)",
            )
        elif initial is not None or guard is not None:
            self._error("KVM112", "a lock has no first value and no guard", self._span(type, end))
        span = self._span(type, end)
        return s.VarDecl(s.VarKind.SHARED, type, self._name(name), dimensions, initial, guard, span)

    def param_decl(
        self,
        param: Token,
        type: s.TypeExpr,
        name: Token,
        equals: Token | None,
        default: s.Expr | None,
        end: Token,
    ) -> s.ParamDecl:
        return s.ParamDecl(type, self._name(name), default, self._span(param, end))

    def dimensions(self, *dimensions: s.Dimension) -> tuple[s.Dimension, ...]:
        return dimensions

    def sized_dimension(self, opening: Token, size: s.Expr, closing: Token) -> s.Dimension:
        path = _path_of(size)
        if path is None:
            return s.Dimension(size, None, self._span(opening, closing))
        return s.Dimension(s.NamedType(path, size.span), None, self._span(opening, closing))

    def named_dimension(self, opening: Token, type: s.TypeExpr, name: Token, closing: Token) -> s.Dimension:
        return s.Dimension(type, self._name(name), self._span(opening, closing))

    def typed_dimension(self, opening: Token, type: s.TypeExpr, closing: Token) -> s.Dimension:
        return s.Dimension(type, None, self._span(opening, closing))

    def guarded(self, guarded: Token, by: Token, guard: s.Expr) -> s.GuardClause:
        return s.GuardClause(self._guard(guard), None, True, self._span(guarded, guard))

    def written(
        self,
        written: Token,
        under: Token,
        write: s.Expr,
        read_: Token | None,
        read_under: Token | None,
        read: s.Expr | None,
    ) -> s.GuardClause:
        reading = self._guard(read) if read is not None else None
        return s.GuardClause(self._guard(write), reading, False, self._span(written, write, read))

    def _guard(self, expression: s.Expr) -> s.Guard:
        """The guard that an expression spells: locks, modes, `atomic`, `owner(v)`, `and`, `or`."""
        match expression:
            case s.Binary(op=s.BinaryOp.AND | s.BinaryOp.OR as op):
                parts: list[s.Guard] = []
                for side in (expression.left, expression.right):
                    guard = self._guard(side)
                    same = isinstance(guard, s.GuardBoth) and guard.every == (op is s.BinaryOp.AND)
                    if isinstance(guard, s.GuardBoth) and same:
                        parts.extend(guard.parts)
                    else:
                        parts.append(guard)
                return s.GuardBoth(tuple(parts), op is s.BinaryOp.AND, expression.span)
            case s.Name(text="atomic"):
                return s.GuardAtomic(expression.span)
            case s.Call(function=s.Name(text="owner"), arguments=(index,)):
                return s.GuardOwner(index, expression.span)
            case s.Field(base=base, name=s.Name(text="read" | "write" as mode)):
                return s.GuardLock(base, mode, expression.span)
            case s.Name() | s.Field() | s.Arrow() | s.Index():
                return s.GuardLock(expression, None, expression.span)
            case _:
                self._error(
                    "KVM114",
                    "a guard names locks, and this is none",
                    expression.span,
                    help="a guard is a lock, `L.read`, `L.write`, `atomic`, `owner(v)`, "
                    "or several with `and` and `or`",
                )
                return s.GuardAtomic(expression.span)

    # ---- functions

    def parameters(self, *parts: s.Parameter | Token) -> tuple[s.Parameter, ...]:
        return _nodes(parts)

    def parameter(self, type: s.TypeExpr, name: Token) -> s.Parameter:
        return s.Parameter(type, self._name(name), None, self._span(type, name))

    def signature(self, *parts: s.TypeExpr | Token) -> tuple[s.TypeExpr, ...]:
        types: tuple[s.TypeExpr, ...] = _nodes(parts)
        return () if len(types) == 1 and isinstance(types[0], s.VoidType) else types

    def function_parameter(
        self,
        type: s.TypeExpr,
        name: Token,
        opening: Token,
        signature: tuple[s.TypeExpr, ...],
        closing: Token,
    ) -> s.Parameter:
        return s.Parameter(type, self._name(name), signature, self._span(type, closing))

    def kernel_source(
        self, from_: Token, file: Token, at: Token | None, version: Token | None
    ) -> s.KernelSource:
        text = self._text(version) if version is not None else None
        return s.KernelSource(self._text(file), text, self._span(from_, file, version))

    def function_decl(
        self,
        pure: Token | None,
        result: s.TypeExpr,
        name: Token,
        opening: Token,
        parameters: tuple[s.Parameter, ...],
        closing: Token,
        source: s.KernelSource | None,
        body: s.Block,
    ) -> s.FunctionDecl:
        span = self._span(pure, result, body)
        return s.FunctionDecl(result, self._name(name), parameters, pure is not None, source, body, span)

    # ---- properties

    def invariant_decl(
        self,
        inductive: Token | None,
        invariant: Token,
        name: Token,
        unless: Token | None,
        exempt: s.Expr | None,
        opening: Token,
        body: s.Expr,
        end: Token | None,
        closing: Token,
    ) -> s.InvariantDecl:
        span = self._span(inductive, invariant, closing)
        return s.InvariantDecl(self._name(name), exempt, body, inductive is not None, span)

    def step_decl(
        self,
        step: Token,
        name: Token,
        opening: Token,
        body: s.Expr,
        end: Token | None,
        closing: Token,
    ) -> s.StepDecl:
        return s.StepDecl(self._name(name), body, self._span(step, closing))

    def cover_decl(
        self,
        cover: Token,
        name: Token,
        opening: Token,
        body: s.Expr,
        end: Token | None,
        closing: Token,
    ) -> s.CoverDecl:
        return s.CoverDecl(self._name(name), body, self._span(cover, closing))

    def live_decl(
        self,
        live: Token,
        name: Token,
        opening: Token,
        form: _LiveForm,
        fairness: _Fairness | None,
        finitely: tuple[tuple[str, ...], ...] | None,
        end: Token | None,
        closing: Token,
    ) -> s.LiveDecl:
        return s.LiveDecl(
            self._name(name),
            form.form,
            form.function,
            form.left,
            form.right,
            fairness.strong if fairness else None,
            finitely or (),
            self._span(live, closing),
        )

    def completes(self, function: _Dotted, completes: Token) -> _LiveForm:
        return _LiveForm(s.LiveForm.COMPLETES, function.path, None, None)

    def leads_to(self, left: s.Expr, leads: Token, to: Token, right: s.Expr) -> _LiveForm:
        return _LiveForm(s.LiveForm.LEADS_TO, None, left, right)

    def always_eventually(self, always: Token, eventually: Token, right: s.Expr) -> _LiveForm:
        return _LiveForm(s.LiveForm.ALWAYS_EVENTUALLY, None, None, right)

    def fairness(self, under: Token, strength: Token, fairness: Token) -> _Fairness:
        return _Fairness(strength.text == "strong")

    def assuming(
        self, assuming: Token, finitely: Token, many: Token, *functions: _Dotted | Token
    ) -> tuple[tuple[str, ...], ...]:
        return tuple(f.path for f in functions if isinstance(f, _Dotted))

    # ---- scenarios

    def scenario_items(self, *items: s.ScenarioItem) -> tuple[s.ScenarioItem, ...]:
        return items

    def scenario_decl(
        self,
        scenario: Token,
        name: Token,
        title: Token | None,
        opening: Token,
        items: tuple[s.ScenarioItem, ...],
        closing: Token,
    ) -> s.ScenarioDecl:
        span = self._span(scenario, closing)
        return s.ScenarioDecl(self._name(name), self._text(title), items, span)

    def setting(
        self, name: _Dotted, equals: Token, kind: Token | None, value: s.Expr, end: Token
    ) -> s.Setting:
        free = isinstance(value, s.Name) and value.text == "any"
        sort = s.SortKind(kind.text) if kind is not None else None
        return s.Setting(name.path, sort, None if free else value, self._span(name, end))

    def seq_wrap(self, seq: Token, wrap: Token, modulus: s.Expr, end: Token) -> s.SeqWrap:
        return s.SeqWrap(modulus, self._span(seq, end))

    def memory(self, memory: Token, model: Token, end: Token) -> s.Memory:
        return s.Memory(self._name(model), self._span(memory, end))

    def init(self, init: Token, body: s.Block) -> s.Init:
        return s.Init(body, self._span(init, body))

    def distinct(
        self, distinct: Token, type: s.TypeExpr, names: tuple[s.Name, ...], end: Token
    ) -> s.Distinct:
        return s.Distinct(type, names, self._span(distinct, end))

    def process_parameter(self, type: s.TypeExpr, name: Token) -> s.ProcessParam:
        return s.ProcessParam(type, self._name(name), self._span(type, name))

    def process_parameters(self, *parts: s.ProcessParam | Token) -> _Bracket:
        return _Bracket(_nodes(parts), None)

    def process_count(self, opening: Token, count: s.Expr, closing: Token) -> _Bracket:
        return _Bracket((), count)

    def interrupt(
        self, interrupt: Token, opening: Token, condition: s.Expr, closing: Token, body: s.Block
    ) -> s.Interrupt:
        return s.Interrupt(condition, body, self._span(interrupt, body))

    def process(
        self,
        hardware: Token | None,
        process: Token,
        name: Token,
        bracket: _Bracket | None,
        daemon: Token | None,
        body: s.Block,
        interrupt: s.Interrupt | None,
    ) -> s.ProcessDecl:
        return s.ProcessDecl(
            self._name(name),
            bracket.parameters if bracket else (),
            bracket.count if bracket else None,
            hardware is not None,
            daemon is not None,
            body,
            interrupt,
            self._span(hardware, process, body, interrupt),
        )

    def check(self, check: Token, names: tuple[s.Name, ...], end: Token) -> s.Check:
        return s.Check(names, self._span(check, end))

    def cover_list(self, cover: Token, names: tuple[s.Name, ...], end: Token) -> s.CoverList:
        return s.CoverList(names, self._span(cover, end))

    def expect(
        self,
        expect: Token,
        only: Token | None,
        names: tuple[s.Name, ...],
        outcome: Token,
        under: Token | None,
        memory: Token | None,
        model: Token | None,
        end: Token,
    ) -> s.Expect:
        return s.Expect(
            names,
            s.Expected(outcome.text),
            only is not None,
            self._name(model) if model is not None else None,
            self._span(expect, end),
        )

    # ---- mutants and edits

    def mutant_items(self, *items: s.Edit | s.Expect) -> tuple[s.Edit | s.Expect, ...]:
        return items

    def mutant_decl(
        self,
        mutant: Token,
        name: Token,
        of: Token,
        base: Token,
        title: Token | None,
        opening: Token,
        items: tuple[s.Edit | s.Expect, ...],
        closing: Token,
    ) -> s.MutantDecl:
        edits = tuple(item for item in items if not isinstance(item, s.Expect))
        expects = tuple(item for item in items if isinstance(item, s.Expect))
        span = self._span(mutant, closing)
        return s.MutantDecl(self._name(name), self._name(base), self._text(title), edits, expects, span)

    def edits(self, *edits: s.Edit) -> tuple[s.Edit, ...]:
        return edits

    def own_label(self, at: Token, label: Token) -> s.LabelRef:
        return s.LabelRef((), label.text, self._span(at, label))

    def function_label(self, function: _Dotted, at: Token, label: Token) -> s.LabelRef:
        return s.LabelRef(function.path, label.text, self._span(function, label))

    def drop(self, drop: Token, label: s.LabelRef, end: Token) -> s.Drop:
        return s.Drop(label, self._span(drop, end))

    def move(self, move: Token, label: s.LabelRef, where: Token, anchor: s.LabelRef, end: Token) -> s.Move:
        return s.Move(label, where.text == "after", anchor, self._span(move, end))

    def swap(self, swap: Token, first: s.LabelRef, with_: Token, second: s.LabelRef, end: Token) -> s.Swap:
        return s.Swap(first, second, self._span(swap, end))

    def replace(
        self, replace: Token, label: s.LabelRef, with_: Token, body: s.Block, end: Token | None
    ) -> s.Replace:
        return s.Replace(label, body, self._span(replace, body, end))

    def insert(self, insert: Token, body: s.Block, where: Token, label: s.LabelRef, end: Token) -> s.Insert:
        return s.Insert(body, where.text == "after", label, self._span(insert, end))

    def set_param(self, set: Token, name: Token, equals: Token, value: s.Expr, end: Token) -> s.SetParam:
        return s.SetParam(self._name(name), value, self._span(set, end))

    def replace_lock(
        self,
        replace: Token,
        lock: Token,
        label: s.LabelRef,
        with_: Token,
        function: Token,
        end: Token,
    ) -> s.ReplaceLock:
        return s.ReplaceLock(label, self._name(function), self._span(replace, end))

    def replace_module(
        self, replace: Token, keyword: Token, module: _Dotted, with_: Token, by: _Dotted, end: Token
    ) -> s.ReplaceModule:
        return s.ReplaceModule(module.path, by.path, self._span(replace, end))

    # ---- statements

    def statements(self, *statements: s.Stmt) -> tuple[s.Stmt, ...]:
        return statements

    def block(self, opening: Token, body: tuple[s.Stmt, ...], closing: Token) -> s.Block:
        return s.Block(body, self._span(opening, closing))

    def simple_statement(self, statement: _Statement, end: Token) -> _Statement:
        return replace(statement, span=self._span(statement, end))

    def if_statement(
        self,
        if_: Token,
        opening: Token,
        condition: s.Expr,
        closing: Token,
        then: s.Stmt,
        else_: Token | None,
        otherwise: s.Stmt | None,
    ) -> s.If:
        return s.If(condition, then, otherwise, self._span(if_, then, otherwise))

    def while_statement(
        self, while_: Token, opening: Token, condition: s.Expr, closing: Token, body: s.Stmt
    ) -> s.While:
        return s.While(condition, body, self._span(while_, body))

    def do_while(
        self,
        do: Token,
        body: s.Stmt,
        while_: Token,
        opening: Token,
        condition: s.Expr,
        closing: Token,
        end: Token,
    ) -> s.DoWhile:
        return s.DoWhile(body, condition, self._span(do, end))

    def for_statement(
        self,
        for_: Token,
        opening: Token,
        initial: s.Stmt | None,
        first: Token,
        condition: s.Expr | None,
        second: Token,
        step: s.Stmt | None,
        closing: Token,
        body: s.Stmt,
    ) -> s.For:
        return s.For(initial, condition, step, body, self._span(for_, body))

    def for_each(
        self,
        for_: Token,
        opening: Token,
        type: s.TypeExpr,
        name: Token,
        in_: Token | None,
        domain: s.Expr | None,
        closing: Token,
        body: s.Stmt,
    ) -> s.ForEach:
        return s.ForEach(type, self._name(name), domain, body, self._span(for_, body))

    def case_value(self, case: Token, value: s.Expr, colon: Token) -> _CaseHead:
        return _CaseHead(value, self._span(case, colon))

    def case_default(self, default: Token, colon: Token) -> _CaseHead:
        return _CaseHead(None, self._span(default, colon))

    def case_heads(self, *heads: _CaseHead) -> tuple[_CaseHead, ...]:
        return heads

    def case(self, heads: tuple[_CaseHead, ...], body: tuple[s.Stmt, ...]) -> s.Case:
        # `case A: default:` says no more than `default:`.
        others = any(head.value is None for head in heads)
        values = tuple(head.value for head in heads if head.value is not None)
        last = body[-1] if body else heads[-1]
        return s.Case(() if others else values, body, self._span(heads[0], last))

    def cases(self, *cases: s.Case) -> tuple[s.Case, ...]:
        return cases

    def switch(
        self,
        switch: Token,
        opening: Token,
        subject: s.Expr,
        closing: Token,
        brace: Token,
        cases: tuple[s.Case, ...],
        end: Token,
    ) -> s.Switch:
        return s.Switch(subject, cases, self._span(switch, end))

    def forever(self, forever: Token, body: s.Stmt) -> s.Forever:
        return s.Forever(body, self._span(forever, body))

    def repeat(self, repeat: Token, count: s.Expr, body: s.Stmt) -> s.Repeat:
        return s.Repeat(count, body, self._span(repeat, body))

    def atomic(self, atomic: Token, body: s.Block) -> s.Atomic:
        return s.Atomic(body, self._span(atomic, body))

    def goto(self, goto: Token, target: Token, end: Token) -> s.Goto:
        return s.Goto(self._name(target), self._span(goto, end))

    def c_label(self, name: Token, colon: Token) -> s.CLabel:
        return s.CLabel(self._name(name), self._span(name, colon))

    def labelled(self, at: Token, label: Token, body: s.Stmt) -> s.Labelled:
        return s.Labelled(self._name(label), body, self._span(at, body))

    def return_statement(self, return_: Token, value: s.Expr | None, end: Token) -> s.Return:
        return s.Return(value, self._span(return_, end))

    def break_statement(self, break_: Token, end: Token) -> s.Break:
        return s.Break(self._span(break_, end))

    def continue_statement(self, continue_: Token, end: Token) -> s.Continue:
        return s.Continue(self._span(continue_, end))

    def await_statement(
        self, await_: Token, opening: Token, condition: s.Expr, closing: Token, end: Token
    ) -> s.Await:
        return s.Await(condition, self._span(await_, end))

    def choose_new(
        self,
        choose: Token,
        type: s.TypeExpr,
        name: Token,
        where: Token | None,
        opening: Token | None,
        condition: s.Expr | None,
        closing: Token | None,
        end: Token,
    ) -> s.Choose:
        return s.Choose(type, self._name(name), None, condition, self._span(choose, end))

    def choose_place(
        self,
        choose: Token,
        place: s.Expr,
        where: Token | None,
        opening: Token | None,
        condition: s.Expr | None,
        closing: Token | None,
        end: Token,
    ) -> s.Choose:
        return s.Choose(None, None, self._assignable(place), condition, self._span(choose, end))

    def assertion(
        self, kind: Token, opening: Token, condition: s.Expr, closing: Token, end: Token
    ) -> s.Assert:
        return s.Assert(s.AssertKind(kind.text), condition, self._span(kind, end))

    def cover_statement(self, cover: Token, name: Token, end: Token) -> s.CoverStmt:
        return s.CoverStmt(self._name(name), self._span(cover, end))

    def ghost(self, ghost: Token, body: s.Stmt) -> s.GhostStmt:
        return s.GhostStmt(body, self._span(ghost, body))

    def empty_statement(self, end: Token) -> s.Empty:
        return s.Empty(end.span)

    def local_dimensions(self, *parts: s.Expr | Token) -> _LocalDimensions:
        end = parts[-1] if parts else None
        return _LocalDimensions(_nodes(parts), end if isinstance(end, Token) else None)

    def local_decl(
        self,
        type: s.TypeExpr,
        name: Token,
        dimensions: _LocalDimensions,
        equals: Token | None,
        initial: s.Expr | None,
    ) -> s.LocalDecl:
        span = self._span(type, name, dimensions.end, initial)
        return s.LocalDecl(type, self._name(name), dimensions.sizes, initial, span)

    def assign_op(self, token: Token) -> Token:
        return token

    def assign(self, place: s.Expr, op: Token, value: s.Expr) -> s.Assign:
        binary = None if op.text == "=" else _BINARY[op.text[:-1]]
        return s.Assign(self._assignable(place), binary, value, self._span(place, value))

    def expression_statement(self, expression: s.Expr) -> s.ExprStmt:
        if not isinstance(expression, s.Call | s.IncDec):
            self._error(
                "KVM113",
                "this statement only looks at a value, and does nothing with it",
                expression.span,
                help="a statement is a call, an assignment, `x++` or `x--`",
            )
        return s.ExprStmt(expression, expression.span)

    def _assignable(self, place: s.Expr) -> s.Expr:
        """The same expression, reported if no value can be stored in it."""
        if not isinstance(place, s.Name | s.Field | s.Arrow | s.Index | s.Dereference):
            self._error(
                "KVM119",
                "this is a value, and not a place that could be changed",
                place.span,
                help="a place is a variable, a field, an element of an array, or `*p`",
            )
        return place

    # ---- types

    def named_type(self, name: _Dotted) -> s.NamedType:
        return s.NamedType(name.path, name.span)

    def bool_type(self, token: Token) -> s.BoolType:
        return s.BoolType(token.span)

    def void_type(self, token: Token) -> s.VoidType:
        return s.VoidType(token.span)

    def plain_int_type(self, token: Token) -> s.IntType:
        return s.IntType(None, None, False, token.span)

    def int_type(self, int_: Token, low: s.Expr, dots: Token, high: s.Expr, wrap: Token | None) -> s.IntType:
        return s.IntType(low, high, wrap is not None, self._span(int_, high, wrap))

    def seq_type(self, seq: Token) -> s.SeqType:
        return s.SeqType(None, seq.span)

    def seq_wrap_type(self, seq: Token, wrap: Token, modulus: s.Expr) -> s.SeqType:
        return s.SeqType(modulus, self._span(seq, modulus))

    def list_type(
        self,
        list: Token,
        opening: Token,
        element: s.TypeExpr,
        comma: Token,
        capacity: s.Expr,
        closing: Token,
    ) -> s.ListType:
        return s.ListType(element, capacity, self._span(list, closing))

    def set_type(self, set: Token, opening: Token, element: s.TypeExpr, closing: Token) -> s.SetType:
        return s.SetType(element, self._span(set, closing))

    def lock_type(self, kind: Token) -> s.LockType:
        return s.LockType(s.LockKind(kind.text), kind.span)

    def optional_type(self, inner: s.TypeExpr, mark: Token) -> s.OptionalType:
        return s.OptionalType(inner, self._span(inner, mark))

    def pointer_type(self, target: s.TypeExpr, star: Token) -> s.PointerType:
        return s.PointerType(target, self._span(target, star))

    # ---- expressions

    def path(self, name: _Dotted) -> s.Expr:
        result: s.Expr = self._name(name.tokens[0])
        for token in name.tokens[1:]:
            result = s.Field(result, self._name(token), self._span(name.tokens[0], token))
        return result

    def range_name(self, token: Token) -> s.Name:
        return self._name(token)

    def int_literal(self, token: Token) -> s.IntLiteral:
        return s.IntLiteral(self._integer(token), token.span)

    def negative_literal(self, minus: Token, token: Token) -> s.Unary:
        return s.Unary(s.UnaryOp.NEGATE, self.int_literal(token), self._span(minus, token))

    def bool_literal(self, token: Token) -> s.BoolLiteral:
        return s.BoolLiteral(token.text == "true", token.span)

    def none_literal(self, token: Token) -> s.NoneLiteral:
        return s.NoneLiteral(token.span)

    def null_literal(self, token: Token) -> s.NullLiteral:
        return s.NullLiteral(token.span)

    def parenthesised(self, opening: Token, inner: s.Expr, closing: Token) -> s.Expr:
        return replace(inner, span=self._span(opening, closing))

    def parenthesised_path(self, opening: Token, name: _Dotted, closing: Token) -> s.Expr:
        return self.parenthesised(opening, self.path(name), closing)

    def elements(self, *parts: s.Expr | Token) -> tuple[s.Expr, ...]:
        return _nodes(parts)

    def brace_literal(
        self, opening: Token, elements: tuple[s.Expr, ...] | None, closing: Token
    ) -> s.BraceLiteral:
        return s.BraceLiteral(elements or (), self._span(opening, closing))

    def field_value(
        self, dot: Token, name: Token, equals: Token | None, value: s.Expr | None
    ) -> tuple[s.Name, s.Expr | None]:
        return self._name(name), value

    def field_values(
        self, *parts: tuple[s.Name, s.Expr | None] | Token
    ) -> tuple[tuple[s.Name, s.Expr | None], ...]:
        return _nodes(parts)

    def struct_literal(
        self,
        opening: Token,
        name: _Dotted,
        closing: Token,
        brace: Token,
        fields: tuple[tuple[s.Name, s.Expr | None], ...] | None,
        end: Token,
    ) -> s.StructLiteral:
        return s.StructLiteral(self.named_type(name), fields or (), self._span(opening, end))

    def binary(self, left: s.Expr, op: Token, right: s.Expr) -> s.Binary:
        return s.Binary(_BINARY[op.text], left, right, self._span(left, right))

    def unary(self, op: Token, operand: s.Expr) -> s.Unary:
        return s.Unary(_UNARY[op.text], operand, self._span(op, operand))

    def ternary(
        self, condition: s.Expr, mark: Token, then: s.Expr, colon: Token, otherwise: s.Expr
    ) -> s.Ternary:
        return s.Ternary(condition, then, otherwise, self._span(condition, otherwise))

    def postfix_inc_dec(self, place: s.Expr, op: Token) -> s.IncDec:
        return s.IncDec(self._assignable(place), op.text == "++", False, self._span(place, op))

    def prefix_inc_dec(self, op: Token, place: s.Expr) -> s.IncDec:
        return s.IncDec(self._assignable(place), op.text == "++", True, self._span(op, place))

    def dereference(self, star: Token, pointer: s.Expr) -> s.Dereference:
        return s.Dereference(pointer, self._span(star, pointer))

    def address_of(self, ampersand: Token, place: s.Expr) -> s.AddressOf:
        return s.AddressOf(place, self._span(ampersand, place))

    def alloc(self, alloc: Token, type: _Dotted, or_: Token | None, null: Token | None) -> s.Alloc:
        span = self._span(alloc, type, null)
        return s.Alloc(self.named_type(type), alloc.text == "zalloc", null is not None, span)

    def any_named(self, any_: Token, type: _Dotted) -> s.Any:
        return s.Any(self.named_type(type), self._span(any_, type))

    def any_basic(self, any_: Token, type: s.TypeExpr) -> s.Any:
        return s.Any(type, self._span(any_, type))

    def the(
        self,
        the: Token,
        type: s.TypeExpr,
        name: Token,
        where: Token,
        opening: Token,
        condition: s.Expr,
        closing: Token,
    ) -> s.The:
        return s.The(type, self._name(name), condition, self._span(the, closing))

    def arguments(self, *parts: s.Expr | Token) -> tuple[s.Expr, ...]:
        return _nodes(parts)

    def call(self, function: s.Expr, opening: Token, arguments: tuple[s.Expr, ...], closing: Token) -> s.Call:
        return s.Call(function, arguments, self._span(function, closing))

    def subscript(self, base: s.Expr, opening: Token, index: s.Expr, closing: Token) -> s.Index:
        return s.Index(base, index, self._span(base, closing))

    def arrow(self, base: s.Expr, arrow: Token, name: Token) -> s.Arrow:
        return s.Arrow(base, self._name(name), self._span(base, name))

    def field(self, base: s.Expr, dot: Token, name: Token) -> s.Field:
        return s.Field(base, self._name(name), self._span(base, name))

    # ---- expressions of properties

    def binder(self, type: s.TypeExpr, name: Token, in_: Token | None, domain: s.Expr | None) -> s.Binder:
        return s.Binder(type, self._name(name), domain, self._span(type, name, domain))

    def binders(self, *parts: s.Binder | Token) -> tuple[s.Binder, ...]:
        return _nodes(parts)

    def quantified(
        self,
        kind: Token,
        opening: Token,
        binders: tuple[s.Binder, ...],
        closing: Token,
        colon: Token,
        body: s.Expr,
    ) -> s.Quantified:
        return s.Quantified(s.QuantifierKind(kind.text), binders, body, self._span(kind, body))

    def counted(
        self,
        count: Token,
        opening: Token,
        binders: tuple[s.Binder, ...],
        colon: Token,
        body: s.Expr,
        closing: Token,
    ) -> s.Quantified:
        span = self._span(count, closing)
        return s.Quantified(s.QuantifierKind.COUNT, binders, body, span)

    def _live_call(self, expression: s.Expr) -> s.Name:
        if isinstance(expression, s.Name):
            return expression
        self._error(
            "KVM120",
            "what stands before `at @…` and `in @…` is the name of a call",
            expression.span,
            help="bind the call first: `forall (tdp_page_fault f) : f at @retry implies …`",
        )
        return s.Name("_", expression.span)

    def live_at(self, call: s.Expr, at: Token, label: s.LabelRef) -> s.LiveAt:
        return s.LiveAt(self._live_call(call), label, self._span(call, label))

    def live_in(self, call: s.Expr, in_: Token, start: s.LabelRef, dots: Token, end: s.LabelRef) -> s.LiveIn:
        return s.LiveIn(self._live_call(call), start, end, self._span(call, end))

    def event(
        self,
        kind: Token | None,
        function: _Dotted,
        opening: Token,
        arguments: tuple[s.Expr, ...],
        closing: Token,
    ) -> s.Event:
        span = self._span(kind, function, closing)
        which = s.EventKind(kind.text) if kind is not None else None
        return s.Event(which, function.path, None, _event_arguments(arguments), span)

    def label_event(
        self,
        function: _Dotted,
        at: Token,
        label: Token,
        opening: Token,
        arguments: tuple[s.Expr, ...],
        closing: Token,
    ) -> s.Event:
        span = self._span(function, closing)
        given = _event_arguments(arguments)
        return s.Event(s.EventKind.LABEL, function.path, label.text, given, span)

    def after(
        self,
        after: Token,
        start: s.Event,
        until: Token | None,
        end: s.Event | None,
        colon: Token,
        body: s.Expr,
    ) -> s.After:
        return s.After(start, end, body, self._span(after, body))


def _event_arguments(arguments: tuple[s.Expr, ...]) -> tuple[s.Expr | None, ...]:
    """The arguments with `_`, any value, as None."""
    return tuple(
        None if isinstance(argument, s.Name) and argument.text == "_" else argument for argument in arguments
    )


def _path_of(expression: s.Expr) -> tuple[str, ...] | None:
    """The words of `a.b.c`, or None."""
    match expression:
        case s.Name(text=text):
            return (text,)
        case s.Field(base=base, name=name):
            before = _path_of(base)
            return (*before, name.text) if before is not None else None
        case _:
            return None
