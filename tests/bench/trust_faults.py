"""Faults to put into a true answer, one at a time, for bench/trust.py."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from unicodedata import east_asian_width

import numpy
from PIL import Image

from answer.cells import Cell

Box = tuple[float, float, float, float]

PLAIN = ("Caption", "Footnote", "List-item", "Section-header", "Text", "Title")
LONG = 20  # characters; half of a shorter text may be as long as a whole text in wide letters
NUMBER = 4  # letters and digits of a number: of a page, an equation, a section
GRID = 4  # side in pixels of the tiles in which white is looked for
WHITE = 20  # levels between the darkest and the lightest pixel of an area that counts as white
INVENTED = "This sentence stands nowhere on the page, and yet it was read there. "
LEADERS = re.compile(r"[.·…_\s]{4,}")  # dots that lead to a page number, or a gap to be filled in
ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """A picture as it is sent, and its true cells, in pixels of the picture."""

    picture: Image.Image
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Fault:
    """A false answer. A doubt tells it if it overlaps one of its places."""

    name: str
    cells: list[Cell]
    places: tuple[Box, ...]


Make = Callable[[Page, random.Random], Iterator[Fault]]


def text_of(cell: Cell) -> str:
    return str(cell.get("text") or "")


def box_of(cell: Cell) -> Box:
    left, top, right, bottom = cell["bbox"]
    return left, top, right, bottom


def overlap(one: Box, other: Box) -> float:
    """The area that two boxes share."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, wide) * max(0.0, high)


def whole(page: Page) -> Box:
    return 0, 0, page.picture.width, page.picture.height


def read(page: Page, categories: Sequence[str] = (), least: int = 1) -> list[int]:
    """The cells with at least so many characters, without leaders.

    Without categories: the cells of any category but Picture.
    """
    return [
        index
        for index, cell in enumerate(page.cells)
        if (cell["category"] in categories if categories else cell["category"] != "Picture")
        and len(LEADERS.sub(" ", text_of(cell)).strip()) >= least
    ]


def with_cells(page: Page, changes: dict[int, Cell]) -> list[Cell]:
    """The true cells, with some of them changed."""
    return [changes.get(index, cell) for index, cell in enumerate(page.cells)]


def with_text(page: Page, index: int, text: str) -> list[Cell]:
    return with_cells(page, {index: {**page.cells[index], "text": text}})


def without(page: Page, lost: Sequence[int]) -> list[Cell]:
    return [cell for index, cell in enumerate(page.cells) if index not in lost]


def is_number(cell: Cell) -> bool:
    """Whether a cell has only a number, a single letter or a mark."""
    return sum(map(str.isalnum, text_of(cell))) <= NUMBER


def lines(page: Page) -> list[int]:
    """The cells with at least a line of text."""
    return [index for index in read(page) if not is_number(page.cells[index])]


def dropped(page: Page, rng: random.Random) -> Iterator[Fault]:
    for index in lines(page):
        yield Fault("dropped", without(page, [index]), (box_of(page.cells[index]),))


def number_dropped(page: Page, rng: random.Random) -> Iterator[Fault]:
    for index in sorted({*read(page)} - {*lines(page)}):
        yield Fault("number dropped", without(page, [index]), (box_of(page.cells[index]),))


def moved(cell: Cell, by: tuple[float, float], page: Page) -> Cell:
    """Shift the cell; cut off what would leave the page."""
    left, top, right, bottom = cell["bbox"]
    wide, high = page.picture.size
    x1, x2 = (round(min(max(0, x + by[0]), wide)) for x in (left, right))
    y1, y2 = (round(min(max(0, y + by[1]), high)) for y in (top, bottom))
    return {**cell, "bbox": [x1, y1, x2, y2]}


def step(page: Page, share: float, rng: random.Random) -> tuple[float, float]:
    """A shift by this share of the page: horizontal, vertical, or both."""
    across, down = rng.choice(
        [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1)]
    )
    return share * across * page.picture.width, share * down * page.picture.height


def shifted(share: float) -> Make:
    """Shift the box of one cell."""

    def make(page: Page, rng: random.Random) -> Iterator[Fault]:
        for index in lines(page):
            true = page.cells[index]
            cell = moved(true, step(page, share, rng), page)
            places = (box_of(true), box_of(cell))
            yield Fault(f"shifted {share:.0%}", with_cells(page, {index: cell}), places)

    return make


def all_shifted(share: float) -> Make:
    """Shift all boxes by the same distance."""

    def make(page: Page, rng: random.Random) -> Iterator[Fault]:
        by = step(page, share, rng)
        cells = [moved(cell, by, page) for cell in page.cells]
        yield Fault(f"all shifted {share:.0%}", cells, (whole(page),))

    return make


def white_boxes(page: Page, rng: random.Random, count: int) -> Iterator[Box]:
    """Yield boxes as large as a line or a few, in places without ink and without a cell."""
    gray = page.picture.convert("L")
    pixels = numpy.asarray(gray.crop((0, 0, gray.width // GRID * GRID, gray.height // GRID * GRID)))
    tiles = pixels.reshape(gray.height // GRID, GRID, gray.width // GRID, GRID)
    low, high = tiles.min(axis=(1, 3)), tiles.max(axis=(1, 3))
    taken = numpy.zeros(low.shape, bool)
    for cell in page.cells:
        x1, y1, x2, y2 = (round(at / GRID) for at in box_of(cell))
        taken[max(0, y1 - 1) : y2 + 1, max(0, x1 - 1) : x2 + 1] = True
    for _ in range(200 * count):
        wide = round(low.shape[1] * rng.uniform(0.1, 0.4))
        tall = round(low.shape[0] * rng.uniform(0.012, 0.04))
        x = rng.randrange(max(1, low.shape[1] - wide))
        y = rng.randrange(max(1, low.shape[0] - tall))
        part = slice(y, y + tall), slice(x, x + wide)
        if tall < 3 or taken[part].any() or int(high[part].max()) - int(low[part].min()) > WHITE:
            continue
        yield x * GRID, y * GRID, (x + wide) * GRID, (y + tall) * GRID
        count -= 1
        if not count:
            return


def invented(page: Page, rng: random.Random) -> Iterator[Fault]:
    for box in white_boxes(page, rng, 4):
        line = min(box[3] - box[1], page.picture.height * 0.014)
        count = int((box[2] - box[0]) * (box[3] - box[1]) / (line * line * 0.6))
        text = (INVENTED * (count // len(INVENTED) + 1))[: max(LONG, count)]
        cell = {"bbox": [*map(int, box)], "category": "Text", "text": text}
        yield Fault("invented on white", [*page.cells, cell], (box,))


def halved(page: Page, rng: random.Random) -> Iterator[Fault]:
    for index in read(page, PLAIN, LONG):
        # half of the dots is not half of the text
        text = LEADERS.sub(" ", text_of(page.cells[index]))
        half = text[: len(text) // 2] if rng.random() < 0.5 else text[len(text) // 2 :]
        yield Fault("halved", with_text(page, index, half), (box_of(page.cells[index]),))


def doubled(page: Page, rng: random.Random) -> Iterator[Fault]:
    for index in read(page, PLAIN, LONG):
        text = f"{text_of(page.cells[index])} {text_of(page.cells[index])}"
        yield Fault("doubled", with_text(page, index, text), (box_of(page.cells[index]),))


def swapped(page: Page, rng: random.Random) -> Iterator[Fault]:
    pairs = list(combinations(read(page, PLAIN, LONG), 2))
    for one, other in rng.sample(pairs, min(len(pairs), 40)):
        first, second = page.cells[one], page.cells[other]
        changes = {
            one: {**first, "text": text_of(second)},
            other: {**second, "text": text_of(first)},
        }
        yield Fault("swapped", with_cells(page, changes), (box_of(first), box_of(second)))


def digits(page: Page, rng: random.Random) -> Iterator[Fault]:
    for index in read(page, (*PLAIN, "Table")):
        text = re.sub(r"<[^>]*>", lambda tag: "\0" * len(tag[0]), text_of(page.cells[index]))
        found = [at for at, letter in enumerate(text) if letter in "0123456789"]
        if not found:
            continue
        at, text = rng.choice(found), text_of(page.cells[index])
        other = rng.choice([digit for digit in "0123456789" if digit != text[at]])
        changed = text[:at] + other + text[at + 1 :]
        yield Fault("digits", with_text(page, index, changed), (box_of(page.cells[index]),))


def row_dropped(page: Page, rng: random.Random) -> Iterator[Fault]:
    for index in read(page, ("Table",)):
        text = text_of(page.cells[index])
        rows = list(ROW.finditer(text))
        if len(rows) < 2:
            continue
        row = rng.choice(rows)
        less = text[: row.start()] + text[row.end() :]
        yield Fault("row dropped", with_text(page, index, less), (box_of(page.cells[index]),))


def columns(page: Page) -> list[list[int]]:
    """The columns of the page, if it has any: cells below one another, beside other such cells."""
    narrow = [
        index
        for index in read(page)
        if page.cells[index]["bbox"][2] - page.cells[index]["bbox"][0] < 0.6 * page.picture.width
    ]
    found: list[list[int]] = []
    for index in sorted(narrow, key=lambda index: page.cells[index]["bbox"][0]):
        left, _, right, _ = page.cells[index]["bbox"]
        reach = max((page.cells[at]["bbox"][2] for at in found[-1]), default=0) if found else 0
        if found and min(reach, right) - left > 0.5 * (right - left):
            found[-1].append(index)
        else:
            found.append([index])
    full = [column for column in found if sum(len(text_of(page.cells[at])) for at in column) > 100]
    return full if len(full) > 1 else []


def column_lost(page: Page, rng: random.Random) -> Iterator[Fault]:
    for column in columns(page):
        places = tuple(box_of(page.cells[index]) for index in column)
        yield Fault("column lost", without(page, column), places)


def swallowed(page: Page, rng: random.Random) -> Iterator[Fault]:
    """A text of three lines or more becomes a picture."""
    for index in read(page, PLAIN, LONG):
        cell = page.cells[index]
        if rows_of(cell) >= 2.6:
            picture = {"bbox": cell["bbox"], "category": "Picture"}
            yield Fault("swallowed", with_cells(page, {index: picture}), (box_of(cell),))


def rows_of(cell: Cell) -> float:
    """The approximate number of lines that a text fills in its box.

    A letter is half as wide as the distance of two lines.
    """
    left, top, right, bottom = box_of(cell)
    letters = sum(1 + (east_asian_width(sign) in "WF") for sign in text_of(cell))
    return (bottom - top) / 1.2 / math.sqrt((right - left) * (bottom - top) / (0.6 * letters))


def nothing_read(page: Page, rng: random.Random) -> Iterator[Fault]:
    over_all = {"bbox": [*map(int, whole(page))], "category": "Picture"}
    dumb = [{**cell, "text": ""} for cell in page.cells if cell["category"] != "Picture"]
    units = [{**cell, "bbox": [0, 0, 1, 1]} for cell in page.cells]
    for cells in ([over_all], dumb, units):
        yield Fault("nothing read", cells, (whole(page),))


MAKES: tuple[Make, ...] = (
    *(dropped, number_dropped, shifted(0.02), shifted(0.05), all_shifted(0.02), all_shifted(0.05)),
    *(invented, halved, doubled, swapped, digits, row_dropped, column_lost, swallowed),
    nothing_read,
)


def faults_of(page: Page, rng: random.Random, most: int) -> Iterator[Fault]:
    """Yield at most so many faults of each kind; a page without any text has none."""
    if not read(page):
        return
    for make in MAKES:
        faults = list(make(page, rng))
        yield from faults if len(faults) <= most else rng.sample(faults, most)
