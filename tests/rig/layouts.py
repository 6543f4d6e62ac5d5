"""What the stand-in model writes: a page's layout, as dots.ocr would write it."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

FACTOR = 28
MIN_PIXELS = 3136
MAX_PIXELS = 11_289_600


def picture_token(picture: bytes) -> str:
    """Eight letters that name a picture; the default answers carry them."""
    return hashlib.sha256(picture).hexdigest()[:8]


def model_size(width: int, height: int, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """The (width, height) in pixels at which the model sees a picture: multiples of 28."""
    w, h = (max(FACTOR, round(side / FACTOR) * FACTOR) for side in (width, height))
    if w * h > max_pixels:
        shrink = math.sqrt(width * height / max_pixels)
        w, h = (
            max(FACTOR, math.floor(side / shrink / FACTOR) * FACTOR) for side in (width, height)
        )
    elif w * h < MIN_PIXELS:
        grow = math.sqrt(MIN_PIXELS / (width * height))
        w, h = (math.ceil(side * grow / FACTOR) * FACTOR for side in (width, height))
    return w, h


def _cells(token: str) -> list[tuple[str, tuple[float, float, float, float], str | None]]:
    """The cells of a page: category, box as shares of the page, text."""
    table = "<table><tr><th>판</th><th>n</th></tr><tr><td>A</td><td>12.5</td></tr></table>"
    return [
        ("Page-header", (0.08, 0.03, 0.40, 0.05), "Journal of stand-ins, vol. 1"),
        ("Title", (0.08, 0.07, 0.90, 0.11), "# A page that was read"),
        ("Section-header", (0.08, 0.13, 0.60, 0.16), "## 1. Reading order"),
        ("Text", (0.08, 0.18, 0.92, 0.30), f'Picture {token}: 한글 and "English" on one line.'),
        ("Table", (0.08, 0.33, 0.48, 0.50), table),
        ("Picture", (0.52, 0.33, 0.92, 0.50), None),
        ("Formula", (0.20, 0.53, 0.80, 0.58), r"E = \frac{m c^{2}}{\sqrt{1 - \beta^{2}}}"),
        ("List-item", (0.10, 0.61, 0.92, 0.64), "- the only item"),
        ("Page-footer", (0.48, 0.96, 0.52, 0.98), "1"),
    ]


def layout_answer(width: int, height: int, token: str = "00000000", texts: bool = True) -> str:
    """The JSON array that dots.ocr would write for a picture of width x height pixels.

    Boxes are in the pixels of the model's input (`model_size`); one Text cell holds `token`.
    """
    w, h = model_size(width, height)
    cells = []
    for category, (x1, y1, x2, y2), text in _cells(token):
        cell: dict[str, Any] = {
            "bbox": [int(x1 * w), int(y1 * h), int(x2 * w), int(y2 * h)],
            "category": category,
        }
        if texts and text is not None:
            cell["text"] = text
        cells.append(cell)
    return json.dumps(cells, ensure_ascii=False, separators=(",", ":"))


def default_answer(prompt: str, width: int, height: int, token: str) -> str:
    """What a well-behaved model answers to this prompt: a layout, boxes alone, or plain text."""
    if not width:
        return "There is no picture."
    if prompt.startswith("Extract"):
        kept = (text for name, _, text in _cells(token) if name in ("Title", "Text", "List-item"))
        return "\n".join(text for text in kept if text)
    return layout_answer(width, height, token, "Do not output the corresponding text" not in prompt)
