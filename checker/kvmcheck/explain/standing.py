# SPDX-License-Identifier: GPL-2.0-only
"""Where each thread stands when nothing more happens, or what should happen never does."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from kvmcheck.explain.blame import Fact, Reason
from kvmcheck.explain.statements import statement
from kvmcheck.semantics.program import VISIBLE, Body, Check, End, Pause, Program
from kvmcheck.semantics.state import State
from kvmcheck.semantics.witness import Trace, Violation


def waiting(program: Program, trace: Trace, violation: Violation, held: Mapping[str, str]) -> Reason:
    """Of a deadlock, or a run without an end: where each thread stands, and what it holds.

    `held`: by the thread's name its locks in the last state.  Nothing is said of other violations.
    """
    state = trace.steps[-1].after if trace.steps else trace.initial
    if trace.loop is not None:
        return Reason((), (*_going(program, trace), *_standing(program, state, trace, held)))
    if violation.property == Check.NO_DEADLOCK.value:
        return Reason((), _standing(program, state, trace, held))
    return Reason((), ())


def _repeating(trace: Trace) -> set[int]:
    """The threads that step for ever."""
    return set() if trace.loop is None else {step.thread for step in trace.steps[trace.loop :]}


def _going(program: Program, trace: Trace) -> tuple[Fact, ...]:
    names = [program.threads[number].name for number in sorted(_repeating(trace))]
    if not names:
        return ()
    return (Fact(f"{' and '.join(names)} {'goes' if len(names) == 1 else 'go'} on for ever", None),)


def _standing(program: Program, state: State, trace: Trace, held: Mapping[str, str]) -> tuple[Fact, ...]:
    """Of each thread that does not go on: where it is, and why it may stay there."""
    facts: list[Fact] = []
    going = _repeating(trace)
    for number, (thread, at) in enumerate(zip(program.threads, state.threads, strict=True)):
        process = program.processes[thread.process]
        body, pc = process.body, at.pc
        if at.handler_pc is not None and process.interrupt is not None:
            body, pc = process.interrupt, at.handler_pc
        node = body.nodes[pc]
        if isinstance(node.operation, End) or number in going:
            continue
        place = f"{statement(node.span)} ({node.span.source.path}:{node.span.line})"
        if trace.loop is not None and (process.daemon or process.hardware):
            kind = "a daemon" if process.daemon else "hardware"
            where = f"{thread.name}, {kind}, takes no further step"
        elif trace.loop is not None and _is_counted(program, body, pc):
            where = f"{thread.name} makes no further call at {place}, as is assumed"
        else:
            where = f"{thread.name} waits at {place}"
        holds = f", holding {held[thread.name]}" if thread.name in held else ""
        facts.append(Fact(where + holds, None))
    return tuple(facts)


def _is_counted(program: Program, body: Body, at: int) -> bool:
    """Whether what comes next is the pause before a call of which there are assumed to be finitely many."""
    counted = {function for live in program.lives for function in live.finitely}
    waiting, seen = [at], {at}
    while waiting:
        number = waiting.pop()
        if number in _entered(program, body, counted):
            return True
        if not isinstance(body.nodes[number].operation, VISIBLE):
            new = [following for following in body.nodes[number].successors if following not in seen]
            seen.update(new)
            waiting += new
    return False


def _entered(program: Program, body: Body, functions: Collection[str]) -> set[int]:
    """The pauses in a body at which calls of these functions begin."""
    return {
        call.entered
        for call in program.live_calls
        if call.entered is not None
        and call.function in functions
        and body in (program.processes[call.process].body, program.processes[call.process].interrupt)
    }


def pause_word(program: Program, body: Body, number: int) -> str:
    """What a pause at a call stands for, which liveness properties had put there; empty for anything else."""
    node = body.nodes[number]
    if not isinstance(node.operation, Pause):
        return ""
    if number in _entered(program, body, program.functions):
        return "begins"
    returns = any(frame.parent == node.frame and frame.call == node.span for frame in body.frames)
    return "has returned" if returns else ""
