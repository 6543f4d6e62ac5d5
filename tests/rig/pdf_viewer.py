"""Look at PDFs in Chromium's own viewer. Only its new headless mode has this viewer."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

from rig.browser import FLAGS, find_chromium

LIGHT = 200  # gray level above which a pixel is paper
PATIENCE_S = 120.0
REST_MS = 300
T = TypeVar("T")
Rect = tuple[int, int, int, int]


@dataclass
class Viewer:
    """A window that shows only a PDF; `paper` is the place of the page in it."""

    window: Page
    paper: Rect = (0, 0, 0, 0)

    def picture(self) -> Image.Image:
        """A picture of the page as it is shown."""
        return self.seen().crop(self.paper)

    def seen(self) -> Image.Image:
        """A picture of the window, once it is still: the viewer lays a page out more than once."""

        def at_rest() -> Image.Image | None:
            first = self.window.screenshot()
            self.window.wait_for_timeout(REST_MS)
            return Image.open(io.BytesIO(first)) if first == self.window.screenshot() else None

        return until(at_rest).convert("RGB")

    def find_paper(self) -> Rect | None:
        """The place of the page, once it is drawn."""
        light = numpy.asarray(self.seen().convert("L")) > LIGHT
        across, down = (numpy.flatnonzero(light.mean(axis=axis) > 0.3) for axis in (0, 1))
        if not across.size or not down.size:
            return None
        return int(across[0]), int(down[0]), int(across[-1]) + 1, int(down[-1]) + 1

    def select_all(self) -> NDArray[numpy.bool_]:
        """Select all that can be selected; return which pixels of the page are marked then."""
        self.window.mouse.click(self.paper[2] - 5, self.paper[3] - 5)
        before = numpy.asarray(self.picture(), int)
        self.window.keyboard.press("Control+a")

        def marked() -> NDArray[numpy.bool_] | None:
            apart = abs(numpy.asarray(self.picture(), int) - before)
            found: NDArray[numpy.bool_] = (apart > 20).any(axis=2)
            return found if found.any() else None

        return until(marked)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Select with the mouse from one place to another; the places are shares of the page."""
        left, top, right, bottom = self.paper
        (x0, y0), (x1, y1) = (
            (left + x * (right - left), top + y * (bottom - top)) for x, y in (start, end)
        )
        self.window.mouse.move(x0, y0)
        self.window.mouse.down()
        self.window.mouse.move(x1, y1, steps=10)
        self.window.mouse.up()


def until(look: Callable[[], T | None]) -> T:
    """Look until there is something to return. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"not seen within {PATIENCE_S:g} s")
    return found


@contextlib.contextmanager
def open_viewer(path: Path, wide: int, high: int) -> Iterator[Viewer]:
    """Show a PDF in a window of this size."""
    chromium = find_chromium()
    flags = ["--headless=new", *(flag for flag in FLAGS if flag != "--headless")]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            headless=False,  # True would start the old mode
            args=flags,
        )
        try:
            window = browser.new_page(viewport=ViewportSize(width=wide, height=high))
            window.goto(f"{path.as_uri()}#toolbar=0&navpanes=0&view=Fit")
            viewer = Viewer(window)
            viewer.paper = until(viewer.find_paper)
            yield viewer
        finally:
            browser.close()
