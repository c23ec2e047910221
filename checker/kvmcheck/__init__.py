# SPDX-License-Identifier: GPL-2.0-only
"""kvmcheck: a model checker for KVM's page-fault and MMU-notifier code.

The names below are the Python interface; everything else may change.  They are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kvmcheck.engine.result import Result as Result
    from kvmcheck.errors import KvmcheckError as KvmcheckError
    from kvmcheck.pipeline import check as check
    from kvmcheck.semantics.verdict import Verdict as Verdict

__version__ = "0.1.0"

__all__ = ["KvmcheckError", "Result", "Verdict", "__version__", "check"]

_HOMES = {
    "KvmcheckError": "kvmcheck.errors",
    "Result": "kvmcheck.engine.result",
    "Verdict": "kvmcheck.semantics.verdict",
    "check": "kvmcheck.pipeline",
}


def __getattr__(name: str) -> object:
    """The public name, from the module that has it: `import kvmcheck` alone costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'kvmcheck' has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(_HOMES[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
