"""Annotated pages as bench/trust.py takes them: a picture as it is sent, and its true cells."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
}
"""OmniDocBench's names of what has a text; all others are left alone, as pictures are."""


@dataclass(frozen=True)
class Known:
    """A page with its truth, and the PDF of one page that it was drawn from, if it was."""

    name: str
    page: Page
    pdf: Path | None = None


def from_omni(detections: Iterable[dict[str, Any]]) -> list[Cell]:
    """OmniDocBench's layout of a page -> cells as dots.ocr would answer them."""
    cells: list[Cell] = []
    for found in sorted(detections, key=lambda found: found.get("order") or 0):
        across, down = found["poly"][0::2], found["poly"][1::2]
        cell = {
            "bbox": [round(min(across)), round(min(down)), round(max(across)), round(max(down))]
        }
        category = OMNI.get(found["category_type"], "Picture")
        text = found.get("text") or found.get("latex") or ""
        if category == "Table":
            text = found.get("html") or found.get("latex") or ""
        is_read = category != "Picture" and bool(text)
        cells.append(
            {**cell, "category": category, "text": text}
            if is_read
            else {**cell, "category": "Picture"}
        )
    return cells


def annotated(folder: Path) -> Iterator[tuple[Path, list[Cell]]]:
    """The pictures below a folder that have true cells."""
    pictures = {path.name: path for path in sorted(folder.rglob("*")) if path.suffix in PICTURES}
    for path in sorted(folder.rglob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        if found and "layout_dets" in found[0]:
            for page in found:
                picture = pictures.get(Path(page["page_info"]["image_path"]).name)
                if picture is not None:
                    yield picture, from_omni(page["layout_dets"])
            continue
        beside = [path.with_suffix(ending) for ending in PICTURES]
        yield from ((picture, found) for picture in beside if picture.exists())


def as_sent(page: Image.Image, cells: Sequence[Cell]) -> Page:
    """A page as the model sees it, and its cells there."""
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
    for path, cells in annotated(folder):
        with Image.open(path) as picture:
            page = as_sent(picture, cells)
        pdf = path.with_suffix(".pdf")
        yield Known(f"{folder.name}/{path.name}", page, pdf if pdf.exists() else None)
