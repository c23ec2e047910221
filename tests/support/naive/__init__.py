# SPDX-License-Identifier: GPL-2.0-only
"""A second checker, deliberately dumb: it shares the parser with kvmcheck and nothing else."""

from tests.support.naive.check import NaiveResult, check

__all__ = ["NaiveResult", "check"]
