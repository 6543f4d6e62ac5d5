"""Annotated pages for bench/trust.py: a picture as it is sent, and its true cells."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

from answer.cells import Cell
from bench.trust_faults import Page
from contract import PICTURES
from picture.images import model_picture, one_channel_if_gray

MAX_PIXELS, UPSAMPLE_BELOW = 2_000_000, 1_200_000

OMNI = {
    **{"title": "Title", "text_block": "Text", "reference": "Text", "code_txt": "Text"},
    **{"figure_caption": "Caption", "table_caption": "Caption", "code_txt_caption": "Caption"},
    **{"figure_footnote": "Footnote", "table_footnote": "Footnote", "page_footnote": "Footnote"},
    **{"header": "Page-header", "footer": "Page-footer", "page_number": "Page-footer"},
    **{"equation_isolated": "Formula", "equation_caption": "Text", "table": "Table"},
    **{"abandon": "Text", "figure": "Picture"},
}
"""OmniDocBench's names. A block with another name is a Text if it has a text, else unread."""


@dataclass(frozen=True)
class Truth:
    """What is known about a page, in pixels of its picture."""

    cells: Sequence[Cell]
    unread: Sequence[Sequence[float]] = ()
    """Boxes with unknown content."""


@dataclass(frozen=True)
class Known:
    """A page with its truth, and the PDF of one page that it was drawn from, if there is one."""

    name: str
    page: Page
    pdf: Path | None = None


def from_omni(
    detections: Iterable[dict[str, Any]], scale: tuple[float, float] = (1.0, 1.0)
) -> Truth:
    """Turn OmniDocBench's layout of a page into cells, as dots.ocr would answer them.

    A block that was merged from several boxes becomes several cells, because one box around them
    would include other cells too.
    """
    cells, unread = list[Cell](), list[list[int]]()
    for whole in sorted(detections, key=lambda found: found.get("order") or 0):
        for found in whole.get("merge_list") or [whole]:
            across, down = (
                [at * by for at in found["poly"][side::2]] for side, by in enumerate(scale)
            )
            box = [*map(round, (min(across), min(down), max(across), max(down)))]
            category = OMNI.get(found["category_type"], "Text")
            text = "" if found.get("ignore") or whole.get("ignore") else text_of(found, category)
            if category == "Picture":
                cells.append({"bbox": box, "category": category})
            elif text:
                cells.append({"bbox": box, "category": category, "text": text})
            else:
                unread.append(box)
    return Truth(cells, unread)


def text_of(found: dict[str, Any], category: str) -> str:
    """The text of a block; if it has none, the texts of its lines."""
    names = ("html", "latex") if category == "Table" else ("text", "latex")
    text = next(filter(None, (found.get(name) for name in names)), "")
    return text or " ".join(text_of(line, "Text") for line in found.get("line_with_spans") or ())


def annotated(folder: Path) -> Iterator[tuple[Path, Truth]]:
    """The pictures below a folder that have true cells."""
    pictures = {path.name: path for path in sorted(folder.rglob("*")) if path.suffix in PICTURES}
    for path in sorted(folder.rglob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        if found and "layout_dets" in found[0]:
            for page in found:
                info = page["page_info"]
                picture = pictures.get(Path(info["image_path"]).name)
                if picture is not None:
                    with Image.open(picture) as opened:
                        scale = opened.width / info["width"], opened.height / info["height"]
                    yield picture, from_omni(page["layout_dets"], scale)
            continue
        beside = [path.with_suffix(ending) for ending in PICTURES]
        yield from ((picture, Truth(found)) for picture in beside if picture.exists())


def without_unread(page: Image.Image, truth: Truth) -> Image.Image:
    """Cover the unread boxes with the colour of the paper, where there is no cell."""
    if not truth.unread:
        return page
    pixels = numpy.array(page.convert("RGB"))
    is_free = numpy.ones(pixels.shape[:2], bool)
    for cell in truth.cells:
        is_free[part_of(cell["bbox"])] = False
    for box in truth.unread:
        part = pixels[part_of(box)]
        if part.size:
            part[is_free[part_of(box)]] = numpy.median(part, axis=(0, 1))
    return Image.fromarray(pixels)


def part_of(box: Sequence[float]) -> tuple[slice, slice]:
    """A box as slices of rows and columns of pixels."""
    x1, y1, x2, y2 = (max(0, round(side)) for side in box)
    return slice(y1, y2), slice(x1, x2)


def as_sent(page: Image.Image, cells: Sequence[Cell]) -> Page:
    """Return the page as the model sees it, with its cells in that picture's pixels."""
    flat = page if page.mode in ("L", "RGB") else page.convert("RGB")
    sent = model_picture(one_channel_if_gray(flat), MAX_PIXELS, UPSAMPLE_BELOW)
    wide, high = sent.width / page.width, sent.height / page.height
    scales = (wide, high, wide, high)
    moved = [
        {**cell, "bbox": [int(at * by) for at, by in zip(cell["bbox"], scales, strict=True)]}
        for cell in cells
    ]
    return Page(sent, moved)


def known_in(folder: Path) -> Iterator[Known]:
    """The annotated pages below a folder."""
    for path, truth in annotated(folder):
        with Image.open(path) as picture:
            page = as_sent(without_unread(picture, truth), truth.cells)
        pdf = path.with_suffix(".pdf")
        yield Known(f"{folder.name}/{path.name}", page, pdf if pdf.exists() else None)
