# SPDX-License-Identifier: GPL-2.0-only
"""The meaning of a program: sorts, values, the program itself, one step at a time, verdicts."""
