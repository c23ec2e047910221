# SPDX-License-Identifier: GPL-2.0-only
"""Graphs of runs and of state spaces, and pictures of them: begin with `picture`."""
