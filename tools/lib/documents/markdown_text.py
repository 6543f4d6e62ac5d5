"""A cell's text -> Markdown that is only text, emphasis, lists, tables and formulas.

The model writes Markdown, and whatever stands on the page. Of it nothing may become HTML, a link,
a picture from elsewhere or a heading, and nothing may swallow what comes behind it.
"""

import re

from lib.documents.tables import Grid, literal, read_table
from lib.pages.markup import FORMULAS, LONGEST_MARKUP, clean_table, in_cells, percents, whole_table

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
TAG = re.compile(r"<(?=[A-Za-z/!?])")  # begins HTML, or a link in <>
LINK = re.compile(r"\](?=[(\[:])")  # or a picture, or the address of one
BEGINS = re.compile(  # at the start of a line or an item: a heading, a fence, a rule, a table, …
    r"^((?:[ \t]|(?:[-*+]|[0-9]{1,9}[.)])[ \t])*)"
    r"(?=#{1,6}(?:\s|$)|`{3}|~{3}|=+[ \t]*$|-+[ \t]*$|[|>])",
    re.MULTILINE,
)
INDENT = re.compile(r"^(?: {4,}|[ ]{0,3}\t[ \t]*)", re.MULTILINE)  # else it is code
FENCE = re.compile(r"`{3,}|~{3,}")
ITEM = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])\s")
BULLET = re.compile(r"[•‣◦▪■□○●·∙]\s*")
WRAPPED = re.compile(r"^\s*`?(?:\$\$|\\\[)(.*?)(?:\$\$|\\\])`?\s*$", re.DOTALL)


def prose(text: str) -> str:
    """A text as Markdown."""
    found, end = [], 0
    for match in FORMULAS.finditer(text):
        found += [plain(text[end : match.start()]), latex(match[0])]
        end = match.end()
    whole = "".join([*found, plain(text[end:])])
    return CONTROLS.sub("\N{REPLACEMENT CHARACTER}", whole).strip()


def plain(text: str) -> str:
    """Text between formulas: no HTML, no links, and no formula that never ends."""
    inside = LINK.sub(r"]\\", TAG.sub("&lt;", text)).replace("$$", r"\$\$")
    return BEGINS.sub(r"\1\\", INDENT.sub("   ", inside))


def latex(text: str) -> str:
    """A formula, which many programs show as text: blanks in it change nothing, but for them.

    For the others a bare % would hide the rest of its line.
    """
    return percents(FENCE.sub("", LINK.sub("] ", TAG.sub("< ", text))))


def one_line(text: str) -> str:
    """A text as Markdown in one line, for headings and for words of ours."""
    return re.sub(r"(#+)$", r"\\\1", " ".join(prose(text).split()))


def item(text: str) -> str:
    """An item of a list, with a sign that makes it one."""
    if ITEM.match(text):
        return prose(text)
    return f"- {prose(BULLET.sub('', text, count=1) if BULLET.match(text) else text)}"


def formula(text: str) -> str:
    """A formula in lines of its own; as prose where it brings text along."""
    wrapped = WRAPPED.match(text)
    if not wrapped and FORMULAS.search(text):
        return prose(text)
    inside = CONTROLS.sub(" ", wrapped[1] if wrapped else text.strip("` \n"))
    lines = [line.rstrip() for line in latex(inside.replace("$$", "")).split("\n") if line.strip()]
    return "\n".join(["$$", *lines, "$$"]) if lines else ""


def table(text: str) -> str:
    """A table: in Markdown's own form if that can hold it, else as HTML that is only a table."""
    grid = read_table(text)
    if is_simple(grid):
        return piped(grid)
    if "<" not in text or len(text) > LONGEST_MARKUP:
        return prose(text)
    whole = CONTROLS.sub(" ", clean_table(in_cells(whole_table(text), literal)))
    line = " ".join(whole.split())  # an empty line would end the HTML
    return line if line.startswith("<table") else f"<div>{line}</div>"


def is_simple(grid: Grid) -> bool:
    """Whether a table has one header row, no cell that spans, and no sign that ends a cell."""
    return (
        grid.header_rows == 1 < grid.rows
        and len(grid.cells) == grid.rows * grid.columns
        and not (grid.caption or grid.left_out)
        and not any(sign in cell.text for cell in grid.cells for sign in "|\n")
    )


def piped(grid: Grid) -> str:
    """A table in Markdown's own form."""
    lines = [f"| {' | '.join(map(one_line, row))} |" for row in grid.texts()]
    return "\n".join([lines[0], f"|{' --- |' * grid.columns}", *lines[1:]])
