# SPDX-License-Identifier: GPL-2.0-only
"""A native search from begin to end: the built program is run, and what it found is looked at again in Python.

NOTE(native): the program only says in which state what kind of thing was found first, and the states on the way there.
The compiled Python code expands those few states once more and makes the findings, and `engine.replay` rebuilds the
traces, as always.  What Python does not find there, it is an internal error to have claimed.
"""

from __future__ import annotations

import secrets
import signal
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

from kvmcheck.engine.budget import Budget
from kvmcheck.engine.coverage import empty_choices, unreached_statements
from kvmcheck.engine.explicit import ENDLESS, INTERRUPTED, SATISFIED, Search, Stop, limit_reached, prepared
from kvmcheck.engine.generate_steps import Tables as PythonTables
from kvmcheck.engine.layout import Packed
from kvmcheck.engine.native.build import BuildError
from kvmcheck.engine.native.builds import Builds
from kvmcheck.engine.native.coding import Unsupported
from kvmcheck.engine.native.emit_expressions import OVERFLOW
from kvmcheck.engine.native.emit_program import Native
from kvmcheck.engine.result import Result
from kvmcheck.engine.stopping import Progress
from kvmcheck.errors import InternalError
from kvmcheck.semantics.program import Check
from kvmcheck.semantics.verdict import PropertyResult, Verdict

#: With several counterexamples wanted, so many states are kept for each one, as in `engine.explicit`.
CANDIDATES = 16


@dataclass(frozen=True, slots=True)
class Settings:
    """How to search: so many threads; `compact`: hashes in place of states; `options`: more for the compiler.

    `at_once`: begin with a program that is built quickly (`engine.native.builds`).
    """

    threads: int = 1
    compact: bool = False
    options: tuple[str, ...] = ()
    at_once: bool = True


@dataclass
class Told:
    """What the built program said."""

    events: list[tuple[int, int, int]] = field(default_factory=list)
    edge_states: list[int] = field(default_factory=list)
    paths: dict[int, list[Packed]] = field(default_factory=dict)
    marks: dict[str, list[int]] = field(default_factory=dict)
    states: int = 0
    transitions: int = 0
    depth: int = 0
    table_bytes: int = 0
    seconds: float = 0.0
    ended: str = ""
    lives: list[tuple[str, list[str]]] = field(default_factory=list)


class NativeSearch:
    """The native form of a search: begun with its C text, and with the initial states if there are any."""

    def __init__(self, search: Search, settings: Settings = Settings(), *, lives: bool = False) -> None:
        self.search = search
        self.settings = settings
        self.native = Native(search.layout, search.symmetry, lives=lives)
        self.builds = Builds(self.native.source, settings.options, at_once=settings.at_once)
        self.told = Told()
        self.begun = monotonic()

    # ------------------------------------------------------------------ the run

    def run(self) -> Result:
        """Search; the result.  Raises `Unsupported` or `BuildError` where Python has to go on."""
        search = self.search
        try:
            told = self._searched()
        except KeyboardInterrupt:
            search.stopped = INTERRUPTED
            told = None
        if told is None:
            return search.result()
        with prepared():
            self.told = told
            self._make_findings(told)
            return self._result(told)

    def explored(self) -> tuple[Told, str]:
        """What the built program says, and why it ended early if it did.  Raises `Unsupported` or `BuildError`."""
        told = self._searched()
        if told is None:
            return Told(), self.search.stopped
        return told, self._why(told.ended, self.search.budget)

    def _searched(self) -> Told | None:
        """What the built program says of a search from the beginning; None if there is no initial state."""
        search = self.search
        search.reset()
        self.begun = monotonic()
        try:
            program = self.builds.wait()
            with prepared():
                try:
                    search.begin()
                except Stop:
                    return None
                while (told := self._told(program)) is None:
                    program = self.builds.wait()
            return told
        finally:
            self.builds.cancel()

    def _arguments(self) -> list[str]:
        budget, policy = self.search.budget, self.search.policy
        traces = self.search.traces
        given = {
            "threads": str(self.settings.threads),
            "compact": str(int(self.settings.compact)),
            "candidates": str(1 if traces == 1 else CANDIDATES * traces),
            "first": str(int(policy.first)),
            # Where hashes stand for states, another run leaves out others.
            "seed": str(secrets.randbits(63) if self.settings.compact else 0),
        }
        if budget.states is not None:
            given["states"] = str(max(budget.states, 1))
        if budget.depth is not None:
            given["depth"] = str(budget.depth)
        if budget.seconds is not None:
            given["seconds"] = repr(max(0.001, budget.seconds - (monotonic() - self.begun)))
        if budget.memory is not None:
            given["memory"] = str(budget.memory)
        arguments = [text for pair in given.items() for text in pair]
        for name in sorted(policy.wanted):
            keys = self._keys_of(name)
            arguments += ["wanted", ",".join(map(str, keys)) or "-"]
        return arguments

    def _keys_of(self, name: str) -> list[int]:
        """The kinds of things that break a property."""
        keys = self.native.keys
        found = [number for number, claim in enumerate(self.search.program.properties) if claim.name == name]
        for check in Check:
            if check.value == name:
                found.append(self.native.check_key(check))
        if name == Check.NO_DATA_RACE.value:
            found.append(keys.race)
        if name == Check.NO_DEADLOCK.value:
            found.append(keys.deadlock)
        return found

    def _told(self, program: Path) -> Told | None:
        """Run the program, and read what it says; None if a faster one has been built meanwhile."""
        roots = [self._line(self.native.words_of(state)) for state in self.search.order]
        try:
            process = subprocess.Popen(
                [str(program), *self._arguments()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        except OSError as error:
            raise BuildError(f"what was built can't be run: {error}") from None
        assert process.stdin is not None
        assert process.stdout is not None
        told = Told()
        interrupted = False
        try:
            try:
                process.stdin.write("".join(f"{line}\n" for line in roots))
                process.stdin.close()
            except BrokenPipeError:
                pass  # what it says, or its exit status, says why
            while True:
                try:
                    line = process.stdout.readline()
                    if not line:
                        break
                    self._read(line, told)
                    if self.said_progress(line) and not interrupted and self.builds.better():
                        process.kill()
                        process.wait()
                        return None
                except KeyboardInterrupt:
                    interrupted = True
                    # It tells what it knows so far, and ends.
                    process.send_signal(signal.SIGTERM)
            status = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            process.stdout.close()
        if not told.ended:
            if status == -signal.SIGKILL:
                # The machine ran out of memory, and this process was the one to go.
                told.ended = "memory"
            else:
                raise InternalError(f"the native search ended with status {status}")
        return told

    def said_progress(self, line: str) -> bool:
        """Whether a line is one of those that come while the search goes on."""
        return line.startswith("progress")

    def _line(self, words: list[int]) -> str:
        return "".join(f"{word:016x}" for word in words)

    def _read(self, line: str, told: Told) -> None:
        kind, *rest = line.split()
        match kind:
            case "progress":
                states, transitions, depth, left = map(int, rest)
                self._progress(states, transitions, depth, left)
            case "event":
                key, state, depth = map(int, rest)
                told.events.append((key, state, depth))
            case "edge":
                told.edge_states.append(int(rest[4]))
            case "path":
                told.paths[int(rest[0])] = [self.state(text) for text in rest[1:]]
            case "hit" | "raced" | "tried" | "filled":
                told.marks[kind] = [int(number) for number in rest]
            case "done":
                told.states, told.transitions, told.depth, told.table_bytes = map(int, rest[:4])
                told.seconds, told.ended = float(rest[4]), rest[5]
            case "live" | "lasso" | "way" | "actors" | "cut" | "ran":
                told.lives.append((kind, rest))
            case "refused":
                raise Unsupported(" ".join(rest))
            case "memory":
                told.ended = "memory"
            case _:
                raise InternalError(f"the native search says {line!r}")

    def state(self, text: str) -> Packed:
        """The state that a word of the program's output is."""
        return self.native.state_of([int(text[at : at + 16], 16) for at in range(0, len(text), 16)])

    def _progress(self, states: int, transitions: int, depth: int, left: int) -> None:
        search = self.search
        if search.progress is None:
            return
        elapsed = max(monotonic() - search.started, 1e-6)
        search.progress(Progress(states, transitions, states / elapsed, max(depth, 0), left, elapsed))

    # ------------------------------------------------------------------ what was found, in Python

    def _position(self, path: list[Packed]) -> int:
        """The last state of a path among the search's states; those on the way are put there too."""
        search = self.search
        position = -1
        for state in path:
            if search.symmetry is not None:
                state = search.symmetry.representative(state)
            known = search.seen.get(state)
            if known is None:
                known = search.seen[state] = len(search.order)
                search.order.append(state)
                search.parents.append(position)
            position = known
        return position

    def _make_findings(self, told: Told) -> None:
        search, keys = self.search, self.native.keys
        search.prepare()
        wanted = {state for _, state, _ in told.events} | set(told.edge_states)
        # The shortest first: what is found in a state on the side is never kept in place of something shorter.
        for state in sorted(wanted, key=lambda state: (len(told.paths[state]), state)):
            path = told.paths[state]
            search.look_again(self._position(path), len(path) - 1)
        for key, _, _ in told.events:
            name = self._name(key)
            if name is not None and name not in search.findings:
                if key == keys.race:
                    raise Unsupported("a race that single steps do not show")
                raise InternalError(f"the native search breaks `{name}`, and Python does not")

    def _name(self, key: int) -> str | None:
        """The property that a kind of thing breaks, if any."""
        keys = self.native.keys
        if key < keys.claims:
            return self.search.program.properties[key].name
        if key in (keys.race, keys.deadlock):
            return str((Check.NO_DATA_RACE if key == keys.race else Check.NO_DEADLOCK).value)
        if key < keys.race and key != keys.check + OVERFLOW:
            check: Check = list(Check)[key - keys.check - 1]
            return str(check.value)
        return None

    # ------------------------------------------------------------------ the result

    def _result(self, told: Told) -> Result:
        search, budget = self.search, self.search.budget
        search.complete = told.ended == "complete" and not search.overflows
        search.stopped = self._why(told.ended, budget)
        if search.overflows and told.ended == "complete":
            search.stopped = search.overflow_reason()
        result = search.result()
        tables = self.native.tables
        ran = PythonTables(leaves=[(span,) for span in tables.spans])
        hit = bytearray(len(tables.spans))
        for number in told.marks.get("hit", []):
            hit[number] = 1
        for number, span in enumerate(tables.choices):
            ran.choices.append((span, len(hit), len(hit) + 1))
            hit += bytes([number in told.marks.get("tried", []), number in told.marks.get("filled", [])])
        races = {tables.races[number].span for number in told.marks.get("raced", [])}
        coverage = replace(
            result.coverage,
            states=told.states,
            transitions=told.transitions,
            depth=told.depth,
            unreached=unreached_statements(search.program, ran, hit),
            races=tuple(sorted(races, key=lambda span: (span.source.path, span.start))),
            empty_choices=empty_choices(ran, hit),
            native=True,
        )
        result = replace(result, coverage=coverage)
        return compacted(result) if self.settings.compact else result

    def _why(self, ended: str, budget: Budget) -> str:
        match ended:
            case "complete":
                return ""
            case "interrupted":
                return INTERRUPTED
            case "endless":
                return ENDLESS
            case "satisfied":
                return SATISFIED
            case "memory" if budget.memory is None:
                return "the machine's memory did not suffice"
            case _:
                return limit_reached(ended, budget)


def omission(states: int) -> float:
    """How many states hash compaction is expected to have left out: pairs of states whose 64-bit hashes are equal."""
    return states * states / 2**65


def compacted(result: Result) -> Result:
    """The result of a search that kept hashes: what it did not find is not known to hold."""
    states = result.coverage.states
    missing = f"{omission(states):.1e} states are expected to be missing (--compact)"
    reason = f"no violation in {states:,} states, but they were told apart by hashes: {missing}"
    properties = tuple(
        PropertyResult(found.property, Verdict.UNKNOWN, reason=reason)
        if found.verdict is Verdict.HOLDS
        else found
        for found in result.properties
    )
    coverage = result.coverage
    if coverage.complete:
        coverage = replace(coverage, complete=False, stopped=f"they were told apart by hashes: {missing}")
    return replace(result, properties=properties, coverage=coverage)
