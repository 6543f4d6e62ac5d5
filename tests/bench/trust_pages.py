#!/usr/bin/env python3
"""Pages whose cells are known, for bench/trust.py: those of upright_pages.py, and unkinder ones.

With a FOLDER they are written there: `NAME.png`, and `NAME.json` as our results hold cells.
"""

from __future__ import annotations

import io
import json
import math
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from PIL import Image, ImageChops

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "vm_side")]

from answer.cells import Cell  # noqa: E402 - found by the line above, as are those below
from bench import upright_pages as upright  # noqa: E402 - so is this
from bench.trust_sheet import KnownSheet, around  # noqa: E402 - so is this
from rig.page_art import scanned as on_gray_paper  # noqa: E402 - so is this

Draw = Callable[[KnownSheet], None]


def broadsheet(s: KnownSheet) -> None:
    """A newspaper with five or six narrow columns, interrupted by photos."""
    s.put(150, 30, " ".join(s.words(2)).upper(), 40)
    s.whole("Title")
    s.line((30, 86, 812, 86), 1.2)
    s.put(30, 92, f"{s.words(1)[0]} {s.rng.randint(1, 31)}, {s.rng.randint(1950, 2020)}", 8)
    s.close("Page-header")
    count = s.rng.choice((5, 6))
    wide = 782 / count
    size = s.rng.choice((7.5, 8, 9))
    for column in range(count):
        x, y = 30 + column * wide, 112.0
        while y < 1120:
            s.put(x, y, " ".join(s.words(2))[: int(wide / 8)], s.rng.choice((13, 16)))
            s.whole("Section-header")
            y = s.text((x, y + 22, x + wide - 8, 1150), size, 1.2, s.rng.randint(8, 40)) + 6
            if s.rng.random() < 0.3 and y < 1000:
                s.photo((x, y, x + wide - 8, y + 90))
                y += 96
                s.put(x, y, " ".join(s.words(3))[: int(wide / 4.5)], 7)
                s.whole("Caption")
                y += 14
        if column and s.rng.random() < 0.6:
            s.line((x - 4, 112, x - 4, 1150), 0.4)


def exam(s: KnownSheet) -> None:
    """Numbered questions with choices, blanks to fill in, and space for answers."""
    y = s.title(40, 18, 3)
    s.put(60, y, f"{s.words(1)[0]}: ____________    {s.words(1)[0]}: ________", 10)
    s.close()
    y += 30
    for question in range(1, s.rng.randint(6, 12)):
        s.put(60, y, f"{question}. {' '.join(s.words(s.rng.randint(6, 11)))} ({s.number()})?", 10)
        s.whole("List-item")
        y += 18
        kind = s.rng.randrange(3)
        if kind == 0:
            for place, letter in enumerate("ABCD"):
                s.put(80 + 115 * place, y, f"{letter}. {s.words(1)[0]}", 10)
                s.whole("List-item")
            y += 26
        elif kind == 1:
            s.line((80, y + 14, 420, y + 14), 0.5)
            y += 26
        else:
            s.pen.rectangle([s.px(at) for at in (80, y, 520, y + 40)], outline=s.ink)
            y += 54
        if y > 740:
            break
    s.put(290, 800, f"{s.rng.randint(1, 8)} / 8", 9)
    s.close("Page-footer")


def dark_slide(s: KnownSheet) -> None:
    """A few words on a dark ground, with a band and a footer."""
    s.on(s.rng.choice(((16, 24, 58), (40, 6, 30), (24, 24, 24))), (240, 240, 230))
    s.pen.rectangle((0, 0, s.image.width, s.px(70)), (40, 90, 160))
    s.title(18, 28, 3, 40)
    y = 110.0
    for _ in range(s.rng.randint(2, 5)):
        s.pen.ellipse([s.px(at) for at in (48, y + 8, 56, y + 16)], (230, 160, 40))
        s.put(70, y, " ".join(s.words(s.rng.randint(3, 7))), 18)
        s.whole("List-item")
        y += 46
    if s.rng.random() < 0.5:
        s.photo((560, 120, 800, 300))
    s.ink = (150, 160, 190)
    s.put(40, 448, f"{s.words(1)[0]} {s.rng.randint(2010, 2030)}", 9)
    s.close("Page-footer")
    s.put(800, 448, str(s.rng.randint(1, 60)), 9)
    s.close("Page-footer")


def textbook(s: KnownSheet) -> None:
    """A school book: coloured boxes, tints, two columns and pictures."""
    s.on((255, 252, 240), (30, 30, 40))
    s.pen.rectangle([s.px(at) for at in (0, 0, 595, 60)], (230, 120, 40))
    s.ink = (255, 255, 255)
    s.title(16, 22, 3)
    s.ink = (30, 30, 40)
    y = s.text((50, 80, 545, 200), 11, 1.4, s.rng.randint(2, 6)) + 10
    for left, tint in ((50, (220, 236, 250)), (305, (250, 226, 226))):
        s.pen.rectangle([s.px(at) for at in (left, y, left + 240, y + 210)], tint)
        s.ink = (20, 60, 140)
        s.put(left + 10, y + 8, " ".join(s.words(2)), 13)
        s.whole("Section-header")
        s.ink = (30, 30, 40)
        s.text((left + 10, y + 34, left + 230, y + 204), 9.5, 1.4, s.rng.randint(4, 11))
    s.photo((50, y + 226, 300, y + 380))
    s.put(50, y + 386, f"{s.words(1)[0]} {s.rng.randint(1, 9)}. {' '.join(s.words(3))}", 8)
    s.whole("Caption")
    s.text((315, y + 226, 545, 790), 10, 1.4)


def papers_formulas(s: KnownSheet) -> None:
    """Displayed formulas with their numbers between paragraphs, as in a paper."""
    y = 60.0
    for number in range(1, 9):
        y = s.text((60, y, 535, 790), 10, 1.35, s.rng.randint(2, 5)) + 12
        if y > 740:
            break
        a, b, c = (s.rng.choice("xyzabnk") for _ in range(3))
        s.put(170, y, f"{a}({b}) = ∑ {c} + 3{b} − ∫ {a} d{b} + {c} ≤ 2", 12, upright.MATH)
        latex = rf"{a}({b}) = \sum {c} + 3{b} - \int {a} \, d{b} + {c} \leq 2"
        s.whole("Formula", f"$${latex}$$")
        s.put(515, y, f"({number})", 10, upright.MATH)
        s.whole("Text")
        y += 30
    s.put(290, 806, str(s.rng.randint(1, 400)), 9)
    s.close("Page-footer")


def filled_form(s: KnownSheet) -> None:
    """Boxes with small labels above, side by side; some are filled in."""
    y = s.title(40, 18, 3)
    for _ in range(s.rng.randint(6, 11)):
        for left, right in ((50, 290), (305, 545)):
            s.pen.rectangle([s.px(at) for at in (left, y, right, y + 44)], outline=s.ink)
            s.put(left + 4, y + 3, " ".join(s.words(2)), 7)
            s.close()
            if s.rng.random() < 0.6:
                s.put(left + 10, y + 20, f"{s.words(1)[0]} {s.number()}", 13)
                s.close()
        y += 56


def waved(page: Image.Image, cells: list[Cell]) -> tuple[Image.Image, list[Cell]]:
    """Push columns of pixels up and down, so that lines wander like handwriting."""
    reach = page.height // 160
    image = Image.new(page.mode, page.size, page.getpixel((0, 0)))
    for x in range(page.width):
        column = page.crop((x, 0, x + 1, page.height))
        image.paste(column, (x, round(reach * math.sin(x / 9 / reach))))
    grown = []
    for cell in cells:
        left, top, right, bottom = cell["bbox"]
        box = [left, max(0, top - reach), right, min(page.height, bottom + reach)]
        grown.append({**cell, "bbox": box})
    return image, grown


def handwritten(s: KnownSheet) -> None:
    """Notes on ruled paper, in lines that wander."""
    for rule in range(60, 820, 28):
        s.line((0, rule, 595, rule), 0.3)
    y = 34.0
    while y < 760:
        for _ in range(s.rng.randint(1, 4)):
            words = " ".join(s.words(s.rng.randint(3, 6)))
            s.put(60 + s.rng.uniform(-4, 6), y + s.rng.uniform(-2, 2), words, 17)
            y += 28
            if y > 780:
                break
        s.close()
        y += 28
    s.image, s.cells = waved(s.image, s.cells)


OWN = (broadsheet, exam, dark_slide, textbook, papers_formulas, filled_form, handwritten)
OTHERS: tuple[Draw, ...] = tuple(
    draw  # not those that draw without put(): that text would be in no cell
    for draw in (*upright.TUNED, *upright.HELD_OUT)
    if draw not in (upright.letterhead, upright.formulas)
)
SIZES = {**upright.LANDSCAPE, "dark_slide": (842, 474), "broadsheet": (842, 1190)}


def turned(cells: Sequence[Cell], size: tuple[int, int], degrees: float) -> list[Cell]:
    """The cells of a picture that was turned about its middle, as Pillow turns it."""
    wide, high = size
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    found = []
    for cell in cells:
        left, top, right, bottom = cell["bbox"]
        corners = []
        for x, y in ((left, top), (right, top), (left, bottom), (right, bottom)):
            across, down = x - wide / 2, y - high / 2
            new_x = min(max(0, across * cosine + down * sine + wide / 2), wide)
            new_y = min(max(0, down * cosine - across * sine + high / 2), high)
            corners.append((new_x, new_y, new_x, new_y))
        found.append({**cell, "bbox": around(corners)})
    return found


def poor_scan(
    page: Image.Image, cells: list[Cell], rng: random.Random
) -> tuple[Image.Image, list[Cell]]:
    """Make a poor scan: askew on gray paper, in uneven light, as a bad JPEG."""
    degrees = rng.uniform(-1.2, 1.2)
    white = 255 if page.mode == "L" else (255, 255, 255)
    askew = page.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=white)
    gray = on_gray_paper(askew, rng.randrange(1000))
    light = Image.linear_gradient("L").rotate(rng.choice((0, 90, 180))).resize(page.size)
    light = light.point(lambda level: 255 - level // 4)
    shaded = ImageChops.multiply(gray, light.convert(gray.mode))
    buffer = io.BytesIO()
    shaded.save(buffer, "JPEG", quality=rng.choice((30, 50, 70)))
    return Image.open(buffer).convert(page.mode), turned(cells, page.size, degrees)


@dataclass(frozen=True)
class KnownPage:
    """A page and its true cells, in pixels of the page."""

    name: str
    image: Image.Image
    cells: list[Cell]


def drawn(
    draw: Draw, language: str, rng: random.Random, more: tuple[str, ...] = ()
) -> tuple[Image.Image, list[Cell]]:
    """Draw a clean page of this kind; return it and its cells."""
    wide, high = SIZES.get(draw.__name__, (595, 842))
    dpi = rng.choice((100, 120, 150, 200)) if wide * high > 100_000 else 200
    font = rng.choice(upright.fonts(language, more))
    sheet = KnownSheet(rng, language, font, dpi, wide, high)
    draw(sheet)
    sheet.close()
    return sheet.image, sheet.cells


def make(draw: Draw, language: str, seed: int, more: tuple[str, ...] = ()) -> KnownPage:
    """Make the page of this kind with this number, as if printed or scanned."""
    rng = random.Random(f"{draw.__name__} {language} {seed} known")
    image, cells = drawn(draw, language, rng, more)
    how = rng.choice(("clean", "clean", "poor", "blurred", "inverted"))
    if how == "poor":
        image, cells = poor_scan(image, cells, rng)
    elif how != "clean":
        image = {"blurred": upright.blurred, "inverted": upright.inverted}[how](image, rng)
    return KnownPage(f"{draw.__name__}_{language}_{seed}_{how}", image, cells)


def kinds(language: str, seeds: int) -> list[tuple[Draw, str, int]]:
    """What to make: `seeds` pages of each kind, and twice as many of the difficult kinds."""
    return [
        (draw, language, seed)
        for draw in (*OWN, *OTHERS)
        for seed in range(2 * seeds if draw in OWN else seeds)
    ]


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--seeds", default=1, help="Pages of each kind and language.")
@click.option("--font", multiple=True, help="A further font: en:FILE or ko:FILE.")
def main(folder: Path, seeds: int, font: tuple[str, ...]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for which in (*kinds("en", seeds), *kinds("ko", seeds)):
        page = make(*which, font)
        page.image.save(folder / f"{page.name}.png")
        text = json.dumps(page.cells, ensure_ascii=False)
        (folder / f"{page.name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
