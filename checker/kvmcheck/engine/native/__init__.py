# SPDX-License-Identifier: GPL-2.0-only
"""The native tier: the same program as C, against one small table of states.  `search.NativeSearch` is the entry."""
