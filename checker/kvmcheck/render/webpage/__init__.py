# SPDX-License-Identifier: GPL-2.0-only
"""A report as one HTML file that needs nothing else: no network, no font, no other file."""
