"""Turn the text of a cell into HTML that can do no harm. A text is hostile until it is cleaned.

Tables come as HTML, formulas as LaTeX, the rest as Markdown. The output of every converter goes
through nh3, which removes scripts, links, styles and addresses.
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
    """Whether something is a class of exceptions."""
    return isinstance(found, type) and issubclass(found, Exception)


LONGEST_FORMULA = 2_000
LONGEST_MARKUP = 200_000  # a longer text is shown as it is, not converted
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
"""Tags that models write around a table's texts. Any other <name> is text printed on the page."""
FORMULA_ATTRIBUTES = {
    *("display", "displaystyle", "mathvariant", "stretchy", "fence", "form", "largeop"),
    *("movablelimits", "linethickness", "columnalign", "accent", "width", "minsize", "maxsize"),
}
SPAN = re.compile(r"[1-9][0-9]{0,2}")
START = re.compile(r"[0-9]{1,9}")
LENGTH = re.compile(r"[-+]?[0-9.]{1,6}(em|ex|px|pt|%)?|[a-z-]{1,20}")
FORMULAS = re.compile(  # lengths are bounded, so that a page full of dollars is not slow
    r"\$\$(?P<block>[^$]{1,2000}?)\$\$"
    r"|\\\[(?P<display>.{1,2000}?)\\\]"
    r"|\\\((?P<inline>.{1,1000}?)\\\)"
    r"|(?<![\\$\w])\$(?=[^\s$])(?P<dollar>[^$\n]{1,1000}?)(?<![\s\\])\$(?!\w)",
    re.DOTALL,
)
HELD, HELD_END = "\ue000", "\ue001"  # around the number that stands in for a formula
TABLE_TAG = re.compile(
    rf"(</?(?:{'|'.join(sorted(TABLE_TAGS))})(?:[\s/][^<>]{{0,1000}})?>)", re.IGNORECASE
)
LONG_NAMES = "|".join(name for name in sorted(LAID_OUT) if len(name) > 1)
LETTERS = "".join(name for name in sorted(LAID_OUT) if len(name) == 1)
IS_TAG = (  # what follows the <; one letter and plain words are not a tag, as in a<b and c>d
    rf"(?:/?(?:(?:{LONG_NAMES})(?:[\s/][^<>]{{0,1000}})?"
    rf"|[{LETTERS}](?:[\s/][^<>=]{{0,1000}}=[^<>]{{0,1000}}|[\s/]{{0,1000}}))>"
    r"|!--[^<>]{0,1000}-->|!doctype[^<>]{0,100}>|\?xml[^<>]{0,100}>)"
)
A_TAG = re.compile(f"<{IS_TAG}", re.IGNORECASE)
MATH_TAG = re.compile(rf"</?(?:{'|'.join(sorted(FORMULA_TAGS))})(?:[\s/][^<>]{{0,1000}})?>", re.I)
NO_TAG = re.compile(f"<(?!{IS_TAG})", re.IGNORECASE)  # as in x<y, or a printed <Enter>
OF_TABLE = re.compile(r"<(?:table|tr|td|th)[\s/>]", re.IGNORECASE)
WAITING = re.compile(f"{HELD}([0-9]{{1,6}}){HELD_END}")
BARE_LATEX = re.compile(r"^\s*(?:\$\$|\\\[)(.*?)(?:\$\$|\\\])\s*$", re.DOTALL)
DEFINES = re.compile(r"\\(?:def|newcommand|newenvironment|DeclareMathOperator)(?![a-z])")
ALIGNED = re.compile(r"\\(begin|end)\{(?:align|aligned|alignedat|gathered|gather\*?|equation\*?)\}")
PERCENT = re.compile(r"(?<!\\)((?:\\\\)*)%")  # begins a comment in LaTeX
SPACING = re.compile(  # commands at which latex2mathml fails, or whose content it drops
    r"\\math(?:op|bin|rel|ord|open|close|punct|inner)(?![a-zA-Z])|(?<=})\s*\\limits(?![a-zA-Z])"
)
ESCAPED = re.compile(r"\\([%$&#_{}])")
TAG = re.compile(r"<[^<>]{0,1000}>")
SIGNS = re.compile(r"^[ \t]*#{1,6}[ \t]|\*\*|\$\$|^[ \t]*[-*][ \t]", re.MULTILINE)
CANNOT: tuple[type[Exception], ...] = (
    *(found for found in vars(latex_errors).values() if is_error(found)),
    *(ValueError, LookupError, TypeError, AttributeError, StopIteration, RuntimeError),
)
"""What latex2mathml raises for a formula: its own errors, and others that it did not expect."""

markdown = MarkdownIt("zero", {"breaks": True, "html": False}).enable(
    ["heading", "list", "emphasis", "backticks", "escape", "newline"]
)


def cell_html(cell: Cell) -> str:
    """Return a cell's text as HTML; as plain text if no converter can handle it."""
    text = clean(cell.text).strip().replace(HELD, "").replace(HELD_END, "")
    try:
        return convert(cell, text)
    except CANNOT:
        return f"<p>{html.escape(text)}</p>"


def convert(cell: Cell, text: str) -> str:
    """Return a cell's text as HTML, converted as its category needs."""
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
    """Return the HTML of a text with only TEXT_TAGS; a list keeps the number that it starts at."""
    return nh3.clean(
        found,
        tags=TEXT_TAGS,
        attributes={"ol": {"start"}},
        attribute_filter=lambda tag, name, value: value if START.fullmatch(value) else None,
    )


def bare_formula(text: str) -> str | None:
    """Return the LaTeX of a text that is one formula; None if there are words around formulas."""
    bare = BARE_LATEX.match(text)
    if bare:
        return bare.group(1)
    return None if FORMULAS.search(text) else text


def prose(text: str) -> str:
    """Return the HTML of simple Markdown with formulas in it."""
    formulas: list[str] = []
    held = hold(text, formulas)
    return release(clean_text(markdown.render(held)), formulas)


def line_html(text: str) -> str:
    """Return a text as HTML for inside a line: it cannot begin a list or a heading."""
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
    """Return a clean HTML table with its formulas converted."""
    formulas: list[str] = []
    held = in_cells(whole_table(text), lambda piece: hold(piece, formulas))
    return release(clean_table(held), formulas)


def whole_table(text: str) -> str:
    """Put <table> around bare rows or cells. Without it the texts of two cells become one word."""
    is_part = OF_TABLE.search(text) and "<table" not in text.lower()
    return f"<table>{text}</table>" if is_part else text


def in_cells(text: str, change: Callable[[str], str]) -> str:
    """Change the text between the tags of an HTML table.

    Each piece is changed alone, because a formula cannot go over two cells:
    $</td><td>5</td><td>$ is not one.
    """
    return "".join(map(change, TABLE_TAG.split(text)))


def clean_table(text: str) -> str:
    """Return an HTML table as browsers understand it: all tags closed, and only TABLE_TAGS.

    Formula tags are removed before, because nh3 would drop the text in them, too.
    """
    return nh3.clean(
        NO_TAG.sub("&lt;", MATH_TAG.sub("", text)),
        tags=TABLE_TAGS,
        attributes={"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
        attribute_filter=lambda tag, name, value: value if SPAN.fullmatch(value) else None,
    )


def hold(text: str, formulas: list[str]) -> str:
    """Return a text with a number in place of each formula, and append their HTML to formulas."""

    def take(match: re.Match[str]) -> str:
        kind = str(match.lastgroup)
        latex = html.unescape(match[kind])
        formulas.append(formula(latex, block=kind in ("block", "display")))
        return f"{HELD}{len(formulas) - 1}{HELD_END}"

    return FORMULAS.sub(take, text)


def release(clean: str, formulas: list[str]) -> str:
    """Put the formulas back in. A mark from the text itself, as &#xe000;, stands for no formula."""
    return WAITING.sub(lambda match: "".join(formulas[int(match[1]) :][:1]), clean)


def formula(latex: str, block: bool) -> str:
    """Return LaTeX as MathML; as <code> if it cannot be converted, or is not allowed."""
    latex = latex.strip()
    try:
        element = mathml(latex, block)
        if element is not None:
            return clean_formula(ET.tostring(element, encoding="unicode"))
    except CANNOT:
        pass
    return f"<code>{html.escape(latex)}</code>" if latex else ""


def mathml(latex: str, block: bool) -> ET.Element | None:
    """Return LaTeX as a MathML element, not cleaned yet.

    None if it is empty, too long, or defines commands. Raises the errors in CANNOT.
    """
    if not 0 < len(latex) <= LONGEST_FORMULA or DEFINES.search(latex):
        return None
    element = convert_to_element(understood(latex), display="block" if block else "inline")
    for part in element.iter():  # latex2mathml writes signs as &#x…; in the text
        part.text = html.unescape(part.text or "")
        if part.tag == "mtext":
            part.text = ESCAPED.sub(r"\1", part.text)
    return element


def percents(latex: str) -> str:
    """Escape each % in LaTeX, so that it is a sign. Printed formulas have no comments."""
    return PERCENT.sub(r"\1\%", latex)


def understood(latex: str) -> str:
    """Rewrite LaTeX so that latex2mathml shows all of it, and adds no equation numbers.

    Environments become one that it knows. Rows without an environment get one.
    """
    latex = SPACING.sub("", percents(latex))
    latex = ALIGNED.sub(r"\\\1{align*}", latex)
    if r"\\" in latex and r"\begin" not in latex:
        return rf"\begin{{align*}}{latex}\end{{align*}}"
    return latex


def clean_formula(mathml: str) -> str:
    """Remove everything from MathML that is not part of a formula."""
    return nh3.clean(
        mathml,
        tags=FORMULA_TAGS,
        attributes={"*": FORMULA_ATTRIBUTES},
        attribute_filter=lambda tag, name, value: value if LENGTH.fullmatch(value) else None,
        clean_content_tags={"script", "style"},
    )


def plain_text(cell: Cell) -> str:
    """Return a cell's text for search and comparison: no tags, no signs, single blanks."""
    text = SIGNS.sub("", cell.text)
    if cell.category == "Table":
        text = html.unescape(A_TAG.sub(" ", text))
    return " ".join(text.split())
