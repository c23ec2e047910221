# SPDX-License-Identifier: GPL-2.0-only
"""Syntax to program: names, types, edits, and lowering to micro-operations."""
