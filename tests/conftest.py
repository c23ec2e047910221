# SPDX-License-Identifier: GPL-2.0-only
"""Settings for the whole suite: random tests repeat themselves where a machine judges, and nothing is remembered."""

from __future__ import annotations

import os

from hypothesis import settings

# No deadline: a shared machine is slow at times, and that is no failure of ours.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)

# What an earlier run found must not hide what the code does now.
os.environ.setdefault("KVMCHECK_NO_CACHE", "1")

# Specs in here are the material of tests, many of them wrong on purpose; `pytest specs/` checks real ones.
collect_ignore_glob = ["*.kvm"]
settings.load_profile("ci" if os.environ.get("CI") else "local")
