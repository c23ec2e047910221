# SPDX-License-Identifier: GPL-2.0-only
"""Every small edit of a model by itself, as somebody would write it as a mutant."""
