# SPDX-License-Identifier: GPL-2.0-only
"""A spec and every module that it uses, directly or not.

`use kernel.srcu;` is looked for as kernel/srcu.kvm in the folder of the spec, then in each search
folder.  Nothing outside these folders is read, wherever links lead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from kvmcheck.lang.parse import parse
from kvmcheck.lang.syntax import File, MutantDecl, ReplaceModule, UseDecl
from kvmcheck.source.diagnostic import Collector, Diagnostic, Label
from kvmcheck.source.nearest import nearest
from kvmcheck.source.text import MAX_BYTES, SourceText, Span, read

#: More modules than this are no model, but an attack on the reader's time.
MAX_MODULES = 200

#: As many files are looked at for the name that was meant.
_MAX_SUGGESTIONS = 2000

ModulePath = tuple[str, ...]

#: The text of a file, and the name that it is shown by; raises as `source.text.read` does.
Reader = Callable[[Path, str], SourceText]


@dataclass(frozen=True, slots=True)
class Unit:
    """A file, and the modules it uses, keyed by dotted path, each after those that it uses itself."""

    entry: File
    modules: Mapping[ModulePath, File]


def load(path: Path, search: tuple[Path, ...], collector: Collector, reader: Reader = read) -> Unit | None:
    """The file with its modules, or None if any of them has errors (which the collector then holds).

    `reader`: what gives the texts, for whoever has newer ones than the disk.
    """
    return _Loader((path.parent, *search), collector, reader).unit(path)


class _Loader:
    """One run of `load`."""

    def __init__(self, folders: tuple[Path, ...], collector: Collector, reader: Reader) -> None:
        self._folders = folders
        self._collector = collector
        self._reader = reader
        self._files: dict[ModulePath, File | None] = {}
        self._failed = False

    def unit(self, path: Path) -> Unit | None:
        """The whole unit."""
        start = Span(SourceText(str(path), ""), 0, 0)
        entry = self._file(path, str(path), start, ())
        if entry is None:
            return None
        if entry.module is not None and entry.module[-1] != path.stem:
            self._misnamed(entry, ".".join((*entry.module[:-1], path.stem)))
        self._load_all(entry)
        if self._failed:
            return None
        modules = {name: file for name, file in self._files.items() if file is not None}
        return Unit(entry, MappingProxyType(_in_dependency_order(entry, modules)))

    def _load_all(self, entry: File) -> None:
        """Read the modules breadth first, then look for circles."""
        waiting = list(_uses(entry))
        for use in waiting:
            if use.module in self._files:
                continue
            if len(self._files) >= MAX_MODULES:
                self._error("KVM014", f"more than {MAX_MODULES} modules are used", use.span)
                return
            self._files[use.module] = file = self._module(use)
            if file is not None:
                waiting.extend(_uses(file))
        self._report_circle()

    def _module(self, use: UseDecl) -> File | None:
        """The file of a module."""
        dotted = ".".join(use.module)
        relative = Path(*use.module).with_suffix(".kvm")
        for folder in self._folders:
            candidate = folder / relative
            if not is_there(candidate):
                continue
            if not is_inside(candidate, folder):
                self._error(
                    "KVM012",
                    f"`{dotted}` leads out of the folder that it was found in",
                    use.span,
                    help="copy the module into the folder, or check it with the folder that it is in",
                )
                return None
            file = self._file(candidate, shown(candidate), use.span, use.module)
            if file is not None and file.module != use.module:
                self._misnamed(file, dotted)
            return file
        self._error(
            "KVM010",
            f"there is no module `{dotted}`",
            use.span,
            help=self._suggestion(dotted) or f"looked for {relative} in {self._places()}",
        )
        return None

    def _file(self, path: Path, shown: str, where: Span, module: ModulePath) -> File | None:
        """The tree of a file; what is wrong with it is told at `where`, or in it."""
        try:
            if path.is_dir():
                what = f"{shown} is a folder" + (f", and no module `{'.'.join(module)}`" if module else "")
                self._error("KVM006", what, where)
                return None
            if path.exists() and not path.is_file():
                self._error("KVM002", f"{shown} is no regular file", where)
                return None
            source = self._reader(path, shown)
        except FileNotFoundError:
            self._error("KVM001", f"there is no file {shown}", where, help=self._other_file(path))
            return None
        except UnicodeDecodeError as error:
            self._error(
                "KVM004",
                f"{shown} is not UTF-8: byte {error.start} is {error.object[error.start]:#04x}",
                where,
                help="save it as UTF-8",
            )
            return None
        except ValueError:
            self._error("KVM003", f"{shown} is larger than {MAX_BYTES} bytes", where)
            return None
        except OSError as error:
            self._error("KVM002", f"{shown} can't be read: {error.strerror or error}", where)
            return None
        file = parse(source, self._collector)
        self._failed |= file is None
        return file

    def _misnamed(self, file: File, expected: str) -> None:
        """Report a `module` line that says another name, or is not there."""
        source = file.span.source
        if file.module is None:
            message = f"{source.path} is used as a module, and has no `module` line"
            self._error("KVM013", message, Span(source, 0, 0), help=f"begin it with `module {expected};`")
            return
        said = ".".join(file.module)
        start = source.text.find(file.module[-1], source.text.find("module") + len("module"))
        place = Span(source, max(start, 0), max(start, 0) + len(file.module[-1]))
        self._error(
            "KVM013",
            f"{source.path} says that it is the module `{said}`",
            place,
            help=f"write `module {expected};`, or rename the file",
        )

    def _report_circle(self) -> None:
        """Report one circle of modules, as the way round it."""
        done: set[ModulePath] = set()
        for start in self._files:
            way: list[tuple[ModulePath, Iterator[UseDecl]]] = []
            if start not in done:
                way.append((start, iter(self._uses_of(start))))
            while way:
                name, uses = way[-1]
                use = next(uses, None)
                if use is None:
                    done.add(name)
                    way.pop()
                    continue
                on_way = [module for module, _ in way]
                if use.module in on_way:
                    circle = [*on_way[on_way.index(use.module) :], use.module]
                    drawn = " -> ".join(".".join(module) for module in circle)
                    self._error("KVM011", f"modules use each other in a circle: {drawn}", use.span)
                    return
                if use.module not in done:
                    way.append((use.module, iter(self._uses_of(use.module))))

    def _uses_of(self, module: ModulePath) -> tuple[UseDecl, ...]:
        file = self._files.get(module)
        return _uses(file) if file is not None else ()

    def _suggestion(self, dotted: str) -> str:
        """`use …` with the module that was probably meant, or nothing."""
        known: set[str] = set()
        # The spec's own folder may hold anything, so only its top is looked at.
        for folder, pattern in zip(
            self._folders, ("*.kvm", *["**/*.kvm"] * len(self._folders)), strict=False
        ):
            for file in islice(folder.glob(pattern), _MAX_SUGGESTIONS):
                known.add(".".join(file.relative_to(folder).with_suffix("").parts))
        close = nearest(dotted, known)
        return f"write `use {close};`" if close else ""

    def _other_file(self, path: Path) -> str:
        """A file of a similar name in the same folder."""
        try:
            known = [file.name for file in islice(path.parent.glob("*.kvm"), _MAX_SUGGESTIONS)]
        except OSError:
            return ""
        close = nearest(path.name, known)
        return f"there is {path.parent / close}" if close else ""

    def _places(self) -> str:
        return ", ".join(f"{shown(folder)}/" for folder in self._folders)

    def _error(self, code: str, message: str, span: Span, *, help: str = "") -> None:
        self._failed = True
        self._collector.add(Diagnostic(code, message, Label(span), help=help))


def is_there(path: Path) -> bool:
    """Whether something of that name exists, a broken link too."""
    try:
        return path.exists() or path.is_symlink()
    except OSError:  # a name that no file can have
        return False


def is_inside(path: Path, folder: Path) -> bool:
    """Whether the path stays in the folder, wherever links lead."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # links in a circle
        return False


def used_modules(file: File) -> tuple[ModulePath, ...]:
    """The modules that a file uses, each once, in order."""
    return tuple(dict.fromkeys(use.module for use in _uses(file)))


def _uses(file: File) -> tuple[UseDecl, ...]:
    """What a file uses, and what its edits put in the place of a module."""
    uses: list[UseDecl] = []
    for item in file.items:
        if isinstance(item, UseDecl):
            uses.append(item)
        if isinstance(item, UseDecl | MutantDecl):
            uses += (UseDecl(e.by, None, (), e.span) for e in item.edits if isinstance(e, ReplaceModule))
    return tuple(uses)


def _in_dependency_order(entry: File, modules: dict[ModulePath, File]) -> dict[ModulePath, File]:
    """The modules, each after those that it uses; there is no circle."""
    ordered: dict[ModulePath, File] = {}
    waiting = [(use.module, False) for use in reversed(_uses(entry))]
    while waiting:
        name, ready = waiting.pop()
        if name in ordered:
            continue
        if ready:
            ordered[name] = modules[name]
        else:
            waiting.append((name, True))
            waiting.extend((use.module, False) for use in reversed(_uses(modules[name])))
    return ordered


def shown(path: Path) -> str:
    """The path as a person would write it: from here, if it is below here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (OSError, RuntimeError, ValueError):
        return str(path)
