"""How long a cell's text is where it is printed: without what its Markdown, HTML or LaTeX adds."""

import functools
import html
import re
import unicodedata
from collections import Counter

from trust.text.plain import TAG

NARROW, WIDE = frozenset("iljtfrI.,:;'|!()[]{}`-\"1/\\·"), frozenset("mwMWQO@%&—…")
SCRIPT = 0.4  # of a letter's length is not there where it is a small one, above or below

# all bounded, since a model may repeat a sign without end
IMAGE = re.compile(r"!\[[^\]]{0,300}\]\([^)]{0,300}\)")
LINK = re.compile(r"\[([^\]]{0,300})\]\([^()\s]{0,300}\)")
START_OF_LINE = re.compile(r"^[ \t]*(?:#{1,6}|[-*+>])[ \t]+", re.MULTILINE)
LEADERS = re.compile(r"([._…·‧・⋯]|\\[cl]?dots?(?![a-zA-Z]))(?:\s*\1){3,}")  # any number fits
ROW_OF_DASHES = re.compile(r"^[|:\- \t]+$", re.MULTILINE)
MATH = re.compile(r"\$\$?([^$]{1,1000})\$\$?|\\\((.{1,1000}?)\\\)|\\\[(.{1,1000}?)\\\]", re.DOTALL)

ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{[^{}]*\}(?:\s*\{[lcr|\s@]*\})?")
NAMED = re.compile(
    r"\\(sin|cos|tan|cot|sec|csc|log|ln|lg|exp|lim|max|min|sup|inf|det|deg|dim|arg|gcd|ker|Pr|"
    r"arcsin|arccos|arctan|sinh|cosh|tanh|bmod|mod)(?![a-zA-Z])"
)
UNSEEN = re.compile(
    r"\\(?:left|right|[bB]igg?[lrm]?|middle|text\w*|math\w*|bm|boldsymbol|operatorname\*?|rm|bf|it|"
    r"frac|[dtc]frac|d?binom|sqrt|displaystyle|limits|nolimits|quad|qquad|hspace|vspace|hline|tag|"
    r"over\w*|under\w*|hat|bar|tilde|vec|dot|ddot|widehat|widetilde|label|phantom|[,;:!> ])"
    r"(?![a-zA-Z])"
)
SYMBOL = re.compile(r"\\[a-zA-Z]+")
SMALL = re.compile(r"[_^]\s*(?:\{([^{}]*)\}|([^\s{}\\]))")


def length(text: str, is_formula: bool = False) -> float:
    """The length of a text in ems, as if it were printed in one line without spaces."""
    text = LEADERS.sub("", text)
    if is_formula:
        return length_of_latex(text)
    maths = list[float]()

    def apart(found: re.Match[str]) -> str:
        maths.append(length_of_latex(next(filter(None, found.groups()))))
        return " "

    if "$" in text or "\\" in text:
        text = MATH.sub(apart, text)
    return length_of_letters(without_signs(text)) + sum(maths)


def has_leaders(text: str) -> bool:
    """Whether there are dots that lead to a page number, or lines to write on."""
    return LEADERS.search(text) is not None


def without_signs(text: str) -> str:
    """A text without the signs of Markdown and HTML."""
    if "<" in text or "&" in text:
        text = html.unescape(TAG.sub(" ", text))
    if "](" in text:
        text = LINK.sub(r"\1", IMAGE.sub("", text))
    if "|" in text:
        text = ROW_OF_DASHES.sub("", text).replace("|", " ")
    return START_OF_LINE.sub("", text).replace("**", "").replace("__", "").replace("`", "")


def length_of_letters(text: str) -> float:
    """The same of plain text."""
    return sum(width(letter) * times for letter, times in Counter(text).items())


def length_of_latex(latex: str) -> float:
    """The same of a formula, whose lines may stand above one another."""
    latex = UNSEEN.sub(" ", NAMED.sub(r" \1 ", ENVIRONMENT.sub(" ", latex)))
    latex = SYMBOL.sub("x", latex)
    small = "".join(group or single for group, single in SMALL.findall(latex))
    letters, small = (re.sub(r"[\\{}_^&$~]", "", part) for part in (latex, small))
    return length_of_letters(letters) - SCRIPT * length_of_letters(small)


@functools.cache
def width(letter: str) -> float:
    """About how wide a letter is, in ems; 0 for what has no ink."""
    if letter.isspace() or unicodedata.category(letter) in ("Cc", "Cf", "Mn", "Me", "Zs"):
        return 0.0
    if letter in NARROW:
        return 0.3
    if unicodedata.east_asian_width(letter) in ("W", "F"):
        return 1.0 if letter.isalnum() else 0.5
    if letter in WIDE:
        return 0.8
    return 0.65 if letter.isupper() else 0.5


TALL = frozenset("bdfhijklt!?'\"|/\\()[]{}")
EAST_ASIAN_HEIGHT, TALL_HEIGHT, LOW_HEIGHT = 0.86, 0.7, 0.47


def height(text: str, rows: float = 1) -> float:
    """How high, in ems, most rows of a text are from the baseline up, if it is in so many rows."""
    counts = Counter(text)
    east = sum(times for letter, times in counts.items() if is_east_asian(letter))
    seen = sum(times for letter, times in counts.items() if letter.isalnum())
    if east >= 0.3 * seen > 0:
        return EAST_ASIAN_HEIGHT
    tall = sum(times for x, times in counts.items() if x in TALL or x.isupper() or x.isdigit())
    return TALL_HEIGHT if tall >= 0.7 * rows else LOW_HEIGHT


@functools.cache
def is_east_asian(letter: str) -> bool:
    """Whether a letter fills a square: Chinese, Japanese, Korean."""
    return letter.isalnum() and unicodedata.east_asian_width(letter) in ("W", "F")
