# SPDX-License-Identifier: GPL-2.0-only
"""A program: one scenario, typed, resolved, calls inlined, ready to be explored or encoded.

Plain and whole structs, and objects, are gone: `x.f[g]` of a plain struct is a variable named `x.f`,
an object's field `more` is a variable `Desc.more` indexed by the object.  What is left are variables
(arrays over finite sorts, any number of dimensions) whose elements are read and written in one access.

Each process has a body: a control-flow graph of micro-operations (`Node`).  What one *step* is, is
defined over it, see docs/development/semantics.md: choices, then at most one visible operation, with the
invisible operations around them.  Strengths (`Order`), dependencies (through locals) and fences stay in
the program for engines that need them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from kvmcheck.semantics.sorts import LockFlavour, Sort, Value
from kvmcheck.source.text import Span

# ------------------------------------------------------------------------------ expressions


class Op(Enum):
    """Operators of `Apply`.  Arguments and results are values as `semantics.sorts` represents them."""

    NOT = "not"
    AND = "and"  # any number of arguments, short-circuit, left to right
    OR = "or"
    IMPLIES = "implies"
    IF = "if"  # condition, then, else
    EQUAL = "=="  # of pointers: the addresses; of seqs: equality
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_EQUAL = "<="
    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"  # C's: towards zero; by zero is an out-of-bounds error
    MODULO = "%"
    NEGATE = "neg"
    BIT_AND = "&"
    BIT_OR = "|"
    BIT_XOR = "^"
    SHIFT_LEFT = "<<"
    SHIFT_RIGHT = ">>"
    FIELD = "field"  # data = position; of a word struct
    WITH = "with"  # data = position; word, new field value
    MAKE = "make"  # the fields of a word struct
    ARM_IS = "is"  # data = arm position
    ARM_GET = "arm"  # data = arm position; the wrong arm is a NO_OUT_OF_BOUNDS error
    ARM_MAKE = "make arm"  # data = arm position; 0 or 1 argument
    UNWRAP = "unwrap"  # T? to T; none is a NO_OUT_OF_BOUNDS error
    FIT = "fit"  # to Apply.sort, an IntSort or IdSort: range error, or wraps
    NEXT = "next"  # of a seq: the successor (modulo wrap)
    IN = "in"  # member, set or list
    SET_ADD = "set add"  # set, member
    SET_REMOVE = "set remove"
    SET_UNION = "set union"
    SET_INTERSECT = "set intersect"
    SET_MINUS = "set minus"
    SET_MAKE = "set make"  # any number of members
    SIZE = "size"  # of a set or list
    LIST_MAKE = "list make"
    LIST_PUSH = "push"  # list, element: at the end; data = 1 if overflow is the scenario's bound
    LIST_POP = "pop"  # the list without its last element; of the empty list: NO_OUT_OF_BOUNDS
    LIST_LAST = "last"  # the last element
    LIST_AT = "at"  # list, index
    DISTINCT = "distinct"  # no element twice
    OBJECT = "object"  # an object pointer to the object's position: NULL or stale is NO_USE_AFTER_FREE
    POINT = "point"  # data = root; indices of a place to a place pointer


@dataclass(frozen=True, slots=True)
class Const:
    """A value."""

    value: Value
    sort: Sort


@dataclass(frozen=True, slots=True)
class Local:
    """A local of the executing body; reading `UNSET` is a NO_UNSET_READ error."""

    local: int
    sort: Sort


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of the executing process (`process vcpu[Vcpu v]`): constant for a thread."""

    index: int
    sort: Sort


@dataclass(frozen=True, slots=True)
class Current:
    """The executing thread."""

    sort: Sort


@dataclass(frozen=True, slots=True)
class Actor:
    """In a `step` property: the thread that stepped."""

    sort: Sort


@dataclass(frozen=True, slots=True)
class Bound:
    """A quantified variable, or a guard's named dimension.  Names are unique within a property."""

    name: str
    sort: Sort


@dataclass(frozen=True, slots=True)
class OldValue:
    """In `Update`: what the place held before."""

    sort: Sort


@dataclass(frozen=True, slots=True)
class Read:
    """The value of a place, now: in properties, ghosts, `Await`, `Choose` and interrupt conditions only."""

    place: Place
    sort: Sort


@dataclass(frozen=True, slots=True)
class Old:
    """In a `step` property: the expression in the state before."""

    inner: Expr
    sort: Sort


class HeldMode(Enum):
    """How a lock is held."""

    ANY = "any"
    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Held:
    """Whether a lock is held (exclusively counts as WRITE); by one thread, or by any (`thread` None)."""

    lock: Place
    mode: HeldMode
    thread: Expr | None


@dataclass(frozen=True, slots=True)
class Apply:
    """An operator applied; `data` as the operator says."""

    op: Op
    arguments: tuple[Expr, ...]
    sort: Sort
    data: int = 0
    span: Span | None = None


class Quantifier(Enum):
    """The binders."""

    FORALL = "forall"
    EXISTS = "exists"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Quantified:
    """One variable over a finite sort, or over the members of a set (`domain` not None)."""

    kind: Quantifier
    bound: Bound
    domain: Expr | None
    body: Expr


@dataclass(frozen=True, slots=True)
class LiveQuantified:
    """One variable over the calls of a function that are live: see `LiveCall`."""

    kind: Quantifier
    name: str
    function: str
    body: Expr


@dataclass(frozen=True, slots=True)
class CallLocal:
    """A local or parameter of a live call, by its name in the function; `UNSET` is an error."""

    call: str
    local: str
    sort: Sort


@dataclass(frozen=True, slots=True)
class CallThread:
    """The thread of a live call."""

    call: str
    sort: Sort


@dataclass(frozen=True, slots=True)
class CallAt:
    """Whether a live call is about to do what stands at a label."""

    call: str
    label: str


@dataclass(frozen=True, slots=True)
class CallIn:
    """Whether a live call has done `start` and not `end` since."""

    call: str
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class The:
    """The one member of a sort that satisfies a condition; none or several is a NO_OUT_OF_BOUNDS error.

    For an object pointer sort: over the live objects.
    """

    bound: Bound
    condition: Expr


Expr = (
    Const
    | Local
    | Param
    | Current
    | Actor
    | Bound
    | OldValue
    | Read
    | Old
    | Held
    | Apply
    | Quantified
    | LiveQuantified
    | CallLocal
    | CallThread
    | CallAt
    | CallIn
    | The
)


# ------------------------------------------------------------------------------ places


@dataclass(frozen=True, slots=True)
class VariablePlace:
    """An element of a variable (its position in `Program.variables`); as many indices as dimensions.

    An index out of its dimension's range is a NO_OUT_OF_BOUNDS error.
    """

    variable: int
    indices: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class PointerPlace:
    """What a place pointer points to, or a component of it (`p->f`, "" for `*p`), then indexed further.

    `Program.roots[target][root].components[component]` is the variable; its indices are the pointer's,
    then `indices`.  NULL, or a pointer with a stale object, is a NO_USE_AFTER_FREE error.
    """

    pointer: Expr
    target: str
    component: str
    indices: tuple[Expr, ...]


Place = VariablePlace | PointerPlace


@dataclass(frozen=True, slots=True)
class Root:
    """A variable (or struct of variables) whose elements' addresses the program takes."""

    name: str
    components: Mapping[str, int]
    objects: tuple[bool, ...]  # for each index of the pointer: whether it is an object of a pool


# ------------------------------------------------------------------------------ operations


class Order(Enum):
    """The strength of an access.  All but PLAIN are *marked*."""

    PLAIN = "plain"
    ONCE = "once"
    ACQUIRE = "acquire"
    RELEASE = "release"
    FULL = "full"
    RACE = "data_race"

    @property
    def marked(self) -> bool:
        """Whether it may race without an error (data_race: the race is known and listed)."""
        return self is not Order.PLAIN


class Check(Enum):
    """The built-in checks, by the names that specs use.

    The first four are chosen by `check`; the others are errors of the checked program in every scenario.
    """

    NO_DEADLOCK = "no_deadlock"
    NO_DATA_RACE = "no_data_race"
    NO_SLEEP_IN_ATOMIC = "no_sleep_in_atomic"
    LOCK_ORDER = "lock_order"
    NO_ASSERTION_FAILURE = "no_assertion_failure"
    NO_OUT_OF_BOUNDS = "no_out_of_bounds"
    NO_UNSET_READ = "no_unset_read"
    NO_LOCK_MISUSE = "no_lock_misuse"
    NO_UNGUARDED_ACCESS = "no_unguarded_access"
    NO_USE_AFTER_FREE = "no_use_after_free"
    SEQ_LOST_UPDATE = "seq_lost_update"


CHOSEN_CHECKS = (
    Check.NO_DEADLOCK,
    Check.NO_DATA_RACE,
    Check.NO_SLEEP_IN_ATOMIC,
    Check.LOCK_ORDER,
)


@dataclass(frozen=True, slots=True)
class Load:
    """Visible.  `local = place`."""

    target: int
    place: Place
    order: Order


@dataclass(frozen=True, slots=True)
class Store:
    """Visible.  `place = value`."""

    place: Place
    value: Expr
    order: Order


@dataclass(frozen=True, slots=True)
class Update:
    """Visible.  One atomic read-modify-write: `new` and `result` are computed from `OldValue`."""

    place: Place
    new: Expr
    target: int | None
    result: Expr | None
    order: Order


@dataclass(frozen=True, slots=True)
class Acquire:
    """Visible.  Take a lock; waits, or with `target` (trylock) stores 0 or 1 there and never waits.

    Taking a lock exclusively that the thread holds in any way, or shared while it holds it, is NO_LOCK_MISUSE.
    `sleeps`: a sleeping lock taken in atomic context is NO_SLEEP_IN_ATOMIC (trylock never sleeps).
    """

    lock: Place
    shared: bool
    target: int | None
    flavour: LockFlavour


@dataclass(frozen=True, slots=True)
class Release:
    """Visible.  Drop a lock; NO_LOCK_MISUSE if the thread does not hold it so."""

    lock: Place
    shared: bool
    flavour: LockFlavour


@dataclass(frozen=True, slots=True)
class Await:
    """Visible.  Passes in one step when the condition is true; else waits."""

    condition: Expr


@dataclass(frozen=True, slots=True)
class AtomicEnter:
    """Visible.  Begins the atomic block whose nodes carry `Node.group == group`: they all belong to this step."""

    group: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Visible, without effect: stands on each cycle that could run without a visible operation."""


@dataclass(frozen=True, slots=True)
class Allocate:
    """Visible.  `local = ` some object that is not allocated; every free one is a way to go on.

    `zeroed`: the pool's variables at their defaults, else they keep what they held.  None free: NULL if
    `or_null`, otherwise the run ends in UNKNOWN ("Desc = 2 was too small").
    """

    target: int
    pool: int
    zeroed: bool
    or_null: bool


@dataclass(frozen=True, slots=True)
class Free:
    """Visible.  Frees an object: every pointer to it, anywhere, becomes stale.  NULL or stale: NO_USE_AFTER_FREE."""

    pointer: Expr
    pool: int


@dataclass(frozen=True, slots=True)
class Irq:
    """Visible.  `disable`: one more reason (per thread) that its interrupt handler can't run; else one less.

    Enabling at depth 0 is NO_LOCK_MISUSE.
    """

    disable: bool


@dataclass(frozen=True, slots=True)
class Choose:
    """A choice: `local = ` each value of `sort` (or member of `domain`) that satisfies `where`, in turn.

    In `where` the target local already holds the candidate.  No value: this run ends here (no deadlock).
    """

    target: int
    sort: Sort
    domain: Expr | None
    where: Expr | None


@dataclass(frozen=True, slots=True)
class Set:
    """Invisible.  `local = value`; value None: UNSET (a fresh entry of its scope)."""

    target: int
    value: Expr | None


@dataclass(frozen=True, slots=True)
class Branch:
    """Invisible.  To the first successor if true, else to the second."""

    condition: Expr


@dataclass(frozen=True, slots=True)
class Assertion:
    """Invisible.  A false condition breaks `check`; `text` is said."""

    condition: Expr
    check: Check
    text: str


@dataclass(frozen=True, slots=True)
class Assume:
    """In `init` only.  A false condition: no initial state this way."""

    condition: Expr


@dataclass(frozen=True, slots=True)
class GhostStore:
    """Invisible.  `place = value`; both may read anything (`Read`)."""

    place: Place
    value: Expr


@dataclass(frozen=True, slots=True)
class CoverHere:
    """Invisible.  The cover of that name is reached."""

    name: str


@dataclass(frozen=True, slots=True)
class MightSleep:
    """Invisible.  In atomic context (spinlock or rwlock held, irqs disabled, in a handler): NO_SLEEP_IN_ATOMIC."""


@dataclass(frozen=True, slots=True)
class Fence:
    """Invisible under sc.  `smp_mb`, `smp_rmb`, `smp_wmb`: `kind` is that name."""

    kind: str


@dataclass(frozen=True, slots=True)
class Skip:
    """Invisible, nothing."""


@dataclass(frozen=True, slots=True)
class End:
    """The end of the body: a process ends here (NO_LOCK_MISUSE if it holds a lock), a handler returns."""


Operation = (
    Load
    | Store
    | Update
    | Acquire
    | Release
    | Await
    | AtomicEnter
    | Pause
    | Allocate
    | Free
    | Irq
    | Choose
    | Set
    | Branch
    | Assertion
    | Assume
    | GhostStore
    | CoverHere
    | MightSleep
    | Fence
    | Skip
    | End
)

VISIBLE = (Load, Store, Update, Acquire, Release, Await, AtomicEnter, Pause, Allocate, Free, Irq)


@dataclass(frozen=True, slots=True)
class Node:
    """A micro-operation, where it goes next, and whence it comes.

    `successors`: none for `End`, two for `Branch`, else one.  `frame`: position in `Body.frames`.
    `labels`: the labels that cover it, innermost last, as `function@label`.
    """

    operation: Operation
    successors: tuple[int, ...]
    frame: int
    labels: tuple[str, ...]
    span: Span
    group: int | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One inlined call: frame 0 is the process itself (function "")."""

    function: str
    parent: int | None
    call: Span


@dataclass(frozen=True, slots=True)
class LocalVariable:
    """A local of a body, in one frame; `hidden`: a temporary, never shown."""

    name: str
    sort: Sort
    frame: int
    hidden: bool


@dataclass(frozen=True, slots=True)
class Body:
    """A control-flow graph; `nodes[0]` is the entry.  `watched`: locals that a property may read, with where."""

    nodes: tuple[Node, ...]
    locals: tuple[LocalVariable, ...]
    frames: tuple[Frame, ...]
    watched: Mapping[int, frozenset[int]]  # local -> nodes at which it is never cleared


# ------------------------------------------------------------------------------ the whole


class VariableKind(Enum):
    """What a variable is for."""

    SHARED = "shared"
    LOCK = "lock"
    GHOST = "ghost"
    MONITOR = "monitor"  # hidden ghost of an `after … until`


@dataclass(frozen=True, slots=True)
class GuardHeld:
    """The lock is held by the accessing thread so; indices may use `Bound` dimension names."""

    lock: VariablePlace
    mode: HeldMode


@dataclass(frozen=True, slots=True)
class GuardMarked:
    """The access is marked, or an atomic read-modify-write."""


@dataclass(frozen=True, slots=True)
class GuardOwner:
    """The accessing process has a parameter of this index's sort that equals it."""

    index: Expr


@dataclass(frozen=True, slots=True)
class GuardBoth:
    """All parts (`every`) or one of them."""

    parts: tuple[Guard, ...]
    every: bool


Guard = GuardHeld | GuardMarked | GuardOwner | GuardBoth


@dataclass(frozen=True, slots=True)
class GuardRule:
    """What an access needs.  A write without `write`: NO_UNGUARDED_ACCESS.

    A read without `read`: NO_UNGUARDED_ACCESS if `strict` (`guarded by`), else NO_DATA_RACE unless it is marked.
    Text is the clause as written.
    """

    write: Guard
    read: Guard
    strict: bool
    dimensions: tuple[str, ...]  # the Bound name of each dimension ("" where unnamed)
    text: str


@dataclass(frozen=True, slots=True)
class Variable:
    """An array (any number of dimensions, possibly none) of elements of a sort."""

    name: str
    kind: VariableKind
    dimensions: tuple[Sort, ...]
    sort: Sort
    initial: Value
    guard: GuardRule | None
    span: Span
    pool: int | None = None  # a field of an object of this pool: the first dimension is the object
    #: The parts of the name, each with how many of the dimensions stand behind it: `slots[s].rmap[g]`.
    parts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Pool:
    """The objects of one `object` type; `allocated` is the ghost-like mask variable (a SetSort)."""

    name: str
    size: int
    allocated: int
    fields: tuple[int, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Process:
    """A process declaration; `interrupt`: its handler's body, whose first node is an `Await`."""

    name: str
    parameters: tuple[tuple[str, Sort], ...]
    body: Body
    interrupt: Body | None
    hardware: bool
    daemon: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Thread:
    """One instance of a process; `name` as shown: `reclaim`, `vcpu0`, `ntf#1`."""

    name: str
    process: int
    parameters: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class LiveCall:
    """One inlined instance of a function that a property names: what `LiveQuantified` ranges over.

    It is live in a thread of `process` while that thread's pc (of the handler's body if `interrupt`) is in
    `nodes`.  `locals`: name to local.  `at`: label to the nodes that are "about to do" it.  `regions`:
    (start, end) to the hidden local that is 1 inside.  `entered`: the pause that stands at its entry, if a liveness
    property counts its calls.
    """

    function: str
    process: int
    interrupt: bool
    frame: int
    nodes: frozenset[int]
    locals: Mapping[str, int]
    at: Mapping[str, frozenset[int]]
    regions: Mapping[tuple[str, str], int]
    entered: int | None = None


class PropertyKind(Enum):
    """Over one state, or over a step."""

    INVARIANT = "invariant"
    STEP = "step"


@dataclass(frozen=True, slots=True)
class Probe:
    """A condition that must be true in some state, or the property is vacuous; `text` says which part."""

    condition: Expr
    text: str


@dataclass(frozen=True, slots=True)
class Property:
    """A claim: true in every reachable state, or of every step."""

    name: str
    kind: PropertyKind
    condition: Expr
    probes: tuple[Probe, ...]
    span: Span


class Fairness(Enum):
    """Which threads go on; daemons and hardware may always stop.

    `USUAL`: a thread that can go on does so in the end, and one that waits for a lock gets it if the lock is free again
    and again.  `WEAK`: the first half alone, for locks too.  `STRONG`: whoever can go on again and again does so.
    """

    USUAL = "usual"
    WEAK = "weak"
    STRONG = "strong"


@dataclass(frozen=True, slots=True)
class Live:
    """A claim about runs without an end: every call of `function` returns, or behind `trigger` comes `goal`.

    `trigger` None: everywhere.  `function` is "" unless the claim is that it completes.  `finitely`: of these
    functions the run has finitely many calls, or nothing is said of it.
    """

    name: str
    function: str
    trigger: Expr | None
    goal: Expr | None
    fairness: Fairness
    finitely: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Cover:
    """A goal: a statement to be reached (condition None), or a predicate to be true in some state."""

    name: str
    condition: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Program:
    """One scenario (or mutant) with its sizes: everything that an engine needs, nothing that it does not.

    `checks`: built-in checks chosen by the scenario; the always-on ones are not listed.
    `init`: a body run once from the defaults, as one step, for each way through it; None: the defaults.
    `seq_homes`: the variables whose elements are homes (docs/development/semantics.md, 4).
    `seq_compared`: whether two copies of a seq are ever compared (else all stale copies are one class).
    `sizes`: what the scenario set, as written: ("Vcpu", "2").
    """

    name: str
    title: str
    variables: tuple[Variable, ...]
    pools: tuple[Pool, ...]
    roots: Mapping[str, tuple[Root, ...]]
    processes: tuple[Process, ...]
    threads: tuple[Thread, ...]
    init: Body | None
    properties: tuple[Property, ...]
    checks: tuple[Check, ...]
    covers: tuple[Cover, ...]
    live_calls: tuple[LiveCall, ...]
    seq_homes: tuple[int, ...]
    seq_compared: bool
    sizes: tuple[tuple[str, str], ...]
    functions: Mapping[str, Span]
    span: Span
    lives: tuple[Live, ...] = ()
