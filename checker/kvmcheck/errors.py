# SPDX-License-Identifier: GPL-2.0-only
"""What kvmcheck raises.

KvmcheckError
└── InternalError    a bug of ours: the answer can't be trusted, please report it

An input that can't be checked raises nothing in the Python interface: its report says so, with diagnostics.
"""

from __future__ import annotations


class KvmcheckError(Exception):
    """Anything that kvmcheck raises on purpose."""


class InternalError(KvmcheckError):
    """A bug of ours, noticed: for instance a trace that the plain evaluator does not follow."""
