"""Pages of text, filled column by column, with dots.ocr's cells for them, and the truth.

Where a page or a column is full, a paragraph or a table is split. The layout has the parts; the
truth has the whole.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from rig.result_sets import Cells, ResultSet, cell

WIDTH, HEIGHT = 827, 1169
LEFT, RIGHT, TOP, BOTTOM = 80, 747, 100, 1060
GUTTER, LINE, ROW, NOTE = 27, 16, 22, 13
SIZES = {1: 26, 2: 20, 3: 18, 4: 16}  # height of a heading's letters, by level


Truth = tuple[str, str, int]


@dataclass
class Made:
    """A document: its pages' cells, and what it says."""

    pages: list[Cells] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)
    owners: list[list[int]] = field(default_factory=list)
    """For each page: the index in `truth` of each of its cells; -1 for none."""
    traps: dict[int, str] = field(default_factory=dict)
    """Parts of the truth that look like a continuation of the part before, and why."""

    def parts(self, owner: int) -> int:
        """The number of cells of a part of the truth."""
        return sum(owners.count(owner) for owners in self.owners)

    def write(self, folder: Path, name: str = "book.pdf") -> Path:
        """Write its results, like those of a PDF."""
        results, stem = ResultSet(folder), Path(name).with_suffix("")
        for number, cells in enumerate(self.pages):
            page = f"{stem}/{stem.name}_page_{number}"
            size = [WIDTH, HEIGHT]
            results.add(name, cells, page=page, pdf_page=number, original_size=size)
        return results.finish()


class Layout:
    """Fills pages column by column; footnotes take their space at the foot of the page."""

    def __init__(self, chance: random.Random, columns: int) -> None:
        self.chance, self.made = chance, Made()
        self.notes: list[str] = []
        self.floats: list[str] = []
        self.set_columns(columns)

    def set_columns(self, columns: int) -> None:
        """Begin a new page with so many columns."""
        width = (RIGHT - LEFT - GUTTER * (columns - 1)) / columns
        self.columns = [
            (round(LEFT + n * (width + GUTTER)), round(LEFT + n * (width + GUTTER) + width))
            for n in range(columns)
        ]
        self.new_page()

    def new_page(self) -> None:
        """Begin a page with its running header."""
        if self.made.pages:
            self.end_page()
        self.made.pages.append([])
        self.made.owners.append([])
        header = f"A running header {len(self.made.pages)}"
        self.add("Page-header", header, (LEFT, 50, 400, 66), owner=-1)
        self.column, self.y = 0, TOP

    def add(
        self, category: str, text: str, box: tuple[int, int, int, int], owner: int | None = None
    ) -> None:
        """Add a cell to the page. It belongs to the last part of the truth, or to `owner`."""
        self.made.pages[-1].append(cell(category, text, box))
        self.made.owners[-1].append(len(self.made.truth) - 1 if owner is None else owner)

    def end_page(self) -> None:
        """Put the footnotes and the page number at the foot of the page."""
        top = BOTTOM - NOTE * len(self.notes)
        for note in self.notes:
            self.say("Footnote", note)
            self.add("Footnote", note, (LEFT, top, LEFT + 5 * len(note), top + NOTE - 2))
            top += NOTE
        self.notes = []
        number = str(len(self.made.pages))
        self.add("Page-footer", number, (400, 1100, 420, 1116), owner=-1)

    @property
    def floor(self) -> int:
        """The lowest y that text may reach."""
        return BOTTOM - NOTE * len(self.notes) - (8 if self.notes else 0)

    def next_column(self) -> None:
        """Go on at the top of the next column, or page."""
        self.column, self.y = self.column + 1, TOP
        if self.column == len(self.columns):
            self.new_page()

    def room(self, step: int) -> int:
        """The number of lines, or rows, that still fit into the column."""
        return (self.floor - self.y) // step

    def say(self, kind: str, text: str, level: int = 0) -> int:
        """Add to the truth what a reader should find; return its index."""
        self.made.truth.append((kind, text, level))
        return len(self.made.truth) - 1

    def put(
        self, category: str, text: str, height: int, width: float = 1.0, owner: int | None = None
    ) -> None:
        """Put a cell into the column, and a space below it."""
        left, right = self.columns[self.column]
        box = (left, self.y, round(left + (right - left) * min(width, 1.0)), self.y + height)
        self.add(category, text, box, owner)
        self.y += height + 10

    def paragraph(self, text: str) -> None:
        """A paragraph, split where a column is full; a picture may float to the top there."""
        owner = -1
        width_of = 7 if text.isascii() else 14
        lines = wrapped(text, self.width // width_of)
        while lines:
            room = self.room(LINE)
            if room < min(2, len(lines)):
                self.next_column()
                if self.floats and self.column == 0:
                    self.picture(self.floats.pop())
                continue
            owner = self.say("Text", text) if owner < 0 else owner
            part, lines = lines[:room], lines[room:]
            piece = " ".join(part)
            if lines:
                piece, lines[0] = self.parted(piece, lines[0])
            width = 1.0 if lines or len(part) > 1 else len(part[-1]) * width_of / self.width
            self.put("Text", piece, len(part) * LINE - 4, width, owner)

    @property
    def width(self) -> int:
        """The width of the column."""
        left, right = self.columns[self.column]
        return right - left

    def picture(self, caption: str) -> None:
        """A picture with its caption."""
        if self.room(LINE) < 10:
            self.next_column()
        self.say("Picture", "")
        self.put("Picture", "", 120)
        self.say("Caption", caption)
        self.put("Caption", caption, LINE, len(caption) * 6 / self.width)

    def parted(self, piece: str, line: str) -> tuple[str, str]:
        """Split the text at the end of a page, sometimes in the middle of a word."""
        word, _, rest = line.partition(" ")
        if self.chance.random() < 0.3 and len(word) > 6 and word.isascii() and word.isalpha():
            return f"{piece} {word[:4]}-", f"{word[4:]} {rest}".strip()
        if self.chance.random() < 0.3 and len(word) > 2 and word.isalpha() and not word.isascii():
            at = self.chance.randrange(1, len(word))
            return f"{piece} {word[:at]}", f"{word[at:]} {rest}".strip()
        return piece, line

    def table(self, rows: list[list[str]], repeats: bool) -> None:
        """A table with its header as the first row, split where a column is full."""
        owner = -1
        head, body = rows[0], rows[1:]
        while body:
            room = self.room(ROW) - 1
            if room < min(2, len(body)):
                self.next_column()
                continue
            with_head = owner < 0 or repeats
            owner = self.say("Table", html(rows, header=True)) if owner < 0 else owner
            part, body = body[: room + (not with_head)], body[room + (not with_head) :]
            shown = [head, *part] if with_head else part
            self.put("Table", html(shown, header=with_head), len(shown) * ROW, owner=owner)

    def heading(self, text: str, level: int, kind: str = "Section-header") -> None:
        """A heading with marks as the model gives them, and room for two lines of text below."""
        if self.room(LINE) < 6:
            self.next_column()
        self.say(kind, text, level)
        marks = "#" * self.chance.choice((1, 2, 2, 3))
        size = SIZES[level]
        width = len(text) * (size / 2 if text.isascii() else size) / self.width
        self.put(kind, f"{marks} {text}", size, width)

    def other(self, kind: str, text: str) -> None:
        """A list item or a formula, which is never split."""
        if self.room(LINE) < 2:
            self.next_column()
        self.say(kind, text)
        self.put(kind, text, LINE, len(text) * 7 / self.width)


def wrapped(text: str, width: int) -> list[str]:
    """Break a text into lines at its spaces."""
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + len(word) >= width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line]


def html(rows: list[list[str]], header: bool) -> str:
    """A table as dots.ocr writes it."""
    found = []
    for number, row in enumerate(rows):
        tag = "th" if header and number == 0 else "td"
        found.append(f"<tr>{''.join(f'<{tag}>{text}</{tag}>' for text in row)}</tr>")
    if header:
        return f"<table><thead>{found[0]}</thead><tbody>{''.join(found[1:])}</tbody></table>"
    return f"<table><tbody>{''.join(found)}</tbody></table>"
