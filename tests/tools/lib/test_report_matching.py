"""What differs between two readings of a page."""

import time

import pytest

from lib.pages.doubts import Doubt
from lib.pages.entries import Cell
from lib.report.matching import compare_doubts, compare_pages, compare_words


def text(words: str, top: float = 0.1, category: str = "Text", height: float = 0.1) -> Cell:
    return Cell((0.1, top, 0.9, top + height), category, words)


def test_the_same_page_does_not_differ() -> None:
    cells = [text("a b"), text("c", 0.5)]
    found = compare_pages(cells, cells)
    assert found.differences == ()
    assert (found.text_alike, found.boxes_alike, found.boxes, found.words) == (1, 2, 2, 3)


def test_two_empty_pages_are_alike() -> None:
    assert compare_pages([], []).text_alike == 1


def test_a_word_a_category_and_a_place() -> None:
    first = [text("one two three"), text("head", 0.4), text("same", 0.6)]
    second = [text("one 2 three"), text("head", 0.4, "Title"), text("same", 0.62)]
    found = compare_pages(first, second)
    word, category, place = found.differences
    assert word.words == [("=", "one "), ("-", "two "), ("+", "2 "), ("=", "three")]
    assert category.recategorised and not category.moved and category.words is None
    assert place.moved and place.overlap == pytest.approx(2 / 3, abs=1e-3)
    assert (found.words_changed, found.moved, found.recategorised) == (1, 1, 1)
    assert found.text_alike == pytest.approx(0.8)


def test_cells_that_are_in_one_only() -> None:
    found = compare_pages([text("a"), text("b", 0.5)], [text("a"), text("c", 0.8)])
    assert [(d.first, d.second) for d in found.differences] == [(None, 1), (1, None)]
    assert (found.added, found.removed, found.boxes) == (1, 1, 3)


def test_a_paragraph_cut_in_two_has_the_same_text() -> None:
    found = compare_pages([text("a b c d", 0.1, height=0.2)], [text("a b"), text("c d", 0.2)])
    assert found.text_alike == 1
    assert found.words_changed == 0
    assert found.added + found.removed > 0


def test_words() -> None:
    assert compare_words("", "") == []
    assert compare_words("a  b", "a b") == [("=", "a b")]
    assert compare_words("", "a b") == [("+", "a b")]
    assert compare_words("표 하나 끝", "표 둘 끝") == [
        ("=", "표 "),
        ("-", "하나 "),
        ("+", "둘 "),
        ("=", "끝"),
    ]


def test_signs_of_a_script_without_blanks_are_words() -> None:
    assert compare_words("六節藏魚", "六節 藏象 a") == [
        ("=", "六節 藏"),
        ("-", "魚"),
        ("+", "象 a"),
    ]
    assert compare_pages([text("食用油")], [text("食 用 油")]).differences == ()


def test_long_texts_that_share_nothing_take_no_longer() -> None:
    started = time.process_time()
    compare_words("the a of " * 5000, " ".join(f"w{n} the of" for n in range(5000)))
    assert time.process_time() - started < 5


def doubted(kind: str, top: float = 0.1, height: float = 0.1, cell: int | None = None) -> Doubt:
    return Doubt(kind, (0.1, top, 0.9, top + height), cell)


HERE, NEAR, FAR = doubted("missed"), doubted("missed", 0.12), doubted("missed", 0.5)
OTHER, FLAT = doubted("amount"), doubted("empty", height=0.0)


@pytest.mark.parametrize(
    ("first", "second", "gone", "new"),
    [
        ([], [], (), ()),
        ([HERE], [], (HERE,), ()),
        ([], [HERE], (), (HERE,)),
        ([HERE], [NEAR], (), ()),
        ([HERE], [FAR], (HERE,), (FAR,)),
        ([HERE], [OTHER], (HERE,), (OTHER,)),
        ([FLAT], [FLAT], (), ()),
        ([HERE, HERE], [NEAR], (HERE,), ()),  # each box matches at most one other
        ([doubted("amount", cell=3)], [doubted("amount", cell=7)], (), ()),  # the place decides
    ],
)
def test_doubts_that_went_away_and_new_ones(
    first: list[Doubt], second: list[Doubt], gone: tuple[Doubt, ...], new: tuple[Doubt, ...]
) -> None:
    assert compare_doubts(first, second) == (gone, new)
