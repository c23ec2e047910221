# SPDX-License-Identifier: GPL-2.0-only
"""A headless Chromium for the HTML report, and its page.  Without one these tests are skipped, and say so.

The browser is the machine's own; nothing is downloaded.  `KVMCHECK_CHROMIUM` names another one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.pages import written

#: Milliseconds for anything to appear: nothing is waited for but the page's own script.
PATIENCE = 20_000


@dataclass(slots=True)
class Opened:
    """A page that is open, what it asked for, what of that the browser refused, and what it complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, wherever the focus is."""
        for key in keys:
            self.page.keyboard.press(key)

    def text(self, place: str) -> str:
        """What stands in the first element of a CSS selector."""
        return self.page.locator(place).first.inner_text(timeout=PATIENCE)

    @property
    def count(self) -> str:
        """Which step is shown, as `3 of 14`."""
        return self.text("#count")


Open = Callable[..., Opened]


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page on three specs: a violation and hostile names, a run without an end, a mistake."""
    return written(tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The machine's Chromium."""
    path = os.environ.get("KVMCHECK_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("there is no chromium")
    with sync_playwright() as driver:
        # Without a sandbox, which containers can't give it: it opens our own page only.
        found = driver.chromium.launch(executable_path=path, args=["--no-sandbox"], timeout=60_000)
        yield found
        found.close()


@pytest.fixture
def opened(browser: Browser, report: Path) -> Iterator[Open]:
    """Opens the report at a place, from its file."""
    contexts = []

    def open_(place: str = "", scheme: Literal["light", "dark"] = "light", width: int = 1400) -> Opened:
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
        contexts.append(context)
        found = Opened(context.new_page())
        context.on("request", lambda request: found.requests.append(request.url))
        context.on("requestfailed", lambda failed: found.refused.append(f"{failed.url}: {failed.failure}"))
        found.page.on("console", lambda said: found.complaints.append(said.text))
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        found.page.on("dialog", lambda dialog: found.complaints.append(f"dialog {dialog.message}"))
        found.page.goto(report.as_uri() + place, timeout=PATIENCE)
        return found

    yield open_
    for context in contexts:
        context.close()
