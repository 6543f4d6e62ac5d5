"""Rules that turn blocks into cells of the eleven dots.ocr categories."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cpu_endpoint.blocks import Block
from cpu_endpoint.geometry import Box, Line, height, median, rows, union, width
from cpu_endpoint.text import BULLETS, paragraph

CDLA = {
    "text": "Text",
    "reference": "Text",
    "title": "Section-header",
    "figure": "Picture",
    "figure_caption": "Caption",
    "table_caption": "Caption",
    "table": "Table",
    "header": "Page-header",
    "footer": "Page-footer",
    "equation": "Formula",
    "": "Text",
}
_BULLET = re.compile(rf"^[{re.escape(BULLETS)}]\s*(?=[^\s\d.,%)-])")
_NUMBER = re.compile(
    r"^(\(?\d{1,2}[.)]|\([a-z]\)|[a-z]\)|[①-⑳]|[가나다라마바사아자차카타파하][.)])\s?\D"
)
_NOTE_MARK = re.compile(
    r"^(\*{1,3}|[†‡§¹²³⁴⁵⁶⁷⁸⁹]|\[?\d{1,2}[)\]]|\d{1,2}\s?(?=[A-Z가-힣])|주\s?\d?[):]|※)"
)
_PAGE_NUMBER = re.compile(r"^[-–—\s]*(page\s*)?\d{1,4}(\s*[/of]+\s*\d{1,4})?[-–—\s]*$", re.I)
_UNFINISHED = re.compile(r"[,;.、，；。…-]$")
_WORD = re.compile(r"[^\W\d_]{3}|[\u3400-\u9fff\uac00-\ud7a3]")
_EDGE = 0.08
_SIZE_NOISE = 4.0  # pixels by which detected sizes differ for equal lines


@dataclass(frozen=True)
class Cell:
    """One cell of the answer. html is the markup of a table; None for any other cell."""

    box: Box
    category: str
    lines: list[Line] = field(default_factory=list)
    html: str | None = None

    @property
    def plain(self) -> str:
        return paragraph(self.lines)

    @property
    def type_size(self) -> float:
        return median([line.size for line in self.lines])


def categorise(blocks: Sequence[Block], page_width: int, page_height: int) -> list[Cell]:
    """Return the cells of the blocks, not yet in order; the page's size is in pixels."""
    cells: list[Cell] = []
    usual = _usual_size(blocks)
    for block in blocks:
        category = CDLA.get(block.label, "Text")
        category = _not_so(category, block.lines, usual)
        if category in ("Picture", "Table", "Formula") or block.lines:
            cells += split_items(Cell(block.box, category, block.lines))
    body = median([c.type_size for c in cells for _ in c.lines if c.category == "Text"])
    cells = [_by_place(cell, cells, body, page_height) for cell in cells]
    return _with_title(cells, body, page_width, page_height)


def _usual_size(blocks: Sequence[Block]) -> float:
    """Return the type size of running text, in pixels; 0.0 on a page without any."""
    return median([line.size for b in blocks if b.label in ("", "text") for line in b.lines])


def _not_so(category: str, lines: Sequence[Line], usual: float) -> str:
    """Correct the layout model's category if the words or the type size say otherwise."""
    if not lines:
        return category
    text, single = paragraph(lines), len(rows(lines)) == 1
    if category == "Page-header" and max(line.size for line in lines) > 1.4 * usual > 0:
        return "Text"  # a letterhead or a title; its large type is found again below
    if category == "Section-header" and _BULLET.match(text):
        return "Text"
    if category == "Caption" and single and _NUMBER.match(text):
        return "Section-header"
    return category


def is_item(text: str) -> bool:
    """Whether a line opens a list item."""
    return bool(_BULLET.match(text) or _NUMBER.match(text))


def split_items(cell: Cell) -> list[Cell]:
    """Split a text: its heading and its list items become cells, and the rest stays a Text."""
    if cell.category != "Text":
        return [cell]
    all_rows = rows(cell.lines)
    if opens_with_heading(all_rows):
        head, rest = all_rows[0], [line for row in all_rows[1:] for line in row]
        below = Cell(union(line.box for line in rest), "Text", rest)
        heading = Cell(union(line.box for line in head), "Section-header", head)
        return [heading, *split_items(below)]
    parts: list[list[Line]] = [[]]
    for row in all_rows:
        # A row's first piece may be only the bullet, so look at the whole row.
        if is_item(paragraph(row)) and parts[-1]:
            parts.append([])
        parts[-1].extend(row)
    found = []
    for part in parts:
        if part:
            category = "List-item" if is_item(paragraph(part)) else "Text"
            box = cell.box if len(parts) == 1 else union(line.box for line in part)
            found.append(Cell(box, category, part))
    return found or [cell]


def opens_with_heading(found: Sequence[Sequence[Line]]) -> bool:
    """Whether the first row is a heading: larger, or short and numbered above an unindented row."""
    if len(found) < 2:
        return False
    first, second = union(x.box for x in found[0]), union(x.box for x in found[1])
    size = median([line.size for line in found[0]])
    rest = median([line.size for row in found[1:] for line in row])
    text = paragraph(found[0])
    longest = max(width(union(line.box for line in row)) for row in found[1:])
    # Detected heights vary, so a line of full width is a heading only if it is far larger.
    larger = 1.22 if width(first) < 0.85 * longest else 1.5
    if size > max(larger * rest, rest + _SIZE_NOISE) and not _UNFINISHED.search(text):
        return True
    numbered = _NUMBER.match(text) and not is_item(paragraph(found[1]))
    flush = second[0] < first[0] + 0.7 * size
    return bool(numbered) and flush and first[2] - first[0] < 0.5 * (second[2] - second[0])


def _by_place(cell: Cell, cells: Sequence[Cell], body: float, page_height: int) -> Cell:
    """Find running headers, page numbers, footnotes and headings by their place or type size."""
    top, bottom = cell.box[1] / page_height, cell.box[3] / page_height
    misplaced = (cell.category == "Page-header" and top > 0.15) or (
        cell.category == "Page-footer" and bottom < 0.85
    )
    category = cell.category
    if misplaced:
        category = "Text"
    elif category in ("Text", "List-item") and cell.lines:
        single = len(rows(cell.lines)) == 1 and not cell.lines[0].vertical
        if single and bottom > 1 - _EDGE and _ends_page(cell, cells):
            category = "Page-footer"
        elif single and bottom < _EDGE and _opens_page(cell, cells, body):
            category = "Page-header"
        elif _is_note(cell, body, top):
            category = "Footnote"
        elif is_heading(cell, body):
            category = "Section-header"
    return replace(cell, category=category)


def _is_note(cell: Cell, body: float, top: float) -> bool:
    """Whether it is a marked text in small type near the foot; top is a part of the page height."""
    small = cell.type_size < 0.95 * body or (top > 0.8 and cell.type_size <= body)
    return top > 0.7 and small and bool(_NOTE_MARK.match(cell.plain))


def _ends_page(cell: Cell, cells: Sequence[Cell]) -> bool:
    """Whether it is a page number, or a line at the foot that is apart from all above it."""
    edge = cell.box[1] - 1.2 * height(cell.box)
    apart = all(c is cell or c.box[3] < edge or c.box[1] > edge for c in cells)
    return apart or bool(_PAGE_NUMBER.match(cell.plain))


def _opens_page(cell: Cell, cells: Sequence[Cell], body: float) -> bool:
    """Whether it is a line at the top, not larger than a heading, and apart from all below it."""
    edge = cell.box[3] + 1.2 * height(cell.box)
    apart = all(c is cell or c.box[1] > edge or c.box[3] < edge for c in cells)
    return apart and cell.type_size < 1.3 * body


def is_heading(cell: Cell, body: float) -> bool:
    """Whether it is a short text in clearly larger type than the page's body."""
    text = cell.plain
    if not body or len(rows(cell.lines)) > 2 or len(text) > 120 or cell.lines[0].vertical:
        return False
    letters = sum(char.isalpha() for char in text)
    if _BULLET.match(text):
        return False
    if not _WORD.search(text) or _UNFINISHED.search(text) or letters < 0.5 * len(text):
        return False  # a formula, or a single line of a sentence
    larger = 1.2 if _NUMBER.match(text) else 1.3
    return cell.type_size > max(larger * body, body + _SIZE_NOISE)


def _with_title(cells: list[Cell], body: float, page_width: int, page_height: int) -> list[Cell]:
    """Make the largest heading in the top 35% of the page the Title, if it stands out."""
    headings = [c for c in cells if c.category == "Section-header" and c.lines]
    high = [c for c in headings if c.box[1] < 0.35 * page_height]
    if not high:
        return cells
    title = max(high, key=lambda c: c.type_size)
    others = [c.type_size for c in headings if c is not title]
    stands_out = title.type_size > 1.12 * max(others, default=0.0)
    large = title.type_size > 1.3 * body or not body
    if not (stands_out and large):
        return cells
    # A title of two lines may have come as two headings of one size.
    return [replace(c, category="Title") if c is title else c for c in cells]


def markdown(cell: Cell) -> str:
    """Return the cell's text as dots.ocr would write it: Markdown, or HTML for a Table."""
    if cell.html is not None:
        return cell.html
    text = cell.plain
    if not text:
        return text
    if cell.category == "Title":
        return f"# {text}"
    if cell.category == "Section-header":
        return f"## {text}"
    if cell.category == "List-item":
        return _BULLET.sub("- ", text, count=1)
    return text
