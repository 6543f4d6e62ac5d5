"""All witnesses of the picture together: true answers, evidence, odd pages."""

from __future__ import annotations

import pickle
import time
from typing import Any

import numpy
import pytest
from PIL import Image

from rig.witnessed import EVIDENCE, PAGE, told
from rig.written_page import full_page
from trust.witnesses import doubts_of, evidence_of


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"paper": 0, "ink": 255},
        {"mode": "RGB", "paper": (20, 30, 90), "ink": (240, 230, 120)},
        {"paper": 235, "ink": 150},
    ],
    ids=["print", "white on black", "slide", "faint"],
)
def test_a_true_answer_is_not_doubted(options: dict[str, Any]) -> None:
    page = full_page(**options)
    assert doubts_of(evidence_of(page.picture), page.cells) == []


@pytest.mark.parametrize("by", [-4, 6], ids=["tight", "loose"])
def test_boxes_need_not_be_exact(by: int) -> None:
    cells = [
        {**cell, "bbox": [x1 - by, y1 - by, x2 + by, y2 + by]}
        for cell in PAGE.cells
        for x1, y1, x2, y2 in [cell["bbox"]]
    ]
    assert told(cells) == []


def test_evidence_is_small_and_can_be_sent() -> None:
    sent = pickle.dumps(EVIDENCE)
    assert len(sent) < 250_000
    assert doubts_of(pickle.loads(sent), PAGE.cells[1:]) == told(PAGE.cells[1:])


@pytest.mark.parametrize("size", [(56, 56), (28, 112), (2800, 4032), (236, 47_000)])
def test_a_page_of_noise_takes_no_time_and_breaks_nothing(size: tuple[int, int]) -> None:
    noise = numpy.random.default_rng(0).random(size[::-1]) > 0.9
    picture = Image.fromarray(noise.astype(numpy.uint8) * 255)
    cells = [{**cell, "bbox": [9.5, 1e9, -1e9, 0]} for cell in PAGE.cells] * 20
    started = time.process_time()
    doubts_of(evidence_of(picture), cells)
    assert time.process_time() - started < 2
