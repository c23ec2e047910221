# SPDX-License-Identifier: GPL-2.0-only
"""What is known of a call, a loop and a label while the code inside is being lowered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kvmcheck.elaborate.coercion import Typed
from kvmcheck.elaborate.graph import LooseEnd
from kvmcheck.elaborate.places import LocalPlace, Named
from kvmcheck.elaborate.scopes import FunctionSymbol, Scope


@dataclass(eq=False, slots=True)
class LabelScope:
    """A labelled statement that is being lowered, and what is emitted when control leaves it."""

    name: str
    leave: Callable[[], None]


@dataclass(eq=False, slots=True)
class Loop:
    """Where `break` and `continue` go; a switch has no `continue` of its own."""

    label_depth: int
    breaks: list[LooseEnd] = field(default_factory=list)
    continues: list[LooseEnd] | None = None


@dataclass(eq=False, slots=True)
class Activation:
    """One inlined call (or the process itself) while its body is lowered."""

    symbol: FunctionSymbol | None
    scope: Scope
    frame: int
    caller: Activation | None
    result: LocalPlace | None = None
    names: list[dict[str, Named | FunctionSymbol]] = field(default_factory=lambda: [{}])
    returns: list[LooseEnd] = field(default_factory=list)
    labels: list[LabelScope] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    goto_targets: dict[str, int] = field(default_factory=dict)
    gotos: dict[str, list[LooseEnd]] = field(default_factory=dict)
    label_paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    regions: dict[tuple[str, str], int] = field(default_factory=dict)
    label_entries: dict[str, int] = field(default_factory=dict)
    event_arguments: tuple[Typed, ...] = ()

    @property
    def function(self) -> str:
        """The qualified name; "" for a process."""
        return self.symbol.qualified if self.symbol else ""

    def calls(self, qualified: str) -> bool:
        """Whether this function is being lowered already, here or in a caller."""
        activation: Activation | None = self
        while activation is not None:
            if activation.function == qualified:
                return True
            activation = activation.caller
        return False


@dataclass(eq=False, slots=True)
class Instance:
    """What is remembered of an inlined call of a function that a property asks about (draft positions)."""

    function: str
    frame: int
    locals: dict[str, int]
    entry: int
    label_entries: dict[str, int]
    regions: dict[tuple[str, str], int]
    entered: int | None = None
