"""The pieces of a Word document: paragraphs, runs, tables, pictures. Text stays text."""

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
INDENT = 360  # twentieths of a point, a level of a list


def element(name: str, *inside: Any, **values: str) -> Any:
    """An element of this name, its attributes in Word's namespace, with this in it."""
    found = OxmlElement(name)
    for key, value in values.items():
        found.set(qn(f"w:{key}"), value)
    found.extend(inside)
    return found


def paragraph(style: str, runs: Iterable[Any], indent: int = 0) -> Any:
    """A paragraph of a style, by the style's id."""
    look = element("w:pPr", element("w:pStyle", val=style))
    if indent:
        look.append(element("w:ind", left=str(indent), hanging=str(INDENT)))
    return element("w:p", look, *runs)


def run(text: str, looks: Iterable[str] = ()) -> Any:
    """Text in one look; a line's end is one, and a tab is."""
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
    """LaTeX as a formula that Word can edit; as it stands if it is none."""
    try:
        math = markup.mathml(latex.strip(), is_block)
        if math is not None:
            return word_formula(math)
    except markup.CANNOT:
        pass
    return run(latex, [CODE])


def displayed(latex: str) -> Any:
    """A formula that stands for itself."""
    found = formula(latex, is_block=True)
    return found if found.tag == qn("w:r") else element("m:oMathPara", found)


def line(text: str, looks: Iterable[str] = ()) -> list[Any]:
    """Runs of a text without marks, its formulas among them."""
    found, at = list[Any](), 0
    for match in markup.FORMULAS.finditer(text):
        found += plain(text[at : match.start()], looks)
        found.append(formula(match[str(match.lastgroup)]))
        at = match.end()
    return [*found, *plain(text[at:], looks)]


def plain(text: str, looks: Iterable[str] = ()) -> list[Any]:
    """A run of a text; none of an empty one."""
    return [run(text, looks)] if text else []


def prose(text: str, style: str) -> Iterator[Any]:
    """The paragraphs of a text in Markdown of the simplest kind.

    Numbers of a list stay as they were read: Word's own would begin again, or go on, elsewhere.
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
    """The style of a list with points, so deep in others."""
    return f"ListBullet{min(depth, 3)}" if depth > 1 else "ListBullet"


def inline(tokens: Iterable[Token], formulas: list[str]) -> Iterator[Any]:
    """The runs of what stands in a paragraph."""
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
    """A text with its formulas in it again, as they were read."""
    return markup.WAITING.sub(lambda match: "".join(formulas[int(match[1]) :][:1]), text)


def table(grid: Grid, width: int) -> Any:
    """A table as wide as this, in twentieths of a point, its spans as merged cells."""
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
    """One row of a table; a place that no cell has is an empty one."""
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
