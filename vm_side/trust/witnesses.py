"""All witnesses together: what is kept of a page, and what they say of an answer to it.

The evidence is gathered once, before the page is sent. It is small, because it waits for the
model. To compare an answer with it takes a few milliseconds, so each new answer can be compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from answer.cells import Cell
from picture.words import Word
from trust.doubts import Doubt
from trust.ink.amount import amount, nothing_read
from trust.ink.empty import empty
from trust.ink.laid import lay
from trust.ink.lines import Writing, writing_in
from trust.ink.missed import missed
from trust.ink.repeated import repeated
from trust.ink.swallowed import swallowed
from trust.text.layer_witness import text_layer_doubts


@dataclass(frozen=True)
class Evidence:
    """What is kept of a page for its witnesses. words come from its text layer, if that is sane."""

    size: tuple[int, int]
    writing: Writing
    words: Sequence[Word] = ()


def evidence_of(picture: Image.Image, words: Sequence[Word] = ()) -> Evidence:
    """Gather the evidence from the picture that is sent, mode "L" or "RGB"."""
    return Evidence(picture.size, writing_in(picture), words)


def doubts_of(evidence: Evidence, cells: Sequence[Cell]) -> list[Doubt]:
    """Return the doubts about an answer, the heaviest first; boxes in the picture's pixels."""
    writing, size = evidence.writing, evidence.size
    laid = lay(writing, size, cells)
    doubts = [*missed(writing, laid, size), *swallowed(writing, laid), *empty(laid)]
    doubts += [*amount(laid), *nothing_read(writing, laid, size), *repeated(laid, cells)]
    doubts += text_layer_doubts(evidence.words, cells, doubts)
    return sorted(doubts, key=lambda doubt: -doubt.weight)
