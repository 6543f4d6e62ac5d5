r"""The text that the model answered -> cells in the pixels of the picture it saw.

A cell is a dict {"bbox": [x1, y1, x2, y2], "category": str, "text": str}; a Picture has no text.
Well-formed JSON passes as it is. Of damaged JSON every complete cell survives: the answer is cut
where a cell begins, so that damage stays in its own cell, and only that cell goes to json_repair.
"""

import json
import math
import re
from dataclasses import dataclass
from typing import Any

import json_repair

Cell = dict[str, Any]

CATEGORIES = (
    "Caption",
    "Footnote",
    "Formula",
    "List-item",
    "Page-footer",
    "Page-header",
    "Picture",
    "Section-header",
    "Table",
    "Text",
    "Title",
)
CELL_START = re.compile(r"""\{\s*["']?bbox["']?\s*:""")

# Where a damaged answer has LaTeX with single backslashes, JSON reads some of its commands as
# escapes. \b and \f never stand for themselves on a page, nor do escapes that JSON lacks.
LATEX_ESCAPE = re.compile(r'(?<!\\)(?:\\\\)*\\(?=[bf][A-Za-z]|[^"\\/bfnrtu]|u(?![0-9A-Fa-f]{4}))')
# \n, \r and \t do, so in mathematics only, and only these commands by name:
MATHEMATICS = re.compile(r'"Formula"|\$')
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
        well_formed = isinstance(found, list)
    except (ValueError, RecursionError):
        found, well_formed = salvage(text), False
        if found is None:
            return None
    notes: list[str] = []
    candidates = list(unwrap(found))
    cells = [cell for candidate in candidates if (cell := checked(candidate, notes)) is not None]
    if candidates and not cells:
        return None
    if not candidates and found != []:
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
    if re.search(r"\[\s*\]", text):  # an empty array with words or a fence around it
        return []
    return unwrap(json_repair.loads(escape_latex(text))) or None


def repair(chunk: str) -> Any:
    """One cell's text, perhaps damaged, perhaps with something behind it -> the cell."""
    chunk = escape_latex(chunk)
    try:
        return json.JSONDecoder(strict=False).raw_decode(chunk)[0]
    except (ValueError, RecursionError):
        return json_repair.loads(chunk)


def escape_latex(chunk: str) -> str:
    """Double the backslashes that the model left single, so that JSON reads them as such."""
    chunk = LATEX_ESCAPE.sub(lambda match: match.group() + "\\", chunk)
    if MATHEMATICS.search(chunk):
        chunk = LATEX_COMMAND.sub(lambda match: match.group() + "\\", chunk)
    return chunk


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


def checked(candidate: Any, notes: list[str]) -> Cell | None:
    """A cell with a box of four numbers, a known category and text that UTF-8 can hold, or None."""
    if isinstance(candidate, list) and len(candidate) == 1:
        candidate = candidate[0]  # json_repair's reading of an object with a bracket left behind
    if not isinstance(candidate, dict):
        return None
    box = candidate.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(map(is_number, box)):
        return None
    cell = dict(candidate)
    named = cell.get("category")
    cell["category"] = category(named)
    if cell["category"] is None:
        cell["category"] = "Text"
        notes.append(f"unknown category {named!r} kept as Text")
    if "text" in cell:
        if not isinstance(cell["text"], str):
            del cell["text"]
            notes.append("a text that is no string dropped")
        else:
            cell["text"] = cell["text"].encode("utf-8", "replace").decode("utf-8")
    return cell


def is_number(value: Any) -> bool:
    """Whether float() makes a finite number of it (the reference accepts "12" too)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        return math.isfinite(float(value))
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
