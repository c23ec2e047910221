# SPDX-License-Identifier: GPL-2.0-only
"""Tokens, and how they are read from a text.

A word is a keyword or a name depending on where it stands, so the parser is asked: of the kinds of
token that a word may be, the first that the parser accepts is taken.  `RESERVED` words are never
names, as in C, and so that no file is read in two ways by two people.
"""

# ruff: noqa: SIM905 - words are read more easily without a pair of quotes each

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from kvmcheck.lang.table import END, Terminal, table
from kvmcheck.source.text import SourceText, Span

#: Words that are never names, wherever they stand; only after `@` they are free (`@return`, `@default`).
RESERVED = frozenset(
    "if else while do for switch case default goto return break continue struct enum union "
    "int bool void seq spinlock rwlock mutex rwsem true false none NULL not and or implies".split()
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a number, a string or a sign; `kind` is the grammar's name for it."""

    kind: str
    text: str
    span: Span


class Unreadable(Exception):
    """At `start` begins no token at all."""

    def __init__(self, start: int) -> None:
        super().__init__(start)
        self.start = start


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A kind of token that a word may be, if what follows it fits."""

    kind: str
    fits: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The terminals of the grammar, arranged for reading."""

    skipped: re.Pattern[str]
    shape: re.Pattern[str]
    signs: dict[str, str]
    words: dict[str, tuple[_Candidate, ...]]
    #: Kinds that any name may be, if what follows it fits (`LO..HI`).
    any_word: tuple[_Candidate, ...]


#: A word before a single `=` is what is assigned to, if it can be a name at all.
_ASSIGNED = re.compile(r"\s*=(?!=)")
_LITERAL_WORD = re.compile(r"[A-Za-z_]+(?=\(\?)")
_WORD = re.compile(r"[A-Za-z_]\w*\Z")


@cache
def vocabulary() -> Vocabulary:
    """The vocabulary of grammar.lark."""
    terminals = table().terminals
    by_name = {terminal.name: terminal for terminal in terminals}
    skipped = "|".join(by_name[name].pattern for name in table().ignored)
    words: dict[str, list[_Candidate]] = {}
    any_word: list[_Candidate] = []
    signs: dict[str, str] = {}
    for terminal in sorted(terminals, key=lambda terminal: -terminal.priority):
        if terminal.regular:
            _add_pattern(terminal, words, any_word)
        elif _WORD.match(terminal.pattern):
            words.setdefault(terminal.pattern, []).append(_Candidate(terminal.name, None))
        else:
            signs[terminal.pattern] = terminal.name
    longest_first = sorted(signs, key=lambda sign: (-len(sign), sign))
    shapes = [f"(?P<{name}>{by_name[name].pattern})" for name in ("NAME", "INT", "STRING")]
    shapes.append(f"(?P<SIGN>{'|'.join(map(re.escape, longest_first))})")
    return Vocabulary(
        re.compile(f"(?:{skipped})*"),
        re.compile("|".join(shapes)),
        signs,
        {word: tuple(candidates) for word, candidates in words.items()},
        tuple(any_word),
    )


def _add_pattern(terminal: Terminal, words: dict[str, list[_Candidate]], any_word: list[_Candidate]) -> None:
    """Sort a pattern with a look-ahead under its word; the plain ones are the shapes."""
    if not terminal.priority:
        return
    candidate = _Candidate(terminal.name, re.compile(terminal.pattern))
    literal = _LITERAL_WORD.match(terminal.pattern)
    if literal:
        words.setdefault(literal.group(), []).append(candidate)
    else:
        any_word.append(candidate)


class Lexer:
    """Reads one text from left to right; `position` may be moved."""

    def __init__(self, source: SourceText) -> None:
        self.position = 0
        self._source = source
        self._text = source.text
        self._vocabulary = vocabulary()
        self._after_at = False

    def next(self, accepts: Callable[[str], bool]) -> Token:
        """The next token, or one of kind `END`; raises `Unreadable`."""
        words, text = self._vocabulary, self._text
        skipped = words.skipped.match(text, self.position)
        start = skipped.end() if skipped else self.position
        found = words.shape.match(text, start)
        if found is None or text.startswith("/*", start):
            if start < len(text):
                raise Unreadable(start)
            return Token(END, "", Span(self._source, start, start))
        shape, value = found.lastgroup or "", found.group()
        if shape == "NAME":
            kind = self._word(value, start, accepts)
        elif shape == "SIGN":
            # `set<set<Gfn>>`: two signs where no shift can stand.
            if value[:2] == ">>" and not accepts(words.signs[value]):
                value = ">"
            kind = words.signs[value]
        else:
            kind = shape
        self._after_at = value == "@"
        self.position = start + len(value)
        return Token(kind, value, Span(self._source, start, self.position))

    def _word(self, word: str, start: int, accepts: Callable[[str], bool]) -> str:
        """What kind of token a word is here."""
        if self._after_at and accepts("NAME"):
            return "RETURN" if word == "return" else "NAME"
        candidates = self._vocabulary.words.get(word, ())
        named = not candidates or (word not in RESERVED and accepts("NAME"))
        ahead = self._with_what_follows(word, start)
        if candidates and not (named and _ASSIGNED.match(ahead, len(word))):
            for candidate in candidates:
                if _fits(candidate, ahead) and accepts(candidate.kind):
                    return candidate.kind
        for candidate in self._vocabulary.any_word:
            if _fits(candidate, ahead) and accepts(candidate.kind):
                return candidate.kind
        return "NAME" if named else candidates[-1].kind

    def _with_what_follows(self, word: str, start: int) -> str:
        """The word and the next two characters; blanks and comments between them are one blank."""
        end = start + len(word)
        skipped = self._vocabulary.skipped.match(self._text, end)
        behind = skipped.end() if skipped else end
        return word + " " * (behind > end) + self._text[behind : behind + 2]


def _fits(candidate: _Candidate, ahead: str) -> bool:
    """Whether what follows a word fits."""
    return candidate.fits is None or candidate.fits.match(ahead) is not None


def raw_tokens(source: SourceText, start: int = 0) -> Iterator[Token]:
    """The tokens from `start` on, words not told apart, unreadable characters as tokens of kind "?"."""
    lexer = Lexer(source)
    lexer.position = start
    while True:
        try:
            token = lexer.next(_anything)
        except Unreadable as error:
            if source.text.startswith("/*", error.start):
                return  # a comment without an end: the rest is all comment
            lexer.position = error.start + 1
            here = Span(source, error.start, error.start + 1)
            token = Token("?", here.text, here)
        if token.kind == END:
            return
        yield token


def _anything(_: str) -> bool:
    return True
