#!/usr/bin/env python3
"""How many turned pages are found, and how many upright ones are turned by mistake.

Pages of many kinds are made, English and Korean, clean and damaged; each is shown as it is and
turned by a quarter, by half and by three quarters. A turned page counts as found if what is done to
it sets it upright. Pages with little writing on them are counted apart. `--by tesseract` measures
Tesseract's OSD in place of ours, as a yardstick.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import click
from PIL import Image

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "vm_side")]

from bench import upright_pages as pages  # noqa: E402 - found by the line above
from picture import looks, orientation  # noqa: E402 - so are these
from picture.upright import turned  # noqa: E402 - so is this

Judge = Callable[[Image.Image], int]
GROUPS = {"tuned on": pages.TUNED, "held out": pages.HELD_OUT, "no way up": pages.WITHOUT_WAY}
ANGLES = (0, 90, 180, 270)


def ours(page: Image.Image) -> int:
    """The turn that picture/ would make."""
    return looks.degrees_to_upright(page, orientation.ask)


def tesseract(page: Image.Image) -> int:
    """The turn that Tesseract's OSD would make, if its confidence is at least 1."""
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        page.save(file.name, compress_level=1, dpi=(100, 100))
        command = ["tesseract", file.name, "-", "--psm", "0"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = dict(re.findall(r"(Rotate|Orientation confidence): ([\d.]+)", done.stdout))
    return int(said["Rotate"]) if float(said.get("Orientation confidence", 0)) >= 1 else 0


@click.command(help=__doc__)
@click.option("--by", type=click.Choice(["ours", "tesseract"]), default="ours")
@click.option("--seeds", default=6, help="Pages of each kind and language.")
@click.option("--first", default=1000, help="The first one's number.")
@click.option("--font", multiple=True, help="A further font: en:FILE or ko:FILE.")
def main(by: str, seeds: int, first: int, font: tuple[str, ...]) -> None:
    judge: Judge = {"ours": ours, "tesseract": tesseract}[by]
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    for group, draws in GROUPS.items():
        for draw in draws:
            for language in ("en", "ko"):
                row: Counter[str] = Counter()
                for seed in range(first, first + seeds):
                    made = pages.make(draw, language, seed, font)
                    for angle in ANGLES:
                        started = time.process_time()
                        degrees = judge(turned(made.image, angle))
                        row["ms"] += round(1000 * (time.process_time() - started)) * (not angle)
                        outcome = {0: "left", -angle % 360: "right"}.get(degrees, "wrong")
                        row[f"{angle} {outcome}"] += 1
                click.echo(f"{group:10} {draw.__name__:14} {language}  {told(row, seeds)}")
                size = (
                    "" if group == "no way up" else " few" if draw in pages.FEW_WORDS else " text"
                )
                totals[group + size] += row
                totals[group + size]["pages"] += seeds
    for name, row in totals.items():
        click.echo(f"{name:28}  {told(row, row['pages'])}")


def told(row: Counter[str], count: int) -> str:
    """A row of the table."""
    found = ", ".join(f"{row[f'{angle} right']} at {angle}" for angle in ANGLES[1:])
    wrong = sum(row[f"{angle} wrong"] for angle in ANGLES[1:])
    return (
        f"of {count} upright {count - row['0 right']} turned; found {found}; {wrong} turned wrong;"
        f" {row['ms'] / count:.0f} ms"
    )


if __name__ == "__main__":
    main()
