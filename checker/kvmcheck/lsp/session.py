# SPDX-License-Identifier: GPL-2.0-only
"""The texts that an editor has open, and what they mean together with those on the disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from pygls.uris import to_fs_path

from kvmcheck.elaborate.declarations import elaborate
from kvmcheck.lang import syntax
from kvmcheck.lang.imports import Unit, load
from kvmcheck.library import model_folder
from kvmcheck.lsp.resolve import names_of
from kvmcheck.lsp.targets import Names, Target
from kvmcheck.lsp.world import World
from kvmcheck.source.diagnostic import Collector, Diagnostic
from kvmcheck.source.text import SourceText, nowhere, read

#: As many files of a folder are looked at for uses of a name.
MAX_FILES = 2000

#: Where a name is declared: the same for all texts that mean it.
Key = tuple[Path, int]


@dataclass(frozen=True, slots=True)
class Document:
    """A text that is open in the editor, which may not be what is on the disk."""

    uri: str
    path: Path
    text: str


class Analysis:
    """What is known of one file with the modules that it uses, as they are now."""

    def __init__(self, text: str, unit: Unit | None, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.text = text
        self.unit = unit
        #: Of reading alone; those of the scenarios are `Session.mistakes`.
        self.diagnostics = diagnostics

    @cached_property
    def world(self) -> World | None:
        """The scopes of the unit."""
        return World(self.unit) if self.unit is not None else None

    @cached_property
    def names(self) -> Names:
        """The names in the file."""
        if self.world is None or self.unit is None:
            return Names((), ())
        return names_of(self.unit.entry, self.world.scope, self.world)


class Session:
    """The open documents, and an analysis of each file that was asked for; all paths are resolved ones."""

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        self.folders = [folder.resolve() for folder in folders]
        self.documents: dict[Path, Document] = {}
        self._analyses: dict[Path, Analysis] = {}
        self._last_good: dict[Path, Analysis] = {}

    # ---- texts

    def put(self, uri: str, text: str) -> Path:
        """Take over a text that was opened or changed."""
        path = path_of(uri)
        self.documents[path] = Document(uri, path, text)
        self._analyses.clear()
        return path

    def drop(self, uri: str) -> Path:
        """Forget a document that was closed: what is on the disk counts again."""
        path = path_of(uri)
        self.documents.pop(path, None)
        self._last_good.pop(path, None)
        self._analyses.clear()
        return path

    def changed_on_disk(self) -> None:
        """Forget what was read."""
        self._analyses.clear()

    def with_texts(self, texts: dict[Path, str]) -> Session:
        """Another session in which some texts are others."""
        other = Session(self.folders)
        other.documents = dict(self.documents)
        for path, text in texts.items():
            other.documents[path] = Document(self.uri(path), path, text)
        return other

    def text(self, path: Path) -> str | None:
        """The text of a file as it is now; None: there is none."""
        if path in self.documents:
            return self.documents[path].text
        try:
            return read(path).text
        except (OSError, ValueError):
            return None

    def uri(self, path: Path) -> str:
        """What the editor calls a file."""
        return self.documents[path].uri if path in self.documents else path.as_uri()

    def files_with(self, word: str) -> Iterator[Path]:
        """The open documents, and the files in the editor's folders, that hold a word, each once."""
        seen: set[Path] = set()
        for path in (*self.documents, *self._in_folders()):
            if path not in seen and word in (self.text(path) or ""):
                yield path
            seen.add(path)

    def _in_folders(self) -> Iterator[Path]:
        left = MAX_FILES
        for folder in self.folders:
            for path in sorted(folder.rglob("*.kvm")):
                if left == 0:
                    return
                if path.is_file() and not any(part.startswith(".") for part in path.parts):
                    left -= 1
                    yield path.resolve()

    def is_ours(self, path: Path) -> bool:
        """Whether the editor has the file open, or in one of its folders."""
        return path in self.documents or any(path.is_relative_to(folder) for folder in self.folders)

    # ---- meaning

    def analysis(self, path: Path) -> Analysis:
        """The file as it is now."""
        known = self._analyses.get(path)
        if known is None:
            known = self._analyses[path] = self._analysed(path)
            if known.unit is not None:
                self._last_good[path] = known
        return known

    def last_good(self, path: Path) -> Analysis:
        """The file as it was when it could last be read: something to go by while it is typed."""
        now = self.analysis(path)
        return now if now.unit is not None else self._last_good.get(path, now)

    def _analysed(self, path: Path) -> Analysis:
        collector = Collector()
        try:
            unit = load(path, (model_folder(),), collector, self._read)
        except RecursionError:
            collector.error("KVM110", "this is nested too deeply to be read", nowhere(str(path)))
            unit = None
        return Analysis(self.text(path) or "", unit, collector.all())

    def _read(self, path: Path, shown: str) -> SourceText:
        document = self.documents.get(resolved(str(path)))
        return SourceText(shown, document.text) if document is not None else read(path, shown)

    def mistakes(self, path: Path) -> Iterator[tuple[Diagnostic, ...]]:
        """What `kvmcheck` has to say of the file, part by part: of its text, then of each scenario and mutant."""
        analysis = self.analysis(path)
        yield analysis.diagnostics
        unit = analysis.unit
        if unit is None:
            return
        cases = [
            item.name.text
            for item in unit.entry.items
            if isinstance(item, syntax.ScenarioDecl | syntax.MutantDecl)
        ]
        if not cases and analysis.world is not None:
            yield analysis.world.collector.all()
        for case in dict.fromkeys(cases):
            collector = Collector()
            try:
                elaborate(unit, case, {}, collector)
            except RecursionError:
                collector.error("KVM110", "this is nested too deeply to be read", unit.entry.span)
            yield collector.all()

    def key(self, target: Target) -> Key:
        """Where a name is declared, however the file was come by."""
        return resolved(target.declared.source.path), target.declared.start


def path_of(uri: str) -> Path:
    """The file of a URI; a text that was never saved gets a name that no file has."""
    path = to_fs_path(uri)
    return resolved(path) if path is not None else Path("/untitled:") / urlsplit(uri).path


@lru_cache(maxsize=4096)
def resolved(path: str) -> Path:
    """The path with all links followed."""
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError):
        return Path(path)
