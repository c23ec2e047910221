# SPDX-License-Identifier: GPL-2.0-only
"""The same program for other checkers: Murphi (Rumur), Promela (SPIN), TLA+ (TLC).

program -> world -> steps -> text.  `world` says which cells hold a state, `steps` unfolds each step into a tree of
tests and assignments, a module per target writes it down.  `write.export` is the entry.
"""
