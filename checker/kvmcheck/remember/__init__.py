# SPDX-License-Identifier: GPL-2.0-only
"""Results of earlier runs, by the content of everything that they depend on: begin with `results`."""
