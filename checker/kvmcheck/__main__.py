# SPDX-License-Identifier: GPL-2.0-only
"""`python -m kvmcheck`."""

from __future__ import annotations

import sys

from kvmcheck.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
