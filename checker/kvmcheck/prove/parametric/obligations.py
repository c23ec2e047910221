# SPDX-License-Identifier: GPL-2.0-only
"""What must be proved, each a query of its own that must have no model; and its text in SMT-LIB.

The invariant holds at first (`initiation`), every step keeps every clause (`consecution`), it implies the claims
(`safety`), no step fails a built-in check (`check`), and what counts are reckoned with is right (`counting`).
An obligation whose formula the step does not touch needs no query.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import assert_never

from kvmcheck.prove.parametric.clauses import Clause, Origin, from_code, written
from kvmcheck.prove.parametric.counting import Before, Behind, Counted, Counts, Lemma
from kvmcheck.prove.parametric.formulas import Formulas
from kvmcheck.prove.parametric.steps import SymbolicStep, steps_of
from kvmcheck.prove.parametric.terms import (
    TRUE,
    Bind,
    Call,
    Member,
    Op,
    Term,
    Var,
    equal,
    every,
    negation,
    subterms,
    text,
)
from kvmcheck.prove.parametric.values import (
    Leaf,
    Members,
    Symbolic,
    leaf_call,
    leaves,
    no_members,
    parts,
    smt_sort,
)
from kvmcheck.prove.parametric.world import World
from kvmcheck.semantics.program import Program, Property
from kvmcheck.semantics.sorts import LockSort
from kvmcheck.source.text import Span

_LOGIC = "UFDTLIA"


class Kind(Enum):
    """What an obligation shows."""

    INITIATION = "initiation"
    CONSECUTION = "consecution"
    COUNTING = "counting"
    CHECK = "check"
    SAFETY = "safety"


class Help(Enum):
    """Which clauses an obligation is shown from: fewer are easier, and where fewer suffice nothing is lost.

    `CODE`: the clause itself and the mechanical ones; `UNIVERSAL`: also those without `exists`, and what is known of
    counts; `COUNTED`: also that a count which is not zero counts somebody; `ALL`: the whole invariant, without that.
    """

    CODE = "code"
    UNIVERSAL = "universal"
    COUNTED = "counted"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Obligation:
    """`hypotheses` over a state with the invariant can't be true together.

    `clause`: the clause, property or check that it is about.  `step`: the step, of consecution and checks.
    `constants`: what the step's thread and choices are.  `goal`: what would be wrong (negated in the query).
    """

    name: str
    kind: Kind
    clause: str
    step: SymbolicStep | None
    constants: tuple[Call, ...]
    hypotheses: tuple[Term, ...]
    goal: Term
    span: Span | None


@dataclass(slots=True)
class Proof:
    """Everything that must be shown of a program for every size.

    `claims`: the properties that are proved; `strengthening`: the inductive invariants.  `clauses`: the invariant.
    """

    world: World
    steps: tuple[SymbolicStep, ...]
    clauses: tuple[Clause, ...]
    claims: tuple[Clause, ...]
    counts: Counts = field(default_factory=Counts)
    hypotheses: dict[str, Term] = field(default_factory=dict)
    claimed: dict[str, Term] = field(default_factory=dict)
    occurrences: dict[str, tuple[tuple[Counted, tuple[Var, ...]], ...]] = field(default_factory=dict)
    _named: dict[str, frozenset[str]] = field(default_factory=dict)
    _texts: dict[str, list[str]] = field(default_factory=dict)

    @staticmethod
    def of(program: Program, inductive: frozenset[str]) -> Proof:
        """The proof of a program's invariants with the help of those that are inductive; may raise `CannotCarry`."""
        world = World(program)
        steps = steps_of(world)
        clauses = (
            *(written(p) for p in program.properties if p.name in inductive),
            *from_code(world, steps),
        )
        claims = tuple(written(p, claim=True) for p in program.properties if p.name not in inductive)
        proof = Proof(world, steps, clauses, claims)
        for clause in (*clauses, *claims):
            counts = Before(proof.counts)
            formula = clause.build(Formulas(world, world, count=counts))
            proof.occurrences[clause.name] = tuple(counts.found)
            (proof.claimed if clause.origin is Origin.CLAIM else proof.hypotheses)[clause.name] = formula
        return proof

    # ------------------------------------------------------------------------------ obligations

    def obligations(self) -> Iterator[Obligation]:
        """Each that needs a query, in a fixed order."""
        names: Counter[str] = Counter()
        for obligation in self._all():
            names[obligation.name] += 1
            nth = names[obligation.name]
            if nth > 1:
                yield Obligation(
                    f"{obligation.name} ({nth})",
                    obligation.kind,
                    obligation.clause,
                    obligation.step,
                    obligation.constants,
                    obligation.hypotheses,
                    obligation.goal,
                    obligation.span,
                )
            else:
                yield obligation

    def _all(self) -> Iterator[Obligation]:
        start = tuple(self._initial())
        for clause in self.clauses:
            goal = self.hypotheses[clause.name]
            if goal != TRUE:
                name = f"{clause.name} holds at first"
                yield Obligation(name, Kind.INITIATION, clause.name, None, (), start, goal, clause.span)
        for clause in self.claims:
            goal = self.claimed[clause.name]
            name = f"the invariant implies {clause.name}"
            yield Obligation(name, Kind.SAFETY, clause.name, None, (), (), goal, clause.span)
        for step in self.steps:
            yield from self._of_step(step)

    def _of_step(self, step: SymbolicStep) -> Iterator[Obligation]:
        where = place_of(self.world.program, step)
        span = self.world.places[step.process].body.nodes[step.visible].span
        for checked in step.checked:
            name = f"{where} keeps {checked.failure.check.value}"
            yield Obligation(
                name,
                Kind.CHECK,
                checked.failure.check.value,
                step,
                step.constants,
                (checked.given,),
                checked.failure.needed,
                checked.failure.span,
            )
        touched = self._touched(step)
        for clause in self.clauses:
            if touched.isdisjoint(self._looks_at(clause)):
                continue
            goal, lemmas = self.behind(clause, step)
            for lemma in lemmas:
                name = f"{where} changes {lemma.counted.symbol} by its own part"
                yield Obligation(
                    name,
                    Kind.COUNTING,
                    clause.name,
                    step,
                    step.constants,
                    (step.guard,),
                    lemma.statement,
                    span,
                )
            if not _follows(self.hypotheses[clause.name], goal):
                name = f"{where} preserves {clause.name}"
                yield Obligation(
                    name,
                    Kind.CONSECUTION,
                    clause.name,
                    step,
                    step.constants,
                    (step.guard,),
                    goal,
                    span,
                )

    def _looks_at(self, clause: Clause) -> frozenset[str]:
        """The functions and places that a clause names; of a count, those of what it counts."""
        if clause.name not in self._named:
            found: set[str] = set()
            counted = (c.body for c, _ in self.occurrences[clause.name])
            for formula in (self.hypotheses[clause.name], *counted):
                for part in subterms(formula):
                    match part:
                        case Call(symbol=name) | Member(name=name):
                            found.add(name)
                        case _:
                            pass
            self._named[clause.name] = frozenset(found)
        return self._named[clause.name]

    def _touched(self, step: SymbolicStep) -> frozenset[str]:
        """The functions that a step changes, and the places that it is about."""
        after, world = step.after, self.world
        found = {world.place(step.process, node).name for node in (after.start, after.end)}
        for number, position in after.memory.writes:
            leaf = leaves(world.program.variables[number].sort)[position]
            found.add(world.variable_symbol(number) + leaf.path)
        for local in after.locals:
            symbol = world.local_symbol(step.process, local)
            sort = world.program.processes[step.process].body.locals[local].sort
            found.update(symbol + leaf.path for leaf in leaves(sort))
        return frozenset(found)

    def behind(self, clause: Clause, step: SymbolicStep) -> tuple[Term, tuple[Lemma, ...]]:
        """A clause as it is behind a step, and what its counts rest on."""
        counts = Behind(self.occurrences[clause.name])
        goal = clause.build(Formulas(self.world, step.after, before=self.world, count=counts))
        return goal, tuple(counts.lemmas.values())

    def _initial(self) -> Iterator[Term]:
        """The initial state."""
        world = self.world
        for number, variable in enumerate(world.program.variables):
            if isinstance(variable.sort, LockSort):
                continue
            from kvmcheck.prove.parametric.states import Memory

            formal = Memory(world).formal(number)
            first = world.initial(number)
            for leaf, now, then in zip(
                leaves(variable.sort), parts(world.read(number, formal)), parts(first), strict=True
            ):
                del leaf
                if isinstance(now, Members):
                    assert isinstance(then, Members)
                    own = (*formal, now.variable)
                    yield every(own, equal(now.body, then.has(now.variable)))
                else:
                    assert not isinstance(then, Members)
                    yield every(formal, equal(now, then))
        for threads in world.threads:
            who = world.thread_variables(threads.process, "a")
            yield every(who, world.at(threads.process, frozenset({0}), who))

    # ------------------------------------------------------------------------------ text

    def declarations(self) -> Iterator[str]:
        """The signature, as SMT-LIB."""
        world = self.world
        yield f"(set-logic {_LOGIC})"
        for symbol in sorted({*world.scalarsets, *(t.sorts[-1] for t in world.threads if t.own)}):
            yield f"(declare-sort {symbol} 0)"
        for symbol, names in sorted(world.enums.items()):
            yield datatype(symbol, names)
        for threads, places in zip(world.threads, world.places, strict=True):
            yield datatype(threads.place_sort, [f"{threads.name}@{n}" for n in places.stops])
        for symbol in sorted({*world.scalarsets, *world.enums}):
            yield f"(declare-const any.{symbol} {symbol})"
        for symbol, names in sorted(world.fixed.items()):
            for name in names:
                yield f"(declare-const {name} {symbol})"
            if len(names) > 1:
                yield f"(assert (distinct {' '.join(names)}))"
        for function in world.functions():
            yield f"(declare-fun {function.symbol} ({' '.join(function.arguments)}) {function.sort})"
        for counted in self.counts.known.values():
            yield f"(declare-fun {counted.symbol} ({' '.join(v.sort for v in counted.free)}) Int)"

    def invariant(self, obligation: Obligation, help_: Help) -> Iterator[str]:
        """The hypotheses of a step: clauses, and the laws of counts."""
        for clause in self.clauses:
            formula = self.hypotheses[clause.name]
            if formula != TRUE and (clause.name == obligation.clause or self._helps(clause, help_)):
                yield from self._text(clause.name, formula)
        if help_ is not Help.CODE:
            yield from self.laws()

    def _text(self, name: str, formula: Term) -> list[str]:
        if name not in self._texts:
            self._texts[name] = [f"; {name}", f"(assert {text(formula)})"]
        return self._texts[name]

    def _helps(self, clause: Clause, help_: Help) -> bool:
        match help_:
            case Help.CODE:
                return clause.origin is not Origin.WRITTEN
            case Help.UNIVERSAL | Help.COUNTED:
                return clause.origin is not Origin.WRITTEN or is_universal(self.hypotheses[clause.name])
            case Help.ALL:
                return True
            case _:
                assert_never(help_)

    def laws(self) -> Iterator[str]:
        """What is always true of counts."""
        for counted in self.counts.known.values():
            yield f"; {counted.symbol} is a number of {counted.variable.sort}"
            for law in counted.laws():
                yield f"(assert {text(law)})"

    def _declared(self) -> list[str]:
        if "" not in self._texts:
            self._texts[""] = list(self.declarations())
        return self._texts[""]

    def common(self) -> list[str]:
        """What every query from `Help.CODE` begins with, but for its own clause: declarations, mechanical clauses."""
        lines = [*self._declared()]
        for clause in self.clauses:
            if clause.origin is not Origin.WRITTEN and self.hypotheses[clause.name] != TRUE:
                lines += self._text(clause.name, self.hypotheses[clause.name])
        return lines

    def own(self, obligation: Obligation) -> list[str]:
        """What such a query has of its own."""
        mine = self.hypotheses.get(obligation.clause, TRUE)
        known = [] if mine == TRUE else self._text(obligation.clause, mine)
        return [*known, *self._wrong(obligation)]

    def _wrong(self, obligation: Obligation) -> list[str]:
        lines = [f"(declare-const {c.symbol} {c.sort})" for c in obligation.constants]
        lines += [f"(assert {text(hypothesis)})" for hypothesis in obligation.hypotheses]
        return [*lines, f"(assert {text(negation(obligation.goal))})"]

    def query(self, obligation: Obligation, help_: Help = Help.ALL) -> str:
        """The obligation as a script, to which the answer must be `unsat`; `help_`: from what."""
        lines = [f"; {obligation.name}", *self._declared()]
        if obligation.kind is not Kind.INITIATION:
            lines += self.invariant(obligation, help_)
        else:
            lines += self.laws()
        if obligation.kind is Kind.INITIATION or help_ is Help.COUNTED:
            lines += [f"(assert {text(c.nobody())})" for c in self.counts.known.values()]
        lines += [*self._wrong(obligation), "(check-sat)", ""]
        return "\n".join(lines)


def datatype(symbol: str, names: list[str] | tuple[str, ...]) -> str:
    """The declaration of a sort with these members."""
    return f"(declare-datatypes (({symbol} 0)) (({' '.join(f'({name})' for name in names)})))"


def place_of(program: Program, step: SymbolicStep) -> str:
    """The statement that a step is named after: its innermost label, or its function and line."""
    process = program.processes[step.process]
    node = process.body.nodes[step.visible]
    if node.labels:
        return node.labels[-1]
    function = process.body.frames[node.frame].function or process.name
    return f"{function}:{node.span.line}"


def _follows(before: Term, behind: Term) -> bool:
    """Whether a formula plainly follows from another: the same, or with more on the left of its implications."""
    if before == behind:
        return True
    match before, behind:
        case Bind(kind="forall", variable=a, body=one), Bind(kind="forall", variable=b, body=other):
            return a == b and _follows(one, other)
        case Op(name="=>", arguments=(left, right)), Op(name="=>", arguments=(stronger, same_right)):
            return right == same_right and set(_conjuncts(left)) <= set(_conjuncts(stronger))
        case Op(name="and", arguments=ones), Op(name="and", arguments=others):
            return all(any(_follows(one, other) for one in ones) for other in others)
        case _:
            return False


def is_universal(term: Term, positive: bool = True) -> bool:
    """Whether a formula says nothing of the kind *there is*: then it takes no new members to use it."""
    match term:
        case Bind(kind=kind, body=body):
            return (kind == "forall") is positive and is_universal(body, positive)
        case Op(name="not", arguments=(inner,)):
            return is_universal(inner, not positive)
        case Op(name="=>", arguments=(left, right)):
            return is_universal(left, not positive) and is_universal(right, positive)
        case Op(name="and" | "or", arguments=arguments):
            return all(is_universal(a, positive) for a in arguments)
        case Op(arguments=arguments):
            return not any(isinstance(part, Bind) for part in subterms(term))
        case _:
            return True


def _conjuncts(term: Term) -> tuple[Term, ...]:
    return term.arguments if isinstance(term, Op) and term.name == "and" else (term,)


_ = (Mapping, Leaf, Symbolic, leaf_call, no_members, smt_sort, Property)
