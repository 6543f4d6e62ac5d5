"""The truth of pages, read from JSON files below a folder, in one of two forms.

Our own form is that of the results: an array of cells, with boxes in the page's own pixels. The
other form is OmniDocBench's (lib.score.omnidocbench).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract import CATEGORIES
from lib.pages.entries import Cell
from lib.pages.values import Box, clean, number, relative
from lib.results import LARGEST_BYTES
from walk import one_form

ENDING = ".json"
MOST_BLOCKS = 1_000  # of a page: no answer of the model has more than about 700
Size = tuple[float, float]


@dataclass(frozen=True)
class Block:
    """A cell of the truth; its box is in pixels of Truth.size, or of the page as it was read."""

    box: Box
    category: str
    text: str


@dataclass(frozen=True)
class Truth:
    """What is true of a page."""

    file: str
    """Its file: the path below the folder of truth."""
    page: str
    """Its name for the page: a path without its ending."""
    blocks: tuple[Block, ...]
    """In reading order."""
    aside: tuple[Block, ...] = ()
    """Blocks with no place in the reading order: their boxes and texts count on their own."""
    ignored: tuple[Box, ...] = ()
    """Places about which it says nothing: an answer there is neither right nor wrong."""
    size: Size = (0.0, 0.0)
    """Size of the picture that its boxes refer to; (0, 0) if that is the page as it was read."""
    is_foreign: bool = False
    """Whether it is in OmniDocBench's form, with plain texts and fewer categories."""
    odd: int = 0
    """How many of its blocks are odd. One without a box of four corners is left out; a text that
    is not a string counts as empty."""

    def is_too_large(self) -> bool:
        """Whether it has more blocks than a page can have."""
        return len(self.blocks) + len(self.aside) + len(self.ignored) > MOST_BLOCKS

    def on_page(self, size: Size, rotation: int) -> tuple[list[Cell], list[Box]]:
        """Return its blocks (those aside come last) and the places that it ignores, as parts of a
        page of this size. The page was turned clockwise by so many degrees after its picture.
        """

        def placed(box: Box) -> Box:
            if not all(self.size):
                return relative(box, size)
            left, top, right, bottom = relative(box, self.size)
            for _ in range(rotation // 90):
                left, top, right, bottom = 1 - bottom, left, 1 - top, right
            return left, top, right, bottom

        blocks = (*self.blocks, *self.aside)
        cells = [Cell(placed(block.box), block.category, block.text) for block in blocks]
        return cells, [placed(box) for box in self.ignored]


class NoTruth(ValueError):
    """Why a JSON file cannot be read, or has neither form."""


def load(path: Path) -> Any:
    """Return the content of a JSON file. Raises NoTruth."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise NoTruth("too large")
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except RecursionError:
        raise NoTruth("nested too deep") from None
    except UnicodeDecodeError:
        raise NoTruth("no UTF-8") from None
    except ValueError as error:
        raise NoTruth(f"not JSON: {error}") from None
    except OSError as error:
        raise NoTruth(error.strerror or "cannot be read") from None


def page_of_cells(found: Sequence[Any], file: str) -> Truth:
    """The truth in a file of cells. The file has the name of its page."""
    blocks = (block_of(candidate) for candidate in found)
    page = one_form(file.removesuffix(ENDING))
    return Truth(
        file,
        page,
        tuple(block for block in blocks if block is not None),
        odd=sum(block_of(one) is None or not is_text(one.get("text")) for one in found),
    )


def is_text(value: Any) -> bool:
    """Whether the value is a text or None."""
    return isinstance(value, str | None)


def is_cells(found: Any) -> bool:
    """Whether this is an array of cells. An empty array is the truth of an empty page."""
    return isinstance(found, list) and all(
        isinstance(candidate, dict) and isinstance(candidate.get("bbox"), list)
        for candidate in found
    )


def block_of(candidate: dict[str, Any]) -> Block | None:
    """Read a cell in our form; None if its box is none. No category means Text, as in results."""
    box = tuple(map(number, candidate["bbox"]))
    if len(box) != 4:
        return None
    category, text = candidate.get("category"), candidate.get("text")
    return Block(
        box,
        category if category in CATEGORIES else "Text",
        clean(text) if isinstance(text, str) else "",
    )
