# SPDX-License-Identifier: GPL-2.0-only
"""Liveness: what every fair run comes to in the end.  `judge.py` is the entry."""
