# SPDX-License-Identifier: GPL-2.0-only
"""What a result depends on, as one hash: the texts of the spec, the options, and kvmcheck itself, every line of it."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from kvmcheck import __version__
from kvmcheck.lang.imports import ModulePath
from kvmcheck.pipeline import Options
from kvmcheck.source.text import SourceText

#: Packages that have a part in a verdict.
_BUILT_ON = ("lark", "networkx")
_PROGRAM = frozenset({".py", ".c", ".h", ".lark", ".json"})


def text_key(source: SourceText) -> str:
    """The key of a text by itself."""
    return _hashed("text", source.text)


def unit_key(parts: Iterable[tuple[ModulePath, SourceText]]) -> str:
    """The key of a spec: each text of it, under the path that reports name it by."""
    ordered = sorted(parts, key=lambda part: part[0])
    return _hashed(
        "unit", *(text for module, source in ordered for text in (".".join(module), source.path, source.text))
    )


def file_key(unit: str) -> str:
    """The key of what a spec declares."""
    return _hashed("file", tool_key(), unit)


def case_key(unit: str, case: str, options: Options) -> str:
    """The key of a case's result.

    Limits of time and memory are left out: a result that met one is not kept, and another is the same under each.
    """
    lasting = msgspec.json.encode(replace(options, seconds=None, memory=None), order="deterministic")
    return _hashed("case", tool_key(), unit, case, lasting.decode())


@lru_cache(maxsize=1)
def tool_key() -> str:
    """The key of this kvmcheck: its version, every file of its program, what it is built on, and the Python."""
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256("\0".join((__version__, sys.version, *map(_installed, _BUILT_ON), "")).encode())
    for path in sorted(package.rglob("*")):
        if path.suffix in _PROGRAM and "_library" not in path.parts:
            digest.update(f"{path.relative_to(package)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _hashed(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.hexdigest()
