# SPDX-License-Identifier: GPL-2.0-only
"""The language server: what editors ask about a text while it is typed."""
