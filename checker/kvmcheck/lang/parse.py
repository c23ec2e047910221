# SPDX-License-Identifier: GPL-2.0-only
"""Text to syntax tree.

The automaton of table.py is run over the tokens of tokens.py, and build.py makes the nodes.  After
a mistake the parser goes on at the next statement or declaration, so one run reports several; what
is said about them is in mistakes.py.  No input makes it raise.
"""

from __future__ import annotations

from collections.abc import Callable

from kvmcheck.lang import mistakes
from kvmcheck.lang.build import Builder
from kvmcheck.lang.depth import too_deep
from kvmcheck.lang.expected import text_of
from kvmcheck.lang.syntax import File
from kvmcheck.lang.table import END, table
from kvmcheck.lang.tokens import Lexer, Token, Unreadable, raw_tokens
from kvmcheck.source.diagnostic import Collector
from kvmcheck.source.text import MAX_BYTES, SourceText, Span

#: More open brackets and unfinished statements than this at one place are refused.
MAX_STACK = 4000

#: After so many mistakes the rest of the file is not looked at: more are not shown anyway.
MAX_MISTAKES = 2 * Collector.CAP

#: What a list of these is made of can be left out after a mistake, and the list goes on.
_LISTED = (
    "statement", "case", "field_decl", "arm_decl", "scenario_item", "mutant_item", "edit", "item"
)  # fmt: skip


#: The trees of the texts that were parsed last without a word, the oldest first: specs share their modules.
_parsed: dict[SourceText, File] = {}

#: As many characters of text may have their trees kept.
_MOST_KEPT = 4_000_000


def parse(source: SourceText, collector: Collector) -> File | None:
    """The syntax tree of a source text, or None if it has errors (which the collector then holds)."""
    known = _parsed.get(source)
    if known is not None:
        return known
    found = Collector()
    file = _Parse(source, found).file() if _is_text(source, found) else None
    for diagnostic in found.all():
        collector.add(diagnostic)
    if file is not None and not found.all():
        _keep(source, file)
    return None if found.has_errors else file


def _keep(source: SourceText, file: File) -> None:
    _parsed[source] = file
    while sum(len(kept.text) for kept in _parsed) > _MOST_KEPT:
        del _parsed[next(iter(_parsed))]


def tokens(source: SourceText) -> tuple[Token, ...] | None:
    """The tokens of a text in the kinds that the parser took them for, or None if it has errors."""
    found = Collector()
    parser = _Parse(source, found)
    parser.file()
    return None if found.has_errors else tuple(parser.shifted)


def _is_text(source: SourceText, collector: Collector) -> bool:
    """Whether the text may be read at all."""
    if len(source.text) > MAX_BYTES:
        collector.error("KVM003", f"the file is larger than {MAX_BYTES} bytes", Span(source, 0, 0))
        return False
    nul = source.text.find("\0")
    if nul >= 0:
        collector.error(
            "KVM005",
            "the file holds a NUL byte, so it is no text",
            Span(source, nul, nul + 1),
            help="was it saved as UTF-16? save it as UTF-8",
        )
        return False
    return True


class _Parse:
    """One run of the automaton."""

    def __init__(self, source: SourceText, collector: Collector) -> None:
        self._source = source
        self._collector = collector
        self._table = table()
        self._lexer = Lexer(source)
        self._states = [self._table.start]
        self._values: list[object] = []
        self._mistakes = 0
        builder = Builder(source, collector)
        self._builders: list[Callable[..., object] | None] = [
            getattr(builder, rule.method, None) if rule.method else None for rule in self._table.rules
        ]
        #: The tokens so far.
        self.shifted: list[Token] = []

    def file(self) -> File | None:
        """The tree; None after a mistake that could not be passed."""
        failed_at = -1
        while self._mistakes < MAX_MISTAKES:
            try:
                token = self._lexer.next(self._accepts)
            except Unreadable as error:
                self._mistakes += 1
                self._collector.add(mistakes.unreadable(self._source, error.start))
                if self._source.text.startswith("/*", error.start):
                    return None
                self._resume_after(error.start, None)
                continue
            if self._feed(token):
                if token.kind == END:
                    result = self._values[-1]
                    if isinstance(result, File):
                        too_deep(result, self._collector)
                        return result
                    return None
                continue
            if len(self._states) > MAX_STACK:
                self._collector.add(mistakes.too_deep(token.span))
                return None
            again = token.span.start == failed_at
            failed_at = token.span.start
            if not self._recover(token, again):
                return None
        return None

    def _accepts(self, kind: str) -> bool:
        return self._table.accepts(self._states, kind)

    def _feed(self, token: Token) -> bool:
        """Whether the parser could take the token; if not, nothing was done."""
        # Asked first, since an LALR parser finds some mistakes only after it has reduced.
        if not self._accepts(token.kind):
            return False
        states, values, rows = self._states, self._values, self._table.states
        kind = token.kind
        if len(states) > MAX_STACK:
            return False
        while True:
            row = rows[states[-1]]
            action = row if isinstance(row, int) else row.get(kind)
            assert action is not None
            if action >= 0:
                states.append(action)
                values.append(token)
                self.shifted.append(token)
                return True
            self._reduce(-action - 1)
            if states[-1] == self._table.end:
                return kind == END

    def _reduce(self, number: int) -> None:
        rule = self._table.rules[number]
        states, values = self._states, self._values
        size = rule.size
        parts: list[object] = values[len(values) - size :] if size else []
        if size:
            del values[len(values) - size :]
            del states[len(states) - size :]
        if rule.absent or rule.inlined:
            parts = _arranged(parts, rule.absent, rule.inlined)
        value: object = parts
        if rule.transparent and len(parts) == 1:
            value = parts[0]
        elif rule.method is not None:
            build = self._builders[number]
            assert build is not None, rule.method
            value = build(*parts)
        values.append(value)
        below = self._table.states[states[-1]]
        assert not isinstance(below, int)
        states.append(below[rule.origin])

    # ---- after a mistake

    def _recover(self, token: Token, again: bool) -> bool:
        """Report the token that does not fit, and go on behind it or before it; False: at the end."""
        self._mistakes += 1
        self._settle()
        last = self.shifted[-1] if self.shifted else None
        where = mistakes.Situation(self._source, token, self.shifted, tuple(self._values))
        if not again and last is not None and self._lacks_semicolon(where):
            self._collector.add(mistakes.missing_semicolon(where))
            end = last.span.end
            self._feed(Token("SEMICOLON", ";", Span(self._source, end, end)))
            self._lexer.position = token.span.start
            return True
        if where.leaves_block_open():
            self._collector.add(mistakes.missing_brace(where))
            if token.kind == END:
                return False
            self._unwind("item")
            self._lexer.position = where.line_start()
            return True
        if not again:
            self._collector.add(mistakes.misplaced(where, self._expected()))
        if token.kind == END:
            return False
        self._resume_after(token.span.start, token)
        return True

    def _settle(self) -> None:
        """Finish what is complete: whatever comes next can't change it."""
        while True:
            row = self._table.states[self._states[-1]]
            if not isinstance(row, int):
                if "item" in row or not self._accepts(END):
                    return
                row = row[END]
            self._reduce(-row - 1)

    def _lacks_semicolon(self, where: mistakes.Situation) -> bool:
        """Whether a `;` before the token, on the line before, would make it fit."""
        last, token = where.last, where.token
        if last is None or last.text in (";", "{", "}"):
            return False
        if not (where.on_later_line() or token.text == "}"):
            return False
        behind = self._table.shifted(self._states, "SEMICOLON")
        if behind is None:
            return False
        lexer = Lexer(self._source)
        lexer.position = token.span.start
        follower = lexer.next(lambda kind: self._table.accepts(behind, kind))
        return self._table.accepts(behind, follower.kind)

    def _expected(self) -> frozenset[str]:
        """The texts of the tokens that could come next."""
        texts = {text_of(t) for t in self._table.terminals if self._accepts(t.name)}
        return frozenset(texts | {END} if self._accepts(END) else texts)

    def _unwind(self, *listed: str) -> None:
        """Forget what was begun, down to the innermost list of one of these."""
        while len(self._states) > 1:
            row = self._table.states[self._states[-1]]
            if (
                not isinstance(row, int)
                and any(name in row for name in listed)
                and (self._accepts("RBRACE") or self._accepts(END))
            ):
                break
            self._states.pop()
            self._values.pop()

    def _resume_after(self, start: int, token: Token | None) -> None:
        """Leave out the statement or declaration around `start`."""
        before = len(self._values)
        values = list(self._values)
        self._unwind(*_LISTED)
        depth = _open_braces(values[len(self._values) : before])
        position = start + 1 if token is None else start
        in_file = self._accepts(END)
        for skipped in raw_tokens(self._source, position):
            text = skipped.text
            if text == "{":
                depth += 1
            elif text == "}":
                if depth == 0 and not in_file:
                    break
                depth -= 1
                if depth <= 0:
                    position = skipped.span.end
                    break
            elif text == ";" and depth <= 0:
                position = skipped.span.end
                break
            position = skipped.span.end
        self._lexer.position = position


def _arranged(parts: list[object], absent: tuple[int, ...], inlined: tuple[int, ...]) -> list[object]:
    """The parts with a None for each one that is not there, and inner lists opened up."""
    result: list[object] = []
    for index, part in enumerate(parts):
        if absent:
            result.extend([None] * absent[index])
        if index not in inlined or not isinstance(part, list):
            result.append(part)
        elif result:
            result.extend(part)
        else:
            # A list that grows by one is not copied: it is nobody else's.
            result = part
    if absent:
        result.extend([None] * absent[-1])
    return result


def _open_braces(values: list[object]) -> int:
    """How many `{` among the parts that were forgotten still wait for their `}`."""
    kinds = [value.kind for value in values if isinstance(value, Token)]
    return kinds.count("LBRACE") - kinds.count("RBRACE")
