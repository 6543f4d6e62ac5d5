"""Judge an answer by what was kept of its page; the judgement is in the page's own pixels."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from answer.cells import Cell
from answer.judgement import Judgement
from answer.layout import to_page
from contract import DOUBT_KINDS
from trust.doubts import TRUSTED, Doubt, is_doubtful, trust_left

if TYPE_CHECKING:
    from trust.witnesses import Evidence

MOST = 100  # doubts of the witnesses, and of a second reader, that are written down at most
HEARD = {  # the kinds of doubt that count for an answer to each prompt
    "layout_all": DOUBT_KINDS,
    "layout_only": ("missed", "empty"),  # the answer has no text, by design
    "ocr": ("amount", "text_layer", "reader"),  # the answer has one cell, the page
}
REASONS = {
    "missed": ("text in one place was not read", "text in {} places was not read"),
    "empty": ("one cell has nothing under it", "{} cells have nothing under them"),
    "amount": (
        "one cell has too much, too little or another text",
        "{} cells have too much, too little or another text",
    ),
    "repeated": ("one cell repeats another", "{} cells repeat others"),
    "text_layer": (
        "one place differs from the PDF's text",  # a place is a cell, or words that are in no cell
        "{} places differ from the PDF's text",
    ),
    "reader": (
        "one cell is read differently by the second reader",
        "{} cells are read differently by the second reader",
    ),
}
NOTHING_READ = "almost nothing was read"


@dataclass(frozen=True)
class Reader:
    """A second reader, and what it has read on a page: see Record.reader_lines."""

    name: str
    lines: Sequence[Mapping[str, Any]]


def gathered(
    picture: Image.Image, layer: tuple[Path | bytes, int, int] | None = None
) -> "Evidence | None":
    """Gather what is kept of a page for its witnesses; None if they lack packages to look at it.

    layer says where there is a text layer to look at: a PDF, the number of its page, and by how
    many degrees that page was turned.
    """
    try:
        from picture.pdf.text_layer import words_on  # noqa: PLC0415 - older packages lack numpy
        from trust import witnesses  # noqa: PLC0415 - the same
    except ImportError:
        return None
    return witnesses.evidence_of(picture, words_on(picture, *layer) if layer else ())


def judge(
    evidence: "Evidence",
    cells: Sequence[Cell],
    size: tuple[int, int],
    page_size: tuple[int, int],
    prompt_mode: str,
    reader: Reader | None = None,
) -> Judgement:
    """Compare an answer with its page. size is the size of the picture that the cells belong to."""
    from trust import witnesses  # noqa: PLC0415 - see gathered()

    wide, high = (own / sent for own, sent in zip(evidence.size, size, strict=True))
    scales = (wide, high, wide, high)
    seen = [
        {**cell, "bbox": [float(v) * s for v, s in zip(cell["bbox"], scales, strict=True)]}
        for cell in cells
    ]
    heard = HEARD[prompt_mode]
    doubts = [doubt for doubt in witnesses.doubts_of(evidence, seen) if doubt.kind in heard]
    trust = trust_left(doubts)
    judgement = Judgement(
        trust,
        reason_of(doubts) if is_doubtful(trust) else "",
        tuple(lines_of(doubts[:MOST], evidence.size, page_size)),
    )
    if reader is None:
        return judgement
    return with_reader(judgement, said_by(reader, to_page(cells, size, page_size)[0]), reader.name)


def said_by(reader: Reader, cells: Sequence[Cell]) -> list[Doubt]:
    """Return what a second reader says against the cells of a page, the heaviest doubts first."""
    from trust.text import reader_witness  # noqa: PLC0415 - see gathered()

    lines = reader_witness.lines_of(reader.lines)
    doubts = reader_witness.reader_doubts(lines, cells, reader.name)
    return sorted(doubts, key=lambda doubt: -doubt.weight)[:MOST]


def with_reader(before: Judgement, doubts: Sequence[Doubt], reader: str) -> Judgement:
    """Add the doubts of a second reader to a judgement."""
    trust = trust_left(doubts, 1.0 if before.trust is None else before.trust)
    heavy = (doubt.line() for doubt in doubts if doubt.weight > TRUSTED)
    light = (doubt.line() for doubt in doubts if doubt.weight <= TRUSTED)
    return Judgement(
        trust,
        before.reason or (reason_of(doubts) if is_doubtful(trust) else ""),
        (*heavy, *before.doubts, *light),
        reader,
        before.trust,
    )


def lines_of(
    doubts: Iterable[Doubt], size: tuple[int, int], page_size: tuple[int, int]
) -> list[dict[str, Any]]:
    """Return the doubts as the manifest holds them, with boxes in the page's own pixels."""
    return to_page((doubt.line() for doubt in doubts), size, page_size)[0]


def reason_of(doubts: Iterable[Doubt]) -> str:
    """Say in plain words what speaks against a page, the heaviest doubt first."""
    doubts = list(doubts)
    if any(doubt.detail.get("why") == "nothing read" for doubt in doubts):
        return NOTHING_READ
    counts = Counter(doubt.kind for doubt in doubts)  # in the order in which they first appear
    return "; ".join(
        REASONS[kind][0] if count == 1 else REASONS[kind][1].format(count)
        for kind, count in counts.items()
    )
