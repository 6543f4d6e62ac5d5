"""The text of a cell -> HTML that cannot do anything. All of it is hostile until cleaned here.

Tables come as HTML, formulas as LaTeX, the rest as Markdown. Whatever a converter makes of them
goes through nh3, which lets no script, no link, no style and no address pass.
"""

import html
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import TypeGuard

import nh3
from latex2mathml import exceptions as latex_errors
from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt

from lib.pages.entries import Cell
from lib.pages.values import clean


def is_error(found: object) -> TypeGuard[type[Exception]]:
    """Whether something is a kind of error."""
    return isinstance(found, type) and issubclass(found, Exception)


LONGEST_FORMULA = 2_000
LONGEST_MARKUP = 200_000  # of what is longer, the text is shown as it is
TEXT_TAGS = {
    "p",
    "br",
    "em",
    "strong",
    "code",
    "ul",
    "ol",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
}
TABLE_TAGS = {
    *("table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td"),
    *("p", "br", "b", "i", "em", "strong", "u", "s", "sub", "sup", "code", "ul", "ol", "li"),
}
FORMULA_TAGS = {
    *("math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "mfrac", "msqrt", "mroot"),
    *("msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts"),
    *("mtable", "mtr", "mtd", "mpadded", "mphantom", "menclose", "mstyle", "merror"),
}
LAID_OUT = {
    *TABLE_TAGS,
    *FORMULA_TAGS,
    *("a", "abbr", "annotation", "big", "blockquote", "body", "center", "dd", "del", "div", "dl"),
    *("dt", "figcaption", "font", "h1", "h2", "h3", "h4", "h5", "h6", "head", "hr", "html"),
    *("iframe", "img", "input", "ins", "kbd", "label", "mark", "nobr", "o:p", "pre", "q", "rp"),
    *("rt", "ruby", "script", "semantics", "small", "span", "strike", "style", "svg", "tt"),
}
"""What models write around a table's texts: of other names it is text that stands on the page."""
FORMULA_ATTRIBUTES = {
    *("display", "displaystyle", "mathvariant", "stretchy", "fence", "form", "largeop"),
    *("movablelimits", "linethickness", "columnalign", "accent", "width", "minsize", "maxsize"),
}
SPAN = re.compile(r"[1-9][0-9]{0,2}")
START = re.compile(r"[0-9]{1,9}")
LENGTH = re.compile(r"[-+]?[0-9.]{1,6}(em|ex|px|pt|%)?|[a-z-]{1,20}")
FORMULAS = re.compile(  # bounded, so that a page full of dollars takes no longer
    r"\$\$(?P<block>[^$]{1,2000}?)\$\$"
    r"|\\\[(?P<display>.{1,2000}?)\\\]"
    r"|\\\((?P<inline>.{1,1000}?)\\\)"
    r"|(?<![\\$\w])\$(?=[^\s$])(?P<dollar>[^$\n]{1,1000}?)(?<![\s\\])\$(?!\w)",
    re.DOTALL,
)
HELD, HELD_END = "\ue000", "\ue001"  # around the number of a formula that waits
TABLE_TAG = re.compile(
    rf"(</?(?:{'|'.join(sorted(TABLE_TAGS))})(?:[\s/][^<>]{{0,1000}})?>)", re.IGNORECASE
)
LONG_NAMES = "|".join(name for name in sorted(LAID_OUT) if len(name) > 1)
LETTERS = "".join(name for name in sorted(LAID_OUT) if len(name) == 1)
IS_TAG = (  # behind its <; words that are no attributes make none of a letter, as in a<b and c>d
    rf"(?:/?(?:(?:{LONG_NAMES})(?:[\s/][^<>]{{0,1000}})?"
    rf"|[{LETTERS}](?:[\s/][^<>=]{{0,1000}}=[^<>]{{0,1000}}|[\s/]{{0,1000}}))>"
    r"|!--[^<>]{0,1000}-->|!doctype[^<>]{0,100}>|\?xml[^<>]{0,100}>)"
)
A_TAG = re.compile(f"<{IS_TAG}", re.IGNORECASE)
MATH_TAG = re.compile(rf"</?(?:{'|'.join(sorted(FORMULA_TAGS))})(?:[\s/][^<>]{{0,1000}})?>", re.I)
NO_TAG = re.compile(f"<(?!{IS_TAG})", re.IGNORECASE)  # as in x<y, or of what is printed so: <Enter>
OF_TABLE = re.compile(r"<(?:table|tr|td|th)[\s/>]", re.IGNORECASE)
WAITING = re.compile(f"{HELD}([0-9]{{1,6}}){HELD_END}")
BARE_LATEX = re.compile(r"^\s*(?:\$\$|\\\[)(.*?)(?:\$\$|\\\])\s*$", re.DOTALL)
DEFINES = re.compile(r"\\(?:def|newcommand|newenvironment|DeclareMathOperator)(?![a-z])")
ALIGNED = re.compile(r"\\(begin|end)\{(?:align|aligned|alignedat|gathered|gather\*?|equation\*?)\}")
PERCENT = re.compile(r"(?<!\\)((?:\\\\)*)%")  # begins a comment in LaTeX
SPACING = re.compile(  # of which latex2mathml drops what is in it, or at which it gives up
    r"\\math(?:op|bin|rel|ord|open|close|punct|inner)(?![a-zA-Z])|(?<=})\s*\\limits(?![a-zA-Z])"
)
ESCAPED = re.compile(r"\\([%$&#_{}])")
TAG = re.compile(r"<[^<>]{0,1000}>")
SIGNS = re.compile(r"^[ \t]*#{1,6}[ \t]|\*\*|\$\$|^[ \t]*[-*][ \t]", re.MULTILINE)
CANNOT: tuple[type[Exception], ...] = (
    *(found for found in vars(latex_errors).values() if is_error(found)),
    *(ValueError, LookupError, TypeError, AttributeError, StopIteration, RuntimeError),
)
"""What latex2mathml raises for a formula: errors of its own, and where it does not expect one."""

markdown = MarkdownIt("zero", {"breaks": True, "html": False}).enable(
    ["heading", "list", "emphasis", "backticks", "escape", "newline"]
)


def cell_html(cell: Cell) -> str:
    """A cell's text as HTML; as it is where no converter can do with it."""
    text = clean(cell.text).strip().replace(HELD, "").replace(HELD_END, "")
    try:
        return convert(cell, text)
    except CANNOT:
        return f"<p>{html.escape(text)}</p>"


def convert(cell: Cell, text: str) -> str:
    """A cell's text as HTML, by the cell's category."""
    if len(text) > LONGEST_MARKUP:
        return f"<p>{html.escape(text)}</p>"
    if cell.category == "Formula":
        latex = bare_formula(text)
        if latex is not None:
            return formula(latex, block=True)
    if cell.category == "Table" and "<" in text:
        return table(text)
    return prose(text)


def clean_text(found: str) -> str:
    """The HTML of a text with nothing but what texts are made of, and the number of a list."""
    return nh3.clean(
        found,
        tags=TEXT_TAGS,
        attributes={"ol": {"start"}},
        attribute_filter=lambda tag, name, value: value if START.fullmatch(value) else None,
    )


def bare_formula(text: str) -> str | None:
    """The LaTeX of a text that is a formula; None: one with words around."""
    bare = BARE_LATEX.match(text)
    if bare:
        return bare.group(1)
    return None if FORMULAS.search(text) else text


def prose(text: str) -> str:
    """Markdown, of the simplest kind, with formulas in it."""
    formulas: list[str] = []
    held = hold(text, formulas)
    return release(clean_text(markdown.render(held)), formulas)


def line_html(text: str) -> str:
    """A text in one line as HTML that stands inside a line: it begins no list and no heading."""
    formulas: list[str] = []
    text = clean(text).replace(HELD, "").replace(HELD_END, "")
    if len(text) > LONGEST_MARKUP:
        return html.escape(text)
    try:
        held = hold(text, formulas)
        return release(clean_text(markdown.renderInline(held)), formulas)
    except CANNOT:
        return html.escape(text)


def table(text: str) -> str:
    """An HTML table, with formulas in it."""
    formulas: list[str] = []
    held = in_cells(whole_table(text), lambda piece: hold(piece, formulas))
    return release(clean_table(held), formulas)


def whole_table(text: str) -> str:
    """Rows or cells with a table around them: without it the texts of two cells are one word."""
    is_part = OF_TABLE.search(text) and "<table" not in text.lower()
    return f"<table>{text}</table>" if is_part else text


def in_cells(text: str, change: Callable[[str], str]) -> str:
    """An HTML table with the text between its tags changed.

    Piece by piece, since two prices in two cells are no formula: $</td><td>5</td><td>$.
    """
    return "".join(map(change, TABLE_TAG.split(text)))


def clean_table(text: str) -> str:
    """An HTML table as browsers understand it, all tags closed, and with those of tables alone.

    nh3 would drop what is in a formula's tags, too.
    """
    return nh3.clean(
        NO_TAG.sub("&lt;", MATH_TAG.sub("", text)),
        tags=TABLE_TAGS,
        attributes={"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
        attribute_filter=lambda tag, name, value: value if SPAN.fullmatch(value) else None,
    )


def hold(text: str, formulas: list[str]) -> str:
    """Take the formulas out of a text: what is left with their numbers; their HTML is added."""

    def take(match: re.Match[str]) -> str:
        kind = str(match.lastgroup)
        latex = html.unescape(match[kind])
        formulas.append(formula(latex, block=kind in ("block", "display")))
        return f"{HELD}{len(formulas) - 1}{HELD_END}"

    return FORMULAS.sub(take, text)


def release(clean: str, formulas: list[str]) -> str:
    """Put the formulas back in. A mark that the text itself made, as &#xe000;, holds none."""
    return WAITING.sub(lambda match: "".join(formulas[int(match[1]) :][:1]), clean)


def formula(latex: str, block: bool) -> str:
    """LaTeX as MathML; as code if it is none, or wants more than it should."""
    latex = latex.strip()
    try:
        element = mathml(latex, block)
        if element is not None:
            return clean_formula(ET.tostring(element, encoding="unicode"))
    except CANNOT:
        pass
    return f"<code>{html.escape(latex)}</code>" if latex else ""


def mathml(latex: str, block: bool) -> ET.Element | None:
    """LaTeX as an element of MathML, not cleaned; None if it wants more than it should.

    Raises what stands in CANNOT.
    """
    if not 0 < len(latex) <= LONGEST_FORMULA or DEFINES.search(latex):
        return None
    element = convert_to_element(understood(latex), display="block" if block else "inline")
    for part in element.iter():  # its signs are written as &#x…; inside of the text
        part.text = html.unescape(part.text or "")
        if part.tag == "mtext":
            part.text = ESCAPED.sub(r"\1", part.text)
    return element


def percents(latex: str) -> str:
    """LaTeX whose % are signs: what stands on a page has no comments."""
    return PERCENT.sub(r"\1\%", latex)


def understood(latex: str) -> str:
    """Say it so that latex2mathml shows all of it, and no numbers of its own.

    In environments that it knows; rows without one get one.
    """
    latex = SPACING.sub("", percents(latex))
    latex = ALIGNED.sub(r"\\\1{align*}", latex)
    if r"\\" in latex and r"\begin" not in latex:
        return rf"\begin{{align*}}{latex}\end{{align*}}"
    return latex


def clean_formula(mathml: str) -> str:
    """MathML without anything that is not a formula."""
    return nh3.clean(
        mathml,
        tags=FORMULA_TAGS,
        attributes={"*": FORMULA_ATTRIBUTES},
        attribute_filter=lambda tag, name, value: value if LENGTH.fullmatch(value) else None,
        clean_content_tags={"script", "style"},
    )


def plain_text(cell: Cell) -> str:
    """A cell's text for searching and comparing: without tags and signs, blanks made one."""
    text = SIGNS.sub("", cell.text)
    if cell.category == "Table":
        text = html.unescape(A_TAG.sub(" ", text))
    return " ".join(text.split())
