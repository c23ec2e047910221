# SPDX-License-Identifier: GPL-2.0-only
"""A program as Boolean formulas: its state as bits, its steps and claims as gates over them."""
