# SPDX-License-Identifier: GPL-2.0-only
"""`kvmcheck fmt`: lay files out in the one way, or say which are not."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from kvmcheck.cli.arguments import fmt_parser, parsed
from kvmcheck.cli.exits import exit_status
from kvmcheck.explain.outcomes import Outcome, gravest
from kvmcheck.render.plain import visible
from kvmcheck.source.diagnostic import BadInput, Collector, Diagnostic
from kvmcheck.source.text import SourceText, nowhere, read


def fmt(argv: Sequence[str]) -> int:
    """The exit status: 1 where `--check` finds something to change, 2 for what can't be read."""
    from kvmcheck.cli.files import spec_files

    arguments = parsed(fmt_parser(), argv)
    terse, colour = bool(arguments.terse), False if arguments.no_color else None
    if not arguments.paths:
        return exit_status(_standard_input(check=arguments.check, terse=terse, colour=colour))
    collector = Collector()
    files = spec_files(arguments.paths, collector)
    _say(collector.all(), terse=terse, colour=colour)
    outcomes = [Outcome.BAD_INPUT] if collector.has_errors else []
    for file in files:
        outcomes.append(_file(file.path, check=arguments.check, terse=terse, colour=colour))
    return exit_status(gravest(outcomes))


def _file(path: str, *, check: bool, terse: bool, colour: bool | None) -> Outcome:
    """Lay a file out in place; with `check` only say whether that would change it."""
    try:
        source = _read(path)
        text = _laid_out(source)
    except BadInput as error:
        _say(error.diagnostics, terse=terse, colour=colour)
        return Outcome.BAD_INPUT
    if text == source.text:
        return Outcome.AS_EXPECTED
    if check:
        print(f"{visible(path)}: would be laid out differently")
        return Outcome.NOT_AS_EXPECTED
    try:
        _replace(Path(path), text)
    except OSError as error:
        print(f"kvmcheck: error: {visible(path)}: {error.strerror}", file=sys.stderr)
        return Outcome.BAD_INPUT
    print(f"{visible(path)}: laid out")
    return Outcome.AS_EXPECTED


def _standard_input(*, check: bool, terse: bool, colour: bool | None) -> Outcome:
    try:
        source = SourceText("<stdin>", sys.stdin.buffer.read().decode("utf-8"))
        text = _laid_out(source)
    except UnicodeDecodeError:
        _say((_unreadable("<stdin>", "KVM004", "this is not UTF-8"),), terse=terse, colour=colour)
        return Outcome.BAD_INPUT
    except BadInput as error:
        _say(error.diagnostics, terse=terse, colour=colour)
        return Outcome.BAD_INPUT
    if check:
        return Outcome.AS_EXPECTED if text == source.text else Outcome.NOT_AS_EXPECTED
    sys.stdout.write(text)
    return Outcome.AS_EXPECTED


def _laid_out(source: SourceText) -> str:
    from kvmcheck.lang.layout import format_source

    return format_source(source)


def _read(path: str) -> SourceText:
    """The text of a file; raises `BadInput`."""
    try:
        return read(Path(path))
    except UnicodeDecodeError:
        raise BadInput((_unreadable(path, "KVM004", "the file is not UTF-8"),)) from None
    except FileNotFoundError:
        raise BadInput((_unreadable(path, "KVM001", f"there is no file {path}"),)) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise BadInput((_unreadable(path, "KVM002", f"the file can't be read: {why}"),)) from None


def _unreadable(path: str, code: str, message: str) -> Diagnostic:
    collector = Collector()
    collector.error(code, message, nowhere(path))
    return collector.all()[0]


def _replace(path: Path, text: str) -> None:
    """Put the text in place of the file at once: an interruption leaves the old one."""
    target = path.resolve()
    new = target.with_name(f".{target.name}.new")
    try:
        new.write_bytes(text.encode("utf-8"))
        new.chmod(target.stat().st_mode)
        new.replace(target)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise


def _say(found: tuple[Diagnostic, ...], *, terse: bool, colour: bool | None) -> None:
    from kvmcheck.render.paint import paint_for
    from kvmcheck.render.source import draw, draw_terse

    errors = paint_for(sys.stderr, colour=colour)
    for diagnostic in found:
        if terse:
            print(draw_terse(diagnostic), file=sys.stderr)
        else:
            print(draw(diagnostic, colour=errors.colour), end="\n\n", file=sys.stderr)
