"""A page with a known layout, and the answers of models that read it correctly or wrongly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pymupdf
from PIL import Image

from rig.page_art import A4_HEIGHT_PT, A4_WIDTH_PT

Cell = dict[str, Any]
BLOCKS = 5
SAID = (
    "The witness of block {number} says that the harbour was calm in the morning, that {number} "
    "boats had left it before noon, and that nobody on the pier could tell where they were bound. "
    "In the evening the keeper of the lighthouse wrote all of it down in his book, as he always "
    "did, and closed the shutters against the wind that came up from the west."
)
OTHER = (  # about as much ink as a paragraph has
    "Nobody has seen a heron there since the lamps went out. Two bridges lead over the canal, and "
    "both are closed at night. Who wants to cross must ask at the mill, where a dog is kept, or go "
    "round by the old road, which takes an hour and is under water for most of the spring."
)


def true_page(dpi: int = 150) -> tuple[Image.Image, list[Cell]]:
    """An A4 page with a title and paragraphs, and its cells; boxes are shares of the page."""
    texts = ["A true page"] + [SAID.format(number=number) for number in range(1, BLOCKS)]
    with pymupdf.open() as document:
        page = document.new_page(width=A4_WIDTH_PT, height=A4_HEIGHT_PT)
        page.insert_text((70, 90), texts[0], fontsize=22, fontname="tibo")
        for number, text in enumerate(texts[1:]):
            top = 130 + 150 * number
            left = page.insert_textbox(
                (70, top, 520, top + 110), text, fontsize=12, fontname="tiro"
            )
            assert left >= 0, "it does not fit"
        drawn = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY, alpha=False)
        boxes = [block[:4] for block in page.get_text("blocks")]
    assert len(boxes) == BLOCKS
    sides = (A4_WIDTH_PT, A4_HEIGHT_PT) * 2
    cells = [
        {
            "bbox": [at / side for at, side in zip(box, sides, strict=True)],
            "category": "Text" if number else "Title",
            "text": text,
        }
        for number, (box, text) in enumerate(zip(boxes, texts, strict=True))
    ]
    return Image.frombytes("L", (drawn.width, drawn.height), drawn.samples), cells


def misread(cells: Sequence[Cell]) -> list[Cell]:
    """The page's cells with another text in one, and another digit in one.

    The ink shows no difference for the digit.
    """
    texts = [cell["text"] for cell in cells]
    wrong = [*texts[:2], OTHER, texts[3], texts[4].replace("block 4", "block 8")]
    return [cell | {"text": text} for cell, text in zip(cells, wrong, strict=True)]


def told(cells: Sequence[Cell], size: tuple[int, int]) -> str:
    """An answer with these cells, for a picture of this (width, height)."""
    return json.dumps([{**cell, "bbox": in_pixels(cell, size)} for cell in cells])


def in_pixels(cell: Cell, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A cell's box on a picture of this (width, height)."""
    (left, top, right, bottom), (wide, high) = cell["bbox"], size
    return round(left * wide), round(top * high), round(right * wide), round(bottom * high)
