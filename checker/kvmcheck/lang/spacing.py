# SPDX-License-Identifier: GPL-2.0-only
"""Whether there is a blank between two tokens of one line.

The same sign can be an operator, a part of a type, or a bracket of a value; the tree tells which.
"""

from __future__ import annotations

from collections.abc import Mapping

from kvmcheck.lang import syntax as s
from kvmcheck.lang.tokens import Token
from kvmcheck.lang.walk import nodes

_BEHIND_OPERAND = frozenset(
    ("NAME", "INT", "STRING", "TRUE", "FALSE", "NONE", "NULL", "RPAR", "RSQB", "RBRACE")
)
_CALLED = frozenset(("NAME", "COUNT", "ASSERT", "ASSUME", "BUG_ON", "WARN_ON", "RPAR", "RSQB"))
_NEVER_BEFORE = frozenset((";", ",", ")", "]", "[", "->", ".."))
_NEVER_BEHIND = frozenset(("(", "[", "->", ".", "..", "!", "@"))
_PREFIXES = frozenset(("-", "*", "&", "++", "--"))


class Spacing:
    """The roles of a file's tokens, by number."""

    def __init__(self, file: s.File, tokens: tuple[Token, ...], begins: Mapping[int, int]) -> None:
        self._tokens = tokens
        self._begins = begins
        self._numbers = {token.span.start: number for number, token in enumerate(tokens)}
        #: `*` and `?` that end a type, `<` and `>` around its parts.
        self._marks: set[int] = set()
        self._opens: set[int] = set()
        self._closes: set[int] = set()
        #: Braces of `{a, b}`, and of `(T){ .f = e }`.
        self._set_braces: set[int] = set()
        self._struct_braces: set[int] = set()
        for node in nodes(file):
            self._note(node)
        braces = {number for number, token in enumerate(tokens) if token.text in ("{", "}")}
        #: All the others.
        self.block_braces = braces - self._set_braces - self._struct_braces
        self._tight_colons = set(self._colons())

    def _note(self, node: object) -> None:
        """Remember the tokens of a node whose role the tree alone can tell."""
        if isinstance(node, s.PointerType | s.OptionalType):
            self._marks.add(self._numbers[node.span.end - 1])
        elif isinstance(node, s.ListType | s.SetType):
            self._opens.add(self._numbers[node.span.start] + 1)
            self._closes.add(self._numbers[node.span.end - 1])
        elif isinstance(node, s.BraceLiteral):
            number = self._numbers[node.span.start]
            while self._tokens[number].text == "(":
                number += 1
            self._set_braces |= {number, self._partner(number)}
        elif isinstance(node, s.StructLiteral):
            number = self._numbers[node.type.span.start]
            while self._tokens[number].text != "{":
                number += 1
            self._struct_braces |= {number, self._partner(number)}

    def _partner(self, opening: int) -> int:
        """The number of the `}` that belongs to a `{`."""
        depth = 0
        for number in range(opening, len(self._tokens)):
            text = self._tokens[number].text
            depth += (text == "{") - (text == "}")
            if depth == 0:
                return number
        raise AssertionError("the braces of a file that was parsed are matched")

    def _colons(self) -> list[int]:
        """The colons of `case A:`, `default:` and of C labels."""
        found: list[int] = []
        in_case = False
        for number, token in enumerate(self._tokens):
            if token.kind in ("CASE", "DEFAULT"):
                in_case = True
            elif token.text == ":":
                label = number > 0 and self._tokens[number - 1].span.start in self._begins
                if in_case or (label and self._tokens[number - 1].kind == "NAME"):
                    found.append(number)
                in_case = False
        return found

    def between(self, left: int, right: int) -> int:
        """How many blanks stand between two neighbours, 0 or 1."""
        a, b = self._tokens[left], self._tokens[right]
        starts = b.span.start in self._begins
        if b.text in ("{", "}") or a.text in ("{", "}"):
            return self._at_brace(left, right)
        if b.text == ";" and starts:
            return 1
        if b.text in _NEVER_BEFORE or right in self._closes or right in self._opens:
            return 0
        if left in self._opens or a.text in _NEVER_BEHIND or self._is_prefix(left):
            return 0
        if b.text == ".":
            return 0 if a.kind in _BEHIND_OPERAND else 1
        if right in self._marks:
            return 0 if b.text == "?" or left in self._marks else 1
        if left in self._marks:
            return 0 if a.text == "*" else 1
        if b.text == ":":
            return 0 if right in self._tight_colons else 1
        if b.text == "(":
            return 0 if a.kind in _CALLED and not starts else 1
        if b.text == "@":
            return 0 if a.kind == "NAME" and not starts else 1
        if b.text in ("++", "--"):
            return 1 if self._is_prefix(right) else 0
        return 1

    def _at_brace(self, left: int, right: int) -> int:
        """The same where one of them is a brace."""
        a, b = self._tokens[left], self._tokens[right]
        if b.text == "{" and right in self._struct_braces:
            return 0
        if a.text == "{" and b.text == "}":
            return 1 if left in self.block_braces else 0
        if left in self._set_braces and a.text == "{":
            return 0
        if right in self._set_braces and b.text == "}":
            return 0
        if b.text == "{":
            return 0 if a.text in ("(", "[") or self._is_prefix(left) else 1
        if a.text == "}" and b.text in (*_NEVER_BEFORE, "."):
            return 0
        return 1

    def _is_prefix(self, number: int) -> bool:
        """Whether an operator stands before its only operand."""
        token = self._tokens[number]
        if token.text == "!":
            return True
        if token.text not in _PREFIXES or number in self._marks:
            return False
        if number == 0 or token.span.start in self._begins:
            return True
        return self._tokens[number - 1].kind not in _BEHIND_OPERAND
