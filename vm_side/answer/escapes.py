r"""Double the single backslashes of LaTeX: JSON would read some of its commands as escapes.

JSON reads "\frac" as a form feed and "rac", without an error. So this also looks at answers that
are well-formed. It works on the raw text of the answer, before JSON reads it.
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
    """Make a pattern for a single backslash before any of these commands."""
    return re.compile(rf"(?<!\\)(?:\\\\)*\\(?={commands})")


# What is not an escape in JSON; and \b and \f, because no page has a backspace or a form feed.
NEVER_ESCAPES = single(r'[bf]|[^"\\/bfnrtu]|u(?![0-9A-Fa-f]{4})')
# A page can have line breaks and tabs. But after \t or \n, the rest of these commands is not a word
# in any language, so they are commands everywhere. No page has a carriage return alone.
NEVER_WORDS = single(
    r"(?:times|theta|tilde|therefore|text(?:bf|it|rm|tt|sc)?(?=\{)|tfrac|tbinom|triangleq"
    r"|nabla|notin|nleq|ngeq|nsubseteq"
    r"|rangle|rbrace|rceil|rfloor|rho|right|rightarrow|rVert|rvert|rtimes|rm)(?![a-z])"
)
# In mathematics these are commands, too.
IN_MATHEMATICS = single(
    r"(?:tan|tanh|tau|to|top|tag|textstyle|thickapprox|thicksim|thinspace|tiny|triangle"
    r"|neq|nmid|nparallel|nsim|ncong|natural|nearrow|nwarrow|nonumber)(?![a-z])"
)
# So are these, but only if the cell escapes no command: else "\n" may be a line break, and the
# letters after it a variable.
MAYBE_LINES = single(r"(?:ne|neg|nexists|ni|not|nu)(?![a-z])")


def mended(text: str) -> str:
    """Double the backslashes that the model left single; a good answer stays as it is."""
    starts = [match.start() for match in KEYS.finditer(text)]
    bounds = [0, *starts, len(text)]
    return "".join(mend_cell(text[a:b]) for a, b in itertools.pairwise(bounds))


def mend_cell(cell: str) -> str:
    """Do the same for one cell's part of the answer."""
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
    """Do the same for a part that is all mathematics."""
    latex = doubled(IN_MATHEMATICS, latex)
    return latex if escapes_commands else doubled(MAYBE_LINES, latex)


def doubled(backslash: re.Pattern[str], text: str) -> str:
    """Double these backslashes in the text."""
    return backslash.sub(lambda found: found.group() + "\\", text)


def mathematics(cell: str) -> Iterator[tuple[int, int]]:
    r"""Yield where each $…$, $$…$$, \(…\) and \[…\] begins and ends.

    The text between the dollars of two prices is not mathematics. Two dollars are prices if only
    one of them has a blank on its inner side, or if a digit follows the second one.
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
