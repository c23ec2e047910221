# SPDX-License-Identifier: GPL-2.0-only
"""Properties: over states and steps, over live calls, vacuous ones, ones that can't be evaluated."""

from __future__ import annotations

from dataclasses import replace

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.explicit import explore
from kvmcheck.engine.reductions import UNREDUCED, Reductions
from kvmcheck.engine.stopping import Progress, StopPolicy
from kvmcheck.semantics.program import (
    Actor,
    CallAt,
    CallIn,
    CallLocal,
    CallThread,
    Check,
    Expr,
    LiveCall,
    LiveQuantified,
    Old,
    Op,
    Quantified,
    Quantifier,
)
from kvmcheck.semantics.sorts import BOOL, IntSort
from kvmcheck.semantics.verdict import Verdict
from tests.support.build import (
    SMALL,
    Builder,
    Var,
    apply,
    bound,
    const,
    differ,
    equal,
    forall,
    ids,
    no,
    plus,
)
from tests.support.reference import agree, verdict

GFN = ids("Gfn", 2)


def fault_calls(b: Builder) -> None:
    """A process that is one call of `fault`, with a region and a label."""
    x, lock = b.shared("x"), b.lock("lock")
    p = b.process("p")
    a, inside = p.local("a"), p.local("inside", BOOL)
    p.set(inside, const(0, BOOL))
    lookup = p.load(a, x)
    p.set(inside, const(1, BOOL))
    p.lock(lock)
    install = p.store(x, plus(a, 1))
    p.set(inside, const(0, BOOL))
    p.unlock(lock)
    nodes = frozenset(range(len(p.nodes)))
    p.watched[a.local] = frozenset(range(lookup + 1, len(p.nodes)))
    p.watched[inside.local] = nodes
    b.live_calls.append(
        LiveCall(
            function="fault",
            process=0,
            interrupt=False,
            frame=0,
            nodes=nodes,
            locals={"a": a.local},
            at={"install": frozenset({install})},
            regions={("lookup", "install"): inside.local},
        )
    )


def live(body: Expr, kind: Quantifier = Quantifier.FORALL) -> LiveQuantified:
    """Over the live calls of `fault`."""
    return LiveQuantified(kind, "f", "fault", body)


def test_live_calls_have_places_regions_locals_and_threads() -> None:
    b = Builder()
    fault_calls(b)
    lock, x = b.variables[1], b.variables[0]
    assert (lock.name, x.name) == ("lock", "x")
    b.threads = 2
    thread = b.thread_sort()
    at = CallAt("f", "install")
    current = CallThread("f", thread)

    held = Var(1, lock.sort).held(thread=current)
    b.invariant("installs_under_the_lock", live(apply(Op.IMPLIES, at, held)))
    b.invariant("inside_until_installed", live(apply(Op.IMPLIES, at, CallIn("f", "lookup", "install"))))
    fresh = equal(CallLocal("f", "a", SMALL), Var(0, SMALL).read())
    b.invariant("fresh", live(apply(Op.IMPLIES, CallIn("f", "lookup", "install"), fresh)))
    b.invariant("named_too_soon", live(fresh))
    b.invariant("one_call", apply(Op.LESS_EQUAL, live(at, Quantifier.COUNT), const(1)))
    b.invariant("some_call", live(at, Quantifier.EXISTS))
    result = agree(b.program(["p", "p"]))
    assert verdict(result, "installs_under_the_lock") is Verdict.HOLDS
    assert verdict(result, "inside_until_installed") is Verdict.HOLDS
    assert verdict(result, "fresh") is Verdict.VIOLATED
    assert verdict(result, "named_too_soon") is Verdict.VIOLATED
    assert verdict(result, "one_call") is Verdict.HOLDS
    assert verdict(result, "some_call") is Verdict.VIOLATED
    broken = next(r for r in result.properties if r.property == "named_too_soon").traces[0].violation
    assert broken is not None
    assert "holds nothing" in broken.text


def counter() -> Builder:
    """Two threads that move a number."""
    b = Builder()
    x = b.shared("x")
    for name, step in (("up", 1), ("down", -1)):
        p = b.process(name)
        a = p.local("a")
        p.load(a, x)
        p.branch(
            equal(a, const(1 if step < 0 else 0)),
            lambda p=p, a=a, step=step: p.store(x, plus(a, step)),  # type: ignore[misc]  # bound now
        )
    return b


def test_a_step_property_compares_before_and_after_and_knows_the_actor() -> None:
    b = counter()
    b.threads = 2
    x = b.variables[0]

    var = Var(0, x.sort)
    actor = Actor(b.thread_sort())
    falls = apply(Op.LESS, var.read(), Old(var.read(), SMALL))
    b.step_property("never_falls", no(falls), falls)
    b.step_property(
        "only_the_second_lets_it_fall",
        apply(Op.IMPLIES, falls, equal(actor, const(1, b.thread_sort()))),
        falls,
    )
    result = agree(b.program(["up", "down"]))
    assert verdict(result, "never_falls") is Verdict.VIOLATED
    assert verdict(result, "only_the_second_lets_it_fall") is Verdict.HOLDS
    assert result.properties[1].vacuous == ()
    assert len(result.properties[0].traces[0].steps) == 4


def test_what_never_had_a_chance_to_fail_is_vacuous() -> None:
    b = counter()

    var = Var(0, SMALL)
    two, one = equal(var.read(), const(2)), equal(var.read(), const(1))
    b.invariant("impossible", apply(Op.IMPLIES, two, const(0, BOOL)), two)
    b.invariant("possible", apply(Op.IMPLIES, one, const(1, BOOL)), one, two)
    result = agree(b.program(["up", "down"]))
    assert result.properties[0].vacuous == ("part 0",)
    assert result.properties[1].vacuous == ("part 1",)


def test_quantifiers_that_are_too_long_to_unroll_are_loops() -> None:
    sort = ids("Gfn", 40)
    b = Builder()
    x = b.shared("x", SMALL, [sort])
    p = b.process("p")
    g = p.local("g", GFN)
    p.choose(g)
    p.store(x.at(apply(Op.FIT, g, sort=sort)), const(1))
    one, two = bound("one", sort), bound("two", sort)
    zero = equal(apply(Op.ADD, x.read(one), x.read(two), sort=SMALL), const(0))
    b.invariant("nothing", forall(one, forall(two, zero)))
    number = Quantified(Quantifier.COUNT, one, None, equal(x.read(one), const(1)))
    b.invariant("at_most_one", apply(Op.LESS_EQUAL, number, const(1, IntSort(0, 9))))
    result = agree(b.program(["p", "p"]))
    assert verdict(result, "nothing") is Verdict.VIOLATED
    assert verdict(result, "at_most_one") is Verdict.VIOLATED


def endless(*, bound_at: int = 3) -> Builder:
    """A counter that goes round."""
    b = Builder()
    sort = IntSort(0, 999, wrap=True)
    x = b.shared("x", sort)
    p = b.process("p")
    a = p.local("a", sort)

    def again() -> None:
        p.load(a, x)
        p.store(x, plus(a, 1, sort))

    p.forever(again)
    b.invariant("small", differ(x.read(), const(bound_at, sort)))
    b.invariant("fine", const(1, BOOL))
    return b


def test_a_limit_is_unknown_and_named() -> None:
    program = endless(bound_at=5_000).program(["p"])
    for budget, words in (
        (Budget(states=300), "limit of 300 states"),
        (Budget(depth=10), "depth limit of 10 steps"),
        (Budget(seconds=0.0), "time limit of 0 seconds"),
        (Budget(memory=1), "memory limit"),
    ):
        result = explore(program, budget=budget)
        assert not result.coverage.complete
        assert words in result.coverage.stopped
        assert {r.verdict for r in result.properties} == {Verdict.UNKNOWN}
        assert result.properties[0].reason == result.coverage.stopped


def test_a_violation_found_before_the_limit_stays_one() -> None:
    result = explore(endless().program(["p"]), budget=Budget(depth=10))
    assert [r.verdict for r in result.properties] == [Verdict.VIOLATED, Verdict.UNKNOWN]


def test_a_search_may_stop_when_it_has_what_it_wants() -> None:
    program = endless().program(["p"])
    for stop in (StopPolicy(wanted=frozenset({"small"})), StopPolicy(first=True)):
        result = explore(program, budget=Budget(), stop=stop)
        assert result.coverage.states < 100
        assert [r.verdict for r in result.properties] == [Verdict.VIOLATED, Verdict.UNKNOWN]
    other = explore(program, budget=Budget(), stop=StopPolicy(wanted=frozenset({"small", "fine"})))
    assert other.coverage.complete


def test_an_interrupted_search_tells_what_it_knows() -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    program = endless().program(["p"] * 3)
    result = explore(program, budget=Budget(seconds=20), progress=interrupt)
    assert result.coverage.stopped == "interrupted"
    assert [r.verdict for r in result.properties] == [Verdict.VIOLATED, Verdict.UNKNOWN]


def test_several_counterexamples_differ_in_statement_or_threads() -> None:
    b = Builder()
    x = b.shared("x")
    p, q = b.process("p"), b.process("q")
    p.store(x, const(1))
    p.store(x, const(1))
    q.store(x, const(1))
    b.invariant("zero", equal(x.read(), const(0)))
    program = b.program(["p", "q"])
    one, many = explore(program, budget=Budget()), explore(program, budget=Budget(), traces=5)
    assert len(one.properties[0].traces) == 1
    lasts = [(t.steps[-1].thread, t.steps[-1].node) for t in many.properties[0].traces]
    assert lasts[:2] == [(0, 0), (1, 0)]
    assert [len(t.steps) for t in many.properties[0].traces] == sorted(
        len(t.steps) for t in many.properties[0].traces
    )


def test_dead_locals_are_cleared_unless_watched() -> None:
    def states(*, watched: bool, reductions: Reductions) -> int:
        b = Builder()
        x = b.shared("x")
        p = b.process("p")
        a, c = p.local("a"), p.local("c")
        p.choose(a)
        p.store(x, a)
        p.store(x, const(0))
        p.load(c, x)
        if watched:
            p.watched[a.local] = frozenset(range(4))
        return agree(b.program(["p"]), reductions).coverage.states

    assert states(watched=False, reductions=UNREDUCED) == 7
    assert states(watched=True, reductions=UNREDUCED) == 10
    assert states(watched=False, reductions=replace(UNREDUCED, dead_locals=False)) == 10


def test_checks_are_listed_in_order_and_always_on_ones_only_when_broken() -> None:
    b = counter()
    b.invariant("mine", const(1, BOOL))
    result = agree(b.program(["up"], checks=[Check.LOCK_ORDER, Check.NO_DEADLOCK]))
    assert [r.property for r in result.properties] == ["mine", "lock_order", "no_deadlock"]
