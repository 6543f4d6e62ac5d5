"""A picture of a page → cells in reading order, with a small layout and OCR engine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from cpu_endpoint import blocks, categories, reading_order, tables
from cpu_endpoint.categories import Cell
from cpu_endpoint.geometry import Box, Line, Region, center, median, rows
from cpu_endpoint.lines import StoppedError, read_lines
from cpu_endpoint.models import Models, Picture
from cpu_endpoint.tesseract import Tesseract
from cpu_endpoint.text import paragraph

_BOX_PROMPT = re.compile(r"Bounding Box:\s*\[([-\d.,\s]+)\]", re.I)


class Engine:
    """Reads one page at a time; several threads must not use it at once."""

    def __init__(self, models: Models, tesseract: Tesseract | None = None) -> None:
        self._models = models
        self._tesseract = tesseract

    def answer(self, picture: Picture, prompt: str, stopped: Callable[[], bool]) -> str:
        """Answer one of the dots.ocr prompts. Raises StoppedError once `stopped()`."""
        box = prompt_box(prompt)
        if box is not None:
            lines = self.lines(picture, stopped)
            return plain_text([Cell(box, "Text", inside(lines, box))])
        cells = self.cells(picture, stopped)
        if "layout" not in prompt.lower():
            return plain_text(cells)
        return to_json(
            cells, with_text="do not output the corresponding text" not in prompt.lower()
        )

    def cells(self, picture: Picture, stopped: Callable[[], bool]) -> list[Cell]:
        """Return all cells of the page in reading order. Raises StoppedError."""
        height, width = picture.shape[:2]
        regions = self._regions(picture)
        lines = self.lines(picture, stopped)
        found = blocks.assemble(blocks.clean(regions, lines), lines)
        cells = categories.categorise(found, width, height)
        cells = [self._with_table(cell, picture, stopped) for cell in cells]
        return in_order(cells, width)

    def _regions(self, picture: Picture) -> list[Region]:
        """Find layout regions. Wide margins are cut off, because the model sees a small picture."""
        x1, y1, x2, y2 = content_box(picture)
        found = self._models.regions(np.ascontiguousarray(picture[y1:y2, x1:x2]))
        return [
            replace(r, box=(r.box[0] + x1, r.box[1] + y1, r.box[2] + x1, r.box[3] + y1))
            for r in found
        ]

    def lines(self, picture: Picture, stopped: Callable[[], bool]) -> list[Line]:
        """Return the lines of text. Raises StoppedError."""
        return read_lines(self._models, self._tesseract, picture, stopped)

    def _with_table(self, cell: Cell, picture: Picture, stopped: Callable[[], bool]) -> Cell:
        if cell.category != "Table":
            return cell
        if stopped():
            raise StoppedError
        x1, y1, x2, y2 = (round(v) for v in cell.box)
        crop = np.ascontiguousarray(picture[y1:y2, x1:x2])
        moved = [
            replace(
                line, box=(line.box[0] - x1, line.box[1] - y1, line.box[2] - x1, line.box[3] - y1)
            )
            for line in cell.lines
        ]
        markup = tables.table_html(moved, lambda lines: self._models.table(crop, lines))
        return replace(cell, html=markup)


def content_box(picture: Picture) -> tuple[int, int, int, int]:
    """Return the part of the page with ink, and some margin around it: (x1, y1, x2, y2)."""
    height, width = picture.shape[:2]
    gray = picture[::4, ::4].min(axis=2)
    ink = gray < 0.75 * float(np.median(gray))
    rows_with, columns_with = np.flatnonzero(ink.sum(1) > 1), np.flatnonzero(ink.sum(0) > 1)
    if rows_with.size == 0 or columns_with.size == 0:
        return 0, 0, width, height
    pad_x, pad_y = round(0.06 * width), round(0.06 * height)
    x1 = max(0, int(columns_with[0]) * 4 - pad_x)
    x2 = min(width, int(columns_with[-1]) * 4 + 4 + pad_x)
    y1 = max(0, int(rows_with[0]) * 4 - pad_y)
    y2 = min(height, int(rows_with[-1]) * 4 + 4 + pad_y)
    # A page that is half empty is not enlarged: its text would look like titles.
    y1, y2 = (0, height) if y2 - y1 < 0.5 * height else (y1, y2)
    x1, x2 = (0, width) if x2 - x1 < 0.5 * width else (x1, x2)
    return x1, y1, x2, y2


def prompt_box(prompt: str) -> Box | None:
    """Return the box that a grounding prompt asks about, in the picture's pixels; None if none."""
    match = _BOX_PROMPT.search(prompt)
    numbers = re.findall(r"-?\d+(?:\.\d+)?", match.group(1)) if match else []
    if len(numbers) != 4:
        return None
    x1, y1, x2, y2 = map(float, numbers)
    return x1, y1, x2, y2


def inside(lines: list[Line], box: Box) -> list[Line]:
    """Return the lines that have their centre in the box."""
    return [
        line
        for line in lines
        for x, y in [center(line.box)]
        if box[0] <= x <= box[2] and box[1] <= y <= box[3]
    ]


def in_order(cells: list[Cell], page_width: int) -> list[Cell]:
    """Return the cells in reading order: page headers first, page footers last."""
    lines = [line for cell in cells for line in cell.lines]
    rtl = sum(line.vertical for line in lines) * 2 > len(lines) > 0
    size = median([line.size for line in lines])
    gutter = min(max(0.006 * page_width, 0.3 * size), 0.03 * page_width)
    parts: list[list[Cell]] = [[], [], []]
    for cell in cells:
        parts[{"Page-header": 0, "Page-footer": 2}.get(cell.category, 1)].append(cell)
    ordered: list[Cell] = []
    for part in parts:
        indices = reading_order.order([cell.box for cell in part], gutter, rtl)
        ordered += [part[i] for i in indices]
    return ordered


def to_json(cells: list[Cell], with_text: bool) -> str:
    """Return the dots.ocr array as JSON: bbox in whole pixels, no text for a Picture."""
    array = []
    for cell in cells:
        item: dict[str, Any] = {
            "bbox": [int(v) for v in cell.box],
            "category": cell.category,
        }
        if with_text and cell.category != "Picture":
            item["text"] = categories.markdown(cell)
        array.append(item)
    return json.dumps(array, ensure_ascii=False)


def plain_text(cells: list[Cell]) -> str:
    """Return only the words: a blank line between cells, and one line for each row of a table."""
    parts = []
    for cell in cells:
        if cell.category == "Table":
            parts.append("\n".join(paragraph(row) for row in rows(cell.lines)))
        elif cell.category != "Picture":
            parts.append(cell.plain)
    return "\n\n".join(part for part in parts if part.strip())
