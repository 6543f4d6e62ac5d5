r"""LaTeX whose backslashes the model left single: JSON would read some of its commands as escapes.

"\frac" becomes a form feed and "rac" without any complaint, so this looks at answers that are
well-formed, too. Works on the answer's own letters, before JSON reads them.
"""

import itertools
import re
from collections.abc import Iterator

KEYS = re.compile(r"""\{\s*["']?(?:bbox|category|text)["']?\s*:""")  # where a cell begins
FORMULA = re.compile(r"""["']Formula["']""")
ESCAPED_COMMAND = re.compile(r"(?<!\\)(?:\\\\)+[A-Za-z]{2}")
DELIMITER = re.compile(r"\$\$?|(?<!\\)\\+[()\[\]]")
CLOSING = {"$": "$", "$$": "$$", "(": ")", "[": "]"}


def single(commands: str) -> re.Pattern[str]:
    """The backslash before any of these, if it stands alone."""
    return re.compile(rf"(?<!\\)(?:\\\\)*\\(?={commands})")


# What JSON lacks as an escape, and \b and \f, which never stand for themselves on a page.
NEVER_ESCAPES = single(r'[bf]|[^"\\/bfnrtu]|u(?![0-9A-Fa-f]{4})')
# Line breaks and tabs do stand on pages. What follows these is no word of any language, so that
# they are commands wherever they are; a carriage return alone never stands on a page.
NEVER_WORDS = single(
    r"(?:times|theta|tilde|therefore|text(?:bf|it|rm|tt|sc)?(?=\{)|tfrac|tbinom|triangleq"
    r"|nabla|notin|nleq|ngeq|nsubseteq"
    r"|rangle|rbrace|rceil|rfloor|rho|right|rightarrow|rVert|rvert|rtimes|rm)(?![a-z])"
)
# In mathematics these are commands too, after \t and \r anyway,
IN_MATHEMATICS = single(
    r"(?:tan|tanh|tau|to|top|tag|textstyle|thickapprox|thicksim|thinspace|tiny|triangle"
    r"|neq|nmid|nparallel|nsim|ncong|natural|nearrow|nwarrow|nonumber)(?![a-z])"
)
# and after \n, which may be a line break before a variable, if no command of the cell is escaped.
MAYBE_LINES = single(r"(?:ne|neg|nexists|ni|not|nu)(?![a-z])")


def mended(text: str) -> str:
    """The answer with the backslashes doubled that the model left single; a good one as it is."""
    starts = [match.start() for match in KEYS.finditer(text)]
    bounds = [0, *starts, len(text)]
    return "".join(mend_cell(text[a:b]) for a, b in itertools.pairwise(bounds))


def mend_cell(cell: str) -> str:
    """The same of one cell's part of the answer."""
    if "\\" not in cell:
        return cell
    escapes_commands = ESCAPED_COMMAND.search(cell) is not None
    cell = doubled(NEVER_WORDS, doubled(NEVER_ESCAPES, cell))
    if FORMULA.search(cell):
        return mend_mathematics(cell, escapes_commands)
    parts = []
    at = 0
    for start, end in mathematics(cell):
        parts += [cell[at:start], mend_mathematics(cell[start:end], escapes_commands)]
        at = end
    return "".join([*parts, cell[at:]])


def mend_mathematics(latex: str, escapes_commands: bool) -> str:
    """The same of what is all mathematics."""
    latex = doubled(IN_MATHEMATICS, latex)
    return latex if escapes_commands else doubled(MAYBE_LINES, latex)


def doubled(backslash: re.Pattern[str], text: str) -> str:
    """The text with these backslashes doubled."""
    return backslash.sub(lambda found: found.group() + "\\", text)


def mathematics(cell: str) -> Iterator[tuple[int, int]]:
    r"""Where $…$, $$…$$, \(…\) and \[…\] begin and end, one after the other.

    Between the dollars of two prices is no mathematics: a blank stands before the second one, or a
    digit behind it.
    """
    opened: re.Match[str] | None = None
    for found in DELIMITER.finditer(cell):
        mark = found.group().lstrip("\\")
        if opened is not None and mark == CLOSING[opened.group().lstrip("\\")]:
            if mark != "$" or is_pair(cell, opened.end(), found.start()):
                yield opened.start(), found.end()
                opened = None
            else:
                opened = found
        elif opened is None and mark in CLOSING:
            opened = found


def is_pair(cell: str, start: int, end: int) -> bool:
    """Whether the dollars around this part of a cell belong together."""
    is_spaced = cell[start : start + 1].isspace() == cell[end - 1 : end].isspace()
    return start < end and is_spaced and not cell[end + 1 : end + 2].isdigit()
