"""Connected parts of ink, on any ground."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from PIL import Image, ImageDraw

from rig.written_page import full_page
from trust.ink.parts import SEEN_PIXELS, ink_in, reduced
from trust.ink.runs import joined, runs_of, touching

DRAWN = """
.##..#.
..#.#..
.....#.
#..##..
#......
"""


def test_what_touches_is_one_part_corners_counted() -> None:
    bits = numpy.array([[sign == "#" for sign in row] for row in DRAWN.split()])
    runs = runs_of(bits)
    part = joined(touching(runs), len(runs))
    picture = numpy.zeros(bits.shape, int)
    for row, start, end, number in zip(runs.rows, runs.starts, runs.ends, part, strict=True):
        picture[row, start:end] = number + 1
    assert picture.tolist() == [
        [0, 1, 1, 0, 0, 2, 0],
        [0, 0, 1, 0, 2, 0, 0],
        [0, 0, 0, 0, 0, 2, 0],
        [3, 0, 0, 2, 2, 0, 0],
        [3, 0, 0, 0, 0, 0, 0],
    ]


def test_a_long_chain_is_one_part() -> None:
    pairs = numpy.arange(999), numpy.arange(1, 1000)
    assert not joined(pairs, 1000).any()
    assert joined((pairs[1][::2], pairs[0][::2]), 1000).tolist() == [n // 2 for n in range(1000)]


@pytest.mark.parametrize(
    ("paper", "ink"),
    [(255, 0), (0, 255), (120, 235), (200, 120), (250, 200)],
    ids=["black on white", "white on black", "slide", "grey paper", "faint"],
)
def test_letters_are_found_whatever_the_ground(paper: int, ink: int) -> None:
    expected, _ = ink_in(full_page().picture)
    found, _ = ink_in(full_page(paper=paper, ink=ink).picture)
    assert len(found.boxes) == pytest.approx(len(expected.boxes), rel=0.05)


def test_a_shadow_and_noise_are_no_ink() -> None:
    rows, columns = numpy.mgrid[:1680, :1176]
    noise = numpy.random.default_rng(0).normal(0, 4, (1680, 1176))
    shadow = 255 - 100 * columns / 1176 - 60 * rows / 1680
    paper = numpy.clip(shadow + noise, 0, 255).astype(numpy.uint8)
    assert len(ink_in(Image.fromarray(paper))[0].boxes) < 20


def test_rules_are_no_parts() -> None:
    picture = Image.new("L", (1176, 1680), 255)
    pen = ImageDraw.Draw(picture)
    for row in range(100, 1600, 40):
        pen.line((50, row, 1100, row), fill=0, width=2)
    assert not len(ink_in(picture)[0].boxes)


@pytest.mark.parametrize("size", [(2800, 4032), (47_000, 236), (236, 47_000)])
def test_a_larger_page_is_reduced(size: tuple[int, int]) -> None:
    gray, step = reduced(Image.new("L", size, 255))
    assert gray.width * gray.height <= SEEN_PIXELS
    assert max(gray.size) < 32_767  # boxes have 16 bits
    assert step == 3


@pytest.mark.parametrize("size", [(56, 56), (28, 112), (1, 3136)])
@pytest.mark.parametrize("paper", [0, 255])
def test_the_smallest_page_has_no_ink(size: tuple[int, int], paper: Any) -> None:
    assert not len(ink_in(Image.new("L", size, paper))[0].boxes)
