# SPDX-License-Identifier: GPL-2.0-only
"""Source text, places in it, and what is said about them."""
