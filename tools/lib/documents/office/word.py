"""Make the pieces of a Word document: paragraphs, runs, tables, formulas. Text stays text."""

from collections.abc import Iterable, Iterator
from typing import Any

from docx.oxml.ns import qn
from docx.oxml.parser import OxmlElement
from markdown_it.token import Token

from lib.documents.office.word_math import word_formula
from lib.documents.office.xml_text import xml_text
from lib.documents.tables import Grid, GridCell
from lib.pages import markup

MOST_COLUMNS = 63  # of a table in Word
BOLD, ITALIC, CODE = "bold", "italic", "code"
CODE_FONT = "Courier New"
INDENT = 360  # for each level of a list, in twentieths of a point


def element(name: str, *inside: Any, **values: str) -> Any:
    """Return an element with this name and content, its attributes in Word's namespace."""
    found = OxmlElement(name)
    for key, value in values.items():
        found.set(qn(f"w:{key}"), value)
    found.extend(inside)
    return found


def paragraph(style: str, runs: Iterable[Any], indent: int = 0) -> Any:
    """Return a paragraph; style is the id of its style."""
    look = element("w:pPr", element("w:pStyle", val=style))
    if indent:
        look.append(element("w:ind", left=str(indent), hanging=str(INDENT)))
    return element("w:p", look, *runs)


def run(text: str, looks: Iterable[str] = ()) -> Any:
    """Return text in one look. Line ends and tabs in it stay what they are."""
    found = OxmlElement("w:r")
    names = [
        *([element("w:rFonts", ascii=CODE_FONT, hAnsi=CODE_FONT)] if CODE in looks else []),
        *([element("w:b")] if BOLD in looks else []),
        *([element("w:i")] if ITALIC in looks else []),
    ]
    if names:
        found.append(element("w:rPr", *names))
    found.text = xml_text(text)
    return found


def formula(latex: str, is_block: bool = False) -> Any:
    """Return LaTeX as a formula that Word can edit, or as code if it cannot be converted."""
    try:
        math = markup.mathml(latex.strip(), is_block)
        if math is not None:
            return word_formula(math)
    except markup.CANNOT:
        pass
    return run(latex, [CODE])


def displayed(latex: str) -> Any:
    """Return a formula that is in a line of its own."""
    found = formula(latex, is_block=True)
    return found if found.tag == qn("w:r") else element("m:oMathPara", found)


def line(text: str, looks: Iterable[str] = ()) -> list[Any]:
    """Return the runs of a text without Markdown, with its formulas among them."""
    found, at = list[Any](), 0
    for match in markup.FORMULAS.finditer(text):
        found += plain(text[at : match.start()], looks)
        found.append(formula(match[str(match.lastgroup)]))
        at = match.end()
    return [*found, *plain(text[at:], looks)]


def plain(text: str, looks: Iterable[str] = ()) -> list[Any]:
    """Return a run in a list; no run for an empty text."""
    return [run(text, looks)] if text else []


def prose(text: str, style: str) -> Iterator[Any]:
    """Yield the paragraphs of a text in simple Markdown.

    The numbers of a list stay text, as they were read: Word's own could start again, or go on, in
    the wrong place.
    """
    formulas: list[str] = []

    def take(match: Any) -> str:
        formulas.append(match[match.lastgroup])
        return f"{markup.HELD}{len(formulas) - 1}{markup.HELD_END}"

    held = markup.FORMULAS.sub(take, text.replace(markup.HELD, "").replace(markup.HELD_END, ""))
    depth, number, look, indent = 0, "", style, 0
    for token in markup.markdown.parse(held):
        depth += token.nesting if token.type.endswith(("_list_open", "_list_close")) else 0
        if token.type == "list_item_open":
            number = f"{token.info}{token.markup}\t" if token.info else ""
            look, indent = ("ListParagraph", depth * INDENT) if number else (bullet(depth), 0)
        elif token.type == "inline":
            look, indent = (look, indent) if depth else (style, 0)
            yield paragraph(look, [*plain(number), *inline(token.children or [], formulas)], indent)
            number, look, indent = "", "ListParagraph", depth * INDENT


def bullet(depth: int) -> str:
    """Return the style of a bullet list that is nested so deep."""
    return f"ListBullet{min(depth, 3)}" if depth > 1 else "ListBullet"


def inline(tokens: Iterable[Token], formulas: list[str]) -> Iterator[Any]:
    """Yield the runs of a paragraph's content."""
    looks: list[str] = []
    names = {"strong": BOLD, "em": ITALIC}
    for token in tokens:
        kind, _, way = token.type.rpartition("_")
        if way == "open":
            looks.append(names.get(kind, ""))
        elif way == "close":
            looks.pop()
        elif token.type in ("softbreak", "hardbreak"):
            yield run("\n")
        elif token.type == "code_inline":
            yield run(released(token.content, formulas), [*looks, CODE])
        else:
            for place, part in enumerate(markup.WAITING.split(token.content)):
                if place % 2 == 0:
                    yield from plain(part, looks)
                else:
                    yield from (formula(latex) for latex in formulas[int(part) :][:1])


def released(text: str, formulas: list[str]) -> str:
    """Return a text with its formulas put back in, as they were read."""
    return markup.WAITING.sub(lambda match: "".join(formulas[int(match[1]) :][:1]), text)


def table(grid: Grid, width: int) -> Any:
    """Return a table with merged cells. width is in twentieths of a point."""
    column = str(width // max(grid.columns, 1))
    look = element(
        "w:tblPr",
        element("w:tblStyle", val="TableGrid"),
        element("w:tblW", w="0", type="auto"),
        element("w:tblLook", val="0000"),
    )
    columns = element("w:tblGrid", *(element("w:gridCol", w=column) for _ in range(grid.columns)))
    starts = {(cell.row, cell.column): cell for cell in grid.cells}
    goes_on = {
        (row, cell.column): cell
        for cell in grid.cells
        for row in range(cell.row + 1, cell.row + cell.rowspan)
    }
    rows = (table_row(grid, row, starts, goes_on) for row in range(grid.rows))
    return element("w:tbl", look, columns, *rows)


Places = dict[tuple[int, int], GridCell]


def table_row(grid: Grid, row: int, starts: Places, goes_on: Places) -> Any:
    """Return one row of a table. A place without a cell becomes an empty cell."""
    found, column = OxmlElement("w:tr"), 0
    if row < grid.header_rows:
        found.append(element("w:trPr", element("w:tblHeader")))
    while column < grid.columns:
        above = goes_on.get((row, column))
        cell = starts.get((row, column)) or above
        look = element("w:tcPr")
        if cell and cell.colspan > 1:
            look.append(element("w:gridSpan", val=str(cell.colspan)))
        if cell and cell.rowspan > 1:
            look.append(element("w:vMerge", val="continue" if above else "restart"))
        looks = [BOLD] if cell and cell.is_header else []
        runs = line(cell.text, looks) if cell and not above else []
        found.append(element("w:tc", look, element("w:p", *runs)))
        column += cell.colspan if cell else 1
    return found
