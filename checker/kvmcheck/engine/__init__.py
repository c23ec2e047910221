# SPDX-License-Identifier: GPL-2.0-only
"""Searching: compiled successors, breadth-first search, properties, replay."""
