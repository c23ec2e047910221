# SPDX-License-Identifier: GPL-2.0-only
"""A result made by hand: a fault without a retry check races with an invalidation, and loses."""

from __future__ import annotations

from dataclasses import replace

from kvmcheck.engine.result import Coverage, CoverResult, Result
from kvmcheck.semantics.program import (
    Acquire,
    Apply,
    Body,
    Bound,
    Const,
    Cover,
    End,
    Frame,
    Load,
    LocalVariable,
    Node,
    Op,
    Order,
    Process,
    Program,
    Property,
    PropertyKind,
    Quantified,
    Quantifier,
    Read,
    Release,
    Store,
    Thread,
    Variable,
    VariableKind,
    VariablePlace,
)
from kvmcheck.semantics.sorts import (
    BOOL,
    UNSET,
    IdSort,
    LockFlavour,
    LockSort,
    OptionalSort,
    SeqSort,
    Sort,
    Value,
    WordSort,
)
from kvmcheck.semantics.state import State, ThreadState
from kvmcheck.semantics.verdict import PropertyResult, Verdict
from kvmcheck.semantics.witness import Step, Trace, Violation
from kvmcheck.source.text import SourceText, Span

TEXT = """\
int tdp_page_fault(Gfn gfn)
    from "arch/x86/kvm/mmu.c" at "v2.6.27"
{
    seq mmu_seq; Pfn? pfn;
    @snapshot mmu_seq = data_race(mmu_notifier_seq);   // read outside the lock
    @lookup   pfn = gfn_to_pfn(gfn);
    spin_lock(&mmu_lock);
    @install  spte[gfn] = (Spte){ .present = true,
                                  .pfn = pfn };
    spin_unlock(&mmu_lock);
}
Pfn? gfn_to_pfn(Gfn gfn) { return READ_ONCE(pte[gfn]); }
void invalidate_page(Gfn gfn) {
    WRITE_ONCE(pte[gfn], none);
    spin_lock(&mmu_lock);
    mmu_notifier_seq++;
    spin_unlock(&mmu_lock);
}
invariant no_stale_spte {
    forall (Gfn g, Pfn p) : /* whichever */ spte[g].present and spte[g].pfn == p implies pte[g] == p
}
"""
SOURCE = SourceText("specs/made_by_hand.kvm", TEXT)

GFN, PFN = IdSort("Gfn", 2, False), IdSort("Pfn", 2, False)
MAYBE = OptionalSort(PFN)
SPTE = WordSort("Spte", (("present", BOOL, 0), ("pfn", MAYBE, None)))
LOCK = LockSort(LockFlavour.SPINLOCK)
PTE_, SPTE_, LOCK_, SEQ_ = range(4)


def at(text: str, occurrence: int = 1) -> Span:
    """Where that text stands, the first time or a later one."""
    start = -1
    for _ in range(occurrence):
        start = TEXT.index(text, start + 1)
    return Span(SOURCE, start, start + len(text))


def element(variable: int, index: Bound | Const | None, sort: Sort) -> Read:
    """A read of an element, in a property."""
    return Read(VariablePlace(variable, () if index is None else (index,)), sort)


def claim() -> Property:
    """No present spte differs from the host's entry."""
    g, p = Bound("g", GFN), Bound("p", PFN)
    spte = element(SPTE_, g, SPTE)
    present = Apply(Op.FIELD, (spte,), BOOL, 0)
    pfn = Apply(Op.FIELD, (spte,), MAYBE, 1)
    mapped = Apply(Op.AND, (present, Apply(Op.EQUAL, (pfn, p), BOOL)), BOOL)
    honest = Apply(Op.EQUAL, (element(PTE_, g, MAYBE), p), BOOL)
    body = Quantified(Quantifier.FORALL, p, None, Apply(Op.IMPLIES, (mapped, honest), BOOL))
    condition = Quantified(Quantifier.FORALL, g, None, body)
    start, end = TEXT.index("invariant"), len(TEXT) - 1
    return Property("no_stale_spte", PropertyKind.INVARIANT, condition, (), Span(SOURCE, start, end))


def body(nodes: list[Node], names: list[tuple[str, Sort, int, bool]], frames: list[Frame]) -> Body:
    """A body with its end."""
    last = Node(End(), (), 0, (), at("}\n"))
    locals_ = tuple(LocalVariable(name, sort, frame, hidden) for name, sort, frame, hidden in names)
    return Body((*nodes, last), locals_, tuple(frames), {})


def place(variable: int) -> VariablePlace:
    """The element of guest frame 0, or the variable itself."""
    return VariablePlace(variable, (Const(0, GFN),) if variable in (PTE_, SPTE_) else ())


def program() -> Program:
    """The program of TEXT, as an elaborator would make it."""
    lock, unlock = (
        Acquire(place(LOCK_), False, None, LockFlavour.SPINLOCK),
        Release(place(LOCK_), False, LockFlavour.SPINLOCK),
    )
    spte = Const((1, 0), SPTE)
    fault = [
        Node(Load(1, place(SEQ_), Order.RACE), (1,), 1, ("tdp_page_fault@snapshot",), at("mmu_seq = data")),
        Node(
            Load(2, place(PTE_), Order.ONCE), (2,), 2, ("tdp_page_fault@lookup",), at("READ_ONCE(pte[gfn])")
        ),
        Node(lock, (3,), 1, (), at("spin_lock(&mmu_lock)")),
        Node(Store(place(SPTE_), spte, Order.PLAIN), (4,), 1, ("tdp_page_fault@install",), at("spte[gfn] =")),
        Node(unlock, (5,), 1, (), at("spin_unlock(&mmu_lock)")),
    ]
    invalidate = [
        Node(Store(place(PTE_), Const(None, MAYBE), Order.ONCE), (1,), 1, (), at("WRITE_ONCE")),
        Node(lock, (2,), 1, (), at("spin_lock(&mmu_lock)", 2)),
        Node(Load(1, place(SEQ_), Order.PLAIN), (3,), 1, (), at("mmu_notifier_seq++")),
        Node(Store(place(SEQ_), Const(1, SeqSort()), Order.PLAIN), (4,), 1, (), at("mmu_notifier_seq++")),
        Node(unlock, (5,), 1, (), at("spin_unlock(&mmu_lock)", 2)),
    ]
    process, callee = Frame("", None, at("int tdp_page_fault")), at("gfn_to_pfn(gfn)")
    vcpu = body(
        fault,
        [
            ("gfn", GFN, 1, False),
            ("mmu_seq", SeqSort(), 1, False),
            ("pfn", MAYBE, 1, False),
            ("gfn", GFN, 2, False),
        ],
        [process, Frame("tdp_page_fault", 0, at("int tdp_page_fault")), Frame("gfn_to_pfn", 1, callee)],
    )
    reclaim = body(
        invalidate,
        [("gfn", GFN, 1, False), ("temporary", SeqSort(), 1, True)],
        [process, Frame("invalidate_page", 0, at("void invalidate_page"))],
    )
    return Program(
        name="fault_vs_invalidate",
        title="a fault races with an invalidation",
        variables=(
            Variable("pte", VariableKind.SHARED, (GFN,), MAYBE, None, None, at("pte")),
            Variable("spte", VariableKind.SHARED, (GFN,), SPTE, (0, None), None, at("spte")),
            Variable("mmu_lock", VariableKind.LOCK, (), LOCK, None, None, at("mmu_lock")),
            Variable("mmu_notifier_seq", VariableKind.SHARED, (), SeqSort(), 0, None, at("mmu_notifier_seq")),
            Variable("monitor", VariableKind.MONITOR, (), BOOL, 0, None, at("mmu_lock")),
        ),
        pools=(),
        roots={},
        processes=(
            Process("vcpu", (), vcpu, None, False, False, at("int tdp_page_fault")),
            Process("reclaim", (), reclaim, None, False, False, at("void invalidate_page")),
        ),
        threads=(Thread("vcpu", 0, ()), Thread("reclaim", 1, ())),
        init=None,
        properties=(claim(),),
        checks=(),
        covers=(Cover("installed", None, at("@install")),),
        live_calls=(),
        seq_homes=(SEQ_,),
        seq_compared=False,
        sizes=(("Gfn", "scalarset 2"), ("Pfn", "2")),
        functions={
            "tdp_page_fault": at("tdp_page_fault"),
            "gfn_to_pfn": at("gfn_to_pfn", 2),
            "invalidate_page": at("invalidate_page"),
        },
        span=at("int tdp_page_fault"),
    )


def trace() -> Trace:
    """Ten steps that end with a stale spte."""
    state = State(
        ((0, None), ((0, None), (0, None)), (None,), (0,), (0,)),
        (
            ThreadState(0, (0, UNSET, UNSET, UNSET), None, (), 0),
            ThreadState(0, (UNSET, UNSET), None, (), 0),
        ),
    )
    initial = state
    steps: list[Step] = []

    def step(thread: int, node: int, changed: dict[int, Value], **locals_: Value) -> None:
        nonlocal state
        values = list(state.values)
        for variable, value in changed.items():
            values[variable] = (value, *values[variable][1:])
        threads = list(state.threads)
        own = list(threads[thread].locals)
        for name, value in locals_.items():
            own[int(name[1:])] = value
        threads[thread] = replace(threads[thread], pc=node + 1, locals=tuple(own))
        state = State(tuple(values), tuple(threads))
        steps.append(Step(thread, False, (node,), node, state))

    step(0, 0, {}, _1=0, _3=0)
    step(0, 1, {}, _2=0)
    step(1, 0, {PTE_: None, 4: 1}, _0=0)
    step(1, 1, {LOCK_: 1})
    step(1, 2, {}, _1=0)
    step(1, 3, {SEQ_: 1})
    step(1, 4, {LOCK_: None})
    step(0, 2, {LOCK_: 0})
    step(0, 3, {SPTE_: (1, 0)})
    said = "a present spte maps a page that the host does not"
    return Trace(initial, tuple(steps), Violation("no_stale_spte", said, claim().span))


def result() -> Result:
    """VIOLATED, one cover reached and one check that holds."""
    covered = replace(trace(), violation=None)
    return Result(
        program(),
        (
            PropertyResult("no_stale_spte", Verdict.VIOLATED, (trace(),)),
            PropertyResult("no_deadlock", Verdict.HOLDS),
        ),
        (CoverResult("installed", 9, covered),),
        Coverage(4751, 12000, 31, 0.25, True, "", (), (at("data_race(mmu_notifier_seq)"),), ()),
    )
