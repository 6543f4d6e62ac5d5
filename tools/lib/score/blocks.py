"""The cells of an answer and the true blocks: which belong together, their texts, their order."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lib.pages.entries import Cell
from lib.pages.markup import SIGNS
from lib.pages.matching import area, shared_area
from lib.pages.values import Box
from lib.score.tables import text_in
from lib.score.texts import distance, normal

INSIDE = 0.8  # a cell is a piece of a block if at least this part of its area is in the block
WHOLE = ("Picture", "Table")  # never joined from pieces: the pieces are not texts to join
LATEX = re.compile(r"\s*(?:\$\$|\\\[|\$|\\\()(.*?)(?:\$\$|\\\]|\$|\\\))\s*", re.DOTALL)


@dataclass
class Group:
    """What belongs together: a block and a cell, or several of one side and one of the other."""

    true: list[int]
    told: list[int]


def groups(
    true: Sequence[Cell], told: Sequence[Cell], pairs: Iterable[tuple[int, int, float]]
) -> list[Group]:
    """Make a group of each pair, and add the pieces of blocks that were cut or joined."""
    of_true, of_told = dict[int, Group](), dict[int, Group]()
    for a, b, _ in pairs:
        of_true[a] = of_told[b] = Group([a], [b])
    for b in set(range(len(told))) - of_told.keys():
        if (whole := whole_of(told[b], true)) is not None:
            group = of_told[b] = of_true.setdefault(whole, Group([whole], []))
            group.told.append(b)
    for a in set(range(len(true))) - of_true.keys():
        if (whole := whole_of(true[a], told)) is not None:
            group = of_true[a] = of_told.setdefault(whole, Group([], [whole]))
            group.true.append(a)
    found = {id(group): group for group in of_true.values()}.values()
    for group in found:
        group.true.sort()
        group.told.sort()
    return sorted(found, key=lambda group: group.true)


def whole_of(piece: Cell, wholes: Sequence[Cell]) -> int | None:
    """The number of the cell that this text is a piece of; None if there is none."""
    size = area(piece.box)
    if piece.category in WHOLE or not size:
        return None
    most, best = INSIDE * size, None
    for number, whole in enumerate(wholes):
        shared = shared_area(piece.box, whole.box)
        if shared >= most and whole.category not in WHOLE:
            most, best = shared, number
    return best


def share_in(box: Box, others: Iterable[Box]) -> float:
    """The part of a box that lies in one other box: in the one that covers most of it."""
    whole = area(box)
    return max((shared_area(box, other) / whole for other in others), default=0.0) if whole else 0.0


def disorder(found: Sequence[Group]) -> float | None:
    """How far the answer's reading order is from the true one; 0 if they are the same.

    As in OmniDocBench (Ouyang et al. 2024): the edits between the two orders, divided by their
    length. Only blocks that are in both count, because other figures show what is missing. None if
    there is no such block.
    """
    true = list(range(len(found)))
    told = sorted(true, key=lambda number: found[number].told[0])
    return distance(true, told) / len(found) if found else None


def text_of(cell: Cell, is_plain: bool) -> str:
    """A cell's text in the form in which it is compared.

    Picture: empty. Table: the texts of its cells. Formula: its LaTeX without blanks and without
    the signs around it. is_plain: remove the signs of Markdown, because the truth has none.
    """
    if cell.category == "Picture":
        return ""
    if cell.category == "Table":
        return text_in(cell.text)
    if cell.category == "Formula":
        bare = LATEX.fullmatch(cell.text)
        return "".join(normal(bare[1] if bare else cell.text).split())
    return normal(SIGNS.sub("", cell.text) if is_plain else cell.text)
