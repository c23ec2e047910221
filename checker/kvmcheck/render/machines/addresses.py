# SPDX-License-Identifier: GPL-2.0-only
"""Where a check is, for readers that want a relative path or a URI, and what keeps its identity when lines move."""

from __future__ import annotations

import hashlib
import os
from urllib.parse import quote

from kvmcheck.render.machines.checks import Check


def uri(path: str) -> str:
    """The path as a URI reference: relative to where kvmcheck ran, `file://…` if it is absolute.

    >>> uri("./specs/a b#1.kvm")
    'specs/a%20b%231.kvm'
    """
    plain = quote(os.path.normpath(path).encode("utf-8", "surrogateescape"), safe="/")
    return f"file://{plain}" if plain.startswith("/") else plain


def fingerprint(check: Check) -> str:
    """32 hexadecimal digits that stay the same while file, case and property keep their names."""
    parts = (os.path.normpath(check.file), check.case, check.name)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
