# SPDX-License-Identifier: GPL-2.0-only
"""Traces that were written down as JSON, and run again on a spec as it is now."""
