"""Draws the pages that `rig.pages` writes: pictures in memory, no files."""

from __future__ import annotations

import functools
import random
import statistics

import pymupdf
from PIL import Image, ImageChops, ImageDraw

A4_WIDTH_PT, A4_HEIGHT_PT = 595, 842

WORDS = [
    "amber",
    "basket",
    "candle",
    "dial",
    "ember",
    "ferry",
    "garden",
    "harbour",
    "island",
    "jar",
    "kettle",
    "lantern",
    "meadow",
    "needle",
    "orchard",
    "pebble",
    "quarry",
    "river",
    "saddle",
    "timber",
    "umbrella",
    "valley",
    "window",
    "yard",
    "zigzag",
    "of",
    "the",
    "and",
    "in",
    "to",
    "with",
    "under",
    "over",
    "between",
    "after",
    "before",
]


def _sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(WORDS, k=words)).capitalize() + "."


def draw_article(page: pymupdf.Page, seed: int, colour: bool) -> None:
    """Fill an A4 page with a title, text, a table and a figure that depend on the seed."""
    rng = random.Random(seed)
    ink = (0.1, 0.2, 0.6) if colour else (0, 0, 0)
    page.insert_text((60, 45), f"Test journal {seed}", fontsize=9)
    page.insert_text((60, 90), _sentence(rng, 4), fontsize=20, fontname="tibo", color=ink)
    for top in (110, 215, 320):
        text = " ".join(_sentence(rng, 12) for _ in range(7))
        page.insert_textbox((60, top, 535, top + 95), text, fontsize=10.5, fontname="tiro")
    left, top, wide, high, rows, columns = 60, 440, 118, 22, 5, 4
    for row in range(rows + 1):
        y = top + row * high
        page.draw_line((left, y), (left + columns * wide, y), width=0.7)
    for column in range(columns + 1):
        x = left + column * wide
        page.draw_line((x, top), (x, top + rows * high), width=0.7)
    for row in range(rows):
        for column in range(columns):
            cell = f"{rng.uniform(0, 100):.2f}" if row and column else rng.choice(WORDS)
            page.insert_text((left + column * wide + 6, top + row * high + 15), cell, fontsize=10)
    page.draw_rect((60, 580, 535, 730), color=ink, width=1)
    points = [(75 + 25 * step, 720 - rng.uniform(0, 130)) for step in range(19)]
    page.draw_polyline(points, color=(0.8, 0.2, 0.1) if colour else (0, 0, 0), width=1.5)
    page.insert_text((60, 748), f"Figure 1. {_sentence(rng, 6)}", fontsize=9, fontname="tiit")
    page.insert_text((290, 812), str(seed + 1), fontsize=9)


def article(dpi: int = 100, seed: int = 0, colour: bool = False) -> Image.Image:
    """An A4 page with text, a table and a figure: mode RGB if `colour`, else L."""
    return _drawn_article(dpi, seed, colour).copy()


@functools.lru_cache(maxsize=32)
def _drawn_article(dpi: int, seed: int, colour: bool) -> Image.Image:
    """Draw it once: it takes 40 ms, and tests want the same page again and again."""
    with pymupdf.open() as document:
        page = document.new_page(width=A4_WIDTH_PT, height=A4_HEIGHT_PT)
        draw_article(page, seed, colour)
        space = pymupdf.csRGB if colour else pymupdf.csGRAY
        pixmap = page.get_pixmap(dpi=dpi, colorspace=space, alpha=False)
    size = (pixmap.width, pixmap.height)
    return Image.frombytes("RGB" if colour else "L", size, pixmap.samples)


def colourful(dpi: int = 100, seed: int = 0) -> Image.Image:
    """An RGB article in colours on tinted paper, with a logo and a photo (of some noise)."""
    page = article(dpi, seed, colour=True)
    pen = ImageDraw.Draw(page)
    left, top, right, bottom = (at * dpi // 72 for at in (60, 580, 535, 730))
    logo = tuple(at * dpi // 72 for at in (470, 30, 530, 70))
    pen.ellipse(logo, fill=(200, 40, 40), outline=(250, 200, 60), width=dpi // 20)
    sky = Image.linear_gradient("L").resize((right - left, bottom - top))
    grain = _noise(sky.size, seed)
    hues = (sky, sky.transpose(Image.Transpose.ROTATE_180), sky.point(lambda hue: hue // 2 + 90))
    photo = Image.merge("RGB", [ImageChops.add(hue, grain, offset=-128) for hue in hues])
    page.paste(photo, (left, top))
    return ImageChops.multiply(page, Image.new("RGB", page.size, (255, 249, 232)))


def _noise(size: tuple[int, int], seed: int, sigma: float = 4) -> Image.Image:
    """Gaussian noise around 128, in mode L.

    Image.effect_noise cannot be seeded. Here each random byte is mapped to a value of the bell
    curve, which is as fast and always the same.
    """
    bell = statistics.NormalDist(128, sigma)
    table = bytes(round(bell.inv_cdf((value + 0.5) / 256)) for value in range(256))
    return Image.frombytes(
        "L", size, random.Random(seed).randbytes(size[0] * size[1]).translate(table)
    )


def scanned(picture: Image.Image, seed: int) -> Image.Image:
    """The same page on slightly grey paper with scanner noise, different in each channel."""
    paper = picture.point(lambda value: value * 200 // 255 + 40)
    noise = [_noise(paper.size, seed + 1_000 * band) for band in range(len(paper.getbands()))]
    return ImageChops.add(paper, Image.merge(paper.mode, noise), offset=-128)


def noisy_scan(dpi: int = 200, seed: int = 0, colour: bool = False) -> Image.Image:
    """An A4 article that looks scanned (sigma 4), in mode L or RGB. Its PNG is large."""
    return scanned(colourful(dpi, seed) if colour else article(dpi, seed), seed)


def tiny(seed: int = 0) -> Image.Image:
    """A 48 x 32 picture in mode L, different for each seed below 4096."""
    picture = Image.new("L", (48, 32), 255)
    draw = ImageDraw.Draw(picture)
    for bit in range(12):
        if seed >> bit & 1:
            x, y = 4 + bit % 4 * 10, 4 + bit // 4 * 8
            draw.rectangle((x, y, x + 7, y + 5), fill=0)
    return picture
