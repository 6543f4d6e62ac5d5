"""coco: the pages' boxes as detection data, <name>.coco.json, with DocLayNet's categories.

A box is in the pixels of the page's own picture. If the page was turned, its boxes are turned back.
A page of a PDF has no picture file. It gets the name of its results, and the size to render it at.
"""

import json
from pathlib import Path
from typing import Any

from contract import CATEGORIES, DONE
from lib.documents.document import Document, Page, Sources
from lib.pages.entries import Cell
from lib.pages.values import Box, clean

NUMBERS = {category: number for number, category in enumerate(CATEGORIES, 1)}
RENDERED = "pages of PDFs are not image files: render them at the sizes that it gives"


def write(document: Document, sources: Sources, folder: Path) -> list[str]:
    """Write <name>.coco.json. A page that was not read is left out, because it has no boxes."""
    pages = [p for p in document.pages if p.entry.status in DONE and all(p.entry.size)]
    images = [image(number, page) for number, page in enumerate(pages, 1)]
    annotations = [
        annotation(number, order, cell, page)
        for number, page in enumerate(pages, 1)
        for order, cell in enumerate(page.cells)
    ]
    whole = {
        "info": {"description": document.path},
        "images": images,
        "categories": [
            {"id": number, "name": name, "supercategory": name} for name, number in NUMBERS.items()
        ],
        "annotations": [{"id": id_, **found} for id_, found in enumerate(annotations, 1)],
    }
    text = clean(json.dumps(whole, ensure_ascii=False))
    (folder / f"{document.name}.coco.json").write_text(text, encoding="utf-8")
    return [RENDERED] if any(page.entry.pdf_page is not None for page in pages) else []


def image(number: int, page: Page) -> dict[str, Any]:
    """Return a page as an image of COCO."""
    entry = page.entry
    width, height = own_size(page)
    is_file = entry.pdf_page is None
    return {
        "id": number,
        "file_name": entry.input if is_file else f"{entry.page}.png",
        "width": round(width),
        "height": round(height),
        "source": entry.input,
        "source_page": None if entry.pdf_page is None else entry.pdf_page + 1,
        "status": entry.status,
    }


def annotation(number: int, order: int, cell: Cell, page: Page) -> dict[str, Any]:
    """Return a cell as an annotation of COCO.

    precedence is its place in reading order, as in DocLayNet.
    """
    width, height = own_size(page)
    box = turned_back(cell.box, page.entry.rotation)
    left, right = (round(part * width, 2) for part in box[::2])
    top, bottom = (round(part * height, 2) for part in box[1::2])
    return {
        "image_id": number,
        "category_id": NUMBERS[cell.category],
        "bbox": [left, top, round(right - left, 2), round(bottom - top, 2)],
        "area": round((right - left) * (bottom - top), 2),
        "segmentation": [[left, top, right, top, right, bottom, left, bottom]],
        "iscrowd": 0,
        "precedence": order,
        "text": cell.text,
    }


def own_size(page: Page) -> tuple[float, float]:
    """Width and height of the page as it is in its file, before it was turned."""
    width, height = page.entry.size
    return (height, width) if page.entry.rotation in (90, 270) else (width, height)


def turned_back(box: Box, rotation: int) -> Box:
    """Convert a box on a page turned clockwise by `rotation` degrees to the page in its file."""
    left, top, right, bottom = box
    match rotation:
        case 90:
            return (top, 1 - right, bottom, 1 - left)
        case 180:
            return (1 - right, 1 - bottom, 1 - left, 1 - top)
        case 270:
            return (1 - bottom, left, 1 - top, right)
    return box
