"""The part of a cell's text that is printed: without what Markdown, HTML and LaTeX add."""

import html
import re
from typing import NamedTuple

SYMBOL_SIGN = "\ufffd"  # stands for a symbol that is written as a command of LaTeX

TAG = re.compile(
    r"</?(?:html|body|table|caption|colgroup|col|thead|tbody|tfoot|tr|t[dh]|br|[biup]|em|strong|"
    r"su[bp]|div|span)\b[^<>]*>",
    re.I,
)

# these have limits, because a model may repeat a sign without end
IMAGE = re.compile(r"!\[[^\]]{0,300}\]\([^)]{0,300}\)")
LINK = re.compile(r"\[([^\]]{0,300})\]\([^()\s]{0,300}\)")
START_OF_LINE = re.compile(r"^[ \t]*(?:#{1,6}|[-*+>])[ \t]+", re.MULTILINE)
LEADERS = re.compile(r"([._…·‧・⋯＿]|\\_|\\[cl]?dots?(?![a-zA-Z]))(?:\s*\1){3,}")  # any length
ROW_OF_DASHES = re.compile(r"^[|:\- \t]+$", re.MULTILINE)
MATH = re.compile(r"\$\$?([^$]{1,1000})\$\$?|\\\((.{1,1000}?)\\\)|\\\[(.{1,1000}?)\\\]", re.DOTALL)

ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{[^{}]*\}(?:\s*\{[lcr|\s@]*\})?")
UNPRINTED = re.compile(r"\\(?:[hv]space\*?|[hv]?phantom|label|color|textcolor)\s*\{[^{}]{0,300}\}")
NAMED = re.compile(
    r"\\(sin|cos|tan|cot|sec|csc|log|ln|lg|exp|lim|max|min|sup|inf|det|deg|dim|arg|gcd|ker|Pr|"
    r"arcsin|arccos|arctan|sinh|cosh|tanh|bmod|mod)(?![a-zA-Z])"
)
UNSEEN = re.compile(
    r"\\(?:left|right|[bB]igg?[lrm]?|middle|text\w*|math\w*|bm|boldsymbol|operatorname\*?|rm|bf|it|"
    r"frac|[dtc]frac|d?binom|sqrt|displaystyle|limits|nolimits|quad|qquad|hline|tag|"
    r"over\w*|under\w*|hat|bar|tilde|vec|dot|ddot|widehat|widetilde|[,;:!> ])"
    r"(?![a-zA-Z])"
)
SYMBOL = re.compile(r"\\[a-zA-Z]+")
FORM = re.compile(r"[\\{}_^&$~]")
SMALL = re.compile(r"[_^]\s*(?:\{([^{}]*)\}|([^\s{}\\]))")


class Printed(NamedTuple):
    """The printed part of a text, and what of it is in small letters, above or below a line."""

    text: str
    small: str = ""


def printed(text: str, is_formula: bool = False) -> Printed:
    """Return the printed part of a cell's text, without leader dots and lines to write on."""
    text = LEADERS.sub(" ", text)
    if is_formula:
        return of_latex(text)
    small = list[str]()

    def of_math(found: re.Match[str]) -> str:
        part = of_latex(next(filter(None, found.groups())))
        small.append(part.small)
        return f" {part.text} "

    if "$" in text or "\\" in text:
        text = MATH.sub(of_math, text)
    return Printed(without_signs(text), "".join(small))


def of_latex(latex: str) -> Printed:
    """Return the printed part of a formula."""
    latex = UNPRINTED.sub(" ", ENVIRONMENT.sub(" ", latex))
    latex = UNSEEN.sub(" ", NAMED.sub(r" \1 ", latex))
    latex = SYMBOL.sub(SYMBOL_SIGN, latex)
    small = " ".join(group or single for group, single in SMALL.findall(latex))
    letters, small = (FORM.sub(" ", part) for part in (latex, small))
    return Printed(letters, small)


def without_signs(text: str) -> str:
    """Return a text without the signs of Markdown and HTML."""
    if "<" in text or "&" in text:
        text = html.unescape(TAG.sub(" ", text))
    if "](" in text:
        text = LINK.sub(r"\1", IMAGE.sub("", text))
    if "|" in text:
        text = ROW_OF_DASHES.sub("", text).replace("|", " ")
    return START_OF_LINE.sub("", text).replace("**", "").replace("__", "").replace("`", "")


def has_leaders(text: str) -> bool:
    """Whether a text has dots that lead to a page number, or lines to write on."""
    return LEADERS.search(text) is not None
