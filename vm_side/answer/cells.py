r"""The text that the model answered -> cells in the pixels of the picture it saw.

A cell is a dict {"bbox": [x1, y1, x2, y2], "category": str, "text": str}; a Picture has no text.
Well-formed JSON passes as it is. Of damaged JSON every complete cell survives: the answer is cut
where a cell begins, so that damage stays in its own cell, and only that cell goes to json_repair.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import json_repair

from contract import CATEGORIES

Cell = dict[str, Any]

FARTHEST = 1e9  # pixels; a number beyond is a loop of digits
CELL_START = re.compile(r"""\{\s*["']?(?:bbox|category)["']?\s*:""")
CUT_IN_ITS_BOX = re.compile(r"""\{[^\[]*bbox["']?\s*:\s*\[[-+.\deE,\s"']*""")
EMPTY_ARRAY = re.compile(r"^[ \t]*\[\s*\][ \t]*$", re.MULTILINE)  # "- [ ] to do" is prose

# Where a damaged answer has LaTeX with single backslashes, JSON reads some of its commands as
# escapes. \b and \f never stand for themselves on a page, nor do escapes that JSON lacks.
LATEX_ESCAPE = re.compile(r'(?<!\\)(?:\\\\)*\\(?=[bf][A-Za-z]|[^"\\/bfnrtu]|u(?![0-9A-Fa-f]{4}))')
# \n, \r and \t do, so only in mathematics, only in cells that escape no command as they should,
# and only these commands by name:
FORMULA = re.compile(r"""["']Formula["']""")
INLINE_MATHEMATICS = re.compile(r"\$[^$]+\$")
ESCAPED_COMMAND = re.compile(r"(?<!\\)(?:\\\\)+[A-Za-z]{2}")
LATEX_COMMAND = re.compile(
    r"(?<!\\)(?:\\\\)*\\(?=(?:nabla|ne|neg|neq|nexists|ngeq|ni|nleq|not|notin|nu|rangle|rbrace|rceil"
    r"|rfloor|rho|right|rightarrow|rm|tan|tanh|tau|text|tfrac|theta|tilde|times|to|top)(?![a-z]))"
)


@dataclass(frozen=True)
class Answer:
    """What an answer holds: its cells, whether it was well-formed, and remarks for the manifest."""

    cells: tuple[Cell, ...]
    well_formed: bool
    notes: tuple[str, ...] = ()

    @property
    def text_length(self) -> int:
        """Characters of text in all cells: how much of the page an answer saved."""
        return sum(len(cell.get("text", "")) for cell in self.cells)


def parse(text: str) -> Answer | None:
    """Read an answer to a layout prompt; None if nothing in it can be read as layout.

    An empty array is an answer: a page without layout.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    well_formed = isinstance(found, list)
    candidates = unwrap(found)
    cells, notes = all_checked(candidates)
    if not cells and found != []:  # damaged, or wrapped in a way of its own
        well_formed = False
        salvaged = salvage(text)
        candidates = salvaged or []
        cells, notes = all_checked(candidates)
        if not cells and salvaged != []:
            return None
    if len(cells) < len(candidates):
        notes.append(f"{len(candidates) - len(cells)} incomplete cells dropped")
        well_formed = False
    return Answer(tuple(without_repeats(cells, notes)), well_formed, tuple(notes))


def salvage(text: str) -> list[Any] | None:
    """The objects of damaged JSON, or None where there are none."""
    starts = [match.start() for match in CELL_START.finditer(text)]
    if starts:
        ends = [*starts[1:], len(text)]
        return [repair(text[start:end]) for start, end in zip(starts, ends, strict=True)]
    if EMPTY_ARRAY.search(text):  # with a fence around it
        return []
    if "bbox" not in text:
        return None
    return unwrap(mended(escape_latex(text))) or None


def repair(chunk: str) -> Any:
    """One cell's text, perhaps damaged, perhaps with something behind it -> the cell."""
    if CUT_IN_ITS_BOX.fullmatch(chunk):
        return None  # who knows how many digits its last number has
    chunk = escape_latex(chunk)
    try:
        return json.JSONDecoder(strict=False).raw_decode(chunk)[0]
    except (ValueError, RecursionError):
        return mended(chunk)


def mended(text: str) -> Any:
    """What json_repair makes of damaged JSON; None of what is nested too deeply for it."""
    try:
        return json_repair.loads(text)
    except (ValueError, RecursionError):
        return None


def escape_latex(chunk: str) -> str:
    """Double the backslashes that the model left single, so that JSON reads them as such."""

    def escape_commands(mathematics: re.Match[str]) -> str:
        return LATEX_COMMAND.sub(double, mathematics.group())

    def double(backslash: re.Match[str]) -> str:
        return backslash.group() + "\\"

    escapes_commands = ESCAPED_COMMAND.search(chunk) is not None
    chunk = LATEX_ESCAPE.sub(double, chunk)
    if escapes_commands:
        return chunk
    if FORMULA.search(chunk):
        return LATEX_COMMAND.sub(double, chunk)
    return INLINE_MATHEMATICS.sub(escape_commands, chunk)


def unwrap(found: Any) -> list[Any]:
    """An array of cells, one cell, or an object around an array of cells -> the array."""
    if isinstance(found, list):
        return found
    if isinstance(found, dict):
        if "bbox" in found:
            return [found]
        lists = [value for value in found.values() if isinstance(value, list)]
        if len(lists) == 1:
            return lists[0]
    return []


def all_checked(candidates: list[Any]) -> tuple[list[Cell], list[str]]:
    """The candidates that are cells, and each remark about them once."""
    notes: list[str] = []
    cells = [cell for candidate in candidates if (cell := checked(candidate, notes)) is not None]
    return cells, list(dict.fromkeys(notes))


def checked(candidate: Any, notes: list[str]) -> Cell | None:
    """A cell with a box of four numbers, a known category and text that UTF-8 can hold, or None.

    Whatever else json_repair, or the model, has put into it is left out.
    """
    if isinstance(candidate, list) and len(candidate) == 1:
        candidate = candidate[0]  # json_repair's reading of an object with a bracket left behind
    if not isinstance(candidate, dict):
        return None
    box = candidate.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(map(is_number, box)):
        return None
    named = candidate.get("category")
    cell = {"bbox": box, "category": category(named)}
    if cell["category"] is None:
        cell["category"] = "Text"
        notes.append(f"unknown category {named!r:.40} kept as Text")
    if "text" in candidate:
        if isinstance(candidate["text"], str):
            cell["text"] = candidate["text"].encode("utf-8", "replace").decode("utf-8")
        else:
            notes.append("a text that is no string dropped")
    return cell


def is_number(value: Any) -> bool:
    """Whether float() makes a coordinate of it (the reference accepts "12" too)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        return abs(float(value)) < FARTHEST
    except (ValueError, OverflowError):
        return False


def category(named: Any) -> str | None:
    """The category of this name whatever its case, blanks or underscores; None if unknown."""
    if not isinstance(named, str):
        return None
    plain = named.strip().casefold().replace("_", "-").replace(" ", "-")
    return next((known for known in CATEGORIES if known.casefold() == plain), None)


def without_repeats(cells: list[Cell], notes: list[str]) -> list[Cell]:
    """The cells without exact repeats of an earlier one; order kept."""
    seen = set()
    kept = []
    for cell in cells:
        key = json.dumps(cell, sort_keys=True)
        if key not in seen:
            seen.add(key)
            kept.append(cell)
    if len(kept) < len(cells):
        notes.append(f"{len(cells) - len(kept)} repeated cells dropped")
    return kept
