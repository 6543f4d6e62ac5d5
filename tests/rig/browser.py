"""Headless Chromium, as Debian packages it; nothing is downloaded, nothing leaves this machine."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from rig.programs import needed

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LISTEN = """
document.addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
"""


def find_chromium() -> str:
    """Find Debian's browser."""
    return needed("chromium", "chromium")


def find_browser() -> str:
    """Find the headless shell, which needs a third of the CPU; if it is missing, Chromium."""
    return shutil.which("chromium-headless-shell") or find_chromium()


@contextlib.contextmanager
def open_browser() -> Iterator[Browser]:
    """Open a browser with a profile of its own, which is removed afterwards."""
    path = find_browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def until(page: Page, expression: str, argument: Any = None, timeout_s: float = 60) -> None:
    """Wait until the expression is true in the page.

    Playwright's wait_for_function evaluates text in the page. The reports' policy forbids that.
    """
    deadline = time.monotonic() + timeout_s
    while not page.evaluate(expression, argument):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not true within {timeout_s} s: {expression}")
        page.wait_for_timeout(10)


@dataclass
class Watched:
    """A page, and everything it did that a report must never do."""

    page: Page
    trouble: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, browser: Browser, **options: Any) -> Watched:
        """Open a page and record dialogs, requests, policy reports, errors and new windows."""
        size = ViewportSize(width=1360, height=900)
        page = browser.new_page(**{"viewport": size, "locale": "en-US", **options})
        page.set_default_timeout(60_000)
        watched = cls(page)
        page.add_init_script(LISTEN)

        def on_dialog(dialog: Any) -> None:
            watched.trouble.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        def on_console(message: Any) -> None:
            if message.type in ("error", "warning"):
                watched.trouble.append(f"console: {message.text}")

        def on_request(request: Any) -> None:
            if not request.url.startswith("file:"):
                watched.trouble.append(f"request: {request.url:.100}")

        page.on("dialog", on_dialog)
        page.on("console", on_console)
        page.on("request", on_request)
        page.on("pageerror", lambda error: watched.trouble.append(f"error: {error}"))
        page.on("popup", lambda other: watched.trouble.append(f"window: {other.url}"))
        return watched
