"""A page that is written line by line, and its cells."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageDraw, ImageFont

TALE = """
the river had been low all summer and boats lay on their sides in grey mud where nobody walked until
rain came over hills one night with thunder then every child of that village ran down before dawn to
see water move again under old stone bridges quickly past gardens
"""
WORDS = TALE.split()


def prose(letters: int, start: int = 0) -> str:
    """At least so many letters of text; each `start` gives another text."""
    text, at = "", start * 7
    while len(text) < letters:
        text, at = f"{text} {WORDS[at % len(WORDS)]}".lstrip(), at + 1
    return text


@functools.cache
def font_of(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@dataclass
class WrittenPage:
    """An A4 page at about 140 dots an inch."""

    size: tuple[int, int] = (1176, 1680)
    paper: Any = 255
    ink: Any = 0
    mode: str = "L"
    cells: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.picture = Image.new(self.mode, self.size, self.paper)
        self.pen = ImageDraw.Draw(self.picture)

    def put(
        self,
        text: str,
        at: tuple[int, int],
        width: int = 900,
        size: int = 20,
        category: str = "Text",
        ink: Any = None,
        leading: float = 1.4,
    ) -> dict[str, Any]:
        """Write a paragraph and keep its cell. `leading` is the line distance in font sizes."""
        font, (left, top) = font_of(size), at
        rows = [""]
        for word in text.split():
            longer = f"{rows[-1]} {word}".strip()
            if font.getlength(longer) > width and rows[-1]:
                rows.append(word)
            else:
                rows[-1] = longer
        for number, row in enumerate(rows):
            where = (left, top + number * round(leading * size))
            self.pen.text(where, row, fill=self.ink if ink is None else ink, font=font)
        right = left + max(font.getlength(row) for row in rows)
        box = [left, top, round(right), top + round((len(rows) - 1) * leading * size + 1.15 * size)]
        cell = {"bbox": box, "category": category, "text": text}
        self.cells.append(cell)
        return cell


def full_page(**options: Any) -> WrittenPage:
    """A title, and paragraphs in two columns: a bit of everything."""
    page = WrittenPage(**options)
    page.put("A dry summer by the river", (120, 90), size=44, category="Title")
    for column, left in enumerate((120, 640)):
        for row in range(4):
            start = 4 * column + row
            page.put(prose(260, start), (left, 220 + 330 * row), width=430)
    return page
