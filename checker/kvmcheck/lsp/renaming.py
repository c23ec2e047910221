# SPDX-License-Identifier: GPL-2.0-only
"""Every place where a name stands, and a new name in all of them; or why that can't be.

A new name is tried out before it is offered: afterwards every name in every file that is touched must mean what it
meant before.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lsprotocol.types import Location, TextEdit, WorkspaceEdit

from kvmcheck.lang.tokens import RESERVED, vocabulary
from kvmcheck.lsp.places import Cursor, Places
from kvmcheck.lsp.session import Key, Session, resolved
from kvmcheck.lsp.targets import Kind
from kvmcheck.render.plain import visible
from kvmcheck.source.text import Span

#: Of a file: the spans of a name in it, in order.
_Places = dict[Path, tuple[Span, ...]]


class Refused(Exception):
    """A name can't be changed; its text says why, in one line."""


def references(cursor: Cursor, places: Places, *, declaration: bool) -> list[Location]:
    """Where the name under the cursor stands, in the files that can be read."""
    session, target = places.session, cursor.occurrence.target
    key = session.key(target)
    found: list[Location] = []
    for path in session.files_with(target.declared.text):
        for occurrence in session.last_good(path).names.occurrences:
            if session.key(occurrence.target) == key and (declaration or not occurrence.declares):
                location = places.location(occurrence.span)
                found += [location] if location is not None and location not in found else []
    return found


def may_be_renamed(cursor: Cursor, session: Session) -> None:
    """Raises `Refused` where no new name would do."""
    target = cursor.occurrence.target
    if target.kind is Kind.MODULE:
        raise Refused("a module is named by its file: rename the file, and its `module` line")
    declared = resolved(target.declared.source.path)
    if not session.is_ours(declared):
        raise Refused(f"`{target.name}` is declared in {visible(str(declared))}, which is not in this folder")


def renamed(cursor: Cursor, new: str, places: Places) -> WorkspaceEdit:
    """The edits that give the thing under the cursor a new name; raises `Refused`."""
    session, target = places.session, cursor.occurrence.target
    may_be_renamed(cursor, session)
    old = target.declared.text
    if new == old:
        return WorkspaceEdit(changes={})
    found = vocabulary().shape.fullmatch(new)
    if found is None or found.lastgroup != "NAME" or new in RESERVED:
        raise Refused(f"`{visible(new)}` is not a name")
    stands = _stands(session, session.key(target), old)
    texts = {path: _changed(session.text(path) or "", spans, new) for path, spans in stands.items()}
    _try_out(session, stands, texts, old, new)
    changes = {}
    for path, spans in stands.items():
        lines = places.lines(session.text(path) or "")
        changes[session.uri(path)] = [TextEdit(lines.range(span.start, span.end), new) for span in spans]
    return WorkspaceEdit(changes=changes)


def _stands(session: Session, key: Key, old: str) -> _Places:
    """Where the name stands; raises `Refused` where that is not known for certain."""
    stands: _Places = {}
    for path in session.files_with(old):
        analysis = session.analysis(path)
        if analysis.unit is None:
            raise Refused(f"{visible(path.name)} may use `{old}`, and has errors: mend them first")
        spans = tuple(o.span for o in analysis.names.occurrences if session.key(o.target) == key)
        uses = resolved(analysis.unit.entry.span.source.path) == key[0] or any(
            resolved(file.span.source.path) == key[0] for file in analysis.unit.modules.values()
        )
        unclear = [span for span in analysis.names.unknown if span.text == old]
        if uses and unclear:
            where = f"{visible(path.name)}:{unclear[0].line}"
            raise Refused(f"it is not known what `{old}` means at {where}: rename it by hand")
        if spans:
            stands[path] = spans
    return stands


def _changed(text: str, spans: tuple[Span, ...], new: str) -> str:
    for span in reversed(spans):
        text = text[: span.start] + new + text[span.end :]
    return text


def _try_out(session: Session, stands: _Places, texts: dict[Path, str], old: str, new: str) -> None:
    """Raises `Refused` if any name of the files would mean something else afterwards."""
    after = session.with_texts(texts)
    growth = len(new) - len(old)

    def moved(path: Path, offset: int) -> int:
        return offset + growth * sum(span.start < offset for span in stands.get(path, ()))

    for path in dict.fromkeys((*stands, *session.files_with(new))):
        before, then = session.analysis(path), after.analysis(path)
        if before.unit is None:
            continue
        if then.unit is None:
            raise Refused(f"{visible(path.name)} could not be read any more with `{new}` for `{old}`")
        meant = {
            (moved(path, o.span.start), _where(o.target.declared, moved)) for o in before.names.occurrences
        }
        means = {(o.span.start, _where(o.target.declared, _kept)) for o in then.names.occurrences}
        different = sorted(start for start, _ in meant ^ means)
        if different or (then.world is not None and then.world.collector.has_errors):
            line = then.text.count("\n", 0, different[0] if different else 0) + 1
            raise Refused(f"`{new}` means something else there: see {visible(path.name)}:{line}")


def _where(declared: Span, moved: Callable[[Path, int], int]) -> Key:
    """Where a name is declared, in the characters that `moved` gives."""
    path = resolved(declared.source.path)
    return path, moved(path, declared.start)


def _kept(_: Path, offset: int) -> int:
    return offset
