"""Sets text, lists, tables and formulas in columns on a PDF page.

All lengths are points (1/72 inch), measured from the top left corner of the page. It uses only
fonts that are built into MuPDF, so that a page looks the same on every computer.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pymupdf

A4_WIDTH, A4_HEIGHT = 595.0, 842.0

Colour = tuple[float, float, float]
BLACK: Colour = (0, 0, 0)
GREY: Colour = (0.35, 0.35, 0.35)


@dataclass(frozen=True)
class Style:
    """How a piece of text looks; `leading` is the line pitch as a multiple of `size`."""

    font: str = "tiro"
    size: float = 10.5
    leading: float = 1.38
    colour: Colour = BLACK
    align: Literal["left", "right", "centre", "justify"] = "left"
    # The Korean font has only one weight: a thin outline replaces its bold.
    thick: bool = False

    @property
    def pitch(self) -> float:
        """Distance between two baselines."""
        return self.size * self.leading


@functools.cache
def load_font(name: str) -> pymupdf.Font:
    """The built-in font `name` (tiro, tibo, tiit, helv, hebo, symb, korea), loaded once."""
    return pymupdf.Font(name)


def text_width(text: str, style: Style) -> float:
    """Width of one line of `text`."""
    return float(load_font(style.font).text_length(text, style.size))


class _Pen:
    """Collects pieces of text of one style, and writes them to the page together."""

    def __init__(self, page: pymupdf.Page, style: Style) -> None:
        self._page, self._style = page, style
        self._writer = pymupdf.TextWriter(page.rect, color=style.colour)

    def put(self, x: float, baseline: float, text: str) -> None:
        font = load_font(self._style.font)
        missing = sorted({letter for letter in text if not font.has_glyph(ord(letter))})
        if missing:
            raise ValueError(f"font {self._style.font} has no {missing} (in {text!r})")
        self._writer.append((x, baseline), text, font=font, fontsize=self._style.size)

    def write(self) -> None:
        self._writer.write_text(self._page, render_mode=2 if self._style.thick else 0)
        if self._style.thick:
            # PyMuPDF's outline, 5 % of the size, would fill small Hangul: halve it.
            xref = self._page.get_contents()[-1]
            stream = self._page.parent.xref_stream(xref)
            width = f"{0.025 * self._style.size:g} w".encode()
            self._page.parent.update_stream(xref, re.sub(rb"[\d.]+ w\b", width, stream))


def put(page: pymupdf.Page, x: float, baseline: float, text: str, style: Style = Style()) -> None:
    """Write one line that starts, ends or is centred at `x`, as `style.align` says."""
    shift = {"right": 1.0, "centre": 0.5}.get(style.align, 0.0)
    pen = _Pen(page, style)
    pen.put(x - shift * text_width(text, style), baseline, text)
    pen.write()


def wrap(text: str, style: Style, width: float) -> list[list[str]]:
    """Break `text` at its spaces into lines (lists of words) that are at most `width` wide."""
    lines: list[list[str]] = [[]]
    for word in text.split(" "):  # not at a non-breaking space
        if lines[-1] and text_width(" ".join([*lines[-1], word]), style) > width:
            lines.append([])
        if text_width(word, style) > width:
            raise ValueError(f"{word!r} is wider than its column")
        lines[-1].append(word)
    return lines


class Column:
    """A column of a page, filled from its top; the next thing goes to `y`."""

    def __init__(
        self,
        page: pymupdf.Page,
        left: float = 72,
        right: float = A4_WIDTH - 72,
        top: float = 84,
        bottom: float = A4_HEIGHT - 70,
    ) -> None:
        self.page, self.left, self.right, self.y, self.bottom = page, left, right, top, bottom

    @property
    def width(self) -> float:
        return self.right - self.left

    def take(self, height: float, after: float = 0) -> pymupdf.Rect:
        """Reserve a box of the column's width and move on."""
        if self.y + height > self.bottom:
            raise ValueError(f"{self.y + height - self.bottom:.1f} pt too long for the column")
        box = pymupdf.Rect(self.left, self.y, self.right, self.y + height)
        self.y += height + after
        return box

    def text(self, text: str, style: Style = Style(), after: float = 0, indent: float = 0) -> None:
        """Set a paragraph; `indent` moves all of its lines to the right."""
        width = self.width - indent
        pen = _Pen(self.page, style)
        lines = wrap(text, style, width)
        for number, words in enumerate(lines):
            box = self.take(style.pitch)
            baseline = box.y0 + style.size
            room = width - text_width(" ".join(words), style)
            if style.align == "justify" and len(words) > 1 and number < len(lines) - 1:
                x = self.left + indent
                for position, word in enumerate(words):
                    # The space belongs to the word, so that the text can be copied from a PDF.
                    piece = word if position == len(words) - 1 else word + " "
                    pen.put(x, baseline, piece)
                    x += text_width(piece, style) + room / (len(words) - 1)
            else:
                shift = {"right": room, "centre": room / 2}.get(style.align, 0.0)
                pen.put(self.left + indent + shift, baseline, " ".join(words))
        pen.write()
        self.y += after

    def items(
        self,
        texts: Sequence[str],
        style: Style = Style(),
        numbered: bool = False,
        gap: float = 3,
        after: float = 0,
    ) -> None:
        """Set a list with bullets or numbers."""
        for number, text in enumerate(texts, start=1):
            marker = f"{number}." if numbered else "•"
            put(self.page, self.left + 8, self.y + style.size, marker, style)
            self.text(text, style, after=gap, indent=24)
        self.y += after - gap

    def rule(self, thickness: float = 0.7, after: float = 0, length: float | None = None) -> None:
        """Draw a horizontal line, over the whole column if no `length` is given."""
        end = self.right if length is None else self.left + length
        self.page.draw_line((self.left, self.y), (end, self.y), width=thickness)
        self.y += after

    def table(
        self,
        rows: Sequence[Sequence[str]],
        shares: Sequence[float],
        style: Style,
        head: Style,
        row_height: float = 22,
        head_fill: Colour = (0.9, 0.9, 0.9),
        after: float = 0,
    ) -> None:
        """Set a ruled table with its head as the first row; `shares` are relative column widths.

        The first column is aligned to the left, and the others are centred.
        """
        edges = [self.left]
        for share in shares:
            edges.append(edges[-1] + self.width * share / sum(shares))
        frame = self.take(row_height * len(rows), after=after)
        top_row = pymupdf.Rect(frame.x0, frame.y0, frame.x1, frame.y0 + row_height)
        self.page.draw_rect(top_row, color=None, fill=head_fill)
        for number in range(len(rows) + 1):
            y = frame.y0 + number * row_height
            self.page.draw_line((frame.x0, y), (frame.x1, y), width=0.6)
        for x in edges:
            self.page.draw_line((x, frame.y0), (x, frame.y1), width=0.6)
        for number, row in enumerate(rows):
            look = style if number else head
            baseline = frame.y0 + (number + 0.5) * row_height + look.size * 0.35
            pen = _Pen(self.page, look)
            for column, cell in enumerate(row):
                room = edges[column + 1] - edges[column] - text_width(cell, look)
                if room < 6:
                    raise ValueError(f"{cell!r} is too wide for its cell")
                pen.put(edges[column] + (room / 2 if column else 6), baseline, cell)
            pen.write()

    def formula(
        self, pieces: Sequence[tuple[str, Style, float]], number: str, after: float = 0
    ) -> None:
        """Set a centred formula of (text, style, rise) pieces, with its number at the right."""
        size = max(style.size for _, style, _ in pieces)
        baseline = self.take(size * 1.5, after=after).y0 + size
        x = self.left + (self.width - sum(text_width(text, look) for text, look, _ in pieces)) / 2
        for text, look, rise in pieces:
            put(self.page, x, baseline - rise, text, look)
            x += text_width(text, look)
        put(self.page, self.right, baseline, number, Style(size=size - 1, align="right"))
