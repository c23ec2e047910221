# SPDX-License-Identifier: GPL-2.0-only
"""Settings for the whole suite: random tests repeat themselves where a machine judges."""

from __future__ import annotations

import os

from hypothesis import settings

# No deadline: a shared machine is slow at times, and that is no failure of ours.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
