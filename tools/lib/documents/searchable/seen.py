"""A cell's text as it is seen on the page: without the signs of Markdown, HTML and LaTeX.

Whoever searches types what is printed.
"""

import html
import re
import unicodedata

from lib.documents.tables import read_table
from lib.pages.entries import Cell
from lib.pages.markup import BARE_LATEX, FORMULAS, TAG, formula
from lib.pages.values import clean

HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+", re.MULTILINE)
BULLET = re.compile(r"^[ \t]*[-*+][ \t]+", re.MULTILINE)
STRONG = re.compile(r"\*\*|(?<!\w)__|__(?!\w)")
EMPHASIS = re.compile(r"(?<![\\*\w])([*`])(?=\S)([^*`\n]{1,500}?)(?<=\S)\1(?![*\w])")
ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!$|<>])")
RAISED = re.compile(r"\$[\^_]\{?([^{}$\\^_]{1,20})\}?\$")  # the number of a note, behind a word
BREAK = re.compile(r"<br ?/?>|</?(?:p|div|li|ul|ol)>", re.IGNORECASE)
TAGS = re.compile(r"</?(?:b|i|u|s|em|strong|sub|sup|code|span)>", re.IGNORECASE)
UNSEEN = ("Cc", "Cf", "Cs")  # by Unicode's names: controls, marks of format, halves of pairs
SEEN = "\n\u200c\u200d"  # but for a line's end, and how letters join in Persian and Hindi


def seen_in(cell: Cell) -> str:
    """What a cell shows, in lines as far as its text has them."""
    if cell.category == "Picture":
        return ""
    if cell.category == "Table":
        grid = read_table(cell.text)
        return "\n".join(map(seen, [grid.caption, *(inside.text for inside in grid.cells)])).strip()
    if cell.category == "Formula":
        bare = BARE_LATEX.match(cell.text)
        return " ".join(plain(bare.group(1) if bare else cell.text).split())
    return seen(cell.text)


def seen(text: str) -> str:
    """What Markdown shows, in lines."""
    text = RAISED.sub(r"\1", text)
    parts, end = list[str](), 0
    for match in FORMULAS.finditer(text):
        parts += [unmarked(text[end : match.start()]), letters_of(match[str(match.lastgroup)])]
        end = match.end()
    return in_lines("".join([*parts, unmarked(text[end:])]))


def unmarked(text: str) -> str:
    """Markdown without its signs."""
    text = TAGS.sub("", BREAK.sub("\n", text))
    text = STRONG.sub("", BULLET.sub("", HEADING.sub("", text)))
    return html.unescape(ESCAPE.sub(r"\1", EMPHASIS.sub(r"\2", text)))


def letters_of(latex: str) -> str:
    """A short formula's letters and signs, in the order in which they stand in it."""
    return html.unescape(TAG.sub("", formula(html.unescape(latex), block=False)))


def in_lines(text: str) -> str:
    """Plain text, its lines without blanks at their ends and without empty ones between."""
    lines = (" ".join(line.split()) for line in plain(text).split("\n"))
    return "\n".join(line for line in lines if line)


def plain(text: str) -> str:
    """A text of whole letters, without what no page shows: controls, marks of direction."""
    text = "\n".join(clean(text).splitlines()).replace("\t", " ")
    return unicodedata.normalize(
        "NFC",
        "".join(c for c in text if c in SEEN or unicodedata.category(c) not in UNSEEN),
    )
