# SPDX-License-Identifier: GPL-2.0-only
"""Why a run fails: which orderings it needs, computed by running the program the other way round."""
