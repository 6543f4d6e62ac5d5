"""Writing on a page: letters, and the lines that they stand in.

A letter is a connected part of ink of fitting size. It may also be a word whose letters touch, or a
piece of a sign of many strokes. A line has letters beside one another that are alike in height.
"""

from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from PIL import Image

from trust.ink.heights import Doubles, Floats, heights_of, sizes
from trust.ink.parts import Boxes, Ink, ink_in, reduced
from trust.ink.rows import LEAST, in_rows
from trust.ink.runs import Bits, Ints

# Found by trial on print, scans, slides and handwriting in five scripts.
LOW = 3  # pixels: lower ink is a dot, or dust
TALLEST = 1 / 7  # of the page's longer side
SLIM, LONG = 15, 14  # times as high as wide, or as wide as high: more is no letter and no word
SPARSE, SOLID = 0.1, 0.8  # of its box: a letter fills at least so much, and a word at most so much
HIGHER = 1.9  # times the height of most of its line: a higher letter is a bar or a brace
CLOSED = 0.26  # of the line's height: so much room is inside a word, more is between words
IN_A_ROW, UNEVEN = 2.2, 0.45  # of its letters' height: the most for a line, and for how they differ
DOTS, EVEN = 0.72, 0.12  # how much of its box a dot of a dotted line fills; how much dots differ
FEW_LETTERS = 0.25  # of a line's length in heights: fewer are not letters but pieces of a rule
MANY_LETTERS, THIN = 0.5, 0.5  # words that touch are fewer, too, but do not fill their boxes
SHORTEST, SHORTEST_OF_FEW = 1.7, 2.6  # heights: the shortest line; one of one or two letters
THICK = 9  # pixels: dots and rules are lower


@dataclass(frozen=True)
class Writing:
    """Letters by line, from left to right, in pixels of the page reduced by step."""

    step: int
    boxes: Boxes
    """The box of each letter."""
    line: NDArray[numpy.int32]
    """The number of each letter's line."""
    length: Floats
    """What each letter adds to the length of its line: with room in words, not between them."""
    areas: NDArray[numpy.int32]
    """How many pixels of each letter are ink."""
    heights: Floats
    """The height of each line, from its baseline up."""
    is_text: Bits
    """Whether each line looks like writing, and not like a pattern or a texture."""
    density: NDArray[numpy.uint8]
    """How much ink is in each square of GRAIN pixels, in letters or not."""

    @property
    def ems(self) -> Floats:
        """The length of each line, in its own heights."""
        total = numpy.bincount(self.line, self.length, len(self.heights))
        return numpy.asarray(total / self.heights, numpy.float32)


def writing_in(picture: Image.Image) -> Writing:
    """Find the writing in a picture of mode "L" or "RGB"."""
    gray, step = reduced(picture)
    ink, density = ink_in(gray)
    ink = ink.kept(may_be_letters(ink, max(gray.size)))
    ink, line = in_rows(ink)
    order = numpy.lexsort((ink.boxes[:, 0], line))
    boxes, areas, line = ink.boxes[order], ink.areas[order], line[order]
    wide, high = sizes(boxes)
    mean = numpy.bincount(line, wide * high) / numpy.bincount(line, wide)
    fits = high <= HIGHER * mean[line]
    heights = heights_of(boxes[fits], line[fits])
    length = lengths(boxes, line, heights)
    ems = numpy.bincount(line, length, len(heights)) / heights
    is_text, is_pattern = looks(boxes[fits], areas[fits], line[fits], heights, ems)
    of_letters = ~is_pattern[line]
    return Writing(
        step,
        boxes,
        line.astype(numpy.int32),
        length * of_letters,
        (areas * of_letters).astype(numpy.int32),
        heights,
        is_text,
        density,
    )


def may_be_letters(ink: Ink, longer_side: int) -> Bits:
    """Return which parts have the size and the shape of a letter or a word."""
    wide, high = sizes(ink.boxes)
    fits = (high >= LOW) & (high <= longer_side * TALLEST) & (high <= SLIM * wide)
    fits &= (wide <= LONG * high) & (ink.areas >= SPARSE * wide * high)
    found: Bits = fits & ((wide <= 3 * high) | (ink.areas <= SOLID * wide * high))
    return found


def lengths(boxes: Boxes, line: Ints, heights: Floats) -> Floats:
    """Return what each letter adds to the length of its line; a line's letters are in order."""
    x1, _, x2, _ = boxes.astype(numpy.int64).T
    apart = line * 65536  # so that the end of a line is before the start of the next
    reached = numpy.maximum.accumulate(x2 + apart)
    before = numpy.concatenate(([-65536], reached[:-1]))
    room = x1 + apart - before
    inked = reached - numpy.maximum(before, x1 + apart)
    closed = (room > 0) & (room <= CLOSED * heights[line])
    return numpy.asarray(inked + numpy.where(closed, room, 0), numpy.float32)


def looks(
    boxes: Boxes, areas: Ints, line: Ints, heights: Floats, ems: Doubles
) -> tuple[Bits, Bits]:
    """For each line: does it look like writing, and does it look like dots in a row?"""
    wide, high = sizes(boxes)
    letters, all_wide = numpy.bincount(line), numpy.bincount(line, wide)
    mean = numpy.bincount(line, wide * high) / all_wide
    uneven = numpy.sqrt(numpy.bincount(line, wide * (high - mean[line]) ** 2) / all_wide) / mean
    mean_wide = all_wide / letters
    uneven_wide = numpy.bincount(line, abs(wide - mean_wide[line])) / all_wide
    filled = numpy.bincount(line, areas) / numpy.bincount(line, wide * high)
    is_pattern = (filled > DOTS) & (uneven < EVEN) & (letters >= 4)
    is_pattern &= (uneven_wide < EVEN) | (mean < THICK)
    is_text = (heights <= IN_A_ROW * mean) & (uneven <= UNEVEN) & ~is_pattern & (mean >= LEAST)
    is_rule = (letters < MANY_LETTERS * ems) & (filled > THIN) & (mean < THICK)
    is_text &= ~is_rule & (filled <= SOLID) & (letters >= FEW_LETTERS * ems)
    is_text &= (ems >= SHORTEST) & ((letters >= 3) | (ems >= SHORTEST_OF_FEW))
    return is_text, is_pattern
