"""A sheet that records the cells of what is drawn on it, for bench/trust_pages.py."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from PIL import Image, ImageDraw

from answer.cells import Cell
from bench import upright_pages as upright

Colour = int | tuple[int, int, int]
Corners = tuple[float, float, float, float]


@dataclass(frozen=True)
class Line:
    """A written line: its top in points, and the box of its ink."""

    text: str
    top: float
    box: Corners

    @property
    def high(self) -> float:
        return self.box[3] - self.box[1]


def around(boxes: Sequence[Sequence[float]]) -> list[int]:
    """The smallest box that contains all these boxes."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return [
        *map(math.floor, (min(lefts), min(tops))),
        *map(math.ceil, (max(rights), max(bottoms))),
    ]


def cell_of(lines: Sequence[Line], category: str = "Text") -> Cell:
    text = " ".join(line.text for line in lines)
    return {"bbox": around([line.box for line in lines]), "category": category, "text": text}


def paragraphs(lines: Sequence[Line]) -> list[list[Line]]:
    """Split lines into paragraphs: a line that ends early ends its paragraph."""
    right = max((line.box[2] for line in lines), default=0)
    left = min((line.box[0] for line in lines), default=0)
    found: list[list[Line]] = [[]]
    for line in lines:
        found[-1].append(line)
        if line.box[2] < right - 0.25 * (right - left):
            found.append([])
    return [each for each in found if each]


def blocks(lines: Sequence[Line]) -> list[list[Line]]:
    """Split lines, in their order, where the next is not just below or beside the last."""
    found: list[list[Line]] = [list(lines[:1])] if lines else []
    for last, line in pairwise(lines):
        size = max(last.high, line.high)
        beside = line.top == last.top and abs(line.box[0] - last.box[2]) < size
        below = 0 < line.box[1] - last.box[1] < 2.2 * size and line.box[0] < last.box[2]
        like = 0.6 < (line.high or 1) / (last.high or 1) < 1.6
        if beside or (below and like and line.box[2] > found[-1][0].box[0]):
            found[-1].append(line)
        else:
            found.append([line])
    return found


@dataclass
class KnownSheet(upright.Sheet):
    """A sheet that records the cells of what is drawn on it."""

    ink: Colour = 0
    cells: list[Cell] = field(default_factory=list)
    loose: list[Line] = field(default_factory=list)
    """Lines that are in no cell yet."""

    def on(self, ground: tuple[int, int, int], ink: tuple[int, int, int]) -> None:
        """Start again on a coloured ground."""
        self.image = Image.new("RGB", self.image.size, ground)
        self.pen, self.ink = ImageDraw.Draw(self.image), ink

    def put(self, x: float, y: float, text: str, size: float, name: str = "") -> None:
        """Write a line with its top at y, cut at the edge of the page."""
        at, face = (self.px(x), self.px(y)), self.font(size, name)
        while " " in text and at[0] + face.getlength(text) > self.image.width:
            text = text.rpartition(" ")[0]
        self.pen.text(at, text, self.ink, face)
        self.loose.append(Line(text, y, self.pen.textbbox(at, text, face)))

    def taken(self) -> list[Line]:
        """Return the loose lines, and forget them."""
        lines, self.loose = self.loose, []
        return lines

    def close(self, category: str = "Text") -> None:
        """Make cells of the loose lines."""
        self.cells += [cell_of(block, category) for block in blocks(self.taken())]

    def whole(self, category: str, text: str = "") -> None:
        """Make one cell of all loose lines, with this text or with theirs."""
        cell = cell_of(self.taken(), category)
        self.cells.append({**cell, "text": text} if text else cell)

    def picture(self, box: upright.Box) -> None:
        self.cells.append({"bbox": [self.px(at) for at in box], "category": "Picture"})

    def text(self, box: upright.Box, size: float, leading: float = 1.4, lines: int = 999) -> float:
        self.close()
        end = super().text(box, size, leading, lines)
        self.cells += [cell_of(paragraph) for paragraph in paragraphs(self.taken())]
        return end

    def title(self, y: float, size: float, words: int, x: float = 60) -> float:
        self.close()
        end = super().title(y, size, words, x)
        self.whole("Title")
        return end

    def table(
        self, box: upright.Box, rows: int, columns: int, size: float, ruled: str = "all"
    ) -> float:
        self.close()
        end = super().table(box, rows, columns, size, ruled)
        lines = self.taken()
        frame = [self.px(at) for at in (box[0], box[1], box[2], end)]
        boxes = [line.box for line in lines] + ([] if ruled == "none" else [frame])
        cells = [f"<td>{line.text}</td>" for line in lines]
        html = "".join(
            f"<tr>{''.join(cells[at : at + columns])}</tr>" for at in range(0, len(cells), columns)
        )
        cell = {"bbox": around(boxes), "category": "Table", "text": f"<table>{html}</table>"}
        self.cells.append(cell)
        return end

    def photo(self, box: upright.Box) -> None:
        super().photo(box)
        self.picture(box)

    def chart(self, box: upright.Box) -> None:
        self.close()
        super().chart(box)
        frame = [self.px(at) for at in box]
        whole = around([frame, *(line.box for line in self.taken())])
        self.cells.append({"bbox": whole, "category": "Picture"})

    def number(self) -> str:
        return f"{self.rng.uniform(0, 5000):,.{self.rng.choice((0, 1, 2))}f}"
