# SPDX-License-Identifier: GPL-2.0-only
"""A set of tokens that could stand somewhere, in the words of a person: "a statement or `}`"."""

# ruff: noqa: SIM905 - words are read more easily without a pair of quotes each

from __future__ import annotations

from kvmcheck.lang.table import END, Terminal

_TYPE = frozenset("bool void int seq spinlock rwlock mutex rwsem list set".split()) | {"a name"}
_EXPRESSION = frozenset(
    "( ! - * & { ++ -- true false none NULL not any the alloc zalloc forall exists count after".split()
) | {"a name", "a number"}
_STATEMENT = frozenset(
    "if while do for switch forever repeat atomic goto return break continue await choose assert "
    "BUG_ON WARN_ON assume cover ghost @ ; {".split()
)
_DECLARATION = frozenset(
    "use scalarset index type typedef enum word struct object shared ghost param pure invariant inductive "
    "step live cover scenario mutant language module".split()
)
_SCENARIO = frozenset("seq memory init distinct hardware process check cover expect".split()) | {"a name"}
_EDIT = frozenset("drop move swap replace insert set".split())
_OPERATOR = frozenset(
    "? || or && and implies | ^ & == != < <= > >= in at << >> + - * / % ( [ . -> ++ -- @".split()
)
_ASSIGNMENT = frozenset("+= -= *= /= %= |= &= ^= <<= >>=".split())

#: A group of tokens: some that tell it, all that belong to it, its name.
_GROUPS = (
    (frozenset({"scalarset", "invariant"}), _DECLARATION | _TYPE, "a declaration"),
    (frozenset({"if", "while", "return"}), _STATEMENT | _TYPE | _EXPRESSION, "a statement"),
    (frozenset({"process", "check"}), _SCENARIO, "a line of a scenario"),
    (frozenset({"drop", "move"}), _EDIT, "an edit"),
    (frozenset({"a number", "(", "true", "!"}), _EXPRESSION, "an expression"),
    (frozenset({"bool", "int", "seq"}), _TYPE, "a type"),
    (frozenset({"a name", "?", "*"}), frozenset({"a name", "?", "*", "."}), "a name"),
    (frozenset({"+=", "="}), _ASSIGNMENT, ""),
    (frozenset({"+", "=="}), _OPERATOR, "an operator"),
)

#: Signs that end something are the likeliest to be missing, so they are named first.
_FIRST = (";", ")", "]", "}", "{", "=", ",")

_WORDS = {"a name", "a number", "a string", "the end of the file"}


def text_of(terminal: Terminal) -> str:
    """How a terminal is shown: the word or sign itself, or a few words."""
    if not terminal.regular:
        return terminal.pattern
    named = {"NAME": "a name", "INT": "a number", "STRING": "a string", "RANGE_NAME": "a name"}
    return named.get(terminal.name) or terminal.pattern.partition("(?")[0]


def in_words(texts: frozenset[str]) -> str:
    """The tokens in words, at most five alternatives."""
    rest, words = set(texts), list[str]()
    for telling, members, name in _GROUPS:
        if telling <= rest:
            rest -= members
            if name:
                words.append(name)
    if END in rest:
        rest.remove(END)
        rest.add("the end of the file")
    order = {text: index for index, text in enumerate(_FIRST)}
    signs = sorted(rest, key=lambda text: (order.get(text, len(order)), text))
    words.extend(text if text in _WORDS else f"`{text}`" for text in signs)
    words = words[:5]
    if not words:
        return "something else"
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]
