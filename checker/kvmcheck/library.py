# SPDX-License-Identifier: GPL-2.0-only
"""Where model/, specs/ and the manual's pages are: beside the package in a wheel, else in the checkout."""

from __future__ import annotations

from pathlib import Path


def library_root() -> Path:
    """The folder that holds `model` and `specs`."""
    package = Path(__file__).resolve().parent
    inside = package / "_library"
    return inside if inside.is_dir() else package.parent.parent


def model_folder() -> Path:
    """Where `use NAME;` looks last."""
    return library_root() / "model"


def error_page(code: str) -> Path:
    """The page that explains a diagnostic; it may not exist."""
    root = library_root()
    inside = root / "errors" / f"{code}.md"
    return inside if inside.exists() else root / "docs" / "reference" / "errors" / f"{code}.md"
