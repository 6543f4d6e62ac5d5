"""A cell's text as it is printed on the page: without the signs of Markdown, HTML and LaTeX.

People search for what is printed.
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
RAISED = re.compile(r"\$[\^_]\{?([^{}$\\^_]{1,20})\}?\$")  # the number of a note, after a word
BREAK = re.compile(r"<br ?/?>|</?(?:p|div|li|ul|ol)>", re.IGNORECASE)
TAGS = re.compile(r"</?(?:b|i|u|s|em|strong|sub|sup|code|span)>", re.IGNORECASE)
UNSEEN = ("Cc", "Cf", "Cs")  # Unicode's categories of controls, format marks and surrogates
SEEN = "\n\u200c\u200d"  # but kept: line ends, and how letters join in Persian and Hindi


def seen_in(cell: Cell) -> str:
    """Return what a cell shows, with the line ends that its text has."""
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
    """Return what a text in Markdown shows, in lines."""
    text = RAISED.sub(r"\1", text)
    parts, end = list[str](), 0
    for match in FORMULAS.finditer(text):
        parts += [unmarked(text[end : match.start()]), letters_of(match[str(match.lastgroup)])]
        end = match.end()
    return in_lines("".join([*parts, unmarked(text[end:])]))


def unmarked(text: str) -> str:
    """Remove the signs of Markdown from a text, and simple HTML tags."""
    text = TAGS.sub("", BREAK.sub("\n", text))
    text = STRONG.sub("", BULLET.sub("", HEADING.sub("", text)))
    return html.unescape(ESCAPE.sub(r"\1", EMPHASIS.sub(r"\2", text)))


def letters_of(latex: str) -> str:
    """Return the letters and signs of a short formula in their order."""
    return html.unescape(TAG.sub("", formula(html.unescape(latex), block=False)))


def in_lines(text: str) -> str:
    """Return plain text with single blanks, without blanks around lines and without empty lines."""
    lines = (" ".join(line.split()) for line in plain(text).split("\n"))
    return "\n".join(line for line in lines if line)


def plain(text: str) -> str:
    """Return a text with composed letters (NFC), without characters that no page shows."""
    text = "\n".join(clean(text).splitlines()).replace("\t", " ")
    return unicodedata.normalize(
        "NFC",
        "".join(c for c in text if c in SEEN or unicodedata.category(c) not in UNSEEN),
    )
