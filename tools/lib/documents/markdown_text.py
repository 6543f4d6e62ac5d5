"""Turn a cell's text into Markdown that has only text, emphasis, lists, tables and formulas.

The model writes Markdown, and also whatever is printed on the page. None of it may become HTML, a
link, a picture from elsewhere or a heading, and none of it may swallow the text after it.
"""

import re

from lib.documents.tables import Grid, literal, read_table
from lib.pages.markup import FORMULAS, LONGEST_MARKUP, clean_table, in_cells, percents, whole_table

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
TAG = re.compile(r"<(?=[A-Za-z/!?])")  # begins HTML, or a link in <>
LINK = re.compile(r"\](?=[(\[:])")  # ends the text of a link or a picture, or the label of a link
BEGINS = re.compile(  # at the start of a line or an item: a heading, a fence, a rule, a table, …
    r"^((?:[ \t]|(?:[-*+]|[0-9]{1,9}[.)])[ \t])*)"
    r"(?=#{1,6}(?:\s|$)|`{3}|~{3}|=+[ \t]*$|-+[ \t]*$|[|>])",
    re.MULTILINE,
)
INDENT = re.compile(r"^(?: {4,}|[ ]{0,3}\t[ \t]*)", re.MULTILINE)  # would make the line code
FENCE = re.compile(r"`{3,}|~{3,}")
ITEM = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])\s")
BULLET = re.compile(r"[•‣◦▪■□○●·∙]\s*")
WRAPPED = re.compile(r"^\s*`?(?:\$\$|\\\[)(.*?)(?:\$\$|\\\])`?\s*$", re.DOTALL)


def prose(text: str) -> str:
    """Return a text as Markdown."""
    found, end = [], 0
    for match in FORMULAS.finditer(text):
        found += [plain(text[end : match.start()]), latex(match[0])]
        end = match.end()
    whole = "".join([*found, plain(text[end:])])
    return CONTROLS.sub("\N{REPLACEMENT CHARACTER}", whole).strip()


def plain(text: str) -> str:
    """Return the text between formulas as Markdown without HTML, links and unclosed formulas."""
    inside = LINK.sub(r"]\\", TAG.sub("&lt;", text)).replace("$$", r"\$\$")
    return BEGINS.sub(r"\1\\", INDENT.sub("   ", inside))


def latex(text: str) -> str:
    """Make a formula safe for programs that show it as text, and for those that typeset it.

    For the first, blanks are put in, which change no formula. For the others, % is escaped, because
    it would hide the rest of its line.
    """
    return percents(FENCE.sub("", LINK.sub("] ", TAG.sub("< ", text))))


def one_line(text: str) -> str:
    """Return a text as Markdown in one line, for headings and for our own words."""
    return re.sub(r"(#+)$", r"\\\1", " ".join(prose(text).split()))


def item(text: str) -> str:
    """Return a list item, with the sign that makes it one."""
    if ITEM.match(text):
        return prose(text)
    return f"- {prose(BULLET.sub('', text, count=1) if BULLET.match(text) else text)}"


def formula(text: str) -> str:
    """Return a formula on its own lines; as prose if there is text with it."""
    wrapped = WRAPPED.match(text)
    if not wrapped and FORMULAS.search(text):
        return prose(text)
    inside = CONTROLS.sub(" ", wrapped[1] if wrapped else text.strip("` \n"))
    lines = [line.rstrip() for line in latex(inside.replace("$$", "")).split("\n") if line.strip()]
    return "\n".join(["$$", *lines, "$$"]) if lines else ""


def table(text: str) -> str:
    """Return a table in Markdown's own form if that is possible, else as HTML with only a table."""
    grid = read_table(text)
    if is_simple(grid):
        return piped(grid)
    if "<" not in text or len(text) > LONGEST_MARKUP:
        return prose(text)
    whole = CONTROLS.sub(" ", clean_table(in_cells(whole_table(text), literal)))
    line = " ".join(whole.split())  # an empty line would end the HTML
    return line if line.startswith("<table") else f"<div>{line}</div>"


def is_simple(grid: Grid) -> bool:
    """Whether a table has one header row, no merged cells, and no sign in it that ends a cell."""
    return (
        grid.header_rows == 1 < grid.rows
        and len(grid.cells) == grid.rows * grid.columns
        and not (grid.caption or grid.left_out)
        and not any(sign in cell.text for cell in grid.cells for sign in "|\n")
    )


def piped(grid: Grid) -> str:
    """Return a table in Markdown's own form."""
    lines = [f"| {' | '.join(map(one_line, row))} |" for row in grid.texts()]
    return "\n".join([lines[0], f"|{' --- |' * grid.columns}", *lines[1:]])
