# SPDX-License-Identifier: GPL-2.0-only
"""Text to syntax: the grammar, the syntax tree, module loading, canonical layout."""
