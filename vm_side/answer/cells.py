r"""The text that the model answered -> cells in the pixels of the picture it saw.

A cell is a dict {"bbox": [x1, y1, x2, y2], "category": str, "text": str}; a Picture has no text.
Well-formed JSON stays as it is. From damaged JSON we keep every complete cell (salvage.py).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from answer import escapes
from answer.boxes import box_of
from answer.salvage import salvage, unwrap
from answer.texts import UNKNOWN, loads, text_of
from contract import CATEGORIES

Cell = dict[str, Any]

SINGLE_BACKSLASHES = "LaTeX with single backslashes fixed"
ODD_BOX, ODD_TEXT = "a box in another form", "a text that is not a string"
ODD_NAME, NESTED = "a text by another name", "cells inside others"
UNKNOWN_LETTERS = f"letters that the model did not write whole: {UNKNOWN}"
ODD = {ODD_BOX, ODD_TEXT, ODD_NAME, NESTED, UNKNOWN_LETTERS}
TEXT_NAMES = (  # for "text"
    *("content", "html", "latex", "markdown", "ocr_text", "text_content", "transcription", "value"),
)


@dataclass(frozen=True)
class Answer:
    """The content of an answer: cells, whether it was well-formed, remarks for the manifest."""

    cells: tuple[Cell, ...]
    well_formed: bool
    notes: tuple[str, ...] = ()

    @property
    def text_length(self) -> int:
        """Characters of text in all cells: a measure of how much of the page was read."""
        return sum(len(cell.get("text", "")) for cell in self.cells)


def parse(text: str) -> Answer | None:
    """Read an answer to a layout prompt; None if nothing in it can be read as layout.

    An empty array is an answer: a page without layout.
    """
    escaped = escapes.mended(text)
    try:
        found = loads(escaped)
    except (ValueError, RecursionError):
        found = None
    well_formed = isinstance(found, list)
    candidates, notes = all_flat(unwrap(found))
    cells = all_checked(candidates, notes)
    if not cells and found != []:  # damaged, or the cells are inside something unusual
        well_formed = False
        losses: list[str] = []
        salvaged = salvage(escaped, losses)
        candidates, notes = all_flat(salvaged or [])
        cells = all_checked(candidates, notes)
        if not cells and salvaged != []:
            return None
        notes += dict.fromkeys(losses)
    if escaped != text:
        notes.append(SINGLE_BACKSLASHES)
    if len(cells) < len(candidates):
        notes.append(f"{len(candidates) - len(cells)} incomplete cells dropped")
    changed = escaped != text or len(cells) < len(candidates) or ODD & {*notes}
    notes = list(dict.fromkeys(notes))
    kept = without_repeats(cells, notes)
    return Answer(tuple(kept), well_formed and not changed, tuple(notes))


def all_flat(candidates: list[Any]) -> tuple[list[Any], list[str]]:
    """Return all candidates in one list, and a remark if some were inside others."""
    found = list(flat(candidates))
    return found, [NESTED] * (len(found) > len(candidates))


def flat(candidates: list[Any]) -> Iterator[Any]:
    """Yield each candidate, then those inside it. A wrapper without a box is left out."""
    waiting = candidates[::-1]
    while waiting:
        candidate = waiting.pop()
        inner = inside(candidate)
        if not inner or (isinstance(candidate, dict) and "bbox" in candidate):
            yield candidate
        waiting += reversed(inner)


def inside(candidate: Any) -> list[Any]:
    """Return the candidates inside a candidate; an object loses the keys that held them."""
    if isinstance(candidate, list):
        return candidate if any(isinstance(each, dict) for each in candidate) else []
    found: list[Any] = []
    for name, value in list(candidate.items()) if isinstance(candidate, dict) else ():
        values = value if isinstance(value, list) else [value]
        if any(isinstance(each, dict) and "bbox" in each for each in values):
            found += values
            del candidate[name]
    return found


def all_checked(candidates: list[Any], notes: list[str]) -> list[Cell]:
    """Return the candidates that are cells; add what is odd about them to the notes."""
    cells = []
    for candidate in candidates:
        try:
            cell = checked(candidate, notes)
        except RecursionError:  # a box, or a text, that is nested too deeply
            continue
        cells += [cell] if cell is not None else []
    return cells


def checked(candidate: Any, notes: list[str]) -> Cell | None:
    """Make a cell: a box of four numbers, a known category, text that UTF-8 can hold; or None.

    Leave out everything else that json_repair or the model put into it.
    """
    if not isinstance(candidate, dict):
        return None
    box = box_of(candidate.get("bbox"))
    if box is None:
        return None
    if box != candidate["bbox"]:
        notes.append(ODD_BOX)
    named = candidate.get("category")
    cell: Cell = {"bbox": box, "category": category(named)}
    if cell["category"] is None:
        cell["category"] = "Text"
        notes.append(f"unknown category {named!r:.40} kept as Text")
    said = candidate.get("text")
    if (said is None or said == "") and cell["category"] != "Picture":
        others = (candidate.get(name) for name in TEXT_NAMES)
        other = next((each for each in others if each is not None and each != ""), None)
        said = said if other is None else other
        notes += [ODD_NAME] * (other is not None)
    if said is not None:
        cell["text"] = text_of(said)
        if not isinstance(said, str):
            notes.append(ODD_TEXT)
        notes += [UNKNOWN_LETTERS] * (UNKNOWN in cell["text"])
    return cell


def category(named: Any) -> str | None:
    """Return the category of this name, in any case and with blanks or "_" for "-"; or None."""
    if not isinstance(named, str):
        return None
    plain = named.strip().casefold().replace("_", "-").replace(" ", "-")
    return next((known for known in CATEGORIES if known.casefold() == plain), None)


def without_repeats(cells: list[Cell], notes: list[str]) -> list[Cell]:
    """Leave out cells that exactly repeat an earlier one; keep the order."""
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
