# SPDX-License-Identifier: GPL-2.0-only
"""The parse table: what lark makes of grammar.lark, kept as data.

To analyse the grammar takes lark 0.4 s, more than a whole check may take; to read the finished
table takes 0.01 s.  So the table lies beside the grammar as JSON, made by

    python -m kvmcheck.lang.table

and is used only while it belongs to the very text of grammar.lark; else lark is asked again.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

GRAMMAR = Path(__file__).with_name("grammar.lark")
TABLE = Path(__file__).with_name("grammar.json")

#: The name that lark gives to the end of the text.
END = "$END"


@dataclass(frozen=True, slots=True)
class Terminal:
    """A kind of token: a fixed text, or (`regular`) a pattern."""

    name: str
    pattern: str
    regular: bool
    priority: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One alternative of a grammar rule.

    `method` builds its node; None for the inner lists that lark makes of `*` and `+`, whose parts
    go into the list around them (`inlined` says which parts of this rule are such lists).
    `absent` has, if optional parts are missing, the number of Nones before each part and at the end.
    `transparent`: a single part is the result itself.
    """

    origin: str
    size: int
    method: str | None
    transparent: bool
    absent: tuple[int, ...]
    inlined: tuple[int, ...]


#: What to do on a symbol: n >= 0, go to state n; n < 0, reduce by rule -n - 1.  A state that is a
#: number, and no mapping, reduces whatever comes.
Actions = dict[str, int]


@dataclass(frozen=True, slots=True)
class Table:
    """An LALR(1) automaton, its rules and its terminals."""

    start: int
    end: int
    states: tuple[Actions | int, ...]
    rules: tuple[Rule, ...]
    terminals: tuple[Terminal, ...]
    ignored: tuple[str, ...]

    def accepts(self, stack: list[int], symbol: str) -> bool:
        """Whether a parser with this stack of states can go on with this terminal."""
        return self._walked(stack, symbol) is not None

    def shifted(self, stack: list[int], symbol: str) -> list[int] | None:
        """The stack after this terminal, or None if it can't come next."""
        walked = self._walked(stack, symbol)
        if walked is None:
            return None
        kept, pushed = walked
        return stack[:kept] + pushed

    def _walked(self, stack: list[int], symbol: str) -> tuple[int, list[int]] | None:
        """How much of the stack is left after this terminal, and what lies on it then."""
        kept, pushed = len(stack), list[int]()
        while True:
            row = self.states[pushed[-1] if pushed else stack[kept - 1]]
            action = row if isinstance(row, int) else row.get(symbol)
            if action is None:
                return None
            if action >= 0:
                pushed.append(action)
                return kept, pushed
            rule = self.rules[-action - 1]
            if rule.size >= len(pushed):
                kept -= rule.size - len(pushed)
                pushed.clear()
            else:
                del pushed[len(pushed) - rule.size :]
            below = self.states[pushed[-1] if pushed else stack[kept - 1]]
            assert not isinstance(below, int)
            pushed.append(below[rule.origin])
            if pushed[-1] == self.end:
                return (kept, pushed) if symbol == END else None


@cache
def table() -> Table:
    """The table of grammar.lark as it is now."""
    grammar = GRAMMAR.read_bytes()
    try:
        stored = TABLE.read_text(encoding="ascii")
    except OSError:
        return _read(made_by_lark())
    found = _read(stored) if stored.startswith(_heading(grammar)) else None
    return found or _read(made_by_lark())


def _heading(grammar: bytes) -> str:
    return f'{{"grammar": {zlib.crc32(grammar)},'


def _read(text: str) -> Table:
    data = json.loads(text)
    symbols = data["symbols"]
    states = tuple(
        row if isinstance(row, int) else {symbols[n]: to for n, to in zip(row[::2], row[1::2], strict=True)}
        for row in data["states"]
    )
    rules = tuple(
        Rule(symbols[origin], size, method, transparent, tuple(absent), tuple(inlined))
        for origin, size, method, transparent, absent, inlined in data["rules"]
    )
    terminals = tuple(Terminal(*terminal) for terminal in data["terminals"])
    return Table(data["start"], data["end"], states, rules, terminals, tuple(data["ignored"]))


def made_by_lark() -> str:
    """The JSON text of the table, from grammar.lark, by lark."""
    from lark import Lark
    from lark.grammar import Rule as LarkRule
    from lark.lexer import TerminalDef

    grammar = GRAMMAR.read_text(encoding="utf-8")
    lark = Lark(grammar, parser="lalr", lexer="basic", keep_all_tokens=True, maybe_placeholders=True)
    data, memo = json.loads(json.dumps(lark.memo_serialize([TerminalDef, LarkRule])))
    parser = data["parser"]["parser"]
    names: dict[str, str] = parser["tokens"]
    symbols = sorted(names.values())

    # Lark's numbers differ from run to run, so rules are sorted, and states counted from the start.
    by_key: dict[str, Rule] = {}
    for key, entry in memo.items():
        if entry["__type__"] == "Rule":
            origin, options = entry["origin"]["name"], entry["options"]
            expansion = [symbol["name"] for symbol in entry["expansion"]]
            marks = "".join(str(int(empty)) for empty in options["empty_indices"])
            by_key[key] = _rule(origin, expansion, entry["alias"], bool(options["expand1"]), marks)
    rule_keys = sorted(by_key, key=lambda key: repr((by_key[key], memo[key]["expansion"])))
    rules = [by_key[key] for key in rule_keys]
    rule_numbers = {int(key): number for number, key in enumerate(rule_keys)}

    start: int = parser["start_states"]["start"]
    numbers, waiting = {start: 0}, [start]
    states: list[list[int] | int] = []
    for state in waiting:
        row: dict[int, int] = {}
        actions = {names[symbol]: action for symbol, action in parser["states"][str(state)].items()}
        for name in sorted(actions):
            kind, argument = actions[name]
            if kind == 0 and argument not in numbers:
                numbers[argument] = len(numbers)
                waiting.append(argument)
            to = numbers[argument] if kind == 0 else -rule_numbers[argument["@"]] - 1
            row[symbols.index(name)] = to
        only = set(row.values())
        states.append(min(only) if len(only) == 1 and min(only) < 0 else _flat(row))

    terminals = [
        [entry["name"], pattern["value"], pattern["__type__"] == "PatternRE", entry["priority"]]
        for entry in (entry for entry in memo.values() if entry["__type__"] == "TerminalDef")
        for pattern in (entry["pattern"],)
    ]
    parts = {
        "start": numbers[start],
        "end": numbers[parser["end_states"]["start"]],
        "ignored": data["parser"]["lexer_conf"]["ignore"],
        "symbols": symbols,
        "terminals": terminals,
        "rules": [
            [symbols.index(r.origin), r.size, r.method, r.transparent, r.absent, r.inlined] for r in rules
        ],
        "states": states,
    }
    lines = [f'"{key}": {json.dumps(value, separators=(",", ":"))}' for key, value in parts.items()]
    return _heading(GRAMMAR.read_bytes()) + "\n" + ",\n".join(lines) + "}\n"


def _flat(row: dict[int, int]) -> list[int]:
    return [number for pair in sorted(row.items()) for number in pair]


def _rule(origin: str, expansion: list[str], alias: str | None, single: bool, marks: str) -> Rule:
    """One of lark's rules, with what lark's own tree builder would do to its parts spelled out.

    `marks` has a 0 for each part that is there and a 1 for each that is not.
    """
    absent = tuple(len(ones) for ones in marks.split("0")) if "1" in marks else ()
    inlined = tuple(i for i, name in enumerate(expansion) if name.startswith("__") and name.islower())
    method = None if origin.startswith("__") else alias or origin
    return Rule(origin, len(expansion), method, single and not alias, absent, inlined)


if __name__ == "__main__":
    TABLE.write_text(made_by_lark(), encoding="ascii")
