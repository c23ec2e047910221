# SPDX-License-Identifier: GPL-2.0-only
"""A report for programs that read it: one module for each format, all drawn from the checks of `checks`."""
