# SPDX-License-Identifier: GPL-2.0-only
"""The syntax tree: what a person wrote, before names mean anything.

Every node is frozen and carries the `Span` it was read from; spans do not count in equality, so
two trees are equal exactly when they say the same.  Sequences are tuples.  Categories are unions
(`Expr`, `Stmt`, `Item` …): a `match` over one ends in `assert_never`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from kvmcheck.source.text import Span


def _span() -> Span:
    return field(compare=False, repr=False)  # type: ignore[no-any-return]  # dataclasses types field() as Any


# ------------------------------------------------------------------------------ names and types


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier as written.  In expressions it is an expression by itself."""

    text: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class NamedType:
    """A type by its name: a scalarset, index, enum, struct, union, object, `Thread`; `t.Name` too."""

    path: tuple[str, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class BoolType:
    """`bool`."""

    span: Span = _span()


@dataclass(frozen=True, slots=True)
class VoidType:
    """`void`, as a function's result only."""

    span: Span = _span()


@dataclass(frozen=True, slots=True)
class IntType:
    """`int`, `int lo..hi`, `int lo..hi wrap`; bounds are constant expressions, absent: -128..127."""

    low: Expr | None
    high: Expr | None
    wrap: bool
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class SeqType:
    """`seq`, or `seq wrap N`."""

    wrap: Expr | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class OptionalType:
    """`T?`: a T or `none`."""

    inner: TypeExpr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class PointerType:
    """`T *`."""

    target: TypeExpr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ListType:
    """`list<T, n>`: at most n elements, in order."""

    element: TypeExpr
    capacity: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class SetType:
    """`set<T>`."""

    element: TypeExpr
    span: Span = _span()


class LockKind(Enum):
    """The kinds of lock; the value is the type's keyword."""

    SPINLOCK = "spinlock"
    RWLOCK = "rwlock"
    MUTEX = "mutex"
    RWSEM = "rwsem"


@dataclass(frozen=True, slots=True)
class LockType:
    """`spinlock`, `rwlock`, `mutex`, `rwsem`."""

    kind: LockKind
    span: Span = _span()


TypeExpr = (
    NamedType
    | BoolType
    | VoidType
    | IntType
    | SeqType
    | OptionalType
    | PointerType
    | ListType
    | SetType
    | LockType
)


# ------------------------------------------------------------------------------ expressions


@dataclass(frozen=True, slots=True)
class IntLiteral:
    """`12`, `0x1f`."""

    value: int
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class BoolLiteral:
    """`true`, `false`."""

    value: bool
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class NoneLiteral:
    """`none`."""

    span: Span = _span()


@dataclass(frozen=True, slots=True)
class NullLiteral:
    """`NULL`."""

    span: Span = _span()


@dataclass(frozen=True, slots=True)
class BraceLiteral:
    """`{}`, `{a, b}`: a set or list of the expected type."""

    elements: tuple[Expr, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class StructLiteral:
    """`(T){ .field = e, … }`; for a union exactly one arm (`.empty` alone for an arm without value)."""

    type: TypeExpr
    fields: tuple[tuple[Name, Expr | None], ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Any:
    """`any T`: one member, freely chosen."""

    type: TypeExpr
    span: Span = _span()


class UnaryOp(Enum):
    """Prefix operators without effect."""

    NOT = "!"
    NEGATE = "-"


class BinaryOp(Enum):
    """Infix operators.  `and`/`or`/`not`/`implies` are the property words of `&&`, `||`, `!`, `!a || b`."""

    OR = "||"
    AND = "&&"
    IMPLIES = "implies"
    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="
    IN = "in"
    BIT_OR = "|"
    BIT_AND = "&"
    BIT_XOR = "^"
    SHIFT_LEFT = "<<"
    SHIFT_RIGHT = ">>"
    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"
    MODULO = "%"


@dataclass(frozen=True, slots=True)
class Unary:
    """`!e`, `not e`, `-e`."""

    op: UnaryOp
    operand: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Binary:
    """`a op b`."""

    op: BinaryOp
    left: Expr
    right: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Ternary:
    """`c ? a : b`."""

    condition: Expr
    then: Expr
    otherwise: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Call:
    """`f(args)`, `m.f(args)`, `x.method(args)`: a function, a built-in, or a method of a value."""

    function: Expr
    arguments: tuple[Expr, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Index:
    """`a[e]`."""

    base: Expr
    index: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Field:
    """`e.name`; also a name from `use m as t` (`t.name`)."""

    base: Expr
    name: Name
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Arrow:
    """`p->name`."""

    base: Expr
    name: Name
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class AddressOf:
    """`&place`."""

    place: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Dereference:
    """`*p`."""

    pointer: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Alloc:
    """`alloc T`, `zalloc T`, `alloc T or NULL`: a fresh object of pool T (zalloc: fields at their defaults)."""

    type: TypeExpr
    zeroed: bool
    or_null: bool
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class The:
    """`the T x where (e)`, `the T *x where (e)`: the one member (or object) that fits."""

    type: TypeExpr
    name: Name
    condition: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class IncDec:
    """`x++`, `x--`, `++x`, `--x`: a load and a store; used as a statement, or for its value."""

    place: Expr
    increment: bool
    prefix: bool
    span: Span = _span()


# ---- expressions of properties


class QuantifierKind(Enum):
    """The three binders."""

    FORALL = "forall"
    EXISTS = "exists"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Binder:
    """`T x`; `T x in e`; or `f_name x` for a live call, where the type is a `NamedType` naming a function."""

    type: TypeExpr
    name: Name
    domain: Expr | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Quantified:
    """`forall (T x, U y) : P`, `exists (…) : P`, `count(T x : P)`."""

    kind: QuantifierKind
    binders: tuple[Binder, ...]
    body: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class LabelRef:
    """`@A`, `F@A`, `m.F@A`; `@entry` and `@return` are there without being written."""

    function: tuple[str, ...]
    label: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class LiveAt:
    """`f at @A`: the call f is about to do A."""

    call: Name
    label: LabelRef
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class LiveIn:
    """`f in @A..@B`: the call f has done A and has not done B."""

    call: Name
    start: LabelRef
    end: LabelRef
    span: Span = _span()


class EventKind(Enum):
    """What part of a call an event is."""

    CALL = "call"
    RETURN = "return"
    LABEL = "label"


@dataclass(frozen=True, slots=True)
class Event:
    """`call F(a, _)`, `return F(a)`, `F@A(a)`, or bare `F(a)` (kind None: after means return, until means call).

    An argument is an expression over the quantified variables, or None for `_` (any value).
    """

    kind: EventKind | None
    function: tuple[str, ...]
    label: str | None
    arguments: tuple[Expr | None, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class After:
    """`after EVENT until EVENT : P`, `after EVENT : P`."""

    start: Event
    end: Event | None
    body: Expr
    span: Span = _span()


Expr = (
    Name
    | IntLiteral
    | BoolLiteral
    | NoneLiteral
    | NullLiteral
    | BraceLiteral
    | StructLiteral
    | Any
    | Unary
    | Binary
    | Ternary
    | Call
    | Index
    | Field
    | Arrow
    | AddressOf
    | Dereference
    | Alloc
    | The
    | IncDec
    | Quantified
    | LiveAt
    | LiveIn
    | After
)


# ------------------------------------------------------------------------------ statements


@dataclass(frozen=True, slots=True)
class Block:
    """`{ … }`: a scope."""

    body: tuple[Stmt, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class LocalDecl:
    """`T x;`, `T x = e;`, `T x[N];`."""

    type: TypeExpr
    name: Name
    dimensions: tuple[Expr, ...]
    initial: Expr | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Assign:
    """`place = e;` (op None), `place op= e;`."""

    place: Expr
    op: BinaryOp | None
    value: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ExprStmt:
    """`f(x);`, `x++;`."""

    expression: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class If:
    """`if (e) s else s`."""

    condition: Expr
    then: Stmt
    otherwise: Stmt | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class While:
    """`while (e) s`."""

    condition: Expr
    body: Stmt
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class DoWhile:
    """`do s while (e);`."""

    body: Stmt
    condition: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class For:
    """C's `for (init; condition; step) s`; each part may be absent."""

    initial: Stmt | None
    condition: Expr | None
    step: Stmt | None
    body: Stmt
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ForEach:
    """`for (T x) s`, `for (T x in e) s`: each member once (scalarset, set: in every order)."""

    type: TypeExpr
    name: Name
    domain: Expr | None
    body: Stmt
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Case:
    """`case A: case B: …` (values), or `default:` (no values); the body ends by `break` or at the next case."""

    values: tuple[Expr, ...]
    body: tuple[Stmt, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Switch:
    """`switch (e) { case … }`: exhaustive, no fall-through."""

    subject: Expr
    cases: tuple[Case, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Forever:
    """`forever s`."""

    body: Stmt
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Repeat:
    """`repeat n s`."""

    count: Expr
    body: Stmt
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Atomic:
    """`atomic { … }`: one step."""

    body: Block
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Goto:
    """`goto out;`."""

    target: Name
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class CLabel:
    """`out:`; an empty statement that `goto` names."""

    name: Name
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Labelled:
    """`@A s`, `@A { … }`."""

    label: Name
    body: Stmt
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Return:
    """`return;`, `return e;`."""

    value: Expr | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Break:
    """`break;`."""

    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Continue:
    """`continue;`."""

    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Await:
    """`await (e);`."""

    condition: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Choose:
    """`choose T x where (e);`, `choose T x;`: declares x; in `init`, `choose place;` chooses a place's value.

    Exactly one of (`type` and `name`) and `place` is there.
    """

    type: TypeExpr | None
    name: Name | None
    place: Expr | None
    condition: Expr | None
    span: Span = _span()


class AssertKind(Enum):
    """The ways to claim something in code; the value is how it is written."""

    ASSERT = "assert"
    BUG_ON = "BUG_ON"
    WARN_ON = "WARN_ON"
    ASSUME = "assume"


@dataclass(frozen=True, slots=True)
class Assert:
    """`assert(e);`, `BUG_ON(e);`, `WARN_ON(e);`, in `init` also `assume(e);`."""

    kind: AssertKind
    condition: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class CoverStmt:
    """`cover NAME;`."""

    name: Name
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class GhostStmt:
    """`ghost s`: an assignment, or a block of assignments, ifs and for-eachs on ghost state."""

    body: Stmt
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Empty:
    """`;`."""

    span: Span = _span()


Stmt = (
    Block
    | LocalDecl
    | Assign
    | ExprStmt
    | If
    | While
    | DoWhile
    | For
    | ForEach
    | Switch
    | Forever
    | Repeat
    | Atomic
    | Goto
    | CLabel
    | Labelled
    | Return
    | Break
    | Continue
    | Await
    | Choose
    | Assert
    | CoverStmt
    | GhostStmt
    | Empty
)


# ------------------------------------------------------------------------------ declarations


class SortKind(Enum):
    """`scalarset`, `index`, or `type` (the scenario says which)."""

    SCALARSET = "scalarset"
    INDEX = "index"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class SortDecl:
    """`scalarset Vcpu;`, `index Slot;`, `type Gfn;`."""

    kind: SortKind
    name: Name
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class TypedefDecl:
    """`typedef Hva Gfn;`: another name for a declared type, here or in a module that is used."""

    type: NamedType
    name: Name
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class EnumDecl:
    """`enum Access { READ, WRITE }`."""

    name: Name
    constants: tuple[Name, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class FieldDecl:
    """`T name;`, `T name[N];`, `T name = e;` in a struct or object."""

    type: TypeExpr
    name: Name
    dimensions: tuple[TypeExpr | Expr, ...]
    default: Expr | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class StructDecl:
    """`struct S { … }`, `word struct S { … }` (one machine word)."""

    name: Name
    word: bool
    fields: tuple[FieldDecl, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ArmDecl:
    """`empty;` (no type), `Spte *one;`."""

    type: TypeExpr | None
    name: Name
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class UnionDecl:
    """`word union U { … }`."""

    name: Name
    arms: tuple[ArmDecl, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ObjectDecl:
    """`object Desc { … }`: a pool of objects, sized by the scenario."""

    name: Name
    fields: tuple[FieldDecl, ...]
    span: Span = _span()


# ---- guards


@dataclass(frozen=True, slots=True)
class GuardLock:
    """`L`, `L.read`, `L.write` (mode None, "read", "write")."""

    lock: Expr
    mode: str | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class GuardAtomic:
    """`atomic`: marked (atomic, ONCE, acquire, release) accesses only."""

    span: Span = _span()


@dataclass(frozen=True, slots=True)
class GuardOwner:
    """`owner(v)`: only the process whose parameter equals the index named v."""

    index: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class GuardBoth:
    """`G and G` (every), `G or G` (not every)."""

    parts: tuple[Guard, ...]
    every: bool
    span: Span = _span()


Guard = GuardLock | GuardAtomic | GuardOwner | GuardBoth


@dataclass(frozen=True, slots=True)
class GuardClause:
    """`guarded by G` (write and read the same), `written under G [read under G]` (read may be None)."""

    write: Guard
    read: Guard | None
    guarded: bool
    span: Span = _span()


class VarKind(Enum):
    """`shared` state of the modelled machine, or `ghost` state of the proof."""

    SHARED = "shared"
    GHOST = "ghost"


@dataclass(frozen=True, slots=True)
class Dimension:
    """`[Gfn]`, `[Gfn g]` (the name may be used in guards), `[4]`."""

    size: TypeExpr | Expr
    name: Name | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class VarDecl:
    """`shared T x[A][B] = e guarded by G;`, `ghost T x;`, `spinlock l;`, `spinlock l[Pfn];` (kind SHARED)."""

    kind: VarKind
    type: TypeExpr
    name: Name
    dimensions: tuple[Dimension, ...]
    initial: Expr | None
    guard: GuardClause | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ParamDecl:
    """`param int NAME = e;`, `param bool NAME;`, `param int 1..4 NAME = 2;`."""

    type: TypeExpr
    name: Name
    default: Expr | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Parameter:
    """`T x`, or a function parameter `T (*f)(T, T)` written `T f(T, T)`: then `signature` is not None."""

    type: TypeExpr
    name: Name
    signature: tuple[TypeExpr, ...] | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class KernelSource:
    """`from "arch/x86/kvm/mmu.c" at "v2.6.27"`: what a function models."""

    file: str
    version: str | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class FunctionDecl:
    """`T f(params) from … { … }`; `pure bool f(…) { … }` may be called in properties and has no effect."""

    result: TypeExpr
    name: Name
    parameters: tuple[Parameter, ...]
    pure: bool
    source: KernelSource | None
    body: Block
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class InvariantDecl:
    """`invariant NAME [unless held(L)] { P }`; `inductive invariant` for the prover."""

    name: Name
    unless: Expr | None
    body: Expr
    inductive: bool
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class StepDecl:
    """`step NAME { P }`: over two states, with `old(e)` and `actor`."""

    name: Name
    body: Expr
    span: Span = _span()


class LiveForm(Enum):
    """The three forms of liveness."""

    COMPLETES = "completes"
    LEADS_TO = "leads to"
    ALWAYS_EVENTUALLY = "always eventually"


@dataclass(frozen=True, slots=True)
class LiveDecl:
    """`live NAME { F completes | P leads to Q | always eventually P } [under …] [assuming finitely many F]`.

    `function` for COMPLETES; `left`/`right` for LEADS_TO; `right` for ALWAYS_EVENTUALLY.
    """

    name: Name
    form: LiveForm
    function: tuple[str, ...] | None
    left: Expr | None
    right: Expr | None
    strong: bool | None
    finitely: tuple[tuple[str, ...], ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class CoverDecl:
    """`cover NAME { P }`."""

    name: Name
    body: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class UseDecl:
    """`use m;`, `use a.b as t;`, `use m with { edits };`."""

    module: tuple[str, ...]
    alias: Name | None
    edits: tuple[Edit, ...]
    span: Span = _span()


# ------------------------------------------------------------------------------ edits


@dataclass(frozen=True, slots=True)
class Drop:
    """`drop F@A;`."""

    label: LabelRef
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Move:
    """`move F@A after F@B;`, `move F@A before F@B;`."""

    label: LabelRef
    after: bool
    anchor: LabelRef
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Swap:
    """`swap F@A with F@B;`."""

    first: LabelRef
    second: LabelRef
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Replace:
    """`replace F@A with { … }`."""

    label: LabelRef
    body: Block
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Insert:
    """`insert { … } before F@A;`, `insert { … } after F@A;`; `F@entry` and `F@return` too."""

    body: Block
    after: bool
    label: LabelRef
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class SetParam:
    """`set NAME = e;`."""

    name: Name
    value: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ReplaceLock:
    """`replace lock F@A with read_lock;`: the lock call in A, and each matching unlock in F."""

    label: LabelRef
    function: Name
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ReplaceModule:
    """`replace module A with B;`: every `use A` of the unit means `use B`."""

    module: tuple[str, ...]
    by: tuple[str, ...]
    span: Span = _span()


#: Edits of a function's statements.
StatementEdit = Drop | Move | Swap | Replace | Insert | ReplaceLock

Edit = StatementEdit | SetParam | ReplaceModule


# ------------------------------------------------------------------------------ scenarios, mutants


@dataclass(frozen=True, slots=True)
class Setting:
    """`Vcpu = 2;`, `Gfn = scalarset 2;`, `WINDOWS = 1;`, `early = any;` (value None)."""

    name: tuple[str, ...]
    kind: SortKind | None
    value: Expr | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class SeqWrap:
    """`seq wrap N;`: every seq of the scenario is a counter mod N."""

    modulus: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Memory:
    """`memory sc;`."""

    model: Name
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Init:
    """`init { … }`: one step; each way through it is an initial state."""

    body: Block
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Distinct:
    """`distinct Gfn a, b;`."""

    type: TypeExpr
    names: tuple[Name, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ProcessParam:
    """`Vcpu v` in brackets."""

    type: TypeExpr
    name: Name
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Interrupt:
    """`interrupt (cond) { … }`."""

    condition: Expr
    body: Block
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ProcessDecl:
    """`[hardware] process NAME[Vcpu v] [daemon] { … } [interrupt (c) { … }]`.

    `count` for `process ntf[2]`; `parameters` for `process vcpu[Vcpu v]`; neither: one process.
    """

    name: Name
    parameters: tuple[ProcessParam, ...]
    count: Expr | None
    hardware: bool
    daemon: bool
    body: Block
    interrupt: Interrupt | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Check:
    """`check a, b;`."""

    names: tuple[Name, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class CoverList:
    """`cover a, b;` in a scenario."""

    names: tuple[Name, ...]
    span: Span = _span()


class Expected(Enum):
    """What an `expect` says; the value is the keyword."""

    VIOLATED = "violated"
    HOLDS = "holds"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Expect:
    """`expect [only] P violated | holds | unknown [under memory M];`."""

    properties: tuple[Name, ...]
    outcome: Expected
    only: bool
    memory: Name | None
    span: Span = _span()


ScenarioItem = Setting | SeqWrap | Memory | Init | Distinct | ProcessDecl | Check | CoverList | Expect


@dataclass(frozen=True, slots=True)
class ScenarioDecl:
    """`scenario NAME "title" { … }`."""

    name: Name
    title: str
    items: tuple[ScenarioItem, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class MutantDecl:
    """`mutant NAME of BASE "title" { edits; expects }`; BASE is a scenario or another mutant."""

    name: Name
    base: Name
    title: str
    edits: tuple[Edit, ...]
    expects: tuple[Expect, ...]
    span: Span = _span()


Item = (
    UseDecl
    | SortDecl
    | TypedefDecl
    | EnumDecl
    | StructDecl
    | UnionDecl
    | ObjectDecl
    | VarDecl
    | ParamDecl
    | FunctionDecl
    | InvariantDecl
    | StepDecl
    | LiveDecl
    | CoverDecl
    | ScenarioDecl
    | MutantDecl
)


@dataclass(frozen=True, slots=True)
class File:
    """One .kvm file: `language 1;`, `module NAME;`, then items in order."""

    language: int | None
    module: tuple[str, ...] | None
    items: tuple[Item, ...]
    span: Span = _span()
