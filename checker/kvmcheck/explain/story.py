# SPDX-License-Identifier: GPL-2.0-only
"""A result told: who did what, where it stands, what changed, and what is broken and why.

A story is flat: strings and numbers only, no program and no state.  Every renderer draws from it alone, so all
formats say the same; and it is cheap to hand from one process to another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from kvmcheck.engine.result import Coverage, CoverResult, Result
from kvmcheck.explain.blame import Reason, reason
from kvmcheck.explain.changes import Change, changes
from kvmcheck.explain.operations import access, assigned
from kvmcheck.explain.orderings import Guard, Ordering, Why
from kvmcheck.explain.spots import Spot as Spot
from kvmcheck.explain.spots import spot_of as spot_of
from kvmcheck.explain.standing import pause_word, waiting
from kvmcheck.explain.statements import claim_text, has_label, kernel_source, statement
from kvmcheck.explain.values import element_name, holders, shown
from kvmcheck.semantics.program import (
    Body,
    Branch,
    Node,
    Program,
    VariableKind,
)
from kvmcheck.semantics.state import State
from kvmcheck.semantics.verdict import PropertyResult, Verdict
from kvmcheck.semantics.witness import Step, Trace, Violation
from kvmcheck.source.text import Span

#: No condition is known.
_NOTHING: Mapping[tuple[int, str], bool] = MappingProxyType({})
#: An `if` whose condition is one branch of the program, of the same sense: no `!`, `&&`, `||` or `?`.
_PLAIN_CONDITION = re.compile(r"if \((?:[^!&|?]|!=|&(?!&))*\)")


@dataclass(frozen=True, slots=True)
class Call:
    """One function on the stack of a step: its name, the statement in it, and the kernel function it models."""

    function: str
    statement: str
    spot: Spot
    kernel: str
    label: str  # the innermost label in this function that covers the statement
    decided: (
        str  # of a condition that this step decided: `true` or `false`; of a pause at a call: which end of it
    )
    frame: int  # which of the inlined calls it is

    @property
    def text(self) -> str:
        """The statement, with what its condition came to."""
        return f"{self.statement} /* {self.decided} */" if self.decided else self.statement


@dataclass(frozen=True, slots=True)
class Holding:
    """The locks that a thread holds, as `mmu_lock` or `mmap_sem (read)`."""

    thread: str
    locks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """A labelled statement that assigned a local on the way of a step; `early`: before the step's own statement.

    `depth`: the position of its function on the step's stack; -1: it had not begun, or has returned.
    """

    call: Call
    change: Change
    early: bool
    depth: int


@dataclass(frozen=True, slots=True)
class Row:
    """One step, numbered from 1.  `calls`: the stack, the process itself first, the statement's function last.

    `access` says which access of its statement the step is: `reads mmu_notifier_seq: 0`; empty where it is none.
    `named`: the labelled statements beside the step's own that assigned locals; `changes` has those as well.
    `watched`: the expressions that somebody asked for whose value is another one now (`explain.watched`).
    `still_open`: so many of the calls go on after the step.
    """

    number: int
    lane: int
    thread: str
    handler: bool
    calls: tuple[Call, ...]
    still_open: int
    access: str
    changes: tuple[Change, ...]
    held: tuple[Holding, ...]
    breaks: bool
    named: tuple[Named, ...] = ()
    watched: tuple[str, ...] = ()

    @property
    def innermost(self) -> Call:
        """The function that the statement stands in."""
        return self.calls[-1]


@dataclass(frozen=True, slots=True)
class Broken:
    """What the last row breaks: the name, what is said of it, the claim as written, and the values.

    `said` is name and text as one sentence.
    """

    property: str
    text: str
    said: str
    claim: str
    spot: Spot
    reason: Reason


@dataclass(frozen=True, slots=True)
class Story:
    """One trace: `lanes` are the threads that take a step in it; `start` what `init` and `any` chose.

    `loop`: of a run without an end, how many rows come before those that are repeated for ever (all: it stays there).
    `watched`: what the expressions that somebody asked for are worth at first.
    `why`: the orderings that it needs, where that was worked out (`kvmcheck.why`).  `guard`: of a mutant's, what in the
    unmodified model prevents it, and `near`: how that goes.
    `states`: the whole state before and after each row, by name; `explain.snapshots` has them, where somebody asks.
    `order`: what orders its threads (`why.order`), where somebody asks.
    """

    title: str
    scope: str
    lanes: tuple[str, ...]
    start: tuple[str, ...]
    rows: tuple[Row, ...]
    broken: Broken | None
    loop: int | None = None
    watched: tuple[str, ...] = ()
    why: Why | None = None
    guard: Guard | None = None
    near: Story | None = None
    states: tuple[tuple[tuple[str, str], ...], ...] = ()
    order: tuple[Ordering, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of one property; `stories` for VIOLATED, shortest first."""

    property: str
    verdict: Verdict
    reason: str
    vacuous: tuple[str, ...]
    stories: tuple[Story, ...]


@dataclass(frozen=True, slots=True)
class Goal:
    """A cover: in how many steps it is reached (None: it is not), and how."""

    name: str
    depth: int | None
    story: Story | None


@dataclass(frozen=True, slots=True)
class Note:
    """A statement that something is to be said of."""

    spot: Spot
    statement: str


@dataclass(frozen=True, slots=True)
class Account:
    """A whole result: what was looked at, and what is known of every property and cover."""

    name: str
    title: str
    sizes: tuple[tuple[str, str], ...]
    looked: str
    sized: str
    states: int
    transitions: int
    depth: int
    seconds: float
    complete: bool
    stopped: str
    findings: tuple[Finding, ...]
    goals: tuple[Goal, ...]
    unreached: tuple[Note, ...]
    races: tuple[Note, ...]
    empty_choices: tuple[Note, ...]
    native: bool = False


def account(result: Result) -> Account:
    """The result in words, every trace of it told."""
    program, coverage = result.program, result.coverage
    scope = scope_sentence(program, coverage)
    return Account(
        name=program.name,
        title=program.title,
        sizes=program.sizes,
        looked=_looked(coverage),
        sized=_sized(program),
        states=coverage.states,
        transitions=coverage.transitions,
        depth=coverage.depth,
        seconds=coverage.seconds,
        complete=coverage.complete,
        stopped=coverage.stopped,
        findings=tuple(_finding(program, found, scope) for found in result.properties),
        goals=tuple(_goal(program, cover, scope) for cover in result.covers),
        unreached=_notes(coverage.unreached),
        races=_notes(coverage.races),
        empty_choices=_notes(coverage.empty_choices),
        native=coverage.native,
    )


def scope_sentence(program: Program, coverage: Coverage) -> str:
    """What was looked at: `every one of 4,751 states, to depth 31; 2 Vcpu, 2 Gfn, 2 Pfn`."""
    sizes = _sized(program)
    return f"{_looked(coverage)}; {sizes}" if sizes else _looked(coverage)


def _looked(coverage: Coverage) -> str:
    states = f"{coverage.states:,} state" if coverage.states == 1 else f"{coverage.states:,} states"
    if coverage.complete:
        looked = f"every one of {states}, to depth {coverage.depth}"
    else:
        looked = f"{states}, to depth {coverage.depth}, not all there are"
    if coverage.live_states:
        looked += (
            f"; for runs without an end {coverage.live_states:,}, with no step merged and no symmetry used"
        )
    return looked


def _sized(program: Program) -> str:
    return ", ".join(_size(name, value) for name, value in program.sizes)


def tell(program: Program, trace: Trace, scope: str) -> Story:
    """The trace, step by step."""
    lanes = sorted({step.thread for step in trace.steps})
    rows: list[Row] = []
    before = trace.initial
    for number, step in enumerate(trace.steps, start=1):
        breaks = trace.violation is not None and number == len(trace.steps)
        rows.append(_row(program, before, step, number, lanes.index(step.thread), breaks))
        before = step.after
    broken = _broken(program, trace, trace.violation) if trace.violation else None
    return Story(
        title=program.title,
        scope=scope,
        lanes=tuple(program.threads[lane].name for lane in lanes),
        start=tuple(_start(program, trace.initial)),
        rows=tuple(rows),
        broken=broken,
        loop=trace.loop,
    )


def _size(name: str, value: str) -> str:
    """`2 Vcpu`; a size that is not a number as `name = value`."""
    number = value.split()[-1] if value else ""
    is_type = name[:1].isupper() and not name.isupper()  # the size of a type, not a parameter
    return f"{number} {name}" if is_type and number.isdigit() else f"{name} = {value}"


def _finding(program: Program, found: PropertyResult, scope: str) -> Finding:
    stories = tuple(tell(program, trace, scope) for trace in found.traces)
    return Finding(found.property, found.verdict, found.reason, found.vacuous, stories)


def _goal(program: Program, cover: CoverResult, scope: str) -> Goal:
    story = tell(program, cover.trace, scope) if cover.trace else None
    return Goal(cover.name, cover.depth, story)


def _notes(spans: tuple[Span, ...]) -> tuple[Note, ...]:
    notes = {(note.spot.path, note.spot.line, note.statement): note for note in map(_note, spans)}
    return tuple(notes[key] for key in sorted(notes))


def _note(span: Span) -> Note:
    return Note(spot_of(span), statement(span))


def _row(program: Program, before: State, step: Step, number: int, lane: int, breaks: bool) -> Row:
    thread = program.threads[step.thread]
    process = program.processes[thread.process]
    body = process.interrupt if step.handler and process.interrupt is not None else process.body
    calls = _calls(program, body, step)
    return Row(
        number=number,
        lane=lane,
        thread=thread.name,
        handler=step.handler,
        calls=calls,
        still_open=_still_open(body, calls, step),
        access=access(program, body, before, step),
        changes=changes(program, before, step.after, step.thread),
        held=_held(program, step.after),
        breaks=breaks,
        named=tuple(_assigned(program, body, calls, step)),
    )


def _assigned(program: Program, body: Body, calls: tuple[Call, ...], step: Step) -> Iterator[Named]:
    """The labelled statements beside those on the stack that assigned a local."""
    depths = {call.frame: depth for depth, call in enumerate(calls)}
    on_stack = {(call.frame, call.spot.line, call.statement) for call in calls}
    for found in assigned(program, body, step):
        node = body.nodes[found.node]
        call = _call(program, body, node, node.frame, node.span, {})
        if (call.frame, call.spot.line, call.statement) in on_stack or not has_label(node.span, found.label):
            continue
        yield Named(call, found.change, found.early, depths.get(node.frame, -1))


def _calls(program: Program, body: Body, step: Step) -> tuple[Call, ...]:
    """The stack of a step: in each caller, the statement that calls on."""
    calls = stack_of(program, body, step.node, _decided(body, step))
    word = pause_word(program, body, step.node)
    return (*calls[:-1], replace(calls[-1], decided=word)) if word else calls


def stack_of(
    program: Program, body: Body, at: int, decided: Mapping[tuple[int, str], bool] = _NOTHING
) -> tuple[Call, ...]:
    """The calls in which a node stands, the process itself first; `decided`: what conditions came to, by frame."""
    node = body.nodes[at]
    stack: list[tuple[int, Span]] = []
    number: int | None = node.frame
    span = node.span
    while number is not None:
        frame = body.frames[number]
        stack.append((number, span))
        span, number = frame.call, frame.parent
    return tuple(_call(program, body, node, number, span, decided) for number, span in reversed(stack))


def _call(
    program: Program,
    body: Body,
    node: Node,
    frame: int,
    span: Span,
    decided: Mapping[tuple[int, str], bool],
) -> Call:
    function = body.frames[frame].function
    declared = program.functions.get(function)
    source = kernel_source(function, declared) if declared else None
    own = [label.rpartition("@") for label in node.labels]
    label = next((label for name, _, label in reversed(own) if name == function), "")
    kernel = f"{source.file} {source.version}".strip() if source else ""
    text = statement(span)
    truth = decided.get((frame, text))
    word = "" if truth is None else str(truth).lower()
    return Call(function, text, spot_of(span), kernel, label, word, frame)


def _decided(body: Body, step: Step) -> dict[tuple[int, str], bool]:
    """By frame and statement: what the conditions that the step decided came to."""
    state = step.after.threads[step.thread]
    end = state.handler_pc if step.handler else state.pc
    decided: dict[tuple[int, str], bool] = {}
    for number, following in zip(step.nodes, (*step.nodes[1:], end), strict=False):
        node = body.nodes[number]
        if isinstance(node.operation, Branch) and following in node.successors:
            text = statement(node.span)
            if _PLAIN_CONDITION.match(text):
                decided[node.frame, text] = following == node.successors[0]
    return decided


def _still_open(body: Body, calls: tuple[Call, ...], step: Step) -> int:
    state = step.after.threads[step.thread]
    at = state.handler_pc if step.handler else state.pc
    if at is None:
        return 0
    here: list[int] = []
    number: int | None = body.nodes[at].frame
    while number is not None:
        here.append(number)
        number = body.frames[number].parent
    return sum(call.frame in here for call in calls)


def _held(program: Program, state: State) -> tuple[Holding, ...]:
    held: dict[int, list[str]] = {}
    for number, variable in enumerate(program.variables):
        if variable.kind is not VariableKind.LOCK:
            continue
        for element, value in enumerate(state.values[number]):
            name = element_name(program, variable, element)
            for thread, exclusive in holders(value):
                held.setdefault(thread, []).append(name if exclusive else f"{name} (read)")
    return tuple(Holding(program.threads[thread].name, tuple(held[thread])) for thread in sorted(held))


def _start(program: Program, state: State) -> list[str]:
    """The variables that do not begin with their declared values: what `init` chose; and what each `any` is."""
    free = {name for name, value in program.sizes if value == "any"}
    chosen: list[str] = []
    for number, variable in enumerate(program.variables):
        if variable.kind is VariableKind.MONITOR:
            continue
        for element, value in enumerate(state.values[number]):
            text = shown(program, value, variable.sort)
            if variable.name in free or text != shown(program, variable.initial, variable.sort):
                chosen.append(f"{element_name(program, variable, element)} = {text}")
    return chosen


def _broken(program: Program, trace: Trace, violation: Violation) -> Broken:
    claimed = next((p for p in program.properties if p.name == violation.property), None)
    spans = {claim.name: claim.span for claim in program.properties}
    spans |= {live.name: live.span for live in program.lives}
    written = spans.get(violation.property)
    state = trace.steps[-1].after if trace.steps else trace.initial
    held = {holding.thread: ", ".join(holding.locks) for holding in _held(program, state)}
    name = violation.property
    text = "" if violation.text == f"`{name}` does not hold" else violation.text
    return Broken(
        property=name,
        text=text,
        said=f"{name}: {text}" if text else f"{name} does not hold",
        claim=claim_text(written) if written else "",
        spot=spot_of(violation.span),
        reason=reason(program, trace, claimed) if claimed else waiting(program, trace, violation, held),
    )
