# SPDX-License-Identifier: GPL-2.0-only
"""Results to stories: what changed, what mattered, in whose words."""
