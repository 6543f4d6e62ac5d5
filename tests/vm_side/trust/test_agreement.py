"""Two texts of the same place: what counts as equal, and what does not."""

from __future__ import annotations

import pytest

from picture.words import Box, Word
from trust.boxes import in_rows
from trust.text.agreement import agreement, pieces_of, share_found
from trust.text.compared import covered, room_of, touched, under, words_said
from trust.text.folding import words_of

SENTENCE = "The ferry leaves the harbour at seven, and nobody on the island sees it go."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("**Bold** and `code`", ["bold", "and", "code"]),
        ("# A title\n- item", ["a", "title", "item"]),
        ("<table><tr><td colspan=2>A&amp;B</td><td>7</td></tr></table>", ["a", "b", "7"]),
        (r"$\frac{a}{b}$ of \textbf{it}", ["a", "b", "of", "it"]),
        ("har-\nbour and har\u2010\n  bour", ["harbour", "and", "harbour"]),
        ("Ｆｕｌｌ　ｗｉｄｔｈ ﬁve", ["full", "width", "five"]),
        ("Café naïve STRASSE Straße", ["cafe", "naive", "strasse", "strasse"]),
        ("배는 7시에", ["배는", "7", "시에"]),
        ("TEX2の基本", ["tex2", "の基本"]),
        ("10\u207b\u00b3 \u00bd", ["10", "3", "1", "2"]),
        ("[the ferry](https://example.org/timetable)", ["the", "ferry"]),
        (r"$\sin x$ is $\mathrm{odd}$", ["sin", "x", "is", "odd"]),
        ("a < b and c > d", ["a", "b", "and", "c", "d"]),
        ("see <https://example.org/x>", ["see", "https", "example", "org", "x"]),
    ],
)
def test_what_stands_on_the_page(text: str, words: list[str]) -> None:
    assert words_said({"text": text}) == words


@pytest.mark.parametrize(
    ("word", "pieces"),
    [
        ("of", []),
        ("sea", []),
        ("108", ["108"]),
        ("ferry", ["ferry"]),
        ("harbourisland", ["harbour", "island"]),
        ("항구를", ["항구"]),
        ("渡船七点", ["渡船", "七点"]),
        ("배", []),
    ],
)
def test_what_is_looked_for_of_a_word(word: str, pieces: list[str]) -> None:
    assert pieces_of(word) == pieces


@pytest.mark.parametrize(
    ("said", "there", "precision", "recall", "digits"),
    [
        (SENTENCE, SENTENCE, 1, 1, 0),
        (SENTENCE.upper(), SENTENCE.replace("harbour", "har-\nbour"), 1, 1, 0),
        (SENTENCE.replace(" ", ""), SENTENCE, 1, 1, 0),
        (SENTENCE[:36], SENTENCE, 1, 0.5, 0),
        (f"{SENTENCE} {SENTENCE}", SENTENCE, 0.5, 1, 0),
        ("Nothing of this was written there.", SENTENCE, 0, 0, 0),
        ("Total 1,240.50", "Total 1 240.50", 1, 1, 0),
        ("Total of all 1,240.50", "Total of all 1,247.50", 0.6, 0.6, 1),
        ("10^{-3} of a metre", "10\u207b\u00b3 of a metre", 1, 1, 0),
        ("the metre", "1 the metre", 1, 1, 0),  # a number that only one side has is in the margin
        ("at", "to", 1, 1, 0),
        ("", SENTENCE, 1, 0, 0),
    ],
)
def test_agreement(said: str, there: str, precision: float, recall: float, digits: int) -> None:
    read = words_of(there)
    found = agreement(words_said({"text": said}), words_of(said), read, read)
    assert found.precision == pytest.approx(precision, abs=0.12)
    assert found.recall == pytest.approx(recall, abs=0.12)
    assert found.digits == digits


@pytest.mark.parametrize(
    ("said", "near", "is_whole", "precision"),
    [
        (["ferry", "ferry", "at"], ["ferry"], True, 5 / 12),  # two on one side, one on the other
        (["ferry", "ferry"], ["ferry"], True, 1),  # too little text for that
        (["herons"], ["ferry"], True, 0),
        (["herons"], ["ferry"], False, 1),
    ],
)
def test_what_is_said_and_not_there(
    said: list[str], near: list[str], is_whole: bool, precision: float
) -> None:
    assert agreement(said, said, near, near, is_whole).precision == precision


@pytest.mark.parametrize(
    ("words", "share"),
    [
        (["lamp"], (0, 4)),
        (["108"], (1, 0)),
        (["of", "at"], (1, 0)),
        (["ferry", "lamp"], (5 / 9, 9)),
    ],
)
def test_of_little_nothing_can_be_told(words: list[str], share: tuple[float, int]) -> None:
    assert share_found(words, ["the", "ferry"]) == share


@pytest.mark.parametrize(
    ("word", "is_touched"),
    [
        ((5, 12, 10, 14), True),
        ((20, 12, 25, 14), True),
        ((12, 5, 14, 10), True),
        ((12, 20, 14, 25), True),
        ((1, 12, 9, 14), False),
        ((21, 12, 25, 14), False),
        ((12, 1, 14, 9), False),
        ((12, 21, 14, 25), False),
    ],
)
def test_a_word_touches_a_box_by_its_edge(word: Box, is_touched: bool) -> None:
    assert touched(in_rows([(10, 10, 20, 20)]), in_rows([word])).tolist() == [[is_touched]]


@pytest.mark.parametrize(
    ("box", "share"),
    [
        ((10, 10, 20, 30), 0.25),
        ((15, 0, 40, 20), 1),
        ((15, 0, 16, 1), 1),
        ((15, 5, 15, 9), 0),  # it has no area
        ((70, 70, 80, 80), 0),
    ],
)
def test_how_much_of_a_box_is_covered(box: Box, share: float) -> None:
    others = in_rows([(15, 0, 40, 20), (50, 50, 60, 60), (0, 0, 5, 5), (12, 70, 18, 75)])
    assert covered(in_rows([box])[0], others) == share


def test_a_word_may_stand_outside_by_half_its_shorter_side() -> None:
    assert room_of(in_rows([(0, 0, 40, 10), (0, 0, 4, 10)])).tolist() == [5, 2]


def test_of_a_box_of_which_a_tenth_is_not_told_all_is() -> None:
    """If more than a tenth of a box is unknown, all of it is. A picture gets no finding."""
    picture = {"bbox": [0, 50, 100, 90], "category": "Picture"}
    text = {"bbox": [0, 0, 100, 10], "category": "Text", "text": "other herons"}
    for wide, precision in ((10, 0), (11, 1)):
        words = [Word("ferry", (0, 0, 50, 10)), Word("", (100 - wide, 0, 100, 10))]
        found = under(words, [picture, text]).found
        assert list(found) == [1] and found[1].precision == precision
