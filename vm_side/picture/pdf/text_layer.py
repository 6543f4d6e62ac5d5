"""The text layer of a PDF's page: its words, and their boxes in the picture that is sent.

We use a layer only if it can be trusted. On a scan it is the result of some OCR. A font without a
table of its letters gives random text.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy
import pymupdf
from numpy.typing import NDArray
from PIL import Image

from picture.pdf.mupdf import MUPDF_ERRORS, forget, kept_pdf
from picture.words import Box, Word

MOST_WORDS = 8_000  # of a page, pictures included: a newspaper page has 6,000
MOST_PICTURE = 0.5  # of a page: if pictures cover more, it is a scan
MOST_UNKNOWN = 0.1  # of the letters
ENOUGH_LATIN = 100  # letters, for the next two
VOWELS = (0.2, 0.6)  # of Latin letters, in any language; in shifted letters it is random
MOST_MARKED = 0.3  # of Latin letters: Korean or Chinese taken for Latin-1 has more

# Not letters (undecoded, private use, controls), or not in reading order (Hebrew and Arabic).
UNKNOWN = re.compile("[\ufffd\ue000-\uf8ff\0-\x1f\x7f-\x9f\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
LATIN, VOWEL, MARKED = (
    re.compile(part) for part in ("[A-Za-z\xc0-\u024f]", "[aeiouyAEIOUY]", "[\xa1-\u024f]")
)

FLAGS = pymupdf.TEXT_PRESERVE_IMAGES | pymupdf.TEXT_MEDIABOX_CLIP
DRAWN = pymupdf.mupdf.FZ_STEXT_FILLED | pymupdf.mupdf.FZ_STEXT_STROKED
TURNS = {  # for a page of size 1 x 1
    0: pymupdf.Matrix(1, 0, 0, 1, 0, 0),
    90: pymupdf.Matrix(0, 1, -1, 0, 1, 0),
    180: pymupdf.Matrix(-1, 0, 0, -1, 1, 1),
    270: pymupdf.Matrix(0, -1, 1, 0, 0, 1),
}
REDUCED = 4  # times smaller, before we look for a word's ink
LEAST_STEP = 10  # gray levels between neighbours that mean ink


def words_on(
    picture: Image.Image, source: Path | bytes, index: int, rotation: int
) -> Sequence[Word]:
    """Return the words of a PDF's page in its text layer's order; none if we cannot trust it.

    picture is the one that is sent, turned clockwise by rotation degrees.
    """
    try:
        page = kept_pdf(source)[index]
        words, pictures = read_layer(page)
        matrix = page.rotation_matrix * pymupdf.Matrix(1 / page.rect.width, 1 / page.rect.height)
        matrix = matrix * TURNS[rotation] * pymupdf.Matrix(*picture.size)
    except (*MUPDF_ERRORS, IndexError):
        forget()  # the document may be in a bad state
        return ()
    if len(words) + len(pictures) > MOST_WORDS or not is_sane([text for text, _ in words]):
        return ()
    boxes = placed([box for _, box in words], matrix, picture.size)
    unknown = placed(pictures, matrix, picture.size)
    if area(unknown) > MOST_PICTURE * picture.width * picture.height:
        return ()
    told = [
        Word("" if UNKNOWN.search(text) else text, box)
        for (text, _), box, has_ink in zip(words, tuples(boxes), inked(picture, boxes), strict=True)
        if has_ink and not (len(text) == 1 and UNKNOWN.search(text))  # a bullet
    ]
    return (*told, *(Word("", box) for box in tuples(unknown)))


def read_layer(page: pymupdf.Page) -> tuple[list[tuple[str, Box]], list[Box]]:
    """Return the words that are drawn and the boxes of pictures, in points of the unturned page."""
    layer = page.get_textpage(flags=FLAGS)
    rows = layer.extractWORDS()
    if len(rows) > MOST_WORDS:
        return [(row[4], row[:4]) for row in rows], []
    hidden: set[tuple[int, int]] = set()
    pictures: list[Box] = []
    for number, block in enumerate(layer.this):
        if block.m_internal.type == pymupdf.mupdf.FZ_STEXT_BLOCK_IMAGE:
            box = block.m_internal.bbox
            pictures.append((box.x0, box.y0, box.x1, box.y1))
        elif block.m_internal.type == pymupdf.mupdf.FZ_STEXT_BLOCK_TEXT:
            for at, line in enumerate(block):
                first = line.m_internal.first_char
                if first and not first.flags & DRAWN:  # render mode 3, or part of a mask
                    hidden.add((number, at))
    return [(row[4], row[:4]) for row in rows if (row[5], row[6]) not in hidden], pictures


def is_sane(texts: Iterable[str]) -> bool:
    """Whether the words of a layer look like real text, not like wrongly decoded letters."""
    text = "".join(texts)
    latin = len(LATIN.findall(text))
    if len(UNKNOWN.findall(text)) > MOST_UNKNOWN * len(text):
        return False
    if latin < ENOUGH_LATIN:
        return True
    least, most = VOWELS
    vowels = len(VOWEL.findall(text)) / latin
    return least <= vowels <= most and len(MARKED.findall(text)) <= MOST_MARKED * latin


def placed(
    boxes: Sequence[Box], matrix: pymupdf.Matrix, size: tuple[int, int]
) -> NDArray[numpy.float64]:
    """Map boxes to pixels of the picture, cut at its edge; the matrix only does quarter turns."""
    turn, shift = [[matrix.a, matrix.b], [matrix.c, matrix.d]], [matrix.e, matrix.f]
    corners = numpy.array(boxes, float).reshape(-1, 2, 2) @ turn + shift
    corners = corners.clip(0, size)
    return numpy.concatenate([corners.min(1), corners.max(1)], 1)


def area(boxes: NDArray[numpy.float64]) -> float:
    """Return the sum of the boxes' areas; where boxes overlap, the area counts twice."""
    return float(numpy.prod(boxes[:, 2:] - boxes[:, :2], 1).sum())


def tuples(boxes: NDArray[numpy.float64]) -> Iterator[Box]:
    """Yield boxes in whole pixels."""
    yield from map(tuple, boxes.round().astype(int).tolist())


def inked(picture: Image.Image, boxes: NDArray[numpy.float64]) -> NDArray[numpy.bool_]:
    """For each box: is there ink? There is none for white on white, or under a patch."""
    gray = numpy.asarray(picture.convert("L").reduce(REDUCED), numpy.int16)
    edges = numpy.abs(numpy.diff(gray, axis=1)) >= LEAST_STEP
    sums = numpy.zeros((edges.shape[0] + 1, edges.shape[1] + 1), numpy.int32)
    sums[1:, 1:] = edges.cumsum(0, numpy.int32).cumsum(1)
    low, high = numpy.floor(boxes / REDUCED).astype(int), numpy.ceil(boxes / REDUCED).astype(int)
    x1, x2 = (low[:, 0] - 1).clip(0), high[:, 2].clip(0, edges.shape[1])
    y1, y2 = low[:, 1].clip(0, edges.shape[0]), high[:, 3].clip(0, edges.shape[0])
    found: NDArray[numpy.bool_] = sums[y2, x2] - sums[y1, x2] - sums[y2, x1] + sums[y1, x1] > 0
    return found
