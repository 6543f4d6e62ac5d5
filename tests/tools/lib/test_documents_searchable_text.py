"""What of a cell is shown, on which lines, and how viewers read it: decisions of this package."""

from __future__ import annotations

import numpy
import pytest
from PIL import Image, ImageDraw

from lib.documents.searchable.glyphless import Letters, letters_in
from lib.documents.searchable.ink import (
    Span,
    bands,
    evenly,
    ink_in,
    lines_filled,
    lines_of,
    with_faint,
)
from lib.documents.searchable.lines import as_drawn, shared_out
from lib.documents.searchable.outline import nest
from lib.documents.searchable.own_text import lacking
from lib.documents.searchable.seen import seen_in
from lib.documents.searchable.tilt import moved_box, tilt_of
from lib.pages.entries import Cell
from lib.pages.values import Box

BOX = (0.1, 0.1, 0.9, 0.2)
LOWER = (0.1, 0.5, 0.9, 0.6)


@pytest.mark.parametrize(
    ("category", "text", "seen"),
    [
        ("Title", "# A title", "A title"),
        ("Section-header", "### 2. A **bold** heading", "2. A bold heading"),
        ("Text", "**bold**, *slanted* and `code`", "bold, slanted and code"),
        ("Text", "2 * 3 * 4, a*b, snake_case, __strong__", "2 * 3 * 4, a*b, snake_case, strong"),
        ("Text", r"5\. and \* and \_ and \$5", "5. and * and _ and $5"),
        ("Text", "a < b > c, <b>bold</b>, x<sub>2</sub>", "a < b > c, bold, x2"),
        ("Text", "one<br>two<br/>three", "one\ntwo\nthree"),
        ("Text", "R&amp;D &lt;tag&gt;", "R&D <tag>"),
        ("List-item", "- one\n* two\n3. three", "one\ntwo\n3. three"),
        ("Text", "from $x_1$ to $\\alpha^{2}$, $5 and $6", "from x1 to α2, $5 and $6"),
        ("Text", "as was shown$^{3}$.", "as was shown3."),
        ("Formula", "$$\\frac{a}{b}\n= c$$", "\\frac{a}{b} = c"),
        ("Picture", "anything", ""),
        ("Text", " a \n\n\t b ", "a\nb"),
        ("Text", "e\u0301 \u1112\u1161\u11ab soft\u00adhyphen", "é 한 softhyphen"),
    ],
)
def test_seen_in(category: str, text: str, seen: str) -> None:
    assert seen_in(Cell(BOX, category, text)) == seen


@pytest.mark.parametrize(
    ("text", "widths", "lines"),
    [
        ("one two three", [1], ["one two three"]),
        ("aaaa bbbb cccc dddd", [5, 5, 5, 5], ["aaaa", "bbbb", "cccc", "dddd"]),
        ("aaaa bbbb cccc dddd ee", [20, 2], ["aaaa bbbb cccc dddd", "ee"]),
        ("one\ntwo two two", [3, 3], ["one", "two two two"]),  # the text's own lines
        ("aaaa bbbb cc\ndddd eeee", [10, 5, 12], ["aaaa bbbb", "cc", "dddd eeee"]),
        ("aaaa bbbb c\ndddd eeee", [9, 3, 9], ["aaaa bbbb", "c", "dddd eeee"]),
        (
            "中文没有空格所以在任何字后都可以换行",
            [6, 6, 6],
            ["中文没有空格", "所以在任何字", "后都可以换行"],
        ),
        ("한국어는 빈칸이 있다", [4, 7], ["한국어는", "빈칸이 있다"]),
        ("one", [3, 3, 3], ["one", "", ""]),
        ("", [3, 3], ["", ""]),
        ("zero width", [0, 0], ["", "zero width"]),
    ],
)
def test_shared_out(text: str, widths: list[float], lines: list[str]) -> None:
    found = shared_out(text, widths, len)
    assert sorted(found) == sorted(lines) if text == "one" else found == lines


@pytest.mark.parametrize(
    ("line", "drawn"),
    [
        ("left to right", "left to right"),
        ("שלום עולם", "םלוע םולש"),
        ("שלום PDF 123 עולם", "םלוע PDF 123 םולש"),
        ("he said שלום עולם again", "he said םלוע םולש again"),
        ("מחיר: 45.", ".45 :ריחמ"),
        ("שָׁלוֹם", "םוֹלשָׁ"),  # marks stay with their letters
        ("", ""),
    ],
)
def test_as_drawn(line: str, drawn: str) -> None:
    assert as_drawn(line) == drawn


def written(heights: list[Span], wide: int = 200, high: int = 200) -> numpy.ndarray:
    """A picture with a line of words in each span of rows."""
    picture = Image.new("L", (wide, high), 255)
    pen = ImageDraw.Draw(picture)
    for top, bottom in heights:
        for left in range(5, wide - 20, 22):
            pen.rectangle((left, top, left + 15, bottom - 1), fill=0)
    return numpy.asarray(picture)


EVEN = [(10, 22), (40, 52), (70, 82), (100, 112)]


@pytest.mark.parametrize(
    ("drawn", "expected", "lines"),
    [
        (EVEN, 4, EVEN),
        (EVEN, 6, EVEN),
        (EVEN, 30, evenly((0, 200), 30)),  # these lines cannot hold so many
        (EVEN, 1, EVEN[:0] or evenly((0, 200), 1)),
        ([], 3, [(0, 67), (67, 133), (133, 200)]),
        ([(10, 12), (14, 26), (40, 52)], 2, [(10, 26), (40, 52)]),  # an accent belongs to its line
        ([(10, 34), (40, 52), (60, 72)], 4, [(10, 22), (22, 34), (40, 52), (60, 72)]),  # touching
        ([(10, 22), (40, 52), (90, 92)], 2, [(10, 22), (40, 52)]),  # a speck is not a line
        ([(0, 200)], 8, evenly((0, 200), 8)),
    ],
)
def test_lines_of(drawn: list[Span], expected: float, lines: list[Span]) -> None:
    gray = written(drawn)
    for picture in (gray, 255 - gray, (gray // 8 + 100).astype("uint8")):
        assert lines_of(ink_in(picture, (0, 0, 200, 200)), expected) == lines


@pytest.mark.parametrize(
    ("lines", "inked", "grown"),
    [
        ([(2, 4), (7, 9)], "0111110110", [(1, 6), (7, 9)]),
        ([(2, 4), (7, 9)], "1111111111", [(0, 7), (7, 10)]),  # never into the next line
        ([(2, 4)], "0011000011", [(2, 4)]),
        ([], "0000", []),
    ],
)
def test_a_line_reaches_as_far_as_its_letters(
    lines: list[Span], inked: str, grown: list[Span]
) -> None:
    assert with_faint(lines, numpy.array([sign == "1" for sign in inked])) == grown


def test_a_gray_line_among_black_ones_is_a_line() -> None:
    gray = written(EVEN).copy()
    gray[40:52] = numpy.where(gray[40:52] < 128, 160, 255)
    assert lines_of(ink_in(gray, (0, 0, 200, 200)), 4) == EVEN


def test_ink_beside_the_page_is_none() -> None:
    gray = written(EVEN)
    assert not ink_in(gray, (300, 300, 400, 400)).size
    assert not ink_in(gray, (50, 50, 50, 50)).size
    assert ink_in(gray, (-50, -50, 1000, 1000)).shape == gray.shape


@pytest.mark.parametrize(
    ("profile", "count", "found"),
    [
        ([0, 9, 9, 0, 0, 0, 9, 9, 0, 9], 2, [(0, 4), (4, 10)]),  # the widest gap
        ([0, 9, 9, 0, 0, 0, 9, 9, 0, 9], 3, [(0, 4), (4, 8), (8, 10)]),
        ([9] * 10, 2, [(0, 5), (5, 10)]),
        ([0] * 9, 3, [(0, 3), (3, 6), (6, 9)]),
        ([9, 0, 9], 1, [(0, 3)]),
    ],
)
def test_bands(profile: list[int], count: int, found: list[Span]) -> None:
    assert bands(numpy.array(profile), count) == found


def test_lines_filled_does_not_fail_for_boxes_without_area() -> None:
    assert lines_filled(10, 100, 12.5) == pytest.approx(1, abs=0.1)
    assert lines_filled(40, 100, 50) == pytest.approx(4, abs=0.1)
    assert lines_filled(5, 0, 10) > 1
    assert lines_filled(5, 10, 0) == 1


@pytest.mark.parametrize(
    ("depths", "found"),
    [
        ([1, 2, 3, 2, 1], [1, 2, 3, 2, 1]),
        ([2, 2, 4, 6, 3], [1, 1, 2, 3, 2]),
        ([4, 2, 1], [1, 1, 1]),
        ([], []),
    ],
)
def test_nest(depths: list[int], found: list[int]) -> None:
    above = list[int]()
    levels = list[int]()
    for depth in depths:
        nest(above, depth)
        levels.append(len(above))
    assert levels == found


@pytest.mark.parametrize(
    ("text", "there", "is_there"),
    [
        ("The quick brown fox", ["The", "quick", "brown", "fox"], True),
        ("an example of ﬁne print", ["an", "exam-", "ple", "of", "fine", "print"], True),
        ("two columns of words", ["columns", "two", "words", "of"], True),
        ("The quick brown fox", ["Uif", "rvjdl", "cspxo", "gpy"], False),
        ("The quick brown fox", ["The", "quick"], False),
        ("7", ["7"], True),
        ("7", [], False),
        ("", [], True),
        ("—", [], True),
    ],
)
def test_what_stands_on_a_page_already(text: str, there: list[str], is_there: bool) -> None:
    words = [(0.5, 0.15, word) for word in there]
    assert (lacking(words, [Cell(BOX, "Text", text)]) == []) == is_there
    assert lacking(words, [Cell(LOWER, "Text", text)]) or not text.isalnum()


@pytest.mark.parametrize(
    ("heading", "there", "is_there"),
    [
        ("역 앞 턱밭의 한 해", "역 앞 텃밭의 한 해", True),
        ("역 앞 턱밭의 한 해", "", False),
        ("역 앞 턱밭의 한 해", "의 한", False),
    ],
)
def test_what_was_misread_on_a_page_with_a_good_layer_is_not_doubled(
    heading: str, there: str, is_there: bool
) -> None:
    text = "the machine reads every page of a book and returns its text in order " * 3
    cells = [Cell(BOX, "Title", heading), Cell(LOWER, "Text", text)]
    words = [(0.5, 0.15, word) for word in there.split()]
    good, bad = ([(0.5, 0.55, word) for word in body.split()] for body in (text, text[::-1]))
    assert (cells[0] not in lacking([*words, *good], cells)) == is_there
    assert cells[0] in lacking([*words, *bad], cells)


def test_a_formula_is_there_if_anything_is() -> None:
    cell = Cell(BOX, "Formula", "\\frac{a}{b}")
    assert lacking([(0.5, 0.15, "x")], [cell]) == []
    assert lacking([(0.5, 0.5, "x")], [cell]) == [cell]


def test_letters_have_their_marks_and_numbers_of_their_own() -> None:
    assert list(letters_in("ae\u0301한😀")) == ["a", "e\u0301", "한", "😀"]
    letters = Letters()
    assert letters.encoded("abc😀a") == "<00010002000300040001>"
    assert "<0004> <D83DDE00>" in letters.to_unicode()
    assert letters.width("한글") == pytest.approx(2)
    assert 0 < letters.width("il") < letters.width("MW")


@pytest.mark.parametrize(
    ("box", "tilt", "straight"),
    [
        ((0.1, 0.1, 0.9, 0.5), 0.0, (0.1, 0.1, 0.9, 0.5)),
        ((0.1, 0.1, 0.9, 0.5), 0.02, (0.1, 0.098, 0.9, 0.482)),
        ((0.1, 0.1, 0.9, 0.5), -0.02, (0.1, 0.118, 0.9, 0.502)),
        ((0.1, 0.1, 0.9, 0.11), 0.02, (0.1, 0.0925, 0.9, 0.0975)),  # never thinner than half
        ((0.5, 0.0, 1.0, 0.2), 0.02, (0.5, 0.0, 1.0, 0.18)),
    ],
)
def test_moved_box(box: Box, tilt: float, straight: Box) -> None:
    assert moved_box(box, tilt) == pytest.approx(straight)


def test_a_page_lies_straight_where_nothing_says_otherwise() -> None:
    chance = numpy.random.default_rng(1)
    assert tilt_of(written(EVEN)) == 0
    assert tilt_of(numpy.full((200, 200), 255, "uint8")) == 0
    assert tilt_of(chance.integers(0, 256, (200, 200), "uint8")) == 0
