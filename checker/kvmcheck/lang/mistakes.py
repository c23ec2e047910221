# SPDX-License-Identifier: GPL-2.0-only
"""What is said about a mistake in the syntax: the diagnostic, never how the parser goes on.

The mistakes that people bring from C, Python or Promela are recognised and get a code and a mend of
their own; everything else is told as what could have stood there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kvmcheck.lang.expected import in_words
from kvmcheck.lang.table import END
from kvmcheck.lang.tokens import RESERVED, Token, raw_tokens
from kvmcheck.source.diagnostic import Diagnostic, Label
from kvmcheck.source.text import SourceText, Span

#: Better names where a keyword was used as one.
_OTHER_NAMES = {
    "seq": "snap",
    "none": "nothing",
    "int": "number",
    "bool": "flag",
    "do": "work",
    "default": "fallback",
    "mutex": "lock",
    "spinlock": "lock",
    "and": "both",
    "or": "either",
}

_NO_WORDS = {
    "static": "leave it out: every function is seen in its own module",
    "inline": "leave it out: every call is inlined",
    "extern": "leave it out, and `use` the module that declares it",
    "const": "leave it out: a `param` is what does not change",
    "volatile": "leave it out, and mark the access: `READ_ONCE(x)`",
    "unsigned": "write a range: `int 0..N`; a sequence count is a `seq`",
    "signed": "write a range: `int lo..hi`",
    "long": "write a range: `int lo..hi`; a sequence count is a `seq`",
    "typedef": "leave it out: the name of a struct is a type",
    "register": "leave it out",
}

_TYPE_WORDS = {"seq", "int", "bool", "void", "spinlock", "rwlock", "mutex", "rwsem"}

_CONDITIONS = {"if", "while", "await", "assert", "BUG_ON", "WARN_ON", "assume", "switch"}


@dataclass(frozen=True, slots=True)
class Situation:
    """Where the parser stands: the token that does not fit, those before, and what is unfinished."""

    source: SourceText
    token: Token
    earlier: Sequence[Token]
    unfinished: tuple[object, ...]

    @property
    def last(self) -> Token | None:
        """The token before."""
        return self.earlier[-1] if self.earlier else None

    def line_start(self) -> int:
        """Where the token's line begins."""
        return self.source.text.rfind("\n", 0, self.token.span.start) + 1

    def on_later_line(self) -> bool:
        """Whether the token stands on a later line than the one before it."""
        if self.last is None:
            return False
        return "\n" in self.source.text[self.last.span.end : self.token.span.start]

    def open_brackets(self, sign: str) -> list[Token]:
        """The tokens `sign` whose closing partner has not come."""
        closing = {"(": ")", "[": "]", "{": "}"}[sign]
        found: list[Token] = []
        for part in self.unfinished:
            if isinstance(part, Token) and part.text == sign:
                found.append(part)
            elif isinstance(part, Token) and part.text == closing and found:
                found.pop()
        return found

    def leaves_block_open(self) -> bool:
        """Whether a `}` is missing before this line, as the file ends or something at column 1 begins."""
        open_braces = self.open_brackets("{")
        if not open_braces:
            return False
        if self.token.kind == END:
            return True
        text, line_start = self.source.text, self.line_start()
        brace = open_braces[-1].span
        if line_start <= brace.start or text[line_start] in " \t}":
            return False
        # A file that is written without indentation tells nothing.
        first = re.compile(r"(?:\s|//[^\n]*)*").match(text, brace.end)
        inside = first.end() if first else brace.end
        return inside < line_start and text[inside - 1] != "\n"


def unreadable(source: SourceText, start: int) -> Diagnostic:
    """About a character that begins no token."""
    text = source.text
    rest = text[start:]
    if rest.startswith("/*"):
        return _error(
            "KVM105",
            "this comment has no end",
            Span(source, start, start + 2),
            help="a comment ends with `*/`",
        )
    line = rest.split("\n", 1)[0]
    if rest.startswith('"'):
        if re.match(r'"[^"\n]*"', rest):
            return _error(
                "KVM104",
                'in a string, a backslash stands before `"` or another backslash only',
                Span(source, start, start + (line[1:].find('"') + 2)),
            )
        return _error(
            "KVM104",
            "this string has no end",
            Span(source, start, start + len(line)),
            help='a string ends with `"`, on the line where it begins',
        )
    number = re.match(r"[0-9][A-Za-z_0-9]*", rest)
    if number:
        return _error(
            "KVM111",
            f"`{number.group()}` is not a number",
            Span(source, start, start + number.end()),
            help="numbers are written 12 or 0x1f, without suffix",
        )
    helps = {
        "#": "there is no preprocessor: `use m;` brings a module in, `param int N = 2;` is a constant",
        "'": 'strings stand in double quotes: `"…"`',
        "\ufeff": "save the file without a byte order mark",
        "\\": "a line goes on without a backslash",
        "`": "backticks belong to the documentation",
        "~": "there is no `~`; write the constant that is meant",
    }
    shown = _shown(rest[0])
    return _error(
        "KVM103",
        f"{shown} is not a character of the language",
        Span(source, start, start + 1),
        help=helps.get(rest[0], ""),
    )


def too_deep(span: Span) -> Diagnostic:
    """About brackets or statements nested without end."""
    return _error("KVM110", "too much is nested here", span)


def missing_semicolon(where: Situation) -> Diagnostic:
    """About a statement that goes straight on into the next."""
    assert where.last is not None
    end = where.last.span.end
    return _error(
        "KVM101",
        f"expected `;` after `{_shortened(where.last.text)}`",
        Span(where.source, end - 1, end),
        help="add `;`",
        label="`;` is missing behind this",
    )


def missing_brace(where: Situation) -> Diagnostic:
    """About a block that is still open where the next declaration begins, or the file ends."""
    brace = _suspect(where.source, where.open_brackets("{"))
    at_end = where.token.kind == END
    before = where.token.span.start if at_end else where.line_start()
    end = next((t.span.end for t in reversed(where.earlier) if t.span.end <= before), 0)
    message = "the file ends inside a block" if at_end else "a declaration begins inside a block"
    return _error(
        "KVM102",
        f"{message}: a `}}` is missing",
        Span(where.source, max(end - 1, 0), end),
        label="`}` is missing behind this, or before",
        secondary=(Label(brace, "this block is not closed"),),
        help="add `}` where the block ends",
    )


def _suspect(source: SourceText, open_braces: list[Token]) -> Span:
    """The `{` that most likely lacks its `}`: the first whose partner stands at another indentation."""
    outermost, waiting = open_braces[0], list[Span]()
    for token in raw_tokens(source, outermost.span.start):
        if token.text == "{":
            waiting.append(token.span)
        elif token.text == "}" and waiting:
            opened = waiting.pop()
            text = source.text
            before = text[text.rfind("\n", 0, token.span.start) + 1 : token.span.start]
            if not before.strip() and len(before) != _indentation(source, opened.start):
                return opened
    return open_braces[-1].span


def _indentation(source: SourceText, offset: int) -> int:
    start = source.text.rfind("\n", 0, offset) + 1
    line = source.text[start:]
    return len(line) - len(line.lstrip(" \t"))


def misplaced(where: Situation, expected: frozenset[str]) -> Diagnostic:
    """About a token that can't stand where it stands; `expected` has the texts that can."""
    return _known_mistake(where, expected) or _plain(where, expected)


def _plain(where: Situation, expected: frozenset[str]) -> Diagnostic:
    token = where.token
    found = "the end of the file" if token.kind == END else f"`{_shortened(token.text)}`"
    secondary: tuple[Label, ...] = ()
    for opening, closing in (("(", ")"), ("[", "]")):
        brackets = where.open_brackets(opening)
        if closing in expected and brackets and token.text in (";", "{", "}", ")", "]", ""):
            secondary = (Label(brackets[-1].span, "opened here"),)
    span = token.span
    if token.kind == END and where.last is not None:
        span = Span(where.source, where.last.span.end - 1, where.last.span.end)
    return _error("KVM100", f"expected {in_words(expected)}, found {found}", span, secondary=secondary)


def _known_mistake(where: Situation, expected: frozenset[str]) -> Diagnostic | None:
    """The diagnostic of a mistake that has one of its own."""
    token, last, text = where.token, where.last, where.source.text
    here = token.span
    line = text[text.rfind("\n", 0, here.start) + 1 : here.start]
    other_if = re.search(r"(?:^|[\s}])(elif|elsif|elseif)\s*\(", line)
    if other_if:
        start = here.start - len(line) + other_if.start(1)
        return _error(
            "KVM108",
            f"`{other_if.group(1)}` is not a word of the language",
            Span(where.source, start, start + len(other_if.group(1))),
            help="write `else if`",
        )
    if last is not None and last.text == "goto":
        return _error("KVM109", "this `goto` does not say where to", last.span, help="write `goto out;`")
    if text[here.start - 1 : here.start + 1] == ":=":
        colon = Span(where.source, here.start - 1, here.start + 1)
        return _error("KVM107", "values are stored with `=`, not with `:=`", colon, help="write `=`")
    if text[here.start : here.start + 2] == ":=":
        both = Span(where.source, here.start, here.start + 2)
        return _error("KVM107", "values are stored with `=`, not with `:=`", both, help="write `=`")
    if text[here.start : here.start + 2] == "=>":
        both = Span(where.source, here.start, here.start + 2)
        return _error("KVM121", "`=>` is not a sign of the language", both, help="write `implies`")
    if token.text == "==" and "+=" in expected:
        return _error(
            "KVM106",
            "`==` compares, and a statement that only compares does nothing",
            here,
            help="write `=` to store",
        )
    if token.text == "=" and "==" in expected:
        where_to = "a condition" if _in_condition(where) else "an expression"
        return _error(
            "KVM106", f"`=` stores a value, and {where_to} stores none", here, help="write `==` to compare"
        )
    if last is not None and last.text in ("forall", "exists") and re.match(r"\w", token.text):
        return _error(
            "KVM100",
            f"behind `{last.text}` stand brackets",
            here,
            help=f"write `{last.text} ({token.text} x) : …`",
        )
    if last is not None and last.text in _NO_WORDS and last.kind == "NAME":
        return _error(
            "KVM121",
            f"`{last.text}` is not a word of the language",
            last.span,
            help=_NO_WORDS[last.text],
        )
    if token.text in ("struct", "enum", "union") and "bool" in expected:
        return _error(
            "KVM121",
            f"`{token.text}` stands before a declaration only",
            here,
            help="write the name of the type alone",
        )
    cast = _cast(where, expected)
    if cast is not None:
        return _error("KVM122", "there are no casts", cast, help="a struct is built with `(T){ .field = e }`")
    if token.text == "," and ";" in expected and "=" in expected and "[" in expected:
        return _error("KVM116", "a declaration has one name", here, help="write `;` and a second declaration")
    only_a_name = "true" not in expected or token.text in _TYPE_WORDS
    if token.text in RESERVED and "a name" in expected and only_a_name:
        other = _OTHER_NAMES.get(token.text)
        return _error(
            "KVM117",
            f"`{token.text}` is a keyword, and can't be a name",
            here,
            help=f"call it `{other}`" if other else f"call it `{token.text}_`",
        )
    return None


def _cast(where: Situation, expected: frozenset[str]) -> Span | None:
    """The place of `(T)` before a value."""
    token, earlier = where.token, where.earlier
    if len(earlier) < 3:
        return None
    if earlier[-1].text == "(" and token.text in ("int", "bool", "void", "seq") and "true" in expected:
        return earlier[-1].span.to(token.span)
    if earlier[-1].text == ")" and token.kind in ("NAME", "INT") and "*" in expected:
        opening = next((t for t in reversed(earlier) if t.text == "("), earlier[-1])
        if re.fullmatch(r"\(\s*\w+\s*\**\s*\)", opening.span.to(earlier[-1].span).text):
            return opening.span.to(earlier[-1].span)
    return None


def _in_condition(where: Situation) -> bool:
    """Whether the innermost open parenthesis belongs to an `if` or the like."""
    before = ""
    for part in reversed(where.unfinished):
        if isinstance(part, Token):
            if before == "(":
                return part.text in _CONDITIONS
            before = part.text
        elif before == "(":
            return False
    return False


def _shown(character: str) -> str:
    """A character as it may be printed."""
    if character.isprintable():
        return f"`{character}`"
    return f"U+{ord(character):04X}"


def _shortened(text: str) -> str:
    return text if len(text) <= 30 else text[:29] + "…"


def _error(
    code: str,
    message: str,
    span: Span,
    *,
    label: str = "",
    help: str = "",
    secondary: tuple[Label, ...] = (),
) -> Diagnostic:
    return Diagnostic(code, message, Label(span, label), secondary, help=help)
