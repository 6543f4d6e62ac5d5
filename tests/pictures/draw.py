#!/usr/bin/env python3
"""Draws the pictures in docs/images/: the report of the samples, and a sample with its boxes.

The samples are read by the CPU preview, as the README's first command does; Chromium shows the
report. Run it again after a change of the report:  make pictures
"""

from __future__ import annotations

import io
import math
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import click
import pymupdf
from PIL import Image
from playwright.sync_api import Browser, ViewportSize

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("vm_side", "tools", "tests")]

from rig.browser import open_browser, until  # noqa: E402 - found by the line above
from rig.toolkit import NOT_INHERITED, free_port  # noqa: E402 - so is this

FOLDER = ROOT / "docs" / "images"
SIZE = ViewportSize(width=1200, height=720)
# ending of the picture's name -> the browser's language, and the sample that is open
SHOWN = {"": ("en-US", "150dpi/two columns.png"), ".ko": ("ko-KR", "korean/도서관_안내.png")}
SCHEMES = {"": "light", "-dark": "dark"}
DRAWN = "100dpi/timetable/timetable.jpg"
DRAWN_PART = 0.58  # share of the page, from its top
COLOURS = 128
PAINTED = """async () => {  // a picture that has come may not be in the frame yet
  for (const image of document.images) image.decoding = "sync";
  await Promise.all([...document.images].map((image) => image.decode()));
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
}"""
APART = 6  # distance of two colours, each with parts from 0 to 255


def read_samples(results: Path) -> None:
    """Run `make all INPUT=samples TARGET=local IMAGES=1`, on a port of its own."""
    environment = {name: text for name, text in os.environ.items() if name not in NOT_INHERITED}
    environment |= {"TARGET": "local", "IMAGES": "1", "INPUT": str(ROOT / "samples")}
    environment |= {"OUTPUT": str(results), "MACHINE_DIR": str(results.parent / "machine")}
    environment["ENDPOINT"] = f"http://127.0.0.1:{free_port()}"
    subprocess.run([sys.executable, ROOT / "tools" / "all.py"], env=environment, check=True)


def lend_korean_font(folder: Path) -> None:
    """Let Chromium show Korean with MuPDF's font, if the system has no Korean font."""
    (folder / "fonts").mkdir()
    (folder / "fonts" / "korean.ttf").write_bytes(pymupdf.Font("korea").buffer)
    os.environ["XDG_DATA_HOME"] = str(folder)


def shown(browser: Browser, report: Path, locale: str, scheme: str, sample: str) -> Image.Image:
    """A screenshot of the report, with a sample open."""
    page = browser.new_page(viewport=SIZE, locale=locale)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(report.as_uri())
    page.locator(".row", has_text=sample).locator("a").first.click()
    page.mouse.move(0, 0)
    until(page, "[...document.images].every((image) => image.complete && image.naturalWidth)")
    page.evaluate(PAINTED)
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
    page.close()
    return picture


def palette_of(picture: Image.Image) -> Image.Image:
    """The most frequent colours of a picture, without those that are very similar."""
    counts = Counter(zip(*[iter(picture.tobytes())] * 3, strict=True))
    chosen: list[tuple[int, ...]] = []
    for colour, _ in counts.most_common():
        if all(math.dist(colour, other) > APART for other in chosen):
            chosen.append(colour)
            if len(chosen) == COLOURS:
                break
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in chosen for part in colour])
    return palette


def save(picture: Image.Image, name: str) -> None:
    """Save the picture as a small PNG with a palette."""
    path, whole = FOLDER / name, picture.convert("RGB")
    small = whole.quantize(palette=palette_of(whole), dither=Image.Dither.NONE)
    small.save(path, optimize=True)
    click.echo(f"{path.stat().st_size / 1024:7.1f} KiB  {path}", err=True)


@click.command(help=__doc__)
@click.option("--results", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(results: Path | None) -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        lend_korean_font(Path(scratch))
        if results is None:
            results = Path(scratch, "results")
            read_samples(results)
        with open_browser() as browser:
            for ending, scheme in SCHEMES.items():
                for language, (locale, sample) in SHOWN.items():
                    picture = shown(browser, results / "report.html", locale, scheme, sample)
                    save(picture, f"report{ending}{language}.png")
        with Image.open(results / DRAWN) as page:
            save(page.crop((0, 0, page.width, round(DRAWN_PART * page.height))), "drawn.png")


if __name__ == "__main__":
    main()
