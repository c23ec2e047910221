# SPDX-License-Identifier: GPL-2.0-only
"""`--report FORMAT=FILE`: reports beside what is printed.

A file is whole or not there: it is written under another name and renamed.  Whether that can work is asked before the
search, not after it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kvmcheck import __version__
from kvmcheck.cli.arguments import REPORTS, BadArguments

if TYPE_CHECKING:
    from kvmcheck.explain.report import Report

#: Stands for standard output.
STDOUT = "-"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report that was asked for: its format, and the file that it goes to."""

    format: str
    path: str


def wanted_reports(given: Sequence[str]) -> tuple[Wanted, ...]:
    """What `--report` asks for; raises `BadArguments` for what could not be written."""
    found: list[Wanted] = []
    for text in given:
        name, equals, path = text.partition("=")
        if not (equals and path):
            raise BadArguments(f"--report {text}: write FORMAT=FILE, e.g. --report junit=kvmcheck.xml")
        if name not in REPORTS:
            raise BadArguments(f"--report: no report is called `{name}`; there are {', '.join(REPORTS)}")
        if any(_same(path, other.path) for other in found):
            raise BadArguments(f"--report: two reports can't both go to {path}")
        need_writable("--report", path)
        found.append(Wanted(name, path))
    return tuple(found)


def rendered(name: str, report: Report, *, exit_status: int, timings: bool) -> str | None:
    """The report in that format; None where the format has nothing to show it with (ITF without a trace)."""
    match name:
        case "json":
            from kvmcheck.render.jsonreport import as_json

            return as_json(report, version=__version__, exit_status=exit_status, timings=timings)
        case "junit":
            from kvmcheck.render.machines.junit import as_junit

            return as_junit(report, timings=timings)
        case "sarif":
            from kvmcheck.render.machines.sarif import as_sarif

            return as_sarif(report, version=__version__, exit_status=exit_status)
        case "github":
            from kvmcheck.render.machines.github import as_github

            return as_github(report)
        case "gitlab":
            from kvmcheck.render.machines.gitlab import as_gitlab

            return as_gitlab(report)
        case "ktap":
            from kvmcheck.render.machines.ktap import as_ktap

            return as_ktap(report)
        case "markdown":
            from kvmcheck.render.machines.summary import as_markdown

            return as_markdown(report, exit_status=exit_status)
        case "itf":
            from kvmcheck.render.machines.itf import as_itf

            return as_itf(report)
        case "html":
            from kvmcheck.render.webpage.page import as_html

            return as_html(report, version=__version__, exit_status=exit_status, timings=timings)
        case _:
            raise ValueError(name)


def write(wanted: Wanted, text: str) -> None:
    """Write the report; raises `BadArguments` if it can't be written now, though it seemed so at first."""
    try:
        put(wanted.path, text)
    except Failed as error:
        raise BadArguments(f"--report {wanted.format}={wanted.path}: {error}") from None


class Failed(Exception):
    """Something could not be written; its text says why."""


def put(path: str, text: str | bytes) -> None:
    """Write to a file, or (no path, `-`) to standard output; raises `Failed`."""
    content = text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace")
    if path in ("", STDOUT):
        sys.stdout.write(text if isinstance(text, str) else text.decode("ascii", "backslashreplace"))
        return
    try:
        _written(Path(os.path.realpath(path)), content)
    except OSError as error:
        raise Failed(str(error.strerror or error)) from None


def append_summary(text: str) -> None:
    """Add Markdown to the summary of a GitHub job, if this is one."""
    path = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise BadArguments(f"GITHUB_STEP_SUMMARY, {path}: {error.strerror or error}") from None


def _written(path: Path, content: bytes) -> None:
    if path.exists() and not path.is_file():  # a pipe or a device has no other name to be written under
        path.write_bytes(content)
        return
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other) if STDOUT not in (one, other) else one == other


def need_writable(option: str, path: str) -> None:
    """Raises `BadArguments` if it is plain already that the file can't be written."""
    if path == STDOUT:
        return
    try:
        place = Path(os.path.realpath(path))
        folder = place.parent
        if place.is_dir():
            raise BadArguments(f"{option}: {path} is a folder")
        if not folder.is_dir():
            raise BadArguments(f"{option}: there is no folder {Path(path).parent}")
        special = place.exists() and not place.is_file()
        if not os.access(place if special else folder, os.W_OK):
            raise BadArguments(f"{option}: {path} can't be written")
    except (OSError, ValueError):  # a name that no file can have
        raise BadArguments(f"{option}: {path} can't be written") from None
