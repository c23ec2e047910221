# SPDX-License-Identifier: GPL-2.0-only
"""What an expression is evaluated in: shared memory, one thread's locals, bound variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.support.naive import values as v

if TYPE_CHECKING:
    from tests.support.naive.flatten import Instance, Instr


@dataclass(frozen=True)
class LiveCall:
    """A call that a thread is in."""

    instance: Instance
    thread: int
    env: Mapping[str, v.Value]
    positions: frozenset[str]

    def is_at(self, label: str) -> bool:
        """Whether the call is about to do what stands at a label."""
        return label in self.positions


@dataclass
class Context:
    """Everything that a value may depend on."""

    mem: dict[v.Path, v.Value]
    env: dict[str, v.Value] = field(default_factory=dict)
    thread: int = -1
    actor: int = -1
    bound: dict[str, v.Value] = field(default_factory=dict)
    live: tuple[LiveCall, ...] = ()
    old: Context | None = None
    log: list[tuple[v.Path, bool, str]] | None = None

    def local(self, key: str) -> v.Value:
        """A local's value; a fault if it has none."""
        if key not in self.env:
            raise v.Fault("no_unset_read", key)
        return self.env[key]

    def me(self) -> int:
        """The thread that runs."""
        if self.thread < 0:
            raise KeyError("current")
        return self.thread

    def read(self, path: v.Path, mark: str) -> v.Value:
        """A shared place's value, on the spot."""
        if self.log is not None:
            self.log.append((path, False, mark))
        return self.mem[path]

    def with_bound(self, name: str, value: v.Value) -> Context:
        """The same with one more variable (in the state before, too)."""
        old = None if self.old is None else replace(self.old, bound=self.old.bound | {name: value})
        return replace(self, bound=self.bound | {name: value}, old=old)

    def run_direct(self, code: list[Instr], env: dict[str, v.Value]) -> dict[str, v.Value]:
        """Run a pure function's instructions; its locals at the end."""
        inner = replace(self, env=env)
        position = 0
        while position < len(code):
            instr = code[position]
            position += 1
            if instr.op == "jump" or (
                instr.op == "branch" and instr.val is not None and not instr.val.get(inner)
            ):
                position = instr.jump
            elif instr.op == "set":
                assert instr.val is not None and instr.target is not None
                env[instr.target] = instr.val.get(inner)
            elif instr.op == "set at":
                assert instr.val is not None and instr.place is not None
                env[str(instr.place.path(inner)[0])] = instr.val.get(inner)
            elif instr.op == "unset":
                env.pop(str(instr.target), None)
            else:
                assert instr.op in ("nop", "branch"), instr.op
        return env


def held(lock: v.Value, mode: str, thread: int | None) -> bool:
    """Whether a lock is held: by anyone or by a thread; `any`, `read` (shared) or `write` (alone)."""
    match lock:
        case v.Rw(writer, readers):
            writes = writer is not None if thread is None else writer == thread
            reads = bool(readers) if thread is None else thread in readers
        case None:
            return False
        case _:
            writes = thread is None or lock == thread
            reads = False
    return {"any": writes or reads, "read": reads, "write": writes}[mode]
