"""The neural models, all from installed wheels: layout, text lines, table structure.

Nothing is fetched: each model file is in its package. Loading runs every model once.
"""

from __future__ import annotations

import contextlib
import html
import importlib
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from cpu_endpoint.geometry import Line, Region
from cpu_endpoint.korean import Reading

Picture = np.ndarray[Any, Any]  # height × width × 3, BGR, uint8
# Short lines are padded to this width. The default of 320 makes tables twice as slow.
_RECOGNITION_SHAPE = [3, 48, 96]
_RECOGNITION_BATCH = 3
_DETECTION_SIDE = 1280
_LAYOUT_SCORE = 0.4


class LineModels:
    """Detection and recognition of lines of text on the CPU."""

    def __init__(self, threads: int = 2) -> None:
        """Load everything, which takes a second or two. Raises ImportError."""
        with _quiet():
            self._load(threads)
            self._warm_up()

    def _load(self, threads: int) -> None:
        rapidocr: Any = importlib.import_module("rapidocr")
        self._ocr = rapidocr.RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.use_cls": False,
                "Global.max_side_len": 100_000,
                "Det.limit_type": "max",
                "Det.limit_side_len": _DETECTION_SIDE,
                "Rec.rec_img_shape": _RECOGNITION_SHAPE,
                "Rec.rec_batch_num": _RECOGNITION_BATCH,
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            }
        )

    def _warm_up(self) -> None:
        """Run each model once, because a model is opened only at its first use."""
        picture = _one_line()
        self.detect(picture)
        self.recognise([picture[90:120, 30:210]])

    def detect(self, picture: Picture) -> list[Picture]:
        """Return the corner points of each line of text (4 × 2, clockwise from the upper left)."""
        found = self._ocr(picture, use_det=True, use_cls=False, use_rec=False)
        return [] if getattr(found, "boxes", None) is None else list(found.boxes)

    def crop(self, picture: Picture, quads: Sequence[Picture]) -> list[Picture]:
        """Return the line pictures, upright; vertical lines are turned."""
        return list(self._ocr.crop_text_regions(picture, np.array(quads)))

    def recognise(self, crops: Sequence[Picture]) -> list[Reading]:
        """Return PP-OCR's reading of each line; "" if it saw no character that it knows."""
        if not crops:
            return []
        if self._ocr.text_rec is None:  # only a first whole call opens it
            self._ocr(crops[0], use_det=False, use_cls=False, use_rec=True)
        found = self._ocr.recognize_txt(list(crops))
        return [
            Reading(text, 0.0 if np.isnan(score) else float(score), c.shape[1] / c.shape[0])
            for text, score, c in zip(found.txts, found.scores, crops, strict=True)
        ]


class Models(LineModels):
    """The models of lines, and also layout and, if it is installed, the structure of tables."""

    def _load(self, threads: int) -> None:
        super()._load(threads)
        rapid_layout: Any = importlib.import_module("rapid_layout")
        self._layout = rapid_layout.RapidLayout(
            model_type="pp_layout_cdla",
            conf_thresh=_LAYOUT_SCORE,
            engine_cfg={"intra_op_num_threads": threads},
        )
        self._table = _load_table()

    def _warm_up(self) -> None:
        super()._warm_up()
        picture = _one_line()
        self.regions(picture)
        self.table(picture, [Line((40.0, 100.0, 200.0, 110.0), "-", 1.0)])

    @property
    def has_tables(self) -> bool:
        return self._table is not None

    def regions(self, picture: Picture) -> list[Region]:
        """Return layout regions with CDLA labels, in pixels, clamped to the picture."""
        found = self._layout(picture)
        height, width = picture.shape[:2]
        regions = []
        for box, label, score in zip(found.boxes, found.class_names, found.scores, strict=True):
            x1, x2 = sorted(min(max(float(box[i]), 0.0), width) for i in (0, 2))
            y1, y2 = sorted(min(max(float(box[i]), 0.0), height) for i in (1, 3))
            if x2 - x1 >= 4 and y2 - y1 >= 4:
                regions.append(Region((x1, y1, x2, y2), str(label), float(score)))
        return regions

    def table(self, picture: Picture, lines: Sequence[Line]) -> str | None:
        """Return the HTML of the one table in the picture, or None. lines are in its pixels."""
        if self._table is None:
            return None
        quads = [
            [
                [[x1, y1], [x2, y1], [x2, y2], [x1, y2]],
                html.escape(line.text, quote=False),
                line.score,
            ]
            for line in lines
            for x1, y1, x2, y2 in [line.box]
            if line.text
        ]
        try:
            markup: str = self._table(picture, quads)[0]
        except (ValueError, IndexError):
            return None  # no cell was found, or the decoder cannot close the structure
        start, end = markup.find("<table>"), markup.rfind("</table>")
        return markup[start : end + len("</table>")] if 0 <= start < end else None


def _one_line() -> Picture:
    """Return a small page with a black line on it."""
    picture = np.full((320, 240, 3), 255, np.uint8)
    picture[100:110, 40:200] = 0
    return picture


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the packages, which announce every file they open, on log handlers of their own."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


def _load_table() -> Any:
    """Load rapid_table's model; None if it is not installed (it supports Python up to 3.12)."""
    try:
        return importlib.import_module("rapid_table").RapidTable()
    except ImportError:
        return None
