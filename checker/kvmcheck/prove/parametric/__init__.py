# SPDX-License-Identifier: GPL-2.0-only
"""Proofs for every size: scalarsets and processes as uninterpreted sorts, a quantified invariant, its obligations."""
