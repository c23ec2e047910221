# SPDX-License-Identifier: GPL-2.0-only
"""Proofs with z3: from the same program as the explorer, encoded as Boolean formulas."""
