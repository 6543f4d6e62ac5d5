#!/usr/bin/env python3
"""Measure the report of many pages: making it, its size, opening, searching, scrolling."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / name) for name in ("tests", "tools", "vm_side")]

from lib.pages.entries import read_entries  # noqa: E402 - so is this
from lib.report import pictures  # noqa: E402 - found by the line above
from lib.report.build import FOLDER, build  # noqa: E402 - so is this
from rig.browser import Watched, open_browser  # noqa: E402 - so is this
from rig.result_sets import write_book  # noqa: E402 - so is this

SCROLL = """async (pixels) => {
  const list = document.getElementById('list');
  const gaps = [];
  let last = performance.now();
  for (let step = 0; step < 180; step += 1) {
    scrollTo(0, 2000 + step * pixels);
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    gaps.push(now - last);
    last = now;
  }
  gaps.sort((one, other) => one - other);
  return [gaps[90], gaps[171], gaps.at(-1), list.querySelectorAll('.row').length];
}"""
SEARCH = """async (word) => {
  const started = performance.now();
  const list = document.getElementById('list');
  const field = document.getElementById('search');
  field.value = word;
  field.dispatchEvent(new Event('input'));
  await new Promise((resolve) => setTimeout(resolve, 130));
  while (list.dataset.ready !== 'true') await new Promise((resolve) => setTimeout(resolve, 10));
  await new Promise(requestAnimationFrame);
  return [performance.now() - started, document.getElementById('count').textContent];
}"""


@click.command(help=__doc__)
@click.option("--pages", default=10_000, show_default=True)
@click.option("--doubted", default=0.1, show_default=True, help="Share of pages with doubts.")
@click.option("--folder", type=click.Path(path_type=Path), help="Keep the results here.")
def main(pages: int, doubted: float, folder: Path | None) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        output = folder or Path(temporary, "results")
        if not (output / "manifest.jsonl").is_file():
            timed("write the results", write_book, output, pages, 1, doubted)
        draw_pictures(output)
        timed("make the report", build, output, None)
        timed("make it again", build, output, None)
        for path in (output / "report.html", *sorted((output / FOLDER).iterdir())):
            size = subprocess.check_output(["du", "-sb", str(path)], text=True).split()[0]
            print(f"{path.name:24} {int(size) / 1e6:10.2f} MB")
        measure(output / "report.html")


def timed(what: str, function: Any, *arguments: Any) -> None:
    """Run something and print how long it took."""
    started = time.perf_counter()
    function(*arguments)
    print(f"{what:24} {time.perf_counter() - started:10.2f} s")


def draw_pictures(output: Path) -> None:
    """Give every page a picture, as if made from an input; there are twenty different ones."""
    folder = output / FOLDER
    for kind in pictures.KINDS:
        (folder / kind).mkdir(parents=True, exist_ok=True)
    drawn: list[list[bytes]] = []
    for number in range(20):
        page = Image.new("RGB", (990, 1400), "white")
        pen = ImageDraw.Draw(page)
        for line in range(60):
            pen.text((90, 80 + 20 * line), f"{number} {line} what stands on a page " * 4, "black")
        pictures.write(page, folder, f"example{number}")
        paths = [folder / kind / f"example{number}{pictures.ENDING}" for kind in pictures.KINDS]
        drawn.append([path.read_bytes() for path in paths])
    for number, entry in enumerate(read_entries(output)):
        for kind, data in zip(pictures.KINDS, drawn[number % 20], strict=True):
            (folder / kind / f"{entry.picture}{pictures.ENDING}").write_bytes(data)


def measure(report: Path) -> None:
    """Open, search and scroll in a browser that has not seen the report before."""
    with open_browser() as browser:
        for attempt in range(3):
            page = Watched.open(browser).page
            started = time.perf_counter()
            page.goto(report.as_uri(), wait_until="commit")
            page.wait_for_selector(".row img")
            page.evaluate("() => new Promise(requestAnimationFrame)")
            print(f"open, try {attempt + 1}              {time.perf_counter() - started:10.2f} s")
            if attempt < 2:
                page.close()
        for word in ("formulas", "formula", "column 47.9", "페이지", "nowhere"):
            took, count = page.evaluate(SEARCH, word)
            print(f"search {word:17} {took:10.0f} ms  ({count})")
        page.evaluate(SEARCH, "")
        for pixels in (100, 400, 5000):
            median, most, worst, rows = page.evaluate(SCROLL, pixels)
            print(
                f"scroll {pixels:4} px a frame     {median:10.1f} ms median,"
                f" {most:.1f} ms for 95 %, {worst:.1f} ms the longest; {rows} rows drawn"
            )
        started = time.perf_counter()
        page.locator(".row a").first.click()
        page.wait_for_selector("#text .facts")
        print(f"open a page              {time.perf_counter() - started:10.2f} s")


if __name__ == "__main__":
    main()
