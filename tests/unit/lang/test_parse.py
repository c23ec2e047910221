# SPDX-License-Identifier: GPL-2.0-only
"""What each piece of text means, as a tree."""

# ruff: noqa: E501 - one case a line is easier to compare

from __future__ import annotations

import re

import pytest

from kvmcheck.lang import syntax as s
from kvmcheck.lang.parse import parse
from kvmcheck.lang.walk import nodes
from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.text import SourceText, Span, nowhere
from tests.support.syntax import expression, parsed, statement, statements

HERE = nowhere()


def name(text: str) -> s.Name:
    """A name."""
    return s.Name(text, HERE)


def named(*path: str) -> s.NamedType:
    """A type by name."""
    return s.NamedType(path, HERE)


def number(value: int) -> s.IntLiteral:
    """A number."""
    return s.IntLiteral(value, HERE)


def binary(op: s.BinaryOp, left: s.Expr, right: s.Expr) -> s.Binary:
    """An operation on two values."""
    return s.Binary(op, left, right, HERE)


def item(text: str) -> s.Item:
    """One declaration."""
    (only,) = parsed(text).items
    return only


X, Y, Z = name("x"), name("y"), name("z")
OP = s.BinaryOp

# ------------------------------------------------------------------------------ expressions


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("x or y and z", "x or (y and z)"),
        ("x and y or z", "(x and y) or z"),
        ("not x == y", "not (x == y)"),
        ("not x and y", "(not x) and y"),
        ("! x == y", "(! x) == y"),
        ("x implies y implies z", "x implies (y implies z)"),
        ("x or y implies z and x", "(x or y) implies (z and x)"),
        ("x == y and y != z", "(x == y) and (y != z)"),
        ("x + y * z - 1", "(x + (y * z)) - 1"),
        ("x - y - z", "(x - y) - z"),
        ("x << 1 + y", "x << (1 + y)"),
        ("x | y ^ z & 1", "x | (y ^ (z & 1))"),
        ("x < y == z > 1", "(x < y) == (z > 1)"),
        ("x in y + z", "x in (y + z)"),
        ("x in y and y in z", "(x in y) and (y in z)"),
        ("x ? y : z ? 1 : 2", "x ? y : (z ? 1 : 2)"),
        ("x and y ? 1 : 2", "(x and y) ? 1 : 2"),
        ("forall (T t) : x and y implies z", "forall (T t) : ((x and y) implies z)"),
        ("x and exists (T t) : y or z", "x and (exists (T t) : (y or z))"),
        ("x implies forall (T t) : y implies z", "x implies (forall (T t) : (y implies z))"),
        ("after f() : x and y", "after f() : (x and y)"),
        ("- x + y", "(- x) + y"),
        ("*p.f", "*(p.f)"),
        ("&x[1].f", "&((x[1]).f)"),
        ("*p->q", "*(p->q)"),
        ("f(x)[y].z", "((f(x))[y]).z"),
        ("x && y || !z", "x and y or not z"),
        ("(x)", "x"),
        ("(a.b).c", "a.b.c"),
        ("p == NULL", "(p) == (NULL)"),
    ],
)
def test_operators_bind_as_in_c(text: str, grouped: str) -> None:
    assert expression(text) == expression(grouped)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("0x1F", number(31)),
        ("true", s.BoolLiteral(True, HERE)),
        ("none", s.NoneLiteral(HERE)),
        ("NULL", s.NullLiteral(HERE)),
        ("{}", s.BraceLiteral((), HERE)),
        ("{x, y,}", s.BraceLiteral((X, Y), HERE)),
        ("x.y", s.Field(X, Y, HERE)),
        ("x->y", s.Arrow(X, Y, HERE)),
        ("x[y]", s.Index(X, Y, HERE)),
        ("x.y(z)", s.Call(s.Field(X, Y, HERE), (Z,), HERE)),
        ("x()", s.Call(X, (), HERE)),
        ("any Gfn", s.Any(named("Gfn"), HERE)),
        ("any t.Gfn", s.Any(named("t", "Gfn"), HERE)),
        ("any set<Gfn>", s.Any(s.SetType(named("Gfn"), HERE), HERE)),
        ("any int 0..3", s.Any(s.IntType(number(0), number(3), False, HERE), HERE)),
        ("alloc Desc", s.Alloc(named("Desc"), False, False, HERE)),
        ("zalloc Desc", s.Alloc(named("Desc"), True, False, HERE)),
        ("alloc Desc or NULL", s.Alloc(named("Desc"), False, True, HERE)),
        ("the Sp *sp where (x)", s.The(s.PointerType(named("Sp"), HERE), name("sp"), X, HERE)),
        ("x++", s.IncDec(X, True, False, HERE)),
        ("--x", s.IncDec(X, False, True, HERE)),
        (
            "(Spte){ .present = true, .pfn = p, }",
            s.StructLiteral(
                named("Spte"),
                ((name("present"), s.BoolLiteral(True, HERE)), (name("pfn"), name("p"))),
                HERE,
            ),
        ),
        ("(Rmap){ .empty }", s.StructLiteral(named("Rmap"), ((name("empty"), None),), HERE)),
        ("(t.S){}", s.StructLiteral(named("t", "S"), (), HERE)),
        ("f at @A", s.LiveAt(name("f"), s.LabelRef((), "A", HERE), HERE)),
        (
            "f in @A..m.f@return",
            s.LiveIn(name("f"), s.LabelRef((), "A", HERE), s.LabelRef(("m", "f"), "return", HERE), HERE),
        ),
        (
            "forall (Gfn g, fault f in x) : y",
            s.Quantified(
                s.QuantifierKind.FORALL,
                (
                    s.Binder(named("Gfn"), name("g"), None, HERE),
                    s.Binder(named("fault"), name("f"), X, HERE),
                ),
                Y,
                HERE,
            ),
        ),
        (
            "count(Vcpu v : x) <= 1",
            binary(
                OP.LESS_EQUAL,
                s.Quantified(
                    s.QuantifierKind.COUNT, (s.Binder(named("Vcpu"), name("v"), None, HERE),), X, HERE
                ),
                number(1),
            ),
        ),
        (
            "after return f(x, _) until call m.g() : y",
            s.After(
                s.Event(s.EventKind.RETURN, ("f",), None, (X, None), HERE),
                s.Event(s.EventKind.CALL, ("m", "g"), None, (), HERE),
                Y,
                HERE,
            ),
        ),
        (
            "after f@A(x) until g() : y",
            s.After(
                s.Event(s.EventKind.LABEL, ("f",), "A", (X,), HERE),
                s.Event(None, ("g",), None, (), HERE),
                Y,
                HERE,
            ),
        ),
    ],
)
def test_an_expression_is_read(text: str, tree: s.Expr) -> None:
    assert expression(text) == tree


# ------------------------------------------------------------------------------ statements

EMPTY = s.Empty(HERE)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("Spte *p = &x;", s.LocalDecl(s.PointerType(named("Spte"), HERE), name("p"), (), s.AddressOf(X, HERE), HERE)),
        ("Pfn? pfn;", s.LocalDecl(s.OptionalType(named("Pfn"), HERE), name("pfn"), (), None, HERE)),
        ("t.T x[3];", s.LocalDecl(named("t", "T"), X, (number(3),), None, HERE)),
        ("set<set<Gfn>> x;", s.LocalDecl(s.SetType(s.SetType(named("Gfn"), HERE), HERE), X, (), None, HERE)),
        ("list<Gfn, 4> x;", s.LocalDecl(s.ListType(named("Gfn"), number(4), HERE), X, (), None, HERE)),
        ("int 0..N wrap x;", s.LocalDecl(s.IntType(number(0), name("N"), True, HERE), X, (), None, HERE)),
        ("int LO..N - 1 x;", s.LocalDecl(s.IntType(name("LO"), binary(OP.SUBTRACT, name("N"), number(1)), False, HERE), X, (), None, HERE)),
        ("seq wrap 8 x;", s.LocalDecl(s.SeqType(number(8), HERE), X, (), None, HERE)),
        ("x = y;", s.Assign(X, None, Y, HERE)),
        ("x |= y;", s.Assign(X, OP.BIT_OR, Y, HERE)),
        ("x <<= y;", s.Assign(X, OP.SHIFT_LEFT, Y, HERE)),
        ("*x = y;", s.Assign(s.Dereference(X, HERE), None, Y, HERE)),
        ("x(y);", s.ExprStmt(s.Call(X, (Y,), HERE), HERE)),
        ("x++;", s.ExprStmt(s.IncDec(X, True, False, HERE), HERE)),
        ("if (x) ; else if (y) ; else ;", s.If(X, EMPTY, s.If(Y, EMPTY, EMPTY, HERE), HERE)),
        ("if (x) if (y) ; else ;", s.If(X, s.If(Y, EMPTY, EMPTY, HERE), None, HERE)),
        ("while (x) ;", s.While(X, EMPTY, HERE)),
        ("do ; while (x);", s.DoWhile(EMPTY, X, HERE)),
        ("for (;;) ;", s.For(None, None, None, EMPTY, HERE)),
        (
            "for (int x = 0; x < y; x++) ;",
            s.For(
                s.LocalDecl(s.IntType(None, None, False, HERE), X, (), number(0), HERE),
                binary(OP.LESS, X, Y),
                s.ExprStmt(s.IncDec(X, True, False, HERE), HERE),
                EMPTY,
                HERE,
            ),
        ),
        ("for (Gfn x) ;", s.ForEach(named("Gfn"), X, None, EMPTY, HERE)),
        ("for (Gfn x in y[z]) ;", s.ForEach(named("Gfn"), X, s.Index(Y, Z, HERE), EMPTY, HERE)),
        (
            "switch (x) { case y: case z: break; default: ; }",
            s.Switch(X, (s.Case((Y, Z), (s.Break(HERE),), HERE), s.Case((), (EMPTY,), HERE)), HERE),
        ),
        ("forever ;", s.Forever(EMPTY, HERE)),
        ("repeat x ;", s.Repeat(X, EMPTY, HERE)),
        ("repeat 2 { }", s.Repeat(number(2), s.Block((), HERE), HERE)),
        ("atomic { ; }", s.Atomic(s.Block((EMPTY,), HERE), HERE)),
        ("goto x;", s.Goto(X, HERE)),
        ("@x ;", s.Labelled(X, EMPTY, HERE)),
        ("return;", s.Return(None, HERE)),
        ("return x;", s.Return(X, HERE)),
        ("continue;", s.Continue(HERE)),
        ("await (x);", s.Await(X, HERE)),
        ("choose Gfn x where (y);", s.Choose(named("Gfn"), X, None, Y, HERE)),
        ("choose int 0..3 x;", s.Choose(s.IntType(number(0), number(3), False, HERE), X, None, None, HERE)),
        ("choose x[y];", s.Choose(None, None, s.Index(X, Y, HERE), None, HERE)),
        ("assert(x);", s.Assert(s.AssertKind.ASSERT, X, HERE)),
        ("BUG_ON(x);", s.Assert(s.AssertKind.BUG_ON, X, HERE)),
        ("WARN_ON(x);", s.Assert(s.AssertKind.WARN_ON, X, HERE)),
        ("assume(x);", s.Assert(s.AssertKind.ASSUME, X, HERE)),
        ("cover x;", s.CoverStmt(X, HERE)),
        ("ghost x = y;", s.GhostStmt(s.Assign(X, None, Y, HERE), HERE)),
        ("ghost { }", s.GhostStmt(s.Block((), HERE), HERE)),
        ("x = any Gfn;", s.Assign(X, None, s.Any(named("Gfn"), HERE), HERE)),
    ],
)  # fmt: skip
def test_a_statement_is_read(text: str, tree: s.Stmt) -> None:
    assert statement(text) == tree


def test_a_c_label_stands_by_itself_even_at_the_end() -> None:
    assert statements("x: y = x; z:") == (s.CLabel(X, HERE), s.Assign(Y, None, X, HERE), s.CLabel(Z, HERE))


FREE_WORDS = """
read write index type lock page drop move swap call under from at by in list set any the alloc
old actor current count forall cover ghost check init memory word object step live use as with
where until after before forever repeat atomic await choose assert wrap only unless daemon
process scenario expect holds violated of insert replace shared param pure size len is next weak
strong finitely held prove
"""


@pytest.mark.parametrize("word", FREE_WORDS.split())
def test_a_word_of_the_language_is_a_name_where_nothing_else_fits(word: str) -> None:
    text = f"int {word} = 1; {word} = {word} + x.{word}; {word}++; f({word}, {word}); @{word} if ({word} == 2) return {word};"

    for node in nodes(statements(text)):
        assert not isinstance(node, s.Alloc | s.The | s.Any | s.Quantified | s.GhostStmt | s.CoverStmt)
    assert len(statements(text)) == 5


@pytest.mark.parametrize("label", ["retry", "return", "default", "if", "seq", "entry"])
def test_a_label_may_be_any_word(label: str) -> None:
    (edited,) = parsed(f"mutant m of s {{ drop f@{label}; }}").items
    assert isinstance(edited, s.MutantDecl)

    assert edited.edits == (s.Drop(s.LabelRef(("f",), label, HERE), HERE),)


# ------------------------------------------------------------------------------ declarations


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("use a.b;", s.UseDecl(("a", "b"), None, (), HERE)),
        ("use a as t with { drop f@x; };", s.UseDecl(("a",), name("t"), (s.Drop(s.LabelRef(("f",), "x", HERE), HERE),), HERE)),
        ("scalarset Vcpu;", s.SortDecl(s.SortKind.SCALARSET, name("Vcpu"), HERE)),
        ("index Slot;", s.SortDecl(s.SortKind.INDEX, name("Slot"), HERE)),
        ("type Gfn;", s.SortDecl(s.SortKind.TYPE, name("Gfn"), HERE)),
        ("typedef h.Hva Gfn;", s.TypedefDecl(s.NamedType(("h", "Hva"), HERE), name("Gfn"), HERE)),
        ("enum E { x, y, };", s.EnumDecl(name("E"), (X, Y), HERE)),
        (
            "word struct S { bool x = true; Spte *y[N][Gfn]; }",
            s.StructDecl(
                name("S"),
                True,
                (
                    s.FieldDecl(s.BoolType(HERE), X, (), s.BoolLiteral(True, HERE), HERE),
                    s.FieldDecl(s.PointerType(named("Spte"), HERE), Y, (named("N"), named("Gfn")), None, HERE),
                ),
                HERE,
            ),
        ),
        ("object D { int x[3]; }", s.ObjectDecl(name("D"), (s.FieldDecl(s.IntType(None, None, False, HERE), X, (number(3),), None, HERE),), HERE)),
        (
            "word union U { x; Spte *y; }",
            s.UnionDecl(name("U"), (s.ArmDecl(None, X, HERE), s.ArmDecl(s.PointerType(named("Spte"), HERE), Y, HERE)), HERE),
        ),
        ("spinlock x[Pfn];", s.VarDecl(s.VarKind.SHARED, s.LockType(s.LockKind.SPINLOCK, HERE), X, (s.Dimension(named("Pfn"), None, HERE),), None, None, HERE)),
        ("ghost set<T> x = {};", s.VarDecl(s.VarKind.GHOST, s.SetType(named("T"), HERE), X, (), s.BraceLiteral((), HERE), None, HERE)),
        (
            "shared bool x[Gfn g][2] guarded by y[g];",
            s.VarDecl(
                s.VarKind.SHARED,
                s.BoolType(HERE),
                X,
                (s.Dimension(named("Gfn"), name("g"), HERE), s.Dimension(number(2), None, HERE)),
                None,
                s.GuardClause(s.GuardLock(s.Index(Y, name("g"), HERE), None, HERE), None, True, HERE),
                HERE,
            ),
        ),
        (
            "shared bool x written under y and (z.read or y.write) and z read under atomic or owner(z);",
            s.VarDecl(
                s.VarKind.SHARED,
                s.BoolType(HERE),
                X,
                (),
                None,
                s.GuardClause(
                    s.GuardBoth(
                        (
                            s.GuardLock(Y, None, HERE),
                            s.GuardBoth((s.GuardLock(Z, "read", HERE), s.GuardLock(Y, "write", HERE)), False, HERE),
                            s.GuardLock(Z, None, HERE),
                        ),
                        True,
                        HERE,
                    ),
                    s.GuardBoth((s.GuardAtomic(HERE), s.GuardOwner(Z, HERE)), False, HERE),
                    False,
                    HERE,
                ),
                HERE,
            ),
        ),
        ("param int 1..4 x = 2;", s.ParamDecl(s.IntType(number(1), number(4), False, HERE), X, number(2), HERE)),
        ("param bool x;", s.ParamDecl(s.BoolType(HERE), X, None, HERE)),
        (
            'int x(int y(Rmap *, T), Gfn? z) from "a.c" at "v1" { }',
            s.FunctionDecl(
                s.IntType(None, None, False, HERE),
                X,
                (
                    s.Parameter(s.IntType(None, None, False, HERE), Y, (s.PointerType(named("Rmap"), HERE), named("T")), HERE),
                    s.Parameter(s.OptionalType(named("Gfn"), HERE), Z, None, HERE),
                ),
                False,
                s.KernelSource("a.c", "v1", HERE),
                s.Block((), HERE),
                HERE,
            ),
        ),
        ("pure bool x(void) { }", s.FunctionDecl(s.BoolType(HERE), X, (), True, None, s.Block((), HERE), HERE)),
        (
            "inductive invariant x unless held(y) { z; }",
            s.InvariantDecl(X, s.Call(name("held"), (Y,), HERE), Z, True, HERE),
        ),
        ("step x { y }", s.StepDecl(X, Y, HERE)),
        ("cover x { y }", s.CoverDecl(X, Y, HERE)),
        ("live x { t.y completes }", s.LiveDecl(X, s.LiveForm.COMPLETES, ("t", "y"), None, None, None, (), HERE)),
        (
            "live x { y leads to z under weak fairness assuming finitely many f, t.g }",
            s.LiveDecl(X, s.LiveForm.LEADS_TO, None, Y, Z, False, (("f",), ("t", "g")), HERE),
        ),
        ("live x { always eventually y under strong fairness; }", s.LiveDecl(X, s.LiveForm.ALWAYS_EVENTUALLY, None, None, Y, True, (), HERE)),
    ],
)  # fmt: skip
def test_a_declaration_is_read(text: str, tree: s.Item) -> None:
    assert item(text) == tree


BLOCK = s.Block((), HERE)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("Vcpu = 2;", s.Setting(("Vcpu",), None, number(2), HERE)),
        ("t.Gfn = scalarset N + 1;", s.Setting(("t", "Gfn"), s.SortKind.SCALARSET, binary(OP.ADD, name("N"), number(1)), HERE)),
        ("early = any;", s.Setting(("early",), None, None, HERE)),
        ("memory = 1;", s.Setting(("memory",), None, number(1), HERE)),
        ("seq wrap 8;", s.SeqWrap(number(8), HERE)),
        ("memory sc;", s.Memory(name("sc"), HERE)),
        ("init { }", s.Init(BLOCK, HERE)),
        ("distinct Gfn x, y;", s.Distinct(named("Gfn"), (X, Y), HERE)),
        ("process x { }", s.ProcessDecl(X, (), None, False, False, BLOCK, None, HERE)),
        ("process x[2] daemon { }", s.ProcessDecl(X, (), number(2), False, True, BLOCK, None, HERE)),
        ("process x[N] { }", s.ProcessDecl(X, (), name("N"), False, False, BLOCK, None, HERE)),
        (
            "hardware process x[Vcpu v, Gfn g] { } interrupt (y) { }",
            s.ProcessDecl(
                X,
                (s.ProcessParam(named("Vcpu"), name("v"), HERE), s.ProcessParam(named("Gfn"), name("g"), HERE)),
                None,
                True,
                False,
                BLOCK,
                s.Interrupt(Y, BLOCK, HERE),
                HERE,
            ),
        ),
        ("check x, y;", s.Check((X, Y), HERE)),
        ("cover x;", s.CoverList((X,), HERE)),
        ("expect x, y holds;", s.Expect((X, Y), s.Expected.HOLDS, False, None, HERE)),
        ("expect only x violated under memory tso;", s.Expect((X,), s.Expected.VIOLATED, True, name("tso"), HERE)),
        ("expect x unknown;", s.Expect((X,), s.Expected.UNKNOWN, False, None, HERE)),
    ],
)  # fmt: skip
def test_a_line_of_a_scenario_is_read(text: str, tree: s.ScenarioItem) -> None:
    assert item(f'scenario s "a title" {{ {text} }}') == s.ScenarioDecl(name("s"), "a title", (tree,), HERE)


F_A, F_B = s.LabelRef(("f",), "a", HERE), s.LabelRef(("f",), "b", HERE)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("drop f@a;", s.Drop(F_A, HERE)),
        ("move f@a after f@b;", s.Move(F_A, True, F_B, HERE)),
        ("move f@a before f@b;", s.Move(F_A, False, F_B, HERE)),
        ("swap f@a with f@b;", s.Swap(F_A, F_B, HERE)),
        ("replace f@a with { }", s.Replace(F_A, BLOCK, HERE)),
        ("replace f@a with { };", s.Replace(F_A, BLOCK, HERE)),
        ("insert { } before f@a;", s.Insert(BLOCK, False, F_A, HERE)),
        ("insert { } after f@a;", s.Insert(BLOCK, True, F_A, HERE)),
        ("set x = 2;", s.SetParam(X, number(2), HERE)),
        ("replace lock f@a with read_lock;", s.ReplaceLock(F_A, name("read_lock"), HERE)),
        ("replace module a.b with c;", s.ReplaceModule(("a", "b"), ("c",), HERE)),
        ("replace module@a with { }", s.Replace(s.LabelRef(("module",), "a", HERE), s.Block((), HERE), HERE)),
        ("drop lock@a;", s.Drop(s.LabelRef(("lock",), "a", HERE), HERE)),
    ],
)
def test_an_edit_is_read(text: str, tree: s.Edit) -> None:
    assert item(f'mutant m of b "t" {{ {text} }}') == s.MutantDecl(
        name("m"), name("b"), "t", (tree,), (), HERE
    )


def test_a_file_begins_with_its_language_and_its_name() -> None:
    file = parsed("language 1;\nmodule a.b;\nuse c;")

    assert (file.language, file.module, len(file.items)) == (1, ("a", "b"), 1)


def test_an_empty_file_is_a_file() -> None:
    assert parsed("  // nothing\n") == s.File(None, None, (), HERE)


def test_comments_are_blank_space() -> None:
    assert statement("x /* = 1; // */ = y; // z\n") == s.Assign(X, None, Y, HERE)


def test_a_string_may_hold_quotes_and_backslashes() -> None:
    read = item(r'scenario s "a \"b\" c\\d" { }')

    assert isinstance(read, s.ScenarioDecl)
    assert read.title == r'a "b" c\d'


# ------------------------------------------------------------------------------ places

PLACED = """\
shared Spte spte[Gfn g] = (Spte){ .a = 1 } guarded by ptl[g];
int f(int a) from "x.c" { @lab if ((a == b) == c) goto out; else x[1].y = -2 + f(3); out: int q[4]; do ; while (a); }
invariant i unless held(l) { forall (Gfn g) : (g in s) and not f in @a..@b }
scenario s "t" { Gfn = scalarset 2; process p[2] daemon { } interrupt (x) { } }
"""


def spans_of(node_type: type, text: str = PLACED) -> list[str]:
    """The text of each node of a type, in source order."""
    found = []
    for node in nodes(parsed(text)):
        if isinstance(node, node_type):
            span = getattr(node, "span", None)
            assert isinstance(span, Span)
            found.append(span.text)
    return found


@pytest.mark.parametrize(
    ("node_type", "texts"),
    [
        (s.VarDecl, ["shared Spte spte[Gfn g] = (Spte){ .a = 1 } guarded by ptl[g];"]),
        (s.Dimension, ["[Gfn g]"]),
        (s.GuardClause, ["guarded by ptl[g]"]),
        (s.StructLiteral, ["(Spte){ .a = 1 }"]),
        (s.KernelSource, ['from "x.c"']),
        (s.Labelled, ["@lab if ((a == b) == c) goto out; else x[1].y = -2 + f(3);"]),
        (s.If, ["if ((a == b) == c) goto out; else x[1].y = -2 + f(3);"]),
        (s.Goto, ["goto out;"]),
        (s.CLabel, ["out:"]),
        (s.Assign, ["x[1].y = -2 + f(3);"]),
        (s.LocalDecl, ["int q[4];"]),
        (s.DoWhile, ["do ; while (a);"]),
        (s.Call, ["f(3)", "held(l)"]),
        (s.Unary, ["-2", "not f in @a..@b"]),
        (s.LiveIn, ["f in @a..@b"]),
        (
            s.Binary,
            ["(a == b) == c", "(a == b)", "-2 + f(3)", "(g in s) and not f in @a..@b", "(g in s)"],
        ),
        (s.Interrupt, ["interrupt (x) { }"]),
        (s.ProcessDecl, ["process p[2] daemon { } interrupt (x) { }"]),
        (s.Setting, ["Gfn = scalarset 2;"]),
    ],
)
def test_a_node_knows_exactly_where_it_stands(node_type: type, texts: list[str]) -> None:
    assert spans_of(node_type) == texts


def test_every_node_lies_inside_the_one_around_it() -> None:
    def check(outer: object, limits: Span) -> None:
        span = getattr(outer, "span", limits)
        assert isinstance(span, Span)
        assert limits.start <= span.start <= span.end <= limits.end, outer
        for slot in getattr(type(outer), "__slots__", ()):
            inner = getattr(outer, slot)
            for part in inner if isinstance(inner, tuple) else (inner,):
                if hasattr(part, "span"):
                    check(part, span)

    file = parsed(PLACED)
    check(file, file.span)


def test_a_name_is_as_long_as_its_text() -> None:
    names = [node for node in nodes(parsed(PLACED)) if isinstance(node, s.Name)]

    assert names
    assert all(node.span.text == node.text for node in names)
    assert all(re.fullmatch(r"\w+", node.text) for node in names)


def test_a_text_that_many_specs_use_is_parsed_once() -> None:
    source = SourceText("host.kvm", "module host;\nscalarset Pfn;\n")
    again = SourceText("host.kvm", "module host;\nscalarset Pfn;\n")

    assert parse(source, Collector()) is parse(again, Collector())


def test_a_text_with_a_diagnostic_is_told_each_time() -> None:
    source = SourceText("host.kvm", "module host;\nscalarset ;\n")
    first, second = Collector(), Collector()

    assert parse(source, first) is None and parse(source, second) is None
    assert [d.code for d in first.all()] == [d.code for d in second.all()] != []
