"""The words of a text compared with the words in its ink: equal length, but other words."""

from __future__ import annotations

import numpy
import pytest
from PIL import Image

from rig.witnessed import EVIDENCE, PAGE
from rig.written_page import WrittenPage, prose
from trust.doubts import trust_left
from trust.ink.laid import lay
from trust.ink.words import misfit, words_of
from trust.printed import printed
from trust.witnesses import doubts_of, evidence_of

KOREAN = "강물은 여름 내내 낮았고 배들은 아무도 걷지 않는 잿빛 진흙에 누워 있었다"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("So many words", 3),
        ("two words", 0),
        (KOREAN, 12),
        ("강물은여름내내낮았고배들은 아무도걷지않는잿빛진흙에누워있었다 그러나", 0),
        ("三つの 言葉が ある", 0),
        ("so that $x = y$ holds here", 0),
        ("המים היו נמוכים כל הקיץ", 0),  # written from right to left
        ("كان الماء منخفضا طوال الصيف", 0),
        ("see https://example.com for more", 0),
        ("1. One ........ 7", 3),
        ("", 0),
    ],
)
def test_which_texts_have_words_that_ink_can_tell(text: str, count: int) -> None:
    assert len(words_of(text, printed(text).text)) == count


def fit(inked: list[float], told: list[float]) -> float:
    """The distance between a text's words and those of its ink; lines are 10 high."""
    rows = [numpy.zeros((1, most)) for most in (24, 16)]
    for row, widths in zip(rows, (inked, told), strict=True):
        row[0, : len(widths)] = widths[: row.shape[1]]
    counts = [numpy.array([len(widths)]) for widths in (inked, told)]
    return float(misfit(rows[0], counts[0], rows[1], counts[1], numpy.array([10.0]))[0])


@pytest.mark.parametrize(
    ("inked", "told", "least", "most"),
    [
        ([20, 50, 30, 80], [20, 50, 30, 80], 0, 0),
        ([21, 48, 31, 82], [20, 50, 30, 80], 0, 0.2),  # letters differ between fonts
        ([70, 30, 80], [20, 50, 30, 80], 0.4, 0.6),  # a gap that was not seen
        ([20, 25, 25, 30, 80], [20, 50, 30, 80], 0.4, 0.6),  # a gap that does not exist
        ([80, 30, 50, 20], [20, 50, 30, 80], 1.2, 4),
        ([45, 45, 45, 45], [20, 50, 30, 80], 1.6, 4),
        ([20, 50, 30, 80] * 9, [20, 50, 30, 80] * 9, 0, 0),  # only the first words are compared
        ([20, 50, 30, 80] * 9, [80, 30, 50, 20] * 9, 1, 4),
        ([180], [20, 50, 30, 80], 4, 4),
    ],
)
def test_words_are_laid_along_those_of_the_ink(
    inked: list[float], told: list[float], least: float, most: float
) -> None:
    assert least <= fit(inked, told) <= most


def test_true_texts_fit_and_those_of_other_cells_do_not() -> None:
    cells, texts = PAGE.cells[1:], [cell["text"] for cell in PAGE.cells[1:]]
    for shift in range(len(cells)):
        moved = [{**cell, "text": texts[n - shift]} for n, cell in enumerate(cells)]
        laid = lay(EVIDENCE.writing, EVIDENCE.size, moved)
        far = [cell.misfit for cell in laid.cells if cell.misfit is not None]
        assert len(far) == len(cells)
        assert (max(far) < 0.2) if not shift else (min(far) > 0.7), far


LONG_AND_SHORT = (
    "a thunderstorm of frightening intensity is approaching a neighbourhood of travellers in "
    "mountainous surroundings at once"
)
ALL_ALIKE = (
    "under those seven small green hills water moved again until every child found where their "
    "brown boats would stand while rains"
)


@pytest.mark.parametrize("others", [3, 0])
def test_two_texts_of_one_length_that_changed_places(others: int) -> None:
    """One text alone may be a misjudged font. If no text fits, the words are not reliable."""
    page = WrittenPage()
    for place, text in enumerate(
        (LONG_AND_SHORT, ALL_ALIKE, *map(prose, (260, 270, 280)[:others]))
    ):
        page.put(text, (120, 100 + 300 * place), width=430)
    evidence = evidence_of(page.picture)
    one, other, *rest = page.cells
    assert doubts_of(evidence, page.cells) == []
    swapped = [{**one, "text": other["text"]}, {**other, "text": one["text"]}, *rest]
    doubts = doubts_of(evidence, swapped)
    assert sorted((doubt.kind, doubt.cell, doubt.detail["why"]) for doubt in doubts) == [
        ("amount", cell, "other words") for cell in ((0, 1) if others else ())
    ]
    assert not others or 0.5 < trust_left(doubts) < 0.8


def test_a_text_on_its_side_is_not_looked_at_by_words() -> None:
    page = WrittenPage()
    page.put(prose(60), (120, 100))
    turned = page.picture.transpose(Image.Transpose.ROTATE_270)
    left, top, right, bottom = page.cells[0]["bbox"]
    box = [page.size[1] - bottom, left, page.size[1] - top, right]
    evidence = evidence_of(turned)
    laid = lay(evidence.writing, evidence.size, [{**page.cells[0], "bbox": box}])
    assert laid.cells[0].inked and laid.cells[0].misfit is None


def test_dots_that_lead_to_a_number_do_not_hide_another_text() -> None:
    page = WrittenPage()
    lines = [
        "Boats that lie in grey mud",
        "On a bridge of old stones",
        "Thunder",
        "A village by it",
    ]
    for number, line in enumerate(lines):
        page.put(f"{line} {'.' * 60} {7 * number}", (120, 100 + 60 * number))
    evidence = evidence_of(page.picture)
    texts = [page.cells[place]["text"] for place in (1, 0, 2, 3)]
    cells = [{**cell, "text": text} for cell, text in zip(page.cells, texts, strict=True)]
    for answer, wrong in ((page.cells, []), (cells, [0, 1])):
        laid = lay(evidence.writing, evidence.size, answer)
        far = [index for index, cell in enumerate(laid.cells) if (cell.misfit or 0) > 1.2]
        assert far == wrong
