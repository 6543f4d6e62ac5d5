"""A picture of a page → its lines of text, by PP-OCR and, for Korean, Tesseract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cpu_endpoint import korean
from cpu_endpoint.geometry import Box, Line
from cpu_endpoint.models import LineModels, Picture
from cpu_endpoint.tesseract import Tesseract
from cpu_endpoint.text import has_content


class StoppedError(Exception):
    """The reading was stopped on request."""


def read_lines(
    models: LineModels,
    tesseract: Tesseract | None,
    picture: Picture,
    stopped: Callable[[], bool] = lambda: False,
) -> list[Line]:
    """Return the lines as read. A line that cannot be read keeps its box, and has no text.

    Raises StoppedError once `stopped()`.
    """
    quads = models.detect(picture)
    if not quads:
        return []
    crops = models.crop(picture, quads)
    readings: list[korean.Reading] = []
    # In portions, so that a stop does not have to wait for a whole newspaper page.
    by_width = sorted(range(len(crops)), key=lambda i: crops[i].shape[1] / crops[i].shape[0])
    for start in range(0, len(by_width), 24):
        if stopped():
            raise StoppedError
        part = by_width[start : start + 24]
        readings += models.recognise([crops[i] for i in part])
    place = {line: at for at, line in enumerate(by_width)}
    ordered = [readings[place[i]] for i in range(len(crops))]
    texts = korean.read_korean(ordered, crops, tesseract)
    if stopped():
        raise StoppedError
    return [
        Line(quad_box(quad, picture), "" if is_noise(text, reading) else text, reading.score)
        for quad, text, reading in zip(quads, texts, ordered, strict=True)
    ]


def is_noise(text: str, reading: korean.Reading) -> bool:
    """Whether a long line has only marks and no letter: a script that the engine cannot read."""
    return not has_content(text) and reading.aspect > 3.0


def quad_box(quad: np.ndarray[Any, Any], picture: Picture) -> Box:
    """Return the upright box around four corners, clamped to the picture."""
    height, width = picture.shape[:2]
    x1, x2 = (float(np.clip(v, 0, width)) for v in (quad[:, 0].min(), quad[:, 0].max()))
    y1, y2 = (float(np.clip(v, 0, height)) for v in (quad[:, 1].min(), quad[:, 1].max()))
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)
